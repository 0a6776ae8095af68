/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rebooting: a host process ends. (Zephyr: sys/reboot.h)
 */
#ifndef ZEPHYR_INCLUDE_SYS_REBOOT_H_
#define ZEPHYR_INCLUDE_SYS_REBOOT_H_

#include <kmem/kconfig.h>

#include <stdlib.h>

#include <zephyr/toolchain.h>

#define SYS_REBOOT_WARM 0
#define SYS_REBOOT_COLD 1

#ifdef __cplusplus
extern "C" {
#endif

/** End the process, successfully, by exit(). Context: not in handlers of signals. */
FUNC_NORETURN static inline void sys_reboot(int type)
{
	ARG_UNUSED(type);
	exit(EXIT_SUCCESS);
}

#ifdef __cplusplus
}
#endif

#endif /* ZEPHYR_INCLUDE_SYS_REBOOT_H_ */
