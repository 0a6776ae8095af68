/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Benchmark: what paging, resident access and mapping cost, each beside a baseline measured in the same run.
 *
 * fault cycle      Random writes to an arena of sixteen times RAM, RAM store, one thread: every access that misses sends a
 *                  dirty page out and brings one in. Baseline: a floor of a few lines that does the signal, the two host
 *                  calls and the two copies of one cycle and nothing else, over the same pages in the same order.
 * resident access  Random reads and writes of memory that is in, beside plain memory.
 * map and unmap    k_mem_map() + k_mem_unmap() of one page, beside mmap() + munmap() of one page between two guard pages.
 *                  Once untouched, once with the page written.
 *
 * Each figure is the median of ROUNDS rounds, subject and baseline in turn. Ratios are what counts.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <kmem/kmem.h>

#define PAGE 4096UL
#define FRAMES 1024UL
#define ARENA_PAGES (16 * FRAMES)
#define CYCLES 20000UL
#define ROUNDS 7

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

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* The floor: a RAM file, a direct map of it, a store, and a handler that swaps one page for another, first in, first out. */
static struct {
	int fd;
	uint8_t *arena;
	uint8_t *frames; /* direct map */
	uint8_t *store;
	size_t holder[FRAMES]; /* page in a frame, or ARENA_PAGES */
	size_t hand;
	volatile unsigned long faults;
} floor_pager;

static void floor_handler(int signo, siginfo_t *info, void *context)
{
	size_t page = (size_t)((uint8_t *)info->si_addr - floor_pager.arena) / PAGE;
	size_t frame = floor_pager.hand++ % FRAMES;
	size_t victim = floor_pager.holder[frame];
	uint8_t *bytes = floor_pager.frames + frame * PAGE;

	(void)signo;
	(void)context;
	if (page >= ARENA_PAGES) {
		abort();
	}
	if (victim != ARENA_PAGES) {
		if (mmap(floor_pager.arena + victim * PAGE, PAGE, PROT_NONE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) == MAP_FAILED) {
			abort();
		}
		memcpy(floor_pager.store + victim * PAGE, bytes, PAGE);
	}
	memcpy(bytes, floor_pager.store + page * PAGE, PAGE);
	if (mmap(floor_pager.arena + page * PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, floor_pager.fd,
		 (off_t)(frame * PAGE)) == MAP_FAILED) {
		abort();
	}
	floor_pager.holder[frame] = page;
	floor_pager.faults++;
}

static void *anonymous(size_t size, int prot)
{
	void *addr = mmap(NULL, size, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (addr == MAP_FAILED) {
		die("mmap");
	}
	return addr;
}

static void floor_init(void)
{
	floor_pager.fd = memfd_create("floor", 0);
	if (floor_pager.fd < 0 || ftruncate(floor_pager.fd, (off_t)(FRAMES * PAGE)) != 0) {
		die("memfd_create");
	}
	floor_pager.frames = mmap(NULL, FRAMES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, floor_pager.fd, 0);
	if (floor_pager.frames == MAP_FAILED) {
		die("mmap");
	}
	floor_pager.arena = anonymous(ARENA_PAGES * PAGE, PROT_NONE);
	floor_pager.store = anonymous(ARENA_PAGES * PAGE, PROT_READ | PROT_WRITE);
	for (size_t i = 0; i < FRAMES; i++) {
		floor_pager.holder[i] = ARENA_PAGES;
	}
}

/* Write to random pages; nanoseconds a fault, *faults counted by the caller's counter. */
static uint64_t touch(volatile uint8_t *arena, uint64_t *seed)
{
	uint64_t start = now();

	for (size_t i = 0; i < CYCLES; i++) {
		arena[next(seed) % ARENA_PAGES * PAGE] = (uint8_t)i;
	}
	return now() - start;
}

static double floor_round(uint64_t *seed)
{
	unsigned long before = floor_pager.faults;
	uint64_t time = touch(floor_pager.arena, seed);

	return (double)time / (double)(floor_pager.faults - before);
}

static double kmem_round(uint8_t *arena, uint64_t *seed)
{
	unsigned long before = k_mem_num_pagefaults_get();
	uint64_t time = touch(arena, seed);

	return (double)time / (double)(k_mem_num_pagefaults_get() - before);
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

/* target: the ratio aimed at; 0 where there is none. */
static void row(const char *what, double *subject, double *baseline, double target)
{
	double spread = 0;
	char aim[16] = "-";
	double mine = median(subject);
	double base = median(baseline);

	spread = (subject[ROUNDS - 1] - subject[0]) / mine;
	if (target > 0) {
		snprintf(aim, sizeof(aim), "%.2f", target);
	}
	printf("%-44s %10.1f %10.1f %8.2f %8s %7.0f%%\n", what, mine, base, mine / base, aim, spread * 100);
}

static void boot(const char *policy)
{
	struct kmem_config config = {
		.struct_size = sizeof(config),
		.ram_size = FRAMES * PAGE,
		.vm_size = 1UL << 30,
		.policy = policy,
		.store = "ram",
	};

	if (kmem_boot(&config) != 0) {
		fprintf(stderr, "%s\n", kmem_boot_error());
		exit(1);
	}
}

static void bench_cycle(const char *policy)
{
	double mine[ROUNDS];
	double base[ROUNDS];
	uint64_t seed_mine = 88172645463325252U;
	uint64_t seed_base = seed_mine;
	struct sigaction action = {.sa_sigaction = floor_handler, .sa_flags = SA_SIGINFO};
	struct sigaction before;
	char what[64];
	uint8_t *arena;

	boot(policy);
	arena = k_mem_map(ARENA_PAGES * PAGE, K_MEM_PERM_RW);
	if (arena == NULL) {
		exit(1);
	}
	/* The floor's handler is the program's own: libkmem hands its faults on, at a price, so it gets the signal itself. */
	for (size_t i = 0; i < ARENA_PAGES; i++) {
		arena[i * PAGE] = 1;
	}
	for (int i = 0; i < ROUNDS; i++) {
		mine[i] = kmem_round(arena, &seed_mine);
	}
	kmem_shutdown();
	sigaction(SIGSEGV, &action, &before);
	for (size_t i = 0; i < ARENA_PAGES; i++) {
		floor_pager.arena[i * PAGE] = 1;
	}
	for (int i = 0; i < ROUNDS; i++) {
		base[i] = floor_round(&seed_base);
	}
	sigaction(SIGSEGV, &before, NULL);
	snprintf(what, sizeof(what), "fault cycle, random, dirty, %s | floor", policy);
	row(what, mine, base, 1.4);
}

#define RESIDENT_ACCESSES 4000000UL

static double resident_round(volatile uint64_t *words, size_t count)
{
	uint64_t seed = 88172645463325252U;
	uint64_t start = now();

	for (size_t i = 0; i < RESIDENT_ACCESSES; i++) {
		words[next(&seed) % count]++;
	}
	return (double)(now() - start) / (double)RESIDENT_ACCESSES;
}

static void bench_resident(void)
{
	size_t size = FRAMES / 2 * PAGE;
	double mine[ROUNDS];
	double base[ROUNDS];
	uint64_t *plain = anonymous(size, PROT_READ | PROT_WRITE);
	uint64_t *paged;

	boot("clock");
	paged = k_mem_map(size, K_MEM_PERM_RW);
	memset(paged, 1, size);
	memset(plain, 1, size);
	for (int i = 0; i < ROUNDS; i++) {
		mine[i] = resident_round(paged, size / sizeof(uint64_t));
		base[i] = resident_round(plain, size / sizeof(uint64_t));
	}
	row("resident access, random | plain memory", mine, base, 1.0);
	munmap(plain, size);
	kmem_shutdown();
}

#define MAPPINGS 20000UL

static double kmem_map_round(int is_touched)
{
	uint64_t start = now();

	for (size_t i = 0; i < MAPPINGS; i++) {
		volatile uint8_t *page = k_mem_map(PAGE, K_MEM_PERM_RW);

		if (is_touched) {
			page[0] = 1;
		}
		k_mem_unmap((void *)page, PAGE);
	}
	return (double)(now() - start) / (double)MAPPINGS;
}

static double host_map_round(int is_touched)
{
	uint64_t start = now();

	for (size_t i = 0; i < MAPPINGS; i++) {
		uint8_t *base = mmap(NULL, 3 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (base == MAP_FAILED || mprotect(base + PAGE, PAGE, PROT_READ | PROT_WRITE) != 0) {
			die("mmap");
		}
		if (is_touched) {
			*(volatile uint8_t *)(base + PAGE) = 1;
		}
		munmap(base, 3 * PAGE);
	}
	return (double)(now() - start) / (double)MAPPINGS;
}

static void bench_map(enum kmem_switch lazy, int is_touched, const char *what)
{
	struct kmem_config config = {
		.struct_size = sizeof(config), .ram_size = FRAMES * PAGE, .vm_size = 1UL << 30, .demand_mapping = lazy};
	double mine[ROUNDS];
	double base[ROUNDS];

	if (kmem_boot(&config) != 0) {
		exit(1);
	}
	for (int i = 0; i < ROUNDS; i++) {
		mine[i] = kmem_map_round(is_touched);
		base[i] = host_map_round(is_touched);
	}
	row(what, mine, base, is_touched ? 0 : 1.5);
	kmem_shutdown();
}

int main(void)
{
	printf("%-44s %10s %10s %8s %8s %8s\n", "one thread, medians, ns", "libkmem", "baseline", "ratio", "target", "spread");
	floor_init();
	bench_cycle("clock");
	bench_cycle("lru");
	bench_cycle("nru");
	bench_resident();
	bench_map(KMEM_SWITCH_OFF, 0, "map + unmap, a page, eager | mmap with guards");
	bench_map(KMEM_SWITCH_OFF, 1, "map + touch + unmap, eager | the same");
	bench_map(KMEM_SWITCH_ON, 0, "map + unmap, a page, lazy | mmap with guards");
	bench_map(KMEM_SWITCH_ON, 1, "map + touch + unmap, lazy | the same");
	return 0;
}
