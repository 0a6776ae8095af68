/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waiting: the one primitive that semaphores, joins, sleeps and all the rest are made of; and the host's side of a
 * thread.
 *
 * Terms. *Section*: a stretch of code that k_thread_abort() and k_thread_suspend() of another thread may not
 * interrupt. *Pend*: wait in a queue, or in none, until made *ready* by another thread, or until a deadline.
 *
 * Locking. The interrupt lock guards every kernel object, and every wait queue. It is given up while a thread waits,
 * and so is the scheduler lock. All code here may run in any thread, in a fatal error handler too; only what serves a
 * fault must not, since the interrupt lock is outside the library's own.
 */
#ifndef KMEM_COMPAT_WAIT_H
#define KMEM_COMPAT_WAIT_H

#include <pthread.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <kmem/irq.h>
#include <zephyr/kernel/thread.h>
#include <zephyr/kernel_structs.h>

/* Requests to a thread, as bits. */
#define KMEM_REQUEST_ABORT 1U
#define KMEM_REQUEST_SUSPEND 2U
#define KMEM_REQUEST_FORCE_SYSCALL 4U /* also in a system call of the C library's */
#define KMEM_REQUEST_FORCE 8U         /* anywhere in the C library */

/* A host thread with a thread object: one that k_thread_create() made, or another one that asked for its object. */
struct kmem_host_thread {
	/* Constant once it runs. */
	struct k_thread *thread;
	pthread_t pthread;
	pid_t tid;
	bool is_made;       /* by k_thread_create(): it can be left through `frame` */
	void *mapped_stack; /* NULL: the stack is the host's */
	size_t mapped_stack_size;
	uintptr_t stack_start; /* behind its guard; 0: not known */
	size_t stack_guard;

	/* Written by the thread itself, read by its own signal handlers. */
	volatile unsigned int section; /* sections it is in */
	volatile bool is_waiting;      /* asleep in a pend: may be interrupted, though in a section */
	volatile bool has_frame;
	sigjmp_buf frame;

	/* Atomic; other threads wake it by these. */
	_Atomic uint32_t is_ready;
	_Atomic uint32_t requests;
	_Atomic bool is_stopped; /* suspended, in truth */

	/* Guarded by the interrupt lock. */
	int result;                            /* of its pend */
	struct kmem_host_thread *next, **link; /* among the live ones that were made, or the ended ones */
	struct kmem_timeout retry;             /* of an abort by an interrupt handler */
	unsigned int tries;
};

/** The calling thread's. Makes the object of one that has none. _sigsafe. */
struct kmem_host_thread *kmem_host_self(void);

/** The calling thread's, or NULL if it has none. _sigsafe. */
struct kmem_host_thread *kmem_host_peek(void);

/** Enter a section, with and without the interrupt lock, and leave it: what was asked of the thread is done then. */
unsigned int kmem_enter(void);
void kmem_leave(unsigned int key);
void kmem_section_enter(void);
void kmem_section_leave(void);

/**
 * Wait in a queue until kmem_ready(), or until a timeout, or a deadline on the clock of kmem_k_time_ns().
 *
 * @param key  kmem_enter() returned it; this does what kmem_leave() would, too
 * @return what kmem_ready() was given, or -EAGAIN
 * Context: not an emulated interrupt handler.
 */
int kmem_pend(unsigned int key, _wait_q_t *queue, k_timeout_t timeout);
int kmem_pend_until(unsigned int key, _wait_q_t *queue, uint64_t deadline);

/* The rest of this header: interrupt lock held. */

/** The waiting thread that is next, NULL if there is none. */
struct k_thread *kmem_queue_best(const _wait_q_t *queue);

/** Take a thread out of the queue that it waits in, if it does. */
void kmem_unpend(struct k_thread *thread);

/** Let a thread go on that was just taken out, with a result. */
void kmem_ready(struct k_thread *thread, int result);

/** Both, for the best one; it, or NULL. And for all; how many. */
struct k_thread *kmem_wake_one(_wait_q_t *queue, int result);
unsigned int kmem_wake_all(_wait_q_t *queue, int result);

/** Give the scheduler lock up for the time of a wait; whether it was held. And take it (lock not held: it waits). */
bool kmem_sched_give(struct k_thread *thread);
void kmem_sched_take(struct k_thread *thread);

/** In the child of a fork: the scheduler lock is the forking thread's, which may be NULL, or nobody's. */
void kmem_sched_forked(const struct k_thread *self);

/** Bits of a thread's state. Others may read them without the lock. */
static inline void kmem_state_set(struct k_thread *thread, uint32_t bits)
{
	(void)__atomic_fetch_or(&thread->base.thread_state, bits, __ATOMIC_RELAXED);
}

static inline void kmem_state_clear(struct k_thread *thread, uint32_t bits)
{
	(void)__atomic_fetch_and(&thread->base.thread_state, ~bits, __ATOMIC_RELAXED);
}

/** Whether to wait at all: not with K_NO_WAIT. */
static inline bool kmem_timeout_waits(k_timeout_t timeout)
{
	return !K_TIMEOUT_EQ(timeout, K_NO_WAIT);
}

#endif /* KMEM_COMPAT_WAIT_H */
