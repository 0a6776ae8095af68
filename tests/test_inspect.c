/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inspection: regions, pages, usage, counters and histograms are what was done, to the last one; reports and pictures
 * say the same, line by line.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <kmem/kmem.h>

#include "harness.h"
#include "state.h"

#define PAGE 4096UL
#define FRAMES 32UL
#define SLOTS 96UL
#define VM_SIZE (64UL << 20)
#define IMAGE_PAGES 3UL
#define DEVICE 0x1000UL

static struct harness_leaks leaks;

/* ---- the machine ---- */

/*
 * A policy and a store of the test's own, so that it sees the frames, and can hold a page on its way: the oldest page
 * goes out, and page_out waits where it is told to.
 */
static struct {
	struct kmem_frames frames;
	size_t queue[FRAMES];
	size_t queued;
	uint8_t bytes[SLOTS * PAGE];
	bool is_used[SLOTS];
	bool is_blocking;
	sem_t entered;
	sem_t go_on;
} own;

static int own_policy_init(void **state, const struct kmem_eviction_params *params)
{
	own.frames = params->frames;
	own.queued = 0;
	*state = &own;
	return 0;
}

static void own_add(void *state, struct k_mem_page_frame *pf)
{
	(void)state;
	own.queue[own.queued++] = (size_t)(pf - own.frames.first);
}

static void own_remove(void *state, struct k_mem_page_frame *pf)
{
	size_t i = 0;

	(void)state;
	while (own.queue[i] != (size_t)(pf - own.frames.first)) {
		i++;
	}
	own.queued--;
	memmove(&own.queue[i], &own.queue[i + 1], (own.queued - i) * sizeof(own.queue[0]));
}

static struct k_mem_page_frame *own_select(void *state, bool *dirty)
{
	struct k_mem_page_frame *pf = own.queued == 0 ? NULL : &own.frames.first[own.queue[0]];

	(void)state;
	*dirty = pf != NULL && (kmem_page_info_get(k_mem_page_frame_to_virt(pf), NULL, false) & KMEM_PAGE_DIRTY) != 0;
	return pf;
}

static int own_store_init(void **state, const struct kmem_store_params *params)
{
	(void)params;
	memset(own.is_used, 0, sizeof(own.is_used));
	own.is_blocking = false;
	*state = &own;
	return 0;
}

static int own_location_get(void *state, struct k_mem_page_frame *pf, uintptr_t *location, bool page_fault)
{
	(void)state;
	(void)pf;
	(void)page_fault;
	for (size_t i = 0; i < SLOTS; i++) {
		if (!own.is_used[i]) {
			own.is_used[i] = true;
			*location = i * PAGE;
			return 0;
		}
	}
	return -ENOMEM;
}

static void own_location_free(void *state, uintptr_t location)
{
	(void)state;
	own.is_used[location / PAGE] = false;
}

static int own_page_out(void *state, uintptr_t location, const void *page)
{
	(void)state;
	if (own.is_blocking) {
		own.is_blocking = false;
		sem_post(&own.entered);
		while (sem_wait(&own.go_on) != 0) {
		}
	}
	memcpy(own.bytes + location, page, PAGE);
	return 0;
}

static int own_page_in(void *state, uintptr_t location, void *page)
{
	(void)state;
	memcpy(page, own.bytes + location, PAGE);
	return 0;
}

static void own_page_finalize(void *state, struct k_mem_page_frame *pf, uintptr_t location)
{
	k_mem_page_frame_clear(pf, K_MEM_PAGE_FRAME_BACKED);
	own_location_free(state, location);
}

static const struct kmem_eviction_ops own_policy = {
	.version = KMEM_EVICTION_VERSION,
	.name = "own \"policy\" \\ \t",
	.init = own_policy_init,
	.select = own_select,
	.add = own_add,
	.remove = own_remove,
};

static const struct kmem_store_ops own_store = {
	.version = KMEM_STORE_VERSION,
	.name = "own-store",
	.flags = KMEM_STORE_CONCURRENT,
	.init = own_store_init,
	.location_get = own_location_get,
	.location_free = own_location_free,
	.page_out = own_page_out,
	.page_in = own_page_in,
	.page_finalize = own_page_finalize,
};

static const struct kmem_section sections[] = {
	{.name = ".text", .size = 2 * PAGE, .flags = K_MEM_PERM_EXEC},
	{.name = ".data", .size = PAGE, .flags = K_MEM_PERM_RW},
};

static const struct kmem_device device = {.name = "device", .phys = DEVICE, .size = 4 * PAGE};

static struct kmem_config config_small(void)
{
	return (struct kmem_config){
		.struct_size = sizeof(struct kmem_config),
		.vm_size = VM_SIZE,
		.ram_size = FRAMES * PAGE,
		.policy = "lru",
		.store = "ram:96",
		.sections = sections,
		.section_count = 2,
		.devices = &device,
		.device_count = 1,
	};
}

static void boot(const struct kmem_config *config)
{
	ck_assert_msg(kmem_boot(config) == 0, "%s", kmem_boot_error());
}

static void setup_none(void)
{
	harness_leaks_begin(&leaks);
}

static void setup(void)
{
	struct kmem_config config = config_small();

	setup_none();
	boot(&config);
}

static void setup_own(void)
{
	struct kmem_config config = config_small();

	setup_none();
	config.policy = NULL;
	config.store = NULL;
	config.policy_ops = &own_policy;
	config.store_ops = &own_store;
	config.store_pages = SLOTS;
	sem_init(&own.entered, 0, 0);
	sem_init(&own.go_on, 0, 0);
	boot(&config);
}

static void teardown(void)
{
	ck_assert(kmem_is_valid());
	(void)kmem_shutdown();
	harness_leaks_check(&leaks);
}

static char *map(size_t pages)
{
	void *addr = k_mem_map(pages * PAGE, K_MEM_PERM_RW);

	ck_assert_ptr_nonnull(addr);
	return addr;
}

/* ---- regions ---- */

#define REGIONS_MAX 100UL

struct visits {
	struct kmem_region_info regions[REGIONS_MAX];
	size_t count;
	size_t stop_at; /* returns 77 at this one; 0: never */
};

static int visit(const struct kmem_region_info *region, void *arg)
{
	struct visits *visits = arg;

	ck_assert_uint_lt(visits->count, REGIONS_MAX);
	visits->regions[visits->count++] = *region;
	return visits->count == visits->stop_at ? 77 : 0;
}

static struct kmem_region_info region_at(uintptr_t addr)
{
	static struct visits visits;

	visits.count = 0;
	ck_assert_int_eq(kmem_region_walk(visit, &visits), 0);
	for (size_t i = 0; i < visits.count; i++) {
		if (visits.regions[i].addr == addr) {
			return visits.regions[i];
		}
	}
	ck_abort_msg("no region at %#lx", (unsigned long)addr);
	return (struct kmem_region_info){.size = 0};
}

START_TEST(regions_come_in_ascending_order)
{
	static struct visits visits;
	size_t bytes = IMAGE_PAGES * PAGE;

	for (size_t i = 1; i <= 20; i++) {
		char *addr = map(i);

		bytes += i * PAGE;
		if (i % 3 == 0) {
			k_mem_unmap(addr, i * PAGE);
			bytes -= i * PAGE;
		}
	}
	visits = (struct visits){.count = 0};
	ck_assert_int_eq(kmem_region_walk(visit, &visits), 0);
	ck_assert_uint_eq(visits.count, 2 + 14);
	for (size_t i = 0; i < visits.count; i++) {
		const struct kmem_region_info *region = &visits.regions[i];

		ck_assert(i == 0 || region->addr > visits.regions[i - 1].addr + visits.regions[i - 1].size - 1);
		bytes -= region->size;
	}
	ck_assert_uint_eq(bytes, 0);
}
END_TEST

START_TEST(walk_stops_where_it_is_told_and_says_why)
{
	static struct visits visits;

	for (size_t i = 0; i < 5; i++) {
		(void)map(1);
	}
	for (size_t stop_at = 1; stop_at <= 7; stop_at++) {
		visits = (struct visits){.stop_at = stop_at};
		ck_assert_int_eq(kmem_region_walk(visit, &visits), 77);
		ck_assert_uint_eq(visits.count, stop_at);
	}
	visits = (struct visits){.stop_at = 8};
	ck_assert_int_eq(kmem_region_walk(visit, &visits), 0);
	ck_assert_uint_eq(visits.count, 7);
}
END_TEST

START_TEST(empty_machine_has_no_regions)
{
	struct kmem_config config = config_small();
	static struct visits visits;

	config.section_count = 0;
	boot(&config);
	visits = (struct visits){.count = 0};
	ck_assert_int_eq(kmem_region_walk(visit, &visits), 0);
	ck_assert_uint_eq(visits.count, 0);
}
END_TEST

START_TEST(regions_tell_what_they_are)
{
	struct kmem_layout layout = layout_now();
	struct kmem_region_info region = region_at(layout.kernel_virt_start);
	uint8_t *bare = NULL;
	char *addr;

	ck_assert_int_eq(region.kind, KMEM_REGION_IMAGE);
	ck_assert_str_eq(region.name, ".text");
	ck_assert_uint_eq(region.size, 2 * PAGE);
	ck_assert_uint_eq(region.flags, K_MEM_PERM_EXEC);
	ck_assert_uint_eq(region.phys, layout.phys_ram_start);
	ck_assert(!region.guarded);
	region = region_at(layout.kernel_virt_start + 2 * PAGE);
	ck_assert_str_eq(region.name, ".data");
	ck_assert_uint_eq(region.phys, layout.phys_ram_start + 2 * PAGE);

	addr = k_mem_map(3 * PAGE, K_MEM_PERM_RW | K_MEM_MAP_LOCK);
	region = region_at((uintptr_t)addr);
	ck_assert_int_eq(region.kind, KMEM_REGION_ANON);
	ck_assert_uint_eq(region.size, 3 * PAGE);
	ck_assert_uint_eq(region.flags, K_MEM_PERM_RW);
	ck_assert_str_eq(region.name, "");
	ck_assert(region.guarded);

	addr = k_mem_map_phys_guard(DEVICE, 2 * PAGE, K_MEM_PERM_RW, false);
	region = region_at((uintptr_t)addr);
	ck_assert_int_eq(region.kind, KMEM_REGION_PHYS);
	ck_assert_uint_eq(region.phys, DEVICE);
	ck_assert(region.guarded);

	k_mem_map_phys_bare(&bare, DEVICE + PAGE + 17, 1, K_MEM_CACHE_NONE);
	region = region_at((uintptr_t)bare - 17);
	ck_assert_int_eq(region.kind, KMEM_REGION_PHYS);
	ck_assert_uint_eq(region.phys, DEVICE + PAGE);
	ck_assert_uint_eq(region.size, PAGE);
	ck_assert_uint_eq(region.flags, K_MEM_CACHE_NONE);
	ck_assert(!region.guarded);

}
END_TEST

START_TEST(unpaged_region_tells_its_location)
{
	char *addr = k_mem_map_unpaged(5 * PAGE, 2 * PAGE, K_MEM_MAP_UNINIT);
	struct kmem_region_info region;

	ck_assert_ptr_nonnull(addr);
	region = region_at((uintptr_t)addr);
	ck_assert_int_eq(region.kind, KMEM_REGION_UNPAGED);
	ck_assert_uint_eq(region.phys, 5 * PAGE);
	ck_assert_uint_eq(region.flags, 0);
	ck_assert_int_eq(status_of(addr + PAGE).state, KMEM_PAGE_STATE_OUT);
	ck_assert_uint_eq(status_of(addr + PAGE).location, 6 * PAGE);
}
END_TEST

START_TEST(flags_of_a_region_change_when_all_of_it_does)
{
	char *addr = map(4);

	ck_assert_int_eq(k_mem_update_flags(addr, 2 * PAGE, 0), 0);
	ck_assert_uint_eq(region_at((uintptr_t)addr).flags, K_MEM_PERM_RW);
	ck_assert_uint_eq(status_of(addr + PAGE).flags, 0);
	ck_assert_uint_eq(status_of(addr + 2 * PAGE).flags, K_MEM_PERM_RW);
	ck_assert_int_eq(k_mem_update_flags(addr, 4 * PAGE, K_MEM_PERM_EXEC | K_MEM_CACHE_WT), 0);
	ck_assert_uint_eq(region_at((uintptr_t)addr).flags, K_MEM_PERM_EXEC | K_MEM_CACHE_WT);
	ck_assert_uint_eq(status_of(addr + 3 * PAGE).flags, K_MEM_PERM_EXEC | K_MEM_CACHE_WT);
}
END_TEST

START_TEST(all_of_ram_is_a_region_around_the_image)
{
	struct kmem_config config = config_small();
	struct kmem_layout layout;
	struct kmem_region_info region;
	struct kmem_usage usage;

	config.maps_all_ram = KMEM_SWITCH_ON;
	config.ram_offset = 2 * PAGE;
	config.vm_offset = 6 * PAGE;
	boot(&config);
	layout = layout_now();
	region = region_at(layout.virt_ram_start + 4 * PAGE);
	ck_assert_int_eq(region.kind, KMEM_REGION_RAM);
	ck_assert_uint_eq(region.size, 2 * PAGE);
	ck_assert_uint_eq(region.phys, layout.phys_ram_start);
	region = region_at(layout.kernel_virt_end);
	ck_assert_int_eq(region.kind, KMEM_REGION_RAM);
	ck_assert_uint_eq(region.addr + region.size, layout.vm_free_start);
	usage = usage_now();
	ck_assert_uint_eq(usage.regions, 4);
	ck_assert_uint_eq(usage.region_bytes, FRAMES * PAGE);
	ck_assert_uint_eq(usage.pages_in, 0);
	ck_assert_uint_eq(usage.frames_mapped, IMAGE_PAGES);
}
END_TEST

/* ---- pages ---- */

START_TEST(page_status_tells_each_state)
{
	struct kmem_layout layout = layout_now();
	volatile char *addr = map(4);
	struct kmem_page_status status;
	int local;

	ck_assert_int_eq(kmem_page_status_get(&local, &status), -EFAULT);
	ck_assert_int_eq(kmem_page_status_get((void *)(layout.virt_ram_start - 1), &status), -EFAULT);
	ck_assert_int_eq(kmem_page_status_get((void *)layout.virt_ram_end, &status), -EFAULT);
	ck_assert_int_eq(kmem_page_status_get(NULL, &status), -EFAULT);
	ck_assert_int_eq(status_of((void *)(layout.virt_ram_end - 1)).state, KMEM_PAGE_STATE_UNMAPPED);
	ck_assert_int_eq(status_of((void *)layout.vm_free_start).state, KMEM_PAGE_STATE_UNMAPPED);
	ck_assert_int_eq(status_of((char *)addr - 1).state, KMEM_PAGE_STATE_GUARD);
	ck_assert_int_eq(status_of((char *)addr + 4 * PAGE).state, KMEM_PAGE_STATE_GUARD);
	ck_assert_uint_eq(status_of((char *)addr - 1).flags, 0);

	/* Never touched. */
	status = status_of((char *)addr + 123);
	ck_assert_int_eq(status.state, KMEM_PAGE_STATE_OUT);
	ck_assert_uint_eq(status.location, KMEM_LOCATION_ANON_ZERO);
	ck_assert_uint_eq(status.flags, K_MEM_PERM_RW);
	ck_assert(!status.accessed && !status.dirty && !status.pinned);
	ck_assert_uint_eq(status.phys, 0);

	/* In: what was never out is dirty. */
	ck_assert_int_eq(addr[5], 0);
	status = status_of((char *)addr + PAGE - 1);
	ck_assert_int_eq(status.state, KMEM_PAGE_STATE_IN);
	ck_assert(status.accessed && status.dirty && !status.pinned);
	ck_assert_uint_ge(status.phys, layout.phys_ram_start + IMAGE_PAGES * PAGE);
	ck_assert_uint_lt(status.phys, layout.phys_ram_end);
	ck_assert_uint_eq(status.phys % PAGE, 0);
	ck_assert_uint_eq(status.location, 0);

	/* Out, at a location; in and clean; dirty. */
	ck_assert_int_eq(k_mem_page_out((void *)addr, PAGE), 0);
	status = status_of((void *)addr);
	ck_assert_int_eq(status.state, KMEM_PAGE_STATE_OUT);
	ck_assert_uint_lt(status.location, 96 * PAGE);
	ck_assert_uint_eq(status.phys, 0);
	ck_assert_int_eq(addr[5], 0);
	status = status_of((void *)addr);
	ck_assert(status.state == KMEM_PAGE_STATE_IN && status.accessed && !status.dirty);
	addr[5] = 1;
	ck_assert(status_of((void *)addr).dirty);

	/* Pinned: dirty as well, since its writes are not seen. */
	k_mem_pin((char *)addr + PAGE, PAGE);
	status = status_of((char *)addr + PAGE);
	ck_assert(status.state == KMEM_PAGE_STATE_IN && status.pinned && status.dirty);
	k_mem_unpin((char *)addr + PAGE, PAGE);
	ck_assert(!status_of((char *)addr + PAGE).pinned);

	k_mem_unmap((void *)addr, 4 * PAGE);
	ck_assert_int_eq(status_of((void *)addr).state, KMEM_PAGE_STATE_UNMAPPED);
	ck_assert_int_eq(status_of((char *)addr - 1).state, KMEM_PAGE_STATE_UNMAPPED);
	ck_assert_uint_eq(status_of((void *)addr).flags, 0);
}
END_TEST

START_TEST(page_status_of_other_kinds)
{
	struct kmem_layout layout = layout_now();
	struct kmem_page_status status = status_of((void *)layout.kernel_virt_start);
	char *addr;

	ck_assert_int_eq(status.state, KMEM_PAGE_STATE_IN);
	ck_assert(status.pinned);
	ck_assert_uint_eq(status.phys, layout.phys_ram_start);
	ck_assert_uint_eq(status.flags, K_MEM_PERM_EXEC);
	addr = k_mem_map_phys_guard(DEVICE, 2 * PAGE, K_MEM_PERM_RW, false);
	status = status_of(addr + PAGE);
	ck_assert_int_eq(status.state, KMEM_PAGE_STATE_IN);
	ck_assert_uint_eq(status.phys, DEVICE + PAGE);
	ck_assert(!status.pinned);
	addr = k_mem_map(PAGE, K_MEM_PERM_RW | K_MEM_MAP_UNINIT);
	ck_assert_uint_eq(status_of(addr).location, KMEM_LOCATION_ANON_UNINIT);
	addr = k_mem_map(PAGE, K_MEM_PERM_RW | K_MEM_PERM_USER | K_MEM_MAP_LOCK);
	status = status_of(addr);
	ck_assert(status.state == KMEM_PAGE_STATE_IN && status.pinned);
	ck_assert_uint_eq(status.flags, K_MEM_PERM_RW | K_MEM_PERM_USER);
}
END_TEST

/* ---- usage ---- */

static void usage_check(size_t mapped, size_t pinned, size_t in, size_t used)
{
	struct kmem_usage usage = usage_now();

	ck_assert_uint_eq(usage.frames, FRAMES);
	ck_assert_uint_eq(usage.frames_free + usage.frames_mapped + usage.frames_reserved, FRAMES);
	ck_assert_uint_eq(usage.frames_reserved, 0);
	ck_assert_uint_eq(usage.frames_mapped, mapped);
	ck_assert_uint_eq(usage.frames_pinned, pinned);
	ck_assert_uint_eq(usage.pages_in, in);
	ck_assert_uint_eq(usage.store.used_pages, used);
	ck_assert_uint_eq(usage.store.capacity_pages, 96);
	ck_assert_uint_eq(usage.frames_free * PAGE, k_mem_free_get());
	ck_assert(kmem_is_valid());
}

START_TEST(usage_adds_up)
{
	char *addr;
	struct kmem_usage usage;

	usage_check(IMAGE_PAGES, IMAGE_PAGES, 0, 0);
	addr = map(8);
	usage_check(IMAGE_PAGES, IMAGE_PAGES, 0, 0);
	memset(addr, 1, 5 * PAGE);
	usage_check(IMAGE_PAGES + 5, IMAGE_PAGES, 5, 0);
	ck_assert_int_eq(k_mem_page_out(addr, 2 * PAGE), 0);
	usage_check(IMAGE_PAGES + 3, IMAGE_PAGES, 3, 2);
	k_mem_pin(addr + 7 * PAGE, PAGE);
	usage_check(IMAGE_PAGES + 4, IMAGE_PAGES + 1, 4, 2);
	k_mem_page_in(addr, 8 * PAGE);
	usage_check(IMAGE_PAGES + 8, IMAGE_PAGES + 1, 8, 0);
	ck_assert_ptr_nonnull(k_mem_map_phys_guard(DEVICE, 4 * PAGE, 0, false));
	usage_check(IMAGE_PAGES + 8, IMAGE_PAGES + 1, 8, 0);
	usage = usage_now();
	ck_assert_uint_eq(usage.regions, 4);
	ck_assert_uint_eq(usage.region_bytes, (IMAGE_PAGES + 8 + 4) * PAGE);
	k_mem_unmap(addr, 8 * PAGE);
	usage_check(IMAGE_PAGES, IMAGE_PAGES, 0, 0);
	ck_assert_uint_eq(usage_now().regions, 3);
}
END_TEST

START_TEST(usage_of_a_caching_store_counts_copies)
{
	struct kmem_config config = config_small();
	struct kmem_usage usage;
	char *addr;

	config.store = "file";
	boot(&config);
	addr = map(6);
	memset(addr, 1, 6 * PAGE);
	ck_assert_int_eq(k_mem_page_out(addr, 6 * PAGE), 0);
	k_mem_page_in(addr, 4 * PAGE);
	usage = usage_now();
	ck_assert_uint_eq(usage.store.used_pages, 6);
	ck_assert_uint_eq(usage.store.cached_pages, 4);
	ck_assert_uint_ge(usage.store.host_bytes, PAGE);
	k_mem_unmap(addr, 6 * PAGE);
	usage = usage_now();
	ck_assert_uint_eq(usage.store.used_pages, 0);
	ck_assert_uint_eq(usage.store.cached_pages, 0);
}
END_TEST

/* ---- counters ---- */

START_TEST(counters_say_what_was_done)
{
	volatile char *addr = map(2 * FRAMES);
	size_t room = FRAMES - IMAGE_PAGES;
	struct kmem_stats stats;

	memset(&stats, 0x5a, sizeof(stats));
	stats = stats_now();
	ck_assert_uint_eq(stats.pagefaults.cnt, 0);
	ck_assert_uint_eq(stats.store_reads + stats.store_writes + stats.store_errors, 0);
	ck_assert_uint_eq(stats.minor_faults + stats.waits, 0);
	for (size_t i = 0; i < 2 * FRAMES; i++) {
		addr[i * PAGE] = 1;
	}
	stats = stats_now();
	ck_assert_uint_eq(stats.pagefaults.cnt, 2 * FRAMES);
	ck_assert_uint_eq(stats.pagefaults.irq_unlocked, 2 * FRAMES);
	ck_assert_uint_eq(stats.pagefaults.irq_locked + stats.pagefaults.in_isr, 0);
	ck_assert_uint_eq(stats.eviction.dirty, 2 * FRAMES - room);
	ck_assert_uint_eq(stats.eviction.clean, 0);
	ck_assert_uint_eq(stats.store_writes, 2 * FRAMES - room);
	ck_assert_uint_eq(stats.store_reads, 0);
	ck_assert_int_eq(k_mem_page_out((void *)addr, 2 * FRAMES * PAGE), 0);
	stats = stats_now();
	ck_assert_uint_eq(stats.store_writes, 2 * FRAMES);
	ck_assert_uint_eq(stats.eviction.dirty, 2 * FRAMES - room);
	k_mem_page_in((void *)addr, room * PAGE);
	stats = stats_now();
	ck_assert_uint_eq(stats.store_reads, room);
	ck_assert_uint_eq(stats.pagefaults.cnt, 2 * FRAMES + room);
	ck_assert_uint_eq(k_mem_num_pagefaults_get(), 2 * FRAMES + room);
	ck_assert_uint_gt(stats.store_ns, 0);
	ck_assert_uint_ge(stats.paging_ns, stats.store_ns);
}
END_TEST

static unsigned long histogram_sum(enum kmem_histogram_kind kind)
{
	struct kmem_histogram histogram;
	unsigned long sum = 0;

	memset(&histogram, 0x5a, sizeof(histogram));
	ck_assert_int_eq(kmem_histogram_get(kind, &histogram), 0);
	for (size_t i = 0; i < KMEM_HISTOGRAM_BINS; i++) {
		sum += histogram.counts[i];
		ck_assert(i == 0 || histogram.bounds[i] > histogram.bounds[i - 1]);
	}
	ck_assert_uint_eq(histogram.bounds[KMEM_HISTOGRAM_BINS - 1], ULONG_MAX);
	return sum;
}

START_TEST(bins_sum_to_the_counters)
{
	volatile char *addr = map(2 * FRAMES);
	struct kmem_stats stats;
	struct kmem_histogram histogram;

	ck_assert_uint_eq(histogram_sum(KMEM_HISTOGRAM_EVICTION), 0);
	for (size_t i = 0; i < 10 * FRAMES; i++) {
		addr[i * 7 % (2 * FRAMES) * PAGE]++;
	}
	ck_assert_int_eq(k_mem_page_out((void *)addr, 2 * FRAMES * PAGE), 0);
	stats = stats_now();
	ck_assert_uint_gt(stats.store_reads, 0);
	ck_assert_uint_eq(histogram_sum(KMEM_HISTOGRAM_PAGE_IN), stats.store_reads);
	ck_assert_uint_eq(histogram_sum(KMEM_HISTOGRAM_PAGE_OUT), stats.store_writes);
	ck_assert_uint_eq(histogram_sum(KMEM_HISTOGRAM_EVICTION), stats.eviction.clean + stats.eviction.dirty);
	ck_assert_int_eq(kmem_histogram_get((enum kmem_histogram_kind)3, &histogram), -EINVAL);
	ck_assert_int_eq(kmem_histogram_get((enum kmem_histogram_kind)-1, &histogram), -EINVAL);
}
END_TEST

/* A thread that faults in some pages, and then stays for a while. */
struct faulter {
	volatile char *pages;
	size_t count;
	pid_t tid;
	struct kmem_stats stats; /* its own view */
	sem_t done;
	sem_t end;
};

static void *fault_some(void *arg)
{
	struct faulter *faulter = arg;

	for (size_t i = 0; i < faulter->count; i++) {
		faulter->pages[i * PAGE] = 1;
	}
	faulter->tid = (pid_t)syscall(SYS_gettid);
	ck_assert_int_eq(kmem_thread_stats_get(0, &faulter->stats), 0);
	sem_post(&faulter->done);
	while (sem_wait(&faulter->end) != 0) {
	}
	return NULL;
}

START_TEST(counters_of_threads_sum_to_the_machines)
{
	struct faulter faulters[3];
	pthread_t threads[3];
	struct kmem_stats stats;
	volatile char *pages = map(20);

	pages[19 * PAGE] = 1; /* Valgrind leaves out reads that nobody uses */
	for (size_t i = 0; i < 3; i++) {
		faulters[i] = (struct faulter){.pages = pages + i * 5 * PAGE, .count = i + 1};
		sem_init(&faulters[i].done, 0, 0);
		sem_init(&faulters[i].end, 0, 0);
		ck_assert_int_eq(pthread_create(&threads[i], NULL, fault_some, &faulters[i]), 0);
		while (sem_wait(&faulters[i].done) != 0) {
		}
		ck_assert_int_eq(kmem_thread_stats_get(faulters[i].tid, &stats), 0);
		ck_assert_uint_eq(stats.pagefaults.cnt, i + 1);
		ck_assert_uint_eq(faulters[i].stats.pagefaults.cnt, i + 1);
	}
	ck_assert_int_eq(kmem_thread_stats_get(0, &stats), 0);
	ck_assert_uint_eq(stats.pagefaults.cnt, 1);
	ck_assert_int_eq(kmem_thread_stats_get(getpid(), &stats), 0);
	ck_assert_uint_eq(stats.pagefaults.cnt, 1);
	ck_assert_uint_eq(stats_now().pagefaults.cnt, 1 + 1 + 2 + 3);
	for (size_t i = 0; i < 3; i++) {
		sem_post(&faulters[i].end);
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
		ck_assert_int_eq(kmem_thread_stats_get(faulters[i].tid, &stats), -ESRCH);
	}
	ck_assert_uint_eq(stats_now().pagefaults.cnt, 1 + 1 + 2 + 3);
	ck_assert_int_eq(kmem_thread_stats_get(-1, &stats), -ESRCH);
}
END_TEST

START_TEST(counters_begin_at_zero_at_each_boot)
{
	struct kmem_config config = config_small();
	struct kmem_stats stats;

	for (int round = 0; round < 3; round++) {
		boot(&config);
		ck_assert_uint_eq(stats_now().pagefaults.cnt, 0);
		ck_assert_int_eq(kmem_thread_stats_get(0, &stats), 0);
		ck_assert_uint_eq(stats.pagefaults.cnt, 0);
		memset(map(3), 1, 3 * PAGE);
		ck_assert_uint_eq(stats_now().pagefaults.cnt, 3);
		ck_assert_int_eq(kmem_shutdown(), 0);
	}
}
END_TEST

START_TEST(without_timing_there_are_counters_but_no_times)
{
	struct kmem_config config = config_small();
	struct kmem_histogram histogram;
	struct kmem_stats stats;

	config.timing = KMEM_SWITCH_OFF;
	boot(&config);
	memset(map(2 * FRAMES), 1, 2 * FRAMES * PAGE);
	stats = stats_now();
	ck_assert_uint_eq(stats.pagefaults.cnt, 2 * FRAMES);
	ck_assert_uint_eq(stats.paging_ns + stats.store_ns, 0);
	ck_assert_int_eq(kmem_histogram_get(KMEM_HISTOGRAM_EVICTION, &histogram), -ENOTSUP);
	ck_assert_int_eq(kmem_histogram_get((enum kmem_histogram_kind)9, &histogram), -EINVAL);
}
END_TEST

START_TEST(without_statistics_there_is_nothing_to_get)
{
	struct kmem_config config = config_small();
	struct kmem_histogram histogram;
	struct kmem_stats stats;

	config.stats = KMEM_SWITCH_OFF;
	boot(&config);
	memset(map(2 * FRAMES), 1, 2 * FRAMES * PAGE);
	ck_assert_int_eq(kmem_stats_get(&stats), -ENOTSUP);
	ck_assert_int_eq(kmem_thread_stats_get(0, &stats), -ENOTSUP);
	ck_assert_int_eq(kmem_thread_stats_get(getpid(), &stats), -ENOTSUP);
	ck_assert_int_eq(kmem_histogram_get(KMEM_HISTOGRAM_PAGE_IN, &histogram), -ENOTSUP);
}
END_TEST

/* ---- what is printed ---- */

/* What a function prints to a pipe, to be freed. */
static char *printed(int (*print)(int fd))
{
	size_t size = 1 << 20;
	char *text = malloc(size);
	size_t length = 0;
	ssize_t got;
	int ends[2];

	ck_assert_ptr_nonnull(text);
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	/* All of it fits into the pipe, or the write end would block. */
	ck_assert_int_ge(fcntl(ends[1], F_SETPIPE_SZ, 1 << 20), 1 << 20);
	ck_assert_int_eq(print(ends[1]), 0);
	close(ends[1]);
	while ((got = read(ends[0], text + length, size - length - 1)) > 0) {
		length += (size_t)got;
	}
	ck_assert_int_eq(got, 0);
	close(ends[0]);
	text[length] = '\0';
	ck_assert_uint_gt(length, 0);
	ck_assert_int_eq(text[length - 1], '\n');
	ck_assert_ptr_null(strstr(text, "(null)"));
	ck_assert_ptr_null(strchr(text, '%'));
	return text;
}

static int text_print(int fd)
{
	return kmem_report_print(fd, false);
}

static int json_print(int fd)
{
	return kmem_report_print(fd, true);
}

static int (*const prints[])(int fd) = {kmem_map_print, text_print, json_print};

START_TEST(descriptors_that_cannot_be_written_to_are_errors)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	struct sigaction former;
	int ends[2];
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	int reading = open("/dev/null", O_RDONLY | O_CLOEXEC);

	ck_assert_int_eq(prints[_i](-1), -EBADF);
	ck_assert_int_eq(prints[_i](reading), -EBADF);
	close(reading);
	ck_assert_int_eq(prints[_i](reading), -EBADF);
	if (full >= 0) {
		ck_assert_int_eq(prints[_i](full), -ENOSPC);
		close(full);
	}
	ck_assert_int_eq(sigaction(SIGPIPE, &ignore, &former), 0);
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	close(ends[0]);
	ck_assert_int_eq(prints[_i](ends[1]), -EPIPE);
	close(ends[1]);
	ck_assert_int_eq(sigaction(SIGPIPE, &former, NULL), 0);
	ck_assert(kmem_is_valid());
}
END_TEST

/* A line of the picture: "+---+ 0xADDR", a boundary, "| text |", a box, or two blanks and more. */
static void picture_line_check(const char *line, size_t length, uintptr_t *last)
{
	uintptr_t addr;

	ck_assert_uint_gt(length, 2);
	switch (line[0]) {
	case '+':
		ck_assert_int_eq(sscanf(strchr(line + 1, '+'), "+ %zx", &addr), 1);
		ck_assert_uint_ge(addr, *last);
		*last = addr;
		break;
	case '|':
		ck_assert_msg(line[length - 1] == '|', "a box that is open: %.*s", (int)length, line);
		break;
	default:
		ck_assert_msg(strncmp(line, "  ", 2) == 0, "a broken line: %.*s", (int)length, line);
		break;
	}
}

static void picture_check(const char *text)
{
	struct kmem_layout layout = layout_now();
	uintptr_t last = layout.virt_ram_start;
	const struct {
		const char *name;
		uintptr_t addr;
	} lines[] = {
		{"K_MEM_VIRT_RAM_START", layout.virt_ram_start},
		{"K_MEM_KERNEL_VIRT_START", layout.kernel_virt_start},
		{"K_MEM_KERNEL_VIRT_END", layout.kernel_virt_end},
		{"K_MEM_VM_FREE_START", layout.vm_free_start},
		{"K_MEM_VIRT_RAM_END", layout.virt_ram_end},
	};

	for (const char *line = text; *line != '\0'; line = strchr(line, '\n') + 1) {
		picture_line_check(line, (size_t)(strchr(line, '\n') - line), &last);
	}
	ck_assert_uint_eq(last, layout.virt_ram_end);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		char number[32];
		const char *name = strstr(text, lines[i].name);
		const char *start = name;

		ck_assert_msg(name != NULL, "no %s", lines[i].name);
		while (start > text && start[-1] != '\n') {
			start--;
		}
		snprintf(number, sizeof(number), "0x%zx", (size_t)lines[i].addr);
		ck_assert_msg(strstr(start, number) != NULL && strstr(start, number) < strchr(name, '\n'),
			      "%s is not %s", lines[i].name, number);
	}
}

static void picture_has(const char *text, uintptr_t addr, size_t size, const char *box)
{
	char expected[256];

	snprintf(expected, sizeof(expected), "+ 0x%zx\n| %-32s |\n+----------------------------------+ 0x%zx\n",
		 (size_t)addr, box, (size_t)(addr + size));
	ck_assert_msg(strstr(text, expected) != NULL, "no\n%sin\n%s", expected, text);
}

START_TEST(picture_shows_layout_and_regions)
{
	struct kmem_layout layout = layout_now();
	char *anon = map(4);
	char *exec = k_mem_map(256 * PAGE, K_MEM_PERM_EXEC);
	char *phys = k_mem_map_phys_guard(DEVICE, 2 * PAGE, K_MEM_PERM_RW, false);
	char *odd = k_mem_map(3 * PAGE, 0);
	uint8_t *bare = NULL;
	char *text;

	k_mem_map_phys_bare(&bare, DEVICE, PAGE, K_MEM_PERM_RW);
	text = printed(kmem_map_print);
	picture_check(text);
	picture_has(text, layout.kernel_virt_start, 2 * PAGE, ".text 8 KiB r-x");
	picture_has(text, layout.kernel_virt_start + 2 * PAGE, PAGE, ".data 4 KiB rw-");
	picture_has(text, (uintptr_t)anon, 4 * PAGE, "anonymous 16 KiB rw-, guarded");
	picture_has(text, (uintptr_t)exec, 256 * PAGE, "anonymous 1 MiB r-x, guarded");
	picture_has(text, (uintptr_t)phys, 2 * PAGE, "physical 8 KiB rw-, guarded");
	picture_has(text, (uintptr_t)odd, 3 * PAGE, "anonymous 12 KiB r--, guarded");
	picture_has(text, (uintptr_t)bare, PAGE, "physical 4 KiB rw-");
	ck_assert_ptr_nonnull(strstr(text, "reserved (scratch page)"));
	free(text);
}
END_TEST

START_TEST(picture_of_many_regions_is_summed_up)
{
	char *text;

	for (size_t i = 0; i < 90; i++) {
		(void)map(1 + i % 2);
		if (i % 30 == 0 || i == 62 || i == 63) {
			text = printed(kmem_map_print);
			picture_check(text);
			/* The two sections of the image are regions, too. */
			ck_assert_int_eq(strstr(text, "more mappings") != NULL, i + 1 + 2 > 64);
			free(text);
		}
	}
	text = printed(kmem_map_print);
	ck_assert_ptr_nonnull(strstr(text, "28 more mappings"));
	free(text);
}
END_TEST

START_TEST(picture_of_other_machines)
{
	static const struct kmem_section long_section = {
		.name = ".a_section_with_a_name_that_is_a_good_deal_longer_than_the_picture_is_wide",
		.size = PAGE,
		.flags = K_MEM_PERM_RW,
	};
	struct kmem_config config = config_small();
	char *text;

	if (_i == 1) {
		config.section_count = 0;
	} else if (_i == 2) {
		config.demand_paging = KMEM_SWITCH_OFF;
		config.store = NULL;
		config.policy = NULL;
	} else if (_i == 3) {
		config.maps_all_ram = KMEM_SWITCH_ON;
		config.vm_offset = 16 * PAGE;
	} else if (_i == 4) {
		config.sections = &long_section;
		config.section_count = 1;
	}
	boot(&config);
	text = printed(kmem_map_print);
	picture_check(text);
	ck_assert_int_eq(strstr(text, "reserved (scratch page)") != NULL, _i != 2);
	free(text);
}
END_TEST

/* ---- reports ---- */

/* A reader of JSON, as strict as it is small: each function consumes what it names, or fails the test. */
static const char *json_value(const char *c);

static const char *json_blank(const char *c)
{
	return c + strspn(c, " \t\r\n");
}

static const char *json_string(const char *c)
{
	ck_assert_msg(*c == '"', "no string: %s", c);
	for (c++; *c != '"'; c++) {
		ck_assert_msg((unsigned char)*c >= ' ', "a control character in a string: %s", c);
		if (*c == '\\') {
			c++;
			ck_assert_msg(strchr("\"\\/bfnrtu", *c) != NULL && *c != '\0', "an escape: %s", c);
			if (*c == 'u') {
				ck_assert_uint_ge(strspn(c + 1, "0123456789abcdefABCDEF"), 4);
				c += 4;
			}
		}
	}
	return c + 1;
}

static const char *json_number(const char *c)
{
	size_t length;

	c += *c == '-' ? 1 : 0;
	length = strspn(c, "0123456789");
	ck_assert_msg(length > 0 && (length == 1 || *c != '0'), "no number: %s", c);
	return c + length;
}

/* What is between brackets; members of an object have names. */
static const char *json_members(const char *c, char end, bool is_object)
{
	c = json_blank(c + 1);
	while (*c != end) {
		if (is_object) {
			c = json_blank(json_string(c));
			ck_assert_msg(*c == ':', "no colon: %s", c);
			c++;
		}
		c = json_blank(json_value(json_blank(c)));
		ck_assert_msg(*c == ',' || *c == end, "no comma: %s", c);
		if (*c == ',') {
			c = json_blank(c + 1);
			ck_assert_msg(*c != end, "nothing behind a comma: %s", c);
		}
	}
	return c + 1;
}

static const char *json_value(const char *c)
{
	switch (*c) {
	case '{':
		return json_members(c, '}', true);
	case '[':
		return json_members(c, ']', false);
	case '"':
		return json_string(c);
	default:
		return json_number(c);
	}
}

static void json_check(const char *text)
{
	ck_assert_int_eq(text[0], '{');
	ck_assert_str_eq(json_blank(json_value(text)), "");
}

/* The number of a member. */
static uint64_t json_get(const char *text, const char *name)
{
	char key[64];
	const char *at;

	snprintf(key, sizeof(key), "\"%s\": ", name);
	at = strstr(text, key);
	ck_assert_msg(at != NULL, "no %s", name);
	ck_assert_ptr_null(strstr(at + 1, key));
	return strtoull(at + strlen(key), NULL, 10);
}

/* The number in the line of the table that begins with a name. */
static uint64_t text_get(const char *text, const char *name)
{
	for (const char *line = text; *line != '\0'; line = strchr(line, '\n') + 1) {
		if (strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ' ') {
			return strtoull(line + strlen(name), NULL, 10);
		}
	}
	ck_abort_msg("no line \"%s\"", name);
	return 0;
}

/* The counts of a histogram, summed. */
static uint64_t json_bins(const char *text, const char *name)
{
	char key[64];
	const char *at;
	uint64_t sum = 0;

	snprintf(key, sizeof(key), "\"%s\": [", name);
	at = strstr(text, key);
	ck_assert_msg(at != NULL, "no %s", name);
	for (size_t i = 0; i < KMEM_HISTOGRAM_BINS; i++) {
		at = strstr(at, "\"count\": ");
		ck_assert_ptr_nonnull(at);
		at += strlen("\"count\": ");
		sum += strtoull(at, NULL, 10);
	}
	return sum;
}

static void some_paging(void)
{
	volatile char *addr = map(2 * FRAMES);

	for (size_t i = 0; i < 5 * FRAMES; i++) {
		addr[i * 3 % (2 * FRAMES) * PAGE] += addr[i * 5 % (2 * FRAMES) * PAGE];
	}
	k_mem_pin((void *)addr, 3 * PAGE);
}

START_TEST(report_says_what_the_functions_say)
{
	struct kmem_usage usage;
	struct kmem_stats stats;
	struct kmem_setup setup;
	char engine[32];
	char *json;
	char *text;

	some_paging();
	usage = usage_now();
	stats = stats_now();
	json = printed(json_print);
	text = printed(text_print);
	json_check(json);
	const struct {
		const char *name;
		const char *line;
		uint64_t value;
	} values[] = {
		{"page_size", "page size, bytes", PAGE},
		{"frames", "frames of RAM", FRAMES},
		{"frames_free", "  free", usage.frames_free},
		{"frames_mapped", "  mapped", usage.frames_mapped},
		{"frames_pinned", "  pinned", usage.frames_pinned},
		{"frames_reserved", "  reserved", usage.frames_reserved},
		{"regions", "regions", usage.regions},
		{"region_bytes", "  bytes", usage.region_bytes},
		{"pages_in", "  resident pages", usage.pages_in},
		{"store_capacity_pages", "store, pages at most", usage.store.capacity_pages},
		{"store_used_pages", "  in use", usage.store.used_pages},
		{"store_cached_pages", "  copies of resident pages", usage.store.cached_pages},
		{"store_host_bytes", "  bytes on the host", usage.store.host_bytes},
		{"pagefaults", "page faults", stats.pagefaults.cnt},
		{"evictions_clean", "evictions, clean", stats.eviction.clean},
		{"evictions_dirty", "evictions, dirty", stats.eviction.dirty},
		{"minor_faults", "minor faults", stats.minor_faults},
		{"waits", "waits for other threads", stats.waits},
		{"readahead_pages", "pages read ahead", stats.readahead_pages},
		{"reliefs", "reliefs of host mappings", stats.reliefs},
		{"store_reads", "store, pages read", stats.store_reads},
		{"store_writes", "store, pages written", stats.store_writes},
		{"store_errors", "store, errors", stats.store_errors},
		{"paging_ns", "time spent paging, ns", stats.paging_ns},
		{"store_ns", "  in the store, ns", stats.store_ns},
	};

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		ck_assert_msg(json_get(json, values[i].name) == values[i].value, "%s", values[i].name);
		ck_assert_msg(text_get(text, values[i].line) == values[i].value, "%s", values[i].line);
	}
	ck_assert_uint_eq(json_bins(json, "page_in"), stats.store_reads);
	ck_assert_uint_eq(json_bins(json, "page_out"), stats.store_writes);
	ck_assert_uint_eq(json_bins(json, "eviction"), stats.eviction.clean + stats.eviction.dirty);
	ck_assert_int_eq(kmem_setup_get(&setup), 0);
	(void)snprintf(engine, sizeof(engine), "\"engine\": \"%s\"", setup.engine);
	ck_assert_ptr_nonnull(strstr(json, engine));
	ck_assert_ptr_nonnull(strstr(text, "policy lru, store ram\n"));
	free(json);
	free(text);
}
END_TEST

/* Lines of the table: a name in 28 columns and a number in 14, or a headline without digits at its end. */
START_TEST(report_has_no_broken_lines)
{
	char *text;
	size_t lines = 0;

	some_paging();
	text = printed(text_print);
	for (char *line = text; *line != '\0'; line = strchr(line, '\n') + 1) {
		size_t length = (size_t)(strchr(line, '\n') - line);
		bool has_number = length > 0 && line[length - 1] >= '0' && line[length - 1] <= '9';

		ck_assert_uint_gt(length, 0);
		ck_assert_msg(!has_number || length == 28 + 1 + 14, "%.*s", (int)length, line);
		lines++;
	}
	ck_assert_uint_eq(lines, 1 + 13 + 12 + 3 * (1 + KMEM_HISTOGRAM_BINS));
	free(text);
}
END_TEST

START_TEST(report_of_machines_with_less_to_say)
{
	struct kmem_config config = config_small();
	char *json;
	char *text;

	if (_i == 0) {
		config.timing = KMEM_SWITCH_OFF;
	} else if (_i == 1) {
		config.stats = KMEM_SWITCH_OFF;
	} else {
		config.demand_paging = KMEM_SWITCH_OFF;
		config.policy = NULL;
		config.store = NULL;
	}
	boot(&config);
	json = printed(json_print);
	text = printed(text_print);
	json_check(json);
	ck_assert_int_eq(strstr(json, "\"pagefaults\"") != NULL, _i != 1);
	ck_assert_int_eq(strstr(text, "page faults") != NULL, _i != 1);
	ck_assert_int_eq(strstr(json, "\"page_in\"") != NULL, _i == 2);
	/* In the table, an empty histogram is left out. */
	ck_assert_ptr_null(strstr(text, "reading a page"));
	ck_assert_int_eq(strstr(json, "\"store\": \"none\"") != NULL, _i == 2);
	free(json);
	free(text);
}
END_TEST

START_TEST(names_of_own_policies_are_quoted)
{
	char *json = printed(json_print);
	char *text = printed(text_print);

	json_check(json);
	ck_assert_ptr_nonnull(strstr(json, "own \\\"policy\\\" \\\\ "));
	ck_assert_ptr_nonnull(strstr(text, "own \"policy\" \\ \t, store own-store\n"));
	free(json);
	free(text);
}
END_TEST

/* ---- frames ---- */

/* The letters that are printed, without colours and lines. */
static void letters_get(char letters[FRAMES + 1])
{
	int file = memfd_create("capture", MFD_CLOEXEC);
	int saved = dup(STDOUT_FILENO);
	struct kmem_layout layout = layout_now();
	char text[4096];
	char head[128];
	ssize_t length;
	const char *c;
	size_t count = 0;

	fflush(NULL);
	ck_assert_int_eq(dup2(file, STDOUT_FILENO), STDOUT_FILENO);
	k_mem_page_frames_dump();
	ck_assert_int_eq(dup2(saved, STDOUT_FILENO), STDOUT_FILENO);
	close(saved);
	length = pread(file, text, sizeof(text) - 1, 0);
	ck_assert_int_gt(length, 0);
	close(file);
	text[length] = '\0';
	snprintf(head, sizeof(head), "Physical memory from 0x%zx to 0x%zx\n", (size_t)layout.phys_ram_start,
		 (size_t)layout.phys_ram_end - 1);
	ck_assert_int_eq(strncmp(text, head, strlen(head)), 0);
	for (c = text + strlen(head); *c != '\0'; c++) {
		if (*c == '\033') {
			c = strchr(c, 'm');
		} else if (*c != '\n') {
			ck_assert_uint_lt(count, FRAMES);
			letters[count++] = *c;
		}
	}
	ck_assert_int_eq(c[-1], '\n');
	ck_assert_uint_eq(count, FRAMES);
	letters[count] = '\0';
}

static size_t letters_count(char letter)
{
	char letters[FRAMES + 1];
	size_t count = 0;

	letters_get(letters);
	for (size_t i = 0; i < FRAMES; i++) {
		count += letters[i] == letter ? 1 : 0;
	}
	return count;
}

static char letter_of(const void *addr)
{
	char letters[FRAMES + 1];

	letters_get(letters);
	return letters[(status_of(addr).phys - layout_now().phys_ram_start) / PAGE];
}

START_TEST(dump_has_a_letter_for_each_frame)
{
	char *addr = map(8);
	struct k_mem_page_frame word;

	ck_assert_uint_eq(letters_count('P'), IMAGE_PAGES);
	ck_assert_uint_eq(letters_count('-'), FRAMES - IMAGE_PAGES);
	memset(addr, 1, 5 * PAGE);
	ck_assert_uint_eq(letters_count('M'), 5);
	ck_assert_uint_eq(letters_count('-'), FRAMES - IMAGE_PAGES - 5);
	ck_assert_int_eq(letter_of(addr), 'M');
	k_mem_pin(addr, PAGE);
	ck_assert_int_eq(letter_of(addr), 'P');
	ck_assert_uint_eq(letters_count('M'), 4);
	ck_assert_int_eq(k_mem_page_out(addr + PAGE, 2 * PAGE), 0);
	ck_assert_uint_eq(letters_count('M'), 2);
	ck_assert_uint_eq(letters_count('-'), FRAMES - IMAGE_PAGES - 3);

	/* What does not come about in a program: reserved, available, and no telling. */
	word = own.frames.first[1];
	own.frames.first[1].va_and_flags = K_MEM_PAGE_FRAME_RESERVED;
	ck_assert_uint_eq(letters_count('R'), 1);
	own.frames.first[1].va_and_flags = 0;
	ck_assert_uint_eq(letters_count('.'), 1);
	own.frames.first[1].va_and_flags = K_MEM_PAGE_FRAME_BACKED;
	ck_assert_uint_eq(letters_count('?'), 1);
	own.frames.first[1] = word;
	ck_assert_uint_eq(letters_count('P'), IMAGE_PAGES + 1);
}
END_TEST

START_TEST(dump_has_lines_of_64)
{
	struct kmem_config config = config_small();
	int file = memfd_create("capture", MFD_CLOEXEC);
	int saved = dup(STDOUT_FILENO);
	char text[8192];
	ssize_t length;
	size_t lines = 0;

	config.ram_size = 130 * PAGE;
	boot(&config);
	fflush(NULL);
	ck_assert_int_eq(dup2(file, STDOUT_FILENO), STDOUT_FILENO);
	k_mem_page_frames_dump();
	ck_assert_int_eq(dup2(saved, STDOUT_FILENO), STDOUT_FILENO);
	close(saved);
	length = pread(file, text, sizeof(text) - 1, 0);
	ck_assert_int_gt(length, 0);
	close(file);
	text[length] = '\0';
	for (const char *line = strchr(text, '\n') + 1; *line != '\0'; line = strchr(line, '\n') + 1) {
		size_t letters = 0;

		for (const char *c = line; *c != '\n'; c++) {
			if (*c == '\033') {
				c = strchr(c, 'm');
			} else {
				letters++;
			}
		}
		ck_assert_uint_eq(letters, lines < 2 ? 64 : 2);
		lines++;
	}
	ck_assert_uint_eq(lines, 3);
}
END_TEST

static void *page_out_thread(void *addr)
{
	ck_assert_int_eq(k_mem_page_out(addr, PAGE), 0);
	return NULL;
}

START_TEST(page_on_its_way_is_busy)
{
	char *addr = map(2);
	pthread_t thread;
	uintptr_t phys;
	char letters[FRAMES + 1];

	memset(addr, 7, 2 * PAGE);
	phys = status_of(addr).phys;
	own.is_blocking = true;
	ck_assert_int_eq(pthread_create(&thread, NULL, page_out_thread, addr), 0);
	while (sem_wait(&own.entered) != 0) {
	}
	ck_assert_int_eq(status_of(addr).state, KMEM_PAGE_STATE_BUSY);
	ck_assert_uint_eq(status_of(addr).flags, K_MEM_PERM_RW);
	ck_assert_int_eq(status_of(addr + PAGE).state, KMEM_PAGE_STATE_IN);
	letters_get(letters);
	ck_assert_int_eq(letters[(phys - layout_now().phys_ram_start) / PAGE], 'B');
	ck_assert(kmem_is_valid());
	ck_assert_uint_eq(usage_now().pages_in, 1);
	free(printed(kmem_map_print));
	free(printed(json_print));
	sem_post(&own.go_on);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_int_eq(status_of(addr).state, KMEM_PAGE_STATE_OUT);
	ck_assert_int_eq(addr[PAGE - 1], 7);
	ck_assert_uint_eq(letters_count('B'), 0);
}
END_TEST

/* Broken on purpose, and mended: the validator finds it. */
START_TEST(validator_finds_what_is_broken)
{
	char *addr = map(4);
	size_t broken[4];
	struct k_mem_page_frame word;
	struct k_mem_page_frame *pf;

	memset(addr, 1, 4 * PAGE);
	ck_assert(kmem_is_valid());
	pf = &own.frames.first[(status_of(addr).phys - layout_now().phys_ram_start) / PAGE];
	word = *pf;
	broken[0] = word.va_and_flags | K_MEM_PAGE_FRAME_PINNED;
	broken[1] = word.va_and_flags | K_MEM_PAGE_FRAME_BUSY;
	broken[2] = word.va_and_flags + PAGE;
	broken[3] = K_MEM_PAGE_FRAME_FREE;
	for (size_t i = 0; i < 4; i++) {
		pf->va_and_flags = broken[i];
		ck_assert_msg(!kmem_is_valid(), "%zu", i);
		*pf = word;
		ck_assert(kmem_is_valid());
	}
}
END_TEST

static void regions_and_pages(Suite *suite)
{
	TCase *regions = tcase_create("regions");
	TCase *pages = tcase_create("pages");
	TCase *other = tcase_create("other machines");

	tcase_add_checked_fixture(regions, setup, teardown);
	tcase_add_test(regions, regions_come_in_ascending_order);
	tcase_add_test(regions, walk_stops_where_it_is_told_and_says_why);
	tcase_add_test(regions, regions_tell_what_they_are);
	tcase_add_test(regions, flags_of_a_region_change_when_all_of_it_does);
	suite_add_tcase(suite, regions);

	tcase_add_checked_fixture(pages, setup, teardown);
	tcase_add_test(pages, page_status_tells_each_state);
	tcase_add_test(pages, page_status_of_other_kinds);
	tcase_add_test(pages, usage_adds_up);
	suite_add_tcase(suite, pages);

	tcase_add_checked_fixture(other, setup_none, teardown);
	tcase_add_test(other, empty_machine_has_no_regions);
	tcase_add_test(other, all_of_ram_is_a_region_around_the_image);
	tcase_add_test(other, usage_of_a_caching_store_counts_copies);
	suite_add_tcase(suite, other);
}

static void counters(Suite *suite)
{
	TCase *on = tcase_create("counters");
	TCase *off = tcase_create("switched off");

	tcase_add_checked_fixture(on, setup, teardown);
	tcase_add_test(on, counters_say_what_was_done);
	tcase_add_test(on, bins_sum_to_the_counters);
	tcase_add_test(on, counters_of_threads_sum_to_the_machines);
	suite_add_tcase(suite, on);

	tcase_add_checked_fixture(off, setup_none, teardown);
	tcase_add_test(off, counters_begin_at_zero_at_each_boot);
	tcase_add_test(off, without_timing_there_are_counters_but_no_times);
	tcase_add_test(off, without_statistics_there_is_nothing_to_get);
	suite_add_tcase(suite, off);
}

Suite *kmem_test_suite(void)
{
	Suite *suite = suite_create("inspect");
	TCase *prints_case = tcase_create("prints");
	TCase *other = tcase_create("other prints");
	TCase *frames = tcase_create("frames");

	regions_and_pages(suite);
	counters(suite);

	tcase_add_checked_fixture(prints_case, setup, teardown);
	tcase_add_loop_test(prints_case, descriptors_that_cannot_be_written_to_are_errors, 0, 3);
	tcase_add_test(prints_case, picture_shows_layout_and_regions);
	tcase_add_test(prints_case, picture_of_many_regions_is_summed_up);
	tcase_add_test(prints_case, report_says_what_the_functions_say);
	tcase_add_test(prints_case, report_has_no_broken_lines);
	suite_add_tcase(suite, prints_case);

	tcase_add_checked_fixture(other, setup_none, teardown);
	tcase_add_loop_test(other, picture_of_other_machines, 0, 5);
	tcase_add_loop_test(other, report_of_machines_with_less_to_say, 0, 3);
	tcase_add_test(other, dump_has_lines_of_64);
	suite_add_tcase(suite, other);

	tcase_add_checked_fixture(frames, setup_own, teardown);
	tcase_add_test(frames, unpaged_region_tells_its_location);
	tcase_add_test(frames, names_of_own_policies_are_quoted);
	tcase_add_test(frames, dump_has_a_letter_for_each_frame);
	tcase_add_test(frames, page_on_its_way_is_busy);
	tcase_add_test(frames, validator_finds_what_is_broken);
	suite_add_tcase(suite, frames);
	return suite;
}
