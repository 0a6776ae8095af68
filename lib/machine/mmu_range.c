/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The range of the MMU: reserved, kept out of children, and given back.
 *
 * Theory of operation. The range is an address space reservation but for its *holes*, where the process has something of its own; a
 * *stretch* is what lies between two of them. What concerns the whole range is done stretch by stretch; pages in holes are the
 * process's until they are adopted, one by one.
 *
 * Fork. The child gets nothing of the range from the host: what was exposed in the parent would be shared with it. It reserves the range
 * anew instead, and exposes what its own page table, which it has a copy of, says.
 *
 * Some mappings are kept to spare, so that the first host calls of a relief, which may split one before others merge, have what they need.
 */
#include "machine/mmu_range.h"

#include "host/assert.h"
#include "host/log.h"
#include "host/memory.h"
#include "host/process.h"
#include "machine/home.h"
#include "machine/mmu_host.h"
#include "machine/mmu_window.h"

struct kmem_mmu_range kmem_mmu;

static struct {
	/* constant after init */
	struct kmem_mmu_hole holes[KMEM_MMU_HOLES_MAX + 1]; /* the last one: the end of the range */
	size_t hole_count;

	void *spare; /* mappings to give back when there are no more; NULL: none. Guarded by the kernel lock */
} range;

/* Do something to every stretch of the range that is not a hole. 0, or what one of them returned first. */
static int each_stretch(int (*visit)(uintptr_t addr, size_t size))
{
	uintptr_t start = kmem_mmu.base;
	int ret = 0;

	for (size_t i = 0; i <= range.hole_count && ret == 0; i++) {
		if (start < range.holes[i].start) {
			ret = visit(start, range.holes[i].start - start);
		}
		start = range.holes[i].end;
	}
	return ret;
}

/* The same for every adopted page in the holes. */
static int each_adopted(int (*visit)(uintptr_t addr, size_t size))
{
	for (size_t i = 0; i < range.hole_count; i++) {
		for (uintptr_t addr = range.holes[i].start; addr < range.holes[i].end; addr += kmem_mmu.page_size) {
			kmem_pte pte = kmem_pte_get(addr);
			int ret = 0;

			if (kmem_pte_state(pte) != KMEM_PTE_UNMAPPED && (pte & KMEM_PTE_PRIVATE) == 0) {
				ret = visit(addr, kmem_mmu.page_size);
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
	kmem_mmu.engine->release(addr, size);
	return 0;
}

static int reserve(uintptr_t addr, size_t size)
{
	return kmem_mmu.engine->reserve(addr, size);
}

/* Reserve all stretches, or none. */
static int reserve_all(void)
{
	uintptr_t start = kmem_mmu.base;

	for (size_t i = 0; i <= range.hole_count; i++) {
		int ret = start < range.holes[i].start ? reserve(start, range.holes[i].start - start) : 0;

		if (ret != 0) {
			range.hole_count = i;
			range.holes[i] = (struct kmem_mmu_hole){start, start};
			(void)each_stretch(release);
			return ret;
		}
		start = range.holes[i].end;
	}
	return 0;
}

static void engine_finish(void)
{
	if (kmem_mmu.engine->finish != NULL) {
		kmem_mmu.engine->finish();
	}
}

/* The engine with the range reserved, or nothing. */
static int engine_start(const struct kmem_engine_params *params)
{
	int ret = kmem_mmu.engine->start != NULL ? kmem_mmu.engine->start(params) : 0;

	if (ret != 0) {
		return ret;
	}
	ret = reserve_all();
	if (ret == 0) {
		ret = kmem_host_spare_get(&range.spare);
		if (ret != 0) {
			(void)each_stretch(release);
		}
	}
	if (ret != 0) {
		engine_finish();
	}
	return ret;
}

static void holes_init(const struct kmem_mmu_params *params)
{
	uintptr_t end = params->range.base + params->range.size;

	kmem_assert(params->hole_count <= KMEM_MMU_HOLES_MAX);
	range.hole_count = params->hole_count;
	for (size_t i = 0; i < params->hole_count; i++) {
		range.holes[i] = params->holes[i];
	}
	range.holes[params->hole_count] = (struct kmem_mmu_hole){end, end};
}

int kmem_mmu_init(const struct kmem_mmu_params *params)
{
	const struct kmem_engine_params *wanted = &params->range;
	bool has_own = params->engine->bytes != NULL && !params->is_file_only;
	int ret = kmem_page_table_init(wanted->base, wanted->size, wanted->page_size);

	if (ret != 0) {
		return ret;
	}
	kmem_mmu = (struct kmem_mmu_range){params->engine, wanted->base, wanted->size, wanted->page_size};
	holes_init(params);
	ret = kmem_home_init(wanted->ram, wanted->ram_size, wanted->page_size, has_own);
	if (ret == 0) {
		ret = engine_start(wanted);
		if (ret != 0) {
			kmem_home_finish();
		}
	}
	if (ret != 0) {
		kmem_page_table_finish();
		kmem_mmu.engine = NULL;
	}
	return ret;
}

void kmem_mmu_finish(void)
{
	if (kmem_mmu.engine == NULL) {
		return;
	}
	kmem_mmu_relief_begin();
	(void)each_stretch(release);
	engine_finish();
	kmem_home_finish();
	kmem_page_table_finish();
	kmem_mmu.engine = NULL;
}

bool kmem_mmu_is_in_hole(uintptr_t addr)
{
	for (size_t i = 0; i < range.hole_count; i++) {
		if (addr >= range.holes[i].start && addr < range.holes[i].end) {
			return true;
		}
	}
	return addr - kmem_mmu.base >= kmem_mmu.size;
}

int kmem_mmu_cover(uintptr_t addr, size_t size)
{
	return kmem_mmu_is_in_hole(addr) ? kmem_engine_mmap.cover(addr, size) : kmem_mmu.engine->cover(addr, size);
}

void kmem_mmu_relief_begin(void)
{
	if (range.spare != NULL) {
		kmem_host_spare_free(range.spare);
		range.spare = NULL;
	}
}

void kmem_mmu_relief_end(void)
{
	if (range.spare == NULL && kmem_host_spare_get(&range.spare) != 0) {
		range.spare = NULL;
	}
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
	int ret;

	if (!kmem_mmu_has_own()) {
		return 0;
	}
	ret = kmem_mmu_accessed_clear(kmem_mmu.base, kmem_mmu.size, kmem_home_is_own);
	return ret == 0 ? kmem_mmu.engine->fork_prepare() : ret;
}

void kmem_mmu_fork_cancel(void)
{
	if (kmem_mmu_has_own()) {
		kmem_mmu.engine->fork_parent();
	}
}

void kmem_mmu_fork_begin(bool is_prepared)
{
	(void)each_stretch(dontfork);
	(void)each_adopted(dontfork);
	if (is_prepared && kmem_mmu_has_own()) {
		kmem_mmu_window_open();
	}
}

/* An engine with own frames never has the range copied: a child that nobody knows of finds holes, not bytes of its parent's. */
void kmem_mmu_fork_parent(void)
{
	if (!kmem_mmu_has_own()) {
		(void)each_stretch(dofork);
	} else if (kmem_mmu_window_is_open()) {
		int ret = kmem_mmu_window_close();

		if (ret != 0) {
			kmem_log(KMEM_LOG_ERROR, "fork: pages cannot be taken back (%s)", kmem_error_name(-ret));
		}
		kmem_mmu_fork_cancel();
	}
	(void)each_adopted(dofork);
}

/* Inaccessible, as on the mmap engine. */
static int forbid(uintptr_t addr, size_t size)
{
	return kmem_engine_mmap.cover(addr, size);
}

/* The range is a hole here, or, where the host copies it in spite of all (Valgrind), the parent's: laid over either. */
int kmem_mmu_fork_child(void)
{
	bool is_prepared = !kmem_mmu_has_own() || kmem_mmu_window_is_open();
	int ret = 0;

	if (kmem_mmu_window_is_open()) {
		ret = kmem_mmu.engine->fork_child();
		if (ret == 0) {
			ret = kmem_mmu_window_close();
		}
	}
	if (ret == 0) {
		ret = each_stretch(is_prepared ? kmem_mmu_cover : forbid);
	}
	return ret != 0 ? ret : each_adopted(kmem_mmu_cover);
}
