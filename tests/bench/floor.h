/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Floors: the least that paging in a signal handler can cost on a host. A handler that takes the frames in turn, and does for the
 * page in the frame and the one that trapped what cannot be left out: the host's calls and the copies. It knows which pages
 * are dirty, as a pager must, and knows nothing of policies, locks, counters, errors, or pages shared by threads: each thread has pages
 * and frames of its own.
 *
 * Each host mechanism is a struct floor_host of a few lines.
 */
#ifndef BENCH_FLOOR_H
#define BENCH_FLOOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench.h"
#include "pager.h"

#define FLOOR_NONE SIZE_MAX

struct floor_host {
	int signo;

	/* Make floor.arena, where every page traps. NULL, or why not. */
	const char *(*start)(void);

	/* The page leaves the frame: it traps from then on, and its bytes are in the store if they were not. */
	void (*out)(size_t page, size_t frame, bool is_dirty);

	/* The page's bytes come from the store, to a frame that is empty, and it allows reading, or writing. */
	void (*in)(size_t page, size_t frame, bool is_write);

	/* A page that is in, for reading, is to be written. */
	void (*upgrade)(size_t page, size_t frame);
};

extern struct floor {
	size_t pages, frames;
	uint8_t *arena;
	uint8_t *store; /* NULL where it is a file */
	int store_fd;
} floor_state;

static inline uint8_t *floor_page(size_t page)
{
	return floor_state.arena + page * PAGER_PAGE;
}

/* The store: one copy, or one call. */
void floor_store_read(size_t page, void *bytes);
void floor_store_write(size_t page, const void *bytes);

/* Where bytes can pass through, one page a thread. */
void *floor_buffer(void);

/* Members of struct pager. */
const char *floor_start(const struct floor_host *host, const struct pager_setup *setup, uint8_t **arena);
void floor_mode(bool is_write, unsigned int threads);
void floor_enter(unsigned int thread);
unsigned long floor_faults(void);

/* A call that cannot fail here. */
#define FLOOR_MUST(call)                                                                                               \
	do {                                                                                                           \
		if (!(call)) {                                                                                         \
			bench_die(#call);                                                                              \
		}                                                                                                      \
	} while (false)

#endif /* BENCH_FLOOR_H */
