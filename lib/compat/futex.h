/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sleeping on a word, and waking who does. _sigsafe, errno kept; no point of cancellation.
 */
#ifndef KMEM_COMPAT_FUTEX_H
#define KMEM_COMPAT_FUTEX_H

#include <stdatomic.h>
#include <stdint.h>

#define KMEM_DEADLINE_NEVER UINT64_MAX

/**
 * Sleep while *word is @p value, at most until a deadline in nanoseconds of CLOCK_MONOTONIC. 0, -EAGAIN, -EINTR,
 * -ETIMEDOUT.
 */
int kmem_futex_wait(_Atomic uint32_t *word, uint32_t value, uint64_t deadline);
void kmem_futex_wake(_Atomic uint32_t *word);

#endif /* KMEM_COMPAT_FUTEX_H */
