/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The portable engine: frames of the RAM file mapped into a PROT_NONE reservation.
 *
 * Expose maps the frames over the pages, conceal maps the reservation's own inaccessible memory over them, protect changes
 * the permission in place. One host call a run, or where several of them can be concealed together. Neighbouring pages on neighbouring
 * frames with one permission are one mapping of the host's; scattered ones cost a mapping each, of which the host allows
 * vm.max_map_count. Concealing a range of pages in one call gives their mappings back, whatever was in between. Mappings are counted
 * (mappings.h) by what the entries of the pages beside a run say; a call that would pass the mark is refused with -ENOMEM, as the host does
 * it at its limit, and the kernel conceals something and calls again.
 *
 * Frames of the RAM file are mapped from here on every engine. Kernel lock held for all of it.
 */
#include <errno.h>

#include "host/memory.h"
#include "machine/engine.h"
#include "machine/mappings.h"
#include "machine/page_table.h"
#include "machine/ram.h"

static int probe(void)
{
	return 0;
}

static int start(const struct kmem_engine_params *params)
{
	return kmem_mappings_init(params->base, params->size, params->page_size);
}

static void finish(void)
{
	kmem_mappings_finish();
}

/* The entry of the page at addr, which may lie beside the range: nothing is known of it then. */
static kmem_pte entry_at(uintptr_t addr)
{
	return kmem_page_table_covers(addr) ? kmem_pte_get(addr) : KMEM_PTE_PRIVATE;
}

/* Whether the page is the reservation's own, as far as is known. */
static bool is_concealed(uintptr_t addr)
{
	kmem_pte pte = entry_at(addr);

	return (pte & KMEM_PTE_PRIVATE) == 0 && kmem_pte_prot(pte) == KMEM_PROT_NONE;
}

/* Whether the page shows this frame, with these permissions. */
static bool is_showing(uintptr_t addr, uintptr_t phys, unsigned int prot)
{
	kmem_pte pte = entry_at(addr);

	return prot != KMEM_PROT_NONE && kmem_pte_prot(pte) == prot && kmem_pte_addr(pte) == phys;
}

/* Whether two neighbouring frames, both of them shown, lie in one file. */
static bool is_one_file(uintptr_t phys)
{
	size_t size = 2 * kmem_page_table_page_size();
	struct kmem_extent extent;

	return kmem_ram_extent(phys, size, &extent) == 0 && extent.size == size;
}

/* What becomes of the host's mappings where [addr, addr + size) shows frames from phys on; with prot of its pages beside it. */
static struct kmem_mappings_change change_to(uintptr_t addr, size_t size, uintptr_t phys, unsigned int prot)
{
	size_t page_size = kmem_page_table_page_size();
	uintptr_t before = phys - page_size;
	uintptr_t last = phys + size - page_size;

	return (struct kmem_mappings_change){
		.addr = addr,
		.size = size,
		.joins_before = is_showing(addr - page_size, before, prot) && is_one_file(before),
		.joins_behind = is_showing(addr + size, last + page_size, prot) && is_one_file(last),
	};
}

static int reserve(uintptr_t base, size_t size)
{
	const struct kmem_mappings_change change = {.addr = base, .size = size};
	int ret = kmem_host_range_reserve(base, size);

	if (ret == 0) {
		kmem_mappings_changed(&change);
	}
	return ret;
}

static void release(uintptr_t base, size_t size)
{
	(void)kmem_host_range_release(base, size);
}

/* Never refused: there may be more mappings for a moment, where one is cut in two, but this is how others are given back. */
static int cover(uintptr_t addr, size_t size)
{
	int ret = kmem_host_range_conceal(addr, size);

	if (ret == 0 && kmem_mappings_is_counting()) {
		const struct kmem_mappings_change change = {
			.addr = addr,
			.size = size,
			.joins_before = is_concealed(addr - kmem_page_table_page_size()),
			.joins_behind = is_concealed(addr + size),
		};

		kmem_mappings_changed(&change);
	}
	return ret;
}

/* Map frames that lie in one file. */
static int extent_expose(uintptr_t addr, uintptr_t phys, const struct kmem_extent *extent, unsigned int prot)
{
	struct kmem_mappings_change change = {.addr = addr, .size = extent->size};
	int ret;

	if (kmem_mappings_is_counting()) {
		change = change_to(addr, extent->size, phys, prot);
		if (!kmem_mappings_allow(&change)) {
			return -ENOMEM;
		}
	}
	ret = kmem_host_file_map(addr, extent->size, extent->fd, extent->offset, prot);
	if (ret == 0) {
		kmem_mappings_changed(&change);
	}
	return ret;
}

static int run_expose(const struct kmem_run *run)
{
	size_t done = 0;

	while (done < run->size) {
		struct kmem_extent extent;
		int ret = kmem_ram_extent(run->phys + done, run->size - done, &extent);

		if (ret == 0) {
			ret = extent_expose(run->addr + done, run->phys + done, &extent, run->prot);
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

/* The cuts inside a run stay, for all that is known: its frames need not be neighbours. */
static struct kmem_mappings_change change_of_protect(const struct kmem_run *run)
{
	size_t page_size = kmem_page_table_page_size();
	uintptr_t last = run->addr + run->size - page_size;
	struct kmem_mappings_change first_page = change_to(run->addr, page_size, kmem_pte_addr(entry_at(run->addr)), run->prot);
	struct kmem_mappings_change last_page = change_to(last, page_size, kmem_pte_addr(entry_at(last)), run->prot);

	return (struct kmem_mappings_change){
		.addr = run->addr,
		.size = run->size,
		.is_partial = true,
		.joins_before = first_page.joins_before,
		.joins_behind = last_page.joins_behind,
	};
}

static int run_protect(const struct kmem_run *run)
{
	struct kmem_mappings_change change = {.addr = run->addr, .size = run->size};
	int ret;

	if (kmem_mappings_is_counting()) {
		change = change_of_protect(run);
		if (!kmem_mappings_allow(&change)) {
			return -ENOMEM;
		}
	}
	ret = kmem_host_range_protect(run->addr, run->size, run->prot);
	if (ret == 0) {
		kmem_mappings_changed(&change);
	}
	return ret;
}

static int protect(const struct kmem_run *runs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int ret = run_protect(&runs[i]);

		if (ret != 0) {
			return ret;
		}
	}
	return 0;
}

const struct kmem_engine kmem_engine_mmap = {
	.name = "mmap",
	.probe = probe,
	.start = start,
	.finish = finish,
	.reserve = reserve,
	.release = release,
	.cover = cover,
	.expose = expose,
	.conceal = conceal,
	.protect = protect,
};
