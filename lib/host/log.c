/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text without stdio: a formatter for what reports need, and raw writes.
 */
#include "host/log.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "host/file.h"

#define STDERR 2
#define LINE_SIZE 512

/* Where the formatter writes; length counts what would have been written. */
struct sink {
	char *buffer;
	size_t size;
	size_t length;
};

/* One conversion: %[flags][width][.precision][length]letter. */
struct conversion {
	bool is_left;
	bool is_zero;
	int width;
	int precision; /* -1: none */
	unsigned int bytes; /* of the integer argument */
	char letter;
};

static void put(struct sink *sink, char c)
{
	if (sink->length + 1 < sink->size) {
		sink->buffer[sink->length] = c;
	}
	sink->length++;
}

/* A field: prefix, zeros or blanks to the width, text. */
static void put_field(struct sink *sink, const struct conversion *conversion, const char *prefix, const char *text,
		      size_t text_length)
{
	size_t used = strlen(prefix) + text_length;
	size_t width = conversion->width > 0 ? (size_t)conversion->width : 0;
	size_t pad = width > used ? width - used : 0;

	for (size_t i = 0; i < pad && !conversion->is_left && !conversion->is_zero; i++) {
		put(sink, ' ');
	}
	while (*prefix != '\0') {
		put(sink, *prefix++);
	}
	for (size_t i = 0; i < pad && !conversion->is_left && conversion->is_zero; i++) {
		put(sink, '0');
	}
	for (size_t i = 0; i < text_length; i++) {
		put(sink, text[i]);
	}
	for (size_t i = 0; i < pad && conversion->is_left; i++) {
		put(sink, ' ');
	}
}

static void put_number(struct sink *sink, const struct conversion *conversion, const char *prefix, uint64_t value)
{
	const char *digits = conversion->letter == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
	unsigned int base = conversion->letter == 'd' || conversion->letter == 'u' ? 10 : 16;
	char text[24]; /* 2^64 has 20 digits */
	size_t start = sizeof(text);

	do {
		text[--start] = digits[value % base];
		value /= base;
	} while (value != 0);
	put_field(sink, conversion, prefix, text + start, sizeof(text) - start);
}

static const char *parse_length(const char *format, unsigned int *bytes)
{
	*bytes = sizeof(int);
	switch (*format) {
	case 'h':
		*bytes = format[1] == 'h' ? 1 : sizeof(short);
		return format + (format[1] == 'h' ? 2 : 1);
	case 'l':
		*bytes = format[1] == 'l' ? sizeof(long long) : sizeof(long);
		return format + (format[1] == 'l' ? 2 : 1);
	case 'z':
	case 't':
		*bytes = sizeof(size_t);
		return format + 1;
	case 'j':
		*bytes = sizeof(intmax_t);
		return format + 1;
	default:
		return format;
	}
}

static const char *parse_digits(const char *format, int *value)
{
	*value = 0;
	while (*format >= '0' && *format <= '9') {
		*value = *value * 10 + (*format++ - '0');
	}
	return format;
}

/* Take an integer argument of the conversion's length: sign-extended, or not. */
static uint64_t take_signed(uint64_t value, unsigned int bytes)
{
	unsigned int shift = 64 - 8 * bytes;

	return (uint64_t)((int64_t)(value << shift) >> shift);
}

static uint64_t take_unsigned(uint64_t value, unsigned int bytes)
{
	unsigned int shift = 64 - 8 * bytes;

	return value << shift >> shift;
}

int kmem_vformat(char *buffer, size_t size, const char *format, va_list args)
{
	struct sink sink = {.buffer = buffer, .size = size};

	while (*format != '\0') {
		struct conversion conversion = {.precision = -1};
		uint64_t value = 0;

		if (*format != '%') {
			put(&sink, *format++);
			continue;
		}
		format++;
		while (*format == '-' || *format == '0') {
			conversion.is_left |= *format == '-';
			conversion.is_zero |= *format == '0';
			format++;
		}
		if (*format == '*') {
			conversion.width = va_arg(args, int);
			if (conversion.width < 0) {
				conversion.is_left = true;
				conversion.width = -conversion.width;
			}
			format++;
		} else {
			format = parse_digits(format, &conversion.width);
		}
		if (*format == '.') {
			format++;
			if (*format == '*') {
				conversion.precision = va_arg(args, int);
				format++;
			} else {
				format = parse_digits(format, &conversion.precision);
			}
		}
		format = parse_length(format, &conversion.bytes);
		conversion.letter = *format == 'i' ? 'd' : *format;
		switch (conversion.letter) {
		case 'd':
		case 'u':
		case 'x':
		case 'X':
			value = conversion.bytes > sizeof(int) ? va_arg(args, uint64_t) : va_arg(args, unsigned int);
			if (conversion.letter == 'd') {
				int64_t number = (int64_t)take_signed(value, conversion.bytes);

				put_number(&sink, &conversion, number < 0 ? "-" : "",
					   number < 0 ? 0 - (uint64_t)number : (uint64_t)number);
			} else {
				put_number(&sink, &conversion, "", take_unsigned(value, conversion.bytes));
			}
			break;
		case 'p':
			put_number(&sink, &conversion, "0x", (uintptr_t)va_arg(args, void *));
			break;
		case 's': {
			const char *text = va_arg(args, const char *);
			size_t limit = conversion.precision < 0 ? SIZE_MAX : (size_t)conversion.precision;

			text = text != NULL ? text : "(null)";
			conversion.is_zero = false;
			put_field(&sink, &conversion, "", text, strnlen(text, limit));
			break;
		}
		case 'c': {
			char c = (char)va_arg(args, int);

			conversion.is_zero = false;
			put_field(&sink, &conversion, "", &c, 1);
			break;
		}
		case '\0':
			continue;
		default:
			put(&sink, conversion.letter);
			break;
		}
		format++;
	}
	if (size > 0) {
		buffer[sink.length < size ? sink.length : size - 1] = '\0';
	}
	return (int)sink.length;
}

int kmem_format(char *buffer, size_t size, const char *format, ...)
{
	va_list args;
	int length;

	va_start(args, format);
	length = kmem_vformat(buffer, size, format, args);
	va_end(args);
	return length;
}

static bool is_shown(enum kmem_log_level level)
{
	const char *wanted;

	if (level <= KMEM_LOG_WARNING) {
		return true;
	}
	wanted = getenv("KMEM_LOG");
	return wanted != NULL && strcmp(wanted, "info") == 0;
}

void kmem_log(enum kmem_log_level level, const char *format, ...)
{
	static const char *const names[] = {"error", "warning", "info"};
	char line[LINE_SIZE];
	size_t length;
	va_list args;

	if (!is_shown(level)) {
		return;
	}
	length = (size_t)kmem_format(line, sizeof(line), "kmem: %s: ", names[level]);
	va_start(args, format);
	length += (size_t)kmem_vformat(line + length, sizeof(line) - length, format, args);
	va_end(args);
	if (length > sizeof(line) - 2) {
		length = sizeof(line) - 2;
	}
	line[length++] = '\n';
	(void)kmem_host_file_append(STDERR, line, length);
}

void kmem_print(const char *format, ...)
{
	char text[LINE_SIZE];
	size_t length;
	va_list args;

	va_start(args, format);
	length = (size_t)kmem_vformat(text, sizeof(text), format, args);
	va_end(args);
	if (length > sizeof(text) - 1) {
		length = sizeof(text) - 1;
	}
	(void)kmem_host_file_append(STDERR, text, length);
}

static void out_flush(struct kmem_out *out)
{
	int ret = out->used == 0 ? 0 : kmem_host_file_append(out->fd, out->buffer, out->used);

	if (out->error == 0) {
		out->error = ret;
	}
	out->used = 0;
}

void kmem_out(struct kmem_out *out, const char *format, ...)
{
	char text[LINE_SIZE];
	size_t length;
	va_list args;

	va_start(args, format);
	length = (size_t)kmem_vformat(text, sizeof(text), format, args);
	va_end(args);
	if (length > sizeof(text) - 1) {
		length = sizeof(text) - 1;
	}
	if (length > sizeof(out->buffer) - out->used) {
		out_flush(out);
	}
	memcpy(out->buffer + out->used, text, length);
	out->used += length;
}

int kmem_out_finish(struct kmem_out *out)
{
	out_flush(out);
	return out->error;
}
