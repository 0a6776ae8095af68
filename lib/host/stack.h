/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Work under locks, for a thread whose stack is paged memory: a coroutine on a stack from malloc(), say.
 *
 * The stack's pages may be out, and go out, at any time; with one of the library's locks held no fault can be served. So what takes
 * such a lock on a program's behalf runs on the thread's alternate stack meanwhile, as a handler does.
 */
#ifndef KMEM_HOST_STACK_H
#define KMEM_HOST_STACK_H

/*
 * Call a function with an argument: on the alternate stack, where the caller's is paged and there is one of the library's own. What the
 * argument points to may be paged; the function copies it before it takes a lock. What the function returns. _sigsafe.
 */
long kmem_stack_call(long (*function)(void *argument), void *argument);

#endif /* KMEM_HOST_STACK_H */
