/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ztest's handler of fatal errors, for programs with CONFIG_ZTEST_FATAL_HOOK. (Zephyr: ztest_error_hook.c)
 *
 * Alone in its archive member, which comes into a program through kmem_ztest_fatal_hook; weak all the same, so that a
 * program's own handler is no clash.
 */
#include "ztest_internal.h"

#include <zephyr/fatal.h>
#include <zephyr/sys/printk.h>
#include <zephyr/ztest_error_hook.h>

const char kmem_ztest_fatal_hook;

__attribute__((weak)) void ztest_post_fatal_error_hook(unsigned int reason, const struct arch_esf *pEsf)
{
	(void)reason;
	(void)pEsf;
}

__attribute__((weak)) void k_sys_fatal_error_handler(unsigned int reason, const struct arch_esf *esf)
{
	if (!kmem_ztest_fault_take()) {
		printk("ztest: fatal error %u was not announced\n", reason);
		k_fatal_halt(reason);
	}
	printk("ztest: fatal error %u was announced\n", reason);
	ztest_post_fatal_error_hook(reason, esf);
}
