/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory domains: every result of every function, capacities, whose threads are whose, what partitions do to mapped
 * memory and what is left of it afterwards, partitions made of variables. Assertions are in test_domain_assert.c.
 */
#define CONFIG_USERSPACE 1
#undef CONFIG_ASSERT
#define KMEM_KCONFIG_NO_RECORD /* each test boots what it needs */

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <kmem/kmem.h>
#include <zephyr/app_memory/app_memdomain.h>
#include <zephyr/app_memory/mem_domain.h>
#include <zephyr/app_memory/partitions.h>

#include "../expect.h"
#include "../harness.h"
#include "../state.h"
#include "domain_unit.h"

#define PAGE 4096UL
#define FRAMES 32UL
#define RW K_MEM_PERM_RW
#define EXEC K_MEM_PERM_EXEC
#define BASE 0x40000000UL /* where nothing is mapped */

static struct harness_leaks leaks;
static struct k_mem_domain domain;
static struct k_mem_domain other;

static void setup_unbooted(void)
{
	memset(&fatal, 0, sizeof(fatal));
	memset(&domain, 0xa5, sizeof(domain));
	memset(&other, 0xa5, sizeof(other));
}

static void setup(void)
{
	struct kmem_config config = {
		.struct_size = sizeof(config),
		.vm_size = 16UL << 20,
		.ram_size = FRAMES * PAGE,
		.store = "ram:64",
		.policy = "lru",
	};

	setup_unbooted();
	harness_leaks_begin(&leaks);
	ck_assert_msg(kmem_boot(&config) == 0, "%s", kmem_boot_error());
	ck_assert_int_eq(k_mem_domain_init(&domain, 0, NULL), 0);
	ck_assert_int_eq(k_mem_domain_init(&other, 0, NULL), 0);
}

static void teardown(void)
{
	ck_assert(kmem_is_valid());
	ck_assert_int_eq(kmem_shutdown(), 0);
	harness_leaks_check(&leaks);
}

static struct k_mem_partition part_of(uintptr_t start, size_t size)
{
	struct k_mem_partition part = {start, size, K_MEM_PARTITION_P_RW_U_RW};

	return part;
}

/* A partition of the domain at a page, counted from BASE. */
static int add(struct k_mem_domain *to, size_t page, size_t pages)
{
	struct k_mem_partition part = part_of(BASE + page * PAGE, pages * PAGE);

	return k_mem_domain_add_partition(to, &part);
}

static int drop(struct k_mem_domain *from, size_t page, size_t pages)
{
	struct k_mem_partition part = part_of(BASE + page * PAGE, pages * PAGE);

	return k_mem_domain_remove_partition(from, &part);
}

/* k_mem_domain_init() */

START_TEST(init_makes_an_empty_domain)
{
	ck_assert_int_eq(k_mem_domain_init(&domain, 0, NULL), 0);
	ck_assert_uint_eq(domain.num_partitions, 0);
	for (size_t i = 0; i < CONFIG_MAX_DOMAIN_PARTITIONS; i++) {
		ck_assert_uint_eq(domain.partitions[i].size, 0);
	}
	ck_assert(sys_dlist_is_empty(&domain.thread_mem_domain_list));
}
END_TEST

START_TEST(init_copies_partitions)
{
	struct k_mem_partition one = {BASE, PAGE, K_MEM_PARTITION_P_RO_U_RO};
	struct k_mem_partition two = {BASE + PAGE, 2 * PAGE, K_MEM_PARTITION_P_RX_U_NA};
	struct k_mem_partition *parts[] = {&one, &two};

	ck_assert_int_eq(k_mem_domain_init(&domain, 2, parts), 0);
	memset(&one, 0, sizeof(one));
	memset(&two, 0, sizeof(two));
	ck_assert_uint_eq(domain.num_partitions, 2);
	ck_assert_uint_eq(domain.partitions[0].start, BASE);
	ck_assert_uint_eq(domain.partitions[0].size, PAGE);
	ck_assert_uint_eq(domain.partitions[0].attr, K_MEM_PARTITION_P_RO_U_RO);
	ck_assert_uint_eq(domain.partitions[1].start, BASE + PAGE);
	ck_assert_uint_eq(domain.partitions[1].size, 2 * PAGE);
	ck_assert_uint_eq(domain.partitions[1].attr, K_MEM_PARTITION_P_RX_U_NA);
}
END_TEST

START_TEST(init_refuses_bad_arguments)
{
	struct k_mem_partition all[CONFIG_MAX_DOMAIN_PARTITIONS + 1];
	struct k_mem_partition *parts[CONFIG_MAX_DOMAIN_PARTITIONS + 1];

	for (size_t i = 0; i <= CONFIG_MAX_DOMAIN_PARTITIONS; i++) {
		all[i] = part_of(BASE + i * PAGE, PAGE);
		parts[i] = &all[i];
	}
	ck_assert_int_eq(k_mem_domain_init(NULL, 0, NULL), -EINVAL);
	ck_assert_int_eq(k_mem_domain_init(NULL, 1, parts), -EINVAL);
	ck_assert_int_eq(k_mem_domain_init(&domain, 1, NULL), -EINVAL);
	ck_assert_int_eq(k_mem_domain_init(&domain, CONFIG_MAX_DOMAIN_PARTITIONS + 1, parts), -EINVAL);
	ck_assert_int_eq(k_mem_domain_init(&domain, UINT8_MAX, parts), -EINVAL);
	ck_assert_int_eq(k_mem_domain_init(&domain, 0, parts), 0);
	ck_assert_int_eq(k_mem_domain_init(&domain, CONFIG_MAX_DOMAIN_PARTITIONS, parts), 0);
	ck_assert_uint_eq(domain.num_partitions, CONFIG_MAX_DOMAIN_PARTITIONS);
}
END_TEST

START_TEST(init_stops_at_an_invalid_partition)
{
	struct k_mem_partition good = part_of(BASE, PAGE);
	struct k_mem_partition bad[] = {
		part_of(BASE + PAGE, 0),
		part_of(BASE, PAGE),
		part_of(UINTPTR_MAX - PAGE + 1, PAGE),
		part_of(BASE + PAGE + 1, PAGE),
	};
	struct k_mem_partition last = part_of(BASE + 8 * PAGE, PAGE);

	for (size_t i = 0; i <= sizeof(bad) / sizeof(bad[0]); i++) {
		struct k_mem_partition *parts[] = {&good, i < sizeof(bad) / sizeof(bad[0]) ? &bad[i] : NULL, &last};

		ck_assert_int_eq(k_mem_domain_init(&domain, 3, parts), -EINVAL);
		ck_assert_uint_eq(domain.num_partitions, 1);
		ck_assert_uint_eq(domain.partitions[0].start, BASE);
		ck_assert_uint_eq(domain.partitions[1].size, 0);
	}
}
END_TEST

/* k_mem_domain_add_partition() */

START_TEST(add_refuses_bad_arguments)
{
	struct k_mem_partition bad[] = {
		part_of(BASE, 0),
		part_of(UINTPTR_MAX - PAGE + 1, PAGE),     /* ends at 2^64 */
		part_of(UINTPTR_MAX - PAGE + 1, 2 * PAGE), /* and behind it */
		part_of(BASE, SIZE_MAX - PAGE + 1),
		part_of(BASE + 1, PAGE),
		part_of(BASE, PAGE - 1),
		part_of(BASE + PAGE / 2, PAGE / 2),
	};
	struct k_mem_partition good = part_of(BASE, PAGE);

	ck_assert_int_eq(k_mem_domain_add_partition(NULL, &good), -EINVAL);
	ck_assert_int_eq(k_mem_domain_add_partition(&domain, NULL), -EINVAL);
	ck_assert_int_eq(k_mem_domain_add_partition(NULL, NULL), -EINVAL);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ck_assert_int_eq(k_mem_domain_add_partition(&domain, &bad[i]), -EINVAL);
	}
	ck_assert_uint_eq(domain.num_partitions, 0);
	ck_assert_int_eq(k_mem_domain_add_partition(&domain, &good), 0);
}
END_TEST

START_TEST(add_refuses_overlap_and_allows_neighbours)
{
	static const struct {
		size_t page, pages;
		int ret;
	} cases[] = {
		{10, 4, -EINVAL}, /* the same */
		{9, 1, 0},        {9, 2, -EINVAL},  {9, 6, -EINVAL},  {10, 1, -EINVAL}, {11, 2, -EINVAL},
		{13, 1, -EINVAL}, {13, 2, -EINVAL}, {14, 1, 0},       {8, 1, 0},        {0, 8, 0},
		{0, 100, -EINVAL}, {15, 100, 0},
	};

	ck_assert_int_eq(add(&domain, 10, 4), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ck_assert_int_eq(add(&domain, cases[i].page, cases[i].pages), cases[i].ret);
	}
	ck_assert_uint_eq(domain.num_partitions, 6);
	ck_assert_int_eq(add(&other, 10, 4), 0); /* domains share memory */
}
END_TEST

START_TEST(full_domain_has_no_space)
{
	ck_assert_int_eq(CONFIG_MAX_DOMAIN_PARTITIONS, 16);
	ck_assert_int_eq(arch_mem_domain_max_partitions_get(), 16);
	for (size_t i = 0; i < 16; i++) {
		ck_assert_int_eq(add(&domain, 2 * i, 1), 0);
		ck_assert_uint_eq(domain.num_partitions, i + 1);
	}
	ck_assert_int_eq(add(&domain, 33, 1), -ENOSPC);
	ck_assert_int_eq(add(&domain, 2, 1), -EINVAL); /* overlap comes first */
	ck_assert_uint_eq(domain.num_partitions, 16);
	ck_assert_int_eq(drop(&domain, 14, 1), 0);
	ck_assert_int_eq(add(&domain, 33, 1), 0);
	ck_assert_int_eq(add(&domain, 14, 1), -ENOSPC);
}
END_TEST

START_TEST(capacity_is_the_programs_affair)
{
	static const size_t capacities[] = {0, 1, 2, 15, 17, 254, 255};
	struct k_mem_partition slots[256];
	sys_dlist_t threads;
	uint8_t count;
	char identity;
	struct kmem_domain view = {
		.domain = (struct k_mem_domain *)(void *)&identity,
		.partitions = slots,
		.threads = &threads,
		.num_partitions = &count,
		.page_size = PAGE,
	};

	for (size_t i = 0; i < sizeof(capacities) / sizeof(capacities[0]); i++) {
		struct k_mem_partition part = part_of(BASE, PAGE);
		struct k_mem_partition *parts[256];

		memset(slots, 0xa5, sizeof(slots));
		for (size_t k = 0; k < 256; k++) {
			parts[k] = &part;
		}
		view.max = capacities[i];
		ck_assert_int_eq(kmem_domain_init(&view, view.max + 1, parts), -EINVAL);
		ck_assert_int_eq(kmem_domain_init(&view, 0, NULL), 0);
		for (size_t k = 0; k < view.max; k++) {
			part.start = BASE + k * PAGE;
			ck_assert_int_eq(kmem_domain_add_partition(&view, &part), 0);
		}
		ck_assert_uint_eq(count, view.max);
		part.start = BASE + view.max * PAGE;
		ck_assert_int_eq(kmem_domain_add_partition(&view, &part), -ENOSPC);
		ck_assert_uint_eq(slots[view.max].size, (size_t)0xa5a5a5a5a5a5a5a5);
		ck_assert_int_eq(kmem_domain_remove_partition(&view, &part), -ENOENT);
		for (size_t k = view.max; k-- > 0;) {
			part.start = BASE + k * PAGE;
			ck_assert_int_eq(kmem_domain_remove_partition(&view, &part), 0);
		}
		ck_assert_uint_eq(count, 0);
	}
}
END_TEST

START_TEST(write_and_execute_is_allowed_unless_configured)
{
	struct k_mem_partition part = {BASE, PAGE, K_MEM_PARTITION_P_RWX_U_RWX};

	ck_assert_int_eq(k_mem_domain_add_partition(&domain, &part), 0);
}
END_TEST

/* k_mem_domain_remove_partition() */

START_TEST(remove_finds_by_start_and_size_alone)
{
	struct k_mem_partition part = {BASE, 2 * PAGE, K_MEM_PARTITION_P_RO_U_NA};
	struct k_mem_partition nothing = {0, 0, 0};

	ck_assert_int_eq(k_mem_domain_remove_partition(&domain, &part), -ENOENT);
	ck_assert_int_eq(k_mem_domain_remove_partition(&domain, &nothing), -ENOENT); /* no free slot either */
	ck_assert_uint_eq(domain.num_partitions, 0);
	ck_assert_int_eq(k_mem_domain_add_partition(&domain, &part), 0);
	ck_assert_int_eq(k_mem_domain_remove_partition(NULL, &part), -EINVAL);
	ck_assert_int_eq(k_mem_domain_remove_partition(&domain, NULL), -EINVAL);
	ck_assert_int_eq(drop(&domain, 0, 1), -ENOENT);
	ck_assert_int_eq(drop(&domain, 1, 1), -ENOENT);
	ck_assert_int_eq(drop(&domain, 1, 2), -ENOENT);
	ck_assert_int_eq(drop(&other, 0, 2), -ENOENT);
	ck_assert_uint_eq(domain.num_partitions, 1);
	part.attr = K_MEM_PARTITION_P_RWX_U_RWX;
	ck_assert_int_eq(k_mem_domain_remove_partition(&domain, &part), 0);
	ck_assert_uint_eq(domain.num_partitions, 0);
	ck_assert_int_eq(k_mem_domain_remove_partition(&domain, &part), -ENOENT);
}
END_TEST

START_TEST(overlap_is_found_in_slots_behind_a_free_one)
{
	ck_assert_int_eq(add(&domain, 0, 1), 0);
	ck_assert_int_eq(add(&domain, 1, 1), 0);
	ck_assert_int_eq(add(&domain, 2, 1), 0);
	ck_assert_int_eq(drop(&domain, 0, 1), 0);
	ck_assert_int_eq(add(&domain, 2, 1), -EINVAL);
	ck_assert_int_eq(drop(&domain, 1, 1), 0);
	ck_assert_int_eq(add(&domain, 2, 4), -EINVAL);
	ck_assert_int_eq(add(&domain, 0, 2), 0);
	ck_assert_uint_eq(domain.num_partitions, 2);
	ck_assert_uint_eq(domain.partitions[0].size, 2 * PAGE);
}
END_TEST

/* Threads. */

static struct k_thread *thread_begin(struct k_thread *thread, const struct k_thread *parent)
{
	memset(thread, 0, sizeof(*thread));
	kmem_domain_thread_init(thread, parent);
	return thread;
}

START_TEST(threads_are_in_the_default_domain_or_in_their_parents)
{
	struct k_thread first, second, third;

	ck_assert_ptr_eq(thread_begin(&first, NULL)->mem_domain_info.mem_domain, &k_mem_domain_default);
	ck_assert_ptr_eq(thread_begin(&second, &first)->mem_domain_info.mem_domain, &k_mem_domain_default);
	ck_assert_int_eq(k_mem_domain_add_thread(&domain, &second), 0);
	ck_assert_ptr_eq(second.mem_domain_info.mem_domain, &domain);
	ck_assert_ptr_eq(first.mem_domain_info.mem_domain, &k_mem_domain_default);
	ck_assert_ptr_eq(thread_begin(&third, &second)->mem_domain_info.mem_domain, &domain);
	kmem_domain_thread_exit(&third);
	kmem_domain_thread_exit(&second);
	kmem_domain_thread_exit(&first);
}
END_TEST

START_TEST(thread_of_an_unknown_parent_is_in_the_default_domain)
{
	struct k_thread parent = {.mem_domain_info = {.mem_domain = NULL}};
	struct k_thread child;

	ck_assert_ptr_eq(thread_begin(&child, &parent)->mem_domain_info.mem_domain, &k_mem_domain_default);
	kmem_domain_thread_exit(&child);
}
END_TEST

START_TEST(add_thread_moves_between_domains)
{
	struct k_thread thread;

	thread_begin(&thread, NULL);
	ck_assert_int_eq(k_mem_domain_add_thread(NULL, &thread), -EINVAL);
	ck_assert_int_eq(k_mem_domain_add_thread(&domain, NULL), -EINVAL);
	ck_assert_int_eq(k_mem_domain_add_thread(&domain, &thread), 0);
	ck_assert_int_eq(k_mem_domain_add_thread(&domain, &thread), 0);
	ck_assert_int_eq(k_mem_domain_deinit(&domain), -EBUSY);
	ck_assert_int_eq(k_mem_domain_add_thread(&other, &thread), 0);
	ck_assert_ptr_eq(thread.mem_domain_info.mem_domain, &other);
	ck_assert_int_eq(k_mem_domain_deinit(&domain), 0);
	ck_assert_int_eq(k_mem_domain_deinit(&other), -EBUSY);
	ck_assert_int_eq(k_mem_domain_add_thread(&k_mem_domain_default, &thread), 0);
	ck_assert_ptr_eq(thread.mem_domain_info.mem_domain, &k_mem_domain_default);
	ck_assert_int_eq(k_mem_domain_deinit(&other), 0);
	kmem_domain_thread_exit(&thread);
}
END_TEST

START_TEST(dead_threads_are_in_no_domain)
{
	struct k_thread thread;

	thread_begin(&thread, NULL);
	ck_assert_int_eq(k_mem_domain_add_thread(&domain, &thread), 0);
	thread.base.thread_state |= _THREAD_DEAD;
	kmem_domain_thread_exit(&thread);
	ck_assert_ptr_nonnull(thread.mem_domain_info.mem_domain);
	ck_assert_int_eq(k_mem_domain_add_thread(&other, &thread), 0);
	ck_assert_int_eq(k_mem_domain_deinit(&domain), 0);
	ck_assert_int_eq(k_mem_domain_deinit(&other), 0);
}
END_TEST

START_TEST(deinit_needs_a_domain_without_threads)
{
	struct k_thread one, two;

	ck_assert_int_eq(k_mem_domain_deinit(NULL), -EINVAL);
	ck_assert_int_eq(k_mem_domain_deinit(&k_mem_domain_default), -EBUSY);
	ck_assert_int_eq(add(&domain, 0, 1), 0);
	thread_begin(&one, NULL);
	ck_assert_int_eq(k_mem_domain_add_thread(&domain, &one), 0);
	thread_begin(&two, &one);
	ck_assert_int_eq(k_mem_domain_deinit(&domain), -EBUSY);
	kmem_domain_thread_exit(&one);
	ck_assert_int_eq(k_mem_domain_deinit(&domain), -EBUSY);
	ck_assert_uint_eq(domain.num_partitions, 1);
	kmem_domain_thread_exit(&two);
	ck_assert_int_eq(k_mem_domain_deinit(&domain), 0);
	ck_assert_uint_eq(domain.num_partitions, 0);
	ck_assert_int_eq(k_mem_domain_init(&domain, 0, NULL), 0);
	ck_assert_int_eq(add(&domain, 0, 1), 0);
}
END_TEST

/* k_mem_domain_inherit_thread_partitions() */

START_TEST(partitions_of_a_thread_can_be_inherited)
{
	struct k_thread thread;

	thread_begin(&thread, NULL);
	ck_assert_int_eq(add(&domain, 0, 1), 0);
	ck_assert_int_eq(add(&domain, 1, 1), 0);
	ck_assert_int_eq(add(&domain, 2, 1), 0);
	ck_assert_int_eq(drop(&domain, 1, 1), 0);
	ck_assert_int_eq(add(&other, 1, 1), 0);
	ck_assert_int_eq(k_mem_domain_add_thread(&domain, &thread), 0);
	ck_assert_int_eq(k_mem_domain_inherit_thread_partitions(&other, &thread), 0);
	ck_assert_uint_eq(other.num_partitions, 3);
	ck_assert_int_eq(drop(&other, 0, 1), 0);
	ck_assert_int_eq(drop(&other, 1, 1), 0);
	ck_assert_int_eq(drop(&other, 2, 1), 0);
	ck_assert_uint_eq(domain.num_partitions, 2);
	ck_assert_ptr_eq(thread.mem_domain_info.mem_domain, &domain);
	kmem_domain_thread_exit(&thread);
}
END_TEST

START_TEST(inheritance_is_all_or_nothing)
{
	struct k_thread thread;
	struct k_thread nowhere = {.mem_domain_info = {.mem_domain = NULL}};

	thread_begin(&thread, NULL);
	ck_assert_int_eq(k_mem_domain_add_thread(&domain, &thread), 0);
	ck_assert_int_eq(k_mem_domain_inherit_thread_partitions(NULL, &thread), -EINVAL);
	ck_assert_int_eq(k_mem_domain_inherit_thread_partitions(&other, NULL), -EINVAL);
	ck_assert_int_eq(k_mem_domain_inherit_thread_partitions(&other, &nowhere), -EINVAL);
	ck_assert_int_eq(k_mem_domain_inherit_thread_partitions(&domain, &thread), 0); /* none of none */
	ck_assert_int_eq(add(&domain, 0, 1), 0);
	ck_assert_int_eq(add(&domain, 1, 1), 0);
	ck_assert_int_eq(k_mem_domain_inherit_thread_partitions(&domain, &thread), -EINVAL);
	ck_assert_int_eq(add(&other, 1, 2), 0);
	ck_assert_int_eq(k_mem_domain_inherit_thread_partitions(&other, &thread), -EINVAL);
	ck_assert_uint_eq(other.num_partitions, 1);
	for (size_t i = 1; i < 15; i++) {
		ck_assert_int_eq(add(&other, 2 * i + 1, 1), 0);
	}
	ck_assert_int_eq(drop(&other, 1, 2), 0);
	ck_assert_int_eq(add(&other, 100, 1), 0);
	ck_assert_uint_eq(other.num_partitions, 15);
	ck_assert_int_eq(k_mem_domain_inherit_thread_partitions(&other, &thread), -ENOSPC);
	ck_assert_uint_eq(other.num_partitions, 15);
	ck_assert_int_eq(drop(&other, 0, 1), -ENOENT);
	ck_assert_int_eq(drop(&other, 100, 1), 0);
	ck_assert_int_eq(k_mem_domain_inherit_thread_partitions(&other, &thread), 0);
	ck_assert_uint_eq(other.num_partitions, 16);
	kmem_domain_thread_exit(&thread);
}
END_TEST

/* Attributes. */

static const struct {
	k_mem_partition_attr_t attr;
	uint32_t flags; /* on pages that were RW before */
	bool is_writable, is_executable;
} attributes[] = {
	{K_MEM_PARTITION_P_NA_U_NA, RW, false, false},
	{K_MEM_PARTITION_P_RO_U_NA, 0, false, false},
	{K_MEM_PARTITION_P_RO_U_RO, 0, false, false},
	{K_MEM_PARTITION_P_RW_U_NA, RW, true, false},
	{K_MEM_PARTITION_P_RW_U_RO, RW, true, false},
	{K_MEM_PARTITION_P_RW_U_RW, RW, true, false},
	{K_MEM_PARTITION_P_RX_U_NA, EXEC, false, true},
	{K_MEM_PARTITION_P_RX_U_RX, EXEC, false, true},
	{K_MEM_PARTITION_P_RWX_U_NA, RW | EXEC, true, true},
	{K_MEM_PARTITION_P_RWX_U_RX, RW | EXEC, true, true},
	{K_MEM_PARTITION_P_RWX_U_RWX, RW | EXEC, true, true},
};

#define ATTRIBUTES (sizeof(attributes) / sizeof(attributes[0]))

START_TEST(attributes_differ)
{
	for (size_t i = 0; i < ATTRIBUTES; i++) {
		ck_assert_int_eq(K_MEM_PARTITION_IS_WRITABLE(attributes[i].attr), attributes[i].is_writable);
		ck_assert_int_eq(K_MEM_PARTITION_IS_EXECUTABLE(attributes[i].attr), attributes[i].is_executable);
		for (size_t k = 0; k < i; k++) {
			ck_assert_uint_ne(attributes[i].attr, attributes[k].attr);
		}
	}
	ck_assert_uint_eq(KMEM_PARTITION_RW, K_MEM_PERM_RW);
	ck_assert_uint_eq(KMEM_PARTITION_EXEC, K_MEM_PERM_EXEC);
	ck_assert_uint_eq(KMEM_PARTITION_USER, K_MEM_PERM_USER);
}
END_TEST

/* Mapped memory. */

static volatile uint8_t *map(size_t pages, uint32_t flags)
{
	volatile uint8_t *bytes = k_mem_map(pages * PAGE, flags);

	ck_assert_ptr_nonnull((void *)bytes);
	return bytes;
}

static void check_flags(const volatile uint8_t *bytes, size_t pages, uint32_t flags)
{
	for (size_t i = 0; i < pages; i++) {
		ck_assert_uint_eq(status_of(bytes + i * PAGE).flags, flags);
	}
}

static struct k_mem_partition part_over(const volatile uint8_t *bytes, size_t pages, k_mem_partition_attr_t attr)
{
	struct k_mem_partition part = {(uintptr_t)bytes, pages * PAGE, attr};

	return part;
}

static void check_writable(volatile uint8_t *byte, uint8_t value)
{
	*byte = value;
	ck_assert_uint_eq(*byte, value);
}

/* A domain with a partition over memory and a thread. */
static struct k_thread member;

static void enter(struct k_mem_domain *into, struct k_thread *thread)
{
	thread_begin(thread, NULL);
	ck_assert_int_eq(k_mem_domain_add_thread(into, thread), 0);
}

START_TEST(attribute_is_what_pages_become)
{
	volatile uint8_t *bytes = map(2, RW);
	struct k_mem_partition part = part_over(bytes, 2, attributes[_i].attr);

	bytes[0] = 1;
	enter(&domain, &member);
	ck_assert_int_eq(k_mem_domain_add_partition(&domain, &part), 0);
	check_flags(bytes, 2, attributes[_i].flags);
	ck_assert_uint_eq(bytes[0], 1);
	ck_assert_uint_eq(bytes[PAGE], 0);
	if ((attributes[_i].flags & RW) != 0) {
		check_writable(bytes, 2);
		check_writable(bytes + PAGE, 3);
	} else {
		expect_read_only(bytes);
		expect_read_only(bytes + PAGE);
	}
	ck_assert_int_eq(k_mem_domain_remove_partition(&domain, &part), 0);
	check_flags(bytes, 2, RW);
	check_writable(bytes, 4);
	kmem_domain_thread_exit(&member);
}
END_TEST

START_TEST(user_and_cache_flags_of_pages_stay)
{
	volatile uint8_t *bytes = map(1, RW | K_MEM_PERM_USER);
	struct k_mem_partition part = part_over(bytes, 1, K_MEM_PARTITION_P_RO_U_NA);

	ck_assert_int_eq(k_mem_update_flags((void *)bytes, PAGE, RW | K_MEM_PERM_USER | K_MEM_CACHE_WT), 0);
	enter(&domain, &member);
	ck_assert_int_eq(k_mem_domain_add_partition(&domain, &part), 0);
	check_flags(bytes, 1, K_MEM_PERM_USER | K_MEM_CACHE_WT);
	ck_assert_int_eq(k_mem_domain_remove_partition(&domain, &part), 0);
	check_flags(bytes, 1, RW | K_MEM_PERM_USER | K_MEM_CACHE_WT);
	kmem_domain_thread_exit(&member);
}
END_TEST

START_TEST(partition_works_while_its_domain_has_threads)
{
	volatile uint8_t *bytes = map(1, RW);
	struct k_mem_partition part = part_over(bytes, 1, K_MEM_PARTITION_P_RO_U_RO);
	struct k_thread child;

	ck_assert_int_eq(k_mem_domain_add_partition(&domain, &part), 0);
	check_flags(bytes, 1, RW);
	check_writable(bytes, 1);
	enter(&domain, &member);
	check_flags(bytes, 1, 0);
	expect_read_only(bytes);
	thread_begin(&child, &member);
	ck_assert_int_eq(k_mem_domain_add_thread(&other, &member), 0);
	expect_read_only(bytes);
	kmem_domain_thread_exit(&child);
	check_flags(bytes, 1, RW);
	check_writable(bytes, 2);
	ck_assert_int_eq(k_mem_domain_add_thread(&domain, &member), 0);
	expect_read_only(bytes);
	kmem_domain_thread_exit(&member);
	check_writable(bytes, 3);
	ck_assert_int_eq(k_mem_domain_remove_partition(&domain, &part), 0);
	check_flags(bytes, 1, RW);
}
END_TEST

START_TEST(default_domain_works_at_once)
{
	volatile uint8_t *bytes = map(1, RW);
	struct k_mem_partition part = part_over(bytes, 1, K_MEM_PARTITION_P_RO_U_RO);

	ck_assert_int_eq(k_mem_domain_add_partition(&k_mem_domain_default, &part), 0);
	expect_read_only(bytes);
	ck_assert_int_eq(k_mem_domain_remove_partition(&k_mem_domain_default, &part), 0);
	check_writable(bytes, 1);
}
END_TEST

START_TEST(write_to_a_read_only_partition_is_fatal)
{
	volatile uint8_t *bytes = map(1, RW);
	struct k_mem_partition part = part_over(bytes, 1, K_MEM_PARTITION_P_RO_U_RO);
	int status;
	pid_t child;

	ck_assert_int_eq(k_mem_domain_add_partition(&k_mem_domain_default, &part), 0);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		bytes[1] = 1;
		_exit(0);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFSIGNALED(status));
	ck_assert_int_eq(WTERMSIG(status), SIGSEGV);
	ck_assert_int_eq(k_mem_domain_remove_partition(&k_mem_domain_default, &part), 0);
}
END_TEST

START_TEST(initialised_again_a_domain_leaves_nothing_behind)
{
	volatile uint8_t *bytes = map(1, RW);
	struct k_mem_partition part = part_over(bytes, 1, K_MEM_PARTITION_P_RO_U_RO);

	ck_assert_int_eq(k_mem_domain_add_partition(&k_mem_domain_default, &part), 0);
	check_flags(bytes, 1, 0);
	ck_assert_int_eq(k_mem_domain_init(&k_mem_domain_default, 0, NULL), 0);
	check_flags(bytes, 1, RW);
}
END_TEST

START_TEST(inherited_partitions_work_too)
{
	volatile uint8_t *bytes = map(1, RW);
	struct k_mem_partition part = part_over(bytes, 1, K_MEM_PARTITION_P_RO_U_RO);
	struct k_thread thread;

	ck_assert_int_eq(k_mem_domain_add_partition(&domain, &part), 0);
	enter(&domain, &thread);
	enter(&other, &member);
	ck_assert_int_eq(k_mem_domain_inherit_thread_partitions(&other, &member), 0);
	ck_assert_int_eq(k_mem_domain_inherit_thread_partitions(&other, &thread), 0);
	kmem_domain_thread_exit(&thread);
	expect_read_only(bytes);
	kmem_domain_thread_exit(&member);
	check_writable(bytes, 1);
}
END_TEST

/* Two domains, and in which order they go: 0, the older one first; 1, the newer one. */
START_TEST(newest_partition_wins)
{
	volatile uint8_t *bytes = map(3, RW);
	struct k_mem_partition older = part_over(bytes, 2, K_MEM_PARTITION_P_RO_U_RO);
	struct k_mem_partition newer = part_over(bytes + PAGE, 2, K_MEM_PARTITION_P_RX_U_RX);
	struct k_thread thread;

	enter(&domain, &member);
	enter(&other, &thread);
	ck_assert_int_eq(k_mem_domain_add_partition(&domain, &older), 0);
	ck_assert_int_eq(k_mem_domain_add_partition(&other, &newer), 0);
	check_flags(bytes, 1, 0);
	check_flags(bytes + PAGE, 2, EXEC);
	if (_i == 0) {
		ck_assert_int_eq(k_mem_domain_remove_partition(&domain, &older), 0);
		check_flags(bytes, 1, RW);
		check_flags(bytes + PAGE, 2, EXEC);
		ck_assert_int_eq(k_mem_domain_remove_partition(&other, &newer), 0);
	} else {
		ck_assert_int_eq(k_mem_domain_remove_partition(&other, &newer), 0);
		check_flags(bytes, 2, 0);
		check_flags(bytes + 2 * PAGE, 1, RW);
		ck_assert_int_eq(k_mem_domain_remove_partition(&domain, &older), 0);
	}
	check_flags(bytes, 3, RW);
	kmem_domain_thread_exit(&thread);
	kmem_domain_thread_exit(&member);
}
END_TEST

/* Layers on one page, removed in all orders. */
START_TEST(layers_may_go_in_any_order)
{
	static const size_t orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
	static const k_mem_partition_attr_t attrs[] = {
		K_MEM_PARTITION_P_RO_U_RO,
		K_MEM_PARTITION_P_RX_U_RX,
		K_MEM_PARTITION_P_RWX_U_RWX,
	};
	static const uint32_t flags[] = {0, EXEC, RW | EXEC};
	volatile uint8_t *bytes = map(1, RW);
	struct k_mem_domain domains[3];
	struct k_thread threads[3];
	bool is_in[3] = {true, true, true};

	for (size_t i = 0; i < 3; i++) {
		struct k_mem_partition part = part_over(bytes, 1, attrs[i]);
		struct k_mem_partition *parts[] = {&part};

		ck_assert_int_eq(k_mem_domain_init(&domains[i], 1, parts), 0);
		enter(&domains[i], &threads[i]);
		check_flags(bytes, 1, flags[i]);
	}
	for (size_t i = 0; i < 3; i++) {
		size_t gone = orders[_i][i];
		uint32_t expected = RW;

		kmem_domain_thread_exit(&threads[gone]);
		is_in[gone] = false;
		for (size_t k = 0; k < 3; k++) {
			expected = is_in[k] ? flags[k] : expected;
		}
		check_flags(bytes, 1, expected);
	}
}
END_TEST

START_TEST(moving_to_a_domain_with_the_same_memory_is_seamless)
{
	volatile uint8_t *bytes = map(1, RW);
	struct k_mem_partition part = part_over(bytes, 1, K_MEM_PARTITION_P_RO_U_RO);

	ck_assert_int_eq(k_mem_domain_add_partition(&domain, &part), 0);
	ck_assert_int_eq(k_mem_domain_add_partition(&other, &part), 0);
	enter(&domain, &member);
	check_flags(bytes, 1, 0);
	ck_assert_int_eq(k_mem_domain_add_thread(&other, &member), 0);
	check_flags(bytes, 1, 0);
	kmem_domain_thread_exit(&member);
	check_flags(bytes, 1, RW);
}
END_TEST

START_TEST(pages_get_back_what_each_of_them_had)
{
	volatile uint8_t *bytes = map(4, RW);
	struct k_mem_partition part = part_over(bytes, 4, K_MEM_PARTITION_P_RX_U_RX);

	ck_assert_int_eq(k_mem_update_flags((void *)(bytes + PAGE), PAGE, 0), 0);
	ck_assert_int_eq(k_mem_update_flags((void *)(bytes + 2 * PAGE), PAGE, EXEC), 0);
	ck_assert_int_eq(k_mem_domain_add_partition(&k_mem_domain_default, &part), 0);
	check_flags(bytes, 4, EXEC);
	ck_assert_int_eq(k_mem_domain_remove_partition(&k_mem_domain_default, &part), 0);
	check_flags(bytes, 1, RW);
	check_flags(bytes + PAGE, 1, 0);
	check_flags(bytes + 2 * PAGE, 1, EXEC);
	check_flags(bytes + 3 * PAGE, 1, RW);
}
END_TEST

START_TEST(what_the_program_changes_meanwhile_stays)
{
	volatile uint8_t *bytes = map(2, RW);
	struct k_mem_partition part = part_over(bytes, 2, K_MEM_PARTITION_P_RO_U_RO);

	ck_assert_int_eq(k_mem_domain_add_partition(&k_mem_domain_default, &part), 0);
	ck_assert_int_eq(k_mem_update_flags((void *)bytes, PAGE, EXEC), 0);
	ck_assert_int_eq(k_mem_domain_remove_partition(&k_mem_domain_default, &part), 0);
	check_flags(bytes, 1, EXEC);
	check_flags(bytes + PAGE, 1, RW);
}
END_TEST

START_TEST(unmapped_memory_is_only_recorded)
{
	volatile uint8_t *bytes = map(2, RW);
	struct k_mem_partition around = part_over(bytes - 2 * PAGE, 6, K_MEM_PARTITION_P_RO_U_RO);
	struct k_mem_partition gone = part_over(bytes, 2, K_MEM_PARTITION_P_RX_U_RX);
	struct k_mem_partition everything = {PAGE, UINTPTR_MAX - 4 * PAGE + 1, K_MEM_PARTITION_P_RO_U_RO};
	struct k_mem_partition elsewhere = part_of(BASE, PAGE);

	ck_assert_int_eq(k_mem_domain_add_partition(&k_mem_domain_default, &elsewhere), 0);
	ck_assert_int_eq(k_mem_domain_add_partition(&k_mem_domain_default, &around), 0); /* guard pages, too */
	check_flags(bytes, 2, 0);
	ck_assert_int_eq(status_of(bytes - 1).state, KMEM_PAGE_STATE_GUARD);
	ck_assert_int_eq(status_of(bytes + 2 * PAGE).state, KMEM_PAGE_STATE_GUARD);
	k_mem_unmap((void *)bytes, 2 * PAGE);
	ck_assert_int_eq(k_mem_domain_remove_partition(&k_mem_domain_default, &around), 0);
	ck_assert_int_eq(k_mem_domain_add_partition(&k_mem_domain_default, &gone), 0);
	ck_assert_ptr_eq((void *)map(2, RW), (void *)bytes); /* mapped later: not affected */
	check_flags(bytes, 2, RW);
	ck_assert_int_eq(k_mem_domain_remove_partition(&k_mem_domain_default, &gone), 0);
	check_flags(bytes, 2, RW);
	ck_assert_int_eq(k_mem_domain_remove_partition(&k_mem_domain_default, &elsewhere), 0);
	ck_assert_int_eq(k_mem_domain_add_partition(&domain, &everything), 0);
	enter(&domain, &member);
	check_flags(bytes, 2, 0);
	kmem_domain_thread_exit(&member);
	check_flags(bytes, 2, RW);
}
END_TEST

START_TEST(pages_may_be_out_meanwhile)
{
	volatile uint8_t *bytes = map(2, RW);
	struct k_mem_partition part = part_over(bytes, 2, K_MEM_PARTITION_P_RO_U_RO);

	check_writable(bytes, 1);
	check_writable(bytes + PAGE, 2);
	ck_assert_int_eq(k_mem_page_out((void *)bytes, PAGE), 0);
	ck_assert_int_eq(k_mem_domain_add_partition(&k_mem_domain_default, &part), 0);
	ck_assert_int_eq(status_of(bytes).state, KMEM_PAGE_STATE_OUT);
	ck_assert_int_eq(k_mem_page_out((void *)(bytes + PAGE), PAGE), 0);
	ck_assert_uint_eq(bytes[0], 1);
	ck_assert_uint_eq(bytes[PAGE], 2);
	expect_read_only(bytes);
	expect_read_only(bytes + PAGE);
	ck_assert_int_eq(k_mem_page_out((void *)bytes, 2 * PAGE), 0);
	ck_assert_int_eq(k_mem_domain_remove_partition(&k_mem_domain_default, &part), 0);
	ck_assert_uint_eq(bytes[0], 1);
	check_writable(bytes, 3);
	check_writable(bytes + PAGE, 4);
}
END_TEST

START_TEST(without_a_machine_everything_is_only_recorded)
{
	struct k_mem_partition part = part_of(BASE, PAGE);

	ck_assert_int_eq(k_mem_domain_init(&domain, 0, NULL), 0);
	enter(&domain, &member);
	ck_assert_int_eq(k_mem_domain_add_partition(&domain, &part), 0);
	ck_assert(!kmem_is_booted());
	kmem_domain_thread_exit(&member);
	ck_assert_int_eq(k_mem_domain_deinit(&domain), 0);
}
END_TEST

/* Partitions made of variables; domain_unit.c has some, too. */

K_APPMEM_PARTITION_DEFINE(domain_part);
K_APPMEM_PARTITION_DEFINE(domain_empty_part);

K_APP_DMEM(domain_part) static int initialised = 7;
static K_APP_BMEM(domain_part) int zeroed[10];
static int before_it = 1;
static int foreign_bss;

static bool is_in(const struct k_mem_partition *part, const void *object, size_t size)
{
	return (uintptr_t)object >= part->start && (uintptr_t)object + size <= part->start + part->size;
}

static bool shares_a_page(const struct k_mem_partition *part, const void *object, size_t size)
{
	return (uintptr_t)object + size > part->start / PAGE * PAGE &&
	       (uintptr_t)object < (part->start + part->size + PAGE - 1) / PAGE * PAGE;
}

START_TEST(variables_are_in_their_partition)
{
	ck_assert_int_eq(initialised, 7);
	ck_assert_int_eq(zeroed[9], 0);
	ck_assert_int_eq(domain_unit_initialised, 8);
	ck_assert_uint_eq(domain_part.start % PAGE, 0);
	ck_assert_uint_eq(domain_part.size % PAGE, 0);
	ck_assert_uint_eq(domain_part.attr, K_MEM_PARTITION_P_RW_U_RW);
	ck_assert(is_in(&domain_part, &initialised, sizeof(initialised)));
	ck_assert(is_in(&domain_part, zeroed, sizeof(zeroed)));
	ck_assert(is_in(&domain_part, &domain_unit_initialised, sizeof(domain_unit_initialised)));
	ck_assert(is_in(&domain_part, domain_unit_zeroed, sizeof(domain_unit_zeroed)));
	ck_assert(is_in(&domain_unit_part, &domain_unit_own, sizeof(domain_unit_own)));
	ck_assert_uint_gt(domain_empty_part.size, 0);
	ck_assert_uint_eq(domain_empty_part.size % PAGE, 0);
}
END_TEST

START_TEST(nothing_else_is_in_a_page_of_a_partition)
{
	const struct k_mem_partition *parts[] = {&domain_part, &domain_empty_part, &domain_unit_part};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		ck_assert(!shares_a_page(parts[i], &before_it, sizeof(before_it)));
		ck_assert(!shares_a_page(parts[i], &foreign_bss, sizeof(foreign_bss)));
		ck_assert(!shares_a_page(parts[i], &domain_unit_foreign_data, sizeof(domain_unit_foreign_data)));
		ck_assert(!shares_a_page(parts[i], &domain_unit_foreign_bss, sizeof(domain_unit_foreign_bss)));
		ck_assert(!shares_a_page(parts[i], &domain_unit_foreign_section, sizeof(domain_unit_foreign_section)));
		ck_assert(!shares_a_page(parts[i], &domain_part, sizeof(domain_part)));
		for (size_t k = 0; k < i; k++) {
			ck_assert(!shares_a_page(parts[i], (const void *)parts[k]->start, parts[k]->size));
		}
	}
}
END_TEST

START_TEST(partitions_of_variables_go_into_a_domain)
{
	struct k_mem_partition *parts[] = {&domain_part, &domain_empty_part, &domain_unit_part, &z_libc_partition,
					   &z_malloc_partition, &k_log_partition};

	ck_assert_int_eq(k_mem_domain_init(&domain, 6, parts), 0);
	enter(&domain, &member);
	initialised++;
	domain_unit_zeroed[0]++;
	kmem_domain_thread_exit(&member);
}
END_TEST

K_MEM_PARTITION_DEFINE(defined_part, zeroed, PAGE, K_MEM_PARTITION_P_RO_U_RO);

START_TEST(partition_definition_takes_what_it_is_given)
{
	K_MEM_PARTITION_DEFINE(local_part, BASE, sizeof(char[2 * PAGE]), K_MEM_PARTITION_P_RW_U_NA);

	ck_assert_uint_eq(defined_part.start, (uintptr_t)zeroed);
	ck_assert_uint_eq(defined_part.size, PAGE);
	ck_assert_uint_eq(defined_part.attr, K_MEM_PARTITION_P_RO_U_RO);
	ck_assert_uint_eq(local_part.start, BASE);
	ck_assert_uint_eq(local_part.size, 2 * PAGE);
}
END_TEST

Suite *kmem_test_suite(void)
{
	Suite *suite = suite_create("domain");
	TCase *results = tcase_create("results");
	TCase *threads = tcase_create("threads");
	TCase *applied = tcase_create("applied");
	TCase *unbooted = tcase_create("unbooted");

	tcase_add_checked_fixture(results, setup, teardown);
	tcase_add_test(results, init_makes_an_empty_domain);
	tcase_add_test(results, init_copies_partitions);
	tcase_add_test(results, init_refuses_bad_arguments);
	tcase_add_test(results, init_stops_at_an_invalid_partition);
	tcase_add_test(results, add_refuses_bad_arguments);
	tcase_add_test(results, add_refuses_overlap_and_allows_neighbours);
	tcase_add_test(results, full_domain_has_no_space);
	tcase_add_test(results, capacity_is_the_programs_affair);
	tcase_add_test(results, write_and_execute_is_allowed_unless_configured);
	tcase_add_test(results, remove_finds_by_start_and_size_alone);
	tcase_add_test(results, overlap_is_found_in_slots_behind_a_free_one);
	tcase_add_test(results, attributes_differ);
	suite_add_tcase(suite, results);

	tcase_add_checked_fixture(threads, setup, teardown);
	tcase_add_test(threads, threads_are_in_the_default_domain_or_in_their_parents);
	tcase_add_test(threads, thread_of_an_unknown_parent_is_in_the_default_domain);
	tcase_add_test(threads, add_thread_moves_between_domains);
	tcase_add_test(threads, dead_threads_are_in_no_domain);
	tcase_add_test(threads, deinit_needs_a_domain_without_threads);
	tcase_add_test(threads, partitions_of_a_thread_can_be_inherited);
	tcase_add_test(threads, inheritance_is_all_or_nothing);
	suite_add_tcase(suite, threads);

	tcase_add_checked_fixture(applied, setup, teardown);
	tcase_add_loop_test(applied, attribute_is_what_pages_become, 0, ATTRIBUTES);
	tcase_add_test(applied, user_and_cache_flags_of_pages_stay);
	tcase_add_test(applied, partition_works_while_its_domain_has_threads);
	tcase_add_test(applied, default_domain_works_at_once);
	if (!harness_on_valgrind()) {
		tcase_add_test(applied, write_to_a_read_only_partition_is_fatal);
	}
	tcase_add_test(applied, initialised_again_a_domain_leaves_nothing_behind);
	tcase_add_test(applied, inherited_partitions_work_too);
	tcase_add_loop_test(applied, newest_partition_wins, 0, 2);
	tcase_add_loop_test(applied, layers_may_go_in_any_order, 0, 6);
	tcase_add_test(applied, moving_to_a_domain_with_the_same_memory_is_seamless);
	tcase_add_test(applied, pages_get_back_what_each_of_them_had);
	tcase_add_test(applied, what_the_program_changes_meanwhile_stays);
	tcase_add_test(applied, unmapped_memory_is_only_recorded);
	tcase_add_test(applied, pages_may_be_out_meanwhile);
	suite_add_tcase(suite, applied);

	tcase_add_checked_fixture(unbooted, setup_unbooted, NULL);
	tcase_add_test(unbooted, without_a_machine_everything_is_only_recorded);
	tcase_add_test(unbooted, variables_are_in_their_partition);
	tcase_add_test(unbooted, nothing_else_is_in_a_page_of_a_partition);
	tcase_add_test(unbooted, partitions_of_variables_go_into_a_domain);
	tcase_add_test(unbooted, partition_definition_takes_what_it_is_given);
	suite_add_tcase(suite, unbooted);
	return suite;
}
