/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guard mode: allocations with pages of their own between guards.
 *
 * Words. *Area*: the lower part of the VM range, where nothing else goes as long as there is room above; it begins at its end and grows
 * downwards as it is used. *Slot*: whole pages for a block, and one page behind them that is never accessible, its guard; the guard of
 * the slot below is the one before it. *Slack*: bytes of a block's own pages that are not the block's. *Quarantine*: released blocks in
 * the order of their release; their pages are gone, their slots are not used again yet. *Record*: what is known of a block.
 *
 * Here are allocation, release, and what is looked at then; slots, records and quarantine are in guard_record.c, reports in guard_report.c.
 *
 * Theory of operation. A block's own pages are made accessible when it is allocated, and emptied and made inaccessible when it is
 * released: until then they are paged as any others, afterwards they take neither RAM nor store. What accesses other pages of the area
 * is a bad access, and explained.
 *
 * A block ends as near to its guard as its alignment allows (KMEM_GUARD_AFTER), or begins at the start of its pages
 * (KMEM_GUARD_BEFORE). The slack before it holds zeroes, the slack behind it a pattern; at its release both must be so still, and at the
 * end of the program, if it is never released. A block of no bytes has a page that is never made accessible.
 *
 * What finds no room is served by the ordinary heap.
 *
 * Locking: see guard_record.c. Nothing here holds a lock.
 */
#include "preload/guard.h"

#include <stdlib.h>
#include <string.h>

#include "host/copy.h"
#include "host/log.h"
#include "host/memory.h"
#include "host/process.h"
#include "host/thread.h"
#include "kernel/kernel.h"
#include "kernel/space.h"
#include "preload/count.h"
#include "preload/guard_record.h"
#include "preload/guard_report.h"
#include "preload/preload.h"
#include "preload/trace.h"

/* The area's part of the VM range, in quarters: the rest is for the ordinary heap and mappings. */
#define AREA_QUARTERS 3

/* What malloc() owes: enough for every type. */
#define ALIGN_MIN 16UL

#define SLACK_BYTE 0x9c

/* Blocks that are reported one by one at exit. */
#define SLACK_REPORTS_MAX 10

/* Of the area, when it is as large as it can be. Constant after init. */
static size_t area_size;

/* Allocations of this thread until the next sample. */
static __thread unsigned long countdown __attribute__((tls_model("initial-exec")));

/*
 * Blocks
 */

/* Where a block begins in its slot. */
static uintptr_t block_start(uintptr_t slot, size_t pages, size_t size, size_t align)
{
	size_t reach = size > 0 ? size : 1; /* also of no bytes, it begins in its own page */

	if (kmem_preload_options.guard == KMEM_GUARD_BEFORE) {
		return slot;
	}
	return (slot + pages * kmem_page_size() - reach) & ~(align - 1);
}

static void slack_fill(const struct kmem_guard_record *record)
{
	uintptr_t end = record->start + record->size;

	memset((void *)end, SLACK_BYTE, kmem_guard_slot_end(record) - end);
}

/* Bytes that are compared at once. */
#define SLACK_PIECE 512UL

/* A byte that is not what it was, or NULL's address. */
struct mismatch {
	uintptr_t addr;
	unsigned char byte;
};

/* The first byte of [addr, end) that is not value. Of what cannot be read nothing is said. */
static struct mismatch mismatch_in(uintptr_t addr, uintptr_t end, unsigned char value)
{
	unsigned char bytes[SLACK_PIECE];

	while (addr < end) {
		size_t size = end - addr < sizeof(bytes) ? end - addr : sizeof(bytes);

		if (kmem_copy(bytes, (const void *)addr, size) != size) {
			break;
		}
		for (size_t i = 0; i < size; i++) {
			if (bytes[i] != value) {
				return (struct mismatch){.addr = addr + i, .byte = bytes[i]};
			}
		}
		addr += size;
	}
	return (struct mismatch){.addr = 0};
}

/* What was overwritten around a block, the bytes behind it first. */
static struct mismatch slack_mismatch(const struct kmem_guard_record *record)
{
	uintptr_t end = record->start + record->size;
	struct mismatch bad = mismatch_in(end, kmem_guard_slot_end(record), SLACK_BYTE);

	return bad.addr != 0 ? bad : mismatch_in(kmem_guard_slot(record), record->start, 0);
}

static void slack_check(const struct kmem_guard_record *record)
{
	struct mismatch bad = slack_mismatch(record);

	if (bad.addr != 0) {
		kmem_guard_die_of_slack(record, bad.addr, bad.byte);
	}
}

static int block_open(const struct kmem_guard_record *record)
{
	if (record->size == 0) {
		return 0;
	}
	return kmem_space_protect(kmem_guard_slot(record), record->pages * kmem_page_size(), KMEM_PROT_READ | KMEM_PROT_WRITE);
}

static void block_close(const struct kmem_guard_record *record)
{
	size_t size = record->pages * kmem_page_size();
	int ret;

	if (record->size == 0) {
		return;
	}
	ret = kmem_space_discard(kmem_guard_slot(record), size);
	if (ret == 0) {
		ret = kmem_space_protect(kmem_guard_slot(record), size, KMEM_PROT_NONE);
	}
	if (ret != 0) {
		kmem_log(KMEM_LOG_WARNING, "guard: a released block of %zu bytes at 0x%zx stays accessible: %s", record->size,
			 (size_t)record->start, kmem_error_name(-ret));
	}
}

/* What the unwinder might allocate comes from the ordinary heap. */
static kmem_trace trace_take(void)
{
	bool former = kmem_guard_is_busy;
	kmem_trace trace;

	kmem_guard_is_busy = true;
	trace = kmem_trace_take();
	kmem_guard_is_busy = former;
	return trace;
}

static void *block_make(size_t size, size_t align)
{
	size_t pages = size == 0 ? 1 : (size - 1) / kmem_page_size() + 1;
	struct kmem_guard_record *record = kmem_guard_slot_take(size, pages, align);

	if (record == NULL) {
		return NULL;
	}
	record->start = block_start(record->start, pages, size, align);
	record->size = size;
	record->allocated_by = kmem_thread_id();
	record->allocated = trace_take();
	record->released_by = 0;
	record->released = 0;
	if (block_open(record) != 0) {
		kmem_guard_slot_put(record);
		return NULL;
	}
	if (size > 0) {
		slack_fill(record);
	}
	atomic_store_explicit(&record->state, KMEM_GUARD_LIVE, memory_order_release);
	kmem_count(KMEM_COUNT_GUARDED, 1);
	kmem_count(KMEM_COUNT_GUARDED_BYTES, size);
	return (void *)record->start;
}

static bool is_sampled(void)
{
	if (countdown == 0) {
		countdown = kmem_preload_options.sample;
	}
	return countdown == 0 || --countdown == 0;
}

void *kmem_guard_alloc(size_t size, size_t align)
{
	uintptr_t end = atomic_load_explicit(&kmem_guard_area.end, memory_order_acquire);

	if (end == 0 || kmem_guard_is_busy || !is_sampled() || size >= area_size || align >= area_size) {
		kmem_count(KMEM_COUNT_UNGUARDED, 1);
		return NULL;
	}
	return block_make(size, align > ALIGN_MIN ? align : ALIGN_MIN);
}

/* The record of the block in use that begins at ptr. */
static struct kmem_guard_record *record_of(const void *ptr, const char *call)
{
	struct kmem_guard_record *record = kmem_guard_record_at((uintptr_t)ptr);

	if (record == NULL || record->start != (uintptr_t)ptr || kmem_guard_state(record) != KMEM_GUARD_LIVE) {
		kmem_guard_die_of_pointer(call, record, (uintptr_t)ptr);
	}
	return record;
}

void kmem_guard_free(void *ptr)
{
	struct kmem_guard_record *record = record_of(ptr, "release of");
	uint32_t live = KMEM_GUARD_LIVE;

	if (!atomic_compare_exchange_strong(&record->state, &live, KMEM_GUARD_RELEASED)) {
		kmem_guard_die_of_pointer("release of", record, (uintptr_t)ptr);
	}
	kmem_count(KMEM_COUNT_GUARDED_RELEASED, 1);
	record->released_by = kmem_thread_id();
	record->released = trace_take();
	if (record->size > 0) {
		slack_check(record);
	}
	block_close(record);
	kmem_guard_slot_put(record);
}

size_t kmem_guard_size(const void *ptr)
{
	return record_of(ptr, "realloc() or malloc_usable_size() of")->size;
}

/*
 * At the end.
 */

/* Whether a block that is in use was written to outside its bytes. Other threads may allocate and release meanwhile. */
static struct mismatch live_mismatch(const struct kmem_guard_record *record)
{
	const struct mismatch none = {.addr = 0};
	struct mismatch bad;
	uintptr_t start;

	if (kmem_guard_state(record) != KMEM_GUARD_LIVE || record->size == 0) {
		return none;
	}
	start = record->start;
	bad = slack_mismatch(record);
	return kmem_guard_state(record) == KMEM_GUARD_LIVE && record->start == start ? bad : none;
}

/* What is never released is looked at when the program calls exit(), or returns from main(). Its status stays. */
static void slack_check_all(void)
{
	const struct kmem_guard_record *record;
	size_t count = 0;

	for (uint32_t number = 1; (record = kmem_guard_record_get(number)) != NULL; number++) {
		struct mismatch bad = live_mismatch(record);

		if (bad.addr != 0 && count++ < SLACK_REPORTS_MAX) {
			kmem_guard_slack_log(record, bad.addr, bad.byte);
		}
	}
	if (count > SLACK_REPORTS_MAX) {
		kmem_log(KMEM_LOG_ERROR, "guard: %zu more blocks were written to outside their bytes", count - SLACK_REPORTS_MAX);
	}
}

/*
 * fork
 */

static void fork_prepare(void)
{
	kmem_guard_records_fork_prepare();
	kmem_trace_fork_prepare();
}

static void fork_parent(void)
{
	kmem_trace_fork_parent();
	kmem_guard_records_fork_parent();
}

static void fork_child(void)
{
	kmem_trace_fork_child();
	kmem_guard_records_fork_child();
}

/*
 * Set up
 */

int kmem_guard_init(char *error, size_t error_size)
{
	uintptr_t start = kmem_kernel.layout.vm_free_start;
	int ret;

	if (kmem_preload_options.guard == KMEM_GUARD_OFF) {
		return 0;
	}
	area_size = kmem_page_floor((kmem_kernel.layout.virt_ram_end - kmem_kernel.layout.vm_reserved - start) / 4 * AREA_QUARTERS);
	ret = kmem_trace_init();
	if (ret == 0) {
		/* Half of the store, since the ordinary heap has pages, too. */
		ret = kmem_guard_records_init(start, area_size, kmem_kernel.store.capacity_pages / 2);
	}
	if (ret != 0) {
		(void)kmem_format(error, error_size, "KMEM_GUARD: no memory for its tables (%s)", kmem_error_name(-ret));
		return ret;
	}
	kmem_process_at_fork(fork_prepare, fork_parent, fork_child);
	kmem_guard_report_init();
	(void)atexit(slack_check_all);
	return 0;
}
