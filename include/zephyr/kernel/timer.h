/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Timers. (Zephyr: kernel.h, which includes this one)
 *
 * Expiry functions run one at a time in a thread of the library, as emulated interrupt handlers: interrupts locked,
 * k_is_in_isr() true. So no expiry function is running, or will run, once k_timer_stop() has returned.
 */
#ifndef KMEM_ZEPHYR_KERNEL_TIMER_H
#define KMEM_ZEPHYR_KERNEL_TIMER_H

#include <kmem/kconfig.h>

#include <stdint.h>

#include <zephyr/kernel_structs.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

struct k_timer;

typedef void (*k_timer_expiry_t)(struct k_timer *timer);
typedef void (*k_timer_stop_t)(struct k_timer *timer);

struct k_timer {
	struct kmem_timeout timeout; /* first */
	_wait_q_t wait_q;
	k_timer_expiry_t expiry_fn;
	k_timer_stop_t stop_fn;
	k_timeout_t period;
	uint32_t status;
	void *user_data;
};

#define Z_TIMER_INITIALIZER(obj, expiry, stop)                                                                         \
	{                                                                                                              \
		{NULL, NULL, 0, false}, {NULL}, (expiry), (stop), {0}, 0, NULL                                         \
	}
#define K_TIMER_DEFINE(name, expiry_fn, stop_fn) struct k_timer name = Z_TIMER_INITIALIZER(name, expiry_fn, stop_fn)

void k_timer_init(struct k_timer *timer, k_timer_expiry_t expiry_fn, k_timer_stop_t stop_fn);

/**
 * Start, or start over. K_NO_WAIT: expires as soon as may be. K_FOREVER: not at all.
 * @param period  of further expiries; K_NO_WAIT or K_FOREVER: none
 * Context: anywhere but in a fault; also while libkmem boots.
 */
void k_timer_start(struct k_timer *timer, k_timeout_t duration, k_timeout_t period);

/** Stop; a running timer's stop function is called here. */
void k_timer_stop(struct k_timer *timer);

/** Expiries since this was last asked for; sync waits until there is one, or the timer stopped. */
uint32_t k_timer_status_get(struct k_timer *timer);
uint32_t k_timer_status_sync(struct k_timer *timer);

/** Time to the next expiry, 0 if there will be none; its tick of the uptime. */
k_ticks_t k_timer_remaining_ticks(const struct k_timer *timer);
k_ticks_t k_timer_expires_ticks(const struct k_timer *timer);

static inline uint32_t k_timer_remaining_get(struct k_timer *timer)
{
	return k_ticks_to_ms_floor32((uint64_t)k_timer_remaining_ticks(timer));
}

static inline void k_timer_user_data_set(struct k_timer *timer, void *user_data)
{
	timer->user_data = user_data;
}

static inline void *k_timer_user_data_get(const struct k_timer *timer)
{
	return timer->user_data;
}

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* KMEM_ZEPHYR_KERNEL_TIMER_H */
