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
 * Where it may be done, RAM is not copied but frozen (lib/machine/ram.h): every page is concealed, and parent and child each copy what they
 * touch, when they do. The parent does not even do that once the child has ended or become another program. It may be done in preloaded
 * programs, which fork often, and whose pinned pages may trap.
 *
 * What lies in the engine's own frames (lib/machine/home.h) is the engine's to pass on: its pages are concealed before the fork, and trap
 * at their next access, in parent and child; pinned ones are exposed again in both, since they never trap.
 *
 * The child of a preloaded program inherits no locks, as mlock(2) has it: what was pinned for them may go out.
 *
 * If the copy cannot be made, the fork goes on, but the child may not touch the VM: its first access is a fatal error that
 * says why. A fork cannot be refused from here, and sharing silently would be worse. Children of _Fork(), which runs no handlers,
 * are always so, save in preloaded programs.
 *
 * A preloaded program may fork by an instruction of its own, which nothing here sees. Its child shares RAM with it, and is told by a
 * word that the host wipes in children and that the handlers put back: what needs the library, as a trap does, is a fatal error there.
 *
 * The *window* is the time from the end of prepare to the parent's or child's handler. The forking thread holds the kernel lock
 * then, and code of glibc's that runs in it, or a handler that was registered before the library's, may touch paged memory: such a trap is
 * served under the lock that is held, and which is not dropped meanwhile. A page in an own frame is the child's then with what was written
 * to it last (lib/machine/mmu_window.h), as is one in a frozen file; one in a file that was copied is as it was when that was done.
 *
 * The handlers are registered by a constructor, before the program's: prepare runs last of all, child first.
 */
#include "kernel/fork.h"

#include <errno.h>

#include "host/failpoint.h"
#include "host/limit.h"
#include "host/log.h"
#include "host/memory.h"
#include "host/process.h"
#include "host/rcu.h"
#include "host/thread.h"
#include "kernel/arch.h"
#include "kernel/cleaner.h"
#include "kernel/frame.h"
#include "kernel/irq.h"
#include "kernel/kernel.h"
#include "kernel/paging.h"
#include "kernel/program_image.h"
#include "kernel/report.h"
#include "kernel/space.h"
#include "kernel/thread.h"
#include "machine/home.h"
#include "machine/mmu.h"
#include "machine/ram.h"

static struct {
	/* of the forking thread, from prepare to parent or child; kernel lock held */
	kmem_sigmask saved;
	uint64_t *mapped; /* frames that are mapped as physical memory, a bit a frame; NULL but while copying */
	int error; /* why there is no copy; 0: there is one */
	bool is_frozen; /* RAM is not copied, but frozen */
	_Atomic bool is_open; /* between the end of prepare and parent or child: the window */
	bool is_touched;      /* a trap was served in the window */
} pending;

/* Not 0 in a process that these handlers know; NULL where nobody looks. Constant once set. */
static _Atomic uint32_t *known;

static void known_set(void)
{
	if (known != NULL) {
		atomic_store(known, 1);
	}
}

/* Without the page that the host wipes, nothing is told. */
static void known_init(void)
{
	size_t size = kmem_host_page_size();
	void *memory;

	if (kmem_host_memory_get(&memory, size) != 0) {
		return;
	}
	if (kmem_host_range_wipeonfork((uintptr_t)memory, size) != 0) {
		kmem_host_memory_free(memory, size);
		return;
	}
	known = memory;
	known_set();
}

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

	if (kmem_home_is_own(phys)) {
		return false;
	}
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

static int region_conceal(const struct kmem_region *region, void *arg)
{
	(void)arg;
	return KMEM_RELIEVED(kmem_mmu_accessed_clear(region->addr, region->size, NULL));
}

static int all_conceal(void)
{
	return kmem_region_index_each(&kmem_kernel.index, region_conceal, NULL);
}

static int ram_freeze(void)
{
	int ret = kmem_kernel.is_preloaded ? all_conceal() : -ENOTSUP;

	return ret == 0 ? kmem_ram_freeze_prepare() : ret;
}

/* What the parent does with RAM's copy, or instead of one. */
static void ram_parent(void)
{
	if (!pending.is_frozen) {
		kmem_ram_fork_parent();
		return;
	}
	if (pending.is_touched && all_conceal() != 0) {
		kmem_log(KMEM_LOG_ERROR, "fork: the host refuses to conceal pages; the child may see what is written to them");
	}
	kmem_ram_freeze_parent();
}

/* RAM's files, the engine's own frames coming first, as they are concealed in any case. */
static int ram_prepare(void)
{
	int ret = kmem_mmu_fork_prepare();

	if (ret != 0) {
		return ret;
	}
	ret = ram_freeze();
	pending.is_frozen = ret == 0;
	if (ret != 0) {
		ret = ram_copy();
	}
	if (ret != 0) {
		kmem_mmu_fork_cancel();
	}
	return ret;
}

static int copies_make(void)
{
	int ret = ram_prepare();

	if (ret != 0) {
		return ret;
	}
	ret = kmem_store_fork_prepare(&kmem_kernel.store);
	if (ret != 0) {
		kmem_store_fork_parent(&kmem_kernel.store);
		ram_parent();
		kmem_mmu_fork_cancel();
	}
	return ret;
}

/* Pinned pages never trap, save in preloaded programs; in own frames they have been concealed. None but the log is told of a failure. */
static void pinned_expose(void)
{
	const struct kmem_frames *all = kmem_frame_all();
	int ret = 0;

	kmem_failpoint_hold();
	for (size_t i = 0; i < all->count && !kmem_kernel.is_preloaded && ret == 0; i++) {
		struct k_mem_page_frame *pf = &all->first[i];

		if (k_mem_page_frame_is_pinned(pf) && k_mem_page_frame_is_mapped(pf) &&
		    kmem_home_is_own(kmem_frame_phys(pf))) {
			ret = KMEM_RELIEVED(kmem_mmu_expose((uintptr_t)k_mem_page_frame_to_virt(pf), all->page_size));
		}
	}
	kmem_failpoint_release();
	if (ret != 0) {
		kmem_log(KMEM_LOG_WARNING, "fork: pinned pages cannot be exposed again (%s), and trap once more", kmem_error_name(-ret));
	}
}

/* Stop everything, and have `copy` make the copies for the child, or say why there are none. */
static void begin(int (*copy)(void))
{
	kmem_sigmask saved;
	int error;

	if (!kmem_is_booted()) {
		return;
	}
	/* Another thread may be forking: what is pending is its own until the lock is ours. */
	kmem_kernel_lock(&saved);
	pending.saved = saved;
	kmem_paging_quiesce();
	/* What may not use the VM has nothing to copy. */
	error = kmem_fork_error();
	pending.error = error != 0 ? error : copy();
	if (pending.error != 0 && copy == copies_make) {
		kmem_log(KMEM_LOG_WARNING, "fork: RAM or store cannot be copied (%s); the child may not use the VM",
			 kmem_error_name(-pending.error));
	}
	kmem_mmu_fork_begin(pending.error == 0);
	kmem_rcu_fork_prepare();
	kmem_host_limit_fork_prepare();
	pending.is_touched = false;
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

/*
 * A child of _Fork() may do little but exec, and is not worth a copy of RAM: it may not touch the VM. That of a program whose heap is
 * there cannot even exec without.
 */
static void bare_prepare(void)
{
	begin(kmem_kernel.is_preloaded ? copies_make : copies_refuse);
}

static void parent(void)
{
	kmem_sigmask saved;

	if (!kmem_is_booted()) {
		return;
	}
	atomic_store(&pending.is_open, false);
	kmem_host_limit_fork_parent();
	kmem_rcu_fork_parent();
	kmem_mmu_fork_parent();
	if (pending.error == 0) {
		kmem_store_fork_parent(&kmem_kernel.store);
		ram_parent();
	}
	pinned_expose();
	saved = pending.saved;
	kmem_kernel_unlock(&saved);
}

static int region_expose(const struct kmem_region *region, void *arg)
{
	(void)arg;
	return KMEM_RELIEVED(kmem_mmu_fork_child_expose(region->addr, region->size));
}

/* Put the copies in place. The forking thread's lock is held. */
static int rebuild(void)
{
	int ret = kmem_mmu_fork_child();

	if (ret != 0 || pending.error != 0) {
		return ret != 0 ? ret : pending.error;
	}
	if (pending.is_frozen) {
		kmem_ram_freeze_child();
		kmem_store_fork_child(&kmem_kernel.store);
		return 0; /* no page is exposed */
	}
	ret = kmem_ram_fork_child();
	if (ret != 0) {
		return ret;
	}
	kmem_store_fork_child(&kmem_kernel.store);
	ret = kmem_program_image_fork_child();
	if (ret == 0 && kmem_arch_is_used()) {
		ret = KMEM_RELIEVED(kmem_mmu_fork_child_expose(kmem_kernel.settings.vm_base, kmem_kernel.settings.vm_size));
	} else if (ret == 0) {
		ret = kmem_region_index_each(&kmem_kernel.index, region_expose, NULL);
	}
	if (ret == 0) {
		pinned_expose();
	}
	return ret;
}

/* Take over in the child, once, by whoever comes first: the lock is the forking thread's, and so is the VM. */
static void child_take_over(void)
{
	int pid = kmem_process_id();

	known_set();
	if (atomic_load(&kmem_kernel.pid) == pid) {
		return;
	}
	kmem_thread_forked();
	kmem_irq_forked();
	kmem_lock_adopt(&kmem_kernel.lock);
	kmem_host_limit_fork_adopt();
	if (kmem_store_is_serialised(&kmem_kernel.store)) {
		kmem_lock_adopt(&kmem_kernel.paging_mutex);
	}
	atomic_store(&kmem_kernel.pid, pid);
	atomic_store(&kmem_kernel.fork_error, rebuild());
	if (kmem_kernel.is_preloaded && kmem_fork_error() == 0) {
		kmem_space_forked();
	}
}

static void child(void)
{
	known_set();
	if (!kmem_is_booted()) {
		kmem_thread_forked();
		kmem_irq_forked();
		return;
	}
	child_take_over();
	kmem_thread_list_forked();
	kmem_report_forked();
	kmem_cleaner_forked();
	atomic_store(&pending.is_open, false);
	kmem_host_limit_fork_child();
	kmem_rcu_fork_child();
	kmem_kernel_unlock(&pending.saved);
}

void kmem_fork_init(void)
{
	static bool is_registered;

	if (kmem_kernel.is_preloaded && known == NULL) {
		known_init();
	}
	/* Preloaded, the first allocation may come before the constructor. */
	if (is_registered) {
		return;
	}
	is_registered = true;
	kmem_process_at_fork(prepare, parent, child);
	kmem_process_fork_hooks = (struct kmem_process_fork_hooks){.prepare = bare_prepare, .parent = parent, .child = child};
}

bool kmem_fork_window_enter(void)
{
	if (!atomic_load(&pending.is_open)) {
		return false;
	}
	child_take_over();
	pending.is_touched = true;
	return true;
}

bool kmem_fork_is_window(void)
{
	return atomic_load_explicit(&pending.is_open, memory_order_relaxed);
}

int kmem_fork_error(void)
{
	if (known != NULL && atomic_load_explicit(known, memory_order_relaxed) == 0) {
		return -ENOTSUP;
	}
	return atomic_load(&kmem_kernel.fork_error);
}
