/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Address space as Linux has it: see space.h.
 *
 * Terms. A region is *ours* if it is anonymous and without guards: all that these functions make. A *run* is a stretch of such
 * regions without a hole.
 *
 * Theory of operation. Each mapping has a descriptor in the region index; what is done to a part of it cuts descriptors, and
 * neighbours that a change of permissions has made alike become one. Address space comes from the region map and goes back to it.
 *
 * An operation, in this order: wait until none of its pages is BUSY, which drops the lock; see that it may be done; get the
 * memory that descriptors and the region map may need; make the host calls that may fail, one for each range, which conceal or protect
 * and have changed nothing if they fail; then change frames, locations, entries and descriptors, none of which can fail. The lock is
 * held from the end of the first step to the end of the last, so a thread that faults at one of the pages meanwhile waits for it and then
 * finds the entry as it is then. Forgetting contents is in space_discard.c; pinning and bringing in, in space_pin.c.
 */
#include "kernel/space.h"

#include <errno.h>
#include <string.h>

#include "host/memory.h"
#include "host/stack.h"
#include "kernel/fork.h"
#include "kernel/frame.h"
#include "kernel/kernel.h"
#include "kernel/paging.h"
#include "kernel/space_section.h"
#include "machine/mmu.h"

/* Descriptors that a cut leaves at most, one on either side, and the one that stands between them. */
#define DESCRIPTORS_CUT 2U
#define DESCRIPTORS_CHANGE (DESCRIPTORS_CUT + 1U)

/* Nodes of the region map for giving a stretch back and for taking one: a node on either side each. */
#define NODES_FREE 2U
#define NODES_TAKE 2U

void kmem_space_section_leave(const struct kmem_space_section *section)
{
	if (section->is_locked) {
		kmem_kernel_unlock_and_reclaim(&section->saved);
	}
}

int kmem_space_section_enter(struct kmem_space_section *section)
{
	int ret;

	if (!kmem_is_booted()) {
		return -ENODEV;
	}
	section->is_locked = !kmem_lock_is_held(&kmem_kernel.lock);
	if (section->is_locked) {
		kmem_kernel_lock(&section->saved);
	} else {
		(void)kmem_fork_window_enter();
	}
	ret = kmem_fork_error();
	if (ret != 0) {
		kmem_space_section_leave(section);
	}
	return ret;
}

/* ---- ranges ---- */

static bool is_aligned(uintptr_t addr, size_t size)
{
	return size != 0 && (addr | size) % kmem_page_size() == 0;
}

/* Whether [addr, addr + size) is pages of the range that these functions manage. */
static bool is_range(uintptr_t addr, size_t size)
{
	const struct kmem_region_map *map = &kmem_kernel.map;

	return is_aligned(addr, size) && addr >= map->start && addr < map->end && size <= map->end - addr;
}

static uintptr_t region_end(const struct kmem_region *region)
{
	return region->addr + region->size;
}

/* The first region that has a part in [addr, end), whose part is set; NULL if there is none. */
static struct kmem_region *part_next(uintptr_t addr, uintptr_t end, uintptr_t *part, uintptr_t *part_end)
{
	struct kmem_region *region = addr < end ? kmem_region_index_from(&kmem_kernel.index, addr) : NULL;

	if (region == NULL || region->addr >= end) {
		*part = end;
		*part_end = end;
		return NULL;
	}
	*part = region->addr < addr ? addr : region->addr;
	*part_end = region_end(region) < end ? region_end(region) : end;
	return region;
}

static bool is_ours(const struct kmem_region *region)
{
	return region->kind == KMEM_REGION_ANON && !region->guarded;
}

/* Whether nobody has anything in a stretch without regions: guards, or pages that arch_mem_map() mapped. */
static bool is_empty(uintptr_t addr, uintptr_t end)
{
	return kmem_pte_state(kmem_pte_get(addr)) == KMEM_PTE_UNMAPPED &&
	       kmem_pte_state(kmem_pte_get(end - kmem_page_size())) == KMEM_PTE_UNMAPPED && kmem_pte_held_next(addr, end) == end;
}

/* 0, or -EINVAL where a part is somebody else's. */
static int survey(uintptr_t addr, size_t size, struct kmem_space_survey *result)
{
	uintptr_t end = addr + size;

	*result = (struct kmem_space_survey){.is_free = true};
	while (addr < end) {
		uintptr_t part;
		uintptr_t part_end;
		const struct kmem_region *region = part_next(addr, end, &part, &part_end);

		if (addr < part) {
			result->has_holes = true;
			result->is_free = result->is_free && kmem_region_is_free(&kmem_kernel.map, addr, part - addr);
			if (!is_empty(addr, part)) {
				return -EINVAL;
			}
		}
		if (region != NULL && !is_ours(region)) {
			return -EINVAL;
		}
		result->regions += region != NULL ? 1 : 0;
		addr = part_end;
	}
	return 0;
}

int kmem_space_survey(uintptr_t addr, size_t size, struct kmem_space_survey *result)
{
	(void)kmem_paging_settle(addr, size);
	return survey(addr, size, result);
}

static uint32_t flags_of(unsigned int prot)
{
	return ((prot & KMEM_PROT_WRITE) != 0 ? K_MEM_PERM_RW : 0) | ((prot & KMEM_PROT_EXEC) != 0 ? K_MEM_PERM_EXEC : 0) |
	       (prot == KMEM_PROT_NONE ? KMEM_PERM_NO_ACCESS : 0);
}

/* ---- descriptors and address space; there is memory for what is done ---- */

static int memory_reserve(size_t descriptors, size_t nodes)
{
	int ret = kmem_region_index_reserve(&kmem_kernel.index, descriptors);

	return ret != 0 ? ret : kmem_pool_reserve(&kmem_kernel.holes, nodes);
}

static void descriptor_add(uintptr_t addr, uintptr_t end, uint32_t flags)
{
	const struct kmem_region template = {.addr = addr, .size = end - addr, .flags = flags, .kind = KMEM_REGION_ANON};

	if (addr < end) {
		(void)kmem_region_index_add(&kmem_kernel.index, &template);
	}
}

/* Take [addr, end) out of the descriptors. */
static void descriptors_cut(uintptr_t addr, uintptr_t end)
{
	uintptr_t part;
	uintptr_t part_end;
	struct kmem_region *region;

	while ((region = part_next(addr, end, &part, &part_end)) != NULL) {
		uintptr_t before = region->addr;
		uintptr_t behind = region_end(region);
		uint32_t flags = region->flags;

		kmem_region_index_remove(&kmem_kernel.index, region);
		descriptor_add(before, part, flags);
		descriptor_add(part_end, behind, flags);
	}
}

/* The region of ours with such permissions that holds addr, or NULL. */
static struct kmem_region *alike_at(uintptr_t addr, uint32_t flags)
{
	struct kmem_region *region = kmem_region_index_find(&kmem_kernel.index, addr);

	return region != NULL && is_ours(region) && region->flags == flags ? region : NULL;
}

/* The permissions of [addr, end), all of which is mapped, have changed: one descriptor, with those on either side that are alike. */
static void descriptors_protect(uintptr_t addr, uintptr_t end, uint32_t flags)
{
	struct kmem_region *region = kmem_region_index_find(&kmem_kernel.index, addr);
	const struct kmem_region *left = alike_at(addr - 1, flags);
	const struct kmem_region *right = alike_at(end, flags);

	if (region->flags == flags && region_end(region) >= end) {
		return;
	}
	if (left == NULL && right == NULL && region->addr == addr && region_end(region) == end) {
		kmem_region_index_flags_set(&kmem_kernel.index, region, flags);
		return;
	}
	addr = left != NULL ? left->addr : addr;
	end = right != NULL ? region_end(right) : end;
	descriptors_cut(addr, end);
	descriptor_add(addr, end, flags);
}

/* Give the address space of every run in [addr, end) back. */
static void space_free(uintptr_t addr, uintptr_t end)
{
	uintptr_t part;
	uintptr_t run_end;

	while (part_next(addr, end, &part, &run_end) != NULL) {
		uintptr_t run = part;

		while (part_next(run_end, end, &part, &addr) != NULL && part == run_end) {
			run_end = addr;
		}
		(void)kmem_region_free(&kmem_kernel.map, run, run_end - run);
		addr = run_end;
	}
}

/* ---- operations; lock held ---- */

/* Unmap a range that is ours, holes apart, and settled. There is memory for NODES_FREE and DESCRIPTORS_CUT. */
static int unmap(uintptr_t addr, size_t size)
{
	int ret = KMEM_RELIEVED(kmem_mmu_conceal(addr, size));

	if (ret != 0) {
		return ret;
	}
	kmem_paging_forget(addr, size);
	(void)kmem_mmu_unmap(addr, size);
	space_free(addr, addr + size);
	descriptors_cut(addr, addr + size);
	return 0;
}

static int place_take(uintptr_t addr, size_t size)
{
	switch (kmem_region_take(&kmem_kernel.map, addr, size)) {
	case 0:
		return 0;
	case -EBUSY:
		return -EEXIST;
	case -ERANGE:
		return -EINVAL;
	default:
		return -ENOMEM;
	}
}

/* Take address space over whatever of ours is there. */
static int place_over(uintptr_t addr, size_t size)
{
	struct kmem_space_survey found;
	int ret = kmem_space_survey(addr, size, &found);

	if (ret == 0 && !found.is_free) {
		ret = -EINVAL;
	}
	if (ret == 0) {
		ret = memory_reserve(DESCRIPTORS_CHANGE, NODES_FREE + NODES_TAKE);
	}
	if (ret == 0 && found.regions != 0) {
		ret = unmap(addr, size);
	}
	return ret != 0 ? ret : place_take(addr, size);
}

static int place_anywhere(uintptr_t *addr, size_t size, size_t align)
{
	if (is_range(*addr, size) && *addr % align == 0 && place_take(*addr, size) == 0) {
		return 0;
	}
	return kmem_region_alloc(&kmem_kernel.map, size, align, addr);
}

static int place(uintptr_t *addr, size_t size, size_t align, enum kmem_space_place where)
{
	switch (where) {
	case KMEM_SPACE_FIXED:
		return place_over(*addr, size);
	case KMEM_SPACE_FIXED_NOREPLACE:
		return place_take(*addr, size);
	default:
		return place_anywhere(addr, size, align);
	}
}

static int map(uintptr_t *addr, size_t size, size_t align, uint32_t flags, enum kmem_space_place where)
{
	int ret = kmem_region_index_reserve(&kmem_kernel.index, DESCRIPTORS_CHANGE);

	if (ret == 0) {
		ret = place(addr, size, align, where);
	}
	if (ret == 0) {
		descriptor_add(*addr, *addr + size, flags);
		kmem_mmu_map_out(*addr, KMEM_LOCATION_ANON_ZERO, 0, size, flags);
	}
	return ret;
}

static int unmap_checked(uintptr_t addr, size_t size)
{
	struct kmem_space_survey found;
	int ret = kmem_space_survey(addr, size, &found);

	if (ret != 0 || found.regions == 0) {
		return ret;
	}
	ret = memory_reserve(DESCRIPTORS_CUT, NODES_FREE);
	return ret != 0 ? ret : unmap(addr, size);
}

static int protect(uintptr_t addr, size_t size, uint32_t flags)
{
	struct kmem_space_survey found;
	int ret = kmem_space_survey(addr, size, &found);

	if (ret == 0 && found.has_holes) {
		ret = -ENOMEM;
	}
	if (ret == 0) {
		ret = memory_reserve(DESCRIPTORS_CHANGE, 0);
	}
	if (ret == 0) {
		ret = KMEM_RELIEVED(kmem_mmu_flags_set(addr, size, flags));
	}
	if (ret != 0) {
		return ret;
	}
	kmem_paging_pinned_expose(addr, size);
	descriptors_protect(addr, addr + size, flags);
	return 0;
}

/* Frames learn where their pages go. */
static void frames_move(uintptr_t from, size_t size, uintptr_t to)
{
	uintptr_t end = from + size;

	for (uintptr_t page = kmem_pte_held_next(from, end); page < end; page = kmem_pte_held_next(page + kmem_page_size(), end)) {
		struct k_mem_page_frame *pf = kmem_paging_frame_of(page);

		if (pf != NULL) {
			kmem_paging_frame_move(pf, to + (page - from));
		}
	}
}

/* The same regions at another place. */
static void descriptors_copy(uintptr_t from, size_t size, uintptr_t to)
{
	uintptr_t end = from + size;
	uintptr_t part;
	uintptr_t part_end;
	const struct kmem_region *region;

	for (uintptr_t at = from; (region = part_next(at, end, &part, &part_end)) != NULL; at = part_end) {
		descriptor_add(to + (part - from), to + (part_end - from), region->flags);
	}
}

/* The pages of regions, which have moved away, as if they had never been touched. */
static void pages_renew(uintptr_t addr, size_t size)
{
	uintptr_t end = addr + size;
	uintptr_t part;
	uintptr_t part_end;
	const struct kmem_region *region;

	for (; (region = part_next(addr, end, &part, &part_end)) != NULL; addr = part_end) {
		kmem_mmu_map_out(part, KMEM_LOCATION_ANON_ZERO, 0, part_end - part, region->flags);
	}
}

/* Of both ranges, once nobody moves a page of either. The target is of interest where something of it may be replaced. */
static int move_survey(const struct kmem_space_move *move, struct kmem_space_survey *source, struct kmem_space_survey *target)
{
	bool is_over = move->place == KMEM_SPACE_FIXED;
	int ret;

	*target = (struct kmem_space_survey){.is_free = true};
	do {
		(void)kmem_paging_settle(move->from, move->size);
	} while (is_over && kmem_paging_settle(move->to, move->room));
	ret = survey(move->from, move->size, source);
	if (ret == 0 && source->has_holes) {
		ret = -EFAULT;
	}
	if (ret == 0 && is_over) {
		ret = survey(move->to, move->room, target);
	}
	return ret == 0 && !target->is_free ? -EINVAL : ret;
}

/* All host calls, and address space where it is free. What fails has changed nothing. */
static int move_prepare(struct kmem_space_move *move)
{
	bool is_over = move->place == KMEM_SPACE_FIXED;
	int ret = is_over ? KMEM_RELIEVED(kmem_mmu_conceal(move->to, move->room))
			  : place(&move->to, move->room, kmem_page_size(), move->place);

	if (ret != 0) {
		return ret;
	}
	ret = KMEM_RELIEVED(kmem_mmu_conceal(move->from, move->size));
	if (ret == 0) {
		ret = kmem_mmu_move_prepare(move->from, move->size);
	}
	if (ret != 0 && is_over) {
		kmem_paging_pinned_expose(move->to, move->room);
	} else if (ret != 0) {
		(void)kmem_region_free(&kmem_kernel.map, move->to, move->room);
	}
	return ret;
}

static int move_locked(struct kmem_space_move *move)
{
	struct kmem_space_survey source;
	struct kmem_space_survey target;
	uint32_t flags;
	int ret = move_survey(move, &source, &target);

	if (ret == 0) {
		ret = memory_reserve(source.regions + 2 * DESCRIPTORS_CUT + 1, 2 * NODES_FREE + NODES_TAKE);
	}
	if (ret == 0) {
		ret = move_prepare(move);
	}
	if (ret != 0) {
		return ret;
	}
	if (move->place == KMEM_SPACE_FIXED) {
		/* Nothing of it can fail: all is concealed, and there is memory. */
		(void)unmap(move->to, move->room);
		(void)place_take(move->to, move->room);
	}
	flags = kmem_region_index_find(&kmem_kernel.index, move->from + move->size - 1)->flags;
	frames_move(move->from, move->size, move->to);
	kmem_mmu_move(move->from, move->size, move->to);
	kmem_paging_pinned_expose(move->to, move->size);
	descriptors_copy(move->from, move->size, move->to);
	if (move->size < move->room) {
		descriptor_add(move->to + move->size, move->to + move->room, flags);
		kmem_mmu_map_out(move->to + move->size, KMEM_LOCATION_ANON_ZERO, 0, move->room - move->size, flags);
	}
	if (move->is_source_kept) {
		pages_renew(move->from, move->size);
		return 0;
	}
	space_free(move->from, move->from + move->size);
	descriptors_cut(move->from, move->from + move->size);
	return 0;
}

/* ---- the interface ---- */

bool kmem_space_covers(uintptr_t addr)
{
	return kmem_page_table_covers(addr);
}

size_t kmem_space_free_get(void)
{
	return __atomic_load_n(&kmem_kernel.map.free_bytes, __ATOMIC_RELAXED);
}

static bool is_alignment(size_t align)
{
	return align >= kmem_page_size() && (align & (align - 1)) == 0;
}

/* Each is made in two steps, since the caller's stack may be paged (host/stack.h): here are the arguments. */
struct space_call {
	uintptr_t addr;
	size_t size, align;
	unsigned int prot;
	enum kmem_space_place place;
	int (*operation)(uintptr_t addr, size_t size);
};

static long map_call(void *argument)
{
	const struct space_call call = *(const struct space_call *)argument;
	uintptr_t at = call.addr;
	struct kmem_space_section section;
	int ret = kmem_space_section_enter(&section);

	if (ret != 0) {
		return ret;
	}
	ret = -EINVAL;
	if (call.place == KMEM_SPACE_ANYWHERE ? is_aligned(0, call.size) && is_alignment(call.align) : is_range(at, call.size)) {
		ret = map(&at, call.size, call.align, flags_of(call.prot), call.place);
	}
	kmem_space_section_leave(&section);
	if (ret == 0) {
		((struct space_call *)argument)->addr = at;
	}
	return ret;
}

int kmem_space_map(uintptr_t *addr, size_t size, size_t align, unsigned int prot, enum kmem_space_place where)
{
	struct space_call call = {.addr = *addr, .size = size, .align = align, .prot = prot, .place = where};
	int ret = (int)kmem_stack_call(map_call, &call);

	if (ret == 0) {
		*addr = call.addr;
	}
	return ret;
}

static long range_call(void *argument)
{
	const struct space_call call = *(const struct space_call *)argument;
	struct kmem_space_section section;
	int ret = kmem_space_section_enter(&section);

	if (ret == 0) {
		ret = is_range(call.addr, call.size) ? call.operation(call.addr, call.size) : -EINVAL;
		kmem_space_section_leave(&section);
	}
	return ret;
}

int kmem_space_range_do(uintptr_t addr, size_t size, int (*operation)(uintptr_t addr, size_t size))
{
	struct space_call call = {.addr = addr, .size = size, .operation = operation};

	return (int)kmem_stack_call(range_call, &call);
}

int kmem_space_unmap(uintptr_t addr, size_t size)
{
	return kmem_space_range_do(addr, size, unmap_checked);
}

static long protect_call(void *argument)
{
	const struct space_call call = *(const struct space_call *)argument;
	struct kmem_space_section section;
	int ret = kmem_space_section_enter(&section);

	if (ret == 0) {
		ret = is_range(call.addr, call.size) ? protect(call.addr, call.size, flags_of(call.prot)) : -EINVAL;
		kmem_space_section_leave(&section);
	}
	return ret;
}

int kmem_space_protect(uintptr_t addr, size_t size, unsigned int prot)
{
	struct space_call call = {.addr = addr, .size = size, .prot = prot};

	return (int)kmem_stack_call(protect_call, &call);
}

/* Whether the ranges of a move are apart, where the target's is known. */
static bool are_apart(const struct kmem_space_move *move)
{
	return move->place == KMEM_SPACE_ANYWHERE ||
	       (move->from < move->to ? move->size <= move->to - move->from : move->room <= move->from - move->to);
}

static bool is_move(const struct kmem_space_move *move)
{
	return is_range(move->from, move->size) && is_aligned(0, move->room) && move->room >= move->size &&
	       (move->place == KMEM_SPACE_ANYWHERE || is_range(move->to, move->room)) && are_apart(move);
}

static long move_call(void *argument)
{
	struct kmem_space_move *move = argument;
	struct kmem_space_move done = *move;
	struct kmem_space_section section;
	int ret = kmem_space_section_enter(&section);

	if (ret != 0) {
		return ret;
	}
	ret = is_move(&done) ? move_locked(&done) : -EINVAL;
	kmem_space_section_leave(&section);
	if (ret == 0) {
		move->to = done.to;
	}
	return ret;
}

int kmem_space_move(struct kmem_space_move *move)
{
	return (int)kmem_stack_call(move_call, move);
}

int kmem_space_prot_get(uintptr_t addr)
{
	kmem_pte pte = kmem_space_covers(addr) ? kmem_pte_get(addr) : KMEM_PTE_UNMAPPED;

	if (kmem_pte_state(pte) <= KMEM_PTE_GUARD) {
		return -ENOMEM;
	}
	if ((pte & KMEM_PTE_NO_ACCESS) != 0) {
		return KMEM_PROT_NONE;
	}
	return KMEM_PROT_READ | ((pte & K_MEM_PERM_RW) != 0 ? KMEM_PROT_WRITE : 0) |
	       ((pte & K_MEM_PERM_EXEC) != 0 ? KMEM_PROT_EXEC : 0);
}

bool kmem_space_is_mapped(uintptr_t addr, size_t size)
{
	for (size_t done = 0; done < size; done += kmem_page_size()) {
		if (kmem_space_prot_get(addr + done) < 0) {
			return false;
		}
	}
	return true;
}

bool kmem_space_is_in(uintptr_t addr)
{
	kmem_pte pte = kmem_space_covers(addr) ? kmem_pte_get(addr) : KMEM_PTE_UNMAPPED;

	return kmem_pte_state(pte) == KMEM_PTE_IN || kmem_pte_state(pte) == KMEM_PTE_BUSY_OUT;
}
