/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Expected fatal errors: a k_sys_fatal_error_handler() that records what it was told and leaves by a jump. A program
 * that uses anything of this header has this handler, and defines none of its own.
 */
#ifndef KMEM_TESTS_EXPECT_H
#define KMEM_TESTS_EXPECT_H

#include <check.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <kmem/fatal.h>

/* What the handler was told, in which thread, with which signals blocked. It leaves by `target` where that is armed. */
struct expect_fatal {
	_Atomic int calls;
	unsigned int reason;
	struct arch_esf esf; /* its text is the copy below */
	char text[512];
	pthread_t thread;
	sigset_t mask;
	sigjmp_buf target;
	volatile bool is_armed;
};

extern struct expect_fatal fatal;

/* Run what must end in the handler. */
#define EXPECT_FATAL(action)                                                                                           \
	do {                                                                                                           \
		fatal.is_armed = true;                                                                                 \
		if (sigsetjmp(fatal.target, 1) == 0) {                                                                 \
			action;                                                                                        \
			fatal.is_armed = false;                                                                        \
			ck_abort_msg("not fatal: " #action);                                                           \
		}                                                                                                      \
	} while (0)

/* Of a kind, for whatever reason. */
#define EXPECT_KIND(action, expected_kind)                                                                             \
	do {                                                                                                           \
		EXPECT_FATAL(action);                                                                                  \
		ck_assert_int_eq(fatal.esf.kind, expected_kind);                                                       \
	} while (0)

/* A bad access. */
#define EXPECT_TRAP(action, expected_kind, expected_addr)                                                              \
	do {                                                                                                           \
		EXPECT_KIND(action, expected_kind);                                                                    \
		ck_assert_uint_eq(fatal.reason, K_ERR_CPU_EXCEPTION);                                                  \
		ck_assert_uint_eq(fatal.esf.addr, (uintptr_t)(expected_addr));                                         \
	} while (0)

/* A kernel panic whose text has such a part: "" for any text. */
#define EXPECT_PANIC(action, part)                                                                                     \
	do {                                                                                                           \
		EXPECT_KIND(action, KMEM_FAULT_NONE);                                                                  \
		ck_assert_uint_eq(fatal.reason, K_ERR_KERNEL_PANIC);                                                   \
		ck_assert_msg(strstr(fatal.text, part) != NULL, "no \"%s\" in: %s", part, fatal.text);                 \
	} while (0)

/* A byte that can be read and not written. */
void expect_read_only(volatile uint8_t *byte);

#endif /* KMEM_TESTS_EXPECT_H */
