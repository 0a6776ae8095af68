/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The floor of the guard engine: SIGSEGV; the arena is one shared mapping of a sparse file in memory, in which absent pages bear guard
 * markers. A victim gets its marker back, is copied out through a second mapping of the file, and punched out of it; the new page is
 * allocated in the file, copied in through the second mapping, and loses its marker.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "floor.h"
#include "host_numbers.h"

static int file;
static uint8_t *bytes;      /* the second mapping */
static bool *is_read_only; /* by page: what its mapping allows, marker or not */

static const char *start(void)
{
	size_t size = floor_state.pages * PAGER_PAGE;

	file = memfd_create("floor", MFD_CLOEXEC);
	FLOOR_MUST(file >= 0 && ftruncate(file, (off_t)size) == 0);
	bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	floor_state.arena = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	is_read_only = calloc(floor_state.pages, sizeof(*is_read_only));
	FLOOR_MUST(bytes != MAP_FAILED && floor_state.arena != MAP_FAILED && is_read_only != NULL);
	if (madvise(floor_state.arena, size, MADV_GUARD_INSTALL) != 0) {
		return "the host has no guard markers for files (Linux 6.15)";
	}
	return NULL;
}

static void protect(size_t page, bool wants_read_only)
{
	if (is_read_only[page] != wants_read_only) {
		FLOOR_MUST(mprotect(floor_page(page), PAGER_PAGE, wants_read_only ? PROT_READ : PROT_READ | PROT_WRITE) == 0);
		is_read_only[page] = wants_read_only;
	}
}

static void out(size_t page, size_t frame, bool is_dirty)
{
	(void)frame;
	FLOOR_MUST(madvise(floor_page(page), PAGER_PAGE, MADV_GUARD_INSTALL) == 0);
	if (is_dirty) {
		floor_store_write(page, bytes + page * PAGER_PAGE);
	}
	FLOOR_MUST(fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)(page * PAGER_PAGE), PAGER_PAGE) == 0);
}

static void in(size_t page, size_t frame, bool is_write)
{
	(void)frame;
	FLOOR_MUST(fallocate(file, 0, (off_t)(page * PAGER_PAGE), PAGER_PAGE) == 0);
	floor_store_read(page, bytes + page * PAGER_PAGE);
	protect(page, !is_write);
	FLOOR_MUST(madvise(floor_page(page), PAGER_PAGE, MADV_GUARD_REMOVE) == 0);
}

static void upgrade(size_t page, size_t frame)
{
	(void)frame;
	protect(page, false);
}

static const struct floor_host host = {.signo = SIGSEGV, .start = start, .out = out, .in = in, .upgrade = upgrade};

static const char *host_start(const struct pager_setup *setup, uint8_t **arena)
{
	return floor_start(&host, setup, arena);
}

const struct pager pager_floor_guard = {
	.name = "floor_guard",
	.is_parallel = true,
	.start = host_start,
	.mode = floor_mode,
	.enter = floor_enter,
	.faults = floor_faults,
};
