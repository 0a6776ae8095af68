/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The window of a fork: from the moment at which all is ready for the child to the moment at which parent or child takes over. The pages in
 * own frames that are needed meanwhile are shown by private memory, which the fork copies. Kernel lock held.
 */
#ifndef KMEM_MACHINE_MMU_WINDOW_H
#define KMEM_MACHINE_MMU_WINDOW_H

#include <stdbool.h>
#include <stddef.h>

#include "machine/engine.h"

/* From now on. Every page in an own frame is concealed. */
void kmem_mmu_window_open(void);

bool kmem_mmu_window_is_open(void);

/* In the parent, and in the child once its engine can cover(): the bytes go back to where the engine keeps them. 0 or -errno. */
int kmem_mmu_window_close(void);

/* As the engine's, meanwhile. */
int kmem_mmu_window_expose(const struct kmem_run *runs, size_t count);
int kmem_mmu_window_conceal(const struct kmem_run *runs, size_t count);
int kmem_mmu_window_protect(const struct kmem_run *runs, size_t count);

#endif /* KMEM_MACHINE_MMU_WINDOW_H */
