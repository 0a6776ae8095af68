/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page frame: one word for every frame of emulated RAM. (Zephyr: mmu.h)
 *
 * A mapped frame holds the address of its page and flags in the low bits. Stores and eviction algorithms keep
 * arrays of their own, indexed by `pf - frames->first`. While FREE is set every other bit means nothing.
 */
#ifndef KMEM_FRAME_H
#define KMEM_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

#define K_MEM_PAGE_FRAME_FREE 0x01U     /* on the free list */
#define K_MEM_PAGE_FRAME_RESERVED 0x02U /* never used */
#define K_MEM_PAGE_FRAME_PINNED 0x04U   /* never evicted */
#define K_MEM_PAGE_FRAME_MAPPED 0x08U   /* holds the page at its address */
#define K_MEM_PAGE_FRAME_BUSY 0x10U     /* in transit */
#define K_MEM_PAGE_FRAME_BACKED 0x20U   /* the store has a copy and a location for it */

/* All flags lie below the smallest page size. */
#define KMEM_FRAME_FLAG_MASK ((uintptr_t)0xfff)

#ifndef KMEM_SFNODE_DEFINED
#define KMEM_SFNODE_DEFINED
/* A list link whose low two bits carry flags: Zephyr's sys_sfnode_t, which <zephyr/sys/sflist.h> makes of it. */
struct _sfnode {
	uintptr_t next_and_flags;
};
#endif

__extension__ struct k_mem_page_frame {
	union {
		uintptr_t va_and_flags;  /* mapped: the page's address | flags */
		struct _sfnode node;     /* free: FREE in the low bits */
	};
};

static inline bool k_mem_page_frame_is_free(struct k_mem_page_frame *pf)
{
	return (pf->va_and_flags & K_MEM_PAGE_FRAME_FREE) != 0U;
}

static inline bool k_mem_page_frame_is_pinned(struct k_mem_page_frame *pf)
{
	return (pf->va_and_flags & K_MEM_PAGE_FRAME_PINNED) != 0U;
}

static inline bool k_mem_page_frame_is_reserved(struct k_mem_page_frame *pf)
{
	return (pf->va_and_flags & K_MEM_PAGE_FRAME_RESERVED) != 0U;
}

static inline bool k_mem_page_frame_is_mapped(struct k_mem_page_frame *pf)
{
	return (pf->va_and_flags & K_MEM_PAGE_FRAME_MAPPED) != 0U;
}

static inline bool k_mem_page_frame_is_busy(struct k_mem_page_frame *pf)
{
	return (pf->va_and_flags & K_MEM_PAGE_FRAME_BUSY) != 0U;
}

static inline bool k_mem_page_frame_is_backed(struct k_mem_page_frame *pf)
{
	return (pf->va_and_flags & K_MEM_PAGE_FRAME_BACKED) != 0U;
}

static inline bool k_mem_page_frame_is_evictable(struct k_mem_page_frame *pf)
{
	return !k_mem_page_frame_is_free(pf) && !k_mem_page_frame_is_reserved(pf) && k_mem_page_frame_is_mapped(pf) &&
	       !k_mem_page_frame_is_pinned(pf) && !k_mem_page_frame_is_busy(pf);
}

/* Neither free nor in any use: what boot puts on the free list. */
static inline bool k_mem_page_frame_is_available(struct k_mem_page_frame *pf)
{
	return pf->va_and_flags == 0U;
}

static inline void k_mem_page_frame_set(struct k_mem_page_frame *pf, uint8_t flags)
{
	pf->va_and_flags |= flags;
}

static inline void k_mem_page_frame_clear(struct k_mem_page_frame *pf, uint8_t flags)
{
	pf->va_and_flags &= ~(uintptr_t)flags;
}

/* The address of the page in a mapped frame. */
static inline void *k_mem_page_frame_to_virt(struct k_mem_page_frame *pf)
{
	return (void *)(pf->va_and_flags & ~KMEM_FRAME_FLAG_MASK);
}

/* The frame database, as policies and stores see it. Constant from boot to shutdown. */
struct kmem_frames {
	struct k_mem_page_frame *first; /* one per frame, ascending physical address */
	size_t count;
	size_t page_size;     /* bytes in a frame */
	uintptr_t phys_start; /* physical address of frame 0 */
};

/* What kmem_page_info_get() says of a page. */
#define KMEM_PAGE_LOADED 0x1U     /* in a frame */
#define KMEM_PAGE_ACCESSED 0x2U   /* touched since its bit was last cleared; only with LOADED */
#define KMEM_PAGE_DIRTY 0x4U      /* must be written out before its frame is used again; only with LOADED */
#define KMEM_PAGE_NOT_MAPPED 0x8U /* nothing there; only without LOADED */

/**
 * State of the page at @p addr: Zephyr's arch_page_info_get(). (Zephyr: kernel_arch_interface.h)
 *
 * @param addr            page-aligned
 * @param location        NULL, or receives the physical address of a loaded page, the location of one that is out
 * @param clear_accessed  clear ACCESSED; the state before is returned. The page's next access sets it again.
 * @return KMEM_PAGE_* bits
 * Context: only inside the functions of an eviction policy or a store, which the core calls with the kernel lock
 * held. Never blocks.
 */
unsigned int kmem_page_info_get(void *addr, uintptr_t *location, bool clear_accessed);

/**
 * Clear ACCESSED of every evictable page at once, for far less than page by page. Our own.
 * Context: as kmem_page_info_get().
 */
void kmem_page_accessed_clear_all(void);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* KMEM_FRAME_H */
