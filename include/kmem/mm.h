/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mapping and paging, in Zephyr's spelling and free of configuration.
 *
 * This header declares the part of Zephyr's memory management interface that does not depend on any CONFIG_*
 * value. <kmem/kmem.h> includes it; <zephyr/kernel/mm.h> and <zephyr/kernel/mm/demand_paging.h> are this header
 * plus the parts that depend on the program's configuration.
 *
 * Terms: a *page* is a unit of virtual address space, a *frame* a unit of emulated RAM, a *location* the token
 * under which a backing store keeps a page, a *region* a mapped range together with its guard pages.
 *
 * A note such as (Zephyr: mmu.h) names the part of Zephyr whose behaviour a function follows; "our own" marks what Zephyr does
 * not have. "The log" is standard error.
 *
 * Context, unless a function says otherwise: any thread, also inside a handler for a signal that did not
 * interrupt libkmem; may block for the kernel lock and for store I/O. The first call boots with the
 * defaults if nothing is booted. Assertions fire under CONFIG_ASSERT, or kmem_config.assertions, and end
 * in a kernel panic; without them the call is ignored as each function says.
 */
#ifndef KMEM_MM_H
#define KMEM_MM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/*
 * Cache modes: an exclusive number of three bits. They are recorded and reported, memory here is always coherent.
 */
#define K_MEM_CACHE_WB 0
#define K_MEM_CACHE_WT 1
#define K_MEM_CACHE_NONE 2
#define K_MEM_CACHE_MASK 0x7

/* Permissions. None of them: readable only, by the kernel only, not executable. */
#define K_MEM_PERM_RW 0x8
#define K_MEM_PERM_EXEC 0x10
#define K_MEM_PERM_USER 0x20

/* Our own, and in reports only: not even readable, with contents kept. */
#define KMEM_PERM_NO_ACCESS 0x80000000U

/* Map a physical region at the virtual address of the same number. */
#define K_MEM_DIRECT_MAP 0x40

/* Flags of k_mem_map() and its siblings. */
#define K_MEM_MAP_UNINIT 0x10000  /* do not zero */
#define K_MEM_MAP_LOCK 0x20000    /* resident now and pinned */
#define K_MEM_MAP_UNPAGED 0x40000 /* the physical address is a store's location */

/**
 * Free physical memory, in bytes: free frames less the configured reserve, never below 0. Stale at once, and no
 * limit where paging is on. (Zephyr: kernel/mm.h)
 */
size_t k_mem_free_get(void);

/**
 * Map @p size bytes between two guard pages; k_mem_map(), k_mem_map_unpaged() are this. (Zephyr: kernel/internal/mm.h)
 *
 * @param phys     with @p is_anon, ignored; else the page-aligned physical address (RAM or emulated device memory),
 *                 or with K_MEM_MAP_UNPAGED the first location, which grows by a page per page
 * @param size     bytes, a multiple of the page size, not 0
 * @param flags    K_MEM_PERM_*, K_MEM_MAP_*; cache modes are asserted against
 * @param is_anon  anonymous memory: frames are found for it, now or at first touch
 * @return the first usable byte, page-aligned; NULL, with a line in the log, if size is 0, not a multiple of the page
 *         size or too large, if K_MEM_PERM_USER meets K_MEM_MAP_UNINIT, if phys is neither RAM nor device memory, and
 *         where address space, frames, the store or the host's mappings are used up (without a line where it is frames,
 *         and demand paging is off). Nothing is left behind then.
 */
void *k_mem_map_phys_guard(uintptr_t phys, size_t size, uint32_t flags, bool is_anon);

/**
 * Undo k_mem_map_phys_guard() with the same address, size and kind. (Zephyr: kernel/internal/mm.h)
 *
 * Returns without effect, with a line in the log, where a neighbouring page is mapped: size or address are then not
 * those of the mapping. Asserts page alignment, the VM range, and that each page is mapped; without assertions
 * nothing at all is unmapped then.
 */
void k_mem_unmap_phys_guard(void *addr, size_t size, bool is_anon);

/**
 * Map physical memory of any address and size without guards, zeroing or frame accounting. (Zephyr: kernel/internal/mm.h)
 *
 * Every call makes a mapping of its own, aliases of one frame included. With K_MEM_DIRECT_MAP (and
 * CONFIG_KERNEL_DIRECT_MAP) the virtual address is the physical one.
 *
 * @param virt_ptr  receives the address that corresponds to @p phys; written last, with no lock held
 * Exhausted address space, a colliding direct map, and a @p phys that is neither RAM nor device memory end in a kernel panic
 * (K_ERR_KERNEL_PANIC), never in NULL.
 * Asserts size != 0, no wrap, and K_MEM_DIRECT_MAP only where it is configured; without assertions nothing is mapped for the
 * former, and the latter is ignored.
 */
void k_mem_map_phys_bare(uint8_t **virt_ptr, uintptr_t phys, size_t size, uint32_t flags);

/** Undo k_mem_map_phys_bare() with the address and size it was given and gave. (Zephyr: kernel/internal/mm.h) */
void k_mem_unmap_phys_bare(uint8_t *virt, size_t size);

/**
 * Map anonymous memory: write-back, page-aligned, zeroed unless K_MEM_MAP_UNINIT. (Zephyr: kernel/mm.h)
 * See k_mem_map_phys_guard().
 */
static inline void *k_mem_map(size_t size, uint32_t flags)
{
	return k_mem_map_phys_guard(0, size, flags, true);
}

#if defined(CONFIG_DEMAND_MAPPING) || !defined(KMEM_KCONFIG_H)
/**
 * Map what a store holds at @p location and after, to be read at first touch. (Zephyr: kernel/mm.h)
 * Without K_MEM_MAP_UNINIT the pages are read, then zeroed. For stores of the program's own: the built-in ones hold nothing
 * but what was paged out, and it is refused. Programs with a CONFIG_* record see it only with CONFIG_DEMAND_MAPPING.
 */
static inline void *k_mem_map_unpaged(uintptr_t location, size_t size, uint32_t flags)
{
	return k_mem_map_phys_guard(location, size, flags | K_MEM_MAP_UNPAGED, false);
}
#endif

/** Unmap what k_mem_map() gave; see k_mem_unmap_phys_guard(). (Zephyr: kernel/mm.h) */
static inline void k_mem_unmap(void *addr, size_t size)
{
	k_mem_unmap_phys_guard(addr, size, true);
}

/**
 * Change permissions and cache mode of mapped pages, contents kept, page by page. (Zephyr: kernel/mm.h; that absent
 * and scattered pages are handled is our own)
 *
 * @param addr, size  page-aligned, inside the VM range
 * @return 0; -EFAULT if a page is not mapped; -ENOMEM if the host is out of mappings. Nothing is changed then.
 */
int k_mem_update_flags(void *addr, size_t size, uint32_t flags);

/**
 * Align a region outwards. (Zephyr: kernel/mm.h)
 *
 * @param align  bytes, any number but 0
 * @return addr - *aligned_addr
 * Context: pure arithmetic, anywhere.
 */
size_t k_mem_region_align(uintptr_t *aligned_addr, size_t *aligned_size, uintptr_t addr, size_t size, size_t align);

/**
 * Write pages out and free their frames, in ascending order; pages already out are skipped. (Zephyr: kernel/mm/demand_paging.h)
 *
 * @return 0; -ENOMEM at the first page that the store has no room for; -EIO, -ENOSPC or the like where it fails to
 *         write. Pages before that one stay out, the page itself stays resident.
 * Asserts that every page is mapped and none is pinned.
 */
int k_mem_page_out(void *addr, size_t size);

/**
 * Bring pages in. Resident ones are left alone, absent ones count as faults. Asserts that they are mapped. A page that cannot be
 * brought in is told in the log, and those behind it are left alone. (Zephyr: kernel/mm/demand_paging.h)
 */
void k_mem_page_in(void *addr, size_t size);

/**
 * Bring pages in and keep them in; a flag, not a count. Pinned pages never trap, so system calls may be given them.
 * Asserts that they are mapped. (Zephyr: kernel/mm/demand_paging.h)
 */
void k_mem_pin(void *addr, size_t size);

/** Let pages go out again, locked ones (K_MEM_MAP_LOCK) too. Asserts that they are mapped. (Zephyr: kernel/mm/demand_paging.h) */
void k_mem_unpin(void *addr, size_t size);

/** Page faults handled since boot. (Zephyr: mmu.h) */
unsigned long k_mem_num_pagefaults_get(void);

/**
 * Evict whatever page is in the frame at @p phys. (Zephyr: mmu.h)
 *
 * @return 0, also if nothing is in it; -ENOMEM if the store has no room; another errno where it fails to write.
 * Asserts that phys is a frame's and that the page is not pinned.
 */
int k_mem_page_frame_evict(uintptr_t phys);

/**
 * Handle a page fault at @p addr, as the trap vector does. (Zephyr: mmu.h)
 *
 * @return true if the access may be tried again; false if nothing is mapped there.
 */
bool k_mem_page_fault(void *addr);

/**
 * Print the state of every frame to standard output, 64 a line, in colours: `-` free, `R` reserved, `B` busy (in transit), `P`
 * pinned, `.` available (in no use, and not free yet), `M` mapped, `?` otherwise. (Zephyr: mmu.h)
 */
void k_mem_page_frames_dump(void);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* KMEM_MM_H */
