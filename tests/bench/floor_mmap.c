/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The floor of the mmap engine: SIGSEGV; inaccessible memory is mapped over the victim, and the frame, which holds the new
 * page's bytes by then, over the page. The frames lie in a file in memory and are seen as a whole in a second mapping.
 */
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "floor.h"

static int frames_fd;
static uint8_t *frames;

static const char *start(void)
{
	size_t size = floor_state.frames * PAGER_PAGE;

	frames_fd = memfd_create("floor", MFD_CLOEXEC);
	FLOOR_MUST(frames_fd >= 0 && ftruncate(frames_fd, (off_t)size) == 0);
	frames = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, frames_fd, 0);
	FLOOR_MUST(frames != MAP_FAILED);
	floor_state.arena = bench_reserve(floor_state.pages * PAGER_PAGE);
	return NULL;
}

static void out(size_t page, size_t frame, bool is_dirty)
{
	FLOOR_MUST(mmap(floor_page(page), PAGER_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) !=
		   MAP_FAILED);
	if (is_dirty) {
		floor_store_write(page, frames + frame * PAGER_PAGE);
	}
}

static void in(size_t page, size_t frame, bool is_write)
{
	floor_store_read(page, frames + frame * PAGER_PAGE);
	FLOOR_MUST(mmap(floor_page(page), PAGER_PAGE, is_write ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED | MAP_FIXED, frames_fd,
			(off_t)(frame * PAGER_PAGE)) != MAP_FAILED);
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

const struct pager pager_floor_mmap = {
	.name = "floor_mmap",
	.is_parallel = true,
	.start = host_start,
	.mode = floor_mode,
	.enter = floor_enter,
	.faults = floor_faults,
};
