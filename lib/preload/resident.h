/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies in resident memory of what a new program is given: strings, vectors, lists.
 *
 * Copying is done twice, in the same order: first with no memory, which only counts, then into as much as was counted. What does
 * not lie in the window is used where it is. A pointer that cannot be followed becomes one that the host kernel refuses with EFAULT,
 * so that no copy points into the window. _sigsafe.
 */
#ifndef KMEM_PRELOAD_RESIDENT_H
#define KMEM_PRELOAD_RESIDENT_H

#include <stddef.h>

struct kmem_resident {
	unsigned char *base; /* NULL while counting */
	size_t size;         /* of base */
	size_t used;
};

/* Room for size bytes; NULL while counting, and if the program changed what is copied meanwhile, so that it does not fit. */
void *kmem_resident_take(struct kmem_resident *resident, size_t size);

/* Copies; NULL stays NULL. In the counting run the results mean nothing. */
const char *kmem_resident_string(struct kmem_resident *resident, const char *string);
char *const *kmem_resident_vector(struct kmem_resident *resident, char *const *vector);
const void *kmem_resident_bytes(struct kmem_resident *resident, const void *from, size_t size);

/* Strings of a vector, without the NULL; 0 if it cannot be read. */
size_t kmem_resident_count(char *const *vector);

#endif /* KMEM_PRELOAD_RESIDENT_H */
