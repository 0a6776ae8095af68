/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What there is to know of threads, and to set: names, priorities, states, counters.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zephyr/kernel.h>

#include "compat/thread.h"

/* A name of a host thread, its end included. */
#define HOST_NAME_SIZE 16

/* Counters of former lives of thread objects, by the object's address. They are never forgotten. */
struct kept {
	const struct k_thread *thread;
	struct kmem_stats stats;
	struct kept *next;
};

static struct kept *kept; /* interrupt lock */

static struct k_thread *or_self(k_tid_t thread)
{
	return thread != NULL ? thread : k_sched_current_thread_query();
}

int k_thread_name_set(k_tid_t thread, const char *name)
{
	char host_name[HOST_NAME_SIZE];
	unsigned int key;

	thread = or_self(thread);
	(void)snprintf(host_name, sizeof(host_name), "%s", name);
	key = kmem_enter();
	(void)snprintf(thread->name, sizeof(thread->name), "%s", name);
	/* The main thread's is the program's. */
	if (thread->kmem_host != NULL && thread != &z_main_thread) {
		(void)pthread_setname_np(thread->kmem_host->pthread, host_name);
	}
	kmem_leave(key);
	return 0;
}

const char *k_thread_name_get(k_tid_t thread)
{
	return or_self(thread)->name;
}

int k_thread_name_copy(k_tid_t thread, char *buf, size_t size)
{
	unsigned int key = kmem_enter();
	size_t length;

	thread = or_self(thread);
	length = strnlen(thread->name, sizeof(thread->name) - 1);
	if (length < size) {
		memcpy(buf, thread->name, length);
		buf[length] = '\0';
	}
	kmem_leave(key);
	return length < size ? 0 : -ENOSPC;
}

int k_thread_priority_get(k_tid_t thread)
{
	return __atomic_load_n(&thread->base.prio, __ATOMIC_RELAXED);
}

void k_thread_priority_set(k_tid_t thread, int prio)
{
	unsigned int key = kmem_enter();

	__atomic_store_n(&thread->base.prio, prio, __ATOMIC_RELAXED);
	kmem_leave(key);
}

const char *k_thread_state_str(k_tid_t thread, char *buf, size_t size)
{
	static const struct {
		uint32_t state;
		const char *name;
	} names[] = {
		{_THREAD_DUMMY, "dummy"},       {_THREAD_PENDING, "pending"},       {_THREAD_SLEEPING, "sleeping"},
		{_THREAD_DEAD, "dead"},         {_THREAD_SUSPENDED, "suspended"},   {_THREAD_ABORTING, "aborting"},
		{_THREAD_PRESTART, "prestart"}, {_THREAD_SUSPENDING, "suspending"}, {_THREAD_QUEUED, "queued"},
	};
	const uint32_t state = __atomic_load_n(&thread->base.thread_state, __ATOMIC_RELAXED);
	size_t used = 0;

	if (buf == NULL || size == 0) {
		return "";
	}
	buf[0] = '\0';
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && used < size; i++) {
		if ((state & names[i].state) != 0) {
			used += (size_t)snprintf(buf + used, size - used, "%s%s", used != 0 ? "+" : "", names[i].name);
		}
	}
	return buf;
}

int k_thread_stack_space_get(const struct k_thread *thread, size_t *unused)
{
	if (thread == NULL || unused == NULL) {
		return -EINVAL;
	}
	*unused = thread->stack_info.size;
	return 0;
}

/* The n-th live thread, the main one first; NULL behind the last. */
static struct k_thread *nth(size_t n)
{
	unsigned int key = kmem_enter();
	const struct kmem_host_thread *host = kmem_host_threads;
	struct k_thread *thread = NULL;

	if (n == 0) {
		thread = &z_main_thread;
	} else {
		while (host != NULL && --n != 0) {
			host = host->next;
		}
		thread = host != NULL ? host->thread : NULL;
	}
	kmem_leave(key);
	return thread;
}

void k_thread_foreach_unlocked(k_thread_user_cb_t user_cb, void *user_data)
{
	const struct k_thread *thread;

	for (size_t n = 0; (thread = nth(n)) != NULL; n++) {
		user_cb(thread, user_data);
	}
}

void k_thread_foreach(k_thread_user_cb_t user_cb, void *user_data)
{
	unsigned int key = kmem_enter();

	k_thread_foreach_unlocked(user_cb, user_data);
	kmem_leave(key);
}

void k_thread_custom_data_set(void *value)
{
	k_sched_current_thread_query()->custom_data = value;
}

void *k_thread_custom_data_get(void)
{
	return k_sched_current_thread_query()->custom_data;
}

void z_thread_essential_set(k_tid_t thread)
{
	(void)__atomic_fetch_or(&thread->base.user_options, K_ESSENTIAL, __ATOMIC_RELAXED);
}

void z_thread_essential_clear(k_tid_t thread)
{
	(void)__atomic_fetch_and(&thread->base.user_options, ~K_ESSENTIAL, __ATOMIC_RELAXED);
}

bool z_is_thread_essential(k_tid_t thread)
{
	return (__atomic_load_n(&thread->base.user_options, __ATOMIC_RELAXED) & K_ESSENTIAL) != 0;
}

static void stats_add(struct kmem_stats *sum, const struct kmem_stats *stats)
{
	sum->pagefaults.cnt += stats->pagefaults.cnt;
	sum->pagefaults.irq_locked += stats->pagefaults.irq_locked;
	sum->pagefaults.irq_unlocked += stats->pagefaults.irq_unlocked;
	sum->pagefaults.in_isr += stats->pagefaults.in_isr;
	sum->eviction.clean += stats->eviction.clean;
	sum->eviction.dirty += stats->eviction.dirty;
	sum->minor_faults += stats->minor_faults;
	sum->waits += stats->waits;
	sum->readahead_pages += stats->readahead_pages;
	sum->reliefs += stats->reliefs;
	sum->store_reads += stats->store_reads;
	sum->store_writes += stats->store_writes;
	sum->store_errors += stats->store_errors;
	sum->paging_ns += stats->paging_ns;
	sum->store_ns += stats->store_ns;
}

/* Of an object, or NULL. Lock held. */
static struct kept *kept_find(const struct k_thread *thread)
{
	struct kept *item = kept;

	while (item != NULL && item->thread != thread) {
		item = item->next;
	}
	return item;
}

void kmem_thread_stats_keep(const struct k_thread *thread)
{
	static const struct kmem_stats none;
	struct kmem_stats stats;
	struct kept *item;
	unsigned int key;

	if (kmem_thread_stats_get(0, &stats) != 0 || memcmp(&stats, &none, sizeof(stats)) == 0) {
		return;
	}
	key = kmem_enter();
	item = kept_find(thread);
	if (item == NULL) {
		item = calloc(1, sizeof(*item));
		if (item != NULL) {
			item->thread = thread;
			item->next = kept;
			kept = item;
		}
	}
	if (item != NULL) {
		stats_add(&item->stats, &stats);
	}
	kmem_leave(key);
}

void kmem_k_thread_stats_get(struct k_thread *thread, struct kmem_stats *stats)
{
	struct kmem_stats live = {.waits = 0};
	unsigned int key = kmem_enter();
	const struct kept *item = kept_find(thread);
	const pid_t tid = thread->kmem_host != NULL ? thread->kmem_host->tid : 0;

	*stats = live;
	if (item != NULL) {
		stats_add(stats, &item->stats);
	}
	if (tid != 0 && kmem_thread_stats_get(tid, &live) == 0) {
		stats_add(stats, &live);
	}
	kmem_leave(key);
}
