/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The portable engine: frames of the RAM file mapped into a PROT_NONE reservation.
 *
 * Expose maps the frames over the pages, conceal maps the reservation's own inaccessible memory over them, protect changes
 * the permission in place. One host call a run, or where several of them can be concealed together. Neighbouring pages on neighbouring
 * frames with one permission are one mapping of the host's; scattered ones cost a mapping each, of which the host allows
 * vm.max_map_count. Concealing a range of pages in one call gives their mappings back, whatever was in between.
 *
 * Frames of the RAM file are mapped from here on every engine. Kernel lock held for all of it.
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

static int cover(uintptr_t addr, size_t size)
{
	return kmem_host_range_conceal(addr, size);
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

/* How many of the runs can be concealed together with the first: those that trap already may lie between them. */
static size_t conceal_together(const struct kmem_run *runs, size_t count)
{
	size_t n = 1;

	while (n < count && (runs[n].joins || runs[n].addr == runs[n - 1].addr + runs[n - 1].size)) {
		n++;
	}
	return n;
}

static int conceal(const struct kmem_run *runs, size_t count)
{
	while (count > 0) {
		size_t n = conceal_together(runs, count);
		const struct kmem_run *last = &runs[n - 1];
		int ret = cover(runs->addr, last->addr + last->size - runs->addr);

		if (ret != 0) {
			return ret;
		}
		runs += n;
		count -= n;
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
	.cover = cover,
	.expose = expose,
	.conceal = conceal,
	.protect = protect,
};
