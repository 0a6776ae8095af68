/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the MMU share: the range, its engine, and walks over pages. See mmu.h.
 */
#ifndef KMEM_MACHINE_MMU_RANGE_H
#define KMEM_MACHINE_MMU_RANGE_H

#include <stdbool.h>
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

/* Whether the page is the process's own place: what is adopted there is mapped, whatever the engine. */
bool kmem_mmu_is_in_hole(uintptr_t addr);

/* Whatever is mapped in a range without a hole, or in one, goes, and the pages trap. 0 or -errno. */
int kmem_mmu_cover(uintptr_t addr, size_t size);

/* Drop what the pages of a range, concealed, have in own frames. */
void kmem_mmu_range_drop(uintptr_t addr, size_t size);

/* The bytes of the pages of a range that are IN go to the file. 0 or -errno; what has gone then stays there. */
int kmem_mmu_range_settle(uintptr_t addr, size_t size);

#endif /* KMEM_MACHINE_MMU_RANGE_H */
