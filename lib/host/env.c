/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The environment; sizes, times and signals as people write them.
 */
#include "host/env.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PREFIX "KMEM_"
#define NAME_MAX_SIZE 64

const char *kmem_env_get(const char *name)
{
	const char *value = getenv(name);

	return value != NULL && value[0] != '\0' ? value : NULL;
}

void kmem_env_walk(void (*visit)(const char *name, const char *value, void *arg), void *arg)
{
	for (char **entry = environ; entry != NULL && *entry != NULL; entry++) {
		const char *equals = strchr(*entry, '=');
		char name[NAME_MAX_SIZE];
		size_t length;

		if (equals == NULL || strncmp(*entry, PREFIX, sizeof(PREFIX) - 1) != 0) {
			continue;
		}
		length = (size_t)(equals - *entry);
		if (length >= sizeof(name)) {
			length = sizeof(name) - 1;
		}
		memcpy(name, *entry, length);
		name[length] = '\0';
		visit(name, equals + 1, arg);
	}
}

/* The sanitizer's run time, where there is one. */
extern void __asan_init(void) __attribute__((weak));

bool kmem_env_is_asan(void)
{
	return __asan_init != NULL;
}

static unsigned int digit(char c)
{
	if (c >= '0' && c <= '9') {
		return (unsigned int)(c - '0');
	}
	c |= 0x20; /* lower case */
	return c >= 'a' && c <= 'f' ? (unsigned int)(c - 'a') + 10 : 16;
}

static const char *parse_number(const char *text, size_t *value, int *error)
{
	unsigned int base = 10;
	const char *start;

	if (text[0] == '0' && (text[1] | 0x20) == 'x') {
		base = 16;
		text += 2;
	}
	*value = 0;
	for (start = text; digit(*text) < base; text++) {
		if (__builtin_mul_overflow(*value, (size_t)base, value) ||
		    __builtin_add_overflow(*value, (size_t)digit(*text), value)) {
			*error = -ERANGE;
			return text;
		}
	}
	*error = text == start ? -EINVAL : 0;
	return text;
}

/* Bits to shift by for a unit's letter; 0: no unit. */
static unsigned int unit_shift(char letter)
{
	switch (letter | 0x20) {
	case 'k':
		return 10;
	case 'm':
		return 20;
	case 'g':
		return 30;
	case 't':
		return 40;
	default:
		return 0;
	}
}

int kmem_size_parse(const char *text, size_t *size)
{
	unsigned int shift;
	size_t value;
	int error;

	text = parse_number(text, &value, &error);
	if (error != 0) {
		return error;
	}
	shift = unit_shift(*text);
	if (shift != 0) {
		text++;
		text += (*text | 0x20) == 'i' && (text[1] | 0x20) == 'b' ? 1 : 0;
	}
	text += (*text | 0x20) == 'b' ? 1 : 0;
	if (*text != '\0') {
		return -EINVAL;
	}
	if (value > SIZE_MAX >> shift) {
		return -ERANGE;
	}
	*size = value << shift;
	return 0;
}

#define MS_PER_SECOND 1000UL

int kmem_seconds_parse(const char *text, unsigned int *milliseconds)
{
	size_t value;
	int error;

	if (digit(*text) >= 10 || (text[0] == '0' && (text[1] | 0x20) == 'x')) {
		return -EINVAL;
	}
	text = parse_number(text, &value, &error);
	if (error == 0 && __builtin_mul_overflow(value, MS_PER_SECOND, &value)) {
		error = -ERANGE;
	}
	if (error != 0) {
		return error;
	}
	if (*text == '.') {
		text++;
		for (size_t weight = MS_PER_SECOND / 10; weight > 0 && digit(*text) < 10; weight /= 10) {
			value += weight * digit(*text++);
		}
	}
	if (*text != '\0') {
		return -EINVAL;
	}
	if (value > UINT_MAX) {
		return -ERANGE;
	}
	*milliseconds = (unsigned int)value;
	return 0;
}

/* A signal by its number, or by its distance from the first real-time one. */
static int signal_number(const char *text, int base)
{
	size_t value;
	int error;

	text = parse_number(text, &value, &error);
	if (error != 0 || *text != '\0' || value > (size_t)(SIGRTMAX - base)) {
		return -EINVAL;
	}
	return base + (int)value;
}

int kmem_signal_parse(const char *text)
{
	if (digit(*text) < 10) {
		int signo = signal_number(text, 0);

		return signo > 0 ? signo : -EINVAL;
	}
	if (strncmp(text, "SIG", 3) == 0) {
		text += 3;
	}
	if (strncmp(text, "RTMIN", 5) == 0) {
		return text[5] == '\0' ? SIGRTMIN : text[5] == '+' ? signal_number(text + 6, SIGRTMIN) : -EINVAL;
	}
	for (int signo = 1; signo < SIGRTMIN; signo++) {
		const char *name = sigabbrev_np(signo);

		if (name != NULL && strcmp(name, text) == 0) {
			return signo;
		}
	}
	return -EINVAL;
}
