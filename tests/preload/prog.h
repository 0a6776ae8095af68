/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the test programs share. They are ordinary programs: nothing here knows of libkmem.
 */
#ifndef TESTS_PRELOAD_PROG_H
#define TESTS_PRELOAD_PROG_H

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAGE 4096UL

/* For programs whose children write, too: nothing is kept in buffers. */
#define SAY(...) ((void)dprintf(STDOUT_FILENO, __VA_ARGS__))

/*
 * Go over more memory than there is RAM, so that what was in it is out. The sum of the first bytes of all pages tells whether they are
 * intact; the second ones are written to.
 */
static inline unsigned long walk_over(volatile unsigned char *memory, size_t size)
{
	unsigned long sum = 0;

	for (size_t i = 0; i < size; i += PAGE) {
		sum += memory[i];
		memory[i + 1]++;
	}
	return sum;
}

/* Memory of the heap, always. */
static inline void *get(size_t size)
{
	void *memory = malloc(size);

	if (memory == NULL) {
		abort();
	}
	return memory;
}

static inline char *text(const char *format, const char *a, int b)
{
	char *string = get(8192);

	(void)snprintf(string, 8192, format, a, b);
	return string;
}

/* What a program that was started has of its starter's signals. */
static inline void masks_tell(void)
{
	struct sigaction action;
	sigset_t mask;

	(void)sigprocmask(SIG_BLOCK, NULL, &mask);
	SAY("  blocked:");
	for (int signo = 1; signo < 32; signo++) {
		if (sigismember(&mask, signo)) {
			SAY(" %d", signo);
		}
	}
	SAY(" ignored:");
	for (int signo = 1; signo < 32; signo++) {
		if (sigaction(signo, NULL, &action) == 0 && action.sa_handler == SIG_IGN) {
			SAY(" %d", signo);
		}
	}
	SAY("\n");
}

/* The result of a call, or its error. */
static inline void say(const char *what, long ret)
{
	if (ret < 0) {
		printf("%s: %s\n", what, strerror(errno));
	} else {
		printf("%s: %ld\n", what, ret);
	}
}

#endif /* TESTS_PRELOAD_PROG_H */
