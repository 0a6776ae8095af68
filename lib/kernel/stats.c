/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counters and histograms.
 *
 * Every count is kept twice: for the machine here, and for the calling thread in its struct kmem_thread. A cycle of
 * Zephyr's is a nanosecond here. The default bounds are Zephyr's, which names them as nanoseconds but counts microseconds.
 */
#include "kernel/stats.h"

#include <limits.h>
#include <string.h>

#include "host/clock.h"
#include "host/thread.h"

static struct {
	/* constant after init */
	bool is_counting;
	bool is_timing;

	/* guarded by the kernel lock */
	struct kmem_stats all;
	struct kmem_histogram histograms[KMEM_HISTOGRAM_PAGE_OUT + 1];
} stats;

#define US 1000UL

static const unsigned long eviction_bounds[KMEM_HISTOGRAM_BINS] = {
	1 * US, 5 * US, 10 * US, 50 * US, 100 * US, 200 * US, 500 * US, 1000 * US, 2000 * US, ULONG_MAX,
};

static const unsigned long store_bounds[KMEM_HISTOGRAM_BINS] = {
	10 * US, 100 * US, 125 * US, 250 * US, 500 * US, 1000 * US, 2000 * US, 5000 * US, 10000 * US, ULONG_MAX,
};

/* Add to a counter of the machine and of the thread. */
#define COUNT(member, n)                                                                                               \
	do {                                                                                                           \
		if (stats.is_counting) {                                                                               \
			stats.all.member += (n);                                                                       \
			kmem_thread_self()->stats.member += (n);                                                       \
		}                                                                                                      \
	} while (false)

void kmem_stats_init(bool is_counting, bool is_timing)
{
	memset(&stats, 0, sizeof(stats));
	stats.is_counting = is_counting;
	stats.is_timing = is_timing;
	memcpy(stats.histograms[KMEM_HISTOGRAM_EVICTION].bounds, eviction_bounds, sizeof(eviction_bounds));
	memcpy(stats.histograms[KMEM_HISTOGRAM_PAGE_IN].bounds, store_bounds, sizeof(store_bounds));
	memcpy(stats.histograms[KMEM_HISTOGRAM_PAGE_OUT].bounds, store_bounds, sizeof(store_bounds));
}

void kmem_stats_reset(void)
{
	memset(&stats.all, 0, sizeof(stats.all));
	memset(&kmem_thread_self()->stats, 0, sizeof(stats.all));
	for (size_t i = 0; i < sizeof(stats.histograms) / sizeof(stats.histograms[0]); i++) {
		memset(stats.histograms[i].counts, 0, sizeof(stats.histograms[i].counts));
	}
}

void kmem_stats_add(struct kmem_stats *sum, const struct kmem_stats *one)
{
	sum->pagefaults.cnt += one->pagefaults.cnt;
	sum->pagefaults.irq_locked += one->pagefaults.irq_locked;
	sum->pagefaults.irq_unlocked += one->pagefaults.irq_unlocked;
	sum->pagefaults.in_isr += one->pagefaults.in_isr;
	sum->eviction.clean += one->eviction.clean;
	sum->eviction.dirty += one->eviction.dirty;
	sum->minor_faults += one->minor_faults;
	sum->waits += one->waits;
	sum->readahead_pages += one->readahead_pages;
	sum->reliefs += one->reliefs;
	sum->store_reads += one->store_reads;
	sum->store_writes += one->store_writes;
	sum->store_errors += one->store_errors;
	sum->paging_ns += one->paging_ns;
	sum->store_ns += one->store_ns;
}

/* Copy bounds up to ULONG_MAX, which the last one always is. */
static void bounds_copy(enum kmem_histogram_kind kind, const unsigned long *bounds)
{
	struct kmem_histogram *histogram = &stats.histograms[kind];
	size_t bin = 0;

	while (bin < KMEM_HISTOGRAM_BINS - 1 && bounds[bin] != ULONG_MAX) {
		histogram->bounds[bin] = bounds[bin];
		bin++;
	}
	while (bin < KMEM_HISTOGRAM_BINS) {
		histogram->bounds[bin++] = ULONG_MAX;
	}
}

void kmem_stats_bounds_set(const unsigned long *eviction, const unsigned long *store)
{
	if (eviction != NULL) {
		bounds_copy(KMEM_HISTOGRAM_EVICTION, eviction);
	}
	if (store != NULL) {
		bounds_copy(KMEM_HISTOGRAM_PAGE_IN, store);
		bounds_copy(KMEM_HISTOGRAM_PAGE_OUT, store);
	}
}

void kmem_stats_pagefault(void)
{
	const struct kmem_thread *self = kmem_thread_self();

	COUNT(pagefaults.cnt, 1);
	if (self->irq_locked) {
		COUNT(pagefaults.irq_locked, 1);
	} else {
		COUNT(pagefaults.irq_unlocked, 1);
	}
	if (self->in_isr) {
		COUNT(pagefaults.in_isr, 1);
	}
}

void kmem_stats_eviction(bool dirty)
{
	if (dirty) {
		COUNT(eviction.dirty, 1);
	} else {
		COUNT(eviction.clean, 1);
	}
}

void kmem_stats_minor_fault(void)
{
	COUNT(minor_faults, 1);
}

void kmem_stats_wait(void)
{
	COUNT(waits, 1);
}

void kmem_stats_readahead(size_t pages)
{
	COUNT(readahead_pages, pages);
}

void kmem_stats_relief(void)
{
	COUNT(reliefs, 1);
}

/* More in the first bin whose bound is not below the time. */
static void histogram_add(enum kmem_histogram_kind kind, uint64_t ns, unsigned long times)
{
	struct kmem_histogram *histogram = &stats.histograms[kind];
	unsigned int bin = 0;

	while (ns > histogram->bounds[bin]) {
		bin++;
	}
	histogram->counts[bin] += times;
}

void kmem_stats_store(bool is_read, uint64_t ns, size_t pages, size_t errors)
{
	size_t all = pages + errors;

	COUNT(store_errors, errors);
	if (is_read) {
		COUNT(store_reads, pages);
	} else {
		COUNT(store_writes, pages);
	}
	if (stats.is_timing && all > 0) {
		COUNT(store_ns, ns);
		histogram_add(is_read ? KMEM_HISTOGRAM_PAGE_IN : KMEM_HISTOGRAM_PAGE_OUT, ns / all, all);
	}
}

void kmem_stats_select(uint64_t since)
{
	if (stats.is_timing) {
		histogram_add(KMEM_HISTOGRAM_EVICTION, kmem_clock_ns() - since, 1);
	}
}

void kmem_stats_paging(uint64_t since)
{
	if (stats.is_timing) {
		COUNT(paging_ns, kmem_clock_ns() - since);
	}
}

uint64_t kmem_stats_clock(void)
{
	return stats.is_timing ? kmem_clock_ns() : 0;
}

const struct kmem_stats *kmem_stats_all(void)
{
	return &stats.all;
}

const struct kmem_histogram *kmem_stats_histogram(enum kmem_histogram_kind kind)
{
	return &stats.histograms[kind];
}
