/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the two directions of paging.c and paging_out.c share: frames in transit, and what store and policy are told. Kernel lock held;
 * see paging.h for *drops*.
 */
#ifndef KMEM_KERNEL_PAGING_SECTION_H
#define KMEM_KERNEL_PAGING_SECTION_H

#include <stdbool.h>
#include <stdint.h>

#include <kmem/frame.h>

/* The frame is in transit from now on; not any more, and whoever waited is woken. */
void kmem_paging_transit_begin(struct k_mem_page_frame *pf);
void kmem_paging_transit_end(struct k_mem_page_frame *pf);
bool kmem_paging_has_transit(void);

/* Wait for the end of somebody's transit, and have it counted. Drops. */
void kmem_paging_transit_wait(void);

/* Wake whoever waits: there may be what they wait for. */
void kmem_paging_change_wake(void);

/* The policy may choose the frame; may not any more. Nothing where nothing is paged. */
void kmem_paging_policy_add(struct k_mem_page_frame *pf);
void kmem_paging_policy_remove(struct k_mem_page_frame *pf);

/* Call the store with the kernel lock released, timed and counted: fill the bytes of a page, or write them out. 0 or -errno. Drops. */
int kmem_paging_store_io(bool is_read, uintptr_t location, void *bytes);

#endif /* KMEM_KERNEL_PAGING_SECTION_H */
