/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program as the kernel image: where its pages are and what they allow, physical addresses of static objects,
 * aliases, static pages that are unpinned and go out, threads and forks meanwhile, and the process's own pages again
 * after shutdown.
 *
 * Built three ways: at KERNEL_VM_BASE; with KMEM_TEST_PIE as a program that lies elsewhere, and is seen through a
 * window; with CONFIG_SRAM_BASE_ADDRESS elsewhere, so that virtual and physical addresses differ. Where the library is
 * linked into the program (KMEM_TEST_STATIC, and with ThreadSanitizer), no page goes out.
 */
#define CONFIG_DEMAND_PAGING 1
#define CONFIG_DEMAND_PAGING_STATS 1
#define CONFIG_BACKING_STORE_RAM_PAGES 64
#define CONFIG_ASSERT 1

#include <mmu.h>
#include <zephyr/kernel/mm/demand_paging.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "expect.h"
#include "harness.h"
#include "state.h"

#define PAGE ((size_t)CONFIG_MMU_PAGE_SIZE)
#define RW K_MEM_PERM_RW
#define EXEC K_MEM_PERM_EXEC
#define PAGES 16
#define PAGE_ALIGNED __attribute__((aligned(CONFIG_MMU_PAGE_SIZE)))

/* Of each kind of page. */
static uint8_t data_page[PAGE] PAGE_ALIGNED = {1, 2, 3};
static uint8_t bss_pages[PAGES][PAGE] PAGE_ALIGNED;
static const uint8_t rodata_page[PAGE] PAGE_ALIGNED = {4, 5, 6};

PAGE_ALIGNED __attribute__((noinline)) static int triple(int x)
{
	return x * 3;
}

/* Static initialisers. */
static uintptr_t phys_of_data = K_MEM_PHYS_ADDR((uintptr_t)&data_page[0]);
static uint8_t *const virt_of_data = K_MEM_VIRT_ADDR(K_MEM_PHYS_ADDR((uint8_t *)&data_page[0]));

__attribute__((unused)) static bool is_static(void)
{
#ifdef KMEM_TEST_STATIC
	return true;
#else
	return harness_on_tsan();
#endif
}

static size_t free_before;

static void setup(void)
{
	memset(&fatal, 0, sizeof(fatal));
	ck_assert(kmem_is_booted());
	free_before = k_mem_free_get();
}

/* Another machine for the next test: pages that this one adopted are the process's own again. */
static void teardown(void)
{
	ck_assert(kmem_is_valid());
	ck_assert_int_eq(kmem_shutdown(), 0);
	ck_assert_msg(kmem_boot(NULL) == 0, "%s", kmem_boot_error());
	ck_assert_uint_eq(k_mem_free_get(), free_before);
}

static uintptr_t phys_of(const volatile void *addr)
{
	return k_mem_phys_addr((void *)(uintptr_t)addr);
}

/* A mapping of the frame that holds a page of the program. */
static uint8_t *alias_of(const volatile void *page, uint32_t flags)
{
	uint8_t *virt = NULL;

	k_mem_map_phys_bare(&virt, phys_of(page), PAGE, flags);
	ck_assert_ptr_nonnull(virt);
	return virt;
}

static void alias_drop(uint8_t *alias)
{
	k_mem_unmap_phys_bare(alias, PAGE);
}

static int wait_for(pid_t child)
{
	int status;

	ck_assert_int_eq(waitpid(child, &status, 0), child);
	return status;
}

/* ---- addresses ---- */

START_TEST(physical_addresses_of_static_objects_are_arithmetic)
{
	ck_assert_uint_eq(phys_of_data, (uintptr_t)data_page - K_MEM_VIRT_OFFSET);
	ck_assert_ptr_eq(virt_of_data, data_page);
	ck_assert_uint_eq(k_mem_phys_addr(data_page), phys_of_data);
	ck_assert_uint_eq(k_mem_phys_addr(&data_page[5]), phys_of_data + 5);
	ck_assert_ptr_eq(k_mem_virt_addr(phys_of_data + 5), &data_page[5]);
	ck_assert_uint_eq(phys_of(rodata_page), K_MEM_PHYS_ADDR((uintptr_t)rodata_page));
	ck_assert_uint_eq(k_mem_phys_addr((void *)(uintptr_t)triple), K_MEM_PHYS_ADDR((uintptr_t)triple));
}
END_TEST

START_TEST(physical_addresses_of_other_memory_are_asserted_against)
{
	int local = 0;

	EXPECT_PANIC((void)k_mem_phys_addr(&local), "");
	EXPECT_PANIC((void)k_mem_phys_addr(NULL), "");
	EXPECT_PANIC((void)k_mem_virt_addr(K_MEM_PHYS_RAM_END + ((uintptr_t)1 << 40)), "");
}
END_TEST

/* ---- aliases ---- */

START_TEST(alias_and_object_are_the_same_bytes)
{
	volatile uint8_t *object = _i == 0 ? data_page : bss_pages[0];
	volatile uint8_t *rw;
	volatile uint8_t *ro;

	object[10] = 10;
	rw = alias_of(object, RW);
	ro = alias_of(object, 0);
	ck_assert_uint_eq(rw[10], 10);
	ck_assert_uint_eq(ro[10], 10);
	rw[PAGE - 1] = 11;
	ck_assert_uint_eq(object[PAGE - 1], 11);
	ck_assert_uint_eq(ro[PAGE - 1], 11);
	object[0] = 12;
	ck_assert_uint_eq(rw[0], 12);
	ck_assert_uint_eq(ro[0], 12);
	EXPECT_TRAP(ro[0] = 13, KMEM_FAULT_READ_ONLY, ro);
	ck_assert_uint_eq(object[0], 12);
	alias_drop((uint8_t *)rw);
	alias_drop((uint8_t *)ro);
	object[1] = 14;
	rw = alias_of(object, RW);
	ck_assert_uint_eq(rw[1], 14);
	alias_drop((uint8_t *)rw);
	ck_assert_uint_eq(k_mem_free_get(), free_before);
}
END_TEST

/* The first mapping of a page that can be written is one that cannot: later writes to the page must be seen there. */
START_TEST(read_only_alias_follows_the_object)
{
	volatile uint8_t *object = bss_pages[1];
	volatile uint8_t *ro;

	object[0] = 1;
	ro = alias_of(object, 0);
	for (int i = 1; i < 100; i++) {
		object[i] = (uint8_t)i;
		ck_assert_uint_eq(ro[i], i);
	}
	alias_drop((uint8_t *)ro);
}
END_TEST

START_TEST(code_runs_at_an_alias)
{
	uint8_t *alias = alias_of((void *)(uintptr_t)triple, EXEC);
	int (*function)(int) = (int (*)(int))(uintptr_t)alias;

	ck_assert_mem_eq(alias, (void *)(uintptr_t)triple, 16);
	ck_assert_int_eq(function(14), 42);
	ck_assert_int_eq(triple(14), 42);
	alias_drop(alias);
}
END_TEST

/* Constants, seen first by an alias that cannot write, then by one that can. */
START_TEST(writable_alias_of_constants_changes_them)
{
	const volatile uint8_t *object = rodata_page;
	volatile uint8_t *ro = alias_of(object, 0);
	volatile uint8_t *rw;

	ck_assert_uint_eq(ro[1], 5);
	rw = alias_of(object, RW);
	ck_assert_uint_eq(rw[1], 5);
	rw[1] = 55;
	ck_assert_uint_eq(object[1], 55);
	ck_assert_uint_eq(ro[1], 55);
	rw[1] = 5;
	alias_drop((uint8_t *)rw);
	alias_drop((uint8_t *)ro);
}
END_TEST

START_TEST(unaligned_aliases_of_several_pages)
{
	uint8_t *virt = NULL;

	memset(bss_pages[2], 'x', 3 * PAGE);
	k_mem_map_phys_bare(&virt, phys_of(&bss_pages[2][100]), 2 * PAGE, RW);
	ck_assert_uint_eq((uintptr_t)virt % PAGE, 100);
	virt[2 * PAGE - 1] = 'y';
	ck_assert_uint_eq(bss_pages[4][99], 'y');
	ck_assert_uint_eq(bss_pages[4][100], 'x');
	k_mem_unmap_phys_bare(virt, 2 * PAGE);
}
END_TEST

/* Zeroing a guarded mapping of physical memory zeroes the object. */
START_TEST(guarded_alias_is_zeroed_unless_asked_otherwise)
{
	uint8_t *virt;

	memset(bss_pages[5], 'z', PAGE);
	virt = k_mem_map_phys_guard(phys_of(bss_pages[5]), PAGE, RW | K_MEM_MAP_UNINIT, false);
	ck_assert_ptr_nonnull(virt);
	ck_assert_uint_eq(virt[0], 'z');
	k_mem_unmap_phys_guard(virt, PAGE, false);
	virt = k_mem_map_phys_guard(phys_of(bss_pages[5]), PAGE, RW, false);
	ck_assert_ptr_nonnull(virt);
	ck_assert_uint_eq(virt[0], 0);
	ck_assert_uint_eq(bss_pages[5][PAGE - 1], 0);
	k_mem_unmap_phys_guard(virt, PAGE, false);
}
END_TEST

/* ---- threads ---- */

#define WRITERS 3

/* Each writer counts in a word of its own on every page. Not on the pages: who they are, and what they counted. */
struct writer {
	pthread_t thread;
	size_t slot;
	_Atomic bool *is_over;
	_Atomic size_t *running;
	uint64_t count;
};

static volatile uint64_t *word_of(size_t page, size_t slot)
{
	return (volatile uint64_t *)&bss_pages[page][slot * 64];
}

static void *write_counters(void *arg)
{
	struct writer *self = arg;

	atomic_fetch_add(self->running, 1);
	do {
		for (size_t page = 0; page < PAGES; page++) {
			++*word_of(page, self->slot);
		}
		self->count++;
	} while (!atomic_load(self->is_over));
	return NULL;
}

/* While writers write, `disturb` what they write to; then no increment may be missing. */
static void count_while(void (*disturb)(int rounds), int rounds)
{
	struct writer writers[WRITERS];
	_Atomic bool is_over = false;
	_Atomic size_t running = 0;

	for (size_t i = 0; i < WRITERS; i++) {
		writers[i] = (struct writer){.slot = i, .is_over = &is_over, .running = &running};
		for (size_t page = 0; page < PAGES; page++) {
			*word_of(page, i) = 0;
		}
		ck_assert_int_eq(pthread_create(&writers[i].thread, NULL, write_counters, &writers[i]), 0);
	}
	while (atomic_load(&running) < WRITERS) {
		sched_yield();
	}
	disturb(rounds);
	atomic_store(&is_over, true);
	for (size_t i = 0; i < WRITERS; i++) {
		ck_assert_int_eq(pthread_join(writers[i].thread, NULL), 0);
		for (size_t page = 0; page < PAGES; page++) {
			ck_assert_uint_eq(*word_of(page, i), writers[i].count);
		}
	}
}

static void adopt_all(int rounds)
{
	(void)rounds;
	for (size_t page = 0; page < PAGES; page++) {
		alias_drop(alias_of(bss_pages[page], RW));
	}
}

START_TEST(nothing_is_lost_while_pages_are_adopted)
{
	int rounds = harness_on_valgrind() ? 3 : 50;

	for (int round = 0; round < rounds; round++) {
		count_while(adopt_all, 1);
		ck_assert_int_eq(kmem_shutdown(), 0);
		ck_assert_msg(kmem_boot(NULL) == 0, "%s", kmem_boot_error());
	}
}
END_TEST

/* ---- fork ---- */

START_TEST(forked_programs_have_adopted_pages_of_their_own)
{
	volatile uint8_t *object = bss_pages[6];
	volatile uint8_t *plain = bss_pages[7];
	volatile uint8_t *alias = alias_of(object, RW);
	pid_t child;

	object[0] = 1;
	plain[0] = 1;
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		bool is_same = object[0] == 1 && alias[0] == 1 && plain[0] == 1;

		object[0] = 2;
		plain[0] = 2;
		is_same = is_same && alias[0] == 2;
		alias[1] = 3;
		is_same = is_same && object[1] == 3 && alias_of(plain, RW)[0] == 2;
		_exit(is_same && kmem_is_valid() && kmem_shutdown() == 0 && object[1] == 3 ? 0 : 1);
	}
	alias[1] = 4;
	ck_assert_int_eq(wait_for(child), 0);
	ck_assert_uint_eq(object[0], 1);
	ck_assert_uint_eq(object[1], 4);
	ck_assert_uint_eq(alias[0], 1);
	ck_assert_uint_eq(plain[0], 1);
	alias_drop((uint8_t *)alias);
}
END_TEST

/* Words that a child finds must not change any more, and those of the parent must. */
static void fork_often(int rounds)
{
	adopt_all(1);
	for (int round = 0; round < rounds; round++) {
		pid_t child = fork();

		ck_assert_int_ge(child, 0);
		if (child == 0) {
			uint64_t before = *word_of(3, 0);

			for (int i = 0; i < 10; i++) {
				sched_yield();
				*word_of(3, 1) = 0;
			}
			_exit(*word_of(3, 0) == before ? 0 : 1);
		}
		ck_assert_int_eq(wait_for(child), 0);
	}
}

START_TEST(nothing_is_lost_while_the_program_forks)
{
	count_while(fork_often, 10);
}
END_TEST

/* ---- death ---- */

/* What a child that does something says on standard error, and how it ends. */
static int die(void (*action)(void), char *text, size_t size)
{
	int pipes[2];
	size_t used = 0;
	ssize_t got;
	pid_t child;

	ck_assert_int_eq(pipe(pipes), 0);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		(void)dup2(pipes[1], STDERR_FILENO);
		action();
		_exit(0);
	}
	(void)close(pipes[1]);
	while (used < size - 1 && (got = read(pipes[0], text + used, size - 1 - used)) > 0) {
		used += (size_t)got;
	}
	text[used] = '\0';
	(void)close(pipes[0]);
	return wait_for(child);
}

/* Memory checkers have views of their own on constants and code. */
__attribute__((noinline, no_sanitize("address", "thread"))) static void write_to(const void *addr)
{
	volatile uint8_t *byte = (volatile uint8_t *)(uintptr_t)addr;

	__asm__ volatile("" : "+r"(byte));
	*byte = 1;
}

static void write_to_rodata(void)
{
	write_to(&rodata_page[3]);
}

static void write_to_text(void)
{
	write_to((void *)(uintptr_t)triple);
}

/* Pages that were adopted keep their permissions. */
static void write_to_adopted_rodata(void)
{
	(void)alias_of(rodata_page, RW);
	write_to(&rodata_page[3]);
}

static void write_to_adopted_text(void)
{
	(void)alias_of((void *)(uintptr_t)triple, RW);
	if (triple(14) == 42) {
		write_to((void *)(uintptr_t)triple);
	}
}

static void (*const deaths[])(void) = {
	write_to_rodata,
	write_to_text,
	write_to_adopted_rodata,
	write_to_adopted_text,
};

START_TEST(writes_to_constants_and_code_are_fatal)
{
	char text[2048];
	int status = die(deaths[_i], text, sizeof(text));

	ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, "status %#x, %s", (unsigned int)status, text);
#ifndef KMEM_TEST_PIE
	ck_assert_msg(strstr(text, "write to a read-only page") != NULL, "%s", text);
	ck_assert_msg(strstr(text, _i % 2 == 0 ? "rodata" : "text") != NULL, "%s", text);
#endif
}
END_TEST

/* ---- boot and shutdown ---- */

START_TEST(pages_and_contents_outlive_the_machine)
{
	volatile uint8_t *object = data_page;
	volatile uint8_t *alias;

	for (uint8_t round = 0; round < 5; round++) {
		alias = alias_of(object, RW);
		ck_assert_uint_eq(alias[20], object[20]);
		alias[20] = round;
		object[21] = round;
		(void)alias_of((void *)(uintptr_t)triple, RW | EXEC);
		(void)alias_of(rodata_page, RW);
		ck_assert_int_eq(kmem_shutdown(), 0);
		ck_assert_uint_eq(object[20], round);
		ck_assert_uint_eq(object[21], round);
		object[22] = round;
		ck_assert_int_eq(triple(round), 3 * round);
		ck_assert_uint_eq(((const volatile uint8_t *)rodata_page)[2], 6);
		ck_assert_msg(kmem_boot(NULL) == 0, "%s", kmem_boot_error());
		ck_assert_uint_eq(object[22], round);
		ck_assert_uint_eq(k_mem_free_get(), free_before);
	}
}
END_TEST

#ifdef KMEM_TEST_PIE

/* ---- the program lies elsewhere ---- */

START_TEST(machine_without_an_image_has_all_frames)
{
	struct kmem_layout layout;

	ck_assert_int_eq(kmem_layout_get(&layout), 0);
	ck_assert_uint_eq(layout.kernel_virt_start, layout.kernel_virt_end);
	ck_assert_uint_eq(k_mem_free_get(), K_MEM_PHYS_RAM_SIZE);
}
END_TEST

/* The program's pages are outside the VM range, and no page that pages. */
START_TEST(pages_of_the_program_cannot_go_out)
{
	EXPECT_PANIC(k_mem_unpin(data_page, PAGE), "");
	EXPECT_PANIC((void)k_mem_page_out(data_page, PAGE), "");
}
END_TEST

#else

/* ---- the program is the boot image ---- */

static unsigned long faults_now(void)
{
	return k_mem_num_pagefaults_get();
}

START_TEST(image_is_where_the_macros_say)
{
	struct kmem_layout layout;

	ck_assert_int_eq(kmem_layout_get(&layout), 0);
	ck_assert_uint_eq(layout.kernel_virt_start, (uintptr_t)K_MEM_KERNEL_VIRT_START);
	ck_assert_uint_eq(layout.kernel_virt_end, (uintptr_t)K_MEM_KERNEL_VIRT_END);
	ck_assert_uint_eq(layout.vm_free_start, (uintptr_t)K_MEM_VM_FREE_START);
	ck_assert_uint_eq(layout.virt_offset, (uintptr_t)K_MEM_VIRT_OFFSET);
	ck_assert_uint_eq(layout.virt_ram_end, (uintptr_t)K_MEM_VIRT_RAM_END);
	ck_assert_uint_eq(layout.phys_ram_start, K_MEM_PHYS_RAM_START);
	ck_assert_uint_eq(layout.phys_ram_end, K_MEM_PHYS_RAM_END);
	ck_assert_uint_eq(K_MEM_BOOT_VIRT_TO_PHYS(data_page), phys_of_data);
	ck_assert_ptr_eq(K_MEM_BOOT_PHYS_TO_VIRT(phys_of_data), data_page);
	k_mem_assert_virtual_region(data_page, PAGE);
}
END_TEST

/* Add up the image's regions. */
static int image_add(const struct kmem_region_info *region, void *arg)
{
	if (region->kind == KMEM_REGION_IMAGE) {
		ck_assert_uint_eq(region->phys, K_MEM_PHYS_ADDR(region->addr));
		*(size_t *)arg += region->size;
	}
	return 0;
}

START_TEST(image_takes_its_frames)
{
	struct kmem_usage usage;
	size_t bytes = 0;

	(void)kmem_region_walk(image_add, &bytes);
	ck_assert_uint_gt(bytes, PAGES * PAGE);
	ck_assert_uint_le(bytes, K_MEM_KERNEL_VIRT_SIZE);
	ck_assert_int_eq(kmem_usage_get(&usage), 0);
	ck_assert_uint_eq(usage.frames, K_MEM_NUM_PAGE_FRAMES);
	ck_assert_uint_eq(usage.frames_pinned * PAGE, bytes);
	ck_assert_uint_eq(k_mem_free_get(), K_MEM_PHYS_RAM_SIZE - bytes);
}
END_TEST

/* A page of the image, its permissions, and its frame. */
static void check_page(const volatile void *addr, uint32_t flags)
{
	uintptr_t page = (uintptr_t)addr / PAGE * PAGE;
	struct kmem_page_status status = status_of(addr);
	struct k_mem_page_frame *pf = k_mem_phys_to_page_frame(K_MEM_PHYS_ADDR(page));

	ck_assert_int_eq(status.state, KMEM_PAGE_STATE_IN);
	ck_assert_uint_eq(status.flags, flags);
	ck_assert_uint_eq(status.phys, K_MEM_PHYS_ADDR(page));
	ck_assert(status.pinned);
	ck_assert_uint_eq(pf->va_and_flags, page | K_MEM_PAGE_FRAME_MAPPED | K_MEM_PAGE_FRAME_PINNED);
	ck_assert_uint_eq((uintptr_t)k_mem_page_frame_to_virt(pf), page);
	ck_assert_uint_eq(k_mem_page_frame_to_phys(pf), K_MEM_PHYS_ADDR(page));
	ck_assert(!k_mem_page_frame_is_evictable(pf));
}

START_TEST(pages_have_the_permissions_of_their_sections)
{
	check_page((void *)(uintptr_t)triple, EXEC);
	check_page(rodata_page, 0);
	check_page(data_page, RW);
	check_page(bss_pages[0], RW);
	check_page(k_mem_page_frames, RW);
	check_page(K_MEM_KERNEL_VIRT_START, status_of(K_MEM_KERNEL_VIRT_START).flags & EXEC);
	check_page(K_MEM_KERNEL_VIRT_END - 1, RW);
	ck_assert_int_eq(status_of(K_MEM_KERNEL_VIRT_END).state, KMEM_PAGE_STATE_UNMAPPED);
}
END_TEST

START_TEST(frame_database_is_the_programs_own)
{
	struct kmem_usage usage;
	struct k_mem_page_frame *pf;
	uintptr_t phys;
	size_t free_count = 0;
	size_t pinned = 0;

	K_MEM_PAGE_FRAME_FOREACH(phys, pf)
	{
		ck_assert_uint_eq(k_mem_page_frame_to_phys(pf), phys);
		free_count += k_mem_page_frame_is_free(pf) ? 1 : 0;
		pinned += !k_mem_page_frame_is_free(pf) && k_mem_page_frame_is_pinned(pf) ? 1 : 0;
	}
	ck_assert_int_eq(kmem_usage_get(&usage), 0);
	ck_assert_uint_eq(free_count, usage.frames_free);
	ck_assert_uint_eq(pinned, usage.frames_pinned);
}
END_TEST

START_TEST(image_cannot_be_unmapped)
{
	/* No mapping begins there: Zephyr's assertion is about neighbours, and nothing happens. */
	k_mem_unmap(data_page, PAGE);
	check_page(data_page, RW);
	EXPECT_PANIC(k_mem_unmap_phys_bare(data_page, PAGE), "");
	check_page(data_page, RW);
	data_page[40] = 1;
}
END_TEST

START_TEST(pinned_pages_of_the_image_stay)
{
	EXPECT_PANIC((void)k_mem_page_out(data_page, PAGE), "");
	EXPECT_PANIC((void)k_mem_page_frame_evict(phys_of_data), "");
	k_mem_page_in(data_page, PAGE);
	k_mem_pin(data_page, PAGE);
	check_page(data_page, RW);
}
END_TEST

START_TEST(static_pages_go_out_and_come_in)
{
	unsigned long faults = faults_now();

	for (size_t i = 0; i < PAGES; i++) {
		memset(bss_pages[i], (int)i + 1, PAGE);
	}
	k_mem_unpin(bss_pages, sizeof(bss_pages));
	ck_assert_uint_eq(k_mem_free_get(), free_before);
	ck_assert(!status_of(bss_pages[0]).pinned);
	ck_assert_int_eq(k_mem_page_out(bss_pages, sizeof(bss_pages)), 0);
	ck_assert_uint_eq(k_mem_free_get(), free_before + sizeof(bss_pages));
	ck_assert_int_eq(status_of(bss_pages[0]).state, KMEM_PAGE_STATE_OUT);
	ck_assert_uint_eq(faults_now(), faults);
	for (size_t i = 0; i < PAGES; i++) {
		ck_assert_uint_eq(bss_pages[i][PAGE - 1], i + 1);
		ck_assert_uint_eq(bss_pages[i][0], i + 1);
		ck_assert_uint_eq(faults_now(), faults + i + 1);
	}
	ck_assert_int_eq(k_mem_page_out(bss_pages, 2 * PAGE), 0);
	k_mem_page_in(bss_pages, 2 * PAGE);
	ck_assert_uint_eq(faults_now(), faults + PAGES + 2);
	k_mem_pin(bss_pages, sizeof(bss_pages));
	ck_assert_uint_eq(faults_now(), faults + PAGES + 2);
	ck_assert_uint_eq(k_mem_free_get(), free_before);
	ck_assert_uint_eq(bss_pages[1][7], 2);
}
END_TEST

/* Constants and code may go out as well, though only a copy that is kept spares the store. */
START_TEST(constants_and_code_go_out_and_come_in)
{
	int (*volatile call)(int) = triple; /* what is known of a function must not stand in for it */
	void *code = (void *)(uintptr_t)triple;
	unsigned long faults = faults_now();

	k_mem_unpin((void *)(uintptr_t)rodata_page, PAGE);
	k_mem_unpin(code, PAGE);
	ck_assert_int_eq(k_mem_page_out((void *)(uintptr_t)rodata_page, PAGE), 0);
	ck_assert_uint_eq(((const volatile uint8_t *)rodata_page)[1], 5);
	ck_assert_uint_eq(faults_now(), faults + 1);
	ck_assert_int_eq(k_mem_page_out(code, PAGE), 0);
	ck_assert_int_eq(call(3), 9);
	ck_assert_uint_eq(faults_now(), faults + 2);
	EXPECT_TRAP(write_to(rodata_page), KMEM_FAULT_READ_ONLY, rodata_page);
	EXPECT_TRAP(write_to(code), KMEM_FAULT_READ_ONLY, code);
}
END_TEST

START_TEST(flags_of_a_static_page_may_change)
{
	volatile uint8_t *object = bss_pages[8];

	object[0] = 8;
	ck_assert_int_eq(k_mem_update_flags((void *)(uintptr_t)object, PAGE, 0), 0);
	ck_assert_uint_eq(status_of(object).flags, 0);
	ck_assert_uint_eq(object[0], 8);
	EXPECT_TRAP(object[0] = 9, KMEM_FAULT_READ_ONLY, object);
	ck_assert_int_eq(k_mem_update_flags((void *)(uintptr_t)object, PAGE, RW), 0);
	object[0] = 10;
	ck_assert_uint_eq(object[0], 10);
	ck_assert_uint_eq(object[1], object[2]);
}
END_TEST

/* Flags that are changed stay changed when the page is adopted. */
START_TEST(flags_of_a_static_page_outlive_its_adoption)
{
	volatile uint8_t *object = bss_pages[9];
	volatile uint8_t *alias;

	object[0] = 8;
	ck_assert_int_eq(k_mem_update_flags((void *)(uintptr_t)object, PAGE, 0), 0);
	alias = alias_of(object, RW);
	alias[0] = 9;
	ck_assert_uint_eq(object[0], 9);
	EXPECT_TRAP(object[0] = 10, KMEM_FAULT_READ_ONLY, object);
	ck_assert_int_eq(k_mem_update_flags((void *)(uintptr_t)object, PAGE, RW), 0);
	object[0] = 11;
	ck_assert_uint_eq(alias[0], 11);
	alias_drop((uint8_t *)alias);
}
END_TEST

START_TEST(frame_database_stays_pinned)
{
	size_t index = _i == 0 ? 0 : K_MEM_NUM_PAGE_FRAMES - 1;
	uint8_t *page = (uint8_t *)((uintptr_t)&k_mem_page_frames[index] / PAGE * PAGE);

	k_mem_unpin(page, PAGE);
	check_page(page, RW);
	EXPECT_PANIC((void)k_mem_page_out(page, PAGE), "");
	check_page(page, RW);
}
END_TEST

START_TEST(frame_database_may_be_seen_elsewhere)
{
	uint8_t *page = (uint8_t *)((uintptr_t)k_mem_phys_to_page_frame(phys_of_data) / PAGE * PAGE);
	size_t offset = (uintptr_t)k_mem_phys_to_page_frame(phys_of_data) % PAGE;
	struct k_mem_page_frame *ro = (struct k_mem_page_frame *)(alias_of(page, 0) + offset);
	void *more = k_mem_map(PAGE, RW);

	ck_assert_uint_eq(ro->va_and_flags, k_mem_phys_to_page_frame(phys_of_data)->va_and_flags);
	ck_assert(kmem_is_valid());
	k_mem_unmap(more, PAGE);
	alias_drop((uint8_t *)ro - offset);
}
END_TEST

static void page_all(int rounds)
{
	for (int round = 0; round < rounds; round++) {
		size_t page = (size_t)round % PAGES;

		if (round % 3 == 0) {
			alias_drop(alias_of(bss_pages[(page + 5) % PAGES], RW));
		}
		k_mem_unpin(bss_pages[page], 2 * PAGE > sizeof(bss_pages) - page * PAGE ? PAGE : 2 * PAGE);
		ck_assert_int_eq(k_mem_page_out(bss_pages[page], PAGE), 0);
		k_mem_pin(bss_pages[(page + 8) % PAGES], PAGE);
	}
}

START_TEST(nothing_is_lost_while_static_pages_come_and_go)
{
	count_while(page_all, harness_on_valgrind() ? 100 : 3000);
}
END_TEST

START_TEST(forked_programs_have_static_pages_of_their_own_that_are_out)
{
	pid_t child;

	memset(bss_pages, 'o', sizeof(bss_pages));
	k_mem_unpin(bss_pages, sizeof(bss_pages));
	ck_assert_int_eq(k_mem_page_out(bss_pages, PAGES / 2 * PAGE), 0);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		bool is_same = bss_pages[0][1] == 'o' && bss_pages[PAGES - 1][1] == 'o';

		memset(bss_pages, 'c', sizeof(bss_pages));
		_exit(is_same && kmem_is_valid() && kmem_shutdown() == 0 && bss_pages[0][0] == 'c' ? 0 : 1);
	}
	ck_assert_int_eq(wait_for(child), 0);
	for (size_t i = 0; i < PAGES; i++) {
		ck_assert_uint_eq(bss_pages[i][0], 'o');
	}
}
END_TEST

START_TEST(pages_that_are_out_are_given_back_with_their_contents)
{
	for (uint8_t round = 1; round < 5; round++) {
		memset(bss_pages, round, sizeof(bss_pages));
		k_mem_unpin(bss_pages, sizeof(bss_pages));
		ck_assert_int_eq(k_mem_page_out(bss_pages, PAGES / 2 * PAGE), 0);
		ck_assert_int_eq(kmem_shutdown(), 0);
		for (size_t i = 0; i < PAGES; i++) {
			ck_assert_uint_eq(bss_pages[i][PAGE / 2], round);
		}
		ck_assert_msg(kmem_boot(NULL) == 0, "%s", kmem_boot_error());
		check_page(bss_pages[0], RW);
		ck_assert_uint_eq(bss_pages[PAGES - 1][0], round);
	}
}
END_TEST

/* A page that came in to another frame has another physical address; its boot address shows what is there now. */
START_TEST(static_pages_may_move_to_other_frames)
{
	uint8_t *object = bss_pages[10];
	uint8_t *others;
	uint8_t *other;
	size_t size;

	object[0] = 77;
	k_mem_unpin(object, PAGE);
	ck_assert_int_eq(k_mem_page_out(object, PAGE), 0);
	/* Its own frame is the first that it would get: others have all of them, until one of them gives back another frame. */
	size = k_mem_free_get();
	others = k_mem_map(size, K_MEM_PERM_RW);
	ck_assert_ptr_nonnull(others);
	memset(others, 1, size);
	other = status_of(others).phys != K_MEM_PHYS_ADDR((uintptr_t)object) ? others : others + PAGE;
	ck_assert_int_eq(k_mem_page_out(other, PAGE), 0);
	ck_assert_uint_eq(object[0], 77);
	k_mem_unmap(others, size);
	ck_assert_uint_ne(status_of(object).phys, K_MEM_PHYS_ADDR((uintptr_t)object));
	ck_assert_uint_eq(phys_of(object), K_MEM_PHYS_ADDR((uintptr_t)object));
	other = alias_of((void *)object, RW);
	other[0] = 78;
	ck_assert_uint_eq(object[0], 77);
	alias_drop(other);
}
END_TEST

static void add_boot_image(Suite *suite)
{
	TCase *image = tcase_create("boot image");
	TCase *paging = tcase_create("static pages");

	tcase_add_checked_fixture(image, setup, teardown);
	tcase_add_test(image, image_is_where_the_macros_say);
	tcase_add_test(image, image_takes_its_frames);
	tcase_add_test(image, pages_have_the_permissions_of_their_sections);
	tcase_add_test(image, frame_database_is_the_programs_own);
	tcase_add_test(image, image_cannot_be_unmapped);
	tcase_add_test(image, pinned_pages_of_the_image_stay);
	tcase_add_loop_test(image, frame_database_stays_pinned, 0, 2);
	tcase_add_test(image, frame_database_may_be_seen_elsewhere);
	if (!is_static()) {
		tcase_add_test(image, constants_and_code_go_out_and_come_in);
	}
	suite_add_tcase(suite, image);

	tcase_add_checked_fixture(paging, setup, teardown);
	tcase_set_timeout(paging, 300);
	if (!is_static()) {
		tcase_add_test(paging, flags_of_a_static_page_may_change);
		tcase_add_test(paging, flags_of_a_static_page_outlive_its_adoption);
		tcase_add_test(paging, static_pages_go_out_and_come_in);
		tcase_add_test(paging, nothing_is_lost_while_static_pages_come_and_go);
		tcase_add_test(paging, pages_that_are_out_are_given_back_with_their_contents);
		tcase_add_test(paging, static_pages_may_move_to_other_frames);
		if (!harness_on_valgrind()) { /* it does not know of MADV_DONTFORK */
			tcase_add_test(paging, forked_programs_have_static_pages_of_their_own_that_are_out);
		}
	}
	suite_add_tcase(suite, paging);
}

#endif /* KMEM_TEST_PIE */

Suite *kmem_test_suite(void)
{
	Suite *suite = suite_create("image");
	TCase *any = tcase_create("any");
	TCase *threads = tcase_create("threads");
	TCase *forks = tcase_create("forks");
	TCase *death = tcase_create("death");

	tcase_add_checked_fixture(any, setup, teardown);
	tcase_add_test(any, physical_addresses_of_static_objects_are_arithmetic);
	tcase_add_test(any, physical_addresses_of_other_memory_are_asserted_against);
	tcase_add_loop_test(any, alias_and_object_are_the_same_bytes, 0, 2);
	tcase_add_test(any, read_only_alias_follows_the_object);
	tcase_add_test(any, code_runs_at_an_alias);
	tcase_add_test(any, writable_alias_of_constants_changes_them);
	tcase_add_test(any, unaligned_aliases_of_several_pages);
	tcase_add_test(any, guarded_alias_is_zeroed_unless_asked_otherwise);
	tcase_add_test(any, pages_and_contents_outlive_the_machine);
#ifdef KMEM_TEST_PIE
	tcase_add_test(any, machine_without_an_image_has_all_frames);
	tcase_add_test(any, pages_of_the_program_cannot_go_out);
#endif
	suite_add_tcase(suite, any);
#ifndef KMEM_TEST_PIE
	add_boot_image(suite);
#endif
	tcase_add_checked_fixture(threads, setup, teardown);
	tcase_set_timeout(threads, 300);
	tcase_add_test(threads, nothing_is_lost_while_pages_are_adopted);
	suite_add_tcase(suite, threads);

	tcase_add_checked_fixture(forks, setup, teardown);
	tcase_set_timeout(forks, 300);
	if (!harness_on_valgrind()) { /* it does not know of MADV_DONTFORK */
		tcase_add_test(forks, forked_programs_have_adopted_pages_of_their_own);
		tcase_add_test(forks, nothing_is_lost_while_the_program_forks);
	}
	suite_add_tcase(suite, forks);

	tcase_add_checked_fixture(death, setup, teardown);
	if (!harness_on_valgrind()) {
		tcase_add_loop_test(death, writes_to_constants_and_code_are_fatal, 0,
				    (int)(sizeof(deaths) / sizeof(deaths[0])));
	}
	suite_add_tcase(suite, death);
	return suite;
}
