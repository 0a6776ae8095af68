/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System calls as they are, and those that copy the process.
 */
#ifndef KMEM_PRELOAD_CLONE_H
#define KMEM_PRELOAD_CLONE_H

/* A system call by its number, as the C library's syscall(); what the library's own calls of that end at (syscall.c). _sigsafe. */
extern long __wrap_syscall(long nr, ...);

/* One that copies the process and returns twice on the caller's stack, with the hooks around a fork. The result and errno are its own. */
long kmem_clone_fork(long nr, long a, long b, long c, long d, long e);

#endif /* KMEM_PRELOAD_CLONE_H */
