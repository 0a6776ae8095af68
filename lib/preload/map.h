/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What map.c, map_move.c and map_advice.c share: where a range lies, and who calls. See map.c for all of it.
 */
#ifndef KMEM_PRELOAD_MAP_H
#define KMEM_PRELOAD_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "host/memory.h"
#include "kernel/kernel.h"

/* Whose memory a range is. */
enum kmem_map_place {
	KMEM_MAP_OUTSIDE, /* the host's */
	KMEM_MAP_INSIDE,  /* the VM's */
	KMEM_MAP_ASTRIDE, /* of both */
};

/* Of a range that does not wrap; an empty one lies where its address does. */
enum kmem_map_place kmem_map_place_of(uintptr_t addr, size_t size);

/* A range that may lie astride: the part in the VM, and what is before and behind it. */
struct kmem_map_parts {
	uintptr_t start, end; /* in the VM */
	uintptr_t before;     /* [before, start) is the host's */
	uintptr_t after;      /* [end, after) is the host's */
};
struct kmem_map_parts kmem_map_parts_of(uintptr_t addr, size_t size);

/* Do to the parts what is to be done: host_call takes an address and a size. 0, or the first -errno, with all of it tried. */
int kmem_map_each_part(uintptr_t addr, size_t size, int (*inside)(uintptr_t addr, size_t size), long host_call);

/* Whether a call, told by the return address, is the host's as it is. */
bool kmem_map_is_hosts(const void *caller);

/* The host's calls, past our own names. */
void *kmem_map_host(void *addr, size_t size, int prot, int flags, int fd, off_t offset);
int kmem_map_host_munmap(void *addr, size_t size);

/* Bring in as much of a range as RAM has room for. */
void kmem_map_page_in(uintptr_t addr, size_t size, bool is_write);

/* Results as the C library gives them: ret or, for -errno, -1 with errno set; MAP_FAILED with errno set. */
int kmem_map_result(int ret);
void *kmem_map_failed(int error);

static inline uintptr_t kmem_map_vm_start(void)
{
	return kmem_kernel.layout.virt_ram_start;
}

static inline uintptr_t kmem_map_vm_end(void)
{
	return kmem_kernel.layout.virt_ram_end;
}

static inline bool kmem_map_is_aligned(uintptr_t addr)
{
	return addr % kmem_page_size() == 0;
}

/* A size in whole pages; 0 where it is 0, or wraps. */
static inline size_t kmem_map_pages(size_t size)
{
	return (size + kmem_page_size() - 1) & ~(kmem_page_size() - 1);
}

#endif /* KMEM_PRELOAD_MAP_H */
