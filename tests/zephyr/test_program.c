/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program with an eviction algorithm and a backing store of its own, under Zephyr's names: in what order they are
 * called, with what, and in which context. The algorithm is a queue. The store is an array; it frees locations at once
 * or keeps clean copies.
 */
#define CONFIG_DEMAND_PAGING 1
#define CONFIG_DEMAND_PAGING_STATS 1
#define CONFIG_DEMAND_PAGING_TIMING_HISTOGRAM 1
#define CONFIG_EVICTION_CUSTOM 1
#define CONFIG_EVICTION_TRACKING 1
#define CONFIG_BACKING_STORE_CUSTOM 1
#define CONFIG_SRAM_SIZE 32768
#define CONFIG_ASSERT 1

#include <mmu.h>
#include <zephyr/kernel/mm/demand_paging.h>

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <kmem/arch.h>
#include <kmem/irq.h>

#include "expect.h"
#include "harness.h"

#define PAGE ((size_t)CONFIG_MMU_PAGE_SIZE)
#define RW K_MEM_PERM_RW
#define FRAMES 4 /* that are not pinned, in most tests */
#define SLOTS 16
#define LOG_SIZE 256
#define NONE UINTPTR_MAX

/* ---- what was called ---- */

enum event {
	STORE_INIT,
	POLICY_INIT,
	SELECT,
	ADD,
	REMOVE,
	ACCESSED,
	GET,   /* location_get for a fault */
	GET_0, /* location_get for anything else */
	FREE,
	QUERY,
	OUT,
	IN,
	FINALIZE,
};

struct call {
	enum event event;
	struct k_mem_page_frame *pf;
	uintptr_t location;
	void *page; /* of pf, at that time */
};

static struct {
	struct call calls[LOG_SIZE];
	size_t count;
	size_t wrong;    /* calls in a context that is none */
	size_t overlaps; /* calls during others */
	_Atomic int inside;
	bool keeps_copies;
	bool selects_nothing;
} seen;

static void *page_in(struct k_mem_page_frame *pf)
{
	return pf != NULL && !k_mem_page_frame_is_free(pf) ? k_mem_page_frame_to_virt(pf) : NULL;
}

static void enter(enum event event, struct k_mem_page_frame *pf, uintptr_t location)
{
	seen.overlaps += atomic_fetch_add(&seen.inside, 1) != 0 ? 1 : 0;
	seen.wrong += event != STORE_INIT && event != POLICY_INIT && !kmem_irq_is_locked() ? 1 : 0;
	seen.wrong += pf != NULL && (pf < k_mem_page_frames || pf >= k_mem_page_frames + K_MEM_NUM_PAGE_FRAMES) ? 1 : 0;
	if (seen.count < LOG_SIZE) {
		seen.calls[seen.count++] = (struct call){event, pf, location, page_in(pf)};
	}
}

static void leave(void)
{
	atomic_fetch_sub(&seen.inside, 1);
}

/* ---- the algorithm ---- */

static struct {
	struct k_mem_page_frame *frames[K_MEM_NUM_PAGE_FRAMES];
	size_t count;
} queue;

void k_mem_paging_eviction_init(void)
{
	enter(POLICY_INIT, NULL, NONE);
	queue.count = 0;
	leave();
}

void k_mem_paging_eviction_add(struct k_mem_page_frame *pf)
{
	enter(ADD, pf, NONE);
	seen.wrong += k_mem_page_frame_is_evictable(pf) ? 0 : 1;
	queue.frames[queue.count++] = pf;
	leave();
}

void k_mem_paging_eviction_remove(struct k_mem_page_frame *pf)
{
	size_t i = 0;

	enter(REMOVE, pf, NONE);
	while (i < queue.count && queue.frames[i] != pf) {
		i++;
	}
	if (i == queue.count) {
		seen.wrong++;
	} else {
		queue.count--;
		memmove(&queue.frames[i], &queue.frames[i + 1], (queue.count - i) * sizeof(queue.frames[0]));
	}
	leave();
}

void k_mem_paging_eviction_accessed(uintptr_t phys)
{
	enter(ACCESSED, k_mem_phys_to_page_frame(phys), NONE);
	leave();
}

struct k_mem_page_frame *k_mem_paging_eviction_select(bool *dirty)
{
	struct k_mem_page_frame *pf = queue.count != 0 && !seen.selects_nothing ? queue.frames[0] : NULL;

	enter(SELECT, pf, NONE);
	if (pf != NULL) {
		uintptr_t phys = 0;

		*dirty = (arch_page_info_get(page_in(pf), &phys, false) & ARCH_DATA_PAGE_DIRTY) != 0;
		seen.wrong += phys != k_mem_page_frame_to_phys(pf) ? 1 : 0;
	}
	leave();
	return pf;
}

/* ---- the store ---- */

static struct {
	uint8_t bytes[SLOTS][PAGE];
	void *pages[SLOTS]; /* whose it is; NULL: nobody's */
	size_t used;
} store;

void k_mem_paging_backing_store_init(void)
{
	enter(STORE_INIT, NULL, NONE);
	memset(store.pages, 0, sizeof(store.pages));
	store.used = 0;
	leave();
}

static int slot_get(void *page, bool page_fault, size_t *slot)
{
	for (*slot = 0; *slot < SLOTS; ++*slot) {
		if (store.pages[*slot] == page) {
			return 0;
		}
	}
	if (store.used == SLOTS || (store.used == SLOTS - 1 && !page_fault)) {
		return -ENOMEM;
	}
	for (*slot = 0; store.pages[*slot] != NULL;) {
		++*slot;
	}
	store.pages[*slot] = page;
	store.used++;
	return 0;
}

int k_mem_paging_backing_store_location_get(struct k_mem_page_frame *pf, uintptr_t *location, bool page_fault)
{
	size_t slot;
	int ret = slot_get(page_in(pf), page_fault, &slot);

	*location = slot * PAGE;
	enter(page_fault ? GET : GET_0, pf, ret == 0 ? *location : NONE);
	leave();
	return ret;
}

void k_mem_paging_backing_store_location_free(uintptr_t location)
{
	enter(FREE, NULL, location);
	seen.wrong += store.pages[location / PAGE] == NULL ? 1 : 0;
	store.pages[location / PAGE] = NULL;
	store.used--;
	leave();
}

int k_mem_paging_backing_store_location_query(void *addr, uintptr_t *location)
{
	(void)addr;
	enter(QUERY, NULL, NONE);
	*location = 0;
	leave();
	return -ENOENT;
}

void k_mem_paging_backing_store_page_out(uintptr_t location)
{
	enter(OUT, NULL, location);
	memcpy(store.bytes[location / PAGE], K_MEM_SCRATCH_PAGE, PAGE);
	leave();
}

void k_mem_paging_backing_store_page_in(uintptr_t location)
{
	enter(IN, NULL, location);
	memcpy(K_MEM_SCRATCH_PAGE, store.bytes[location / PAGE], PAGE);
	leave();
}

void k_mem_paging_backing_store_page_finalize(struct k_mem_page_frame *pf, uintptr_t location)
{
	uintptr_t phys = 0;

	enter(FINALIZE, pf, location);
	if (location == ARCH_UNPAGED_ANON_ZERO || location == ARCH_UNPAGED_ANON_UNINIT) {
		leave();
		return;
	}
	seen.wrong += store.pages[location / PAGE] != page_in(pf) ? 1 : 0;
	seen.wrong += arch_page_location_get(page_in(pf), &phys) != ARCH_PAGE_LOCATION_PAGED_IN ? 1 : 0;
	if (seen.keeps_copies) {
		k_mem_page_frame_set(pf, K_MEM_PAGE_FRAME_BACKED);
	} else {
		k_mem_page_frame_clear(pf, K_MEM_PAGE_FRAME_BACKED);
		store.pages[location / PAGE] = NULL;
		store.used--;
	}
	leave();
}

/* ---- bounds of histograms ---- */

unsigned long k_mem_paging_eviction_histogram_bounds[CONFIG_DEMAND_PAGING_TIMING_HISTOGRAM_NUM_BINS] = {
	11, 22, 33, 44, 55, 66, 77, 88, 99, ULONG_MAX,
};
unsigned long k_mem_paging_backing_store_histogram_bounds[CONFIG_DEMAND_PAGING_TIMING_HISTOGRAM_NUM_BINS] = {
	101, 202, 303, 404, 505, 606, 707, 808, 909, ULONG_MAX,
};

/* ---- what every test uses ---- */

static void *rest; /* pinned pages in all but FRAMES frames */
static size_t rest_size;

static void setup(void)
{
	ck_assert(kmem_is_booted());
	seen.keeps_copies = false;
	seen.selects_nothing = false;
	rest_size = k_mem_free_get() - FRAMES * PAGE;
	rest = k_mem_map(rest_size, RW | K_MEM_MAP_LOCK | K_MEM_MAP_UNINIT);
	ck_assert_ptr_nonnull(rest);
	seen.count = 0;
}

/* What boot calls is seen by the next test. */
static void reboot(void)
{
	ck_assert_int_eq(kmem_shutdown(), 0);
	seen.count = 0;
	ck_assert_msg(kmem_boot(NULL) == 0, "%s", kmem_boot_error());
}

static void teardown(void)
{
	k_mem_unmap(rest, rest_size);
	ck_assert(kmem_is_valid());
	ck_assert_uint_eq(store.used, 0);
	ck_assert_uint_eq(queue.count, 0);
	ck_assert_uint_eq(seen.wrong, 0);
	ck_assert_uint_eq(seen.overlaps, 0);
	ck_assert_int_eq(atomic_load(&seen.inside), 0);
	reboot();
}

static uint8_t *map(size_t pages)
{
	uint8_t *bytes = k_mem_map(pages * PAGE, RW);

	ck_assert_ptr_nonnull(bytes);
	for (size_t i = 0; i < pages; i++) {
		bytes[i * PAGE] = (uint8_t)(i + 1);
	}
	__asm__ volatile("" : : : "memory"); /* what follows, follows */
	return bytes;
}

static void out(void *page)
{
	ck_assert_int_eq(k_mem_page_out(page, PAGE), 0);
}

static struct k_mem_page_frame *frame_of(void *page)
{
	uintptr_t phys;

	ck_assert_int_eq(arch_page_phys_get(page, &phys), 0);
	return k_mem_phys_to_page_frame(phys);
}

static const char *log_text(void)
{
	static const char *const names[] = {
		"store_init", "policy_init", "select", "add", "remove", "accessed", "get",
		"get_0",      "free",        "query",  "out", "in",     "finalize",
	};
	static char text[LOG_SIZE * 12];

	text[0] = '\0';
	for (size_t i = 0; i < seen.count; i++) {
		strcat(text, names[seen.calls[i].event]);
		strcat(text, " ");
	}
	return text;
}

/* What was called since the last check. */
#define CHECK_CALLS(...)                                                                                               \
	do {                                                                                                           \
		static const enum event expected[] = {__VA_ARGS__};                                                    \
                                                                                                                       \
		ck_assert_msg(seen.count == sizeof(expected) / sizeof(expected[0]), "%s", log_text());                 \
		for (size_t i_ = 0; i_ < seen.count; i_++) {                                                           \
			ck_assert_msg(seen.calls[i_].event == expected[i_], "%s", log_text());                         \
		}                                                                                                      \
		seen.count = 0;                                                                                        \
	} while (0)

#define CHECK_NO_CALLS() ck_assert_msg(seen.count == 0, "%s", log_text())

/* ---- boot ---- */

START_TEST(boot_uses_what_the_program_has)
{
	struct kmem_setup running;

	k_mem_unmap(rest, rest_size);
	reboot();
	CHECK_CALLS(STORE_INIT, POLICY_INIT);
	ck_assert_int_eq(kmem_setup_get(&running), 0);
	ck_assert_str_eq(running.policy, "program");
	ck_assert_str_eq(running.store, "program");
	setup();
}
END_TEST

START_TEST(environment_names_others)
{
	struct kmem_setup running;
	uint8_t *bytes;

	k_mem_unmap(rest, rest_size);
	ck_assert_int_eq(kmem_shutdown(), 0);
	seen.count = 0;
	setenv("KMEM_POLICY", "lru", 1);
	setenv("KMEM_STORE", "ram:8", 1);
	ck_assert_msg(kmem_boot(NULL) == 0, "%s", kmem_boot_error());
	ck_assert_int_eq(kmem_setup_get(&running), 0);
	ck_assert_str_eq(running.policy, "lru");
	ck_assert_str_eq(running.store, "ram");
	bytes = map(2);
	out(bytes);
	ck_assert_uint_eq(bytes[0], 1);
	k_mem_unmap(bytes, 2 * PAGE);
	CHECK_NO_CALLS();
	unsetenv("KMEM_POLICY");
	unsetenv("KMEM_STORE");
	reboot();
	setup();
}
END_TEST

/* One of the two alone, too. */
START_TEST(environment_names_another_store)
{
	struct kmem_setup running;
	uint8_t *bytes;

	k_mem_unmap(rest, rest_size);
	ck_assert_int_eq(kmem_shutdown(), 0);
	seen.count = 0;
	setenv("KMEM_STORE", "ram:8", 1);
	ck_assert_msg(kmem_boot(NULL) == 0, "%s", kmem_boot_error());
	unsetenv("KMEM_STORE");
	CHECK_CALLS(POLICY_INIT);
	ck_assert_int_eq(kmem_setup_get(&running), 0);
	ck_assert_str_eq(running.policy, "program");
	ck_assert_str_eq(running.store, "ram");
	bytes = map(1);
	out(bytes);
	ck_assert_uint_eq(bytes[0], 1);
	CHECK_CALLS(ADD, REMOVE, ADD);
	k_mem_unmap(bytes, PAGE);
	CHECK_CALLS(REMOVE);
	reboot();
	setup();
}
END_TEST

START_TEST(histograms_have_the_bounds_of_the_program)
{
	struct k_mem_paging_histogram_t histogram;

	k_mem_paging_histogram_eviction_get(&histogram);
	ck_assert_mem_eq(histogram.bounds, k_mem_paging_eviction_histogram_bounds, sizeof(histogram.bounds));
	k_mem_paging_histogram_backing_store_page_in_get(&histogram);
	ck_assert_mem_eq(histogram.bounds, k_mem_paging_backing_store_histogram_bounds, sizeof(histogram.bounds));
	k_mem_paging_histogram_backing_store_page_out_get(&histogram);
	ck_assert_mem_eq(histogram.bounds, k_mem_paging_backing_store_histogram_bounds, sizeof(histogram.bounds));
}
END_TEST

START_TEST(frame_database_is_used_in_place)
{
	uint8_t *bytes = map(FRAMES);
	struct kmem_usage usage;
	struct k_mem_page_frame *pf;
	uintptr_t phys;
	size_t free_count = 0;
	size_t pinned = 0;
	size_t mapped = 0;

	out(bytes);
	K_MEM_PAGE_FRAME_FOREACH(phys, pf)
	{
		bool is_free = k_mem_page_frame_is_free(pf);

		free_count += is_free ? 1 : 0;
		pinned += !is_free && k_mem_page_frame_is_pinned(pf) ? 1 : 0;
		mapped += !is_free && k_mem_page_frame_is_mapped(pf) ? 1 : 0;
	}
	ck_assert_int_eq(kmem_usage_get(&usage), 0);
	ck_assert_uint_eq(usage.frames, K_MEM_NUM_PAGE_FRAMES);
	ck_assert_uint_eq(usage.frames_free, free_count);
	ck_assert_uint_eq(usage.frames_pinned, pinned);
	ck_assert_uint_eq(usage.frames_mapped, mapped);
	ck_assert_uint_eq(free_count, 1);
	k_mem_unmap(bytes, FRAMES * PAGE);
}
END_TEST

/* ---- call orders ---- */

START_TEST(mapping_with_free_frames_adds_them)
{
	uint8_t *bytes = map(2);

	CHECK_CALLS(ADD, ADD);
	k_mem_unmap(bytes, 2 * PAGE);
	CHECK_CALLS(REMOVE, REMOVE);
	bytes = k_mem_map(PAGE, RW | K_MEM_MAP_LOCK);
	ck_assert_ptr_nonnull(bytes);
	k_mem_unmap(bytes, PAGE);
	CHECK_NO_CALLS();
}
END_TEST

START_TEST(mapping_without_free_frames_makes_room)
{
	uint8_t *first = map(FRAMES);
	struct k_mem_page_frame *victim = frame_of(first);
	uint8_t *second;

	seen.count = 0;
	second = map(1);
	ck_assert_ptr_eq(seen.calls[0].pf, victim);
	ck_assert_ptr_eq(seen.calls[1].page, first);
	ck_assert_ptr_eq(frame_of(second), victim);
	CHECK_CALLS(SELECT, GET_0, REMOVE, OUT, ADD);
	k_mem_unmap(first, FRAMES * PAGE);
	k_mem_unmap(second, PAGE);
}
END_TEST

START_TEST(fault_with_a_free_frame)
{
	uint8_t *bytes = map(1);
	uintptr_t location;

	out(bytes);
	location = seen.calls[3].location;
	ck_assert_uint_eq(store.bytes[location / PAGE][0], 1);
	seen.count = 0;
	ck_assert_uint_eq(((volatile uint8_t *)bytes)[0], 1);
	ck_assert_uint_eq(seen.calls[0].location, location);
	ck_assert_uint_eq(seen.calls[1].location, location);
	ck_assert_ptr_eq(seen.calls[1].page, bytes);
	ck_assert_ptr_eq(seen.calls[2].page, bytes);
	CHECK_CALLS(IN, FINALIZE, ADD);
	k_mem_unmap(bytes, PAGE);
}
END_TEST

START_TEST(fault_without_a_free_frame)
{
	volatile uint8_t *bytes = map(FRAMES + 1);
	struct k_mem_page_frame *victim;
	uint8_t *victims_page = (uint8_t *)(uintptr_t)bytes + PAGE;
	uintptr_t old = NONE;

	/* The first page went out when the last one was written. */
	ck_assert_int_eq(arch_page_location_get((void *)(uintptr_t)bytes, &old), ARCH_PAGE_LOCATION_PAGED_OUT);
	victim = frame_of(victims_page);
	seen.count = 0;
	ck_assert_uint_eq(bytes[0], 1);
	ck_assert_ptr_eq(seen.calls[0].pf, victim);
	ck_assert_ptr_eq(seen.calls[1].pf, victim);
	ck_assert_ptr_eq(seen.calls[1].page, victims_page);
	ck_assert_uint_ne(seen.calls[1].location, old);
	ck_assert_ptr_eq(seen.calls[2].pf, victim);
	ck_assert_uint_eq(seen.calls[3].location, seen.calls[1].location);
	ck_assert_uint_eq(seen.calls[4].location, old);
	ck_assert_ptr_eq(seen.calls[5].pf, victim);
	ck_assert_ptr_eq(seen.calls[5].page, (void *)(uintptr_t)bytes);
	ck_assert_uint_eq(seen.calls[5].location, old);
	ck_assert_ptr_eq(seen.calls[6].pf, victim);
	CHECK_CALLS(SELECT, GET, REMOVE, OUT, IN, FINALIZE, ADD);
	for (size_t i = 0; i <= FRAMES; i++) {
		ck_assert_uint_eq(bytes[i * PAGE], i + 1);
	}
	k_mem_unmap((void *)(uintptr_t)bytes, (FRAMES + 1) * PAGE);
}
END_TEST

START_TEST(request_without_a_free_frame)
{
	uint8_t *bytes = map(FRAMES + 1);

	seen.count = 0;
	k_mem_page_in(bytes, PAGE);
	CHECK_CALLS(SELECT, GET, REMOVE, OUT, IN, FINALIZE, ADD);
	k_mem_page_in(bytes, PAGE);
	CHECK_NO_CALLS();
	k_mem_unmap(bytes, (FRAMES + 1) * PAGE);
}
END_TEST

START_TEST(page_out_on_request)
{
	uint8_t *bytes = map(2);
	struct k_mem_page_frame *pf = frame_of(bytes);
	uintptr_t location = NONE;

	seen.count = 0;
	out(bytes);
	ck_assert_ptr_eq(seen.calls[0].pf, pf);
	ck_assert_ptr_eq(seen.calls[1].pf, pf);
	ck_assert_int_eq(arch_page_location_get(bytes, &location), ARCH_PAGE_LOCATION_PAGED_OUT);
	ck_assert_uint_eq(seen.calls[0].location, location);
	ck_assert_uint_eq(seen.calls[2].location, location);
	CHECK_CALLS(GET_0, REMOVE, OUT);
	out(bytes);
	CHECK_NO_CALLS();
	ck_assert_int_eq(k_mem_page_frame_evict(k_mem_page_frame_to_phys(frame_of(bytes + PAGE))), 0);
	CHECK_CALLS(GET_0, REMOVE, OUT);
	k_mem_unmap(bytes, 2 * PAGE);
	CHECK_CALLS(FREE, FREE);
}
END_TEST

START_TEST(unmapping_frees_locations_of_pages_that_are_out)
{
	uint8_t *bytes = map(2);
	uintptr_t location;

	out(bytes);
	location = seen.calls[2].location;
	seen.count = 0;
	k_mem_unmap(bytes, 2 * PAGE);
	ck_assert_uint_eq(seen.calls[0].location, location);
	CHECK_CALLS(FREE, REMOVE);
}
END_TEST

START_TEST(pinning_removes_and_unpinning_adds)
{
	uint8_t *bytes = map(1);

	seen.count = 0;
	k_mem_pin(bytes, PAGE);
	CHECK_CALLS(REMOVE);
	k_mem_pin(bytes, PAGE);
	CHECK_NO_CALLS();
	k_mem_unpin(bytes, PAGE);
	CHECK_CALLS(ADD);
	k_mem_unpin(bytes, PAGE);
	CHECK_NO_CALLS();
	out(bytes);
	seen.count = 0;
	k_mem_unpin(bytes, PAGE);
	CHECK_NO_CALLS();
	k_mem_pin(bytes, PAGE);
	CHECK_CALLS(IN, FINALIZE);
	k_mem_unmap(bytes, PAGE);
	CHECK_NO_CALLS();
}
END_TEST

START_TEST(accesses_after_clearing_are_told)
{
	volatile uint8_t *bytes = map(1);
	uint8_t *page = (uint8_t *)(uintptr_t)bytes;

	seen.count = 0;
	ck_assert_uint_eq(bytes[0], 1);
	CHECK_NO_CALLS();
	(void)arch_page_info_get(page, NULL, true);
	ck_assert_uint_eq(bytes[0], 1);
	ck_assert_ptr_eq(seen.calls[0].pf, frame_of(page));
	CHECK_CALLS(ACCESSED);
	ck_assert_uint_eq(bytes[0], 1);
	CHECK_NO_CALLS();
	k_mem_unmap(page, PAGE);
}
END_TEST

/* ---- contents ---- */

START_TEST(scratch_page_has_the_page_whatever_its_permissions)
{
	uint8_t *bytes = map(1);

	for (size_t i = 0; i < PAGE; i++) {
		bytes[i] = (uint8_t)(i * 7);
	}
	ck_assert_int_eq(k_mem_update_flags(bytes, PAGE, 0), 0);
	for (int round = 0; round < 3; round++) {
		seen.count = 0;
		out(bytes);
		ck_assert_uint_eq(store.bytes[seen.calls[0].location / PAGE][PAGE - 1], (uint8_t)((PAGE - 1) * 7));
		for (size_t i = 0; i < PAGE; i++) {
			ck_assert_uint_eq(((volatile uint8_t *)bytes)[i], (uint8_t)(i * 7));
		}
	}
	k_mem_unmap(bytes, PAGE);
}
END_TEST

/* A store may change what comes in. */
START_TEST(scratch_page_is_what_comes_in)
{
	volatile uint8_t *bytes = map(1);

	out((void *)(uintptr_t)bytes);
	store.bytes[seen.calls[3].location / PAGE][9] = 99;
	ck_assert_uint_eq(bytes[9], 99);
	k_mem_unmap((void *)(uintptr_t)bytes, PAGE);
}
END_TEST

/* ---- copies that are kept ---- */

START_TEST(clean_pages_with_a_copy_are_not_written)
{
	volatile uint8_t *bytes = map(1);
	uint8_t *page = (uint8_t *)(uintptr_t)bytes;
	struct kmem_stats before;
	struct kmem_stats after;
	uintptr_t location;

	seen.keeps_copies = true;
	out(page);
	location = seen.calls[1].location;
	ck_assert_uint_eq(bytes[0], 1);
	ck_assert(k_mem_page_frame_is_backed(frame_of(page)));
	ck_assert_int_eq(kmem_stats_get(&before), 0);
	seen.count = 0;
	out(page);
	ck_assert_uint_eq(seen.calls[0].location, location);
	CHECK_CALLS(GET_0, REMOVE);
	ck_assert_uint_eq(bytes[0], 1);
	CHECK_CALLS(IN, FINALIZE, ADD);
	bytes[1] = 2;
	ck_assert(k_mem_page_frame_is_backed(frame_of(page)));
	seen.count = 0;
	out(page);
	ck_assert_uint_eq(seen.calls[0].location, location);
	CHECK_CALLS(GET_0, REMOVE, OUT);
	ck_assert_int_eq(kmem_stats_get(&after), 0);
	ck_assert_uint_eq(after.store_writes, before.store_writes + 1);
	ck_assert_uint_eq(bytes[1], 2);
	k_mem_unmap(page, PAGE);
}
END_TEST

START_TEST(faults_drop_clean_pages_with_a_copy)
{
	volatile uint8_t *bytes = map(FRAMES + 1);
	struct kmem_stats before;
	struct kmem_stats after;

	seen.keeps_copies = true;
	for (size_t i = 0; i < 3 * (FRAMES + 1); i++) {
		ck_assert_uint_eq(bytes[i % (FRAMES + 1) * PAGE], i % (FRAMES + 1) + 1);
	}
	ck_assert_int_eq(kmem_stats_get(&before), 0);
	seen.count = 0;
	ck_assert_uint_eq(bytes[0], 1);
	CHECK_CALLS(SELECT, GET, REMOVE, IN, FINALIZE, ADD);
	ck_assert_int_eq(kmem_stats_get(&after), 0);
	ck_assert_uint_eq(after.eviction.clean, before.eviction.clean + 1);
	ck_assert_uint_eq(after.eviction.dirty, before.eviction.dirty);
	bytes[PAGE] = 77; /* comes in for a write, and is not what the store has */
	seen.count = 0;
	for (size_t i = 2; i < 2 + FRAMES; i++) {
		(void)bytes[i % (FRAMES + 1) * PAGE];
	}
	ck_assert_uint_eq(bytes[PAGE], 77);
	ck_assert_int_eq(kmem_stats_get(&after), 0);
	ck_assert_uint_eq(after.store_writes, before.store_writes + 1);
	k_mem_unmap((void *)(uintptr_t)bytes, (FRAMES + 1) * PAGE);
}
END_TEST

/* ---- refusals ---- */

START_TEST(last_location_is_for_faults)
{
	volatile uint8_t *bytes = map(FRAMES + SLOTS - 1);
	uint8_t *page = (uint8_t *)(uintptr_t)bytes;

	ck_assert_uint_eq(store.used, SLOTS - 1);
	seen.count = 0;
	ck_assert_int_eq(k_mem_page_out(page + (FRAMES + SLOTS - 2) * PAGE, PAGE), -ENOMEM);
	CHECK_CALLS(GET_0);
	ck_assert_uint_eq(bytes[(FRAMES + SLOTS - 2) * PAGE], (uint8_t)(FRAMES + SLOTS - 1));
	CHECK_NO_CALLS();
	ck_assert_ptr_null(k_mem_map(PAGE, RW));
	CHECK_CALLS(SELECT, GET_0);
	for (size_t i = 0; i < FRAMES + SLOTS - 1; i++) {
		ck_assert_uint_eq(bytes[i * PAGE], (uint8_t)(i + 1));
		ck_assert_uint_eq(store.used, SLOTS - 1);
	}
	k_mem_unmap(page, (FRAMES + SLOTS - 1) * PAGE);
}
END_TEST

START_TEST(fault_without_a_victim_is_fatal)
{
	volatile uint8_t *bytes = map(FRAMES + 1);

	seen.selects_nothing = true;
	EXPECT_FATAL(bytes[0] = 1);
	ck_assert_uint_eq(fatal.reason, K_ERR_KERNEL_PANIC);
	ck_assert(!kmem_irq_is_locked());
	seen.selects_nothing = false;
	ck_assert_uint_eq(bytes[0], 1);
	k_mem_unmap((void *)(uintptr_t)bytes, (FRAMES + 1) * PAGE);
}
END_TEST

/* ---- threads ---- */

#define THREADS 3
#define THREAD_PAGES 4

struct worker {
	pthread_t thread;
	volatile uint8_t *bytes;
	int rounds;
	_Atomic int *running;
	size_t wrong;
};

static void *work(void *arg)
{
	struct worker *self = arg;

	for (int round = 0; round < self->rounds; round++) {
		for (size_t i = 0; i < THREAD_PAGES; i++) {
			unsigned int key = round % 3 == 0 ? arch_irq_lock() : 1;

			self->wrong += self->bytes[i * PAGE] != (uint8_t)round ? 1 : 0;
			self->bytes[i * PAGE] = (uint8_t)(round + 1);
			arch_irq_unlock(key);
		}
	}
	atomic_fetch_sub(self->running, 1);
	return NULL;
}

/* More pages than frames: all fault all the time, none inside another's, nor while somebody has interrupts locked. */
START_TEST(calls_exclude_each_other_and_locked_interrupts)
{
	uint8_t *bytes = k_mem_map(THREADS * THREAD_PAGES * PAGE, RW);
	struct worker workers[THREADS] = {0};
	_Atomic int running = THREADS;
	size_t seen_inside = 0;

	ck_assert_ptr_nonnull(bytes);
	for (size_t i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){
			.bytes = bytes + i * THREAD_PAGES * PAGE,
			.rounds = harness_on_valgrind() ? 20 : 300,
			.running = &running,
		};
		ck_assert_int_eq(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
	}
	while (atomic_load(&running) > 0) {
		unsigned int key = arch_irq_lock();

		seen_inside += atomic_load(&seen.inside) != 0 ? 1 : 0;
		sched_yield();
		seen_inside += atomic_load(&seen.inside) != 0 ? 1 : 0;
		arch_irq_unlock(key);
		sched_yield();
	}
	ck_assert_uint_eq(seen_inside, 0);
	for (size_t i = 0; i < THREADS; i++) {
		ck_assert_int_eq(pthread_join(workers[i].thread, NULL), 0);
		ck_assert_uint_eq(workers[i].wrong, 0);
	}
	k_mem_unmap(bytes, THREADS * THREAD_PAGES * PAGE);
}
END_TEST

START_TEST(forked_program_has_a_store_of_its_own)
{
	volatile uint8_t *bytes = map(FRAMES + 4);
	int status;
	pid_t child = fork();

	ck_assert_int_ge(child, 0);
	if (child == 0) {
		size_t wrong = 0;

		for (size_t i = 0; i < FRAMES + 4; i++) {
			wrong += bytes[i * PAGE] != i + 1 ? 1 : 0;
			bytes[i * PAGE] = 'c';
		}
		_exit(wrong == 0 && seen.wrong == 0 && kmem_is_valid() ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	for (size_t i = 0; i < FRAMES + 4; i++) {
		ck_assert_uint_eq(bytes[i * PAGE], i + 1);
	}
	k_mem_unmap((void *)(uintptr_t)bytes, (FRAMES + 4) * PAGE);
}
END_TEST

Suite *kmem_test_suite(void)
{
	Suite *suite = suite_create("program");
	TCase *boots = tcase_create("boot");
	TCase *orders = tcase_create("orders");
	TCase *threads = tcase_create("threads");

	tcase_add_checked_fixture(boots, setup, teardown);
	tcase_add_test(boots, boot_uses_what_the_program_has);
	tcase_add_test(boots, environment_names_others);
	tcase_add_test(boots, environment_names_another_store);
	tcase_add_test(boots, histograms_have_the_bounds_of_the_program);
	tcase_add_test(boots, frame_database_is_used_in_place);
	suite_add_tcase(suite, boots);

	tcase_add_checked_fixture(orders, setup, teardown);
	tcase_add_test(orders, mapping_with_free_frames_adds_them);
	tcase_add_test(orders, mapping_without_free_frames_makes_room);
	tcase_add_test(orders, fault_with_a_free_frame);
	tcase_add_test(orders, fault_without_a_free_frame);
	tcase_add_test(orders, request_without_a_free_frame);
	tcase_add_test(orders, page_out_on_request);
	tcase_add_test(orders, unmapping_frees_locations_of_pages_that_are_out);
	tcase_add_test(orders, pinning_removes_and_unpinning_adds);
	tcase_add_test(orders, accesses_after_clearing_are_told);
	tcase_add_test(orders, scratch_page_has_the_page_whatever_its_permissions);
	tcase_add_test(orders, scratch_page_is_what_comes_in);
	tcase_add_test(orders, clean_pages_with_a_copy_are_not_written);
	tcase_add_test(orders, faults_drop_clean_pages_with_a_copy);
	tcase_add_test(orders, last_location_is_for_faults);
	tcase_add_test(orders, fault_without_a_victim_is_fatal);
	suite_add_tcase(suite, orders);

	tcase_add_checked_fixture(threads, setup, teardown);
	tcase_set_timeout(threads, 300);
	tcase_add_test(threads, calls_exclude_each_other_and_locked_interrupts);
	if (!harness_on_valgrind()) { /* it does not know of MADV_DONTFORK */
		tcase_add_test(threads, forked_program_has_a_store_of_its_own);
	}
	suite_add_tcase(suite, threads);
	return suite;
}
