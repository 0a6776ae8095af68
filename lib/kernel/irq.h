/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The interrupt lock, from inside: taken by the paging code around a program's own policy and store.
 */
#ifndef KMEM_KERNEL_IRQ_H
#define KMEM_KERNEL_IRQ_H

#include <kmem/irq.h>

/* Take it for paging, unless this thread has it; statistics do not count that as locked interrupts. _sigsafe. */
void kmem_irq_paging_enter(void);
void kmem_irq_paging_leave(void);

/* In the child of a fork: the lock is the forking thread's, or nobody's. */
void kmem_irq_forked(void);

#endif /* KMEM_KERNEL_IRQ_H */
