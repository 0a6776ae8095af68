/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every test program shares: main(), leak snapshots, seeds.
 *
 * Theory of operation
 *
 * A snapshot is text, one sorted or naturally ordered line an item, so that a difference can be printed as it is.
 * Descriptors are compared line by line, and so is what the host itself holds about SIGSEGV, SIGBUS and the alternate
 * stack: that is asked for by raw system calls, because libkmem wraps the functions.
 *
 * Mappings cannot be compared line by line: the host merges neighbours, and the C library maps memory for itself. So
 * both snapshots are parsed, and every stretch of the later one is looked up in the earlier one. A stretch that is new,
 * or whose permissions or file changed, is a leak, unless it is
 *
 * - the heap, a stack, or a page of the host kernel's (vvar, vdso);
 * - a shared object that was loaded meanwhile;
 * - a malloc arena: an aligned block of ARENA_SIZE, its beginning in use and its end not;
 * - the stack of a thread that has ended, which the C library keeps.
 *
 * A stretch that is gone is a leak in reverse if it was a file's: somebody unmapped what was not theirs.
 *
 * Sanitizers and Valgrind map memory as they please, so only descriptors and signals are compared under them.
 */
#define _GNU_SOURCE

#include "harness.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <urcu/urcu-bp.h>

#include "host/annotate.h"

/* glibc: HEAP_MAX_SIZE, on 64-bit hosts. */
#define ARENA_SIZE (UINT64_C(64) << 20)

#define SEED_DEFAULT UINT64_C(0x6b6d656d)

/* Exit status that Meson counts as skipped. */
#define STATUS_SKIPPED 77

/* A stretch [start, end) of the address space, as one line of /proc/self/maps has it. */
struct stretch {
	uint64_t start;
	uint64_t end;
	char perms[5];
	char name[256];
};

struct stretches {
	struct stretch *items; /* NULL while count is 0 */
	size_t count;
};

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Print the open descriptors and what they refer to, but not the one that lists them. */
static char *descriptors_get(void)
{
	char *lines[4096];
	size_t count = 0;
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;

	ck_assert_ptr_nonnull(dir);
	while ((entry = readdir(dir)) != NULL) {
		char target[512];
		ssize_t length;

		if (entry->d_name[0] == '.' || atoi(entry->d_name) == dirfd(dir)) {
			continue;
		}
		length = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);
		target[length < 0 ? 0 : length] = '\0';
		if (strncmp(target, "/tmp/check_", strlen("/tmp/check_")) == 0) {
			continue; /* Check's own message file, opened anew for every fixture where it does not fork */
		}
		ck_assert_uint_lt(count, sizeof(lines) / sizeof(lines[0]));
		ck_assert_int_gt(asprintf(&lines[count], "%s -> %s\n", entry->d_name, target), 0);
		count++;
	}
	closedir(dir);

	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	ck_assert_ptr_nonnull(stream);
	qsort(lines, count, sizeof(lines[0]), compare_lines);
	for (size_t i = 0; i < count; i++) {
		fputs(lines[i], stream);
		free(lines[i]);
	}
	fclose(stream);
	return text;
}

/* The C library adds it to every action that it sets. */
#define RESTORER_FLAG 0x04000000UL

/* The disposition of a signal as the host kernel has it: handler, flags, restorer and mask, one word each. */
static void disposition_print(FILE *stream, const char *name, int signo)
{
	unsigned long words[4] = {0};

	ck_assert_int_eq(syscall(SYS_rt_sigaction, signo, NULL, words, sizeof(uint64_t)), 0);
	fprintf(stream, "%s: handler %#lx flags %#lx mask %#lx\n", name, words[0], words[1] & ~RESTORER_FLAG,
		words[3]);
}

static char *signals_get(void)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);
	uint64_t mask = 0;
	stack_t stack;

	ck_assert_ptr_nonnull(stream);
	disposition_print(stream, "SIGSEGV", SIGSEGV);
	disposition_print(stream, "SIGBUS", SIGBUS);
	ck_assert_int_eq(syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &mask, sizeof(mask)), 0);
	fprintf(stream, "blocked: %#" PRIx64 "\n", mask);
	ck_assert_int_eq(sigaltstack(NULL, &stack), 0);
	fprintf(stream, "alternate stack: %p, %zu bytes, flags %#x\n", stack.ss_flags & SS_DISABLE ? NULL : stack.ss_sp,
		stack.ss_flags & SS_DISABLE ? 0 : stack.ss_size, (unsigned int)stack.ss_flags);
	fclose(stream);
	return text;
}

static bool is_ignored(const char *name)
{
	return name[0] == '[' || strstr(name, ".so") != NULL;
}

/* The lines of /proc/self/maps that may be compared, in their order. */
static char *mappings_get(void)
{
	char *text = NULL;
	size_t size;
	char line[512];
	FILE *maps = fopen("/proc/self/maps", "re");
	FILE *stream = open_memstream(&text, &size);

	ck_assert_ptr_nonnull(maps);
	ck_assert_ptr_nonnull(stream);
	while (fgets(line, sizeof(line), maps) != NULL) {
		const char *name = strpbrk(line, "/[");

		if (name == NULL || !is_ignored(name)) {
			fputs(line, stream);
		}
	}
	fclose(maps);
	fclose(stream);
	return text;
}

static void stretches_add(struct stretches *stretches, const struct stretch *item)
{
	stretches->items = realloc(stretches->items, (stretches->count + 1) * sizeof(*item));
	ck_assert_ptr_nonnull(stretches->items);
	stretches->items[stretches->count++] = *item;
}

static void stretches_parse(struct stretches *stretches, const char *text)
{
	while (*text != '\0') {
		struct stretch item = {0};
		const char *end = strchr(text, '\n');
		char line[512];

		snprintf(line, sizeof(line), "%.*s", (int)(end - text), text);
		ck_assert_int_ge(sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %*s %*s %*s %255[^\n]", &item.start,
					&item.end, item.perms, item.name),
				 3);
		stretches_add(stretches, &item);
		text = end + 1;
	}
}

/* The first stretch that ends behind addr; NULL if there is none. */
static const struct stretch *stretches_find(const struct stretches *stretches, uint64_t addr)
{
	for (size_t i = 0; i < stretches->count; i++) {
		if (stretches->items[i].end > addr) {
			return &stretches->items[i];
		}
	}
	return NULL;
}

/*
 * Add the parts of `in` that `of` has not, or has otherwise, to `out`, cut where an arena may begin or end, so that none
 * hides behind a neighbour it has been merged with. Files are told apart by name, anonymous memory has none; with
 * `present`, being mapped at all is enough.
 */
static void stretches_subtract(struct stretches *out, const struct stretches *in, const struct stretches *of,
			       bool present)
{
	for (size_t i = 0; i < in->count; i++) {
		struct stretch rest = in->items[i];

		for (struct stretch part = rest; rest.start < rest.end; rest.start = part.end) {
			const struct stretch *other = stretches_find(of, rest.start);
			bool overlaps = other != NULL && other->start <= rest.start;
			uint64_t cut = (rest.start | (ARENA_SIZE - 1)) + 1;

			part.start = rest.start;
			part.end = cut < rest.end ? cut : rest.end;
			if (overlaps && other->end < part.end) {
				part.end = other->end;
			} else if (!overlaps && other != NULL && other->start < part.end) {
				part.end = other->start;
			}
			if (!overlaps || (!present && (strcmp(other->perms, part.perms) != 0 ||
						       strcmp(other->name, part.name) != 0))) {
				stretches_add(out, &part);
			}
		}
	}
}

/*
 * Whether the aligned block around a stretch is an arena: mapped from end to end, its beginning in use and its end not. A
 * block that is in use throughout is none: the host aligns large mappings, so any of them may begin where an arena could.
 */
static bool is_arena(const struct stretches *now, const struct stretch *stretch)
{
	uint64_t base = stretch->start & ~(ARENA_SIZE - 1);
	const struct stretch *item = stretches_find(now, base);

	if (item == NULL || item->start > base || strcmp(item->perms, "rw-p") != 0 ||
	    stretch->end > base + ARENA_SIZE) {
		return false;
	}
	for (uint64_t addr = base; addr < base + ARENA_SIZE; addr = item->end) {
		item = stretches_find(now, addr);
		if (item == NULL || item->start > addr || item->name[0] != '\0') {
			return false;
		}
	}
	return strcmp(item->perms, "---p") == 0;
}

static uint64_t stack_size(void)
{
	pthread_attr_t attr;
	size_t size = 0;

	pthread_attr_init(&attr);
	pthread_attr_getstacksize(&attr, &size);
	pthread_attr_destroy(&attr);
	return size;
}

/* How many items of `added` from index i on make up the stack of a thread: one page of guard, then the rest; else 0. */
static size_t stack_count(const struct stretches *added, size_t i)
{
	const struct stretch *guard = &added->items[i];
	uint64_t page = (uint64_t)getpagesize();
	uint64_t size = stack_size();

	if (strcmp(guard->perms, "---p") != 0 || guard->end - guard->start != page) {
		return 0;
	}
	for (size_t n = i + 1; n < added->count; n++) {
		const struct stretch *item = &added->items[n];
		uint64_t total = item->end - guard->start;

		if (strcmp(item->perms, "rw-p") != 0 || item->name[0] != '\0' ||
		    item->start != added->items[n - 1].end) {
			return 0;
		}
		/* The guard is inside the stack's size, or, for some versions of the C library, below it. */
		if (total == size || total == size + page) {
			return n - i + 1;
		}
	}
	return 0;
}

static void mappings_compare(FILE *stream, const char *before, const char *after)
{
	struct stretches then = {0}, now = {0}, added = {0}, gone = {0};

	stretches_parse(&then, before);
	stretches_parse(&now, after);
	stretches_subtract(&added, &now, &then, false);
	stretches_subtract(&gone, &then, &now, true);
	for (size_t i = 0; i < added.count; i++) {
		const struct stretch *item = &added.items[i];
		size_t stack = stack_count(&added, i);

		if (stack != 0) {
			i += stack - 1;
		} else if (!is_arena(&now, item)) {
			fprintf(stream, "+ mapping %" PRIx64 "-%" PRIx64 " %s %s\n", item->start, item->end,
				item->perms, item->name);
		}
	}
	for (size_t i = 0; i < gone.count; i++) {
		const struct stretch *item = &gone.items[i];

		if (item->name[0] != '\0') {
			fprintf(stream, "- mapping %" PRIx64 "-%" PRIx64 " %s %s\n", item->start, item->end,
				item->perms, item->name);
		}
	}
	free(then.items);
	free(now.items);
	free(added.items);
	free(gone.items);
}

static bool has_line(const char *text, const char *line, size_t length)
{
	for (; *text != '\0'; text = strchr(text, '\n') + 1) {
		if (strncmp(text, line, length) == 0) {
			return true;
		}
	}
	return false;
}

/* Print the lines of `in` that `of` does not have. */
static void lines_subtract(FILE *stream, const char *sign, const char *in, const char *of)
{
	for (size_t length; *in != '\0'; in += length) {
		length = (size_t)(strchr(in, '\n') - in) + 1;
		if (!has_line(of, in, length)) {
			fprintf(stream, "%s %.*s", sign, (int)length, in);
		}
	}
}

static void lines_compare(FILE *stream, const char *before, const char *after)
{
	lines_subtract(stream, "-", before, after);
	lines_subtract(stream, "+", after, before);
}

static bool has_foreign_mappings(void)
{
	return harness_on_valgrind() || harness_on_asan() || harness_on_tsan();
}

void harness_leaks_begin(struct harness_leaks *leaks)
{
	/* What the first use of liburcu in a process maps is no leak. */
	urcu_bp_read_lock();
	urcu_bp_read_unlock();
	leaks->descriptors = descriptors_get();
	leaks->signals = signals_get();
	leaks->mappings = has_foreign_mappings() ? NULL : mappings_get();
}

char *harness_leaks_end(struct harness_leaks *leaks)
{
	char *mappings = leaks->mappings == NULL ? NULL : mappings_get();
	char *descriptors = descriptors_get();
	char *signals = signals_get();
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	ck_assert_ptr_nonnull(stream);
	lines_compare(stream, leaks->descriptors, descriptors);
	lines_compare(stream, leaks->signals, signals);
	if (mappings != NULL) {
		mappings_compare(stream, leaks->mappings, mappings);
	}
	fclose(stream);
	free(mappings);
	free(descriptors);
	free(signals);
	free(leaks->mappings);
	free(leaks->descriptors);
	free(leaks->signals);
	*leaks = (struct harness_leaks){0};
	if (text[0] == '\0') {
		free(text);
		return NULL;
	}
	return text;
}

void harness_leaks_check(struct harness_leaks *leaks)
{
	char *difference = harness_leaks_end(leaks);

	if (difference != NULL) {
		ck_abort_msg("the process is not as it was:\n%s", difference);
	}
}

uint64_t harness_seed(void)
{
	static bool printed; /* several threads may ask */
	const char *text = getenv("KMEM_SEED");
	uint64_t seed = SEED_DEFAULT;

	if (text != NULL && text[0] != '\0') {
		seed = strtoull(text, NULL, 0);
	}
	if (seed == 0) {
		seed = SEED_DEFAULT;
	}
	if (!__atomic_exchange_n(&printed, true, __ATOMIC_RELAXED)) {
		printf("KMEM_SEED=%#" PRIx64 "\n", seed);
		fflush(stdout);
	}
	return seed;
}

/* xorshift64*: a state other than 0 never becomes 0. */
uint64_t harness_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * UINT64_C(0x2545f4914f6cdd1d);
}

void harness_no_core(void)
{
	struct rlimit limit = {0};

	setrlimit(RLIMIT_CORE, &limit);
}

bool harness_on_valgrind(void)
{
	const char *preload = getenv("LD_PRELOAD");

	return kmem_annotate_on_valgrind() || (preload != NULL && strstr(preload, "vgpreload") != NULL);
}

/* GCC tells of a sanitizer by a macro, Clang by a feature. */
#ifndef __has_feature
#define __has_feature(feature) 0
#endif

bool harness_on_asan(void)
{
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
	return true;
#else
	return false;
#endif
}

bool harness_on_tsan(void)
{
#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
	return true;
#else
	return false;
#endif
}

/* Threads that a test has at one time, at most, and the stack that each needs for no more than this. */
#define THREADS_MAX 64
#define STACK_SIZE ((size_t)256 << 10)

static void *rcu_first_use(void *barrier)
{
	urcu_bp_read_lock();
	urcu_bp_read_unlock();
	pthread_barrier_wait(barrier);
	return NULL;
}

/* What liburcu maps for many threads stays with it: let it be there before anything is compared. */
void harness_rcu_warm_up(void)
{
	size_t size = THREADS_MAX * STACK_SIZE;
	/* Stacks of our own, since glibc keeps those it makes. */
	char *stacks = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pthread_t threads[THREADS_MAX];
	pthread_barrier_t barrier;
	pthread_attr_t attr;

	if (stacks == MAP_FAILED || harness_on_tsan()) {
		return; /* ThreadSanitizer's stacks are larger, and mappings are not compared under it */
	}
	pthread_barrier_init(&barrier, NULL, THREADS_MAX);
	pthread_attr_init(&attr);
	for (size_t i = 0; i < THREADS_MAX; i++) {
		if (pthread_attr_setstack(&attr, stacks + i * STACK_SIZE, STACK_SIZE) != 0 ||
		    pthread_create(&threads[i], &attr, rcu_first_use, &barrier) != 0) {
			abort();
		}
	}
	for (size_t i = 0; i < THREADS_MAX; i++) {
		pthread_join(threads[i], NULL);
	}
	pthread_attr_destroy(&attr);
	pthread_barrier_destroy(&barrier);
	munmap(stacks, size);
}

int harness_run(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int ran;
	int failed;

	srunner_run_all(runner, CK_ENV);
	ran = srunner_ntests_run(runner);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	if (failed != 0) {
		return EXIT_FAILURE;
	}
	return ran != 0 ? EXIT_SUCCESS : STATUS_SKIPPED;
}

int main(void)
{
	harness_no_core();
	return harness_run(kmem_test_suite());
}
