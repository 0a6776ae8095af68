/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The default domain of programs that do not ask for memory domains: the linker takes this member where no unit of the
 * program has defined it, which those with CONFIG_USERSPACE do. (Zephyr: kernel/mem_domain.c)
 */
#ifndef CONFIG_USERSPACE
#define CONFIG_USERSPACE 1
#endif
#include <zephyr/app_memory/mem_domain.h>
