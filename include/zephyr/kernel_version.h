/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The version of the kernel, while the program runs. (Zephyr: kernel_version.h)
 */
#ifndef ZEPHYR_INCLUDE_KERNEL_VERSION_H_
#define ZEPHYR_INCLUDE_KERNEL_VERSION_H_

#include <kmem/kconfig.h>

#include <stdint.h>

#include <zephyr/version.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Parts of what sys_kernel_version_get() returns. */
#define SYS_KERNEL_VER_MAJOR(ver) (((ver) >> 24) & 0xffU)
#define SYS_KERNEL_VER_MINOR(ver) (((ver) >> 16) & 0xffU)
#define SYS_KERNEL_VER_PATCHLEVEL(ver) (((ver) >> 8) & 0xffU)

static inline uint32_t sys_kernel_version_get(void)
{
	return KERNELVERSION;
}

#ifdef __cplusplus
}
#endif

#endif /* ZEPHYR_INCLUDE_KERNEL_VERSION_H_ */
