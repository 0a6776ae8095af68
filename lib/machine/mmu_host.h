/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the MMU asks of the host: runs of pages, each given to whoever keeps its frames. See mmu.h; kernel lock held, or as
 * kmem_mmu_can_unlock() says. 0 or -errno, and as engine.h says of what fails.
 */
#ifndef KMEM_MACHINE_MMU_HOST_H
#define KMEM_MACHINE_MMU_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "machine/engine.h"
#include "machine/page_table.h"

/* A page with such an entry, as a run. */
struct kmem_run kmem_mmu_run_of(uintptr_t addr, kmem_pte pte);

/* Whether frames can be the engine's own. */
bool kmem_mmu_has_own(void);

/* A failed expose has been undone: all of the runs trap. */
int kmem_mmu_host_expose(const struct kmem_run *runs, size_t count);
int kmem_mmu_host_conceal(const struct kmem_run *runs, size_t count);
int kmem_mmu_host_protect(const struct kmem_run *runs, size_t count);

/* Frames of the file, or other physical memory, at pages of the range, or adopted ones outside. */
int kmem_mmu_file_expose(const struct kmem_run *runs, size_t count);

/*
 * Runs gathered page by page, for one of the calls above: neighbours become one run, and a full vector is passed on. After a failure
 * nothing more is passed on, and flush says what it was.
 */
#define KMEM_MMU_VECTOR_RUNS 32

struct kmem_mmu_vector {
	int (*call)(const struct kmem_run *runs, size_t count);
	bool is_loose; /* neighbours need not be on neighbouring frames */
	int error;
	size_t count;
	struct kmem_run runs[KMEM_MMU_VECTOR_RUNS];
};

void kmem_mmu_vector_init(struct kmem_mmu_vector *vector, int (*call)(const struct kmem_run *runs, size_t count));
void kmem_mmu_vector_add(struct kmem_mmu_vector *vector, uintptr_t addr, uintptr_t phys, unsigned int prot, bool joins);
int kmem_mmu_vector_flush(struct kmem_mmu_vector *vector);

#endif /* KMEM_MACHINE_MMU_HOST_H */
