/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads of the library's own, each for one piece of work: at an interval, when it is woken, or both.
 */
#ifndef KMEM_HOST_HELPER_H
#define KMEM_HOST_HELPER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Lives as long as the process. */
struct kmem_helper {
	/* set by the user before it is started, and not while it runs */
	bool (*tick)(void);     /* the work; false: the thread is to end */
	unsigned int period_ms; /* 0: no interval */

	/* the helper's own; zeroed at first */
	_Atomic uint32_t thread;  /* 0: none, or not begun */
	_Atomic uint32_t wakes;   /* how often it was woken */
	_Atomic uintptr_t serial; /* of the thread that is wanted; others end */
	void *stack;              /* with a guard below; NULL if there was no thread since it was stopped */
	pthread_t handle;
	struct kmem_helper *next; /* among those that were ever started */
	bool is_listed;
};

/*
 * Call tick at every period, and once for one or more wakes before it, from a thread with all signals blocked. The thread is made
 * by pthread_create(), so not where the heap may not be used, and it runs when this returns. It ends by itself once all others have: it
 * does not keep the process alive. Without a period it sleeps until it is woken. tick must not touch paged memory. 0 or -errno. A thread
 * that it has already is stopped first.
 */
int kmem_helper_start(struct kmem_helper *helper);

/* Have tick called, soon, also if it runs at the moment. Nothing where there is no thread. _sigsafe, under any lock. */
void kmem_helper_wake(struct kmem_helper *helper);

/* Its thread id; 0 where there is none. */
uint32_t kmem_helper_thread(const struct kmem_helper *helper);

/*
 * Have the thread end: it is gone when this returns, and nothing of it is left. Waits for a tick, so no lock is held. In that thread
 * itself, which exit() may run in, nothing.
 */
void kmem_helper_stop(struct kmem_helper *helper);

/* In the child of a fork, where the thread is not. */
void kmem_helper_forked(struct kmem_helper *helper);

#endif /* KMEM_HOST_HELPER_H */
