/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Printing to the console, which is standard output's descriptor. (Zephyr: sys/printk.h)
 *
 * The conversions are those of the host's printf. No call goes through stdio: what stdio has buffered for standard
 * output comes later. Text is written at once, each call by one write(2) as long as the host takes it whole, and errno
 * is kept. Context: anywhere, in signal handlers and in fatal error handlers too, as long as only integers, characters,
 * strings and pointers of moderate width are printed: the host's vsnprintf() allocates for wide characters, floating
 * point of many digits, and widths and precisions above about a thousand.
 */
#ifndef ZEPHYR_INCLUDE_SYS_PRINTK_H_
#define ZEPHYR_INCLUDE_SYS_PRINTK_H_

#include <kmem/kconfig.h>

#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>

#include <zephyr/toolchain.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/* No format attributes: see __printf_like(). */

/** Print to the console. */
void printk(const char *fmt, ...);
void vprintk(const char *fmt, va_list ap);

/** Print to memory: snprintf(), vsnprintf(). @return how long the text is, or would have been */
int snprintk(char *str, size_t size, const char *fmt, ...);
int vsnprintk(char *str, size_t size, const char *fmt, va_list ap);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* ZEPHYR_INCLUDE_SYS_PRINTK_H_ */
