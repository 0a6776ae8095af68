/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The threads whose statistics can be asked for. Public functions are in <kmem/kmem.h>.
 */
#ifndef KMEM_KERNEL_THREAD_H
#define KMEM_KERNEL_THREAD_H

#include <stddef.h>
#include <stdint.h>

#include <kmem/kmem.h>

/* Attach the booting thread, and every one that pthread_create() makes from now on. 0 or -errno. */
int kmem_thread_init(void);

/* Detach all. */
void kmem_thread_finish(void);

/* In the child of a fork, kernel lock held: only the calling thread is left. */
void kmem_thread_list_forked(void);

/* For reports: what one thread has counted. */
struct kmem_thread_row {
	uint32_t tid;
	struct kmem_stats stats;
};

/*
 * Rows of the attached threads behind the first `skip`, at most `max`; how many there are. Takes the kernel lock, so that a thread that
 * begins or ends between two calls may be left out, or told twice.
 */
size_t kmem_thread_rows(size_t skip, struct kmem_thread_row *rows, size_t max);

/* How many threads have been attached and have ended, and the sum of what they counted. Takes the kernel lock. */
size_t kmem_thread_ended(struct kmem_stats *sum);

/* Forget those that have ended. Kernel lock held. */
void kmem_thread_ended_reset(void);

#endif /* KMEM_KERNEL_THREAD_H */
