/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The library's own file descriptors: out of the way of those that programs count on, and known, so that a program that closes
 * whatever it finds open (lib/preload/descriptor.c) leaves them alone. Close-on-exec, all of them. _sigsafe, errno untouched.
 */
#ifndef KMEM_HOST_DESCRIPTOR_H
#define KMEM_HOST_DESCRIPTOR_H

#include <stdbool.h>

/* A descriptor that the library has just opened becomes its own, at a high number where the limit allows: that number. */
int kmem_descriptor_own(int fd);

/* Another one for the same file, or -errno. */
int kmem_descriptor_duplicate(int fd);

/* Close one of them. */
void kmem_descriptor_close(int fd);

bool kmem_descriptor_is_own(int fd);

/* The lowest of them that is at least fd, or -1. */
int kmem_descriptor_next(int fd);

/* A pipe of our own. 0 or -errno; and whether nobody holds the other end of one any more. */
int kmem_descriptor_pipe(int *read_end, int *write_end);
bool kmem_descriptor_is_abandoned(int read_end);

#endif /* KMEM_HOST_DESCRIPTOR_H */
