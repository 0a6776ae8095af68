/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pagers: whatever makes an arena of pages appear in fewer frames than it has pages. libkmem is one, the baselines are others, and all
 * are driven alike.
 *
 * A pager runs in a child process of its own, so that each owns SIGSEGV and SIGBUS there and none sees another's mappings. The child
 * fills the arena once, which leaves every page with a copy in the store, and then waits for orders: a round of accesses, which it
 * times. Only one child works at a time, so that rounds of several pagers can follow one another.
 *
 * Each page begins with its own number, which writes put there again and reads check: a pager that mixes up pages ends the
 * program. What is behind it compresses to about a half, as memory of programs does: to swap in compressed memory that matters.
 */
#ifndef BENCH_PAGER_H
#define BENCH_PAGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PAGER_PAGE 4096UL

struct pager_setup {
	size_t frames;         /* of RAM */
	size_t pages;          /* of the arena */
	bool is_file;          /* the store is a file, else memory */

	/* libkmem only */
	const char *engine;
	const char *policy;     /* NULL: the default */
	unsigned int readahead; /* pages brought in for one trap at most; 0: one */
};

struct pager {
	const char *name;
	bool is_parallel; /* more than one thread can use it */
	bool is_shared;   /* threads can use the same pages */

	/* In the parent, around the life of the child: what takes privileges and must be put back. Optional. NULL, or why it cannot be. */
	const char *(*prepare)(const struct pager_setup *setup);
	void (*restore)(void);

	/* In the child. NULL and the arena, or why it cannot run on this host. */
	const char *(*start)(const struct pager_setup *setup, uint8_t **arena);

	/* The next round reads only, or writes only, with so many threads. Optional. */
	void (*mode)(bool is_write, unsigned int threads);

	/* In each of these threads, before its accesses. Optional. */
	void (*enter)(unsigned int thread);

	/* Traps, or faults, so far, as far as it knows. */
	unsigned long (*faults)(void);
};

extern const struct pager pager_floor_guard;
extern const struct pager pager_floor_mmap;
extern const struct pager pager_floor_uffd;
extern const struct pager pager_handler;
extern const struct pager pager_kmem;
extern const struct pager pager_mprotect;
extern const struct pager pager_swap;

/*
 * What a round does. In random order threads use the whole arena if the pager lets them, so that it does not matter how the host schedules
 * them; else, and in sequence, thread i has the ith part of it.
 */
struct pager_order {
	bool is_random;
	bool is_write;
	unsigned int threads;
	size_t accesses; /* all threads together */
};

struct pager_result {
	uint64_t ns;     /* from the first access to the last, or with --cpu-time of all processors that the process had meanwhile */
	unsigned long faults;
};

/* A running child. */
struct pager_child {
	const struct pager *pager;
	pid_t pid;
	int to, from; /* pipes */
	char reason[256]; /* why it does not run, if pid is 0 */
};

/* Start one, and wait until its arena is full. False with the reason if it cannot run here. */
bool pager_child_start(struct pager_child *child, const struct pager *pager, const struct pager_setup *setup);
void pager_child_stop(struct pager_child *child);

/* Have it make a round; ends the program if it dies. */
void pager_child_order(struct pager_child *child, const struct pager_order *order, struct pager_result *result);

/* Stop whatever was started and put the host back, at the end of the program and on a signal that ends it. */
void pager_children_init(void);

#endif /* BENCH_PAGER_H */
