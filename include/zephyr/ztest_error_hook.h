/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests that expect a fatal error or a failed assertion. (Zephyr: ztest_error_hook.h)
 *
 * Under CONFIG_ZTEST_FATAL_HOOK ztest handles fatal errors: one that was announced by ztest_set_fault_valid(true) ends
 * the thread after the hook, another one the process. Under CONFIG_ZTEST_ASSERT_HOOK the same goes for __ASSERT() and
 * ztest_set_assert_valid(); an announced one goes on behind the assertion if the hook returns. Each announcement is for
 * one event. A program's own k_sys_fatal_error_handler() takes precedence.
 *
 * A test whose thread a fatal error ended has passed if the error was announced, and failed otherwise.
 */
#ifndef ZEPHYR_TESTSUITE_ZTEST_ERROR_HOOK_H_
#define ZEPHYR_TESTSUITE_ZTEST_ERROR_HOOK_H_

#include <kmem/kconfig.h>

#pragma GCC system_header

#include <stdbool.h>
#include <zephyr/fatal.h>
#include <zephyr/sys/__assert.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/** Announce a fatal error, or take that back. Context: any. */
void ztest_set_fault_valid(bool valid);

/** Announce a failed assertion, or take that back. Context: any. */
void ztest_set_assert_valid(bool valid);

/** Called in the faulting thread after an announced fatal error. A program may define it; otherwise it does nothing. */
void ztest_post_fatal_error_hook(unsigned int reason, const struct arch_esf *pEsf);

/** Called after an announced assertion has failed. A program may define it; otherwise it ends the test as passed. */
void ztest_post_assert_fail_hook(void);

/* What the hooks below do. */
void kmem_ztest_assert_failed(void);
extern const char kmem_ztest_fatal_hook;

#ifdef CONFIG_ZTEST_FATAL_HOOK
/* This brings ztest's k_sys_fatal_error_handler() into the program. */
__attribute__((used)) static const void *const kmem_ztest_fatal_hook_wanted = &kmem_ztest_fatal_hook;
#endif

#ifdef CONFIG_ZTEST_ASSERT_HOOK
#ifdef CONFIG_ASSERT_NO_FILE_INFO
__attribute__((weak, used)) void assert_post_action(void)
#else
__attribute__((weak, used)) void assert_post_action(const char *file __attribute__((unused)),
						    unsigned int line __attribute__((unused)))
#endif
{
	kmem_ztest_assert_failed();
}
#endif

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* ZEPHYR_TESTSUITE_ZTEST_ERROR_HOOK_H_ */
