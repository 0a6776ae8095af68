/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Boot and shutdown, as programs use them: again and again without a trace, refused where the configuration is wrong,
 * by itself at the first use of a mapping function, with stores, policies, devices and images of all kinds, and with a
 * report at the end.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <kmem/kmem.h>

#include "harness.h"

#define PAGE 4096UL
#define FRAMES 32UL
#define MIB (1UL << 20)
#define VM_SIZE (64 * MIB)

static struct harness_leaks leaks;
static char directory[64];
static char path[128];

static const char *const policies[] = {"clock", "lru", "nru"};
static const char *const stores[] = {"ram", "file"};

static void setup(void)
{
	snprintf(directory, sizeof(directory), "/tmp/test_boot.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/file", directory);
	harness_leaks_begin(&leaks);
}

static void teardown(void)
{
	(void)kmem_shutdown();
	harness_leaks_check(&leaks);
	ck_assert_int_eq(rmdir(directory), 0); /* so it is empty */
}

static struct kmem_config config_small(void)
{
	return (struct kmem_config){
		.struct_size = sizeof(struct kmem_config), .vm_size = VM_SIZE, .ram_size = FRAMES * PAGE};
}

static void boot(const struct kmem_config *config)
{
	ck_assert_msg(kmem_boot(config) == 0, "%s", kmem_boot_error());
	ck_assert_str_eq(kmem_boot_error(), "");
	ck_assert(kmem_is_booted());
	ck_assert(kmem_is_valid());
}

static void shut_down(void)
{
	ck_assert(kmem_is_valid());
	ck_assert_int_eq(kmem_shutdown(), 0);
	ck_assert(!kmem_is_booted());
}

/* Page more than RAM in and out. */
static void exercise(void)
{
	size_t count = 3 * FRAMES * PAGE / sizeof(uintptr_t);
	uintptr_t *words = k_mem_map(3 * FRAMES * PAGE, K_MEM_PERM_RW);
	size_t wrong = 0;

	ck_assert_ptr_nonnull(words);
	for (size_t i = 0; i < count; i++) {
		words[i] = (uintptr_t)&words[i];
	}
	for (size_t i = 0; i < count; i++) {
		wrong += words[i] != (uintptr_t)&words[i] ? 1 : 0;
	}
	ck_assert_uint_eq(wrong, 0);
}

/* What is written to a descriptor goes to a file without a name meanwhile. */
struct capture {
	int fd;    /* captured */
	int saved; /* a duplicate of it */
	int file;
};

static struct capture capture_begin(int fd)
{
	struct capture capture = {.fd = fd, .saved = dup(fd), .file = memfd_create("capture", MFD_CLOEXEC)};

	ck_assert_int_ge(capture.saved, 0);
	ck_assert_int_ge(capture.file, 0);
	fflush(NULL);
	ck_assert_int_eq(dup2(capture.file, fd), fd);
	return capture;
}

/* The text, to be freed. */
static char *capture_end(const struct capture *capture)
{
	off_t size;
	char *text;

	fflush(NULL);
	ck_assert_int_eq(dup2(capture->saved, capture->fd), capture->fd);
	size = lseek(capture->file, 0, SEEK_END);
	text = calloc(1, (size_t)size + 1);
	ck_assert_ptr_nonnull(text);
	ck_assert_int_eq(pread(capture->file, text, (size_t)size, 0), size);
	close(capture->file);
	close(capture->saved);
	return text;
}

/* A file's text, to be freed. */
static char *file_read(const char *name)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	struct stat status;
	char *text;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fstat(fd, &status), 0);
	text = calloc(1, (size_t)status.st_size + 1);
	ck_assert_ptr_nonnull(text);
	ck_assert_int_eq(read(fd, text, (size_t)status.st_size), status.st_size);
	close(fd);
	return text;
}

/* One object, its brackets balanced outside strings, nothing left out behind a comma. test_inspect.c reads on. */
static void json_check(const char *text)
{
	bool is_string = false;
	char before = '\0';
	int depth = 0;

	ck_assert_int_eq(text[0], '{');
	for (const char *c = text; *c != '\0'; c++) {
		is_string ^= *c == '"';
		if (is_string || *c == ' ' || *c == '\n') {
			continue;
		}
		if (*c == '}' || *c == ']') {
			ck_assert_int_ne(before, ',');
			depth--;
			ck_assert_msg(depth > 0 || strcmp(c, "}\n") == 0, "text behind the object");
		}
		depth += *c == '{' || *c == '[' ? 1 : 0;
		before = *c;
	}
	ck_assert(!is_string);
	ck_assert_int_eq(depth, 0);
}

/* ---- again and again ---- */

START_TEST(a_hundred_boots_leave_no_trace)
{
	int rounds = harness_on_valgrind() ? 12 : 100;

	for (int i = 0; i < rounds; i++) {
		struct kmem_config config = config_small();

		config.policy = policies[i % 3];
		config.store = stores[i / 3 % 2];
		config.demand_mapping = i % 5 == 0 ? KMEM_SWITCH_OFF : KMEM_SWITCH_DEFAULT;
		boot(&config);
		if (i % 4 == 0) {
			exercise();
		}
		shut_down();
		if (i % 10 == 0) {
			harness_leaks_check(&leaks);
			harness_leaks_begin(&leaks);
		}
	}
}
END_TEST

START_TEST(boots_that_fail_leave_no_trace_and_the_next_one_works)
{
	int rounds = harness_on_valgrind() ? 10 : 100;

	for (int i = 0; i < rounds; i++) {
		struct kmem_config config = config_small();

		config.store = "file:/nonexistent/directory/file";
		ck_assert_int_eq(kmem_boot(&config), -ENOENT);
		ck_assert_ptr_nonnull(strstr(kmem_boot_error(), "/nonexistent/directory/file"));
		ck_assert(!kmem_is_booted());
	}
	harness_leaks_check(&leaks);
	harness_leaks_begin(&leaks);
	boot(NULL);
	exercise();
}
END_TEST

START_TEST(second_boot_is_refused_and_changes_nothing)
{
	struct kmem_config config = config_small();
	struct kmem_layout before;
	struct kmem_layout after;
	char *bytes;

	boot(&config);
	bytes = k_mem_map(PAGE, K_MEM_PERM_RW);
	ck_assert_ptr_nonnull(bytes);
	bytes[5] = 5;
	ck_assert_int_eq(kmem_layout_get(&before), 0);
	config.ram_size *= 2;
	config.policy = "mru";
	ck_assert_int_eq(kmem_boot(&config), -EALREADY);
	ck_assert_str_ne(kmem_boot_error(), "");
	ck_assert_int_eq(kmem_boot(NULL), -EALREADY);
	ck_assert_int_eq(kmem_layout_get(&after), 0);
	ck_assert_mem_eq(&after, &before, sizeof(before));
	ck_assert_int_eq(bytes[5], 5);
	shut_down();
	ck_assert_int_eq(kmem_shutdown(), -ENODEV);
}
END_TEST

static int visit_none(const struct kmem_region_info *region, void *arg)
{
	(void)region;
	(void)arg;
	return 1;
}

static void enodev_check(void)
{
	struct kmem_page_status status;
	struct kmem_histogram histogram;
	struct kmem_layout layout;
	struct kmem_setup setup_now;
	struct kmem_stats stats;
	struct kmem_usage usage;
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert(!kmem_is_booted());
	ck_assert_int_eq(kmem_shutdown(), -ENODEV);
	ck_assert_int_eq(kmem_setup_get(&setup_now), -ENODEV);
	ck_assert_int_eq(kmem_layout_get(&layout), -ENODEV);
	ck_assert_int_eq(kmem_region_walk(visit_none, NULL), -ENODEV);
	ck_assert_int_eq(kmem_page_status_get(&layout, &status), -ENODEV);
	ck_assert_int_eq(kmem_usage_get(&usage), -ENODEV);
	ck_assert_int_eq(kmem_stats_get(&stats), -ENODEV);
	ck_assert_int_eq(kmem_thread_stats_get(0, &stats), -ENODEV);
	ck_assert_int_eq(kmem_histogram_get(KMEM_HISTOGRAM_PAGE_IN, &histogram), -ENODEV);
	ck_assert_int_eq(kmem_histogram_get((enum kmem_histogram_kind)99, &histogram), -ENODEV);
	ck_assert_int_eq(kmem_map_print(fd), -ENODEV);
	ck_assert_int_eq(kmem_report_print(fd, true), -ENODEV);
	ck_assert_int_eq(kmem_report_print(fd, false), -ENODEV);
	ck_assert(kmem_is_valid());
	ck_assert(!kmem_is_booted());
	close(fd);
}

START_TEST(inspection_wants_a_machine_and_boots_none)
{
	enodev_check();
	boot(NULL);
	shut_down();
	enodev_check();
}
END_TEST

START_TEST(version_has_three_numbers)
{
	unsigned int major;
	unsigned int minor;
	unsigned int patch;
	char rest;

	ck_assert_int_eq(sscanf(kmem_version(), "%u.%u.%u%c", &major, &minor, &patch, &rest), 3);
}
END_TEST

/* ---- by itself ---- */

/* Whichever is best here, unless the test run asks for one. */
static void engine_check(const char *engine)
{
	const char *wanted = getenv("KMEM_ENGINE");

	if (wanted != NULL) {
		ck_assert_str_eq(engine, wanted);
		return;
	}
	ck_assert(strcmp(engine, "guard") == 0 || strcmp(engine, "mmap") == 0 || strcmp(engine, "uffd") == 0);
}

static void default_layout_check(void)
{
	struct kmem_layout layout;
	struct kmem_setup now;

	ck_assert(kmem_is_booted());
	ck_assert_int_eq(kmem_layout_get(&layout), 0);
	if (!harness_on_asan()) {
		ck_assert_uint_eq(layout.virt_ram_start, 0x400000000UL);
	}
	ck_assert_uint_eq(layout.virt_ram_end - layout.virt_ram_start, 8192 * MIB);
	ck_assert_uint_eq(layout.phys_ram_start, layout.virt_ram_start);
	ck_assert_uint_eq(layout.phys_ram_end - layout.phys_ram_start, 64 * MIB);
	ck_assert_uint_eq(layout.vm_free_start, layout.virt_ram_start);
	ck_assert_uint_eq(layout.vm_reserved, layout.page_size);
	ck_assert_uint_eq(layout.page_size, (size_t)getpagesize());
	ck_assert_int_eq(kmem_setup_get(&now), 0);
	engine_check(now.engine);
	ck_assert_str_ne(now.engine_reason, "");
	ck_assert_str_eq(now.policy, "clock");
	ck_assert_str_eq(now.store, "ram");
}

static void first_map(void)
{
	ck_assert_ptr_nonnull(k_mem_map(PAGE, K_MEM_PERM_RW));
}

static void first_map_bare(void)
{
	uint8_t *virt = NULL;

	/* The default RAM begins at the default VM range. */
	k_mem_map_phys_bare(&virt, harness_on_asan() ? 0x200000000000UL : 0x400000000UL, PAGE, K_MEM_PERM_RW);
	ck_assert_ptr_nonnull(virt);
}

static void first_free_get(void)
{
	ck_assert_uint_eq(k_mem_free_get(), 64 * MIB);
}

static void first_count(void)
{
	ck_assert_uint_eq(k_mem_num_pagefaults_get(), 0);
}

static void first_page_fault(void)
{
	int local;

	ck_assert(!k_mem_page_fault(&local));
}

static void first_device(void)
{
	ck_assert_int_eq(kmem_device_add("dev", 0x1000, PAGE, NULL), 0);
}

static void first_update(void)
{
	uintptr_t base = harness_on_asan() ? 0x200000000000UL : 0x400000000UL;

	ck_assert_int_eq(k_mem_update_flags((void *)base, PAGE, 0), -EFAULT);
}

static void first_dump(void)
{
	struct capture capture = capture_begin(STDOUT_FILENO);
	char *text;

	k_mem_page_frames_dump();
	text = capture_end(&capture);
	ck_assert_ptr_nonnull(strstr(text, "Physical memory from 0x"));
	free(text);
}

static void (*const first_uses[])(void) = {
	first_map,        first_map_bare, first_free_get, first_count,
	first_page_fault, first_device,   first_update,   first_dump,
};

#define FIRST_USES ((int)(sizeof(first_uses) / sizeof(first_uses[0])))

START_TEST(first_use_boots_with_the_defaults)
{
	ck_assert(!kmem_is_booted());
	first_uses[_i]();
	default_layout_check();
	shut_down();
}
END_TEST

START_TEST(first_use_fails_where_the_default_cannot_boot)
{
	uintptr_t location = 0;
	int local;

	setenv("KMEM_RAM", "plenty", 1);
	ck_assert_ptr_null(k_mem_map(PAGE, K_MEM_PERM_RW));
	ck_assert_ptr_nonnull(strstr(kmem_boot_error(), "KMEM_RAM=plenty"));
	ck_assert_uint_eq(k_mem_free_get(), 0);
	ck_assert_uint_eq(k_mem_num_pagefaults_get(), 0);
	ck_assert_int_eq(k_mem_update_flags(&location, PAGE, 0), -ENODEV);
	ck_assert_int_eq(k_mem_page_out(&location, PAGE), -ENODEV);
	ck_assert_int_eq(k_mem_page_frame_evict(0), -ENODEV);
	ck_assert_int_eq(kmem_device_add("dev", 0x1000, PAGE, NULL), -ENODEV);
	ck_assert(!k_mem_page_fault(&local));
	k_mem_page_in(&location, PAGE);
	k_mem_pin(&location, PAGE);
	k_mem_unpin(&location, PAGE);
	k_mem_unmap(&location, PAGE);
	k_mem_unmap_phys_bare((uint8_t *)&location, PAGE);
	k_mem_page_frames_dump();
	ck_assert(!kmem_is_booted());
	unsetenv("KMEM_RAM");
	first_map();
	default_layout_check();
}
END_TEST

/* ---- what is refused ---- */

static int no_init(void **state, const struct kmem_eviction_params *params)
{
	(void)params;
	*state = NULL;
	return 0;
}

static struct k_mem_page_frame *no_select(void *state, bool *dirty)
{
	(void)state;
	*dirty = false;
	return NULL;
}

static const struct kmem_eviction_ops no_policy = {
	.version = KMEM_EVICTION_VERSION, .name = "no", .init = no_init, .select = no_select};

static const struct kmem_device thirty_three_devices[KMEM_DEVICES_MAX + 1];
static const struct kmem_device odd_device = {.name = "odd", .phys = 0x1001, .size = PAGE};
static const struct kmem_device far_device = {.name = "far", .phys = (1UL << 48) - PAGE, .size = 2 * PAGE};
static const struct kmem_device ram_device = {.name = "in_ram", .phys = 0x10001000UL, .size = PAGE};
static const struct kmem_device twins[] = {{"one", 0x1000, 2 * PAGE}, {"two", 0x2000, PAGE}};
static const struct kmem_section nameless = {.size = PAGE};
static const struct kmem_section empty_section = {.name = ".text"};
static const struct kmem_section huge_section = {.name = ".bss", .size = 1000 * MIB};
static const struct kmem_section overfull_section = {.name = ".data", .size = 3, .bytes = "abcd", .bytes_size = 4};
static const struct kmem_section odd_section = {.name = ".odd", .size = PAGE, .flags = 0x100};

static const struct {
	struct kmem_config config;
	int error;
	const char *text; /* in the message */
} refused[] = {
	{{.page_size = 5000}, EINVAL, "5000"},
	{{.page_size = PAGE / 2}, EINVAL, "page size 2048"},
	{{.vm_base = 0x400000001UL}, EINVAL, "VM base"},
	{{.vm_base = 0xffffffff00000000UL, .ram_base = MIB}, EINVAL, "VM range"},
	{{.vm_size = 4097}, EINVAL, "VM size"},
	{{.vm_size = 1UL << 60}, EINVAL, "VM range"},
	{{.vm_offset = 5}, EINVAL, "VM offset"},
	{{.vm_offset = 8192 * MIB}, EINVAL, "VM range"},
	{{.ram_size = 1000}, EINVAL, "RAM size"},
	{{.ram_size = PAGE}, EINVAL, "too small"},
	{{.ram_size = 16384 * MIB}, EINVAL, "larger than the VM range"},
	{{.ram_base = 1}, EINVAL, "RAM base"},
	{{.ram_base = 1UL << 48}, EINVAL, "physical address"},
	{{.ram_offset = 1}, EINVAL, "RAM offset"},
	{{.ram_offset = 65 * MIB}, EINVAL, "RAM offset"},
	{{.frames_reserve = 1 << 20}, EINVAL, "in reserve"},
	{{.maps_all_ram = (enum kmem_switch)7}, EINVAL, "maps_all_ram"},
	{{.assertions = (enum kmem_switch)-1}, EINVAL, "assertions"},
	{{.demand_paging = KMEM_SWITCH_OFF, .demand_mapping = KMEM_SWITCH_ON}, EINVAL, "demand mapping"},
	{{.engine = "warp"}, ENOTSUP, "\"warp\""},
	{{.policy = "mru"}, EINVAL, "clock, lru, nru"},
	{{.policy = "lru", .policy_ops = &no_policy}, EINVAL, "policy_ops"},
	{{.store = "tape"}, EINVAL, "file, ram"},
	{{.store = "ram:0"}, EINVAL, "ram:0"},
	{{.store = "ram:many"}, EINVAL, "ram:many"},
	{{.store = "file:"}, EINVAL, "file:"},
	{{.store = "ram:5", .store_pages = 6}, EINVAL, "store_pages 6"},
	{{.store_pages = 1UL << 40}, EINVAL, "store of"},
	{{.device_count = 1}, EINVAL, "devices"},
	{{.devices = thirty_three_devices, .device_count = KMEM_DEVICES_MAX + 1}, EINVAL, "33 devices"},
	{{.devices = &odd_device, .device_count = 1}, EINVAL, "\"odd\""},
	{{.devices = &far_device, .device_count = 1}, EINVAL, "\"far\""},
	{{.ram_base = 0x10000000UL, .devices = &ram_device, .device_count = 1}, EINVAL, "\"in_ram\""},
	{{.devices = twins, .device_count = 2}, EINVAL, "\"two\""},
	{{.section_count = 1}, EINVAL, "sections"},
	{{.sections = &nameless, .section_count = 1}, EINVAL, "section 0"},
	{{.sections = &empty_section, .section_count = 1}, EINVAL, "\".text\""},
	{{.sections = &huge_section, .section_count = 1}, EINVAL, "\".bss\""},
	{{.sections = &overfull_section, .section_count = 1}, EINVAL, "\".data\""},
	{{.sections = &odd_section, .section_count = 1}, EINVAL, "\".odd\""},
	{{.store = "file:/dev/null"}, EEXIST, "at /dev/null"},
};

#define REFUSED ((int)(sizeof(refused) / sizeof(refused[0])))

START_TEST(wrong_values_are_named_in_message_and_log)
{
	struct kmem_config config = refused[_i].config;
	struct capture capture = capture_begin(STDERR_FILENO);
	int ret;
	char *log;

	config.struct_size = sizeof(config);
	if (config.engine != NULL) {
		unsetenv("KMEM_ENGINE");
	}
	ret = kmem_boot(&config);
	log = capture_end(&capture);
	ck_assert_msg(ret == -refused[_i].error, "%d, not %d: %s", ret, -refused[_i].error, kmem_boot_error());
	ck_assert_msg(strstr(kmem_boot_error(), refused[_i].text) != NULL, "no \"%s\" in: %s", refused[_i].text,
		      kmem_boot_error());
	ck_assert_ptr_null(strchr(kmem_boot_error(), '\n'));
	ck_assert_msg(strstr(log, kmem_boot_error()) != NULL, "not in the log: %s", kmem_boot_error());
	free(log);
	ck_assert(!kmem_is_booted());
	boot(NULL);
	shut_down();
}
END_TEST

START_TEST(struct_of_another_size_is_refused)
{
	struct kmem_config config = {.struct_size = 0};

	ck_assert_int_eq(kmem_boot(&config), -EINVAL);
	ck_assert_ptr_nonnull(strstr(kmem_boot_error(), "struct_size is 0"));
	config.struct_size = sizeof(config) + 1;
	ck_assert_int_eq(kmem_boot(&config), -EINVAL);
	/* A shorter one is of an older header: what it has not is default. */
	config = config_small();
	config.struct_size = offsetof(struct kmem_config, stats_path);
	config.stats_path = (const char *)1;
	boot(&config);
}
END_TEST

START_TEST(taken_vm_range_is_refused_and_left_alone)
{
	struct kmem_config config = config_small();
	char *taken;

	config.vm_base = 0x500000000UL;
	taken = mmap((void *)(config.vm_base + VM_SIZE - PAGE), PAGE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (taken == MAP_FAILED) {
		return; /* a sanitizer's */
	}
	taken[0] = 42;
	ck_assert_int_eq(kmem_boot(&config), -EADDRINUSE);
	ck_assert_ptr_nonnull(strstr(kmem_boot_error(), "0x500000000"));
	ck_assert_int_eq(taken[0], 42);
	ck_assert_int_eq(munmap(taken, PAGE), 0);
	boot(&config);
	exercise();
}
END_TEST

/* ---- policies and stores of the program's own ---- */

static struct {
	int inits;
	int finishes;
	int error; /* of init */
	size_t frames;
	size_t pages;
	void *arg;
} seen;

static int seen_policy_init(void **state, const struct kmem_eviction_params *params)
{
	ck_assert_uint_eq(params->frames.page_size, PAGE);
	ck_assert_uint_eq(params->nru_period_ms, 77);
	seen.inits++;
	seen.frames = params->frames.count;
	seen.arg = params->arg;
	*state = &seen;
	return -seen.error;
}

static void seen_finish(void *state)
{
	ck_assert_ptr_eq(state, &seen);
	seen.finishes++;
}

/* Any evictable frame. */
static struct kmem_frames all_frames;

static struct k_mem_page_frame *seen_select(void *state, bool *dirty)
{
	ck_assert_ptr_eq(state, &seen);
	for (size_t i = 0; i < all_frames.count; i++) {
		struct k_mem_page_frame *pf = &all_frames.first[i];

		if (k_mem_page_frame_is_evictable(pf)) {
			*dirty = (kmem_page_info_get(k_mem_page_frame_to_virt(pf), NULL, false) & KMEM_PAGE_DIRTY) != 0;
			return pf;
		}
	}
	return NULL;
}

/* The smallest of all stores: as many locations as there are bytes in `used`, kept for ever. */
#define STORE_PAGES 256UL

static uint8_t store_bytes[STORE_PAGES * PAGE];
static bool store_used[STORE_PAGES];

static int seen_store_init(void **state, const struct kmem_store_params *params)
{
	ck_assert_uint_eq(params->frames.page_size, PAGE);
	ck_assert_ptr_null(params->path);
	seen.inits++;
	seen.pages = params->capacity_pages;
	seen.arg = params->arg;
	all_frames = params->frames;
	memset(store_used, 0, sizeof(store_used));
	*state = &seen;
	return -seen.error;
}

static int seen_location_get(void *state, struct k_mem_page_frame *pf, uintptr_t *location, bool page_fault)
{
	(void)pf;
	(void)page_fault;
	ck_assert_ptr_eq(state, &seen);
	for (size_t i = 0; i < STORE_PAGES; i++) {
		if (!store_used[i]) {
			store_used[i] = true;
			*location = i * PAGE;
			return 0;
		}
	}
	return -ENOMEM;
}

static void seen_location_free(void *state, uintptr_t location)
{
	ck_assert_ptr_eq(state, &seen);
	ck_assert(store_used[location / PAGE]);
	store_used[location / PAGE] = false;
}

static int seen_page_out(void *state, uintptr_t location, const void *page)
{
	ck_assert_ptr_eq(state, &seen);
	memcpy(store_bytes + location, page, PAGE);
	return 0;
}

static int seen_page_in(void *state, uintptr_t location, void *page)
{
	ck_assert_ptr_eq(state, &seen);
	memcpy(page, store_bytes + location, PAGE);
	return 0;
}

static void seen_page_finalize(void *state, struct k_mem_page_frame *pf, uintptr_t location)
{
	k_mem_page_frame_clear(pf, K_MEM_PAGE_FRAME_BACKED);
	seen_location_free(state, location);
}

static const struct kmem_eviction_ops seen_policy = {
	.version = KMEM_EVICTION_VERSION,
	.name = "seen-policy",
	.init = seen_policy_init,
	.finish = seen_finish,
	.select = seen_select,
};

static const struct kmem_store_ops seen_store = {
	.version = KMEM_STORE_VERSION,
	.name = "seen-store",
	.init = seen_store_init,
	.finish = seen_finish,
	.location_get = seen_location_get,
	.location_free = seen_location_free,
	.page_out = seen_page_out,
	.page_in = seen_page_in,
	.page_finalize = seen_page_finalize,
};

START_TEST(own_policy_and_store_are_run_with_their_arguments)
{
	struct kmem_config config = config_small();
	struct kmem_setup now;
	int policy_arg;
	int store_arg;

	memset(&seen, 0, sizeof(seen));
	config.store_ops = &seen_store;
	config.store_arg = &store_arg;
	config.store_pages = STORE_PAGES;
	boot(&config);
	ck_assert_int_eq(seen.inits, 1);
	ck_assert_uint_eq(seen.pages, STORE_PAGES);
	ck_assert_ptr_eq(seen.arg, &store_arg);
	ck_assert_int_eq(kmem_setup_get(&now), 0);
	ck_assert_str_eq(now.store, "seen-store");
	ck_assert_str_eq(now.policy, "clock");
	exercise();
	shut_down();
	ck_assert_int_eq(seen.finishes, 1);

	config.policy_ops = &seen_policy;
	config.policy_arg = &policy_arg;
	config.nru_period_ms = 77;
	boot(&config);
	ck_assert_int_eq(seen.inits, 3);
	ck_assert_uint_eq(seen.frames, FRAMES);
	ck_assert_ptr_eq(seen.arg, &policy_arg); /* the policy's init comes after the store's */
	ck_assert_int_eq(kmem_setup_get(&now), 0);
	ck_assert_str_eq(now.policy, "seen-policy");
	exercise();
	shut_down();
	ck_assert_int_eq(seen.finishes, 3);
}
END_TEST

START_TEST(init_of_an_own_policy_or_store_may_fail)
{
	struct kmem_config config = config_small();

	memset(&seen, 0, sizeof(seen));
	seen.error = EXDEV;
	config.store_ops = &seen_store;
	ck_assert_int_eq(kmem_boot(&config), -EXDEV);
	ck_assert_ptr_nonnull(strstr(kmem_boot_error(), "\"seen-store\""));
	ck_assert_ptr_nonnull(strstr(kmem_boot_error(), "EXDEV"));
	ck_assert_int_eq(seen.inits, 1);
	ck_assert_int_eq(seen.finishes, 0);

	config.store_ops = NULL;
	config.policy_ops = &seen_policy;
	config.nru_period_ms = 77;
	ck_assert_int_eq(kmem_boot(&config), -EXDEV);
	ck_assert_ptr_nonnull(strstr(kmem_boot_error(), "\"seen-policy\""));
	ck_assert_int_eq(seen.inits, 2);
	ck_assert_int_eq(seen.finishes, 0);
	seen.error = 0;
	config.store_ops = &seen_store;
	config.store_pages = STORE_PAGES;
	boot(&config);
	exercise();
}
END_TEST

static int init_fails(void **state, const struct kmem_eviction_params *params)
{
	(void)state;
	(void)params;
	return -EDOM;
}

START_TEST(policy_whose_init_fails_finishes_the_store)
{
	struct kmem_eviction_ops policy = no_policy;
	struct kmem_config config = config_small();

	memset(&seen, 0, sizeof(seen));
	config.store_ops = &seen_store;
	config.policy_ops = &policy;
	policy.init = init_fails;
	ck_assert_int_eq(kmem_boot(&config), -EDOM);
	ck_assert_int_eq(seen.inits, 1);
	ck_assert_int_eq(seen.finishes, 1);
}
END_TEST

/* Where the members of a struct of another version are is unknown, so none of them may be read. */
START_TEST(ops_of_another_version_are_refused_unread)
{
	struct kmem_eviction_ops policy;
	struct kmem_store_ops store;
	struct kmem_config config = config_small();

	memset(&policy, 0x11, sizeof(policy));
	memset(&store, 0x11, sizeof(store));
	policy.version = KMEM_EVICTION_VERSION + 1;
	store.version = KMEM_STORE_VERSION + 1;
	config.policy_ops = &policy;
	ck_assert_int_eq(kmem_boot(&config), -EINVAL);
	ck_assert_ptr_nonnull(strstr(kmem_boot_error(), "version 2"));
	config.policy_ops = NULL;
	config.store_ops = &store;
	ck_assert_int_eq(kmem_boot(&config), -EINVAL);
	ck_assert_ptr_nonnull(strstr(kmem_boot_error(), "version 2"));
}
END_TEST

START_TEST(ops_without_mandatory_members_are_refused)
{
	struct kmem_eviction_ops policy = seen_policy;
	struct kmem_store_ops store = seen_store;
	struct kmem_config config = config_small();

	policy.init = NULL;
	config.policy_ops = &policy;
	ck_assert_int_eq(kmem_boot(&config), -EINVAL);
	policy = seen_policy;
	policy.select = NULL;
	ck_assert_int_eq(kmem_boot(&config), -EINVAL);
	config.policy_ops = NULL;
	config.store_ops = &store;
	store.page_in = NULL;
	ck_assert_int_eq(kmem_boot(&config), -EINVAL);
	store = seen_store;
	store.name = NULL;
	ck_assert_int_eq(kmem_boot(&config), -EINVAL);
}
END_TEST

START_TEST(without_demand_paging_there_is_neither_policy_nor_store)
{
	struct kmem_config config = config_small();
	struct kmem_layout layout;
	struct kmem_setup now;

	memset(&seen, 0, sizeof(seen));
	config.demand_paging = KMEM_SWITCH_OFF;
	config.store_ops = &seen_store;
	config.policy_ops = &seen_policy;
	boot(&config);
	ck_assert_int_eq(seen.inits, 0);
	ck_assert_int_eq(kmem_setup_get(&now), 0);
	ck_assert_str_eq(now.policy, "none");
	ck_assert_str_eq(now.store, "none");
	ck_assert_int_eq(kmem_layout_get(&layout), 0);
	ck_assert_uint_eq(layout.vm_reserved, 0);
	shut_down();
	ck_assert_int_eq(seen.finishes, 0);
}
END_TEST

/* ---- a file store at a path ---- */

static struct kmem_config config_at_path(char *store, size_t size)
{
	struct kmem_config config = config_small();

	snprintf(store, size, "file:%s", path);
	config.store = store;
	return config;
}

START_TEST(file_store_is_private_and_removed_at_shutdown)
{
	char store[160];
	struct kmem_config config = config_at_path(store, sizeof(store));
	struct stat status;
	mode_t mask = umask(0);

	boot(&config);
	umask(mask);
	memset(store, 'x', strlen(store)); /* the configuration is not kept */
	ck_assert_int_eq(stat(path, &status), 0);
	ck_assert(S_ISREG(status.st_mode));
	ck_assert_uint_eq(status.st_mode & 07777, 0600);
	exercise();
	ck_assert_int_eq(stat(path, &status), 0);
	ck_assert_int_ge(status.st_size, (off_t)PAGE);
	shut_down();
	ck_assert_int_eq(stat(path, &status), -1);
	ck_assert_int_eq(errno, ENOENT);
}
END_TEST

START_TEST(file_that_exists_is_refused_and_untouched)
{
	char store[160];
	struct kmem_config config = config_at_path(store, sizeof(store));
	struct stat before;
	struct stat after;
	FILE *file = fopen(path, "w");
	char *text;

	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs("precious", file), 0);
	fclose(file);
	ck_assert_int_eq(stat(path, &before), 0);
	ck_assert_int_eq(kmem_boot(&config), -EEXIST);
	ck_assert_ptr_nonnull(strstr(kmem_boot_error(), path));
	ck_assert_int_eq(stat(path, &after), 0);
	ck_assert_int_eq(before.st_ino, after.st_ino);
	ck_assert_int_eq(before.st_mode, after.st_mode);
	text = file_read(path);
	ck_assert_str_eq(text, "precious");
	free(text);
	ck_assert_int_eq(unlink(path), 0);
	boot(&config);
	exercise();
}
END_TEST

START_TEST(boot_that_fails_after_the_store_removes_the_file)
{
	char store[160];
	struct kmem_config config = config_at_path(store, sizeof(store));
	struct stat status;

	memset(&seen, 0, sizeof(seen));
	seen.error = EDOM;
	config.policy_ops = &seen_policy;
	config.nru_period_ms = 77;
	ck_assert_int_eq(kmem_boot(&config), -EDOM);
	ck_assert_int_eq(stat(path, &status), -1);
}
END_TEST

START_TEST(path_that_is_too_long_is_refused)
{
	struct kmem_config config = config_small();
	size_t size = 100000;
	char *store = malloc(size);

	ck_assert_ptr_nonnull(store);
	memset(store, 'x', size);
	memcpy(store, "file:", 5);
	store[size - 1] = '\0';
	config.store = store;
	ck_assert_int_eq(kmem_boot(&config), -EINVAL);
	config.store = NULL;
	config.stats_path = store;
	ck_assert_int_eq(kmem_boot(&config), -EINVAL);
	free(store);
}
END_TEST

/* ---- the report at the end ---- */

static char *report_of(const char *stats_path, bool is_shutdown)
{
	struct kmem_config config = config_small();
	struct capture capture = capture_begin(STDERR_FILENO);

	config.stats_path = stats_path;
	if (is_shutdown) {
		boot(&config);
		exercise();
		shut_down();
	} else {
		pid_t child = fork();
		int status;

		ck_assert_int_ge(child, 0);
		if (child == 0) {
			if (kmem_boot(&config) != 0) {
				_exit(1);
			}
			exercise();
			exit(0);
		}
		ck_assert_int_eq(waitpid(child, &status, 0), child);
		ck_assert(WIFEXITED(status));
	}
	return capture_end(&capture);
}

static void text_check(const char *text)
{
	const char *engine = strstr(text, "engine ");
	char name[8] = "";

	ck_assert_ptr_nonnull(engine);
	ck_assert_int_eq(sscanf(engine, "engine %7s", name), 1);
	engine_check(name);
	ck_assert_ptr_nonnull(strstr(text, "policy clock, store ram\n"));
	ck_assert_ptr_nonnull(strstr(text, "page faults"));
	ck_assert_ptr_nonnull(strstr(text, "store, pages written"));
	ck_assert_ptr_null(strchr(text, '{'));
}

START_TEST(report_goes_to_a_file_as_text)
{
	char *log = report_of(path, _i != 0);
	char *text = file_read(path);

	ck_assert_ptr_null(strstr(log, "page faults"));
	text_check(text);
	free(text);
	free(log);
	ck_assert_int_eq(unlink(path), 0);
}
END_TEST

START_TEST(report_goes_to_a_file_as_json)
{
	char json[160];
	char *text;

	snprintf(json, sizeof(json), "%s.json", path);
	free(report_of(json, _i != 0));
	text = file_read(json);
	json_check(text);
	ck_assert_ptr_nonnull(strstr(text, "\"policy\": \"clock\""));
	ck_assert_ptr_nonnull(strstr(text, "\"pagefaults\": "));
	free(text);
	/* The next one replaces it. */
	free(report_of(json, true));
	text = file_read(json);
	json_check(text);
	free(text);
	ck_assert_int_eq(unlink(json), 0);
}
END_TEST

START_TEST(report_goes_to_standard_error)
{
	char *log = report_of("-", _i != 0);

	text_check(log);
	free(log);
}
END_TEST

START_TEST(report_that_cannot_be_written_is_logged)
{
	char *log = report_of("/nonexistent/report", true);

	ck_assert_ptr_nonnull(strstr(log, "/nonexistent/report"));
	ck_assert_ptr_nonnull(strstr(log, "ENOENT"));
	free(log);
	if (access("/dev/full", W_OK) == 0) {
		log = report_of("/dev/full", true);
		ck_assert_ptr_nonnull(strstr(log, "ENOSPC"));
		free(log);
	}
}
END_TEST

START_TEST(environment_asks_for_a_report_or_against_one)
{
	char *log;

	setenv("KMEM_STATS", "0", 1);
	log = report_of("-", true);
	ck_assert_ptr_null(strstr(log, "page faults"));
	free(log);
	setenv("KMEM_STATS", "1", 1);
	log = report_of(NULL, true);
	text_check(log);
	free(log);
	setenv("KMEM_STATS", path, 1);
	free(report_of(NULL, true));
	log = file_read(path);
	text_check(log);
	free(log);
	unsetenv("KMEM_STATS");
	ck_assert_int_eq(unlink(path), 0);
}
END_TEST

static size_t times_in(const char *text, const char *part)
{
	size_t times = 0;

	for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part)) {
		times++;
	}
	return times;
}

/* In a process of its own: the thread that writes leaves a stack in the C library's cache. The length of what was written. */
static int reports_write(void)
{
	struct kmem_config config = config_small();
	const struct timespec period = {.tv_nsec = 20000000};
	struct sigaction action;
	size_t found = 0;
	size_t length;
	char *text;

	config.stats_path = path;
	if (kmem_boot(&config) != 0) {
		return 1;
	}
	exercise();
	if (raise(SIGUSR2) != 0 || raise(SIGUSR2) != 0) {
		return 2;
	}
	while (found < 3) {
		(void)nanosleep(&period, NULL);
		text = file_read(path);
		found = times_in(text, ", interval, after ");
		free(text);
	}
	if (kmem_shutdown() != 0) {
		return 3;
	}
	/* The signal is the program's again, and nothing more is written. */
	if (sigaction(SIGUSR2, NULL, &action) != 0 || action.sa_handler != SIG_DFL) {
		return 4;
	}
	text = file_read(path);
	length = strlen(text);
	free(text);
	(void)nanosleep(&period, NULL);
	text = file_read(path);
	length -= strlen(text);
	free(text);
	return length == 0 ? 0 : 5;
}

START_TEST(reports_come_on_a_signal_and_at_an_interval)
{
	int status = 0;
	pid_t child;
	char *text;

	setenv("KMEM_STATS_SIGNAL", "USR2", 1);
	setenv("KMEM_STATS_INTERVAL", "0.01", 1);
	setenv("KMEM_STATS_THREADS", "1", 1);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		_exit(reports_write());
	}
	unsetenv("KMEM_STATS_SIGNAL");
	unsetenv("KMEM_STATS_INTERVAL");
	unsetenv("KMEM_STATS_THREADS");
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	text = file_read(path);
	ck_assert_uint_eq(times_in(text, ", signal, after "), 2);
	ck_assert_uint_eq(times_in(text, ", shutdown, after "), 1);
	/* No row for the thread that writes. */
	ck_assert_uint_ge(times_in(text, "\nthread "), 6);
	ck_assert_uint_eq(times_in(text, "\nthread "), times_in(text, "\nended "));
	free(text);
	ck_assert_int_eq(unlink(path), 0);
}
END_TEST

/* ---- image, devices, page sizes ---- */

START_TEST(image_is_mapped_pinned_and_filled)
{
	static const char text[] = "text of the image";
	const struct kmem_section sections[] = {
		{.name = ".text",
		 .size = PAGE + 1,
		 .flags = K_MEM_PERM_EXEC,
		 .bytes = text,
		 .bytes_size = sizeof(text)},
		{.name = ".data", .size = PAGE, .flags = K_MEM_PERM_RW},
	};
	struct kmem_config config = config_small();
	struct kmem_layout layout;
	struct kmem_usage usage;
	char *image;

	config.sections = sections;
	config.section_count = 2;
	config.vm_offset = 16 * PAGE;
	config.ram_offset = 2 * PAGE;
	boot(&config);
	ck_assert_int_eq(kmem_layout_get(&layout), 0);
	ck_assert_uint_eq(layout.kernel_virt_start, layout.virt_ram_start + 16 * PAGE);
	ck_assert_uint_eq(layout.kernel_virt_end - layout.kernel_virt_start, 3 * PAGE);
	ck_assert_uint_eq(layout.vm_free_start, layout.kernel_virt_end);
	image = (char *)layout.kernel_virt_start;
	ck_assert_str_eq(image, text);
	ck_assert_int_eq(image[sizeof(text)], 0);
	image[2 * PAGE] = 7;
	ck_assert_uint_eq(kmem_phys_addr(image), layout.phys_ram_start + 2 * PAGE);
	ck_assert_ptr_eq(kmem_virt_addr(layout.phys_ram_start + 2 * PAGE), image);
	ck_assert_uint_eq(k_mem_free_get(), (FRAMES - 3) * PAGE);
	ck_assert_int_eq(kmem_usage_get(&usage), 0);
	ck_assert_uint_eq(usage.frames_pinned, 3);
	exercise();
	ck_assert_str_eq(image, text);
	ck_assert_int_eq(image[2 * PAGE], 7);
}
END_TEST

START_TEST(all_of_ram_is_mapped_on_request)
{
	struct kmem_config config = config_small();
	struct kmem_layout layout;
	volatile char *ram;

	config.maps_all_ram = KMEM_SWITCH_ON;
	boot(&config);
	ck_assert_int_eq(kmem_layout_get(&layout), 0);
	ck_assert_uint_eq(layout.vm_free_start, layout.virt_ram_start + FRAMES * PAGE);
	ck_assert_uint_eq(k_mem_free_get(), FRAMES * PAGE);
	ram = kmem_virt_addr(layout.phys_ram_start);
	for (size_t i = 0; i < FRAMES; i++) {
		ram[i * PAGE] = (char)i;
	}
	ck_assert_uint_eq(k_mem_num_pagefaults_get(), 0);
}
END_TEST

START_TEST(devices_are_memory_at_their_physical_address)
{
	const struct kmem_device devices[] = {{"uart", 0x1000, PAGE}, {"video", 0x100000, 16 * PAGE}};
	struct kmem_config config = config_small();
	uint8_t *uart = NULL;
	uint8_t *alias = NULL;
	void *host = NULL;
	uint8_t *added;

	config.devices = devices;
	config.device_count = 2;
	boot(&config);
	k_mem_map_phys_bare(&uart, 0x1010, 4, K_MEM_PERM_RW);
	k_mem_map_phys_bare(&alias, 0x1000, PAGE, 0);
	ck_assert_ptr_nonnull(uart);
	ck_assert_uint_eq((uintptr_t)uart % PAGE, 0x10);
	memset(uart, 'u', 4);
	ck_assert_mem_eq(alias + 0x10, "uuuu", 4);
	ck_assert_ptr_nonnull(k_mem_map_phys_guard(0x100000, 16 * PAGE, K_MEM_PERM_RW, false));
	ck_assert_ptr_null(k_mem_map_phys_guard(0x100000, 17 * PAGE, K_MEM_PERM_RW, false));
	ck_assert_ptr_null(k_mem_map_phys_guard(0x200000, PAGE, K_MEM_PERM_RW, false));

	ck_assert_int_eq(kmem_device_add("late", 0x200000, PAGE, &host), 0);
	added = k_mem_map_phys_guard(0x200000, PAGE, K_MEM_PERM_RW, false);
	ck_assert_ptr_nonnull(added);
	added[1] = 11;
	ck_assert_int_eq(((uint8_t *)host)[1], 11);
	((uint8_t *)host)[2] = 12;
	ck_assert_int_eq(added[2], 12);
	ck_assert_int_eq(kmem_device_add("again", 0x200000, PAGE, NULL), -EEXIST);
	ck_assert_int_eq(kmem_device_add("odd", 0x200001, PAGE, NULL), -EINVAL);
	ck_assert_int_eq(kmem_device_add("none", 0x300000, 0, NULL), -EINVAL);
	ck_assert_int_eq(kmem_device_add("far", 1UL << 48, PAGE, NULL), -EINVAL);
	for (uintptr_t i = 3; i < KMEM_DEVICES_MAX; i++) {
		ck_assert_int_eq(kmem_device_add("more", 0x1000000 + i * PAGE, PAGE, NULL), 0);
	}
	ck_assert_int_eq(kmem_device_add("most", 0x300000, PAGE, NULL), -ENOSPC);
	ck_assert(kmem_is_valid());
}
END_TEST

START_TEST(pages_may_be_larger_than_the_hosts)
{
	struct kmem_config config = config_small();
	size_t page = PAGE << (_i + 1);
	uintptr_t *words;
	size_t count = 3 * FRAMES * page / sizeof(*words);
	size_t wrong = 0;

	config.page_size = page;
	config.ram_size = FRAMES * page;
	boot(&config);
	ck_assert_ptr_null(k_mem_map(PAGE, K_MEM_PERM_RW));
	words = k_mem_map(3 * FRAMES * page, K_MEM_PERM_RW);
	ck_assert_ptr_nonnull(words);
	for (size_t i = 0; i < count; i += 64) {
		words[i] = (uintptr_t)&words[i];
	}
	for (size_t i = 0; i < count; i += 64) {
		wrong += words[i] != (uintptr_t)&words[i] ? 1 : 0;
	}
	ck_assert_uint_eq(wrong, 0);
	ck_assert_uint_ge(k_mem_num_pagefaults_get(), 3 * FRAMES);
}
END_TEST

static void again_and_again(Suite *suite)
{
	TCase *again = tcase_create("again");
	TCase *first = tcase_create("first use");

	tcase_add_checked_fixture(again, setup, teardown);
	tcase_set_timeout(again, 60);
	tcase_add_test(again, a_hundred_boots_leave_no_trace);
	tcase_add_test(again, boots_that_fail_leave_no_trace_and_the_next_one_works);
	tcase_add_test(again, second_boot_is_refused_and_changes_nothing);
	tcase_add_test(again, inspection_wants_a_machine_and_boots_none);
	tcase_add_test(again, version_has_three_numbers);
	suite_add_tcase(suite, again);

	tcase_add_checked_fixture(first, setup, teardown);
	tcase_add_loop_test(first, first_use_boots_with_the_defaults, 0, FIRST_USES);
	tcase_add_test(first, first_use_fails_where_the_default_cannot_boot);
	suite_add_tcase(suite, first);
}

static void refused_and_own(Suite *suite)
{
	TCase *refuse = tcase_create("refused");
	TCase *own = tcase_create("own ops");

	tcase_add_checked_fixture(refuse, setup, teardown);
	tcase_add_loop_test(refuse, wrong_values_are_named_in_message_and_log, 0, REFUSED);
	tcase_add_test(refuse, struct_of_another_size_is_refused);
	tcase_add_test(refuse, taken_vm_range_is_refused_and_left_alone);
	suite_add_tcase(suite, refuse);

	tcase_add_checked_fixture(own, setup, teardown);
	tcase_add_test(own, own_policy_and_store_are_run_with_their_arguments);
	tcase_add_test(own, init_of_an_own_policy_or_store_may_fail);
	tcase_add_test(own, policy_whose_init_fails_finishes_the_store);
	tcase_add_test(own, ops_of_another_version_are_refused_unread);
	tcase_add_test(own, ops_without_mandatory_members_are_refused);
	tcase_add_test(own, without_demand_paging_there_is_neither_policy_nor_store);
	suite_add_tcase(suite, own);
}

Suite *kmem_test_suite(void)
{
	Suite *suite = suite_create("boot");
	TCase *file = tcase_create("file");
	TCase *report = tcase_create("report");
	TCase *machine = tcase_create("machine");

	again_and_again(suite);
	refused_and_own(suite);

	tcase_add_checked_fixture(file, setup, teardown);
	tcase_add_test(file, file_store_is_private_and_removed_at_shutdown);
	tcase_add_test(file, file_that_exists_is_refused_and_untouched);
	tcase_add_test(file, boot_that_fails_after_the_store_removes_the_file);
	tcase_add_test(file, path_that_is_too_long_is_refused);
	suite_add_tcase(suite, file);

	tcase_add_checked_fixture(report, setup, teardown);
	tcase_add_loop_test(report, report_goes_to_a_file_as_text, 0, 2);
	tcase_add_loop_test(report, report_goes_to_a_file_as_json, 0, 2);
	tcase_add_loop_test(report, report_goes_to_standard_error, 0, 2);
	tcase_add_test(report, report_that_cannot_be_written_is_logged);
	tcase_add_test(report, environment_asks_for_a_report_or_against_one);
	/* Valgrind sometimes takes the stack and the alternate stack of a thread that is interrupted so for one. */
	if (!harness_on_valgrind()) {
		tcase_add_test(report, reports_come_on_a_signal_and_at_an_interval);
	}
	suite_add_tcase(suite, report);

	tcase_add_checked_fixture(machine, setup, teardown);
	tcase_add_test(machine, image_is_mapped_pinned_and_filled);
	tcase_add_test(machine, all_of_ram_is_mapped_on_request);
	tcase_add_test(machine, devices_are_memory_at_their_physical_address);
	tcase_add_loop_test(machine, pages_may_be_larger_than_the_hosts, 0, 3);
	suite_add_tcase(suite, machine);
	return suite;
}
