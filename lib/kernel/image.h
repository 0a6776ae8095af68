/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The boot image: what is mapped before anything else, 1:1 and pinned.
 */
#ifndef KMEM_KERNEL_IMAGE_H
#define KMEM_KERNEL_IMAGE_H

/*
 * Map the sections of the settings at KERNEL_VIRT_START, each with its permissions and content; with maps_all_ram, the rest
 * of RAM too. Before the free list is made. 0 or -errno; what was mapped by then goes with the machine.
 */
int kmem_image_map(void);

#endif /* KMEM_KERNEL_IMAGE_H */
