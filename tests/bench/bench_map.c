/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Benchmark (c), mapping: k_mem_map(), perhaps a write to every page, k_mem_unmap(), of 1, 16 and 4096 pages, with a frame at once (eager)
 * or at the first touch (lazy).
 *
 * Beside it: mmap() and munmap() of as many pages; the same between two guard pages, which is what k_mem_map() gives; and the floor of the
 * engine, which makes the host calls of one cycle and nothing else (map_floor.c).
 *
 * Every round runs in a process of its own.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <kmem/kmem.h>

#include "bench.h"
#include "engines.h"
#include "map_floor.h"

/* Pages mapped in a round, and cycles at most. */
#define PAGES_ROUND 100000UL
#define PAGES_ROUND_QUICK 8200UL
#define CYCLES_MAX 20000UL
#define CYCLES_MAX_QUICK 500UL

/* Of one page, untouched, beside mmap() with guards. */
#define TARGET_MMAP 1.3
#define TARGET_GUARD 0.5

struct cell {
	size_t pages;
	bool is_lazy;
	bool is_touched;
	const char *engine;
};

static size_t cycles_of(const struct cell *cell)
{
	size_t cycles = bench_size(PAGES_ROUND, PAGES_ROUND_QUICK) / cell->pages;
	size_t max = bench_size(CYCLES_MAX, CYCLES_MAX_QUICK);

	return cycles < max ? cycles : max;
}

static void touch(const struct cell *cell, volatile uint8_t *memory)
{
	for (size_t i = 0; i < cell->pages && cell->is_touched; i++) {
		memory[i * MAP_PAGE] = 1;
	}
}

/*
 * The subjects: each makes a cycle.
 */

static void kmem_cycle(const struct cell *cell)
{
	void *memory = k_mem_map(cell->pages * MAP_PAGE, K_MEM_PERM_RW);

	if (memory == NULL) {
		bench_fail("k_mem_map() of %zu pages failed", cell->pages);
	}
	touch(cell, memory);
	k_mem_unmap(memory, cell->pages * MAP_PAGE);
}

static void plain_cycle(const struct cell *cell)
{
	void *memory = mmap(NULL, cell->pages * MAP_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED) {
		bench_die("mmap");
	}
	touch(cell, memory);
	(void)munmap(memory, cell->pages * MAP_PAGE);
}

static void guarded_cycle(const struct cell *cell)
{
	size_t size = (cell->pages + 2) * MAP_PAGE;
	uint8_t *memory = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED || mprotect(memory + MAP_PAGE, cell->pages * MAP_PAGE, PROT_READ | PROT_WRITE) != 0) {
		bench_die("mmap");
	}
	touch(cell, memory + MAP_PAGE);
	(void)munmap(memory, size);
}

static void floor_cycle(const struct cell *cell)
{
	touch(cell, map_floor_map(cell->pages));
	map_floor_unmap(cell->pages);
}

static double cycles_time(const struct cell *cell, void (*cycle)(const struct cell *cell))
{
	size_t cycles = cycles_of(cell);
	uint64_t start;

	bench_pin(0);
	for (size_t i = 0; i < (cycles + 9) / 10; i++) {
		cycle(cell);
	}
	start = bench_clock();
	for (size_t i = 0; i < cycles; i++) {
		cycle(cell);
	}
	return (double)(bench_clock() - start) / (double)cycles;
}

static double kmem_round(const void *argument)
{
	const struct cell *cell = argument;
	const struct kmem_config config = {
		.struct_size = sizeof(config),
		.engine = cell->engine,
		.demand_mapping = cell->is_lazy ? KMEM_SWITCH_ON : KMEM_SWITCH_OFF,
	};

	return engine_boot(&config) == 0 ? cycles_time(cell, kmem_cycle) : -1;
}

static double plain_round(const void *argument)
{
	return cycles_time(argument, plain_cycle);
}

static double guarded_round(const void *argument)
{
	return cycles_time(argument, guarded_cycle);
}

static double floor_round(const void *argument)
{
	const struct cell *cell = argument;

	return map_floor_start(cell->engine, cell->pages, cell->is_lazy) ? cycles_time(cell, floor_cycle) : -1;
}

/*
 * Results
 */

static double target_of(const struct cell *cell)
{
	if (cell->pages != 1 || cell->is_touched) {
		return 0;
	}
	if (strcmp(cell->engine, "mmap") == 0) {
		return TARGET_MMAP;
	}
	return strcmp(cell->engine, "guard") == 0 ? TARGET_GUARD : 0;
}

static void row(const struct cell *cell, const struct bench_sample *mine, const char *against, const struct bench_sample *baseline,
		double target)
{
	char subject[96];
	char more[128];
	const struct bench_row row = {
		.subject = subject,
		.against = against,
		.unit = "ns",
		.sample = mine,
		.baseline = baseline,
		.target = target,
		.more = more,
	};

	(void)snprintf(subject, sizeof(subject), "map%s unmap, %zu page%s, %s: %s", cell->is_touched ? ", write," : " and", cell->pages,
		       cell->pages == 1 ? "" : "s", cell->is_lazy ? "lazy" : "eager", cell->engine);
	(void)snprintf(more, sizeof(more), "\"engine\": \"%s\", \"pages\": %zu, \"lazy\": %s, \"written\": %s", cell->engine, cell->pages,
		       cell->is_lazy ? "true" : "false", cell->is_touched ? "true" : "false");
	bench_row(&row);
}

static void cell_measure(const struct cell *cell)
{
	static const struct {
		const char *name;
		double (*round)(const void *argument);
	} subjects[] = {
		{"libkmem", kmem_round},
		{"mmap with guards", guarded_round},
		{"mmap", plain_round},
		{"floor", floor_round},
	};
	enum { COUNT = sizeof(subjects) / sizeof(subjects[0]) };
	struct bench_sample samples[COUNT];
	char floor[32];

	memset(samples, 0, sizeof(samples));
	for (unsigned int round = 0; round < bench.rounds; round++) {
		for (size_t i = 0; i < COUNT; i++) {
			double value;

			if (bench_in_child(subjects[i].round, cell, &value)) {
				bench_add(&samples[i], value);
			}
		}
	}
	if (samples[0].count == 0) {
		return;
	}
	row(cell, &samples[0], subjects[1].name, &samples[1], target_of(cell));
	row(cell, &samples[0], subjects[2].name, &samples[2], 0);
	/* Where nothing is touched and frames come at the first touch, nothing need be done. */
	if (samples[3].count > 0 && (cell->is_touched || !cell->is_lazy)) {
		(void)snprintf(floor, sizeof(floor), "floor of %s", cell->engine);
		row(cell, &samples[0], floor, &samples[3], 0);
	}
}

static void engine_measure(const char *engine)
{
	static const size_t sizes[] = {1, 16, MAP_PAGES_MAX};

	for (size_t size = 0; size < sizeof(sizes) / sizeof(sizes[0]); size++) {
		for (unsigned int i = 0; i < 4; i++) {
			const struct cell cell = {.pages = sizes[size], .is_touched = i % 2 != 0, .is_lazy = i >= 2, .engine = engine};

			if (!bench.is_quick || cell.pages == 1) {
				cell_measure(&cell);
			}
		}
	}
}

int main(int argc, char **argv)
{
	bench_start("c", "Mapping: time for map, touch and unmap", argc, argv);
	engines_each(engine_measure);
	return 0;
}
