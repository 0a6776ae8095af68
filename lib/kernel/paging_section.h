/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the two directions, paging_in.c and paging_out.c, share: frames in transit, and what the policy is told. Kernel lock held, save
 * where it says so; see paging.h for *drops*.
 */
#ifndef KMEM_KERNEL_PAGING_SECTION_H
#define KMEM_KERNEL_PAGING_SECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <kmem/frame.h>

#include "kernel/paging.h"

/* The frame is in transit from now on; not any more, and whoever waited is woken. */
void kmem_paging_transit_begin(struct k_mem_page_frame *pf);
void kmem_paging_transit_end(struct k_mem_page_frame *pf);
bool kmem_paging_has_transit(void);

/* A page is BUSY_IN, with a frame or without one yet; not any more, and whoever waited is woken. */
void kmem_paging_arrival_begin(uintptr_t addr);
void kmem_paging_arrival_end(void);

/* Wait for the end of somebody's transit, and have it counted. Drops. */
void kmem_paging_transit_wait(void);

/* The policy may choose the frame; may not any more. Nothing where nothing is paged. */
void kmem_paging_policy_add(struct k_mem_page_frame *pf);
void kmem_paging_policy_remove(struct k_mem_page_frame *pf);

/* Release and take the kernel lock, where it is not so already. */
void kmem_paging_unlock(bool *is_locked);
void kmem_paging_lock(bool *is_locked);

/* What a frame is wanted for. */
struct kmem_paging_want {
	bool is_fault;  /* the store may use its reserved location, and evictions are counted */
	uintptr_t addr; /* of the page */
	uint32_t flags; /* of its mapping */
	size_t count;   /* frames that will be wanted with it, itself included: as many are made free, if that is possible */
	size_t before;  /* of these, for pages before it */
	intptr_t left;  /* the program has left the pages behind in steps of so many bytes, and they go first; 0: it has not said so */
};

/* A frame in transit, with memory behind it: a free one, or one whose page is sent out for it. 0 or -errno. Drops. */
int kmem_paging_frame_want(const struct kmem_paging_want *want, struct k_mem_page_frame **pf);

/* The same, but a free one only, and NULL where there is none that can be used. Does not drop. */
struct k_mem_page_frame *kmem_paging_frame_free(uintptr_t addr, uint32_t flags);

#endif /* KMEM_KERNEL_PAGING_SECTION_H */
