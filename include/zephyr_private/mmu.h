/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory map and the page frame database, in Zephyr's spelling. (Zephyr: kernel/include/mmu.h)
 *
 * A program that includes this header has the frame database in its own memory, as k_mem_page_frames[], and libkmem uses it there.
 */
#ifndef ZEPHYR_KERNEL_INCLUDE_MMU_H_
#define ZEPHYR_KERNEL_INCLUDE_MMU_H_

#include <kmem/kconfig.h>

#ifdef CONFIG_MMU

#pragma GCC system_header

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <zephyr/kernel/mm.h>
#include <zephyr/linker/linker-defs.h>
#include <zephyr/sys/__assert.h>
#include <zephyr/sys/mem_manage.h>
#include <zephyr/sys/sflist.h>
#include <zephyr/sys/util.h>

#include <kmem/arch.h>
#include <kmem/frame.h>
#include <kmem/mm.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/* The memory map. Ends are exclusive. */
#define K_MEM_PHYS_RAM_START ((uintptr_t)CONFIG_SRAM_BASE_ADDRESS)
#define K_MEM_PHYS_RAM_SIZE ((size_t)CONFIG_SRAM_SIZE * 1024U)
#define K_MEM_PHYS_RAM_END (K_MEM_PHYS_RAM_START + K_MEM_PHYS_RAM_SIZE)

#define K_MEM_VIRT_RAM_START ((uint8_t *)CONFIG_KERNEL_VM_BASE)
#define K_MEM_VIRT_RAM_SIZE ((size_t)CONFIG_KERNEL_VM_SIZE)
#define K_MEM_VIRT_RAM_END (K_MEM_VIRT_RAM_START + K_MEM_VIRT_RAM_SIZE)

/* The program: true of one that is the boot image. Its last page belongs to it whole. */
#define K_MEM_KERNEL_VIRT_START ((uint8_t *)&z_mapped_start[0])
#define K_MEM_KERNEL_VIRT_END                                                                                          \
	((uint8_t *)(((uintptr_t)&z_mapped_end[0] + CONFIG_MMU_PAGE_SIZE - 1) & ~((uintptr_t)CONFIG_MMU_PAGE_SIZE - 1)))
#define K_MEM_KERNEL_VIRT_SIZE ((size_t)(K_MEM_KERNEL_VIRT_END - K_MEM_KERNEL_VIRT_START))

#define K_MEM_VM_OFFSET K_MEM_VIRT_OFFSET

#define K_MEM_BOOT_VIRT_TO_PHYS(virt) ((uintptr_t)(((uint8_t *)(virt)) - K_MEM_VM_OFFSET))
#define K_MEM_BOOT_PHYS_TO_VIRT(phys) ((uint8_t *)(((uintptr_t)(phys)) + K_MEM_VM_OFFSET))

#ifdef CONFIG_ARCH_MAPS_ALL_RAM
#define K_MEM_VM_FREE_START K_MEM_BOOT_PHYS_TO_VIRT(K_MEM_PHYS_RAM_END)
#else
#define K_MEM_VM_FREE_START K_MEM_KERNEL_VIRT_END
#endif

#define K_MEM_NUM_PAGE_FRAMES (K_MEM_PHYS_RAM_SIZE / (size_t)CONFIG_MMU_PAGE_SIZE)

#ifdef CONFIG_DEMAND_PAGING
#define K_MEM_VM_RESERVED CONFIG_MMU_PAGE_SIZE
#define K_MEM_SCRATCH_PAGE                                                                                             \
	((void *)((uintptr_t)CONFIG_KERNEL_VM_BASE + (uintptr_t)CONFIG_KERNEL_VM_SIZE - CONFIG_MMU_PAGE_SIZE))
#else
#define K_MEM_VM_RESERVED 0
#endif

/* One for each frame of RAM, in ascending order; libkmem fills it in. */
extern struct k_mem_page_frame k_mem_page_frames[K_MEM_NUM_PAGE_FRAMES];
__attribute__((weak)) struct k_mem_page_frame k_mem_page_frames[K_MEM_NUM_PAGE_FRAMES];

#pragma GCC visibility pop

static inline void k_mem_assert_phys_aligned(uintptr_t phys)
{
	__ASSERT(phys % CONFIG_MMU_PAGE_SIZE == 0U, "physical address 0x%lx is not page-aligned", (unsigned long)phys);
	(void)phys;
}

/** Physical address of a frame. */
static inline uintptr_t k_mem_page_frame_to_phys(struct k_mem_page_frame *pf)
{
	return (uintptr_t)(pf - k_mem_page_frames) * CONFIG_MMU_PAGE_SIZE + K_MEM_PHYS_RAM_START;
}

/** Whether a physical address, which is page-aligned, is a frame of RAM. */
static inline bool k_mem_is_page_frame(uintptr_t phys)
{
	k_mem_assert_phys_aligned(phys);
	return phys >= K_MEM_PHYS_RAM_START && phys < K_MEM_PHYS_RAM_END;
}

/** The frame at a physical address of RAM. */
static inline struct k_mem_page_frame *k_mem_phys_to_page_frame(uintptr_t phys)
{
	__ASSERT(k_mem_is_page_frame(phys), "0x%lx is not RAM", (unsigned long)phys);
	return &k_mem_page_frames[(phys - K_MEM_PHYS_RAM_START) / CONFIG_MMU_PAGE_SIZE];
}

/** Assert that a region is whole pages, does not wrap, and lies in the VM range. */
static inline void k_mem_assert_virtual_region(uint8_t *addr, size_t size)
{
	__ASSERT((uintptr_t)addr % CONFIG_MMU_PAGE_SIZE == 0U, "unaligned addr %p", (void *)addr);
	__ASSERT(size % CONFIG_MMU_PAGE_SIZE == 0U, "unaligned size %lu", (unsigned long)size);
	__ASSERT((uintptr_t)addr + size > (uintptr_t)addr, "region %p of size %lu is empty or wraps around", (void *)addr,
		 (unsigned long)size);
	__ASSERT((uintptr_t)addr >= (uintptr_t)K_MEM_VIRT_RAM_START && (uintptr_t)addr + size <= (uintptr_t)K_MEM_VIRT_RAM_END,
		 "region %p of size %lu is not in the VM range", (void *)addr, (unsigned long)size);
	(void)addr;
	(void)size;
}

/** Walk through all frames of RAM with their physical addresses, in ascending order. */
#define K_MEM_PAGE_FRAME_FOREACH(_phys, _pageframe)                                                                    \
	for ((_phys) = K_MEM_PHYS_RAM_START, (_pageframe) = k_mem_page_frames; (_phys) < K_MEM_PHYS_RAM_END;           \
	     (_phys) += CONFIG_MMU_PAGE_SIZE, (_pageframe)++)

/* k_mem_page_frames_dump(), k_mem_num_pagefaults_get(), k_mem_page_frame_evict() and k_mem_page_fault() are in <kmem/mm.h>. */

#ifdef __cplusplus
}
#endif

#endif /* CONFIG_MMU */

#endif /* ZEPHYR_KERNEL_INCLUDE_MMU_H_ */
