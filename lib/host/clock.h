/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KMEM_HOST_CLOCK_H
#define KMEM_HOST_CLOCK_H

#include <stdint.h>

/* Monotonic time in nanoseconds. _sigsafe. A test may set kmem_clock_source to a clock of its own. */
uint64_t kmem_clock_ns(void);
extern uint64_t (*kmem_clock_source)(void);

#endif /* KMEM_HOST_CLOCK_H */
