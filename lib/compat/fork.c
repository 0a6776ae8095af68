/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fork(): only the calling thread lives on in the child. The others that k_thread_create() made are dead there, and
 * out of the queues they waited in; what they held stays held, save for the scheduler lock. Timers go on.
 *
 * The interrupt lock is held over the fork, so that the child finds every object whole. The library's own handlers
 * see to the lock itself.
 */
#include "compat/fork.h"

#include <pthread.h>

#include "compat/current.h"
#include "compat/thread.h"
#include "compat/timeout.h"

static unsigned int key; /* the forking thread's */

static void prepare(void)
{
	unsigned int before = arch_irq_lock();

	key = before;
}

static void parent(void)
{
	arch_irq_unlock(key);
}

static void child(void)
{
	struct kmem_host_thread *self = kmem_host_peek();
	struct kmem_host_thread *host = kmem_host_threads;

	kmem_host_threads = NULL;
	for (struct kmem_host_thread *next; host != NULL; host = next) {
		next = host->next;
		if (host == self) {
			host->next = NULL;
			host->link = &kmem_host_threads;
			kmem_host_threads = host;
			continue;
		}
		kmem_unpend(host->thread);
		(void)kmem_timeout_abort(&host->retry);
		host->thread->kmem_host = NULL;
		host->thread->base.thread_state = _THREAD_DEAD;
	}
	kmem_threads_forked();
	kmem_sched_forked(self != NULL ? self->thread : NULL);
	kmem_host_forked();
	kmem_timeout_forked();
	arch_irq_unlock(key);
}

static void handlers_register(void)
{
	(void)pthread_atfork(prepare, parent, child);
}

void kmem_compat_fork_init(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void)pthread_once(&once, handlers_register);
}
