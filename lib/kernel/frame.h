/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page frame database, and the set of free frames. (Zephyr: mmu.h)
 *
 * A frame has an *index*, ascending with its physical address. A *chunk* is KMEM_FRAME_CHUNK neighbouring frames from a multiple of that
 * index on; it is *whole* while all of them are free. Which free frame suits a page is for frame_place.c to say.
 *
 * Invariants: F1 the count is the number of free frames. F2 every frame with FREE is in the set and no other is. F3 a mapped frame that is
 * not busy holds a page whose entry names it (checked in paging.c). F4 the set of whole chunks is what the set of free frames says.
 * Kernel lock held for all but the conversions.
 */
#ifndef KMEM_KERNEL_FRAME_H
#define KMEM_KERNEL_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <kmem/frame.h>

/* As many frames as RAM gets memory for at a time (ram_files.c). A power of two, at most 64. */
#define KMEM_FRAME_CHUNK 16

/*
 * A database for size bytes of RAM at phys, of which the last surplus bytes are reserved. All others are available. programs:
 * an array of that many frames in the program, or NULL. 0 or -errno.
 */
int kmem_frame_init(uintptr_t phys, size_t size, size_t surplus, size_t page_size, struct k_mem_page_frame *programs);
void kmem_frame_finish(void);

/* Every available frame is free. Once, when boot has taken what it needs. */
void kmem_frame_list_init(void);

/* The first free frame, all flags clear from now on; NULL if there is none. */
struct k_mem_page_frame *kmem_frame_get(void);

/* The same for the frame with this index, which may be beyond all: NULL if it is not free. */
struct k_mem_page_frame *kmem_frame_get_at(size_t index);

/*
 * The same for the frame at offset in a free run of count frames, KMEM_FRAME_CHUNK at most, that the neighbours of its page find their
 * place in. Where no such run is at hand, it is the first frame of one that is as long as can be had without a long search.
 */
struct k_mem_page_frame *kmem_frame_get_apart(size_t offset, size_t count);

/* Where a run of count free frames begins; false if no such run is at hand. */
bool kmem_frame_run_find(size_t count, size_t *index);

/* The frame is free; all flags must be clear. */
void kmem_frame_put(struct k_mem_page_frame *pf);

size_t kmem_frame_free_count(void);

/* Constant from init to finish. */
const struct kmem_frames *kmem_frame_all(void);

/* The frame at a physical address, or NULL if that is not RAM; and back. */
struct k_mem_page_frame *kmem_frame_at(uintptr_t phys);
uintptr_t kmem_frame_phys(const struct k_mem_page_frame *pf);

/* Invariants F1, F2 and F4. */
bool kmem_frame_is_valid(void);

#endif /* KMEM_KERNEL_FRAME_H */
