/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paging on request: k_mem_page_in(), k_mem_page_out(), k_mem_pin(), k_mem_unpin() and their kin.
 * (Zephyr: kernel/mm/demand_paging.h, mmu.h)
 *
 * Each checks its range as Zephyr asserts it, takes the lock, and goes through the pages in ascending order. A caller's bug
 * is noted under the lock and raised without it. Without assertions a wrong page is passed over.
 */
#include <errno.h>

#include "host/log.h"
#include "host/process.h"
#include "kernel/cleaner.h"
#include "kernel/fatal.h"
#include "kernel/frame.h"
#include "kernel/kernel.h"
#include "kernel/paging.h"
#include "kernel/program_image.h"
#include "kernel/range.h"
#include "kernel/stats.h"

/* What is done to one page, of a range with so many bytes from it on; lock held. 0 to go on, -errno to stop. */
typedef int (*page_op)(uintptr_t addr, size_t rest, struct kmem_bug *bug);

/* Do it to every page of a checked range. */
static int for_each_page(void *addr, size_t size, page_op op)
{
	struct kmem_bug bug = {.condition = NULL};
	uintptr_t start = (uintptr_t)addr;
	uint64_t since;
	kmem_sigmask saved;
	int ret = 0;

	if (kmem_kernel_ready() != 0) {
		return -ENODEV;
	}
	if (!kmem_range_check(start, size, &bug)) {
		kmem_bug_raise(&bug);
		return 0;
	}
	kmem_cleaner_resume();
	since = kmem_stats_clock();
	kmem_kernel_lock(&saved);
	for (size_t done = 0; done < size && ret == 0 && bug.condition == NULL; done += kmem_page_size()) {
		ret = op(start + done, size - done, &bug);
	}
	kmem_stats_paging(since);
	kmem_kernel_unlock(&saved);
	kmem_bug_raise(&bug);
	return ret;
}

static void unmapped_note(struct kmem_bug *bug, uintptr_t addr)
{
	KMEM_BUG(bug, "page is mapped", "page at 0x%zx is not mapped", (size_t)addr);
}

/* Go on past an unmapped page where nobody asserts. */
static int bring_in(uintptr_t addr, size_t rest, bool is_pin, struct kmem_bug *bug)
{
	struct kmem_paging_request request = {.addr = addr, .is_pin = is_pin, .more = rest - kmem_page_size()};
	int ret = kmem_paging_page_in(&request);

	if (ret == 0) {
		return 0;
	}
	if (request.kind == KMEM_FAULT_UNMAPPED || request.kind == KMEM_FAULT_GUARD) {
		if (kmem_kernel.settings.assertions) {
			unmapped_note(bug, addr);
		}
		return 0;
	}
	kmem_log(KMEM_LOG_ERROR, "page at 0x%zx cannot be brought in: %s", (size_t)addr, kmem_error_name(-ret));
	return ret;
}

static int op_page_in(uintptr_t addr, size_t rest, struct kmem_bug *bug)
{
	return bring_in(addr, rest, false, bug);
}

static int op_pin(uintptr_t addr, size_t rest, struct kmem_bug *bug)
{
	return bring_in(addr, rest, true, bug);
}

/* Whether the page is mapped, once nobody moves it; noted if not. */
static bool is_mapped(uintptr_t addr, struct kmem_bug *bug)
{
	kmem_pte pte;

	(void)kmem_paging_settle(addr, kmem_page_size());
	pte = kmem_pte_get(addr);
	if (kmem_pte_state(pte) != KMEM_PTE_IN && kmem_pte_state(pte) != KMEM_PTE_OUT) {
		if (kmem_kernel.settings.assertions) {
			unmapped_note(bug, addr);
		}
		return false;
	}
	return true;
}

static int op_unpin(uintptr_t addr, size_t rest, struct kmem_bug *bug)
{
	struct k_mem_page_frame *pf;

	(void)rest;
	if (!is_mapped(addr, bug)) {
		return 0;
	}
	pf = kmem_paging_frame_of(addr);
	if (pf != NULL && k_mem_page_frame_is_pinned(pf) && kmem_program_image_adopt(addr) == 0) {
		kmem_paging_unpin(pf);
	}
	return 0;
}

/* The frames of the pages from addr on that can go out without a question, up to the first one that cannot. Lock held. */
static size_t frames_behind(uintptr_t addr, size_t size, struct k_mem_page_frame **pfs, size_t limit)
{
	size_t count = 0;

	for (size_t done = 0; done < size && count < limit; done += kmem_page_size()) {
		struct k_mem_page_frame *pf = kmem_paging_frame_of(addr + done);

		if (pf == NULL || !k_mem_page_frame_is_evictable(pf)) {
			break;
		}
		pfs[count++] = pf;
	}
	return count;
}

/*
 * Zephyr only asserts that a page is not pinned: without assertions it goes out all the same. Pages of the range behind it go with it: they
 * are out then when it is their turn.
 */
static int page_out_frame(struct k_mem_page_frame *pf, size_t rest, struct kmem_bug *bug)
{
	struct k_mem_page_frame *pfs[KMEM_PAGING_VECTOR] = {pf};
	uintptr_t addr = (uintptr_t)k_mem_page_frame_to_virt(pf);
	size_t count = 1;
	int ret;

	if (k_mem_page_frame_is_pinned(pf) && kmem_kernel.settings.assertions) {
		KMEM_BUG(bug, "!k_mem_page_frame_is_pinned(pf)", "page at %p, frame at 0x%zx, is pinned",
			 k_mem_page_frame_to_virt(pf), (size_t)kmem_frame_phys(pf));
		return 0;
	}
	ret = kmem_program_image_adopt(addr);
	if (ret != 0) {
		return ret;
	}
	if (rest > 0) {
		count += frames_behind(addr + kmem_page_size(), rest, pfs + 1, KMEM_PAGING_VECTOR - 1);
	}
	return kmem_paging_pages_out(pfs, count, true);
}

static int op_page_out(uintptr_t addr, size_t rest, struct kmem_bug *bug)
{
	struct k_mem_page_frame *pf;

	if (!is_mapped(addr, bug) || kmem_pte_state(kmem_pte_get(addr)) == KMEM_PTE_OUT) {
		return 0;
	}
	pf = kmem_paging_frame_of(addr);
	if (pf == NULL) {
		if (kmem_kernel.settings.assertions) {
			KMEM_BUG(bug, "page has a frame of its own",
				 "page at 0x%zx maps physical memory and cannot go out", (size_t)addr);
		}
		return 0;
	}
	return page_out_frame(pf, rest - kmem_page_size(), bug);
}

void k_mem_page_in(void *addr, size_t size)
{
	(void)for_each_page(addr, size, op_page_in);
}

void k_mem_pin(void *addr, size_t size)
{
	(void)for_each_page(addr, size, op_pin);
}

void k_mem_unpin(void *addr, size_t size)
{
	(void)for_each_page(addr, size, op_unpin);
}

/* Without demand paging nothing can go out. */
static bool can_page(struct kmem_bug *bug)
{
	if (!kmem_kernel.settings.demand_paging) {
		KMEM_BUG(bug, "demand paging is on", "demand paging is off in this configuration");
	}
	return kmem_kernel.settings.demand_paging;
}

int k_mem_page_out(void *addr, size_t size)
{
	struct kmem_bug bug = {.condition = NULL};

	if (kmem_kernel_ready() == 0 && !can_page(&bug)) {
		kmem_bug_raise(&bug);
		return -ENOTSUP;
	}
	return for_each_page(addr, size, op_page_out);
}

int k_mem_page_frame_evict(uintptr_t phys)
{
	struct kmem_bug bug = {.condition = NULL};
	struct k_mem_page_frame *pf;
	kmem_sigmask saved;
	int ret = 0;

	if (kmem_kernel_ready() != 0) {
		return -ENODEV;
	}
	pf = kmem_frame_at(phys);
	if (pf == NULL || phys % kmem_page_size() != 0) {
		KMEM_BUG(&bug, "k_mem_is_page_frame(phys)", "0x%zx is not the address of a frame in [0x%zx, 0x%zx)",
			 (size_t)phys, (size_t)kmem_kernel.layout.phys_ram_start, (size_t)kmem_kernel.layout.phys_ram_end);
	}
	if (bug.condition != NULL || !can_page(&bug)) {
		kmem_bug_raise(&bug);
		return -EINVAL;
	}
	kmem_kernel_lock(&saved);
	while (!k_mem_page_frame_is_free(pf) && k_mem_page_frame_is_busy(pf)) {
		kmem_paging_change_wait();
	}
	if (!k_mem_page_frame_is_free(pf) && k_mem_page_frame_is_mapped(pf)) {
		ret = page_out_frame(pf, 0, &bug);
	}
	kmem_kernel_unlock(&saved);
	kmem_bug_raise(&bug);
	return ret;
}

bool k_mem_page_fault(void *addr)
{
	struct kmem_paging_request request = {.is_write = false};
	kmem_sigmask saved;
	int ret;

	if (kmem_kernel_ready() != 0 || !kmem_page_table_covers((uintptr_t)addr)) {
		return false;
	}
	request.addr = kmem_page_floor((uintptr_t)addr);
	kmem_kernel_lock(&saved);
	ret = kmem_paging_page_in(&request);
	kmem_kernel_unlock(&saved);
	return ret == 0;
}

unsigned long k_mem_num_pagefaults_get(void)
{
	unsigned long count;
	kmem_sigmask saved;

	if (kmem_kernel_ready() != 0) {
		return 0;
	}
	kmem_kernel_lock(&saved);
	count = kmem_stats_all()->pagefaults.cnt;
	kmem_kernel_unlock(&saved);
	return count;
}
