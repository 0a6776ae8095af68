/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Work queues, as the files of this directory share them.
 */
#ifndef KMEM_COMPAT_WORK_H
#define KMEM_COMPAT_WORK_H

#include <zephyr/kernel.h>

/* Interrupt lock held. */

/** k_work_submit_to_queue(), and k_work_cancel(). */
int kmem_work_submit(struct k_work_q *queue, struct k_work *work);
int kmem_work_cancel(struct k_work *work);

/** Wait while work has any of these states; @p key is kmem_enter()'s, and the lock is released. */
void kmem_work_wait(unsigned int key, struct k_work *work, uint32_t states);

#endif /* KMEM_COMPAT_WORK_H */
