/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stores by name, and the calls of the one that runs: each is marked in the thread, so that a trap inside it is
 * told apart, and what a store of the program's own returns is checked before the page table takes it.
 */
#include "kernel/store.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include <kmem/kmem.h>

#include "host/env.h"
#include "host/log.h"
#include "host/thread.h"
#include "kernel/ondemand.h"

/* Page table entries have no room for more. */
#define LOCATION_END ((uintptr_t)1 << 48)

static const struct kmem_store_ops *const stores[] = {&kmem_store_file, &kmem_store_ram};

#define STORE_COUNT (sizeof(stores) / sizeof(stores[0]))

static const struct kmem_store_ops *find(const char *name, size_t length)
{
	for (size_t i = 0; i < STORE_COUNT; i++) {
		if (strlen(stores[i]->name) == length && memcmp(stores[i]->name, name, length) == 0) {
			return stores[i];
		}
	}
	return NULL;
}

const struct kmem_store_ops *kmem_store_find(const char *name)
{
	return name == NULL ? NULL : find(name, strlen(name));
}

const char *kmem_store_names(void)
{
	return "file, ram";
}

/* A count: digits alone, decimal or after 0x hexadecimal, without the units that sizes have. */
static int pages_parse(const char *text, size_t *pages)
{
	bool is_hex = text[0] == '0' && (text[1] | 0x20) == 'x';
	const char *digits = is_hex ? text + 2 : text;
	size_t value;

	if (digits[strspn(digits, is_hex ? "0123456789abcdefABCDEF" : "0123456789")] != '\0' ||
	    kmem_size_parse(text, &value) != 0 || value == 0) {
		return -EINVAL;
	}
	*pages = value;
	return 0;
}

int kmem_store_parse(const char *text, const struct kmem_store_ops **ops, const char **path, size_t *pages, char *error,
		     size_t error_size)
{
	size_t length = strcspn(text, ":");
	const char *rest = text[length] == ':' ? text + length + 1 : NULL;

	*ops = find(text, length);
	*path = NULL;
	*pages = 0;
	if (*ops == NULL) {
		(void)kmem_format(error, error_size, "store \"%s\": unknown; known: %s", text, kmem_store_names());
		return -EINVAL;
	}
	if (rest == NULL) {
		return 0;
	}
	if (*ops == &kmem_store_file && rest[0] != '\0') {
		*path = rest;
		return 0;
	}
	if (*ops == &kmem_store_file) {
		(void)kmem_format(error, error_size, "store \"%s\": no path; allowed: file, file:PATH", text);
		return -EINVAL;
	}
	if (pages_parse(rest, pages) != 0) {
		(void)kmem_format(error, error_size,
				  "store \"%s\": not a number of pages from 1; allowed: ram, ram:PAGES", text);
		return -EINVAL;
	}
	return 0;
}

/* The first mandatory member that is absent, or NULL. */
static const char *member_missing(const struct kmem_store_ops *ops)
{
	const struct {
		const char *name;
		bool is_present;
	} members[] = {
		{"name", ops->name != NULL},
		{"init", ops->init != NULL},
		{"location_get", ops->location_get != NULL},
		{"location_free", ops->location_free != NULL},
		{"page_out", ops->page_out != NULL},
		{"page_in", ops->page_in != NULL},
		{"page_finalize", ops->page_finalize != NULL},
	};

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		if (!members[i].is_present) {
			return members[i].name;
		}
	}
	return NULL;
}

int kmem_store_ops_check(const struct kmem_store_ops *ops, char *error, size_t error_size)
{
	const char *missing;

	if (ops->version != KMEM_STORE_VERSION) {
		/* Where the name is in such a struct is anybody's guess. */
		(void)kmem_format(error, error_size, "backing store: version %u, must be %u", ops->version, KMEM_STORE_VERSION);
		return -EINVAL;
	}
	missing = member_missing(ops);
	if (missing != NULL) {
		(void)kmem_format(error, error_size, "backing store \"%s\": no %s, which is mandatory",
				  ops->name != NULL ? ops->name : "", missing);
		return -EINVAL;
	}
	if ((ops->flags & ~KMEM_STORE_CONCURRENT) != 0) {
		(void)kmem_format(error, error_size, "backing store \"%s\": flags 0x%x, known are 0x%x", ops->name, ops->flags,
				  KMEM_STORE_CONCURRENT);
		return -EINVAL;
	}
	return 0;
}

int kmem_store_init(struct kmem_store *store, const struct kmem_store_ops *ops, const struct kmem_store_params *params)
{
	char error[160];
	void *state = NULL;
	bool former;
	int ret;

	*store = (struct kmem_store){.ops = NULL};
	ret = kmem_store_ops_check(ops, error, sizeof(error));
	if (ret != 0) {
		kmem_log(KMEM_LOG_ERROR, "%s", error);
		return ret;
	}
	former = kmem_thread_callback_enter();
	ret = ops->init(&state, params);
	kmem_thread_callback_leave(former);
	if (ret != 0) {
		return ret;
	}
	*store = (struct kmem_store){
		.ops = ops,
		.state = state,
		.frames = params->frames,
		.capacity_pages = params->capacity_pages,
	};
	return 0;
}

void kmem_store_finish(struct kmem_store *store)
{
	if (store->ops != NULL && store->ops->finish != NULL) {
		bool former = kmem_thread_callback_enter();

		store->ops->finish(store->state);
		kmem_thread_callback_leave(former);
	}
	*store = (struct kmem_store){.ops = NULL};
}

/* What the page table can hold, and does not mean something else there. */
static int location_check(const struct kmem_store *store, uintptr_t location)
{
	if (location % store->frames.page_size == 0 && location < LOCATION_END && location != KMEM_LOCATION_ANON_ZERO &&
	    location != KMEM_LOCATION_ANON_UNINIT && !kmem_ondemand_is_location(location)) {
		return 0;
	}
	kmem_log(KMEM_LOG_ERROR,
		 "backing store \"%s\": location 0x%zx is not a multiple of the page size below 2^48, or reserved",
		 store->ops->name, (size_t)location);
	return -EINVAL;
}

int kmem_store_location_get(struct kmem_store *store, struct k_mem_page_frame *pf, uintptr_t *location, bool page_fault)
{
	bool former = kmem_thread_callback_enter();
	int ret = store->ops->location_get(store->state, pf, location, page_fault);

	kmem_thread_callback_leave(former);
	return ret != 0 ? ret : location_check(store, *location);
}

void kmem_store_location_free(struct kmem_store *store, uintptr_t location)
{
	bool former = kmem_thread_callback_enter();

	store->ops->location_free(store->state, location);
	kmem_thread_callback_leave(former);
}

int kmem_store_location_query(struct kmem_store *store, void *addr, uintptr_t *location)
{
	bool former;
	int ret;

	if (store->ops == NULL || store->ops->location_query == NULL) {
		return -ENOENT;
	}
	former = kmem_thread_callback_enter();
	ret = store->ops->location_query(store->state, addr, location);
	kmem_thread_callback_leave(former);
	return ret != 0 ? ret : location_check(store, *location);
}

int kmem_store_page_out(struct kmem_store *store, uintptr_t location, const void *page)
{
	bool former = kmem_thread_callback_enter();
	int ret = store->ops->page_out(store->state, location, page);

	kmem_thread_callback_leave(former);
	return ret;
}

int kmem_store_page_in(struct kmem_store *store, uintptr_t location, void *page)
{
	bool former = kmem_thread_callback_enter();
	int ret = store->ops->page_in(store->state, location, page);

	kmem_thread_callback_leave(former);
	return ret;
}

void kmem_store_page_finalize(struct kmem_store *store, struct k_mem_page_frame *pf, uintptr_t location)
{
	bool former = kmem_thread_callback_enter();

	store->ops->page_finalize(store->state, pf, location);
	kmem_thread_callback_leave(former);
}

/* A vector that a store is given, or a stretch of it. */
struct vector {
	struct k_mem_page_frame *const *pfs; /* locations_get */
	uintptr_t *locations;
	bool page_fault;
	const struct kmem_store_io *io; /* pages_out, pages_in */
	size_t count;
};

typedef int vector_fn(struct kmem_store *store, const struct vector *vector);

static int locations_get_call(struct kmem_store *store, const struct vector *vector)
{
	if (store->ops->locations_get == NULL) {
		int ret = store->ops->location_get(store->state, vector->pfs[0], &vector->locations[0], vector->page_fault);

		return ret != 0 ? ret : 1;
	}
	return store->ops->locations_get(store->state, vector->pfs, vector->count, vector->locations, vector->page_fault);
}

static int pages_out_call(struct kmem_store *store, const struct vector *vector)
{
	if (store->ops->pages_out == NULL) {
		int ret = store->ops->page_out(store->state, vector->io[0].location, vector->io[0].page);

		return ret != 0 ? ret : 1;
	}
	return store->ops->pages_out(store->state, vector->io, vector->count);
}

static int pages_in_call(struct kmem_store *store, const struct vector *vector)
{
	if (store->ops->pages_in == NULL) {
		int ret = store->ops->page_in(store->state, vector->io[0].location, vector->io[0].page);

		return ret != 0 ? ret : 1;
	}
	return store->ops->pages_in(store->state, vector->io, vector->count);
}

/* What a vector function says that it did is some of what it was asked for, and not nothing. */
static int vector_check(const struct kmem_store *store, size_t count, int ret)
{
	if (ret < 0 || (ret > 0 && (size_t)ret <= count)) {
		return ret;
	}
	kmem_log(KMEM_LOG_ERROR, "backing store \"%s\": %d pages done of a vector, must be 1 to %zu, or an error",
		 store->ops->name, ret, count);
	return -EINVAL;
}

/* One call, marked in the thread. Numbers are ints: a longer vector is done in several. */
static int vector_step(struct kmem_store *store, vector_fn *call, const struct vector *vector)
{
	struct vector step = *vector;
	bool former;
	int ret;

	if (step.count > INT_MAX) {
		step.count = INT_MAX;
	}
	former = kmem_thread_callback_enter();
	ret = call(store, &step);
	kmem_thread_callback_leave(former);
	return vector_check(store, step.count, ret);
}

/*
 * The first of the locations that the page table cannot take, or count. Those behind it are given back: the caller does not
 * learn of them.
 */
static size_t locations_check(struct kmem_store *store, const struct vector *vector, size_t count)
{
	size_t bad = 0;

	while (bad < count && location_check(store, vector->locations[bad]) == 0) {
		bad++;
	}
	for (size_t i = bad + 1; i < count; i++) {
		if (location_check(store, vector->locations[i]) == 0) {
			kmem_store_location_free(store, vector->locations[i]);
		}
	}
	return bad;
}

size_t kmem_store_locations_get(struct kmem_store *store, struct k_mem_page_frame *const *pfs, size_t count,
				uintptr_t *locations, bool page_fault, int *error)
{
	size_t done = 0;

	*error = 0;
	while (done < count) {
		const struct vector rest = {
			.pfs = pfs + done,
			.locations = locations + done,
			.page_fault = page_fault && done == 0,
			.count = count - done,
		};
		int ret = vector_step(store, locations_get_call, &rest);
		size_t good;

		if (ret < 0) {
			*error = ret;
			break;
		}
		good = locations_check(store, &rest, (size_t)ret);
		done += good;
		if (good < (size_t)ret) {
			*error = -EINVAL;
			break;
		}
	}
	return done;
}

/* Repeat until all of it is done, or one page cannot be. */
static size_t transfer(struct kmem_store *store, vector_fn *call, const struct kmem_store_io *io, size_t count, int *error)
{
	size_t done = 0;

	*error = 0;
	while (done < count) {
		const struct vector rest = {.io = io + done, .count = count - done};
		int ret = vector_step(store, call, &rest);

		if (ret < 0) {
			*error = ret;
			break;
		}
		done += (size_t)ret;
	}
	return done;
}

size_t kmem_store_pages_out(struct kmem_store *store, const struct kmem_store_io *io, size_t count, int *error)
{
	return transfer(store, pages_out_call, io, count, error);
}

size_t kmem_store_pages_in(struct kmem_store *store, const struct kmem_store_io *io, size_t count, int *error)
{
	return transfer(store, pages_in_call, io, count, error);
}

int kmem_store_fork_prepare(struct kmem_store *store)
{
	bool former;
	int ret;

	if (store->ops == NULL || store->ops->fork_prepare == NULL) {
		return 0;
	}
	former = kmem_thread_callback_enter();
	ret = store->ops->fork_prepare(store->state);
	kmem_thread_callback_leave(former);
	return ret;
}

void kmem_store_fork_parent(struct kmem_store *store)
{
	bool former;

	if (store->ops == NULL || store->ops->fork_parent == NULL) {
		return;
	}
	former = kmem_thread_callback_enter();
	store->ops->fork_parent(store->state);
	kmem_thread_callback_leave(former);
}

void kmem_store_fork_child(struct kmem_store *store)
{
	bool former;

	if (store->ops == NULL || store->ops->fork_child == NULL) {
		return;
	}
	former = kmem_thread_callback_enter();
	store->ops->fork_child(store->state);
	kmem_thread_callback_leave(former);
}

void kmem_store_usage_get(struct kmem_store *store, struct kmem_store_usage *usage)
{
	bool former;

	*usage = (struct kmem_store_usage){.capacity_pages = 0};
	if (store->ops == NULL || store->ops->usage == NULL) {
		return;
	}
	former = kmem_thread_callback_enter();
	store->ops->usage(store->state, usage);
	kmem_thread_callback_leave(former);
}

bool kmem_store_is_serialised(const struct kmem_store *store)
{
	return store->ops != NULL && (store->ops->flags & KMEM_STORE_CONCURRENT) == 0;
}

bool kmem_store_is_anonymous(const struct kmem_store *store)
{
	return store->ops == &kmem_store_ram || store->ops == &kmem_store_file;
}
