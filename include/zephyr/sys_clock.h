/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ticks and timeouts. (Zephyr: sys_clock.h)
 *
 * A timeout is a number of ticks from now, K_FOREVER, or an absolute tick below that. Times come from the host's
 * monotonic clock; a wait never ends before its timeout, and may end any time after it.
 *
 * The rate of ticks is the program's choice. It is left in a weak variable for the library, which is compiled once:
 * the linker takes the program's, since that comes first.
 */
#ifndef ZEPHYR_INCLUDE_SYS_CLOCK_H_
#define ZEPHYR_INCLUDE_SYS_CLOCK_H_

#include <kmem/kconfig.h>

#include <stdbool.h>
#include <stdint.h>

#ifndef CONFIG_SYS_CLOCK_EXISTS
#define CONFIG_SYS_CLOCK_EXISTS 1
#endif
#ifndef CONFIG_SYS_CLOCK_TICKS_PER_SEC
#define CONFIG_SYS_CLOCK_TICKS_PER_SEC 10000
#endif
#ifndef CONFIG_SYS_CLOCK_HW_CYCLES_PER_SEC
#define CONFIG_SYS_CLOCK_HW_CYCLES_PER_SEC 1000000000
#endif
#ifndef CONFIG_TIMEOUT_64BIT
#define CONFIG_TIMEOUT_64BIT 1
#endif

#include <zephyr/sys/time_units.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

extern uint32_t kmem_k_ticks_per_sec;
__attribute__((weak)) uint32_t kmem_k_ticks_per_sec = CONFIG_SYS_CLOCK_TICKS_PER_SEC;

typedef int64_t k_ticks_t;

typedef struct {
	k_ticks_t ticks;
} k_timeout_t;

#define K_TICKS_FOREVER ((k_ticks_t)-1)

#ifdef __cplusplus
#define KMEM_TIMEOUT(t) (k_timeout_t{(k_ticks_t)(t)})
#else
#define KMEM_TIMEOUT(t) (__extension__(k_timeout_t){(k_ticks_t)(t)})
#endif

/* Constant where the argument is, so that timeouts serve in static initialisers; rounded up, and 0 if negative. */
#define KMEM_TIMEOUT_OF(t, hz)                                                                                         \
	KMEM_TIMEOUT(__builtin_constant_p(t)                                                                           \
			     ? ((t) > 0 ? KMEM_TIME_CEIL((uint64_t)(t), hz, CONFIG_SYS_CLOCK_TICKS_PER_SEC) : 0U)      \
			     : kmem_time_timeout((int64_t)(t), hz, CONFIG_SYS_CLOCK_TICKS_PER_SEC))

#define K_NO_WAIT KMEM_TIMEOUT(0)
#define K_FOREVER KMEM_TIMEOUT(K_TICKS_FOREVER)
#define K_TICKS(t) KMEM_TIMEOUT(t)
#define K_NSEC(t) KMEM_TIMEOUT_OF(t, 1000000000U)
#define K_USEC(t) KMEM_TIMEOUT_OF(t, 1000000U)
#define K_MSEC(t) KMEM_TIMEOUT_OF(t, 1000U)
#define K_SECONDS(t) KMEM_TIMEOUT_OF(t, 1U)
#define K_MINUTES(m) K_SECONDS((m)*60)
#define K_HOURS(h) K_MINUTES((h)*60)
#define K_CYC(t) KMEM_TIMEOUT_OF(t, CONFIG_SYS_CLOCK_HW_CYCLES_PER_SEC)

/* Absolute times of the uptime, as timeouts. */
#define Z_TICK_ABS(t) (K_TICKS_FOREVER - 1 - (t))
#define K_TIMEOUT_ABS_TICKS(t) KMEM_TIMEOUT(Z_TICK_ABS((k_ticks_t)(t)))
#define K_TIMEOUT_ABS_SEC(t) K_TIMEOUT_ABS_TICKS(K_SECONDS(t).ticks)
#define K_TIMEOUT_ABS_MS(t) K_TIMEOUT_ABS_TICKS(K_MSEC(t).ticks)
#define K_TIMEOUT_ABS_US(t) K_TIMEOUT_ABS_TICKS(K_USEC(t).ticks)
#define K_TIMEOUT_ABS_NS(t) K_TIMEOUT_ABS_TICKS(K_NSEC(t).ticks)
#define K_TIMEOUT_ABS_CYC(t) K_TIMEOUT_ABS_TICKS(K_CYC(t).ticks)

#define K_TIMEOUT_EQ(a, b) ((a).ticks == (b).ticks)
#define K_TIMEOUT_SUM(a, b) K_TICKS((a).ticks + (b).ticks)

#define MSEC_PER_SEC 1000U
#define USEC_PER_MSEC 1000U
#define NSEC_PER_USEC 1000U
#define NSEC_PER_MSEC 1000000U
#define USEC_PER_SEC 1000000U
#define NSEC_PER_SEC 1000000000U
#define SEC_PER_MIN 60U
#define MIN_PER_HOUR 60U
#define HOUR_PER_DAY 24U

/** Ticks since boot; the lower half of them. Context: anywhere. */
int64_t sys_clock_tick_get(void);
uint32_t sys_clock_tick_get_32(void);

/** A point in time: the tick at which a timeout that begins now would end; UINT64_MAX for K_FOREVER. */
typedef struct {
	uint64_t tick;
} k_timepoint_t;

k_timepoint_t sys_timepoint_calc(k_timeout_t timeout);
k_timeout_t sys_timepoint_timeout(k_timepoint_t timepoint);
uint64_t sys_clock_timeout_end_calc(k_timeout_t timeout);

static inline int sys_timepoint_cmp(k_timepoint_t a, k_timepoint_t b)
{
	return a.tick == b.tick ? 0 : (a.tick < b.tick ? -1 : 1);
}

static inline bool sys_timepoint_expired(k_timepoint_t timepoint)
{
	return sys_timepoint_timeout(timepoint).ticks == 0;
}

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* ZEPHYR_INCLUDE_SYS_CLOCK_H_ */
