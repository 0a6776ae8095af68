/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fork: a copy of the used frames and of the store for the child, made while everything stands still.
 *
 * RAM is shared memory, so a child that kept it would write into its parent's frames. Before the fork, with signals blocked
 * and the kernel lock held, and once nothing is in transit, used frames, those mapped by their physical addresses included, go
 * to a fresh memory file, the store copies what the fork does not, and the VM range is marked to be left out of the child. In
 * the child the first to come, this room's handler or a trap of code that glibc runs before it (the range is a hole then), puts
 * the copy in place: the range is reserved again, the direct map is mapped on the copy, and what was exposed is exposed. The
 * parent drops the copy.
 *
 * If the copy cannot be made, the fork goes on, but the child may not touch the VM: its first access is a fatal error that
 * says why. A fork cannot be refused from here, and sharing silently would be worse. Children of _Fork(), which runs no handlers,
 * are always so.
 *
 * The *window* is the time from the end of prepare to the parent's or child's handler. The forking thread holds the kernel lock
 * then, and code of glibc's that runs in it may touch paged memory: such a trap is served under the lock that is held.
 *
 * The handlers are registered by a constructor, before the program's: prepare runs last of all, child first.
 */
#include "kernel/fork.h"

#include <errno.h>

#include "host/log.h"
#include "host/memory.h"
#include "host/process.h"
#include "host/rcu.h"
#include "host/thread.h"
#include "kernel/arch.h"
#include "kernel/frame.h"
#include "kernel/irq.h"
#include "kernel/kernel.h"
#include "kernel/paging.h"
#include "kernel/program_image.h"
#include "kernel/thread.h"
#include "machine/mmu.h"
#include "machine/ram.h"

static struct {
	/* of the forking thread, from prepare to parent or child; kernel lock held */
	kmem_sigmask saved;
	uint64_t *mapped; /* frames that are mapped as physical memory, a bit a frame; NULL but while copying */
	int error; /* why there is no copy; 0: there is one */
	_Atomic bool is_open; /* between the end of prepare and parent or child: the window */
} pending;

#define WORD_BITS 64U

/* Note the frames of a region that maps them by their physical addresses: they need not be taken. */
static int region_note(const struct kmem_region *region, void *arg)
{
	const struct kmem_frames *all = kmem_frame_all();

	(void)arg;
	if (region->kind != KMEM_REGION_PHYS && region->kind != KMEM_REGION_RAM) {
		return 0;
	}
	for (size_t done = 0; done < region->size; done += all->page_size) {
		struct k_mem_page_frame *pf = kmem_frame_at(region->phys + done);

		if (pf != NULL) {
			size_t index = (size_t)(pf - all->first);

			pending.mapped[index / WORD_BITS] |= (uint64_t)1 << index % WORD_BITS;
		}
	}
	return 0;
}

static bool is_used(uintptr_t phys)
{
	struct k_mem_page_frame *pf = kmem_frame_at(phys);
	size_t index = (size_t)(pf - kmem_frame_all()->first);

	return (!k_mem_page_frame_is_free(pf) && !k_mem_page_frame_is_reserved(pf) &&
		!kmem_program_image_is_private((uintptr_t)k_mem_page_frame_to_virt(pf))) ||
	       (pending.mapped[index / WORD_BITS] >> index % WORD_BITS & 1) != 0;
}

static int ram_copy(void)
{
	size_t size = (kmem_frame_all()->count / WORD_BITS + 1) * sizeof(uint64_t);
	void *memory;
	int ret;

	size = kmem_host_page_round(size);
	ret = kmem_host_memory_get(&memory, size);
	if (ret != 0) {
		return ret;
	}
	pending.mapped = memory;
	(void)kmem_region_index_each(&kmem_kernel.index, region_note, NULL);
	ret = kmem_ram_fork_prepare(is_used);
	kmem_host_memory_free(memory, size);
	pending.mapped = NULL;
	return ret;
}

static int copies_make(void)
{
	int ret = ram_copy();

	if (ret != 0) {
		return ret;
	}
	ret = kmem_store_fork_prepare(&kmem_kernel.store);
	if (ret != 0) {
		kmem_store_fork_parent(&kmem_kernel.store);
		kmem_ram_fork_parent();
	}
	return ret;
}

/* Stop everything, and have `copy` make the copies for the child, or say why there are none. */
static void begin(int (*copy)(void))
{
	kmem_sigmask saved;

	if (!kmem_is_booted()) {
		return;
	}
	/* Another thread may be forking: what is pending is its own until the lock is ours. */
	kmem_kernel_lock(&saved);
	pending.saved = saved;
	kmem_paging_quiesce();
	pending.error = copy();
	if (pending.error != 0 && copy == copies_make) {
		kmem_log(KMEM_LOG_WARNING, "fork: RAM or store cannot be copied (%s); the child may not use the VM",
			 kmem_error_name(-pending.error));
	}
	(void)kmem_mmu_fork_prepare();
	kmem_rcu_fork_prepare();
	atomic_store(&pending.is_open, true);
}

static void prepare(void)
{
	begin(copies_make);
}

static int copies_refuse(void)
{
	return -ENOTSUP;
}

/* A child of _Fork() may do little but exec, and is not worth a copy of RAM: it may not touch the VM. */
static void bare_prepare(void)
{
	begin(copies_refuse);
}

static void parent(void)
{
	kmem_sigmask saved;

	if (!kmem_is_booted()) {
		return;
	}
	atomic_store(&pending.is_open, false);
	kmem_rcu_fork_parent();
	kmem_mmu_fork_parent();
	if (pending.error == 0) {
		kmem_store_fork_parent(&kmem_kernel.store);
		kmem_ram_fork_parent();
	}
	saved = pending.saved;
	kmem_kernel_unlock(&saved);
}

static int region_expose(const struct kmem_region *region, void *arg)
{
	(void)arg;
	return kmem_mmu_fork_child_expose(region->addr, region->size);
}

/* Put the copies in place. The forking thread's lock is held. */
static int rebuild(void)
{
	int ret = kmem_mmu_fork_child();

	if (ret != 0 || pending.error != 0) {
		return ret != 0 ? ret : pending.error;
	}
	ret = kmem_ram_fork_child();
	if (ret != 0) {
		return ret;
	}
	kmem_store_fork_child(&kmem_kernel.store);
	ret = kmem_program_image_fork_child();
	if (ret == 0 && kmem_arch_is_used()) {
		return kmem_mmu_fork_child_expose(kmem_kernel.settings.vm_base, kmem_kernel.settings.vm_size);
	}
	return ret != 0 ? ret : kmem_region_index_each(&kmem_kernel.index, region_expose, NULL);
}

/* Take over in the child, once, by whoever comes first: the lock is the forking thread's, and so is the VM. */
static void child_take_over(void)
{
	int pid = kmem_process_id();

	if (atomic_load(&kmem_kernel.pid) == pid) {
		return;
	}
	kmem_thread_forked();
	kmem_irq_forked();
	kmem_lock_adopt(&kmem_kernel.lock);
	if (kmem_store_is_serialised(&kmem_kernel.store)) {
		kmem_lock_adopt(&kmem_kernel.paging_mutex);
	}
	atomic_store(&kmem_kernel.pid, pid);
	atomic_store(&kmem_kernel.fork_error, rebuild());
}

static void child(void)
{
	if (!kmem_is_booted()) {
		kmem_thread_forked();
		kmem_irq_forked();
		return;
	}
	child_take_over();
	kmem_thread_list_forked();
	atomic_store(&pending.is_open, false);
	kmem_rcu_fork_child();
	kmem_kernel_unlock(&pending.saved);
}

void kmem_fork_init(void)
{
	kmem_process_at_fork(prepare, parent, child);
	kmem_process_fork_hooks = (struct kmem_process_fork_hooks){.prepare = bare_prepare, .parent = parent, .child = child};
}

bool kmem_fork_window_enter(void)
{
	if (!atomic_load(&pending.is_open)) {
		return false;
	}
	child_take_over();
	return true;
}

int kmem_fork_error(void)
{
	return atomic_load(&kmem_kernel.fork_error);
}
