/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fork(): only the calling thread lives on in the child. fork.c
 */
#ifndef KMEM_COMPAT_FORK_H
#define KMEM_COMPAT_FORK_H

/** Register the handlers of fork(). Once. */
void kmem_compat_fork_init(void);

#endif /* KMEM_COMPAT_FORK_H */
