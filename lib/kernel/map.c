/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mapping: k_mem_map(), k_mem_unmap(), k_mem_map_phys_*() and k_mem_update_flags(). (Zephyr: kernel/mmu.c)
 *
 * Theory of operation. A mapping takes address space for its pages and two guards from the region map, a descriptor in the
 * region index, and then its pages: at once (eager), or as entries that are OUT with a location that stands for a page never
 * touched (lazy), or as the physical memory that was named. What fails is undone in reverse, so that nothing is left. Eager
 * pages are given frames one by one, since making room may send out the first of them again, and are exposed together at the
 * end: neighbouring frames then share a host call.
 *
 * Frames are zeroed through the direct map, before a program can see them.
 *
 * Differences from Zephyr: 1 a mapping that fails midway is undone whole. 2 k_mem_unmap() looks at the region's own guards,
 * where Zephyr takes a neighbour that is paged out for a guard, and unmaps nothing unless all of it can be unmapped. 3 frames
 * that an unpaged mapping brought in are freed with it. 4 k_mem_update_flags() works page by page and on absent pages. 5 a
 * mapping of one byte of physical memory is fine. 6 zeroing neither faults nor needs K_MEM_PERM_RW, save for unpaged
 * mappings, which need it.
 */
#include <errno.h>
#include <string.h>

#include "host/log.h"
#include "host/process.h"
#include "host/thread.h"
#include "kernel/cleaner.h"
#include "kernel/fatal.h"
#include "kernel/frame.h"
#include "kernel/frame_place.h"
#include "kernel/kernel.h"
#include "kernel/paging.h"
#include "kernel/physical.h"
#include "kernel/program_image.h"
#include "kernel/range.h"
#include "machine/mmu.h"
#include "machine/ram.h"

/* A mapping being made or undone: what a region descriptor needs. */
struct mapping {
	uintptr_t addr; /* of the first page behind the guard */
	size_t size;
	uint32_t flags;
	uintptr_t phys; /* or location */
	enum kmem_region_kind kind;
	bool guarded;
};

#define PERM_FLAGS (K_MEM_PERM_RW | K_MEM_PERM_EXEC | K_MEM_PERM_USER)

/*
 * Take the pages of a range away: frames, locations, entries. 0, or -errno with everything as it was. A location that the
 * program named (of an unpaged mapping, or by arch_*() in a physical one) stays the program's.
 */
static int pages_remove(const struct mapping *mapping)
{
	size_t page_size = kmem_page_size();
	int ret;

	(void)kmem_paging_settle(mapping->addr, mapping->size);
	ret = KMEM_RELIEVED(kmem_mmu_conceal(mapping->addr, mapping->size));
	if (ret != 0) {
		return ret;
	}
	for (size_t done = 0; done < mapping->size; done += page_size) {
		uintptr_t addr = mapping->addr + done;
		kmem_pte pte = kmem_pte_get(addr);
		struct k_mem_page_frame *pf = kmem_paging_frame_of(addr);
		uint64_t named = mapping->kind == KMEM_REGION_UNPAGED ? mapping->phys + done : KMEM_LOCATION_ANON_ZERO;

		if (pf != NULL) {
			kmem_paging_frame_forget(pf, named);
		} else if (kmem_pte_state(pte) == KMEM_PTE_OUT && kmem_pte_addr(pte) != named &&
			   mapping->kind != KMEM_REGION_PHYS) {
			kmem_paging_location_forget(kmem_pte_addr(pte));
		}
	}
	return kmem_mmu_unmap(mapping->addr, mapping->size);
}

/* Frames for [addr, addr + size), one by one; *done says how far it came. */
static int frames_add(const struct mapping *mapping, size_t *done)
{
	size_t page_size = kmem_page_size();
	bool pinned = (mapping->flags & K_MEM_MAP_LOCK) != 0;

	kmem_frame_run_prepare(mapping->addr, mapping->size / page_size);
	for (*done = 0; *done < mapping->size; *done += page_size) {
		struct k_mem_page_frame *pf;
		int ret = kmem_paging_frame_get(false, mapping->addr + *done, mapping->flags, &pf);

		if (ret != 0) {
			return ret;
		}
		if ((mapping->flags & K_MEM_MAP_UNINIT) == 0) {
			memset(kmem_mmu_bytes(mapping->addr + *done, kmem_frame_phys(pf)), 0, page_size);
		}
		kmem_mmu_map_concealed(mapping->addr + *done, kmem_frame_phys(pf), page_size, mapping->flags);
		kmem_paging_frame_hold(pf, mapping->addr + *done, pinned);
	}
	return 0;
}

static int map_eager(const struct mapping *mapping)
{
	struct mapping part = *mapping;
	int ret = frames_add(mapping, &part.size);

	if (ret == 0) {
		ret = KMEM_RELIEVED(kmem_mmu_expose(mapping->addr, mapping->size));
	}
	if (ret != 0 && part.size != 0 && pages_remove(&part) != 0) {
		kmem_log(KMEM_LOG_ERROR, "region at 0x%zx cannot be undone: the host refuses", (size_t)mapping->addr);
	}
	return ret;
}

static bool is_lazy(uint32_t flags)
{
	return kmem_kernel.settings.demand_mapping && (flags & K_MEM_MAP_LOCK) == 0;
}

static int map_anon(const struct mapping *mapping)
{
	uint64_t location = (mapping->flags & K_MEM_MAP_UNINIT) != 0 ? KMEM_LOCATION_ANON_UNINIT : KMEM_LOCATION_ANON_ZERO;

	if (!is_lazy(mapping->flags)) {
		return map_eager(mapping);
	}
	kmem_mmu_map_out(mapping->addr, location, 0, mapping->size, mapping->flags);
	return 0;
}

static int map_phys(const struct mapping *mapping)
{
	int ret = kmem_program_image_prepare(mapping->phys, mapping->size, mapping->flags);

	if (ret != 0) {
		return ret;
	}
	if (kmem_ram_bank_find(mapping->phys, mapping->size) == NULL) {
		kmem_log(KMEM_LOG_ERROR, "physical range [0x%zx, 0x%zx) is neither RAM nor device memory (kmem_device_add())",
			 (size_t)mapping->phys, (size_t)(mapping->phys + mapping->size));
		return -EFAULT;
	}
	ret = kmem_physical_prepare(mapping->phys, mapping->size);
	if (ret != 0) {
		return ret;
	}
	if (mapping->guarded && (mapping->flags & K_MEM_MAP_UNINIT) == 0) {
		memset(kmem_ram_bytes(mapping->phys), 0, mapping->size);
	}
	return KMEM_RELIEVED(kmem_mmu_map(mapping->addr, mapping->phys, mapping->size, mapping->flags));
}

static int pages_add(const struct mapping *mapping)
{
	switch (mapping->kind) {
	case KMEM_REGION_ANON:
		return map_anon(mapping);
	case KMEM_REGION_UNPAGED:
		kmem_mmu_map_out(mapping->addr, mapping->phys, kmem_page_size(), mapping->size, mapping->flags);
		return 0;
	default:
		return map_phys(mapping);
	}
}

static void guards_set(const struct mapping *mapping)
{
	if (mapping->guarded) {
		kmem_mmu_guard(mapping->addr - kmem_page_size());
		kmem_mmu_guard(mapping->addr + mapping->size);
	}
}

static bool is_mapped(uintptr_t addr)
{
	return kmem_pte_state(kmem_pte_get(addr)) > KMEM_PTE_GUARD;
}

/* Address space with guards back to the region map. */
static void space_free(const struct mapping *mapping)
{
	size_t guard = mapping->guarded ? kmem_page_size() : 0;

	if (is_mapped(mapping->addr)) {
		return; /* what could not be undone keeps its place */
	}
	if (mapping->guarded) {
		(void)kmem_mmu_unmap(mapping->addr - guard, guard);
		(void)kmem_mmu_unmap(mapping->addr + mapping->size, guard);
	}
	if (kmem_region_free(&kmem_kernel.map, mapping->addr - guard, mapping->size + 2 * guard) != 0) {
		kmem_log(KMEM_LOG_ERROR, "address space at 0x%zx, %zu bytes, stays in use: out of memory",
			 (size_t)mapping->addr, mapping->size);
	}
}

/* A descriptor and pages for a mapping whose address space is taken; given back on failure. */
static int mapping_fill(const struct mapping *mapping)
{
	struct kmem_region template = {
		.addr = mapping->addr,
		.size = mapping->size,
		.flags = mapping->flags & (PERM_FLAGS | K_MEM_CACHE_MASK),
		.kind = mapping->kind,
		.guarded = mapping->guarded,
		.phys = mapping->phys,
	};
	struct kmem_region *region;
	int ret;

	guards_set(mapping);
	region = kmem_region_index_add(&kmem_kernel.index, &template);
	ret = region == NULL ? -ENOMEM : pages_add(mapping);
	if (ret == 0) {
		return 0;
	}
	if (region != NULL) {
		kmem_region_index_remove(&kmem_kernel.index, region);
	}
	space_free(mapping);
	return ret;
}

/* What Zephyr refuses with NULL and a line in the log. */
static bool is_refused(uintptr_t phys, size_t size, uint32_t flags, bool is_anon)
{
	size_t page_size = kmem_page_size();
	bool is_unpaged = (flags & K_MEM_MAP_UNPAGED) != 0;

	if ((flags & K_MEM_PERM_USER) != 0 && (flags & K_MEM_MAP_UNINIT) != 0) {
		kmem_log(KMEM_LOG_ERROR, "user space may not see uninitialised memory: K_MEM_PERM_USER with K_MEM_MAP_UNINIT");
	} else if (size % page_size != 0) {
		kmem_log(KMEM_LOG_ERROR, "unaligned size %zu passed to k_mem_map, the page size is %zu", size, page_size);
	} else if (size == 0) {
		kmem_log(KMEM_LOG_ERROR, "size 0 passed to k_mem_map");
	} else if (size > SIZE_MAX - 2 * page_size) {
		kmem_log(KMEM_LOG_ERROR, "size %zu passed to k_mem_map is too large with its guard pages", size);
	} else if (!is_anon && phys % page_size != 0) {
		kmem_log(KMEM_LOG_ERROR, "unaligned %s 0x%zx passed to k_mem_map_phys_guard, the page size is %zu",
			 is_unpaged ? "location" : "physical address", (size_t)phys, page_size);
	} else if (!is_anon && is_unpaged && (phys >= KMEM_PHYS_END || size > KMEM_PHYS_END - phys)) {
		kmem_log(KMEM_LOG_ERROR, "locations [0x%zx, +%zu) do not end below 0x%zx", (size_t)phys, size,
			 (size_t)KMEM_PHYS_END);
	} else if (is_unpaged && (flags & (K_MEM_MAP_UNINIT | K_MEM_PERM_RW)) == 0) {
		kmem_log(KMEM_LOG_ERROR, "an unpaged mapping without K_MEM_PERM_RW cannot be zeroed: give K_MEM_MAP_UNINIT");
	} else if (is_unpaged && !kmem_kernel.settings.demand_paging) {
		kmem_log(KMEM_LOG_ERROR, "an unpaged mapping needs demand paging");
	} else if (is_unpaged && kmem_store_is_anonymous(&kmem_kernel.store)) {
		kmem_log(KMEM_LOG_ERROR, "the %s store holds nothing but what was paged out: no location of it can be mapped",
			 kmem_kernel.store.ops->name);
	} else {
		return false;
	}
	return true;
}

/* Address space and pages; the mapping's address is set. Lock held. */
static int guarded_map(struct mapping *mapping)
{
	size_t page_size = kmem_page_size();
	uintptr_t addr;
	int ret = kmem_region_alloc(&kmem_kernel.map, mapping->size + 2 * page_size, page_size, &addr);

	if (ret != 0) {
		kmem_log(KMEM_LOG_ERROR, "insufficient virtual address space (requested %zu with guard pages, %zu are free)",
			 mapping->size + 2 * page_size, kmem_kernel.map.free_bytes);
		return ret;
	}
	mapping->addr = addr + page_size;
	kmem_thread_self()->refusal = "the host is out of memory or mappings";
	ret = mapping_fill(mapping);
	/* As upstream, silent where frames are all there is. */
	if (ret != 0 && mapping->kind == KMEM_REGION_ANON && kmem_kernel.settings.demand_paging) {
		kmem_log(KMEM_LOG_ERROR, "no memory for a mapping of %zu bytes: %s (%s)", mapping->size, kmem_error_name(-ret),
			 kmem_thread_self()->refusal);
	}
	return ret;
}

void *k_mem_map_phys_guard(uintptr_t phys, size_t size, uint32_t flags, bool is_anon)
{
	struct kmem_bug bug = {.condition = NULL};
	struct mapping mapping = {.size = size, .flags = flags & ~(uint32_t)K_MEM_CACHE_MASK, .guarded = true};
	kmem_sigmask saved;
	int ret;

	if (kmem_kernel_ready() != 0) {
		return NULL;
	}
	kmem_cleaner_resume();
	if ((flags & K_MEM_CACHE_MASK) != 0) {
		KMEM_BUG(&bug, "(flags & K_MEM_CACHE_MASK) == 0", "k_mem_map does not support explicit cache modes (%u)",
			 flags & K_MEM_CACHE_MASK);
		kmem_bug_raise(&bug);
	}
	if (is_refused(phys, size, flags, is_anon)) {
		return NULL;
	}
	mapping.kind = is_anon ? KMEM_REGION_ANON : KMEM_REGION_PHYS;
	if (!is_anon && (flags & K_MEM_MAP_UNPAGED) != 0) {
		mapping.kind = KMEM_REGION_UNPAGED;
	}
	mapping.phys = is_anon ? 0 : phys;

	kmem_kernel_lock(&saved);
	ret = guarded_map(&mapping);
	kmem_kernel_unlock_and_reclaim(&saved);
	if (ret != 0) {
		return NULL;
	}
	if (mapping.kind == KMEM_REGION_UNPAGED && (flags & K_MEM_MAP_UNINIT) == 0) {
		memset((void *)mapping.addr, 0, size);
	}
	return (void *)mapping.addr;
}

/* Whether all is right for unmapping; a bug is noted, or a line logged, if not. */
static bool may_unmap(const struct kmem_region *region, uintptr_t addr, size_t size, bool is_anon, struct kmem_bug *bug)
{
	size_t page_size = kmem_page_size();

	if (is_mapped(addr - page_size) || is_mapped(addr + size)) {
		kmem_log(KMEM_LOG_WARNING,
			 "k_mem_unmap of [0x%zx, 0x%zx) ignored: the page %s it is mapped, so this is not a whole region",
			 (size_t)addr, (size_t)(addr + size), is_mapped(addr - page_size) ? "before" : "behind");
		return false;
	}
	for (size_t done = 0; done < size; done += page_size) {
		if (!is_mapped(addr + done)) {
			KMEM_BUG(bug, "page is mapped", "k_mem_unmap of [0x%zx, 0x%zx): the page at 0x%zx is not mapped",
				 (size_t)addr, (size_t)(addr + size), (size_t)(addr + done));
			return false;
		}
	}
	if (region == NULL || !region->guarded || (is_anon && region->kind == KMEM_REGION_PHYS) ||
	    (!is_anon && region->kind == KMEM_REGION_ANON)) {
		KMEM_BUG(bug, "k_mem_page_frame_is_mapped(pf)",
			 "k_mem_unmap of [0x%zx, 0x%zx), which another function mapped", (size_t)addr, (size_t)(addr + size));
		return false;
	}
	return true;
}

/* Undo a mapping by its descriptor. Lock held. */
static void region_unmap(struct kmem_region *region)
{
	struct mapping mapping = {
		.addr = region->addr,
		.size = region->size,
		.phys = region->phys,
		.kind = region->kind,
		.guarded = region->guarded,
	};

	if (pages_remove(&mapping) != 0) {
		kmem_log(KMEM_LOG_ERROR, "region at 0x%zx stays mapped: the host refuses", (size_t)mapping.addr);
		return;
	}
	kmem_region_index_remove(&kmem_kernel.index, region);
	space_free(&mapping);
}

void k_mem_unmap_phys_guard(void *addr, size_t size, bool is_anon)
{
	struct kmem_bug bug = {.condition = NULL};
	uintptr_t start = (uintptr_t)addr;
	struct kmem_region *region;
	kmem_sigmask saved;

	if (kmem_kernel_ready() != 0) {
		return;
	}
	if (start < kmem_page_size() || size > SIZE_MAX - 2 * kmem_page_size()) {
		KMEM_BUG(&bug, "addr >= CONFIG_MMU_PAGE_SIZE", "region 0x%zx of size %zu has no room for guards",
			 (size_t)start, size);
	}
	if (bug.condition != NULL || !kmem_range_check(start, size, &bug) ||
	    !kmem_range_check(start - kmem_page_size(), size + 2 * kmem_page_size(), &bug)) {
		kmem_bug_raise(&bug);
		return;
	}
	kmem_kernel_lock(&saved);
	(void)kmem_paging_settle(start - kmem_page_size(), size + 2 * kmem_page_size());
	region = kmem_region_index_find_exact(&kmem_kernel.index, start, size);
	if (may_unmap(region, start, size, is_anon, &bug)) {
		region_unmap(region);
	}
	kmem_kernel_unlock_and_reclaim(&saved);
	kmem_bug_raise(&bug);
}

/* The range of pages around a physical mapping; false, with the bug noted, where there is none. */
static bool bare_range(uintptr_t addr, size_t size, uintptr_t *start, size_t *pages_size, struct kmem_bug *bug)
{
	(void)k_mem_region_align(start, pages_size, addr, size, kmem_page_size());
	if (*pages_size == 0 || size == 0) {
		KMEM_BUG(bug, "aligned_size != 0", "0-length mapping at 0x%zx", (size_t)*start);
	} else if (*start + (*pages_size - 1) < *start || *pages_size < size) {
		KMEM_BUG(bug, "aligned_addr < aligned_addr + (aligned_size - 1)", "wraparound for 0x%zx, size %zu",
			 (size_t)addr, size);
	}
	return bug->condition == NULL;
}

/* Address space for a bare mapping: of the kernel's choice, or that of the physical address. */
static int bare_space(struct mapping *mapping, bool is_direct)
{
	if (!is_direct) {
		return kmem_region_alloc(&kmem_kernel.map, mapping->size, kmem_page_size(), &mapping->addr);
	}
	mapping->addr = mapping->phys;
	return kmem_region_take(&kmem_kernel.map, mapping->addr, mapping->size);
}

void k_mem_map_phys_bare(uint8_t **virt_ptr, uintptr_t phys, size_t size, uint32_t flags)
{
	struct mapping mapping = {.flags = flags, .kind = KMEM_REGION_PHYS, .guarded = false};
	struct kmem_bug bug = {.condition = NULL};
	bool is_direct = (flags & K_MEM_DIRECT_MAP) != 0;
	kmem_sigmask saved;
	int ret;

	ret = kmem_kernel_ready();
	if (ret != 0) {
		kmem_fatal_panic(K_ERR_KERNEL_PANIC, "k_mem_map_phys_bare: %s (%s)",
				 kmem_is_booted() ? "RAM could not be copied at the fork" : kmem_boot_error(),
				 kmem_error_name(-ret));
	}
	if (is_direct && !kmem_kernel.settings.direct_map) {
		KMEM_BUG(&bug, "!(flags & K_MEM_DIRECT_MAP)", "K_MEM_DIRECT_MAP without CONFIG_KERNEL_DIRECT_MAP");
		kmem_bug_raise(&bug);
		/* Nobody asserts: the flag is ignored, as Zephyr ignores it. */
		bug.condition = NULL;
		is_direct = false;
	}
	if (!bare_range(phys, size, &mapping.phys, &mapping.size, &bug)) {
		kmem_bug_raise(&bug);
		return;
	}
	kmem_kernel_lock(&saved);
	ret = bare_space(&mapping, is_direct);
	if (ret == 0) {
		ret = mapping_fill(&mapping);
	}
	kmem_kernel_unlock(&saved);
	if (ret != 0) {
		kmem_log(KMEM_LOG_ERROR, "cannot map the physical range [0x%zx, 0x%zx)%s: %s", (size_t)mapping.phys,
			 (size_t)(mapping.phys + mapping.size), is_direct ? " directly" : "", kmem_error_name(-ret));
		kmem_fatal_panic(K_ERR_KERNEL_PANIC, "k_mem_map_phys_bare of 0x%zx, size %zu: %s", (size_t)phys, size,
				 kmem_error_name(-ret));
	}
	*virt_ptr = (uint8_t *)(mapping.addr + (phys - mapping.phys));
}

/* A descriptor for what is left of a bare region on one side. */
static void remainder_add(const struct kmem_region *region, uintptr_t start, uintptr_t end)
{
	struct kmem_region template = {
		.addr = start,
		.size = end - start,
		.flags = region->flags,
		.kind = region->kind,
		.phys = region->phys + (start - region->addr),
	};

	if (start < end && kmem_region_index_add(&kmem_kernel.index, &template) == NULL) {
		kmem_log(KMEM_LOG_ERROR, "region at 0x%zx stays mapped without a descriptor: out of memory", (size_t)start);
	}
}

/* Unmap a part of a bare region, or all of it. Lock held. */
static void bare_unmap(struct kmem_region *region, uintptr_t start, size_t size)
{
	struct kmem_region before = *region;
	struct mapping mapping = {.addr = start, .size = size, .kind = KMEM_REGION_PHYS, .guarded = false};

	if (pages_remove(&mapping) != 0) {
		kmem_log(KMEM_LOG_ERROR, "region at 0x%zx stays mapped: the host refuses", (size_t)start);
		return;
	}
	kmem_region_index_remove(&kmem_kernel.index, region);
	remainder_add(&before, before.addr, start);
	remainder_add(&before, start + size, before.addr + before.size);
	space_free(&mapping);
}

void k_mem_unmap_phys_bare(uint8_t *virt, size_t size)
{
	struct kmem_bug bug = {.condition = NULL};
	struct kmem_region *region;
	uintptr_t start;
	size_t pages_size;
	kmem_sigmask saved;

	if (kmem_kernel_ready() != 0) {
		return;
	}
	if (!bare_range((uintptr_t)virt, size, &start, &pages_size, &bug) || !kmem_range_check(start, pages_size, &bug)) {
		kmem_bug_raise(&bug);
		return;
	}
	kmem_kernel_lock(&saved);
	region = kmem_region_index_find(&kmem_kernel.index, start);
	if (region != NULL && region->kind == KMEM_REGION_PHYS && !region->guarded && start >= region->addr &&
	    pages_size <= region->size - (start - region->addr)) {
		bare_unmap(region, start, pages_size);
	} else {
		KMEM_BUG(&bug, "page is mapped", "k_mem_unmap_phys_bare of [0x%zx, 0x%zx), which k_mem_map_phys_bare did not map",
			 (size_t)start, (size_t)(start + pages_size));
	}
	kmem_kernel_unlock_and_reclaim(&saved);
	kmem_bug_raise(&bug);
}

static int flags_update(uintptr_t start, size_t size, uint32_t flags)
{
	struct kmem_region *region;
	int ret;

	(void)kmem_paging_settle(start, size);
	for (size_t done = 0; done < size; done += kmem_page_size()) {
		if (!is_mapped(start + done)) {
			return -EFAULT;
		}
		ret = kmem_program_image_adopt(start + done);
		if (ret != 0) {
			return ret;
		}
	}
	ret = KMEM_RELIEVED(kmem_mmu_flags_set(start, size, flags));
	if (ret != 0) {
		return ret;
	}
	kmem_paging_pinned_expose(start, size);
	region = kmem_region_index_find_exact(&kmem_kernel.index, start, size);
	if (region != NULL) {
		kmem_region_index_flags_set(&kmem_kernel.index, region, flags & (PERM_FLAGS | K_MEM_CACHE_MASK));
	}
	return 0;
}

int k_mem_update_flags(void *addr, size_t size, uint32_t flags)
{
	struct kmem_bug bug = {.condition = NULL};
	kmem_sigmask saved;
	int ret;

	if (kmem_kernel_ready() != 0) {
		return -ENODEV;
	}
	if (!kmem_range_check((uintptr_t)addr, size, &bug)) {
		kmem_bug_raise(&bug);
		return -EINVAL;
	}
	kmem_kernel_lock(&saved);
	ret = flags_update((uintptr_t)addr, size, flags);
	kmem_kernel_unlock(&saved);
	return ret;
}
