/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LRU: a queue of frames, the least recently used at its head. (Zephyr: eviction interface)
 *
 * An access moves a page to the tail, but only where it traps. So the page that comes to the head loses ACCESSED: its
 * next access traps and moves it away in time. No more than one page is treated so at a time, hence no scans; the order
 * among the others is that of their last traps. A head that is alone is left in peace: it goes whatever is known of it.
 *
 * Everything is O(1).
 */
#include "kernel/eviction.h"

#include <errno.h>

#include "host/assert.h"
#include "host/memory.h"

/* Frame i is in slot i + 1. Slot 0 is the queue: its next is the head, its prev the tail, itself if there is none. */
#define QUEUE 0U

struct slot {
	uint32_t next, prev; /* both QUEUE where the frame is not queued, or alone */
};

struct lru {
	struct kmem_frames frames;
	size_t bytes; /* of this table */
	struct slot slots[];
};

static int lru_init(void **state, const struct kmem_eviction_params *params)
{
	size_t slots = params->frames.count + 1;
	size_t bytes = kmem_host_page_round(sizeof(struct lru) + slots * sizeof(struct slot));
	struct lru *lru;
	void *memory;
	int ret;

	if (slots > UINT32_MAX) {
		return -EOVERFLOW;
	}
	ret = kmem_host_memory_get(&memory, bytes);
	if (ret != 0) {
		return ret;
	}
	lru = memory;
	lru->frames = params->frames;
	lru->bytes = bytes;
	*state = lru;
	return 0;
}

static void lru_finish(void *state)
{
	struct lru *lru = state;

	kmem_host_memory_free(lru, lru->bytes);
}

static uint32_t slot_of(const struct lru *lru, const struct k_mem_page_frame *pf)
{
	return (uint32_t)(pf - lru->frames.first) + 1;
}

static struct k_mem_page_frame *frame_of(const struct lru *lru, uint32_t slot)
{
	return &lru->frames.first[slot - 1];
}

static bool is_queued(const struct lru *lru, uint32_t slot)
{
	return lru->slots[slot].next != QUEUE || lru->slots[QUEUE].prev == slot;
}

static void append(struct lru *lru, uint32_t slot)
{
	uint32_t tail = lru->slots[QUEUE].prev;

	lru->slots[slot] = (struct slot){.next = QUEUE, .prev = tail};
	lru->slots[tail].next = slot;
	lru->slots[QUEUE].prev = slot;
}

/* Out of the queue; a new head is watched from now on, unless it is alone. */
static void unlink_slot(struct lru *lru, uint32_t slot)
{
	struct slot links = lru->slots[slot];
	bool was_head = lru->slots[QUEUE].next == slot;

	lru->slots[links.prev].next = links.next;
	lru->slots[links.next].prev = links.prev;
	lru->slots[slot] = (struct slot){.next = QUEUE, .prev = QUEUE};
	if (was_head && lru->slots[QUEUE].next != lru->slots[QUEUE].prev) {
		(void)kmem_page_info_get(k_mem_page_frame_to_virt(frame_of(lru, lru->slots[QUEUE].next)), NULL, true);
	}
}

static void lru_add(void *state, struct k_mem_page_frame *pf)
{
	struct lru *lru = state;
	uint32_t slot = slot_of(lru, pf);

	kmem_assert(k_mem_page_frame_is_evictable(pf));
	kmem_assert(!is_queued(lru, slot));
	append(lru, slot);
}

static void lru_remove(void *state, struct k_mem_page_frame *pf)
{
	struct lru *lru = state;
	uint32_t slot = slot_of(lru, pf);

	kmem_assert(is_queued(lru, slot));
	unlink_slot(lru, slot);
}

static void lru_accessed(void *state, struct k_mem_page_frame *pf)
{
	struct lru *lru = state;
	uint32_t slot = slot_of(lru, pf);

	if (!is_queued(lru, slot)) {
		return;
	}
	unlink_slot(lru, slot);
	append(lru, slot);
}

static struct k_mem_page_frame *lru_select(void *state, bool *dirty)
{
	struct lru *lru = state;
	uint32_t head = lru->slots[QUEUE].next;
	struct k_mem_page_frame *pf;

	if (head == QUEUE) {
		return NULL;
	}
	pf = frame_of(lru, head);
	*dirty = (kmem_page_info_get(k_mem_page_frame_to_virt(pf), NULL, false) & KMEM_PAGE_DIRTY) != 0;
	return pf;
}

const struct kmem_eviction_ops kmem_eviction_lru = {
	.version = KMEM_EVICTION_VERSION,
	.name = "lru",
	.init = lru_init,
	.finish = lru_finish,
	.select = lru_select,
	.add = lru_add,
	.remove = lru_remove,
	.accessed = lru_accessed,
};
