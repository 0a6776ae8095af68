/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The architecture layer, in Zephyr's spelling. (Zephyr: kernel_arch_interface.h) Everything is described in <kmem/arch.h>.
 */
#ifndef ZEPHYR_KERNEL_INCLUDE_KERNEL_ARCH_INTERFACE_H_
#define ZEPHYR_KERNEL_INCLUDE_KERNEL_ARCH_INTERFACE_H_

#include <kmem/kconfig.h>

#include <zephyr/kernel.h>

#include <kmem/arch.h>

#endif /* ZEPHYR_KERNEL_INCLUDE_KERNEL_ARCH_INTERFACE_H_ */
