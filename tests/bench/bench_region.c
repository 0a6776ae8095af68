/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Benchmark (d), the region allocator alone: what finding, taking and giving back an address range costs, by the number of regions that
 * are alive. No host call is made.
 *
 * The map is fragmented: regions of a page with a hole of a page between any two, and below them room for larger ones.
 *
 * top hole    A page, which fits the highest hole, is taken and given back.
 * below all   Two pages, which fit no hole but the lowest.
 * random      A random region is given back and another page is taken, so that the holes wander.
 *
 * Each number of regions stands beside 100. In random order that includes what the processor's caches have to do with it: each cycle
 * looks at nodes that were last looked at a million cycles ago.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/region.h"

#include "bench.h"

#define PAGE 4096UL
#define BASE (UINT64_C(0x10000000) * PAGE)
#define CYCLES 200000UL
#define CYCLES_QUICK 20000UL
#define ROOM 1024UL /* pages below all regions */

#define LIVE_MIN 10UL
#define LIVE_REFERENCE 100UL
#define LIVE_MAX 1000000UL
#define LIVE_MAX_QUICK 10000UL

#define TARGET 2.0

enum way { TOP_HOLE, BELOW_ALL, RANDOM, WAYS };

static const char *const ways[WAYS] = {"top hole", "below all", "random"};

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

static void must(int ret, const char *what)
{
	if (ret != 0) {
		bench_fail("%s: %d", what, ret);
	}
}

/* Live regions, a hole above each, and room below. */
static uintptr_t *fragmented_map(struct kmem_region_map *map, size_t live)
{
	static const struct kmem_hole_memory memory = {.get = node_get, .put = node_put};
	uintptr_t *regions = calloc(live, sizeof(*regions));
	size_t room = live + ROOM;

	if (regions == NULL) {
		bench_die("calloc");
	}
	must(kmem_region_map_init(map, BASE, BASE + (room + 2 * live) * PAGE, PAGE, &memory), "kmem_region_map_init");
	for (size_t i = 0; i < live; i++) {
		regions[i] = BASE + (room + 2 * i) * PAGE;
		must(kmem_region_take(map, regions[i], PAGE), "kmem_region_take");
	}
	return regions;
}

static void cycle(struct kmem_region_map *map, size_t pages)
{
	uintptr_t addr;

	must(kmem_region_alloc(map, pages * PAGE, PAGE, &addr), "kmem_region_alloc");
	must(kmem_region_free(map, addr, pages * PAGE), "kmem_region_free");
}

static void cycle_random(struct kmem_region_map *map, uintptr_t *regions, size_t live, uint64_t *seed)
{
	uintptr_t *region = &regions[bench_random(seed) % live];

	must(kmem_region_free(map, *region, PAGE), "kmem_region_free");
	must(kmem_region_alloc(map, PAGE, PAGE, region), "kmem_region_alloc");
}

static double round_run(enum way way, struct kmem_region_map *map, uintptr_t *regions, size_t live, uint64_t *seed)
{
	size_t cycles = bench_size(CYCLES, CYCLES_QUICK);
	uint64_t start = bench_clock();

	for (size_t i = 0; i < cycles; i++) {
		if (way == RANDOM) {
			cycle_random(map, regions, live, seed);
		} else {
			cycle(map, way == BELOW_ALL ? 2 : 1);
		}
	}
	return (double)(bench_clock() - start) / (double)cycles;
}

static void measure(size_t live, struct bench_sample samples[WAYS])
{
	struct kmem_region_map map;
	uint64_t seed = BENCH_SEED;
	uintptr_t *regions = fragmented_map(&map, live);

	memset(samples, 0, WAYS * sizeof(samples[0]));
	/* The random ones last: they leave another map. */
	for (unsigned int way = 0; way < WAYS; way++) {
		for (unsigned int i = 0; i < bench.rounds; i++) {
			bench_add(&samples[way], round_run((enum way)way, &map, regions, live, &seed));
		}
	}
	if (!kmem_region_map_is_valid(&map)) {
		bench_fail("with %zu regions the map is broken", live);
	}
	kmem_region_map_finish(&map);
	free(regions);
}

static void rows(size_t live, const struct bench_sample samples[WAYS], const struct bench_sample reference[WAYS])
{
	for (unsigned int way = 0; way < WAYS; way++) {
		char subject[64];
		char more[64];
		const struct bench_row row = {
			.subject = subject,
			.against = "100 regions",
			.unit = "ns",
			.sample = &samples[way],
			.baseline = &reference[way],
			.target = live > LIVE_REFERENCE ? TARGET : 0,
			.more = more,
		};

		(void)snprintf(subject, sizeof(subject), "alloc and free, %s, %zu regions", ways[way], live);
		(void)snprintf(more, sizeof(more), "\"regions\": %zu", live);
		bench_row(&row);
	}
}

int main(int argc, char **argv)
{
	struct bench_sample reference[WAYS];
	size_t last;

	bench_start("d", "Region allocator: time for taking and giving back an address range", argc, argv);
	bench_pin(0);
	last = bench_size(LIVE_MAX, LIVE_MAX_QUICK);
	measure(LIVE_REFERENCE, reference);
	for (size_t live = LIVE_MIN; live <= last; live *= 10) {
		struct bench_sample samples[WAYS];

		measure(live, samples);
		rows(live, samples, reference);
	}
	while (nodes != NULL) {
		struct node *node = nodes;

		nodes = node->next;
		free(node);
	}
	return 0;
}
