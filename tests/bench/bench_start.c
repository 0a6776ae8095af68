/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Benchmark (f), start-up: kmem_boot() and kmem_shutdown() with the defaults, by engine; and a program that does nothing, from
 * posix_spawn() to its end: plain, linked with libkmem.so, and booting it, too (start_plain.c, start_kmem.c beside this program).
 */
#include <fcntl.h>
#include <libgen.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <kmem/kmem.h>

#include "bench.h"
#include "engines.h"

#define BOOTS 50UL
#define BOOTS_QUICK 10UL
#define PROGRAMS 50UL
#define PROGRAMS_QUICK 10UL

static void boot_measure(const char *engine)
{
	const struct kmem_config config = {.struct_size = sizeof(config), .engine = engine};
	size_t boots = bench_size(BOOTS, BOOTS_QUICK);
	struct bench_sample booting = {.count = 0};
	struct bench_sample ending = {.count = 0};
	struct bench_row row = {.unit = "us", .sample = &booting};
	char subject[64];

	bench_pin(0);
	for (unsigned int round = 0; round < bench.rounds; round++) {
		uint64_t boot = 0;
		uint64_t shutdown = 0;

		for (size_t i = 0; i < boots; i++) {
			uint64_t start = bench_clock();
			uint64_t middle;

			if (kmem_boot(&config) != 0) {
				bench_fail("%s", kmem_boot_error());
			}
			middle = bench_clock();
			(void)kmem_shutdown();
			boot += middle - start;
			shutdown += bench_clock() - middle;
		}
		bench_add(&booting, (double)boot / (double)boots / 1000);
		bench_add(&ending, (double)shutdown / (double)boots / 1000);
	}
	row.subject = subject;
	(void)snprintf(subject, sizeof(subject), "kmem_boot(): %s", engine);
	bench_row(&row);
	(void)snprintf(subject, sizeof(subject), "kmem_shutdown(): %s", engine);
	row.sample = &ending;
	bench_row(&row);
}

/* Microseconds from the start of a program to its end. */
static double program_time(const char *path, const char *argument)
{
	char *const arguments[] = {(char *)path, (char *)argument, NULL};
	uint64_t start = bench_now();
	int status;
	pid_t pid;

	if (posix_spawn(&pid, path, NULL, NULL, arguments, environ) != 0) {
		bench_die(path);
	}
	if (waitpid(pid, &status, 0) != pid || status != 0) {
		bench_fail("%s: status 0x%x", path, (unsigned int)status);
	}
	return (double)(bench_now() - start) / 1000;
}

static double programs_round(const char *path, const char *argument)
{
	size_t count = bench_size(PROGRAMS, PROGRAMS_QUICK);
	double sum = 0;

	for (size_t i = 0; i < count; i++) {
		sum += program_time(path, argument);
	}
	return sum / (double)count;
}

/* A program in the directory of this one. */
static const char *beside(const char *self, const char *name)
{
	static char paths[2][4096];
	static unsigned int used;
	char copy[4000];
	char *path = paths[used++ % 2];

	(void)snprintf(copy, sizeof(copy), "%s", self);
	(void)snprintf(path, sizeof(paths[0]), "%s/%s", dirname(copy), name);
	return path;
}

static void programs_measure(const char *self)
{
	const char *plain = beside(self, "start_plain");
	const char *kmem = beside(self, "start_kmem");
	struct bench_sample samples[3];

	memset(samples, 0, sizeof(samples));
	for (unsigned int round = 0; round < bench.rounds; round++) {
		bench_add(&samples[0], programs_round(plain, NULL));
		bench_add(&samples[1], programs_round(kmem, NULL));
		bench_add(&samples[2], programs_round(kmem, "boot"));
	}
	for (unsigned int i = 1; i < 3; i++) {
		const struct bench_row row = {
			.subject = i == 1 ? "a program with libkmem.so" : "a program with libkmem.so that boots",
			.against = "without",
			.unit = "us",
			.sample = &samples[i],
			.baseline = &samples[0],
		};

		bench_row(&row);
	}
}

int main(int argc, char **argv)
{
	bench_start("f", "Start-up: boot and shutdown, and programs that do nothing, from start to end", argc, argv);
	engines_each(boot_measure);
	programs_measure(argv[0]);
	return 0;
}
