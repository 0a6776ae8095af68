/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Interrupts, as far as a host process has them: one lock for the process that stands for "interrupts are off".
 * (Zephyr: arch_irq_lock(); the rest is our own, for what stands in for a kernel above)
 *
 * Holding it keeps every other thread out that takes it, the emulated interrupt handlers among them, and the paging code
 * where eviction algorithm or backing store are the program's own: those are written for one processor with interrupts
 * off. It is the outermost lock. Paged memory may be touched while it is held, and signals are delivered.
 */
#ifndef KMEM_IRQ_H
#define KMEM_IRQ_H

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/**
 * Lock interrupts. Nests: a thread that has them locked goes on.
 *
 * @return the key for arch_irq_unlock(): 0 if they were unlocked before
 * Context: any thread, also in a signal handler. Waits.
 */
unsigned int arch_irq_lock(void);

/** Make interrupts what they were before the arch_irq_lock() that returned @p key. */
void arch_irq_unlock(unsigned int key);

/** Whether a key says that interrupts were unlocked. */
bool arch_irq_unlocked(unsigned int key);

/** Whether this thread has interrupts locked. */
bool kmem_irq_is_locked(void);

/** Unlock interrupts around a call that waits, as a switch to another thread does on a board; and lock them again. */
unsigned int kmem_irq_release_all(void);
void kmem_irq_restore(unsigned int was_locked);

/** Mark this thread as one that runs an emulated interrupt handler, and undo it. They do not nest. */
void kmem_isr_enter(void);
void kmem_isr_leave(void);
bool kmem_isr_is_in(void);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* KMEM_IRQ_H */
