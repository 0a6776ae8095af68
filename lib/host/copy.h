/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copying from and to memory that may not be there.
 *
 * A system call that is given a bad pointer returns EFAULT; so must those that we make on a program's behalf. These touch the memory
 * with ordinary instructions: a page of the VM that is out comes in by a trap, and where the trap ends in a bad access, or the host
 * has nothing there, the copy stops instead of the program. No lock may be held. _sigsafe.
 */
#ifndef KMEM_HOST_COPY_H
#define KMEM_HOST_COPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Copy up to size bytes; how many were copied before memory ended. One of the two sides is the library's own. */
size_t kmem_copy(void *to, const void *from, size_t size);

/* Length of a string without its NUL, at most max, or -EFAULT; max if there is no NUL before. */
long kmem_copy_strnlen(const char *string, size_t max);

/*
 * In the handler of a trap: if the instruction that trapped is one of the above, make it stop there when the handler returns. To be
 * called when, and only when, the access cannot be served.
 */
bool kmem_copy_fixup(void *ucontext);

/*
 * What is asked of other instructions, there: it may change the context so that the handler returns elsewhere, and says whether it did. Set
 * once; NULL before.
 */
extern bool (*_Atomic kmem_copy_rescue)(void *ucontext);

#endif /* KMEM_HOST_COPY_H */
