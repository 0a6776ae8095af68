/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract of engines (lib/machine/engine.h), at the machine: every case runs on every engine that this host has, through the MMU
 * that is their only caller, and what the host allows is found out by accesses.
 *
 * Words. A page's *word* is its number and the times that it was written, in every machine word of the page's first and last host page.
 */
#include "harness.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <kmem/kmem.h>

#include "host/copy.h"
#include "host/failpoint.h"
#include "host/memory.h"
#include "host/thread.h"
#include "machine/engine.h"
#include "machine/home.h"
#include "machine/mmu.h"
#include "machine/ram.h"
#include "machine/trap.h"

#define RW K_MEM_PERM_RW
#define READ_ONLY 0U
#define RAM_BASE 0x80000000UL
#define LOCATION 0x7000UL /* no store is asked */

/* ---- machines: an engine and a page size each ---- */

static const char *const engine_names[] = {"mmap", "guard", "uffd"};
static const size_t page_sizes[] = {4096, 16384};

#define ENGINES ((int)(sizeof(engine_names) / sizeof(engine_names[0])))
#define MACHINES (ENGINES * (int)(sizeof(page_sizes) / sizeof(page_sizes[0])))

static struct harness_leaks leaks;

static struct {
	const struct kmem_engine *engine;
	uintptr_t base;
	size_t page;
	size_t pages;
	size_t frames;
} machine;

/* Whether an access that traps waits until it does not, or is given up, as copies can be. */
static _Atomic bool is_waiting;

static bool vector(struct kmem_trap *trap)
{
	(void)trap;
	if (!atomic_load(&is_waiting)) {
		return false;
	}
	sched_yield();
	return true;
}

/* The machine of a loop's number with so much of everything. False, and a word why, where the host has none. */
static bool machine_start(int number, size_t pages, size_t frames)
{
	const char *name = engine_names[number % ENGINES];
	const char *reason;
	struct kmem_mmu_params params;

	machine.engine = kmem_engine_find(name, &reason);
	machine.page = page_sizes[number / ENGINES];
	machine.pages = pages;
	machine.frames = frames;
	machine.base = harness_on_asan() ? 0x200000000000UL : 0x400000000UL;
	if (machine.engine == NULL || machine.page % kmem_host_page_size() != 0) {
		printf("skipped: engine %s, pages of %zu bytes: %s\n", name, machine.page, reason);
		return false;
	}
	harness_leaks_begin(&leaks);
	atomic_store(&is_waiting, false);
	ck_assert_int_eq(kmem_thread_altstack_create(), 0);
	ck_assert_int_eq(kmem_trap_init(vector), 0);
	ck_assert_int_eq(kmem_ram_init(RAM_BASE, frames * machine.page, machine.page), 0);
	params = (struct kmem_mmu_params){
		.engine = machine.engine,
		.range = {machine.base, pages * machine.page, machine.page, RAM_BASE, frames * machine.page},
	};
	ck_assert_int_eq(kmem_mmu_init(&params), 0);
	return true;
}

static void machine_finish(void)
{
	ck_assert(kmem_mmu_is_valid(machine.base, machine.pages * machine.page, false));
	kmem_mmu_finish();
	kmem_ram_finish();
	kmem_trap_finish();
	kmem_thread_altstack_destroy();
	harness_leaks_check(&leaks);
}

static uintptr_t page_at(size_t page)
{
	return machine.base + page * machine.page;
}

static uintptr_t frame_at(size_t frame)
{
	return RAM_BASE + frame * machine.page;
}

/* ---- accesses ---- */

static bool can_read(uintptr_t addr)
{
	uint8_t value;

	return kmem_copy(&value, (const void *)addr, 1) == 1;
}

/* What is there stays, where that can be known. */
static bool can_write(uintptr_t addr)
{
	uint8_t value = 0;

	(void)kmem_copy(&value, (const void *)addr, 1);
	return kmem_copy((void *)addr, &value, 1) == 1;
}

/* What an access finds is what the entry says. (Check writes to a file for every assertion.) */
static void check_allowed(size_t page)
{
	unsigned int prot = kmem_pte_prot(kmem_pte_get(page_at(page)));
	const uintptr_t ends[] = {page_at(page), page_at(page + 1) - 1};

	for (int i = 0; i < 2; i++) {
		unsigned int found = (can_read(ends[i]) ? KMEM_PROT_READ : 0U) | (can_write(ends[i]) ? KMEM_PROT_WRITE : 0U);

		if (found != (prot & (KMEM_PROT_READ | KMEM_PROT_WRITE))) {
			ck_abort_msg("page %zu: %#x is allowed, %#x is found", page, prot, found);
		}
	}
}

/* ---- words of pages ---- */

#define WORDS (kmem_host_page_size() / sizeof(uint64_t))

static uint64_t word_of(size_t page, unsigned int written)
{
	return (uint64_t)page << 32 | written;
}

/* The first words of the first host page, and the last of the last one. */
static uint64_t *word_at(void *bytes, size_t index)
{
	size_t host_page = kmem_host_page_size();
	uint8_t *start = bytes;

	return (uint64_t *)(index < WORDS / 2 ? start : start + machine.page - host_page) + index;
}

static void words_write(void *bytes, size_t page, unsigned int written)
{
	for (size_t i = 0; i < WORDS; i++) {
		*word_at(bytes, i) = word_of(page, written);
	}
}

static void words_check(void *bytes, size_t page, unsigned int written)
{
	size_t wrong = 0;

	for (size_t i = 0; i < WORDS; i++) {
		wrong += *word_at(bytes, i) != word_of(page, written);
	}
	if (wrong != 0) {
		ck_abort_msg("page %zu: %zu words wrong, the first: %#llx", page, wrong, (unsigned long long)*word_at(bytes, 0));
	}
}

/* ---- pages that come and go ---- */

/* A page that is out gets a frame with its words, and can be accessed, for writing only if it is dirty. 0 or -errno, out again. */
static int page_in(size_t page, size_t frame, uint32_t flags, unsigned int written, bool is_dirty)
{
	uintptr_t addr = page_at(page);
	int ret;

	kmem_mmu_page_in_begin(addr);
	ret = kmem_mmu_page_back(addr, frame_at(frame), flags);
	if (ret == 0) {
		words_write(kmem_mmu_bytes(addr, frame_at(frame)), page, written);
		ret = kmem_mmu_page_in_end(addr, frame_at(frame), is_dirty);
		if (ret != 0) {
			kmem_mmu_page_drop(addr, frame_at(frame));
		}
	}
	if (ret != 0) {
		kmem_mmu_page_in_undo(addr);
	}
	return ret;
}

static void page_map(size_t page, size_t frame, uint32_t flags, bool is_dirty)
{
	kmem_mmu_map_out(page_at(page), LOCATION, 0, machine.page, flags);
	ck_assert_int_eq(page_in(page, frame, flags, 0, is_dirty), 0);
	check_allowed(page);
}

/* A page goes out of its frame, with these words. */
static int page_out(size_t page, size_t frame, unsigned int written)
{
	uintptr_t addr = page_at(page);
	int ret = kmem_mmu_page_out_begin(addr);

	if (ret != 0) {
		return ret;
	}
	words_check(kmem_mmu_bytes(addr, frame_at(frame)), page, written);
	kmem_mmu_page_out_end(addr, LOCATION);
	return 0;
}

static void unmap(size_t page, size_t count)
{
	ck_assert_int_eq(kmem_mmu_unmap(page_at(page), count * machine.page), 0);
	for (size_t i = 0; i < count; i++) {
		check_allowed(page + i);
	}
}

/* Pages of most tests, more than a chunk of whatever an engine makes ready at a time. */
#define PAGES 1200UL
#define FRAMES 256UL

#define START(number)                                                                                                  \
	do {                                                                                                           \
		if (!machine_start(number, PAGES, FRAMES)) {                                                           \
			return;                                                                                        \
		}                                                                                                      \
	} while (0)

START_TEST(bytes_go_in_and_come_out)
{
	START(_i);
	for (size_t page = 0; page < PAGES; page += 97) {
		page_map(page, page % FRAMES, RW, true);
		words_check((void *)page_at(page), page, 0);
		words_write((void *)page_at(page), page, 1);
		ck_assert_int_eq(page_out(page, page % FRAMES, 1), 0);
		check_allowed(page);
		/* In another frame, with other bytes. */
		ck_assert_int_eq(page_in(page, (page + 5) % FRAMES, RW, 2, true), 0);
		words_check((void *)page_at(page), page, 2);
		unmap(page, 1);
	}
	machine_finish();
}
END_TEST

START_TEST(reading_does_not_allow_writing)
{
	START(_i);
	page_map(3, 0, RW, false);
	page_map(4, 1, READ_ONLY, true);
	page_map(5, 2, RW, true);
	words_check((void *)page_at(3), 3, 0);
	words_check((void *)page_at(4), 4, 0);
	ck_assert(!can_write(page_at(3)));
	ck_assert(can_write(page_at(5)));
	/* The first write, seen. */
	ck_assert_int_eq(kmem_mmu_page_access(page_at(3), true), 0);
	check_allowed(3);
	words_check((void *)page_at(3), 3, 0);
	words_write((void *)page_at(3), 3, 1);
	ck_assert_int_eq(page_out(3, 0, 1), 0);
	ck_assert_int_eq(page_out(4, 1, 0), 0);
	unmap(3, 3);
	machine_finish();
}
END_TEST

START_TEST(concealed_pages_keep_their_bytes)
{
	START(_i);
	page_map(0, 7, RW, false);
	page_map(1, 9, RW, true);
	page_map(2, 8, READ_ONLY, false);
	words_write((void *)page_at(1), 1, 1);
	for (int round = 0; round < 3; round++) {
		ck_assert_int_eq(kmem_mmu_conceal(page_at(0), 3 * machine.page), 0);
		for (size_t page = 0; page < 3; page++) {
			check_allowed(page);
			words_check(kmem_mmu_bytes(page_at(page), kmem_pte_addr(kmem_pte_get(page_at(page)))), page, page == 1);
			ck_assert_int_eq(kmem_mmu_page_access(page_at(page), false), 0);
			check_allowed(page);
			words_check((void *)page_at(page), page, page == 1);
		}
	}
	/* One that was to go out, and stays. */
	ck_assert_int_eq(kmem_mmu_page_out_begin(page_at(0)), 0);
	check_allowed(0);
	kmem_mmu_page_out_undo(page_at(0));
	ck_assert_int_eq(kmem_mmu_expose(page_at(0), machine.page), 0);
	words_check((void *)page_at(0), 0, 0);
	unmap(0, 3);
	machine_finish();
}
END_TEST

START_TEST(permissions_change_both_ways)
{
	static const uint32_t flags[] = {READ_ONLY, RW, KMEM_PERM_NO_ACCESS, RW, READ_ONLY, KMEM_PERM_NO_ACCESS, READ_ONLY, RW};

	START(_i);
	for (size_t page = 10; page < 14; page++) {
		page_map(page, page, RW, true);
	}
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		ck_assert_int_eq(kmem_mmu_flags_set(page_at(11), 2 * machine.page, flags[i]), 0);
		for (size_t page = 10; page < 14; page++) {
			check_allowed(page);
		}
		if (flags[i] != KMEM_PERM_NO_ACCESS) {
			ck_assert_int_eq(kmem_mmu_expose(page_at(11), 2 * machine.page), 0);
			check_allowed(11);
			words_check((void *)page_at(11), 11, 0);
			words_check((void *)page_at(12), 12, 0);
		}
	}
	unmap(10, 4);
	machine_finish();
}
END_TEST

START_TEST(moved_pages_take_their_bytes_along)
{
	START(_i);
	page_map(20, 3, RW, true);
	page_map(21, 4, RW, false);
	words_write((void *)page_at(20), 20, 6);
	ck_assert_int_eq(kmem_mmu_conceal(page_at(20), 2 * machine.page), 0);
	ck_assert_int_eq(kmem_mmu_move_prepare(page_at(20), 2 * machine.page), 0);
	kmem_mmu_move(page_at(20), 2 * machine.page, page_at(PAGES - 10));
	check_allowed(20);
	check_allowed(21);
	check_allowed(PAGES - 10);
	ck_assert_int_eq(kmem_mmu_expose(page_at(PAGES - 10), 2 * machine.page), 0);
	check_allowed(PAGES - 10);
	words_check((void *)page_at(PAGES - 10), 20, 6);
	words_check((void *)page_at(PAGES - 9), 21, 0);
	unmap(PAGES - 10, 2);
	/* The place can be used again. */
	page_map(20, 3, RW, true);
	unmap(20, 1);
	machine_finish();
}
END_TEST

START_TEST(a_shared_frame_is_seen_at_every_address)
{
	START(_i);
	page_map(30, 17, RW, true);
	page_map(31, 18, RW, true);
	words_write((void *)page_at(30), 30, 1);
	ck_assert_int_eq(kmem_mmu_frame_share(frame_at(17), page_at(30)), 0);
	ck_assert_int_eq(kmem_mmu_frame_share(frame_at(19), 0), 0);
	check_allowed(30);
	words_check((void *)page_at(30), 30, 1);
	/* Two more addresses, among own pages and in a part that was not used yet. */
	ck_assert_int_eq(kmem_mmu_map(page_at(32), frame_at(17), machine.page, RW), 0);
	ck_assert_int_eq(kmem_mmu_map(page_at(PAGES - 2), frame_at(17), machine.page, READ_ONLY), 0);
	check_allowed(PAGES - 2);
	words_write((void *)page_at(32), 30, 2);
	words_check((void *)page_at(30), 30, 2);
	words_check((void *)page_at(PAGES - 2), 30, 2);
	words_check(kmem_ram_bytes(frame_at(17)), 30, 2);
	/* Own pages come up around it, and in its place. */
	page_map(PAGES - 3, 40, RW, true);
	page_map(33, 41, RW, false);
	unmap(32, 1);
	page_map(32, 42, RW, true);
	check_allowed(PAGES - 2);
	words_check((void *)page_at(PAGES - 2), 30, 2);
	words_check((void *)page_at(31), 31, 0);
	unmap(PAGES - 2, 1);
	page_map(PAGES - 2, 43, RW, false);
	unmap(30, 4);
	unmap(PAGES - 3, 2);
	machine_finish();
}
END_TEST

START_TEST(executable_pages_run)
{
	START(_i);
	page_map(50, 1, RW, true);
	page_map(51, 2, RW, true);
	ck_assert_int_eq(kmem_mmu_flags_set(page_at(51), machine.page, RW | K_MEM_PERM_EXEC), 0);
	check_allowed(51);
	words_check((void *)page_at(51), 51, 0);
#ifdef __x86_64__
	static const uint8_t code[] = {0xb8, 42, 0, 0, 0, 0xc3}; /* mov $42, %eax; ret */
	union {
		uintptr_t addr;
		int (*call)(void);
	} entry = {page_at(51)};

	memcpy((void *)page_at(51), code, sizeof(code));
	ck_assert_int_eq(entry.call(), 42);
#endif
	ck_assert_int_eq(kmem_mmu_flags_set(page_at(51), machine.page, RW), 0);
	unmap(50, 2);
	page_map(51, 2, RW | K_MEM_PERM_EXEC, true);
	words_check((void *)page_at(51), 51, 0);
	unmap(51, 1);
	machine_finish();
}
END_TEST

/* ---- whatever comes, what is allowed and what is there agree with a model ---- */

/* Pages of the model lie apart, so that runs are short and long, and near the end of what is made ready together. */
#define MODEL_PAGES 96UL
#define MODEL_FIRST 480UL

static struct {
	bool is_mapped;
	bool is_in;
	size_t frame;
	uint32_t flags;
	unsigned int written;
} model[MODEL_PAGES];

static bool frame_used[FRAMES];
static uint64_t seed;

static uint64_t below(uint64_t limit)
{
	return harness_random(&seed) % limit;
}

static uintptr_t model_at(size_t i)
{
	return page_at(MODEL_FIRST + i);
}

static void model_clear(void)
{
	memset(model, 0, sizeof(model));
	memset(frame_used, 0, sizeof(frame_used));
}

static size_t frame_take(void)
{
	size_t frame = below(FRAMES);

	while (frame_used[frame]) {
		frame = (frame + 1) % FRAMES;
	}
	frame_used[frame] = true;
	return frame;
}

static void model_leave(size_t i)
{
	if (model[i].is_in) {
		frame_used[model[i].frame] = false;
	}
	model[i].is_in = false;
}

static enum kmem_pte_state model_state(size_t i)
{
	if (!model[i].is_mapped) {
		return KMEM_PTE_UNMAPPED;
	}
	return model[i].is_in ? KMEM_PTE_IN : KMEM_PTE_OUT;
}

static void model_check(void)
{
	for (size_t i = 0; i < MODEL_PAGES; i++) {
		uintptr_t addr = model_at(i);
		unsigned int prot = kmem_pte_prot(kmem_pte_get(addr));

		if (kmem_pte_state(kmem_pte_get(addr)) != model_state(i)) {
			ck_abort_msg("page %zu is in another state", i);
		}
		check_allowed(MODEL_FIRST + i);
		if (!model[i].is_in) {
			continue;
		}
		if (prot == KMEM_PROT_NONE) {
			words_check(kmem_mmu_bytes(addr, frame_at(model[i].frame)), i, model[i].written);
			continue;
		}
		words_check((void *)addr, i, model[i].written);
		if ((prot & KMEM_PROT_WRITE) != 0 && below(2) == 0) {
			words_write((void *)addr, i, ++model[i].written);
		}
	}
}

/* Some pages of the model that pass, in ascending order: their number. */
static size_t model_some(size_t *some, size_t limit, bool is_in)
{
	size_t density = 1 + below(4);
	size_t count = 0;

	for (size_t i = below(MODEL_PAGES); i < MODEL_PAGES && count < limit; i++) {
		if (model[i].is_mapped && model[i].is_in == is_in && below(density) == 0) {
			some[count++] = i;
		}
	}
	return count;
}

#define BATCH 24

static int model_batch_in(void)
{
	struct kmem_mmu_page pages[BATCH];
	size_t some[BATCH];
	size_t count = model_some(some, BATCH, false);
	int ret = 0;

	for (size_t n = 0; n < count; n++) {
		size_t i = some[n];
		size_t frame = frame_take();
		int backed = kmem_mmu_page_back(model_at(i), frame_at(frame), model[i].flags);

		if (backed != 0) {
			frame_used[frame] = false;
			ret = backed;
			count = n;
			break;
		}
		words_write(kmem_mmu_bytes(model_at(i), frame_at(frame)), i, model[i].written);
		kmem_mmu_page_in_begin(model_at(i));
		pages[n] = (struct kmem_mmu_page){.addr = model_at(i), .phys = frame_at(frame), .is_dirty = below(2) != 0,
						  .is_exposed = below(4) != 0};
		model[i].frame = frame;
	}
	if (ret == 0) {
		ret = kmem_mmu_pages_expose(pages, count);
	}
	for (size_t n = 0; n < count; n++) {
		size_t i = some[n];

		model[i].is_in = true;
		if (ret == 0) {
			kmem_mmu_page_in_done(&pages[n]);
			continue;
		}
		kmem_mmu_page_drop(pages[n].addr, pages[n].phys);
		kmem_mmu_page_in_undo(pages[n].addr);
		model_leave(i);
	}
	return ret;
}

static int model_batch_out(void)
{
	struct kmem_mmu_page pages[BATCH];
	size_t some[BATCH];
	size_t count = model_some(some, BATCH, true);
	int ret;

	for (size_t n = 0; n < count; n++) {
		pages[n] = (struct kmem_mmu_page){.addr = model_at(some[n])};
		kmem_mmu_page_out_mark(&pages[n]);
	}
	ret = kmem_mmu_pages_conceal(pages, count);
	for (size_t n = 0; n < count; n++) {
		size_t i = some[n];

		if (ret != 0) {
			kmem_mmu_page_out_unmark(&pages[n]);
			continue;
		}
		words_check(kmem_mmu_bytes(pages[n].addr, pages[n].phys), i, model[i].written);
		/* Some stay. */
		if (below(8) == 0) {
			kmem_mmu_page_out_undo(pages[n].addr);
			continue;
		}
		kmem_mmu_page_out_end(pages[n].addr, LOCATION);
		model_leave(i);
	}
	return ret;
}

/* What is exposed by its entry is, after a failure that may have concealed it. */
static void model_repair(void)
{
	for (size_t i = 0; i < MODEL_PAGES; i++) {
		uintptr_t addr = model_at(i);
		kmem_pte pte = kmem_pte_get(addr);
		struct kmem_mmu_page page = {
			.addr = addr, .phys = kmem_pte_addr(pte), .is_dirty = (pte & KMEM_PTE_DIRTY) != 0, .is_exposed = true};

		if (kmem_pte_prot(pte) != KMEM_PROT_NONE) {
			ck_assert_int_eq(kmem_mmu_pages_expose(&page, 1), 0);
		}
	}
}

static const uint32_t model_flags[] = {RW, RW, READ_ONLY, KMEM_PERM_NO_ACCESS, RW | K_MEM_PERM_EXEC};

static uint32_t flags_any(void)
{
	return model_flags[below(sizeof(model_flags) / sizeof(model_flags[0]))];
}

static int model_map(size_t first, size_t count)
{
	for (size_t i = first; i < first + count; i++) {
		if (!model[i].is_mapped) {
			model[i].is_mapped = true;
			model[i].flags = RW;
			kmem_mmu_map_out(model_at(i), LOCATION, 0, machine.page, RW);
		}
	}
	return 0;
}

static int model_unmap(size_t first, size_t count)
{
	int ret = kmem_mmu_unmap(model_at(first), count * machine.page);

	for (size_t i = first; i < first + count && ret == 0; i++) {
		model_leave(i);
		model[i].is_mapped = false;
	}
	return ret;
}

static int model_flags_set(size_t first, size_t count)
{
	uint32_t flags = flags_any();
	int ret;

	for (size_t i = first; i < first + count; i++) {
		if (!model[i].is_mapped) {
			return 0;
		}
	}
	ret = kmem_mmu_flags_set(model_at(first), count * machine.page, flags);
	for (size_t i = first; i < first + count && ret == 0; i++) {
		model[i].flags = flags;
	}
	return ret;
}

static int model_access(size_t i)
{
	return model[i].is_in ? kmem_mmu_page_access(model_at(i), below(2) != 0) : 0;
}

/* A frame is shown by its physical address for a moment. */
static int model_share(size_t i)
{
	uintptr_t alias = page_at(2);
	int ret;

	if (!model[i].is_in) {
		return 0;
	}
	ret = kmem_mmu_frame_share(frame_at(model[i].frame), model_at(i));
	if (ret == 0) {
		ret = kmem_mmu_map(alias, frame_at(model[i].frame), machine.page, RW);
	}
	if (ret == 0) {
		words_check((void *)alias, i, model[i].written);
		ret = kmem_mmu_unmap(alias, machine.page);
	}
	return ret;
}

#define MODEL_STEPS 9

/* One of the things that can happen to pages. 0 or -errno. */
static int model_step(uint64_t step)
{
	size_t first = below(MODEL_PAGES);
	size_t count = 1 + below(MODEL_PAGES - first);
	uintptr_t addr = model_at(first);
	size_t size = count * machine.page;

	switch (step) {
	case 0:
		return model_batch_out();
	case 1:
		return kmem_mmu_conceal(addr, size);
	case 2:
		return kmem_mmu_expose(addr, size);
	case 3:
		return model_flags_set(first, 1 + below(count));
	case 4:
		return model_access(first);
	case 5:
		return below(4) == 0 ? model_unmap(first, 1 + below(count)) : 0;
	case 6:
		return below(8) == 0 ? model_share(first) : 0;
	case 7:
		return model_map(first, count);
	default:
		return model_batch_in();
	}
}

START_TEST(random_operations_agree_with_the_entries)
{
	int rounds = harness_on_valgrind() || harness_on_tsan() ? 40 : 250;

	START(_i);
	seed = harness_seed();
	model_clear();
	for (int round = 0; round < rounds; round++) {
		for (int step = 0; step < 4; step++) {
			ck_assert_int_eq(model_step(below(MODEL_STEPS)), 0);
		}
		model_check();
	}
	ck_assert_int_eq(model_unmap(0, MODEL_PAGES), 0);
	model_check();
	machine_finish();
}
END_TEST

/* ---- host calls that fail ---- */

/* More host calls than any step makes. */
#define CALLS_MAX 400UL

/*
 * The first, the second, ... host call of a step fails, until it passes. One call alone: what has been done by half is undone by others.
 * The model's random numbers go on, or back where the step is repeated.
 */
static void step_fails(uint64_t step, int error)
{
	for (unsigned long call = 1;; call++) {
		uint64_t before = seed;
		int ret;

		ck_assert_uint_lt(call, CALLS_MAX);
		(void)kmem_failpoint_arm(call, error, false);
		ret = model_step(step);
		(void)kmem_failpoint_arm(0, 0, false);
		if (ret != 0) {
			ck_assert_int_eq(ret, -error);
			model_repair();
			model_check();
			seed = before;
			ret = model_step(step);
			ck_assert_int_eq(ret, 0);
		}
		model_check();
		if (!kmem_failpoint_was_hit()) {
			return;
		}
	}
}

START_TEST(failing_host_calls_lose_nothing)
{
	START(_i);
	seed = harness_seed();
	model_clear();
	ck_assert_int_eq(model_map(0, MODEL_PAGES), 0);
	for (int round = 0; round < 8; round++) {
		ck_assert_int_eq(model_batch_in(), 0);
	}
	for (uint64_t step = 0; step < MODEL_STEPS; step++) {
		step_fails(step, ENOMEM);
		step_fails(step, EINVAL);
	}
	ck_assert_int_eq(model_unmap(0, MODEL_PAGES), 0);
	model_check();
	machine_finish();
}
END_TEST

START_TEST(a_machine_that_cannot_start_leaves_nothing)
{
	struct kmem_mmu_params params;
	unsigned long call = 0;
	int ret;

	START(_i);
	machine_finish();
	params = (struct kmem_mmu_params){
		.engine = machine.engine,
		.range = {machine.base, PAGES * machine.page, machine.page, RAM_BASE, FRAMES * machine.page},
	};
	harness_leaks_begin(&leaks);
	do {
		ck_assert_uint_lt(++call, CALLS_MAX);
		(void)kmem_failpoint_arm(call, ENOMEM, false);
		ret = kmem_mmu_init(&params);
		(void)kmem_failpoint_arm(0, 0, false);
		ck_assert_int_eq(ret, kmem_failpoint_was_hit() ? -ENOMEM : 0);
	} while (ret != 0);
	ck_assert_uint_gt(call, 1);
	kmem_mmu_finish();
	harness_leaks_check(&leaks);
}
END_TEST

/* ---- threads ---- */

#define SHARED_PAGES 48UL
#define WORKERS 3UL
#define WORD_STEP 64UL /* words of a page between two that are written */

static _Atomic bool is_over;

/* Counters of a worker, with the largest pages. */
#define COUNTERS_MAX 1024

static size_t counter_count(void)
{
	size_t count = SHARED_PAGES * (machine.page / sizeof(uint64_t) / WORD_STEP / WORKERS);

	ck_assert_uint_le(count, COUNTERS_MAX);
	return count;
}

/* A word of its own for each counter of each worker, all over the pages. */
static uint64_t *counter_at(size_t worker, size_t counter)
{
	size_t index = (counter * WORKERS + worker) * WORD_STEP;

	return (uint64_t *)page_at(MODEL_FIRST) + index;
}

/* Count in words that nobody else writes, knowing what is in them. */
static void *worker_run(void *arg)
{
	size_t worker = (size_t)(uintptr_t)arg;
	size_t counters = counter_count();
	uint32_t counts[COUNTERS_MAX] = {0};
	uint64_t random = harness_seed() + worker;
	uintptr_t wrong = 0;

	while (!atomic_load(&is_over)) {
		size_t counter = harness_random(&random) % counters;
		volatile uint64_t *word = counter_at(worker, counter);

		wrong += *word != counts[counter];
		if (harness_random(&random) % 2 == 0) {
			*word = ++counts[counter];
		}
	}
	for (size_t counter = 0; counter < counters; counter++) {
		wrong += *counter_at(worker, counter) != counts[counter];
	}
	return (void *)wrong;
}

/* Pages go, and come back in a frame of their own, by random batches, while the workers write: what they wrote is taken along. */
static void pager_round(uint64_t *store, bool *is_in, bool is_going)
{
	struct kmem_mmu_page pages[BATCH];
	size_t some[BATCH];
	size_t count = 0;
	size_t density = 1 + below(4);

	for (size_t i = below(SHARED_PAGES); i < SHARED_PAGES && count < BATCH; i++) {
		if (is_in[i] == is_going && below(density) == 0) {
			some[count++] = i;
		}
	}
	for (size_t n = 0; n < count; n++) {
		uintptr_t addr = model_at(some[n]);
		void *kept = (uint8_t *)store + some[n] * machine.page;

		if (is_going) {
			pages[n] = (struct kmem_mmu_page){.addr = addr};
			kmem_mmu_page_out_mark(&pages[n]);
			continue;
		}
		pages[n] = (struct kmem_mmu_page){addr, frame_at(some[n]), .is_dirty = below(3) != 0, .is_exposed = below(8) != 0};
		kmem_mmu_page_in_begin(addr);
		ck_assert_int_eq(kmem_mmu_page_back(addr, pages[n].phys, RW), 0);
		memcpy(kmem_mmu_bytes(addr, pages[n].phys), kept, machine.page);
	}
	ck_assert_int_eq(is_going ? kmem_mmu_pages_conceal(pages, count) : kmem_mmu_pages_expose(pages, count), 0);
	for (size_t n = 0; n < count; n++) {
		void *kept = (uint8_t *)store + some[n] * machine.page;

		if (is_going) {
			memcpy(kept, kmem_mmu_bytes(pages[n].addr, pages[n].phys), machine.page);
			kmem_mmu_page_out_end(pages[n].addr, LOCATION);
		} else {
			kmem_mmu_page_in_done(&pages[n]);
		}
		is_in[some[n]] = !is_going;
	}
}

/* Pages that are in are concealed, read, written to, and so on. */
static void pager_touch(const bool *is_in)
{
	size_t i = below(SHARED_PAGES);

	if (!is_in[i]) {
		return;
	}
	if (below(4) == 0) {
		ck_assert_int_eq(kmem_mmu_page_accessed_clear(model_at(i)), 0);
	} else {
		ck_assert_int_eq(kmem_mmu_page_access(model_at(i), below(2) != 0), 0);
	}
}

START_TEST(no_write_of_a_thread_is_lost)
{
	int rounds = harness_on_valgrind() || harness_on_tsan() ? 300 : 4000;
	bool is_in[SHARED_PAGES] = {false};
	pthread_t workers[WORKERS];
	uint64_t *store;

	START(_i);
	seed = harness_seed();
	store = calloc(SHARED_PAGES, machine.page);
	ck_assert_ptr_nonnull(store);
	kmem_mmu_map_out(page_at(MODEL_FIRST), LOCATION, 0, SHARED_PAGES * machine.page, RW);
	atomic_store(&is_waiting, true);
	atomic_store(&is_over, false);
	for (size_t i = 0; i < WORKERS; i++) {
		ck_assert_int_eq(pthread_create(&workers[i], NULL, worker_run, (void *)(uintptr_t)i), 0);
	}
	for (int round = 0; round < rounds; round++) {
		pager_round(store, is_in, below(2) == 0);
		for (int i = 0; i < 8; i++) {
			pager_touch(is_in);
		}
	}
	/* All in, and writable, so that the workers can end. */
	atomic_store(&is_over, true);
	for (size_t i = 0; i < SHARED_PAGES; i++) {
		while (!is_in[i]) {
			pager_round(store, is_in, false);
		}
		ck_assert_int_eq(kmem_mmu_page_access(model_at(i), true), 0);
	}
	for (size_t i = 0; i < WORKERS; i++) {
		void *wrong;

		ck_assert_int_eq(pthread_join(workers[i], &wrong), 0);
		ck_assert_ptr_null(wrong);
	}
	atomic_store(&is_waiting, false);
	ck_assert_int_eq(kmem_mmu_unmap(page_at(MODEL_FIRST), SHARED_PAGES * machine.page), 0);
	free(store);
	machine_finish();
}
END_TEST

/* ---- fork ---- */

#define FORK_PAGES 40UL

static bool frame_is_used(uintptr_t phys)
{
	(void)phys;
	return true;
}

/* Own pages that were written, every fourth one to be read only, and the first one shared. Far apart, some in chunks of their own. */
static size_t forked_page(size_t i)
{
	return i * 29;
}

/* Pages of which a word is not as given. Nothing here may be one of Check's, in a child. */
static size_t forked_wrong(unsigned int written)
{
	size_t wrong = 0;

	for (size_t i = 0; i < FORK_PAGES; i++) {
		size_t page = forked_page(i);

		for (size_t word = 0; word < WORDS; word++) {
			wrong += *word_at((void *)page_at(page), word) != word_of(page, i % 4 == 3 ? 0 : written);
		}
	}
	return wrong;
}

static void forked_write(unsigned int written)
{
	for (size_t i = 0; i < FORK_PAGES; i++) {
		if (i % 4 != 3) {
			words_write((void *)page_at(forked_page(i)), forked_page(i), written);
		}
	}
}

/* A page that comes in and goes again: the machine works. 0, or a number that tells what did not. */
static int machine_works(size_t page, size_t frame)
{
	kmem_mmu_map_out(page_at(page), LOCATION, 0, machine.page, RW);
	if (page_in(page, frame, RW, 0, true) != 0) {
		return 20;
	}
	words_write((void *)page_at(page), page, 9);
	if (kmem_mmu_page_out_begin(page_at(page)) != 0) {
		return 21;
	}
	if (*word_at(kmem_mmu_bytes(page_at(page), frame_at(frame)), 0) != word_of(page, 9)) {
		return 22;
	}
	kmem_mmu_page_out_end(page_at(page), LOCATION);
	return kmem_mmu_unmap(page_at(page), machine.page) == 0 && !can_read(page_at(page)) ? 0 : 23;
}

/* What a child finds and does: 0, or a number that tells what was wrong. */
static int child_run(bool has_grandchild);

/* Fork as the kernel does. The child's status, or a number that tells what went wrong. */
static int machine_fork(bool has_grandchild)
{
	int status;
	pid_t child;

	if (kmem_mmu_fork_prepare() != 0 || kmem_ram_fork_prepare(frame_is_used) != 0) {
		return -1;
	}
	kmem_mmu_fork_begin(true);
	child = fork();
	if (child == 0) {
		_exit(child_run(has_grandchild));
	}
	kmem_mmu_fork_parent();
	kmem_ram_fork_parent();
	if (child < 0 || kmem_mmu_expose(machine.base, machine.pages * machine.page) != 0) {
		return -2;
	}
	forked_write(2);
	return waitpid(child, &status, 0) == child ? status : -3;
}

static int child_run(bool has_grandchild)
{
	size_t size = machine.pages * machine.page;

	if (kmem_mmu_fork_child() != 0 || kmem_ram_fork_child() != 0) {
		return 1;
	}
	for (size_t i = 0; i < FORK_PAGES; i++) {
		if (can_read(page_at(forked_page(i)))) {
			return 2;
		}
	}
	if (can_read(page_at(forked_page(FORK_PAGES - 1) + 1)) || can_read(page_at(PAGES - 1))) {
		return 3;
	}
	if (kmem_mmu_fork_child_expose(machine.base, size) != 0 || kmem_mmu_expose(machine.base, size) != 0) {
		return 4;
	}
	if (forked_wrong(1) != 0) {
		return 5;
	}
	forked_write(3);
	if (forked_wrong(3) != 0) {
		return 6;
	}
	if (can_write(page_at(forked_page(3)))) {
		return 7;
	}
	if (has_grandchild) {
		forked_write(1);
		return machine_fork(false) == 0 && forked_wrong(2) == 0 ? 0 : 8;
	}
	return machine_works(PAGES - 1, FRAMES - 1);
}

START_TEST(parent_and_child_have_their_own_bytes)
{
	START(_i);
	for (size_t i = 0; i < FORK_PAGES; i++) {
		page_map(forked_page(i), i, i % 4 == 3 ? READ_ONLY : RW, true);
	}
	ck_assert_int_eq(kmem_mmu_frame_share(frame_at(0), page_at(0)), 0);
	for (int round = 0; round < 3; round++) {
		forked_write(1);
		ck_assert_int_eq(machine_fork(round == 2), 0);
		ck_assert_uint_eq(forked_wrong(2), 0);
		ck_assert_int_eq(machine_works(PAGES - 1, FRAMES - 1), 0);
	}
	unmap(0, PAGES);
	machine_finish();
}
END_TEST

/* ---- mappings of the host's ---- */

static size_t mappings(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	size_t lines = 0;
	int c;

	ck_assert_ptr_nonnull(maps);
	while ((c = getc(maps)) != EOF) {
		lines += c == '\n';
	}
	fclose(maps);
	return lines;
}

/* Pages that are read only, and others that show frames of the file, are mappings perhaps; concealed, or gone, they are none. */
START_TEST(concealing_gives_mappings_back)
{
	size_t before;

	START(_i);
	page_map(0, 0, RW, true);
	page_map(PAGES - 1, 1, RW, true);
	ck_assert_int_eq(kmem_mmu_conceal(page_at(0), PAGES * machine.page), 0);
	before = mappings();
	for (size_t page = 2; page < 400; page += 4) {
		page_map(page, 2 + page / 4, RW, false);
	}
	ck_assert_int_eq(kmem_mmu_conceal(page_at(0), PAGES * machine.page), 0);
	ck_assert_int_eq(kmem_mmu_expose(page_at(0), PAGES * machine.page), 0);
	for (size_t page = 4; page < 400; page += 8) {
		ck_assert_int_eq(kmem_mmu_map(page_at(page), frame_at(200 + page / 8), machine.page, RW), 0);
	}
	ck_assert_uint_gt(mappings(), before);
	ck_assert_int_eq(kmem_mmu_conceal(page_at(0), PAGES * machine.page), 0);
	ck_assert_uint_le(mappings(), before);
	unmap(0, PAGES);
	ck_assert_uint_le(mappings(), before);
	machine_finish();
}
END_TEST

/* More pages than mappings are allowed by default, and what their frames may cost in mappings. */
#define SCATTERED 100000UL
#define MAPPINGS_MAX 16UL

/* A permutation of the numbers below a power of two: odd factors are invertible. */
#define SCATTER_PAGES (1UL << 21)

static size_t scattered_page(size_t i)
{
	return i * 1234577UL % SCATTER_PAGES;
}

/* A page comes in with a word, which is read, and changed. */
static bool scattered_write(size_t i)
{
	uintptr_t addr = page_at(scattered_page(i));
	volatile uintptr_t *word = (volatile uintptr_t *)addr;

	kmem_mmu_map_out(addr, LOCATION, 0, machine.page, RW);
	kmem_mmu_page_in_begin(addr);
	if (kmem_mmu_page_back(addr, frame_at(i), RW) != 0) {
		return false;
	}
	*(uintptr_t *)kmem_mmu_bytes(addr, frame_at(i)) = ~addr;
	if (kmem_mmu_page_in_end(addr, frame_at(i), true) != 0 || *word != ~addr) {
		return false;
	}
	*word = addr;
	return true;
}

START_TEST(scattered_pages_cost_no_mappings)
{
	size_t count = harness_on_valgrind() ? 3000 : SCATTERED;
	size_t before;
	size_t wrong = 0;

	if (!machine_start(_i, SCATTER_PAGES, count)) {
		return;
	}
	if (machine.engine->bytes == NULL) {
		printf("skipped: on engine %s every page may be a mapping\n", machine.engine->name);
		machine_finish();
		return;
	}
	before = mappings();
	for (size_t i = 0; i < count; i++) {
		wrong += scattered_write(i) ? 0 : 1;
	}
	/* Where only some of the range is in use, what is may be in pieces. */
	ck_assert_uint_le(mappings(), before + (count == SCATTERED ? MAPPINGS_MAX : count));
	for (size_t i = 0; i < count; i++) {
		uintptr_t addr = page_at(scattered_page(i));

		wrong += *(volatile uintptr_t *)addr != addr;
	}
	ck_assert_uint_eq(wrong, 0);
	ck_assert_int_eq(kmem_mmu_unmap(machine.base, SCATTER_PAGES * machine.page), 0);
	ck_assert_uint_le(mappings(), before + (count == SCATTERED ? MAPPINGS_MAX : count));
	machine_finish();
}
END_TEST

Suite *kmem_test_suite(void)
{
	Suite *suite = suite_create("engine");
	TCase *contract = tcase_create("contract");
	TCase *host = tcase_create("host");

	tcase_add_loop_test(contract, bytes_go_in_and_come_out, 0, MACHINES);
	tcase_add_loop_test(contract, reading_does_not_allow_writing, 0, MACHINES);
	tcase_add_loop_test(contract, concealed_pages_keep_their_bytes, 0, MACHINES);
	tcase_add_loop_test(contract, permissions_change_both_ways, 0, MACHINES);
	tcase_add_loop_test(contract, moved_pages_take_their_bytes_along, 0, MACHINES);
	tcase_add_loop_test(contract, a_shared_frame_is_seen_at_every_address, 0, MACHINES);
	tcase_add_loop_test(contract, executable_pages_run, 0, MACHINES);
	tcase_add_loop_test(contract, random_operations_agree_with_the_entries, 0, MACHINES);
	tcase_add_loop_test(contract, parent_and_child_have_their_own_bytes, 0, MACHINES);
	tcase_add_loop_test(contract, no_write_of_a_thread_is_lost, 0, MACHINES);
	suite_add_tcase(suite, contract);
	tcase_add_loop_test(host, failing_host_calls_lose_nothing, 0, MACHINES);
	tcase_add_loop_test(host, a_machine_that_cannot_start_leaves_nothing, 0, MACHINES);
	if (!harness_on_asan() && !harness_on_tsan()) {
		tcase_add_loop_test(host, concealing_gives_mappings_back, 0, MACHINES);
	}
	tcase_add_loop_test(host, scattered_pages_cost_no_mappings, 0, ENGINES);
	suite_add_tcase(suite, host);
	return suite;
}
