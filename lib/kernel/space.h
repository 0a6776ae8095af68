/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Address space as Linux has it: page by page, without guards, over the same regions, page table and paging as the rest.
 *
 * What lib/preload/ makes mmap(), munmap(), mprotect(), mremap(), madvise() and mlock() of. Unlike k_mem_map()'s regions, these may
 * be unmapped, protected and moved in any part, and across neighbours. Regions of other kinds, and what somebody else has in the
 * range, are left alone: -EINVAL.
 *
 * Addresses and sizes are multiples of the page size, sizes are not 0. All take the kernel lock, from outside a trap, may wait for
 * pages in transit, and return 0 or -errno with nothing changed, save where it says so.
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

/* Bytes that can be mapped in one piece at most, roughly: what is free. Lock-free. */
size_t kmem_space_free_get(void);

/*
 * Map size bytes of zeroes, lazily: no frame, no store location until they are touched. prot is enum kmem_prot; NONE is allowed. align:
 * a power of two, at least the page size. -ENOMEM if there is no room, -EEXIST, -EINVAL for FIXED outside the range.
 */
int kmem_space_map(uintptr_t *addr, size_t size, size_t align, unsigned int prot, enum kmem_space_place place);

/* Unmap whatever of the range is mapped; holes are fine. Frames and store locations are free at once. */
int kmem_space_unmap(uintptr_t addr, size_t size);

/* Change what is allowed; contents stay. -ENOMEM if a page is not mapped (as mprotect()). */
int kmem_space_protect(uintptr_t addr, size_t size, unsigned int prot);

/* Forget the contents: the pages read as zeroes from now on. Holes: -ENOMEM, with the rest done. */
int kmem_space_discard(uintptr_t addr, size_t size);

/*
 * Move the pages of [from, from + size) to [to, to + size), which is free (and taken by this): contents, permissions and pins go along;
 * nothing is copied. The source is unmapped.
 */
int kmem_space_move(uintptr_t from, size_t size, uintptr_t to);

/* Bring in and pin, unpin: mlock(). -ENOMEM for holes and where frames do not suffice; what was not pinned before is not after that. */
int kmem_space_pin(uintptr_t addr, size_t size);
int kmem_space_unpin(uintptr_t addr, size_t size);

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
