/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thread of the library's own, for work at an interval.
 *
 * A process ends by itself when its last thread does. With this thread it would not, so the thread looks now and then whether any other is
 * left, and ends if not: the C library then does what it does for a last thread. The main thread, where it has ended before others,
 * stays in the host's count as a zombie.
 */
#include "host/helper.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "host/clock.h"
#include "host/file.h"
#include "host/lock.h"
#include "host/signals.h"
#include "host/thread.h"

/* How often to look for other threads. */
#define LOOK_MS 200U

#define NS_PER_MS 1000000UL

static struct {
	_Atomic unsigned int period_ms;
	bool (*_Atomic tick)(void);
	_Atomic uint32_t thread;  /* 0: none, or not begun */
	_Atomic uintptr_t serial; /* of the thread that is wanted; others end */
	struct kmem_lock lock;    /* held over a tick; outside all others */
} helper;

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

/* Whether no other thread of the process runs. Where the host does not tell, others do. */
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
	return state != NULL && threads != NULL && state[1] == 'Z' && strncmp(threads, " 2 ", 3) == 0;
}

static void doze(uint64_t ns)
{
	struct timespec left = {.tv_sec = (time_t)(ns / (1000 * NS_PER_MS)), .tv_nsec = (long)(ns % (1000 * NS_PER_MS))};

	(void)syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &left, NULL);
}

/* Once, unless the thread is not wanted any more: false then, and when it is to end. */
static bool tick_call(uintptr_t serial)
{
	bool goes_on;

	kmem_lock_acquire_outer(&helper.lock);
	goes_on = atomic_load(&helper.serial) == serial && helper.tick();
	kmem_lock_release_outer(&helper.lock);
	return goes_on;
}

static void *helper_main(void *arg)
{
	const uintptr_t serial = (uintptr_t)arg;
	uint64_t next = kmem_clock_ns();

	atomic_store(&helper.thread, kmem_thread_id());
	for (;;) {
		uint64_t now;

		next += helper.period_ms * NS_PER_MS;
		while ((now = kmem_clock_ns()) < next) {
			doze(next - now < LOOK_MS * NS_PER_MS ? next - now : LOOK_MS * NS_PER_MS);
			if (is_alone() || atomic_load(&helper.serial) != serial) {
				return NULL;
			}
		}
		if (!tick_call(serial)) {
			return NULL;
		}
	}
}

/* Room for a report, whose text is on the stack, and for the C library's own data of a thread. */
#define STACK_SIZE (256UL * 1024)

int kmem_helper_start(unsigned int period_ms, bool (*tick)(void))
{
	pthread_attr_t attributes;
	kmem_sigmask saved;
	pthread_t thread;
	int ret;

	helper.period_ms = period_ms;
	helper.tick = tick;
	helper.thread = 0;
	ret = pthread_attr_init(&attributes);
	if (ret != 0) {
		return -ret;
	}
	(void)pthread_attr_setstacksize(&attributes, STACK_SIZE);
	(void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	/* The thread inherits the mask. */
	kmem_signals_block(&saved);
	ret = pthread_create(&thread, &attributes, helper_main, (void *)(atomic_fetch_add(&helper.serial, 1) + 1));
	kmem_signals_restore(&saved);
	(void)pthread_attr_destroy(&attributes);
	while (ret == 0 && atomic_load(&helper.thread) == 0) {
		kmem_thread_yield();
	}
	return -ret;
}

uint32_t kmem_helper_thread(void)
{
	return atomic_load(&helper.thread);
}

void kmem_helper_stop(void)
{
	(void)atomic_fetch_add(&helper.serial, 1);
	kmem_lock_acquire_outer(&helper.lock);
	kmem_lock_release_outer(&helper.lock);
}

void kmem_helper_forked(void)
{
	helper.lock = (struct kmem_lock){.word = 0};
}
