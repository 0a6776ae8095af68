/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel asks of an architecture, as far as programs use it. (Zephyr: arch/arch_interface.h)
 */
#ifndef ZEPHYR_INCLUDE_ARCH_ARCH_INTERFACE_H_
#define ZEPHYR_INCLUDE_ARCH_ARCH_INTERFACE_H_

#include <kmem/kconfig.h>

#ifndef __ASSEMBLER__

#include <stdbool.h>
#include <stdint.h>

#include <kmem/irq.h>
#include <zephyr/fatal_types.h>
#include <zephyr/kernel_structs.h>
#include <zephyr/kernel/thread_stack.h>
#include <zephyr/sys/time_units.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/** Wait a little, as for an interrupt; the atomic form makes interrupts what the key says first. */
void arch_cpu_idle(void);
void arch_cpu_atomic_idle(unsigned int key);

#pragma GCC visibility pop

static inline void arch_nop(void)
{
	__asm__ volatile("nop");
}

static inline bool arch_is_in_isr(void)
{
	return kmem_isr_is_in();
}

static inline uint64_t arch_k_cycle_get_64(void)
{
	return k_ns_to_cyc_floor64(kmem_k_time_ns());
}

static inline uint32_t arch_k_cycle_get_32(void)
{
	return (uint32_t)arch_k_cycle_get_64();
}

static inline bool arch_is_user_context(void)
{
	return false;
}

#ifdef __cplusplus
}
#endif

#endif /* __ASSEMBLER__ */

#endif /* ZEPHYR_INCLUDE_ARCH_ARCH_INTERFACE_H_ */
