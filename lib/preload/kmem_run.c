/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kmem-run: start an ordinary program in emulated RAM.
 *
 * Options become the variables that libkmem-preload.so reads, the library becomes the first of LD_PRELOAD, and the program takes this
 * process's place: its exit status, its signals and its standard streams are its own. What can be found out before is found out
 * before, by the library's own readers of settings, so that a program is started as asked for or not at all.
 *
 * A documentation for users is the manual page, kmem-run.1.
 */
#include "preload/kmem_run.h"

#include <errno.h>
#include <getopt.h>
#include <libgen.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "host/env.h"
#include "host/file.h"
#include "host/memory.h"
#include "kernel/config.h"
#include "kernel/store.h"
#include "machine/engine.h"
#include "preload/preload.h"

void kmem_run_say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)fputs("kmem-run: ", stderr);
	(void)vfprintf(stderr, format, args);
	(void)fputc('\n', stderr);
	va_end(args);
}

/* ---- options ---- */

enum {
	OPTION_PRELOAD = 1000,
	OPTION_HELP,
	OPTION_VERSION,
	OPTION_VARIABLE, /* the first of those that are a variable */
};

/* An option that sets a variable: to its argument, or, where it has none, to a value. */
struct variable {
	const char *option;
	int has_arg;
	const char *name;
	const char *value;
	const char *shown, *help;
};

static const struct variable variables[] = {
	{"ram", required_argument, "KMEM_RAM", NULL, "--ram SIZE", "emulated RAM of each process: 4096, 64K, 16M, 1G (64M)"},
	{"policy", required_argument, "KMEM_POLICY", NULL, "--policy NAME", "eviction policy: clock, lru, nru (clock)"},
	{"store", required_argument, "KMEM_STORE", NULL, "--store STORE", "ram[:PAGES] or file[:DIRECTORY] (ram)"},
	{"engine", required_argument, "KMEM_ENGINE", NULL, "--engine NAME", "how pages are mapped: auto, guard, mmap, uffd (auto)"},
	{"readahead", required_argument, "KMEM_READAHEAD", NULL, "--readahead PAGES", "pages to bring in for one fault at most; 0: one (16)"},
	{"cleaner", required_argument, "KMEM_CLEANER", NULL, "--cleaner FRAMES", "frames to keep free in the background; 0: none (0)"},
	{"vm-size", required_argument, "KMEM_VM_SIZE", NULL, "--vm-size SIZE", "address space for the memory in RAM and store (64G)"},
	{"mmap-min", required_argument, "KMEM_MMAP_MIN", NULL, "--mmap-min SIZE", "smallest anonymous mapping to be emulated (128K)"},
	{"syscalls", required_argument, "KMEM_SYSCALLS", NULL, "--syscalls on|off", "let system calls use absent pages (on)"},
	{"guard", optional_argument, "KMEM_GUARD", "after", "--guard[=after|before]", "each allocation between guards: overruns, underruns"},
	{"sample", required_argument, "KMEM_GUARD_SAMPLE", NULL, "--sample N", "with --guard: every Nth allocation only (1)"},
	{"stats", optional_argument, "KMEM_STATS", "-", "--stats[=PATH|fd:N|-]", "report at exit: a file, with the process's id in its name;\n"
	 "JSON if it ends in .json; a descriptor; standard error (-)"},
	{"stats-json", no_argument, "KMEM_STATS_FORMAT", "json", "--stats-json", "the report in JSON, wherever it goes"},
	{"stats-threads", no_argument, "KMEM_STATS_THREADS", "1", "--stats-threads", "the report with a row for each thread"},
	{"stats-signal", required_argument, "KMEM_STATS_SIGNAL", NULL, "--stats-signal SIGNAL", "a report at this signal, too: USR2"},
	{"stats-interval", required_argument, "KMEM_STATS_INTERVAL", NULL, "--stats-interval SECONDS", "a report at this interval, too: 5, 0.25"},
	{"verbose", no_argument, "KMEM_LOG", "info", "--verbose", "more messages of the library"},
};

#define VARIABLES (sizeof(variables) / sizeof(variables[0]))
#define HELP_COLUMN 28

/* The defaults that the texts above name, and the library has. */
#define RAM_DEFAULT "64M"
#define VM_SIZE_DEFAULT "64G"

static void help_line(const char *shown, const char *help)
{
	const char *newline = strchr(help, '\n');

	(void)printf("  %-*s%.*s\n", HELP_COLUMN, shown, newline != NULL ? (int)(newline - help) : INT_MAX, help);
	if (newline != NULL) {
		(void)printf("  %-*s%s\n", HELP_COLUMN, "", newline + 1);
	}
}

static void help_print(void)
{
	(void)printf("Usage: kmem-run [OPTION]... [--] PROGRAM [ARGUMENT]...\n"
		     "Run a program with its heap and anonymous memory in a small emulated RAM.\n\n");
	for (size_t i = 0; i < VARIABLES; i++) {
		help_line(variables[i].shown, variables[i].help);
	}
	help_line("--preload PATH", "the library, if not the one that comes with kmem-run");
	help_line("--help, --version", "print this, or the version, and end");
	(void)printf("\nExit status: the program's; 125 kmem-run failed, 126 the program cannot be run so,\n"
		     "127 not found. See kmem-run(1).\n");
}

static void options_make(struct option *options)
{
	for (size_t i = 0; i < VARIABLES; i++) {
		options[i] = (struct option){variables[i].option, variables[i].has_arg, NULL, (int)(OPTION_VARIABLE + i)};
	}
	options[VARIABLES] = (struct option){"preload", required_argument, NULL, OPTION_PRELOAD};
	options[VARIABLES + 1] = (struct option){"help", no_argument, NULL, OPTION_HELP};
	options[VARIABLES + 2] = (struct option){"version", no_argument, NULL, OPTION_VERSION};
	options[VARIABLES + 3] = (struct option){NULL, 0, NULL, 0};
}

/* Nothing is ever said by an empty variable: the library takes it for none. */
static bool variable_set(const struct variable *variable, const char *argument)
{
	const char *value = argument != NULL ? argument : variable->value;

	if (value[0] == '\0') {
		kmem_run_say("--%s: the argument is empty; see --help", variable->option);
		return false;
	}
	if (setenv(variable->name, value, 1) != 0) {
		kmem_run_say("no memory for %s", variable->name);
		return false;
	}
	return true;
}

static bool is_set(const char *name)
{
	const char *value = getenv(name);

	return value != NULL && value[0] != '\0';
}

/* Options that say something only with another one. */
static bool options_complete(void)
{
	if (is_set("KMEM_GUARD_SAMPLE") && !is_set("KMEM_GUARD")) {
		kmem_run_say("--sample says which allocations to guard; give --guard, too");
		return false;
	}
	if (is_set("KMEM_STATS_FORMAT") && !is_set("KMEM_STATS")) {
		return setenv("KMEM_STATS", "-", 1) == 0;
	}
	return true;
}

/* What the options say. The index of the program among the arguments; 0: end with *status. */
static int options_read(int argc, char **argv, const char **library, enum kmem_run_status *status)
{
	struct option options[VARIABLES + 4];
	int option;

	options_make(options);
	*status = KMEM_RUN_FAILED;
	while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		switch (option) {
		case OPTION_HELP:
			help_print();
			*status = fflush(stdout) == 0 ? KMEM_RUN_OK : KMEM_RUN_FAILED;
			return 0;
		case OPTION_VERSION:
			(void)printf("kmem-run (libkmem) %s\n", KMEM_VERSION);
			*status = fflush(stdout) == 0 ? KMEM_RUN_OK : KMEM_RUN_FAILED;
			return 0;
		case OPTION_PRELOAD:
			*library = optarg;
			break;
		case '?':
			kmem_run_say("see kmem-run --help");
			return 0;
		default:
			if (!variable_set(&variables[option - OPTION_VARIABLE], optarg)) {
				return 0;
			}
			break;
		}
	}
	if (!options_complete()) {
		return 0;
	}
	if (optind == argc) {
		kmem_run_say("no program given; see kmem-run --help");
		return 0;
	}
	return optind;
}

/* ---- settings ---- */

/* A file without a name, made and dropped again, where the library will make the store's. */
static bool store_check(const struct kmem_settings *settings)
{
	char path[KMEM_CONFIG_PATH_SIZE];
	const char *where = NULL;
	int fd;

	if (settings->store_ops != &kmem_store_file) {
		return true;
	}
	if (settings->store_path != NULL) {
		(void)snprintf(path, sizeof(path), "%s", settings->store_path);
		where = kmem_host_file_is_directory(path) ? path : dirname(path);
	}
	fd = kmem_host_file_temporary(where);
	if (fd < 0) {
		kmem_run_say("--store file: no file can be made in %s: %s; give a directory that may be written to, --store file:DIRECTORY",
			     where != NULL ? where : is_set("TMPDIR") ? getenv("TMPDIR") : "/var/tmp and /tmp", strerror(-fd));
		return false;
	}
	kmem_host_file_close(fd);
	return true;
}

/* Whether a report could be written: the file itself is not made, its name has the process's id in it. */
static bool stats_check(const struct kmem_settings *settings)
{
	char path[KMEM_CONFIG_PATH_SIZE];
	struct kmem_host_file_identity identity;
	const char *directory;

	if (settings->stats_path == NULL) {
		return true;
	}
	if (settings->stats_fd >= 0) {
		if (strcmp(settings->stats_path, "-") != 0 && kmem_host_file_identify(settings->stats_fd, &identity) != 0) {
			kmem_run_say("--stats=%s: the descriptor is not open; open it, as in %d>report", settings->stats_path, settings->stats_fd);
			return false;
		}
		return true;
	}
	if (kmem_host_file_is_directory(settings->stats_path)) {
		kmem_run_say("--stats=%s: a directory; give the path of a file in it", settings->stats_path);
		return false;
	}
	if (kmem_host_file_is_special(settings->stats_path)) {
		return true;
	}
	(void)snprintf(path, sizeof(path), "%s", settings->stats_path);
	directory = dirname(path);
	if (access(directory, W_OK | X_OK) != 0) {
		kmem_run_say("--stats=%s: no file can be made in %s: %s", settings->stats_path, directory, strerror(errno));
		return false;
	}
	return true;
}

/* Paths for programs that are started elsewhere, and the descriptor for those that may have another of its number. */
static bool settings_pass(const struct kmem_settings *settings)
{
	char value[KMEM_CONFIG_PATH_SIZE + sizeof("file:")];
	struct kmem_host_file_identity identity;
	int ret = 0;

	if (settings->store_path != NULL) {
		(void)snprintf(value, sizeof(value), "file:%s", settings->store_path);
		ret = setenv("KMEM_STORE", value, 1);
	}
	if (ret == 0 && settings->stats_path != NULL) {
		(void)snprintf(value, sizeof(value), "%s", settings->stats_path);
		if (settings->stats_fd > STDERR_FILENO && kmem_host_file_identify(settings->stats_fd, &identity) == 0) {
			(void)snprintf(value, sizeof(value), "%s@%lu:%lu", settings->stats_path, identity.device, identity.inode);
		}
		ret = setenv("KMEM_STATS", value, 1);
	}
	if (ret != 0) {
		kmem_run_say("no memory for the settings");
	}
	return ret == 0;
}

/* The size that a variable says; 0 where it says none, or nothing that is one. */
static size_t size_get(const char *name)
{
	size_t size = 0;

	return is_set(name) && kmem_size_parse(getenv(name), &size) == 0 ? size : 0;
}

/* The mistakes with sizes that are made easily, in words of the option. The library's own readers find the others. */
static bool size_check(const char *option, const char *name, size_t least, const char *least_text)
{
	const size_t size = size_get(name);

	if (size == 0) {
		return true;
	}
	if (size < least) {
		kmem_run_say("--%s %s: too small; the least is %s", option, getenv(name), least_text);
		return false;
	}
	if (size % kmem_host_page_size() != 0) {
		kmem_run_say("--%s %s: not a multiple of %zu, a page", option, getenv(name), kmem_host_page_size());
		return false;
	}
	return true;
}

/* All of RAM lies in the VM range. */
static bool ram_fits(void)
{
	const char *ram = is_set("KMEM_RAM") ? getenv("KMEM_RAM") : RAM_DEFAULT;
	const char *range = is_set("KMEM_VM_SIZE") ? getenv("KMEM_VM_SIZE") : VM_SIZE_DEFAULT;
	size_t ram_size, range_size;

	if (kmem_size_parse(ram, &ram_size) != 0 || kmem_size_parse(range, &range_size) != 0 || range_size == 0 || ram_size <= range_size) {
		return true;
	}
	kmem_run_say("--ram %s: larger than the VM range, --vm-size %s", ram, range);
	return false;
}

static bool sizes_check(void)
{
	/* Pages have 4 KiB on this machine. */
	_Static_assert(KMEM_CONFIG_FRAMES_MIN == 4, "the least RAM has 16 KiB");
	_Static_assert(KMEM_WINDOW_SIZE == 1UL << 40, "the largest VM range has 1 TiB");

	if (!size_check("ram", "KMEM_RAM", KMEM_CONFIG_FRAMES_MIN * kmem_host_page_size(), "16K") ||
	    !size_check("vm-size", "KMEM_VM_SIZE", 0, "")) {
		return false;
	}
	if (size_get("KMEM_VM_SIZE") > KMEM_WINDOW_SIZE) {
		kmem_run_say("--vm-size %s: too large; the greatest is 1T", getenv("KMEM_VM_SIZE"));
		return false;
	}
	return ram_fits();
}

/* As the library does it, short of booting. */
static bool settings_check(void)
{
	static struct kmem_settings settings;
	const struct kmem_config config = {
		.struct_size = sizeof(config),
		.vm_base = KMEM_WINDOW_BASE,
		.vm_size = KMEM_VM_SIZE_DEFAULT,
		.readahead = KMEM_READAHEAD_DEFAULT,
	};
	const char *reason = "";
	char error[512] = "";
	bool is_fine;

	if (!sizes_check()) {
		return false;
	}
	if (kmem_preload_options_read(error, sizeof(error)) != 0 ||
	    kmem_config_resolve(&config, &settings, error, sizeof(error)) != 0) {
		kmem_run_say("%s", error);
		return false;
	}
	if (kmem_engine_find(settings.engine, &reason) == NULL) {
		kmem_run_say("KMEM_ENGINE=%s: %s; known: %s", settings.engine, reason, kmem_engine_names());
		return false;
	}
	is_fine = store_check(&settings) && stats_check(&settings) && settings_pass(&settings);
	kmem_config_finish(&settings);
	return is_fine;
}

/* ---- the library ---- */

static bool library_at(const char *path, char *library)
{
	return access(path, F_OK) == 0 && realpath(path, library) != NULL;
}

/* Beside this command, in a build, or where its installation puts the library, seen from here or as configured. */
static bool library_find(char *library)
{
	static const char *const places[] = {KMEM_RUN_LIBRARY, KMEM_PRELOAD_RELATIVE};
	char self[PATH_MAX];
	char path[PATH_MAX + sizeof(KMEM_PRELOAD_RELATIVE) + sizeof(KMEM_RUN_LIBRARY)];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);

	self[length > 0 ? length : 0] = '\0';
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]) && length > 0; i++) {
		const char *slash = strrchr(self, '/');

		(void)snprintf(path, sizeof(path), "%.*s/%s", slash != NULL ? (int)(slash - self) : 0, self, places[i]);
		if (library_at(path, library)) {
			return true;
		}
	}
	if (library_at(KMEM_PRELOAD_PATH, library)) {
		return true;
	}
	kmem_run_say(KMEM_RUN_LIBRARY " is neither beside %s nor at " KMEM_PRELOAD_PATH
			     "; install libkmem (meson install), or give its path by --preload or KMEM_PRELOAD",
		     length > 0 ? self : "kmem-run");
	return false;
}

/* What the user says, else what is found. */
static bool library_choose(const char *given, char *library)
{
	const char *how = "--preload";

	if (given == NULL && is_set("KMEM_PRELOAD")) {
		given = getenv("KMEM_PRELOAD");
		how = "KMEM_PRELOAD";
	}
	if (given == NULL) {
		return library_find(library) && kmem_run_library_check(library);
	}
	if (realpath(given, library) == NULL) {
		kmem_run_say("%s %s: %s; give the path of " KMEM_RUN_LIBRARY, how, given, strerror(errno));
		return false;
	}
	return kmem_run_library_check(library);
}

/* The library first, then what is there already, in its order. */
static bool preload_set(const char *library)
{
	const char *old = getenv("LD_PRELOAD");
	size_t size = strlen(library) + (old != NULL ? strlen(old) : 0) + 2;
	char *list = malloc(size);
	size_t used;
	bool is_done;

	if (list == NULL) {
		kmem_run_say("no memory for LD_PRELOAD");
		return false;
	}
	used = (size_t)snprintf(list, size, "%s", library);
	while (old != NULL && *old != '\0') {
		size_t length = strcspn(old, ": ");

		if (length > 0 && (strncmp(old, library, length) != 0 || library[length] != '\0')) {
			used += (size_t)snprintf(list + used, size - used, ":%.*s", (int)length, old);
		}
		old += length + strspn(old + length, ": ");
	}
	is_done = setenv("LD_PRELOAD", list, 1) == 0;
	free(list);
	return is_done;
}

int main(int argc, char **argv)
{
	static char path[PATH_MAX];
	static char library[PATH_MAX];
	const char *given = NULL;
	enum kmem_run_status status;
	int program = options_read(argc, argv, &given, &status);

	if (program == 0) {
		return (int)status;
	}
	if (getauxval(AT_SECURE) != 0) {
		kmem_run_say("runs with other rights than its user's, for which the dynamic linker ignores LD_PRELOAD");
		return KMEM_RUN_FAILED;
	}
	if (!library_choose(given, library) || !settings_check()) {
		return KMEM_RUN_FAILED;
	}
	status = kmem_run_program_check(argv[program], path, sizeof(path));
	if (status != KMEM_RUN_OK) {
		return (int)status;
	}
	if (!preload_set(library)) {
		return KMEM_RUN_FAILED;
	}
	(void)execv(path, argv + program);
	status = errno == ENOENT ? KMEM_RUN_NOT_FOUND : KMEM_RUN_CANNOT_INVOKE;
	kmem_run_say("%s: %s", path, strerror(errno));
	return (int)status;
}
