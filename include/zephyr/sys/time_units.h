/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conversions between units of time: k_FROM_to_TO_{floor,ceil,near}{32,64}(), of sec, ms, us, ns, cyc and ticks.
 * (Zephyr: sys/time_units.h)
 *
 * All are exact: whole units are scaled apart from the remainder, so nothing overflows but a result that is too large.
 */
#ifndef ZEPHYR_INCLUDE_SYS_TIME_UNITS_H_
#define ZEPHYR_INCLUDE_SYS_TIME_UNITS_H_

#include <kmem/kconfig.h>

#include <stdint.h>

#ifndef CONFIG_SYS_CLOCK_TICKS_PER_SEC
#define CONFIG_SYS_CLOCK_TICKS_PER_SEC 10000
#endif
#ifndef CONFIG_SYS_CLOCK_HW_CYCLES_PER_SEC
#define CONFIG_SYS_CLOCK_HW_CYCLES_PER_SEC 1000000000
#endif

#define SYS_FOREVER_MS (-1)
#define SYS_FOREVER_US (-1)
#define SYS_TIMEOUT_MS(ms) ((ms) == SYS_FOREVER_MS ? K_FOREVER : K_MSEC(ms))
#define SYS_TIMEOUT_US(us) ((us) == SYS_FOREVER_US ? K_FOREVER : K_USEC(us))

#ifdef __cplusplus
extern "C" {
#endif

/** Nanoseconds of the host's monotonic clock. Our own. Context: anywhere. */
__attribute__((visibility("default"))) uint64_t kmem_k_time_ns(void);

/* Scale t from a rate to another, adding `round` to the numerator of the remainder's division. t is evaluated twice. */
#define KMEM_TIME_SCALE(t, from, to, round)                                                                            \
	((t) / (uint64_t)(from) * (uint64_t)(to) +                                                                     \
	 ((t) % (uint64_t)(from) * (uint64_t)(to) + (round)) / (uint64_t)(from))
#define KMEM_TIME_CEIL(t, from, to) KMEM_TIME_SCALE(t, from, to, (uint64_t)(from)-1U)

#if defined(__cplusplus) && __cplusplus >= 201103L
#define KMEM_TIME_INLINE static constexpr inline
#else
#define KMEM_TIME_INLINE static inline
#endif

/** Ticks, or other units, of a timeout: rounded up, 0 if negative. */
KMEM_TIME_INLINE uint64_t kmem_time_timeout(int64_t t, uint64_t from, uint64_t to)
{
	return t > 0 ? KMEM_TIME_CEIL((uint64_t)t, from, to) : 0U;
}

/** Cycles of k_cycle_get_32() a second. */
KMEM_TIME_INLINE int sys_clock_hw_cycles_per_sec(void)
{
	return CONFIG_SYS_CLOCK_HW_CYCLES_PER_SEC;
}

/* One rounding of one pair of units. */
#define KMEM_TIME_FUNCTION(name, from, to, round)                                                                      \
	KMEM_TIME_INLINE uint64_t k_##name##64(uint64_t t)                                                             \
	{                                                                                                              \
		return KMEM_TIME_SCALE(t, from, to, round);                                                            \
	}                                                                                                              \
	KMEM_TIME_INLINE uint32_t k_##name##32(uint64_t t)                                                             \
	{                                                                                                              \
		return (uint32_t)KMEM_TIME_SCALE(t, from, to, round);                                                  \
	}

#define KMEM_TIME_PAIR(name, from, to)                                                                                 \
	KMEM_TIME_FUNCTION(name##_floor, from, to, 0U)                                                                 \
	KMEM_TIME_FUNCTION(name##_ceil, from, to, (uint64_t)(from)-1U)                                                 \
	KMEM_TIME_FUNCTION(name##_near, from, to, (uint64_t)(from) / 2U)

#define KMEM_TIME_HZ_SEC 1U
#define KMEM_TIME_HZ_MS 1000U
#define KMEM_TIME_HZ_US 1000000U
#define KMEM_TIME_HZ_NS 1000000000U
#define KMEM_TIME_HZ_CYC CONFIG_SYS_CLOCK_HW_CYCLES_PER_SEC
#define KMEM_TIME_HZ_TICKS CONFIG_SYS_CLOCK_TICKS_PER_SEC

KMEM_TIME_PAIR(sec_to_cyc, KMEM_TIME_HZ_SEC, KMEM_TIME_HZ_CYC)
KMEM_TIME_PAIR(sec_to_ticks, KMEM_TIME_HZ_SEC, KMEM_TIME_HZ_TICKS)
KMEM_TIME_PAIR(ms_to_cyc, KMEM_TIME_HZ_MS, KMEM_TIME_HZ_CYC)
KMEM_TIME_PAIR(ms_to_ticks, KMEM_TIME_HZ_MS, KMEM_TIME_HZ_TICKS)
KMEM_TIME_PAIR(us_to_cyc, KMEM_TIME_HZ_US, KMEM_TIME_HZ_CYC)
KMEM_TIME_PAIR(us_to_ticks, KMEM_TIME_HZ_US, KMEM_TIME_HZ_TICKS)
KMEM_TIME_PAIR(ns_to_cyc, KMEM_TIME_HZ_NS, KMEM_TIME_HZ_CYC)
KMEM_TIME_PAIR(ns_to_ticks, KMEM_TIME_HZ_NS, KMEM_TIME_HZ_TICKS)
KMEM_TIME_PAIR(cyc_to_sec, KMEM_TIME_HZ_CYC, KMEM_TIME_HZ_SEC)
KMEM_TIME_PAIR(cyc_to_ms, KMEM_TIME_HZ_CYC, KMEM_TIME_HZ_MS)
KMEM_TIME_PAIR(cyc_to_us, KMEM_TIME_HZ_CYC, KMEM_TIME_HZ_US)
KMEM_TIME_PAIR(cyc_to_ns, KMEM_TIME_HZ_CYC, KMEM_TIME_HZ_NS)
KMEM_TIME_PAIR(cyc_to_ticks, KMEM_TIME_HZ_CYC, KMEM_TIME_HZ_TICKS)
KMEM_TIME_PAIR(ticks_to_sec, KMEM_TIME_HZ_TICKS, KMEM_TIME_HZ_SEC)
KMEM_TIME_PAIR(ticks_to_ms, KMEM_TIME_HZ_TICKS, KMEM_TIME_HZ_MS)
KMEM_TIME_PAIR(ticks_to_us, KMEM_TIME_HZ_TICKS, KMEM_TIME_HZ_US)
KMEM_TIME_PAIR(ticks_to_ns, KMEM_TIME_HZ_TICKS, KMEM_TIME_HZ_NS)
KMEM_TIME_PAIR(ticks_to_cyc, KMEM_TIME_HZ_TICKS, KMEM_TIME_HZ_CYC)

#ifdef __cplusplus
}
#endif

#endif /* ZEPHYR_INCLUDE_SYS_TIME_UNITS_H_ */
