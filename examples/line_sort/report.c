/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Talking to the user: errors, progress, statistics; all of it on standard error.
 *
 * Progress is shown on terminals only, at most ten times a second, on one line that is wiped when its phase ends. The
 * clock is read once for every PROGRESS_STEP bytes.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <kmem/fatal.h>
#include <kmem/kmem.h>

#include "line_sort.h"

#define PROGRESS_STEP ((size_t)64 << 10)
#define PROGRESS_PERIOD_NS 100000000LL
#define PROGRAM "line_sort: "

static struct {
	const char *what; /* NULL: nothing to show */
	size_t total;
	size_t done;
	size_t next;      /* value of done at which to look at the clock */
	int64_t shown_ns; /* when the line was last written */
	bool is_shown;
} progress;

static int64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

void die(const char *format, ...)
{
	va_list args;

	progress_end();
	output_abandon();
	fputs(PROGRAM, stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(EXIT_FAILURE);
}

/*
 * The library calls this where it cannot go on, such as when no page can be written to a full disk. It may run in the
 * handler of a memory trap, in the middle of anything: system calls only.
 */
void k_sys_fatal_error_handler(unsigned int reason, const struct arch_esf *esf)
{
	const char *wipe = progress.is_shown ? "\r\033[K" : "";
	const char *cause = esf->kind == KMEM_FAULT_NO_MEMORY ? "the backing store takes no more pages: " : "";
	const char *parts[] = {wipe, PROGRAM, cause, esf->text, "\n"};

	(void)reason;
	output_abandon();
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (write(STDERR_FILENO, parts[i], strlen(parts[i])) < 0) {
			break;
		}
	}
	_exit(EXIT_FAILURE);
}

void progress_begin(const char *what, size_t total)
{
	progress.what = isatty(STDERR_FILENO) ? what : NULL;
	progress.total = total;
	progress.done = 0;
	progress.next = PROGRESS_STEP;
}

static void progress_show(void)
{
	/* The total may be an estimate. */
	double part = progress.done < progress.total ? (double)progress.done / (double)progress.total : 1.0;
	int64_t now = clock_ns();

	progress.next = progress.done + PROGRESS_STEP;
	if (progress.what == NULL || now - progress.shown_ns < PROGRESS_PERIOD_NS) {
		return;
	}
	progress.shown_ns = now;
	progress.is_shown = true;
	fprintf(stderr, "\r\033[K%s %3.0f %%, %lu page faults", progress.what, 100.0 * part,
		k_mem_num_pagefaults_get());
}

void progress_add(size_t amount)
{
	progress.done += amount;
	if (progress.done >= progress.next) {
		progress_show();
	}
}

void progress_end(void)
{
	progress.what = NULL;
	if (progress.is_shown) {
		progress.is_shown = false;
		fputs("\r\033[K", stderr);
	}
}

static double mebibytes(size_t bytes)
{
	return (double)bytes / (1 << 20);
}

/* The memory map, and a table of what the job took. */
void stats_print(const struct sorter *sorter, double elapsed)
{
	size_t index_size = sorter->line_count * sizeof(struct line);
	struct kmem_setup setup;
	struct kmem_usage usage;
	struct kmem_layout layout;
	struct kmem_stats stats;

	if (kmem_setup_get(&setup) != 0 || kmem_usage_get(&usage) != 0 || kmem_layout_get(&layout) != 0) {
		return;
	}
	kmem_map_print(STDERR_FILENO);
	fprintf(stderr, "\nlines               %16zu\n", sorter->line_count);
	fprintf(stderr, "text + index        %12.1f MiB   %.1f + %.1f, and as much again to merge to\n",
		mebibytes(sorter->text_size + index_size), mebibytes(sorter->text_size), mebibytes(index_size));
	fprintf(stderr, "RAM                 %12.1f MiB   %zu frames\n", mebibytes(usage.frames * layout.page_size),
		usage.frames);
	fprintf(stderr, "engine, policy      %16s   %s\n", setup.engine, setup.policy);
	fprintf(stderr, "store               %16s   %.1f MiB in use\n", setup.store,
		mebibytes(usage.store.used_pages * layout.page_size));
	if (kmem_stats_get(&stats) == 0) {
		fprintf(stderr, "page faults         %16lu\n", stats.pagefaults.cnt);
		fprintf(stderr, "evictions           %16lu   %lu clean, %lu dirty\n",
			stats.eviction.clean + stats.eviction.dirty, stats.eviction.clean, stats.eviction.dirty);
		fprintf(stderr, "pages from store    %16lu   %.1f MiB\n", stats.store_reads,
			mebibytes(stats.store_reads * layout.page_size));
		fprintf(stderr, "pages to store      %16lu   %.1f MiB\n", stats.store_writes,
			mebibytes(stats.store_writes * layout.page_size));
		fprintf(stderr, "time spent paging   %14.2f s   %.2f s of it in the store\n", (double)stats.paging_ns / 1e9,
			(double)stats.store_ns / 1e9);
	}
	fprintf(stderr, "time elapsed        %14.2f s\n", elapsed);
}
