/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guard mode's records: which block is where, and whose slot comes next. Inside guard mode only; see guard_record.c.
 */
#ifndef KMEM_PRELOAD_GUARD_RECORD_H
#define KMEM_PRELOAD_GUARD_RECORD_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "host/memory.h"
#include "kernel/kernel.h"
#include "preload/trace.h"

/*
 * States of a record, and who changes them:
 *   FREE -> LIVE          kmem_guard_alloc()
 *   LIVE -> RELEASED      kmem_guard_free(), by compare and exchange, so that one of two wins and the other is a double free
 *   RELEASED -> FREE      the quarantine, when room is needed
 */
enum kmem_guard_state {
	KMEM_GUARD_FREE,
	KMEM_GUARD_LIVE,
	KMEM_GUARD_RELEASED,
};

/* What is not atomic belongs to the thread that made the state LIVE or RELEASED, until the program, or the quarantine, has the block. */
struct kmem_guard_record {
	uintptr_t start; /* of the block */
	size_t size;
	uint32_t pages; /* of the slot, without the guard */
	uint32_t next;  /* in the quarantine, or among the free records; 0: none */
	_Atomic uint32_t state;
	uint32_t allocated_by, released_by; /* thread ids */
	kmem_trace allocated, released;
};

static inline enum kmem_guard_state kmem_guard_state(const struct kmem_guard_record *record)
{
	return (enum kmem_guard_state)atomic_load_explicit(&record->state, memory_order_acquire);
}

static inline uintptr_t kmem_guard_slot(const struct kmem_guard_record *record)
{
	return kmem_page_floor(record->start);
}

/* The page behind a block's own pages. */
static inline uintptr_t kmem_guard_slot_end(const struct kmem_guard_record *record)
{
	return kmem_guard_slot(record) + record->pages * kmem_page_size();
}

/* Records for an area of a VM range, all free; blocks may have so many pages together. 0 or -errno. */
int kmem_guard_records_init(uintptr_t start, size_t size, size_t live_pages_max);

/* The record of the slot around an address; NULL outside the area, and where no slot is. No lock. */
struct kmem_guard_record *kmem_guard_record_at(uintptr_t addr);

/* The record of a number, from 1 on, in whatever state; NULL behind the last one that was ever used. */
struct kmem_guard_record *kmem_guard_record_get(uint32_t number);

/* A record with a slot, which begins at its start; NULL where there is no room. size: of the block, for the counts. */
struct kmem_guard_record *kmem_guard_slot_take(size_t size, size_t pages, size_t align);

/* A released block goes to the end of the quarantine. */
void kmem_guard_slot_put(struct kmem_guard_record *record);

/* Around a fork. */
void kmem_guard_records_fork_prepare(void);
void kmem_guard_records_fork_parent(void);
void kmem_guard_records_fork_child(void);

#endif /* KMEM_PRELOAD_GUARD_RECORD_H */
