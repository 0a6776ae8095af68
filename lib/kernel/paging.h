/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paging: how a page comes in and how one goes out. The one sequence, written once. (Zephyr: kernel/mmu.c)
 *
 * Terms. A frame is *in transit* while a thread owns it that is filling it, or writing its page out; it has BUSY, belongs to
 * no list, and nobody else touches it. A page is BUSY while a thread moves it; others wait, and then start again from the
 * page's entry.
 *
 * All functions are called with the kernel lock held. Those marked *drops* release and retake it during store I/O or while
 * they wait, so whatever the caller knew of other pages may have changed after them.
 */
#ifndef KMEM_KERNEL_PAGING_H
#define KMEM_KERNEL_PAGING_H

#include <stdbool.h>
#include <stdint.h>

#include <kmem/fatal.h>
#include <kmem/frame.h>

#include "kernel/config.h"
#include "kernel/relief.h"
#include "machine/page_table.h"

/* Pages that are moved together, at most: what is known of them lies on the stack of a trap handler. */
#define KMEM_PAGING_VECTOR KMEM_CONFIG_READAHEAD_MAX

struct kmem_paging_request {
	uintptr_t addr; /* of the page */
	bool is_write;  /* let a write through, not only a read */
	bool is_pin;    /* keep it in */
	bool is_trap;   /* a thread touches it: what it touches next may be told from that */
	size_t more;    /* bytes behind the page that are asked for as well, if there are free frames: pages come in together then */

	bool is_ahead;  /* nobody touches it yet: not counted as a fault */

	/* Results. */
	size_t brought;            /* pages that came in, others with it included */
	enum kmem_fault_kind kind; /* why it failed */
	bool was_in;               /* the page was resident already */
};

/* What the thread's `refusal` is where the store has no location for a page. */
extern const char kmem_paging_store_full[];

/* For the settings, the page size and the frames there are. */
void kmem_paging_init(void);

/* Pages that a fault sends out at once, if it has to: 1 where neither read-ahead nor the cleaner is configured. */
size_t kmem_paging_batch(void);

/* Bring a page in, or let a resident one be accessed. 0 or -errno with request->kind. Drops. */
int kmem_paging_page_in(struct kmem_paging_request *request);

/*
 * Send out the pages in some evictable, or pinned, frames, KMEM_PAGING_VECTOR at most and no two the same, and free the frames. 0; -ENOMEM
 * if the store refuses, -errno where it fails to write: a page is then still in; is_strict, so are those at higher addresses than the first
 * one that cannot be written. Drops.
 */
int kmem_paging_pages_out(struct k_mem_page_frame *const *pfs, size_t count, bool is_strict);

/* Send pages out until so many frames are free. False where no more can go. Drops. */
bool kmem_paging_clean(size_t frames);

/*
 * A frame in transit, with memory behind it for the page at addr with these flags: a free one, or one whose page is sent out for it. 0
 * or -errno. is_fault: the store may use its reserved location, and the eviction is counted. Drops.
 */
int kmem_paging_frame_get(bool is_fault, uintptr_t addr, uint32_t flags, struct k_mem_page_frame **pf);

/* The end of a transit: the frame is free, or holds a page (evictable unless pinned). */
void kmem_paging_frame_put(struct k_mem_page_frame *pf);
void kmem_paging_frame_hold(struct k_mem_page_frame *pf, uintptr_t addr, bool pinned);

/* The frame that holds the page at addr, or NULL where its entry is not IN or the frame is not the page's own. */
struct k_mem_page_frame *kmem_paging_frame_of(uintptr_t addr);

/*
 * Forget the page in a frame, which is mapped and not in transit, and free the frame. The location of the store's copy is given
 * back, unless it is `named`: by the program, which keeps it.
 */
void kmem_paging_frame_forget(struct k_mem_page_frame *pf, uint64_t named);

/* Give back the location of a page that is OUT. */
void kmem_paging_location_forget(uint64_t location);

/* Forget what a range's pages, which are concealed and none of them BUSY, hold: frames and locations. Their entries are to be changed. */
void kmem_paging_forget(uintptr_t addr, size_t size);

/* The page in a frame, concealed, is now at another address. Its entry is to be moved there. */
void kmem_paging_frame_move(struct k_mem_page_frame *pf, uintptr_t addr);

/* Pinned pages never trap: expose those of a range for all that they allow, as far as the host has mappings for it. */
void kmem_paging_pinned_expose(uintptr_t addr, size_t size);

/* Let a pinned frame go out again. */
void kmem_paging_unpin(struct k_mem_page_frame *pf);

/* Wait until no page of a range is BUSY. Drops if one is, and is true then. */
bool kmem_paging_settle(uintptr_t addr, size_t size);

/* Wait for the end of some transit. Drops. */
void kmem_paging_change_wait(void);

/* Wait until nothing is in transit. Drops. */
void kmem_paging_quiesce(void);

/* Whether a location stands for a page that was never touched. */
bool kmem_paging_is_anon_location(uint64_t location);

/* Invariants F3 and P1 to P3 (paging.c). */
bool kmem_paging_is_valid(void);

#endif /* KMEM_KERNEL_PAGING_H */
