/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Demand paging from a program's side, in Zephyr's spelling. (Zephyr: kernel/mm/demand_paging.h)
 *
 * k_mem_page_out(), k_mem_page_in(), k_mem_pin() and k_mem_unpin() are described in <kmem/mm.h>; <kmem/kmem.h> has more
 * counters than these.
 */
#ifndef ZEPHYR_INCLUDE_KERNEL_MM_DEMAND_PAGING_H
#define ZEPHYR_INCLUDE_KERNEL_MM_DEMAND_PAGING_H

#include <kmem/kconfig.h>

#include <string.h>

#include <kmem/kmem.h>
#include <zephyr/kernel/mm.h>

#ifdef __cplusplus
extern "C" {
#endif

struct k_mem_page_frame;
struct k_thread;

#ifdef CONFIG_DEMAND_PAGING

/* Empty, of size 0, where statistics are off: an extension that gcc and clang share. */
__extension__ struct k_mem_paging_stats_t {
#ifdef CONFIG_DEMAND_PAGING_STATS
	struct {
		unsigned long cnt; /* pages that were out and were brought in */
		unsigned long irq_locked;
		unsigned long irq_unlocked;
#ifndef CONFIG_DEMAND_PAGING_ALLOW_IRQ
		unsigned long in_isr;
#endif
	} pagefaults;
	struct {
		unsigned long clean; /* by faults, as the policy judged them */
		unsigned long dirty;
	} eviction;
#endif
};

__extension__ struct k_mem_paging_histogram_t {
#ifdef CONFIG_DEMAND_PAGING_TIMING_HISTOGRAM
	unsigned long counts[CONFIG_DEMAND_PAGING_TIMING_HISTOGRAM_NUM_BINS];
	unsigned long bounds[CONFIG_DEMAND_PAGING_TIMING_HISTOGRAM_NUM_BINS]; /* nanoseconds, inclusive */
#endif
};

#ifdef CONFIG_DEMAND_PAGING_STATS
/** Copy the counters of the machine; nothing happens for NULL. Context: anywhere but in a trap. */
static inline void k_mem_paging_stats_get(struct k_mem_paging_stats_t *stats)
{
	struct kmem_stats all;

	if (stats == NULL) {
		return;
	}
	memset(&all, 0, sizeof(all));
	(void)kmem_stats_get(&all);
	stats->pagefaults.cnt = all.pagefaults.cnt;
	stats->pagefaults.irq_locked = all.pagefaults.irq_locked;
	stats->pagefaults.irq_unlocked = all.pagefaults.irq_unlocked;
#ifndef CONFIG_DEMAND_PAGING_ALLOW_IRQ
	stats->pagefaults.in_isr = all.pagefaults.in_isr;
#endif
	stats->eviction.clean = all.eviction.clean;
	stats->eviction.dirty = all.eviction.dirty;
}
#endif /* CONFIG_DEMAND_PAGING_STATS */

#ifdef CONFIG_DEMAND_PAGING_TIMING_HISTOGRAM
static inline void kmem_paging_histogram_copy(enum kmem_histogram_kind kind, struct k_mem_paging_histogram_t *hist)
{
	struct kmem_histogram all;

	if (hist == NULL) {
		return;
	}
	memset(&all, 0, sizeof(all));
	(void)kmem_histogram_get(kind, &all);
	memcpy(hist->counts, all.counts, sizeof(hist->counts));
	memcpy(hist->bounds, all.bounds, sizeof(hist->bounds));
}

/** How long choosing a victim took, in faults; nothing happens for NULL. Context: as k_mem_paging_stats_get(). */
static inline void k_mem_paging_histogram_eviction_get(struct k_mem_paging_histogram_t *hist)
{
	kmem_paging_histogram_copy(KMEM_HISTOGRAM_EVICTION, hist);
}

/** How long reads from the backing store took. As above. */
static inline void k_mem_paging_histogram_backing_store_page_in_get(struct k_mem_paging_histogram_t *hist)
{
	kmem_paging_histogram_copy(KMEM_HISTOGRAM_PAGE_IN, hist);
}

/** How long writes to the backing store took. As above. */
static inline void k_mem_paging_histogram_backing_store_page_out_get(struct k_mem_paging_histogram_t *hist)
{
	kmem_paging_histogram_copy(KMEM_HISTOGRAM_PAGE_OUT, hist);
}
#endif /* CONFIG_DEMAND_PAGING_TIMING_HISTOGRAM */

#endif /* CONFIG_DEMAND_PAGING */

#ifdef __cplusplus
}
#endif

#endif /* ZEPHYR_INCLUDE_KERNEL_MM_DEMAND_PAGING_H */
