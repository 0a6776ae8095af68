/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The MMU: the page table and the engine behind it; here ranges of pages. Pages that come and go are in mmu_page.c, where their bytes lie
 * in mmu_home.c, and the range that all is for, from boot to fork, in mmu_range.c.
 *
 * Theory of operation. A page's entry says everything (page_table.h); kmem_pte_prot() of it is what the host must allow.
 * A change is made in the order that leaves no window in which bytes could be lost: what takes rights away goes to the
 * host first and to the entry after, and so does what gives rights, since an access that comes in between traps, finds
 * the kernel lock taken, and looks again.
 *
 * Pages are walked in order and gathered into runs, so that neighbours on neighbouring frames share a host call (mmu_host.c). Walks pass
 * over what holds nothing.
 *
 * Memory checkers: a mapped page's bytes are defined even while a touch traps, so they are annotated when pages are mapped
 * and whenever they are concealed; unmapped ones are annotated as inaccessible.
 */
#include "machine/mmu.h"

#include "host/annotate.h"
#include "host/assert.h"
#include "host/memory.h"
#include "machine/home.h"
#include "machine/mmu_host.h"
#include "machine/mmu_range.h"
#include "machine/ram.h"

int kmem_mmu_map(uintptr_t addr, uintptr_t phys, size_t size, uint32_t flags)
{
	kmem_pte pte = KMEM_PTE_IN | KMEM_PTE_ACCESSED | KMEM_PTE_DIRTY | kmem_pte_from_flags(flags);
	struct kmem_run run = {.addr = addr, .size = size, .phys = phys, .prot = kmem_pte_prot(pte)};
	int ret;

	kmem_home_share(phys, size);
	ret = kmem_mmu_host_expose(&run, 1);
	if (ret != 0) {
		return ret;
	}
	for (size_t done = 0; done < size; done += kmem_mmu.page_size) {
		kmem_pte_set(addr + done, pte | (phys + done));
	}
	kmem_annotate_defined((void *)addr, size);
	return 0;
}

void kmem_mmu_map_private(uintptr_t addr, uintptr_t phys, size_t size, uint32_t flags)
{
	kmem_pte pte = KMEM_PTE_IN | KMEM_PTE_PRIVATE | KMEM_PTE_ACCESSED | KMEM_PTE_DIRTY | kmem_pte_from_flags(flags);

	for (size_t done = 0; done < size; done += kmem_mmu.page_size) {
		kmem_pte_set(addr + done, pte | (phys + done));
	}
}

int kmem_mmu_map_absent(uintptr_t addr, uint64_t location, uint32_t flags)
{
	int ret = kmem_mmu_cover(addr, kmem_mmu.page_size);

	if (ret == 0) {
		kmem_mmu_map_out(addr, location, 0, kmem_mmu.page_size, flags);
	}
	return ret;
}

void kmem_mmu_map_concealed(uintptr_t addr, uintptr_t phys, size_t size, uint32_t flags)
{
	kmem_pte pte = KMEM_PTE_IN | KMEM_PTE_DIRTY | kmem_pte_from_flags(flags);

	for (size_t done = 0; done < size; done += kmem_mmu.page_size) {
		kmem_pte_set(addr + done, pte | (phys + done));
	}
	kmem_annotate_defined((void *)addr, size);
}

/* Permissions with or without access. */
static kmem_pte pte_from_flags(uint32_t flags)
{
	return kmem_pte_from_flags(flags) | ((flags & KMEM_PERM_NO_ACCESS) != 0 ? KMEM_PTE_NO_ACCESS : 0);
}

void kmem_mmu_map_out(uintptr_t addr, uint64_t location, size_t step, size_t size, uint32_t flags)
{
	kmem_pte pte = KMEM_PTE_OUT | pte_from_flags(flags);

	if (!kmem_pte_holds(pte | location) && step == 0) {
		kmem_pte_fill(addr, size, pte | location);
		kmem_annotate_defined((void *)addr, size);
		return;
	}
	for (size_t done = 0; done < size; done += kmem_mmu.page_size) {
		kmem_pte_set(addr + done, pte | location);
		location += step;
	}
	kmem_annotate_defined((void *)addr, size);
}

void kmem_mmu_guard(uintptr_t addr)
{
	kmem_pte_set(addr, KMEM_PTE_GUARD);
}

/* Conceal from the first exposed page of a range to the last, in one call. */
static int conceal_whole(uintptr_t addr, uintptr_t end)
{
	uintptr_t first = kmem_pte_exposed_next(addr, end);
	uintptr_t last = first;
	struct kmem_run run;

	for (addr = first; addr < end; addr = kmem_pte_exposed_next(addr + kmem_mmu.page_size, end)) {
		last = addr;
	}
	if (first == end) {
		return 0;
	}
	run = kmem_mmu_run_of(first, kmem_pte_get(first));
	run.size = last + kmem_mmu.page_size - first;
	return kmem_mmu_host_conceal(&run, 1);
}

/* Conceal whatever is exposed in a range. */
static int conceal_exposed(uintptr_t addr, size_t size)
{
	uintptr_t end = addr + size;
	struct kmem_mmu_vector vector;

	if (!kmem_mmu_has_own()) {
		return conceal_whole(addr, end);
	}
	kmem_mmu_vector_init(&vector, kmem_mmu_host_conceal);
	for (addr = kmem_pte_exposed_next(addr, end); addr < end; addr = kmem_pte_exposed_next(addr + kmem_mmu.page_size, end)) {
		kmem_pte pte = kmem_pte_get(addr);

		/* Pages between may be another thread's, who is exposing them at this moment. */
		kmem_mmu_vector_add(&vector, addr, kmem_pte_addr(pte), kmem_pte_prot(pte), !kmem_mmu.engine->is_concurrent);
	}
	return kmem_mmu_vector_flush(&vector);
}

/* Clear ACCESSED of whatever is exposed, and has been concealed. */
static void clear_accessed(uintptr_t addr, size_t size)
{
	uintptr_t end = addr + size;

	for (addr = kmem_pte_exposed_next(addr, end); addr < end; addr = kmem_pte_exposed_next(addr + kmem_mmu.page_size, end)) {
		kmem_pte_set(addr, kmem_pte_get(addr) & ~KMEM_PTE_ACCESSED);
	}
}

int kmem_mmu_conceal(uintptr_t addr, size_t size)
{
	int ret = conceal_exposed(addr, size);

	if (ret == 0) {
		clear_accessed(addr, size);
	}
	return ret;
}

int kmem_mmu_unmap(uintptr_t addr, size_t size)
{
	int ret = conceal_exposed(addr, size);

	if (ret != 0) {
		return ret;
	}
	kmem_mmu_range_drop(addr, size);
	kmem_pte_clear(addr, size);
	kmem_annotate_noaccess((void *)addr, size);
	return 0;
}

void kmem_mmu_discard(uintptr_t addr, size_t size)
{
	uintptr_t end = addr + size;

	kmem_mmu_range_drop(addr, size);
	for (addr = kmem_pte_held_next(addr, end); addr < end; addr = kmem_pte_held_next(addr + kmem_mmu.page_size, end)) {
		kmem_pte pte = kmem_pte_get(addr);

		kmem_assert(!kmem_pte_is_busy(pte) && kmem_pte_prot(pte) == KMEM_PROT_NONE);
		pte &= ~(kmem_pte)(KMEM_PTE_ACCESSED | KMEM_PTE_DIRTY);
		kmem_pte_set(addr, kmem_pte_with_addr(pte, KMEM_PTE_OUT, KMEM_LOCATION_ANON_ZERO));
	}
}

int kmem_mmu_move_prepare(uintptr_t from, size_t size)
{
	return kmem_mmu.engine->is_placed ? kmem_mmu_range_settle(from, size) : 0;
}

void kmem_mmu_move(uintptr_t from, size_t size, uintptr_t to)
{
	for (size_t done = 0; done < size; done += kmem_mmu.page_size) {
		kmem_pte pte = kmem_pte_get(from + done);

		kmem_assert(!kmem_pte_is_busy(pte) && kmem_pte_prot(pte) == KMEM_PROT_NONE);
		kmem_pte_set(to + done, pte);
	}
	kmem_pte_clear(from, size);
	kmem_annotate_defined((void *)to, size);
	kmem_annotate_noaccess((void *)from, size);
}

/* Expose, and set ACCESSED in the entries. */
static int runs_access(const struct kmem_run *runs, size_t count)
{
	int ret = kmem_mmu_host_expose(runs, count);

	for (size_t i = 0; i < count && ret == 0; i++) {
		for (size_t done = 0; done < runs[i].size; done += kmem_mmu.page_size) {
			kmem_pte_set(runs[i].addr + done, kmem_pte_get(runs[i].addr + done) | KMEM_PTE_ACCESSED);
		}
	}
	return ret;
}

/*
 * Expose, by runs, the pages of a range that are IN: all of them, which sets ACCESSED, or those only that the entry
 * already says are exposed.
 */
static int expose_range(uintptr_t addr, size_t size, bool all)
{
	uintptr_t end = addr + size;
	struct kmem_mmu_vector vector;

	kmem_mmu_vector_init(&vector, all ? runs_access : kmem_mmu_host_expose);
	for (addr = kmem_pte_held_next(addr, end); addr < end; addr = kmem_pte_held_next(addr + kmem_mmu.page_size, end)) {
		kmem_pte pte = kmem_pte_get(addr);
		unsigned int prot = kmem_pte_prot(all ? pte | KMEM_PTE_ACCESSED : pte);

		if (prot != KMEM_PROT_NONE && (!all || kmem_pte_prot(pte) == KMEM_PROT_NONE)) {
			kmem_mmu_vector_add(&vector, addr, kmem_pte_addr(pte), prot, false);
		}
	}
	return kmem_mmu_vector_flush(&vector);
}

int kmem_mmu_expose(uintptr_t addr, size_t size)
{
	return expose_range(addr, size, true);
}

/* The entry with other permissions and cache mode. */
static kmem_pte pte_with_flags(kmem_pte pte, uint32_t flags)
{
	return (pte & ~(KMEM_PTE_PERM_MASK | KMEM_PTE_CACHE_MASK | KMEM_PTE_NO_ACCESS)) | pte_from_flags(flags);
}

/* Protect, by runs, the exposed pages of a range: as the flags say, or without flags as their entries say. */
static int protect_range(uintptr_t addr, size_t size, const uint32_t *flags)
{
	uintptr_t end = addr + size;
	struct kmem_mmu_vector vector;

	kmem_mmu_vector_init(&vector, kmem_mmu_host_protect);
	vector.is_loose = !kmem_mmu_has_own();
	for (addr = kmem_pte_exposed_next(addr, end); addr < end; addr = kmem_pte_exposed_next(addr + kmem_mmu.page_size, end)) {
		kmem_pte pte = kmem_pte_get(addr);
		unsigned int prot = kmem_pte_prot(flags != NULL ? pte_with_flags(pte, *flags) : pte);

		kmem_mmu_vector_add(&vector, addr, kmem_pte_addr(pte), prot, false);
	}
	return kmem_mmu_vector_flush(&vector);
}

/* Make the host allow what the flags say. Nothing has changed where it fails. */
static int host_protect(uintptr_t addr, size_t size, uint32_t flags)
{
	int ret;

	if ((flags & KMEM_PERM_NO_ACCESS) != 0) {
		return kmem_mmu_conceal(addr, size);
	}
	ret = (flags & K_MEM_PERM_EXEC) != 0 ? kmem_mmu_range_settle(addr, size) : 0;
	if (ret != 0) {
		return ret;
	}
	ret = protect_range(addr, size, &flags);
	if (ret != 0) {
		(void)protect_range(addr, size, NULL);
	}
	return ret;
}

int kmem_mmu_flags_set(uintptr_t addr, size_t size, uint32_t flags)
{
	int ret = host_protect(addr, size, flags);

	if (ret == 0) {
		kmem_pte_change(addr, size, KMEM_PTE_PERM_MASK | KMEM_PTE_CACHE_MASK | KMEM_PTE_NO_ACCESS, pte_from_flags(flags));
	}
	return ret;
}

int kmem_mmu_show(uintptr_t addr, uintptr_t phys, unsigned int prot)
{
	const struct kmem_run run = {.addr = addr, .size = kmem_mmu.page_size, .phys = phys, .prot = prot};

	return kmem_mmu_file_expose(&run, 1);
}

int kmem_mmu_scratch(uintptr_t phys)
{
	uintptr_t addr = kmem_mmu.base + kmem_mmu.size - kmem_mmu.page_size;

	kmem_annotate_defined((void *)addr, kmem_mmu.page_size);
	return kmem_mmu_show(addr, phys, KMEM_PROT_READ | KMEM_PROT_WRITE);
}

/* Where bytes lie by the page's address, what was mapped over an engine's own page left them as they are. */
int kmem_mmu_page_reassert(uintptr_t addr)
{
	kmem_pte pte = kmem_pte_get(addr);
	int ret = 0;

	if (kmem_pte_state(pte) == KMEM_PTE_IN && kmem_home_is_own(kmem_pte_addr(pte)) && kmem_mmu.engine->is_placed) {
		ret = kmem_mmu_cover(addr, kmem_mmu.page_size);
	}
	return ret != 0 ? ret : expose_range(addr, kmem_mmu.page_size, false);
}

int kmem_mmu_page_accessed_clear(uintptr_t addr)
{
	kmem_pte pte = kmem_pte_get(addr);

	if ((pte & KMEM_PTE_ACCESSED) != 0) {
		int ret = conceal_exposed(addr, kmem_mmu.page_size);

		if (ret != 0) {
			return ret;
		}
		kmem_pte_set(addr, pte & ~KMEM_PTE_ACCESSED);
	}
	return 0;
}

/* Conceal [first, end) and clear ACCESSED of every page in it. */
static int stretch_clear(uintptr_t first, uintptr_t end)
{
	int ret = conceal_exposed(first, end - first);

	if (ret == 0) {
		clear_accessed(first, end - first);
	}
	return ret;
}

int kmem_mmu_accessed_clear(uintptr_t addr, size_t size, bool (*filter)(uintptr_t phys))
{
	uintptr_t last = addr + size;
	uintptr_t first = 0; /* of the current stretch */
	uintptr_t end = 0;   /* behind its last exposed page; 0: no stretch */
	int ret = 0;

	for (addr = kmem_pte_exposed_next(addr, last); addr < last; addr = kmem_pte_exposed_next(addr + kmem_mmu.page_size, last)) {
		if (filter == NULL || filter(kmem_pte_addr(kmem_pte_get(addr)))) {
			first = end == 0 ? addr : first;
			end = addr + kmem_mmu.page_size;
			continue;
		}
		if (end != 0) {
			ret = stretch_clear(first, end);
			end = 0;
		}
		if (ret != 0) {
			return ret;
		}
	}
	return end != 0 ? stretch_clear(first, end) : 0;
}

void kmem_mmu_page_forbid(uintptr_t addr)
{
	addr &= ~(uintptr_t)(kmem_mmu.page_size - 1);
	(void)kmem_host_range_protect(addr, kmem_mmu.page_size, KMEM_PROT_NONE);
}

int kmem_mmu_fork_child_expose(uintptr_t addr, size_t size)
{
	kmem_annotate_defined((void *)addr, size);
	return expose_range(addr, size, false);
}

bool kmem_mmu_is_valid(uintptr_t addr, size_t size, bool busy_allowed)
{
	for (size_t done = 0; done < size; done += kmem_mmu.page_size) {
		kmem_pte pte = kmem_pte_get(addr + done);

		if (!kmem_pte_is_valid(pte) || (kmem_pte_is_busy(pte) && !busy_allowed)) {
			return false;
		}
	}
	return kmem_page_table_is_valid(addr, size);
}
