/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the algorithms race on: a hot set that is read and written all the time, and a table, larger than RAM, that is
 * scanned once in a while. In every round a few steps go through the hot set and read a piece of the table; then
 * comes a scan of all of it.
 *
 * Always the same accesses in the same order, in FRAMES page frames whatever the size of the program: those left over
 * are locked away. Every round ends with a pause, for NRU tells recent from old by the time.
 */
#include <string.h>
#include <zephyr/kernel.h>
#include <zephyr/kernel/mm.h>
#include <zephyr/kernel/mm/demand_paging.h>
#include <zephyr/sys/printk.h>

#define PAGE_SIZE CONFIG_MMU_PAGE_SIZE
#define FRAMES 64
#define HOT_PAGES 32
#define HOT_PASSES 2 /* in a step */
#define TABLE_PAGES 160
#define STEPS 4
#define STEP_PAGES 16 /* of the table, read in a step */
#define ROUNDS 12
#define PAUSE_MS (CONFIG_EVICTION_NRU_PERIOD + 5)

struct page {
	uint32_t number;
	uint32_t writes;
	uint8_t rest[PAGE_SIZE - 2 * sizeof(uint32_t)];
};

static struct page *hot;
static struct page *table;
static unsigned int errors;

static struct page *pages_map(size_t count)
{
	struct page *pages = k_mem_map(count * sizeof(struct page), K_MEM_PERM_RW);

	for (size_t i = 0; pages != NULL && i < count; i++) {
		pages[i].number = i;
	}
	return pages;
}

/* Leave FRAMES frames for paging. */
static bool frames_limit(void)
{
	size_t free = k_mem_free_get() / PAGE_SIZE;

	if (free < FRAMES) {
		return false;
	}
	return free == FRAMES || k_mem_map((free - FRAMES) * PAGE_SIZE, K_MEM_PERM_RW | K_MEM_MAP_LOCK) != NULL;
}

/* Every other page is written. */
static void hot_pass(uint32_t pass)
{
	for (size_t i = 0; i < HOT_PAGES; i++) {
		errors += hot[i].number != i;
		if (i % 2 == 0) {
			errors += hot[i].writes != pass;
			hot[i].writes++;
		}
	}
}

static void table_read(size_t from, size_t count)
{
	for (size_t i = from; i < from + count; i++) {
		errors += table[i % TABLE_PAGES].number != i % TABLE_PAGES;
	}
}

static void run(void)
{
	uint32_t pass = 0;
	size_t position = 0;

	for (int round = 0; round < ROUNDS; round++) {
		for (int step = 0; step < STEPS; step++) {
			for (int i = 0; i < HOT_PASSES; i++) {
				hot_pass(pass++);
			}
			table_read(position, STEP_PAGES);
			position += STEP_PAGES;
		}
		table_read(0, TABLE_PAGES);
		k_msleep(PAUSE_MS);
	}
}

int main(void)
{
	struct k_mem_paging_stats_t start, end;

	if (!frames_limit()) {
		printk("fewer than %d frames are free\n", FRAMES);
		return 1;
	}
	hot = pages_map(HOT_PAGES);
	table = pages_map(TABLE_PAGES);
	if (hot == NULL || table == NULL) {
		printk("no memory\n");
		return 1;
	}
	k_mem_paging_stats_get(&start);
	run();
	k_mem_paging_stats_get(&end);
	if (errors != 0) {
		printk("%u pages came back wrong\n", errors);
		return 1;
	}
	printk("%lu page faults, %lu clean evictions, %lu dirty evictions\n", end.pagefaults.cnt - start.pagefaults.cnt,
	       end.eviction.clean - start.eviction.clean, end.eviction.dirty - start.eviction.dirty);
	return 0;
}
