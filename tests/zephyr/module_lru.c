/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An eviction algorithm as a Zephyr module brings it: least recently used, by a queue of frames. Only the frame at
 * the head is watched: its accessed bit is clear, so its next use traps and moves it to the tail. Linked with a
 * program, it replaces the built-in algorithm.
 *
 * A frame's entry in the ring is one more than its index; entry 0 is the end of the queue on both sides.
 */
#include <zephyr/kernel.h>
#include <zephyr/spinlock.h>
#include <mmu.h>
#include <kernel_arch_interface.h>
#include <zephyr/init.h>
#include <zephyr/kernel/mm/demand_paging.h>
#include <zephyr/toolchain.h>

BUILD_ASSERT(IS_ENABLED(CONFIG_EVICTION_TRACKING), "LRU is told of every frame");
BUILD_ASSERT(sizeof(struct k_mem_page_frame) == sizeof(void *), "the index of a frame is a difference of pointers");

struct link {
	uint32_t newer;
	uint32_t older;
};

/* For the tests: how often each function was called. */
unsigned long module_lru_adds;
unsigned long module_lru_removes;
unsigned long module_lru_accesses;
unsigned long module_lru_selects;

static struct link ring[K_MEM_NUM_PAGE_FRAMES + 1];
static struct k_spinlock ring_lock;

#define END 0U

static uint32_t entry_of(struct k_mem_page_frame *pf)
{
	ptrdiff_t index = pf - k_mem_page_frames;

	__ASSERT(index >= 0 && (size_t)index < K_MEM_NUM_PAGE_FRAMES, "%p is no page frame", pf);
	return (uint32_t)index + 1U;
}

static struct k_mem_page_frame *frame_of(uint32_t entry)
{
	__ASSERT_NO_MSG(entry != END);
	return &k_mem_page_frames[entry - 1U];
}

/* The oldest frame, and the newest: where the ring goes on behind and before its end. */
static uint32_t head(void)
{
	return ring[END].newer;
}

static uint32_t tail(void)
{
	return ring[END].older;
}

/* A frame that is not queued points nowhere; one that is queued alone points to the end, and the end to it. */
static bool is_queued(uint32_t entry)
{
	return ring[entry].newer != END || tail() == entry;
}

static void append(uint32_t entry)
{
	uint32_t last = tail();

	ring[entry].older = last;
	ring[entry].newer = END;
	ring[last].newer = entry;
	ring[END].older = entry;
}

static void watch_head(void)
{
	uint32_t entry = head();

	if (entry != tail()) {
		(void)arch_page_info_get(k_mem_page_frame_to_virt(frame_of(entry)), NULL, true);
	}
}

static void unlink_entry(uint32_t entry)
{
	struct link *link = &ring[entry];
	bool was_head = head() == entry;

	ring[link->older].newer = link->newer;
	ring[link->newer].older = link->older;
	link->newer = END;
	link->older = END;
	if (was_head) {
		watch_head();
	}
}

void k_mem_paging_eviction_add(struct k_mem_page_frame *pf)
{
	uint32_t entry = entry_of(pf);
	k_spinlock_key_t key = k_spin_lock(&ring_lock);

	module_lru_adds++;
	__ASSERT(k_mem_page_frame_is_evictable(pf), "frame 0x%lx is not evictable", k_mem_page_frame_to_phys(pf));
	__ASSERT(!is_queued(entry), "frame 0x%lx is queued twice", k_mem_page_frame_to_phys(pf));
	append(entry);
	k_spin_unlock(&ring_lock, key);
}

void k_mem_paging_eviction_remove(struct k_mem_page_frame *pf)
{
	uint32_t entry = entry_of(pf);
	k_spinlock_key_t key = k_spin_lock(&ring_lock);

	module_lru_removes++;
	__ASSERT(is_queued(entry), "frame 0x%lx is not queued", k_mem_page_frame_to_phys(pf));
	unlink_entry(entry);
	k_spin_unlock(&ring_lock, key);
}

void k_mem_paging_eviction_accessed(uintptr_t phys)
{
	uint32_t entry = entry_of(k_mem_phys_to_page_frame(phys));
	k_spinlock_key_t key = k_spin_lock(&ring_lock);

	module_lru_accesses++;
	if (is_queued(entry)) {
		unlink_entry(entry);
		append(entry);
	}
	k_spin_unlock(&ring_lock, key);
}

struct k_mem_page_frame *k_mem_paging_eviction_select(bool *dirty)
{
	uint32_t entry = head();
	struct k_mem_page_frame *pf;
	uintptr_t flags;

	module_lru_selects++;
	if (entry == END) {
		return NULL;
	}
	pf = frame_of(entry);
	flags = arch_page_info_get(k_mem_page_frame_to_virt(pf), NULL, false);
	*dirty = (flags & ARCH_DATA_PAGE_DIRTY) != 0U;
	return pf;
}

void k_mem_paging_eviction_init(void)
{
	__ASSERT_NO_MSG(head() == END && tail() == END);
}
