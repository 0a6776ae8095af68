/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The MMU: page table entries and what the host really allows, changed together. The contract of Zephyr's arch_* layer
 * (Zephyr: kernel_arch_interface.h), and the only caller of the engine.
 *
 * All functions are called with the kernel lock held, addresses and sizes are multiples of the page size inside the VM
 * range, and all are _sigsafe. 0 or -errno; what fails has changed nothing. Invariant M1: what the host allows at a page
 * is kmem_pte_prot() of its entry, whenever the kernel lock is free, save for the scratch page and pages that are BUSY.
 */
#ifndef KMEM_MACHINE_MMU_H
#define KMEM_MACHINE_MMU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "machine/engine.h"
#include "machine/page_table.h"

/* Addresses [start, end). */
struct kmem_mmu_hole {
	uintptr_t start, end;
};

#define KMEM_MMU_HOLES_MAX 2

struct kmem_mmu_params {
	const struct kmem_engine *engine;
	struct kmem_engine_params range;
	bool is_file_only; /* every frame of RAM lies in the RAM file, whatever the engine */
	const struct kmem_mmu_hole *holes;
	size_t hole_count;
};

/*
 * Reserve the range and make a table for it. Holes, in ascending order and apart, are what the process itself has there: the
 * program and its heap. They are left alone; pages of the program may be mapped private, and adopted. 0 or -errno.
 */
int kmem_mmu_init(const struct kmem_mmu_params *params);
void kmem_mmu_finish(void);

/*
 * Memory behind a concealed page, or one that is to be mapped, with such flags, and a frame for it, so that no later touch can fail;
 * before anything is written to kmem_mmu_bytes(). The frame holds no other page. 0 or -errno; undone by kmem_mmu_page_drop(). No
 * system call where there is memory already.
 */
int kmem_mmu_page_back(uintptr_t addr, uintptr_t phys, uint32_t flags);

/* A page that was given a frame does not come into it after all. */
void kmem_mmu_page_drop(uintptr_t addr, uintptr_t phys);

/* Where the library reads and writes the bytes of a page that is concealed. */
void *kmem_mmu_bytes(uintptr_t addr, uintptr_t phys);

/* Before the library writes to the bytes of a page that was there at a fork. 0 or -errno. */
int kmem_mmu_page_thaw(uintptr_t phys);

/*
 * A frame is about to be shown by its physical address: its bytes go to the RAM file, for ever, with memory behind them. addr: of the page
 * in it, IN and not BUSY, or 0 if it holds none. 0 or -errno, nothing changed then.
 */
int kmem_mmu_frame_share(uintptr_t phys, uintptr_t addr);

/* Pages in a hole are mapped: IN and PRIVATE, the host's mapping stays what it is. No host call. */
void kmem_mmu_map_private(uintptr_t addr, uintptr_t phys, size_t size, uint32_t flags);

/* A page in a hole is mapped, but out: whatever the host has there goes. 0 or -errno. */
int kmem_mmu_map_absent(uintptr_t addr, uint64_t location, uint32_t flags);

/*
 * Put a frame, or other physical memory, with the bytes of the process's own page in the place of that page, which may be a
 * PRIVATE one or outside the range. Other threads may use the page meanwhile: nothing that they write is lost. 0 or -errno.
 */
int kmem_mmu_adopt(uintptr_t addr, uintptr_t phys, unsigned int prot);

/* The reverse: the page is the process's own again, with the bytes of physical memory. */
int kmem_mmu_disown(uintptr_t addr, uintptr_t phys, unsigned int prot);

/* Whether an access to addr may have trapped because one of these is under way: wait until it is not. _sigsafe. */
bool kmem_mmu_move_wait(uintptr_t addr);

/* In the child of a fork: show physical memory at an adopted page outside the range. */
int kmem_mmu_show(uintptr_t addr, uintptr_t phys, unsigned int prot);

/*
 * Map contiguous physical memory, shared where it is RAM (kmem_mmu_frame_share()), over UNMAPPED pages: readable, and writable if the flags
 * say so, at once and without traps. At most one host call.
 */
int kmem_mmu_map(uintptr_t addr, uintptr_t phys, size_t size, uint32_t flags);

/* The same, but the pages trap at their first access, or until kmem_mmu_expose(). No host call. */
void kmem_mmu_map_concealed(uintptr_t addr, uintptr_t phys, size_t size, uint32_t flags);

/* Expose those pages of a range that are IN, with ACCESSED set. One host call for each run of neighbouring frames. */
int kmem_mmu_expose(uintptr_t addr, size_t size);

/* Map pages that are out: page i has location + i * step. flags may have KMEM_PERM_NO_ACCESS. No host call. */
void kmem_mmu_map_out(uintptr_t addr, uint64_t location, size_t step, size_t size, uint32_t flags);

/* UNMAPPED becomes a guard page. */
void kmem_mmu_guard(uintptr_t addr);

/* Any pages but BUSY ones become UNMAPPED. No host call where nothing is exposed; one for all on the mmap engine. */
int kmem_mmu_unmap(uintptr_t addr, size_t size);

/*
 * Change permissions and cache mode of pages that are IN or OUT, contents kept. With KMEM_PERM_NO_ACCESS they are concealed;
 * without it pages that had it trap at their first access. Tracking is kept otherwise.
 */
int kmem_mmu_flags_set(uintptr_t addr, size_t size, uint32_t flags);

/* Conceal whatever is exposed in a range, and clear ACCESSED there. */
int kmem_mmu_conceal(uintptr_t addr, size_t size);

/* Pages that are IN or OUT, and concealed, become OUT and never touched. Others are left alone. No host call. */
void kmem_mmu_discard(uintptr_t addr, size_t size);

/*
 * The entries of concealed pages, none BUSY, go to UNMAPPED pages, and leave UNMAPPED ones behind. Apart. No host call: prepare makes
 * those that are needed. 0 or -errno, nothing changed that can be seen.
 */
int kmem_mmu_move_prepare(uintptr_t from, size_t size);
void kmem_mmu_move(uintptr_t from, size_t size, uintptr_t to);

/* One page comes in. begin: OUT -> BUSY_IN. end: -> IN; stays BUSY_IN on failure. undo: -> OUT. */
void kmem_mmu_page_in_begin(uintptr_t addr);
int kmem_mmu_page_in_end(uintptr_t addr, uintptr_t phys, bool dirty);
void kmem_mmu_page_in_undo(uintptr_t addr);

/* As _end, but the page traps at its first access, with neither ACCESSED nor DIRTY until then. No host call. */
void kmem_mmu_page_in_end_concealed(uintptr_t addr, uintptr_t phys);

/*
 * Show a frame, readable and writable, at the last page of the range, the scratch page, whose entry stays UNMAPPED. It shows the
 * frame until another takes its place.
 */
int kmem_mmu_scratch(uintptr_t phys);

/* One page goes out. begin: IN -> BUSY_OUT, concealed. end: -> OUT. undo: -> IN, its next access traps. */
int kmem_mmu_page_out_begin(uintptr_t addr);
void kmem_mmu_page_out_end(uintptr_t addr, uint64_t location);
void kmem_mmu_page_out_undo(uintptr_t addr);

/* An access to a page that is IN was seen: set ACCESSED, and DIRTY for a write or on request, and let it through. */
int kmem_mmu_page_access(uintptr_t addr, bool dirty);

/* The process is about to end at this address: whatever the entry says, the host forbids an access by SIGSEGV. */
void kmem_mmu_page_forbid(uintptr_t addr);

/* Make the host allow again what the entry says, in case somebody mapped or protected behind the library's back. */
int kmem_mmu_page_reassert(uintptr_t addr);

/*
 * Several pages come in, or go out, with as few host calls as there can be. In ascending order. The host calls of pages that
 * can_unlock() is true for may be made without the kernel lock: the pages are BUSY before, and until the entries are written.
 *
 *	in:  page_in_begin() each, pages_expose() where is_exposed, page_in_done() each
 *	out: page_out_mark() each, pages_conceal(), page_out_end() or _undo() each
 *
 * Of what fails nobody knows how much was done: pages_expose() has concealed again what it had exposed; after pages_conceal()
 * pages_expose() puts things right, with the entry as it was before (kmem_mmu_page_out_unmark()).
 */
struct kmem_mmu_page {
	uintptr_t addr;
	uintptr_t phys;
	bool is_dirty;   /* in: DIRTY from the start */
	bool is_exposed; /* in: ACCESSED, and exposed; otherwise it traps at its first access. conceal: set by page_out_mark() */
	kmem_pte before; /* out: set by page_out_mark() */
};

bool kmem_mmu_can_unlock(const struct kmem_mmu_page *pages, size_t count);
int kmem_mmu_pages_expose(const struct kmem_mmu_page *pages, size_t count);
int kmem_mmu_pages_conceal(const struct kmem_mmu_page *pages, size_t count);
void kmem_mmu_page_in_done(const struct kmem_mmu_page *page);
void kmem_mmu_page_out_mark(struct kmem_mmu_page *page);
void kmem_mmu_page_out_unmark(const struct kmem_mmu_page *page);

/* Clear ACCESSED of a page that is IN; its next access traps. */
int kmem_mmu_page_accessed_clear(uintptr_t addr);

/*
 * The same for every page of a range that is IN and whose frame passes the filter (NULL: all); on the mmap engine one host call for each
 * stretch without exposed pages that do not pass.
 */
int kmem_mmu_accessed_clear(uintptr_t addr, size_t size, bool (*filter)(uintptr_t phys));

/* In the child of a fork, where the range is a hole: reserve it again; then expose, range by range, what was exposed. */
int kmem_mmu_fork_child(void);
int kmem_mmu_fork_child_expose(uintptr_t addr, size_t size);

/*
 * Before a fork, once no page is in transit: what lies in own frames is made ready for parent and child, for which its pages are concealed,
 * without ACCESSED. 0; or -errno, and they trap at their next access. Or it is undone again.
 */
int kmem_mmu_fork_prepare(void);
void kmem_mmu_fork_cancel(void);

/* Keep the range out of the child. Pages accessed from now on, until parent or child, are the child's as well, if all was prepared. */
void kmem_mmu_fork_begin(bool is_prepared);
void kmem_mmu_fork_parent(void);

/* Every entry of a range is valid (T2 to T6) and none is BUSY unless allowed. */
bool kmem_mmu_is_valid(uintptr_t addr, size_t size, bool busy_allowed);

/*
 * Around the concealing that gives host mappings back when they have run out: begin makes it possible, end prepares for the
 * next time.
 */
void kmem_mmu_relief_begin(void);
void kmem_mmu_relief_end(void);

#endif /* KMEM_MACHINE_MMU_H */
