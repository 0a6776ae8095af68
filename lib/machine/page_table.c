/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page table: a flat array, uncommitted where nothing is mapped. States and facts are in page_table.h.
 *
 * Term. *Chunk*: the pages whose entries share a page of the host's. For each the table counts those that hold something, so that
 * a walk over gigabytes of address space costs little where nobody has touched it. And each may have a *default*, an entry that
 * holds nothing and stands for all of its own that are 0: so mapping a large range writes a word a chunk. No page of a chunk with a
 * default is UNMAPPED; before one becomes so, the default is written out into the entries.
 *
 * Beside the entries there is a bit for each page, whether it is exposed: so what is, which is no more than RAM, is found in far larger
 * ranges.
 */
#include "machine/page_table.h"

#include <stdatomic.h>

#include "host/assert.h"
#include "host/memory.h"

static struct {
	/* constant after init */
	uintptr_t base;
	size_t size;
	unsigned int page_shift;

	_Atomic uint64_t *entries;

	_Atomic uint64_t *defaults; /* of each chunk; 0: none */

	/* guarded by the kernel lock */
	uint16_t *held; /* of each chunk: pages that hold something, and WRITTEN if an entry of its own may be other than 0 */
	uint64_t *exposed; /* a bit a page */
} table;

#define WORD_BITS 64U

#define CHUNK_PAGES 512U
#define WRITTEN 0x8000U

/* The diagram: bit `to` of element `from`. Permissions and tracking may change within IN and OUT. */
#define TO(state) (1U << (state))
static const unsigned int transitions[] = {
	[KMEM_PTE_UNMAPPED] = TO(KMEM_PTE_IN) | TO(KMEM_PTE_OUT) | TO(KMEM_PTE_GUARD) | TO(KMEM_PTE_UNMAPPED),
	[KMEM_PTE_GUARD] = TO(KMEM_PTE_UNMAPPED),
	[KMEM_PTE_OUT] = TO(KMEM_PTE_BUSY_IN) | TO(KMEM_PTE_OUT) | TO(KMEM_PTE_UNMAPPED),
	[KMEM_PTE_BUSY_IN] = TO(KMEM_PTE_IN) | TO(KMEM_PTE_OUT),
	[KMEM_PTE_BUSY_OUT] = TO(KMEM_PTE_OUT) | TO(KMEM_PTE_IN),
	[KMEM_PTE_IN] = TO(KMEM_PTE_BUSY_OUT) | TO(KMEM_PTE_IN) | TO(KMEM_PTE_OUT) | TO(KMEM_PTE_UNMAPPED),
};

static size_t chunk_count(void)
{
	return (table.size >> table.page_shift) / CHUNK_PAGES + 1;
}

/* The entries, behind them the defaults and the counts, and behind them the bits. */
static size_t entries_bytes(void)
{
	return kmem_host_page_round((table.size >> table.page_shift) * sizeof(*table.entries));
}

static size_t chunks_bytes(void)
{
	return kmem_host_page_round(chunk_count() * (sizeof(*table.defaults) + sizeof(*table.held)));
}

static size_t table_bytes(void)
{
	size_t words = (table.size >> table.page_shift) / WORD_BITS + 1;

	return entries_bytes() + chunks_bytes() + kmem_host_page_round(words * sizeof(*table.exposed));
}

int kmem_page_table_init(uintptr_t base, size_t size, size_t page_size)
{
	void *entries;
	int ret;

	table.base = base;
	table.size = size;
	table.page_shift = (unsigned int)__builtin_ctzl(page_size);
	ret = kmem_host_memory_get(&entries, table_bytes());
	if (ret == 0) {
		table.entries = entries;
		table.defaults = (_Atomic uint64_t *)((char *)entries + entries_bytes());
		table.held = (uint16_t *)(table.defaults + chunk_count());
		table.exposed = (uint64_t *)((char *)entries + entries_bytes() + chunks_bytes());
	}
	return ret;
}

void kmem_page_table_finish(void)
{
	if (table.entries == NULL) {
		return;
	}
	kmem_host_memory_free((void *)table.entries, table_bytes());
	table.entries = NULL;
	table.defaults = NULL;
	table.held = NULL;
	table.exposed = NULL;
	table.size = 0;
}

size_t kmem_page_table_page_size(void)
{
	return (size_t)1 << table.page_shift;
}

bool kmem_page_table_covers(uintptr_t addr)
{
	return addr - table.base < table.size;
}

static size_t index_of(uintptr_t addr)
{
	return (addr - table.base) >> table.page_shift;
}

/* What an entry says. A default that has gone since the entry was read was written out into it before. */
static kmem_pte entry_get(size_t index)
{
	kmem_pte pte = atomic_load_explicit(&table.entries[index], memory_order_acquire);

	if (pte == KMEM_PTE_UNMAPPED) {
		pte = atomic_load_explicit(&table.defaults[index / CHUNK_PAGES], memory_order_acquire);
	}
	return pte != KMEM_PTE_UNMAPPED ? pte : atomic_load_explicit(&table.entries[index], memory_order_acquire);
}

static bool is_exposed(size_t index)
{
	return (table.exposed[index / WORD_BITS] >> index % WORD_BITS & 1) != 0;
}

static void entry_put(size_t index, kmem_pte pte)
{
	bool exposed = kmem_pte_prot(pte) != KMEM_PROT_NONE;

	if (exposed != is_exposed(index)) {
		table.exposed[index / WORD_BITS] ^= UINT64_C(1) << index % WORD_BITS;
	}
	atomic_store_explicit(&table.entries[index], pte, memory_order_release);
	table.held[index / CHUNK_PAGES] |= WRITTEN;
}

static kmem_pte default_get(size_t chunk)
{
	return atomic_load_explicit(&table.defaults[chunk], memory_order_relaxed);
}

static void default_put(size_t chunk, kmem_pte pte)
{
	atomic_store_explicit(&table.defaults[chunk], pte, memory_order_release);
}

static bool is_written(size_t chunk)
{
	return (table.held[chunk] & WRITTEN) != 0;
}

static size_t held_count(size_t chunk)
{
	return table.held[chunk] & ~WRITTEN;
}

/* Write a chunk's default out into its entries. */
static void default_expand(size_t chunk)
{
	kmem_pte pte = default_get(chunk);
	size_t end = (chunk + 1) * CHUNK_PAGES;

	if (pte == KMEM_PTE_UNMAPPED) {
		return;
	}
	for (size_t index = chunk * CHUNK_PAGES; index < end; index++) {
		if (atomic_load_explicit(&table.entries[index], memory_order_relaxed) == KMEM_PTE_UNMAPPED) {
			entry_put(index, pte);
		}
	}
	default_put(chunk, KMEM_PTE_UNMAPPED);
}

/* Whether [index, end) has all of the chunk that index begins. */
static bool is_whole_chunk(size_t index, size_t end)
{
	return index % CHUNK_PAGES == 0 && end - index >= CHUNK_PAGES;
}

kmem_pte kmem_pte_get(uintptr_t addr)
{
	kmem_assert(kmem_page_table_covers(addr));
	return entry_get(index_of(addr));
}

void kmem_pte_set(uintptr_t addr, kmem_pte pte)
{
	kmem_pte before = kmem_pte_get(addr);
	size_t index = index_of(addr);

	kmem_assert((transitions[kmem_pte_state(before)] & TO(kmem_pte_state(pte))) != 0);
	kmem_assert(kmem_pte_is_valid(pte));
	if (kmem_pte_holds(pte) != kmem_pte_holds(before)) {
		table.held[index / CHUNK_PAGES] += kmem_pte_holds(pte) ? 1 : -1;
	}
	if (pte == KMEM_PTE_UNMAPPED) {
		default_expand(index / CHUNK_PAGES);
	}
	entry_put(index, pte);
}

void kmem_pte_fill(uintptr_t addr, size_t size, kmem_pte pte)
{
	size_t end = index_of(addr + size);
	size_t index = index_of(addr);

	kmem_assert(kmem_page_table_covers(addr) && kmem_pte_is_valid(pte) && !kmem_pte_holds(pte));
	while (index < end) {
		if (is_whole_chunk(index, end)) {
			kmem_assert(default_get(index / CHUNK_PAGES) == KMEM_PTE_UNMAPPED && held_count(index / CHUNK_PAGES) == 0);
			default_put(index / CHUNK_PAGES, pte);
			index += CHUNK_PAGES;
		} else {
			kmem_assert(entry_get(index) == KMEM_PTE_UNMAPPED);
			entry_put(index++, pte);
		}
	}
}

void kmem_pte_change(uintptr_t addr, size_t size, kmem_pte taken, kmem_pte added)
{
	size_t end = index_of(addr + size);
	size_t index = index_of(addr);

	while (index < end) {
		size_t chunk = index / CHUNK_PAGES;
		kmem_pte pte = (entry_get(index) & ~taken) | added;

		kmem_assert(kmem_pte_is_valid(pte));
		if (is_whole_chunk(index, end) && default_get(chunk) != KMEM_PTE_UNMAPPED && !is_written(chunk)) {
			default_put(chunk, pte);
			index += CHUNK_PAGES;
		} else {
			entry_put(index++, pte);
		}
	}
}

static void entries_zero(size_t first, size_t end)
{
	for (size_t index = first; index < end; index++) {
		atomic_store_explicit(&table.entries[index], KMEM_PTE_UNMAPPED, memory_order_release);
	}
}

/* What is left to be done to [index, end), whose pages hold nothing. */
static void clear(size_t index, size_t end)
{
	while (index < end) {
		size_t chunk = index / CHUNK_PAGES;
		size_t chunk_end = (chunk + 1) * CHUNK_PAGES < end ? (chunk + 1) * CHUNK_PAGES : end;
		bool is_whole = is_whole_chunk(index, end);

		if (!is_whole) {
			default_expand(chunk);
		}
		if (is_written(chunk)) {
			entries_zero(index, chunk_end);
		}
		if (is_whole) {
			default_put(chunk, KMEM_PTE_UNMAPPED);
			table.held[chunk] = 0;
		}
		index = chunk_end;
	}
}

void kmem_pte_clear(uintptr_t addr, size_t size)
{
	size_t end = index_of(addr + size);
	size_t index = index_of(addr);
	uintptr_t page_end = addr + size;

	while ((addr = kmem_pte_held_next(addr, page_end)) < page_end) {
		kmem_pte_set(addr, KMEM_PTE_UNMAPPED);
	}
	clear(index, end);
}

uintptr_t kmem_pte_held_next(uintptr_t addr, uintptr_t end)
{
	size_t last = index_of(end);
	size_t index = index_of(addr);

	while (index < last) {
		if (held_count(index / CHUNK_PAGES) == 0) {
			index = (index / CHUNK_PAGES + 1) * CHUNK_PAGES;
			continue;
		}
		if (kmem_pte_holds(atomic_load_explicit(&table.entries[index], memory_order_relaxed))) {
			return table.base + (index << table.page_shift);
		}
		index++;
	}
	return end;
}

uintptr_t kmem_pte_exposed_next(uintptr_t addr, uintptr_t end)
{
	size_t last = index_of(end);
	size_t index = index_of(addr);

	while (index < last) {
		uint64_t word = table.exposed[index / WORD_BITS] >> index % WORD_BITS;

		if (word != 0) {
			index += (size_t)__builtin_ctzll(word);
			return index < last ? table.base + (index << table.page_shift) : end;
		}
		index = (index / WORD_BITS + 1) * WORD_BITS;
	}
	return end;
}

unsigned int kmem_pte_prot(kmem_pte pte)
{
	unsigned int prot = KMEM_PROT_READ;

	if (kmem_pte_state(pte) != KMEM_PTE_IN || (pte & KMEM_PTE_ACCESSED) == 0 ||
	    (pte & (KMEM_PTE_PRIVATE | KMEM_PTE_NO_ACCESS)) != 0) {
		return KMEM_PROT_NONE;
	}
	if ((pte & K_MEM_PERM_RW) != 0 && (pte & KMEM_PTE_DIRTY) != 0) {
		prot |= KMEM_PROT_WRITE;
	}
	if ((pte & K_MEM_PERM_EXEC) != 0) {
		prot |= KMEM_PROT_EXEC;
	}
	return prot;
}

bool kmem_pte_is_valid(kmem_pte pte)
{
	enum kmem_pte_state state = kmem_pte_state(pte);

	if (state > KMEM_PTE_IN) {
		return false;
	}
	if ((pte & KMEM_PTE_ACCESSED) != 0 && state != KMEM_PTE_IN) {
		return false; /* T2 */
	}
	if ((pte & KMEM_PTE_DIRTY) != 0 && state != KMEM_PTE_IN && state != KMEM_PTE_BUSY_OUT) {
		return false; /* T3 */
	}
	if ((pte & KMEM_PTE_PRIVATE) != 0 && state != KMEM_PTE_IN) {
		return false; /* T3 */
	}
	if (state <= KMEM_PTE_GUARD && (pte & ~KMEM_PTE_STATE_MASK) != 0) {
		return false; /* T4 */
	}
	return (pte & KMEM_PTE_NO_ACCESS) == 0 || (pte & KMEM_PTE_ACCESSED) == 0; /* T5 */
}

bool kmem_page_table_is_valid(uintptr_t addr, size_t size)
{
	size_t all = table.size >> table.page_shift;

	for (size_t chunk = index_of(addr) / CHUNK_PAGES; chunk * CHUNK_PAGES < index_of(addr + size); chunk++) {
		size_t held = 0;

		for (size_t index = chunk * CHUNK_PAGES; index < (chunk + 1) * CHUNK_PAGES && index < all; index++) {
			kmem_pte pte = atomic_load_explicit(&table.entries[index], memory_order_relaxed);

			held += kmem_pte_holds(pte) ? 1 : 0;
			if (is_exposed(index) != (kmem_pte_prot(pte) != KMEM_PROT_NONE)) {
				return false; /* T6 */
			}
		}
		if (held != held_count(chunk) || kmem_pte_holds(default_get(chunk))) {
			return false; /* T6 */
		}
	}
	return true;
}
