/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The trap vector: tell a page fault from a bad access, and serve it.
 *
 * In order: a page that moves is waited for. An address outside the VM range is not ours, unless a Zephyr program leaves it to
 * us. A trap taken under a lock, or inside a policy or store, is a bug of the code there. An access that the page's permissions
 * forbid is refused, as is one to a guard or unmapped page. A page that is in and allows the access was served by another thread
 * meanwhile: try again; should that not help, the host's mapping is not what the entry says, because somebody mapped over it, and
 * it is made so again. All else goes to paging.
 *
 * What is refused, or cannot be served, is fatal, save in two cases: a copy of the library's own (host/copy.h) ends there instead, and
 * a preloaded program that has a handler for the signal gets it, as Linux would have sent it, if it was the access that was wrong.
 */
#include "kernel/fault.h"

#include <errno.h>

#include "host/copy.h"
#include "host/memory.h"
#include "host/signals.h"
#include "host/thread.h"
#include "kernel/fatal.h"
#include "kernel/fork.h"
#include "kernel/kernel.h"
#include "kernel/paging.h"
#include "kernel/stats.h"
#include "machine/mmu.h"

/*
 * Traps at one page in a row that needed nothing done: after the first number the mapping is made anew, after the second
 * it is given up. A race with other threads for a page costs a few; no race costs dozens.
 */
#define RETRIES_REASSERT 64
#define RETRIES_MAX 1024

/* Whether an exposed page allows the access. */
static bool is_allowed(kmem_pte pte, enum kmem_access access)
{
	unsigned int prot = kmem_pte_prot(pte);

	switch (access) {
	case KMEM_ACCESS_WRITE:
		return (prot & KMEM_PROT_WRITE) != 0;
	case KMEM_ACCESS_EXEC:
		return (prot & KMEM_PROT_EXEC) != 0;
	default:
		return (prot & KMEM_PROT_READ) != 0;
	}
}

/* KMEM_FAULT_NONE, or why the page can never be accessed so. */
static enum kmem_fault_kind forbidden(kmem_pte pte, enum kmem_access access)
{
	switch (kmem_pte_state(pte)) {
	case KMEM_PTE_UNMAPPED:
		return KMEM_FAULT_UNMAPPED;
	case KMEM_PTE_GUARD:
		return KMEM_FAULT_GUARD;
	default:
		break;
	}
	if ((pte & KMEM_PTE_NO_ACCESS) != 0) {
		return KMEM_FAULT_NO_ACCESS;
	}
	if (access == KMEM_ACCESS_WRITE && (pte & K_MEM_PERM_RW) == 0) {
		return KMEM_FAULT_READ_ONLY;
	}
	if (access == KMEM_ACCESS_EXEC && (pte & K_MEM_PERM_EXEC) == 0) {
		return KMEM_FAULT_NO_EXEC;
	}
	return KMEM_FAULT_NONE;
}

/* Whether the page is the program's own still, and what it did there is nothing that the boot image forbids. */
static bool is_programs(const struct kmem_trap *trap)
{
	kmem_pte pte = kmem_pte_get(trap->addr);

	return (pte & KMEM_PTE_PRIVATE) != 0 && forbidden(pte, trap->access) == KMEM_FAULT_NONE;
}

/*
 * A bad access that has nothing to do with the VM, such as one through a null pointer. To a Zephyr program it is a fatal error like
 * any other, unless it has a handler of its own for the signal.
 */
static bool is_fatal_outside(struct kmem_trap *trap)
{
	const struct kmem_thread *self = kmem_thread_self();

	if (!kmem_kernel.settings.is_zephyr || self->locks > 0 || self->in_callback || !kmem_signals_is_default(trap->signo)) {
		return false;
	}
	kmem_fatal_trap(trap, KMEM_FAULT_UNMAPPED, 0);
	return true;
}

/*
 * Whether a preloaded program handles the signal itself, which is then made what Linux would have sent. To the host all of the VM
 * is mapped, so what it says of an address where nothing is has to be put right.
 */
static bool is_program_to_handle(const struct kmem_trap *trap, enum kmem_fault_kind kind)
{
	if (!kmem_kernel.is_preloaded || kmem_signals_is_default(trap->signo)) {
		return false;
	}
	switch (kind) {
	case KMEM_FAULT_UNMAPPED:
		trap->info->si_code = SEGV_MAPERR;
		return true;
	case KMEM_FAULT_GUARD:
	case KMEM_FAULT_READ_ONLY:
	case KMEM_FAULT_NO_EXEC:
	case KMEM_FAULT_NO_ACCESS:
		trap->info->si_code = SEGV_ACCERR;
		return true;
	default:
		return false;
	}
}

/* End an access that cannot be served. No lock is held. What the vector returns. */
static bool refuse(struct kmem_trap *trap, enum kmem_fault_kind kind, int error)
{
	trap->is_refused = true;
	if (kmem_copy_fixup(trap->ucontext)) {
		return true;
	}
	if (is_program_to_handle(trap, kind)) {
		kmem_fatal_explain(trap, kind);
		return false;
	}
	kmem_fatal_trap(trap, kind, error);
	return true;
}

/* The page allows the access, and yet it trapped. Lock held. 0 to try again, -errno to give up. */
static int retry(uintptr_t page)
{
	struct kmem_thread *self = kmem_thread_self();

	self->retry_count = self->retry_addr == page ? self->retry_count + 1 : 1;
	self->retry_addr = page;
	if (self->retry_count > RETRIES_MAX) {
		self->retry_count = 0;
		return -ENOMEM;
	}
	if (self->retry_count % RETRIES_REASSERT == 0) {
		return kmem_mmu_page_reassert(page);
	}
	return 0;
}

/* Serve a trap at a page. Lock held, and dropped meanwhile. 0, or -errno with the kind. */
static int serve(struct kmem_trap *trap, uintptr_t page, enum kmem_fault_kind *kind)
{
	kmem_pte pte = kmem_pte_get(page);
	struct kmem_paging_request request = {.addr = page, .is_trap = true};
	int ret;

	/* Where the host cannot tell, a trap at a readable page was a write. */
	if (!trap->access_known && trap->access == KMEM_ACCESS_READ && is_allowed(pte, KMEM_ACCESS_READ)) {
		trap->access = KMEM_ACCESS_WRITE;
	}
	*kind = forbidden(pte, trap->access);
	if (*kind != KMEM_FAULT_NONE) {
		return -EFAULT;
	}
	if (is_allowed(pte, trap->access)) {
		*kind = KMEM_FAULT_HOST;
		return retry(page);
	}
	kmem_thread_self()->retry_count = 0;
	request.is_write = trap->access == KMEM_ACCESS_WRITE;
	ret = kmem_paging_page_in(&request);
	*kind = request.kind;
	if (ret == 0 && request.was_in) {
		kmem_stats_minor_fault();
	}
	return ret;
}

bool kmem_fault_vector(struct kmem_trap *trap)
{
	const struct kmem_thread *self = kmem_thread_self();
	enum kmem_fault_kind kind;
	bool is_locked = false;
	uint64_t since;
	int ret;

	/* Also behind shutdown, which moves pages. */
	if (kmem_mmu_move_wait(trap->addr)) {
		return true;
	}
	if (!atomic_load_explicit(&kmem_kernel.booted, memory_order_acquire)) {
		return false;
	}
	if (!kmem_page_table_covers(trap->addr) || is_programs(trap)) {
		return is_fatal_outside(trap);
	}
	kmem_trap_as_segv(trap);
	if (self->locks > 0 && !self->in_callback) {
		is_locked = kmem_fork_window_enter();
	}
	if ((self->locks > 0 && !is_locked) || self->in_callback) {
		trap->is_refused = true;
		kmem_fatal_nested(trap);
		return true;
	}
	ret = kmem_fork_error();
	if (ret != 0) {
		return refuse(trap, KMEM_FAULT_FORK, ret);
	}
	since = kmem_stats_clock();
	if (!is_locked) {
		kmem_kernel_lock_in_trap();
	}
	ret = serve(trap, kmem_page_floor(trap->addr), &kind);
	kmem_stats_paging(since);
	if (!is_locked) {
		kmem_kernel_unlock_in_trap();
	}
	/* The kind says it all where the access itself was wrong. */
	return ret == 0 || refuse(trap, kind, ret == -EFAULT ? 0 : ret);
}
