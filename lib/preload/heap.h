/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program's heap in the VM: jemalloc under other names (jemalloc.syms), on memory of heap_memory.c.
 */
#ifndef KMEM_PRELOAD_HEAP_H
#define KMEM_PRELOAD_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

void *kmem_je_malloc(size_t size);
void kmem_je_free(void *pointer);
void *kmem_je_calloc(size_t count, size_t size);
void *kmem_je_realloc(void *pointer, size_t size);
void *kmem_je_memalign(size_t align, size_t size);
size_t kmem_je_malloc_usable_size(const void *pointer);
int kmem_je_mallctl(const char *name, void *old, size_t *old_size, void *new, size_t new_size);

/* Bring the allocator up, so that it registers its fork handlers now. 0 or -ENOMEM. */
int kmem_heap_init(void);

/* heap_memory.c: what the allocator takes for the host's functions of these names. None touches errno. */
void *kmem_heap_mmap(void *addr, size_t size, int prot, int flags, int fd, off_t offset);
int kmem_heap_munmap(void *addr, size_t size);
int kmem_heap_mprotect(void *addr, size_t size, int prot);
int kmem_heap_madvise(void *addr, size_t size, int advice);
char *kmem_heap_getenv(const char *name);
ssize_t kmem_heap_readlink(const char *path, char *buffer, size_t size);

#endif /* KMEM_PRELOAD_HEAP_H */
