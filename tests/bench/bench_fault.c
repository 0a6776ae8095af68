/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Benchmark (a), the fault cycle: what it costs that a page goes out and another comes in.
 *
 * Cells: random and sequential order, reads and writes, a store in memory and one in a file, RAM of 1/16, 1/4 and 15/16 of the arena, one
 * thread and several. In each: libkmem with every engine that this host runs, with and without read-ahead, beside the floor of that engine.
 * In the cell that matters most (RAM 1/16, store in memory, one thread) also with every policy, and the pager that one writes first, and a
 * userfaultfd pager with a thread of its own. The kernel's swap has a part of its own, with more RAM, since a memory cgroup is not exact to
 * a few pages.
 *
 * The figure is the time for one page that had to come in: time over the accesses that found their page out. In random order these are
 * 1 - RAM/arena of them, whichever policy chooses the victims; in sequential order all, though a policy that keeps pages for a whole
 * round trip is the better for it. It is the same for all pagers, so what read-ahead brings in for nothing counts against it. How many
 * traps there really were is in the JSON object.
 *
 * With several threads the figure is still time over pages: half of one thread's would be perfect for two. In sequence each has a part of
 * the arena; where such a part fits in RAM, everything might be in, and the cell is left out.
 */
#include <stdio.h>
#include <string.h>

#include "bench.h"
#include "engines.h"
#include "pager.h"

#define FRAMES 1024UL
#define FRAMES_SWAP 8192UL
#define FRAMES_SWAP_QUICK 2048UL

/* Pages that come in in a round, about. */
#define MISSES 3000UL
#define MISSES_QUICK 500UL

/* Pages that come in before the first round, in times of RAM: so many leave nothing of the cell before. */
#define WARM_UP 2

/* Pages of read-ahead: what kmem-run has by default, and, in the cell that matters most, the most that there is. */
#define READAHEAD 16
#define READAHEAD_MAX 32

#define TARGET_FLOOR 1.25
#define TARGET_SEQUENTIAL 0.2
#define TARGET_SWAP 0.6
#define TARGET_HANDLER 0.12

#define RUNNERS_MAX 24

static const struct fraction {
	const char *name;
	size_t ram, arena;
} fractions[] = {{"1/16", 1, 16}, {"1/4", 1, 4}, {"15/16", 15, 16}};

/* A pager that takes part. */
struct runner {
	char name[32]; /* "mmap, read-ahead 16" */
	char engine[16];
	bool is_kmem;
	bool is_default; /* libkmem with the defaults: the default policy, and no read-ahead */
	unsigned int readahead;
	struct pager_child child;
	bool is_running;

	/* Of the present cell. */
	struct bench_sample sample;
	double faults; /* an access */
};

struct cell {
	const struct fraction *fraction;
	size_t frames, pages;
	bool is_file;
	unsigned int threads;
	bool is_random;
	bool is_write;
};

static struct runner runners[RUNNERS_MAX];
static unsigned int runner_count;

/* By runner: the dirty random cycle with the first of the thread counts, and with as many the streams of reads and writes. */
static struct bench_sample random_cycles[RUNNERS_MAX];
static struct bench_sample streams[RUNNERS_MAX][2];

/*
 * Who takes part
 */

static void runner_add(const struct pager *pager, const struct pager_setup *setup, const char *name)
{
	struct runner *runner;

	if (runner_count == RUNNERS_MAX) {
		bench_fail("more than %d pagers", RUNNERS_MAX);
	}
	runner = &runners[runner_count++];
	*runner = (struct runner){
		.is_kmem = pager == &pager_kmem,
		.is_default = pager == &pager_kmem && setup->policy == NULL && setup->readahead == 0,
		.readahead = setup->readahead,
	};
	(void)snprintf(runner->name, sizeof(runner->name), "%s", name);
	(void)snprintf(runner->engine, sizeof(runner->engine), "%s", setup->engine != NULL ? setup->engine : "");
	runner->is_running = pager_child_start(&runner->child, pager, setup);
	if (!runner->is_running) {
		bench_skip(name, runner->child.reason);
	}
}

static void readahead_add(struct pager_setup setup, unsigned int pages)
{
	char name[64];

	setup.readahead = pages;
	(void)snprintf(name, sizeof(name), "%s, read-ahead %u", setup.engine, pages);
	runner_add(&pager_kmem, &setup, name);
}

/* All of them, with read-ahead of so many pages, too. */
static void engines_add(struct pager_setup setup, const unsigned int *readahead, size_t count)
{
	const char *list = bench.engines;
	char engine[16];

	while (engine_next(&list, engine, sizeof(engine)) != NULL) {
		setup.engine = engine;
		runner_add(&pager_kmem, &setup, engine);
		/* An engine that the host refuses, it refuses with read-ahead, too. */
		for (size_t i = 0; i < count && runners[runner_count - 1].is_running; i++) {
			readahead_add(setup, readahead[i]);
		}
	}
}

/* Of every engine that runs so far, with the policies that are not the default. */
static void policies_add(struct pager_setup setup)
{
	static const char *const policies[] = {"lru", "nru"};
	unsigned int count = runner_count;

	for (unsigned int i = 0; i < count; i++) {
		for (size_t policy = 0; policy < sizeof(policies) / sizeof(policies[0]); policy++) {
			char name[64];

			if (!runners[i].is_default || !runners[i].is_running) {
				continue;
			}
			setup.engine = runners[i].engine;
			setup.policy = policies[policy];
			(void)snprintf(name, sizeof(name), "%s, %s", setup.engine, setup.policy);
			runner_add(&pager_kmem, &setup, name);
		}
	}
}

static void floors_add(struct pager_setup setup)
{
	static const struct pager *const floors[] = {&pager_floor_mmap, &pager_floor_guard, &pager_floor_uffd};

	for (size_t i = 0; i < sizeof(floors) / sizeof(floors[0]); i++) {
		if (strstr(bench.engines, floors[i]->name + strlen("floor_")) != NULL) {
			runner_add(floors[i], &setup, floors[i]->name);
		}
	}
}

static void runners_stop(void)
{
	for (unsigned int i = 0; i < runner_count; i++) {
		if (runners[i].is_running) {
			pager_child_stop(&runners[i].child);
		}
	}
	runner_count = 0;
}

static struct runner *runner_find(const char *name)
{
	for (unsigned int i = 0; i < runner_count; i++) {
		if (strcmp(runners[i].name, name) == 0 && runners[i].is_running && runners[i].sample.count > 0) {
			return &runners[i];
		}
	}
	return NULL;
}

/*
 * Measuring
 */

/* The part of the accesses that find their page out. */
static double misses_of(const struct cell *cell)
{
	return cell->is_random ? 1 - (double)cell->frames / (double)cell->pages : 1;
}

static void round_run(struct runner *runner, const struct cell *cell, bool is_warm_up)
{
	double misses = (double)(is_warm_up ? WARM_UP * cell->frames : bench_size(MISSES, MISSES_QUICK));
	struct pager_order order = {
		.is_random = cell->is_random,
		.is_write = cell->is_write,
		.threads = cell->threads,
		.accesses = (size_t)(misses / misses_of(cell)),
	};
	struct pager_result result;

	pager_child_order(&runner->child, &order, &result);
	if (!is_warm_up) {
		bench_add(&runner->sample, (double)result.ns / ((double)order.accesses * misses_of(cell)));
		runner->faults = (double)result.faults / (double)order.accesses;
	}
}

static bool takes_part(const struct runner *runner, const struct cell *cell)
{
	return runner->is_running && (cell->threads == 1 || runner->child.pager->is_parallel);
}

static void cell_measure(const struct cell *cell)
{
	for (unsigned int i = 0; i < runner_count; i++) {
		runners[i].sample.count = 0;
		if (takes_part(&runners[i], cell)) {
			round_run(&runners[i], cell, true);
		}
	}
	for (unsigned int round = 0; round < bench.rounds; round++) {
		for (unsigned int i = 0; i < runner_count; i++) {
			if (takes_part(&runners[i], cell)) {
				round_run(&runners[i], cell, false);
			}
		}
	}
}

/*
 * Results
 */

static void row(const struct cell *cell, const struct runner *runner, const char *against, const struct bench_sample *baseline,
		double target)
{
	char subject[128];
	char more[256];
	struct bench_row row = {
		.subject = subject,
		.against = against,
		.unit = "ns",
		.sample = &runner->sample,
		.baseline = baseline,
		.target = target,
		.more = more,
	};

	(void)snprintf(subject, sizeof(subject), "RAM %s, %s, %uT, %s %s: %s", cell->fraction->name, cell->is_file ? "file" : "ram",
		       cell->threads, cell->is_random ? "random" : "sequential", cell->is_write ? "write" : "read", runner->name);
	(void)snprintf(more, sizeof(more),
		       "\"engine\": \"%s\", \"readahead\": %u, \"ram\": \"%s\", \"store\": \"%s\", \"threads\": %u, \"order\": \"%s\", "
		       "\"access\": \"%s\", \"faults_per_access\": %.4f",
		       runner->engine, runner->readahead, cell->fraction->name, cell->is_file ? "file" : "ram", cell->threads,
		       cell->is_random ? "random" : "sequential", cell->is_write ? "write" : "read", runner->faults);
	bench_row(&row);
}

/* The cell in which targets are set. */
static bool is_main(const struct cell *cell)
{
	return cell->fraction == &fractions[0] && !cell->is_file && cell->threads == 1;
}

/* Beside the floor of the engine. */
static void floor_row(const struct cell *cell, const struct runner *runner)
{
	char name[32];
	const struct runner *floor;

	(void)snprintf(name, sizeof(name), "floor_%s", runner->engine);
	floor = runner_find(name);
	row(cell, runner, name, floor != NULL ? &floor->sample : NULL,
	    is_main(cell) && cell->is_random && cell->is_write && runner->is_default ? TARGET_FLOOR : 0);
}

/* Sequential accesses with read-ahead, beside the engine's own random cycle, in which a trap brings in a page. */
static void stream_rows(struct cell cell)
{
	cell.is_random = false;
	for (unsigned int i = 0; i < runner_count; i++) {
		struct runner runner = runners[i];
		const struct runner *single = runner_find(runner.engine);

		for (unsigned int is_write = 0; is_write < 2 && runner.readahead != 0 && single != NULL; is_write++) {
			cell.is_write = is_write != 0;
			runner.sample = streams[i][is_write];
			if (runner.sample.count > 0) {
				row(&cell, &runner, "its random write", &random_cycles[single - runners], TARGET_SEQUENTIAL);
			}
		}
	}
}

/* The engine of libkmem with the shortest dirty random cycle, or NULL. */
static const struct runner *best_engine(void)
{
	const struct runner *best = NULL;

	for (unsigned int i = 0; i < runner_count; i++) {
		const struct runner *runner = &runners[i];

		if (runner->is_default && runner->sample.count > 0 &&
		    (best == NULL || bench_median(&runner->sample) < bench_median(&best->sample))) {
			best = runner;
		}
	}
	return best;
}

/* Every engine beside a pager that is none of libkmem's; the target is the best one's. */
static void other_rows(const struct cell *cell, const char *name, double target)
{
	const struct runner *other = runner_find(name);
	const struct runner *best = best_engine();

	if (other == NULL) {
		return;
	}
	for (unsigned int i = 0; i < runner_count; i++) {
		if (runners[i].is_default && runners[i].sample.count > 0) {
			row(cell, &runners[i], name, &other->sample, &runners[i] == best && cell->is_random && cell->is_write ? target : 0);
		}
	}
}

/* Beside the same with the first of the thread counts. */
static void scaling_row(const struct cell *cell, const struct runner *runner)
{
	char against[32];

	(void)snprintf(against, sizeof(against), "the same, %uT", bench.threads[0]);
	if (cell->threads == bench.threads[0]) {
		random_cycles[runner - runners] = runner->sample;
	} else if (random_cycles[runner - runners].count > 0) {
		row(cell, runner, against, &random_cycles[runner - runners], 0);
	}
}

static void cell_rows(const struct cell *cell)
{
	bool is_dirty_cycle = cell->is_random && cell->is_write;

	for (unsigned int i = 0; i < runner_count; i++) {
		if (runners[i].sample.count == 0 || !runners[i].is_kmem) {
			continue;
		}
		floor_row(cell, &runners[i]);
		if (is_main(cell) && !cell->is_random) {
			streams[i][cell->is_write] = runners[i].sample;
		}
		if (is_dirty_cycle && !cell->is_file) {
			scaling_row(cell, &runners[i]);
		}
	}
	if (is_main(cell) && is_dirty_cycle) {
		stream_rows(*cell);
	}
	if (is_main(cell)) {
		other_rows(cell, pager_mprotect.name, 0);
		/* Processor time says nothing of a thread that sleeps. */
		other_rows(cell, pager_handler.name, bench.is_cpu_time ? 0 : TARGET_HANDLER);
	}
}

/*
 * The parts
 */

static struct pager_setup setup_of(const struct cell *cell)
{
	return (struct pager_setup){.frames = cell->frames, .pages = cell->pages, .is_file = cell->is_file};
}

/* Whether the part of one of several threads fits in RAM. */
static bool fits_by_parts(const struct cell *cell)
{
	return cell->threads > 1 && cell->pages / cell->threads <= cell->frames;
}

/*
 * All orders and accesses. Sequential ones come first, while pages go out in the order in which the arena was filled: where RAM is nearly
 * as large as the arena, random ones leave an order behind in which most of it stays in for ever.
 */
static void cells_run(struct cell cell)
{
	for (unsigned int i = 0; i < 4; i++) {
		cell.is_random = i >= 2;
		cell.is_write = i % 2 == 0;
		if ((bench.is_quick && !cell.is_write) || (!cell.is_random && fits_by_parts(&cell))) {
			continue;
		}
		cell_measure(&cell);
		cell_rows(&cell);
	}
}

static void part_run(const struct fraction *fraction, bool is_file)
{
	static const unsigned int readahead[] = {READAHEAD, READAHEAD_MAX};
	struct cell cell = {
		.fraction = fraction,
		.frames = FRAMES,
		.pages = FRAMES * fraction->arena / fraction->ram,
		.is_file = is_file,
	};
	struct pager_setup setup = setup_of(&cell);
	bool is_main_part = fraction == &fractions[0] && !is_file;
	char name[32];

	(void)snprintf(name, sizeof(name), "RAM %s, %s", fraction->name, is_file ? "file" : "ram");
	if (!bench_wants(name)) {
		return;
	}
	floors_add(setup);
	engines_add(setup, readahead, is_main_part && !bench.is_quick ? 2 : 1);
	if (is_main_part) {
		if (!bench.is_quick) {
			policies_add(setup);
		}
		runner_add(&pager_mprotect, &setup, pager_mprotect.name);
		runner_add(&pager_handler, &setup, pager_handler.name);
	}
	memset(random_cycles, 0, sizeof(random_cycles));
	memset(streams, 0, sizeof(streams));
	for (unsigned int i = 0; bench.threads[i] != 0 && !(bench.is_quick && i > 0); i++) {
		cell.threads = bench.threads[i];
		cells_run(cell);
	}
	runners_stop();
}

/* Random accesses, one thread. */
static void swap_run(void)
{
	struct cell cell = {
		.fraction = &fractions[0],
		.frames = bench_size(FRAMES_SWAP, FRAMES_SWAP_QUICK),
		.threads = 1,
		.is_random = true,
	};
	struct pager_setup setup;

	cell.pages = cell.frames * fractions[0].arena;
	setup = setup_of(&cell);
	runner_add(&pager_swap, &setup, pager_swap.name);
	if (runners[0].is_running) {
		engines_add(setup, NULL, 0);
		bench_note("with %zu MiB of RAM:", cell.frames * PAGER_PAGE >> 20);
		for (unsigned int i = 0; i < 2; i++) {
			cell.is_write = i == 0;
			cell_measure(&cell);
			other_rows(&cell, pager_swap.name, TARGET_SWAP);
		}
	}
	runners_stop();
}

int main(int argc, char **argv)
{
	bench_start("a", "Fault cycle: time for a page that comes in while another goes out", argc, argv);
	pager_children_init();
	for (size_t i = 0; i < sizeof(fractions) / sizeof(fractions[0]); i++) {
		for (unsigned int is_file = 0; is_file < 2; is_file++) {
			if (!bench.is_quick || (i == 0 && !is_file)) {
				part_run(&fractions[i], is_file != 0);
			}
		}
	}
	if (!bench.is_quick && bench_wants("swap")) {
		swap_run();
	}
	return 0;
}
