/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Notes, and the records in them: found in every object that is loaded, compared, taken as what the program was
 * compiled with.
 *
 * This program has no record. The tests write shared objects that consist of notes alone, and load them: what they say
 * is then what a program's units would say, right or wrong.
 */
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <kmem/kmem.h>
#include <kmem/record.h>

#include "harness.h"
#include "host/note.h"
#include "kernel/config.h"
#include "kernel/eviction.h"
#include "kernel/record.h"
#include "kernel/store.h"

#define PAGE 4096UL
#define MIB (1UL << 20)
#define VM_BASE 0x30000000UL
#define VM_SIZE (8 * MIB)
#define OBJECTS_MAX 4
#define TYPE 7

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

/* The child that runs this program again says what it found, and is not a test. */
#define CHILD "KMEM_TEST_CHILD"

/* ---- objects that consist of notes ---- */

/* One segment. */
struct notes {
	size_t align;
	size_t size;
	unsigned char bytes[2048];
};

/* An object of two segments, of either alignment, without code, symbols or sections. */
struct object {
	ElfW(Ehdr) header;
	ElfW(Phdr) segments[5];
	ElfW(Dyn) dynamic[6];
	ElfW(Sym) symbols[1];
	uint32_t hash[4];
	char strings[8];
	_Alignas(8) unsigned char notes[2][sizeof(((struct notes *)0)->bytes)];
};

static struct notes words, longs;
static void *objects[OBJECTS_MAX];
static int files[OBJECTS_MAX]; /* open as long as loaded: objects are told apart by their paths */
static int object_count;

static size_t padded(size_t size, size_t align)
{
	return (size + align - 1) / align * align;
}

static void notes_add_raw(struct notes *notes, const void *bytes, size_t size)
{
	ck_assert_uint_le(notes->size + size, sizeof(notes->bytes));
	memcpy(notes->bytes + notes->size, bytes, size);
	notes->size += size;
}

static void notes_pad(struct notes *notes)
{
	notes->size = padded(notes->size, notes->align);
}

/* The three words, as they are said to be. */
static void notes_add_header(struct notes *notes, uint32_t name_size, uint32_t desc_size, uint32_t type)
{
	const uint32_t header[] = {name_size, desc_size, type};

	notes_add_raw(notes, header, sizeof(header));
}

static void notes_add(struct notes *notes, const char *name, uint32_t type, const void *desc, size_t size)
{
	notes_add_header(notes, (uint32_t)strlen(name) + 1, (uint32_t)size, type);
	notes_add_raw(notes, name, strlen(name) + 1);
	notes_pad(notes);
	notes_add_raw(notes, desc, size);
	notes_pad(notes);
}

static void notes_begin(void)
{
	memset(&words, 0, sizeof(words));
	memset(&longs, 0, sizeof(longs));
	words.align = 4;
	longs.align = 8;
}

static void segment_set(struct object *object, int i, uint32_t type, uint32_t flags, const void *at, size_t size,
			size_t align)
{
	size_t offset = (size_t)((const char *)at - (const char *)object);

	object->segments[i] = (ElfW(Phdr)){
		.p_type = type,
		.p_flags = flags,
		.p_offset = offset,
		.p_vaddr = offset,
		.p_paddr = offset,
		.p_filesz = size,
		.p_memsz = size,
		.p_align = align,
	};
}

static void dynamic_set(struct object *object, int i, long tag, const void *at)
{
	object->dynamic[i].d_tag = tag;
	object->dynamic[i].d_un.d_ptr = (size_t)((const char *)at - (const char *)object);
}

/* An object of the notes so far, for the machine that runs this program. */
static void object_make(struct object *object)
{
	int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	ElfW(Ehdr) own;

	ck_assert_int_ge(self, 0);
	ck_assert_int_eq(read(self, &own, sizeof(own)), sizeof(own));
	close(self);
	memset(object, 0, sizeof(*object));
	object->header = (ElfW(Ehdr)){
		.e_type = ET_DYN,
		.e_machine = own.e_machine,
		.e_version = EV_CURRENT,
		.e_phoff = offsetof(struct object, segments),
		.e_flags = own.e_flags,
		.e_ehsize = sizeof(object->header),
		.e_phentsize = sizeof(object->segments[0]),
		.e_phnum = COUNT(object->segments),
		.e_shentsize = sizeof(ElfW(Shdr)),
	};
	memcpy(object->header.e_ident, own.e_ident, sizeof(own.e_ident));
	segment_set(object, 0, PT_LOAD, PF_R | PF_W, object, sizeof(*object), PAGE);
	segment_set(object, 1, PT_DYNAMIC, PF_R | PF_W, object->dynamic, sizeof(object->dynamic), 8);
	segment_set(object, 2, PT_NOTE, PF_R, object->notes[0], words.size, 4);
	segment_set(object, 3, PT_NOTE, PF_R, object->notes[1], longs.size, 8);
	segment_set(object, 4, PT_GNU_STACK, PF_R | PF_W, object, 0, 16);
	dynamic_set(object, 0, DT_STRTAB, object->strings);
	dynamic_set(object, 1, DT_SYMTAB, object->symbols);
	dynamic_set(object, 2, DT_HASH, object->hash);
	object->dynamic[3].d_tag = DT_STRSZ;
	object->dynamic[3].d_un.d_val = sizeof(object->strings);
	object->dynamic[4].d_tag = DT_SYMENT;
	object->dynamic[4].d_un.d_val = sizeof(object->symbols[0]);
	object->hash[0] = 1; /* a bucket, which is empty */
	object->hash[1] = 1; /* a symbol, the null one */
	memcpy(object->notes[0], words.bytes, words.size);
	memcpy(object->notes[1], longs.bytes, longs.size);
}

/* Load an object of the notes so far, and begin anew. */
static void object_load(void)
{
	static struct object object;
	int fd = memfd_create("notes.so", MFD_CLOEXEC);
	char path[64];

	object_make(&object);
	ck_assert_int_lt(object_count, OBJECTS_MAX);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, &object, sizeof(object)), sizeof(object));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	objects[object_count] = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	ck_assert_msg(objects[object_count] != NULL, "%s", dlerror());
	files[object_count++] = fd;
	notes_begin();
}

static void objects_unload(void)
{
	while (object_count > 0) {
		ck_assert_int_eq(dlclose(objects[--object_count]), 0);
		close(files[object_count]);
	}
}

/* ---- the walk ---- */

struct seen {
	int count;
	int stop_at; /* from 1; 0: not */
	size_t sizes[8];
	char bytes[8][16];
};

static int see(const void *desc, size_t size, void *arg)
{
	struct seen *seen = arg;

	ck_assert_int_lt(seen->count, COUNT(seen->sizes));
	ck_assert_uint_le(size, sizeof(seen->bytes[0]));
	ck_assert_uint_eq((uintptr_t)desc % 4, 0);
	seen->sizes[seen->count] = size;
	memcpy(seen->bytes[seen->count], desc, size);
	seen->count++;
	return seen->count == seen->stop_at ? 40 + seen->count : 0;
}

static struct seen walk(void)
{
	struct seen seen = {.count = 0};

	ck_assert_int_eq(kmem_host_note_walk("TEST", TYPE, see, &seen), 0);
	return seen;
}

static void seen_check(const struct seen *seen, int i, const char *text)
{
	ck_assert_int_lt(i, seen->count);
	ck_assert_uint_eq(seen->sizes[i], strlen(text));
	ck_assert_int_eq(memcmp(seen->bytes[i], text, strlen(text)), 0);
}

static void setup(void)
{
	notes_begin();
}

static void teardown(void)
{
	objects_unload();
}

START_TEST(walk_finds_nothing_where_there_is_nothing)
{
	ck_assert_int_eq(walk().count, 0);
	object_load();
	ck_assert_int_eq(walk().count, 0);
}
END_TEST

START_TEST(walk_finds_notes_of_its_name_and_type)
{
	struct seen seen;

	notes_add(&words, "TEST", TYPE, "abc", 3);
	notes_add(&words, "TEST", TYPE + 1, "type", 4);
	notes_add(&words, "TES", TYPE, "short", 5);
	notes_add(&words, "TESTS", TYPE, "longer", 6);
	notes_add(&words, "TSET", TYPE, "other", 5);
	notes_add(&words, "TEST", TYPE, "defgh", 5);
	notes_add(&words, "TEST", TYPE, "", 0);
	notes_add(&longs, "A LONG NAME", TYPE, "y", 1);
	notes_add(&longs, "TEST", TYPE, "8 bytes!", 8);
	notes_add(&longs, "TEST", TYPE, "x", 1);
	object_load();
	seen = walk();
	ck_assert_int_eq(seen.count, 5);
	seen_check(&seen, 0, "abc");
	seen_check(&seen, 1, "defgh");
	seen_check(&seen, 2, "");
	seen_check(&seen, 3, "8 bytes!");
	seen_check(&seen, 4, "x");
	/* Names end in NUL, and that is part of them. */
	seen.count = 0;
	ck_assert_int_eq(kmem_host_note_walk("", TYPE, see, &seen), 0);
	ck_assert_int_eq(seen.count, 0);
}
END_TEST

START_TEST(walk_ends_where_visit_says)
{
	struct seen seen = {.stop_at = 2};

	notes_add(&words, "TEST", TYPE, "1", 1);
	notes_add(&words, "TEST", TYPE, "2", 1);
	notes_add(&words, "TEST", TYPE, "3", 1);
	object_load();
	notes_add(&words, "TEST", TYPE, "4", 1);
	object_load();
	ck_assert_int_eq(kmem_host_note_walk("TEST", TYPE, see, &seen), 42);
	ck_assert_int_eq(seen.count, 2);
}
END_TEST

START_TEST(walk_sees_objects_in_the_order_of_loading)
{
	struct seen seen;

	notes_add(&words, "TEST", TYPE, "first", 5);
	object_load();
	notes_add(&longs, "TEST", TYPE, "second", 6);
	object_load();
	notes_add(&words, "TEST", TYPE, "third", 5);
	object_load();
	seen = walk();
	ck_assert_int_eq(seen.count, 3);
	seen_check(&seen, 0, "first");
	seen_check(&seen, 1, "second");
	seen_check(&seen, 2, "third");
	objects_unload();
	ck_assert_int_eq(walk().count, 0);
}
END_TEST

static void header_cut(struct notes *notes)
{
	notes_add_raw(notes, "12345678901", 11);
}

static void desc_too_large(struct notes *notes)
{
	notes_add_header(notes, 5, 9, TYPE);
	notes_add_raw(notes, "TEST\0\0\0\0abcdefg", 16);
}

static void desc_huge(struct notes *notes)
{
	notes_add_header(notes, 5, UINT32_MAX, TYPE);
	notes_add_raw(notes, "TEST\0\0\0\0abcdefg", 16);
}

static void name_too_large(struct notes *notes)
{
	notes_add_header(notes, 17, 0, TYPE);
	notes_add_raw(notes, "TEST\0\0\0\0abcdefg", 16);
}

static void name_huge(struct notes *notes)
{
	notes_add_header(notes, UINT32_MAX, 4, TYPE);
	notes_add_raw(notes, "TEST\0\0\0\0abcdefg", 16);
}

static void header_alone(struct notes *notes)
{
	notes_add_header(notes, 5, 0, TYPE);
}

/* Segments that end too early: what stands before is seen, and nothing is read behind them. */
static void (*const cuts[])(struct notes *notes) = {
	header_cut, desc_too_large, desc_huge, name_too_large, name_huge, header_alone,
};

START_TEST(notes_that_are_cut_off_end_their_segment)
{
	struct seen seen;

	notes_add(&words, "TEST", TYPE, "before", 6);
	cuts[_i](&words);
	cuts[_i](&longs);
	object_load();
	cuts[_i](&words);
	notes_add(&longs, "TEST", TYPE, "other", 5);
	object_load();
	seen = walk();
	ck_assert_int_eq(seen.count, 2);
	seen_check(&seen, 0, "before");
	seen_check(&seen, 1, "other");
}
END_TEST

START_TEST(notes_without_name_are_passed_over)
{
	struct seen seen;

	for (struct notes *notes = &words; notes != NULL; notes = notes == &words ? &longs : NULL) {
		notes_add_header(notes, 0, 3, TYPE);
		notes_pad(notes);
		notes_add_raw(notes, "abc", 3);
		notes_pad(notes);
		notes_add(notes, "TEST", TYPE, "found", 5);
		/* The last one may lack its padding. */
		notes_add(notes, "TEST", TYPE, "z", 1);
		notes->size -= notes->align - 1;
	}
	object_load();
	seen = walk();
	ck_assert_int_eq(seen.count, 4);
	for (int i = 0; i < 4; i++) {
		seen_check(&seen, i, i % 2 == 0 ? "found" : "z");
	}
}
END_TEST

/* ---- records ---- */

static struct harness_leaks leaks;
static struct kmem_settings settings;
static char error[512];

static const struct kmem_record typical = {
	.version = KMEM_RECORD_VERSION,
	.switches = KMEM_RECORD_DEMAND_PAGING | KMEM_RECORD_ASSERT,
	.policy = KMEM_RECORD_NRU,
	.store = KMEM_RECORD_STORE_RAM,
	.vm_base = {VM_BASE, 0},
	.vm_size = {VM_SIZE, 0},
	.ram_base = {VM_BASE, 0},
	.ram_kib = {256, 0},
	.page_size = PAGE,
	.nru_period_ms = 100,
	.store_pages = 16,
};

/* One number of a record, otherwise. */
struct change {
	size_t offset;
	size_t size; /* 0: none */
	uint64_t value;
};

#define CHANGE(member, number)                                                                                         \
	{                                                                                                              \
		offsetof(struct kmem_record, member), sizeof(((struct kmem_record *)0)->member), number                \
	}

static struct kmem_record changed(const struct change *changes, int count)
{
	struct kmem_record record = typical;

	for (int i = 0; i < count && changes[i].size != 0; i++) {
		uint32_t halves[2] = {(uint32_t)changes[i].value, (uint32_t)(changes[i].value >> 32)};

		memcpy((char *)&record + changes[i].offset, halves, changes[i].size);
	}
	return record;
}

/* As a unit leaves it, in an object of its own. */
static void unit_load(const struct kmem_record *record, const char *file)
{
	char desc[sizeof(*record) + 64] = "";

	memcpy(desc, record, sizeof(*record));
	strcpy(desc + sizeof(*record), file);
	notes_add(&words, KMEM_RECORD_NAME, KMEM_RECORD_TYPE, desc, padded(sizeof(*record) + strlen(file) + 1, 4));
	object_load();
}

static void env_clear(void)
{
	unsetenv("KMEM_RAM");
	unsetenv("KMEM_POLICY");
	unsetenv("KMEM_STORE");
	unsetenv("KMEM_STATS");
	unsetenv("KMEM_VM_BASE");
}

static int resolve(const struct kmem_config *config)
{
	error[0] = '\0';
	return kmem_config_resolve(config, &settings, error, sizeof(error));
}

static void setup_record(void)
{
	env_clear();
	notes_begin();
	ck_assert(!kmem_config_is_recorded());
	harness_leaks_begin(&leaks);
}

static void teardown_record(void)
{
	env_clear();
	kmem_config_finish(&settings);
	(void)kmem_shutdown();
	objects_unload();
	harness_leaks_check(&leaks);
}

static void texts_check(const char *message, const char *const *texts, int count)
{
	for (int i = 0; i < count && texts[i] != NULL; i++) {
		ck_assert_msg(strstr(message, texts[i]) != NULL, "no \"%s\" in: %s", texts[i], message);
	}
}

/* The records that are loaded are refused: before main(), were they the program's own, and at every boot. */
static void boot_refused(const char *const *texts, int count)
{
	ck_assert(kmem_config_is_recorded());
	ck_assert_int_eq(kmem_boot(NULL), -EINVAL);
	texts_check(kmem_boot_error(), texts, count);
	ck_assert(!kmem_is_booted());
	/* It is the records' fault. */
	objects_unload();
	ck_assert_msg(kmem_boot(NULL) == 0, "%s", kmem_boot_error());
	ck_assert_int_eq(kmem_shutdown(), 0);
}

static const struct {
	struct change change;
	const char *option;
} differences[] = {
	{CHANGE(vm_base, VM_BASE + PAGE), "CONFIG_KERNEL_VM_BASE"},
	{CHANGE(vm_base, VM_BASE | 1UL << 40), "CONFIG_KERNEL_VM_BASE"},
	{CHANGE(vm_size, VM_SIZE + PAGE), "CONFIG_KERNEL_VM_SIZE"},
	{CHANGE(vm_offset, PAGE), "CONFIG_KERNEL_VM_OFFSET"},
	{CHANGE(ram_base, VM_BASE + PAGE), "CONFIG_SRAM_BASE_ADDRESS"},
	{CHANGE(ram_kib, 128), "CONFIG_SRAM_SIZE"},
	{CHANGE(ram_kib, 256 | 1UL << 32), "CONFIG_SRAM_SIZE"},
	{CHANGE(ram_offset, PAGE), "CONFIG_SRAM_OFFSET"},
	{CHANGE(page_size, 2 * PAGE), "CONFIG_MMU_PAGE_SIZE"},
	{CHANGE(frames_reserve, 1), "CONFIG_DEMAND_PAGING_PAGE_FRAMES_RESERVE"},
	{CHANGE(nru_period_ms, 99), "CONFIG_EVICTION_NRU_PERIOD"},
	{CHANGE(store_pages, 17), "CONFIG_BACKING_STORE_RAM_PAGES"},
	{CHANGE(policy, KMEM_RECORD_LRU), "CONFIG_EVICTION_*"},
	{CHANGE(domain_partitions, 3), "CONFIG_MAX_DOMAIN_PARTITIONS"},
	{CHANGE(policy, KMEM_RECORD_CUSTOM), "CONFIG_EVICTION_*"},
	{CHANGE(store, KMEM_RECORD_STORE_FILE), "CONFIG_BACKING_STORE_*"},
	{CHANGE(switches, KMEM_RECORD_ASSERT), "CONFIG_DEMAND_PAGING"},
	{CHANGE(switches, KMEM_RECORD_DEMAND_PAGING), "CONFIG_ASSERT"},
	{CHANGE(switches, 0x11 | KMEM_RECORD_DEMAND_MAPPING), "CONFIG_DEMAND_MAPPING"},
	{CHANGE(switches, 0x11 | KMEM_RECORD_MAPS_ALL_RAM), "CONFIG_ARCH_MAPS_ALL_RAM"},
	{CHANGE(switches, 0x11 | KMEM_RECORD_DIRECT_MAP), "CONFIG_KERNEL_DIRECT_MAP"},
	{CHANGE(switches, 0x11 | KMEM_RECORD_STATS), "CONFIG_DEMAND_PAGING_STATS"},
	{CHANGE(switches, 0x11 | KMEM_RECORD_THREAD_STATS), "CONFIG_DEMAND_PAGING_THREAD_STATS"},
	{CHANGE(switches, 0x11 | KMEM_RECORD_TIMING), "CONFIG_DEMAND_PAGING_TIMING_HISTOGRAM"},
	{CHANGE(switches, 0x11 | KMEM_RECORD_OWN_BOOT), "KMEM_KCONFIG_OWN_BOOT"},
	{CHANGE(switches, 0x11 | KMEM_RECORD_ALLOW_IRQ), "CONFIG_DEMAND_PAGING_ALLOW_IRQ"},
	{CHANGE(switches, 0x11 | KMEM_RECORD_TRACKING), "CONFIG_EVICTION_TRACKING"},
	{CHANGE(switches, 0x11 | KMEM_RECORD_USERSPACE), "CONFIG_USERSPACE"},
	{CHANGE(switches, 0x11 | KMEM_RECORD_STACKS_MAPPED), "CONFIG_THREAD_STACK_MEM_MAPPED"},
};

START_TEST(every_difference_is_found_and_named)
{
	struct kmem_record other = changed(&differences[_i].change, 1);
	struct kmem_record same = typical;

	ck_assert_ptr_null(kmem_record_difference(&typical, &same));
	ck_assert_str_eq(kmem_record_difference(&typical, &other), differences[_i].option);
	ck_assert_str_eq(kmem_record_difference(&other, &typical), differences[_i].option);
}
END_TEST

START_TEST(units_that_differ_are_refused)
{
	struct kmem_record other = changed(&differences[_i].change, 1);
	const char *texts[] = {"first.c and third.c", differences[_i].option};
	struct kmem_record record;
	const char *file;

	unit_load(&typical, "first.c");
	unit_load(&typical, "second.c");
	unit_load(&other, "third.c");
	ck_assert_int_eq(kmem_record_find(&record, &file, error, sizeof(error)), -EINVAL);
	texts_check(error, texts, COUNT(texts));
	ck_assert_int_eq(resolve(NULL), -EINVAL);
	texts_check(error, texts, COUNT(texts));
	boot_refused(texts, COUNT(texts));
}
END_TEST

START_TEST(units_that_agree_are_one)
{
	struct kmem_record record;
	const char *file = NULL;

	ck_assert_int_eq(kmem_record_find(&record, &file, error, sizeof(error)), 0);
	unit_load(&typical, "first.c");
	unit_load(&typical, "a file with quite a long name.c");
	unit_load(&typical, "");
	ck_assert_int_eq(kmem_record_find(&record, &file, error, sizeof(error)), 1);
	ck_assert_int_eq(memcmp(&record, &typical, sizeof(record)), 0);
	ck_assert_str_eq(file, "first.c");
	ck_assert(kmem_config_is_recorded());
	ck_assert_msg(kmem_boot(NULL) == 0, "%s", kmem_boot_error());
	ck_assert(kmem_is_valid());
}
END_TEST

START_TEST(records_of_another_version_are_refused)
{
	struct kmem_record other = typical;
	const char *texts[] = {"other.c", "version 2", "has 1"};

	other.version = KMEM_RECORD_VERSION + 1;
	if (_i == 1) {
		unit_load(&typical, "unit.c");
	}
	unit_load(&other, "other.c");
	boot_refused(texts, COUNT(texts));
}
END_TEST

/* A record without its file, one that is cut off, one whose file does not end, and nothing. */
START_TEST(records_of_another_size_are_refused)
{
	const size_t sizes[] = {sizeof(typical), sizeof(typical) - 4, sizeof(typical) + 4, 0};
	char text[64];
	const char *texts[] = {text, "another libkmem"};
	char desc[sizeof(typical) + 4];

	memcpy(desc, &typical, sizeof(typical));
	memset(desc + sizeof(typical), 'x', 4);
	snprintf(text, sizeof(text), "record of %zu bytes", sizes[_i]);
	notes_add(&words, KMEM_RECORD_NAME, KMEM_RECORD_TYPE, desc, sizes[_i]);
	object_load();
	boot_refused(texts, COUNT(texts));
}
END_TEST

/* ---- what a record says is in force ---- */

START_TEST(every_number_of_a_record_is_taken)
{
	const struct change changes[] = {
		CHANGE(vm_base, 0x612340000000UL),
		CHANGE(vm_size, 0x140000000UL),
		CHANGE(vm_offset, 0x100000),
		CHANGE(ram_base, 0x712300000000UL),
		CHANGE(ram_kib, 0x100000000UL / 1024),
		CHANGE(ram_offset, 0x200000),
		CHANGE(page_size, 65536),
		CHANGE(frames_reserve, 3),
		CHANGE(nru_period_ms, 5),
		CHANGE(store_pages, 99),
	};
	struct kmem_record record = changed(changes, COUNT(changes));

	unit_load(&record, "unit.c");
	ck_assert_msg(resolve(NULL) == 0, "%s", error);
	ck_assert(settings.is_zephyr);
	ck_assert_uint_eq(settings.vm_base, 0x612340000000UL);
	ck_assert_uint_eq(settings.vm_size, 0x140000000UL);
	ck_assert_uint_eq(settings.vm_offset, 0x100000);
	ck_assert_uint_eq(settings.ram_base, 0x712300000000UL);
	ck_assert_uint_eq(settings.ram_size, 0x100000000UL);
	ck_assert_uint_eq(settings.ram_usable, 0x100000000UL);
	ck_assert_uint_eq(settings.ram_offset, 0x200000);
	ck_assert_uint_eq(settings.page_size, 65536);
	ck_assert_uint_eq(settings.frames_reserve, 3);
	ck_assert_uint_eq(settings.nru_period_ms, 5);
	ck_assert_uint_eq(settings.store_pages, 99);
	/* Less RAM to use, as many frames. */
	setenv("KMEM_RAM", "1G", 1);
	ck_assert_msg(resolve(NULL) == 0, "%s", error);
	ck_assert_uint_eq(settings.ram_size, 0x100000000UL);
	ck_assert_uint_eq(settings.ram_usable, 1UL << 30);
}
END_TEST

static const struct {
	uint32_t bit;
	size_t setting;
	enum {
		ALONE,
		WITH_STATS
	} with;
} switches[] = {
	{KMEM_RECORD_DEMAND_PAGING, offsetof(struct kmem_settings, demand_paging), ALONE},
	{KMEM_RECORD_DEMAND_MAPPING, offsetof(struct kmem_settings, demand_mapping), ALONE},
	{KMEM_RECORD_MAPS_ALL_RAM, offsetof(struct kmem_settings, maps_all_ram), ALONE},
	{KMEM_RECORD_DIRECT_MAP, offsetof(struct kmem_settings, direct_map), ALONE},
	{KMEM_RECORD_ASSERT, offsetof(struct kmem_settings, assertions), ALONE},
	{KMEM_RECORD_STATS, offsetof(struct kmem_settings, stats), ALONE},
	{KMEM_RECORD_TIMING, offsetof(struct kmem_settings, timing), WITH_STATS},
};

START_TEST(every_switch_of_a_record_is_taken)
{
	const bool *setting = (const bool *)((const char *)&settings + switches[_i].setting);
	struct kmem_record record = typical;

	record.switches = switches[_i].bit | KMEM_RECORD_DEMAND_PAGING;
	record.switches |= switches[_i].with == WITH_STATS ? KMEM_RECORD_STATS : 0;
	unit_load(&record, "unit.c");
	ck_assert_msg(resolve(NULL) == 0, "%s", error);
	ck_assert(*setting);
	objects_unload();

	record.switches &= ~switches[_i].bit;
	unit_load(&record, "unit.c");
	ck_assert_msg(resolve(NULL) == 0, "%s", error);
	ck_assert(!*setting);
	ck_assert(!settings.timing);
}
END_TEST

static const struct {
	uint32_t policy, store;
	const struct kmem_eviction_ops *policy_ops;
	const struct kmem_store_ops *store_ops;
	size_t store_pages;
} choices[] = {
	{KMEM_RECORD_NRU, KMEM_RECORD_STORE_RAM, &kmem_eviction_nru, &kmem_store_ram, 16},
	{KMEM_RECORD_LRU, KMEM_RECORD_STORE_RAM, &kmem_eviction_lru, &kmem_store_ram, 16},
	{KMEM_RECORD_CLOCK, KMEM_RECORD_STORE_RAM, &kmem_eviction_clock, &kmem_store_ram, 16},
	{KMEM_RECORD_NRU, KMEM_RECORD_STORE_FILE, &kmem_eviction_nru, &kmem_store_file, VM_SIZE / PAGE},
};

START_TEST(every_choice_of_a_record_is_taken)
{
	struct kmem_record record = typical;

	record.policy = choices[_i].policy;
	record.store = choices[_i].store;
	unit_load(&record, "unit.c");
	ck_assert(kmem_config_is_recorded());
	ck_assert_msg(resolve(NULL) == 0, "%s", error);
	ck_assert_ptr_eq(settings.policy_ops, choices[_i].policy_ops);
	ck_assert_ptr_eq(settings.store_ops, choices[_i].store_ops);
	ck_assert_uint_eq(settings.store_pages, choices[_i].store_pages);
	ck_assert_msg(kmem_boot(NULL) == 0, "%s", kmem_boot_error());
	ck_assert(kmem_is_valid());
}
END_TEST

START_TEST(timing_of_a_record_goes_with_its_statistics)
{
	struct kmem_config config = {.struct_size = sizeof(config), .stats = KMEM_SWITCH_OFF};
	struct kmem_record record = typical;

	record.switches |= KMEM_RECORD_STATS | KMEM_RECORD_TIMING;
	unit_load(&record, "unit.c");
	ck_assert_msg(resolve(&config) == 0, "%s", error);
	ck_assert(!settings.stats);
	ck_assert(!settings.timing);
	setenv("KMEM_STATS", "-", 1);
	ck_assert_msg(resolve(&config) == 0, "%s", error);
	ck_assert(settings.stats);
	ck_assert(settings.timing);
}
END_TEST

/* Addresses that are compiled in stay, also where RAM and the VM range begin at the same one. */
START_TEST(addresses_of_a_record_stay)
{
	struct kmem_config config = {.struct_size = sizeof(config), .vm_base = VM_BASE + VM_SIZE};

	unit_load(&typical, "unit.c");
	ck_assert_int_eq(resolve(&config), -EINVAL);
	ck_assert_ptr_nonnull(strstr(error, "CONFIG_KERNEL_VM_BASE"));
	setenv("KMEM_VM_BASE", "0x30800000", 1);
	ck_assert_int_eq(resolve(NULL), -EINVAL);
	ck_assert_ptr_nonnull(strstr(error, "CONFIG_KERNEL_VM_BASE"));
	setenv("KMEM_VM_BASE", "0x30000000", 1);
	ck_assert_msg(resolve(NULL) == 0, "%s", error);
	ck_assert_uint_eq(settings.ram_base, VM_BASE);
}
END_TEST

/* ---- policies and stores of the program's own ---- */

static int own_init(void **state, const struct kmem_eviction_params *params)
{
	*state = params->arg;
	return 0;
}

static struct k_mem_page_frame *own_select(void *state, bool *dirty)
{
	(void)state;
	*dirty = false;
	return NULL;
}

static const struct kmem_eviction_ops own_policy = {
	.version = KMEM_EVICTION_VERSION,
	.name = "own",
	.init = own_init,
	.select = own_select,
};

static const struct kmem_store_ops own_store = {.version = KMEM_STORE_VERSION, .name = "own"};

/* A program that says which policy or store of its own it means boots itself. */
START_TEST(custom_policy_is_given_at_boot)
{
	struct kmem_config config = {.struct_size = sizeof(config)};
	struct kmem_record record = typical;

	record.policy = KMEM_RECORD_CUSTOM;
	record.switches |= KMEM_RECORD_OWN_BOOT;
	unit_load(&record, "unit.c");
	ck_assert(!kmem_config_is_recorded());
	ck_assert_int_eq(kmem_boot(NULL), -EINVAL);
	ck_assert_ptr_nonnull(strstr(kmem_boot_error(), "CONFIG_EVICTION_CUSTOM"));
	ck_assert_ptr_nonnull(strstr(kmem_boot_error(), "clock, lru, nru"));
	config.policy_ops = &own_policy;
	ck_assert_msg(kmem_boot(&config) == 0, "%s", kmem_boot_error());
	ck_assert_int_eq(kmem_shutdown(), 0);
	setenv("KMEM_POLICY", "lru", 1);
	ck_assert_msg(resolve(NULL) == 0, "%s", error);
	ck_assert_ptr_eq(settings.policy_ops, &kmem_eviction_lru);
	ck_assert_msg(resolve(&config) == 0, "%s", error);
	ck_assert_ptr_eq(settings.policy_ops, &kmem_eviction_lru);
}
END_TEST

START_TEST(custom_store_is_given_at_boot)
{
	struct kmem_config config = {.struct_size = sizeof(config)};
	struct kmem_record record = typical;

	record.store = KMEM_RECORD_CUSTOM;
	record.switches |= KMEM_RECORD_OWN_BOOT;
	unit_load(&record, "unit.c");
	ck_assert(!kmem_config_is_recorded());
	ck_assert_int_eq(kmem_boot(NULL), -EINVAL);
	ck_assert_ptr_nonnull(strstr(kmem_boot_error(), "CONFIG_BACKING_STORE_CUSTOM"));
	ck_assert_ptr_nonnull(strstr(kmem_boot_error(), "file, ram"));
	config.store_ops = &own_store;
	ck_assert_msg(resolve(&config) == 0, "%s", error);
	ck_assert_ptr_eq(settings.store_ops, &own_store);
	ck_assert_uint_eq(settings.store_pages, VM_SIZE / PAGE);
	setenv("KMEM_STORE", "ram:5", 1);
	ck_assert_msg(resolve(&config) == 0, "%s", error);
	ck_assert_ptr_eq(settings.store_ops, &kmem_store_ram);
	ck_assert_uint_eq(settings.store_pages, 5);
}
END_TEST

START_TEST(custom_choices_need_nothing_without_demand_paging)
{
	struct kmem_record record = typical;

	record.policy = KMEM_RECORD_CUSTOM;
	record.store = KMEM_RECORD_CUSTOM;
	record.switches = KMEM_RECORD_ASSERT;
	record.store_pages = 0;
	unit_load(&record, "unit.c");
	ck_assert(kmem_config_is_recorded());
	ck_assert_msg(kmem_boot(NULL) == 0, "%s", kmem_boot_error());
	ck_assert(kmem_is_valid());
}
END_TEST

/* ---- records that cannot be ---- */

static const struct {
	struct change changes[3];
	const char *texts[4];
} refusals[] = {
	{{CHANGE(page_size, 0)}, {"page size 0 ", "CONFIG_MMU_PAGE_SIZE", "4096", "2097152"}},
	{{CHANGE(page_size, 3000)}, {"page size 3000 ", "CONFIG_MMU_PAGE_SIZE", "4096", "2097152"}},
	{{CHANGE(page_size, 1024)}, {"page size 1024 ", "CONFIG_MMU_PAGE_SIZE", "4096", "2097152"}},
	{{CHANGE(vm_base, VM_BASE + 1)}, {"CONFIG_KERNEL_VM_BASE", "0x30000001", "4096"}},
	{{CHANGE(vm_base, 0)}, {"VM range", "at 0x0 "}},
	{{CHANGE(vm_base, 1UL << 47)}, {"at 0x800000000000 ", "and 0x800000000000"}},
	{{CHANGE(vm_size, 0)}, {"CONFIG_KERNEL_VM_SIZE", "of 0 bytes", "262144"}},
	{{CHANGE(vm_size, 0), CHANGE(ram_kib, 0)}, {"CONFIG_SRAM_SIZE", "RAM of 0 bytes", "4 frames"}},
	{{CHANGE(vm_size, 128 * 1024)}, {"CONFIG_KERNEL_VM_SIZE", "131072", "CONFIG_SRAM_SIZE", "262144"}},
	{{CHANGE(vm_offset, 100)}, {"CONFIG_KERNEL_VM_OFFSET", "0x64", "4096"}},
	{{CHANGE(vm_offset, VM_SIZE)}, {"CONFIG_KERNEL_VM_SIZE", "8388608", "0x800000"}},
	{{CHANGE(ram_base, 0x100)}, {"CONFIG_SRAM_BASE_ADDRESS", "0x100", "4096"}},
	{{CHANGE(ram_base, 1UL << 48)}, {"[0x1000000000000,", "0x1000000000000"}},
	{{CHANGE(ram_kib, 0)}, {"CONFIG_SRAM_SIZE", "RAM of 0 bytes", "4 frames"}},
	{{CHANGE(ram_kib, 1)}, {"CONFIG_SRAM_SIZE", "0x400", "4096"}},
	{{CHANGE(ram_kib, 12)}, {"CONFIG_SRAM_SIZE", "12288", "4 frames"}},
	{{CHANGE(ram_kib, 8196)}, {"CONFIG_SRAM_SIZE", "8392704", "CONFIG_KERNEL_VM_SIZE", "8388608"}},
	{{CHANGE(ram_kib, 1UL << 54)}, {"CONFIG_SRAM_SIZE", "18014398509481984", "18014398509481983 KiB"}},
	{{CHANGE(ram_kib, 1UL << 54 | 256)}, {"CONFIG_SRAM_SIZE", "18014398509482240", "18014398509481983 KiB"}},
	{{CHANGE(ram_offset, 10)}, {"CONFIG_SRAM_OFFSET", "0xa", "4096"}},
	{{CHANGE(ram_offset, 512 * 1024)}, {"RAM offset 524288", "262144"}},
	{{CHANGE(frames_reserve, 65)}, {"CONFIG_DEMAND_PAGING_PAGE_FRAMES_RESERVE", "65 frames", "64"}},
	{{CHANGE(store_pages, 0)}, {"CONFIG_BACKING_STORE_RAM_PAGES", "0", "1"}},
	{{CHANGE(switches, KMEM_RECORD_DEMAND_MAPPING)}, {"CONFIG_DEMAND_MAPPING", "CONFIG_DEMAND_PAGING"}},
	{{CHANGE(switches, KMEM_RECORD_TIMING)},
	 {"CONFIG_DEMAND_PAGING_TIMING_HISTOGRAM", "CONFIG_DEMAND_PAGING_STATS"}},
	{{CHANGE(switches, 0x11 | KMEM_RECORD_MAPS_ALL_RAM), CHANGE(ram_offset, PAGE)},
	 {"CONFIG_ARCH_MAPS_ALL_RAM", "0x0 ", "0x1000"}},
};

START_TEST(records_that_cannot_be_are_refused)
{
	struct kmem_record record = changed(refusals[_i].changes, COUNT(refusals[_i].changes));

	unit_load(&record, "unit.c");
	ck_assert_int_eq(resolve(NULL), -EINVAL);
	texts_check(error, refusals[_i].texts, COUNT(refusals[_i].texts));
	boot_refused(refusals[_i].texts, COUNT(refusals[_i].texts));
}
END_TEST

/* ---- before main() ---- */

static char directory[64], paths[2][128];

static bool was_booted;

__attribute__((constructor)) static void note_boot(void)
{
	was_booted = kmem_is_booted();
}

static _Noreturn void child_main(void)
{
	printf("main: %s\n", was_booted ? "booted" : "not booted");
	exit(0);
}

static void setup_directory(void)
{
	notes_begin();
	snprintf(directory, sizeof(directory), "/tmp/test_note.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	for (int i = 0; i < COUNT(paths); i++) {
		snprintf(paths[i], sizeof(paths[i]), "%s/%d.so", directory, i);
	}
}

static void teardown_directory(void)
{
	for (int i = 0; i < COUNT(paths); i++) {
		unlink(paths[i]);
	}
	ck_assert_int_eq(rmdir(directory), 0);
}

/* As unit_load(), but a file. */
static void unit_save(const char *path, const struct kmem_record *record, const char *file)
{
	static struct object object;
	char desc[sizeof(*record) + 64] = "";
	int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0700);

	memcpy(desc, record, sizeof(*record));
	strcpy(desc + sizeof(*record), file);
	notes_begin();
	notes_add(&words, KMEM_RECORD_NAME, KMEM_RECORD_TYPE, desc, padded(sizeof(*record) + strlen(file) + 1, 4));
	object_make(&object);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, &object, sizeof(object)), sizeof(object));
	close(fd);
}

/* Run this program as a child with objects loaded; what it prints to both descriptors, to be freed. */
static char *run_again(int count, int *exit_status)
{
	int out = memfd_create("out", MFD_CLOEXEC);
	char program[PATH_MAX] = "";
	char preload[300];
	char *text;
	off_t size;
	int status;
	pid_t pid;

	ck_assert_int_ge(out, 0);
	ck_assert_int_gt(readlink("/proc/self/exe", program, sizeof(program) - 1), 0);
	snprintf(preload, sizeof(preload), "%s%s%s", count > 0 ? paths[0] : "", count > 1 ? ":" : "",
		 count > 1 ? paths[1] : "");
	fflush(NULL);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		env_clear();
		setenv(CHILD, "1", 1);
		setenv("LD_PRELOAD", preload, 1);
		dup2(out, STDOUT_FILENO);
		dup2(out, STDERR_FILENO);
		execl(program, program, (char *)NULL);
		_exit(127);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	*exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	size = lseek(out, 0, SEEK_END);
	text = calloc(1, (size_t)size + 1);
	ck_assert_ptr_nonnull(text);
	ck_assert_int_eq(pread(out, text, (size_t)size, 0), size);
	close(out);
	return text;
}

static void expect_run(int count, int expected, const char *expected_text)
{
	int status;
	char *text = run_again(count, &status);

	ck_assert_str_eq(text, expected_text);
	ck_assert_int_eq(status, expected);
	free(text);
}

START_TEST(programs_boot_before_main_unless_they_boot_themselves)
{
	struct kmem_record record = typical;

	expect_run(0, 0, "main: not booted\n");
	unit_save(paths[0], &record, "first.c");
	expect_run(1, 0, "main: booted\n");
	unit_save(paths[1], &record, "second.c");
	expect_run(2, 0, "main: booted\n");
	unlink(paths[0]);
	record.switches |= KMEM_RECORD_OWN_BOOT;
	unit_save(paths[0], &record, "first.c");
	expect_run(1, 0, "main: not booted\n");
}
END_TEST

START_TEST(programs_do_not_start_with_records_that_differ)
{
	struct kmem_record record = typical;

	unit_save(paths[0], &record, "first.c");
	record.ram_kib[0] = 128;
	unit_save(paths[1], &record, "second.c");
	expect_run(2, 1, "kmem: error: first.c and second.c were compiled with different values of CONFIG_SRAM_SIZE\n");
}
END_TEST

START_TEST(programs_do_not_start_with_records_that_cannot_be)
{
	struct kmem_record record = typical;

	record.policy = KMEM_RECORD_CUSTOM;
	unit_save(paths[0], &record, "first.c");
	expect_run(1, 1,
		   "kmem: error: CONFIG_EVICTION_CUSTOM: the program defines no k_mem_paging_eviction_init() and its kin, gives "
		   "no policy_ops, and there is no KMEM_POLICY (clock, lru, nru)\n");
	unlink(paths[0]);
	record = typical;
	record.page_size = 3000;
	unit_save(paths[0], &record, "first.c");
	expect_run(
		1, 1,
		"kmem: error: page size 3000 (page_size, CONFIG_MMU_PAGE_SIZE): not a power of two between the host's "
		"page size, 4096, and 2097152\n");
	unlink(paths[0]);
	record = typical;
	record.version = 99;
	record.policy = KMEM_RECORD_CUSTOM;
	unit_save(paths[0], &record, "first.c");
	expect_run(
		1, 1,
		"kmem: error: first.c was compiled with headers of another libkmem: record version 99, this library has "
		"1\n");
}
END_TEST

Suite *kmem_test_suite(void)
{
	Suite *suite;
	TCase *notes, *records, *values;

	if (getenv(CHILD) != NULL) {
		child_main();
	}
	suite = suite_create("note");
	notes = tcase_create("notes");
	records = tcase_create("records");
	values = tcase_create("values");

	tcase_add_checked_fixture(notes, setup, teardown);
	tcase_add_test(notes, walk_finds_nothing_where_there_is_nothing);
	tcase_add_test(notes, walk_finds_notes_of_its_name_and_type);
	tcase_add_test(notes, walk_ends_where_visit_says);
	tcase_add_test(notes, walk_sees_objects_in_the_order_of_loading);
	tcase_add_loop_test(notes, notes_that_are_cut_off_end_their_segment, 0, COUNT(cuts));
	tcase_add_test(notes, notes_without_name_are_passed_over);
	suite_add_tcase(suite, notes);

	tcase_add_checked_fixture(records, setup_record, teardown_record);
	tcase_add_loop_test(records, every_difference_is_found_and_named, 0, COUNT(differences));
	tcase_add_loop_test(records, units_that_differ_are_refused, 0, COUNT(differences));
	tcase_add_test(records, units_that_agree_are_one);
	tcase_add_loop_test(records, records_of_another_version_are_refused, 0, 2);
	tcase_add_loop_test(records, records_of_another_size_are_refused, 0, 4);
	suite_add_tcase(suite, records);

	tcase_add_checked_fixture(values, setup_record, teardown_record);
	tcase_add_test(values, every_number_of_a_record_is_taken);
	tcase_add_loop_test(values, every_switch_of_a_record_is_taken, 0, COUNT(switches));
	tcase_add_loop_test(values, every_choice_of_a_record_is_taken, 0, COUNT(choices));
	tcase_add_test(values, timing_of_a_record_goes_with_its_statistics);
	tcase_add_test(values, addresses_of_a_record_stay);
	tcase_add_test(values, custom_policy_is_given_at_boot);
	tcase_add_test(values, custom_store_is_given_at_boot);
	tcase_add_test(values, custom_choices_need_nothing_without_demand_paging);
	tcase_add_loop_test(values, records_that_cannot_be_are_refused, 0, COUNT(refusals));
	suite_add_tcase(suite, values);

	/* A sanitizer's run time wants to be loaded before everything else. */
	if (!harness_on_asan() && !harness_on_tsan()) {
		TCase *before_main = tcase_create("before main");

		tcase_add_checked_fixture(before_main, setup_directory, teardown_directory);
		tcase_add_test(before_main, programs_boot_before_main_unless_they_boot_themselves);
		tcase_add_test(before_main, programs_do_not_start_with_records_that_differ);
		tcase_add_test(before_main, programs_do_not_start_with_records_that_cannot_be);
		suite_add_tcase(suite, before_main);
	}
	return suite;
}
