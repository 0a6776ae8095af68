/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The MMU: the page table and the engine behind it.
 *
 * Theory of operation. A page's entry says everything (page_table.h); kmem_pte_prot() of it is what the host must allow.
 * A change is made in the order that leaves no window in which bytes could be lost: what takes rights away goes to the
 * host first and to the entry after, and so does what gives rights, since an access that comes in between traps, finds
 * the kernel lock taken, and looks again.
 *
 * Pages are walked in order and gathered into runs, so that neighbours on neighbouring frames share a host call. A
 * failed expose may leave a hole where the host unmapped before it mapped; the run is concealed again to close it.
 *
 * Memory checkers: a mapped page's bytes are defined even while a touch traps, so they are annotated when pages are mapped
 * and whenever they are concealed; unmapped ones are annotated as inaccessible.
 */
#include "machine/mmu.h"

#include <errno.h>

#include "host/annotate.h"
#include "host/assert.h"
#include "host/memory.h"

static struct {
	/* constant after init */
	const struct kmem_engine *engine;
	uintptr_t base;
	size_t size;
	size_t page_size;
	void *spare; /* mappings to give back when there are no more; NULL: none. Guarded by the kernel lock */
} mmu;

int kmem_mmu_init(const struct kmem_engine *engine, uintptr_t base, size_t size, size_t page_size)
{
	int ret = kmem_page_table_init(base, size, page_size);

	if (ret != 0) {
		return ret;
	}
	ret = engine->reserve(base, size);
	if (ret != 0) {
		goto page_table_finish;
	}
	ret = kmem_host_spare_get(&mmu.spare);
	if (ret != 0) {
		engine->release(base, size);
		goto page_table_finish;
	}
	mmu.engine = engine;
	mmu.base = base;
	mmu.size = size;
	mmu.page_size = page_size;
	return 0;

page_table_finish:
	kmem_page_table_finish();
	return ret;
}

void kmem_mmu_finish(void)
{
	if (mmu.engine == NULL) {
		return;
	}
	kmem_mmu_relief_begin();
	mmu.engine->release(mmu.base, mmu.size);
	kmem_page_table_finish();
	mmu.engine = NULL;
}

void kmem_mmu_relief_begin(void)
{
	if (mmu.spare != NULL) {
		kmem_host_spare_free(mmu.spare);
		mmu.spare = NULL;
	}
}

void kmem_mmu_relief_end(void)
{
	if (kmem_host_spare_get(&mmu.spare) != 0) {
		mmu.spare = NULL;
	}
}

static int conceal(uintptr_t addr, size_t size)
{
	struct kmem_run run = {.addr = addr, .size = size};
	int ret = mmu.engine->conceal(&run, 1);

	if (ret == 0) {
		kmem_annotate_defined((void *)addr, size);
	}
	return ret;
}

static int expose(const struct kmem_run *run)
{
	int ret = mmu.engine->expose(run, 1);

	if (ret != 0) {
		(void)conceal(run->addr, run->size);
	}
	return ret;
}

int kmem_mmu_map(uintptr_t addr, uintptr_t phys, size_t size, uint32_t flags)
{
	kmem_pte pte = KMEM_PTE_IN | KMEM_PTE_ACCESSED | KMEM_PTE_DIRTY | kmem_pte_from_flags(flags);
	struct kmem_run run = {.addr = addr, .size = size, .phys = phys, .prot = kmem_pte_prot(pte)};
	int ret = expose(&run);

	if (ret != 0) {
		return ret;
	}
	for (size_t done = 0; done < size; done += mmu.page_size) {
		kmem_pte_set(addr + done, pte | (phys + done));
	}
	kmem_annotate_defined((void *)addr, size);
	return 0;
}

void kmem_mmu_map_concealed(uintptr_t addr, uintptr_t phys, size_t size, uint32_t flags)
{
	kmem_pte pte = KMEM_PTE_IN | KMEM_PTE_DIRTY | kmem_pte_from_flags(flags);

	for (size_t done = 0; done < size; done += mmu.page_size) {
		kmem_pte_set(addr + done, pte | (phys + done));
	}
	kmem_annotate_defined((void *)addr, size);
}

void kmem_mmu_map_out(uintptr_t addr, uint64_t location, size_t step, size_t size, uint32_t flags)
{
	kmem_pte pte = KMEM_PTE_OUT | kmem_pte_from_flags(flags);

	for (size_t done = 0; done < size; done += mmu.page_size) {
		kmem_pte_set(addr + done, pte | location);
		location += step;
	}
	kmem_annotate_defined((void *)addr, size);
}

void kmem_mmu_guard(uintptr_t addr)
{
	kmem_pte_set(addr, KMEM_PTE_GUARD);
}

int kmem_mmu_unmap(uintptr_t addr, size_t size)
{
	uintptr_t first = 0;
	uintptr_t end = 0;

	for (size_t done = 0; done < size; done += mmu.page_size) {
		kmem_pte pte = kmem_pte_get(addr + done);

		kmem_assert(!kmem_pte_is_busy(pte));
		if (kmem_pte_prot(pte) == KMEM_PROT_NONE) {
			continue;
		}
		if (end == 0) {
			first = addr + done;
		}
		end = addr + done + mmu.page_size;
	}
	if (end != 0) {
		int ret = conceal(first, end - first);

		if (ret != 0) {
			return ret;
		}
	}
	for (size_t done = 0; done < size; done += mmu.page_size) {
		kmem_pte_set(addr + done, KMEM_PTE_UNMAPPED);
	}
	kmem_annotate_noaccess((void *)addr, size);
	return 0;
}

/* Set ACCESSED in the entries of a run that has been exposed. */
static void run_accessed(const struct kmem_run *run)
{
	for (size_t done = 0; done < run->size; done += mmu.page_size) {
		kmem_pte_set(run->addr + done, kmem_pte_get(run->addr + done) | KMEM_PTE_ACCESSED);
	}
}

/*
 * Expose, by runs, the pages of a range that are IN: all of them, which sets ACCESSED, or those only that the entry
 * already says are exposed.
 */
static int expose_range(uintptr_t addr, size_t size, bool all)
{
	struct kmem_run run = {.size = 0};

	for (size_t done = 0; done <= size; done += mmu.page_size) {
		unsigned int prot = KMEM_PROT_NONE;
		kmem_pte pte = 0;
		int ret;

		if (done < size) {
			pte = kmem_pte_get(addr + done);
			if (all && kmem_pte_state(pte) == KMEM_PTE_IN) {
				pte |= KMEM_PTE_ACCESSED;
			}
			prot = kmem_pte_prot(pte);
		}
		if (run.size != 0 && prot == run.prot && kmem_pte_addr(pte) == run.phys + run.size) {
			run.size += mmu.page_size;
			continue;
		}
		if (run.size != 0) {
			ret = expose(&run);
			if (ret != 0) {
				return ret;
			}
			run_accessed(&run);
			run.size = 0;
		}
		if (prot != KMEM_PROT_NONE) {
			run = (struct kmem_run){addr + done, mmu.page_size, kmem_pte_addr(pte), prot};
		}
	}
	return 0;
}

int kmem_mmu_expose(uintptr_t addr, size_t size)
{
	return expose_range(addr, size, true);
}

/* Protect, by runs, the exposed pages of a range: as the flags say, or without flags as their entries say. */
static int protect_range(uintptr_t addr, size_t size, const uint32_t *flags)
{
	struct kmem_run run = {.size = 0};

	for (size_t done = 0; done <= size; done += mmu.page_size) {
		unsigned int prot = KMEM_PROT_NONE;
		int ret;

		if (done < size) {
			kmem_pte pte = kmem_pte_get(addr + done);

			if (flags != NULL) {
				pte = (pte & ~(KMEM_PTE_PERM_MASK | KMEM_PTE_CACHE_MASK)) | kmem_pte_from_flags(*flags);
			}
			prot = kmem_pte_prot(pte);
		}
		if (run.size != 0 && prot == run.prot) {
			run.size += mmu.page_size;
			continue;
		}
		if (run.size != 0) {
			ret = mmu.engine->protect(&run, 1);
			if (ret != 0) {
				return ret;
			}
			run.size = 0;
		}
		if (prot != KMEM_PROT_NONE) {
			run = (struct kmem_run){.addr = addr + done, .size = mmu.page_size, .prot = prot};
		}
	}
	return 0;
}

int kmem_mmu_flags_set(uintptr_t addr, size_t size, uint32_t flags)
{
	int ret = protect_range(addr, size, &flags);

	if (ret != 0) {
		(void)protect_range(addr, size, NULL);
		return ret;
	}
	for (size_t done = 0; done < size; done += mmu.page_size) {
		kmem_pte pte = kmem_pte_get(addr + done);

		pte &= ~(KMEM_PTE_PERM_MASK | KMEM_PTE_CACHE_MASK);
		kmem_pte_set(addr + done, pte | kmem_pte_from_flags(flags));
	}
	return 0;
}

void kmem_mmu_page_in_begin(uintptr_t addr)
{
	kmem_pte_set(addr, kmem_pte_with_state(kmem_pte_get(addr), KMEM_PTE_BUSY_IN));
}

int kmem_mmu_page_in_end(uintptr_t addr, uintptr_t phys, bool dirty)
{
	kmem_pte pte = kmem_pte_with_addr(kmem_pte_get(addr), KMEM_PTE_IN, phys);
	struct kmem_run run = {.addr = addr, .size = mmu.page_size, .phys = phys};
	int ret;

	pte |= KMEM_PTE_ACCESSED | (dirty ? KMEM_PTE_DIRTY : 0);
	run.prot = kmem_pte_prot(pte);
	ret = expose(&run);
	if (ret == 0) {
		kmem_pte_set(addr, pte);
	}
	return ret;
}

void kmem_mmu_page_in_undo(uintptr_t addr)
{
	kmem_pte_set(addr, kmem_pte_with_state(kmem_pte_get(addr), KMEM_PTE_OUT));
}

int kmem_mmu_page_out_begin(uintptr_t addr)
{
	kmem_pte pte = kmem_pte_get(addr);

	if (kmem_pte_prot(pte) != KMEM_PROT_NONE) {
		int ret = conceal(addr, mmu.page_size);

		if (ret != 0) {
			return ret;
		}
	}
	kmem_pte_set(addr, kmem_pte_with_state(pte & ~KMEM_PTE_ACCESSED, KMEM_PTE_BUSY_OUT));
	return 0;
}

void kmem_mmu_page_out_end(uintptr_t addr, uint64_t location)
{
	kmem_pte_set(addr, kmem_pte_with_addr(kmem_pte_get(addr) & ~KMEM_PTE_DIRTY, KMEM_PTE_OUT, location));
}

void kmem_mmu_page_out_undo(uintptr_t addr)
{
	kmem_pte_set(addr, kmem_pte_with_state(kmem_pte_get(addr), KMEM_PTE_IN));
}

int kmem_mmu_page_access(uintptr_t addr, bool dirty)
{
	kmem_pte before = kmem_pte_get(addr);
	kmem_pte after = before | KMEM_PTE_ACCESSED | (dirty ? KMEM_PTE_DIRTY : 0);
	struct kmem_run run = {
		.addr = addr, .size = mmu.page_size, .phys = kmem_pte_addr(before), .prot = kmem_pte_prot(after)};
	int ret = 0;

	if (kmem_pte_prot(before) == KMEM_PROT_NONE) {
		ret = expose(&run);
	} else if (kmem_pte_prot(before) != run.prot) {
		ret = mmu.engine->protect(&run, 1);
	}
	if (ret == 0) {
		kmem_pte_set(addr, after);
	}
	return ret;
}

int kmem_mmu_page_reassert(uintptr_t addr)
{
	return expose_range(addr, mmu.page_size, false);
}

int kmem_mmu_page_accessed_clear(uintptr_t addr)
{
	kmem_pte pte = kmem_pte_get(addr);

	if ((pte & KMEM_PTE_ACCESSED) != 0) {
		int ret = conceal(addr, mmu.page_size);

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
	int ret = conceal(first, end - first);

	if (ret != 0) {
		return ret;
	}
	for (uintptr_t addr = first; addr < end; addr += mmu.page_size) {
		kmem_pte pte = kmem_pte_get(addr);

		if ((pte & KMEM_PTE_ACCESSED) != 0) {
			kmem_pte_set(addr, pte & ~KMEM_PTE_ACCESSED);
		}
	}
	return 0;
}

int kmem_mmu_accessed_clear(uintptr_t addr, size_t size, bool (*filter)(uintptr_t phys))
{
	uintptr_t first = 0; /* of the current stretch */
	uintptr_t end = 0;   /* behind its last exposed page; 0: no stretch */
	int ret = 0;

	for (size_t done = 0; done < size; done += mmu.page_size) {
		kmem_pte pte = kmem_pte_get(addr + done);

		if (kmem_pte_prot(pte) == KMEM_PROT_NONE) {
			continue;
		}
		if (filter == NULL || filter(kmem_pte_addr(pte))) {
			first = end == 0 ? addr + done : first;
			end = addr + done + mmu.page_size;
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

int kmem_mmu_fork_prepare(void)
{
	return kmem_host_range_dontfork(mmu.base, mmu.size, true);
}

void kmem_mmu_fork_parent(void)
{
	(void)kmem_host_range_dontfork(mmu.base, mmu.size, false);
}

/* The range is a hole here, or, where the host copies it in spite of all (Valgrind), the parent's: laid over either. */
int kmem_mmu_fork_child(void)
{
	const struct kmem_run range = {.addr = mmu.base, .size = mmu.size};

	return mmu.engine->conceal(&range, 1);
}

int kmem_mmu_fork_child_expose(uintptr_t addr, size_t size)
{
	kmem_annotate_defined((void *)addr, size);
	return expose_range(addr, size, false);
}

bool kmem_mmu_is_valid(uintptr_t addr, size_t size, bool busy_allowed)
{
	for (size_t done = 0; done < size; done += mmu.page_size) {
		kmem_pte pte = kmem_pte_get(addr + done);

		if (!kmem_pte_is_valid(pte) || (kmem_pte_is_busy(pte) && !busy_allowed)) {
			return false;
		}
	}
	return true;
}
