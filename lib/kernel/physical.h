/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Physical memory that is about to be shown by its address. Kernel lock held.
 */
#ifndef KMEM_KERNEL_PHYSICAL_H
#define KMEM_KERNEL_PHYSICAL_H

#include <stddef.h>
#include <stdint.h>

/*
 * Memory behind [phys, phys + size), page-aligned, so that touching it cannot fail, and in the RAM file, where it can be mapped any number
 * of times. Pages in its frames stay what they are; frames in transit are waited for. What is not RAM is passed over. 0 or -errno. Drops
 * the lock where it waits.
 */
int kmem_physical_prepare(uintptr_t phys, size_t size);

#endif /* KMEM_KERNEL_PHYSICAL_H */
