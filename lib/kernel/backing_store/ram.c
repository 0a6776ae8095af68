/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The RAM store: one page's bytes a slot, in private memory, which the host gives only to slots that were used and
 * which fork() copies. No copy is kept of a page that came in, so BACKED is never set and every eviction writes.
 *
 * A location is the slot's index times the page size. Free slots are a list, the last one freed first, so that few
 * slots are ever touched; behind them come those that were never used.
 */
#include "kernel/store.h"

#include <errno.h>
#include <string.h>

#include <kmem/kmem.h>

#include "host/assert.h"
#include "host/memory.h"

/* Entries of next[] that are no index. Indices have 32 bits: a store has 16 TiB at most. */
#define SLOT_NONE UINT32_MAX       /* the end of the list */
#define SLOT_USED (UINT32_MAX - 1) /* belongs to a page */
#define SLOTS_MAX SLOT_USED

struct ram {
	/* constant after init */
	size_t page_size;
	size_t capacity;
	size_t table_size; /* bytes of this struct and its table */
	char *slots;

	/* guarded by the kernel lock */
	size_t free_count; /* slots free, never used ones included */
	size_t touched;    /* slots used at any time: the first ones */
	uint32_t free;     /* the first of the list */
	uint32_t next[];   /* of each touched slot: the next free one, SLOT_NONE or SLOT_USED */
};

static int ram_init(void **state, const struct kmem_store_params *params)
{
	size_t page_size = params->frames.page_size;
	size_t capacity = params->capacity_pages < SLOTS_MAX ? params->capacity_pages : SLOTS_MAX;
	size_t table_size;
	struct ram *ram;
	void *memory;
	int ret;

	if (capacity == 0 || params->capacity_pages > KMEM_LOCATION_ANON_UNINIT / page_size) {
		return -EINVAL;
	}
	table_size = kmem_host_page_round(sizeof(*ram) + capacity * sizeof(ram->next[0]));
	ret = kmem_host_memory_get(&memory, table_size);
	if (ret != 0) {
		return ret;
	}
	ram = memory;
	ret = kmem_host_memory_get(&memory, capacity * page_size);
	if (ret != 0) {
		kmem_host_memory_free(ram, table_size);
		return ret;
	}
	ram->page_size = page_size;
	ram->capacity = capacity;
	ram->table_size = table_size;
	ram->slots = memory;
	ram->free_count = capacity;
	ram->free = SLOT_NONE;
	*state = ram;
	return 0;
}

static void ram_finish(void *state)
{
	struct ram *ram = state;

	kmem_host_memory_free(ram->slots, ram->capacity * ram->page_size);
	kmem_host_memory_free(ram, ram->table_size);
}

/* The slot of a location that belongs to a page. */
static size_t slot_of(const struct ram *ram, uintptr_t location)
{
	size_t slot = location / ram->page_size;

	kmem_assert(location % ram->page_size == 0 && slot < ram->touched && ram->next[slot] == SLOT_USED);
	return slot;
}

static int ram_location_get(void *state, struct k_mem_page_frame *pf, uintptr_t *location, bool page_fault)
{
	struct ram *ram = state;
	uint32_t slot = ram->free;

	kmem_assert(!k_mem_page_frame_is_backed(pf));
	if (ram->free_count <= (page_fault ? 0U : 1U)) {
		return -ENOMEM;
	}
	if (slot != SLOT_NONE) {
		ram->free = ram->next[slot];
	} else {
		slot = (uint32_t)ram->touched++;
	}
	ram->next[slot] = SLOT_USED;
	ram->free_count--;
	*location = (uintptr_t)slot * ram->page_size;
	return 0;
}

static void ram_location_free(void *state, uintptr_t location)
{
	struct ram *ram = state;
	size_t slot = slot_of(ram, location);

	ram->next[slot] = ram->free;
	ram->free = (uint32_t)slot;
	ram->free_count++;
}

static int ram_page_out(void *state, uintptr_t location, const void *page)
{
	struct ram *ram = state;

	memcpy(ram->slots + location, page, ram->page_size);
	return 0;
}

static int ram_page_in(void *state, uintptr_t location, void *page)
{
	struct ram *ram = state;

	memcpy(page, ram->slots + location, ram->page_size);
	return 0;
}

static int ram_pages_out(void *state, const struct kmem_store_io *io, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		(void)ram_page_out(state, io[i].location, io[i].page);
	}
	return (int)count;
}

static int ram_pages_in(void *state, const struct kmem_store_io *io, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		(void)ram_page_in(state, io[i].location, io[i].page);
	}
	return (int)count;
}

static void ram_page_finalize(void *state, struct k_mem_page_frame *pf, uintptr_t location)
{
	k_mem_page_frame_clear(pf, K_MEM_PAGE_FRAME_BACKED);
	if (location == KMEM_LOCATION_ANON_ZERO || location == KMEM_LOCATION_ANON_UNINIT) {
		return;
	}
	ram_location_free(state, location);
}

static void ram_usage(void *state, struct kmem_store_usage *usage)
{
	const struct ram *ram = state;

	usage->capacity_pages = ram->capacity;
	usage->used_pages = ram->capacity - ram->free_count;
	usage->cached_pages = 0;
	usage->host_bytes = ram->touched * ram->page_size;
}

const struct kmem_store_ops kmem_store_ram = {
	.version = KMEM_STORE_VERSION,
	.name = "ram",
	.flags = KMEM_STORE_CONCURRENT,
	.init = ram_init,
	.finish = ram_finish,
	.location_get = ram_location_get,
	.location_free = ram_location_free,
	.page_out = ram_page_out,
	.page_in = ram_page_in,
	.page_finalize = ram_page_finalize,
	.usage = ram_usage,
	.pages_out = ram_pages_out,
	.pages_in = ram_pages_in,
};
