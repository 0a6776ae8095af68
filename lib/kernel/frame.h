/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page frame database, and the list of free frames. (Zephyr: mmu.h)
 *
 * The list is first in, first out: boot puts every available frame on it in ascending order, frames are taken from its
 * head and returned to its tail. Invariants: F1 the count is the number of frames on the list. F2 every frame with FREE is
 * on the list and no other is. F3 a mapped frame that is not busy holds a page whose entry names it (checked in paging.c).
 * Kernel lock held for all but the conversions.
 */
#ifndef KMEM_KERNEL_FRAME_H
#define KMEM_KERNEL_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <kmem/frame.h>

/*
 * A database for size bytes of RAM at phys, of which the last surplus bytes are reserved. All others are available. programs:
 * an array of that many frames in the program, or NULL.
 */
int kmem_frame_init(uintptr_t phys, size_t size, size_t surplus, size_t page_size, struct k_mem_page_frame *programs);
void kmem_frame_finish(void);

/* Put every available frame on the list. Once, when boot has taken what it needs. */
void kmem_frame_list_init(void);

/* The head of the list, all flags clear; NULL if there is none. */
struct k_mem_page_frame *kmem_frame_get(void);

/* To the tail of the list; all flags must be clear. */
void kmem_frame_put(struct k_mem_page_frame *pf);

size_t kmem_frame_free_count(void);

/* Constant from init to finish. */
const struct kmem_frames *kmem_frame_all(void);

/* The frame at a physical address, or NULL if that is not RAM; and back. */
struct k_mem_page_frame *kmem_frame_at(uintptr_t phys);
uintptr_t kmem_frame_phys(const struct k_mem_page_frame *pf);

/* Invariants F1 and F2. */
bool kmem_frame_is_valid(void);

#endif /* KMEM_KERNEL_FRAME_H */
