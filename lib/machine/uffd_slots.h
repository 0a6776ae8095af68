/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The slots of the engine on userfaultfd (engine_uffd.c): the private memory in which frames have their bytes while their pages are concealed,
 * and how host pages get from there to the range and back.
 *
 * The states of a slot, a byte a frame:
 *
 *                            expose to write: move
 *      BARE --back--> FULL <-----------------------> EMPTY
 *                      ^ |      conceal: move          ^
 *        conceal: drop | |                             | give back: drop the slot's memory
 *        the page      | | expose to read: copy     LEAVING
 *                      | v                          ^     ^
 *                      TWIN ------------------------+     |
 *                        |                                |
 *                        +--protect: may be written--> STALE
 *
 * BARE     the page traps; the slot has no memory.
 * FULL     the page traps; the slot has its bytes.
 * EMPTY    the page is exposed and has the bytes. The slot has no memory, or the host has put zeroes there (mlockall(2)).
 * TWIN     the page is exposed, write-protected, and the slot has the same bytes.
 * STALE    the page is exposed and has the bytes; the slot has others, which nobody wants.
 * LEAVING  as EMPTY, but for the slot's memory, which somebody is giving back.
 *
 * Invariants. U1 A slot's byte is written by whoever works on the page in the frame, under the kernel lock or because the page is BUSY; but
 * any thread with the giving lock takes a TWIN or STALE one to LEAVING, and on to EMPTY. U2 Every TWIN or STALE frame is in the ring, so
 * that at most `ring.size` and one batch a thread of them have memory twice; others may be there as well, more than once even. U3 Where
 * a page is write-protected its entry in the page table does not allow writing.
 *
 * Locks: the ring lock, held for a few instructions, and the giving lock, around host calls; innermost, never one within the other. All
 * functions but start, finish and fork_child are _sigsafe. 0 or -errno.
 */
#ifndef KMEM_MACHINE_UFFD_SLOTS_H
#define KMEM_MACHINE_UFFD_SLOTS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/lock.h"
#include "machine/engine.h"

enum kmem_slot {
	KMEM_SLOT_BARE,
	KMEM_SLOT_FULL,
	KMEM_SLOT_EMPTY,
	KMEM_SLOT_TWIN,
	KMEM_SLOT_STALE,
	KMEM_SLOT_LEAVING,
};

/* From start to finish. */
struct kmem_uffd {
	/* constant after start, but for the door, which a child of a fork has of its own */
	int door;
	_Atomic uint32_t *is_ours; /* whether the door is this process's: in a page that the host wipes in children */
	uintptr_t ram;
	size_t ram_size;
	size_t page_size;
	uint8_t *slots;         /* of frames, one after the other */
	_Atomic uint8_t *states; /* enum kmem_slot, by frame */

	/* frames that have become TWIN, oldest first */
	struct {
		struct kmem_lock lock;
		size_t size; /* constant after start */
		size_t first;
		size_t count;
		uint32_t *frames;
	} ring;

	struct kmem_lock giving; /* for changes to LEAVING and from it */
};

extern struct kmem_uffd kmem_uffd;

/* A door, tables and slots, registered; or nothing. */
int kmem_uffd_start(const struct kmem_engine_params *params);
void kmem_uffd_finish(void);

/* In the child of a fork: a door of its own. */
int kmem_uffd_fork_child(void);

/* The door; an invalid descriptor in a child that nobody knows of, which has its parent's: the host says EBADF then. */
int kmem_uffd_door(void);

/* A frame's number and its slot. */
size_t kmem_uffd_frame_of(uintptr_t phys);
uintptr_t kmem_uffd_slot_of(uintptr_t phys);

enum kmem_slot kmem_uffd_state_get(uintptr_t phys);
void kmem_uffd_state_set(uintptr_t phys, enum kmem_slot state);

/* From one state to another, if it is the former: whether it was. */
bool kmem_uffd_state_change(size_t frame, enum kmem_slot from, enum kmem_slot to);

/* Change the states of frames that are the caller's, at a time when nobody gives them back. */
void kmem_uffd_states_set(uintptr_t phys, size_t size, enum kmem_slot state);

/* The state of a frame, once nobody is giving back what it has twice. */
enum kmem_slot kmem_uffd_state_settled(uintptr_t phys);

/* The bytes of frames are there twice from now on: the slots' are as good as the pages', or are not. */
void kmem_uffd_twins_note(uintptr_t phys, size_t size, enum kmem_slot state);

/* Pages that are shared with a child become the process's own. -EFAULT: one is write-protected, and stays as it is. */
int kmem_uffd_unshare(uintptr_t addr, size_t size);

/* Move all of it. *done: bytes moved, also before an error. */
int kmem_uffd_move(uintptr_t to, uintptr_t from, size_t size, size_t *done);

/*
 * Move pages, a page of which may be several of the host's: whole ones only. *done: bytes moved, also before an error. A page that cannot
 * be put together again, which nothing is known to cause, would be in neither place.
 */
int kmem_uffd_move_pages(uintptr_t to, uintptr_t from, size_t size, size_t *done);

/* Copy all of it to where nothing is. A failure leaves nothing there. */
int kmem_uffd_copy(uintptr_t to, uintptr_t from, size_t size, bool write_protected);

/* Whether the host can do all this: 0 or -errno. Normal context; leaves nothing behind. (uffd_probe.c) */
int kmem_uffd_probe(void);

#endif /* KMEM_MACHINE_UFFD_SLOTS_H */
