/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processes and the ends of threads.
 */
#ifndef KMEM_HOST_PROCESS_H
#define KMEM_HOST_PROCESS_H

#include <stdbool.h>
#include <stddef.h>

/* The process's id. _sigsafe. */
int kmem_process_id(void);

/* The program's name as the host shows it: of its file, at most 15 characters; "" where it does not tell. _sigsafe. */
void kmem_process_name(char *name, size_t size);

/* As pthread_atfork(). */
void kmem_process_at_fork(void (*prepare)(void), void (*parent)(void), void (*child)(void));

/*
 * What happens around a _Fork(), which runs no such handlers (interpose_fork.c). Set once by the kernel; nothing before. They must
 * be fit for signal handlers.
 */
struct kmem_process_fork_hooks {
	void (*prepare)(void);
	void (*parent)(void);
	void (*child)(void);
};
extern struct kmem_process_fork_hooks kmem_process_fork_hooks;

/* Whether the calling thread is the one that the process began with. _sigsafe. */
bool kmem_thread_is_main(void);

/* End the calling thread, with its cleanup handlers, and let others go on. */
_Noreturn void kmem_thread_exit(void);

/* End the process at once, without what exit() does. */
_Noreturn void kmem_process_exit(int status);

/* The name of an error number, "ENOMEM". _sigsafe. */
const char *kmem_error_name(int error);

#endif /* KMEM_HOST_PROCESS_H */
