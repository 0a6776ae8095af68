/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verdicts from a fatal error handler of the program's own, and what becomes of a test whose handler returns.
 */
#include <zephyr/kernel/mm.h>
#include <zephyr/ztest.h>

static void (*in_handler)(void);

void k_sys_fatal_error_handler(unsigned int reason, const struct arch_esf *esf)
{
	ARG_UNUSED(esf);
	TC_PRINT("reason %u\n", reason);
	if (in_handler != NULL) {
		in_handler();
		TC_PRINT("not reached\n");
	}
}

static void page_guard_touch(void)
{
	volatile uint8_t *page = k_mem_map(CONFIG_MMU_PAGE_SIZE, K_MEM_PERM_RW);

	zassert_not_null((void *)page);
	page[CONFIG_MMU_PAGE_SIZE] = 1;
	TC_PRINT("not reached\n");
}

static void assert_false(void)
{
	zassert_true(false, "in the handler");
}

static void handler_before(void *data)
{
	ARG_UNUSED(data);
	in_handler = NULL;
}

ZTEST(handler, test_assert)
{
	in_handler = assert_false;
	page_guard_touch();
}

ZTEST(handler, test_oops)
{
	in_handler = ztest_test_pass;
	k_oops();
}

ZTEST(handler, test_pass)
{
	in_handler = ztest_test_pass;
	page_guard_touch();
}

/* Signals are as before: the next fault comes, too. */
ZTEST(handler, test_pass_again)
{
	in_handler = ztest_test_pass;
	page_guard_touch();
}

ZTEST(handler, test_skip)
{
	in_handler = ztest_test_skip;
	page_guard_touch();
}

ZTEST_SUITE(handler, NULL, NULL, handler_before, NULL, NULL);

static void *setup_faults(void)
{
	in_handler = ztest_test_skip;
	page_guard_touch();
	return NULL;
}

ZTEST(handler_in_setup, test_1)
{
	TC_PRINT("not reached\n");
}

ZTEST_SUITE(handler_in_setup, NULL, setup_faults, NULL, NULL, NULL);

ZTEST(returning, test_announced)
{
	ztest_set_fault_valid(true);
	page_guard_touch();
}

ZTEST(returning, test_unannounced)
{
	page_guard_touch();
}

ZTEST_SUITE(returning, NULL, NULL, handler_before, NULL, NULL);
