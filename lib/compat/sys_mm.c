/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The driver of system memory, on the architecture layer. (Zephyr: drivers/mm)
 *
 * Every function checks all it was given first. What then still fails, for want of host memory, is undone. Of a page
 * that moves, the new mapping is made before the old one goes.
 *
 * Locking: the interrupt lock around check and change, so that callers of this file see each other's work whole.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <kmem/arch.h>
#include <kmem/irq.h>
#include <kmem/kmem.h>
#include <zephyr/drivers/mm/system_mm.h>

#define FLAGS ((uint32_t)(SYS_MM_MEM_CACHE_MASK | SYS_MM_MEM_PERM_RW | SYS_MM_MEM_PERM_EXEC | SYS_MM_MEM_PERM_USER))

/* Physical addresses end here, as arch_mem_map() asserts. */
#define PHYS_END ((uintptr_t)1 << 48)

/* Pages at virtual addresses. */
struct range {
	uintptr_t start;
	size_t size;
	size_t page_size;
};

/* Physical addresses: an array, or of contiguous pages the first one. */
struct target {
	const uintptr_t *array;
	uintptr_t phys;
};

static uintptr_t target_of(const struct target *target, size_t page, size_t page_size)
{
	return target->array != NULL ? target->array[page] : target->phys + page * page_size;
}

/* 0, and the range filled in; -EINVAL, -ENODEV. */
static int range_of(struct range *range, const void *virt, size_t size)
{
	struct kmem_layout layout;
	uintptr_t start = (uintptr_t)virt;

	if (kmem_layout_get(&layout) != 0) {
		return -ENODEV;
	}
	if (start % layout.page_size != 0 || size % layout.page_size != 0 || start < layout.virt_ram_start ||
	    start > layout.virt_ram_end || size > layout.virt_ram_end - start) {
		return -EINVAL;
	}
	*range = (struct range){.start = start, .size = size, .page_size = layout.page_size};
	return 0;
}

/* The same of one page. */
static int page_of(struct range *range, const void *virt)
{
	struct kmem_layout layout;

	return kmem_layout_get(&layout) != 0 ? -ENODEV : range_of(range, virt, layout.page_size);
}

/* An array of pages as a range. */
static int array_of(struct range *range, const void *virt, const uintptr_t *phys, size_t count)
{
	struct kmem_layout layout;

	if (kmem_layout_get(&layout) != 0) {
		return -ENODEV;
	}
	if ((phys == NULL && count > 0) || count > SIZE_MAX / layout.page_size) {
		return -EINVAL;
	}
	return range_of(range, virt, count * layout.page_size);
}

static int overlap_check(const struct range *one, const struct range *other)
{
	return one->start < other->start + other->size && other->start < one->start + one->size ? -EINVAL : 0;
}

/* Physical addresses are whole pages; whether there is such memory is seen when it is mapped. */
static int target_check(const struct target *target, const struct range *range)
{
	for (size_t page = 0; page < range->size / range->page_size; page++) {
		uintptr_t phys = target_of(target, page, range->page_size);

		if (phys % range->page_size != 0 || phys >= PHYS_END) {
			return -EINVAL;
		}
	}
	return 0;
}

/* A page of memory in two places would not keep the bytes of both. */
static int target_check_distinct(const struct target *target, const struct range *range)
{
	size_t pages = range->size / range->page_size;

	for (size_t page = 0; target->array != NULL && page < pages; page++) {
		for (size_t other = 0; other < page; other++) {
			if (target->array[page] == target->array[other]) {
				return -EINVAL;
			}
		}
	}
	return 0;
}

static int unmapped_check(const struct range *range)
{
	for (size_t done = 0; done < range->size; done += range->page_size) {
		uintptr_t location;

		if (arch_page_location_get((void *)(range->start + done), &location) != ARCH_PAGE_LOCATION_BAD) {
			return -EFAULT;
		}
	}
	return 0;
}

static int mapped_check(const struct range *range)
{
	for (size_t done = 0; done < range->size; done += range->page_size) {
		uintptr_t location;

		if (arch_page_location_get((void *)(range->start + done), &location) != ARCH_PAGE_LOCATION_PAGED_IN) {
			return -EFAULT;
		}
	}
	return 0;
}

static uint32_t flags_of(uintptr_t addr)
{
	struct kmem_page_status status;

	return kmem_page_status_get((const void *)addr, &status) == 0 ? status.flags & FLAGS : 0;
}

/* Map pages, with the same flags, or with those of other pages if `like` is not NULL; or none. */
static int range_map(const struct range *range, const struct target *target, uint32_t flags, const struct range *like)
{
	for (size_t done = 0; done < range->size; done += range->page_size) {
		uintptr_t phys = target_of(target, done / range->page_size, range->page_size);
		int ret = arch_mem_map((void *)(range->start + done), phys, range->page_size,
				       like != NULL ? flags_of(like->start + done) : flags & FLAGS);

		if (ret != 0) {
			(void)arch_mem_unmap((void *)range->start, done + range->page_size);
			return ret == -EFAULT ? -EINVAL : ret; /* no such memory */
		}
	}
	return 0;
}

/* Contiguous pages at once. */
static int region_map(const struct range *range, uintptr_t phys, uint32_t flags)
{
	int ret = arch_mem_map((void *)range->start, phys, range->size, flags & FLAGS);

	if (ret != 0) {
		(void)arch_mem_unmap((void *)range->start, range->size);
	}
	return ret == -EFAULT ? -EINVAL : ret;
}

static int range_unmap(const struct range *range)
{
	return range->size != 0 ? arch_mem_unmap((void *)range->start, range->size) : 0;
}

int sys_mm_drv_map_region(void *virt, uintptr_t phys, size_t size, uint32_t flags)
{
	struct target target = {.phys = phys};
	struct range range;
	unsigned int key;
	int ret = range_of(&range, virt, size);

	ret = ret == 0 ? target_check(&target, &range) : ret;
	if (ret != 0 || size == 0) {
		return ret;
	}
	key = arch_irq_lock();
	ret = unmapped_check(&range);
	ret = ret == 0 ? region_map(&range, phys, flags) : ret;
	arch_irq_unlock(key);
	return ret;
}

int sys_mm_drv_map_page(void *virt, uintptr_t phys, uint32_t flags)
{
	struct range range;
	int ret = page_of(&range, virt);

	return ret != 0 ? ret : sys_mm_drv_map_region(virt, phys, range.page_size, flags);
}

int sys_mm_drv_map_array(void *virt, uintptr_t *phys, size_t cnt, uint32_t flags)
{
	struct target target = {.array = phys};
	struct range range;
	unsigned int key;
	int ret = array_of(&range, virt, phys, cnt);

	ret = ret == 0 ? target_check(&target, &range) : ret;
	if (ret != 0) {
		return ret;
	}
	key = arch_irq_lock();
	ret = unmapped_check(&range);
	ret = ret == 0 ? range_map(&range, &target, flags, NULL) : ret;
	arch_irq_unlock(key);
	return ret;
}

int sys_mm_drv_unmap_region(void *virt, size_t size)
{
	struct range range;
	unsigned int key;
	int ret = range_of(&range, virt, size);

	if (ret != 0) {
		return ret;
	}
	key = arch_irq_lock();
	ret = mapped_check(&range);
	ret = ret == 0 ? range_unmap(&range) : ret;
	arch_irq_unlock(key);
	return ret;
}

int sys_mm_drv_unmap_page(void *virt)
{
	struct range range;
	int ret = page_of(&range, virt);

	return ret != 0 ? ret : sys_mm_drv_unmap_region(virt, range.page_size);
}

int sys_mm_drv_page_phys_get(void *virt, uintptr_t *phys)
{
	struct range range;
	int ret = page_of(&range, virt);

	return ret != 0 ? ret : arch_page_phys_get(virt, phys);
}

int sys_mm_drv_page_flag_get(void *virt, uint32_t *flags)
{
	struct range range;
	uintptr_t location;
	int ret = page_of(&range, virt);

	if (ret != 0 || flags == NULL) {
		return ret != 0 ? ret : -EINVAL;
	}
	if (arch_page_location_get(virt, &location) == ARCH_PAGE_LOCATION_BAD) {
		return -EFAULT;
	}
	*flags = flags_of(range.start);
	return 0;
}

int sys_mm_drv_update_region_flags(void *virt, size_t size, uint32_t flags)
{
	struct range range;
	int ret = range_of(&range, virt, size);

	return ret != 0 || size == 0 ? ret : k_mem_update_flags(virt, size, flags & FLAGS);
}

int sys_mm_drv_update_page_flags(void *virt, uint32_t flags)
{
	struct range range;
	int ret = page_of(&range, virt);

	return ret != 0 ? ret : sys_mm_drv_update_region_flags(virt, range.page_size, flags);
}

/* From where to where, of the same size. */
struct move {
	struct range from;
	struct range to;
};

static int move_of(struct move *move, const void *virt_old, size_t size, const void *virt_new)
{
	int ret = range_of(&move->from, virt_old, size);

	ret = ret == 0 ? range_of(&move->to, virt_new, size) : ret;
	return ret == 0 && size != 0 ? overlap_check(&move->from, &move->to) : ret;
}

static int move_check(const struct move *move)
{
	int ret = mapped_check(&move->from);

	return ret == 0 ? unmapped_check(&move->to) : ret;
}

/* The old mapping goes, or else the new one. */
static int move_finish(const struct move *move)
{
	int ret = range_unmap(&move->from);

	if (ret != 0) {
		(void)range_unmap(&move->to);
	}
	return ret;
}

int sys_mm_drv_remap_region(void *virt_old, size_t size, void *virt_new)
{
	struct move move;
	uintptr_t *phys;
	unsigned int key;
	int ret = move_of(&move, virt_old, size, virt_new);

	if (ret != 0 || size == 0) {
		return ret;
	}
	phys = malloc(size / move.from.page_size * sizeof(*phys));
	if (phys == NULL) {
		return -ENOMEM;
	}
	key = arch_irq_lock();
	ret = move_check(&move);
	for (size_t done = 0; done < size && ret == 0; done += move.from.page_size) {
		ret = arch_page_phys_get((void *)(move.from.start + done), &phys[done / move.from.page_size]);
	}
	if (ret == 0) {
		struct target target = {.array = phys};

		ret = range_map(&move.to, &target, 0, &move.from);
		ret = ret == 0 ? move_finish(&move) : ret;
	}
	arch_irq_unlock(key);
	free(phys);
	return ret;
}

/* Copy bytes by way of other memory: old and new frames may be the same ones in another order. Interrupts locked. */
static int move_copy(const struct move *move, const struct target *target, void *buffer)
{
	int ret = range_map(&move->to, target, SYS_MM_MEM_PERM_RW, NULL);

	if (ret != 0) {
		return ret;
	}
	memcpy(buffer, (const void *)move->from.start, move->from.size);
	__asm__ __volatile__("" : : "r"(buffer) : "memory"); /* the two copies are not to become one */
	memcpy((void *)move->to.start, buffer, move->from.size);
	ret = range_map(&move->to, target, 0, &move->from);
	if (ret == 0) {
		__builtin___clear_cache((char *)move->to.start, (char *)(move->to.start + move->to.size));
		ret = move_finish(move);
	}
	return ret;
}

static int move_to(const struct move *move, const struct target *target)
{
	void *buffer = malloc(move->from.size);
	unsigned int key;
	int ret;

	if (buffer == NULL) {
		return -ENOMEM;
	}
	key = arch_irq_lock();
	ret = move_check(move);
	ret = ret == 0 ? move_copy(move, target, buffer) : ret;
	arch_irq_unlock(key);
	free(buffer);
	return ret;
}

int sys_mm_drv_move_region(void *virt_old, size_t size, void *virt_new, uintptr_t phys_new)
{
	struct target target = {.phys = phys_new};
	struct move move;
	int ret = move_of(&move, virt_old, size, virt_new);

	ret = ret == 0 ? target_check(&target, &move.to) : ret;
	return ret != 0 || size == 0 ? ret : move_to(&move, &target);
}

int sys_mm_drv_move_array(void *virt_old, size_t size, void *virt_new, uintptr_t *phys_new, size_t phys_cnt)
{
	struct target target = {.array = phys_new};
	struct move move;
	int ret = move_of(&move, virt_old, size, virt_new);

	if (ret != 0) {
		return ret;
	}
	if ((phys_new == NULL && phys_cnt > 0) || phys_cnt != size / move.to.page_size) {
		return -EINVAL;
	}
	ret = target_check(&target, &move.to);
	ret = ret == 0 ? target_check_distinct(&target, &move.to) : ret;
	return ret != 0 || size == 0 ? ret : move_to(&move, &target);
}

/* Free addresses. */

static bool is_free(uintptr_t addr)
{
	struct kmem_page_status status;

	return kmem_page_status_get((const void *)addr, &status) == 0 && status.state == KMEM_PAGE_STATE_UNMAPPED;
}

/* The next run of free pages at or behind an address: its end, which is also its start if there is none. */
static uintptr_t run_find(uintptr_t *start, uintptr_t end, size_t page_size)
{
	uintptr_t addr;

	while (*start < end && !is_free(*start)) {
		*start += page_size;
	}
	for (addr = *start; addr < end && is_free(addr); addr += page_size) {
	}
	return addr;
}

/* Room for twice as many, and NULL in place of the array if there is none. */
static struct sys_mm_drv_region *regions_grow(struct sys_mm_drv_region *regions, size_t *room)
{
	struct sys_mm_drv_region *grown;

	*room *= 2;
	grown = realloc(regions, *room * sizeof(*regions));
	if (grown == NULL) {
		free(regions);
	}
	return grown;
}

const struct sys_mm_drv_region *sys_mm_drv_query_memory_regions(void)
{
	struct sys_mm_drv_region *regions;
	struct kmem_layout layout = {.page_size = 1};
	size_t count = 0;
	size_t room = 8;
	uintptr_t start;
	uintptr_t end;

	(void)kmem_layout_get(&layout); /* without a machine, nothing is free */
	start = layout.vm_free_start;
	regions = malloc(room * sizeof(*regions));
	while (regions != NULL) {
		end = run_find(&start, layout.virt_ram_end - layout.vm_reserved, layout.page_size);
		regions[count] = (struct sys_mm_drv_region){.addr = (void *)start, .size = end - start};
		if (start == end) {
			regions[count].addr = NULL;
			break;
		}
		count++;
		start = end;
		regions = count == room ? regions_grow(regions, &room) : regions;
	}
	return regions;
}

void sys_mm_drv_query_memory_regions_free(const struct sys_mm_drv_region *regions)
{
	free((void *)(uintptr_t)regions);
}
