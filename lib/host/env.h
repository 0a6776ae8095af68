/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The environment, and the numbers people write. Normal context.
 */
#ifndef KMEM_HOST_ENV_H
#define KMEM_HOST_ENV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Value of a variable, NULL if unset or empty. */
const char *kmem_env_get(const char *name);

/* Call visit for every variable whose name begins with "KMEM_". */
void kmem_env_walk(void (*visit)(const char *name, const char *value, void *arg), void *arg);

/* Whether the program runs with AddressSanitizer, whose shadow takes the low addresses. */
bool kmem_env_is_asan(void);

/*
 * Parse a size: digits (0x for hexadecimal) and an optional K, M, G or T, either case, with an optional B or iB behind it.
 * 0, -EINVAL for anything else, -ERANGE where it does not fit.
 */
int kmem_size_parse(const char *text, size_t *size);

/*
 * Parse a time in seconds, with up to three decimals: "5", "0.25". 0 with milliseconds; -EINVAL for anything else, -ERANGE where it
 * does not fit.
 */
int kmem_seconds_parse(const char *text, unsigned int *milliseconds);

/* Parse a signal: "USR2", "SIGUSR2", "RTMIN+1" or a number. The number, or -EINVAL where there is no such signal. */
int kmem_signal_parse(const char *text);

#endif /* KMEM_HOST_ENV_H */
