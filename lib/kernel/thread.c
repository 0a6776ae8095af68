/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attached threads: an alternate signal stack each, and a list, so that statistics of any of them can be read. Also the
 * stacks that programs give to threads in paged memory.
 *
 * The list is linked through the threads' own TLS and guarded by the kernel lock; a thread leaves it before it ends.
 */
#include "kernel/thread.h"

#include <errno.h>
#include <string.h>

#include "host/rcu.h"
#include "host/thread.h"
#include "kernel/kernel.h"
#include "kernel/stats.h"
#include "machine/page_table.h"

static struct kmem_thread *threads; /* guarded by the kernel lock */

/* Those that have left the list by themselves; guarded by the kernel lock. */
static struct {
	size_t count;
	struct kmem_stats sum;
} ended;

static void list_add(struct kmem_thread *thread)
{
	memset(&thread->stats, 0, sizeof(thread->stats));
	thread->prev = NULL;
	thread->next = threads;
	if (threads != NULL) {
		threads->prev = thread;
	}
	threads = thread;
	thread->attached = true;
}

static void list_remove(struct kmem_thread *thread)
{
	if (thread->next != NULL) {
		thread->next->prev = thread->prev;
	}
	if (thread->prev != NULL) {
		thread->prev->next = thread->next;
	} else {
		threads = thread->next;
	}
	thread->attached = false;
}

int kmem_thread_attach(void)
{
	struct kmem_thread *self = kmem_thread_self();
	kmem_sigmask saved;
	int ret = kmem_thread_altstack_create();

	if (ret != 0) {
		return ret;
	}
	(void)kmem_thread_id();
	/* The first read section of a thread allocates; a fatal error, which reads, may come when there is nothing left. */
	kmem_rcu_read_lock();
	kmem_rcu_read_unlock();
	kmem_kernel_lock(&saved);
	if (!self->attached) {
		list_add(self);
	}
	kmem_kernel_unlock(&saved);
	return 0;
}

void kmem_thread_detach(void)
{
	struct kmem_thread *self = kmem_thread_self();
	kmem_sigmask saved;

	kmem_kernel_lock(&saved);
	if (self->attached) {
		list_remove(self);
		ended.count++;
		kmem_stats_add(&ended.sum, &self->stats);
	}
	kmem_kernel_unlock(&saved);
	kmem_thread_altstack_destroy();
}

/*
 * Bytes at the top of a thread's stack that stay resident: its descriptor and TLS, which the host kernel writes to, and the
 * frames until the thread has its alternate stack.
 */
#define STACK_RESIDENT (64UL * 1024)

/* Keep the top of a stack in, where the program put it in paged memory. It stays pinned until it is unmapped. */
static void stack_pin(void *stack, size_t size)
{
	uintptr_t end = (uintptr_t)stack + size;
	uintptr_t start = size > STACK_RESIDENT ? end - STACK_RESIDENT : (uintptr_t)stack;

	if (size == 0 || !kmem_page_table_covers(start) || !kmem_page_table_covers(end - 1)) {
		return;
	}
	start = kmem_page_floor(start);
	end = kmem_page_floor(end - 1) + kmem_page_size();
	k_mem_pin((void *)start, end - start);
}

static bool stack_is_paged(const void *stack, size_t size)
{
	return size != 0 && (kmem_page_table_covers((uintptr_t)stack) || kmem_page_table_covers((uintptr_t)stack + size - 1));
}

static void enter(void)
{
	(void)kmem_thread_attach();
}

int kmem_thread_init(void)
{
	int ret = kmem_thread_attach();

	if (ret == 0) {
		kmem_thread_enter_hook = enter;
		kmem_thread_leave_hook = kmem_thread_detach;
		kmem_thread_stack_hook = stack_pin;
		kmem_thread_stack_is_paged = stack_is_paged;
	}
	return ret;
}

void kmem_thread_finish(void)
{
	kmem_sigmask saved;

	kmem_thread_enter_hook = NULL;
	kmem_thread_stack_hook = NULL;
	kmem_thread_stack_is_paged = NULL;
	kmem_kernel_lock(&saved);
	while (threads != NULL) {
		list_remove(threads);
	}
	kmem_thread_ended_reset();
	kmem_kernel_unlock(&saved);
	kmem_thread_altstack_destroy();
}

void kmem_thread_list_forked(void)
{
	struct kmem_thread *self = kmem_thread_self();
	struct kmem_stats stats = self->stats;

	while (threads != NULL) {
		list_remove(threads);
	}
	list_add(self);
	self->stats = stats;
}

/* The thread with this id; NULL if it is not attached. Lock held. */
static struct kmem_thread *find(uint32_t tid)
{
	struct kmem_thread *thread = threads;

	while (thread != NULL && thread->tid != tid) {
		thread = thread->next;
	}
	return thread;
}

int kmem_thread_stats_get(pid_t tid, struct kmem_stats *stats)
{
	struct kmem_stats copy = {.minor_faults = 0};
	const struct kmem_thread *thread;
	kmem_sigmask saved;

	if (!kmem_is_booted()) {
		return -ENODEV;
	}
	if (!kmem_kernel.settings.stats) {
		return -ENOTSUP;
	}
	kmem_kernel_lock(&saved);
	thread = tid == 0 ? kmem_thread_self() : find((uint32_t)tid);
	if (thread != NULL) {
		copy = thread->stats;
	}
	kmem_kernel_unlock(&saved);
	if (thread == NULL) {
		return -ESRCH;
	}
	*stats = copy;
	return 0;
}

size_t kmem_thread_rows(size_t skip, struct kmem_thread_row *rows, size_t max)
{
	const struct kmem_thread *thread;
	kmem_sigmask saved;
	size_t count = 0;

	kmem_kernel_lock(&saved);
	for (thread = threads; thread != NULL && skip > 0; thread = thread->next) {
		skip--;
	}
	for (; thread != NULL && count < max; thread = thread->next) {
		rows[count++] = (struct kmem_thread_row){.tid = thread->tid, .stats = thread->stats};
	}
	kmem_kernel_unlock(&saved);
	return count;
}

size_t kmem_thread_ended(struct kmem_stats *sum)
{
	kmem_sigmask saved;
	size_t count;

	kmem_kernel_lock(&saved);
	count = ended.count;
	*sum = ended.sum;
	kmem_kernel_unlock(&saved);
	return count;
}

void kmem_thread_ended_reset(void)
{
	memset(&ended, 0, sizeof(ended));
}
