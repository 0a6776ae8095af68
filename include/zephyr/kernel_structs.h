/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What kernel objects are made of: wait queues, thread states, timeouts. (Zephyr: kernel_structs.h)
 *
 * Zeroed memory is an empty wait queue and an inactive timeout. All members are guarded by the interrupt lock, and are
 * lib/compat's own.
 */
#ifndef ZEPHYR_KERNEL_INCLUDE_KERNEL_STRUCTS_H_
#define ZEPHYR_KERNEL_INCLUDE_KERNEL_STRUCTS_H_

#include <kmem/kconfig.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <zephyr/sys_clock.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

struct k_thread;

/* Threads that wait, in the order in which they came. */
typedef struct {
	struct k_thread *kmem_first;
} _wait_q_t;

/* Something to be done at a time, by the library's thread for it. */
struct kmem_timeout {
	struct kmem_timeout *next;
	void (*expire)(struct kmem_timeout *timeout); /* interrupts locked */
	uint64_t deadline;                            /* in nanoseconds of the host's monotonic clock */
	bool is_active;
};

/* Bits of a thread's state. */
#define _THREAD_DUMMY 0x01U
#define _THREAD_PENDING 0x02U
#define _THREAD_SLEEPING 0x04U
#define _THREAD_DEAD 0x08U
#define _THREAD_SUSPENDED 0x10U
#define _THREAD_ABORTING 0x20U
#define _THREAD_SUSPENDING 0x40U
#define _THREAD_QUEUED 0x80U
#define _THREAD_PRESTART 0x100U

/* The processor, as the calling thread sees it. */
struct _cpu {
	uint32_t nested; /* 1 in an emulated interrupt handler */
	struct k_thread *current;
	uint8_t id;
};

typedef struct _cpu _cpu_t;

/** The only processor. Valid until the calling thread asks again. Context: anywhere. */
struct _cpu *arch_curr_cpu(void);

#define _current_cpu arch_curr_cpu()

static inline unsigned int arch_num_cpus(void)
{
	return 1U;
}

#define arch_proc_id() 0U

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* ZEPHYR_KERNEL_INCLUDE_KERNEL_STRUCTS_H_ */
