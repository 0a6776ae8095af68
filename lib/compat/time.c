/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time: the host's monotonic clock, as cycles, ticks and uptime.
 */
#include "compat/deadline.h"

#include <stdatomic.h>
#include <time.h>

#include <zephyr/kernel.h>

#include "compat/futex.h"

#define NS_PER_SEC 1000000000U
#define NS_PER_MS 1000000U

static _Atomic uint64_t start;

uint64_t kmem_k_time_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_SEC + (uint64_t)now.tv_nsec;
}

uint64_t kmem_start_ns(void)
{
	uint64_t before = 0;

	if (atomic_load(&start) == 0) {
		(void)atomic_compare_exchange_strong(&start, &before, kmem_k_time_ns());
	}
	return atomic_load(&start);
}

/* Before the library boots. */
__attribute__((constructor(101))) static void start_note(void)
{
	(void)kmem_start_ns();
}

static uint64_t uptime_ns(void)
{
	const uint64_t began = kmem_start_ns();

	return kmem_k_time_ns() - began;
}

uint64_t kmem_ticks_to_ns(uint64_t ticks)
{
	const uint64_t rate = kmem_k_ticks_per_sec;

	if (ticks / rate >= KMEM_DEADLINE_NEVER / NS_PER_SEC) {
		return KMEM_DEADLINE_NEVER;
	}
	return KMEM_TIME_CEIL(ticks, rate, NS_PER_SEC);
}

uint64_t kmem_ns_to_ticks(uint64_t ns)
{
	return KMEM_TIME_SCALE(ns, NS_PER_SEC, kmem_k_ticks_per_sec, 0U);
}

uint64_t kmem_deadline(k_timeout_t timeout)
{
	uint64_t base;
	uint64_t ns;

	if (K_TIMEOUT_EQ(timeout, K_FOREVER)) {
		return KMEM_DEADLINE_NEVER;
	}
	if (timeout.ticks >= 0) {
		base = kmem_k_time_ns();
		ns = kmem_ticks_to_ns((uint64_t)timeout.ticks);
	} else {
		base = kmem_start_ns();
		ns = kmem_ticks_to_ns((uint64_t)Z_TICK_ABS(timeout.ticks));
	}
	return ns < KMEM_DEADLINE_NEVER - base ? base + ns : KMEM_DEADLINE_NEVER;
}

k_ticks_t kmem_deadline_ticks(uint64_t deadline)
{
	const uint64_t now = kmem_k_time_ns();

	if (deadline == KMEM_DEADLINE_NEVER) {
		return K_TICKS_FOREVER;
	}
	return deadline <= now ? 0 : (k_ticks_t)KMEM_TIME_CEIL(deadline - now, NS_PER_SEC, kmem_k_ticks_per_sec);
}

int64_t sys_clock_tick_get(void)
{
	return (int64_t)kmem_ns_to_ticks(uptime_ns());
}

uint32_t sys_clock_tick_get_32(void)
{
	return (uint32_t)sys_clock_tick_get();
}

int64_t k_uptime_ticks(void)
{
	return sys_clock_tick_get();
}

int64_t k_uptime_get(void)
{
	return (int64_t)(uptime_ns() / NS_PER_MS);
}

uint64_t sys_clock_timeout_end_calc(k_timeout_t timeout)
{
	if (K_TIMEOUT_EQ(timeout, K_FOREVER)) {
		return UINT64_MAX;
	}
	if (timeout.ticks < 0) {
		return (uint64_t)Z_TICK_ABS(timeout.ticks);
	}
	return (uint64_t)sys_clock_tick_get() + (uint64_t)timeout.ticks;
}

k_timepoint_t sys_timepoint_calc(k_timeout_t timeout)
{
	k_timepoint_t timepoint = {.tick = sys_clock_timeout_end_calc(timeout)};

	if (K_TIMEOUT_EQ(timeout, K_NO_WAIT)) {
		timepoint.tick = 0;
	}
	return timepoint;
}

k_timeout_t sys_timepoint_timeout(k_timepoint_t timepoint)
{
	const uint64_t now = (uint64_t)sys_clock_tick_get();

	if (timepoint.tick == UINT64_MAX) {
		return K_FOREVER;
	}
	return timepoint.tick > now ? K_TICKS(timepoint.tick - now) : K_NO_WAIT;
}

void k_busy_wait(uint32_t usec_to_wait)
{
	const uint64_t end = kmem_k_time_ns() + (uint64_t)usec_to_wait * NSEC_PER_USEC;

	while (kmem_k_time_ns() < end) {
	}
}
