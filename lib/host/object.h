/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The objects that are loaded, and the program among them: names, segments, heap. Normal context.
 */
#ifndef KMEM_HOST_OBJECT_H
#define KMEM_HOST_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The file name of the object that holds an address, "the program" where that is unknown. Lives as long as the object. */
const char *kmem_host_object_name(const void *address);

/* A piece of the program as it lies in memory, in whole host pages. */
struct kmem_segment {
	uintptr_t addr;
	size_t size;
	bool is_writable, is_executable;
	bool is_relro; /* read-only since the program was relocated */
};

#define KMEM_SEGMENTS_MAX 16

/* The segments of the program, in ascending order: their number, at most KMEM_SEGMENTS_MAX. */
size_t kmem_host_program_segments(struct kmem_segment *segments);

/* The program's file, open for reading: a descriptor, or -errno. */
int kmem_host_program_open(void);

/* A section of an ELF file: where it lies in memory, before the loader moved it, and in the file. */
struct kmem_file_section {
	uintptr_t addr;
	size_t size;
	size_t offset;
};

/* Find a section of an open file by name: 0, -ENOENT, or -errno. */
int kmem_host_section_find(int fd, const char *name, struct kmem_file_section *section);

/* The pages that brk() has given the process: 0, or -ENOENT if there are none. */
int kmem_host_heap_get(uintptr_t *start, uintptr_t *end);

#endif /* KMEM_HOST_OBJECT_H */
