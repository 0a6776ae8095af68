/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The built-in eviction policies, and the one place through which the kernel calls whichever policy runs.
 * All but init and finish are called with the kernel lock held.
 */
#ifndef KMEM_KERNEL_EVICTION_H
#define KMEM_KERNEL_EVICTION_H

#include <kmem/eviction.h>

extern const struct kmem_eviction_ops kmem_eviction_nru;
extern const struct kmem_eviction_ops kmem_eviction_lru;
extern const struct kmem_eviction_ops kmem_eviction_clock;

/* By name; NULL if there is none. names: all of them, "clock, lru, nru". */
const struct kmem_eviction_ops *kmem_eviction_find(const char *name);
const char *kmem_eviction_names(void);

/* Version and mandatory members. 0, or -EINVAL with a message. */
int kmem_eviction_ops_check(const struct kmem_eviction_ops *ops, char *error, size_t error_size);

/*
 * The running policy. init checks version and mandatory members (-EINVAL with a line in the log). The rest wrap each call
 * with the protocol's assertions: nothing is removed that was not added, nothing added twice, what select returns is
 * evictable. remove of a frame that is not with the policy, and add of one that is, are for the caller to avoid:
 * kmem_eviction_has() tells.
 */
struct kmem_eviction {
	const struct kmem_eviction_ops *ops; /* NULL when not running */
	void *state;
	struct kmem_frames frames;
	uint64_t *added; /* a bit a frame */
};

int kmem_eviction_init(struct kmem_eviction *eviction, const struct kmem_eviction_ops *ops,
		       const struct kmem_eviction_params *params);
void kmem_eviction_finish(struct kmem_eviction *eviction);
struct k_mem_page_frame *kmem_eviction_select(struct kmem_eviction *eviction, bool *dirty);
void kmem_eviction_add(struct kmem_eviction *eviction, struct k_mem_page_frame *pf);
void kmem_eviction_remove(struct kmem_eviction *eviction, struct k_mem_page_frame *pf);
void kmem_eviction_accessed(struct kmem_eviction *eviction, struct k_mem_page_frame *pf);
bool kmem_eviction_has(const struct kmem_eviction *eviction, const struct k_mem_page_frame *pf);

/* Invariants E1.. */
bool kmem_eviction_is_valid(const struct kmem_eviction *eviction);

#endif /* KMEM_KERNEL_EVICTION_H */
