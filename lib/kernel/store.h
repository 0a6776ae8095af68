/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The built-in backing stores, and the one place through which the kernel calls whichever store runs.
 * location* and page_finalize are called with the kernel lock held, page_out, page_in, pages_out and pages_in without.
 */
#ifndef KMEM_KERNEL_STORE_H
#define KMEM_KERNEL_STORE_H

#include <kmem/backing_store.h>

extern const struct kmem_store_ops kmem_store_ram;
extern const struct kmem_store_ops kmem_store_file;

/* By name; NULL if there is none. names: all of them, "file, ram". */
const struct kmem_store_ops *kmem_store_find(const char *name);
const char *kmem_store_names(void);

/*
 * Split what KMEM_STORE and kmem_config.store say: "ram", "ram:PAGES", "file", "file:PATH". *ops, *path and *pages (0 if not
 * given) are set; 0, or -EINVAL with a message in error.
 */
int kmem_store_parse(const char *text, const struct kmem_store_ops **ops, const char **path, size_t *pages, char *error,
		     size_t error_size);

/* Version, mandatory members, flags. 0, or -EINVAL with a message. */
int kmem_store_ops_check(const struct kmem_store_ops *ops, char *error, size_t error_size);

/* The running store; init checks version and mandatory members. Optional members that are absent are no-ops here. */
struct kmem_store {
	const struct kmem_store_ops *ops; /* NULL when not running */
	void *state;
	struct kmem_frames frames;
	size_t capacity_pages;
};

int kmem_store_init(struct kmem_store *store, const struct kmem_store_ops *ops, const struct kmem_store_params *params);
void kmem_store_finish(struct kmem_store *store);
int kmem_store_location_get(struct kmem_store *store, struct k_mem_page_frame *pf, uintptr_t *location, bool page_fault);
void kmem_store_location_free(struct kmem_store *store, uintptr_t location);
int kmem_store_location_query(struct kmem_store *store, void *addr, uintptr_t *location); /* -ENOENT if absent */
int kmem_store_page_out(struct kmem_store *store, uintptr_t location, const void *page);
int kmem_store_page_in(struct kmem_store *store, uintptr_t location, void *page);
void kmem_store_page_finalize(struct kmem_store *store, struct k_mem_page_frame *pf, uintptr_t location);

/*
 * Vectors (<kmem/backing_store.h>), of any store and any length: the number of first pages for which it was done. Where that is fewer than
 * count, *error is why not for the next one; nothing was done for those behind it, which may be tried by another call.
 *
 * kmem_store_locations_get(): for frames that are not BACKED. One that is has its copy's location from kmem_store_location_get(), and must
 * be in transit and without BACKED before the store is asked for another, or it is stolen from. page_fault is for the first page alone.
 */
size_t kmem_store_locations_get(struct kmem_store *store, struct k_mem_page_frame *const *pfs, size_t count, uintptr_t *locations,
				bool page_fault, int *error);
size_t kmem_store_pages_out(struct kmem_store *store, const struct kmem_store_io *io, size_t count, int *error);
size_t kmem_store_pages_in(struct kmem_store *store, const struct kmem_store_io *io, size_t count, int *error);

int kmem_store_fork_prepare(struct kmem_store *store);
void kmem_store_fork_parent(struct kmem_store *store);
void kmem_store_fork_child(struct kmem_store *store);
void kmem_store_usage_get(struct kmem_store *store, struct kmem_store_usage *usage); /* zeros if the store has none */
bool kmem_store_is_anonymous(const struct kmem_store *store);  /* a built-in one, which holds no content of its own */
bool kmem_store_is_serialised(const struct kmem_store *store); /* not KMEM_STORE_CONCURRENT */

#endif /* KMEM_KERNEL_STORE_H */
