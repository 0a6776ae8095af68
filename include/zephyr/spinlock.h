/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Spin locks. (Zephyr: spinlock.h)
 *
 * As on a board with one processor, a spin lock locks interrupts and nothing else: all of them are one lock, which a
 * thread may hold several times, and which is given up while the thread waits for something.
 */
#ifndef ZEPHYR_INCLUDE_SPINLOCK_H_
#define ZEPHYR_INCLUDE_SPINLOCK_H_

#include <kmem/kconfig.h>

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

#include <kmem/irq.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Never empty, so that it has the same size in C and in C++. */
struct k_spinlock {
	uintptr_t kmem_depth; /* how often it is held; guarded by the interrupt lock */
};

typedef struct z_spinlock_key {
	unsigned int key;
} k_spinlock_key_t;

/** Lock. @return the key for k_spin_unlock(). Context: anywhere. */
static inline k_spinlock_key_t k_spin_lock(struct k_spinlock *lock)
{
	k_spinlock_key_t key;

	key.key = arch_irq_lock();
	lock->kmem_depth++;
	return key;
}

/** Lock. @return 0, or -EBUSY if this thread holds it already. Context: anywhere. */
static inline int k_spin_trylock(struct k_spinlock *lock, k_spinlock_key_t *key)
{
	key->key = arch_irq_lock();
	if (lock->kmem_depth != 0U) {
		arch_irq_unlock(key->key);
		return -EBUSY;
	}
	lock->kmem_depth++;
	return 0;
}

/** Undo the k_spin_lock() that returned @p key. */
static inline void k_spin_unlock(struct k_spinlock *lock, k_spinlock_key_t key)
{
	lock->kmem_depth--;
	arch_irq_unlock(key.key);
}

/** Release the lock and leave interrupts locked. */
static inline void k_spin_release(struct k_spinlock *lock)
{
	lock->kmem_depth--;
}

static inline bool z_spin_is_locked(struct k_spinlock *lock)
{
	return lock->kmem_depth != 0U;
}

static inline bool k_spin_is_locked(struct k_spinlock *lock)
{
	return z_spin_is_locked(lock);
}

#define K_SPINLOCK_BREAK continue

/*
 * The block that follows runs with the lock held, which is released at its end and by K_SPINLOCK_BREAK; not by break
 * or goto.
 */
#define KMEM_SPINLOCK(lock, once, key)                                                                                 \
	for (k_spinlock_key_t key = k_spin_lock(lock), *once = &key; once != (k_spinlock_key_t *)0;                    \
	     k_spin_unlock((lock), key), once = (k_spinlock_key_t *)0)
#define KMEM_SPINLOCK_LINE(lock, line) KMEM_SPINLOCK(lock, kmem_spin_once_##line, kmem_spin_key_##line)
#define KMEM_SPINLOCK_AT(lock, line) KMEM_SPINLOCK_LINE(lock, line)
#define K_SPINLOCK(lock) KMEM_SPINLOCK_AT(lock, __LINE__)

#ifdef __cplusplus
}
#endif

#endif /* ZEPHYR_INCLUDE_SPINLOCK_H_ */
