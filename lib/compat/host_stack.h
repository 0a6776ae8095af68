/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stacks that threads really run on: the host's, or, where the program sets CONFIG_THREAD_STACK_MEM_MAPPED, mapped memory
 * between guard pages. A touch of the guard is a stack overflow, K_ERR_STACK_CHK_FAIL, in either case.
 */
#ifndef KMEM_COMPAT_HOST_STACK_H
#define KMEM_COMPAT_HOST_STACK_H

#include <pthread.h>

#include "compat/wait.h"

/** Give a thread that will be made a stack for so many bytes of Zephyr's: 0, or a number of errno. */
int kmem_host_stack_get(struct kmem_host_thread *host, size_t declared, pthread_attr_t *attr);

/** Note where the stack of the calling thread begins. */
void kmem_host_stack_note(struct kmem_host_thread *host);

/** Free what get has mapped. The thread has ended. */
void kmem_host_stack_put(struct kmem_host_thread *host);

#endif /* KMEM_COMPAT_HOST_STACK_H */
