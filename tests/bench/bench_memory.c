/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Benchmark (e), the memory that the library itself uses: for being there, for each page of RAM, for each page of VM that is in use, for
 * each region.
 *
 * How it is computed. The anonymous memory of the process ("Anonymous" in /proc/self/smaps_rollup) since before kmem_boot(), less what is
 * there on the program's behalf: its pages in the store, which is in memory, and on an engine whose frames are anonymous memory, its pages
 * in frames. On the others frames lie in files in memory, which do not count as anonymous. So what remains is tables, stacks, and whatever
 * is there twice. Files in memory are checked for being no larger than RAM. The host's own page tables (VmPTE) have a row of their
 * own: 8 bytes for a page of them has any program that touches so much memory.
 *
 * Allowed is 1 % of RAM and 16 bytes for each page of VM in use.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <kmem/kmem.h>

#include "bench.h"
#include "engines.h"

#define PAGE 4096UL
#define KIB 1024.0

#define FRAMES 16384UL
#define FRAMES_QUICK 8192UL
#define VM_TIMES 8UL /* pages in use at the end, in times of RAM */
#define REGIONS 100000UL
#define REGIONS_QUICK 10000UL

#define SHARE_OF_RAM 0.01
#define BYTES_A_PAGE 16UL

/* Descriptors looked at for files in memory: those of the library begin at 700, or behind the program's. */
#define DESCRIPTORS 1024

/* A line "NAME: 123 kB" of a file in /proc, in bytes. */
static double proc_bytes(const char *path, const char *name)
{
	FILE *file = fopen(path, "re");
	char line[256];
	double bytes = -1;

	if (file == NULL) {
		bench_die(path);
	}
	while (bytes < 0 && fgets(line, sizeof(line), file) != NULL) {
		if (strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ':') {
			bytes = strtod(line + strlen(name) + 1, NULL) * KIB;
		}
	}
	(void)fclose(file);
	if (bytes < 0) {
		bench_fail("%s: no line %s", path, name);
	}
	return bytes;
}

static double anonymous_bytes(void)
{
	return proc_bytes("/proc/self/smaps_rollup", "Anonymous");
}

static double table_bytes(void)
{
	return proc_bytes("/proc/self/status", "VmPTE");
}

/* Of all files in memory that the process has open: those without a link. */
static double file_bytes(void)
{
	double sum = 0;

	for (int fd = 3; fd < DESCRIPTORS; fd++) {
		struct stat status;

		if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_nlink == 0) {
			sum += (double)status.st_blocks * 512;
		}
	}
	return sum;
}

static struct {
	const char *engine;
	size_t frames;
	double anonymous; /* before boot */
	double tables;
} start;

static struct kmem_usage usage_get(void)
{
	struct kmem_usage usage;

	if (kmem_usage_get(&usage) != 0) {
		bench_fail("kmem_usage_get() failed");
	}
	return usage;
}

/* The library's own memory, now. */
static double own_bytes(void)
{
	struct kmem_usage usage = usage_get();
	double programs = (double)usage.store.used_pages;
	double file = file_bytes();

	if (strcmp(start.engine, "uffd") == 0) {
		programs += (double)(usage.frames - usage.frames_free);
	}
	if (file > (double)(start.frames * PAGE)) {
		bench_fail("%s: files in memory have %.0f bytes, more than RAM", start.engine, file);
	}
	return anonymous_bytes() - start.anonymous - programs * PAGE;
}

static void row(const char *what, const char *unit, double value, const char *against, double allowed, double target)
{
	struct bench_sample mine = {.count = 0};
	struct bench_sample base = {.count = 0};
	char subject[96];
	char more[64];
	const struct bench_row row = {
		.subject = subject,
		.against = against,
		.unit = unit,
		.sample = &mine,
		.baseline = against != NULL ? &base : NULL,
		.target = target,
		.more = more,
	};

	bench_add(&mine, value);
	bench_add(&base, allowed);
	(void)snprintf(subject, sizeof(subject), "%s: %s", what, start.engine);
	(void)snprintf(more, sizeof(more), "\"engine\": \"%s\"", start.engine);
	bench_row(&row);
}

/* Beside what is allowed with so many pages of VM in use. */
static double whole_row(const char *what, size_t pages)
{
	double bytes = own_bytes();
	double allowed = SHARE_OF_RAM * (double)(start.frames * PAGE) + (double)(BYTES_A_PAGE * pages);

	row(what, "KB", bytes / KIB, "1 % of RAM + 16 B a page", allowed / KIB, 1);
	return bytes;
}

static void *map(size_t pages)
{
	void *memory = k_mem_map(pages * PAGE, K_MEM_PERM_RW);

	if (memory == NULL) {
		bench_fail("k_mem_map() of %zu pages failed", pages);
	}
	return memory;
}

static void touch(volatile uint8_t *memory, size_t pages)
{
	for (size_t i = 0; i < pages; i++) {
		memory[i * PAGE] = 1;
	}
}

static void regions_measure(double before)
{
	size_t regions = bench_size(REGIONS, REGIONS_QUICK);

	for (size_t i = 0; i < regions; i++) {
		(void)map(1);
	}
	row("for a region", "B", (own_bytes() - before) / (double)regions, NULL, 0, 0);
}

static void measure(const char *engine)
{
	struct kmem_config config = {.struct_size = sizeof(config), .engine = engine};
	double booted;
	double full;
	double paged;
	size_t pages;

	start.engine = engine;
	start.frames = bench_size(FRAMES, FRAMES_QUICK);
	start.anonymous = anonymous_bytes();
	start.tables = table_bytes();
	config.ram_size = start.frames * PAGE;
	if (kmem_boot(&config) != 0) {
		bench_fail("%s", kmem_boot_error());
	}
	booted = whole_row("booted", 0);
	touch(map(start.frames), start.frames);
	full = whole_row("RAM full", start.frames);
	pages = start.frames * (VM_TIMES - 1);
	touch(map(pages), pages);
	paged = whole_row("VM of 8 times RAM in use", start.frames * VM_TIMES);
	row("for a page of RAM", "B", (full - booted) / (double)start.frames, NULL, 0, 0);
	row("for a page of VM", "B", (paged - full) / (double)pages, NULL, 0, BYTES_A_PAGE);
	row("host's page tables, for a page of VM", "B", (table_bytes() - start.tables) / (double)(start.frames * VM_TIMES), NULL, 0, 0);
	regions_measure(paged);
	(void)kmem_shutdown();
}

int main(int argc, char **argv)
{
	bench_start("e", "Memory of the library's own", argc, argv);
	engines_each(measure);
	return 0;
}
