/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads of the library's own.
 *
 * A process ends by itself when its last thread does. With these threads it would not, so each looks whether any other is left, and ends if
 * not: the C library then does what it does for a last thread. The main thread, where it has ended before others, stays in the host's
 * count as a zombie; until then there is nothing to look for. Its end is told by the destructor of a key that it has a value for, so a
 * thread that has no interval sleeps undisturbed, and looks now and then only once the main thread has ended, or where that is not told.
 */
#include "host/helper.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "host/clock.h"
#include "host/file.h"
#include "host/memory.h"
#include "host/process.h"
#include "host/signals.h"
#include "host/thread.h"

/* How often to look for other threads. */
#define LOOK_MS 200U

#define NS_PER_MS 1000000UL

static struct {
	struct kmem_helper *_Atomic first; /* of all that were ever started */
	_Atomic unsigned long running;     /* threads */
	pthread_key_t key;                 /* the main thread has a value for it, whose destructor tells of its end */
	bool has_key;
	_Atomic bool is_told;              /* of the main thread's end, when it comes */
	_Atomic bool has_main_ended;
} helpers;

static void futex(_Atomic uint32_t *word, int operation, uint32_t value, const struct timespec *timeout)
{
	(void)syscall(SYS_futex, word, operation, value, timeout, NULL, 0);
}

/* Fields of /proc/PID/stat behind the name in brackets: the state is the first, the number of threads the eighteenth. */
#define STAT_STATE 1
#define STAT_THREADS 18

static const char *field(const char *line, unsigned int index)
{
	const char *at = strrchr(line, ')');

	for (at = at != NULL ? at + 1 : line; index > 0 && at != NULL; index--) {
		at = strchr(at + (*at == ' '), ' ');
	}
	return at;
}

/* Whether of all the process's threads only helpers run. Where the host does not tell, others do. */
static bool is_alone(void)
{
	char line[512] = "";
	int fd = kmem_host_file_open("/proc/self/stat");
	const char *state;
	const char *threads;

	if (fd < 0) {
		return false;
	}
	(void)syscall(SYS_pread64, fd, line, sizeof(line) - 1, 0);
	kmem_host_file_close(fd);
	state = field(line, STAT_STATE - 1);
	threads = field(line, STAT_THREADS - 1);
	return state != NULL && threads != NULL && state[1] == 'Z' &&
	       strtoul(threads, NULL, 10) == 1 + atomic_load(&helpers.running);
}

static bool is_to_look(const struct kmem_helper *helper)
{
	return helper->period_ms != 0 || !atomic_load(&helpers.is_told) || atomic_load(&helpers.has_main_ended);
}

/* Sleep until the time, if there is one, but not past a wake that was not seen. */
static void doze(struct kmem_helper *helper, uint32_t seen, uint64_t now, uint64_t next)
{
	uint64_t ns = helper->period_ms != 0 && next - now < LOOK_MS * NS_PER_MS ? next - now : LOOK_MS * NS_PER_MS;
	struct timespec left = {.tv_sec = (time_t)(ns / (1000 * NS_PER_MS)), .tv_nsec = (long)(ns % (1000 * NS_PER_MS))};

	futex(&helper->wakes, FUTEX_WAIT_PRIVATE, seen, is_to_look(helper) ? &left : NULL);
}

static bool is_wanted(const struct kmem_helper *helper, uintptr_t serial)
{
	return atomic_load(&helper->serial) == serial && !(is_to_look(helper) && is_alone());
}

/* What a new thread is told; its maker waits until it has begun. */
struct begin {
	struct kmem_helper *helper;
	uintptr_t serial;
	uint32_t wakes; /* that it need not answer */
};

static void work(struct kmem_helper *helper, uintptr_t serial, uint32_t seen)
{
	uint64_t next = kmem_clock_ns() + helper->period_ms * NS_PER_MS;

	while (is_wanted(helper, serial)) {
		uint32_t wakes = atomic_load(&helper->wakes);
		uint64_t now = kmem_clock_ns();
		bool is_due = helper->period_ms != 0 && now >= next;

		if (!is_due && wakes == seen) {
			doze(helper, seen, now, next);
			continue;
		}
		seen = wakes;
		next += is_due ? helper->period_ms * NS_PER_MS : 0;
		if (!helper->tick()) {
			return;
		}
	}
}

static void *helper_main(void *arg)
{
	const struct begin begin = *(const struct begin *)arg;

	atomic_store(&begin.helper->thread, kmem_thread_id());
	work(begin.helper, begin.serial, begin.wakes);
	(void)atomic_fetch_sub(&helpers.running, 1);
	return NULL;
}

static void list_add(struct kmem_helper *helper)
{
	if (!helper->is_listed) {
		helper->is_listed = true;
		helper->next = atomic_load(&helpers.first);
		while (!atomic_compare_exchange_weak(&helpers.first, &helper->next, helper)) {
		}
	}
}

/*
 * Room for a report, whose text is on the stack, and for the C library's own data of a thread. It is our own memory: what the C library
 * makes for a thread it keeps for the next one. ThreadSanitizer's data of a thread, which take more, are there as well.
 */
#ifdef __SANITIZE_THREAD__
#define STACK_SIZE (2UL * 1024 * 1024)
#else
#define STACK_SIZE (256UL * 1024)
#endif

static size_t guard_size(void)
{
	return kmem_host_page_size();
}

static int stack_get(void **stack)
{
	int ret = kmem_host_memory_get(stack, guard_size() + STACK_SIZE);

	if (ret != 0) {
		return ret;
	}
	ret = kmem_host_range_protect((uintptr_t)*stack, guard_size(), KMEM_PROT_NONE);
	if (ret != 0) {
		kmem_host_memory_free(*stack, guard_size() + STACK_SIZE);
	}
	return ret;
}

static void stack_free(struct kmem_helper *helper)
{
	if (helper->stack != NULL) {
		kmem_host_memory_free(helper->stack, guard_size() + STACK_SIZE);
		helper->stack = NULL;
	}
}

static int thread_make(struct kmem_helper *helper, struct begin *begin)
{
	pthread_attr_t attributes;
	kmem_sigmask saved;
	int ret;

	ret = pthread_attr_init(&attributes);
	if (ret != 0) {
		return -ret;
	}
	(void)pthread_attr_setstack(&attributes, (char *)helper->stack + guard_size(), STACK_SIZE);
	/* The thread inherits the mask. */
	kmem_signals_block(&saved);
	ret = pthread_create(&helper->handle, &attributes, helper_main, begin);
	kmem_signals_restore(&saved);
	(void)pthread_attr_destroy(&attributes);
	return -ret;
}

int kmem_helper_start(struct kmem_helper *helper)
{
	struct begin begin = {.helper = helper};
	int ret;

	kmem_helper_stop(helper);
	list_add(helper);
	ret = stack_get(&helper->stack);
	if (ret != 0) {
		helper->stack = NULL;
		return ret;
	}
	begin.wakes = atomic_load(&helper->wakes);
	begin.serial = atomic_fetch_add(&helper->serial, 1) + 1;
	(void)atomic_fetch_add(&helpers.running, 1);
	ret = thread_make(helper, &begin);
	if (ret != 0) {
		(void)atomic_fetch_sub(&helpers.running, 1);
		stack_free(helper);
		return ret;
	}
	while (atomic_load(&helper->thread) == 0) {
		kmem_thread_yield();
	}
	return 0;
}

void kmem_helper_wake(struct kmem_helper *helper)
{
	int saved = errno;

	(void)atomic_fetch_add(&helper->wakes, 1);
	futex(&helper->wakes, FUTEX_WAKE_PRIVATE, INT_MAX, NULL);
	errno = saved;
}

uint32_t kmem_helper_thread(const struct kmem_helper *helper)
{
	return atomic_load(&helper->thread);
}

void kmem_helper_stop(struct kmem_helper *helper)
{
	int former;

	(void)atomic_fetch_add(&helper->serial, 1);
	kmem_helper_wake(helper);
	if (atomic_load(&helper->thread) == kmem_thread_id()) {
		return; /* the last thread of a process: exit() runs in it */
	}
	if (helper->stack != NULL) {
		/* Whoever stops it may be cancelled, later. */
		(void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &former);
		(void)pthread_join(helper->handle, NULL);
		(void)pthread_setcancelstate(former, NULL);
	}
	stack_free(helper);
	atomic_store(&helper->thread, 0);
}

/* The calling thread is the main thread. */
static void main_mark(void)
{
	atomic_store(&helpers.is_told, helpers.has_key && pthread_setspecific(helpers.key, &helpers) == 0);
	atomic_store(&helpers.has_main_ended, false);
}

void kmem_helper_forked(struct kmem_helper *helper)
{
	stack_free(helper);
	atomic_store(&helper->thread, 0);
	atomic_store(&helpers.running, 0);
	main_mark();
}

static void main_end(void *value)
{
	(void)value;
	atomic_store(&helpers.has_main_ended, true);
	for (struct kmem_helper *helper = atomic_load(&helpers.first); helper != NULL; helper = helper->next) {
		kmem_helper_wake(helper);
	}
}

__attribute__((constructor(101))) static void key_create(void)
{
	helpers.has_key = pthread_key_create(&helpers.key, main_end) == 0;
	if (kmem_thread_is_main()) {
		main_mark();
	}
}

__attribute__((destructor)) static void key_delete(void)
{
	if (helpers.has_key) {
		atomic_store(&helpers.is_told, false);
		(void)pthread_key_delete(helpers.key);
	}
}
