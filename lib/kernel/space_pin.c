/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Address space as Linux has it: pages that are brought in, to stay or not. See space.h, and space.c for the rest.
 *
 * Unlike the operations of space.c these drop the lock between pages, and look at each page anew.
 */
#include <errno.h>

#include "host/memory.h"
#include "host/stack.h"
#include "host/thread.h"
#include "kernel/frame.h"
#include "kernel/kernel.h"
#include "kernel/paging.h"
#include "kernel/space.h"
#include "kernel/space_section.h"
#include "kernel/stats.h"

/* The part of RAM that may be pinned: the rest is for the pages that all threads work on. */
#define PINNED_MAX(frames) ((frames) / 2)

static bool is_pinned(uintptr_t page)
{
	struct k_mem_page_frame *pf = kmem_paging_frame_of(page);

	return pf != NULL && k_mem_page_frame_is_pinned(pf);
}

size_t kmem_space_pinned_in(uintptr_t addr, size_t size)
{
	uintptr_t end = addr + size;
	size_t count = 0;

	for (addr = kmem_pte_held_next(addr, end); addr < end; addr = kmem_pte_held_next(addr + kmem_page_size(), end)) {
		count += is_pinned(addr) ? 1 : 0;
	}
	return count;
}

uintptr_t kmem_space_pinned_next(uintptr_t addr, uintptr_t end)
{
	addr = kmem_pte_held_next(addr, end);
	while (addr < end && !is_pinned(addr)) {
		addr = kmem_pte_held_next(addr + kmem_page_size(), end);
	}
	return addr;
}

/* Frames that hold pinned pages. */
static size_t pinned_count(void)
{
	const struct kmem_frames *all = kmem_frame_all();
	size_t count = 0;

	for (size_t i = 0; i < all->count; i++) {
		struct k_mem_page_frame *pf = &all->first[i];

		count += !k_mem_page_frame_is_free(pf) && k_mem_page_frame_is_mapped(pf) && k_mem_page_frame_is_pinned(pf) ? 1 : 0;
	}
	return count;
}

static void unpin(uintptr_t page)
{
	struct k_mem_page_frame *pf = kmem_paging_frame_of(page);

	if (pf != NULL && k_mem_page_frame_is_pinned(pf)) {
		kmem_paging_unpin(pf);
	}
}

#define BYTE_BITS 8U

/* Pin page by page; was_pinned has a bit for each, of those that come first. Drops. */
static int pin_pages(uintptr_t addr, size_t size, uint8_t *was_pinned)
{
	size_t page_size = kmem_page_size();
	size_t done;
	int ret = 0;

	for (done = 0; done < size && ret == 0; done += page_size) {
		struct kmem_paging_request request = {.addr = addr + done, .is_pin = true, .more = size - done - page_size};
		size_t bit = done / page_size;

		if (is_pinned(request.addr)) {
			was_pinned[bit / BYTE_BITS] |= (uint8_t)(1U << bit % BYTE_BITS);
		}
		ret = (kmem_pte_get(request.addr) & KMEM_PTE_NO_ACCESS) != 0 ? -EFAULT : kmem_paging_page_in(&request);
	}
	while (ret != 0 && done > 0) {
		size_t bit;

		done -= page_size;
		bit = done / page_size;
		if ((was_pinned[bit / BYTE_BITS] >> bit % BYTE_BITS & 1) == 0) {
			unpin(addr + done);
		}
	}
	/* What is not mapped, or allows nothing, cannot be brought in. */
	return ret == -EFAULT ? -ENOMEM : ret;
}

static int pin(uintptr_t addr, size_t size)
{
	size_t pages = size / kmem_page_size();
	size_t bytes = kmem_host_page_round((pages + BYTE_BITS - 1) / BYTE_BITS);
	struct kmem_space_survey found;
	void *was_pinned;
	int ret = kmem_space_survey(addr, size, &found);

	if (ret != 0) {
		return ret;
	}
	if (found.has_holes || pages - kmem_space_pinned_in(addr, size) + pinned_count() > PINNED_MAX(kmem_frame_all()->count)) {
		return -ENOMEM;
	}
	ret = kmem_host_memory_get(&was_pinned, bytes);
	if (ret != 0) {
		return ret;
	}
	ret = pin_pages(addr, size, was_pinned);
	kmem_host_memory_free(was_pinned, bytes);
	return ret;
}

static int unpin_range(uintptr_t addr, size_t size)
{
	uintptr_t end = addr + size;
	struct kmem_space_survey found;
	int ret = kmem_space_survey(addr, size, &found);

	if (ret != 0 || found.has_holes) {
		return ret != 0 ? ret : -ENOMEM;
	}
	for (addr = kmem_pte_held_next(addr, end); addr < end; addr = kmem_pte_held_next(addr + kmem_page_size(), end)) {
		unpin(addr);
	}
	return 0;
}

/* Whether a page that is mapped can be brought in for an access, and that is of use. */
static bool wants_in(kmem_pte pte, bool is_write)
{
	unsigned int needed = is_write ? KMEM_PROT_WRITE : KMEM_PROT_READ;

	if (kmem_pte_state(pte) <= KMEM_PTE_GUARD || (pte & (KMEM_PTE_NO_ACCESS | KMEM_PTE_PRIVATE)) != 0 ||
	    (is_write && (pte & K_MEM_PERM_RW) == 0)) {
		return false;
	}
	return (kmem_pte_prot(pte) & needed) == 0;
}

static void page_in(uintptr_t addr, size_t size, bool is_write)
{
	int ret = 0;

	for (size_t done = 0; done < size && ret == 0; done += kmem_page_size()) {
		struct kmem_paging_request request = {
			.addr = addr + done,
			.is_write = is_write,
			.more = size - done - kmem_page_size(),
		};

		if (wants_in(kmem_pte_get(request.addr), is_write)) {
			ret = kmem_paging_page_in(&request);
			/* Unmapped by somebody while it was waited for. */
			ret = ret == -EFAULT ? 0 : ret;
		}
	}
}

int kmem_space_pin(uintptr_t addr, size_t size)
{
	return kmem_space_range_do(addr, size, pin);
}

int kmem_space_unpin(uintptr_t addr, size_t size)
{
	return kmem_space_range_do(addr, size, unpin_range);
}

static int unpinned_check(uintptr_t addr, size_t size)
{
	return kmem_space_pinned_next(addr, addr + size) < addr + size ? -EINVAL : 0;
}

int kmem_space_unpinned_check(uintptr_t addr, size_t size)
{
	return kmem_space_range_do(addr, size, unpinned_check);
}

/* What is pinned of a stack in the VM lies no further than this from the thread's descriptor (thread.c). */
#define DESCRIPTOR_REACH (64UL * 1024)

static bool is_threads_own(uintptr_t page)
{
	uintptr_t self = kmem_page_floor((uintptr_t)kmem_thread_self());

	return (page < self ? self - page : page - self) <= DESCRIPTOR_REACH;
}

static int region_unpin(const struct kmem_region *region, void *arg)
{
	uintptr_t end = region->addr + region->size;
	uintptr_t page = region->addr;

	(void)arg;
	if (region->kind != KMEM_REGION_ANON || region->guarded) {
		return 0;
	}
	for (; (page = kmem_space_pinned_next(page, end)) < end; page += kmem_page_size()) {
		if (!is_threads_own(page)) {
			unpin(page);
		}
	}
	return 0;
}

void kmem_space_forked(void)
{
	(void)kmem_region_index_each(&kmem_kernel.index, region_unpin, NULL);
}

/* The part of a range that lies in the VM; false if there is none. */
static bool clip(uintptr_t *addr, size_t *size)
{
	uintptr_t base = kmem_kernel.settings.vm_base;
	uintptr_t top = base + kmem_kernel.settings.vm_size;
	uintptr_t start = *addr < base ? base : *addr;
	uintptr_t end = *size > top - start ? top : *addr + *size;

	if (start >= top || end <= start) {
		return false;
	}
	*addr = start;
	*size = end - start;
	return true;
}

struct page_in_call {
	uintptr_t addr;
	size_t size;
	bool is_write;
};

static long page_in_call(void *argument)
{
	struct page_in_call call = *(const struct page_in_call *)argument;
	struct kmem_space_section section;
	uint64_t since;

	if (kmem_space_section_enter(&section) != 0) {
		return 0;
	}
	since = kmem_stats_clock();
	if (clip(&call.addr, &call.size)) {
		page_in(call.addr, call.size, call.is_write);
	}
	kmem_stats_paging(since);
	kmem_space_section_leave(&section);
	return 0;
}

void kmem_space_page_in(uintptr_t addr, size_t size, bool is_write)
{
	struct page_in_call call = {.addr = addr, .size = size, .is_write = is_write};

	(void)kmem_stack_call(page_in_call, &call);
}
