/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's interface, and all that programs expect with it. (Zephyr: kernel.h)
 *
 * Threads stand in <zephyr/kernel/thread.h>, semaphores and their like in <zephyr/kernel/sync.h>, timers in
 * <zephyr/kernel/timer.h>, slabs and heaps in <zephyr/kernel/alloc.h>, queues in <zephyr/kernel/queue.h>, work in
 * <zephyr/kernel/work.h>, futexes in <zephyr/kernel/futex.h>, pipes in <zephyr/kernel/pipe.h>.
 */
#ifndef ZEPHYR_INCLUDE_KERNEL_H_
#define ZEPHYR_INCLUDE_KERNEL_H_

#include <kmem/kconfig.h>

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <zephyr/toolchain.h>
#include <zephyr/types.h>
#include <zephyr/linker/sections.h>
#include <zephyr/sys/__assert.h>
#include <zephyr/sys/atomic.h>
#include <zephyr/sys/dlist.h>
#include <zephyr/sys/printk.h>
#include <zephyr/sys/sflist.h>
#include <zephyr/sys/slist.h>
#include <zephyr/sys/util.h>

#include <zephyr/arch/cpu.h>
#include <zephyr/fatal.h>
#include <zephyr/init.h>
#include <zephyr/irq.h>
#include <zephyr/kernel_structs.h>
#include <zephyr/kernel_version.h>
#include <zephyr/spinlock.h>
#include <zephyr/sys_clock.h>
#include <zephyr/sys/kobject.h>
#include <zephyr/syscall.h>
#include <zephyr/kernel/thread.h>
#include <zephyr/kernel/thread_stack.h>
#include <zephyr/app_memory/mem_domain.h>
#ifdef CONFIG_MMU
#include <zephyr/kernel/mm.h>
#endif

#include <zephyr/kernel/alloc.h>
#include <zephyr/kernel/futex.h>
#include <zephyr/kernel/pipe.h>
#include <zephyr/kernel/queue.h>
#include <zephyr/kernel/sync.h>
#include <zephyr/kernel/timer.h>
#include <zephyr/kernel/work.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/** Sleep. What is left, in milliseconds or microseconds, if k_wakeup() ended it; else 0. Context: a thread. */
int32_t k_sleep(k_timeout_t timeout);
int32_t k_usleep(int32_t us);

static inline int32_t k_msleep(int32_t ms)
{
	return k_sleep(K_MSEC(ms));
}

/** Let time pass without giving up the processor. Context: anywhere. */
void k_busy_wait(uint32_t usec_to_wait);

/** Wake a thread that sleeps. Context: anywhere. */
void k_wakeup(k_tid_t thread);

void k_yield(void);

/** Keep other threads out that call this, too; nests. Given up while the caller waits. Context: a thread. */
void k_sched_lock(void);
void k_sched_unlock(void);

/** Whether this is an emulated interrupt handler. Context: anywhere. */
static inline bool k_is_in_isr(void)
{
	return kmem_isr_is_in();
}

/** 1 in a thread that could be preempted: neither cooperative nor under k_sched_lock(). */
int k_is_preempt_thread(void);

/** Whether the levels of SYS_INIT() below POST_KERNEL are running. */
bool k_is_pre_kernel(void);
bool k_can_yield(void);

/** The host's monotonic clock in cycles. Context: anywhere. */
static inline uint64_t k_cycle_get_64(void)
{
	return k_ns_to_cyc_floor64(kmem_k_time_ns());
}

static inline uint32_t k_cycle_get_32(void)
{
	return (uint32_t)k_cycle_get_64();
}

/** Milliseconds, seconds and ticks since the program started. Context: anywhere. */
int64_t k_uptime_get(void);
int64_t k_uptime_ticks(void);

static inline uint32_t k_uptime_get_32(void)
{
	return (uint32_t)k_uptime_get();
}

static inline uint32_t k_uptime_seconds(void)
{
	return (uint32_t)(k_uptime_get() / 1000);
}

/** Milliseconds since *reftime, which becomes now. */
static inline int64_t k_uptime_delta(int64_t *reftime)
{
	int64_t now = k_uptime_get();
	int64_t delta = now - *reftime;

	*reftime = now;
	return delta;
}

/** Ticks until the start, or the end of the wait, of a thread; 0 if none is set. */
k_ticks_t k_thread_timeout_remaining_ticks(const struct k_thread *thread);

/** Fatal errors of the program's own: the thread's, and the system's. */
#define z_except_reason(reason) kmem_fatal_raise(reason)
#define k_oops() kmem_fatal_raise(K_ERR_KERNEL_OOPS)
#define k_panic() kmem_fatal_raise(K_ERR_KERNEL_PANIC)

/** Wait a little, as for an interrupt; the atomic form makes interrupts what the key says first. */
void k_cpu_idle(void);
void k_cpu_atomic_idle(unsigned int key);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* ZEPHYR_INCLUDE_KERNEL_H_ */
