/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Benchmark (g), whole programs under kmem-run, beside themselves without it: in RAM to spare, and in less than they use. Programs that are
 * not installed are left out.
 *
 *   bench_programs [option]... [KMEM_RUN]
 *
 * KMEM_RUN is the command, ../../lib/kmem-run beside this program unless given. What the programs work on is made in a directory of its
 * own, which is removed at the end. All run on one processor and the one after the other; sort is told to use one thread.
 */
#include <fcntl.h>
#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

#define LINES 300000UL
#define LINES_QUICK 20000UL

static const struct program {
	const char *name;
	const char *command; /* for sh, with the variable RUN in front of what is measured */
	const char *spare;   /* RAM */
	const char *less;
	bool is_quick; /* quick runs have it, too */
} programs[] = {
	{"sort", "$RUN sort --parallel=1 -S 64M lines", "256M", "16M", true},
	{"sqlite3", "$RUN sqlite3 :memory: <queries", "256M", "8M", false},
	{"python3", "$RUN python3 -S script.py", "256M", "24M", false},
	{"gcc", "$RUN gcc -O2 -c -o unit.o unit.c", "256M", "8M", false},
	{"xz", "$RUN xz -1 -T1 -c lines", "256M", "8M", false},
};

static char folder[] = "/tmp/kmem-bench-XXXXXX";
static char kmem_run[4096];

/*
 * What they work on
 */

static FILE *file_make(const char *name)
{
	FILE *file = fopen(name, "we");

	if (file == NULL) {
		bench_die(name);
	}
	return file;
}

static void lines_make(void)
{
	FILE *file = file_make("lines");
	uint64_t seed = BENCH_SEED;
	size_t lines = bench_size(LINES, LINES_QUICK);

	for (size_t i = 0; i < lines; i++) {
		fprintf(file, "%016llx line number %zu of the file\n", (unsigned long long)bench_random(&seed), i);
	}
	(void)fclose(file);
}

static void queries_make(void)
{
	FILE *file = file_make("queries");

	fputs("CREATE TABLE item (id INTEGER PRIMARY KEY, kind INTEGER, name TEXT);\n"
	      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000)\n"
	      "INSERT INTO item SELECT i, i * 7919 % 1009, 'the item of number ' || i * 104729 % 1000003 FROM n;\n"
	      "CREATE INDEX by_name ON item (name);\n"
	      "SELECT count(*), min(a.name), max(b.name) FROM item a JOIN item b ON b.id = a.id * 31 % 200000 WHERE a.kind < 500;\n"
	      "SELECT kind, count(*) FROM item GROUP BY kind ORDER BY 2 DESC, 1 LIMIT 5;\n",
	      file);
	(void)fclose(file);
}

static void script_make(void)
{
	FILE *file = file_make("script.py");

	fputs("words = {}\n"
	      "for i in range(200000):\n"
	      "    words.setdefault('word %d' % (i * 7919 % 50021), []).append(i)\n"
	      "rows = sorted(words.items(), key=lambda row: (len(row[1]), row[0]))\n"
	      "print(len(rows), rows[0][0], rows[-1][0], sum(map(sum, words.values())))\n",
	      file);
	(void)fclose(file);
}

#define FUNCTIONS 400

static void unit_make(void)
{
	FILE *file = file_make("unit.c");

	for (int i = 0; i < FUNCTIONS; i++) {
		fprintf(file,
			"int function_%d(const int *numbers, int count)\n{\n\tint sum = %d;\n\n\tfor (int i = 0; i < count; i++) {\n"
			"\t\tsum = numbers[i] > sum ? sum * 3 + numbers[i] : sum - (numbers[i] << %d);\n\t}\n\treturn sum;\n}\n\n",
			i, i, i % 7);
	}
	(void)fclose(file);
}

static void files_make(void)
{
	if (mkdtemp(folder) == NULL || chdir(folder) != 0) {
		bench_die(folder);
	}
	lines_make();
	queries_make();
	script_make();
	unit_make();
}

static void files_remove(void)
{
	static const char *const names[] = {"lines", "queries", "script.py", "unit.c", "unit.o"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)unlink(names[i]);
	}
	if (chdir("/") == 0) {
		(void)rmdir(folder);
	}
}

/* Not safe in a signal handler by the letter; but the program waits for a child, and ends here. */
static void on_signal(int signo)
{
	files_remove();
	_exit(128 + signo);
}

/*
 * Running
 */

/* Milliseconds; of processor time with --cpu-time, of the command and what it started. Negative if it fails. */
static double command_time(const char *command, const char *ram)
{
	uint64_t start = bench_now();
	struct rusage use;
	char run[8192] = "";
	int status;
	pid_t pid;

	if (ram != NULL) {
		(void)snprintf(run, sizeof(run), "%s --ram %s --", kmem_run, ram);
	}
	pid = fork();
	if (pid < 0) {
		bench_die("fork");
	}
	if (pid == 0) {
		int null = open("/dev/null", O_WRONLY);

		bench_pin(0);
		(void)dup2(null, STDOUT_FILENO);
		(void)setenv("RUN", run, 1);
		(void)setenv("LC_ALL", "C", 1);
		(void)execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	if (wait4(pid, &status, 0, &use) != pid) {
		bench_die("wait4");
	}
	if (status != 0) {
		return -1;
	}
	if (!bench.is_cpu_time) {
		return (double)(bench_now() - start) / 1e6;
	}
	return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1e3 + (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e3;
}

static bool is_installed(const char *name)
{
	char command[64];

	(void)snprintf(command, sizeof(command), "command -v %s >/dev/null && %s --version >/dev/null 2>&1", name, name);
	return command_time(command, NULL) >= 0;
}

static void row(const struct program *program, const char *ram, const struct bench_sample *mine, const struct bench_sample *plain)
{
	char subject[64];
	char more[64];
	const struct bench_row row = {
		.subject = subject,
		.against = "without kmem-run",
		.unit = "ms",
		.sample = mine,
		.baseline = plain,
		.more = more,
	};

	(void)snprintf(subject, sizeof(subject), "%s in %s of RAM", program->name, ram);
	(void)snprintf(more, sizeof(more), "\"program\": \"%s\", \"ram\": \"%s\"", program->name, ram);
	if (mine->count < bench.rounds) {
		bench_skip(subject, "it failed");
		return;
	}
	bench_row(&row);
}

static void measure(const struct program *program)
{
	const char *const rams[] = {NULL, program->spare, program->less};
	struct bench_sample samples[3];

	if (!is_installed(program->name)) {
		bench_skip(program->name, "it is not installed");
		return;
	}
	memset(samples, 0, sizeof(samples));
	for (unsigned int round = 0; round < bench.rounds; round++) {
		for (unsigned int i = 0; i < 3; i++) {
			double time = command_time(program->command, rams[i]);

			if (time >= 0) {
				bench_add(&samples[i], time);
			}
		}
	}
	row(program, program->spare, &samples[1], &samples[0]);
	row(program, program->less, &samples[2], &samples[0]);
}

static void kmem_run_find(int argc, char **argv, int given)
{
	char path[4096];

	if (given < argc) {
		(void)snprintf(path, sizeof(path), "%s", argv[given]);
	} else {
		char self[4000];

		(void)snprintf(self, sizeof(self), "%s", argv[0]);
		(void)snprintf(path, sizeof(path), "%s/../../lib/kmem-run", dirname(self));
	}
	if (realpath(path, kmem_run) == NULL) {
		bench_skip("programs", "there is no kmem-run here");
		exit(0);
	}
}

int main(int argc, char **argv)
{
	int given = bench_start("g", "Whole programs in emulated RAM: time for a run", argc, argv);

	kmem_run_find(argc, argv, given);
	files_make();
	(void)atexit(files_remove);
	(void)signal(SIGHUP, on_signal);
	(void)signal(SIGINT, on_signal);
	(void)signal(SIGTERM, on_signal);
	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
		if ((!bench.is_quick || programs[i].is_quick) && bench_wants(programs[i].name)) {
			measure(&programs[i]);
		}
	}
	return 0;
}
