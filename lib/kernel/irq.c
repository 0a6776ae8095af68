/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lock that stands for locked interrupts.
 */
#include "kernel/irq.h"

#include "host/lock.h"
#include "host/thread.h"

static struct kmem_lock irq; /* lock.h, 0 */

/* Keys: what was before. */
#define KEY_UNLOCKED 0U
#define KEY_LOCKED 1U

unsigned int arch_irq_lock(void)
{
	if (kmem_lock_is_held(&irq)) {
		return KEY_LOCKED;
	}
	kmem_lock_acquire_outer(&irq);
	kmem_thread_self()->irq_locked = true;
	return KEY_UNLOCKED;
}

void arch_irq_unlock(unsigned int key)
{
	if (key != KEY_UNLOCKED || !kmem_lock_is_held(&irq)) {
		return;
	}
	kmem_thread_self()->irq_locked = false;
	kmem_lock_release_outer(&irq);
}

bool arch_irq_unlocked(unsigned int key)
{
	return key == KEY_UNLOCKED;
}

bool kmem_irq_is_locked(void)
{
	return kmem_lock_is_held(&irq);
}

unsigned int kmem_irq_release_all(void)
{
	if (!kmem_thread_self()->irq_locked) {
		return 0;
	}
	arch_irq_unlock(KEY_UNLOCKED);
	return 1;
}

void kmem_irq_restore(unsigned int was_locked)
{
	if (was_locked != 0) {
		(void)arch_irq_lock();
	}
}

void kmem_isr_enter(void)
{
	kmem_thread_self()->in_isr = true;
}

void kmem_isr_leave(void)
{
	kmem_thread_self()->in_isr = false;
}

bool kmem_isr_is_in(void)
{
	return kmem_thread_self()->in_isr;
}

void kmem_irq_paging_enter(void)
{
	struct kmem_thread *self = kmem_thread_self();

	if (!kmem_lock_is_held(&irq)) {
		kmem_lock_acquire_outer(&irq);
		self->irq_paging = true;
	}
}

void kmem_irq_paging_leave(void)
{
	struct kmem_thread *self = kmem_thread_self();

	if (self->irq_paging) {
		self->irq_paging = false;
		kmem_lock_release_outer(&irq);
	}
}

void kmem_irq_forked(void)
{
	const struct kmem_thread *self = kmem_thread_self();

	if (self->irq_locked || self->irq_paging) {
		kmem_lock_adopt(&irq);
	} else {
		atomic_store(&irq.word, 0);
	}
}
