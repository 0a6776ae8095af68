/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text without stdio: formatting into a buffer, lines to standard error. _sigsafe throughout, errno untouched.
 *
 * Formats understood: %s %c %d %i %u %x %X %p %%, length h hh l ll z j t, the flags - and 0, a width, * as width, a
 * precision for %s.
 */
#ifndef KMEM_HOST_LOG_H
#define KMEM_HOST_LOG_H

#include <stdarg.h>
#include <stddef.h>

/* As vsnprintf(): always ends in NUL where size > 0; returns the length the whole text would have had. */
int kmem_vformat(char *buffer, size_t size, const char *format, va_list args);
int kmem_format(char *buffer, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

enum kmem_log_level {
	KMEM_LOG_ERROR,
	KMEM_LOG_WARNING,
	KMEM_LOG_INFO,
};

/* One line, "kmem: error: ..." and a newline, in one write. At most 511 bytes. Levels above KMEM_LOG_WARNING only if
 * the environment has KMEM_LOG=info. */
void kmem_log(enum kmem_log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Text to standard error as it is, without prefix or newline. At most 511 bytes, here and in each kmem_out(). */
void kmem_print(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * Buffered text to a descriptor: a report is a sequence of kmem_out() and one kmem_out_finish(). As much as a pipe takes in one piece is
 * written at once, so that the short reports of several processes do not mix.
 */
struct kmem_out {
	int fd;
	int error; /* first -errno of a write */
	size_t used;
	char buffer[4096];
};

void kmem_out(struct kmem_out *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
int kmem_out_finish(struct kmem_out *out); /* 0 or the first -errno */

#endif /* KMEM_HOST_LOG_H */
