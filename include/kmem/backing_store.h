/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract of a backing store: where pages are while they are not in RAM. (Zephyr: backing store interface; errors,
 * page pointers in place of the scratch page, and fork are our own)
 *
 * A store is one `const struct kmem_store_ops`, given to kmem_boot() in struct kmem_config, or built in and chosen by
 * name. Its functions run in the handler of memory traps: they must not allocate from the heap, print through stdio,
 * be cancellation points or touch paged memory. `location*` and `page_finalize` are called with the kernel lock held
 * and must not block; `page_out`, `page_in`, `pages_out` and `pages_in` without it, one at a time, or at once from several
 * threads (but never twice for one location) if KMEM_STORE_CONCURRENT is set.
 *
 * What the core promises: init comes first, finish last. A location given by location_get belongs to one page until
 * location_free or page_finalize gives it back. page_out of a location comes before its first page_in, save for
 * locations the program mapped itself (k_mem_map_unpaged). page_finalize follows a page_in that succeeded.
 *
 * BACKED (K_MEM_PAGE_FRAME_BACKED) on a frame means: the store still holds a location for the page in it, and holds its
 * bytes as they were when it came in. A page that is BACKED and not dirty goes out without being written. The store
 * sets the flag in page_finalize and may clear it in location_get of another frame; the core clears it when the page is
 * unmapped, and has given the location back by location_free first.
 *
 * *Vectors*: functions that do for several pages at once what another one does for one of them. They are optional, the core calls the
 * other one instead. What comes out is always an initial part of the vector: a number from 1 to count, of the first pages, for which it was
 * done as if one after the other; or -errno, for the first page, and then nothing was done for any. A number below count is no
 * failure, and need not have a cause: the core asks again for the rest, and so learns of each page what became of it.
 */
#ifndef KMEM_BACKING_STORE_H
#define KMEM_BACKING_STORE_H

#include <kmem/frame.h>

#ifdef __cplusplus
extern "C" {
#endif

#define KMEM_STORE_VERSION 1

#define KMEM_STORE_CONCURRENT 0x1U /* page_in and page_out may run in several threads at once */

struct kmem_store_params {
	struct kmem_frames frames;
	const char *path;      /* file store: NULL for an unlinked temporary file */
	size_t capacity_pages; /* locations at most, the reserved last one included; a store may have fewer */
	void *arg;             /* kmem_config.store_arg */
};

struct kmem_store_usage {
	size_t capacity_pages; /* locations at most */
	size_t used_pages;     /* locations in use, cached copies of resident pages included */
	size_t cached_pages;   /* of these, copies of resident pages */
	size_t host_bytes;     /* memory or disk it occupies at present, as far as the store knows */
};

/* A page of a vector: its location and its bytes, wherever they are. No location is twice in a vector. */
struct kmem_store_io {
	uintptr_t location;
	void *page; /* pages_out: not to be changed */
};

struct kmem_store_ops {
	unsigned int version; /* KMEM_STORE_VERSION */
	const char *name;     /* for reports; KMEM_STORE knows the built-in ones only */
	unsigned int flags;   /* KMEM_STORE_* */

	/* Mandatory. 0, or -errno, which then is what kmem_boot() returns. Normal context: may allocate. */
	int (*init)(void **state, const struct kmem_store_params *params);

	/* Optional. Frees what init made; locations may still be in use. Normal context. */
	void (*finish)(void *state);

	/*
	 * Mandatory. A location for the page in pf, a multiple of the page size below 2^48; the cached one if pf is BACKED.
	 * 0; -ENOMEM if there is none. Without page_fault the last free location is refused: a fault can then always send
	 * one page out.
	 */
	int (*location_get)(void *state, struct k_mem_page_frame *pf, uintptr_t *location, bool page_fault);

	/*
	 * Mandatory. The page of this location is gone: unmapped while it was out, or while its frame was BACKED. Never for a
	 * location the program mapped itself.
	 */
	void (*location_free)(void *state, uintptr_t location);

	/* Optional. The location of fixed content at addr, without allocating; -ENOENT if there is none. */
	int (*location_query)(void *state, void *addr, uintptr_t *location);

	/* Mandatory. Keep a page's bytes. 0, or -errno: the page then stays resident. */
	int (*page_out)(void *state, uintptr_t location, const void *page);

	/* Mandatory. Bring a page's bytes back. 0, or -errno: the page then stays out. */
	int (*page_in)(void *state, uintptr_t location, void *page);

	/* Mandatory. The page came in to pf: set BACKED and keep the copy, or clear BACKED and free the location. */
	void (*page_finalize)(void *state, struct k_mem_page_frame *pf, uintptr_t location);

	/*
	 * Optional, for stores whose contents fork() does not copy by itself. prepare: make a copy, 0 or -errno; kernel lock
	 * held and no I/O under way. parent, child: keep the old, keep the copy. After a failed prepare only parent is called,
	 * and the child cannot use the VM.
	 */
	int (*fork_prepare)(void *state);
	void (*fork_parent)(void *state);
	void (*fork_child)(void *state);

	/* Optional. Absent: zeros are reported. */
	void (*usage)(void *state, struct kmem_store_usage *usage);

	/*
	 * Optional vector of location_get, for pages that go out together: neighbours where it can be, in ascending order. None of the
	 * frames is BACKED. page_fault is for the first one alone: a fault needs no more than that, so the others leave the last free
	 * location.
	 */
	int (*locations_get)(void *state, struct k_mem_page_frame *const *pfs, size_t count, uintptr_t *locations,
			     bool page_fault);

	/*
	 * Optional vectors of page_out and page_in. Of a page that is not among those done, the location's (the page's) bytes are
	 * undefined.
	 */
	int (*pages_out)(void *state, const struct kmem_store_io *io, size_t count);
	int (*pages_in)(void *state, const struct kmem_store_io *io, size_t count);
};

#ifdef __cplusplus
}
#endif

#endif /* KMEM_BACKING_STORE_H */
