/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libkmem's engines, one after the other, each in a child process: whatever an engine does to the process is gone with it, and
 * one that crashes takes nothing along.
 */
#ifndef BENCH_ENGINES_H
#define BENCH_ENGINES_H

#include <stdbool.h>
#include <stddef.h>

struct kmem_config;

/* The next of the names in a list separated by commas, or NULL behind the last. */
const char *engine_next(const char **list, char *name, size_t size);

/* kmem_boot() without its line on standard error. */
int engine_boot(const struct kmem_config *config);

/*
 * Call a function with the name of every engine in --engines, each time in a child process, from which a row with the reason comes where
 * this host refuses the engine. Ends the program if a child fails.
 */
void engines_each(void (*measure)(const char *engine));

#endif /* BENCH_ENGINES_H */
