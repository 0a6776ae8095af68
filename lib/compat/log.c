/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Log messages: a line each, by one write.
 */
#include <zephyr/logging/log_core.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "console.h"

#define HEAD_SIZE 128
#define BYTES_IN_LINE 16

static const char *const level_names[] = {"", "<err> ", "<wrn> ", "<inf> ", "<dbg> "};

/* "<err> module: function: ", cut where names are too long. */
static void compose_head(char head[HEAD_SIZE], const struct kmem_log_module *module, unsigned int level,
			 const char *function)
{
	const char *name = level_names[level < ARRAY_SIZE(level_names) ? level : 0];

	(void)snprintf(head, HEAD_SIZE, "%s%s: %s%s", name, module->name, function != NULL ? function : "",
		       function != NULL ? ": " : "");
}

void kmem_log_print(const struct kmem_log_module *module, unsigned int level, const char *function, const char *fmt,
		    ...)
{
	char head[HEAD_SIZE];
	int error = errno;
	va_list args;

	compose_head(head, module, level, function);
	errno = error;
	va_start(args, fmt);
	kmem_console_vprint(head, "\n", fmt, args);
	va_end(args);
}

/* Hexadecimal digits, and behind a bar what is printable. */
static void print_bytes(const uint8_t *bytes, size_t count)
{
	char digits[BYTES_IN_LINE * 3 + 1] = "";
	char letters[BYTES_IN_LINE + 1] = "";

	for (size_t i = 0; i < count; i++) {
		(void)snprintf(&digits[3 * i], 4, "%02x ", bytes[i]);
		letters[i] = (char)(bytes[i] >= ' ' && bytes[i] <= '~' ? bytes[i] : '.');
	}
	printk("      %-48s|%s\n", digits, letters);
}

void kmem_log_hexdump(const struct kmem_log_module *module, unsigned int level, const void *data, size_t length,
		      const char *text)
{
	const uint8_t *bytes = data;

	kmem_log_print(module, level, NULL, "%s", text);
	for (size_t i = 0; i < length; i += BYTES_IN_LINE) {
		print_bytes(&bytes[i], MIN(length - i, BYTES_IN_LINE));
	}
}
