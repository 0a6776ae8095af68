/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counters and histograms: of the machine, and of the thread that did the work. Kernel lock held. (Zephyr: kernel/mmu.c)
 */
#ifndef KMEM_KERNEL_STATS_H
#define KMEM_KERNEL_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <kmem/kmem.h>

/* Zero everything; bounds of the histograms are the defaults. Counting and timing as the settings have them. */
void kmem_stats_init(bool is_counting, bool is_timing);

/* Bounds of the program's own, KMEM_HISTOGRAM_BINS of them or fewer with ULONG_MAX as the last; NULL keeps the default ones. */
void kmem_stats_bounds_set(const unsigned long *eviction, const unsigned long *store);

/* Begin anew: counters of the machine and of the calling thread, counts of the histograms. */
void kmem_stats_reset(void);

/* Add what one counted to a sum. */
void kmem_stats_add(struct kmem_stats *sum, const struct kmem_stats *one);

/* A page that was out came in. */
void kmem_stats_pagefault(void);

/* A fault chose a victim, which the policy judged. */
void kmem_stats_eviction(bool dirty);

void kmem_stats_minor_fault(void);
void kmem_stats_wait(void);

/* Pages were concealed for the host's mappings. */
void kmem_stats_relief(void);

/* Pages came in that nobody has asked for yet. */
void kmem_stats_readahead(size_t pages);

/*
 * A read from, or write to, the store took so long, as kmem_stats_clock() has it: so many pages were read or written, and so many could not
 * be. Each has its share of the time.
 */
void kmem_stats_store(bool is_read, uint64_t ns, size_t pages, size_t errors);

/* A victim was chosen in a fault; since: before it. */
void kmem_stats_select(uint64_t since);

/* A trap or paging call ended; since: its begin. */
void kmem_stats_paging(uint64_t since);

/* Now, in nanoseconds; 0 without timing. Needs no lock. */
uint64_t kmem_stats_clock(void);

const struct kmem_stats *kmem_stats_all(void);
const struct kmem_histogram *kmem_stats_histogram(enum kmem_histogram_kind kind);

#endif /* KMEM_KERNEL_STATS_H */
