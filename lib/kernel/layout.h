/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory map: where image, free range and reserved pages lie. (Zephyr: mmu.h)
 *
 *   VIRT_RAM_START   +---------------------------+  vm_base
 *                    |        not mapped         |
 *   KERNEL_VIRT_START+---------------------------+  vm_base + vm_offset
 *                    |   boot image, mapped 1:1  |
 *   KERNEL_VIRT_END  +---------------------------+
 *                    | rest of RAM, if all of it |
 *                    |     is mapped at boot     |
 *   VM_FREE_START    +---------------------------+
 *                    |           free            |
 *                    |             ^             |
 *                    |   mappings grow downwards |
 *                    +---------------------------+  virt_ram_end - vm_reserved
 *                    |  reserved (scratch page)  |
 *   VIRT_RAM_END     +---------------------------+  vm_base + vm_size
 */
#ifndef KMEM_KERNEL_LAYOUT_H
#define KMEM_KERNEL_LAYOUT_H

#include <stdint.h>

#include <kmem/kmem.h>

#include "kernel/config.h"

/* The map for resolved settings. Pure. */
void kmem_layout_init(struct kmem_layout *layout, const struct kmem_settings *settings);

/* Bytes that a section of the boot image takes, and from vm_base + vm_offset to the image's end: whole pages. Pure. */
size_t kmem_layout_section_size(const struct kmem_settings *settings, size_t index);
size_t kmem_layout_image_size(const struct kmem_settings *settings);

/* K_MEM_BOOT_VIRT_TO_PHYS and K_MEM_BOOT_PHYS_TO_VIRT. */
static inline uintptr_t kmem_layout_phys(const struct kmem_layout *layout, uintptr_t virt)
{
	return virt - layout->virt_offset;
}

static inline uintptr_t kmem_layout_virt(const struct kmem_layout *layout, uintptr_t phys)
{
	return phys + layout->virt_offset;
}

#endif /* KMEM_KERNEL_LAYOUT_H */
