/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time in the little kernel: conversions, timeouts, timers, what runs before main(); and atomic variables.
 */
#include <sched.h>
#include <string.h>

#include <zephyr/kernel.h>
#include <zephyr/timing/timing.h>

#include "../harness.h"

#define STACK_SIZE 1024

/* What ran before main(), in this order. */
static char started[64];

static int note(const char *what)
{
	(void)strncat(started, what, sizeof(started) - strlen(started) - 1);
	return 0;
}

static int application_first(void)
{
	return note("G");
}

static int post_kernel_late(void)
{
	return note(k_is_pre_kernel() ? "?" : "F");
}

static int post_kernel_early(void)
{
	void *memory = k_malloc(1);
	bool is_there = memory != NULL;

	k_free(memory);
	return note(is_there ? "E" : "?");
}

static int pre_kernel_2(void)
{
	return note("D");
}

static int pre_kernel_1_second(void)
{
	return note("C");
}

static int pre_kernel_1(void)
{
	return note(k_is_pre_kernel() && kmem_is_booted() ? "B" : "?");
}

static int early(void)
{
	return note("A");
}

SYS_INIT(application_first, APPLICATION, CONFIG_APPLICATION_INIT_PRIORITY);
SYS_INIT(post_kernel_late, POST_KERNEL, 99);
SYS_INIT(post_kernel_early, POST_KERNEL, 0);
SYS_INIT(pre_kernel_2, PRE_KERNEL_2, 1);
SYS_INIT(pre_kernel_1, PRE_KERNEL_1, CONFIG_KERNEL_INIT_PRIORITY_DEFAULT);
SYS_INIT_NAMED(second, pre_kernel_1_second, PRE_KERNEL_1, CONFIG_KERNEL_INIT_PRIORITY_DEFAULT);
SYS_INIT(early, EARLY, 50);

static atomic_t runs;
static char static_thread_saw[64];
static k_tid_t static_thread_self;

static void static_thread(void *p1, void *p2, void *p3)
{
	(void)strcpy(static_thread_saw, started);
	static_thread_self = k_current_get();
	atomic_set(&runs, (long)((intptr_t)p1 + (intptr_t)p2 + (intptr_t)p3));
}

K_THREAD_DEFINE(defined, STACK_SIZE, static_thread, 1, 2, 3, K_PRIO_PREEMPT(2), 0, 0);
K_THREAD_DEFINE(waiting, STACK_SIZE, static_thread, NULL, NULL, NULL, 1, 0, SYS_FOREVER_MS);

/* Check's processes are forked, so this is asked before. */
static int joined = -1;

START_TEST(initialisation_runs_by_level_and_priority)
{
	ck_assert_str_eq(started, "ABCDEFG");
	ck_assert(!k_is_pre_kernel());
	ck_assert(k_can_yield());
	ck_assert_int_eq(joined, 0);
	ck_assert_int_eq(atomic_get(&runs), 6);
	ck_assert_str_eq(static_thread_saw, "ABCDEFG");
	ck_assert_ptr_eq(static_thread_self, defined);
	ck_assert_str_eq(k_thread_name_get(defined), "defined");
	ck_assert_int_eq(k_thread_priority_get(defined), 2);
	ck_assert_str_eq(k_thread_name_get(waiting), "waiting");
}
END_TEST

START_TEST(conversions_round_as_they_say)
{
	ck_assert_uint_eq(k_ms_to_ticks_ceil32(1), 10);
	ck_assert_uint_eq(k_us_to_ticks_floor32(199), 1);
	ck_assert_uint_eq(k_us_to_ticks_near32(150), 2);
	ck_assert_uint_eq(k_us_to_ticks_near32(149), 1);
	ck_assert_uint_eq(k_us_to_ticks_ceil64(101), 2);
	ck_assert_uint_eq(k_us_to_ticks_ceil64(0), 0);
	ck_assert_uint_eq(k_ns_to_ticks_ceil64(1), 1);
	ck_assert_uint_eq(k_ticks_to_ms_floor64(19), 1);
	ck_assert_uint_eq(k_ticks_to_ms_near64(15), 2);
	ck_assert_uint_eq(k_ticks_to_us_floor32(3), 300);
	ck_assert_uint_eq(k_ticks_to_sec_floor32(29999), 2);
	ck_assert_uint_eq(k_sec_to_ticks_floor32(2), 20000);
	ck_assert_uint_eq(k_cyc_to_ns_floor64(12345), 12345);
	ck_assert_uint_eq(k_cyc_to_us_near32(1500), 2);
	ck_assert_uint_eq(k_cyc_to_ms_ceil64(1), 1);
	ck_assert_uint_eq(k_ms_to_cyc_floor64(3), 3000000);
	ck_assert_uint_eq(k_us_to_cyc_floor32(5000000), 705032704U); /* of 32 bits */
	/* Nothing overflows on the way. */
	ck_assert_uint_eq(k_ns_to_ticks_floor64(UINT64_MAX), UINT64_MAX / 100000);
	ck_assert_uint_eq(k_ticks_to_ns_floor64(100000000000000), 10000000000000000000U);
	ck_assert_int_eq(sys_clock_hw_cycles_per_sec(), 1000000000);
}
END_TEST

/* Timeouts are constants. */
static const k_timeout_t constant = K_MSEC(3);
static const k_timeout_t no_wait = K_NO_WAIT;
static const k_timeout_t forever = K_FOREVER;

START_TEST(timeouts_are_numbers_of_ticks)
{
	volatile int variable = 7;
	int64_t large = INT64_C(1) << 40;
	int calls = 0;

	ck_assert_int_eq(constant.ticks, 30);
	ck_assert(K_TIMEOUT_EQ(no_wait, K_MSEC(0)));
	ck_assert(K_TIMEOUT_EQ(forever, K_TICKS(-1)));
	ck_assert_int_eq(K_MSEC(variable).ticks, 70);
	ck_assert_int_eq(K_MSEC(++calls).ticks, 10);
	ck_assert_int_eq(calls, 1);
	ck_assert_int_eq(K_MSEC(-5).ticks, 0);
	ck_assert_int_eq(K_MSEC(variable - 100).ticks, 0);
	ck_assert_int_eq(K_USEC(101).ticks, 2);
	ck_assert_int_eq(K_NSEC(1).ticks, 1);
	ck_assert_int_eq(K_SECONDS(large).ticks, (INT64_C(1) << 40) * 10000);
	ck_assert_int_eq(K_MINUTES(1).ticks, 600000);
	ck_assert_int_eq(K_HOURS(1).ticks, 36000000);
	ck_assert_int_eq(K_CYC(100000).ticks, 1);
	ck_assert_int_lt(K_TIMEOUT_ABS_MS(5).ticks, K_FOREVER.ticks);
	ck_assert(K_TIMEOUT_EQ(SYS_TIMEOUT_MS(SYS_FOREVER_MS), K_FOREVER));
}
END_TEST

START_TEST(clocks_go_on)
{
	int64_t reference = k_uptime_get();
	int64_t tick = sys_clock_tick_get();
	uint32_t cycles = k_cycle_get_32();
	uint64_t cycles64 = k_cycle_get_64();
	timing_t from = timing_counter_get();
	timing_t to;
	k_timepoint_t point = sys_timepoint_calc(K_MSEC(10));

	ck_assert(!sys_timepoint_expired(sys_timepoint_calc(K_FOREVER)));
	ck_assert(sys_timepoint_expired(sys_timepoint_calc(K_NO_WAIT)));
	ck_assert_int_eq(sys_timepoint_cmp(point, sys_timepoint_calc(K_FOREVER)), -1);
	k_busy_wait(10000);
	to = timing_counter_get();
	ck_assert_uint_ge(timing_cycles_to_ns(timing_cycles_get(&from, &to)), 10000000);
	ck_assert_uint_ge(k_cycle_get_32() - cycles, 10000000);
	ck_assert_uint_ge(k_cyc_to_us_floor64(k_cycle_get_64() - cycles64), 10000);
	ck_assert_int_ge(sys_clock_tick_get() - tick, 99);
	ck_assert_int_ge(k_uptime_ticks(), tick);
	ck_assert_int_ge(k_uptime_delta(&reference), 9);
	ck_assert_int_ge(reference, 10);
	ck_assert_uint_ge(k_uptime_get_32(), 10);
	k_sleep(K_MSEC(1));
	ck_assert(sys_timepoint_expired(point));
	k_sleep(K_TIMEOUT_ABS_TICKS(sys_clock_tick_get() + 50));
	ck_assert_uint_eq(k_uptime_seconds(), (uint32_t)(k_uptime_get() / 1000));
}
END_TEST

/* Timers. */

static atomic_t expiries;
static atomic_t stops;
static bool was_isr;
static bool was_locked;

static void expire(struct k_timer *timer)
{
	ck_assert_ptr_eq(k_timer_user_data_get(timer), &expiries);
	was_isr = k_is_in_isr() && arch_is_in_isr() && _current_cpu->nested == 1 && !k_can_yield();
	was_locked = kmem_irq_is_locked();
	atomic_inc(&expiries);
}

static void stop(struct k_timer *timer)
{
	ARG_UNUSED(timer);
	atomic_inc(&stops);
}

K_TIMER_DEFINE(timer, expire, stop);

static void expiries_await(long count)
{
	while (atomic_get(&expiries) < count) {
		sched_yield();
	}
}

START_TEST(a_timer_expires_once)
{
	int64_t before = k_uptime_ticks();

	k_timer_user_data_set(&timer, &expiries);
	k_timer_start(&timer, K_MSEC(10), K_NO_WAIT);
	ck_assert_int_eq(atomic_get(&expiries), 0);
	ck_assert_uint_eq(k_timer_status_sync(&timer), 1);
	ck_assert_int_ge(k_uptime_ticks() - before, 99);
	ck_assert_int_eq(atomic_get(&expiries), 1);
	ck_assert(was_isr);
	ck_assert(was_locked);
	ck_assert(!k_is_in_isr());
	ck_assert_uint_eq(k_timer_status_get(&timer), 0);
	ck_assert_uint_eq(k_timer_status_sync(&timer), 0);
	ck_assert_uint_eq(k_timer_remaining_get(&timer), 0);
	k_timer_start(&timer, K_NO_WAIT, K_FOREVER);
	expiries_await(2);
	k_msleep(5);
	ck_assert_int_eq(atomic_get(&expiries), 2);
	k_timer_stop(&timer);
	ck_assert_int_eq(atomic_get(&stops), 0);
}
END_TEST

START_TEST(a_periodic_timer_expires_until_it_is_stopped)
{
	int64_t before = k_uptime_ticks();
	long count;

	k_timer_user_data_set(&timer, &expiries);
	k_timer_start(&timer, K_MSEC(1), K_MSEC(2));
	expiries_await(5);
	ck_assert_int_ge(k_uptime_ticks() - before, 89);
	k_timer_stop(&timer);
	count = atomic_get(&expiries);
	ck_assert_int_eq(atomic_get(&stops), 1);
	k_msleep(10);
	ck_assert_int_eq(atomic_get(&expiries), count);
	ck_assert_uint_eq(k_timer_status_get(&timer), (uint32_t)count);
	k_timer_stop(&timer);
	ck_assert_int_eq(atomic_get(&stops), 1);
}
END_TEST

START_TEST(a_timer_starts_over)
{
	k_timer_user_data_set(&timer, &expiries);
	k_timer_start(&timer, K_SECONDS(1000), K_NO_WAIT);
	ck_assert_uint_gt(k_timer_remaining_get(&timer), 900000);
	ck_assert_int_gt(k_timer_expires_ticks(&timer), sys_clock_tick_get());
	k_timer_start(&timer, K_MSEC(1), K_NO_WAIT);
	expiries_await(1);
	k_timer_start(&timer, K_FOREVER, K_NO_WAIT);
	ck_assert_uint_eq(k_timer_remaining_get(&timer), 0);
	ck_assert_int_eq(atomic_get(&stops), 0);
}
END_TEST

static char fired[8];

static void fire(struct k_timer *which)
{
	fired[strlen(fired)] = (char)(uintptr_t)k_timer_user_data_get(which);
	atomic_inc(&expiries);
}

START_TEST(timers_expire_in_order)
{
	static const unsigned int delays[] = {9, 3, 12, 6};
	struct k_timer timers[4];
	unsigned int key = irq_lock();
	int64_t now = k_uptime_ticks();

	for (unsigned int i = 0; i < 4; i++) {
		k_timer_init(&timers[i], fire, NULL);
		k_timer_user_data_set(&timers[i], (void *)(uintptr_t)('a' + i));
		k_timer_start(&timers[i], K_TIMEOUT_ABS_TICKS(now + K_MSEC(delays[i]).ticks), K_NO_WAIT);
	}
	k_busy_wait(15000);
	ck_assert_str_eq(fired, "");
	irq_unlock(key);
	expiries_await(4);
	ck_assert_str_eq(fired, "bdac");
}
END_TEST

static void stop_itself(struct k_timer *which)
{
	if (atomic_inc(&expiries) == 2) {
		k_timer_stop(which);
	}
}

START_TEST(a_timer_stops_itself)
{
	k_timer_init(&timer, stop_itself, stop);
	k_timer_start(&timer, K_USEC(100), K_USEC(100));
	while (atomic_get(&stops) == 0) {
		sched_yield();
	}
	k_msleep(5);
	ck_assert_int_eq(atomic_get(&expiries), 3);
}
END_TEST

static void in_isr(const void *result)
{
	struct k_sem sem;

	*(bool *)(uintptr_t)result = k_is_in_isr();
	ck_assert_int_eq(k_sem_init(&sem, 0, 1), 0);
	ck_assert_int_eq(k_sem_take(&sem, K_NO_WAIT), -EBUSY);
	k_sem_give(&sem);
	ck_assert_int_eq(k_sem_take(&sem, K_NO_WAIT), 0);
}

START_TEST(interrupts_are_offloaded)
{
	bool result = false;

	irq_offload(in_isr, &result);
	ck_assert(result);
	ck_assert(!k_is_in_isr());
}
END_TEST

START_TEST(atomic_variables_return_what_was)
{
	static atomic_t number = ATOMIC_INIT(5);
	static atomic_ptr_t pointer = ATOMIC_PTR_INIT(NULL);
	ATOMIC_DEFINE(bits, 100) = {0};

	ck_assert_int_eq(atomic_inc(&number), 5);
	ck_assert_int_eq(atomic_dec(&number), 6);
	ck_assert_int_eq(atomic_add(&number, 10), 5);
	ck_assert_int_eq(atomic_sub(&number, 3), 15);
	ck_assert_int_eq(atomic_set(&number, 0xf0), 12);
	ck_assert_int_eq(atomic_or(&number, 0x0f), 0xf0);
	ck_assert_int_eq(atomic_and(&number, 0x3c), 0xff);
	ck_assert_int_eq(atomic_xor(&number, 0x0c), 0x3c);
	ck_assert_int_eq(atomic_nand(&number, 0x10), 0x30);
	ck_assert_int_eq(atomic_get(&number), ~0x10L);
	ck_assert(!atomic_cas(&number, 1, 2));
	ck_assert(atomic_cas(&number, ~0x10L, 2));
	ck_assert_int_eq(atomic_clear(&number), 2);
	ck_assert_ptr_null(atomic_ptr_set(&pointer, bits));
	ck_assert(atomic_ptr_cas(&pointer, bits, NULL));
	ck_assert_ptr_null(atomic_ptr_get(&pointer));
	ck_assert_uint_eq(ARRAY_SIZE(bits), 2);
	ck_assert(!atomic_test_and_set_bit(bits, 70));
	ck_assert(atomic_test_bit(bits, 70));
	ck_assert_int_eq(bits[1], 0x40);
	ck_assert(atomic_test_and_clear_bit(bits, 70));
	atomic_set_bit_to(bits, 3, true);
	atomic_set_bit(bits, 4);
	atomic_clear_bit(bits, 3);
	ck_assert_int_eq(bits[0], 0x10);
	ck_assert_int_eq(bits[1], 0);
}
END_TEST

Suite *kmem_test_suite(void)
{
	Suite *suite = suite_create("kernel time");
	TCase *time = tcase_create("time");

	/* In the process in which they run. */
	joined = k_thread_join(defined, K_FOREVER);
	k_thread_abort(waiting);
	tcase_set_timeout(time, 60);
	tcase_add_test(time, initialisation_runs_by_level_and_priority);
	tcase_add_test(time, conversions_round_as_they_say);
	tcase_add_test(time, timeouts_are_numbers_of_ticks);
	tcase_add_test(time, clocks_go_on);
	tcase_add_test(time, a_timer_expires_once);
	tcase_add_test(time, a_periodic_timer_expires_until_it_is_stopped);
	tcase_add_test(time, a_timer_starts_over);
	tcase_add_test(time, timers_expire_in_order);
	tcase_add_test(time, a_timer_stops_itself);
	tcase_add_test(time, interrupts_are_offloaded);
	tcase_add_test(time, atomic_variables_return_what_was);
	suite_add_tcase(suite, time);
	return suite;
}
