/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The architecture layer: page table entries, one by one. (Zephyr: kernel_arch_interface.h)
 *
 * For code that works below or beside the memory manager, such as drivers of system memory and stores of the program's own.
 * Addresses are whole pages in the VM range, physical addresses lie in RAM or device memory. The page frame database, the
 * regions and the backing store know nothing of what is done here. Context: any thread, the functions of an eviction policy
 * or a store, emulated interrupt handlers; not the handlers of signals.
 */
#ifndef KMEM_ARCH_H
#define KMEM_ARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/* State of a page, as arch_page_info_get() tells it: the same bits as KMEM_PAGE_*. */
#define ARCH_DATA_PAGE_LOADED 0x1U     /* in a frame */
#define ARCH_DATA_PAGE_ACCESSED 0x2U   /* only with LOADED */
#define ARCH_DATA_PAGE_DIRTY 0x4U      /* only with LOADED: must be written out */
#define ARCH_DATA_PAGE_NOT_MAPPED 0x8U /* only without LOADED */

/* Locations of pages that were never touched. */
#define ARCH_UNPAGED_ANON_ZERO ((uintptr_t)0x0000fffffffff000)
#define ARCH_UNPAGED_ANON_UNINIT ((uintptr_t)0x0000ffffffffe000)

enum arch_page_location {
	ARCH_PAGE_LOCATION_PAGED_OUT,
	ARCH_PAGE_LOCATION_PAGED_IN,
	ARCH_PAGE_LOCATION_BAD,
};

/**
 * Map @p size bytes of physical memory, or with K_MEM_MAP_UNPAGED locations that grow by a page a page, in place of whatever is
 * there. The memory is not touched. 0; -EFAULT where there is no such memory; -ENOMEM where the host has none.
 */
int arch_mem_map(void *virt, uintptr_t phys, size_t size, uint32_t flags);

/** Unmap; pages that are not mapped are passed over. 0 or -errno of the host. */
int arch_mem_unmap(void *addr, size_t size);

/** The physical address of a page that is in: 0, or -EFAULT. @p phys may be NULL. */
int arch_page_phys_get(void *virt, uintptr_t *phys);

/** Where a page is: its location, or its physical address, in *location. */
enum arch_page_location arch_page_location_get(void *addr, uintptr_t *location);

/** ARCH_DATA_PAGE_*, as kmem_page_info_get(). @p location may be NULL. */
uintptr_t arch_page_info_get(void *addr, uintptr_t *location, bool clear_accessed);

/** A page that is in goes out: it traps, and keeps its permissions and a location, which is whole pages. */
void arch_mem_page_out(void *addr, uintptr_t location);

/** A page that is out comes in to a frame, neither accessed nor dirty. */
void arch_mem_page_in(void *addr, uintptr_t phys);

/** Show a frame, readable and writable, at K_MEM_SCRATCH_PAGE. One for all threads: interrupts are locked meanwhile. */
void arch_mem_scratch(uintptr_t phys);

/** Nothing: there are no frames here that must stay reserved. */
void arch_reserved_pages_update(void);

/** The alignment that a mapping profits from: the page size. */
size_t arch_virt_region_align(uintptr_t phys, size_t size);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* KMEM_ARCH_H */
