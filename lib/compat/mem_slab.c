/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory slabs.
 *
 * The spin lock is all that guards a slab's blocks, since a backing store may come here from the handler of a fault,
 * whatever is locked. A thread that waits for a block does so under the interrupt lock, and announces itself under
 * the spin lock, inside it: only then does a free take the interrupt lock, too.
 *
 * Blocks that were never used are not linked yet, so a slab that is defined statically needs no initialisation.
 */
#include <errno.h>
#include <sched.h>

#include <zephyr/kernel.h>

#include "compat/wait.h"

#define SPINS 100U

/*
 * The holder may be interrupted by a fault that comes here for another slab, but never for this one; and not by a
 * request to end, which comes again. A thread without an object has no requests, and must not get one here.
 */
static void lock(struct k_mem_slab *slab)
{
	struct kmem_host_thread *host = kmem_host_peek();
	unsigned int spins = 0;

	if (host != NULL) {
		host->section++;
	}
	while (__atomic_exchange_n(&slab->kmem_lock, 1, __ATOMIC_ACQUIRE) != 0) {
		if (++spins >= SPINS) {
			(void)sched_yield();
		}
	}
}

static void unlock(struct k_mem_slab *slab)
{
	struct kmem_host_thread *host = kmem_host_peek();

	__atomic_store_n(&slab->kmem_lock, 0, __ATOMIC_RELEASE);
	if (host != NULL) {
		host->section--;
	}
}

static bool is_word_multiple(size_t value)
{
	return value % sizeof(void *) == 0;
}

int k_mem_slab_init(struct k_mem_slab *slab, void *buffer, size_t block_size, uint32_t num_blocks)
{
	if (!is_word_multiple(block_size) || !is_word_multiple((uintptr_t)buffer) || block_size == 0) {
		return -EINVAL;
	}
	*slab = (struct k_mem_slab){
		.buffer = buffer,
		.info = {.num_blocks = num_blocks, .block_size = block_size},
	};
	return 0;
}

/* Spin lock held. NULL if all are in use. */
static void *take(struct k_mem_slab *slab)
{
	char *block = slab->free_list;

	if (block != NULL) {
		slab->free_list = *(char **)(void *)block;
	} else if (slab->kmem_touched < slab->info.num_blocks) {
		block = slab->buffer + (size_t)slab->kmem_touched++ * slab->info.block_size;
	} else {
		return NULL;
	}
	slab->info.num_used++;
	if (slab->info.num_used > slab->info.max_used) {
		slab->info.max_used = slab->info.num_used;
	}
	return block;
}

/* Spin lock held. */
static void put(struct k_mem_slab *slab, void *mem)
{
	*(char **)mem = slab->free_list;
	slab->free_list = mem;
	slab->info.num_used--;
}

/* Take a block; if there is none, say that a thread is going to wait for one. */
static void *take_or_announce(struct k_mem_slab *slab, bool announce)
{
	void *block;

	lock(slab);
	block = take(slab);
	if (block == NULL && announce) {
		slab->kmem_has_waiters = 1;
	}
	unlock(slab);
	return block;
}

static int wait(struct k_mem_slab *slab, void **mem, k_timeout_t timeout)
{
	struct k_thread *self = k_sched_current_thread_query();
	unsigned int key = kmem_enter();
	int ret;

	*mem = take_or_announce(slab, true);
	if (*mem != NULL) {
		kmem_leave(key);
		return 0;
	}
	ret = kmem_pend(key, &slab->wait_q, timeout);
	*mem = ret == 0 ? self->swap_data : NULL;
	return ret;
}

int k_mem_slab_alloc(struct k_mem_slab *slab, void **mem, k_timeout_t timeout)
{
	void *block = take_or_announce(slab, false);

	if (block == NULL && kmem_timeout_waits(timeout)) {
		return wait(slab, mem, timeout);
	}
	*mem = block;
	return block != NULL ? 0 : -ENOMEM;
}

/* Give a block to who waits best; nobody may be left by now. */
static void hand_over(struct k_mem_slab *slab, void *mem)
{
	unsigned int key = kmem_enter();
	struct k_thread *thread = kmem_queue_best(&slab->wait_q);

	if (thread != NULL) {
		kmem_unpend(thread);
		thread->swap_data = mem;
		kmem_ready(thread, 0);
	} else {
		lock(slab);
		put(slab, mem);
		slab->kmem_has_waiters = 0;
		unlock(slab);
	}
	kmem_leave(key);
}

void k_mem_slab_free(struct k_mem_slab *slab, void *mem)
{
	bool has_waiters;

	lock(slab);
	has_waiters = slab->kmem_has_waiters != 0;
	if (!has_waiters) {
		put(slab, mem);
	}
	unlock(slab);
	if (has_waiters) {
		hand_over(slab, mem);
	}
}
