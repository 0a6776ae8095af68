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

#include <stdbool.h>
#include <string.h>

#include <kmem/kmem.h>
#include <zephyr/kernel/mm.h>

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

#endif /* CONFIG_DEMAND_PAGING */

#ifdef __cplusplus
extern "C" {
#endif

struct k_mem_page_frame;
struct k_thread;

#pragma GCC visibility push(default)

#ifdef CONFIG_DEMAND_PAGING

#ifdef CONFIG_DEMAND_PAGING_STATS
static inline void kmem_paging_stats_copy(struct k_mem_paging_stats_t *stats, const struct kmem_stats *all)
{
	stats->pagefaults.cnt = all->pagefaults.cnt;
	stats->pagefaults.irq_locked = all->pagefaults.irq_locked;
	stats->pagefaults.irq_unlocked = all->pagefaults.irq_unlocked;
#ifndef CONFIG_DEMAND_PAGING_ALLOW_IRQ
	stats->pagefaults.in_isr = all->pagefaults.in_isr;
#endif
	stats->eviction.clean = all->eviction.clean;
	stats->eviction.dirty = all->eviction.dirty;
}

/* Functions to those who call them: what they fill in is nobody's guess where they do nothing. */
#define KMEM_PAGING_GETTER __attribute__((noinline, unused)) static

/** Copy the counters of the machine; nothing happens for NULL. Context: anywhere but in a trap. */
KMEM_PAGING_GETTER void k_mem_paging_stats_get(struct k_mem_paging_stats_t *stats)
{
	struct kmem_stats all;

	if (stats == NULL) {
		return;
	}
	memset(&all, 0, sizeof(all));
	(void)kmem_stats_get(&all);
	kmem_paging_stats_copy(stats, &all);
}

#ifdef CONFIG_DEMAND_PAGING_THREAD_STATS
/* In libkmem-zephyr: the counters of a thread object, those of its former lives included. */
void kmem_k_thread_stats_get(struct k_thread *thread, struct kmem_stats *stats);

/** Copy the counters of one thread; nothing happens for NULL. Context: as k_mem_paging_stats_get(). */
KMEM_PAGING_GETTER void k_mem_paging_thread_stats_get(struct k_thread *thread, struct k_mem_paging_stats_t *stats)
{
	struct kmem_stats all;

	if (thread == NULL || stats == NULL) {
		return;
	}
	memset(&all, 0, sizeof(all));
	kmem_k_thread_stats_get(thread, &all);
	kmem_paging_stats_copy(stats, &all);
}
#endif
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
KMEM_PAGING_GETTER void k_mem_paging_histogram_eviction_get(struct k_mem_paging_histogram_t *hist)
{
	kmem_paging_histogram_copy(KMEM_HISTOGRAM_EVICTION, hist);
}

/** How long reads from the backing store took. As above. */
KMEM_PAGING_GETTER void k_mem_paging_histogram_backing_store_page_in_get(struct k_mem_paging_histogram_t *hist)
{
	kmem_paging_histogram_copy(KMEM_HISTOGRAM_PAGE_IN, hist);
}

/** How long writes to the backing store took. As above. */
KMEM_PAGING_GETTER void k_mem_paging_histogram_backing_store_page_out_get(struct k_mem_paging_histogram_t *hist)
{
	kmem_paging_histogram_copy(KMEM_HISTOGRAM_PAGE_OUT, hist);
}
#endif /* CONFIG_DEMAND_PAGING_TIMING_HISTOGRAM */

/* Bounds of the histograms, ascending, in cycles of k_cycle_get_32(): a program that defines them replaces the default ones. */
extern unsigned long k_mem_paging_eviction_histogram_bounds[];
extern unsigned long k_mem_paging_backing_store_histogram_bounds[];

/*
 * An eviction algorithm of the program's own: whoever defines these replaces the built-in one. Called with interrupts locked, one
 * at a time, some of them in the handler of a memory trap: they must not touch paged memory. (Zephyr: kernel/mm/demand_paging.h)
 */

/** Before any other call: at boot. */
void k_mem_paging_eviction_init(void);

/** The frame whose page shall go out, and whether the page must be written; NULL if there is none, which is fatal. */
struct k_mem_page_frame *k_mem_paging_eviction_select(bool *dirty);

#ifdef CONFIG_EVICTION_TRACKING
/** A frame became evictable; one that was added is about to be evicted, pinned or unmapped. */
void k_mem_paging_eviction_add(struct k_mem_page_frame *pf);
void k_mem_paging_eviction_remove(struct k_mem_page_frame *pf);

/** A page that was in was accessed, as a trap has seen: its physical address. */
void k_mem_paging_eviction_accessed(uintptr_t phys);
#else
static inline void k_mem_paging_eviction_add(struct k_mem_page_frame *pf)
{
	(void)pf;
}

static inline void k_mem_paging_eviction_remove(struct k_mem_page_frame *pf)
{
	(void)pf;
}

static inline void k_mem_paging_eviction_accessed(uintptr_t phys)
{
	(void)phys;
}
#endif

/*
 * A backing store of the program's own, likewise. page_out and page_in find the page at K_MEM_SCRATCH_PAGE.
 */

/** Before any other call: at boot. */
void k_mem_paging_backing_store_init(void);

/**
 * A location for the page in @p pf, a multiple of the page size and its own; the one that is kept if the frame is BACKED.
 *
 * @param page_fault  false: refuse when only one location is left, so that a fault can always send a page out
 * @return 0, or -ENOMEM
 */
int k_mem_paging_backing_store_location_get(struct k_mem_page_frame *pf, uintptr_t *location, bool page_fault);

/** A page that is out is unmapped. */
void k_mem_paging_backing_store_location_free(uintptr_t location);

/** Optional: the location of fixed content at @p addr. 0 or -errno. */
int k_mem_paging_backing_store_location_query(void *addr, uintptr_t *location);

/** Keep the page's bytes; bring them back. */
void k_mem_paging_backing_store_page_out(uintptr_t location);
void k_mem_paging_backing_store_page_in(uintptr_t location);

/** The page came in: set BACKED on the frame and keep the copy, or free the location. */
void k_mem_paging_backing_store_page_finalize(struct k_mem_page_frame *pf, uintptr_t location);

#endif /* CONFIG_DEMAND_PAGING */

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* ZEPHYR_INCLUDE_KERNEL_MM_DEMAND_PAGING_H */
