/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The driver of system memory: mapping at addresses that the caller chooses. (Zephyr: drivers/mm/system_mm.h)
 *
 * It works beside the memory manager of <zephyr/kernel/mm.h>, on page table entries: nobody counts the frames that it
 * maps, and k_mem_map() does not know which addresses it uses. Addresses are aligned to CONFIG_MMU_PAGE_SIZE and lie
 * in the VM range, sizes are whole pages; a size of 0 is fine and does nothing.
 *
 * All functions return 0, or
 *
 *   -EINVAL  an address or a size is not whole pages, or not in the VM range; a physical address that is neither
 *            RAM nor device memory; NULL; ranges that overlap where they may not
 *   -EFAULT  mapping: something is mapped there already; all others: not all of it is mapped
 *   -ENOMEM  the host has no memory or no mappings left
 *   -ENODEV  the machine is not booted
 *
 * and change nothing then. A page that k_mem_map() has and that was paged out is mapped, and cannot be unmapped, moved
 * or asked for its physical address here: -EFAULT.
 *
 * Context: any thread; not a signal handler.
 */
#ifndef ZEPHYR_INCLUDE_DRIVERS_SYSTEM_MM_H_
#define ZEPHYR_INCLUDE_DRIVERS_SYSTEM_MM_H_

#include <kmem/kconfig.h>

/* Cache modes: an exclusive number. */
#define SYS_MM_MEM_CACHE_WB 0
#define SYS_MM_MEM_CACHE_WT 1
#define SYS_MM_MEM_CACHE_NONE 2
#define SYS_MM_MEM_CACHE_MASK 0x7

/* Permissions: readable always. */
#define SYS_MM_MEM_PERM_RW 0x8
#define SYS_MM_MEM_PERM_EXEC 0x10
#define SYS_MM_MEM_PERM_USER 0x20

#ifndef __ASSEMBLER__

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <zephyr/kernel/internal/mm.h>
#include <zephyr/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/** Map one page; a contiguous range; @p cnt pages at physical addresses of their own. */
int sys_mm_drv_map_page(void *virt, uintptr_t phys, uint32_t flags);
int sys_mm_drv_map_region(void *virt, uintptr_t phys, size_t size, uint32_t flags);
int sys_mm_drv_map_array(void *virt, uintptr_t *phys, size_t cnt, uint32_t flags);

/** Unmap one page; a range. */
int sys_mm_drv_unmap_page(void *virt);
int sys_mm_drv_unmap_region(void *virt, size_t size);

/** The physical address of a page; @p phys may be NULL. */
int sys_mm_drv_page_phys_get(void *virt, uintptr_t *phys);

/** Permissions and cache mode of a page. -EINVAL for NULL @p flags. */
int sys_mm_drv_page_flag_get(void *virt, uint32_t *flags);

/** Change permissions and cache mode; contents stay. */
int sys_mm_drv_update_page_flags(void *virt, uint32_t flags);
int sys_mm_drv_update_region_flags(void *virt, size_t size, uint32_t flags);

/** Have the same memory elsewhere: @p virt_old is unmapped. The two ranges do not overlap. */
int sys_mm_drv_remap_region(void *virt_old, size_t size, void *virt_new);

/**
 * Have the same bytes elsewhere, in other memory: they are copied, with permissions and cache mode, and @p virt_old is
 * unmapped. The ranges do not overlap; the physical ones may.
 */
int sys_mm_drv_move_region(void *virt_old, size_t size, void *virt_new, uintptr_t phys_new);

/** The same, to @p phys_cnt pages at different physical addresses. -EINVAL if together they are not @p size. */
int sys_mm_drv_move_array(void *virt_old, size_t size, void *virt_new, uintptr_t *phys_new, size_t phys_cnt);

/* A range of addresses in which nothing is mapped. */
struct sys_mm_drv_region {
	void *addr;
	size_t size;
	uint32_t attr; /* 0 */
};

/* Walk over an array of regions, which one of size 0 ends. */
#define SYS_MM_DRV_MEMORY_REGION_FOREACH(regions, iter) for ((iter) = (regions); (iter)->size != 0; (iter)++)

/**
 * Addresses of the VM range that are free: neither the boot image's nor mapped nor guards, in ascending order.
 *
 * @return an array that ends with address NULL and size 0, for sys_mm_drv_query_memory_regions_free(); NULL without
 *         memory
 */
const struct sys_mm_drv_region *sys_mm_drv_query_memory_regions(void);
void sys_mm_drv_query_memory_regions_free(const struct sys_mm_drv_region *regions);

/* With CONFIG_KERNEL_VM_USE_CUSTOM_MEM_RANGE_CHECK the program's, and declared by <zephyr/kernel/internal/mm.h>. */
#ifndef CONFIG_KERNEL_VM_USE_CUSTOM_MEM_RANGE_CHECK
bool sys_mm_is_phys_addr_in_range(uintptr_t phys);
bool sys_mm_is_virt_addr_in_range(void *virt);
#endif

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* __ASSEMBLER__ */

#endif /* ZEPHYR_INCLUDE_DRIVERS_SYSTEM_MM_H_ */
