/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Batches: pages that go out together. What paging_frame.c, which chooses them, and paging_out.c share. Kernel lock held; see paging.h
 * for *drops*.
 */
#ifndef KMEM_KERNEL_PAGING_BATCH_H
#define KMEM_KERNEL_PAGING_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <kmem/frame.h>

#include "kernel/paging_section.h"
#include "machine/mmu.h"

/* A page on its way out. */
struct kmem_victim {
	struct k_mem_page_frame *pf;
	uintptr_t addr;
	uintptr_t location;
	bool was_backed, was_pinned;
	bool is_ondemand;     /* its bytes are in the program's file: no location */
	bool is_located;      /* it has what it needs of the store */
	bool is_written;      /* to the store */
	bool is_judged_dirty; /* by the policy */
	int error;            /* why it stays in */
};

struct kmem_batch {
	bool is_fault;
	bool is_strict; /* what lies behind the first page that cannot be written stays in, too */
	size_t limit; /* of count, for this batch */
	size_t count;
	size_t located;   /* of these, is_located: the first one of a fault may have the reserved location */
	int error;        /* why one of them could not go */
	bool no_location; /* because the store is full, not because it fails */
	struct kmem_victim victims[KMEM_PAGING_VECTOR];   /* in ascending order */
	struct kmem_mmu_page pages[KMEM_PAGING_VECTOR]; /* the same pages */
};

/* An empty batch for so many pages, KMEM_PAGING_VECTOR at most. */
void kmem_batch_init(struct kmem_batch *batch, bool is_fault, size_t limit);

/* Add the page in a frame, which nobody else may take from now on. 0, or -errno where the store has no location. */
int kmem_batch_add(struct kmem_batch *batch, struct k_mem_page_frame *pf, bool is_judged_dirty);

/*
 * Send the pages of a batch out. The first so many victims, as many as it returns, have gone, and their frames are empty and in transit;
 * the rest stays in, for reasons of which batch->error is one. Drops.
 */
size_t kmem_batch_evict(struct kmem_batch *batch);

/* Remember, for the explanation of a fatal error, why there is no frame. Returns the error. */
int kmem_paging_refuse(const char *why, int error);

#endif /* KMEM_KERNEL_PAGING_BATCH_H */
