/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cleaner: a thread that keeps some frames free behind the program's back, so that a fault finds one and need not wait for a page to
 * be written. The *goal* is settings.cleaner_frames, 0 for none.
 */
#ifndef KMEM_KERNEL_CLEANER_H
#define KMEM_KERNEL_CLEANER_H

#include <stdbool.h>

/*
 * Begin, for the machine that has booted: makes the thread, so where threads may be made, and no lock is held. 0; -errno where there is no
 * thread, which is logged: faults then send pages out themselves, as they do without a cleaner.
 */
int kmem_cleaner_start(void);

/* Let it end: it does nothing any more when this returns. No lock held. */
void kmem_cleaner_stop(void);

/* In the child of a fork, where the thread is not. Kernel lock held. */
void kmem_cleaner_forked(void);

/* Where threads may be made: make the one that a child of a fork has turned out to need. No lock held. */
void kmem_cleaner_resume(void);

/*
 * A frame was taken; or, is_short, fewer were free than were asked for. The cleaner is woken if it has something to do. Kernel lock held;
 * _sigsafe.
 */
void kmem_cleaner_notice(bool is_short);

#endif /* KMEM_KERNEL_CLEANER_H */
