/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pagers in child processes; see pager.h.
 *
 * A child is told what to do through one pipe and answers through another. It writes its reason there first: empty once its arena is
 * full. It ends when its orders end, which they also do when the parent dies.
 */
#include "pager.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

#define CHILDREN_MAX 32

static struct pager_child *children[CHILDREN_MAX];

/*
 * The child.
 */

static struct {
	const struct pager *pager;
	uint8_t *arena;
	size_t pages;
	struct pager_order order;
	pthread_barrier_t begin;
	size_t cursors[BENCH_THREADS_MAX]; /* where each thread's sequential accesses go on, in its part */
	uint64_t seeds[BENCH_THREADS_MAX];
	uint64_t begun[BENCH_THREADS_MAX]; /* when each thread's accesses began and ended */
	uint64_t ended[BENCH_THREADS_MAX];
	uint64_t cpu_begun;
} work;

static volatile uint64_t *page_word(size_t page)
{
	return (volatile uint64_t *)(work.arena + page * PAGER_PAGE);
}

static void access_page(size_t page, bool is_write)
{
	volatile uint64_t *word = page_word(page);

	if (is_write) {
		*word = page;
	} else if (*word != page) {
		bench_fail("%s: page %zu has the bytes of another", work.pager->name, page);
	}
}

/* The number, and words with zeros in their upper half. */
static void arena_fill(void)
{
	uint64_t seed = BENCH_SEED;

	for (size_t page = 0; page < work.pages; page++) {
		volatile uint64_t *words = page_word(page);

		words[0] = page;
		for (size_t i = 1; i < PAGER_PAGE / sizeof(uint64_t); i++) {
			words[i] = (uint32_t)bench_random(&seed);
		}
	}
}

static void accesses_random(unsigned int thread, size_t first, size_t count, size_t accesses)
{
	uint64_t seed = work.seeds[thread];

	for (size_t i = 0; i < accesses; i++) {
		access_page(first + bench_random(&seed) % count, work.order.is_write);
	}
	work.seeds[thread] = seed;
}

static void accesses_sequential(unsigned int thread, size_t first, size_t count, size_t accesses)
{
	size_t at = work.cursors[thread] % count;

	for (size_t i = 0; i < accesses; i++) {
		access_page(first + at, work.order.is_write);
		at = at + 1 < count ? at + 1 : 0;
	}
	work.cursors[thread] = at;
}

static void *thread_run(void *argument)
{
	unsigned int thread = (unsigned int)(uintptr_t)argument;
	bool has_all = work.order.is_random && work.pager->is_shared;
	size_t count = has_all ? work.pages : work.pages / work.order.threads;
	size_t first = has_all ? 0 : thread * count;
	size_t accesses = work.order.accesses / work.order.threads;

	bench_pin(thread);
	if (work.pager->enter != NULL) {
		work.pager->enter(thread);
	}
	(void)pthread_barrier_wait(&work.begin);
	work.begun[thread] = bench_now();
	if (thread == 0) {
		work.cpu_begun = bench_cpu_now();
	}
	if (work.order.is_random) {
		accesses_random(thread, first, count, accesses);
	} else {
		accesses_sequential(thread, first, count, accesses);
	}
	work.ended[thread] = bench_now();
	return NULL;
}

/* From the first thread's beginning to the last one's end. */
static uint64_t round_time(unsigned int threads)
{
	uint64_t first = work.begun[0];
	uint64_t last = work.ended[0];

	for (unsigned int i = 1; i < threads; i++) {
		first = work.begun[i] < first ? work.begun[i] : first;
		last = work.ended[i] > last ? work.ended[i] : last;
	}
	return last - first;
}

static struct pager_result round_run(void)
{
	pthread_t threads[BENCH_THREADS_MAX];
	struct pager_result result = {.faults = work.pager->faults()};
	unsigned int count = work.order.threads;

	if (work.pager->mode != NULL) {
		work.pager->mode(work.order.is_write, count);
	}
	if (pthread_barrier_init(&work.begin, NULL, count) != 0) {
		bench_die("pthread_barrier_init");
	}
	for (unsigned int i = 0; i < count; i++) {
		if (pthread_create(&threads[i], NULL, thread_run, (void *)(uintptr_t)i) != 0) {
			bench_die("pthread_create");
		}
	}
	for (unsigned int i = 0; i < count; i++) {
		(void)pthread_join(threads[i], NULL);
	}
	(void)pthread_barrier_destroy(&work.begin);
	result.ns = bench.is_cpu_time ? bench_cpu_now() - work.cpu_begun : round_time(count);
	result.faults = work.pager->faults() - result.faults;
	return result;
}

static void must_write(int fd, const void *bytes, size_t size)
{
	if (write(fd, bytes, size) != (ssize_t)size) {
		bench_die("write");
	}
}

static void child_run(const struct pager *pager, const struct pager_setup *setup, int from, int to) __attribute__((noreturn));

static void child_run(const struct pager *pager, const struct pager_setup *setup, int from, int to)
{
	char reason[sizeof(((struct pager_child *)NULL)->reason)] = "";
	const char *why;

	work.pager = pager;
	work.pages = setup->pages;
	for (unsigned int i = 0; i < BENCH_THREADS_MAX; i++) {
		work.seeds[i] = BENCH_SEED + i;
	}
	why = pager->start(setup, &work.arena);
	if (why != NULL) {
		(void)snprintf(reason, sizeof(reason), "%s", why);
	} else {
		if (pager->mode != NULL) {
			pager->mode(true, 1);
		}
		if (pager->enter != NULL) {
			pager->enter(0);
		}
		arena_fill();
	}
	must_write(to, reason, sizeof(reason));
	while (why == NULL && read(from, &work.order, sizeof(work.order)) == (ssize_t)sizeof(work.order)) {
		struct pager_result result = round_run();

		must_write(to, &result, sizeof(result));
	}
	_exit(0);
}

/*
 * The parent.
 */

static struct pager_child **place_of(const struct pager_child *child)
{
	for (unsigned int i = 0; i < CHILDREN_MAX; i++) {
		if (children[i] == child) {
			return &children[i];
		}
	}
	bench_fail("more than %d pagers at once", CHILDREN_MAX);
}

/* Whatever the parent holds open would keep another child's pipes open in this one. */
static void others_close(void)
{
	for (unsigned int i = 0; i < CHILDREN_MAX; i++) {
		if (children[i] != NULL) {
			(void)close(children[i]->to);
			(void)close(children[i]->from);
		}
	}
}

static void child_start(struct pager_child *child, const struct pager_setup *setup)
{
	int orders[2];
	int answers[2];

	if (pipe(orders) != 0 || pipe(answers) != 0) {
		bench_die("pipe");
	}
	(void)fflush(NULL);
	child->pid = fork();
	if (child->pid < 0) {
		bench_die("fork");
	}
	if (child->pid == 0) {
		others_close();
		(void)close(orders[1]);
		(void)close(answers[0]);
		child_run(child->pager, setup, orders[0], answers[1]);
	}
	(void)close(orders[0]);
	(void)close(answers[1]);
	child->to = orders[1];
	child->from = answers[0];
}

bool pager_child_start(struct pager_child *child, const struct pager *pager, const struct pager_setup *setup)
{
	const char *why = pager->prepare != NULL ? pager->prepare(setup) : NULL;

	*child = (struct pager_child){.pager = pager};
	if (why != NULL) {
		(void)snprintf(child->reason, sizeof(child->reason), "%s", why);
		return false;
	}
	child_start(child, setup);
	*place_of(NULL) = child;
	if (read(child->from, child->reason, sizeof(child->reason)) != (ssize_t)sizeof(child->reason)) {
		(void)snprintf(child->reason, sizeof(child->reason), "it died while it filled its arena");
	}
	if (child->reason[0] != '\0') {
		pager_child_stop(child);
		return false;
	}
	return true;
}

void pager_child_stop(struct pager_child *child)
{
	if (child->pid == 0) {
		return;
	}
	(void)close(child->to);
	(void)close(child->from);
	(void)waitpid(child->pid, NULL, 0);
	child->pid = 0;
	*place_of(child) = NULL;
	if (child->pager->restore != NULL) {
		child->pager->restore();
	}
}

void pager_child_order(struct pager_child *child, const struct pager_order *order, struct pager_result *result)
{
	must_write(child->to, order, sizeof(*order));
	if (read(child->from, result, sizeof(*result)) != (ssize_t)sizeof(*result)) {
		bench_fail("%s: the pager's process died", child->pager->name);
	}
}

static void all_stop(void)
{
	for (unsigned int i = 0; i < CHILDREN_MAX; i++) {
		if (children[i] != NULL) {
			pager_child_stop(children[i]);
		}
	}
}

/* Not safe in a signal handler by the letter; but the program is waiting for a child, or printing, and ends here. */
static void on_signal(int signo)
{
	all_stop();
	_exit(128 + signo);
}

void pager_children_init(void)
{
	struct sigaction action = {.sa_handler = on_signal};

	(void)atexit(all_stop);
	(void)sigaction(SIGHUP, &action, NULL);
	(void)sigaction(SIGINT, &action, NULL);
	(void)sigaction(SIGTERM, &action, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
}
