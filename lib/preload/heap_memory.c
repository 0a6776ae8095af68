/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The allocator's memory: what jemalloc takes for mmap(), munmap(), mprotect() and madvise(), over address space of the VM.
 *
 * It gets zeroes and gives back by madvise() what it has freed, which is dropped from RAM and store at once. Its own tables lie there,
 * too, and are paged as all else. It asks for neither files nor protection beyond reading and writing. Nothing here sets errno, which
 * it does not look at: so free() leaves it alone.
 *
 * Called with the allocator's locks held; takes the kernel lock. Not for traps.
 */
#include "preload/heap.h"

#include <errno.h>
#include <sys/mman.h>

#include "host/memory.h"
#include "kernel/kernel.h"
#include "kernel/space.h"
#include "preload/limit.h"

/* The allocator wants large pieces at multiples of this, and would map twice as much to find one. */
#define ALIGN_LARGE (2UL * 1024 * 1024)

static size_t whole_pages(size_t size)
{
	return (size + kmem_page_size() - 1) & ~(kmem_page_size() - 1);
}

static unsigned int prot_of(int prot)
{
	unsigned int wanted = (unsigned int)prot & (KMEM_PROT_READ | KMEM_PROT_WRITE | KMEM_PROT_EXEC);

	return wanted != 0 ? wanted | KMEM_PROT_READ : KMEM_PROT_NONE;
}

void *kmem_heap_mmap(void *addr, size_t size, int prot, int flags, int fd, off_t offset)
{
	enum kmem_space_place place = (flags & MAP_FIXED) != 0 ? KMEM_SPACE_FIXED : KMEM_SPACE_ANYWHERE;
	size_t align = size >= ALIGN_LARGE ? ALIGN_LARGE : kmem_page_size();
	uintptr_t at = (uintptr_t)addr;

	(void)fd;
	(void)offset;
	if (place == KMEM_SPACE_FIXED) {
		align = kmem_page_size();
	}
	/* What is mapped over is the allocator's already. */
	if (place != KMEM_SPACE_FIXED && !kmem_limit_allows(size)) {
		return MAP_FAILED;
	}
	if (kmem_space_map(&at, whole_pages(size), align, prot_of(prot), place) != 0) {
		return MAP_FAILED;
	}
	return (void *)at;
}

int kmem_heap_munmap(void *addr, size_t size)
{
	return kmem_space_unmap((uintptr_t)addr, whole_pages(size)) == 0 ? 0 : -1;
}

int kmem_heap_mprotect(void *addr, size_t size, int prot)
{
	return kmem_space_protect((uintptr_t)addr, whole_pages(size), prot_of(prot)) == 0 ? 0 : -1;
}

int kmem_heap_madvise(void *addr, size_t size, int advice)
{
	if (advice != MADV_DONTNEED && advice != MADV_FREE) {
		return 0;
	}
	return kmem_space_discard((uintptr_t)addr, whole_pages(size)) == 0 ? 0 : -1;
}

/* Settings that the program's surroundings have for an allocator of theirs are not for this one. */
char *kmem_heap_getenv(const char *name)
{
	(void)name;
	return NULL;
}

ssize_t kmem_heap_readlink(const char *path, char *buffer, size_t size)
{
	(void)path;
	(void)buffer;
	(void)size;
	return -1;
}
