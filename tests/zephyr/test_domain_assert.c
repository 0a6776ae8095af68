/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory domains of another configuration: three partitions at most, never writable and executable, and errors are
 * assertions.
 */
#define CONFIG_USERSPACE 1
#define CONFIG_MAX_DOMAIN_PARTITIONS 3
#define CONFIG_EXECUTE_XOR_WRITE 1
#define CONFIG_ASSERT 1
#define CONFIG_ASSERT_ON_ERRORS 1
#define KMEM_KCONFIG_NO_RECORD

#include <errno.h>

#include <zephyr/app_memory/mem_domain.h>

#include "../harness.h"

#define PAGE 4096UL
#define BASE 0x40000000UL

static struct k_mem_domain domain;
static unsigned int assertions;

/* An assertion that is let go on. */
void assert_post_action(const char *file, unsigned int line)
{
	(void)file;
	(void)line;
	assertions++;
}

static void setup(void)
{
	assertions = 0;
	ck_assert_int_eq(k_mem_domain_init(&domain, 0, NULL), 0);
}

static void teardown(void)
{
	ck_assert_int_eq(k_mem_domain_deinit(&domain), 0);
	ck_assert_uint_eq(assertions, 0);
}

static int add(uintptr_t start, size_t size, k_mem_partition_attr_t attr)
{
	struct k_mem_partition part = {start, size, attr};

	return k_mem_domain_add_partition(&domain, &part);
}

/* A result, and one assertion. */
static void check_asserts(int ret, int expected)
{
	ck_assert_int_eq(ret, expected);
	ck_assert_uint_eq(assertions, 1);
	assertions = 0;
}

START_TEST(domain_has_as_many_partitions_as_configured)
{
	struct k_mem_partition first = {BASE, PAGE, K_MEM_PARTITION_P_RW_U_RW};

	ck_assert_int_eq(arch_mem_domain_max_partitions_get(), 3);
	ck_assert_uint_eq(sizeof(domain.partitions), 3 * sizeof(struct k_mem_partition));
	for (size_t i = 0; i < 3; i++) {
		ck_assert_int_eq(add(BASE + i * PAGE, PAGE, K_MEM_PARTITION_P_RW_U_RW), 0);
	}
	check_asserts(add(BASE + 3 * PAGE, PAGE, K_MEM_PARTITION_P_RW_U_RW), -ENOSPC);
	ck_assert_int_eq(k_mem_domain_remove_partition(&domain, &first), 0);
	check_asserts(k_mem_domain_remove_partition(&domain, &first), -ENOENT);
	ck_assert_int_eq(add(BASE + 3 * PAGE, PAGE, K_MEM_PARTITION_P_RW_U_RW), 0);
	ck_assert_uint_eq(domain.num_partitions, 3);
}
END_TEST

START_TEST(default_domain_is_of_the_same_size)
{
	struct k_mem_partition parts[4];
	struct k_thread thread = {.mem_domain_info = {.mem_domain = NULL}};

	ck_assert_uint_eq(kmem_domain_default.max, 3);
	ck_assert_ptr_eq(kmem_domain_default.domain, &k_mem_domain_default);
	for (size_t i = 0; i < 4; i++) {
		parts[i] = (struct k_mem_partition){BASE + i * PAGE, PAGE, K_MEM_PARTITION_P_RW_U_RW};
	}
	for (size_t i = 0; i < 3; i++) {
		ck_assert_int_eq(k_mem_domain_add_partition(&k_mem_domain_default, &parts[i]), 0);
	}
	check_asserts(k_mem_domain_add_partition(&k_mem_domain_default, &parts[3]), -ENOSPC);
	kmem_domain_thread_init(&thread, NULL);
	ck_assert_int_eq(k_mem_domain_inherit_thread_partitions(&domain, &thread), 0);
	ck_assert_uint_eq(domain.num_partitions, 3);
	kmem_domain_thread_exit(&thread);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_int_eq(k_mem_domain_remove_partition(&k_mem_domain_default, &parts[i]), 0);
	}
}
END_TEST

START_TEST(nothing_is_writable_and_executable)
{
	check_asserts(add(BASE, PAGE, K_MEM_PARTITION_P_RWX_U_RWX), -EINVAL);
	check_asserts(add(BASE, PAGE, K_MEM_PARTITION_P_RWX_U_RX), -EINVAL);
	check_asserts(add(BASE, PAGE, K_MEM_PARTITION_P_RWX_U_NA), -EINVAL);
	ck_assert_int_eq(add(BASE, PAGE, K_MEM_PARTITION_P_RX_U_RX), 0);
	ck_assert_int_eq(add(BASE + PAGE, PAGE, K_MEM_PARTITION_P_RW_U_RW), 0);
	ck_assert_uint_eq(domain.num_partitions, 2);
}
END_TEST

START_TEST(errors_are_assertions)
{
	struct k_mem_partition part = {BASE, PAGE, K_MEM_PARTITION_P_RW_U_RW};
	struct k_mem_partition *parts[] = {&part, &part};

	check_asserts(k_mem_domain_init(NULL, 0, NULL), -EINVAL);
	check_asserts(k_mem_domain_init(&domain, 1, NULL), -EINVAL);
	check_asserts(k_mem_domain_init(&domain, 4, parts), -EINVAL);
	check_asserts(k_mem_domain_init(&domain, 2, parts), -EINVAL);
	ck_assert_uint_eq(domain.num_partitions, 1);
	check_asserts(k_mem_domain_deinit(NULL), -EINVAL);
	check_asserts(add(BASE, PAGE, K_MEM_PARTITION_P_RW_U_RW), -EINVAL);
	check_asserts(k_mem_domain_add_thread(&domain, NULL), -EINVAL);
	check_asserts(k_mem_domain_inherit_thread_partitions(&domain, NULL), -EINVAL);
	ck_assert_int_eq(k_mem_domain_deinit(&k_mem_domain_default), -EBUSY);
}
END_TEST

START_TEST(partitions_are_whole_pages)
{
	check_asserts(add(BASE + 1, PAGE, K_MEM_PARTITION_P_RW_U_RW), -EINVAL);
	check_asserts(add(BASE, PAGE / 2, K_MEM_PARTITION_P_RW_U_RW), -EINVAL);
	ck_assert_uint_eq(domain.num_partitions, 0);
}
END_TEST

Suite *kmem_test_suite(void)
{
	Suite *suite = suite_create("domain_assert");
	TCase *all = tcase_create("all");

	tcase_add_checked_fixture(all, setup, teardown);
	tcase_add_test(all, domain_has_as_many_partitions_as_configured);
	tcase_add_test(all, default_domain_is_of_the_same_size);
	tcase_add_test(all, nothing_is_writable_and_executable);
	tcase_add_test(all, errors_are_assertions);
	tcase_add_test(all, partitions_are_whole_pages);
	suite_add_tcase(suite, all);
	return suite;
}
