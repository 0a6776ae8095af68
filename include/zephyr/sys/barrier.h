/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory barriers, of the strongest kind the compiler has. (Zephyr: sys/barrier.h)
 */
#ifndef ZEPHYR_INCLUDE_SYS_BARRIER_H_
#define ZEPHYR_INCLUDE_SYS_BARRIER_H_

#include <kmem/kconfig.h>

#include <zephyr/toolchain.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ThreadSanitizer does not know of fences, and gcc says so. */
#ifdef __SANITIZE_THREAD__
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wtsan"
#endif

/** No access moves across it, for the compiler and for other processors. */
static ALWAYS_INLINE void barrier_dmem_fence_full(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static ALWAYS_INLINE void barrier_dsync_fence_full(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/** Instructions behind it are fetched anew; what was written as code needs sys_cache_instr_invd_range(), too. */
static ALWAYS_INLINE void barrier_isync_fence_full(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

#ifdef __SANITIZE_THREAD__
#pragma GCC diagnostic pop
#endif

#ifdef __cplusplus
}
#endif

#endif /* ZEPHYR_INCLUDE_SYS_BARRIER_H_ */
