/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the benchmarks share: options, time, random numbers, medians, and the one form in which results are shown.
 *
 * A *round* gives one figure. Whatever is compared is measured in turn, round by round, so that what the machine does besides
 * hits all of it alike; the median of the rounds counts, and the ratio of two medians is what may be quoted. The spread beside it is
 * the distance from the first to the third quartile of the subject's rounds, in percent of their median.
 *
 * Results are rows: subject, baseline, their ratio, the target if there is one, and whether it was met. A row goes to the table on
 * standard output and, as a JSON object on a line, to the end of the file that BENCH_JSON names. What could not be measured is a
 * row, too, with the reason.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BENCH_ROUNDS_MAX 101
#define BENCH_THREADS_MAX 64

struct bench_options {
	const char *letter;   /* which part of the suite this is */
	bool is_quick;        /* a couple of seconds: fewer cells, fewer and shorter rounds */
	unsigned int rounds;
	unsigned int threads[8]; /* thread counts to measure with, 0 behind the last */
	const char *engines;  /* names, separated by commas */
	bool is_cpu_time;     /* processor time instead of time, where programs of others run beside the benchmark: --cpu-time */
	const char *only;     /* part of the names of what is measured, or NULL for all: "RAM 1/16" or "swap" in (a), "sort" in (g) */
};

extern struct bench_options bench;

/*
 * Read options and environment, and print the head of the table. The index in argv of the first argument that is no option. Ends the
 * program if they are wrong.
 */
int bench_start(const char *letter, const char *title, int argc, char **argv);

/* Print a line of explanation among the rows. */
void bench_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The value in full runs, or the one in quick ones. */
static inline size_t bench_size(size_t full, size_t quick)
{
	return bench.is_quick ? quick : full;
}

/* Whether something of this name is to be measured. */
bool bench_wants(const char *name);

/* The figures of one thing. */
struct bench_sample {
	double values[BENCH_ROUNDS_MAX];
	unsigned int count;
};

void bench_add(struct bench_sample *sample, double value);
double bench_median(const struct bench_sample *sample);
double bench_spread(const struct bench_sample *sample); /* percent */

/*
 * A result. The unit of the figures is the caller's, told by `unit`. target: the ratio aimed at, 0 where there is none; a ratio up to
 * `tolerance` above it still counts as met. baseline: NULL if the figure stands alone; a target is then one for the figure itself.
 */
struct bench_row {
	const char *subject; /* "fault cycle, random, write, RAM 1/16: mmap" */
	const char *against; /* "floor_mmap" */
	const char *unit;
	const struct bench_sample *sample;
	const struct bench_sample *baseline;
	double target;
	double tolerance;
	const char *more; /* further members of the JSON object, or NULL: "\"engine\": \"mmap\"" */
};

void bench_row(const struct bench_row *row);

/* Something that could not be measured. */
void bench_skip(const char *subject, const char *reason);

uint64_t bench_now(void);     /* nanoseconds */
uint64_t bench_cpu_now(void); /* of processor time, of the whole process */
uint64_t bench_clock(void);   /* the one of the two that --cpu-time chooses */

/* xorshift64: good enough to scatter accesses, and cheap beside one. */
static inline uint64_t bench_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

#define BENCH_SEED UINT64_C(88172645463325252)

/*
 * Call a function in a child process, so that what it does to the process is of no concern to anything measured before or after it. False
 * if the child failed, or its result is negative: it cannot be measured here.
 */
bool bench_in_child(double (*measure)(const void *argument), const void *argument, double *result);

/* Run the calling thread on the nth of the processors that the program was started on, whatever it runs on now. */
void bench_pin(unsigned int nth);
unsigned int bench_processors(void);

/* End the program. perror() style, and printf() style. */
void bench_die(const char *what) __attribute__((noreturn));
void bench_fail(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* Anonymous memory without huge pages, so that baselines have pages of the same size; prot as for mmap(). */
void *bench_memory(size_t size, int prot);

/* Inaccessible memory, to map into: like what is mapped inaccessible later, so that the host can make one mapping of both. */
void *bench_reserve(size_t size);

#endif /* BENCH_H */
