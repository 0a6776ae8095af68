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
 * Moves are refused for pages that are shared with a child since a fork, or that the host itself is using: the former are made the
 * process's own by a write, and what remains is copied, with writers kept out.
 *
 * Fork. All pages are concealed, so slots are all there is; the host copies them on write. Registrations do not pass to a child, which
 * opens a door of its own. The range is never copied: a child that nobody is told of finds a hole there, and no door.
 *
 * A program that locks its memory (mlockall(2)) has memory in every slot. One that closes descriptors that are not its own, and the door
 * among them, reads zeroes where pages are absent.
 *
 * The states of slots are in uffd_slots.h, and what is done to them one by one; whether the host can run all this, in uffd_probe.c.
 */
#include <errno.h>

#include "host/assert.h"
#include "host/failpoint.h"
#include "host/log.h"
#include "host/memory.h"
#include "host/uffd.h"
#include "machine/engine.h"
#include "machine/uffd_slots.h"

/* ---- exposing ---- */

/* One page that cannot be moved into the range: a copy does as well. */
static int page_show_copy(uintptr_t addr, uintptr_t phys)
{
	int ret = kmem_uffd_copy(addr, kmem_uffd_slot_of(phys), kmem_uffd.page_size, false);

	if (ret == 0) {
		kmem_uffd_twins_note(phys, kmem_uffd.page_size, KMEM_SLOT_STALE);
	}
	return ret;
}

static int expose_to_write(uintptr_t addr, uintptr_t phys, size_t size)
{
	while (size > 0) {
		size_t done;
		int ret = kmem_uffd_move_pages(addr, kmem_uffd_slot_of(phys), size, &done);

		kmem_uffd_states_set(phys, done, KMEM_SLOT_EMPTY);
		if (ret == -EBUSY || ret == -EAGAIN) {
			ret = page_show_copy(addr + done, phys + done);
			done += kmem_uffd.page_size;
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
	int ret = kmem_uffd_copy(addr, kmem_uffd_slot_of(phys), size, true);

	if (ret == 0) {
		kmem_uffd_twins_note(phys, size, KMEM_SLOT_TWIN);
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
	while (done < size && kmem_uffd_state_get(phys + done) != KMEM_SLOT_FULL) {
		done += kmem_uffd.page_size;
	}
	ret = cover(addr + done, size - done);
	return ret != 0 ? ret : show(addr + done, phys + done, size - done);
}

/* How far, from a place in a run on, frames are in the state that the first one is in, which may be about to change to EMPTY. */
static size_t alike(const struct kmem_run *run, size_t done, enum kmem_slot *state)
{
	size_t size = kmem_uffd.page_size;

	*state = kmem_uffd_state_settled(run->phys + done);
	while (done + size < run->size && kmem_uffd_state_settled(run->phys + done + size) == *state) {
		size += kmem_uffd.page_size;
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
		ret = kmem_uffd_copy(addr + i, kmem_uffd_slot_of(run->phys + done) + i, host_page, write_protected);
		ret = ret == -EEXIST ? 0 : ret;
	}
	return ret != 0 || write_protected ? ret : kmem_host_uffd_write_protect(kmem_uffd_door(), addr, size, false);
}

static int run_expose(const struct kmem_run *run)
{
	size_t done = 0;

	while (done < run->size) {
		enum kmem_slot state;
		size_t size = alike(run, done, &state);
		int ret = 0;

		kmem_assert(state != KMEM_SLOT_BARE);
		if (state == KMEM_SLOT_FULL) {
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
	enum kmem_slot before, after;
};

static int drops_flush(struct drops *drops)
{
	int ret = drops->count > 0 ? kmem_host_pages_drop(drops->parts, drops->count) : 0;

	for (size_t i = 0; i < drops->count; i++) {
		if (ret == 0) {
			kmem_uffd_states_set(drops->phys[i], drops->parts[i].size, drops->after);
		} else {
			kmem_uffd_twins_note(drops->phys[i], drops->parts[i].size, drops->before);
		}
	}
	drops->count = 0;
	return ret;
}

/* If the frame is in the right state it is taken out of the ring's reach, and what it has at addr is to be dropped. */
static int drops_add(struct drops *drops, uintptr_t addr, uintptr_t phys)
{
	struct kmem_host_part *last = drops->count > 0 ? &drops->parts[drops->count - 1] : NULL;

	if (kmem_uffd_state_get(phys) != drops->before ||
	    !kmem_uffd_state_change(kmem_uffd_frame_of(phys), drops->before, KMEM_SLOT_EMPTY)) {
		return 0;
	}
	if (last != NULL && last->addr + last->size == addr && drops->phys[drops->count - 1] + last->size == phys) {
		last->size += kmem_uffd.page_size;
		return 0;
	}
	if (drops->count == KMEM_HOST_PARTS) {
		int ret = drops_flush(drops);

		if (ret != 0) {
			kmem_uffd_twins_note(phys, kmem_uffd.page_size, drops->before);
			return ret;
		}
	}
	drops->parts[drops->count] = (struct kmem_host_part){addr, kmem_uffd.page_size};
	drops->phys[drops->count++] = phys;
	return 0;
}

/* Drop all pages of TWIN frames, whose slots have the bytes; or the slots of STALE ones. */
static int runs_drop(const struct kmem_run *runs, size_t count, enum kmem_slot before)
{
	struct drops drops = {.before = before, .after = before == KMEM_SLOT_TWIN ? KMEM_SLOT_FULL : KMEM_SLOT_EMPTY};

	for (size_t i = 0; i < count; i++) {
		for (size_t done = 0; done < runs[i].size; done += kmem_uffd.page_size) {
			uintptr_t phys = runs[i].phys + done;
			int ret = drops_add(&drops, before == KMEM_SLOT_TWIN ? runs[i].addr + done : kmem_uffd_slot_of(phys), phys);

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
	const struct kmem_host_part page = {addr, kmem_uffd.page_size};
	int ret = kmem_host_uffd_write_protect(kmem_uffd_door(), addr, kmem_uffd.page_size, true);

	if (ret != 0) {
		return ret;
	}
	ret = kmem_uffd_copy(kmem_uffd_slot_of(phys), addr, kmem_uffd.page_size, false);
	if (ret == 0) {
		ret = kmem_host_pages_drop(&page, 1);
	}
	if (ret == 0) {
		kmem_uffd_state_set(phys, KMEM_SLOT_FULL);
		return 0;
	}
	if ((prot & KMEM_PROT_WRITE) != 0) {
		(void)kmem_host_uffd_write_protect(kmem_uffd_door(), addr, kmem_uffd.page_size, false);
	}
	return ret;
}

/* The program has told the host to drop an exposed page, whole or in part: what is left of it is, as private memory would be, zeroes. */
static int page_lost(uintptr_t addr, uintptr_t phys)
{
	size_t host_page = kmem_host_page_size();
	int ret = 0;

	kmem_log(KMEM_LOG_ERROR, "the page at %#lx has been dropped by a call that libkmem does not know of: its bytes are lost", addr);
	for (size_t i = 0; i < kmem_uffd.page_size && ret == 0; i += host_page) {
		size_t done;

		ret = kmem_uffd_move(kmem_uffd_slot_of(phys) + i, addr + i, host_page, &done);
		ret = ret == -ENOENT ? 0 : ret;
	}
	if (ret == 0) {
		ret = kmem_uffd_unshare(kmem_uffd_slot_of(phys), kmem_uffd.page_size);
	}
	if (ret == 0) {
		kmem_uffd_state_set(phys, KMEM_SLOT_FULL);
	}
	return ret;
}

/* What kept the first page of a stretch from being moved is overcome. *done: bytes of pages that are concealed then. */
static int conceal_otherwise(int error, uintptr_t addr, uintptr_t phys, size_t size, unsigned int prot, size_t *done)
{
	const struct kmem_host_part slots = {kmem_uffd_slot_of(phys), size};

	*done = 0;
	switch (error) {
	case -EEXIST:
		return kmem_host_pages_drop(&slots, 1);
	case -EBUSY:
	case -EAGAIN:
		*done = kmem_uffd.page_size;
		return page_hide_copy(addr, phys, prot);
	case -ENOENT:
		*done = kmem_uffd.page_size;
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
		int ret = kmem_uffd_move_pages(kmem_uffd_slot_of(phys), addr, size, &done);

		kmem_uffd_states_set(phys, done, KMEM_SLOT_FULL);
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
		enum kmem_slot state;
		size_t size = alike(run, done, &state);
		int ret = 0;

		if (state == KMEM_SLOT_EMPTY) {
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
	int ret = runs_drop(runs, count, KMEM_SLOT_STALE);

	if (ret == 0) {
		ret = runs_drop(runs, count, KMEM_SLOT_TWIN);
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
	for (size_t done = 0; done < run->size && !write_protected; done += kmem_uffd.page_size) {
		(void)kmem_uffd_state_change(kmem_uffd_frame_of(run->phys + done), KMEM_SLOT_TWIN, KMEM_SLOT_STALE);
	}
	return kmem_host_uffd_write_protect(kmem_uffd_door(), run->addr, run->size, write_protected);
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
	size_t size = kmem_uffd.page_size;
	int ret;

	(void)addr;
	if (kmem_uffd_state_get(phys) != KMEM_SLOT_BARE) {
		kmem_assert(kmem_uffd_state_get(phys) == KMEM_SLOT_FULL);
		return 0;
	}
	while (size < BACK_FRAMES * kmem_uffd.page_size && phys + size - kmem_uffd.ram < kmem_uffd.ram_size &&
	       kmem_uffd_state_get(phys + size) == KMEM_SLOT_BARE) {
		size += kmem_uffd.page_size;
	}
	ret = kmem_uffd_unshare(kmem_uffd_slot_of(phys), size);
	if (ret == 0) {
		kmem_uffd_states_set(phys, size, KMEM_SLOT_FULL);
	}
	return ret;
}

static void *bytes(uintptr_t addr, uintptr_t phys)
{
	(void)addr;
	return (void *)kmem_uffd_slot_of(phys);
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
	int ret = kmem_host_uffd_memory_reserve(kmem_uffd.door, addr, size);

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
	int ret = kmem_host_uffd_memory_replace(kmem_uffd_door(), addr, size);

	return ret != 0 ? ret : range_keep_back(addr, size);
}

/* ---- fork ---- */

static int fork_prepare(void)
{
	return 0;
}

static void fork_parent(void)
{
}

const struct kmem_engine kmem_engine_uffd = {
	.name = "uffd",
	.is_concurrent = true,
	.probe = kmem_uffd_probe,
	.start = kmem_uffd_start,
	.finish = kmem_uffd_finish,
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
	.fork_child = kmem_uffd_fork_child,
};
