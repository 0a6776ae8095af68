/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Benchmark: what finding, taking and giving back an address range costs, by the number of regions that are alive.
 *
 * The map is fragmented: regions of a page with a hole of a page between any two, and below them room for larger ones. One
 * cycle is kmem_region_alloc() + kmem_region_free().
 *
 * top hole         A page, which fits the highest hole.
 * below all        Two pages, which fit no hole but the lowest.
 * random           A random region is freed and another is allocated, so that the holes wander.
 *
 * Each figure is the median of ROUNDS rounds. Growth is to the row before, of ten times fewer regions: a linear search
 * would show 10.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "kernel/region.h"

#define PAGE 4096UL
#define BASE (UINT64_C(0x10000000) * PAGE)
#define CYCLES 200000UL
#define ROUNDS 7

/* A free list, so that malloc() is not what is measured. */
struct node {
	struct node *next;
};

static struct node *nodes;

static void *node_get(void *arg)
{
	struct node *node = nodes;

	(void)arg;
	if (node == NULL) {
		return malloc(kmem_hole_size());
	}
	nodes = node->next;
	return node;
}

static void node_put(void *arg, void *hole)
{
	struct node *node = hole;

	(void)arg;
	node->next = nodes;
	nodes = node;
}

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000U + (uint64_t)time.tv_nsec;
}

static uint64_t next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void check(int ret, const char *what)
{
	if (ret != 0) {
		fprintf(stderr, "%s: %d\n", what, ret);
		exit(1);
	}
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double median(double *values)
{
	qsort(values, ROUNDS, sizeof(*values), compare);
	return values[ROUNDS / 2];
}

/* Live regions, a hole above each, and as many pages again and some more below. */
static uintptr_t *fragmented_map(struct kmem_region_map *map, size_t live)
{
	static const struct kmem_hole_memory memory = {.get = node_get, .put = node_put};
	uintptr_t *regions = calloc(live, sizeof(*regions));
	size_t room = live + 1024;

	if (regions == NULL) {
		exit(1);
	}
	check(kmem_region_map_init(map, BASE, BASE + (room + 2 * live) * PAGE, PAGE, &memory), "init");
	for (size_t i = 0; i < live; i++) {
		regions[i] = BASE + (room + 2 * i) * PAGE;
		check(kmem_region_take(map, regions[i], PAGE), "take");
	}
	return regions;
}

static double cycle_round(struct kmem_region_map *map, size_t pages)
{
	uint64_t start = now();

	for (size_t i = 0; i < CYCLES; i++) {
		uintptr_t addr;

		check(kmem_region_alloc(map, pages * PAGE, PAGE, &addr), "alloc");
		check(kmem_region_free(map, addr, pages * PAGE), "free");
	}
	return (double)(now() - start) / (double)CYCLES;
}

static double random_round(struct kmem_region_map *map, uintptr_t *regions, size_t live, uint64_t *seed)
{
	uint64_t start = now();

	for (size_t i = 0; i < CYCLES; i++) {
		uintptr_t *region = &regions[next(seed) % live];

		check(kmem_region_free(map, *region, PAGE), "free");
		check(kmem_region_alloc(map, PAGE, PAGE, region), "alloc");
	}
	return (double)(now() - start) / (double)CYCLES;
}

static void bench(size_t live, double before[3])
{
	struct kmem_region_map map;
	uint64_t seed = 88172645463325252U;
	uintptr_t *regions = fragmented_map(&map, live);
	double rounds[3][ROUNDS];

	for (int i = 0; i < ROUNDS; i++) {
		rounds[0][i] = cycle_round(&map, 1);
		rounds[1][i] = cycle_round(&map, 2);
	}
	for (int i = 0; i < ROUNDS; i++) {
		rounds[2][i] = random_round(&map, regions, live, &seed);
	}
	printf("%12zu", live);
	for (int i = 0; i < 3; i++) {
		double value = median(rounds[i]);

		printf(" %12.1f", value);
		if (before[i] == 0) {
			printf(" %8s", "");
		} else {
			printf(" %7.2fx", value / before[i]);
		}
		before[i] = value;
	}
	printf("\n");
	if (!kmem_region_map_is_valid(&map)) {
		exit(1);
	}
	kmem_region_map_finish(&map);
	free(regions);
}

int main(void)
{
	double before[3] = {0};

	printf("%12s %12s %8s %12s %8s %12s %8s\n", "live regions", "top hole, ns", "growth", "below all", "growth",
	       "random", "growth");
	for (size_t live = 100; live <= 100000; live *= 10) {
		bench(live, before);
	}
	while (nodes != NULL) {
		struct node *node = nodes;

		nodes = node->next;
		free(node);
	}
	return 0;
}
