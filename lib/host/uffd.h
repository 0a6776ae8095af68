/* SPDX-License-Identifier: Apache-2.0 */
/*
 * userfaultfd: private memory whose absent pages trap in the thread that touches them (SIGBUS), and whose pages travel.
 *
 * A *door* is one userfaultfd, known by its descriptor. Memory that is *registered* with it traps where a page is absent, or only where
 * one is write-protected. Nothing needs a privilege: what the host itself touches on the program's behalf fails with EFAULT.
 *
 * All functions are _sigsafe; 0 or -errno, and -errno of the functions that move or copy tells what is in the way: -EEXIST, there is
 * a page already; -ENOENT, there is none, or no registered memory; -EBUSY, the page is shared with a child or in use by the host. They
 * may have done an initial part then, and say how much. Addresses and sizes are multiples of the host page; sizes are not 0.
 */
#ifndef KMEM_HOST_UFFD_H
#define KMEM_HOST_UFFD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What the library's own userfaultfd() has in the upper half of its argument, an int to the host: the filter of system calls of a
 * preloaded program, which successors inherit, lets it pass by that.
 */
#define KMEM_HOST_UFFD_PASS 0x4b6d000000000000L

/* A new door with all that is used here: a descriptor of the library's own, or -errno. -EPERM, -ENOSYS: the host has none for us. */
int kmem_host_uffd_open(void);

enum kmem_host_uffd_mode {
	KMEM_HOST_UFFD_TRAP,   /* absent pages trap, and writes to write-protected ones */
	KMEM_HOST_UFFD_TRAVEL, /* absent pages are zeroes at first touch, as anywhere; pages can be moved here */
};

/* Private memory, readable and writable and in pages of the host's smallest size, is put at the door. */
int kmem_host_uffd_register(int fd, uintptr_t addr, size_t size, enum kmem_host_uffd_mode mode);

/* Pages leave one place and appear at another, which had none, writable. *done: bytes moved, also before an error. */
int kmem_host_uffd_move(int fd, uintptr_t to, uintptr_t from, size_t size, size_t *done);

/* New pages appear, with a copy of bytes. */
int kmem_host_uffd_copy(int fd, uintptr_t to, uintptr_t from, size_t size, bool write_protected, size_t *done);

/* Writes to the pages that are present trap, or do not any more. */
int kmem_host_uffd_write_protect(int fd, uintptr_t addr, size_t size, bool write_protected);

/* ---- private memory for it ---- */

/* Memory that traps: where nothing is yet, -EEXIST otherwise, or in the place of what is there. At no moment is an absent page a zero. */
int kmem_host_uffd_memory_reserve(int fd, uintptr_t addr, size_t size);
int kmem_host_uffd_memory_replace(int fd, uintptr_t addr, size_t size);

/* Memory at an address of the host's choice, zeroed, in pages of the host's smallest size, and left out of core files. */
int kmem_host_uffd_memory_get(void **addr, size_t size);

/* A stretch of memory; as struct iovec has it. */
struct kmem_host_part {
	uintptr_t addr;
	size_t size;
};

/* Parts of one call at most. */
#define KMEM_HOST_PARTS 64

/* The pages of some stretches are dropped, in one host call where the host can: absent from then on. */
int kmem_host_pages_drop(const struct kmem_host_part *parts, size_t count);

/* Whether the host can write to a word there, which it does: without a trap. */
bool kmem_host_is_writable(uintptr_t addr);

#endif /* KMEM_HOST_UFFD_H */
