/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Adoption: a page of the process's own becomes a page of RAM, and back, while other threads use it.
 *
 * Theory of operation. The page is made read-only, so that nobody writes to it while it is copied; who tries traps, finds that the
 * page moves, and waits. Then the frame takes the page's place in one host call. Nothing is written between the two calls but
 * the copy, not even a variable of the library's: it may lie in that very page where the library is linked statically. `moving`
 * is set before and cleared after.
 *
 * A thread that trapped may be late, and look when the move has ended: every thread repeats its first trap after a move,
 * wherever it was, and a trap that is none of this comes again.
 *
 * One page moves at a time: the kernel lock is held.
 */
#include <stdatomic.h>

#include "host/memory.h"
#include "host/thread.h"
#include "machine/mmu.h"
#include "machine/ram.h"

/* The page that moves, and its size; 0: none does. */
static _Atomic uintptr_t moving;
static _Atomic size_t moving_size;
static _Atomic uint32_t mover; /* thread id */

/* Moves that have ended, and how many of them had when this thread last trapped. */
static _Atomic uint32_t moves;
static __thread uint32_t moves_seen __attribute__((tls_model("initial-exec")));

static void move_begin(uintptr_t addr, size_t size)
{
	atomic_store(&mover, kmem_thread_id());
	atomic_store(&moving_size, size);
	atomic_store(&moving, addr);
}

static void move_end(void)
{
	atomic_fetch_add(&moves, 1);
	atomic_store(&moving, 0);
}

static bool is_moving(uintptr_t addr)
{
	uintptr_t page = atomic_load(&moving);

	return page != 0 && addr - page < atomic_load(&moving_size);
}

bool kmem_mmu_move_wait(uintptr_t addr)
{
	bool was_moving = is_moving(addr);
	uint32_t ended;

	/* Whoever moves it waits for nobody: such a trap is an error. */
	if (was_moving && atomic_load(&mover) == kmem_thread_id()) {
		return false;
	}
	while (is_moving(addr)) {
		kmem_thread_yield();
	}
	ended = atomic_load(&moves);
	was_moving = was_moving || ended != moves_seen;
	moves_seen = ended;
	return was_moving;
}

/* Copy a page of the program, red zones of sanitizers and bytes that others just write included: what is there is what moves. */
__attribute__((no_sanitize("address", "thread", "undefined"))) static void page_copy(void *to, uintptr_t from,
										     size_t size)
{
	const volatile uint64_t *source = (const volatile uint64_t *)from;
	uint64_t *target = to;

	for (size_t i = 0; i < size / sizeof(*target); i++) {
		target[i] = source[i];
	}
}

int kmem_mmu_adopt(uintptr_t addr, uintptr_t phys, unsigned int prot)
{
	size_t size = kmem_page_table_page_size();
	bool is_writable = (prot & KMEM_PROT_WRITE) != 0;
	void *bytes = kmem_ram_bytes(phys);
	int ret = 0;

	move_begin(addr, size);
	if (is_writable) {
		ret = kmem_host_range_protect(addr, size, prot & ~(unsigned int)KMEM_PROT_WRITE);
	}
	if (ret == 0) {
		page_copy(bytes, addr, size);
		ret = kmem_mmu_show(addr, phys, prot);
		if (ret != 0 && is_writable) {
			(void)kmem_host_range_protect(addr, size, prot);
		}
	}
	move_end();
	if (ret == 0 && kmem_page_table_covers(addr)) {
		kmem_pte_set(addr, kmem_pte_get(addr) & ~(kmem_pte)KMEM_PTE_PRIVATE);
	}
	return ret;
}

int kmem_mmu_disown(uintptr_t addr, uintptr_t phys, unsigned int prot)
{
	size_t size = kmem_page_table_page_size();
	bool is_writable = (prot & KMEM_PROT_WRITE) != 0;
	int ret = 0;

	move_begin(addr, size);
	if (is_writable) {
		ret = kmem_host_range_protect(addr, size, prot & ~(unsigned int)KMEM_PROT_WRITE);
	}
	if (ret == 0) {
		ret = kmem_host_private_put(addr, kmem_ram_bytes(phys), size, prot);
	}
	move_end();
	if (ret == 0 && kmem_page_table_covers(addr)) {
		kmem_pte_set(addr, kmem_pte_get(addr) | KMEM_PTE_PRIVATE);
	}
	return ret;
}
