/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Timeouts as deadlines: nanoseconds of the host's monotonic clock.
 */
#ifndef KMEM_COMPAT_DEADLINE_H
#define KMEM_COMPAT_DEADLINE_H

#include <stdint.h>

#include <zephyr/sys_clock.h>

/** The deadline of a timeout that begins now; KMEM_DEADLINE_NEVER for K_FOREVER. */
uint64_t kmem_deadline(k_timeout_t timeout);

/** A number of ticks in nanoseconds, and nanoseconds in ticks, rounded up and down. */
uint64_t kmem_ticks_to_ns(uint64_t ticks);
uint64_t kmem_ns_to_ticks(uint64_t ns);

/** Ticks that are left until a deadline; 0 if it has passed, K_TICKS_FOREVER if there is none. */
k_ticks_t kmem_deadline_ticks(uint64_t deadline);

/** When the program started, on that clock. */
uint64_t kmem_start_ns(void);

#endif /* KMEM_COMPAT_DEADLINE_H */
