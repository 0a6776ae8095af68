/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What mmu.c and mmu_range.c both look at: the range, its engine, and what a page is. See mmu.h.
 */
#ifndef KMEM_MACHINE_MMU_RANGE_H
#define KMEM_MACHINE_MMU_RANGE_H

#include <stddef.h>
#include <stdint.h>

#include "machine/mmu.h"

/* Constant from kmem_mmu_init() to kmem_mmu_finish(). */
struct kmem_mmu_range {
	const struct kmem_engine *engine; /* NULL: none */
	uintptr_t base;
	size_t size;
	size_t page_size;
};

extern struct kmem_mmu_range kmem_mmu;

#endif /* KMEM_MACHINE_MMU_RANGE_H */
