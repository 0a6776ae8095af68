/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Address space as Linux has it: every operation on parts of mappings, against a model of the pages, beside threads that fault
 * on them, and with host calls that fail.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <kmem/kmem.h>

#include "expect.h"
#include "harness.h"
#include "host/failpoint.h"
#include "host/memory.h"
#include "kernel/kernel.h"
#include "kernel/space.h"
#include "state.h"

#define PAGE 4096UL
#define FRAMES 32UL
#define VM_SIZE (64UL << 20)
#define PINNED_MAX (FRAMES / 2)
#define RW (KMEM_PROT_READ | KMEM_PROT_WRITE)

static struct harness_leaks leaks;
static size_t frames_free; /* at the start */

static void boot(const char *store, size_t vm_size)
{
	struct kmem_config config = {
		.struct_size = sizeof(config),
		.vm_size = vm_size,
		.ram_size = FRAMES * PAGE,
		.store = store,
	};

	harness_leaks_begin(&leaks);
	ck_assert_msg(kmem_boot(&config) == 0, "%s", kmem_boot_error());
	frames_free = usage_now().frames_free;
}

static void setup(void)
{
	boot("ram", VM_SIZE);
}

/* Nothing is left of what was mapped, and everything holds. */
static void teardown(void)
{
	ck_assert(kmem_is_valid());
	ck_assert_int_eq(kmem_shutdown(), 0);
	harness_leaks_check(&leaks);
}

/* ---- pages ---- */

static uintptr_t map(size_t pages, unsigned int prot)
{
	uintptr_t addr = 0;

	ck_assert_int_eq(kmem_space_map(&addr, pages * PAGE, PAGE, prot, KMEM_SPACE_ANYWHERE), 0);
	return addr;
}

static int map_at(uintptr_t addr, size_t pages, enum kmem_space_place place)
{
	uintptr_t at = addr;
	int ret = kmem_space_map(&at, pages * PAGE, PAGE, RW, place);

	ck_assert_uint_eq(at, addr);
	return ret;
}

/* Pages to a place that is free. */
static int move_to(uintptr_t from, size_t pages, uintptr_t to)
{
	struct kmem_space_move move = {
		.from = from, .size = pages * PAGE, .to = to, .room = pages * PAGE, .place = KMEM_SPACE_FIXED_NOREPLACE,
	};

	return kmem_space_move(&move);
}

static volatile uintptr_t *word(uintptr_t addr, size_t page)
{
	return (volatile uintptr_t *)(addr + page * PAGE);
}

/* Each page's first word says which one it is. */
static void number(uintptr_t addr, size_t pages)
{
	for (size_t i = 0; i < pages; i++) {
		*word(addr, i) = i + 1;
	}
}

static void check_numbers(uintptr_t addr, size_t first, size_t end)
{
	for (size_t i = first; i < end; i++) {
		ck_assert_uint_eq(*word(addr, i), i + 1);
	}
}

static void check_zeros(uintptr_t addr, size_t first, size_t end)
{
	for (size_t i = first; i < end; i++) {
		ck_assert_uint_eq(*word(addr, i), 0);
	}
}

static int count_region(const struct kmem_region_info *region, void *arg)
{
	*(size_t *)arg += region->kind == KMEM_REGION_ANON ? 1 : 0;
	return 0;
}

static size_t regions(void)
{
	size_t count = 0;

	(void)kmem_region_walk(count_region, &count);
	return count;
}

static void check_all_free(void)
{
	struct kmem_usage usage = usage_now();

	ck_assert_uint_eq(usage.frames_free, frames_free);
	ck_assert_uint_eq(usage.store.used_pages, 0);
	ck_assert_uint_eq(regions(), 0);
}

/* Host calls that an action makes, of those that can fail. */
#define HOST_CALLS(action)                                                                                             \
	__extension__({                                                                                               \
		(void)kmem_failpoint_arm(1000000, EIO, false);                                                         \
		action;                                                                                                \
		kmem_failpoint_arm(0, 0, false);                                                                       \
	})

/* ---- mapping ---- */

START_TEST(mapping_is_lazy_and_reads_as_zeros)
{
	uintptr_t addr = map(2 * FRAMES, RW);

	ck_assert_uint_eq(usage_now().frames_free, frames_free);
	ck_assert(kmem_space_is_mapped(addr, 2 * FRAMES * PAGE));
	ck_assert(!kmem_space_is_in(addr));
	check_zeros(addr, 0, 2 * FRAMES);
	number(addr, 2 * FRAMES);
	check_numbers(addr, 0, 2 * FRAMES);
	ck_assert(kmem_space_is_in(addr + (2 * FRAMES - 1) * PAGE));
	ck_assert_int_eq(kmem_space_unmap(addr, 2 * FRAMES * PAGE), 0);
	ck_assert(!kmem_space_is_mapped(addr, PAGE));
	check_all_free();
}
END_TEST

START_TEST(mappings_go_where_they_are_told)
{
	size_t free_bytes = kmem_space_free_get();
	uintptr_t addr = map(4, RW);
	uintptr_t hint = addr - 64 * PAGE;
	uintptr_t aligned = 0;

	ck_assert_uint_eq(kmem_space_free_get(), free_bytes - 4 * PAGE);
	ck_assert(kmem_space_covers(addr));
	ck_assert(!kmem_space_covers((uintptr_t)&addr));
	ck_assert_int_eq(kmem_space_map(&hint, 4 * PAGE, PAGE, RW, KMEM_SPACE_ANYWHERE), 0);
	ck_assert_uint_eq(hint, addr - 64 * PAGE);
	ck_assert_int_eq(kmem_space_map(&hint, 4 * PAGE, PAGE, RW, KMEM_SPACE_ANYWHERE), 0);
	ck_assert_uint_ne(hint, addr - 64 * PAGE);
	ck_assert_int_eq(kmem_space_map(&aligned, PAGE, 1UL << 20, RW, KMEM_SPACE_ANYWHERE), 0);
	ck_assert_uint_eq(aligned % (1UL << 20), 0);
	ck_assert_int_eq(map_at(addr - PAGE, 2, KMEM_SPACE_FIXED_NOREPLACE), -EEXIST);
	ck_assert_int_eq(map_at(addr - 66 * PAGE, 2, KMEM_SPACE_FIXED_NOREPLACE), 0);
}
END_TEST

START_TEST(what_makes_no_sense_is_refused)
{
	uintptr_t addr = map(4, RW);
	uintptr_t at = 0;

	ck_assert_int_eq(map_at(PAGE, 1, KMEM_SPACE_FIXED), -EINVAL);
	ck_assert_int_eq(map_at(addr + 1, 1, KMEM_SPACE_FIXED), -EINVAL);
	ck_assert_int_eq(map_at(kmem_kernel.map.end, 1, KMEM_SPACE_FIXED), -EINVAL);
	ck_assert_int_eq(map_at(addr, 0, KMEM_SPACE_FIXED), -EINVAL);
	ck_assert_int_eq(kmem_space_map(&at, 2 * VM_SIZE, PAGE, RW, KMEM_SPACE_ANYWHERE), -ENOMEM);
	ck_assert_int_eq(kmem_space_map(&at, PAGE, 3 * PAGE, RW, KMEM_SPACE_ANYWHERE), -EINVAL);
	ck_assert_int_eq(kmem_space_map(&at, PAGE + 1, PAGE, RW, KMEM_SPACE_ANYWHERE), -EINVAL);
	ck_assert_int_eq(kmem_space_unmap(addr, PAGE + 1), -EINVAL);
	ck_assert_int_eq(kmem_space_unmap(addr, SIZE_MAX - PAGE + 1), -EINVAL);
	ck_assert_int_eq(kmem_space_protect(addr + 1, PAGE, RW), -EINVAL);
	ck_assert_int_eq(kmem_space_discard((uintptr_t)&at & ~(PAGE - 1), PAGE), -EINVAL);
	ck_assert_int_eq(kmem_space_prot_get(PAGE), -ENOMEM);
	ck_assert(!kmem_space_is_in(PAGE));
	ck_assert_uint_eq(regions(), 1);
}
END_TEST

START_TEST(fixed_replaces_what_is_there)
{
	uintptr_t addr = map(16, RW);

	ck_assert_int_eq(kmem_space_unmap(addr + 6 * PAGE, 4 * PAGE), 0);
	number(addr, 6);
	*word(addr, 10) = 11;
	*word(addr, 15) = 16;
	ck_assert_int_eq(map_at(addr + 4 * PAGE, 8, KMEM_SPACE_FIXED), 0);
	check_numbers(addr, 0, 4);
	check_zeros(addr, 4, 15);
	ck_assert_uint_eq(*word(addr, 15), 16);
	ck_assert_uint_eq(regions(), 3);
	ck_assert_int_eq(kmem_space_unmap(addr, 16 * PAGE), 0);
	check_all_free();
}
END_TEST

/* ---- unmapping ---- */

START_TEST(parts_are_unmapped_across_neighbours)
{
	uintptr_t addr = map(8, RW);

	ck_assert_int_eq(map_at(addr - 8 * PAGE, 8, KMEM_SPACE_FIXED_NOREPLACE), 0);
	addr -= 8 * PAGE;
	number(addr, 16);
	ck_assert_int_eq(kmem_space_unmap(addr + 2 * PAGE, PAGE), 0);
	ck_assert_int_eq(kmem_space_unmap(addr + 6 * PAGE, 5 * PAGE), 0);
	ck_assert_uint_eq(regions(), 3);
	check_numbers(addr, 0, 2);
	check_numbers(addr, 3, 6);
	check_numbers(addr, 11, 16);
	EXPECT_TRAP(*word(addr, 2) = 1, KMEM_FAULT_UNMAPPED, addr + 2 * PAGE);
	EXPECT_TRAP((void)*word(addr, 8), KMEM_FAULT_UNMAPPED, addr + 8 * PAGE);
	/* Holes are fine, and what is not mapped at all. */
	ck_assert_int_eq(kmem_space_unmap(addr, 16 * PAGE), 0);
	ck_assert_int_eq(kmem_space_unmap(addr, 16 * PAGE), 0);
	check_all_free();
	ck_assert_int_eq(map_at(addr, 16, KMEM_SPACE_FIXED_NOREPLACE), 0);
	check_zeros(addr, 0, 16);
}
END_TEST

START_TEST(regions_of_others_are_left_alone)
{
	uintptr_t other = (uintptr_t)k_mem_map(4 * PAGE, K_MEM_PERM_RW);
	uintptr_t addr = map(4, RW);
	uintptr_t low = other < addr ? other - PAGE : addr;
	size_t size = (other < addr ? addr + 4 * PAGE : other + 5 * PAGE) - low;

	number(addr, 4);
	number(other, 4);
	ck_assert_int_eq(kmem_space_unmap(low, size), -EINVAL);
	ck_assert_int_eq(kmem_space_unmap(other, PAGE), -EINVAL);
	ck_assert_int_eq(kmem_space_unmap(other - PAGE, PAGE), -EINVAL);
	ck_assert_int_eq(kmem_space_unmap(other + 4 * PAGE, PAGE), -EINVAL);
	ck_assert_int_eq(kmem_space_protect(other, PAGE, KMEM_PROT_NONE), -EINVAL);
	ck_assert_int_eq(kmem_space_discard(low, size), -EINVAL);
	ck_assert_int_eq(move_to(other, 1, low - 16 * PAGE), -EINVAL);
	ck_assert_int_eq(kmem_space_pin(other, PAGE), -EINVAL);
	ck_assert_int_eq(kmem_space_unpin(other, PAGE), -EINVAL);
	ck_assert_int_eq(map_at(other - PAGE, 1, KMEM_SPACE_FIXED), -EINVAL);
	ck_assert_int_eq(map_at(low, size / PAGE, KMEM_SPACE_FIXED), -EINVAL);
	check_numbers(addr, 0, 4);
	check_numbers(other, 0, 4);
	k_mem_unmap((void *)other, 4 * PAGE);
	ck_assert_int_eq(kmem_space_unmap(low, size), 0);
	check_all_free();
}
END_TEST

/* ---- protecting ---- */

START_TEST(a_page_that_allows_nothing_keeps_its_bytes)
{
	uintptr_t addr = map(4, RW);
	uintptr_t others = map(2 * FRAMES, RW);

	number(addr, 4);
	ck_assert_uint_eq(HOST_CALLS(ck_assert_int_eq(kmem_space_protect(addr, 4 * PAGE, KMEM_PROT_NONE), 0)), 1);
	ck_assert_int_eq(kmem_space_prot_get(addr), KMEM_PROT_NONE);
	ck_assert_uint_eq(status_of((void *)addr).flags & KMEM_PERM_NO_ACCESS, KMEM_PERM_NO_ACCESS);
	EXPECT_TRAP((void)*word(addr, 1), KMEM_FAULT_NO_ACCESS, addr + PAGE);
	EXPECT_TRAP(*word(addr, 1) = 7, KMEM_FAULT_NO_ACCESS, addr + PAGE);
	ck_assert_ptr_nonnull(strstr(fatal.text, "a page that allows no access"));
	ck_assert_ptr_nonnull(strstr(fatal.text, "inaccessible"));
	/* Out and, for two of them, in again. */
	number(others, 2 * FRAMES);
	ck_assert(!kmem_space_is_in(addr));
	k_mem_page_in((void *)addr, 2 * PAGE);
	ck_assert(kmem_space_is_in(addr));
	EXPECT_TRAP((void)*word(addr, 0), KMEM_FAULT_NO_ACCESS, addr);
	k_mem_pin((void *)addr, PAGE);
	EXPECT_TRAP((void)*word(addr, 0), KMEM_FAULT_NO_ACCESS, addr);
	ck_assert(kmem_is_valid());
	ck_assert_int_eq(kmem_space_protect(addr, 4 * PAGE, KMEM_PROT_READ), 0);
	check_numbers(addr, 0, 4);
	EXPECT_TRAP(*word(addr, 0) = 7, KMEM_FAULT_READ_ONLY, addr);
	ck_assert_int_eq(kmem_space_protect(addr, 4 * PAGE, RW), 0);
	number(addr, 4);
}
END_TEST

START_TEST(permissions_are_of_pages)
{
	static const uint8_t ret = 0xc3;
	uintptr_t addr = map(8, KMEM_PROT_NONE);
	void (*function)(void);

	ck_assert_int_eq(kmem_space_protect(addr, 2 * PAGE, RW), 0);
	ck_assert_int_eq(kmem_space_protect(addr + 2 * PAGE, 2 * PAGE, KMEM_PROT_WRITE), 0);
	ck_assert_int_eq(kmem_space_protect(addr + 4 * PAGE, 2 * PAGE, KMEM_PROT_EXEC), 0);
	number(addr, 4);
	check_numbers(addr, 0, 4);
	ck_assert_uint_eq(*word(addr, 4), 0);
	ck_assert_int_eq(kmem_space_prot_get(addr + 2 * PAGE), RW);
	ck_assert_int_eq(kmem_space_prot_get(addr + 4 * PAGE), KMEM_PROT_READ | KMEM_PROT_EXEC);
	ck_assert_int_eq(kmem_space_prot_get(addr + 7 * PAGE), KMEM_PROT_NONE);
	EXPECT_TRAP(*word(addr, 4) = 1, KMEM_FAULT_READ_ONLY, addr + 4 * PAGE);
	memcpy((void *)addr, &ret, sizeof(ret));
	memcpy(&function, &addr, sizeof(function));
	EXPECT_TRAP(function(), KMEM_FAULT_NO_EXEC, addr);
	ck_assert_int_eq(kmem_space_protect(addr, PAGE, RW | KMEM_PROT_EXEC), 0);
#if defined(__x86_64__)
	function();
#endif
	ck_assert_int_eq(k_mem_update_flags((void *)(addr + 6 * PAGE), PAGE, K_MEM_PERM_RW), 0);
	*word(addr, 6) = 1;
}
END_TEST

START_TEST(neighbours_alike_become_one_region)
{
	uintptr_t addr = map(8, RW);

	for (size_t i = 0; i < 8; i += 2) {
		ck_assert_int_eq(kmem_space_protect(addr + i * PAGE, PAGE, KMEM_PROT_READ), 0);
	}
	ck_assert_uint_eq(regions(), 8);
	ck_assert_int_eq(kmem_space_protect(addr + 2 * PAGE, 5 * PAGE, KMEM_PROT_NONE), 0);
	ck_assert_uint_eq(regions(), 4);
	ck_assert_int_eq(kmem_space_protect(addr + 3 * PAGE, PAGE, KMEM_PROT_NONE), 0);
	ck_assert_uint_eq(regions(), 4);
	ck_assert_int_eq(kmem_space_protect(addr + 2 * PAGE, 5 * PAGE, RW), 0);
	ck_assert_uint_eq(regions(), 2);
	ck_assert_int_eq(kmem_space_protect(addr, PAGE, RW), 0);
	ck_assert_uint_eq(regions(), 1);
	/* A hole: nothing is changed. */
	ck_assert_int_eq(kmem_space_unmap(addr + 4 * PAGE, PAGE), 0);
	ck_assert_int_eq(kmem_space_protect(addr, 8 * PAGE, KMEM_PROT_NONE), -ENOMEM);
	ck_assert_int_eq(kmem_space_prot_get(addr), RW);
	ck_assert_uint_eq(regions(), 2);
}
END_TEST

/* ---- discarding ---- */

START_TEST(discarded_pages_are_zeros_and_cost_nothing)
{
	uintptr_t addr = map(2 * FRAMES, RW);

	number(addr, 2 * FRAMES);
	ck_assert_uint_gt(usage_now().store.used_pages, 0);
	ck_assert_uint_eq(HOST_CALLS(ck_assert_int_eq(kmem_space_discard(addr, 2 * FRAMES * PAGE), 0)), 1);
	ck_assert_uint_eq(usage_now().frames_free, frames_free);
	ck_assert_uint_eq(usage_now().store.used_pages, 0);
	ck_assert_uint_eq(HOST_CALLS(ck_assert_int_eq(kmem_space_discard(addr, 2 * FRAMES * PAGE), 0)), 0);
	check_zeros(addr, 0, 2 * FRAMES);
	ck_assert_int_eq(kmem_space_protect(addr, PAGE, KMEM_PROT_READ), 0);
	ck_assert_int_eq(kmem_space_discard(addr, 4 * PAGE), 0);
	ck_assert_int_eq(kmem_space_prot_get(addr), KMEM_PROT_READ);
	check_zeros(addr, 0, 4);
}
END_TEST

START_TEST(discard_goes_around_holes_and_stops_at_pins)
{
	uintptr_t addr = map(8, RW);

	number(addr, 8);
	ck_assert_int_eq(kmem_space_unmap(addr + 3 * PAGE, PAGE), 0);
	ck_assert_int_eq(kmem_space_pin(addr + 5 * PAGE, PAGE), 0);
	ck_assert_int_eq(kmem_space_discard(addr, 8 * PAGE), -EINVAL);
	check_numbers(addr, 0, 3);
	check_numbers(addr, 4, 8);
	ck_assert_int_eq(kmem_space_unpin(addr + 5 * PAGE, PAGE), 0);
	ck_assert_int_eq(kmem_space_discard(addr, 8 * PAGE), -ENOMEM);
	check_zeros(addr, 0, 3);
	check_zeros(addr, 4, 8);
}
END_TEST

START_TEST(discard_clears_pins_where_they_are)
{
	uintptr_t addr;
	uintptr_t others;

	/* A store that keeps copies of what has come in again: such a page is clean. */
	teardown();
	boot("file", VM_SIZE);
	addr = map(8, RW);
	others = map(2 * FRAMES, RW);
	number(addr, 8);
	number(others, 2 * FRAMES);
	ck_assert_int_eq(kmem_space_protect(addr, 8 * PAGE, KMEM_PROT_READ), 0);
	ck_assert_int_eq(kmem_space_pin(addr + 2 * PAGE, PAGE), 0);
	ck_assert_int_eq(kmem_space_pin(addr + 5 * PAGE, 2 * PAGE), 0);
	ck_assert_int_eq(kmem_space_unpinned_check(addr, 8 * PAGE), -EINVAL);
	ck_assert_int_eq(kmem_space_unpinned_check(addr + 3 * PAGE, 2 * PAGE), 0);
	ck_assert_int_eq(kmem_space_discard_pinned(addr + PAGE, 6 * PAGE), 0);
	ck_assert(kmem_is_valid());
	check_zeros(addr, 1, 7);
	ck_assert(status_of((void *)(addr + 2 * PAGE)).pinned && status_of((void *)(addr + 6 * PAGE)).pinned);
	ck_assert(!status_of((void *)(addr + PAGE)).pinned);
	check_numbers(addr, 0, 1);
	check_numbers(addr, 7, 8);
	ck_assert_int_eq(kmem_space_unpin(addr, 8 * PAGE), 0);
	number(others, 2 * FRAMES);
	check_zeros(addr, 1, 7);
	ck_assert_int_eq(kmem_space_unmap(addr, 8 * PAGE), 0);
	ck_assert_int_eq(kmem_space_unmap(others, 2 * FRAMES * PAGE), 0);
	check_all_free();
}
END_TEST

/* ---- moving ---- */

START_TEST(moved_pages_take_everything_along)
{
	uintptr_t from = map(16, RW);
	uintptr_t to = from - 256 * PAGE;
	uintptr_t others = map(2 * FRAMES, RW);
	unsigned long faults;

	number(from, 16);
	number(others, 2 * FRAMES); /* some go out */
	ck_assert_int_eq(kmem_space_pin(from + 4 * PAGE, 2 * PAGE), 0);
	check_numbers(from, 8, 12);
	ck_assert_int_eq(kmem_space_protect(from + 10 * PAGE, 2 * PAGE, KMEM_PROT_READ), 0);
	ck_assert_int_eq(kmem_space_protect(from + 12 * PAGE, PAGE, KMEM_PROT_NONE), 0);
	faults = k_mem_num_pagefaults_get();
	ck_assert_int_eq(move_to(from + 2 * PAGE, 12, to), 0);
	ck_assert(kmem_is_valid());
	ck_assert_uint_eq(k_mem_num_pagefaults_get(), faults);
	ck_assert(!kmem_space_is_mapped(from + 2 * PAGE, PAGE));
	ck_assert(status_of((void *)(to + 2 * PAGE)).pinned && status_of((void *)(to + 2 * PAGE)).accessed);
	ck_assert(kmem_space_is_in(to + 6 * PAGE) && !kmem_space_is_in(to));
	for (size_t i = 0; i < 10; i++) {
		ck_assert_uint_eq(*word(to, i), i + 3);
	}
	EXPECT_TRAP(*word(to, 8) = 1, KMEM_FAULT_READ_ONLY, to + 8 * PAGE);
	EXPECT_TRAP((void)*word(to, 10), KMEM_FAULT_NO_ACCESS, to + 10 * PAGE);
	EXPECT_TRAP((void)*word(from, 4), KMEM_FAULT_UNMAPPED, from + 4 * PAGE);
	check_numbers(from, 0, 2);
	check_numbers(from, 14, 16);
	ck_assert_uint_eq(regions(), 7);
	ck_assert_int_eq(kmem_space_unmap(to, 12 * PAGE), 0);
	ck_assert_int_eq(kmem_space_unmap(from, 16 * PAGE), 0);
	ck_assert_int_eq(kmem_space_unmap(others, 2 * FRAMES * PAGE), 0);
	check_all_free();
}
END_TEST

START_TEST(moves_that_cannot_be_change_nothing)
{
	uintptr_t from = map(8, RW);
	uintptr_t to = map(8, RW);

	number(from, 8);
	ck_assert_int_eq(move_to(from, 8, to - 4 * PAGE), -EEXIST);
	ck_assert_int_eq(move_to(from, 8, from + 7 * PAGE), -EINVAL);
	ck_assert_int_eq(move_to(from, 8, from), -EINVAL);
	ck_assert_int_eq(move_to(from, 8, PAGE), -EINVAL);
	check_numbers(from, 0, 8);
	ck_assert_int_eq(kmem_space_unmap(from + PAGE, PAGE), 0);
	ck_assert_int_eq(move_to(from, 8, to - 64 * PAGE), -EFAULT);
	check_numbers(from, 2, 8);
	/* Right behind itself is fine. */
	ck_assert_int_eq(move_to(from + 4 * PAGE, 1, from + PAGE), 0);
	ck_assert_uint_eq(*word(from, 1), 5);
	ck_assert_uint_eq(regions(), 5);
}
END_TEST

START_TEST(moves_take_their_place_themselves)
{
	uintptr_t from = map(8, RW);
	struct kmem_space_move move = {.from = from, .size = 8 * PAGE, .room = 12 * PAGE, .place = KMEM_SPACE_ANYWHERE};
	uintptr_t over = map(16, RW);

	number(from, 8);
	ck_assert_int_eq(kmem_space_protect(from + 7 * PAGE, PAGE, KMEM_PROT_READ), 0);
	ck_assert_int_eq(kmem_space_move(&move), 0);
	ck_assert(!kmem_space_is_mapped(from, PAGE));
	check_numbers(move.to, 0, 8);
	check_zeros(move.to, 8, 12);
	ck_assert_int_eq(kmem_space_prot_get(move.to + 11 * PAGE), KMEM_PROT_READ);
	ck_assert_int_eq(kmem_space_prot_get(move.to), RW);
	/* Over others, part of which are pinned and part of which are missing. */
	number(over, 16);
	ck_assert_int_eq(kmem_space_pin(over + 4 * PAGE, PAGE), 0);
	ck_assert_int_eq(kmem_space_unmap(over + 7 * PAGE, 2 * PAGE), 0);
	move.from = move.to;
	move.to = over + 2 * PAGE;
	move.room = 8 * PAGE;
	move.place = KMEM_SPACE_FIXED;
	move.is_source_kept = true;
	from = move.from;
	ck_assert_int_eq(kmem_space_move(&move), 0);
	ck_assert(kmem_is_valid());
	ck_assert_uint_eq(usage_now().frames_pinned, 0);
	check_numbers(move.to, 0, 8);
	check_numbers(over, 0, 2);
	check_numbers(over, 10, 16);
	check_zeros(from, 0, 12);
	*word(from, 0) = 1;
	EXPECT_TRAP(*word(from, 7) = 1, KMEM_FAULT_READ_ONLY, from + 7 * PAGE);
	/* A hint that is taken is one. */
	move.from = from;
	move.room = 8 * PAGE;
	move.place = KMEM_SPACE_ANYWHERE;
	move.is_source_kept = false;
	ck_assert_int_eq(kmem_space_move(&move), 0);
	ck_assert_uint_ne(move.to, over + 2 * PAGE);
	ck_assert_int_eq(kmem_space_unmap(over, 16 * PAGE), 0);
	ck_assert_int_eq(kmem_space_unmap(from, 12 * PAGE), 0);
	ck_assert_int_eq(kmem_space_unmap(move.to, 8 * PAGE), 0);
	check_all_free();
}
END_TEST

START_TEST(targets_that_cannot_be_are_refused)
{
	uintptr_t from = map(8, RW);
	struct kmem_space_move move = {.from = from, .size = 8 * PAGE, .room = 4 * PAGE, .place = KMEM_SPACE_ANYWHERE};
	uintptr_t other = (uintptr_t)k_mem_map(4 * PAGE, K_MEM_PERM_RW);

	number(from, 8);
	ck_assert_int_eq(kmem_space_move(&move), -EINVAL);
	move.room = 2 * VM_SIZE;
	ck_assert_int_eq(kmem_space_move(&move), -ENOMEM);
	move.room = 8 * PAGE;
	move.place = KMEM_SPACE_FIXED;
	move.to = from + 4 * PAGE;
	ck_assert_int_eq(kmem_space_move(&move), -EINVAL);
	move.to = other - 4 * PAGE;
	ck_assert_int_eq(kmem_space_move(&move), -EINVAL);
	move.room = 24 * PAGE;
	move.to = from - 16 * PAGE;
	ck_assert_int_eq(kmem_space_move(&move), -EINVAL);
	check_numbers(from, 0, 8);
	k_mem_unmap((void *)other, 4 * PAGE);
}
END_TEST

/* ---- pinning and bringing in ---- */

START_TEST(pinned_pages_stay_in)
{
	uintptr_t addr = map(8, RW);
	uintptr_t others = map(2 * FRAMES, RW);
	struct kmem_stats before;
	struct kmem_stats after;

	number(addr, 8);
	number(others, 2 * FRAMES);
	ck_assert_int_eq(kmem_space_pin(addr, 8 * PAGE), 0);
	ck_assert_uint_eq(usage_now().frames_pinned, 8);
	number(others, 2 * FRAMES);
	before = stats_now();
	check_numbers(addr, 0, 8);
	number(addr, 8);
	after = stats_now();
	ck_assert_uint_eq(after.pagefaults.cnt, before.pagefaults.cnt);
	ck_assert_uint_eq(after.minor_faults, before.minor_faults);
	ck_assert_int_eq(kmem_space_protect(addr, 8 * PAGE, KMEM_PROT_NONE), 0);
	ck_assert_int_eq(kmem_space_protect(addr, 8 * PAGE, RW), 0);
	number(addr, 8);
	ck_assert_uint_eq(stats_now().minor_faults, before.minor_faults);
	ck_assert_int_eq(kmem_space_unpin(addr, 8 * PAGE), 0);
	ck_assert_uint_eq(usage_now().frames_pinned, 0);
	number(others, 2 * FRAMES);
	ck_assert(!kmem_space_is_in(addr));
	check_numbers(addr, 0, 8);
}
END_TEST

START_TEST(pins_that_cannot_be_leave_none)
{
	uintptr_t addr = map(2 * FRAMES, RW);

	ck_assert_int_eq(kmem_space_pin(addr, PAGE), 0);
	ck_assert_int_eq(kmem_space_pin(addr, (PINNED_MAX + 1) * PAGE), -ENOMEM);
	ck_assert_uint_eq(usage_now().frames_pinned, 1);
	ck_assert_int_eq(kmem_space_pin(addr, PINNED_MAX * PAGE), 0);
	ck_assert_int_eq(kmem_space_pin(addr + FRAMES * PAGE, PAGE), -ENOMEM);
	ck_assert_int_eq(kmem_space_unpin(addr + PAGE, (PINNED_MAX - 1) * PAGE), 0);
	ck_assert_int_eq(kmem_space_protect(addr + 4 * PAGE, PAGE, KMEM_PROT_NONE), 0);
	ck_assert_int_eq(kmem_space_pin(addr, 8 * PAGE), -ENOMEM);
	ck_assert_uint_eq(usage_now().frames_pinned, 1);
	ck_assert_int_eq(kmem_space_unmap(addr + 4 * PAGE, PAGE), 0);
	ck_assert_int_eq(kmem_space_pin(addr, 8 * PAGE), -ENOMEM);
	ck_assert_int_eq(kmem_space_unpin(addr, 8 * PAGE), -ENOMEM);
	ck_assert_uint_eq(usage_now().frames_pinned, 1);
	ck_assert_int_eq(kmem_space_unmap(addr, 2 * FRAMES * PAGE), 0);
	check_all_free();
}
END_TEST

START_TEST(pages_come_in_without_a_trap)
{
	uintptr_t addr = map(8, RW);
	uintptr_t others = map(2 * FRAMES, RW);
	struct kmem_stats before;

	number(addr, 8);
	ck_assert_int_eq(kmem_space_protect(addr + 2 * PAGE, PAGE, KMEM_PROT_NONE), 0);
	ck_assert_int_eq(kmem_space_protect(addr + 3 * PAGE, PAGE, KMEM_PROT_READ), 0);
	ck_assert_int_eq(kmem_space_unmap(addr + 4 * PAGE, PAGE), 0);
	number(others, 2 * FRAMES);
	kmem_space_page_in(addr, 8 * PAGE, true);
	ck_assert(kmem_space_is_in(addr + PAGE) && kmem_space_is_in(addr + 7 * PAGE));
	ck_assert(!kmem_space_is_in(addr + 2 * PAGE) && !kmem_space_is_in(addr + 3 * PAGE));
	kmem_space_page_in(addr, 8 * PAGE, false);
	ck_assert(!kmem_space_is_in(addr + 2 * PAGE) && kmem_space_is_in(addr + 3 * PAGE));
	before = stats_now();
	*word(addr, 0) = 1;
	*word(addr, 7) = 8;
	check_numbers(addr, 0, 2);
	check_numbers(addr, 3, 4);
	ck_assert_uint_eq(stats_now().pagefaults.cnt, before.pagefaults.cnt);
	ck_assert_uint_eq(stats_now().minor_faults, before.minor_faults);
	/* Whatever lies outside is skipped. */
	kmem_space_page_in(0, SIZE_MAX & ~(PAGE - 1), false);
	kmem_space_page_in(PAGE, PAGE, true);
}
END_TEST

/* ---- signals, children ---- */

static sigjmp_buf target;
static volatile int seen_code;
static void *volatile seen_addr;

static void on_segv(int signo, siginfo_t *info, void *context)
{
	(void)signo;
	(void)context;
	seen_code = info->si_code;
	seen_addr = info->si_addr;
	siglongjmp(target, 1);
}

#define EXPECT_SIGNAL(action, code, addr)                                                                              \
	do {                                                                                                           \
		seen_code = 0;                                                                                         \
		if (sigsetjmp(target, 1) == 0) {                                                                       \
			action;                                                                                        \
		}                                                                                                      \
		ck_assert_int_eq(seen_code, code);                                                                     \
		ck_assert_ptr_eq(seen_addr, (void *)(addr));                                                           \
	} while (0)

START_TEST(a_preloaded_program_handles_its_own_bad_accesses)
{
	struct sigaction action = {.sa_sigaction = on_segv, .sa_flags = SA_SIGINFO};
	uintptr_t addr = map(4, RW);
	struct sigaction former;

	kmem_kernel.is_preloaded = true;
	ck_assert_int_eq(kmem_space_protect(addr, PAGE, KMEM_PROT_NONE), 0);
	ck_assert_int_eq(kmem_space_protect(addr + PAGE, PAGE, KMEM_PROT_READ), 0);
	ck_assert_int_eq(kmem_space_unmap(addr + 3 * PAGE, PAGE), 0);
	EXPECT_TRAP((void)*word(addr, 0), KMEM_FAULT_NO_ACCESS, addr);
	ck_assert_int_eq(sigaction(SIGSEGV, &action, &former), 0);
	EXPECT_SIGNAL((void)*word(addr, 0), SEGV_ACCERR, addr);
	EXPECT_SIGNAL(*word(addr, 1) = 1, SEGV_ACCERR, addr + PAGE);
	EXPECT_SIGNAL(*word(addr, 3) = 1, SEGV_MAPERR, addr + 3 * PAGE);
	number(addr + 2 * PAGE, 1);
	ck_assert_int_eq(sigaction(SIGSEGV, &former, NULL), 0);
	EXPECT_TRAP(*word(addr, 3) = 1, KMEM_FAULT_UNMAPPED, addr + 3 * PAGE);
	kmem_kernel.is_preloaded = false;
}
END_TEST

START_TEST(children_of_vfork_fault_pages_in)
{
	uintptr_t addr;
	volatile size_t wrong = 0;
	pid_t child;
	int status;

	if (harness_on_tsan()) {
		return; /* it makes a fork of it */
	}
	addr = map(2 * FRAMES, RW);
	number(addr, 2 * FRAMES);
	child = vfork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		for (size_t i = 0; i < 2 * FRAMES; i++) {
			wrong += *word(addr, i) != i + 1 ? 1 : 0;
			*word(addr, i) = i + 1000;
		}
		_exit(wrong == 0 ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	for (size_t i = 0; i < 2 * FRAMES; i++) {
		ck_assert_uint_eq(*word(addr, i), i + 1000);
	}
}
END_TEST

/* ---- large mappings ---- */

START_TEST(what_was_never_touched_costs_little)
{
	const size_t size = 32UL << 30;
	uintptr_t addr = 0;

	teardown();
	boot("ram", 64UL << 30);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(kmem_space_map(&addr, size, PAGE, KMEM_PROT_NONE, KMEM_SPACE_ANYWHERE), 0);
		ck_assert_int_eq(kmem_space_protect(addr + size / 2, 64 * PAGE, RW), 0);
		number(addr + size / 2, 64);
		check_numbers(addr + size / 2, 0, 64);
		ck_assert_int_eq(kmem_space_discard(addr, size), 0);
		check_zeros(addr + size / 2, 0, 64);
		ck_assert_int_eq(kmem_space_unmap(addr + PAGE, size - 2 * PAGE), 0);
		ck_assert_int_eq(kmem_space_prot_get(addr), KMEM_PROT_NONE);
		ck_assert_int_eq(kmem_space_prot_get(addr + size - PAGE), KMEM_PROT_NONE);
		ck_assert_int_eq(kmem_space_prot_get(addr + PAGE), -ENOMEM);
		ck_assert_int_eq(kmem_space_prot_get(addr + size - 2 * PAGE), -ENOMEM);
		ck_assert_int_eq(kmem_space_unmap(addr, size), 0);
		check_all_free();
	}
}
END_TEST

/* ---- against a model ---- */

#define MODEL_PAGES 96UL
#define MODEL_STEPS 20000
#define MODEL_RANGE 12UL

static struct {
	uintptr_t base;
	uint64_t random;
	struct page {
		bool is_mapped, is_pinned;
		unsigned int prot;
		uintptr_t value;
	} pages[MODEL_PAGES];
} model;

static size_t below(size_t limit)
{
	return harness_random(&model.random) % limit;
}

static uintptr_t at(size_t page)
{
	return model.base + page * PAGE;
}

/* Pages of [first, first + count) that are mapped, or pinned; of all, pinned. */
static size_t mapped_in(size_t first, size_t count)
{
	size_t found = 0;

	for (size_t i = first; i < first + count; i++) {
		found += model.pages[i].is_mapped ? 1 : 0;
	}
	return found;
}

static size_t model_pinned_in(size_t first, size_t count)
{
	size_t found = 0;

	for (size_t i = first; i < first + count; i++) {
		found += model.pages[i].is_pinned ? 1 : 0;
	}
	return found;
}

static bool none_is_forbidden(size_t first, size_t count)
{
	for (size_t i = first; i < first + count; i++) {
		if (model.pages[i].prot == KMEM_PROT_NONE) {
			return false;
		}
	}
	return true;
}

static const unsigned int prots[] = {KMEM_PROT_NONE, KMEM_PROT_READ, RW, RW, RW};

static unsigned int some_prot(void)
{
	return prots[below(sizeof(prots) / sizeof(prots[0]))];
}

static void model_map(size_t first, size_t count)
{
	bool is_over = below(2) == 0;
	unsigned int prot = some_prot();
	uintptr_t addr = at(first);
	int expected = !is_over && mapped_in(first, count) != 0 ? -EEXIST : 0;

	ck_assert_int_eq(kmem_space_map(&addr, count * PAGE, PAGE, prot, is_over ? KMEM_SPACE_FIXED : KMEM_SPACE_FIXED_NOREPLACE),
			 expected);
	for (size_t i = first; i < first + count && expected == 0; i++) {
		model.pages[i] = (struct page){.is_mapped = true, .prot = prot};
	}
}

static void model_unmap(size_t first, size_t count)
{
	ck_assert_int_eq(kmem_space_unmap(at(first), count * PAGE), 0);
	memset(&model.pages[first], 0, count * sizeof(model.pages[0]));
}

static void model_protect(size_t first, size_t count)
{
	unsigned int prot = some_prot();
	int expected = mapped_in(first, count) == count ? 0 : -ENOMEM;

	ck_assert_int_eq(kmem_space_protect(at(first), count * PAGE, prot), expected);
	for (size_t i = first; i < first + count && expected == 0; i++) {
		model.pages[i].prot = prot;
	}
}

static void model_discard(size_t first, size_t count)
{
	int expected = mapped_in(first, count) == count ? 0 : -ENOMEM;

	expected = model_pinned_in(first, count) != 0 ? -EINVAL : expected;
	ck_assert_int_eq(kmem_space_discard(at(first), count * PAGE), expected);
	for (size_t i = first; i < first + count && expected != -EINVAL; i++) {
		model.pages[i].value = 0;
	}
}

static void model_move(size_t first, size_t count)
{
	size_t to = below(MODEL_PAGES - count + 1);
	size_t room = count + below(MODEL_PAGES - count - to + 1);
	bool is_over = below(2) == 0;
	struct kmem_space_move move = {
		.from = at(first),
		.size = count * PAGE,
		.to = at(to),
		.room = room * PAGE,
		.place = is_over ? KMEM_SPACE_FIXED : KMEM_SPACE_FIXED_NOREPLACE,
		.is_source_kept = below(3) == 0,
	};
	int expected = !is_over && mapped_in(to, room) != 0 ? -EEXIST : 0;

	expected = mapped_in(first, count) != count ? -EFAULT : expected;
	expected = to < first + count && first < to + room ? -EINVAL : expected;
	ck_assert_int_eq(kmem_space_move(&move), expected);
	if (expected != 0) {
		return;
	}
	memcpy(&model.pages[to], &model.pages[first], count * sizeof(model.pages[0]));
	for (size_t i = 0; i < count; i++) {
		model.pages[first + i] =
			move.is_source_kept ? (struct page){.is_mapped = true, .prot = model.pages[to + i].prot} : (struct page){0};
	}
	for (size_t i = count; i < room; i++) {
		model.pages[to + i] = (struct page){.is_mapped = true, .prot = model.pages[to + count - 1].prot};
	}
}

static void model_pin(size_t first, size_t count)
{
	size_t more = count - model_pinned_in(first, count);
	bool is_fine = mapped_in(first, count) == count && none_is_forbidden(first, count) &&
		       model_pinned_in(0, MODEL_PAGES) + more <= PINNED_MAX;

	ck_assert_int_eq(kmem_space_pin(at(first), count * PAGE), is_fine ? 0 : -ENOMEM);
	for (size_t i = first; i < first + count && is_fine; i++) {
		model.pages[i].is_pinned = true;
	}
}

static void model_unpin(size_t first, size_t count)
{
	int expected = mapped_in(first, count) == count ? 0 : -ENOMEM;

	ck_assert_int_eq(kmem_space_unpin(at(first), count * PAGE), expected);
	for (size_t i = first; i < first + count && expected == 0; i++) {
		model.pages[i].is_pinned = false;
	}
}

static void model_page_in(size_t first, size_t count)
{
	kmem_space_page_in(at(first), count * PAGE, below(2) == 0);
}

static void model_write(size_t first, size_t count)
{
	for (size_t i = first; i < first + count; i++) {
		if (model.pages[i].is_mapped && (model.pages[i].prot & KMEM_PROT_WRITE) != 0) {
			model.pages[i].value = harness_random(&model.random);
			*word(model.base, i) = model.pages[i].value;
		}
	}
}

static void model_read(size_t first, size_t count)
{
	for (size_t i = first; i < first + count; i++) {
		if (model.pages[i].is_mapped && model.pages[i].prot != KMEM_PROT_NONE) {
			ck_assert_uint_eq(*word(model.base, i), model.pages[i].value);
		}
	}
}

static uint32_t flags_of(unsigned int prot)
{
	return prot == KMEM_PROT_NONE ? KMEM_PERM_NO_ACCESS : (prot & KMEM_PROT_WRITE) != 0 ? K_MEM_PERM_RW : 0;
}

/* Every page of a region is mapped, with its permissions; arg: pages in regions. */
static int region_compare(const struct kmem_region_info *region, void *arg)
{
	for (size_t done = 0; done < region->size && region->kind == KMEM_REGION_ANON; done += PAGE) {
		const struct page *page = &model.pages[(region->addr + done - model.base) / PAGE];

		ck_assert(page->is_mapped);
		ck_assert_uint_eq(region->flags, flags_of(page->prot));
		*(size_t *)arg += 1;
	}
	return 0;
}

static void model_compare(void)
{
	size_t pages = 0;

	ck_assert(kmem_is_valid());
	for (size_t i = 0; i < MODEL_PAGES; i++) {
		const struct page *page = &model.pages[i];

		ck_assert_int_eq(kmem_space_prot_get(at(i)), page->is_mapped ? (int)page->prot : -ENOMEM);
		ck_assert(status_of((void *)at(i)).pinned == page->is_pinned);
	}
	(void)kmem_region_walk(region_compare, &pages);
	ck_assert_uint_eq(pages, mapped_in(0, MODEL_PAGES));
}

START_TEST(any_sequence_does_what_the_model_does)
{
	static void (*const steps[])(size_t first, size_t count) = {
		model_map,   model_unmap,   model_protect, model_discard, model_move,  model_pin,
		model_unpin, model_page_in, model_write,   model_write,   model_write, model_read,
	};
	size_t free_bytes;

	teardown();
	boot(_i == 0 ? "ram" : "file", VM_SIZE);
	model.random = harness_seed() + (uint64_t)_i;
	model.base = map(MODEL_PAGES, RW);
	ck_assert_int_eq(kmem_space_unmap(model.base, MODEL_PAGES * PAGE), 0);
	free_bytes = kmem_space_free_get();
	memset(model.pages, 0, sizeof(model.pages));
	for (int i = 0; i < MODEL_STEPS; i++) {
		size_t count = 1 + below(MODEL_RANGE);

		steps[below(sizeof(steps) / sizeof(steps[0]))](below(MODEL_PAGES - count + 1), count);
		if (i % 100 == 0) {
			model_compare();
		}
	}
	model_read(0, MODEL_PAGES);
	model_unmap(0, MODEL_PAGES);
	ck_assert_uint_eq(kmem_space_free_get(), free_bytes);
	check_all_free();
}
END_TEST

/* Ranges that are mostly never touched, larger than the pieces that the page table keeps account of. */
#define LARGE_PAGES 4000UL
#define LARGE_STEPS 400

START_TEST(large_ranges_change_page_by_page)
{
	static int expected[LARGE_PAGES];
	uint64_t random = harness_seed();
	uintptr_t addr = map(LARGE_PAGES, RW);

	ck_assert_int_eq(kmem_space_unmap(addr, LARGE_PAGES * PAGE), 0);
	for (size_t i = 0; i < LARGE_PAGES; i++) {
		expected[i] = -ENOMEM;
	}
	for (int step = 0; step < LARGE_STEPS; step++) {
		size_t first = harness_random(&random) % LARGE_PAGES;
		size_t count = 1 + harness_random(&random) % (LARGE_PAGES - first);
		uintptr_t start = addr + first * PAGE;
		unsigned int prot = prots[harness_random(&random) % (sizeof(prots) / sizeof(prots[0]))];
		int result = (int)prot;

		if (step % 4 == 0) {
			ck_assert_int_eq(kmem_space_map(&start, count * PAGE, PAGE, prot, KMEM_SPACE_FIXED), 0);
		} else if (step % 4 == 1) {
			count = count / 16 + 1;
			count = first + count > LARGE_PAGES ? LARGE_PAGES - first : count;
			ck_assert_int_eq(kmem_space_unmap(start, count * PAGE), 0);
			result = -ENOMEM;
		} else if (kmem_space_protect(start, count * PAGE, prot) != 0) {
			ck_assert(!kmem_space_is_mapped(start, count * PAGE));
			continue;
		}
		for (size_t i = first; i < first + count; i++) {
			expected[i] = result;
		}
		if (result == RW) {
			*word(addr, first) = step;
		}
		for (size_t i = 0; i < LARGE_PAGES; i++) {
			ck_assert_int_eq(kmem_space_prot_get(addr + i * PAGE), expected[i]);
		}
		ck_assert(kmem_is_valid());
	}
	ck_assert_int_eq(kmem_space_unmap(addr, LARGE_PAGES * PAGE), 0);
	check_all_free();
}
END_TEST

/* ---- beside threads ---- */

#define THREADS 3
#define SHARED_PAGES 24UL

static struct {
	_Atomic bool is_over;
	uintptr_t shared; /* discarded, moved there and back, protected: a page's words are alike */
	uintptr_t own[THREADS];
} race;

/* Own pages keep their words whatever happens beside them, and pages of the others hold zero or what somebody wrote. */
static void *racer(void *arg)
{
	size_t self = (size_t)arg;
	uint64_t random = harness_seed() + self;

	for (uintptr_t round = 1; !atomic_load(&race.is_over); round++) {
		for (size_t i = 0; i < FRAMES / 2; i++) {
			*word(race.own[self], i) = round + i;
		}
		for (size_t i = 0; i < 16; i++) {
			size_t page = harness_random(&random) % SHARED_PAGES;
			volatile uintptr_t *at = word(race.shared, page);
			uintptr_t value = __atomic_load_n(at, __ATOMIC_RELAXED);

			ck_assert(value == 0 || value == page + 1);
			__atomic_store_n(at, page + 1, __ATOMIC_RELAXED);
		}
		for (size_t i = 0; i < FRAMES / 2; i++) {
			ck_assert_uint_eq(*word(race.own[self], i), round + i);
		}
		if (round % 8 == 0) {
			ck_assert_int_eq(kmem_space_discard(race.own[self], FRAMES / 2 * PAGE), 0);
			check_zeros(race.own[self], 0, FRAMES / 2);
		}
	}
	return NULL;
}

START_TEST(pages_change_under_threads_that_fault_on_them)
{
	pthread_t threads[THREADS];
	uint64_t random;

	teardown();
	harness_rcu_warm_up();
	boot(_i == 0 ? "ram" : "file", VM_SIZE);
	random = harness_seed();
	race.is_over = false;
	race.shared = map(SHARED_PAGES, RW);
	for (size_t i = 0; i < THREADS; i++) {
		race.own[i] = map(FRAMES / 2, RW);
		ck_assert_int_eq(pthread_create(&threads[i], NULL, racer, (void *)i), 0);
	}
	for (int i = 0; i < 3000; i++) {
		size_t first = harness_random(&random) % SHARED_PAGES;
		size_t size = (1 + harness_random(&random) % (SHARED_PAGES - first)) * PAGE;
		uintptr_t addr = race.shared + first * PAGE;
		uintptr_t own = map(8, RW);

		number(own, 8);
		ck_assert_int_eq(kmem_space_discard(addr, size), 0);
		/* The threads write all the time: so only permissions that they do not miss. */
		ck_assert_int_eq(kmem_space_protect(addr, size, RW | KMEM_PROT_EXEC), 0);
		ck_assert_int_eq(kmem_space_protect(addr, size, RW), 0);
		ck_assert_int_eq(map_at(addr, size / PAGE, KMEM_SPACE_FIXED), 0);
		if (i % 4 == 0) {
			ck_assert_int_eq(move_to(own, 8, own - 1024 * PAGE), 0);
			own -= 1024 * PAGE;
		}
		check_numbers(own, 0, 8);
		ck_assert_int_eq(kmem_space_unmap(own, 8 * PAGE), 0);
	}
	atomic_store(&race.is_over, true);
	for (size_t i = 0; i < THREADS; i++) {
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
		ck_assert_int_eq(kmem_space_unmap(race.own[i], FRAMES / 2 * PAGE), 0);
	}
	ck_assert_int_eq(kmem_space_unmap(race.shared, SHARED_PAGES * PAGE), 0);
	check_all_free();
}
END_TEST

/* Its pages go anywhere, and over others of its own, while others look for room. */
static void *mover(void *arg)
{
	for (int i = 0; i < 500; i++) {
		struct kmem_space_move move = {
			.from = map(8, RW), .size = 8 * PAGE, .room = 12 * PAGE, .place = KMEM_SPACE_ANYWHERE, .is_source_kept = i % 2 == 0,
		};
		uintptr_t first = move.from;

		number(move.from, 8);
		ck_assert_int_eq(kmem_space_move(&move), 0);
		check_numbers(move.to, 0, 8);
		if (move.is_source_kept) {
			check_zeros(first, 0, 8);
		} else {
			first = map(8, RW);
		}
		ck_assert_int_eq(kmem_space_unmap(first, 4 * PAGE), 0);
		move = (struct kmem_space_move){
			.from = move.to, .size = 4 * PAGE, .to = first + 4 * PAGE, .room = 4 * PAGE, .place = KMEM_SPACE_FIXED,
		};
		ck_assert_int_eq(kmem_space_move(&move), 0);
		check_numbers(move.to, 0, 4);
		ck_assert_int_eq(kmem_space_unmap(move.to, 4 * PAGE), 0);
		ck_assert_int_eq(kmem_space_unmap(move.from + 4 * PAGE, 8 * PAGE), 0);
	}
	return arg;
}

START_TEST(moves_need_no_second_try)
{
	pthread_t threads[THREADS];

	for (size_t i = 0; i < THREADS; i++) {
		ck_assert_int_eq(pthread_create(&threads[i], NULL, mover, NULL), 0);
	}
	for (size_t i = 0; i < THREADS; i++) {
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	}
	check_all_free();
}
END_TEST

/* ---- host calls that fail ---- */

static uintptr_t subject;

static int fail_map(void)
{
	uintptr_t addr = 0;
	int ret = kmem_space_map(&addr, PAGE, PAGE, RW, KMEM_SPACE_ANYWHERE);

	return ret != 0 ? ret : kmem_space_unmap(addr, PAGE);
}

static int fail_map_over(void)
{
	return map_at(subject + 2 * PAGE, 4, KMEM_SPACE_FIXED);
}

static int fail_unmap(void)
{
	return kmem_space_unmap(subject + 2 * PAGE, 4 * PAGE);
}

static int fail_protect(void)
{
	return kmem_space_protect(subject + 2 * PAGE, 4 * PAGE, KMEM_PROT_NONE);
}

static int fail_protect_read(void)
{
	return kmem_space_protect(subject + 2 * PAGE, 4 * PAGE, KMEM_PROT_READ);
}

static int fail_discard(void)
{
	return kmem_space_discard(subject + 2 * PAGE, 4 * PAGE);
}

static int fail_move(void)
{
	return move_to(subject + 2 * PAGE, 4, subject - 64 * PAGE);
}

static int fail_move_over(void)
{
	struct kmem_space_move move = {
		.from = subject + 2 * PAGE, .size = PAGE, .to = subject + 4 * PAGE, .room = 2 * PAGE, .place = KMEM_SPACE_FIXED,
	};

	return kmem_space_move(&move);
}

static int fail_pin(void)
{
	return kmem_space_pin(subject + 2 * PAGE, 4 * PAGE);
}

static int (*const fallible[])(void) = {
	fail_map, fail_map_over, fail_unmap, fail_protect, fail_protect_read, fail_discard, fail_move, fail_move_over, fail_pin,
};

/* More host calls than any operation makes. */
#define CALLS_MAX 100UL

START_TEST(what_fails_has_changed_nothing)
{
	bool was_hit = true;

	for (unsigned long n = 1; was_hit; n++) {
		bool is_sticky = _i % 2 != 0;
		int ret;

		ck_assert_uint_lt(n, CALLS_MAX);
		subject = map(8, RW);
		number(subject, 8);
		kmem_failpoint_arm(n, is_sticky ? ENOMEM : EIO, is_sticky);
		ret = fallible[_i / 2]();
		kmem_failpoint_arm(0, 0, false);
		was_hit = kmem_failpoint_was_hit();
		ck_assert(kmem_is_valid());
		if (ret != 0) {
			ck_assert(was_hit);
			ck_assert_uint_eq(regions(), 1);
			ck_assert_uint_eq(usage_now().frames_pinned, 0);
			check_numbers(subject, 0, 8);
			ck_assert_int_eq(fallible[_i / 2](), 0);
		}
		check_numbers(subject, 0, 2);
		check_numbers(subject, 6, 8);
		ck_assert_int_eq(kmem_space_unmap(subject - 64 * PAGE, 72 * PAGE), 0);
		check_all_free();
	}
}
END_TEST

Suite *kmem_test_suite(void)
{
	Suite *suite = suite_create("space");
	TCase *tcase = tcase_create("space");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, mapping_is_lazy_and_reads_as_zeros);
	tcase_add_test(tcase, mappings_go_where_they_are_told);
	tcase_add_test(tcase, what_makes_no_sense_is_refused);
	tcase_add_test(tcase, fixed_replaces_what_is_there);
	tcase_add_test(tcase, parts_are_unmapped_across_neighbours);
	tcase_add_test(tcase, regions_of_others_are_left_alone);
	tcase_add_test(tcase, a_page_that_allows_nothing_keeps_its_bytes);
	tcase_add_test(tcase, permissions_are_of_pages);
	tcase_add_test(tcase, neighbours_alike_become_one_region);
	tcase_add_test(tcase, discarded_pages_are_zeros_and_cost_nothing);
	tcase_add_test(tcase, discard_goes_around_holes_and_stops_at_pins);
	tcase_add_test(tcase, discard_clears_pins_where_they_are);
	tcase_add_test(tcase, moved_pages_take_everything_along);
	tcase_add_test(tcase, moves_that_cannot_be_change_nothing);
	tcase_add_test(tcase, moves_take_their_place_themselves);
	tcase_add_test(tcase, targets_that_cannot_be_are_refused);
	tcase_add_test(tcase, pinned_pages_stay_in);
	tcase_add_test(tcase, pins_that_cannot_be_leave_none);
	tcase_add_test(tcase, pages_come_in_without_a_trap);
	tcase_add_test(tcase, a_preloaded_program_handles_its_own_bad_accesses);
	tcase_add_test(tcase, children_of_vfork_fault_pages_in);
	tcase_add_test(tcase, what_was_never_touched_costs_little);
	tcase_add_loop_test(tcase, any_sequence_does_what_the_model_does, 0, 2);
	tcase_add_test(tcase, large_ranges_change_page_by_page);
	tcase_add_loop_test(tcase, pages_change_under_threads_that_fault_on_them, 0, 2);
	tcase_add_test(tcase, moves_need_no_second_try);
	tcase_add_loop_test(tcase, what_fails_has_changed_nothing, 0, 2 * (int)(sizeof(fallible) / sizeof(fallible[0])));
	suite_add_tcase(suite, tcase);
	return suite;
}
