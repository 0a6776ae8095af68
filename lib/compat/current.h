/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which record is the calling thread's. current.c
 */
#ifndef KMEM_COMPAT_CURRENT_H
#define KMEM_COMPAT_CURRENT_H

#include "compat/wait.h"

/** Say whose the calling thread is; NULL at its end. */
void kmem_host_set(struct kmem_host_thread *host);

/** In the child of a fork: the records of its only thread have a new id. */
void kmem_host_forked(void);

#endif /* KMEM_COMPAT_CURRENT_H */
