/* SPDX-License-Identifier: Apache-2.0 */
/*
 * irq_lock(): one lock for the process that stands for "interrupts are off". (Zephyr: irq.h) Described in <kmem/irq.h>.
 *
 * There are no interrupt lines: what would run in an interrupt handler is the expiry function of a timer, and what
 * irq_offload() is given.
 */
#ifndef ZEPHYR_INCLUDE_IRQ_H_
#define ZEPHYR_INCLUDE_IRQ_H_

#include <kmem/kconfig.h>

#ifndef __ASSEMBLER__

#include <kmem/irq.h>

#ifdef __cplusplus
extern "C" {
#endif

#define irq_lock() arch_irq_lock()
#define irq_unlock(key) arch_irq_unlock(key)

static inline void irq_enable(unsigned int irq)
{
	(void)irq;
}

static inline void irq_disable(unsigned int irq)
{
	(void)irq;
}

static inline int irq_is_enabled(unsigned int irq)
{
	(void)irq;
	return 0;
}

typedef void (*irq_offload_routine_t)(const void *parameter);

/** Run a function as an interrupt handler: interrupts locked, k_is_in_isr() true. Context: a thread. */
static inline void irq_offload(irq_offload_routine_t routine, const void *parameter)
{
	unsigned int key = arch_irq_lock();

	kmem_isr_enter();
	routine(parameter);
	kmem_isr_leave();
	arch_irq_unlock(key);
}

#ifdef __cplusplus
}
#endif

#endif /* __ASSEMBLER__ */

#endif /* ZEPHYR_INCLUDE_IRQ_H_ */
