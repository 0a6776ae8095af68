/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Failure loops: the first, the second, ... host call of an operation fails, once or from there on, until the operation
 * passes without the failure; and likewise the calls of a store. Whatever fails, the machine stays valid, pages keep
 * their words, nothing is left behind, and the operation succeeds once the failure is gone.
 *
 * Words hold their own address. An attempt has a machine of its own, so that the nth call is the same one each time.
 */
#define _GNU_SOURCE

#include "expect.h"
#include "harness.h"
#include "state.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <kmem/kmem.h>

#include "host/failpoint.h"
#include "kernel/kernel.h"

#define PAGE 4096UL
#define WORDS (PAGE / sizeof(uintptr_t))
#define VM_SIZE (16UL << 20)
#define FRAMES 32UL
#define BYSTANDERS 24UL /* pages of the region that nobody fails: most of RAM */
#define SUBJECTS 16UL   /* pages of the region that operations are tried on: together they are more than RAM */
#define DEVICE 0x1000UL
#define DEVICE_PAGES 4UL

/* More host calls than any operation here makes. */
#define CALLS_MAX 500UL

static struct harness_leaks leaks;

/* A store's file, and the store that has it. */
static char directory[64];
static char path[96];
static char store_at_path[104];

/* ---- what fails, and how ---- */

static const struct failure {
	int error;
	bool is_sticky;
} failures[] = {
	/* Some errors are told apart inside: -ENOMEM makes the library give host mappings back and try again. */
	{ENOMEM, false},
	{ENOMEM, true},
	{EIO, false},
	{ENOSPC, true},
};

#define FAILURES ((int)(sizeof(failures) / sizeof(failures[0])))

/* Where it fails. */
enum place {
	PLACE_HOST,
	PLACE_LOCATION_GET,
	PLACE_PAGE_OUT,
	PLACE_PAGE_IN,
};

/* Stores: "own" and "own, caching" are the double below. */
static const struct setting {
	const char *store; /* NULL: own */
	bool is_caching;
	enum place place;
} settings[] = {
	{"ram", false, PLACE_HOST},         {"file", false, PLACE_HOST},        {NULL, false, PLACE_LOCATION_GET},
	{NULL, true, PLACE_LOCATION_GET},   {NULL, false, PLACE_PAGE_OUT},      {NULL, true, PLACE_PAGE_OUT},
	{NULL, false, PLACE_PAGE_IN},       {NULL, true, PLACE_PAGE_IN},
};

#define HOST_SETTINGS 2
#define SETTINGS ((int)(sizeof(settings) / sizeof(settings[0])))

/* Loop tests count through failures and settings. */
static const struct failure *failure_of(int combination)
{
	return &failures[combination % FAILURES];
}

static const struct setting *setting_of(int combination)
{
	return &settings[combination / FAILURES];
}

/* ---- a store of the test's own, whose calls fail on demand ---- */

#define SLOTS 96UL

static struct {
	struct kmem_frames frames;
	uint8_t bytes[SLOTS * PAGE];
	bool is_used[SLOTS];
	size_t cached[FRAMES]; /* slot of a BACKED frame */
	bool is_caching;
	unsigned long target[PLACE_PAGE_IN + 1]; /* the call that fails; 0: none */
	unsigned long calls[PLACE_PAGE_IN + 1];
	int error;
	bool is_sticky;
	bool was_hit;
	size_t bad_frees; /* locations freed that were not in use */
} own;

static int own_fails(enum place place)
{
	unsigned long call = ++own.calls[place];

	if (own.target[place] == 0 || call < own.target[place] || (call > own.target[place] && !own.is_sticky)) {
		return 0;
	}
	own.was_hit = true;
	return -own.error;
}

static int own_init(void **state, const struct kmem_store_params *params)
{
	bool is_caching = own.is_caching;

	memset(&own, 0, sizeof(own));
	own.is_caching = is_caching;
	own.frames = params->frames;
	*state = &own;
	return 0;
}

static void own_finish(void *state)
{
	ck_assert_ptr_eq(state, &own);
	ck_assert_uint_eq(own.bad_frees, 0);
}

static size_t own_used(void)
{
	size_t used = 0;

	for (size_t i = 0; i < SLOTS; i++) {
		used += own.is_used[i] ? 1 : 0;
	}
	return used;
}

static int own_location_get(void *state, struct k_mem_page_frame *pf, uintptr_t *location, bool page_fault)
{
	int ret;

	(void)state;
	if (k_mem_page_frame_is_backed(pf)) {
		*location = own.cached[pf - own.frames.first] * PAGE;
		return 0;
	}
	ret = own_fails(PLACE_LOCATION_GET);
	if (ret == 0 && own_used() + (page_fault ? 0 : 1) >= SLOTS) {
		ret = -ENOMEM;
	}
	for (size_t i = 0; i < SLOTS && ret == 0; i++) {
		if (!own.is_used[i]) {
			own.is_used[i] = true;
			*location = i * PAGE;
			return 0;
		}
	}
	return ret;
}

static void own_location_free(void *state, uintptr_t location)
{
	(void)state;
	own.bad_frees += location >= SLOTS * PAGE || !own.is_used[location / PAGE] ? 1 : 0;
	own.is_used[location / PAGE % SLOTS] = false;
}

static int own_page_out(void *state, uintptr_t location, const void *page)
{
	int ret = own_fails(PLACE_PAGE_OUT);

	(void)state;
	if (ret != 0) {
		memset(own.bytes + location, 0xee, PAGE / 2); /* half of it was written */
		return ret;
	}
	memcpy(own.bytes + location, page, PAGE);
	return 0;
}

static int own_page_in(void *state, uintptr_t location, void *page)
{
	int ret = own_fails(PLACE_PAGE_IN);

	(void)state;
	if (ret != 0) {
		memset(page, 0xdd, PAGE / 2);
		return ret;
	}
	memcpy(page, own.bytes + location, PAGE);
	return 0;
}

static void own_page_finalize(void *state, struct k_mem_page_frame *pf, uintptr_t location)
{
	if (own.is_caching) {
		own.cached[pf - own.frames.first] = location / PAGE;
		k_mem_page_frame_set(pf, K_MEM_PAGE_FRAME_BACKED);
		return;
	}
	k_mem_page_frame_clear(pf, K_MEM_PAGE_FRAME_BACKED);
	own_location_free(state, location);
}

static void own_usage(void *state, struct kmem_store_usage *usage)
{
	(void)state;
	*usage = (struct kmem_store_usage){.capacity_pages = SLOTS, .used_pages = own_used()};
	for (size_t i = 0; i < own.frames.count; i++) {
		struct k_mem_page_frame *pf = &own.frames.first[i];

		usage->cached_pages += !k_mem_page_frame_is_free(pf) && k_mem_page_frame_is_backed(pf) ? 1 : 0;
	}
}

static const struct kmem_store_ops own_store = {
	.version = KMEM_STORE_VERSION,
	.name = "own",
	.init = own_init,
	.finish = own_finish,
	.location_get = own_location_get,
	.location_free = own_location_free,
	.page_out = own_page_out,
	.page_in = own_page_in,
	.page_finalize = own_page_finalize,
	.usage = own_usage,
};

/* ---- failure on demand ---- */

static enum place armed_place;

static void arm(enum place place, const struct failure *failure, unsigned long n)
{
	armed_place = place;
	if (place == PLACE_HOST) {
		(void)kmem_failpoint_arm(n, failure->error, failure->is_sticky);
		return;
	}
	memset(own.calls, 0, sizeof(own.calls));
	own.target[place] = n;
	own.error = failure->error;
	own.is_sticky = failure->is_sticky;
	own.was_hit = false;
}

/* Whether the failure happened; there are no more of it from here on. */
static bool disarm(void)
{
	bool was_hit = armed_place == PLACE_HOST ? kmem_failpoint_was_hit() : own.was_hit;

	(void)kmem_failpoint_arm(0, 0, false);
	memset(own.target, 0, sizeof(own.target));
	return was_hit;
}

/* ---- fatal errors ---- */

/* Run a statement; whether it ended in the handler. */
#define IS_FATAL(statement)                                                                                            \
	__extension__({                                                                                               \
		volatile bool is_fatal_ = true;                                                                        \
                                                                                                                       \
		fatal.is_armed = true;                                                                                 \
		if (sigsetjmp(fatal.target, 1) == 0) {                                                                 \
			statement;                                                                                     \
			is_fatal_ = false;                                                                             \
		}                                                                                                      \
		fatal.is_armed = false;                                                                                \
		is_fatal_;                                                                                             \
	})

static uintptr_t volatile_read(const volatile uintptr_t *word)
{
	return *word;
}

static void volatile_write(volatile uintptr_t *word)
{
	*word = (uintptr_t)word;
}

/* Whether an access is fatal; apart, so that nothing of the caller's is in registers when the handler leaves. */
static __attribute__((noinline)) bool read_is_fatal(const uintptr_t *word)
{
	return IS_FATAL((void)volatile_read(word));
}

static __attribute__((noinline)) bool write_is_fatal(uintptr_t *word)
{
	return IS_FATAL(volatile_write(word));
}

/* ---- the machine ---- */

static uintptr_t *bystanders;
static uintptr_t *subjects;

static void words_write(uintptr_t *words, size_t pages)
{
	for (size_t i = 0; i < pages * WORDS; i++) {
		words[i] = (uintptr_t)&words[i];
	}
}

/* Words that are not their own address. */
static size_t words_wrong(const uintptr_t *words, size_t pages)
{
	size_t wrong = 0;

	for (size_t i = 0; i < pages * WORDS; i++) {
		wrong += words[i] != (uintptr_t)&words[i] ? 1 : 0;
	}
	return wrong;
}

static void *map(size_t pages)
{
	void *addr = k_mem_map(pages * PAGE, K_MEM_PERM_RW);

	ck_assert_ptr_nonnull(addr);
	return addr;
}

static void boot(const struct kmem_config *config)
{
	ck_assert_msg(kmem_boot(config) == 0, "%s", kmem_boot_error());
}

static struct kmem_config config_small(const struct setting *setting)
{
	struct kmem_config config = {
		.struct_size = sizeof(config),
		.vm_size = VM_SIZE,
		.ram_size = FRAMES * PAGE,
		.policy = "lru",
		.store = setting->store,
	};

	if (setting->store == NULL) {
		own.is_caching = setting->is_caching;
		config.store_ops = &own_store;
		config.store_pages = SLOTS;
	}
	return config;
}

/* A machine with a device, bystanders and subjects, all filled; the subjects came last, so some bystanders are out. */
static void machine_boot(const struct setting *setting, enum kmem_switch demand_mapping)
{
	static const struct kmem_device device = {.name = "device", .phys = DEVICE, .size = DEVICE_PAGES * PAGE};
	struct kmem_config config = config_small(setting);

	config.demand_mapping = demand_mapping;
	config.devices = &device;
	config.device_count = 1;
	boot(&config);
	bystanders = map(BYSTANDERS);
	words_write(bystanders, BYSTANDERS);
	subjects = map(SUBJECTS);
	words_write(subjects, SUBJECTS);
}

/* What the pages of all regions hold. */
struct holdings {
	size_t frames;
	size_t locations;
	size_t bad; /* pages of a state that cannot be */
};

static int holdings_count(const struct kmem_region_info *region, void *arg)
{
	struct holdings *holdings = arg;

	for (size_t done = 0; done < region->size && region->kind == KMEM_REGION_ANON; done += PAGE) {
		struct kmem_page_status status = status_of((const void *)(region->addr + done));

		holdings->bad += status.state != KMEM_PAGE_STATE_IN && status.state != KMEM_PAGE_STATE_OUT ? 1 : 0;
		holdings->frames += status.state == KMEM_PAGE_STATE_IN ? 1 : 0;
		holdings->locations +=
			status.state == KMEM_PAGE_STATE_OUT && status.location < KMEM_LOCATION_ANON_UNINIT ? 1 : 0;
	}
	return 0;
}

/* The machine is valid, and every frame and location in use is some page's. */
static void machine_check(void)
{
	struct kmem_usage usage = usage_now();
	struct holdings holdings = {.frames = 0};

	ck_assert(kmem_is_valid());
	ck_assert_int_eq(kmem_region_walk(holdings_count, &holdings), 0);
	ck_assert_uint_eq(holdings.bad, 0);
	ck_assert_uint_eq(usage.frames_mapped, holdings.frames);
	ck_assert_uint_eq(usage.frames_free + usage.frames_mapped, usage.frames);
	ck_assert_uint_eq(usage.store.used_pages - usage.store.cached_pages, holdings.locations);
}

/* The same, and the words are right. */
static void words_check(void)
{
	machine_check();
	ck_assert_uint_eq(words_wrong(bystanders, BYSTANDERS), 0);
	ck_assert_uint_eq(words_wrong(subjects, SUBJECTS), 0);
	machine_check();
}

/* All that is mapped can be unmapped, and leaves nothing. */
static void machine_finish(void)
{
	struct kmem_usage usage;

	k_mem_unmap(bystanders, BYSTANDERS * PAGE);
	k_mem_unmap(subjects, SUBJECTS * PAGE);
	usage = usage_now();
	ck_assert_uint_eq(usage.regions, 0);
	ck_assert_uint_eq(usage.frames_free, usage.frames);
	ck_assert_uint_eq(usage.store.used_pages, 0);
	ck_assert_uint_eq(kmem_kernel.map.free_bytes, VM_SIZE - PAGE);
	ck_assert(kmem_is_valid());
	ck_assert_int_eq(kmem_shutdown(), 0);
}

static void setup(void)
{
	snprintf(directory, sizeof(directory), "/tmp/test_failure.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/pages", directory);
	snprintf(store_at_path, sizeof(store_at_path), "file:%s", path);
	memset(&fatal, 0, sizeof(fatal));
	harness_leaks_begin(&leaks);
}

static void teardown(void)
{
	(void)disarm();
	(void)kmem_shutdown();
	harness_leaks_check(&leaks);
	ck_assert_int_eq(rmdir(directory), 0); /* so it is empty */
}

/* ---- (a) boot ---- */

static const struct kmem_section sections[] = {
	{.name = ".text", .size = 3 * PAGE, .flags = K_MEM_PERM_EXEC, .bytes = "text", .bytes_size = 4},
	{.name = ".data", .size = PAGE, .flags = K_MEM_PERM_RW},
};

static const struct kmem_device devices[] = {
	{.name = "one", .phys = 0x1000, .size = PAGE},
	{.name = "two", .phys = 0x9000, .size = 2 * PAGE},
};

START_TEST(boot_fails_cleanly_and_then_succeeds)
{
	const struct failure *failure = failure_of(_i);
	unsigned long n;
	bool was_hit = true;

	for (n = 1; was_hit; n++) {
		struct kmem_config config = config_small(setting_of(_i));
		struct harness_leaks before;
		int ret;

		ck_assert_uint_lt(n, CALLS_MAX);
		if (strcmp(config.store, "file") == 0) {
			config.store = store_at_path;
		}
		config.sections = sections;
		config.section_count = 2;
		config.devices = devices;
		config.device_count = 2;
		config.maps_all_ram = n % 2 == 0 ? KMEM_SWITCH_ON : KMEM_SWITCH_OFF;
		harness_leaks_begin(&before);
		arm(PLACE_HOST, failure, n);
		ret = kmem_boot(&config);
		was_hit = disarm();
		/* Memory comes as a pointer in places: what fails there is -ENOMEM. */
		ck_assert(was_hit ? ret == -failure->error || ret == -ENOMEM : ret == 0);
		ck_assert_int_eq(kmem_is_booted(), !was_hit);
		ck_assert_int_eq(kmem_boot_error()[0] != '\0', was_hit);
		if (!was_hit) {
			ck_assert_int_eq(kmem_shutdown(), 0);
		}
		harness_leaks_check(&before);
		ck_assert_int_eq(access(path, F_OK), -1);
		boot(&config);
		ck_assert(kmem_is_valid());
		ck_assert_int_eq(kmem_shutdown(), 0);
	}
	ck_assert_uint_gt(n, 12);
}
END_TEST

/* ---- (b) operations ---- */

/*
 * prepare brings the machine to where the operation makes as many host calls as it can. run returns 0, or what the
 * interface says of a failure; it may end in the fatal error handler where that is the interface's way. check is called
 * after the failure, before the words are looked at. again runs the operation without a failure: it must succeed.
 */
struct operation {
	const char *name;
	enum kmem_switch demand_mapping;
	void (*prepare)(void);
	int (*run)(void);
	void (*check)(int ret);
	void (*again)(void);
};

/* Whether the host lets what was done be undone. Outside these loops it always does: undoing needs no more of it. */
static bool can_undo;

static void nothing(void)
{
}

/* Mapping. The address that a run got. */
static void *mapped;
static size_t free_bytes_before;
static struct kmem_usage usage_before;

static void map_prepare(void)
{
	mapped = NULL;
	free_bytes_before = kmem_kernel.map.free_bytes;
	usage_before = usage_now();
}

/* Free frames that are no neighbours, so that what is mapped is exposed by a host call a page. */
static void map_scattered_prepare(void)
{
	for (size_t i = 0; i < SUBJECTS; i += 2) {
		ck_assert_int_eq(k_mem_page_out(&subjects[i * WORDS], PAGE), 0);
	}
	map_prepare();
}

static int map_anon(uint32_t flags)
{
	mapped = k_mem_map(8 * PAGE, K_MEM_PERM_RW | flags);
	return mapped == NULL ? -1 : 0;
}

static int map_plain_run(void)
{
	return map_anon(0);
}

static int map_uninit_run(void)
{
	return map_anon(K_MEM_MAP_UNINIT);
}

static int map_lock_run(void)
{
	return map_anon(K_MEM_MAP_LOCK);
}

static int map_phys_run(void)
{
	mapped = k_mem_map_phys_guard(DEVICE, DEVICE_PAGES * PAGE, K_MEM_PERM_RW, false);
	return mapped == NULL ? -1 : 0;
}

static int map_bare_run(void)
{
	uint8_t *virt = NULL;

	k_mem_map_phys_bare(&virt, DEVICE + 100, PAGE, K_MEM_PERM_RW);
	mapped = virt;
	return 0;
}

/* Nothing is left of a mapping that failed. */
static void map_check(int ret)
{
	struct kmem_usage usage = usage_now();

	if (ret == 0) {
		return;
	}
	ck_assert_ptr_null(mapped);
	ck_assert_uint_eq(usage.regions, usage_before.regions);
	ck_assert_uint_eq(usage.region_bytes, usage_before.region_bytes);
	ck_assert_uint_eq(usage.frames_pinned, usage_before.frames_pinned);
	ck_assert_uint_eq(kmem_kernel.map.free_bytes, free_bytes_before);
}

static void mapped_forget(size_t pages, bool is_anon)
{
	k_mem_unmap_phys_guard(mapped, pages * PAGE, is_anon);
	ck_assert_uint_eq(kmem_kernel.map.free_bytes, free_bytes_before);
}

/* What was mapped is zero and can be written. */
static void mapped_use(size_t pages)
{
	uintptr_t *words = mapped;

	size_t used = 0;

	for (size_t i = 0; i < pages * WORDS; i++) {
		used += words[i] != 0 ? 1 : 0;
	}
	ck_assert_uint_eq(used, 0);
	words_write(words, pages);
	ck_assert_uint_eq(words_wrong(words, pages), 0);
	machine_check();
}

static void map_anon_again(void)
{
	if (mapped == NULL) {
		ck_assert_int_eq(map_anon(0), 0);
	}
	mapped_use(8);
	mapped_forget(8, true);
}

static void map_uninit_again(void)
{
	if (mapped == NULL) {
		ck_assert_int_eq(map_uninit_run(), 0);
	}
	words_write(mapped, 8);
	ck_assert_uint_eq(words_wrong(mapped, 8), 0);
	mapped_forget(8, true);
}

static void map_lock_again(void)
{
	if (mapped == NULL) {
		ck_assert_int_eq(map_lock_run(), 0);
	}
	ck_assert_uint_eq(usage_now().frames_pinned, 8);
	mapped_use(8);
	mapped_forget(8, true);
}

static void map_phys_again(void)
{
	if (mapped == NULL) {
		ck_assert_int_eq(map_phys_run(), 0);
	}
	words_write(mapped, DEVICE_PAGES);
	ck_assert_uint_eq(words_wrong(mapped, DEVICE_PAGES), 0);
	mapped_forget(DEVICE_PAGES, false);
}

static void map_bare_again(void)
{
	uint8_t *virt = mapped;

	if (mapped == NULL) {
		k_mem_map_phys_bare(&virt, DEVICE + 100, PAGE, K_MEM_PERM_RW);
	}
	ck_assert_ptr_nonnull(virt);
	virt[0] = 1;
	k_mem_unmap_phys_bare(virt, PAGE);
	ck_assert_uint_eq(kmem_kernel.map.free_bytes, free_bytes_before);
	ck_assert_uint_eq(usage_now().regions, usage_before.regions);
}

/* Unmapping: `mapped` has pages that are in, out and never touched, and either all of it goes or none. */
static void unmap_prepare(void)
{
	mapped = map(12);
	words_write(mapped, 8);
	ck_assert_int_eq(k_mem_page_out((char *)mapped + PAGE, PAGE), 0);
	ck_assert_int_eq(k_mem_page_out((char *)mapped + 4 * PAGE, 2 * PAGE), 0);
	k_mem_page_in((char *)mapped + 5 * PAGE, PAGE);
	usage_before = usage_now();
	free_bytes_before = kmem_kernel.map.free_bytes;
}

static bool is_mapped(const void *addr)
{
	enum kmem_page_state state = status_of(addr).state;

	return state != KMEM_PAGE_STATE_UNMAPPED && state != KMEM_PAGE_STATE_GUARD;
}

static int unmap_run(void)
{
	k_mem_unmap(mapped, 12 * PAGE);
	return is_mapped(mapped) ? -1 : 0;
}

static void unmap_check(int ret)
{
	ck_assert_uint_eq(usage_now().regions, usage_before.regions - (ret == 0 ? 1 : 0));
	for (size_t i = 0; i < 12; i++) {
		ck_assert_int_eq(is_mapped((char *)mapped + i * PAGE), ret != 0);
	}
	ck_assert_uint_eq(kmem_kernel.map.free_bytes - free_bytes_before, ret == 0 ? 14 * PAGE : 0);
	if (ret != 0) {
		ck_assert_uint_eq(words_wrong(mapped, 8), 0);
	}
}

static void unmap_again(void)
{
	if (is_mapped(mapped)) {
		ck_assert_int_eq(unmap_run(), 0);
	}
	unmap_check(0);
}

static int unmap_bare_run(void)
{
	k_mem_unmap_phys_bare(mapped, DEVICE_PAGES * PAGE);
	return is_mapped(mapped) ? -1 : 0;
}

static void unmap_bare_prepare(void)
{
	uint8_t *virt = NULL;

	map_prepare();
	k_mem_map_phys_bare(&virt, DEVICE, DEVICE_PAGES * PAGE, K_MEM_PERM_RW);
	mapped = virt;
	words_write(mapped, DEVICE_PAGES);
}

static void unmap_bare_again(void)
{
	if (is_mapped(mapped)) {
		ck_assert_uint_eq(words_wrong(mapped, DEVICE_PAGES), 0);
		ck_assert_int_eq(unmap_bare_run(), 0);
	}
	ck_assert_uint_eq(kmem_kernel.map.free_bytes, free_bytes_before);
	ck_assert_uint_eq(usage_now().regions, usage_before.regions);
}

/* Permissions of the subjects, some of them out, so that host calls are needed for several runs of them. */
static uint32_t flags_wanted;
static uint32_t flags_former;

static void flags_prepare(void)
{
	ck_assert_int_eq(k_mem_page_out(subjects + 3 * WORDS, PAGE), 0);
	ck_assert_int_eq(k_mem_page_out(subjects + 7 * WORDS, 2 * PAGE), 0);
	flags_former = K_MEM_PERM_RW;
	flags_wanted = 0;
}

static void flags_more_prepare(void)
{
	flags_prepare();
	ck_assert_int_eq(k_mem_update_flags(subjects, SUBJECTS * PAGE, 0), 0);
	flags_former = 0;
	flags_wanted = K_MEM_PERM_RW | K_MEM_PERM_EXEC;
}

static int flags_run(void)
{
	return k_mem_update_flags(subjects, SUBJECTS * PAGE, flags_wanted);
}

/* All pages changed, or none did. With `is_enforced` the host knows, too. */
static void flags_expect(uint32_t flags, bool is_enforced)
{
	for (size_t i = 0; i < SUBJECTS; i++) {
		uintptr_t *word = &subjects[i * WORDS];
		bool may_write = (flags & K_MEM_PERM_RW) != 0;

		ck_assert_uint_eq(status_of(&subjects[i * WORDS]).flags, flags);
		if (may_write || is_enforced) {
			bool is_fatal = write_is_fatal(word);

			ck_assert_int_eq(is_fatal, !may_write);
			ck_assert(!is_fatal || fatal.esf.kind == KMEM_FAULT_READ_ONLY);
		}
	}
}

static void flags_check(int ret)
{
	flags_expect(ret == 0 ? flags_wanted : flags_former, ret == 0 || can_undo);
}

static void flags_again(void)
{
	ck_assert_int_eq(flags_run(), 0);
	flags_expect(flags_wanted, true);
	ck_assert_int_eq(k_mem_update_flags(subjects, SUBJECTS * PAGE, K_MEM_PERM_RW), 0);
}

/* Paging on request. */
static size_t subjects_count(enum kmem_page_state state)
{
	size_t count = 0;

	for (size_t i = 0; i < SUBJECTS; i++) {
		count += status_of(&subjects[i * WORDS]).state == state ? 1 : 0;
	}
	return count;
}

static int page_out_run(void)
{
	return k_mem_page_out(subjects, SUBJECTS * PAGE);
}

/* The pages before the one that failed are out, the others are in. */
static void page_out_check(int ret)
{
	size_t out = subjects_count(KMEM_PAGE_STATE_OUT);

	ck_assert_uint_eq(subjects_count(KMEM_PAGE_STATE_IN), SUBJECTS - out);
	ck_assert_int_eq(out == SUBJECTS, ret == 0);
	for (size_t i = 0; i < out; i++) {
		ck_assert_int_eq(status_of(&subjects[i * WORDS]).state, KMEM_PAGE_STATE_OUT);
	}
}

static void page_out_again(void)
{
	ck_assert_int_eq(page_out_run(), 0);
	page_out_check(0);
}

static void evict_prepare(void)
{
	subjects[0] = (uintptr_t)&subjects[0];
}

static int evict_run(void)
{
	return k_mem_page_frame_evict(status_of(subjects).phys);
}

static void evict_check(int ret)
{
	ck_assert_int_eq(status_of(subjects).state, ret == 0 ? KMEM_PAGE_STATE_OUT : KMEM_PAGE_STATE_IN);
}

static void evict_again(void)
{
	if (status_of(subjects).state == KMEM_PAGE_STATE_IN) {
		ck_assert_int_eq(evict_run(), 0);
	}
	evict_check(0);
}

/* The subjects are out and RAM is full of others. */
static void out_prepare(void)
{
	ck_assert_int_eq(k_mem_page_out(subjects, SUBJECTS * PAGE), 0);
	mapped = map(8);
	words_write(mapped, 8);
	ck_assert_uint_eq(words_wrong(bystanders, BYSTANDERS), 0);
}

static int page_in_run(void)
{
	k_mem_page_in(subjects, SUBJECTS * PAGE);
	return 0;
}

static void page_in_again(void)
{
	(void)page_in_run();
	ck_assert_uint_eq(subjects_count(KMEM_PAGE_STATE_IN), SUBJECTS);
	k_mem_unmap(mapped, 8 * PAGE);
}

static int pin_run(void)
{
	k_mem_pin(subjects, SUBJECTS * PAGE);
	return 0;
}

/* Pinned pages are in, writable, and never trap. */
static void pinned_check(int ret)
{
	(void)ret;
	for (size_t i = 0; i < SUBJECTS; i++) {
		struct kmem_page_status status = status_of(&subjects[i * WORDS]);

		ck_assert(!status.pinned || (status.state == KMEM_PAGE_STATE_IN && status.accessed && status.dirty));
	}
}

static void pin_again(void)
{
	struct kmem_stats before;
	struct kmem_stats after;

	(void)pin_run();
	ck_assert_uint_eq(usage_now().frames_pinned, SUBJECTS);
	ck_assert_int_eq(kmem_stats_get(&before), 0);
	words_write(subjects, SUBJECTS);
	ck_assert_int_eq(kmem_stats_get(&after), 0);
	ck_assert_uint_eq(after.pagefaults.cnt, before.pagefaults.cnt);
	ck_assert_uint_eq(after.minor_faults, before.minor_faults);
	k_mem_unpin(subjects, SUBJECTS * PAGE);
	k_mem_unmap(mapped, 8 * PAGE);
}

static void unpin_prepare(void)
{
	k_mem_pin(subjects, SUBJECTS * PAGE);
}

static int unpin_run(void)
{
	k_mem_unpin(subjects, SUBJECTS * PAGE);
	return 0;
}

static void unpin_check(int ret)
{
	(void)ret;
	ck_assert_uint_eq(usage_now().frames_pinned, 0);
}

/* Devices and threads. */
static int device_run(void)
{
	return kmem_device_add("added", 0x100000, PAGE, &mapped);
}

static void device_prepare(void)
{
	mapped = NULL;
}

static void device_check(int ret)
{
	ck_assert_int_eq(mapped != NULL, ret == 0);
}

static void device_again(void)
{
	uint8_t *virt;

	if (mapped == NULL) {
		ck_assert_int_eq(device_run(), 0);
	}
	virt = k_mem_map_phys_guard(0x100000, PAGE, K_MEM_PERM_RW, false);
	ck_assert_ptr_nonnull(virt);
	virt[9] = 9;
	ck_assert_int_eq(((uint8_t *)mapped)[9], 9);
	k_mem_unmap_phys_guard(virt, PAGE, false);
	ck_assert_int_eq(device_run(), -EEXIST);
}

static void attach_prepare(void)
{
	kmem_thread_detach();
}

static int attach_run(void)
{
	return kmem_thread_attach();
}

static void attach_check(int ret)
{
	stack_t stack;

	ck_assert_int_eq(sigaltstack(NULL, &stack), 0);
	ck_assert_int_eq((stack.ss_flags & SS_DISABLE) != 0, ret != 0);
}

static void attach_again(void)
{
	ck_assert_int_eq(kmem_thread_attach(), 0);
}

static const struct operation operations[] = {
	{"map lazily", KMEM_SWITCH_ON, map_prepare, map_plain_run, map_check, map_anon_again},
	{"map eagerly", KMEM_SWITCH_OFF, map_prepare, map_plain_run, map_check, map_anon_again},
	{"map eagerly, not zeroed", KMEM_SWITCH_OFF, map_prepare, map_uninit_run, map_check, map_uninit_again},
	{"map eagerly, scattered", KMEM_SWITCH_OFF, map_scattered_prepare, map_plain_run, map_check, map_anon_again},
	{"map locked", KMEM_SWITCH_ON, map_prepare, map_lock_run, map_check, map_lock_again},
	{"map a device", KMEM_SWITCH_ON, map_prepare, map_phys_run, map_check, map_phys_again},
	{"map a device bare", KMEM_SWITCH_ON, map_prepare, map_bare_run, map_check, map_bare_again},
	{"unmap", KMEM_SWITCH_ON, unmap_prepare, unmap_run, unmap_check, unmap_again},
	{"unmap bare", KMEM_SWITCH_ON, unmap_bare_prepare, unmap_bare_run, NULL, unmap_bare_again},
	{"take permissions", KMEM_SWITCH_ON, flags_prepare, flags_run, flags_check, flags_again},
	{"give permissions", KMEM_SWITCH_ON, flags_more_prepare, flags_run, flags_check, flags_again},
	{"page out", KMEM_SWITCH_ON, nothing, page_out_run, page_out_check, page_out_again},
	{"evict a frame", KMEM_SWITCH_ON, evict_prepare, evict_run, evict_check, evict_again},
	{"page in", KMEM_SWITCH_ON, out_prepare, page_in_run, NULL, page_in_again},
	{"pin", KMEM_SWITCH_ON, out_prepare, pin_run, pinned_check, pin_again},
	{"unpin", KMEM_SWITCH_ON, unpin_prepare, unpin_run, unpin_check, nothing},
	{"add a device", KMEM_SWITCH_ON, device_prepare, device_run, device_check, device_again},
	{"attach a thread", KMEM_SWITCH_ON, attach_prepare, attach_run, attach_check, attach_again},
};

#define OPERATIONS (sizeof(operations) / sizeof(operations[0]))

/*
 * Whether pages of a mapping that failed stay, as the host does not let them be taken away again. Nobody else gets
 * their frames and addresses then, which is all that can be done.
 */
static bool is_stuck(int ret)
{
	return !can_undo && ret != 0 && mapped == NULL && kmem_kernel.map.free_bytes < free_bytes_before;
}

static void stuck_finish(void)
{
	ck_assert(kmem_is_valid());
	ck_assert_uint_eq(usage_now().regions, usage_before.regions);
	ck_assert_uint_eq(words_wrong(bystanders, BYSTANDERS), 0);
	ck_assert_uint_eq(words_wrong(subjects, SUBJECTS), 0);
	ck_assert_int_eq(map_plain_run(), 0);
	words_write(mapped, 8);
	ck_assert_uint_eq(words_wrong(mapped, 8), 0);
	ck_assert(kmem_is_valid());
	ck_assert_int_eq(kmem_shutdown(), 0);
}

/* What the lines of the log that follow are about, and where a failed assertion was. */
static void name_tell(const char *name)
{
	fprintf(stderr, "%s\n", name);
}

/* One attempt; whether the nth host call was reached. */
static bool attempt(const struct operation *operation, const struct setting *setting, const struct failure *failure,
		    unsigned long n)
{
	volatile int ret = -1;
	bool was_hit;

	can_undo = setting->place != PLACE_HOST || !failure->is_sticky;
	machine_boot(setting, operation->demand_mapping);
	operation->prepare();
	machine_check();
	arm(setting->place, failure, n);
	(void)IS_FATAL(ret = operation->run());
	was_hit = disarm();
	ck_assert(ret == 0 || was_hit);
	ck_assert(ret == 0 || ret == -1 || ret == -failure->error);
	if (operation->prepare == map_scattered_prepare && is_stuck(ret)) {
		stuck_finish();
		return was_hit;
	}
	machine_check();
	if (operation->check != NULL) {
		operation->check(ret);
	}
	words_check();
	operation->again();
	words_check();
	machine_finish();
	return was_hit;
}

START_TEST(operation_fails_cleanly_and_then_succeeds)
{
	for (size_t i = 0; i < OPERATIONS; i++) {
		unsigned long n = 1;

		/* Valgrind goes on using an alternate stack that was disabled. */
		if (operations[i].run == attach_run && harness_on_valgrind()) {
			continue;
		}
		name_tell(operations[i].name);
		while (attempt(&operations[i], setting_of(_i), failure_of(_i), n)) {
			ck_assert_uint_lt(++n, CALLS_MAX);
		}
	}
}
END_TEST

/* ---- (c) faults under memory pressure ---- */

/* An access that traps: prepare brings the page to where it does. RAM is full. */
struct access {
	const char *name;
	void (*prepare)(void);
	bool is_write;
};

/* The page of all accesses, and another way to its first word than the compiler's own. */
static uintptr_t *target;

static void out_dirty_prepare(void)
{
	out_prepare();
	words_write(mapped, 8);
	words_write(bystanders, BYSTANDERS);
	target = &subjects[2 * WORDS];
}

/* All of RAM is clean, and where the store keeps copies, it has one of each page. */
static void out_clean_prepare(void)
{
	out_prepare();
	ck_assert_int_eq(k_mem_page_out(mapped, 8 * PAGE), 0);
	ck_assert_int_eq(k_mem_page_out(bystanders, BYSTANDERS * PAGE), 0);
	ck_assert_uint_eq(words_wrong(mapped, 8), 0);
	ck_assert_uint_eq(words_wrong(bystanders, BYSTANDERS), 0);
	ck_assert_uint_eq(k_mem_free_get(), 0);
	target = &subjects[2 * WORDS];
}

/* Never touched: zeros. */
static void untouched_prepare(void)
{
	mapped = map(8);
	words_write(bystanders, BYSTANDERS);
	target = mapped;
}

/* In, but its next access shall be seen. */
static void tracked_prepare(void)
{
	kmem_sigmask saved;

	mapped = map(8);
	target = &subjects[2 * WORDS];
	kmem_kernel_lock(&saved);
	kmem_page_accessed_clear_all();
	kmem_kernel_unlock(&saved);
	ck_assert_int_eq(status_of(target).state, KMEM_PAGE_STATE_IN);
	ck_assert(!status_of(target).accessed);
}

/* In and clean. */
static void clean_prepare(void)
{
	out_prepare();
	target = &subjects[2 * WORDS];
	ck_assert_uint_eq(target[0], (uintptr_t)target);
	ck_assert(!status_of(target).dirty);
}

static const struct access accesses[] = {
	{"read, out, RAM dirty", out_dirty_prepare, false},
	{"write, out, RAM dirty", out_dirty_prepare, true},
	{"read, out, RAM clean", out_clean_prepare, false},
	{"write, out, RAM clean", out_clean_prepare, true},
	{"read, never touched", untouched_prepare, false},
	{"write, never touched", untouched_prepare, true},
	{"read, tracked", tracked_prepare, false},
	{"write, tracked", tracked_prepare, true},
	{"write, clean", clean_prepare, true},
};

#define ACCESSES (sizeof(accesses) / sizeof(accesses[0]))

/* What the fatal error handler was told of an access to the target. */
static void fatal_check(const struct access *access, const struct failure *failure)
{
	enum kmem_fault_kind kind = fatal.esf.kind;

	ck_assert_uint_eq(fatal.reason, K_ERR_KERNEL_PANIC);
	ck_assert(kind == KMEM_FAULT_HOST || kind == KMEM_FAULT_NO_MEMORY || kind == KMEM_FAULT_STORE);
	ck_assert_int_eq(fatal.esf.error, -failure->error);
	ck_assert_uint_eq(fatal.esf.addr, (uintptr_t)target);
	ck_assert_int_eq(fatal.esf.access, access->is_write ? KMEM_ACCESS_WRITE : KMEM_ACCESS_READ);
	ck_assert_ptr_nonnull(strstr(fatal.text, strerrorname_np(failure->error)));
}

/* What must come of an access where a store's call failed. */
static void store_rules_check(const struct access *access, const struct setting *setting, const struct failure *failure,
			      bool is_fatal, const struct kmem_page_status *before)
{
	struct kmem_page_status now = status_of(target);
	struct kmem_stats stats;

	ck_assert_int_eq(kmem_stats_get(&stats), 0);
	if (setting->place != PLACE_LOCATION_GET) {
		ck_assert(failure->is_sticky ? stats.store_errors >= 1 : stats.store_errors == 1);
	}
	if (is_fatal) {
		/* The page is where it was, with the location it had. */
		ck_assert_int_eq(now.state, before->state);
		ck_assert_uint_eq(now.location, before->location);
		ck_assert_int_eq(fatal.esf.kind,
				 setting->place == PLACE_PAGE_IN ? KMEM_FAULT_STORE : KMEM_FAULT_NO_MEMORY);
	}
	if (setting->place == PLACE_PAGE_OUT && !failure->is_sticky) {
		ck_assert(!is_fatal); /* there are other victims */
	}
	if (setting->place == PLACE_PAGE_OUT && setting->is_caching && access->prepare == out_clean_prepare) {
		ck_assert(!is_fatal); /* nothing need be written */
	}
	if (setting->place == PLACE_PAGE_IN) {
		ck_assert(is_fatal);
	}
}

static bool access_attempt(const struct access *access, const struct setting *setting, const struct failure *failure,
			   unsigned long n)
{
	struct kmem_page_status before;
	volatile uintptr_t value = 0;
	bool is_fatal;
	bool is_zero;
	bool was_hit;

	machine_boot(setting, KMEM_SWITCH_ON);
	access->prepare();
	machine_check();
	before = status_of(target);
	fatal.calls = 0;
	arm(setting->place, failure, n);
	if (access->is_write) {
		is_fatal = IS_FATAL(volatile_write(target));
	} else {
		is_fatal = IS_FATAL(value = volatile_read(target));
	}
	was_hit = disarm();
	ck_assert_int_eq(fatal.calls, is_fatal ? 1 : 0);
	ck_assert(was_hit || !is_fatal);
	machine_check();
	if (is_fatal) {
		fatal_check(access, failure);
	} else if (!access->is_write) {
		ck_assert_uint_eq(value, target == mapped ? 0 : (uintptr_t)target);
	}
	if (was_hit && setting->place != PLACE_HOST) {
		store_rules_check(access, setting, failure, is_fatal, &before);
	}
	/* The failure gone, the page is there, with what was in it. */
	is_zero = target == mapped && (is_fatal || !access->is_write);
	ck_assert_uint_eq(volatile_read(target), is_zero ? 0 : (uintptr_t)target);
	volatile_write(target);
	words_check();
	k_mem_unmap(mapped, 8 * PAGE);
	machine_finish();
	return was_hit;
}

START_TEST(fault_is_served_or_fatal_and_then_served)
{
	for (size_t i = 0; i < ACCESSES; i++) {
		unsigned long n = 1;

		name_tell(accesses[i].name);
		while (access_attempt(&accesses[i], setting_of(_i), failure_of(_i), n)) {
			ck_assert_uint_lt(++n, CALLS_MAX);
		}
	}
}
END_TEST

/* ---- (d) fork ---- */

/* How a child ends. */
enum verdict {
	VERDICT_SERVED = 10, /* all words were right, and it could write its own */
	VERDICT_FATAL,       /* the first access ended in the handler, told of the fork and the error */
	VERDICT_WRONG,
};

#define VERDICT_WAS_HIT 0x40 /* the failure came before the fork or in the child */

static int child_verdict(const struct failure *failure)
{
	volatile uintptr_t value = 0;

	if (IS_FATAL(value = volatile_read(bystanders))) {
		bool is_right = fatal.esf.kind == KMEM_FAULT_FORK && fatal.esf.error == -failure->error &&
				fatal.reason == K_ERR_KERNEL_PANIC && fatal.esf.addr == (uintptr_t)bystanders;

		return is_right ? VERDICT_FATAL : VERDICT_WRONG;
	}
	if (value != (uintptr_t)bystanders ||
	    words_wrong(bystanders, BYSTANDERS) + words_wrong(subjects, SUBJECTS) != 0) {
		return VERDICT_WRONG;
	}
	memset(bystanders, 0x55, BYSTANDERS * PAGE);
	memset(subjects, 0x55, SUBJECTS * PAGE);
	return kmem_is_valid() ? VERDICT_SERVED : VERDICT_WRONG;
}

static _Noreturn void child_run(const struct failure *failure)
{
	bool was_hit = disarm();

	_exit(child_verdict(failure) | (was_hit ? VERDICT_WAS_HIT : 0));
}

static int exit_status_of(pid_t child)
{
	int status;

	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_msg(WIFEXITED(status), "the child ended with signal %d", WTERMSIG(status));
	return WEXITSTATUS(status);
}

/* Forks that went well although a call before them failed: the file for the child's store, which is made in memory then. */
static unsigned int replaced;

static bool fork_attempt(const struct setting *setting, const struct failure *failure, unsigned long n)
{
	bool was_hit;
	pid_t child;
	int verdict;

	machine_boot(setting, KMEM_SWITCH_ON);
	arm(PLACE_HOST, failure, n);
	child = fork();
	if (child == 0) {
		child_run(failure);
	}
	was_hit = disarm();
	ck_assert_int_ge(child, 0);
	words_write(subjects, SUBJECTS);
	verdict = exit_status_of(child);
	if (was_hit && (verdict & ~VERDICT_WAS_HIT) == VERDICT_SERVED) {
		ck_assert(strcmp(setting->store, "file") == 0 && !failure->is_sticky);
		ck_assert_uint_eq(++replaced, 1);
	} else if (was_hit) {
		ck_assert_int_eq(verdict & ~VERDICT_WAS_HIT, VERDICT_FATAL);
	} else if ((verdict & VERDICT_WAS_HIT) != 0) {
		/* Where a part of the range had been exposed already, it is the child's own and may be used. */
		ck_assert_int_ne(verdict & ~VERDICT_WAS_HIT, VERDICT_WRONG);
		was_hit = true;
	} else {
		ck_assert_int_eq(verdict, VERDICT_SERVED);
	}
	words_check();
	machine_finish();
	return was_hit;
}

START_TEST(child_of_a_fork_that_fails_is_stopped_and_the_parent_unharmed)
{
	unsigned long n = 1;

	replaced = 0;
	setenv("TMPDIR", "/tmp", 1); /* where it is given, no other directory is tried for the copy of the file */
	while (fork_attempt(setting_of(_i), failure_of(_i), n)) {
		ck_assert_uint_lt(++n, CALLS_MAX);
	}
	unsetenv("TMPDIR");
	ck_assert_uint_gt(n, 3);
}
END_TEST

/* What a child without RAM of its own tries all the same; its parent looks at its words afterwards. */
static int child_meddle(void)
{
	void *addr = k_mem_map(4 * PAGE, K_MEM_PERM_RW | K_MEM_MAP_LOCK);

	if (addr != NULL) {
		return 1;
	}
	if (k_mem_map(PAGE, K_MEM_PERM_RW) != NULL) {
		return 2;
	}
	k_mem_page_in(subjects, SUBJECTS * PAGE);
	k_mem_pin(bystanders, BYSTANDERS * PAGE);
	if (k_mem_page_out(bystanders, BYSTANDERS * PAGE) == 0) {
		return 3;
	}
	if (k_mem_map_phys_guard(DEVICE, PAGE, K_MEM_PERM_RW, false) != NULL) {
		return 4;
	}
	if (k_mem_page_fault(subjects)) {
		return 5;
	}
	(void)kmem_shutdown();
	return 0;
}

START_TEST(child_without_ram_cannot_reach_its_parents)
{
	static const struct failure failure = {ENOSPC, false};
	struct setting setting = {store_at_path, false, PLACE_HOST};
	pid_t child;
	int status;

	machine_boot(&setting, KMEM_SWITCH_ON);
	arm(PLACE_HOST, &failure, 1);
	child = fork();
	if (child == 0) {
		(void)disarm();
		_exit(child_meddle());
	}
	ck_assert(disarm());
	status = exit_status_of(child);
	words_check();
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(access(path, F_OK), 0); /* the file is the parent's */
	machine_finish();
	ck_assert_int_eq(access(path, F_OK), -1);
}
END_TEST

/* ---- stores that fail: what is seen of it ---- */

static const struct setting own_setting = {NULL, false, PLACE_PAGE_OUT};

START_TEST(page_that_cannot_be_written_stays_and_another_goes)
{
	const struct failure failure = {ENOSPC, false};
	enum kmem_page_state states[BYSTANDERS];
	size_t gone = 0;
	size_t stayed = 0;

	machine_boot(&own_setting, KMEM_SWITCH_ON);
	words_write(bystanders, BYSTANDERS);
	for (size_t i = 0; i < BYSTANDERS; i++) {
		states[i] = status_of(&bystanders[i * WORDS]).state;
	}
	ck_assert_int_eq(subjects_count(KMEM_PAGE_STATE_IN), FRAMES - BYSTANDERS);
	arm(PLACE_PAGE_OUT, &failure, 1);
	for (size_t i = 0; i < SUBJECTS && !own.was_hit; i++) {
		ck_assert_uint_eq(volatile_read(&subjects[i * WORDS]), (uintptr_t)&subjects[i * WORDS]);
	}
	ck_assert(disarm());
	/* One page was tried in vain and is still there; exactly one other went. */
	for (size_t i = 0; i < BYSTANDERS; i++) {
		gone += status_of(&bystanders[i * WORDS]).state != states[i] ? 1 : 0;
	}
	stayed = subjects_count(KMEM_PAGE_STATE_IN);
	ck_assert_uint_eq(gone + FRAMES - BYSTANDERS + 1 - stayed, 1);
	ck_assert_uint_eq(own.calls[PLACE_PAGE_OUT], 2);
	words_check();
	machine_finish();
}
END_TEST

/* A thread that reads a page which the store cannot bring in, and others that go on meanwhile. */
static _Atomic bool is_stopping;
static _Atomic size_t thread_wrong;

static void *bystanders_reader(void *arg)
{
	size_t rounds = 0;

	(void)arg;
	while (!is_stopping || rounds < 3) {
		thread_wrong += words_wrong(bystanders, 4);
		rounds++;
	}
	return bystanders;
}

static void *subject_reader(void *arg)
{
	(void)volatile_read(arg);
	return arg;
}

START_TEST(page_that_cannot_be_read_ends_the_thread_that_needs_it_alone)
{
	const struct setting setting = {NULL, _i % 2 != 0, PLACE_PAGE_IN};
	const struct failure failure = {EIO, _i / 2 != 0};
	struct kmem_page_status before;
	pthread_t reader;
	pthread_t victim;
	void *result;

	is_stopping = false;
	thread_wrong = 0;
	machine_boot(&setting, KMEM_SWITCH_ON);
	k_mem_pin(bystanders, 4 * PAGE);
	ck_assert_int_eq(k_mem_page_out(subjects, SUBJECTS * PAGE), 0);
	before = status_of(subjects);
	ck_assert_int_eq(pthread_create(&reader, NULL, bystanders_reader, NULL), 0);
	for (int round = 0; round < 3; round++) {
		arm(PLACE_PAGE_IN, &failure, 1);
		result = subjects;
		ck_assert_int_eq(pthread_create(&victim, NULL, subject_reader, subjects), 0);
		ck_assert_int_eq(pthread_join(victim, &result), 0);
		ck_assert(disarm());
		ck_assert_ptr_null(result);
		ck_assert_int_eq(fatal.calls, round + 1);
		ck_assert_int_eq(fatal.esf.kind, KMEM_FAULT_STORE);
		ck_assert_int_eq(fatal.esf.error, -EIO);
		ck_assert_int_eq(status_of(subjects).state, KMEM_PAGE_STATE_OUT);
		ck_assert_uint_eq(status_of(subjects).location, before.location);
	}
	/* Later it can be read. */
	ck_assert_int_eq(pthread_create(&victim, NULL, subject_reader, subjects), 0);
	ck_assert_int_eq(pthread_join(victim, &result), 0);
	ck_assert_ptr_eq(result, subjects);
	is_stopping = true;
	ck_assert_int_eq(pthread_join(reader, &result), 0);
	ck_assert_ptr_eq(result, bystanders);
	ck_assert_uint_eq(thread_wrong, 0);
	ck_assert_int_eq(fatal.calls, 3);
	k_mem_unpin(bystanders, 4 * PAGE);
	words_check();
	machine_finish();
}
END_TEST

/* ---- hostile policies and stores ---- */

/* What is written to standard error goes to a file without a name meanwhile. */
static struct {
	int file;
	int saved;
} captured;

static void capture_begin(void)
{
	fflush(NULL);
	captured.saved = dup(STDERR_FILENO);
	captured.file = memfd_create("capture", MFD_CLOEXEC);
	ck_assert_int_ge(captured.file, 0);
	ck_assert_int_eq(dup2(captured.file, STDERR_FILENO), STDERR_FILENO);
}

/* Whether it has the text. */
static bool capture_has(const char *text)
{
	static char log[1 << 16];
	ssize_t length;

	ck_assert_int_eq(dup2(captured.saved, STDERR_FILENO), STDERR_FILENO);
	close(captured.saved);
	length = pread(captured.file, log, sizeof(log) - 1, 0);
	ck_assert_int_ge(length, 0);
	log[length] = '\0';
	close(captured.file);
	return strstr(log, text) != NULL;
}

enum hostility {
	HOSTILE_NULL,
	HOSTILE_PINNED,
	HOSTILE_STACK,
	HOSTILE_BETWEEN,
	HOSTILE_BEHIND,
	HOSTILE_BEFORE,
	HOSTILE_END,
};

static const char *const hostile_texts[] = {
	[HOSTILE_NULL] = "",
	[HOSTILE_PINNED] = "which is not evictable",
	[HOSTILE_STACK] = "which is no frame",
	[HOSTILE_BETWEEN] = "which is no frame",
	[HOSTILE_BEHIND] = "which is no frame",
	[HOSTILE_BEFORE] = "which is no frame",
};

static struct {
	struct kmem_frames frames;
	enum hostility hostility;
	struct k_mem_page_frame *last; /* added */
	bool is_calm;
} hostile;

static int hostile_init(void **state, const struct kmem_eviction_params *params)
{
	hostile.frames = params->frames;
	hostile.last = NULL;
	*state = &hostile;
	return 0;
}

static struct k_mem_page_frame *frame_where(bool (*is_so)(struct k_mem_page_frame *pf))
{
	for (size_t i = 0; i < hostile.frames.count; i++) {
		if (is_so(&hostile.frames.first[i])) {
			return &hostile.frames.first[i];
		}
	}
	return NULL;
}

static bool is_pinned(struct k_mem_page_frame *pf)
{
	return !k_mem_page_frame_is_free(pf) && k_mem_page_frame_is_pinned(pf);
}

static struct k_mem_page_frame *hostile_select(void *state, bool *dirty)
{
	static struct k_mem_page_frame foreign = {.va_and_flags = 0x400000000UL | K_MEM_PAGE_FRAME_MAPPED};

	(void)state;
	*dirty = true;
	if (hostile.is_calm) {
		return frame_where(k_mem_page_frame_is_evictable);
	}
	switch (hostile.hostility) {
	case HOSTILE_PINNED:
		return frame_where(is_pinned);
	case HOSTILE_STACK:
		return &foreign;
	case HOSTILE_BETWEEN:
		return (struct k_mem_page_frame *)((uintptr_t)hostile.frames.first + 3);
	case HOSTILE_BEHIND:
		return hostile.frames.first + hostile.frames.count;
	case HOSTILE_BEFORE:
		return (struct k_mem_page_frame *)((uintptr_t)hostile.frames.first - sizeof(struct k_mem_page_frame));
	default:
		return NULL;
	}
}

static const struct kmem_eviction_ops hostile_policy = {
	.version = KMEM_EVICTION_VERSION,
	.name = "hostile",
	.init = hostile_init,
	.select = hostile_select,
};

static void hostile_boot(const struct kmem_eviction_ops *policy, enum kmem_switch demand_mapping)
{
	struct kmem_config config = config_small(&settings[0]);

	config.policy = NULL;
	config.policy_ops = policy;
	config.demand_mapping = demand_mapping;
	hostile.is_calm = true;
	boot(&config);
	bystanders = map(BYSTANDERS);
	words_write(bystanders, BYSTANDERS);
	subjects = map(SUBJECTS);
	words_write(subjects, SUBJECTS);
	hostile.is_calm = false;
}

START_TEST(policy_that_selects_nonsense_is_told_and_survived)
{
	enum kmem_switch demand_mapping = _i % 2 == 0 ? KMEM_SWITCH_ON : KMEM_SWITCH_OFF;
	struct kmem_usage before;
	bool is_fatal;

	hostile.hostility = (enum hostility)(_i / 2);
	hostile_boot(&hostile_policy, demand_mapping);
	k_mem_pin(subjects, PAGE);
	before = usage_now();
	capture_begin();
	is_fatal = false;
	for (size_t i = 0; i < BYSTANDERS && !is_fatal; i++) {
		is_fatal = read_is_fatal(&bystanders[i * WORDS]);
	}
	ck_assert(capture_has(hostile_texts[hostile.hostility]));
	ck_assert(is_fatal);
	ck_assert_int_eq(fatal.esf.kind, KMEM_FAULT_NO_MEMORY);
	ck_assert_int_eq(fatal.esf.error, -ENOMEM);
	machine_check();
	capture_begin();
	ck_assert_ptr_null(k_mem_map(PAGE, K_MEM_PERM_RW | K_MEM_MAP_LOCK));
	ck_assert(capture_has(hostile_texts[hostile.hostility]));
	ck_assert_uint_eq(usage_now().regions, before.regions);
	machine_check();
	/* Frames that the program frees itself are used without the policy. */
	ck_assert_int_eq(k_mem_page_out(&subjects[WORDS], PAGE), 0);
	ck_assert_uint_eq(volatile_read((uintptr_t *)fatal.esf.addr), fatal.esf.addr);
	hostile.is_calm = true;
	k_mem_unpin(subjects, PAGE);
	words_check();
	machine_finish();
}
END_TEST

/* Selects what it saw last, whatever became of it; it is never told, and does not ask, of removals. */
static void stubborn_add(void *state, struct k_mem_page_frame *pf)
{
	(void)state;
	hostile.last = pf;
}

static struct k_mem_page_frame *stubborn_select(void *state, bool *dirty)
{
	(void)state;
	*dirty = true;
	return hostile.last;
}

static const struct kmem_eviction_ops stubborn_policy = {
	.version = KMEM_EVICTION_VERSION,
	.name = "stubborn",
	.init = hostile_init,
	.select = stubborn_select,
	.add = stubborn_add,
};

START_TEST(policy_that_never_removes_is_survived)
{
	bool is_fatal;

	hostile_boot(&stubborn_policy, KMEM_SWITCH_ON);
	words_check();
	/* The frame it holds on to is pinned, and then free. */
	k_mem_pin(k_mem_page_frame_to_virt(hostile.last), PAGE);
	for (int round = 0; round < 2; round++) {
		is_fatal = false;
		capture_begin();
		for (size_t i = 0; i < BYSTANDERS + SUBJECTS && !is_fatal; i++) {
			uintptr_t *words = &bystanders[i * WORDS];

			if (i >= BYSTANDERS) {
				words = &subjects[(i - BYSTANDERS) * WORDS];
			}
			is_fatal = status_of(words).state == KMEM_PAGE_STATE_OUT && read_is_fatal(words);
		}
		ck_assert(capture_has("which is not evictable"));
		ck_assert(is_fatal);
		ck_assert_int_eq(fatal.esf.kind, KMEM_FAULT_NO_MEMORY);
		machine_check();
	}
	k_mem_unpin(bystanders, BYSTANDERS * PAGE);
	k_mem_unpin(subjects, SUBJECTS * PAGE);
	words_check();
	machine_finish();
}
END_TEST

/* A store that gives locations which cannot be, or one for all pages. */
static const uintptr_t bad_locations[] = {
	1, PAGE / 2, PAGE + 8, 1UL << 48, UINTPTR_MAX, KMEM_LOCATION_ANON_ZERO, KMEM_LOCATION_ANON_UNINIT,
};

#define BAD_LOCATIONS ((int)(sizeof(bad_locations) / sizeof(bad_locations[0])))

static uintptr_t bad_location;
static bool is_bad;
static size_t bad_location_frees;

static int bad_location_get(void *state, struct k_mem_page_frame *pf, uintptr_t *location, bool page_fault)
{
	if (!is_bad) {
		return own_location_get(state, pf, location, page_fault);
	}
	*location = bad_location;
	return 0;
}

static void bad_location_free(void *state, uintptr_t location)
{
	if (!is_bad) {
		own_location_free(state, location);
		return;
	}
	bad_location_frees++;
}

static void bad_page_finalize(void *state, struct k_mem_page_frame *pf, uintptr_t location)
{
	if (!is_bad) {
		own_page_finalize(state, pf, location);
	}
}

static struct kmem_config bad_config(struct kmem_store_ops *ops)
{
	struct kmem_config config = config_small(&own_setting);

	*ops = own_store;
	ops->name = "bad";
	ops->location_get = bad_location_get;
	ops->location_free = bad_location_free;
	ops->page_finalize = bad_page_finalize;
	config.store_ops = ops;
	is_bad = false;
	return config;
}

START_TEST(location_that_cannot_be_is_told_and_not_taken)
{
	struct kmem_store_ops ops;
	struct kmem_config config = bad_config(&ops);
	bool is_fatal;

	boot(&config);
	bystanders = map(BYSTANDERS);
	words_write(bystanders, BYSTANDERS);
	subjects = map(SUBJECTS);
	words_write(subjects, SUBJECTS);
	is_bad = true;
	bad_location = bad_locations[_i];
	bad_location_frees = 0;
	capture_begin();
	is_fatal = read_is_fatal(bystanders);
	ck_assert(capture_has("backing store \"bad\": location 0x"));
	ck_assert(is_fatal);
	ck_assert_int_eq(fatal.esf.kind, KMEM_FAULT_NO_MEMORY);
	ck_assert_int_eq(fatal.esf.error, -EINVAL);
	ck_assert_int_eq(k_mem_page_out(&subjects[WORDS], PAGE), -EINVAL);
	ck_assert_ptr_null(k_mem_map(PAGE, K_MEM_PERM_RW | K_MEM_MAP_LOCK));
	machine_check();
	ck_assert_uint_eq(bad_location_frees, 0);
	ck_assert_uint_eq(own.calls[PLACE_PAGE_OUT], FRAMES - BYSTANDERS); /* those that made room for the subjects */
	is_bad = false;
	words_check();
	machine_finish();
}
END_TEST

/* The bytes of pages that share a location are the store's fault; everything else holds. */
START_TEST(one_location_for_all_pages_breaks_no_more_than_their_bytes)
{
	struct kmem_store_ops ops;
	struct kmem_config config = bad_config(&ops);
	uintptr_t *pinned;

	boot(&config);
	is_bad = true;
	bad_location = 3 * PAGE;
	pinned = map(4);
	words_write(pinned, 4);
	k_mem_pin(pinned, 4 * PAGE);
	subjects = map(3 * FRAMES);
	for (int round = 0; round < 3; round++) {
		words_write(subjects, 3 * FRAMES);
		(void)words_wrong(subjects, 3 * FRAMES);
		ck_assert(kmem_is_valid());
	}
	ck_assert_uint_eq(words_wrong(pinned, 4), 0);
	k_mem_unmap(subjects, 3 * FRAMES * PAGE);
	k_mem_unmap(pinned, 4 * PAGE);
	ck_assert(kmem_is_valid());
	ck_assert_uint_eq(k_mem_free_get(), FRAMES * PAGE);
	ck_assert_uint_eq(kmem_kernel.map.free_bytes, VM_SIZE - PAGE);
	ck_assert_int_eq(kmem_shutdown(), 0);
}
END_TEST

/* ---- the host's own limit ---- */

/* A limit that can be reached in reasonable time. */
#define LIMIT_MAX 300000UL

static char *filler;
static size_t filler_size;

static size_t limit_get(void)
{
	FILE *file = fopen("/proc/sys/vm/max_map_count", "re");
	size_t limit = 0;

	if (file != NULL) {
		if (fscanf(file, "%zu", &limit) != 1) {
			limit = 0;
		}
		fclose(file);
	}
	return limit;
}

/* Use up the host's mappings but for some: every other page of a range has another permission. */
static void limit_fill(size_t limit, size_t spare)
{
	size_t i = 1;

	filler_size = (limit + 16) * PAGE;
	filler = mmap(NULL, filler_size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	ck_assert_ptr_ne(filler, MAP_FAILED);
	while (mprotect(filler + i * PAGE, PAGE, PROT_READ) == 0) {
		i += 2;
		ck_assert_uint_lt(i * PAGE, filler_size);
	}
	ck_assert_int_eq(errno, ENOMEM);
	/* Making two of them alike gives back two. */
	for (size_t given = 0; given < spare; given += 2) {
		i -= 2;
		ck_assert_int_eq(mprotect(filler + i * PAGE, PAGE, PROT_NONE), 0);
	}
}

static void limit_release(void)
{
	ck_assert_int_eq(munmap(filler, filler_size), 0);
}

/* A working set of four times RAM, in an order that makes neighbours of no two pages. */
#define SET_PAGES (4 * FRAMES)
#define STRIDE 37UL /* prime to SET_PAGES */

static size_t set_wrong;

static bool word_is_wrong(const uintptr_t *word)
{
	return volatile_read(word) != (uintptr_t)word;
}

/* Read the words, but in round 0, and write them; false if that was fatal. */
static bool set_visit(uintptr_t *set, size_t round)
{
	for (volatile size_t i = 0; i < SET_PAGES; i++) {
		uintptr_t *words = &set[(i * STRIDE + round) % SET_PAGES * WORDS];

		if (IS_FATAL({
			    if (round != 0) {
				    set_wrong += word_is_wrong(words) || word_is_wrong(words + WORDS - 1) ? 1 : 0;
			    }
			    volatile_write(words);
			    volatile_write(words + WORDS - 1);
		    })) {
			return false;
		}
	}
	return true;
}

static const size_t spares[] = {32, 8, 4, 2};

#define SPARES ((int)(sizeof(spares) / sizeof(spares[0])))
static const char *const policies[] = {"clock", "lru", "nru"};

START_TEST(few_host_mappings_suffice)
{
	size_t limit = limit_get();
	struct kmem_config config = config_small(&settings[_i % 2]);
	uintptr_t *set;
	uintptr_t *more;
	bool is_served = true;

	if (limit == 0 || limit > LIMIT_MAX || harness_on_valgrind() || harness_on_asan() || harness_on_tsan()) {
		return;
	}
	config.policy = policies[_i % 3];
	boot(&config);
	set = map(SET_PAGES);
	limit_fill(limit, spares[_i % SPARES]);
	for (size_t round = 0; round < 4 && is_served; round++) {
		is_served = set_visit(set, round);
	}
	more = k_mem_map(4 * PAGE, K_MEM_PERM_RW | K_MEM_MAP_LOCK);
	limit_release();
	ck_assert_msg(is_served, "%s", fatal.text);
	ck_assert_ptr_nonnull(more);
	ck_assert(kmem_is_valid());
	ck_assert(set_visit(set, 5));
	ck_assert_uint_eq(set_wrong, 0);
	k_mem_unmap(more, 4 * PAGE);
	k_mem_unmap(set, SET_PAGES * PAGE);
	ck_assert_uint_eq(k_mem_free_get(), FRAMES * PAGE);
	ck_assert_int_eq(kmem_shutdown(), 0);
}
END_TEST

/* More pages than the host has mappings, resident and in no order: each would take one of its own. */
START_TEST(scattered_pages_beyond_the_limit_stay_resident)
{
	size_t limit = limit_get();
	size_t pages = limit + 1000;
	struct kmem_config config = {.struct_size = sizeof(config), .ram_size = pages * PAGE};
	volatile uintptr_t *words;

	if (limit == 0 || limit > LIMIT_MAX / 2 || harness_on_valgrind() || harness_on_asan() || harness_on_tsan()) {
		return;
	}
	boot(&config);
	/* One mapping more or less decides which host call is the first to be refused. */
	filler = _i == 0 ? NULL : mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	words = map(pages);
	for (size_t i = 0; i < pages; i++) {
		words[i * 40009 % pages * WORDS] = i;
	}
	for (size_t i = 0; i < pages; i++) {
		if (words[i * 40009 % pages * WORDS] != i) {
			ck_abort_msg("page %zu is wrong", i * 40009 % pages);
		}
	}
	ck_assert_uint_eq(k_mem_num_pagefaults_get(), pages);
	if (filler != NULL) {
		munmap(filler, PAGE);
	}
	k_mem_unmap((void *)words, pages * PAGE);
	ck_assert(kmem_is_valid());
	ck_assert_int_eq(kmem_shutdown(), 0);
}
END_TEST

/* What is done at the limit succeeds or fails as the interface says, and all is right once there is room again. */
START_TEST(no_host_mapping_at_all_loses_nothing)
{
	size_t limit = limit_get();
	struct kmem_config config = config_small(&settings[_i % 2]);
	uintptr_t *set;
	void *more;
	int ret;
	bool is_served;

	if (limit == 0 || limit > LIMIT_MAX || harness_on_valgrind() || harness_on_asan() || harness_on_tsan()) {
		return;
	}
	config.policy = policies[_i % 3];
	boot(&config);
	set = map(SET_PAGES);
	ck_assert(set_visit(set, 0));
	limit_fill(limit, 0);
	is_served = set_visit(set, 1);
	ck_assert(is_served || (fatal.esf.kind == KMEM_FAULT_HOST && fatal.esf.error == -ENOMEM));
	more = k_mem_map(4 * PAGE, K_MEM_PERM_RW | K_MEM_MAP_LOCK);
	ret = k_mem_update_flags(&set[3 * WORDS], PAGE, 0);
	ck_assert(ret == 0 || ret == -ENOMEM);
	(void)k_mem_page_out(set, SET_PAGES * PAGE);
	limit_release();
	ck_assert(kmem_is_valid());
	ck_assert_int_eq(k_mem_update_flags(&set[3 * WORDS], PAGE, K_MEM_PERM_RW), 0);
	ck_assert(set_visit(set, 2));
	ck_assert_uint_eq(set_wrong, 0);
	if (more != NULL) {
		k_mem_unmap(more, 4 * PAGE);
	}
	k_mem_unmap(set, SET_PAGES * PAGE);
	ck_assert_uint_eq(k_mem_free_get(), FRAMES * PAGE);
	ck_assert_int_eq(kmem_shutdown(), 0);
}
END_TEST

static void add_forks(Suite *suite)
{
	TCase *forks = tcase_create("fork");

	tcase_add_checked_fixture(forks, setup, teardown);
	tcase_set_timeout(forks, 60);
	tcase_add_loop_test(forks, child_of_a_fork_that_fails_is_stopped_and_the_parent_unharmed, 0,
			    HOST_SETTINGS * FAILURES);
	tcase_add_test(forks, child_without_ram_cannot_reach_its_parents);
	suite_add_tcase(suite, forks);
}

Suite *kmem_test_suite(void)
{
	Suite *suite = suite_create("failure");
	TCase *host = tcase_create("loops");
	TCase *store = tcase_create("store");
	TCase *hostility = tcase_create("hostile");
	TCase *limit = tcase_create("limit");

	tcase_add_checked_fixture(host, setup, teardown);
	tcase_set_timeout(host, 60);
	tcase_add_loop_test(host, boot_fails_cleanly_and_then_succeeds, 0, HOST_SETTINGS * FAILURES);
	tcase_add_loop_test(host, operation_fails_cleanly_and_then_succeeds, 0, SETTINGS * FAILURES);
	tcase_add_loop_test(host, fault_is_served_or_fatal_and_then_served, 0, SETTINGS * FAILURES);
	suite_add_tcase(suite, host);

	/* A bad access in a child, seen by Valgrind, changes how the child ends. */
	if (!harness_on_valgrind()) {
		add_forks(suite);
	}

	tcase_add_checked_fixture(store, setup, teardown);
	tcase_set_timeout(store, 60);
	tcase_add_test(store, page_that_cannot_be_written_stays_and_another_goes);
	tcase_add_loop_test(store, page_that_cannot_be_read_ends_the_thread_that_needs_it_alone, 0, 4);
	suite_add_tcase(suite, store);

	tcase_add_checked_fixture(hostility, setup, teardown);
	tcase_set_timeout(hostility, 60);
	tcase_add_loop_test(hostility, policy_that_selects_nonsense_is_told_and_survived, 0, 2 * HOSTILE_END);
	tcase_add_test(hostility, policy_that_never_removes_is_survived);
	tcase_add_loop_test(hostility, location_that_cannot_be_is_told_and_not_taken, 0, BAD_LOCATIONS);
	tcase_add_test(hostility, one_location_for_all_pages_breaks_no_more_than_their_bytes);
	suite_add_tcase(suite, hostility);

	tcase_add_checked_fixture(limit, setup, teardown);
	tcase_set_timeout(limit, 60);
	tcase_add_loop_test(limit, few_host_mappings_suffice, 0, 12);
	tcase_add_loop_test(limit, scattered_pages_beyond_the_limit_stay_resident, 0, 2);
	tcase_add_loop_test(limit, no_host_mapping_at_all_loses_nothing, 0, 6);
	suite_add_tcase(suite, limit);
	return suite;
}
