/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the benchmarks share; see bench.h.
 *
 * Options: --quick, --cpu-time, --rounds=N, --threads=1,2,4, --engines=mmap,guard, --only=TEXT. The environment does the same for those who
 * cannot give options: BENCH_QUICK=1, BENCH_CPU_TIME=1, BENCH_THREADS, BENCH_ENGINES.
 */
#include "bench.h"

#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct bench_options bench;

static cpu_set_t processors; /* of the program, when it was started */

#define ROUNDS_FULL 7
#define ROUNDS_QUICK 3

/* Widths of the table's columns. */
#define SUBJECT_WIDTH 62
#define AGAINST_WIDTH 26

void bench_die(const char *what)
{
	perror(what);
	exit(1);
}

void bench_fail(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vfprintf(stderr, format, arguments);
	va_end(arguments);
	(void)fputc('\n', stderr);
	exit(1);
}

static uint64_t clock_read(clockid_t clock)
{
	struct timespec time;

	(void)clock_gettime(clock, &time);
	return (uint64_t)time.tv_sec * 1000000000U + (uint64_t)time.tv_nsec;
}

uint64_t bench_now(void)
{
	return clock_read(CLOCK_MONOTONIC);
}

uint64_t bench_cpu_now(void)
{
	return clock_read(CLOCK_PROCESS_CPUTIME_ID);
}

unsigned int bench_processors(void)
{
	return (unsigned int)CPU_COUNT(&processors);
}

uint64_t bench_clock(void)
{
	return bench.is_cpu_time ? bench_cpu_now() : bench_now();
}

void bench_pin(unsigned int nth)
{
	unsigned int count = bench_processors();
	unsigned int left = count != 0 ? nth % count : 0;
	cpu_set_t one;

	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &processors) || left-- != 0) {
			continue;
		}
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		(void)sched_setaffinity(0, sizeof(one), &one);
		return;
	}
}

bool bench_in_child(double (*measure)(const void *argument), const void *argument, double *result)
{
	int ends[2];
	bool is_read;
	pid_t pid;

	(void)fflush(NULL);
	if (pipe(ends) != 0 || (pid = fork()) < 0) {
		bench_die("fork");
	}
	if (pid == 0) {
		double value = measure(argument);

		_exit(write(ends[1], &value, sizeof(value)) == (ssize_t)sizeof(value) ? 0 : 1);
	}
	(void)close(ends[1]);
	is_read = read(ends[0], result, sizeof(*result)) == (ssize_t)sizeof(*result);
	(void)close(ends[0]);
	(void)waitpid(pid, NULL, 0);
	return is_read && *result >= 0;
}

void *bench_reserve(size_t size)
{
	void *addr = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (addr == MAP_FAILED) {
		bench_die("mmap");
	}
	return addr;
}

void *bench_memory(size_t size, int prot)
{
	void *addr = bench_reserve(size);

	/* A host without huge pages refuses, and needs no asking. */
	(void)madvise(addr, size, MADV_NOHUGEPAGE);
	if (mprotect(addr, size, prot) != 0) {
		bench_die("mprotect");
	}
	return addr;
}

bool bench_wants(const char *name)
{
	return bench.only == NULL || strstr(name, bench.only) != NULL;
}

/*
 * Options
 */

static void threads_read(const char *list)
{
	const size_t max = sizeof(bench.threads) / sizeof(bench.threads[0]) - 1;
	size_t count = 0;

	memset(bench.threads, 0, sizeof(bench.threads));
	for (const char *at = list; *at != '\0';) {
		char *end;
		unsigned long number = strtoul(at, &end, 10);

		if (end == at || number == 0 || number > BENCH_THREADS_MAX || count == max) {
			bench_fail("--threads=%s: %zu numbers at most, from 1 to %d, separated by commas", list, max, BENCH_THREADS_MAX);
		}
		bench.threads[count++] = (unsigned int)number;
		at = *end == ',' ? end + 1 : end;
	}
}

static void rounds_read(const char *text)
{
	unsigned long number = strtoul(text, NULL, 10);

	if (number == 0 || number > BENCH_ROUNDS_MAX) {
		bench_fail("--rounds=%s: 1 to %d", text, BENCH_ROUNDS_MAX);
	}
	bench.rounds = (unsigned int)number;
}

static const char *environment(const char *name, const char *otherwise)
{
	const char *value = getenv(name);

	return value != NULL && value[0] != '\0' ? value : otherwise;
}

static void head_print(const char *title)
{
	printf("\n(%s) %s\n\n%-*s %10s %10s  %-*s %7s %7s %4s %7s\n", bench.letter, title, SUBJECT_WIDTH, "", "result", "baseline",
	       AGAINST_WIDTH, "", "ratio", "target", "met", "spread");
}

/* What is measured is what the programs ask for, not what the environment says. */
static void environment_clean(void)
{
	for (char **at = environ; *at != NULL;) {
		char name[64];
		size_t length = strcspn(*at, "=");

		if (strncmp(*at, "KMEM_", strlen("KMEM_")) != 0 || length >= sizeof(name)) {
			at++;
			continue;
		}
		memcpy(name, *at, length);
		name[length] = '\0';
		/* The entries behind it move up. */
		(void)unsetenv(name);
	}
}

int bench_start(const char *letter, const char *title, int argc, char **argv)
{
	static const struct option options[] = {
		{"cpu-time", no_argument, NULL, 'c'},      {"engines", required_argument, NULL, 'e'},
		{"only", required_argument, NULL, 'o'},    {"quick", no_argument, NULL, 'q'},
		{"rounds", required_argument, NULL, 'r'},  {"threads", required_argument, NULL, 't'},
		{NULL, 0, NULL, 0},
	};
	const char *threads = environment("BENCH_THREADS", "1,2");
	int option;

	environment_clean();
	bench.letter = letter;
	bench.is_quick = strcmp(environment("BENCH_QUICK", "0"), "0") != 0;
	bench.is_cpu_time = strcmp(environment("BENCH_CPU_TIME", "0"), "0") != 0;
	bench.engines = environment("BENCH_ENGINES", "mmap,guard,uffd");
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			bench.is_cpu_time = true;
			break;
		case 'e':
			bench.engines = optarg;
			break;
		case 'o':
			bench.only = optarg;
			break;
		case 'q':
			bench.is_quick = true;
			break;
		case 'r':
			rounds_read(optarg);
			break;
		case 't':
			threads = optarg;
			break;
		default:
			bench_fail("usage: %s [--quick] [--cpu-time] [--rounds=N] [--threads=1,2] [--engines=mmap,guard] [--only=TEXT]",
				   argv[0]);
		}
	}
	threads_read(threads);
	if (bench.rounds == 0) {
		bench.rounds = bench.is_quick ? ROUNDS_QUICK : ROUNDS_FULL;
	}
	if (sched_getaffinity(0, sizeof(processors), &processors) != 0) {
		bench_die("sched_getaffinity");
	}
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	head_print(title);
	return optind;
}

/*
 * Figures
 */

void bench_add(struct bench_sample *sample, double value)
{
	if (sample->count < BENCH_ROUNDS_MAX) {
		sample->values[sample->count++] = value;
	}
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* The value below which a part of the rounds lies, between two of them in proportion. */
static double quantile(const struct bench_sample *sample, double part)
{
	struct bench_sample sorted = *sample;
	double place;
	unsigned int below;

	if (sample->count == 0) {
		return 0;
	}
	qsort(sorted.values, sorted.count, sizeof(sorted.values[0]), compare);
	place = part * (sorted.count - 1);
	below = (unsigned int)place;
	if (below + 1 >= sorted.count) {
		return sorted.values[sorted.count - 1];
	}
	return sorted.values[below] + (place - below) * (sorted.values[below + 1] - sorted.values[below]);
}

double bench_median(const struct bench_sample *sample)
{
	return quantile(sample, 0.5);
}

double bench_spread(const struct bench_sample *sample)
{
	double median = bench_median(sample);

	return median != 0 ? (quantile(sample, 0.75) - quantile(sample, 0.25)) / median * 100 : 0;
}

/*
 * Results
 */

void bench_note(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)fputs("  ", stdout);
	(void)vprintf(format, arguments);
	(void)fputc('\n', stdout);
	va_end(arguments);
}

static void json_append(const char *line)
{
	const char *path = getenv("BENCH_JSON");
	size_t size = strlen(line);
	int fd;

	if (path == NULL || path[0] == '\0') {
		return;
	}
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	if (fd < 0 || write(fd, line, size) != (ssize_t)size) {
		bench_die(path);
	}
	(void)close(fd);
}

/* Add to the text in `line`, as printf() does. */
static void append(char *line, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

static void append(char *line, size_t size, const char *format, ...)
{
	size_t used = strlen(line);
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(line + used, size - used, format, arguments);
	va_end(arguments);
}

/* Text between quotation marks; no control character is ever in it. */
static void append_text(char *line, size_t size, const char *name, const char *text)
{
	append(line, size, ", \"%s\": \"", name);
	for (; *text != '\0'; text++) {
		append(line, size, "%s%c", *text == '"' || *text == '\\' ? "\\" : "", *text >= ' ' ? *text : ' ');
	}
	append(line, size, "\"");
}

#define LINE_SIZE 2048

static void row_json(const struct bench_row *row, double ratio, bool is_met)
{
	char line[LINE_SIZE] = "";

	append(line, sizeof(line), "{\"part\": \"%s\"", bench.letter);
	append_text(line, sizeof(line), "subject", row->subject);
	append_text(line, sizeof(line), "unit", row->unit);
	append(line, sizeof(line), ", \"result\": %.6g, \"spread_percent\": %.1f, \"rounds\": %u", bench_median(row->sample),
	       bench_spread(row->sample), row->sample->count);
	if (row->baseline != NULL) {
		append_text(line, sizeof(line), "against", row->against);
		append(line, sizeof(line), ", \"baseline\": %.6g, \"baseline_spread_percent\": %.1f, \"ratio\": %.4f",
		       bench_median(row->baseline), bench_spread(row->baseline), ratio);
	}
	if (row->target > 0) {
		append(line, sizeof(line), ", \"target\": %.4g, \"met\": %s", row->target, is_met ? "true" : "false");
	}
	append(line, sizeof(line), "%s%s}\n", row->more != NULL ? ", " : "", row->more != NULL ? row->more : "");
	json_append(line);
}

void bench_row(const struct bench_row *row)
{
	double median = bench_median(row->sample);
	double baseline = row->baseline != NULL ? bench_median(row->baseline) : 0;
	double ratio = baseline != 0 ? median / baseline : 0;
	bool is_met = (row->baseline != NULL ? ratio : median) <= row->target + row->tolerance;
	char against[64] = "";
	char base[16] = "";
	char part[16] = "";
	char target[16] = "";

	if (row->baseline != NULL) {
		(void)snprintf(base, sizeof(base), "%.4g", baseline);
		(void)snprintf(against, sizeof(against), "%s", row->against);
		(void)snprintf(part, sizeof(part), "%.2f", ratio);
	}
	if (row->target > 0) {
		(void)snprintf(target, sizeof(target), "%.3g", row->target);
	}
	printf("%-*s %7.4g %-2s %10s  %-*s %7s %7s %4s %6.1f%%\n", SUBJECT_WIDTH, row->subject, median, row->unit, base, AGAINST_WIDTH,
	       against, part, target, row->target > 0 ? (is_met ? "yes" : "NO") : "", bench_spread(row->sample));
	row_json(row, ratio, is_met);
}

void bench_skip(const char *subject, const char *reason)
{
	char line[LINE_SIZE] = "";

	printf("%-*s skipped: %s\n", SUBJECT_WIDTH, subject, reason);
	append(line, sizeof(line), "{\"part\": \"%s\"", bench.letter);
	append_text(line, sizeof(line), "subject", subject);
	append_text(line, sizeof(line), "skipped", reason);
	append(line, sizeof(line), "}\n");
	json_append(line);
}
