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
#include <string.h>

#include "host/annotate.h"
#include "host/assert.h"
#include "host/memory.h"

static struct {
	/* constant after init */
	const struct kmem_engine *engine;
	uintptr_t base;
	size_t size;
	size_t page_size;
	struct kmem_mmu_hole holes[KMEM_MMU_HOLES_MAX + 1]; /* the last one: the end of the range */
	size_t hole_count;
	void *spare; /* mappings to give back when there are no more; NULL: none. Guarded by the kernel lock */
} mmu;

/* Do something to every stretch of the range that is not a hole. 0, or what one of them returned first. */
static int each_stretch(int (*visit)(uintptr_t addr, size_t size))
{
	uintptr_t start = mmu.base;
	int ret = 0;

	for (size_t i = 0; i <= mmu.hole_count && ret == 0; i++) {
		if (start < mmu.holes[i].start) {
			ret = visit(start, mmu.holes[i].start - start);
		}
		start = mmu.holes[i].end;
	}
	return ret;
}

/* The same for every adopted page in the holes. */
static int each_adopted(int (*visit)(uintptr_t addr, size_t size))
{
	for (size_t i = 0; i < mmu.hole_count; i++) {
		for (uintptr_t addr = mmu.holes[i].start; addr < mmu.holes[i].end; addr += mmu.page_size) {
			kmem_pte pte = kmem_pte_get(addr);
			int ret = 0;

			if (kmem_pte_state(pte) != KMEM_PTE_UNMAPPED && (pte & KMEM_PTE_PRIVATE) == 0) {
				ret = visit(addr, mmu.page_size);
			}
			if (ret != 0) {
				return ret;
			}
		}
	}
	return 0;
}

static int release(uintptr_t addr, size_t size)
{
	mmu.engine->release(addr, size);
	return 0;
}

static int reserve(uintptr_t addr, size_t size)
{
	return mmu.engine->reserve(addr, size);
}

/* Reserve all stretches, or none. */
static int reserve_all(void)
{
	uintptr_t start = mmu.base;

	for (size_t i = 0; i <= mmu.hole_count; i++) {
		int ret = start < mmu.holes[i].start ? reserve(start, mmu.holes[i].start - start) : 0;

		if (ret != 0) {
			mmu.hole_count = i;
			mmu.holes[i] = (struct kmem_mmu_hole){start, start};
			(void)each_stretch(release);
			return ret;
		}
		start = mmu.holes[i].end;
	}
	return 0;
}

int kmem_mmu_init(const struct kmem_engine *engine, uintptr_t base, size_t size, size_t page_size,
		  const struct kmem_mmu_hole *holes, size_t hole_count)
{
	int ret = kmem_page_table_init(base, size, page_size);

	if (ret != 0) {
		return ret;
	}
	kmem_assert(hole_count <= KMEM_MMU_HOLES_MAX);
	mmu.engine = engine;
	mmu.base = base;
	mmu.size = size;
	mmu.page_size = page_size;
	mmu.hole_count = hole_count;
	if (hole_count != 0) {
		memcpy(mmu.holes, holes, hole_count * sizeof(*holes));
	}
	mmu.holes[hole_count] = (struct kmem_mmu_hole){base + size, base + size};
	ret = reserve_all();
	if (ret != 0) {
		goto page_table_finish;
	}
	ret = kmem_host_spare_get(&mmu.spare);
	if (ret != 0) {
		(void)each_stretch(release);
		goto page_table_finish;
	}
	return 0;

page_table_finish:
	kmem_page_table_finish();
	mmu.engine = NULL;
	return ret;
}

void kmem_mmu_finish(void)
{
	if (mmu.engine == NULL) {
		return;
	}
	kmem_mmu_relief_begin();
	(void)each_stretch(release);
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

void kmem_mmu_map_private(uintptr_t addr, uintptr_t phys, size_t size, uint32_t flags)
{
	kmem_pte pte = KMEM_PTE_IN | KMEM_PTE_PRIVATE | KMEM_PTE_ACCESSED | KMEM_PTE_DIRTY | kmem_pte_from_flags(flags);

	for (size_t done = 0; done < size; done += mmu.page_size) {
		kmem_pte_set(addr + done, pte | (phys + done));
	}
}

int kmem_mmu_map_absent(uintptr_t addr, uint64_t location, uint32_t flags)
{
	int ret = conceal(addr, mmu.page_size);

	if (ret == 0) {
		kmem_mmu_map_out(addr, location, 0, mmu.page_size, flags);
	}
	return ret;
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

void kmem_mmu_page_in_end_concealed(uintptr_t addr, uintptr_t phys)
{
	kmem_pte_set(addr, kmem_pte_with_addr(kmem_pte_get(addr), KMEM_PTE_IN, phys));
}

int kmem_mmu_show(uintptr_t addr, uintptr_t phys, unsigned int prot)
{
	const struct kmem_run run = {.addr = addr, .size = mmu.page_size, .phys = phys, .prot = prot};

	return mmu.engine->expose(&run, 1);
}

int kmem_mmu_scratch(uintptr_t phys)
{
	uintptr_t addr = mmu.base + mmu.size - mmu.page_size;

	kmem_annotate_defined((void *)addr, mmu.page_size);
	return kmem_mmu_show(addr, phys, KMEM_PROT_READ | KMEM_PROT_WRITE);
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

static int dontfork(uintptr_t addr, size_t size)
{
	return kmem_host_range_dontfork(addr, size, true);
}

static int dofork(uintptr_t addr, size_t size)
{
	return kmem_host_range_dontfork(addr, size, false);
}

int kmem_mmu_fork_prepare(void)
{
	int ret = each_stretch(dontfork);

	return ret != 0 ? ret : each_adopted(dontfork);
}

void kmem_mmu_fork_parent(void)
{
	(void)each_stretch(dofork);
	(void)each_adopted(dofork);
}

static int cover(uintptr_t addr, size_t size)
{
	const struct kmem_run run = {.addr = addr, .size = size};

	return mmu.engine->conceal(&run, 1);
}

/* The range is a hole here, or, where the host copies it in spite of all (Valgrind), the parent's: laid over either. */
int kmem_mmu_fork_child(void)
{
	int ret = each_stretch(cover);

	return ret != 0 ? ret : each_adopted(cover);
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
