/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Physical memory: emulated RAM, and emulated device memory beside it.
 *
 * A *bank* is a range of physical addresses, kept in a memory file of its own. Every bank has a direct map: a permanent
 * host address at which the library, and nobody else, reads and writes its bytes. Bank 0 is RAM.
 */
#ifndef KMEM_MACHINE_RAM_H
#define KMEM_MACHINE_RAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <kmem/kmem.h>

#define KMEM_BANK_NAME_SIZE 32

struct kmem_bank {
	char name[KMEM_BANK_NAME_SIZE];
	uintptr_t phys; /* [phys, phys + size) */
	size_t size;
	int fd;         /* where it is one file; of RAM ask kmem_ram_extent() */
	uint8_t *bytes; /* the direct map */
};

/* Physical addresses end here: what a page table entry can hold. */
#define KMEM_PHYS_END ((uintptr_t)1 << 48)

/* RAM of size bytes at phys. 0 or -errno. */
int kmem_ram_init(uintptr_t phys, size_t size, size_t page_size);
void kmem_ram_finish(void);

/* Another bank, wholly backed by memory. 0; -EEXIST for overlap, -ENOSPC for too many, -errno. Kernel lock held. */
int kmem_ram_bank_add(const char *name, uintptr_t phys, size_t size, void **host);

/* The bank that holds all of [phys, phys + size), or NULL. Lock-free: banks only come. */
const struct kmem_bank *kmem_ram_bank_find(uintptr_t phys, size_t size);

/* Where bytes of a bank lie in a file, from which they can be mapped for writing: as many as one mapping can show. */
struct kmem_extent {
	int fd;
	size_t offset;
	size_t size;
};

/* The extent at phys, at most size bytes, which lie in one bank. 0, -EFAULT, or -errno of a thaw. Kernel lock held; _sigsafe. */
int kmem_ram_extent(uintptr_t phys, size_t size, struct kmem_extent *extent);

/* The library's view of the byte at phys, which lies in a bank. _sigsafe. */
void *kmem_ram_bytes(uintptr_t phys);

/* The physical address of a byte in the library's view. _sigsafe. */
uintptr_t kmem_ram_phys(const void *bytes);

/*
 * Back a frame of RAM with memory of the host's, together with its neighbours in the same chunk, so that no later touch
 * can fail; and thaw it. To be called before the library writes to a frame. 0 or -errno. No system call after the first time. Kernel lock
 * held; _sigsafe.
 */
int kmem_ram_populate(uintptr_t phys);

/*
 * Fork. prepare copies what is in use (as the caller's predicate says, frame by frame) to fresh memory files; parent drops
 * them; child makes them the banks. prepare: 0 or -errno, nothing kept then. Kernel lock held.
 */
int kmem_ram_fork_prepare(bool (*is_used)(uintptr_t phys));
void kmem_ram_fork_parent(void);
int kmem_ram_fork_child(void);

/*
 * The same without a copy: what is in use freezes, for parent and child, until either thaws it. No page may be exposed meanwhile and at
 * the fork. prepare: 0, or -errno, nothing changed then; -ENOTSUP with device memory.
 */
int kmem_ram_freeze_prepare(void);
void kmem_ram_freeze_parent(void);
void kmem_ram_freeze_child(void);

#endif /* KMEM_MACHINE_RAM_H */
