/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Things to be done at a time, in the library's timer thread: it calls the function of each with interrupts locked,
 * as an emulated interrupt handler. timeout.c
 */
#ifndef KMEM_COMPAT_TIMEOUT_H
#define KMEM_COMPAT_TIMEOUT_H

#include <stdbool.h>
#include <stdint.h>

#include <zephyr/kernel_structs.h>

/* Interrupt lock held. */

/** Have expire(timeout) called at a deadline, unless it is KMEM_DEADLINE_NEVER. It must not be active. */
void kmem_timeout_add(struct kmem_timeout *timeout, uint64_t deadline, void (*expire)(struct kmem_timeout *timeout));

/** Have it not called. Whether it was active. */
bool kmem_timeout_abort(struct kmem_timeout *timeout);

/** In the child of a fork: start the thread anew if there is anything to do. */
void kmem_timeout_forked(void);

#endif /* KMEM_COMPAT_TIMEOUT_H */
