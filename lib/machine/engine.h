/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract of an engine: how presence and permission of pages become true on this host.
 *
 * Above it, mmu.c fills a page before exposing it and reads it only after concealing it. An engine knows nothing of
 * frames, policies or stores. Vectors, because the price of a call is often shared. Calls are made with the kernel lock
 * held, some in the handler of a trap: system calls only. 0 or -errno; a failed call has done an initial part of the vector
 * or none of it, and repeating it, or undoing all of it, is always possible.
 */
#ifndef KMEM_MACHINE_ENGINE_H
#define KMEM_MACHINE_ENGINE_H

#include <stddef.h>
#include <stdint.h>

/* Pages that are neighbours, on neighbouring frames, with one permission. */
struct kmem_run {
	uintptr_t addr;
	size_t size;
	uintptr_t phys;    /* expose only */
	unsigned int prot; /* enum kmem_prot; expose and protect only; never KMEM_PROT_NONE */
};

struct kmem_engine {
	const char *name; /* as in KMEM_ENGINE */

	/* Whether this host can run it: 0, or -errno. */
	int (*probe)(void);

	/* The range, inaccessible. -EEXIST if any of it is taken. */
	int (*reserve)(uintptr_t base, size_t size);
	void (*release)(uintptr_t base, size_t size);

	/* The frames' bytes appear at the pages. They may show others' at the moment: expose replaces. */
	int (*expose)(const struct kmem_run *runs, size_t count);

	/* The pages trap again. Pages that do so already may lie between. */
	int (*conceal)(const struct kmem_run *runs, size_t count);

	/* Exposed pages get another permission. */
	int (*protect)(const struct kmem_run *runs, size_t count);
};

extern const struct kmem_engine kmem_engine_mmap;

/* By name, "auto" being the best one that this host offers; *reason says why. NULL if unknown or impossible here. */
const struct kmem_engine *kmem_engine_find(const char *name, const char **reason);
const char *kmem_engine_names(void);

#endif /* KMEM_MACHINE_ENGINE_H */
