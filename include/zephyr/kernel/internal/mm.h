/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses of the boot mapping, and mappings of physical memory, in Zephyr's spelling. (Zephyr: kernel/internal/mm.h)
 * The functions are described in <kmem/mm.h>.
 */
#ifndef ZEPHYR_INCLUDE_KERNEL_INTERNAL_MM_H_
#define ZEPHYR_INCLUDE_KERNEL_INTERNAL_MM_H_

#include <kmem/kconfig.h>

/* Literals like 0x80000000 are unsigned and of 32 bits, in which a difference below 0 would not be one: 0L widens them. */
#ifdef __ASSEMBLER__
#define KMEM_MM_ZERO 0
#else
#define KMEM_MM_ZERO 0L
#endif

/* Boot virtual address less physical address: an integer constant, good for #if. */
#define K_MEM_VIRT_OFFSET                                                                                              \
	((KMEM_MM_ZERO + CONFIG_KERNEL_VM_BASE + CONFIG_KERNEL_VM_OFFSET) -                                            \
	 (KMEM_MM_ZERO + CONFIG_SRAM_BASE_ADDRESS + CONFIG_SRAM_OFFSET))

/* Arithmetic, on integers or byte pointers; true of what boot maps only. */
#define K_MEM_PHYS_ADDR(virt) ((virt)-K_MEM_VIRT_OFFSET)
#define K_MEM_VIRT_ADDR(phys) ((phys) + K_MEM_VIRT_OFFSET)

#if K_MEM_VIRT_OFFSET != 0
#define K_MEM_IS_VM_KERNEL 1
#ifdef CONFIG_XIP
#error "XIP and a virtual memory kernel are not allowed"
#endif
#ifdef CONFIG_FLASH_SIMULATOR_PROVISION
#error "the flash simulator and a virtual memory kernel are not allowed"
#endif
#endif

#ifndef __ASSEMBLER__

#include <kmem/kmem.h>

/** K_MEM_PHYS_ADDR(), asserting that @p virt lies in the VM range. */
static inline uintptr_t k_mem_phys_addr(void *virt)
{
	return kmem_phys_addr(virt);
}

/** K_MEM_VIRT_ADDR(), asserting that @p phys lies in RAM. */
static inline void *k_mem_virt_addr(uintptr_t phys)
{
	return kmem_virt_addr(phys);
}

#endif /* __ASSEMBLER__ */

#endif /* ZEPHYR_INCLUDE_KERNEL_INTERNAL_MM_H_ */
