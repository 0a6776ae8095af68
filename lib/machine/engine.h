/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract of an engine: how presence and permission of pages become true on this host.
 *
 * Above it, mmu.c fills a page before exposing it and reads it only after concealing it. An engine knows nothing of
 * policies or stores. Vectors, because the price of a call is often shared. Calls are made with the kernel lock
 * held, save those that is_concurrent lets go without, and some in the handler of a trap: system calls only. 0 or -errno; a
 * failed call has done an initial part of the vector or none of it, and repeating it, or undoing all of it, is always possible.
 *
 * Words. A frame of RAM lies in the RAM file, or it is the engine's *own*: its bytes are then wherever the engine keeps them. Frames in
 * the file are mapped from there whatever the engine (engine_mmap.c), which mmu.c sees to: an engine is given runs of its own frames
 * only, and none that may be executed. The mmap engine has no frames of its own.
 */
#ifndef KMEM_MACHINE_ENGINE_H
#define KMEM_MACHINE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Pages that are neighbours, on neighbouring frames, with one permission. */
struct kmem_run {
	uintptr_t addr;
	size_t size;
	uintptr_t phys;
	unsigned int prot; /* enum kmem_prot. expose, protect: what shall be allowed; conceal: what is. Never KMEM_PROT_NONE */
	bool joins;        /* conceal: all between the run before and this one traps already, and may be concealed with them */
};

/* What an engine is started with. */
struct kmem_engine_params {
	uintptr_t base;   /* the range, some stretches of which are reserved later */
	size_t size;
	size_t page_size; /* a multiple of the host's */
	uintptr_t ram;    /* physical address of RAM */
	size_t ram_size;
};

struct kmem_engine {
	const char *name; /* as in KMEM_ENGINE */

	/*
	 * Whether expose and conceal may be called without the kernel lock, by several threads at once, for pages that are BUSY.
	 */
	bool is_concurrent;

	/* Whether the bytes of own frames lie by the page's address: a page that is to be moved goes to the file first. */
	bool is_placed;

	/* Whether this host can run it, found out by doing what it does. 0 or -errno. Normal context; leaves nothing behind. */
	int (*probe)(void);

	/* Before reserve, and after the last release. Optional. start: 0 or -errno, nothing left behind. Normal context. */
	int (*start)(const struct kmem_engine_params *params);
	void (*finish)(void);

	/* A stretch of the range, inaccessible. -EEXIST if any of it is taken. */
	int (*reserve)(uintptr_t addr, size_t size);
	void (*release)(uintptr_t addr, size_t size);

	/*
	 * Whatever is mapped in this part of a stretch goes, and the pages trap: one that showed a frame of the file, or, in the child of a
	 * fork, nothing at all.
	 */
	int (*cover)(uintptr_t addr, size_t size);

	/* Frames of the file are about to be mapped over this part of a stretch, until cover(). Optional. 0 or -errno. */
	int (*uncover)(uintptr_t addr, size_t size);

	/* The frames' bytes appear at the pages. mmap: they may show others' at the moment, expose replaces; else they are concealed. */
	int (*expose)(const struct kmem_run *runs, size_t count);

	/* The pages trap again, and the bytes, which are kept, are where bytes() says. In ascending order. */
	int (*conceal)(const struct kmem_run *runs, size_t count);

	/* Exposed pages get another permission. */
	int (*protect)(const struct kmem_run *runs, size_t count);

	/* ---- own frames; all NULL in an engine that has none ---- */

	/* Memory behind a concealed page and its frame, so that no later touch can fail. What is in it is undefined. 0 or -errno. */
	int (*back)(uintptr_t addr, uintptr_t phys);

	/* Where the library, and nobody else, reads and writes the bytes of a page that is concealed, and backed. */
	void *(*bytes)(uintptr_t addr, uintptr_t phys);

	/* The page, concealed, has left its frame: nobody wants the bytes any more. */
	void (*drop)(uintptr_t addr, uintptr_t phys);

	/*
	 * fork. prepare: 0, or -errno, nothing kept then; all own frames are concealed, and stay so until parent or child, but for those
	 * that mmu.c shows by other means. Afterwards the bytes belong to either process by itself. The range is a hole in the child until
	 * child() has been called, which makes the engine able to cover() again.
	 */
	int (*fork_prepare)(void);
	void (*fork_parent)(void);
	int (*fork_child)(void);
};

extern const struct kmem_engine kmem_engine_guard;
extern const struct kmem_engine kmem_engine_mmap;
extern const struct kmem_engine kmem_engine_uffd;

/* By name, "auto" being the best one that this host offers; *reason says why. NULL if unknown or impossible here. */
const struct kmem_engine *kmem_engine_find(const char *name, const char **reason);

/*
 * The next best one, where the best one could not be started after all (-errno): NULL if that says nothing against others, or there is
 * none.
 */
const struct kmem_engine *kmem_engine_find_other(const struct kmem_engine *failed, int error, const char **reason);

const char *kmem_engine_names(void);

#endif /* KMEM_MACHINE_ENGINE_H */
