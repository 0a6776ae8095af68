/* SPDX-License-Identifier: Apache-2.0 */
/*
 * irq_offload(), which stands in <zephyr/irq.h>. (Zephyr: irq_offload.h)
 */
#ifndef ZEPHYR_INCLUDE_IRQ_OFFLOAD_H_
#define ZEPHYR_INCLUDE_IRQ_OFFLOAD_H_

#include <zephyr/irq.h>

#endif /* ZEPHYR_INCLUDE_IRQ_OFFLOAD_H_ */
