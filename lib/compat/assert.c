/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a program's failed assertions end in, unless it has functions of its own by these names.
 */
#include <zephyr/sys/__assert.h>

#include <stdarg.h>

#include <kmem/fatal.h>

#include "console.h"

__weak void assert_print(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	kmem_console_vprint("", "", fmt, args);
	va_end(args);
}

/* Callers with CONFIG_ASSERT_NO_FILE_INFO pass nothing. */
__weak void assert_post_action(const char *file, unsigned int line)
{
	ARG_UNUSED(file);
	ARG_UNUSED(line);
	kmem_fatal_raise(K_ERR_KERNEL_PANIC);
}
