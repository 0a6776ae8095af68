/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Locks and wait queues over futexes.
 *
 * A lock's word is the holder's thread id, so that a thread that would wait for itself is found out. WAITERS is set by whoever
 * goes to sleep, and stays set for whoever takes the lock after having slept, since others may sleep still: a release that
 * finds it wakes one. A wait queue's sequence is read under the lock, so a wakeup between the release and the sleep changes
 * it and the sleep returns at once.
 */
#include "host/lock.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/assert.h"
#include "host/thread.h"

#define WAITERS 0x80000000U

/* Looks at a lock before sleeping: about the time that a short critical section takes. */
#define SPINS 100

static void futex_wait(_Atomic uint32_t *word, uint32_t expected)
{
	int saved = errno;

	(void)syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, NULL, NULL, 0);
	errno = saved;
}

static void futex_wake(_Atomic uint32_t *word, int count)
{
	int saved = errno;

	(void)syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, count, NULL, NULL, 0);
	errno = saved;
}

static bool take(struct kmem_lock *lock, uint32_t owner)
{
	uint32_t unlocked = 0;

	return atomic_compare_exchange_strong_explicit(&lock->word, &unlocked, owner, memory_order_acquire,
						       memory_order_relaxed);
}

static bool spin(struct kmem_lock *lock, uint32_t owner)
{
	for (unsigned int i = 0; i < SPINS; i++) {
		if (atomic_load_explicit(&lock->word, memory_order_relaxed) == 0 && take(lock, owner)) {
			return true;
		}
	}
	return false;
}

/* Sleep until the lock is had; it then has WAITERS. */
static void acquire_slowly(struct kmem_lock *lock, uint32_t owner)
{
	while (!take(lock, owner | WAITERS)) {
		uint32_t word = atomic_load_explicit(&lock->word, memory_order_relaxed);

		if (word == 0) {
			continue;
		}
		if ((word & WAITERS) == 0 && !atomic_compare_exchange_strong(&lock->word, &word, word | WAITERS)) {
			continue;
		}
		futex_wait(&lock->word, word | WAITERS);
	}
}

void kmem_lock_acquire_outer(struct kmem_lock *lock)
{
	uint32_t owner = kmem_thread_id();

	kmem_assert(!kmem_lock_is_held(lock));
	if (!take(lock, owner) && !spin(lock, owner)) {
		acquire_slowly(lock, owner);
	}
}

void kmem_lock_release_outer(struct kmem_lock *lock)
{
	kmem_assert(kmem_lock_is_held(lock));
	if ((atomic_exchange_explicit(&lock->word, 0, memory_order_release) & WAITERS) != 0) {
		futex_wake(&lock->word, 1);
	}
}

void kmem_lock_acquire(struct kmem_lock *lock)
{
	kmem_thread_self()->locks++;
	kmem_lock_acquire_outer(lock);
}

void kmem_lock_release(struct kmem_lock *lock)
{
	kmem_lock_release_outer(lock);
	kmem_thread_self()->locks--;
}

bool kmem_lock_is_held(const struct kmem_lock *lock)
{
	return (atomic_load_explicit(&lock->word, memory_order_relaxed) & ~WAITERS) == kmem_thread_id();
}

void kmem_lock_adopt(struct kmem_lock *lock)
{
	atomic_store(&lock->word, kmem_thread_id());
}

void kmem_waitq_wait(struct kmem_waitq *queue, struct kmem_lock *lock)
{
	uint32_t sequence = atomic_load_explicit(&queue->sequence, memory_order_relaxed);

	queue->waiters++;
	kmem_lock_release(lock);
	futex_wait(&queue->sequence, sequence);
	kmem_lock_acquire(lock);
	queue->waiters--;
}

void kmem_waitq_wake(struct kmem_waitq *queue)
{
	if (queue->waiters > 0) {
		atomic_fetch_add(&queue->sequence, 1);
		futex_wake(&queue->sequence, INT_MAX);
	}
}
