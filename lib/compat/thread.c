/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads: their creation, their life and their end.
 *
 * Theory of operation. A thread is a host thread whose record outlives the thread object's use of it: at its end the
 * thread marks its object as dead, under the interrupt lock, as the last thing that it does with it, and leaves the
 * record in the list of ended ones, whose host threads are joined at the next opportunity. So the object can be
 * created again at once.
 *
 * However a thread ends, it comes back to where it entered its function: by return, or by a jump out of its function,
 * or out of the handler of a signal, which restores the signal mask.
 */
#include "compat/thread.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <zephyr/kernel.h>

#include "compat/current.h"
#include "compat/request.h"
#include "compat/deadline.h"
#include "compat/host_stack.h"
#include "compat/timeout.h"

_wait_q_t kmem_start_queue;
_wait_q_t kmem_sleep_queue;
struct kmem_host_thread *kmem_host_threads;

static struct kmem_host_thread *ended; /* interrupt lock */

static void list_add(struct kmem_host_thread **list, struct kmem_host_thread *host)
{
	host->next = *list;
	host->link = list;
	if (host->next != NULL) {
		host->next->link = &host->next;
	}
	*list = host;
}

static void list_remove(struct kmem_host_thread *host)
{
	*host->link = host->next;
	if (host->next != NULL) {
		host->next->link = host->link;
	}
}

static struct kmem_host_thread *ended_take(void)
{
	unsigned int key = arch_irq_lock();
	struct kmem_host_thread *host = ended;

	if (host != NULL) {
		list_remove(host);
	}
	arch_irq_unlock(key);
	return host;
}

void kmem_threads_reap(void)
{
	struct kmem_host_thread *host;

	if (kmem_irq_is_locked()) {
		return; /* they may need it on their last steps */
	}
	kmem_section_enter();
	while ((host = ended_take()) != NULL) {
		(void)pthread_join(host->pthread, NULL);
		kmem_host_stack_put(host);
		free(host);
	}
	kmem_section_leave();
}

void kmem_threads_forked(void)
{
	ended = NULL;
}

/* So that nobody takes them for lost. */
__attribute__((destructor)) static void reap_at_exit(void)
{
	kmem_threads_reap();
}

/* Take leave of the object: it may be another thread's as soon as the lock is released. */
static void object_leave(struct kmem_host_thread *host)
{
	struct k_thread *thread = host->thread;
	unsigned int key = arch_irq_lock();

	(void)kmem_sched_give(thread);
	kmem_unpend(thread);
	(void)kmem_timeout_abort(&host->retry);
	(void)kmem_wake_all(&thread->join_queue, 0);
	list_remove(host);
	list_add(&ended, host);
	kmem_host_set(NULL);
	thread->kmem_host = NULL;
	__atomic_store_n(&thread->base.thread_state, _THREAD_DEAD, __ATOMIC_RELEASE);
	arch_irq_unlock(key);
}

/* The end of every thread, its own stack below it unwound. */
static void finish(void *arg)
{
	struct kmem_host_thread *host = arg;

	host->has_frame = false; /* no more of requests */
	host->section = 1;
	host->is_waiting = false;
	(void)kmem_irq_release_all();
	kmem_thread_stats_keep(host->thread);
	kmem_thread_domain_leave(host->thread);
	object_leave(host);
}

/* Wait until the thread is to run. */
static void start_wait(struct kmem_host_thread *host)
{
	struct k_thread *thread = host->thread;
	unsigned int key = kmem_enter();

	if ((thread->base.thread_state & _THREAD_PRESTART) == 0 || thread->kmem_delay <= kmem_k_time_ns()) {
		kmem_leave(key);
	} else {
		(void)kmem_pend_until(key, &kmem_start_queue, thread->kmem_delay);
	}
	key = kmem_enter();
	kmem_state_clear(thread, _THREAD_PRESTART);
	kmem_leave(key);
}

static void run(struct kmem_host_thread *host)
{
	const struct k_thread *thread = host->thread;

	start_wait(host);
	thread->entry.pEntry(thread->entry.parameter1, thread->entry.parameter2, thread->entry.parameter3);
	if ((thread->base.user_options & K_ESSENTIAL) != 0) {
		kmem_fatal_raise(K_ERR_KERNEL_PANIC);
	}
}

static void *thread_main(void *arg)
{
	struct kmem_host_thread *host = arg;

	kmem_host_set(host);
	/* Its maker holds the lock until everything is in place. */
	kmem_leave(kmem_enter());
	host->tid = (pid_t)syscall(SYS_gettid);
	kmem_host_stack_note(host);
	kmem_requests_unblock();
	pthread_cleanup_push(finish, host);
	if (sigsetjmp(host->frame, 1) == 0) {
		host->has_frame = true;
		run(kmem_host_self());
	}
	pthread_cleanup_pop(1);
	return NULL;
}

void kmem_thread_leave(struct kmem_host_thread *host)
{
	host->has_frame = false;
	siglongjmp(host->frame, 1);
}

/* Make the host thread; it waits for the lock, which is held. */
static int host_create(struct kmem_host_thread *host)
{
	pthread_attr_t attr;
	int ret = pthread_attr_init(&attr);

	if (ret != 0) {
		return ret;
	}
	ret = kmem_host_stack_get(host, host->thread->stack_info.size, &attr);
	if (ret == 0) {
		ret = pthread_create(&host->pthread, &attr, thread_main, host);
	}
	(void)pthread_attr_destroy(&attr);
	if (ret != 0) {
		kmem_host_stack_put(host);
	}
	return ret;
}

static void object_init(struct k_thread *thread, k_thread_stack_t *stack, size_t stack_size, k_timeout_t delay)
{
	memset(thread, 0, sizeof(*thread));
	thread->stack_obj = stack;
	thread->stack_info.start = (uintptr_t)stack;
	thread->stack_info.size = stack_size;
	thread->base.thread_state = _THREAD_PRESTART;
	thread->kmem_delay = kmem_deadline(delay);
}

k_tid_t k_thread_create(struct k_thread *new_thread, k_thread_stack_t *stack, size_t stack_size, k_thread_entry_t entry,
			void *p1, void *p2, void *p3, int prio, uint32_t options, k_timeout_t delay)
{
	const struct k_thread *maker = k_sched_current_thread_query();
	struct kmem_host_thread *host;
	unsigned int key;
	int ret = ENOMEM;

	kmem_requests_init();
	kmem_threads_reap();
	object_init(new_thread, stack, stack_size, delay);
	new_thread->entry = (struct __thread_entry){entry, p1, p2, p3};
	new_thread->base.prio = prio;
	new_thread->base.user_options = options;
	new_thread->resource_pool = maker->resource_pool;
	key = kmem_enter();
	host = calloc(1, sizeof(*host));
	if (host != NULL) {
		host->thread = new_thread;
		host->is_made = true;
		new_thread->kmem_host = host;
		kmem_thread_domain_enter(new_thread, maker);
		ret = host_create(host);
	}
	if (ret == 0) {
		list_add(&kmem_host_threads, host);
	}
	kmem_leave(key);
	if (ret != 0) {
		kmem_fatal_raise(K_ERR_KERNEL_PANIC);
	}
	return new_thread;
}

void k_thread_start(k_tid_t thread)
{
	unsigned int key = kmem_enter();

	if ((thread->base.thread_state & _THREAD_PRESTART) != 0) {
		kmem_state_clear(thread, _THREAD_PRESTART);
		if (thread->base.pended_on == &kmem_start_queue) {
			kmem_unpend(thread);
			kmem_ready(thread, 0);
		}
	}
	kmem_leave(key);
}

/* Whether waiting for a thread would never end, or need not begin. Lock held. */
static int join_check(const struct k_thread *thread, const struct k_thread *self, k_timeout_t timeout)
{
	if (kmem_thread_is_dead(thread)) {
		return 0;
	}
	if (!kmem_timeout_waits(timeout)) {
		return -EBUSY;
	}
	if (thread == self || thread->base.pended_on == &self->join_queue) {
		return -EDEADLK;
	}
	return -EAGAIN;
}

int k_thread_join(struct k_thread *thread, k_timeout_t timeout)
{
	struct k_thread *self = k_sched_current_thread_query();
	unsigned int key = kmem_enter();
	int ret = join_check(thread, self, timeout);

	if (ret == -EAGAIN) {
		ret = kmem_pend(key, &thread->join_queue, timeout);
	} else {
		kmem_leave(key);
	}
	if (ret == 0) {
		kmem_threads_reap();
	}
	return ret;
}

void k_thread_user_mode_enter(k_thread_entry_t entry, void *p1, void *p2, void *p3)
{
	struct k_thread *self = k_sched_current_thread_query();

	self->base.user_options |= K_USER;
	self->entry = (struct __thread_entry){entry, p1, p2, p3};
	entry(p1, p2, p3);
	k_thread_abort(self);
	__builtin_unreachable();
}
