/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The slots of the engine on userfaultfd: see uffd_slots.h.
 */
#include "machine/uffd_slots.h"

#include <errno.h>

#include "host/assert.h"
#include "host/descriptor.h"
#include "host/failpoint.h"
#include "host/memory.h"
#include "host/uffd.h"

/* Frames that may have memory twice: 1 % of them, but enough for a batch to be worth its call. */
#define TWINS_SHARE 100
#define TWINS_MIN 16

/* Frames given back in one call. */
#define BATCH KMEM_HOST_PARTS

/* Attempts of a move that the host was kept from by what went on beside it. */
#define MOVE_ATTEMPTS 100

struct kmem_uffd kmem_uffd = {.door = -1};

/* ---- the door ---- */

/* A child that nobody knows of has its parent's door, which leads to the parent's memory: it has none then, and is told EBADF. */
int kmem_uffd_door(void)
{
	return atomic_load_explicit(kmem_uffd.is_ours, memory_order_relaxed) != 0 ? kmem_uffd.door : -1;
}

/* ---- frames and slots ---- */

size_t kmem_uffd_frame_of(uintptr_t phys)
{
	kmem_assert(phys - kmem_uffd.ram < kmem_uffd.ram_size);
	return (phys - kmem_uffd.ram) / kmem_uffd.page_size;
}

uintptr_t kmem_uffd_slot_of(uintptr_t phys)
{
	return (uintptr_t)kmem_uffd.slots + (phys - kmem_uffd.ram);
}

enum kmem_slot kmem_uffd_state_get(uintptr_t phys)
{
	return (enum kmem_slot)atomic_load_explicit(&kmem_uffd.states[kmem_uffd_frame_of(phys)], memory_order_acquire);
}

void kmem_uffd_state_set(uintptr_t phys, enum kmem_slot state)
{
	atomic_store_explicit(&kmem_uffd.states[kmem_uffd_frame_of(phys)], (uint8_t)state, memory_order_release);
}

bool kmem_uffd_state_change(size_t frame, enum kmem_slot from, enum kmem_slot to)
{
	uint8_t expected = (uint8_t)from;

	return atomic_compare_exchange_strong(&kmem_uffd.states[frame], &expected, (uint8_t)to);
}

void kmem_uffd_states_set(uintptr_t phys, size_t size, enum kmem_slot state)
{
	for (size_t done = 0; done < size; done += kmem_uffd.page_size) {
		kmem_uffd_state_set(phys + done, state);
	}
}

enum kmem_slot kmem_uffd_state_settled(uintptr_t phys)
{
	enum kmem_slot state = kmem_uffd_state_get(phys);

	while (state == KMEM_SLOT_LEAVING) {
		kmem_lock_acquire(&kmem_uffd.giving);
		kmem_lock_release(&kmem_uffd.giving);
		state = kmem_uffd_state_get(phys);
	}
	return state;
}

/* ---- memory that is there twice ---- */

/* Those of a batch that are still there twice, as stretches for one host call. */
static size_t batch_claim(const uint32_t *frames, size_t count, bool *is_claimed, struct kmem_host_part *parts)
{
	size_t parts_count = 0;

	for (size_t i = 0; i < count; i++) {
		uintptr_t slot = (uintptr_t)kmem_uffd.slots + frames[i] * kmem_uffd.page_size;
		struct kmem_host_part *last = parts_count > 0 ? &parts[parts_count - 1] : NULL;

		is_claimed[i] = kmem_uffd_state_change(frames[i], KMEM_SLOT_TWIN, KMEM_SLOT_LEAVING) || kmem_uffd_state_change(frames[i], KMEM_SLOT_STALE, KMEM_SLOT_LEAVING);
		if (!is_claimed[i]) {
			continue;
		}
		if (last != NULL && last->addr + last->size == slot) {
			last->size += kmem_uffd.page_size;
		} else {
			parts[parts_count++] = (struct kmem_host_part){slot, kmem_uffd.page_size};
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

	kmem_lock_acquire(&kmem_uffd.giving);
	parts_count = batch_claim(frames, count, is_claimed, parts);
	if (parts_count > 0) {
		kmem_failpoint_hold();
		(void)kmem_host_pages_drop(parts, parts_count);
		kmem_failpoint_release();
	}
	for (size_t i = 0; i < count; i++) {
		if (is_claimed[i]) {
			kmem_uffd_state_set(kmem_uffd.ram + frames[i] * kmem_uffd.page_size, KMEM_SLOT_EMPTY);
		}
	}
	kmem_lock_release(&kmem_uffd.giving);
}

/* Take the oldest frames of a full ring, up to a batch. How many. */
static size_t ring_take(uint32_t *frames)
{
	size_t count = 0;

	while (kmem_uffd.ring.count > 0 && count < BATCH) {
		frames[count++] = kmem_uffd.ring.frames[kmem_uffd.ring.first];
		kmem_uffd.ring.first = (kmem_uffd.ring.first + 1) % kmem_uffd.ring.size;
		kmem_uffd.ring.count--;
	}
	return count;
}

static void ring_put(size_t frame)
{
	uint32_t batch[BATCH];
	size_t count = 0;

	kmem_lock_acquire(&kmem_uffd.ring.lock);
	if (kmem_uffd.ring.count == kmem_uffd.ring.size) {
		count = ring_take(batch);
	}
	kmem_uffd.ring.frames[(kmem_uffd.ring.first + kmem_uffd.ring.count++) % kmem_uffd.ring.size] = (uint32_t)frame;
	kmem_lock_release(&kmem_uffd.ring.lock);
	if (count > 0) {
		batch_give_back(batch, count);
	}
}

void kmem_uffd_twins_note(uintptr_t phys, size_t size, enum kmem_slot state)
{
	kmem_uffd_states_set(phys, size, state);
	for (size_t done = 0; done < size; done += kmem_uffd.page_size) {
		ring_put(kmem_uffd_frame_of(phys + done));
	}
}

/* ---- moving ---- */

int kmem_uffd_unshare(uintptr_t addr, size_t size)
{
	return kmem_host_range_populate(addr, size, KMEM_PROT_READ | KMEM_PROT_WRITE);
}

int kmem_uffd_move(uintptr_t to, uintptr_t from, size_t size, size_t *done)
{
	unsigned int attempts = 0;
	bool is_unshared = false;
	int ret;

	*done = 0;
	for (;;) {
		size_t moved;

		ret = kmem_host_uffd_move(kmem_uffd_door(), to + *done, from + *done, size - *done, &moved);
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
			ret = kmem_uffd_unshare(from + *done, size - *done);
			if (ret != 0 && ret != -EFAULT) {
				return ret;
			}
		}
	}
}

int kmem_uffd_copy(uintptr_t to, uintptr_t from, size_t size, bool write_protected)
{
	size_t done = 0;
	unsigned int attempts = 0;

	for (;;) {
		size_t copied;
		int ret = kmem_host_uffd_copy(kmem_uffd_door(), to + done, from + done, size - done, write_protected, &copied);

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

int kmem_uffd_move_pages(uintptr_t to, uintptr_t from, size_t size, size_t *done)
{
	int ret = kmem_uffd_move(to, from, size, done);
	size_t torn = *done % kmem_uffd.page_size;

	if (torn != 0) {
		size_t back;

		*done -= torn;
		if (kmem_uffd_move(from + *done, to + *done, torn, &back) != 0) {
			kmem_assert(false);
		}
	}
	return ret;
}

/* ---- tables ---- */

static size_t states_size(void)
{
	return kmem_host_page_round(kmem_uffd.ram_size / kmem_uffd.page_size);
}

static size_t ring_bytes(void)
{
	return kmem_host_page_round(kmem_uffd.ring.size * sizeof(*kmem_uffd.ring.frames));
}

static int ring_get(void)
{
	size_t frames = kmem_uffd.ram_size / kmem_uffd.page_size;
	void *memory;
	int ret;

	kmem_uffd.ring.size = frames / TWINS_SHARE > TWINS_MIN ? frames / TWINS_SHARE : TWINS_MIN;
	kmem_uffd.ring.first = 0;
	kmem_uffd.ring.count = 0;
	ret = kmem_host_memory_get(&memory, ring_bytes());
	if (ret == 0) {
		kmem_uffd.ring.frames = memory;
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
	kmem_uffd.is_ours = memory;
	atomic_store(kmem_uffd.is_ours, 1);
	return 0;
}

static int tables_get(void)
{
	void *memory;
	int ret = kmem_host_memory_get(&memory, states_size());

	if (ret != 0) {
		return ret;
	}
	kmem_uffd.states = memory;
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
	kmem_host_memory_free(kmem_uffd.ring.frames, ring_bytes());
states_free:
	kmem_host_memory_free(kmem_uffd.states, states_size());
	return ret;
}

static void tables_free(void)
{
	kmem_host_memory_free((void *)kmem_uffd.is_ours, kmem_host_page_size());
	kmem_host_memory_free(kmem_uffd.ring.frames, ring_bytes());
	kmem_host_memory_free(kmem_uffd.states, states_size());
}

static int slots_register(void)
{
	return kmem_host_uffd_register(kmem_uffd.door, (uintptr_t)kmem_uffd.slots, kmem_uffd.ram_size, KMEM_HOST_UFFD_TRAVEL);
}

static int slots_get(void)
{
	void *memory;
	int ret = kmem_host_uffd_memory_get(&memory, kmem_uffd.ram_size);

	if (ret != 0) {
		return ret;
	}
	kmem_uffd.slots = memory;
	ret = slots_register();
	if (ret != 0) {
		kmem_host_memory_free(kmem_uffd.slots, kmem_uffd.ram_size);
	}
	return ret;
}

int kmem_uffd_start(const struct kmem_engine_params *params)
{
	int ret;

	kmem_uffd.ram = params->ram;
	kmem_uffd.ram_size = params->ram_size;
	kmem_uffd.page_size = params->page_size;
	kmem_uffd.door = kmem_host_uffd_open();
	if (kmem_uffd.door < 0) {
		return kmem_uffd.door;
	}
	ret = tables_get();
	if (ret == 0) {
		ret = slots_get();
		if (ret != 0) {
			tables_free();
		}
	}
	if (ret != 0) {
		kmem_descriptor_close(kmem_uffd.door);
	}
	return ret;
}

void kmem_uffd_finish(void)
{
	kmem_host_memory_free(kmem_uffd.slots, kmem_uffd.ram_size);
	tables_free();
	kmem_descriptor_close(kmem_uffd.door);
}

/* The parent's door leads to the parent's memory. */
int kmem_uffd_fork_child(void)
{
	int door = kmem_host_uffd_open();

	if (door < 0) {
		return door;
	}
	kmem_descriptor_close(kmem_uffd.door);
	kmem_uffd.door = door;
	atomic_store(kmem_uffd.is_ours, 1);
	return slots_register();
}
