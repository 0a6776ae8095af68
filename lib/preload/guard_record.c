/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guard mode's records, slots and quarantine. Words: see guard.c.
 *
 * Theory of operation. All of the area is one mapping that allows nothing (lib/kernel/space.h), extended piece by piece. Slots are taken by
 * a region map, the highest hole that fits, so that addresses that were never used come first. When nothing fits, or records are used
 * up, the quarantine is recycled from its oldest block on. When it is empty, there is no room; and so it is when the store
 * could not hold the pages of more blocks.
 *
 * Records are in an array; the *index* tells for every page of the area, guards included, the record of its slot.
 *
 * Locking. The guard lock guards slots, free records, quarantine and counts; it lies outside the kernel lock, is held for a few steps,
 * and nobody touches paged memory under it. Finding a record by an address takes no lock. A fork waits for the lock, so that the child
 * finds everything in order.
 */
#include "preload/guard_record.h"

#include <errno.h>

#include "host/lock.h"
#include "host/log.h"
#include "host/pool.h"
#include "host/signals.h"
#include "kernel/region.h"
#include "kernel/space.h"
#include "preload/count.h"
#include "preload/guard.h"

/* The area grows by so much at least. */
#define AREA_STEP (16UL << 20)

/* Blocks at most, in use and in quarantine: their records take 192 MiB of the host's memory when all are used. */
#define RECORDS_MAX (1U << 22)

struct kmem_guard_area kmem_guard_area;

static struct {
	/* constant after init */
	uintptr_t start; /* the area may grow down to here */
	size_t page;
	struct kmem_guard_record *records; /* [0] is not used */
	_Atomic uint32_t *index;
	size_t live_pages_max;

	struct kmem_lock lock;
	/* guarded by the lock */
	struct kmem_region_map map; /* of slots */
	struct kmem_pool holes;
	uint32_t records_used; /* that were ever used, [0] included */
	uint32_t records_free;
	uint32_t oldest, newest; /* of the quarantine */
	size_t live_pages, live_bytes;
	bool is_refusal_told;
} guard;

/*
 * Take the lock. False where the thread has it already, between the handlers of a fork: then it is alone, all is in order, and it is not
 * to be released.
 */
static bool lock_take(kmem_sigmask *saved)
{
	if (kmem_lock_is_held(&guard.lock)) {
		return false;
	}
	kmem_signals_block(saved);
	kmem_lock_acquire(&guard.lock);
	return true;
}

static void lock_drop(bool is_taken, const kmem_sigmask *saved)
{
	if (is_taken) {
		kmem_lock_release(&guard.lock);
		kmem_signals_restore(saved);
	}
}

static size_t slot_size(size_t pages)
{
	return (pages + 1) * guard.page;
}

struct kmem_guard_record *kmem_guard_record_at(uintptr_t addr)
{
	uint32_t number;

	if (!kmem_guard_owns((const void *)addr)) {
		return NULL;
	}
	number = atomic_load_explicit(&guard.index[(addr - guard.start) / guard.page], memory_order_acquire);
	return number == 0 ? NULL : &guard.records[number];
}

static void index_set(uintptr_t addr, size_t pages, uint32_t number)
{
	size_t first = (addr - guard.start) / guard.page;

	for (size_t i = 0; i < pages; i++) {
		atomic_store_explicit(&guard.index[first + i], number, memory_order_release);
	}
}

/* Slots and records. Lock held throughout. */

static void *hole_get(void *arg)
{
	return kmem_pool_get(arg);
}

static void hole_put(void *arg, void *hole)
{
	kmem_pool_put(arg, hole);
}

/* Make the area begin at or below addr, with a page for a guard. Where it cannot, it never grows again. */
static int area_extend(uintptr_t addr)
{
	uintptr_t floor = atomic_load_explicit(&kmem_guard_area.floor, memory_order_relaxed);
	uintptr_t wanted = addr - guard.page;
	int ret;

	if (wanted >= floor) {
		return 0;
	}
	if (floor - wanted < AREA_STEP) {
		wanted = floor - guard.start > AREA_STEP ? floor - AREA_STEP : guard.start;
	}
	ret = kmem_space_map(&wanted, floor - wanted, guard.page, KMEM_PROT_NONE, KMEM_SPACE_FIXED_NOREPLACE);
	if (ret == 0) {
		atomic_store_explicit(&kmem_guard_area.floor, wanted, memory_order_relaxed);
	}
	return ret;
}

/* Nothing below the floor is ours: take it out of the map of slots. */
static int area_close(void)
{
	uintptr_t first = guard.map.start;
	uintptr_t last = atomic_load_explicit(&kmem_guard_area.floor, memory_order_relaxed) + guard.page;

	return kmem_region_take(&guard.map, first, (last < guard.map.end ? last : guard.map.end) - first);
}

/* Give the oldest slot of the quarantine, and its record, to whoever needs one. False where there is none. */
static bool recycle(void)
{
	uint32_t number = guard.oldest;
	struct kmem_guard_record *record = &guard.records[number];

	if (number == 0) {
		return false;
	}
	guard.oldest = record->next;
	index_set(kmem_guard_slot(record), record->pages + 1, 0);
	(void)kmem_region_free(&guard.map, kmem_guard_slot(record), slot_size(record->pages));
	atomic_store_explicit(&record->state, KMEM_GUARD_FREE, memory_order_release);
	record->next = guard.records_free;
	guard.records_free = number;
	kmem_count(KMEM_COUNT_QUARANTINE_DROPPED, 1);
	return true;
}

static uint32_t record_get(void)
{
	uint32_t number;

	if (guard.records_free == 0 && guard.records_used < RECORDS_MAX) {
		return guard.records_used++;
	}
	if (guard.records_free == 0 && !recycle()) {
		return 0;
	}
	number = guard.records_free;
	guard.records_free = guard.records[number].next;
	return number;
}

static void record_put(uint32_t number)
{
	guard.records[number].next = guard.records_free;
	guard.records_free = number;
}

/* The address of a slot for so many pages; 0 where there is no room. */
static uintptr_t slot_take(size_t pages, size_t align)
{
	uintptr_t addr;

	for (;;) {
		if (kmem_region_alloc(&guard.map, slot_size(pages), align, &addr) != 0) {
			if (!recycle()) {
				return 0;
			}
			continue;
		}
		if (area_extend(addr) == 0) {
			return addr;
		}
		if (kmem_region_free(&guard.map, addr, slot_size(pages)) != 0 || area_close() != 0) {
			return 0;
		}
	}
}

static void refusal_tell(size_t size)
{
	if (!guard.is_refusal_told) {
		guard.is_refusal_told = true;
		kmem_log(KMEM_LOG_INFO,
			 "guard: no room for a block of %zu bytes beside %zu pages in use: the ordinary heap serves", size,
			 guard.live_pages);
	}
}

struct kmem_guard_record *kmem_guard_slot_take(size_t size, size_t pages, size_t align)
{
	kmem_sigmask saved;
	bool is_taken = lock_take(&saved);
	bool is_room = pages <= guard.live_pages_max - guard.live_pages;
	uint32_t number = is_room ? record_get() : 0;
	uintptr_t addr = number != 0 ? slot_take(pages, align > guard.page ? align : guard.page) : 0;

	if (addr == 0) {
		if (number != 0) {
			record_put(number);
		}
		refusal_tell(size);
		lock_drop(is_taken, &saved);
		return NULL;
	}
	guard.live_pages += pages;
	guard.live_bytes += size;
	guard.records[number].start = addr;
	guard.records[number].pages = (uint32_t)pages;
	index_set(addr, pages + 1, number);
	lock_drop(is_taken, &saved);
	return &guard.records[number];
}

void kmem_guard_slot_put(struct kmem_guard_record *record)
{
	uint32_t number = (uint32_t)(record - guard.records);
	kmem_sigmask saved;
	bool is_taken = lock_take(&saved);

	record->next = 0;
	if (guard.oldest == 0) {
		guard.oldest = number;
	} else {
		guard.records[guard.newest].next = number;
	}
	guard.newest = number;
	guard.live_pages -= record->pages;
	guard.live_bytes -= record->size;
	lock_drop(is_taken, &saved);
}

void kmem_guard_usage(size_t *bytes, size_t *mapped)
{
	kmem_sigmask saved;
	bool is_taken;

	*bytes = 0;
	*mapped = 0;
	if (atomic_load_explicit(&kmem_guard_area.end, memory_order_acquire) == 0) {
		return;
	}
	is_taken = lock_take(&saved);
	*bytes = guard.live_bytes;
	*mapped = guard.live_pages * guard.page;
	lock_drop(is_taken, &saved);
}

struct kmem_guard_record *kmem_guard_record_get(uint32_t number)
{
	kmem_sigmask saved;
	bool is_taken = lock_take(&saved);
	bool is_used = number < guard.records_used;

	lock_drop(is_taken, &saved);
	return is_used ? &guard.records[number] : NULL;
}

/* The lock is not counted here: between the handlers, programs touch paged memory. */
void kmem_guard_records_fork_prepare(void)
{
	kmem_lock_acquire_outer(&guard.lock);
}

void kmem_guard_records_fork_parent(void)
{
	kmem_lock_release_outer(&guard.lock);
}

void kmem_guard_records_fork_child(void)
{
	kmem_lock_adopt(&guard.lock);
	kmem_lock_release_outer(&guard.lock);
}

/* Records and index in one piece of the host's memory. */
static int tables_get(size_t area_size)
{
	size_t records_size = RECORDS_MAX * sizeof(struct kmem_guard_record);
	void *memory;
	int ret = kmem_host_memory_get(&memory, kmem_host_page_round(records_size + area_size / guard.page * sizeof(*guard.index)));

	if (ret != 0) {
		return ret;
	}
	guard.records = memory;
	guard.records_used = 1;
	guard.index = (void *)((char *)memory + records_size);
	return 0;
}

int kmem_guard_records_init(uintptr_t start, size_t size, size_t live_pages_max)
{
	const struct kmem_hole_memory memory = {.get = hole_get, .put = hole_put, .arg = &guard.holes};
	int ret;

	guard.start = start;
	guard.page = kmem_page_size();
	guard.live_pages_max = live_pages_max;
	ret = tables_get(size);
	if (ret != 0) {
		return ret;
	}
	kmem_pool_init(&guard.holes, kmem_hole_size());
	/* The lowest page is the guard of the lowest slot. */
	ret = kmem_region_map_init(&guard.map, start + guard.page, start + size, guard.page, &memory);
	if (ret == 0) {
		atomic_store_explicit(&kmem_guard_area.floor, start + size, memory_order_relaxed);
		atomic_store_explicit(&kmem_guard_area.end, start + size, memory_order_release);
	}
	return ret;
}
