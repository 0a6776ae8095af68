/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Becoming another program: the search for it, and the scripts that name no interpreter. What execvp() does, out of resident memory.
 */
#ifndef KMEM_PRELOAD_EXEC_H
#define KMEM_PRELOAD_EXEC_H

#include <stdbool.h>

#include "preload/resident.h"

struct kmem_exec {
	int fd;    /* AT_FDCWD, or what file is relative to */
	int flags; /* of execveat() */
	const char *file;
	char *const *argv;
	char *const *envp;
	const char *search;  /* directories with colons between, where file is looked for; NULL: nowhere else */
	bool is_shell_tried; /* a file of no known format is given to the shell */
	char **shell_argv;   /* room for its vector, made by kmem_exec_copy() */
};

/* The directories to search for a file, from the environment: NULL if it says itself where it is. Reads the program's memory. */
const char *kmem_exec_search(const char *file);

/* Replace the pointers of exec by copies. Twice, see resident.h; keep the original for the second run. */
void kmem_exec_copy(struct kmem_exec *exec, struct kmem_resident *resident);

/* Become the program. Returns on failure only: -errno. Touches nothing but its own stack and the copies. _sigsafe. */
int kmem_exec_run(const struct kmem_exec *exec);

#endif /* KMEM_PRELOAD_EXEC_H */
