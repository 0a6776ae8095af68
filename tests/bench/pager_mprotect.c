/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A baseline: the pager that one writes first. Anonymous memory; SIGSEGV; mprotect() opens a page and closes it, the copies go to and
 * from the page itself, and what has gone out is given back with MADV_DONTNEED.
 *
 * It fills a page where other threads can already use it, and so is right for one thread only.
 */
#include <signal.h>
#include <sys/mman.h>

#include "floor.h"

static const char *start(void)
{
	floor_state.arena = bench_memory(floor_state.pages * PAGER_PAGE, PROT_NONE);
	return NULL;
}

static void out(size_t page, size_t frame, bool is_dirty)
{
	(void)frame;
	if (is_dirty) {
		floor_store_write(page, floor_page(page));
	}
	FLOOR_MUST(mprotect(floor_page(page), PAGER_PAGE, PROT_NONE) == 0);
	FLOOR_MUST(madvise(floor_page(page), PAGER_PAGE, MADV_DONTNEED) == 0);
}

static void in(size_t page, size_t frame, bool is_write)
{
	(void)frame;
	FLOOR_MUST(mprotect(floor_page(page), PAGER_PAGE, PROT_READ | PROT_WRITE) == 0);
	floor_store_read(page, floor_page(page));
	if (!is_write) {
		FLOOR_MUST(mprotect(floor_page(page), PAGER_PAGE, PROT_READ) == 0);
	}
}

static void upgrade(size_t page, size_t frame)
{
	(void)frame;
	FLOOR_MUST(mprotect(floor_page(page), PAGER_PAGE, PROT_READ | PROT_WRITE) == 0);
}

static const struct floor_host host = {.signo = SIGSEGV, .start = start, .out = out, .in = in, .upgrade = upgrade};

static const char *host_start(const struct pager_setup *setup, uint8_t **arena)
{
	return floor_start(&host, setup, arena);
}

const struct pager pager_mprotect = {
	.name = "SIGSEGV + mprotect pager",
	.start = host_start,
	.mode = floor_mode,
	.enter = floor_enter,
	.faults = floor_faults,
};
