/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where mapping was declared before <zephyr/kernel/mm.h>, and the names it had then. (Zephyr: sys/mem_manage.h)
 *
 * Each old name stands for its successor, in functions, types and macros of <zephyr/kernel/mm.h> and <mmu.h>.
 */
#ifndef ZEPHYR_INCLUDE_SYS_MEM_MANAGE_H
#define ZEPHYR_INCLUDE_SYS_MEM_MANAGE_H

#include <kmem/kconfig.h>

#include <zephyr/kernel/mm.h>
#include <zephyr/kernel/mm/demand_paging.h>
#include <zephyr/sys/util.h>
#include <zephyr/toolchain.h>

/* <zephyr/kernel/internal/mm.h> */
#define z_phys_map k_mem_map_phys_bare
#define z_phys_unmap k_mem_unmap_phys_bare
#define Z_MEM_PHYS_ADDR(virt) K_MEM_PHYS_ADDR(virt)
#define Z_MEM_VIRT_ADDR(phys) K_MEM_VIRT_ADDR(phys)
#define Z_MEM_VM_OFFSET K_MEM_VIRT_OFFSET
#ifdef K_MEM_IS_VM_KERNEL
#define Z_VM_KERNEL K_MEM_IS_VM_KERNEL
#endif
#define z_mem_phys_addr k_mem_phys_addr
#define z_mem_virt_addr k_mem_virt_addr

/* <mmu.h>: the memory map. */
#define Z_PHYS_RAM_START K_MEM_PHYS_RAM_START
#define Z_PHYS_RAM_SIZE K_MEM_PHYS_RAM_SIZE
#define Z_PHYS_RAM_END K_MEM_PHYS_RAM_END
#define Z_VIRT_RAM_START K_MEM_VIRT_RAM_START
#define Z_VIRT_RAM_SIZE K_MEM_VIRT_RAM_SIZE
#define Z_VIRT_RAM_END K_MEM_VIRT_RAM_END
#define Z_KERNEL_VIRT_START K_MEM_KERNEL_VIRT_START
#define Z_KERNEL_VIRT_END K_MEM_KERNEL_VIRT_END
#define Z_KERNEL_VIRT_SIZE K_MEM_KERNEL_VIRT_SIZE
#define Z_VM_OFFSET K_MEM_VM_OFFSET
#define Z_BOOT_VIRT_TO_PHYS(virt) K_MEM_BOOT_VIRT_TO_PHYS(virt)
#define Z_BOOT_PHYS_TO_VIRT(phys) K_MEM_BOOT_PHYS_TO_VIRT(phys)
#define Z_FREE_VM_START K_MEM_VM_FREE_START
#define Z_VM_RESERVED K_MEM_VM_RESERVED
#define Z_SCRATCH_PAGE K_MEM_SCRATCH_PAGE
#define Z_NUM_PAGE_FRAMES K_MEM_NUM_PAGE_FRAMES

/* <mmu.h>: page frames. */
#define Z_PAGE_FRAME_FREE K_MEM_PAGE_FRAME_FREE
#define Z_PAGE_FRAME_RESERVED K_MEM_PAGE_FRAME_RESERVED
#define Z_PAGE_FRAME_PINNED K_MEM_PAGE_FRAME_PINNED
#define Z_PAGE_FRAME_MAPPED K_MEM_PAGE_FRAME_MAPPED
#define Z_PAGE_FRAME_BUSY K_MEM_PAGE_FRAME_BUSY
#define Z_PAGE_FRAME_BACKED K_MEM_PAGE_FRAME_BACKED
#define Z_PAGE_FRAME_FOREACH(phys, pageframe) K_MEM_PAGE_FRAME_FOREACH(phys, pageframe)
#define z_page_frame k_mem_page_frame
#define z_page_frames k_mem_page_frames
#define z_page_frame_is_free k_mem_page_frame_is_free
#define z_page_frame_is_pinned k_mem_page_frame_is_pinned
#define z_page_frame_is_reserved k_mem_page_frame_is_reserved
#define z_page_frame_is_mapped k_mem_page_frame_is_mapped
#define z_page_frame_is_busy k_mem_page_frame_is_busy
#define z_page_frame_is_backed k_mem_page_frame_is_backed
#define z_page_frame_is_evictable k_mem_page_frame_is_evictable
#define z_page_frame_is_available k_mem_page_frame_is_available
#define z_page_frame_set k_mem_page_frame_set
#define z_page_frame_clear k_mem_page_frame_clear
#define z_page_frame_to_phys k_mem_page_frame_to_phys
#define z_page_frame_to_virt k_mem_page_frame_to_virt
#define z_is_page_frame k_mem_is_page_frame
#define z_phys_to_page_frame k_mem_phys_to_page_frame
#define z_assert_phys_aligned k_mem_assert_phys_aligned
#define z_mem_assert_virtual_region k_mem_assert_virtual_region
#define z_page_frames_dump k_mem_page_frames_dump
#define z_num_pagefaults_get k_mem_num_pagefaults_get
#define z_page_frame_evict k_mem_page_frame_evict
#define z_page_fault k_mem_page_fault

/* <zephyr/kernel/mm/demand_paging.h> */
#define z_eviction_histogram_bounds k_mem_paging_eviction_histogram_bounds
#define z_backing_store_histogram_bounds k_mem_paging_backing_store_histogram_bounds

#endif /* ZEPHYR_INCLUDE_SYS_MEM_MANAGE_H */
