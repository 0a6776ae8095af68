/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The portable engine: frames of the RAM file mapped into a PROT_NONE reservation.
 *
 * Expose maps the frames over the pages, conceal maps the reservation's own inaccessible memory over them, protect changes
 * the permission in place. One host call a run. Neighbouring pages on neighbouring frames with one permission are one
 * mapping of the host's; scattered ones cost a mapping each, of which the host allows vm.max_map_count. Concealing a
 * range of pages in one call gives their mappings back, whatever was in between.
 */
#include <errno.h>

#include "host/memory.h"
#include "machine/engine.h"
#include "machine/ram.h"

static int probe(void)
{
	return 0;
}

static int reserve(uintptr_t base, size_t size)
{
	return kmem_host_range_reserve(base, size);
}

static void release(uintptr_t base, size_t size)
{
	(void)kmem_host_range_release(base, size);
}

static int run_expose(const struct kmem_run *run)
{
	size_t done = 0;

	while (done < run->size) {
		struct kmem_extent extent;
		int ret = kmem_ram_extent(run->phys + done, run->size - done, &extent);

		if (ret == 0) {
			ret = kmem_host_file_map(run->addr + done, extent.size, extent.fd, extent.offset, run->prot);
		}
		if (ret != 0) {
			return ret;
		}
		done += extent.size;
	}
	return 0;
}

static int expose(const struct kmem_run *runs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int ret = run_expose(&runs[i]);

		if (ret != 0) {
			return ret;
		}
	}
	return 0;
}

static int conceal(const struct kmem_run *runs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int ret = kmem_host_range_conceal(runs[i].addr, runs[i].size);

		if (ret != 0) {
			return ret;
		}
	}
	return 0;
}

static int protect(const struct kmem_run *runs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int ret = kmem_host_range_protect(runs[i].addr, runs[i].size, runs[i].prot);

		if (ret != 0) {
			return ret;
		}
	}
	return 0;
}

const struct kmem_engine kmem_engine_mmap = {
	.name = "mmap",
	.probe = probe,
	.reserve = reserve,
	.release = release,
	.expose = expose,
	.conceal = conceal,
	.protect = protect,
};
