/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Locks, and the order in which they are taken.
 *
 * The order, outermost first:
 *
 *   - guard lock     (lib/preload/guard_record.c)  slots and records of guarded blocks; 0 to 2 within, when the area grows
 *   0 interrupt lock (lib/kernel/irq.c)     the program's emulated interrupts; around 1 for policies and stores of its own
 *   1 paging mutex   (lib/kernel/kernel.c)  held over a whole page-in or page-out where the store asks for serialised calls
 *   2 kernel lock    (lib/kernel/kernel.h)  page table writes, regions, frames, policy, store bookkeeping, statistics
 *   3 signal lock    (lib/host/signals.c)   the program's wishes for SIGSEGV, SIGBUS and SIGSYS
 *   4 stack lock     (lib/host/thread.c)    alternate stacks that wait for the end of their threads
 *   5 limit lock     (lib/host/limit.c)     limits on files and descriptors, while one is lifted
 *   6 giving lock    (lib/machine/engine_uffd.c)  slots whose memory is being given back; and, never within one another,
 *     ring lock                               frames that have memory twice
 *   - backtrace lock (lib/preload/trace.c)  backtraces that are kept; within the guard lock at a fork only
 *
 * Holders of 1 to 6 have every signal but the synchronous ones blocked (32 and 33 too), so no handler of the program's
 * runs under a lock, and no cancellation either. Nobody touches paged memory under a lock: a trap taken by a holder is
 * found out by `kmem_thread_self()->locks` and reported as fatal. A fault of the caller's is taken with no lock held,
 * because the public functions touch the caller's memory only outside.
 */
#ifndef KMEM_HOST_LOCK_H
#define KMEM_HOST_LOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * A mutex over a futex. The word is 0 when free, else the holder's thread id, with the top bit set if somebody may wait.
 * Zeroed memory is a free lock. Taking it twice in one thread is found out and aborts.
 */
struct kmem_lock {
	_Atomic uint32_t word;
};

/* Both count in kmem_thread_self()->locks. The caller has blocked signals (kmem_signals_block()). */
void kmem_lock_acquire(struct kmem_lock *lock);
void kmem_lock_release(struct kmem_lock *lock);

/*
 * The same without the count and without blocked signals, for a lock that lies outside all others: its holder may touch paged
 * memory. _sigsafe.
 */
void kmem_lock_acquire_outer(struct kmem_lock *lock);
void kmem_lock_release_outer(struct kmem_lock *lock);

/* Whether the calling thread holds it. */
bool kmem_lock_is_held(const struct kmem_lock *lock);

/* In the child of a fork: the forking thread, whose id has changed, still holds it. */
void kmem_lock_adopt(struct kmem_lock *lock);

/*
 * A place to wait for a change that is made under a lock. Zeroed memory is an empty queue. Wakeups may be spurious: look at
 * the condition again.
 */
struct kmem_waitq {
	_Atomic uint32_t sequence; /* counts wakeups */
	uint32_t waiters;          /* guarded by the lock */
};

/* Release the lock, sleep until the next wakeup of the queue, take the lock again. */
void kmem_waitq_wait(struct kmem_waitq *queue, struct kmem_lock *lock);

/* Wake all; the caller holds the lock. No system call where nobody waits. */
void kmem_waitq_wake(struct kmem_waitq *queue);

#endif /* KMEM_HOST_LOCK_H */
