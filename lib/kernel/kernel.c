/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The running machine, and taking its lock.
 *
 * The paging mutex comes with the kernel lock, and outside it, where the store asks for serialised calls: it stays held while
 * the kernel lock is dropped for I/O, so nobody else's paging begins meanwhile, as with Zephyr's own stores. Where policy or store
 * are the program's, under Zephyr's names, the interrupt lock comes around both.
 */
#include "kernel/kernel.h"

#include "kernel/irq.h"

struct kmem_kernel kmem_kernel;

void kmem_kernel_lock_in_trap(void)
{
	if (kmem_kernel.is_paging_programs) {
		kmem_irq_paging_enter();
	}
	if (kmem_store_is_serialised(&kmem_kernel.store)) {
		kmem_lock_acquire(&kmem_kernel.paging_mutex);
	}
	kmem_lock_acquire(&kmem_kernel.lock);
}

void kmem_kernel_unlock_in_trap(void)
{
	kmem_lock_release(&kmem_kernel.lock);
	if (kmem_store_is_serialised(&kmem_kernel.store)) {
		kmem_lock_release(&kmem_kernel.paging_mutex);
	}
	if (kmem_kernel.is_paging_programs) {
		kmem_irq_paging_leave();
	}
}

void kmem_kernel_lock(kmem_sigmask *saved)
{
	kmem_signals_block(saved);
	kmem_kernel_lock_in_trap();
}

void kmem_kernel_unlock(const kmem_sigmask *saved)
{
	kmem_kernel_unlock_in_trap();
	kmem_signals_restore(saved);
}

void kmem_kernel_unlock_and_reclaim(const kmem_sigmask *saved)
{
	struct kmem_region_batch batch = kmem_region_index_detach(&kmem_kernel.index);

	kmem_kernel_unlock_in_trap();
	if (!kmem_region_batch_is_empty(&batch)) {
		kmem_region_batch_synchronize(&batch);
		kmem_kernel_lock_in_trap();
		kmem_region_index_reclaim(&kmem_kernel.index, &batch);
		kmem_kernel_unlock_in_trap();
	}
	kmem_signals_restore(saved);
}
