/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guard mode: allocations with pages of their own between guards, and after their release nothing in their place for long.
 *
 * heap.c asks here first, for every allocation; what is refused comes from the ordinary heap. What was given is told by its address.
 * All functions may be called in any thread at any time but in a trap; they neither call the heap nor are they cancellation points.
 */
#ifndef KMEM_PRELOAD_GUARD_H
#define KMEM_PRELOAD_GUARD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The guarded part of the VM: [floor, end), where nothing but guarded blocks and their guards is. end is constant after start; floor
 * falls as the part grows. Both 0 where there is no guard mode.
 */
struct kmem_guard_area {
	_Atomic uintptr_t floor;
	_Atomic uintptr_t end;
};
extern struct kmem_guard_area kmem_guard_area;

/* Set up what KMEM_GUARD asks for; nothing where it asks for nothing. Once, after boot. 0, or -errno with a message. */
int kmem_guard_init(char *error, size_t error_size);

/*
 * A guarded block of zeroes, aligned to align, a power of two, and at least as malloc() aligns. NULL: not sampled, or no room; the
 * ordinary heap serves.
 */
void *kmem_guard_alloc(size_t size, size_t align);

/* Whether a pointer leads into the guarded part: then it is for the functions below and not for the ordinary heap. */
static inline bool kmem_guard_owns(const void *ptr)
{
	uintptr_t end = atomic_load_explicit(&kmem_guard_area.end, memory_order_relaxed);

	return (uintptr_t)ptr < end && (uintptr_t)ptr >= atomic_load_explicit(&kmem_guard_area.floor, memory_order_relaxed);
}

/*
 * Release a block; its pages are gone at once, its addresses wait in the quarantine. Where ptr is not the start of a block that is in
 * use, or bytes around the block were overwritten, the process ends with a report, by abort().
 */
void kmem_guard_free(void *ptr);

/* What was asked for, which is what may be used. A ptr that is not the start of a block in use ends the process, as above. */
size_t kmem_guard_size(const void *ptr);

/*
 * Report that a system call was to read or write at an address in the guarded part where no block is; pc is where the call was made.
 * Nothing where the address is elsewhere. In the handler of a trap, or outside. _sigsafe.
 */
void kmem_guard_call_explain(const char *call, uintptr_t addr, bool is_write, uintptr_t pc);

/* Bytes of the blocks in use, and of their pages. */
void kmem_guard_usage(size_t *bytes, size_t *mapped);

#endif /* KMEM_PRELOAD_GUARD_H */
