/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The processor: see <zephyr/arch/arch_interface.h>. (Zephyr: arch/cpu.h)
 */
#ifndef ZEPHYR_INCLUDE_ARCH_CPU_H_
#define ZEPHYR_INCLUDE_ARCH_CPU_H_

#include <zephyr/arch/arch_interface.h>
#include <zephyr/arch/exception.h>

#endif /* ZEPHYR_INCLUDE_ARCH_CPU_H_ */
