/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CLOCK, or second chance: a hand goes round the frames and takes the first whose page was not accessed since the hand
 * last passed; those that were lose the mark and are passed over.
 *
 * Taking the mark off a page is a host call and another trap at its next access. Where many in a row bear it, it is
 * cheaper to take it off all at once: at the first selection, since all that came in before were accessed, and after
 * CLEARED_MAX pages within one selection.
 *
 * A selection ends after ROUNDS_MAX rounds whatever becomes of the marks meanwhile.
 */
#include "kernel/eviction.h"

#include "host/memory.h"

#define ROUNDS_MAX 3
#define CLEARED_MAX 32

struct clock {
	struct kmem_frames frames;
	size_t bytes;       /* of this table */
	size_t count;       /* frames added */
	size_t hand;        /* the frame looked at next */
	bool has_begun;     /* the first selection was made */
	uint8_t is_added[]; /* by frame */
};

static int clock_init(void **state, const struct kmem_eviction_params *params)
{
	size_t bytes = kmem_host_page_round(sizeof(struct clock) + params->frames.count);
	struct clock *clock;
	void *memory;
	int ret = kmem_host_memory_get(&memory, bytes);

	if (ret != 0) {
		return ret;
	}
	clock = memory;
	clock->frames = params->frames;
	clock->bytes = bytes;
	*state = clock;
	return 0;
}

static void clock_finish(void *state)
{
	struct clock *clock = state;

	kmem_host_memory_free(clock, clock->bytes);
}

static size_t index_of(const struct clock *clock, const struct k_mem_page_frame *pf)
{
	return (size_t)(pf - clock->frames.first);
}

static void clock_add(void *state, struct k_mem_page_frame *pf)
{
	struct clock *clock = state;

	clock->is_added[index_of(clock, pf)] = 1;
	clock->count++;
}

static void clock_remove(void *state, struct k_mem_page_frame *pf)
{
	struct clock *clock = state;

	clock->is_added[index_of(clock, pf)] = 0;
	clock->count--;
}

/* The next frame that can be a victim, and the hand beyond it. There is one. */
static struct k_mem_page_frame *hand_advance(struct clock *clock, size_t *steps)
{
	size_t index;

	do {
		index = clock->hand;
		clock->hand = index + 1 < clock->frames.count ? index + 1 : 0;
		(*steps)++;
	} while (clock->is_added[index] == 0);
	return &clock->frames.first[index];
}

static struct k_mem_page_frame *clock_select(void *state, bool *dirty)
{
	struct clock *clock = state;
	struct k_mem_page_frame *pf;
	unsigned int cleared = 0;
	unsigned int info;
	size_t steps = 0;

	if (clock->count == 0) {
		return NULL;
	}
	if (!clock->has_begun) {
		clock->has_begun = true;
		kmem_page_accessed_clear_all();
	}
	do {
		pf = hand_advance(clock, &steps);
		info = kmem_page_info_get(k_mem_page_frame_to_virt(pf), NULL, cleared < CLEARED_MAX);
		if ((info & KMEM_PAGE_ACCESSED) == 0) {
			break;
		}
		if (++cleared == CLEARED_MAX) {
			kmem_page_accessed_clear_all();
		}
	} while (steps < ROUNDS_MAX * clock->frames.count);
	*dirty = (info & KMEM_PAGE_DIRTY) != 0;
	return pf;
}

const struct kmem_eviction_ops kmem_eviction_clock = {
	.version = KMEM_EVICTION_VERSION,
	.name = "clock",
	.init = clock_init,
	.finish = clock_finish,
	.select = clock_select,
	.add = clock_add,
	.remove = clock_remove,
};
