/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Partitions that are in effect. (Zephyr: arch_mem_domain_partition_add() and its like)
 *
 * Each is a layer over the pages of its range: the permission that it gives, and for each page the permission that lay
 * *under* it, of the mapping or of an older layer. The newest layer on a page is the one that holds. When a layer
 * goes, each page of it gets back what lay under it, or if there is a newer layer on the page, that one has it under
 * itself from now on. A page that is not what the layer made of it any more was changed by the program, and is left
 * alone.
 *
 * Layers end in the handlers of fatal errors, too, where nothing may be freed: they are kept until the next one begins.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include <kmem/kmem.h>

#include "domain_apply.h"

#define PERMISSIONS ((uint32_t)(K_MEM_PERM_RW | K_MEM_PERM_EXEC))
#define NOT_MAPPED UINT32_MAX

struct layer {
	struct layer *older;
	const struct k_mem_domain *domain;
	struct k_mem_partition part;
	uintptr_t start; /* the part of it that lies in the VM */
	size_t pages;
	size_t page_size;
	uint32_t permission;
	uint32_t under[]; /* of each page, or NOT_MAPPED */
};

/* Guarded by the interrupt lock. */
static struct layer *newest;
static struct layer *withdrawn; /* to be freed */

/* Flags of a mapped page, or NOT_MAPPED. */
static uint32_t page_flags(uintptr_t addr)
{
	struct kmem_page_status status;

	if (kmem_page_status_get((const void *)addr, &status) != 0 || status.state == KMEM_PAGE_STATE_UNMAPPED ||
	    status.state == KMEM_PAGE_STATE_GUARD) {
		return NOT_MAPPED;
	}
	return status.flags & (PERMISSIONS | K_MEM_PERM_USER | K_MEM_CACHE_MASK);
}

static uintptr_t page_addr(const struct layer *layer, size_t page)
{
	return layer->start + page * layer->page_size;
}

static bool covers(const struct layer *layer, uintptr_t addr)
{
	return addr >= layer->start && addr - layer->start < layer->pages * layer->page_size;
}

/* The oldest of the layers that are newer than this one and on the same page. */
static struct layer *layer_above(const struct layer *layer, uintptr_t addr)
{
	struct layer *above = NULL;

	for (struct layer *other = newest; other != layer; other = other->older) {
		above = covers(other, addr) ? other : above;
	}
	return above;
}

/* Set flags of a run of pages; those that were unmapped meanwhile have none. */
static int run_update(uintptr_t addr, size_t size, size_t page_size, uint32_t flags)
{
	int ret = k_mem_update_flags((void *)addr, size, flags);

	if (ret != -EFAULT || size == page_size) {
		return ret == -EFAULT ? 0 : ret;
	}
	for (uintptr_t page = addr; page < addr + size; page += page_size) {
		ret = page_flags(page) == NOT_MAPPED ? 0 : k_mem_update_flags((void *)page, page_size, flags);
		if (ret != 0 && ret != -EFAULT) {
			return ret;
		}
	}
	return 0;
}

/* What a page shall be: NOT_MAPPED to leave it alone. */
typedef uint32_t wanted_function(struct layer *layer, size_t page);

/* Make pages what they shall be, by as few calls as possible: all that can be, and the first error is returned. */
static int pages_update(struct layer *layer, wanted_function *wanted)
{
	size_t first = 0;
	uint32_t flags = NOT_MAPPED;
	int ret = 0;

	for (size_t page = 0; page <= layer->pages; page++) {
		uint32_t next = page < layer->pages ? wanted(layer, page) : NOT_MAPPED;

		if (next == flags) {
			continue;
		}
		if (flags != NOT_MAPPED) {
			int failed = run_update(page_addr(layer, first), (page - first) * layer->page_size,
						layer->page_size, flags);

			ret = ret == 0 ? failed : ret;
		}
		first = page;
		flags = next;
	}
	return ret;
}

static uint32_t wanted_by_layer(struct layer *layer, size_t page)
{
	uint32_t flags = page_flags(page_addr(layer, page));

	if (layer->under[page] == NOT_MAPPED || flags == NOT_MAPPED || (flags & PERMISSIONS) == layer->permission) {
		return NOT_MAPPED;
	}
	return (flags & ~PERMISSIONS) | layer->permission;
}

/* As a side effect, the layer above takes over what lies under this one. */
static uint32_t wanted_without_layer(struct layer *layer, size_t page)
{
	uintptr_t addr = page_addr(layer, page);
	struct layer *above = layer_above(layer, addr);
	uint32_t under = layer->under[page];
	uint32_t flags;

	if (under == NOT_MAPPED) {
		return NOT_MAPPED;
	}
	if (above != NULL) {
		uint32_t *taken = &above->under[(addr - above->start) / above->page_size];

		*taken = *taken == layer->permission ? under : *taken;
		return NOT_MAPPED;
	}
	flags = page_flags(addr);
	if (flags == NOT_MAPPED || (flags & PERMISSIONS) != layer->permission || under == layer->permission) {
		return NOT_MAPPED;
	}
	return (flags & ~PERMISSIONS) | under;
}

static int layer_end(struct layer **link)
{
	struct layer *layer = *link;
	int ret = pages_update(layer, wanted_without_layer);

	*link = layer->older;
	layer->older = withdrawn;
	withdrawn = layer;
	return ret;
}

static void withdrawn_free(void)
{
	while (withdrawn != NULL) {
		struct layer *layer = withdrawn;

		withdrawn = layer->older;
		free(layer);
	}
}

/* Whether any page of a range is mapped; most partitions are over memory that is not. */
static bool any_mapped(uintptr_t start, size_t pages, size_t page_size)
{
	for (size_t page = 0; page < pages; page++) {
		if (page_flags(start + page * page_size) != NOT_MAPPED) {
			return true;
		}
	}
	return false;
}

/* The part of a partition that lies in the VM: pages, and none if the machine has others. */
static size_t clip(const struct k_mem_partition *part, size_t page_size, uintptr_t *start)
{
	uintptr_t last = part->start + (part->size - 1);
	struct kmem_layout layout;

	if (kmem_layout_get(&layout) != 0 || page_size != layout.page_size || part->start >= layout.virt_ram_end ||
	    last < layout.virt_ram_start) {
		return 0;
	}
	*start = part->start > layout.virt_ram_start ? part->start : layout.virt_ram_start;
	last = last < layout.virt_ram_end ? last : layout.virt_ram_end - 1;
	return (last - *start + 1) / page_size;
}

/* The layer of a partition, on top, without effect yet; NULL without memory. */
static struct layer *layer_begin(const struct k_mem_domain *domain, const struct k_mem_partition *part, uintptr_t start,
				 size_t pages, size_t page_size)
{
	struct layer *layer = malloc(sizeof(*layer) + pages * sizeof(layer->under[0]));

	if (layer == NULL) {
		return NULL;
	}
	layer->domain = domain;
	layer->part = *part;
	layer->start = start;
	layer->pages = pages;
	layer->page_size = page_size;
	layer->permission = part->attr & PERMISSIONS;
	for (size_t page = 0; page < pages; page++) {
		uint32_t flags = page_flags(page_addr(layer, page));

		layer->under[page] = flags == NOT_MAPPED ? NOT_MAPPED : flags & PERMISSIONS;
	}
	layer->older = newest;
	newest = layer;
	return layer;
}

int kmem_domain_apply(const struct k_mem_domain *domain, const struct k_mem_partition *part, size_t page_size)
{
	uintptr_t start = 0;
	size_t pages = (part->attr & KMEM_PARTITION_NONE) == 0 ? clip(part, page_size, &start) : 0;
	struct layer *layer;
	int ret;

	withdrawn_free();
	if (pages == 0 || !any_mapped(start, pages, page_size)) {
		return 0;
	}
	layer = layer_begin(domain, part, start, pages, page_size);
	if (layer == NULL) {
		return -ENOMEM;
	}
	ret = pages_update(layer, wanted_by_layer);
	if (ret != 0) {
		(void)layer_end(&newest);
	}
	return ret;
}

int kmem_domain_withdraw(const struct k_mem_domain *domain, const struct k_mem_partition *part)
{
	for (struct layer **link = &newest; *link != NULL; link = &(*link)->older) {
		struct layer *layer = *link;

		if (layer->domain == domain && layer->part.start == part->start && layer->part.size == part->size) {
			return layer_end(link);
		}
	}
	return 0;
}

int kmem_domain_withdraw_all(const struct k_mem_domain *domain)
{
	struct layer **link = &newest;
	int ret = 0;

	while (*link != NULL) {
		if ((*link)->domain == domain) {
			int failed = layer_end(link);

			ret = ret == 0 ? failed : ret;
		} else {
			link = &(*link)->older;
		}
	}
	return ret;
}
