/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The console, standard output's descriptor. All that printk(), the log and the test framework print goes through here,
 * and never through stdio: it may come from a handler of SIGSEGV that interrupted stdio.
 */
#ifndef KMEM_COMPAT_CONSOLE_H
#define KMEM_COMPAT_CONSOLE_H

#include <stdarg.h>
#include <stddef.h>

/**
 * Write text to descriptor 1, all of it unless the host reports an error. The text may lie in paged memory. errno is
 * kept. Context: anywhere, signal handlers too. No point of cancellation.
 */
void kmem_console_write(const char *text, size_t size);

/**
 * Write @p head, what vsnprintf() makes of @p fmt, and @p tail, by one kmem_console_write(). errno is kept.
 *
 * Head and tail are below 256 bytes together. Text of about 500 bytes and more is composed in memory that is mapped for
 * it, and cut where the host gives none. Context: anywhere, with the conversions that printk() documents.
 */
void kmem_console_vprint(const char *head, const char *tail, const char *fmt, va_list args);

#endif /* KMEM_COMPAT_CONSOLE_H */
