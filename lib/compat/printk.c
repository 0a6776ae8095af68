/* SPDX-License-Identifier: Apache-2.0 */
/*
 * printk() and its siblings: the host's formatter, and the console.
 */
#include <zephyr/sys/printk.h>

#include <stdarg.h>
#include <stdio.h>

#include "console.h"

void vprintk(const char *fmt, va_list ap)
{
	kmem_console_vprint("", "", fmt, ap);
}

void printk(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vprintk(fmt, args);
	va_end(args);
}

int vsnprintk(char *str, size_t size, const char *fmt, va_list ap)
{
	return vsnprintf(str, size, fmt, ap);
}

int snprintk(char *str, size_t size, const char *fmt, ...)
{
	va_list args;
	int length;

	va_start(args, fmt);
	length = vsnprintk(str, size, fmt, args);
	va_end(args);
	return length;
}
