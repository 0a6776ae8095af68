/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Benchmark (b), resident access: what an access costs to memory of libkmem's that is in, beside plain memory of the same size, with pages
 * of the same size. 1.00 is what it must be: where nothing is paged nothing may be slower.
 *
 * Random and sequential, reads and writes, over half of RAM; rounds of both in turn in one process. Medians of equal things differ by a
 * percent or two, which the tolerance allows for.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <kmem/kmem.h>

#include "bench.h"
#include "engines.h"

#define RAM_SIZE (64UL << 20)
#define ACCESSES 4000000UL
#define ACCESSES_QUICK 400000UL
#define TOLERANCE 0.02

static uint64_t sum; /* of what is read, so that it is */

static double random_round(volatile uint64_t *words, size_t count, bool is_write)
{
	size_t accesses = bench_size(ACCESSES, ACCESSES_QUICK);
	uint64_t seed = BENCH_SEED;
	uint64_t start = bench_clock();

	for (size_t i = 0; i < accesses; i++) {
		if (is_write) {
			words[bench_random(&seed) % count] = i;
		} else {
			sum += words[bench_random(&seed) % count];
		}
	}
	return (double)(bench_clock() - start) / (double)accesses;
}

/* A cache line at a time. */
static double sequential_round(volatile uint64_t *words, size_t count, bool is_write)
{
	size_t accesses = bench_size(ACCESSES, ACCESSES_QUICK);
	const size_t step = 64 / sizeof(*words);
	size_t at = 0;
	uint64_t start = bench_clock();

	for (size_t i = 0; i < accesses; i++) {
		if (is_write) {
			words[at] = i;
		} else {
			sum += words[at];
		}
		at = at + step < count ? at + step : 0;
	}
	return (double)(bench_clock() - start) / (double)accesses;
}

static void cell(const char *engine, bool is_random, bool is_write, uint64_t *paged, uint64_t *plain, size_t count)
{
	double (*round)(volatile uint64_t *words, size_t count, bool is_write) = is_random ? random_round : sequential_round;
	struct bench_sample mine = {.count = 0};
	struct bench_sample base = {.count = 0};
	char subject[64];
	char more[64];
	struct bench_row row = {
		.subject = subject,
		.against = "plain memory",
		.unit = "ns",
		.sample = &mine,
		.baseline = &base,
		.target = 1,
		.tolerance = TOLERANCE,
		.more = more,
	};

	for (unsigned int i = 0; i < bench.rounds; i++) {
		bench_add(&mine, round(paged, count, is_write));
		bench_add(&base, round(plain, count, is_write));
	}
	(void)snprintf(subject, sizeof(subject), "resident, %s %s: %s", is_random ? "random" : "sequential", is_write ? "write" : "read",
		       engine);
	(void)snprintf(more, sizeof(more), "\"engine\": \"%s\"", engine);
	bench_row(&row);
}

static void measure(const char *engine)
{
	struct kmem_config config = {.struct_size = sizeof(config), .ram_size = RAM_SIZE, .engine = engine};
	size_t size = RAM_SIZE / 2;
	uint64_t *plain = bench_memory(size, PROT_READ | PROT_WRITE);
	uint64_t *paged;

	if (kmem_boot(&config) != 0) {
		bench_fail("%s", kmem_boot_error());
	}
	paged = k_mem_map(size, K_MEM_PERM_RW);
	if (paged == NULL) {
		bench_fail("k_mem_map() of %zu bytes failed", size);
	}
	memset(plain, 1, size);
	memset(paged, 1, size);
	bench_pin(0);
	for (unsigned int i = 0; i < 4; i++) {
		cell(engine, i < 2, i % 2 == 0, paged, plain, size / sizeof(*paged));
	}
	(void)munmap(plain, size);
	(void)kmem_shutdown();
}

int main(int argc, char **argv)
{
	bench_start("b", "Resident access: time for an access", argc, argv);
	engines_each(measure);
	return 0;
}
