/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine on userfaultfd: pages of private memory that travel between the range and their frames' slots.
 *
 * Theory of operation. The whole range is one mapping of private memory, readable and writable, whose absent pages trap (SIGBUS) in the
 * thread that touches them. Every frame has a *slot*, a place of its own in other private memory, as large as RAM, where the library sees
 * the frame's bytes while its page is concealed. To let a program write, the host's page moves from the slot into the range, and
 * back when the page is concealed; no byte is copied and no mapping is made. To let it only read, the bytes are copied into a
 * write-protected page: a page that was moved would be writable for an instant, and who wrote in it would not be seen.
 *
 * Such a copy leaves the memory of the slot behind. It is given back, but in batches, since a host call that takes pages away
 * interrupts every other thread, however many it takes. A slot that has not been given back yet saves a move: the page is
 * dropped when it is concealed, or, once it may be written to, the slot's old bytes.
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
 * Moves are refused for pages that are shared with a child since a fork, or that the host itself is using: the former are made the
 * process's own by a write, and what remains is copied, with writers kept out.
 *
 * Fork. All pages are concealed, so slots are all there is; the host copies them on write. Registrations do not pass to a child, which
 * opens a door of its own. The range is never copied: a child that nobody is told of finds a hole there, and no door.
 *
 * A program that locks its memory (mlockall(2)) has memory in every slot. One that closes descriptors that are not its own, and the door
 * among them, reads zeroes where pages are absent.
 *
 * Locks: the ring lock, held for a few instructions, and the giving lock, around host calls; innermost, never one within the other.
 */
#include <errno.h>
#include <stdatomic.h>

#include "host/annotate.h"
#include "host/assert.h"
#include "host/descriptor.h"
#include "host/failpoint.h"
#include "host/lock.h"
#include "host/log.h"
#include "host/memory.h"
#include "host/uffd.h"
#include "machine/engine.h"

enum slot {
	SLOT_BARE,
	SLOT_FULL,
	SLOT_EMPTY,
	SLOT_TWIN,
	SLOT_STALE,
	SLOT_LEAVING,
};

/* Frames that may have memory twice: 1 % of them, but enough for a batch to be worth its call. */
#define TWINS_SHARE 100
#define TWINS_MIN 16

/* Frames given back in one call. */
#define BATCH KMEM_HOST_PARTS

/* Attempts of a move that the host was kept from by what went on beside it. */
#define MOVE_ATTEMPTS 100

static struct {
	/* constant after start, but for the door, which a child of a fork has of its own */
	int door;
	_Atomic uint32_t *is_ours; /* whether the door is this process's: in a page that the host wipes in children */
	uintptr_t ram;
	size_t ram_size;
	size_t page_size;
	uint8_t *slots;         /* of frames, one after the other */
	_Atomic uint8_t *states; /* enum slot, by frame */

	/* frames that have become TWIN, oldest first */
	struct {
		struct kmem_lock lock;
		size_t size; /* constant after start */
		size_t first;
		size_t count;
		uint32_t *frames;
	} ring;

	struct kmem_lock giving; /* for changes to LEAVING and from it */
} uffd = {.door = -1};

/* ---- the door ---- */

/* A child that nobody knows of has its parent's door, which leads to the parent's memory: it has none then, and is told EBADF. */
static int door_get(void)
{
	return atomic_load_explicit(uffd.is_ours, memory_order_relaxed) != 0 ? uffd.door : -1;
}

/* ---- frames and slots ---- */

static size_t frame_of(uintptr_t phys)
{
	kmem_assert(phys - uffd.ram < uffd.ram_size);
	return (phys - uffd.ram) / uffd.page_size;
}

static uintptr_t slot_of(uintptr_t phys)
{
	return (uintptr_t)uffd.slots + (phys - uffd.ram);
}

static enum slot state_get(uintptr_t phys)
{
	return (enum slot)atomic_load_explicit(&uffd.states[frame_of(phys)], memory_order_acquire);
}

static void state_set(uintptr_t phys, enum slot state)
{
	atomic_store_explicit(&uffd.states[frame_of(phys)], (uint8_t)state, memory_order_release);
}

static bool state_change(size_t frame, enum slot from, enum slot to)
{
	uint8_t expected = (uint8_t)from;

	return atomic_compare_exchange_strong(&uffd.states[frame], &expected, (uint8_t)to);
}

/* Change the states of frames that are the caller's, at a time when nobody gives them back. */
static void states_set(uintptr_t phys, size_t size, enum slot state)
{
	for (size_t done = 0; done < size; done += uffd.page_size) {
		state_set(phys + done, state);
	}
}

/* The state of a frame, once nobody is giving back what it has twice. */
static enum slot state_settled(uintptr_t phys)
{
	enum slot state = state_get(phys);

	while (state == SLOT_LEAVING) {
		kmem_lock_acquire(&uffd.giving);
		kmem_lock_release(&uffd.giving);
		state = state_get(phys);
	}
	return state;
}

/* ---- memory that is there twice ---- */

/* Those of a batch that are still there twice, as stretches for one host call. */
static size_t batch_claim(const uint32_t *frames, size_t count, bool *is_claimed, struct kmem_host_part *parts)
{
	size_t parts_count = 0;

	for (size_t i = 0; i < count; i++) {
		uintptr_t slot = (uintptr_t)uffd.slots + frames[i] * uffd.page_size;
		struct kmem_host_part *last = parts_count > 0 ? &parts[parts_count - 1] : NULL;

		is_claimed[i] = state_change(frames[i], SLOT_TWIN, SLOT_LEAVING) || state_change(frames[i], SLOT_STALE, SLOT_LEAVING);
		if (!is_claimed[i]) {
			continue;
		}
		if (last != NULL && last->addr + last->size == slot) {
			last->size += uffd.page_size;
		} else {
			parts[parts_count++] = (struct kmem_host_part){slot, uffd.page_size};
		}
	}
	return parts_count;
}

/* A slot that the host does not let go of is dropped when the page comes back to it. */
static void batch_give_back(const uint32_t *frames, size_t count)
{
	struct kmem_host_part parts[BATCH];
	bool is_claimed[BATCH];
	size_t parts_count;

	kmem_lock_acquire(&uffd.giving);
	parts_count = batch_claim(frames, count, is_claimed, parts);
	if (parts_count > 0) {
		kmem_failpoint_hold();
		(void)kmem_host_pages_drop(parts, parts_count);
		kmem_failpoint_release();
	}
	for (size_t i = 0; i < count; i++) {
		if (is_claimed[i]) {
			state_set(uffd.ram + frames[i] * uffd.page_size, SLOT_EMPTY);
		}
	}
	kmem_lock_release(&uffd.giving);
}

/* Take the oldest frames of a full ring, up to a batch. How many. */
static size_t ring_take(uint32_t *frames)
{
	size_t count = 0;

	while (uffd.ring.count > 0 && count < BATCH) {
		frames[count++] = uffd.ring.frames[uffd.ring.first];
		uffd.ring.first = (uffd.ring.first + 1) % uffd.ring.size;
		uffd.ring.count--;
	}
	return count;
}

static void ring_put(size_t frame)
{
	uint32_t batch[BATCH];
	size_t count = 0;

	kmem_lock_acquire(&uffd.ring.lock);
	if (uffd.ring.count == uffd.ring.size) {
		count = ring_take(batch);
	}
	uffd.ring.frames[(uffd.ring.first + uffd.ring.count++) % uffd.ring.size] = (uint32_t)frame;
	kmem_lock_release(&uffd.ring.lock);
	if (count > 0) {
		batch_give_back(batch, count);
	}
}

/* The bytes of frames are there twice from now on: the slots' are as good as the pages', or are not. */
static void twins_note(uintptr_t phys, size_t size, enum slot state)
{
	states_set(phys, size, state);
	for (size_t done = 0; done < size; done += uffd.page_size) {
		ring_put(frame_of(phys + done));
	}
}

/* ---- moving ---- */

/* Pages that are shared with a child become the process's own. -EFAULT: one is write-protected, and stays as it is. */
static int unshare(uintptr_t addr, size_t size)
{
	return kmem_host_range_populate(addr, size, KMEM_PROT_READ | KMEM_PROT_WRITE);
}

/* Move all of it. *done: bytes moved, also before an error. */
static int move(uintptr_t to, uintptr_t from, size_t size, size_t *done)
{
	unsigned int attempts = 0;
	bool is_unshared = false;
	int ret;

	*done = 0;
	for (;;) {
		size_t moved;

		ret = kmem_host_uffd_move(door_get(), to + *done, from + *done, size - *done, &moved);
		*done += moved;
		if (*done == size) {
			return 0;
		}
		if (moved > 0) {
			attempts = 0;
			continue;
		}
		if ((ret != -EAGAIN && ret != -EBUSY) || ++attempts == MOVE_ATTEMPTS) {
			return ret != 0 ? ret : -EIO;
		}
		if (ret == -EBUSY && !is_unshared) {
			is_unshared = true;
			ret = unshare(from + *done, size - *done);
			if (ret != 0 && ret != -EFAULT) {
				return ret;
			}
		}
	}
}

/* Copy all of it to where nothing is. A failure leaves nothing there. */
static int copy(uintptr_t to, uintptr_t from, size_t size, bool write_protected)
{
	size_t done = 0;
	unsigned int attempts = 0;

	for (;;) {
		size_t copied;
		int ret = kmem_host_uffd_copy(door_get(), to + done, from + done, size - done, write_protected, &copied);

		done += copied;
		if (done == size) {
			return 0;
		}
		if (copied == 0 && (ret != -EAGAIN || ++attempts == MOVE_ATTEMPTS)) {
			if (done > 0) {
				(void)kmem_host_pages_drop(&(struct kmem_host_part){to, done}, 1);
			}
			return ret != 0 ? ret : -EIO;
		}
	}
}

/*
 * Move pages, a page of which may be several of the host's: whole ones only. *done: bytes moved, also before an error. A page that cannot
 * be put together again, which nothing is known to cause, would be in neither place.
 */
static int move_pages(uintptr_t to, uintptr_t from, size_t size, size_t *done)
{
	int ret = move(to, from, size, done);
	size_t torn = *done % uffd.page_size;

	if (torn != 0) {
		size_t back;

		*done -= torn;
		if (move(from + *done, to + *done, torn, &back) != 0) {
			kmem_assert(false);
		}
	}
	return ret;
}

/* ---- exposing ---- */

/* One page that cannot be moved into the range: a copy does as well. */
static int page_show_copy(uintptr_t addr, uintptr_t phys)
{
	int ret = copy(addr, slot_of(phys), uffd.page_size, false);

	if (ret == 0) {
		twins_note(phys, uffd.page_size, SLOT_STALE);
	}
	return ret;
}

static int expose_to_write(uintptr_t addr, uintptr_t phys, size_t size)
{
	while (size > 0) {
		size_t done;
		int ret = move_pages(addr, slot_of(phys), size, &done);

		states_set(phys, done, SLOT_EMPTY);
		if (ret == -EBUSY || ret == -EAGAIN) {
			ret = page_show_copy(addr + done, phys + done);
			done += uffd.page_size;
		}
		if (ret != 0) {
			return ret;
		}
		addr += done;
		phys += done;
		size -= done;
	}
	return 0;
}

static int expose_to_read(uintptr_t addr, uintptr_t phys, size_t size)
{
	int ret = copy(addr, slot_of(phys), size, true);

	if (ret == 0) {
		twins_note(phys, size, SLOT_TWIN);
	}
	return ret;
}

static int cover(uintptr_t addr, size_t size);

/* Pages of FULL frames. The range may be damaged there, by a program that has mapped something over it: it is mended, once. */
static int expose_concealed(uintptr_t addr, uintptr_t phys, size_t size, unsigned int prot)
{
	int (*show)(uintptr_t addr, uintptr_t phys, size_t size) = (prot & KMEM_PROT_WRITE) != 0 ? expose_to_write : expose_to_read;
	int ret = show(addr, phys, size);
	size_t done = 0;

	if (ret != -ENOENT && ret != -EINVAL) {
		return ret;
	}
	while (done < size && state_get(phys + done) != SLOT_FULL) {
		done += uffd.page_size;
	}
	ret = cover(addr + done, size - done);
	return ret != 0 ? ret : show(addr + done, phys + done, size - done);
}

/* How far, from a place in a run on, frames are in the state that the first one is in, which may be about to change to EMPTY. */
static size_t alike(const struct kmem_run *run, size_t done, enum slot *state)
{
	size_t size = uffd.page_size;

	*state = state_settled(run->phys + done);
	while (done + size < run->size && state_settled(run->phys + done + size) == *state) {
		size += uffd.page_size;
	}
	return size;
}

/*
 * Pages that are exposed are exposed again: perhaps the program has told the host to protect them, or to drop them. Where they are dropped
 * they are zeroes from now on, as private memory is then, or what the slot still has.
 */
static int reassert(const struct kmem_run *run, size_t done, size_t size)
{
	bool write_protected = (run->prot & KMEM_PROT_WRITE) == 0;
	uintptr_t addr = run->addr + done;
	size_t host_page = kmem_host_page_size();
	int ret = kmem_host_range_protect(addr, size, KMEM_PROT_READ | KMEM_PROT_WRITE);

	for (size_t i = 0; i < size && ret == 0; i += host_page) {
		ret = copy(addr + i, slot_of(run->phys + done) + i, host_page, write_protected);
		ret = ret == -EEXIST ? 0 : ret;
	}
	return ret != 0 || write_protected ? ret : kmem_host_uffd_write_protect(door_get(), addr, size, false);
}

static int run_expose(const struct kmem_run *run)
{
	size_t done = 0;

	while (done < run->size) {
		enum slot state;
		size_t size = alike(run, done, &state);
		int ret = 0;

		kmem_assert(state != SLOT_BARE);
		if (state == SLOT_FULL) {
			ret = expose_concealed(run->addr + done, run->phys + done, size, run->prot);
		} else {
			ret = reassert(run, done, size);
		}
		if (ret != 0) {
			return ret;
		}
		done += size;
	}
	return 0;
}

static int expose(const struct kmem_run *runs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int ret = run_expose(&runs[i]);

		if (ret != 0) {
			return ret;
		}
	}
	return 0;
}

/* ---- concealing ---- */

/* Stretches of memory to be dropped by one host call, each with frames that are in another state afterwards. */
struct drops {
	size_t count;
	struct kmem_host_part parts[KMEM_HOST_PARTS];
	uintptr_t phys[KMEM_HOST_PARTS];
	enum slot before, after;
};

static int drops_flush(struct drops *drops)
{
	int ret = drops->count > 0 ? kmem_host_pages_drop(drops->parts, drops->count) : 0;

	for (size_t i = 0; i < drops->count; i++) {
		if (ret == 0) {
			states_set(drops->phys[i], drops->parts[i].size, drops->after);
		} else {
			twins_note(drops->phys[i], drops->parts[i].size, drops->before);
		}
	}
	drops->count = 0;
	return ret;
}

/* If the frame is in the right state it is taken out of the ring's reach, and what it has at addr is to be dropped. */
static int drops_add(struct drops *drops, uintptr_t addr, uintptr_t phys)
{
	struct kmem_host_part *last = drops->count > 0 ? &drops->parts[drops->count - 1] : NULL;

	if (state_get(phys) != drops->before || !state_change(frame_of(phys), drops->before, SLOT_EMPTY)) {
		return 0;
	}
	if (last != NULL && last->addr + last->size == addr && drops->phys[drops->count - 1] + last->size == phys) {
		last->size += uffd.page_size;
		return 0;
	}
	if (drops->count == KMEM_HOST_PARTS) {
		int ret = drops_flush(drops);

		if (ret != 0) {
			twins_note(phys, uffd.page_size, drops->before);
			return ret;
		}
	}
	drops->parts[drops->count] = (struct kmem_host_part){addr, uffd.page_size};
	drops->phys[drops->count++] = phys;
	return 0;
}

/* Drop all pages of TWIN frames, whose slots have the bytes; or the slots of STALE ones. */
static int runs_drop(const struct kmem_run *runs, size_t count, enum slot before)
{
	struct drops drops = {.before = before, .after = before == SLOT_TWIN ? SLOT_FULL : SLOT_EMPTY};

	for (size_t i = 0; i < count; i++) {
		for (size_t done = 0; done < runs[i].size; done += uffd.page_size) {
			uintptr_t phys = runs[i].phys + done;
			int ret = drops_add(&drops, before == SLOT_TWIN ? runs[i].addr + done : slot_of(phys), phys);

			if (ret != 0) {
				(void)drops_flush(&drops);
				return ret;
			}
		}
	}
	return drops_flush(&drops);
}

/* One page that cannot be moved to its slot: a copy does as well, once nobody writes to the page. */
static int page_hide_copy(uintptr_t addr, uintptr_t phys, unsigned int prot)
{
	const struct kmem_host_part page = {addr, uffd.page_size};
	int ret = kmem_host_uffd_write_protect(door_get(), addr, uffd.page_size, true);

	if (ret != 0) {
		return ret;
	}
	ret = copy(slot_of(phys), addr, uffd.page_size, false);
	if (ret == 0) {
		ret = kmem_host_pages_drop(&page, 1);
	}
	if (ret == 0) {
		state_set(phys, SLOT_FULL);
		return 0;
	}
	if ((prot & KMEM_PROT_WRITE) != 0) {
		(void)kmem_host_uffd_write_protect(door_get(), addr, uffd.page_size, false);
	}
	return ret;
}

/* The program has told the host to drop an exposed page, whole or in part: what is left of it is, as private memory would be, zeroes. */
static int page_lost(uintptr_t addr, uintptr_t phys)
{
	size_t host_page = kmem_host_page_size();
	int ret = 0;

	kmem_log(KMEM_LOG_ERROR, "the page at %#lx has been dropped by a call that libkmem does not know of: its bytes are lost", addr);
	for (size_t i = 0; i < uffd.page_size && ret == 0; i += host_page) {
		size_t done;

		ret = move(slot_of(phys) + i, addr + i, host_page, &done);
		ret = ret == -ENOENT ? 0 : ret;
	}
	if (ret == 0) {
		ret = unshare(slot_of(phys), uffd.page_size);
	}
	if (ret == 0) {
		state_set(phys, SLOT_FULL);
	}
	return ret;
}

/* What kept the first page of a stretch from being moved is overcome. *done: bytes of pages that are concealed then. */
static int conceal_otherwise(int error, uintptr_t addr, uintptr_t phys, size_t size, unsigned int prot, size_t *done)
{
	const struct kmem_host_part slots = {slot_of(phys), size};

	*done = 0;
	switch (error) {
	case -EEXIST:
		return kmem_host_pages_drop(&slots, 1);
	case -EBUSY:
	case -EAGAIN:
		*done = uffd.page_size;
		return page_hide_copy(addr, phys, prot);
	case -ENOENT:
		*done = uffd.page_size;
		return page_lost(addr, phys);
	default:
		return error;
	}
}

/* Pages of EMPTY frames. */
static int conceal_by_move(uintptr_t addr, uintptr_t phys, size_t size, unsigned int prot)
{
	bool is_slot_dropped = false;

	while (size > 0) {
		size_t done;
		size_t more = 0;
		int ret = move_pages(slot_of(phys), addr, size, &done);

		states_set(phys, done, SLOT_FULL);
		if (ret != 0 && !(ret == -EEXIST && is_slot_dropped)) {
			is_slot_dropped = is_slot_dropped || ret == -EEXIST;
			ret = conceal_otherwise(ret, addr + done, phys + done, size - done, prot, &more);
		}
		if (ret != 0) {
			return ret;
		}
		done += more;
		addr += done;
		phys += done;
		size -= done;
	}
	return 0;
}

static int run_conceal(const struct kmem_run *run)
{
	size_t done = 0;

	while (done < run->size) {
		enum slot state;
		size_t size = alike(run, done, &state);
		int ret = 0;

		if (state == SLOT_EMPTY) {
			ret = conceal_by_move(run->addr + done, run->phys + done, size, run->prot);
		}
		if (ret != 0) {
			return ret;
		}
		done += size;
	}
	return 0;
}

static int conceal(const struct kmem_run *runs, size_t count)
{
	int ret = runs_drop(runs, count, SLOT_STALE);

	if (ret == 0) {
		ret = runs_drop(runs, count, SLOT_TWIN);
	}
	for (size_t i = 0; i < count && ret == 0; i++) {
		ret = run_conceal(&runs[i]);
	}
	return ret;
}

/* ---- permission ---- */

static int run_protect(const struct kmem_run *run)
{
	bool write_protected = (run->prot & KMEM_PROT_WRITE) == 0;

	/* Before the first write can come. */
	for (size_t done = 0; done < run->size && !write_protected; done += uffd.page_size) {
		(void)state_change(frame_of(run->phys + done), SLOT_TWIN, SLOT_STALE);
	}
	return kmem_host_uffd_write_protect(door_get(), run->addr, run->size, write_protected);
}

static int protect(const struct kmem_run *runs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int ret = run_protect(&runs[i]);

		if (ret != 0) {
			return ret;
		}
	}
	return 0;
}

/* ---- frames ---- */

/* Frames that get memory in one call. */
#define BACK_FRAMES 16

/* Under the kernel lock, which keeps BARE frames as they are. */
static int back(uintptr_t addr, uintptr_t phys)
{
	size_t size = uffd.page_size;
	int ret;

	(void)addr;
	if (state_get(phys) != SLOT_BARE) {
		kmem_assert(state_get(phys) == SLOT_FULL);
		return 0;
	}
	while (size < BACK_FRAMES * uffd.page_size && phys + size - uffd.ram < uffd.ram_size && state_get(phys + size) == SLOT_BARE) {
		size += uffd.page_size;
	}
	ret = unshare(slot_of(phys), size);
	if (ret == 0) {
		states_set(phys, size, SLOT_FULL);
	}
	return ret;
}

static void *bytes(uintptr_t addr, uintptr_t phys)
{
	(void)addr;
	return (void *)slot_of(phys);
}

/* The slot keeps its memory, as RAM does: for the next page in the frame. */
static void drop(uintptr_t addr, uintptr_t phys)
{
	(void)addr;
	(void)phys;
}

/* ---- the range ---- */

/* Out of children, which would find absent pages to be zeroes. */
static int range_keep_back(uintptr_t addr, size_t size)
{
	return kmem_host_range_dontfork(addr, size, true);
}

static int reserve(uintptr_t addr, size_t size)
{
	int ret = kmem_host_uffd_memory_reserve(uffd.door, addr, size);

	if (ret != 0) {
		return ret;
	}
	ret = range_keep_back(addr, size);
	if (ret != 0) {
		(void)kmem_host_range_release(addr, size);
	}
	return ret;
}

static void release(uintptr_t addr, size_t size)
{
	(void)kmem_host_range_release(addr, size);
}

static int cover(uintptr_t addr, size_t size)
{
	int ret = kmem_host_uffd_memory_replace(door_get(), addr, size);

	return ret != 0 ? ret : range_keep_back(addr, size);
}

/* ---- the engine ---- */

static size_t states_size(void)
{
	return kmem_host_page_round(uffd.ram_size / uffd.page_size);
}

static size_t ring_bytes(void)
{
	return kmem_host_page_round(uffd.ring.size * sizeof(*uffd.ring.frames));
}

static int ring_get(void)
{
	size_t frames = uffd.ram_size / uffd.page_size;
	void *memory;
	int ret;

	uffd.ring.size = frames / TWINS_SHARE > TWINS_MIN ? frames / TWINS_SHARE : TWINS_MIN;
	uffd.ring.first = 0;
	uffd.ring.count = 0;
	ret = kmem_host_memory_get(&memory, ring_bytes());
	if (ret == 0) {
		uffd.ring.frames = memory;
	}
	return ret;
}

static int is_ours_get(void)
{
	size_t size = kmem_host_page_size();
	void *memory;
	int ret = kmem_host_memory_get(&memory, size);

	if (ret != 0) {
		return ret;
	}
	ret = kmem_host_range_wipeonfork((uintptr_t)memory, size);
	if (ret != 0) {
		kmem_host_memory_free(memory, size);
		return ret;
	}
	uffd.is_ours = memory;
	atomic_store(uffd.is_ours, 1);
	return 0;
}

static int tables_get(void)
{
	void *memory;
	int ret = kmem_host_memory_get(&memory, states_size());

	if (ret != 0) {
		return ret;
	}
	uffd.states = memory;
	ret = ring_get();
	if (ret != 0) {
		goto states_free;
	}
	ret = is_ours_get();
	if (ret != 0) {
		goto ring_free;
	}
	return 0;

ring_free:
	kmem_host_memory_free(uffd.ring.frames, ring_bytes());
states_free:
	kmem_host_memory_free(uffd.states, states_size());
	return ret;
}

static void tables_free(void)
{
	kmem_host_memory_free((void *)uffd.is_ours, kmem_host_page_size());
	kmem_host_memory_free(uffd.ring.frames, ring_bytes());
	kmem_host_memory_free(uffd.states, states_size());
}

static int slots_register(void)
{
	return kmem_host_uffd_register(uffd.door, (uintptr_t)uffd.slots, uffd.ram_size, KMEM_HOST_UFFD_TRAVEL);
}

static int slots_get(void)
{
	void *memory;
	int ret = kmem_host_uffd_memory_get(&memory, uffd.ram_size);

	if (ret != 0) {
		return ret;
	}
	uffd.slots = memory;
	ret = slots_register();
	if (ret != 0) {
		kmem_host_memory_free(uffd.slots, uffd.ram_size);
	}
	return ret;
}

static int start(const struct kmem_engine_params *params)
{
	int ret;

	uffd.ram = params->ram;
	uffd.ram_size = params->ram_size;
	uffd.page_size = params->page_size;
	uffd.door = kmem_host_uffd_open();
	if (uffd.door < 0) {
		return uffd.door;
	}
	ret = tables_get();
	if (ret == 0) {
		ret = slots_get();
		if (ret != 0) {
			tables_free();
		}
	}
	if (ret != 0) {
		kmem_descriptor_close(uffd.door);
	}
	return ret;
}

static void finish(void)
{
	kmem_host_memory_free(uffd.slots, uffd.ram_size);
	tables_free();
	kmem_descriptor_close(uffd.door);
}

static int fork_prepare(void)
{
	return 0;
}

static void fork_parent(void)
{
}

/* The parent's door leads to the parent's memory. */
static int fork_child(void)
{
	int door = kmem_host_uffd_open();

	if (door < 0) {
		return door;
	}
	kmem_descriptor_close(uffd.door);
	uffd.door = door;
	atomic_store(uffd.is_ours, 1);
	return slots_register();
}

/* ---- probing ---- */

/* A page moves from its slot into the range and back; then a copy of it appears there, which cannot be written to until it is let. */
static int probe_moves(int door, uintptr_t page, uintptr_t slot, size_t size)
{
	const struct kmem_host_part part = {page, size};
	size_t done;
	int ret = kmem_host_uffd_move(door, page, slot, size, &done);

	if (ret == 0) {
		ret = kmem_host_uffd_move(door, slot, page, size, &done);
	}
	if (ret == 0) {
		ret = kmem_host_is_writable(page) ? -ENOTSUP : kmem_host_uffd_copy(door, page, slot, size, true, &done);
	}
	if (ret == 0) {
		ret = kmem_host_is_writable(page) ? -ENOTSUP : kmem_host_uffd_write_protect(door, page, size, false);
	}
	if (ret == 0) {
		ret = kmem_host_is_writable(page) ? kmem_host_pages_drop(&part, 1) : -ENOTSUP;
	}
	return ret;
}

static int probe_memory(int door, void *slot, size_t size)
{
	void *page;
	int ret = kmem_host_uffd_register(door, (uintptr_t)slot, size, KMEM_HOST_UFFD_TRAVEL);

	if (ret == 0) {
		ret = kmem_host_uffd_memory_get(&page, size);
	}
	if (ret != 0) {
		return ret;
	}
	ret = unshare((uintptr_t)slot, size);
	if (ret == 0) {
		ret = kmem_host_uffd_memory_replace(door, (uintptr_t)page, size);
	}
	if (ret == 0) {
		ret = probe_moves(door, (uintptr_t)page, (uintptr_t)slot, size);
	}
	kmem_host_memory_free(page, size);
	return ret;
}

/* Valgrind does not know the call, and says so. */
static int probe(void)
{
	size_t size = kmem_host_page_size();
	void *slot;
	int door;
	int ret;

	if (kmem_annotate_on_valgrind()) {
		return -ENOSYS;
	}
	door = kmem_host_uffd_open();
	if (door < 0) {
		return door;
	}
	ret = kmem_host_uffd_memory_get(&slot, size);
	if (ret == 0) {
		ret = probe_memory(door, slot, size);
		kmem_host_memory_free(slot, size);
	}
	kmem_descriptor_close(door);
	return ret;
}

const struct kmem_engine kmem_engine_uffd = {
	.name = "uffd",
	.is_concurrent = true,
	.probe = probe,
	.start = start,
	.finish = finish,
	.reserve = reserve,
	.release = release,
	.cover = cover,
	.expose = expose,
	.conceal = conceal,
	.protect = protect,
	.back = back,
	.bytes = bytes,
	.drop = drop,
	.fork_prepare = fork_prepare,
	.fork_parent = fork_parent,
	.fork_child = fork_child,
};
