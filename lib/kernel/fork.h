/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fork: parent and child each have RAM and store contents of their own from the moment of the fork.
 */
#ifndef KMEM_KERNEL_FORK_H
#define KMEM_KERNEL_FORK_H

#include <stdbool.h>

/* Register the handlers; once, from a constructor, so that ours run next to the fork itself. */
void kmem_fork_init(void);

/*
 * In a trap of a thread that holds the kernel lock: whether it is the forking one between the handlers. In the child, whose
 * VM is a hole until then, the copy is put in place first.
 */
bool kmem_fork_window_enter(void);

/* Whether that is so, asked by the thread that is served: the kernel lock is not to be dropped then. _sigsafe. */
bool kmem_fork_is_window(void);

/*
 * 0, or the -errno for which this process, a child, may not use the VM. Not in a trap in the window before kmem_fork_window_enter().
 * No system call. _sigsafe.
 */
int kmem_fork_error(void);

#endif /* KMEM_KERNEL_FORK_H */
