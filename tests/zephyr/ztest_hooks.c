/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fatal errors and failed assertions that tests announce to ztest's own hooks; and, by name, those that they do not.
 */
#ifndef CONFIG_ASSERT
#define CONFIG_ASSERT 1
#endif
#define CONFIG_ZTEST_FATAL_HOOK 1
#define CONFIG_ZTEST_ASSERT_HOOK 1

#include <zephyr/kernel/mm.h>
#include <zephyr/ztest.h>
#include <zephyr/ztest_error_hook.h>

#define TEST_STACK_SIZE 512

static int fatal_reason;
static int asserts_seen;
static bool pass_in_hook;

void ztest_post_fatal_error_hook(unsigned int reason, const struct arch_esf *pEsf)
{
	ARG_UNUSED(pEsf);
	fatal_reason = (int)reason;
	if (pass_in_hook) {
		pass_in_hook = false;
		ztest_test_pass();
	}
}

void ztest_post_assert_fail_hook(void)
{
	asserts_seen++;
}

static void page_guard_touch(void)
{
	volatile uint8_t *page = k_mem_map(CONFIG_MMU_PAGE_SIZE, K_MEM_PERM_RW);

	zassert_not_null((void *)page);
	page[CONFIG_MMU_PAGE_SIZE] = 1;
}

static void hooks_before(void *data)
{
	ARG_UNUSED(data);
	fatal_reason = -1;
	asserts_seen = 0;
}

static void hooks_after(void *data)
{
	ARG_UNUSED(data);
	TC_PRINT("reason %d, %d asserts\n", fatal_reason, asserts_seen);
}

ZTEST(hooks, test_access_announced)
{
	ztest_set_fault_valid(true);
	page_guard_touch();
	zassert_unreachable();
}

ZTEST(hooks, test_access_passes_in_hook)
{
	pass_in_hook = true;
	ztest_set_fault_valid(true);
	page_guard_touch();
	zassert_unreachable();
}

ZTEST(hooks, test_assert_announced)
{
	ztest_set_assert_valid(true);
	__ASSERT(1 + 1 == 3, "sum is %d", 2);
	zassert_equal(asserts_seen, 1);
}

static struct k_thread other;
static K_THREAD_STACK_DEFINE(other_stack, TEST_STACK_SIZE);

static void oops(void *p1, void *p2, void *p3)
{
	ARG_UNUSED(p1);
	ARG_UNUSED(p2);
	ARG_UNUSED(p3);
	k_oops();
}

ZTEST(hooks, test_oops_in_another_thread)
{
	ztest_set_fault_valid(true);
	k_thread_create(&other, other_stack, K_THREAD_STACK_SIZEOF(other_stack), oops, NULL, NULL, NULL, 0, 0,
			K_NO_WAIT);
	zassert_ok(k_thread_join(&other, K_SECONDS(5)));
	zassert_equal(fatal_reason, K_ERR_KERNEL_OOPS);
}

ZTEST_SUITE(hooks, NULL, NULL, hooks_before, hooks_after, NULL);

ZTEST(unannounced, test_access)
{
	page_guard_touch();
	TC_PRINT("not reached\n");
}

ZTEST(unannounced, test_assert)
{
	__ASSERT(1 + 1 == 3, "sum is %d", 2);
	TC_PRINT("not reached\n");
}

ZTEST_SUITE(unannounced, NULL, NULL, NULL, NULL, NULL);
