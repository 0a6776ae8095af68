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

#ifdef CONFIG_KERNEL_VM_USE_CUSTOM_MEM_RANGE_CHECK

#include <zephyr/sys/__assert.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The program's own. */
bool sys_mm_is_phys_addr_in_range(uintptr_t phys);
bool sys_mm_is_virt_addr_in_range(void *virt);

#ifdef __cplusplus
}
#endif

/** K_MEM_PHYS_ADDR(), asserting what the program's sys_mm_is_virt_addr_in_range() says. */
static inline uintptr_t k_mem_phys_addr(void *virt)
{
	__ASSERT(sys_mm_is_virt_addr_in_range(virt), "address %p is not in range", virt);
	return K_MEM_PHYS_ADDR((uintptr_t)virt);
}

/** K_MEM_VIRT_ADDR(), asserting what the program's sys_mm_is_phys_addr_in_range() says. */
static inline void *k_mem_virt_addr(uintptr_t phys)
{
	__ASSERT(sys_mm_is_phys_addr_in_range(phys), "physical address 0x%lx is not in range", (unsigned long)phys);
	return (void *)K_MEM_VIRT_ADDR(phys);
}

#else

/** K_MEM_PHYS_ADDR(), asserting that @p virt lies in the VM range, or in the program. */
static inline uintptr_t k_mem_phys_addr(void *virt)
{
	return kmem_phys_addr(virt);
}

/** K_MEM_VIRT_ADDR(), asserting that @p phys lies in RAM, or stands for the program. */
static inline void *k_mem_virt_addr(uintptr_t phys)
{
	return kmem_virt_addr(phys);
}

#endif /* CONFIG_KERNEL_VM_USE_CUSTOM_MEM_RANGE_CHECK */

#endif /* __ASSEMBLER__ */

#endif /* ZEPHYR_INCLUDE_KERNEL_INTERNAL_MM_H_ */
