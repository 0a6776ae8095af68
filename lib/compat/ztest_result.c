/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verdict on the current test, and everything that a test may call to give one. (Zephyr: ztest.c)
 *
 * Whoever gives a verdict ends with it: the test's thread and other k_threads are aborted, a function on the runner's
 * thread is left by longjmp. The runner aborts the test's thread when another one gave the verdict; the giver does not,
 * since the runner might have gone on to the next test by then. An emulated interrupt handler goes on: it is no thread.
 *
 * Atomics only, and no memory but the stack: all of this runs in fatal error handlers too.
 */
#include "ztest_internal.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <kmem/irq.h>
#include <zephyr/sys/printk.h>
#include <zephyr/ztest_assert.h>
#include <zephyr/ztest_error_hook.h>

/* The reason's states. Who is aborted while writing it leaves it unread. */
enum {
	TEXT_NONE,
	TEXT_BEING_WRITTEN,
	TEXT_WRITTEN,
};

static struct {
	atomic_int verdict;
	atomic_bool has_failed; /* by a check that goes on, or behind the test */
	atomic_bool abort_wanted;
	atomic_bool fault_valid;     /* the next fatal error is announced */
	atomic_bool fault_was_valid; /* one has come that was */
	atomic_bool assert_valid;
	atomic_int phase;
	atomic_int text_state;
	char text[KMEM_ZTEST_MESSAGE_SIZE];
} current = {.phase = TEST_PHASE_FRAMEWORK};

/* Where a verdict on the runner's thread goes to, while it calls the program. */
static _Thread_local jmp_buf *runner_exit;

void kmem_ztest_verdict_reset(void)
{
	atomic_store(&current.verdict, KMEM_ZTEST_NONE);
	atomic_store(&current.has_failed, false);
	atomic_store(&current.abort_wanted, false);
	atomic_store(&current.fault_valid, false);
	atomic_store(&current.fault_was_valid, false);
	atomic_store(&current.text_state, TEXT_NONE);
}

/* Keep the first reason that is given. */
static void text_keep(const char *text)
{
	int none = TEXT_NONE;

	if (text == NULL || !atomic_compare_exchange_strong(&current.text_state, &none, TEXT_BEING_WRITTEN)) {
		return;
	}
	snprintf(current.text, sizeof(current.text), "%s", text);
	atomic_store(&current.text_state, TEXT_WRITTEN);
}

const char *kmem_ztest_verdict_text(void)
{
	return atomic_load(&current.text_state) == TEXT_WRITTEN ? current.text : NULL;
}

void kmem_ztest_verdict_give(enum kmem_ztest_verdict verdict, const char *text)
{
	int none = KMEM_ZTEST_NONE;

	if (atomic_compare_exchange_strong(&current.verdict, &none, verdict)) {
		text_keep(text);
	} else if (verdict == KMEM_ZTEST_FAIL && kmem_ztest_phase_get() == TEST_PHASE_AFTER) {
		text_keep(text);
		atomic_store(&current.has_failed, true);
	}
}

enum kmem_ztest_verdict kmem_ztest_verdict_get(void)
{
	return atomic_load(&current.has_failed) ? KMEM_ZTEST_FAIL
						: (enum kmem_ztest_verdict)atomic_load(&current.verdict);
}

void kmem_ztest_phase_set(enum ztest_phase phase)
{
	atomic_store(&current.phase, phase);
}

enum ztest_phase kmem_ztest_phase_get(void)
{
	return (enum ztest_phase)atomic_load(&current.phase);
}

bool kmem_ztest_call(void (*function)(void *argument), void *argument)
{
	jmp_buf here;

	if (_setjmp(here) != 0) {
		runner_exit = NULL;
		(void)kmem_irq_release_all();
		return false;
	}
	runner_exit = &here;
	function(argument);
	runner_exit = NULL;
	return true;
}

bool kmem_ztest_abort_is_wanted(void)
{
	return atomic_load(&current.abort_wanted);
}

bool kmem_ztest_phase_change(enum ztest_phase from, int to)
{
	int expected = from;

	return atomic_compare_exchange_strong(&current.phase, &expected, to);
}

bool kmem_ztest_fault_take(void)
{
	if (!atomic_exchange(&current.fault_valid, false)) {
		return false;
	}
	atomic_store(&current.fault_was_valid, true);
	return true;
}

bool kmem_ztest_fault_was_valid(void)
{
	return atomic_load(&current.fault_valid) || atomic_load(&current.fault_was_valid);
}

/* The end of the caller, as far as it has one. */
static void leave(void)
{
	if (kmem_isr_is_in()) {
		atomic_store(&current.abort_wanted, true);
		return;
	}
	if (runner_exit != NULL) {
		_longjmp(*runner_exit, 1);
	}
	if (k_current_get() == &z_main_thread) {
		kmem_ztest_bail_out("a verdict was given on the main thread, outside of any test");
	}
	if (k_current_get() != kmem_ztest_thread_get()) {
		atomic_store(&current.abort_wanted, true);
	}
	k_thread_abort(k_current_get());
	pthread_exit(NULL);
}

static void verdict_end(enum kmem_ztest_verdict verdict, const char *text)
{
	if (kmem_ztest_phase_get() == TEST_PHASE_FRAMEWORK && verdict == KMEM_ZTEST_FAIL) {
		kmem_ztest_say("a check failed while no test was running\n");
		kmem_ztest_report_error();
	}
	kmem_ztest_verdict_give(verdict, text);
	leave();
}

void ztest_test_fail(void)
{
	verdict_end(KMEM_ZTEST_FAIL, "ztest_test_fail() was called");
}

void ztest_test_pass(void)
{
	verdict_end(KMEM_ZTEST_PASS, NULL);
}

void ztest_test_skip(void)
{
	verdict_end(KMEM_ZTEST_SKIP, NULL);
}

void ztest_skip_failed_assumption(void)
{
	verdict_end(KMEM_ZTEST_SKIP, "an assumption does not hold");
}

void ztest_test_expect_fail(void)
{
	atomic_store(&current.has_failed, true);
}

void kmem_ztest_failed(enum kmem_ztest_check check, const char *file, int line, const char *function,
		       const char *condition, ...)
{
	static const char *const what[] = {
		[KMEM_ZTEST_ASSERT] = "assertion failed",
		[KMEM_ZTEST_ASSUME] = "assumption does not hold",
		[KMEM_ZTEST_EXPECT] = "expectation failed",
	};
	char message[KMEM_ZTEST_MESSAGE_SIZE / 2] = "";
	char text[KMEM_ZTEST_MESSAGE_SIZE];
	va_list arguments;

	va_start(arguments, condition);
	const char *format = va_arg(arguments, const char *);

	if (format != NULL) {
		vsnprintk(message, sizeof(message), format, arguments);
	}
	va_end(arguments);

	/* Messages bring their newline, or do not. */
	size_t length = strlen(message);

	while (length > 0 && message[length - 1] == '\n') {
		message[--length] = '\0';
	}

	snprintf(text, sizeof(text), "%s:%d: %s: %s%s%s", file, line, what[check], condition, length > 0 ? ": " : "",
		 message);
	kmem_ztest_say("\n%s    %s:%d: %s in %s(): %s\n%s%s%s%s", kmem_ztest_comment(), file, line, what[check],
		       function, condition, length > 0 ? kmem_ztest_comment() : "", length > 0 ? "    " : "", message,
		       length > 0 ? "\n" : "");

	switch (check) {
	case KMEM_ZTEST_EXPECT:
		text_keep(text);
		ztest_test_expect_fail();
		break;
	case KMEM_ZTEST_ASSUME:
		verdict_end(KMEM_ZTEST_SKIP, text);
		break;
	default:
		verdict_end(KMEM_ZTEST_FAIL, text);
		break;
	}
}

void ztest_set_fault_valid(bool valid)
{
	atomic_store(&current.fault_valid, valid);
}

void ztest_set_assert_valid(bool valid)
{
	atomic_store(&current.assert_valid, valid);
}

bool kmem_ztest_assert_take(void)
{
	return atomic_exchange(&current.assert_valid, false);
}

void ztest_simple_1cpu_before(void *data)
{
	(void)data;
}

void ztest_simple_1cpu_after(void *data)
{
	(void)data;
}
