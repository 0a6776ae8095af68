/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CONFIG_USERSPACE: the partition of the tests' variables, which is in the default domain, and tests as user threads.
 */
#ifndef CONFIG_USERSPACE
#define CONFIG_USERSPACE 1
#endif

#include <zephyr/ztest.h>

ZTEST_BMEM static int zeroed;
static ZTEST_DMEM int initialised = 1;
static int outside;

static void user_before(void *data)
{
	ARG_UNUSED(data);
	zassert_equal(k_current_get()->base.user_options & K_USER, 0);
}

static bool is_in_partition(const void *variable)
{
	uintptr_t at = (uintptr_t)variable;

	return at >= ztest_mem_partition.start && at - ztest_mem_partition.start < ztest_mem_partition.size;
}

ZTEST(user, test_partition)
{
	struct k_mem_domain *domain = &k_mem_domain_default;
	bool is_found = false;

	for (size_t i = 0; i < ARRAY_SIZE(domain->partitions); i++) {
		is_found = is_found || domain->partitions[i].start == ztest_mem_partition.start;
	}
	zassert_true(is_found, "the default domain has no ztest_mem_partition");
	zassert_true(is_in_partition(&zeroed));
	zassert_true(is_in_partition(&initialised));
	zassert_false(is_in_partition(&outside));
	zassert_equal(zeroed, 0);
	zassert_equal(initialised, 1);
	zeroed = 1;
}

ZTEST_USER(user, test_thread)
{
	zassert_not_equal(k_current_get()->base.user_options & K_USER, 0);
}

ZTEST_SUITE(user, NULL, NULL, user_before, user_before, NULL);
