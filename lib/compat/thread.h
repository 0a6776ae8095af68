/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads, as the files of this directory share them.
 */
#ifndef KMEM_COMPAT_THREAD_H
#define KMEM_COMPAT_THREAD_H

#include "compat/wait.h"

/* Where threads wait that are not started, and those that sleep. */
extern _wait_q_t kmem_start_queue;
extern _wait_q_t kmem_sleep_queue;

/* The live host threads of k_thread_create(). Interrupt lock held. */
extern struct kmem_host_thread *kmem_host_threads;

/** In the child of a fork: nobody is left to be joined. */
void kmem_threads_forked(void);

/** Counters of a thread that ends go to its object's. Context: that thread, no lock held. */
void kmem_thread_stats_keep(const struct k_thread *thread);

/** Whether a thread has ended. Context: anywhere. */
static inline bool kmem_thread_is_dead(const struct k_thread *thread)
{
	return (__atomic_load_n(&thread->base.thread_state, __ATOMIC_ACQUIRE) & _THREAD_DEAD) != 0;
}

/** Part D's, where it is linked. */
struct k_mem_domain;
extern struct k_mem_domain k_mem_domain_default;
void kmem_domain_thread_init(struct k_thread *child, const struct k_thread *parent) __attribute__((weak));
void kmem_domain_thread_exit(struct k_thread *thread) __attribute__((weak));

/** Put a new thread into the domain of its maker, or the default one. */
void kmem_thread_domain_enter(struct k_thread *child, const struct k_thread *parent);
void kmem_thread_domain_leave(struct k_thread *thread);

#endif /* KMEM_COMPAT_THREAD_H */
