/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counts of the mapped pages of a memory bank, for drivers that switch banks on and off. (Zephyr: drivers/mm/mm_drv_bank.h)
 *
 * Arithmetic and nothing else: the caller locks.
 */
#ifndef ZEPHYR_INCLUDE_DRIVERS_MM_DRV_BANK_H
#define ZEPHYR_INCLUDE_DRIVERS_MM_DRV_BANK_H

#include <kmem/kconfig.h>

#include <stdint.h>

#include <zephyr/sys/mem_stats.h>

#ifdef __cplusplus
extern "C" {
#endif

struct sys_mm_drv_bank {
	uint32_t unmapped_pages;
	uint32_t mapped_pages;
	uint32_t max_mapped_pages; /* at one time, since init or reset */
};

/** A bank of so many pages, none of them mapped. */
static inline void sys_mm_drv_bank_init(struct sys_mm_drv_bank *bank, uint32_t bank_pages)
{
	bank->unmapped_pages = bank_pages;
	bank->mapped_pages = 0;
	bank->max_mapped_pages = 0;
}

/** A page more is mapped. @return the pages that are now */
static inline uint32_t sys_mm_drv_bank_page_mapped(struct sys_mm_drv_bank *bank)
{
	bank->unmapped_pages--;
	bank->mapped_pages++;
	if (bank->max_mapped_pages < bank->mapped_pages) {
		bank->max_mapped_pages = bank->mapped_pages;
	}
	return bank->mapped_pages;
}

/** A page less is mapped. @return the pages that still are */
static inline uint32_t sys_mm_drv_bank_page_unmapped(struct sys_mm_drv_bank *bank)
{
	bank->unmapped_pages++;
	bank->mapped_pages--;
	return bank->mapped_pages;
}

/** The same in bytes. */
static inline void sys_mm_drv_bank_stats_get(struct sys_mm_drv_bank *bank, struct sys_memory_stats *stats)
{
	stats->free_bytes = bank->unmapped_pages * CONFIG_MMU_PAGE_SIZE;
	stats->allocated_bytes = bank->mapped_pages * CONFIG_MMU_PAGE_SIZE;
	stats->max_allocated_bytes = bank->max_mapped_pages * CONFIG_MMU_PAGE_SIZE;
}

/** Begin a new maximum with what is mapped now. */
static inline void sys_mm_drv_bank_stats_reset_max(struct sys_mm_drv_bank *bank)
{
	bank->max_mapped_pages = bank->mapped_pages;
}

#ifdef __cplusplus
}
#endif

#endif /* ZEPHYR_INCLUDE_DRIVERS_MM_DRV_BANK_H */
