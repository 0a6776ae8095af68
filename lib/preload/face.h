/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pointers behind pointers: what the filter cannot see in a call's registers.
 */
#ifndef KMEM_PRELOAD_FACE_H
#define KMEM_PRELOAD_FACE_H

#include <stddef.h>

#include "preload/call.h"

/*
 * Argument arg of system call nr, marked if something behind it lies in the window while it itself does not, so that the filter traps the
 * call; else as it is. count: how many elements an array has. A pointer that cannot be followed stays as it is, too: the host
 * kernel cannot either. _sigsafe.
 */
void *kmem_face_pointer(long nr, unsigned int arg, enum kmem_call_shape shape, const void *pointer, size_t count);

/* The same for the argument of an ioctl(), of the requests that the table knows to take a structure with a pointer in it. _sigsafe. */
void *kmem_face_ioctl_pointer(unsigned long request, void *pointer);

/* The same for the value of a setsockopt(), and prctl()'s third argument: programs for the host kernel's filters. _sigsafe. */
void *kmem_face_setsockopt_pointer(int level, int option, const void *pointer);
unsigned long kmem_face_prctl_value(int option, unsigned long mode, unsigned long value);

#endif /* KMEM_PRELOAD_FACE_H */
