/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract of an eviction policy: which page goes out when a frame is needed. (Zephyr: eviction interface)
 *
 * A policy is one `const struct kmem_eviction_ops`, given to kmem_boot() in struct kmem_config, or built in and chosen
 * by name. All of its functions are called with the kernel lock held and every signal but the synchronous ones
 * blocked, some of them in the handler of a memory trap: they must not allocate, print through stdio, block, make
 * system calls, or touch paged memory. They may call kmem_page_info_get() and kmem_page_accessed_clear_all().
 *
 * What the core promises: init comes before any other call, finish after every other one; frames are added once and
 * removed once in turn; a frame is evictable when it is added and until it is removed; ACCESSED of a page is set
 * before its `accessed` call.
 */
#ifndef KMEM_EVICTION_H
#define KMEM_EVICTION_H

#include <kmem/frame.h>

#ifdef __cplusplus
extern "C" {
#endif

#define KMEM_EVICTION_VERSION 1

struct kmem_eviction_params {
	struct kmem_frames frames;
	unsigned int nru_period_ms; /* length of a tick of NRU, milliseconds */
	void *arg;                  /* kmem_config.policy_arg */
};

struct kmem_eviction_ops {
	unsigned int version; /* KMEM_EVICTION_VERSION */
	const char *name;     /* for reports; KMEM_POLICY knows the built-in ones only */

	/* Mandatory. 0, or -errno, which then is what kmem_boot() returns. Normal context: may allocate. */
	int (*init)(void **state, const struct kmem_eviction_params *params);

	/* Optional. Frees what init made. Normal context. */
	void (*finish)(void *state);

	/*
	 * Mandatory. The frame whose page shall go out; NULL if there is none. The frame must be evictable. *dirty is its
	 * KMEM_PAGE_DIRTY. It is not promised that the page really goes: if it does, remove follows.
	 */
	struct k_mem_page_frame *(*select)(void *state, bool *dirty);

	/* Optional. pf became evictable: its page came in, was unpinned, or could not be written out after all. */
	void (*add)(void *state, struct k_mem_page_frame *pf);

	/* Optional. pf, added before, is about to be evicted, pinned or unmapped. */
	void (*remove)(void *state, struct k_mem_page_frame *pf);

	/*
	 * Optional. A trap set ACCESSED, or DIRTY, of a page that was in already: in pf, which may be pinned or otherwise unknown
	 * here. A page that comes in is accessed, too, but for that there is add.
	 */
	void (*accessed)(void *state, struct k_mem_page_frame *pf);
};

#ifdef __cplusplus
}
#endif

#endif /* KMEM_EVICTION_H */
