/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Measuring time, in nanoseconds of the host's monotonic clock. (Zephyr: timing/timing.h)
 */
#ifndef ZEPHYR_INCLUDE_TIMING_TIMING_H_
#define ZEPHYR_INCLUDE_TIMING_TIMING_H_

#include <kmem/kconfig.h>

#include <stdint.h>

#include <zephyr/sys/time_units.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef uint64_t timing_t;

#define KMEM_TIMING_HZ 1000000000ULL
#define KMEM_TIMING_MHZ 1000U

static inline void timing_init(void)
{
}

static inline void timing_start(void)
{
}

static inline void timing_stop(void)
{
}

static inline timing_t timing_counter_get(void)
{
	return kmem_k_time_ns();
}

static inline uint64_t timing_cycles_get(volatile timing_t *const start, volatile timing_t *const end)
{
	return *end - *start;
}

static inline uint64_t timing_freq_get(void)
{
	return KMEM_TIMING_HZ;
}

static inline uint32_t timing_freq_get_mhz(void)
{
	return KMEM_TIMING_MHZ;
}

static inline uint64_t timing_cycles_to_ns(uint64_t cycles)
{
	return cycles;
}

static inline uint64_t timing_cycles_to_ns_avg(uint64_t cycles, uint32_t count)
{
	return count == 0U ? 0U : cycles / count;
}

#ifdef __cplusplus
}
#endif

#endif /* ZEPHYR_INCLUDE_TIMING_TIMING_H_ */
