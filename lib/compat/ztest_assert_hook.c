/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a failed __ASSERT() ends in, for programs with CONFIG_ZTEST_ASSERT_HOOK. (Zephyr: ztest_error_hook.c)
 */
#include "ztest_internal.h"

#include <zephyr/kernel.h>
#include <zephyr/sys/printk.h>
#include <zephyr/ztest_error_hook.h>

__attribute__((weak)) void ztest_post_assert_fail_hook(void)
{
	ztest_test_pass();
}

void kmem_ztest_assert_failed(void)
{
	if (!kmem_ztest_assert_take()) {
		printk("ztest: the failed assertion was not announced\n");
		k_panic();
	}
	printk("ztest: the failed assertion was announced\n");
	ztest_post_assert_fail_hook();
}
