/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libkmem as a pager: its defaults, with the engine, RAM and store that are asked for. Read-ahead comes with a cleaner, as in kmem-run.
 */
#include <kmem/kmem.h>

#include "bench.h"
#include "engines.h"
#include "pager.h"

/* Frames that the cleaner keeps free beside read-ahead: enough for a few traps, and few beside the RAM of the benchmarks. */
#define CLEANER_FRAMES 64

static const char *start(const struct pager_setup *setup, uint8_t **arena)
{
	size_t size = setup->pages * PAGER_PAGE;
	struct kmem_config config = {
		.struct_size = sizeof(config),
		.ram_size = setup->frames * PAGER_PAGE,
		/* Room for the arena, its guards and the page that is reserved. */
		.vm_size = 2 * size,
		.engine = setup->engine,
		.policy = setup->policy,
		.store = setup->is_file ? "file" : "ram",
		.readahead = setup->readahead,
		.cleaner_frames = setup->readahead != 0 ? CLEANER_FRAMES : 0,
	};

	if (engine_boot(&config) != 0) {
		return kmem_boot_error();
	}
	*arena = k_mem_map(size, K_MEM_PERM_RW);
	return *arena != NULL ? NULL : "k_mem_map() found no room for the arena";
}

static unsigned long faults(void)
{
	return k_mem_num_pagefaults_get();
}

const struct pager pager_kmem = {
	.name = "libkmem",
	.is_parallel = true,
	.is_shared = true,
	.start = start,
	.faults = faults,
};
