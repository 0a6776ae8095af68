/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The running policy: the kernel's side of the contract of kmem/eviction.h is asserted, the policy's side is checked,
 * since it may be the program's own.
 *
 * Invariants: E1 a frame is added if and only if it is evictable. E2 no frame beyond the last is added.
 */
#include "kernel/eviction.h"

#include <errno.h>
#include <string.h>

#include "host/assert.h"
#include "host/log.h"
#include "host/memory.h"
#include "host/thread.h"

#define WORD_BITS 64U

static const struct kmem_eviction_ops *const policies[] = {
	&kmem_eviction_clock,
	&kmem_eviction_lru,
	&kmem_eviction_nru,
};

const struct kmem_eviction_ops *kmem_eviction_find(const char *name)
{
	for (size_t i = 0; i < sizeof(policies) / sizeof(policies[0]); i++) {
		if (strcmp(policies[i]->name, name) == 0) {
			return policies[i];
		}
	}
	return NULL;
}

const char *kmem_eviction_names(void)
{
	return "clock, lru, nru";
}

static size_t added_words(const struct kmem_frames *frames)
{
	return (frames->count + WORD_BITS - 1) / WORD_BITS;
}

static size_t added_bytes(const struct kmem_frames *frames)
{
	return kmem_host_page_round(added_words(frames) * sizeof(uint64_t));
}

int kmem_eviction_ops_check(const struct kmem_eviction_ops *ops, char *error, size_t error_size)
{
	const char *missing;

	if (ops->version != KMEM_EVICTION_VERSION) {
		/* Where the name is in such a struct is anybody's guess. */
		(void)kmem_format(error, error_size, "eviction policy: version %u, must be %u", ops->version,
				  KMEM_EVICTION_VERSION);
		return -EINVAL;
	}
	missing = ops->name == NULL ? "name" : NULL;
	missing = ops->init == NULL ? "init" : missing;
	missing = ops->select == NULL ? "select" : missing;
	if (missing != NULL) {
		(void)kmem_format(error, error_size, "eviction policy \"%s\": no %s, which is mandatory",
				  ops->name != NULL ? ops->name : "", missing);
		return -EINVAL;
	}
	return 0;
}

int kmem_eviction_init(struct kmem_eviction *eviction, const struct kmem_eviction_ops *ops,
		       const struct kmem_eviction_params *params)
{
	char error[160];
	void *memory;
	bool former;
	int ret;

	*eviction = (struct kmem_eviction){.frames = params->frames};
	ret = kmem_eviction_ops_check(ops, error, sizeof(error));
	if (ret != 0) {
		kmem_log(KMEM_LOG_ERROR, "%s", error);
		return ret;
	}
	ret = kmem_host_memory_get(&memory, added_bytes(&params->frames));
	if (ret != 0) {
		return ret;
	}
	former = kmem_thread_callback_enter();
	ret = ops->init(&eviction->state, params);
	kmem_thread_callback_leave(former);
	if (ret != 0) {
		kmem_host_memory_free(memory, added_bytes(&params->frames));
		return ret;
	}
	eviction->added = memory;
	eviction->ops = ops;
	return 0;
}

void kmem_eviction_finish(struct kmem_eviction *eviction)
{
	if (eviction->ops == NULL) {
		return;
	}
	if (eviction->ops->finish != NULL) {
		bool former = kmem_thread_callback_enter();

		eviction->ops->finish(eviction->state);
		kmem_thread_callback_leave(former);
	}
	kmem_host_memory_free(eviction->added, added_bytes(&eviction->frames));
	*eviction = (struct kmem_eviction){0};
}

/* Whether pf, which may be any pointer, is a frame. */
static bool is_frame(const struct kmem_eviction *eviction, const struct k_mem_page_frame *pf)
{
	uintptr_t offset = (uintptr_t)pf - (uintptr_t)eviction->frames.first;

	return offset % sizeof(*pf) == 0 && offset / sizeof(*pf) < eviction->frames.count;
}

struct k_mem_page_frame *kmem_eviction_select(struct kmem_eviction *eviction, bool *dirty)
{
	bool former = kmem_thread_callback_enter();
	struct k_mem_page_frame *pf;

	*dirty = false;
	pf = eviction->ops->select(eviction->state, dirty);
	kmem_thread_callback_leave(former);
	if (pf == NULL) {
		return NULL;
	}
	if (!is_frame(eviction, pf)) {
		kmem_log(KMEM_LOG_ERROR, "eviction policy \"%s\" selects %p, which is no frame", eviction->ops->name,
			 (void *)pf);
		return NULL;
	}
	if (!k_mem_page_frame_is_evictable(pf)) {
		kmem_log(KMEM_LOG_ERROR, "eviction policy \"%s\" selects frame %zu, which is not evictable",
			 eviction->ops->name, (size_t)(pf - eviction->frames.first));
		return NULL;
	}
	return pf;
}

static uint64_t *added_word(const struct kmem_eviction *eviction, const struct k_mem_page_frame *pf)
{
	return &eviction->added[(size_t)(pf - eviction->frames.first) / WORD_BITS];
}

static uint64_t added_bit(const struct kmem_eviction *eviction, const struct k_mem_page_frame *pf)
{
	return UINT64_C(1) << (size_t)(pf - eviction->frames.first) % WORD_BITS;
}

bool kmem_eviction_has(const struct kmem_eviction *eviction, const struct k_mem_page_frame *pf)
{
	return (*added_word(eviction, pf) & added_bit(eviction, pf)) != 0;
}

void kmem_eviction_add(struct kmem_eviction *eviction, struct k_mem_page_frame *pf)
{
	bool former;

	kmem_assert(is_frame(eviction, pf));
	kmem_assert(k_mem_page_frame_is_evictable(pf));
	kmem_assert(!kmem_eviction_has(eviction, pf));
	*added_word(eviction, pf) |= added_bit(eviction, pf);
	if (eviction->ops->add == NULL) {
		return;
	}
	former = kmem_thread_callback_enter();
	eviction->ops->add(eviction->state, pf);
	kmem_thread_callback_leave(former);
}

void kmem_eviction_remove(struct kmem_eviction *eviction, struct k_mem_page_frame *pf)
{
	bool former;

	kmem_assert(is_frame(eviction, pf));
	kmem_assert(kmem_eviction_has(eviction, pf));
	*added_word(eviction, pf) &= ~added_bit(eviction, pf);
	if (eviction->ops->remove == NULL) {
		return;
	}
	former = kmem_thread_callback_enter();
	eviction->ops->remove(eviction->state, pf);
	kmem_thread_callback_leave(former);
}

void kmem_eviction_accessed(struct kmem_eviction *eviction, struct k_mem_page_frame *pf)
{
	bool former;

	kmem_assert(is_frame(eviction, pf));
	if (eviction->ops->accessed == NULL) {
		return;
	}
	former = kmem_thread_callback_enter();
	eviction->ops->accessed(eviction->state, pf);
	kmem_thread_callback_leave(former);
}

bool kmem_eviction_is_valid(const struct kmem_eviction *eviction)
{
	size_t bits = added_words(&eviction->frames) * WORD_BITS;

	if (eviction->ops == NULL) {
		return eviction->added == NULL;
	}
	for (size_t i = 0; i < eviction->frames.count; i++) {
		struct k_mem_page_frame *pf = &eviction->frames.first[i];

		if (kmem_eviction_has(eviction, pf) != k_mem_page_frame_is_evictable(pf)) {
			return false; /* E1 */
		}
	}
	for (size_t i = eviction->frames.count; i < bits; i++) {
		if ((eviction->added[i / WORD_BITS] >> i % WORD_BITS & 1) != 0) {
			return false; /* E2 */
		}
	}
	return true;
}
