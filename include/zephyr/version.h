/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The version of Zephyr whose interfaces these headers have. (Zephyr: version.h) libkmem's own is elsewhere.
 */
#ifndef ZEPHYR_INCLUDE_VERSION_H_
#define ZEPHYR_INCLUDE_VERSION_H_

#include <kmem/kconfig.h>

/* Bytes from the top: major, minor, patch level, tweak; and the same without the last. */
#define KERNELVERSION 0x4010000
#define KERNEL_VERSION_NUMBER 0x40100
#define KERNEL_VERSION_MAJOR 4
#define KERNEL_VERSION_MINOR 1
#define KERNEL_PATCHLEVEL 0
#define KERNEL_TWEAK 0
#define KERNEL_VERSION_STRING "4.1.0"
#define KERNEL_VERSION_EXTENDED_STRING "4.1.0+0"
#define KERNEL_VERSION_TWEAK_STRING "4.1.0+0"

#define ZEPHYR_VERSION_CODE 262400
#define ZEPHYR_VERSION(a, b, c) (((a) << 16) + ((b) << 8) + ((c) > 255 ? 255 : (c)))

#ifndef BUILD_VERSION
#define BUILD_VERSION v4.1.0
#endif

#endif /* ZEPHYR_INCLUDE_VERSION_H_ */
