/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one thread asks of another: to end, or to stop. thread_abort.c
 */
#ifndef KMEM_COMPAT_REQUEST_H
#define KMEM_COMPAT_REQUEST_H

#include "compat/wait.h"

/** Take the signal that brings requests. Once. */
void kmem_requests_init(void);

/** Let it reach the calling thread, whatever its maker had blocked. */
void kmem_requests_unblock(void);

/**
 * Do what is asked of the calling thread: end it, or wait until it is resumed. Outside sections, interrupts unlocked.
 */
void kmem_requests_serve(struct kmem_host_thread *host);

/**
 * The same by a signal, which waits where signals are blocked: a policy or a store may call the kernel while a fault
 * is served.
 */
void kmem_requests_signal(struct kmem_host_thread *host);

/** End the calling thread through its frame, from wherever it is. */
__attribute__((noreturn)) void kmem_thread_leave(struct kmem_host_thread *host);

/** Join the host threads of ended threads. Nothing if interrupts are locked. */
void kmem_threads_reap(void);

#endif /* KMEM_COMPAT_REQUEST_H */
