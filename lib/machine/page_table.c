/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page table: a flat array, uncommitted where nothing is mapped. States and facts are in page_table.h.
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
} table;

/* The diagram: bit `to` of element `from`. Permissions and tracking may change within IN and OUT. */
#define TO(state) (1U << (state))
static const unsigned int transitions[] = {
	[KMEM_PTE_UNMAPPED] = TO(KMEM_PTE_IN) | TO(KMEM_PTE_OUT) | TO(KMEM_PTE_GUARD) | TO(KMEM_PTE_UNMAPPED),
	[KMEM_PTE_GUARD] = TO(KMEM_PTE_UNMAPPED),
	[KMEM_PTE_OUT] = TO(KMEM_PTE_BUSY_IN) | TO(KMEM_PTE_OUT) | TO(KMEM_PTE_UNMAPPED),
	[KMEM_PTE_BUSY_IN] = TO(KMEM_PTE_IN) | TO(KMEM_PTE_OUT),
	[KMEM_PTE_BUSY_OUT] = TO(KMEM_PTE_OUT) | TO(KMEM_PTE_IN),
	[KMEM_PTE_IN] = TO(KMEM_PTE_BUSY_OUT) | TO(KMEM_PTE_IN) | TO(KMEM_PTE_UNMAPPED),
};

static size_t table_bytes(void)
{
	size_t bytes = (table.size >> table.page_shift) * sizeof(*table.entries);

	return kmem_host_page_round(bytes);
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

static _Atomic uint64_t *entry_of(uintptr_t addr)
{
	kmem_assert(kmem_page_table_covers(addr));
	return &table.entries[(addr - table.base) >> table.page_shift];
}

kmem_pte kmem_pte_get(uintptr_t addr)
{
	return atomic_load_explicit(entry_of(addr), memory_order_acquire);
}

void kmem_pte_set(uintptr_t addr, kmem_pte pte)
{
	_Atomic uint64_t *entry = entry_of(addr);
	enum kmem_pte_state from = kmem_pte_state(atomic_load_explicit(entry, memory_order_relaxed));

	kmem_assert((transitions[from] & TO(kmem_pte_state(pte))) != 0);
	kmem_assert(kmem_pte_is_valid(pte));
	atomic_store_explicit(entry, pte, memory_order_release);
}

unsigned int kmem_pte_prot(kmem_pte pte)
{
	unsigned int prot = KMEM_PROT_READ;

	if (kmem_pte_state(pte) != KMEM_PTE_IN || (pte & KMEM_PTE_ACCESSED) == 0 || (pte & KMEM_PTE_PRIVATE) != 0) {
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
	return true;
}
