/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Assertions, which exist with CONFIG_ASSERT only. (Zephyr: sys/__assert.h)
 *
 * One that fails prints `ASSERTION FAIL [condition] @ file:line` and, behind a tab, its message, and calls
 * assert_post_action(), which a program may define, and which is a kernel panic by default. CONFIG_ASSERT_LEVEL 0 and
 * CONFIG_FORCE_NO_ASSERT turn them off again. Without them, conditions and messages are not even compiled: they may use
 * what exists with assertions only. CONFIG_ASSERT_NO_FILE_INFO, _NO_COND_INFO and _NO_MSG_INFO leave out parts of the
 * message.
 */
#ifndef ZEPHYR_INCLUDE_SYS___ASSERT_H_
#define ZEPHYR_INCLUDE_SYS___ASSERT_H_

#include <kmem/kconfig.h>

#pragma GCC system_header

#include <stdbool.h>

#include <zephyr/sys/printk.h>
#include <zephyr/toolchain.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/** What a failed assertion ends in: weak, a program may define its own, which may return. */
#ifdef CONFIG_ASSERT_NO_FILE_INFO
void assert_post_action(void);
#else
void assert_post_action(const char *file, unsigned int line);
#endif

/** Print a part of an assertion's message: weak. */
void assert_print(const char *fmt, ...);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#if defined(CONFIG_ASSERT) && !defined(CONFIG_FORCE_NO_ASSERT)
#ifdef CONFIG_ASSERT_LEVEL
#define __ASSERT_ON CONFIG_ASSERT_LEVEL
#else
#define __ASSERT_ON 2
#endif
#else
#define __ASSERT_ON 0
#endif

#ifdef CONFIG_ASSERT_NO_FILE_INFO
#define __ASSERT_FILE_INFO ""
#define __ASSERT_POST_ACTION() assert_post_action()
#else
#define __ASSERT_FILE_INFO __FILE__
#define __ASSERT_POST_ACTION() assert_post_action(__FILE__, __LINE__)
#endif

#ifdef CONFIG_ASSERT_NO_COND_INFO
#define __ASSERT_STRINGIFY(x) ""
#else
#define __ASSERT_STRINGIFY(x) #x
#endif

#define __ASSERT_PRINT(...) assert_print(__VA_ARGS__)

#ifdef CONFIG_ASSERT_NO_MSG_INFO
#define __ASSERT_MSG_INFO(...) ((void)0)
#else
#define __ASSERT_MSG_INFO(...) KMEM_ASSERT_MESSAGE(__VA_ARGS__)
#define KMEM_ASSERT_MESSAGE(fmt, ...) __ASSERT_PRINT("\t" fmt "\n", ##__VA_ARGS__)
#endif

/* The first line of the message. The condition is no part of the format: it may have a % in it. */
#define __ASSERT_LOC(test)                                                                                             \
	__ASSERT_PRINT("ASSERTION FAIL [%s] @ %s:%d\n", __ASSERT_STRINGIFY(test), __ASSERT_FILE_INFO, __LINE__)

#if __ASSERT_ON

#define __ASSERT_NO_MSG(test)                                                                                          \
	do {                                                                                                           \
		if (!(test)) {                                                                                         \
			__ASSERT_LOC(test);                                                                            \
			__ASSERT_POST_ACTION();                                                                        \
		}                                                                                                      \
	} while (false)

#define __ASSERT(test, ...)                                                                                            \
	do {                                                                                                           \
		if (!(test)) {                                                                                         \
			__ASSERT_LOC(test);                                                                            \
			__ASSERT_MSG_INFO(__VA_ARGS__);                                                                \
			__ASSERT_POST_ACTION();                                                                        \
		}                                                                                                      \
	} while (false)

/** The second expression, and an assertion about it; without assertions, the first. */
#define __ASSERT_EVAL(expr1, expr2, test, ...)                                                                         \
	do {                                                                                                           \
		expr2;                                                                                                 \
		__ASSERT(test, __VA_ARGS__);                                                                           \
	} while (false)

#define __ASSERT_UNREACHABLE __ASSERT(false, "Reached unreachable code")

#else

#define __ASSERT_NO_MSG(test)                                                                                          \
	do {                                                                                                           \
	} while (false)
#define __ASSERT(test, ...)                                                                                            \
	do {                                                                                                           \
	} while (false)
#define __ASSERT_EVAL(expr1, expr2, test, ...) expr1
#define __ASSERT_UNREACHABLE CODE_UNREACHABLE

#endif

#endif /* ZEPHYR_INCLUDE_SYS___ASSERT_H_ */
