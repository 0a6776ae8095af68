/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A baseline: userfaultfd as its manual page shows it. Faults are read from the descriptor by a thread, which sends a page out and copies
 * the new one in with UFFDIO_COPY; the thread that faulted sleeps meanwhile.
 *
 * A page is written out while it can still be written, which only a program that has one thread may allow itself; a real one would do more.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench.h"
#include "floor.h"
#include "host_numbers.h"
#include "pager.h"

static struct {
	int uffd;
	size_t pages, frames, hand;
	size_t *page_of; /* by frame */
	uint8_t *arena, *store;
	unsigned long faults;
	bool is_write;
} pager;

static void page_write(size_t page)
{
	memcpy(pager.store + page * PAGER_PAGE, pager.arena + page * PAGER_PAGE, PAGER_PAGE);
}

static void frame_empty(size_t frame)
{
	size_t page = pager.page_of[frame];

	if (page == FLOOR_NONE) {
		return;
	}
	/* All accesses of a round are alike, and what was in before it was written out at its beginning. */
	if (pager.is_write) {
		page_write(page);
	}
	FLOOR_MUST(madvise(pager.arena + page * PAGER_PAGE, PAGER_PAGE, MADV_DONTNEED) == 0);
}

static void serve(uintptr_t addr)
{
	size_t page = (addr - (uintptr_t)pager.arena) / PAGER_PAGE;
	size_t frame = pager.hand;
	struct uffdio_copy copy = {
		.dst = (uintptr_t)(pager.arena + page * PAGER_PAGE),
		.src = (uintptr_t)(pager.store + page * PAGER_PAGE),
		.len = PAGER_PAGE,
	};

	pager.hand = frame + 1 < pager.frames ? frame + 1 : 0;
	frame_empty(frame);
	pager.page_of[frame] = page;
	pager.faults++;
	FLOOR_MUST(ioctl(pager.uffd, UFFDIO_COPY, &copy) == 0);
}

static void *thread_serve(void *argument)
{
	struct uffd_msg message;

	while (read(pager.uffd, &message, sizeof(message)) == (ssize_t)sizeof(message)) {
		if (message.event == UFFD_EVENT_PAGEFAULT) {
			serve((uintptr_t)message.arg.pagefault.address);
		}
	}
	return argument;
}

static const char *start(const struct pager_setup *setup, uint8_t **arena)
{
	struct uffdio_api api = {.api = UFFD_API};
	struct uffdio_register area = {.mode = UFFDIO_REGISTER_MODE_MISSING};
	size_t size = setup->pages * PAGER_PAGE;
	pthread_t thread;

	if (setup->is_file) {
		return "it has a store in memory only";
	}
	pager.uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);
	if (pager.uffd < 0 || ioctl(pager.uffd, UFFDIO_API, &api) != 0) {
		return "the host refuses userfaultfd()";
	}
	pager.pages = setup->pages;
	pager.frames = setup->frames;
	pager.arena = bench_memory(size, PROT_READ | PROT_WRITE);
	pager.store = bench_memory(size, PROT_READ | PROT_WRITE);
	pager.page_of = malloc(pager.frames * sizeof(*pager.page_of));
	FLOOR_MUST(pager.page_of != NULL);
	for (size_t i = 0; i < pager.frames; i++) {
		pager.page_of[i] = FLOOR_NONE;
	}
	area.range.start = (uintptr_t)pager.arena;
	area.range.len = size;
	FLOOR_MUST(ioctl(pager.uffd, UFFDIO_REGISTER, &area) == 0);
	FLOOR_MUST(pthread_create(&thread, NULL, thread_serve, NULL) == 0);
	*arena = pager.arena;
	return NULL;
}

static void mode(bool is_write, unsigned int threads)
{
	(void)threads;
	for (size_t frame = 0; frame < pager.frames; frame++) {
		if (pager.page_of[frame] != FLOOR_NONE) {
			page_write(pager.page_of[frame]);
		}
	}
	pager.is_write = is_write;
}

static unsigned long faults(void)
{
	return pager.faults;
}

const struct pager pager_handler = {
	.name = "userfaultfd thread pager",
	.start = start,
	.mode = mode,
	.faults = faults,
};
