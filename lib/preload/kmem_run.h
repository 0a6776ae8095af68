/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kmem-run: start an ordinary program in emulated RAM. What the files of the command share; it is a program of its own, with stdio.
 */
#ifndef KMEM_PRELOAD_KMEM_RUN_H
#define KMEM_PRELOAD_KMEM_RUN_H

#include <stdbool.h>
#include <stddef.h>

#define KMEM_RUN_LIBRARY "libkmem-preload.so"

/* As env(1) and its kin have it. */
enum kmem_run_status {
	KMEM_RUN_OK = 0,
	KMEM_RUN_FAILED = 125,         /* kmem-run itself: options, library, settings */
	KMEM_RUN_CANNOT_INVOKE = 126,  /* the program is there, but cannot be run so */
	KMEM_RUN_NOT_FOUND = 127,
};

/* kmem_run.c: say what is wrong on standard error, behind the command's name. */
void kmem_run_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * kmem_run_program.c: find a program as execvp() does, and look whether it can be run in emulated RAM: path (of path_size bytes) is what to
 * execute. KMEM_RUN_OK, or what to end with, and what to do has been said.
 */
enum kmem_run_status kmem_run_program_check(const char *name, char *path, size_t path_size);

/* Whether the file at path is libkmem-preload.so for this machine; if not, why has been said. */
bool kmem_run_library_check(const char *path);

/* kmem_run_elf.c: what is said of a file by its first bytes, and by what it is linked with. */
enum kmem_run_kind {
	KMEM_RUN_UNREADABLE,
	KMEM_RUN_SCRIPT,
	KMEM_RUN_FOREIGN,   /* neither a script nor ELF */
	KMEM_RUN_OTHER_CPU, /* ELF for another machine, or 32-bit */
	KMEM_RUN_BROKEN,    /* ELF that contradicts itself */
	KMEM_RUN_STATIC,
	KMEM_RUN_DYNAMIC,
};

#define KMEM_RUN_TEXT_SIZE 256 /* what the host kernel reads of a script's first line */

struct kmem_run_file {
	enum kmem_run_kind kind;
	char interpreter[4096]; /* SCRIPT, DYNAMIC */
	char argument[KMEM_RUN_TEXT_SIZE]; /* SCRIPT: behind the interpreter; "" */
	bool ends_in_cr; /* SCRIPT: the first line; the CR is not in the texts above, as it is for the host kernel */
	bool is_library; /* STATIC, DYNAMIC: of the type of shared objects */
	bool is_preload_library; /* STATIC: by the name that it has for the dynamic linker */
	bool needs_libkmem, needs_sanitizer; /* DYNAMIC, by the names of the libraries that it is linked with */
};

void kmem_run_file_read(const char *path, struct kmem_run_file *file);

#endif /* KMEM_PRELOAD_KMEM_RUN_H */
