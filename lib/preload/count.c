/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What this room counts, for the report (lib/kernel/report.h). Lines of the guard mode are there where it is on.
 */
#include "preload/count.h"

#include "kernel/report.h"
#include "preload/preload.h"

_Atomic uint64_t kmem_counts[KMEM_COUNT_COUNT];

static const struct {
	const char *name, *text;
} lines[KMEM_COUNT_COUNT] = {
	[KMEM_COUNT_CALLS] = {"trapped_calls", "system calls trapped"},
	[KMEM_COUNT_GUARDED] = {"guarded", "guarded allocations"},
	[KMEM_COUNT_GUARDED_BYTES] = {"guarded_bytes", "  bytes"},
	[KMEM_COUNT_GUARDED_RELEASED] = {"guarded_released", "  released"},
	[KMEM_COUNT_QUARANTINE_DROPPED] = {"quarantine_dropped", "  dropped from quarantine"},
	[KMEM_COUNT_UNGUARDED] = {"unguarded", "allocations without guards"},
};
_Static_assert(KMEM_COUNT_COUNT <= KMEM_REPORT_MORE_MAX, "all fit into a report");

static size_t counts_get(struct kmem_report_counter *counters)
{
	size_t count = kmem_preload_options.guard == KMEM_GUARD_OFF ? (size_t)KMEM_COUNT_GUARDED : (size_t)KMEM_COUNT_COUNT;

	for (size_t i = 0; i < count; i++) {
		counters[i] = (struct kmem_report_counter){
			.name = lines[i].name,
			.text = lines[i].text,
			.value = atomic_load_explicit(&kmem_counts[i], memory_order_relaxed),
		};
	}
	return count;
}

static void counts_reset(void)
{
	for (size_t i = 0; i < KMEM_COUNT_COUNT; i++) {
		atomic_store_explicit(&kmem_counts[i], 0, memory_order_relaxed);
	}
}

static const struct kmem_report_source source = {.get = counts_get, .reset = counts_reset};

/* Before the report at the end of anything. */
__attribute__((constructor(101))) static void source_set(void)
{
	kmem_report_source = &source;
}
