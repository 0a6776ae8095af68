/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's memory: reservations, mappings of files, memory for the library's own tables.
 *
 * Every function is one system call, or a few, made in such a way that it is safe in a signal handler: no cancellation
 * point, errno untouched. All return 0 or -errno (descriptors: >= 0 or -errno). Addresses and sizes are multiples of
 * the host page; sizes are not 0. Every one whose failure is told to a caller passes the failpoint first (failpoint.h).
 */
#ifndef KMEM_HOST_MEMORY_H
#define KMEM_HOST_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Equal to PROT_*, so that only memory.c needs the host's header. */
enum kmem_prot {
	KMEM_PROT_NONE = 0,
	KMEM_PROT_READ = 1,
	KMEM_PROT_WRITE = 2,
	KMEM_PROT_EXEC = 4,
};

/* Bytes in a host page. Constant. */
size_t kmem_host_page_size(void);

/* A size in whole host pages. */
size_t kmem_host_page_round(size_t size);

/* Reserve [addr, addr + size), inaccessible and without commitment. -EEXIST if any of it is taken. */
int kmem_host_range_reserve(uintptr_t addr, size_t size);

/* Give a range back to the host, whatever is mapped in it. */
int kmem_host_range_release(uintptr_t addr, size_t size);

/* Make a reserved range inaccessible again, dropping what was mapped there. One host call. */
int kmem_host_range_conceal(uintptr_t addr, size_t size);

/* Change the permissions (enum kmem_prot) of a mapped range. */
int kmem_host_range_protect(uintptr_t addr, size_t size, unsigned int prot);

/* Keep a range out of children (fork leaves a hole there), or let it be copied again. */
int kmem_host_range_dontfork(uintptr_t addr, size_t size, bool dontfork);

/* Let private memory be zeroes in children that fork makes. */
int kmem_host_range_wipeonfork(uintptr_t addr, size_t size);

/* Keep a range out of core files. */
int kmem_host_range_dontdump(uintptr_t addr, size_t size);

/*
 * Guard markers: over a mapped range, whose accesses then trap whatever its permissions are, and off it again. They cost no mapping. What
 * the range shows of a file stays in the file; private memory is dropped. -EINVAL: the host is too old, or the range is locked (mlock(2)).
 */
int kmem_host_range_guard(uintptr_t addr, size_t size);
int kmem_host_range_unguard(uintptr_t addr, size_t size);

/*
 * Give a mapped range memory now, in place, so that an access, or a write, neither traps nor fails later. -ENOMEM; -EINVAL if the
 * range's permissions forbid such an access; -EFAULT for guard markers.
 */
int kmem_host_range_populate(uintptr_t addr, size_t size, unsigned int prot);

/* As kmem_host_range_reserve(), but what is reserved is [offset, offset + size) of a descriptor, shared: permission is all it lacks. */
int kmem_host_file_reserve(uintptr_t addr, size_t size, int fd, size_t offset);

/* The same at an address of the host's choice, from the beginning of the file. */
int kmem_host_file_reserve_anywhere(void **addr, size_t size, int fd);

/* Map [offset, offset + size) of a descriptor, shared, over a reserved range. One host call. */
int kmem_host_file_map(uintptr_t addr, size_t size, int fd, size_t offset, unsigned int prot);

/* The same, readable and writable, at an address of the host's choice. */
int kmem_host_file_map_anywhere(void **addr, size_t size, int fd);

/* A sparse memory file: close-on-exec, a descriptor number above those that programs use where possible. */
int kmem_host_memfd_create(const char *name, size_t size);

/* Give a range of a memory file memory now, so that touching it cannot fail later. */
int kmem_host_memfd_populate(int fd, size_t offset, size_t size);

/* The next part of a memory file, from an offset on, that has memory: [*start, *end). 0; -ENXIO: there is none before the end. */
int kmem_host_memfd_data(int fd, size_t offset, size_t *start, size_t *end);

/*
 * Put private memory with a copy of [from, from + size) in the place of whatever is at addr: the process's own again, with these
 * permissions. Nobody sees a state between.
 */
int kmem_host_private_put(uintptr_t addr, const void *from, size_t size, unsigned int prot);

/* Zeroed private memory for the library's own data, uncommitted until touched. */
int kmem_host_memory_get(void **addr, size_t size);
void kmem_host_memory_free(void *addr, size_t size);

/*
 * Spare mappings: memory of no use, in many pieces. Past its limit the host refuses every call that maps, also one that would
 * leave fewer mappings than there were; giving the spare ones back makes such a call possible.
 */
int kmem_host_spare_get(void **spare);
void kmem_host_spare_free(void *spare);

#endif /* KMEM_HOST_MEMORY_H */
