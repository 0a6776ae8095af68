/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What floors have in common; see floor.h.
 */
#include "floor.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "store_file.h"

struct floor floor_state = {.store_fd = -1};

/* The frames of a thread, and those alone. On a cache line of its own. */
struct part {
	size_t first, count, hand;
	unsigned long faults;
} __attribute__((aligned(128)));

static struct {
	const struct floor_host *host;
	size_t *page_of;  /* by frame: FLOOR_NONE if empty */
	size_t *frame_of; /* by page: FLOOR_NONE if out */
	bool *is_dirty;   /* by frame */
	bool is_write;    /* what all accesses of this round are */
	unsigned int threads;
	struct part parts[BENCH_THREADS_MAX];
} common;

static __thread struct part *own __attribute__((tls_model("initial-exec")));
static __thread uint8_t buffer[PAGER_PAGE] __attribute__((aligned(4096), tls_model("initial-exec")));

void *floor_buffer(void)
{
	return buffer;
}

void floor_store_read(size_t page, void *bytes)
{
	if (floor_state.store != NULL) {
		memcpy(bytes, floor_state.store + page * PAGER_PAGE, PAGER_PAGE);
		return;
	}
	FLOOR_MUST(pread(floor_state.store_fd, bytes, PAGER_PAGE, (off_t)(page * PAGER_PAGE)) == (ssize_t)PAGER_PAGE);
}

void floor_store_write(size_t page, const void *bytes)
{
	if (floor_state.store != NULL) {
		memcpy(floor_state.store + page * PAGER_PAGE, bytes, PAGER_PAGE);
		return;
	}
	FLOOR_MUST(pwrite(floor_state.store_fd, bytes, PAGER_PAGE, (off_t)(page * PAGER_PAGE)) == (ssize_t)PAGER_PAGE);
}

static void frame_empty(size_t frame)
{
	size_t page = common.page_of[frame];

	if (page != FLOOR_NONE) {
		common.host->out(page, frame, common.is_dirty[frame]);
		common.frame_of[page] = FLOOR_NONE;
		common.page_of[frame] = FLOOR_NONE;
	}
}

static void handler(int signo, siginfo_t *info, void *context)
{
	size_t page = (size_t)((uint8_t *)info->si_addr - floor_state.arena) / PAGER_PAGE;
	size_t frame;

	(void)signo;
	(void)context;
	if (page >= floor_state.pages) {
		abort();
	}
	own->faults++;
	frame = common.frame_of[page];
	if (frame != FLOOR_NONE) {
		common.host->upgrade(page, frame);
		common.is_dirty[frame] = true;
		return;
	}
	frame = own->first + own->hand;
	own->hand = own->hand + 1 < own->count ? own->hand + 1 : 0;
	frame_empty(frame);
	common.host->in(page, frame, common.is_write);
	common.page_of[frame] = page;
	common.frame_of[page] = frame;
	common.is_dirty[frame] = common.is_write;
}

static size_t *indices(size_t count)
{
	size_t *array = malloc(count * sizeof(*array));

	FLOOR_MUST(array != NULL);
	for (size_t i = 0; i < count; i++) {
		array[i] = FLOOR_NONE;
	}
	return array;
}

const char *floor_start(const struct floor_host *host, const struct pager_setup *setup, uint8_t **arena)
{
	struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
	const char *why;

	floor_state.pages = setup->pages;
	floor_state.frames = setup->frames;
	why = host->start();
	if (why != NULL) {
		return why;
	}
	if (setup->is_file) {
		floor_state.store_fd = store_file_open();
		FLOOR_MUST(ftruncate(floor_state.store_fd, (off_t)(setup->pages * PAGER_PAGE)) == 0);
	} else {
		floor_state.store = bench_memory(setup->pages * PAGER_PAGE, PROT_READ | PROT_WRITE);
	}
	common.host = host;
	common.page_of = indices(setup->frames);
	common.frame_of = indices(setup->pages);
	common.is_dirty = calloc(setup->frames, sizeof(*common.is_dirty));
	FLOOR_MUST(common.is_dirty != NULL && sigaction(host->signo, &action, NULL) == 0);
	*arena = floor_state.arena;
	return NULL;
}

void floor_mode(bool is_write, unsigned int threads)
{
	common.is_write = is_write;
	if (common.threads == threads) {
		return;
	}
	common.threads = threads;
	for (size_t frame = 0; frame < floor_state.frames; frame++) {
		frame_empty(frame);
	}
	for (unsigned int i = 0; i < threads; i++) {
		size_t count = floor_state.frames / threads;

		common.parts[i] = (struct part){.first = i * count, .count = count, .faults = common.parts[i].faults};
	}
}

void floor_enter(unsigned int thread)
{
	own = &common.parts[thread];
}

unsigned long floor_faults(void)
{
	unsigned long sum = 0;

	for (unsigned int i = 0; i < BENCH_THREADS_MAX; i++) {
		sum += common.parts[i].faults;
	}
	return sum;
}
