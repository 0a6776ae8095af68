/* SPDX-License-Identifier: Apache-2.0 */
/*
 * line_sort: sort text files that are larger than RAM, with demand paging.
 *
 * The lines of all FILEs are written in the order of `LC_ALL=C sort`: by their bytes, a prefix before what it is a prefix
 * of. Text and index live in memory from k_mem_map(), and the library moves pages between the emulated RAM and its
 * backing store while the program simply uses the addresses. sort.c tells how it sorts, and why so.
 *
 * Strictness. The result is all or nothing: each of these ends with one line on standard error, exit status 1 and no
 * output file (an earlier file of that name stays as it was): a FILE that is missing, unreadable, a directory, not a
 * regular file, or empty; a FILE whose last line has no newline, unless --add-newline says that it shall get one; a RAM
 * too small to run in; a store or an output that cannot be written, as when the disk is full. A command line that is wrong
 * ends with status 2.
 *
 * Memory: twice the text, and twice 24 bytes for every line, of address space; any amount of RAM from RAM_FRAMES_MIN
 * frames up.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <kmem/kmem.h>

#include "line_sort.h"

#define EXIT_USAGE 2

/*
 * One instruction that copies touches four pages at most, if its source and its target both lie across a page's end; a
 * merge uses seven streams (text and index of two runs, text and index of the result, the end of a run) of two pages.
 */
#define RAM_FRAMES_MIN 16

/* The library's default VM, and what of it is left for guard pages and the like. */
#define VM_SIZE_DEFAULT ((size_t)8 << 30)
#define VM_SIZE_SPARE ((size_t)64 << 20)

struct options {
	size_t ram_size; /* bytes; 0: the library's default */
	const char *store;
	const char *policy;
	const char *output; /* NULL: standard output */
	bool add_newline;
	bool stats;
};

static void help_print(void)
{
	fputs("Usage: line_sort [OPTION]... FILE...\n"
	      "Write the lines of all FILEs in bytewise order, as LC_ALL=C sort does, using\n"
	      "paged memory: the text may be larger than the RAM given.\n"
	      "\n"
	      "  --ram SIZE      emulated RAM; SIZE takes K, M, G (default 64M)\n"
	      "  --store NAME    where pages go that RAM has no room for: ram, file\n"
	      "                  (an unlinked temporary file) or file:PATH (default ram)\n"
	      "  --policy NAME   which page goes: clock, lru or nru (default clock)\n"
	      "  --output PATH   write to PATH, which is replaced when everything has been\n"
	      "                  written and not before (default standard output)\n"
	      "  --add-newline   accept a FILE whose last line has no newline, and add it\n"
	      "  --stats         print the memory map and a table of faults, evictions, store\n"
	      "                  traffic and times to standard error\n"
	      "  --help          print this and exit\n"
	      "\n"
	      "Environment variables KMEM_* override options. FILE - is standard input.\n"
	      "FILEs must be regular files, neither empty nor, without --add-newline, lacking\n"
	      "a newline at the end. Exit status: 0; 1 for an error, told in one line, with\n"
	      "no output left behind; 2 for a wrong command line.\n",
	      stdout);
}

__attribute__((noreturn)) static void usage_die(const char *what, const char *argument)
{
	fprintf(stderr, "line_sort: %s%s%s; see line_sort --help\n", what, argument[0] != '\0' ? " " : "", argument);
	exit(EXIT_USAGE);
}

/* Digits, and K, M or G. */
static size_t size_parse(const char *text)
{
	static const char units[] = "KMG";
	char *end;
	unsigned long long size = strtoull(text, &end, 10);
	unsigned int shift = 0;

	if (*end != '\0') {
		const char *unit = strchr(units, *end & ~0x20); /* either case */

		if (unit == NULL || *unit == '\0' || end[1] != '\0') {
			usage_die("--ram: not a size:", text);
		}
		shift = 10 * (unsigned int)(unit - units + 1);
	}
	if (text[0] < '0' || text[0] > '9' || size == 0 || size > (SIZE_MAX >> shift)) {
		usage_die("--ram: not a size:", text);
	}
	return (size_t)size << shift;
}

/* Returns the index of the first FILE. */
static int options_parse(struct options *options, int argc, char **argv)
{
	enum { RAM = 1, STORE, POLICY, OUTPUT, ADD_NEWLINE, STATS, HELP };
	static const struct option known[] = {
		{"ram", required_argument, NULL, RAM},
		{"store", required_argument, NULL, STORE},
		{"policy", required_argument, NULL, POLICY},
		{"output", required_argument, NULL, OUTPUT},
		{"add-newline", no_argument, NULL, ADD_NEWLINE},
		{"stats", no_argument, NULL, STATS},
		{"help", no_argument, NULL, HELP},
		{0},
	};
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (option) {
		case RAM:
			options->ram_size = size_parse(optarg);
			break;
		case STORE:
			options->store = optarg;
			break;
		case POLICY:
			options->policy = optarg;
			break;
		case OUTPUT:
			options->output = optarg;
			break;
		case ADD_NEWLINE:
			options->add_newline = true;
			break;
		case STATS:
			options->stats = true;
			break;
		case HELP:
			help_print();
			exit(fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
		default:
			usage_die("unknown option, or one without its argument:", argv[optind - 1]);
		}
	}
	if (optind == argc) {
		usage_die("no FILE", "");
	}
	return optind;
}

/* Look at every FILE; learn how much text and how many lines there are. */
static struct input *inputs_examine(struct sorter *sorter, char **paths, size_t count, bool add_newline)
{
	struct input *inputs = calloc(count, sizeof(*inputs));

	if (inputs == NULL) {
		die("out of memory");
	}
	for (size_t i = 0; i < count; i++) {
		inputs[i].path = strcmp(paths[i], "-") == 0 ? "/dev/stdin" : paths[i];
		input_examine(&inputs[i], add_newline);
		sorter->text_size += inputs[i].size + inputs[i].add_newline;
		sorter->line_count += inputs[i].newlines + inputs[i].add_newline;
	}
	return inputs;
}

/* A library call failed, and has said in a line of its own what it was. */
__attribute__((noreturn)) static void library_die(void)
{
	output_abandon();
	exit(EXIT_FAILURE);
}

/* The store's file, where it has a path: made by now, and nobody else's. */
static void store_file_note(const char *store)
{
	const char *override = getenv("KMEM_STORE");

	store = override != NULL && override[0] != '\0' ? override : store;
	if (store != NULL && strncmp(store, "file:", strlen("file:")) == 0) {
		output_store_file(store + strlen("file:"));
	}
}

static void machine_boot(const struct sorter *sorter, const struct options *options)
{
	size_t needed = 2 * (sorter->text_size + sorter->line_count * sizeof(struct line)) + VM_SIZE_SPARE;
	struct kmem_config config = {
		.struct_size = sizeof(config),
		.ram_size = options->ram_size,
		.store = options->store,
		.policy = options->policy,
	};
	struct kmem_usage usage;

	if (needed > VM_SIZE_DEFAULT) {
		config.vm_size = needed + (VM_SIZE_SPARE - needed % VM_SIZE_SPARE);
	}
	if (kmem_boot(&config) != 0) {
		library_die();
	}
	store_file_note(options->store);
	if (kmem_usage_get(&usage) == 0 && usage.frames_free < RAM_FRAMES_MIN) {
		die("RAM is too small to run in: %zu free frames, at least %d are needed", usage.frames_free,
		    RAM_FRAMES_MIN);
	}
}

/* Memory from the machine; whole pages, uninitialised. */
static void *arena_map(size_t size)
{
	struct kmem_layout layout;
	void *arena = NULL;

	if (kmem_layout_get(&layout) == 0) {
		size_t pages = (size + layout.page_size - 1) / layout.page_size;

		arena = k_mem_map(pages * layout.page_size, K_MEM_PERM_RW | K_MEM_MAP_UNINIT);
	}
	if (arena == NULL) {
		library_die();
	}
	return arena;
}

static void inputs_load(const struct sorter *sorter, const struct input *inputs, size_t count)
{
	size_t used = 0;

	progress_begin("loading", sorter->text_size);
	for (size_t i = 0; i < count; i++) {
		used += input_load(&inputs[i], sorter->sides[0].text + used);
	}
	progress_end();
}

static double clock_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	struct options options = {0};
	struct sorter sorter = {0};
	double start = clock_seconds();
	int first = options_parse(&options, argc, argv);
	size_t count = (size_t)(argc - first);
	struct input *inputs = inputs_examine(&sorter, argv + first, count, options.add_newline);

	output_open(options.output);
	machine_boot(&sorter, &options);
	for (int i = 0; i < 2; i++) {
		sorter.sides[i].text = arena_map(sorter.text_size);
		sorter.sides[i].lines = arena_map(sorter.line_count * sizeof(struct line));
	}
	inputs_load(&sorter, inputs, count);
	sorter_sort(&sorter);
	sorter_write(&sorter);
	output_commit();
	if (options.stats) {
		stats_print(&sorter, clock_seconds() - start);
	}
	kmem_shutdown();
	free(inputs);
	return EXIT_SUCCESS;
}
