/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the program defines of Zephyr's replaceable names.
 *
 * Weak references bind when the program is linked, for executables of either kind and for libkmem.a, too. They stay unbound,
 * and the built-in pieces are used, where the definitions are hidden, sit in an archive that nothing else pulls, or come by
 * dlopen(): the headers declare the names with default visibility, the report at boot tells what was bound.
 *
 * The functions of a set are called as upstream calls them: with interrupts locked, one at a time; a store's page_in and
 * page_out find the page at the scratch page.
 */
#include "kernel/program.h"

#include <errno.h>
#include <string.h>

#include <kmem/fatal.h>
#include <kmem/kmem.h>

#include "host/log.h"
#include "host/object.h"
#include "kernel/frame.h"
#include "kernel/kernel.h"
#include "machine/mmu.h"
#include "machine/ram.h"

#define REPLACEABLE __attribute__((weak, visibility("default")))

REPLACEABLE void k_mem_paging_eviction_init(void);
REPLACEABLE struct k_mem_page_frame *k_mem_paging_eviction_select(bool *dirty);
REPLACEABLE void k_mem_paging_eviction_add(struct k_mem_page_frame *pf);
REPLACEABLE void k_mem_paging_eviction_remove(struct k_mem_page_frame *pf);
REPLACEABLE void k_mem_paging_eviction_accessed(uintptr_t phys);

REPLACEABLE int k_mem_paging_backing_store_location_get(struct k_mem_page_frame *pf, uintptr_t *location,
							bool page_fault);
REPLACEABLE void k_mem_paging_backing_store_location_free(uintptr_t location);
REPLACEABLE int k_mem_paging_backing_store_location_query(void *addr, uintptr_t *location);
REPLACEABLE void k_mem_paging_backing_store_page_out(uintptr_t location);
REPLACEABLE void k_mem_paging_backing_store_page_in(uintptr_t location);
REPLACEABLE void k_mem_paging_backing_store_page_finalize(struct k_mem_page_frame *pf, uintptr_t location);
REPLACEABLE void k_mem_paging_backing_store_init(void);

REPLACEABLE extern struct k_mem_page_frame k_mem_page_frames[];
REPLACEABLE extern unsigned long k_mem_paging_eviction_histogram_bounds[];
REPLACEABLE extern unsigned long k_mem_paging_backing_store_histogram_bounds[];

/* A name of a set: what it is bound to, and whether the set needs it. */
enum need {
	NEEDED,
	TRACKING,
	OPTIONAL
};

struct name {
	const char *name;
	uintptr_t address; /* 0: not defined */
	enum need need;
};

#define NAME(function, need)                                                                                           \
	{                                                                                                              \
#function, (uintptr_t)(function), need                                                                 \
	}

#define POLICY_NAMES                                                                                                   \
	{                                                                                                              \
		NAME(k_mem_paging_eviction_init, NEEDED), NAME(k_mem_paging_eviction_select, NEEDED),                  \
			NAME(k_mem_paging_eviction_add, TRACKING), NAME(k_mem_paging_eviction_remove, TRACKING),       \
			NAME(k_mem_paging_eviction_accessed, TRACKING),                                                \
	}

#define STORE_NAMES                                                                                                    \
	{                                                                                                              \
		NAME(k_mem_paging_backing_store_location_get, NEEDED),                                                 \
			NAME(k_mem_paging_backing_store_location_free, NEEDED),                                        \
			NAME(k_mem_paging_backing_store_location_query, OPTIONAL),                                     \
			NAME(k_mem_paging_backing_store_page_out, NEEDED),                                             \
			NAME(k_mem_paging_backing_store_page_in, NEEDED),                                              \
			NAME(k_mem_paging_backing_store_page_finalize, NEEDED),                                        \
			NAME(k_mem_paging_backing_store_init, NEEDED),                                                 \
	}

#define COUNT(names) (sizeof(names) / sizeof((names)[0]))

static const char *object_of(uintptr_t address)
{
	return kmem_host_object_name((const void *)address);
}

/* The first of a set that is defined; NULL if none is. */
static const struct name *first_of(const struct name *names, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (names[i].address != 0) {
			return &names[i];
		}
	}
	return NULL;
}

/* Whether something of a kind of need is there. */
static bool has(const struct name *names, size_t count, enum need need)
{
	for (size_t i = 0; i < count; i++) {
		if (names[i].need == need && names[i].address != 0) {
			return true;
		}
	}
	return false;
}

static int set_check(const char *what, const struct name *names, size_t count, char *error, size_t error_size)
{
	const struct name *first = first_of(names, count);

	if (first == NULL) {
		return 0;
	}
	for (size_t i = 0; i < count; i++) {
		bool is_needed = names[i].need == NEEDED || (names[i].need == TRACKING && has(names, count, TRACKING));

		if (is_needed && names[i].address == 0) {
			(void)kmem_format(error, error_size, "%s of the program's own: %s() is missing, %s() is in %s",
					  what, names[i].name, first->name, object_of(first->address));
			return -EINVAL;
		}
	}
	return 0;
}

int kmem_program_check(char *error, size_t error_size)
{
	const struct name policy[] = POLICY_NAMES;
	const struct name store[] = STORE_NAMES;
	int ret = set_check("an eviction algorithm", policy, COUNT(policy), error, error_size);

	return ret != 0 ? ret : set_check("a backing store", store, COUNT(store), error, error_size);
}

static void set_report(const char *what, const struct name *names, size_t count)
{
	const struct name *first = first_of(names, count);

	if (first != NULL) {
		kmem_log(KMEM_LOG_INFO, "%s of the program's own: %s() and the others, from %s", what, first->name,
			 object_of(first->address));
	}
}

void kmem_program_report(void)
{
	const struct name policy[] = POLICY_NAMES;
	const struct name store[] = STORE_NAMES;
	const struct name data[] = {
		NAME(k_mem_page_frames, OPTIONAL),
		NAME(k_mem_paging_eviction_histogram_bounds, OPTIONAL),
		NAME(k_mem_paging_backing_store_histogram_bounds, OPTIONAL),
		NAME(k_sys_fatal_error_handler, OPTIONAL),
	};

	if (kmem_program_is_policy(kmem_kernel.settings.policy_ops)) {
		set_report("eviction algorithm", policy, COUNT(policy));
	}
	if (kmem_program_is_store(kmem_kernel.settings.store_ops)) {
		set_report("backing store", store, COUNT(store));
	}
	for (size_t i = 0; i < COUNT(data); i++) {
		/* The library's own handler is no news. */
		if (data[i].address != 0 &&
		    strcmp(object_of(data[i].address), object_of((uintptr_t)kmem_version)) != 0) {
			kmem_log(KMEM_LOG_INFO, "%s from %s", data[i].name, object_of(data[i].address));
		}
	}
}

static int policy_init(void **state, const struct kmem_eviction_params *params)
{
	(void)params;
	*state = NULL;
	k_mem_paging_eviction_init();
	return 0;
}

static struct k_mem_page_frame *policy_select(void *state, bool *dirty)
{
	(void)state;
	return k_mem_paging_eviction_select(dirty);
}

static void policy_add(void *state, struct k_mem_page_frame *pf)
{
	(void)state;
	if (k_mem_paging_eviction_add != NULL) {
		k_mem_paging_eviction_add(pf);
	}
}

static void policy_remove(void *state, struct k_mem_page_frame *pf)
{
	(void)state;
	if (k_mem_paging_eviction_remove != NULL) {
		k_mem_paging_eviction_remove(pf);
	}
}

static void policy_accessed(void *state, struct k_mem_page_frame *pf)
{
	(void)state;
	if (k_mem_paging_eviction_accessed != NULL) {
		k_mem_paging_eviction_accessed(kmem_frame_phys(pf));
	}
}

static const struct kmem_eviction_ops program_policy = {
	.version = KMEM_EVICTION_VERSION,
	.name = "program",
	.init = policy_init,
	.select = policy_select,
	.add = policy_add,
	.remove = policy_remove,
	.accessed = policy_accessed,
};

static int store_init(void **state, const struct kmem_store_params *params)
{
	(void)params;
	*state = NULL;
	k_mem_paging_backing_store_init();
	return 0;
}

static int store_location_get(void *state, struct k_mem_page_frame *pf, uintptr_t *location, bool page_fault)
{
	(void)state;
	return k_mem_paging_backing_store_location_get(pf, location, page_fault);
}

static void store_location_free(void *state, uintptr_t location)
{
	(void)state;
	k_mem_paging_backing_store_location_free(location);
}

static int store_location_query(void *state, void *addr, uintptr_t *location)
{
	(void)state;
	if (k_mem_paging_backing_store_location_query == NULL) {
		return -ENOENT;
	}
	return k_mem_paging_backing_store_location_query(addr, location);
}

/* Show the frame that holds the library's bytes at the scratch page. */
static int scratch_show(const void *page)
{
	int ret;

	kmem_lock_acquire(&kmem_kernel.lock);
	ret = kmem_mmu_scratch(kmem_ram_phys(page));
	kmem_lock_release(&kmem_kernel.lock);
	return ret;
}

static int store_page_out(void *state, uintptr_t location, const void *page)
{
	int ret = scratch_show(page);

	(void)state;
	if (ret == 0) {
		k_mem_paging_backing_store_page_out(location);
	}
	return ret;
}

static int store_page_in(void *state, uintptr_t location, void *page)
{
	int ret = scratch_show(page);

	(void)state;
	if (ret == 0) {
		k_mem_paging_backing_store_page_in(location);
	}
	return ret;
}

static void store_page_finalize(void *state, struct k_mem_page_frame *pf, uintptr_t location)
{
	(void)state;
	k_mem_paging_backing_store_page_finalize(pf, location);
}

static const struct kmem_store_ops program_store = {
	.version = KMEM_STORE_VERSION,
	.name = "program",
	.init = store_init,
	.location_get = store_location_get,
	.location_free = store_location_free,
	.location_query = store_location_query,
	.page_out = store_page_out,
	.page_in = store_page_in,
	.page_finalize = store_page_finalize,
};

const struct kmem_eviction_ops *kmem_program_policy(void)
{
	const struct name names[] = POLICY_NAMES;

	return first_of(names, COUNT(names)) != NULL ? &program_policy : NULL;
}

const struct kmem_store_ops *kmem_program_store(void)
{
	const struct name names[] = STORE_NAMES;

	return first_of(names, COUNT(names)) != NULL ? &program_store : NULL;
}

bool kmem_program_is_policy(const struct kmem_eviction_ops *ops)
{
	return ops == &program_policy;
}

bool kmem_program_is_store(const struct kmem_store_ops *ops)
{
	return ops == &program_store;
}

struct k_mem_page_frame *kmem_program_frames(void)
{
	return k_mem_page_frames;
}

const unsigned long *kmem_program_eviction_bounds(void)
{
	return kmem_kernel.is_preloaded ? NULL : k_mem_paging_eviction_histogram_bounds;
}

const unsigned long *kmem_program_store_bounds(void)
{
	return kmem_kernel.is_preloaded ? NULL : k_mem_paging_backing_store_histogram_bounds;
}
