/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Address space as Linux has it: page by page, without guards, over the same regions, page table and paging as the rest.
 *
 * What lib/preload/ makes mmap(), munmap(), mprotect(), mremap(), madvise() and mlock() of. Unlike k_mem_map()'s regions, these may
 * be unmapped, protected and moved in any part, and across neighbours. Regions of other kinds, their guards, and what somebody else
 * has in the range, are left alone: -EINVAL.
 *
 * Addresses and sizes are multiples of the page size, sizes are not 0, and ranges lie where mappings may be: else -EINVAL. All take the
 * kernel lock, from outside a trap, may wait for pages in transit, and return 0 or -errno with nothing changed, save where it says
 * so. -ENODEV before boot; in the child of a fork that could not copy RAM, why. What was never touched costs next to nothing, whatever its
 * size.
 */
#ifndef KMEM_KERNEL_SPACE_H
#define KMEM_KERNEL_SPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where a mapping goes. */
enum kmem_space_place {
	KMEM_SPACE_ANYWHERE,        /* the hint in *addr is taken if it is free */
	KMEM_SPACE_FIXED,           /* over what is there */
	KMEM_SPACE_FIXED_NOREPLACE, /* -EEXIST if anything is there */
};

/* Whether an address lies in the VM range. Lock-free, _sigsafe; false before boot. */
bool kmem_space_covers(uintptr_t addr);

/* Bytes of address space that are free: no more can be mapped in one piece. Lock-free. */
size_t kmem_space_free_get(void);

/*
 * Map size bytes of zeroes, lazily: no frame, no store location until they are touched. prot is enum kmem_prot: NONE is allowed, and
 * what can be written or executed can be read. align: a power of two, at least the page size, and for ANYWHERE only. -ENOMEM if there
 * is no room, -EEXIST, -EINVAL for FIXED outside the range.
 */
int kmem_space_map(uintptr_t *addr, size_t size, size_t align, unsigned int prot, enum kmem_space_place place);

/* Unmap whatever of the range is mapped; holes are fine. Frames and store locations are free at once. */
int kmem_space_unmap(uintptr_t addr, size_t size);

/* Change what is allowed; contents stay, and so do pins. -ENOMEM if a page is not mapped (as mprotect()). */
int kmem_space_protect(uintptr_t addr, size_t size, unsigned int prot);

/*
 * Forget the contents: the pages read as zeroes from now on; frames and store locations are free at once. At most one host call. Holes:
 * -ENOMEM, with the rest done. -EINVAL where a page is pinned, as madvise() has it.
 */
int kmem_space_discard(uintptr_t addr, size_t size);

/* The same, but pinned pages become zeroes where they are, and stay pinned. -errno if the host has no memory for that. */
int kmem_space_discard_pinned(uintptr_t addr, size_t size);

/*
 * Move the pages of [from, from + size) to [to, to + room), which goes where `place` says, as a mapping would: contents, permissions and
 * pins go along; nothing is copied. What the target has more reads as zeroes and allows what the last page does. The source is
 * unmapped, or, if it is kept, reads as zeroes with the permissions that it had. Nobody sees an address of either range free meanwhile
 * that is not free afterwards. -EFAULT if the source has holes, -EEXIST, -ENOMEM, -EINVAL if the ranges overlap or room is less than size.
 */
struct kmem_space_move {
	uintptr_t from;
	size_t size;
	uintptr_t to; /* a hint, or where; set to where it is */
	size_t room;
	enum kmem_space_place place;
	bool is_source_kept;
};
int kmem_space_move(struct kmem_space_move *move);

/*
 * Bring in and pin, unpin: mlock(). -ENOMEM for holes, for pages that allow nothing, and where more than half of all frames would be
 * pinned; what was not pinned before is not after that.
 */
int kmem_space_pin(uintptr_t addr, size_t size);
int kmem_space_unpin(uintptr_t addr, size_t size);

/* 0, or -EINVAL where a page of a range is pinned. */
int kmem_space_unpinned_check(uintptr_t addr, size_t size);

/*
 * In the child of a fork, lock held: locks are not inherited, so nothing of ours is pinned any more, save what the host kernel
 * writes to on its own: the descriptor of this thread, where that lies in the VM.
 */
void kmem_space_forked(void);

/*
 * Bring pages in without trapping, as far as they are mapped and allow the access; the rest of the range is skipped. Best effort:
 * they may be out again when it returns.
 */
void kmem_space_page_in(uintptr_t addr, size_t size, bool is_write);

/* Whether all of a range is mapped; what a page allows (enum kmem_prot), or -ENOMEM. Lock-free. */
bool kmem_space_is_mapped(uintptr_t addr, size_t size);
int kmem_space_prot_get(uintptr_t addr);

/* Whether a page is in, for mincore(). Lock-free. */
bool kmem_space_is_in(uintptr_t addr);

#endif /* KMEM_KERNEL_SPACE_H */
