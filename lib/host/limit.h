/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Limits of the host that are meant for the program, not for the library: the size of files, RLIMIT_FSIZE, and the number of descriptors,
 * RLIMIT_NOFILE. RAM and store are files; a program that limits its own would have its pages refused, or its forks.
 *
 * *Lifted*, a soft limit is as high as the hard one. That is so for the time of one system call of the library's own, after the limit has
 * refused it. Limits are of a process: what another thread does in that very instant is measured by the hard limit.
 */
#ifndef KMEM_HOST_LIMIT_H
#define KMEM_HOST_LIMIT_H

#include <stdint.h>
#include <sys/resource.h>

/* Lift limits from now on. Without this they count for the library as for the program. Before there are threads. */
void kmem_host_limit_lift_allow(void);

/*
 * Make a system call that a limit, RLIMIT_FSIZE or RLIMIT_NOFILE, counts for: its result or -errno, errno untouched. For the former,
 * the caller has blocked signals: SIGXFSZ is taken back. _sigsafe, under any lock.
 */
#define KMEM_HOST_LIMIT_ARGS 4

long kmem_host_limit_call(int resource, long number, const long args[KMEM_HOST_LIMIT_ARGS]);

/* Arguments of it, pointers as numbers; those left out are 0. */
#define KMEM_HOST_LIMITED(resource, number, ...)                                                                       \
	kmem_host_limit_call((resource), (number), (const long[KMEM_HOST_LIMIT_ARGS]){__VA_ARGS__})

/*
 * The process's limit of any kind, while none is lifted: changed if `limit` is not NULL, and, as it was, put into `old` if that is not
 * NULL. 0 or -errno. _sigsafe; the caller holds none of the library's locks. The structures may be paged memory.
 */
int kmem_host_limit_exchange(int resource, const struct rlimit *limit, struct rlimit *old);

/* A fork while none is lifted: the last thing before it, and the first thing in the parent. Signals are blocked. */
void kmem_host_limit_fork_prepare(void);
void kmem_host_limit_fork_parent(void);

/* In the child: the lock is the forking thread's, whose id has changed; and at the end, free. */
void kmem_host_limit_fork_adopt(void);
void kmem_host_limit_fork_child(void);

#endif /* KMEM_HOST_LIMIT_H */
