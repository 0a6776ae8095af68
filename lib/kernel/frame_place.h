/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which free frame a page gets: one that makes it a neighbour of its neighbours. Kernel lock held.
 */
#ifndef KMEM_KERNEL_FRAME_PLACE_H
#define KMEM_KERNEL_FRAME_PLACE_H

#include <stddef.h>
#include <stdint.h>

#include <kmem/frame.h>

/* The free frame that suits the page at addr best, all flags clear from now on; NULL if there is none. _sigsafe. */
struct k_mem_page_frame *kmem_frame_get_for(uintptr_t addr);

/* So many pages from addr on, neighbours, get frames next, in ascending order: they shall be one run if there is one. */
void kmem_frame_run_prepare(uintptr_t addr, size_t count);

/* The same for count neighbours of which the page at addr gets its frame first, then those before it, downwards, or behind it, upwards. */
void kmem_frame_run_prepare_around(uintptr_t addr, size_t before, size_t count);

#endif /* KMEM_KERNEL_FRAME_PLACE_H */
