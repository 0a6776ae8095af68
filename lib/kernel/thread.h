/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The threads whose statistics can be asked for. Public functions are in <kmem/kmem.h>.
 */
#ifndef KMEM_KERNEL_THREAD_H
#define KMEM_KERNEL_THREAD_H

/* Attach the booting thread, and every one that pthread_create() makes from now on. 0 or -errno. */
int kmem_thread_init(void);

/* Detach all. */
void kmem_thread_finish(void);

/* In the child of a fork, kernel lock held: only the calling thread is left. */
void kmem_thread_list_forked(void);

#endif /* KMEM_KERNEL_THREAD_H */
