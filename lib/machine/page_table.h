/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page table: one 64-bit atomic entry for every page of the VM range.
 *
 *                      map (eager: a frame at once)
 *        UNMAPPED ------------------------------------> IN(frame) <--- ACCESSED / DIRTY, by permission
 *         ^  | ^                                          |   ^
 *     map |  | | unmap                         page_out   |   |  page_in
 *  (guard)|  | +--------------+                           v   |
 *         v  v (lazy) map     |                   BUSY_OUT   BUSY_IN
 *      GUARD OUT(location) <--+---------------------+   |     ^  |
 *              |  ^                                     |     |  |
 *              |  +-------------------------------------+     |  | page_in failed
 *              +----------------------------------------------+  v
 *                                                               OUT
 *
 * transition            by (all in mmu.c, kernel lock held)
 * UNMAPPED -> IN        kmem_mmu_map()
 * UNMAPPED -> OUT       kmem_mmu_map_out()
 * UNMAPPED -> GUARD     kmem_mmu_guard()
 * OUT -> BUSY_IN        kmem_mmu_page_in_begin()
 * BUSY_IN -> IN         kmem_mmu_page_in_end()
 * BUSY_IN -> OUT        kmem_mmu_page_in_undo()
 * IN -> BUSY_OUT        kmem_mmu_page_out_begin()
 * BUSY_OUT -> OUT       kmem_mmu_page_out_end()
 * BUSY_OUT -> IN        kmem_mmu_page_out_undo()
 * IN, OUT, GUARD -> UNMAPPED   kmem_mmu_unmap(), and kmem_mmu_move(), which gives their entries to UNMAPPED pages
 * IN, OUT -> OUT        kmem_mmu_discard(): never touched
 *
 * facts by state
 * UNMAPPED  the host page traps; the address field is 0. An access is fatal.
 * GUARD     as UNMAPPED, but belongs to a region. An access is fatal.
 * OUT       the host page traps; the address field is the store's location. An access brings the page in.
 * BUSY_IN   as OUT; one thread is bringing the page in, and nobody else touches entry or location. It exposes the page before it says IN.
 * BUSY_OUT  the address field is the frame. One thread conceals the page, and then writes its bytes out.
 * IN        the address field is the frame, or device memory. What the host allows follows from the entry alone, and is
 *           kmem_pte_prot(): nothing without ACCESSED; reading with it; writing with DIRTY and RW too. With PRIVATE the page is the
 *           process's own still, a piece of the program that is the boot image: what the host allows there is not ours, until the
 *           frame takes the page's place (kmem_mmu_adopt()).
 * Any but UNMAPPED and GUARD may have NO_ACCESS: an access is fatal, the host allows nothing, and the page comes and goes as any
 * other. Permissions stand beside it and mean nothing meanwhile.
 *
 * A page *holds* something if it has a frame or a location of its own, or is on its way: IN, BUSY, or OUT at a location that does not
 * stand for a page never touched. The table counts them, so that ranges that were never touched are passed over quickly.
 *
 * Invariants: T1 an entry's address field is page-aligned and below 2^48 by construction. T2 only IN has ACCESSED. T3 only
 * IN and BUSY_OUT have DIRTY, only IN has PRIVATE. T4 UNMAPPED is 0, GUARD has no other bit. T5 NO_ACCESS excludes ACCESSED. T6 the
 * counts of pages that hold something are right, as are the bits of those that are exposed, and no default (page_table.c) holds anything.
 *
 * Entries are written with the kernel lock held and read by anybody: stores are releases, loads acquires, so that who sees
 * a state sees what was written before it.
 */
#ifndef KMEM_MACHINE_PAGE_TABLE_H
#define KMEM_MACHINE_PAGE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <kmem/kmem.h>

typedef uint64_t kmem_pte;

enum kmem_pte_state {
	KMEM_PTE_UNMAPPED,
	KMEM_PTE_GUARD,
	KMEM_PTE_OUT,
	KMEM_PTE_BUSY_IN,
	KMEM_PTE_BUSY_OUT,
	KMEM_PTE_IN,
};

#define KMEM_PTE_STATE_MASK 0x7ULL
/* K_MEM_PERM_* stand at their own places, bits 3 to 5; the cache mode follows. */
#define KMEM_PTE_PERM_MASK ((kmem_pte)(K_MEM_PERM_RW | K_MEM_PERM_EXEC | K_MEM_PERM_USER))
#define KMEM_PTE_CACHE_SHIFT 6
#define KMEM_PTE_CACHE_MASK ((kmem_pte)K_MEM_CACHE_MASK << KMEM_PTE_CACHE_SHIFT)
#define KMEM_PTE_ACCESSED 0x200ULL
#define KMEM_PTE_DIRTY 0x400ULL
#define KMEM_PTE_PRIVATE 0x800ULL
/* Frame, or location: 48 bits, of which a page has the low ones 0. */
#define KMEM_PTE_ADDR_MASK 0x0000fffffffff000ULL
#define KMEM_PTE_NO_ACCESS (1ULL << 48)
/* What the program says of how it will go through a mapped page. Not both; they stay until it says otherwise, or unmaps the page. */
#define KMEM_PTE_SEQUENTIAL (1ULL << 49)
#define KMEM_PTE_RANDOM (1ULL << 50)

/* A table for [base, base + size). 0 or -errno. */
int kmem_page_table_init(uintptr_t base, size_t size, size_t page_size);
void kmem_page_table_finish(void);

/* Bytes in a page. */
size_t kmem_page_table_page_size(void);

/* Whether addr lies in the range. _sigsafe, lock-free. */
bool kmem_page_table_covers(uintptr_t addr);

/* The entry of the page around addr, which the table covers. _sigsafe, lock-free. */
kmem_pte kmem_pte_get(uintptr_t addr);

/* Write an entry; asserts that the diagram has the transition. Kernel lock held. */
void kmem_pte_set(uintptr_t addr, kmem_pte pte);

/* Write the same entry, which holds nothing, for every page of a range that is UNMAPPED. Kernel lock held. */
void kmem_pte_fill(uintptr_t addr, size_t size, kmem_pte pte);

/* Make every page of a range UNMAPPED. Kernel lock held. */
void kmem_pte_clear(uintptr_t addr, size_t size);

/* Take some bits from every entry of a range and add others, which change neither state nor address. Kernel lock held. */
void kmem_pte_change(uintptr_t addr, size_t size, kmem_pte taken, kmem_pte added);

/* The first page at addr or behind it that holds something; end if there is none before. Kernel lock held. */
uintptr_t kmem_pte_held_next(uintptr_t addr, uintptr_t end);

/* The same of pages that the entry says are exposed: kmem_pte_prot() allows something. */
uintptr_t kmem_pte_exposed_next(uintptr_t addr, uintptr_t end);

static inline enum kmem_pte_state kmem_pte_state(kmem_pte pte)
{
	return (enum kmem_pte_state)(pte & KMEM_PTE_STATE_MASK);
}

static inline bool kmem_pte_is_busy(kmem_pte pte)
{
	return kmem_pte_state(pte) == KMEM_PTE_BUSY_IN || kmem_pte_state(pte) == KMEM_PTE_BUSY_OUT;
}

static inline uint64_t kmem_pte_addr(kmem_pte pte)
{
	return pte & KMEM_PTE_ADDR_MASK;
}

static inline bool kmem_pte_holds(kmem_pte pte)
{
	switch (kmem_pte_state(pte)) {
	case KMEM_PTE_UNMAPPED:
	case KMEM_PTE_GUARD:
		return false;
	case KMEM_PTE_OUT:
		return kmem_pte_addr(pte) != KMEM_LOCATION_ANON_ZERO && kmem_pte_addr(pte) != KMEM_LOCATION_ANON_UNINIT;
	default:
		return true;
	}
}

/* The bits for K_MEM_PERM_* and cache mode, and back, where KMEM_PERM_NO_ACCESS is told, too. */
static inline kmem_pte kmem_pte_from_flags(uint32_t flags)
{
	return (flags & KMEM_PTE_PERM_MASK) | ((kmem_pte)(flags & K_MEM_CACHE_MASK) << KMEM_PTE_CACHE_SHIFT);
}

static inline uint32_t kmem_pte_flags(kmem_pte pte)
{
	uint32_t no_access = (pte & KMEM_PTE_NO_ACCESS) != 0 ? KMEM_PERM_NO_ACCESS : 0;

	return (uint32_t)((pte & KMEM_PTE_PERM_MASK) | ((pte & KMEM_PTE_CACHE_MASK) >> KMEM_PTE_CACHE_SHIFT)) | no_access;
}

/* The entry with another state, or another state and address. */
static inline kmem_pte kmem_pte_with_state(kmem_pte pte, enum kmem_pte_state state)
{
	return (pte & ~KMEM_PTE_STATE_MASK) | (kmem_pte)state;
}

static inline kmem_pte kmem_pte_with_addr(kmem_pte pte, enum kmem_pte_state state, uint64_t addr)
{
	return (kmem_pte_with_state(pte, state) & ~KMEM_PTE_ADDR_MASK) | (addr & KMEM_PTE_ADDR_MASK);
}

/* What the library makes the host allow at this page (enum kmem_prot); nothing for a PRIVATE one, which it leaves alone. */
unsigned int kmem_pte_prot(kmem_pte pte);

/* Invariants T2 to T5 of one entry; T6 around a range. Kernel lock held for the latter. */
bool kmem_pte_is_valid(kmem_pte pte);
bool kmem_page_table_is_valid(uintptr_t addr, size_t size);

#endif /* KMEM_MACHINE_PAGE_TABLE_H */
