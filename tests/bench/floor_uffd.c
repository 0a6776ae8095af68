/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The floor of the uffd engine: SIGBUS in the faulting thread (UFFD_FEATURE_SIGBUS). Writing, the victim's memory is moved to the
 * frame's slot, copied out, filled with the new page's bytes, and moved to the page. Reading, a victim that is clean is dropped, and
 * the new page is copied in write-protected, since a moved page can be written.
 */
#include <fcntl.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "floor.h"
#include "host_numbers.h"

static int uffd;
static uint8_t *slots;
static bool *has_memory; /* by frame: the slot, while the frame is empty */

static int area_register(uint8_t *addr, size_t size)
{
	struct uffdio_register area = {
		.range = {(uintptr_t)addr, size},
		.mode = UFFDIO_REGISTER_MODE_MISSING | UFFDIO_REGISTER_MODE_WP,
	};

	return ioctl(uffd, UFFDIO_REGISTER, &area);
}

static const char *start(void)
{
	struct uffdio_api api = {.api = UFFD_API, .features = UFFD_FEATURE_SIGBUS | UFFD_FEATURE_MOVE};

	uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);
	if (uffd < 0) {
		return "the host refuses userfaultfd()";
	}
	if (ioctl(uffd, UFFDIO_API, &api) != 0) {
		return "the host cannot move pages (UFFD_FEATURE_MOVE, Linux 6.8)";
	}
	floor_state.arena = bench_memory(floor_state.pages * PAGER_PAGE, PROT_READ | PROT_WRITE);
	slots = bench_memory(floor_state.frames * PAGER_PAGE, PROT_READ | PROT_WRITE);
	has_memory = bench_memory(floor_state.frames * sizeof(*has_memory), PROT_READ | PROT_WRITE);
	FLOOR_MUST(area_register(floor_state.arena, floor_state.pages * PAGER_PAGE) == 0);
	FLOOR_MUST(area_register(slots, floor_state.frames * PAGER_PAGE) == 0);
	return NULL;
}

static void move(uint8_t *to, uint8_t *from)
{
	struct uffdio_move call = {.dst = (uintptr_t)to, .src = (uintptr_t)from, .len = PAGER_PAGE};

	while (ioctl(uffd, UFFDIO_MOVE, &call) != 0) {
		FLOOR_MUST(errno == EAGAIN);
	}
}

/* Another thread's calls on the mapping make this one be repeated. */
static void copy(size_t page, const void *bytes, uint64_t mode)
{
	struct uffdio_copy call = {.dst = (uintptr_t)floor_page(page), .src = (uintptr_t)bytes, .len = PAGER_PAGE, .mode = mode};

	while (ioctl(uffd, UFFDIO_COPY, &call) != 0) {
		FLOOR_MUST(errno == EAGAIN);
	}
}

static void protect(size_t page, uint64_t mode)
{
	struct uffdio_writeprotect call = {.range = {(uintptr_t)floor_page(page), PAGER_PAGE}, .mode = mode};

	FLOOR_MUST(ioctl(uffd, UFFDIO_WRITEPROTECT, &call) == 0);
}

static void out(size_t page, size_t frame, bool is_dirty)
{
	uint8_t *slot = slots + frame * PAGER_PAGE;

	if (!is_dirty) {
		FLOOR_MUST(madvise(floor_page(page), PAGER_PAGE, MADV_DONTNEED) == 0);
		return;
	}
	move(slot, floor_page(page));
	floor_store_write(page, slot);
	has_memory[frame] = true;
}

static void slot_drop(size_t frame)
{
	if (has_memory[frame]) {
		FLOOR_MUST(madvise(slots + frame * PAGER_PAGE, PAGER_PAGE, MADV_DONTNEED) == 0);
		has_memory[frame] = false;
	}
}

static void in(size_t page, size_t frame, bool is_write)
{
	uint8_t *slot = slots + frame * PAGER_PAGE;
	uint8_t *bytes = floor_state.store != NULL ? floor_state.store + page * PAGER_PAGE : floor_buffer();

	if (is_write && has_memory[frame]) {
		floor_store_read(page, slot);
		has_memory[frame] = false;
		move(floor_page(page), slot);
		return;
	}
	slot_drop(frame);
	if (floor_state.store == NULL) {
		floor_store_read(page, bytes);
	}
	copy(page, bytes, is_write ? 0 : UFFDIO_COPY_MODE_WP);
}

static void upgrade(size_t page, size_t frame)
{
	(void)frame;
	protect(page, 0);
}

static const struct floor_host host = {.signo = SIGBUS, .start = start, .out = out, .in = in, .upgrade = upgrade};

static const char *host_start(const struct pager_setup *setup, uint8_t **arena)
{
	return floor_start(&host, setup, arena);
}

const struct pager pager_floor_uffd = {
	.name = "floor_uffd",
	.is_parallel = true,
	.start = host_start,
	.mode = floor_mode,
	.enter = floor_enter,
	.faults = floor_faults,
};
