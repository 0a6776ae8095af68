/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program as the kernel image: its own static objects and functions are physical memory.
 *
 * A program with a record of Zephyr's configuration that is linked at KERNEL_VM_BASE is the boot image, 1:1: its pages are
 * mapped, their frames pinned. Linked elsewhere, it is seen through a window: physical memory at its address less
 * K_MEM_VIRT_OFFSET, beside RAM. Either way its pages stay private memory of the process until somebody wants them as physical
 * memory: mapped again, unpinned, or paged out.
 */
#ifndef KMEM_KERNEL_PROGRAM_IMAGE_H
#define KMEM_KERNEL_PROGRAM_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/config.h"
#include "machine/mmu.h"

/* Find the program, and set program_start and program_size where it is the boot image. 0 or -errno with a message. */
int kmem_program_image_find(struct kmem_settings *settings, char *error, size_t error_size);

/* What the process itself has in the VM range: program and heap. Their number. */
size_t kmem_program_image_holes(struct kmem_mmu_hole *holes);

/* Map it, pinned, as boot does; before the free list is made. 0 or -errno. */
int kmem_program_image_map(void);

/* Give the process its own pages back. Normal context, before the traps go. */
void kmem_program_image_finish(void);

/* Whether an address is the program's. Lock-free. */
bool kmem_program_image_covers(uintptr_t addr);

/* Whether the page at addr is the program's own alone: its frame holds nothing. Kernel lock held. */
bool kmem_program_image_is_private(uintptr_t addr);

/*
 * Make the bytes of a physical range that stands for pages of the program be there, for mapping it again with these flags;
 * nothing happens for other ranges. 0 or -errno. Kernel lock held.
 */
int kmem_program_image_prepare(uintptr_t phys, size_t size, uint32_t flags);

/* A page of the boot image becomes one of RAM, which can be unpinned and go out. 0 or -errno. Kernel lock held. */
int kmem_program_image_adopt(uintptr_t addr);

/* In the child of a fork: what is adopted outside the VM range gets the child's bytes. 0 or -errno. */
int kmem_program_image_fork_child(void);

#endif /* KMEM_KERNEL_PROGRAM_IMAGE_H */
