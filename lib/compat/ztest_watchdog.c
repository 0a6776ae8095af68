/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A clock that runs beside the tests, for the case that the runner is stuck with them: in setup(), or in aborting a
 * thread that holds what it needs. (our own)
 *
 * A host thread that is no k_thread, takes no signals and sleeps. When time is up it calls the function with the mutex
 * held, so that who comes to disarm it waits: the function ends the process.
 */
#include "ztest_internal.h"

#include <pthread.h>
#include <signal.h>
#include <time.h>

static struct {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	bool is_running;
	bool is_ending;
	bool has_clock;
	uint64_t deadline; /* 0: disarmed */
	void (*expired)(void);
	pthread_t thread;
} watchdog = {.mutex = PTHREAD_MUTEX_INITIALIZER};

#define NS_PER_S 1000000000U

uint64_t kmem_ztest_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static void *watch(void *unused)
{
	(void)unused;
	pthread_mutex_lock(&watchdog.mutex);
	while (!watchdog.is_ending) {
		if (watchdog.deadline == 0) {
			pthread_cond_wait(&watchdog.changed, &watchdog.mutex);
		} else if (kmem_ztest_now() >= watchdog.deadline) {
			watchdog.deadline = 0;
			watchdog.expired();
		} else {
			struct timespec until = {
				.tv_sec = (time_t)(watchdog.deadline / NS_PER_S),
				.tv_nsec = (long)(watchdog.deadline % NS_PER_S),
			};

			pthread_cond_timedwait(&watchdog.changed, &watchdog.mutex, &until);
		}
	}
	pthread_mutex_unlock(&watchdog.mutex);
	return NULL;
}

/* Without a thread there is no watchdog: the tests go on. The mutex is held. */
static void start_locked(void)
{
	sigset_t all;
	sigset_t before;

	if (!watchdog.has_clock) {
		pthread_condattr_t attributes;

		pthread_condattr_init(&attributes);
		pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
		pthread_cond_init(&watchdog.changed, &attributes);
		pthread_condattr_destroy(&attributes);
		watchdog.has_clock = true;
	}
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	watchdog.is_ending = false;
	watchdog.is_running = pthread_create(&watchdog.thread, NULL, watch, NULL) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void kmem_ztest_watchdog_arm(uint64_t ns, void (*expired)(void))
{
	pthread_mutex_lock(&watchdog.mutex);
	watchdog.deadline = kmem_ztest_now() + ns;
	watchdog.expired = expired;
	if (!watchdog.is_running) {
		start_locked();
	}
	if (watchdog.is_running) {
		pthread_cond_signal(&watchdog.changed);
	}
	pthread_mutex_unlock(&watchdog.mutex);
}

void kmem_ztest_watchdog_disarm(void)
{
	pthread_mutex_lock(&watchdog.mutex);
	watchdog.deadline = 0;
	pthread_mutex_unlock(&watchdog.mutex);
}

void kmem_ztest_watchdog_stop(void)
{
	pthread_mutex_lock(&watchdog.mutex);
	bool was_running = watchdog.is_running;

	watchdog.is_running = false;
	watchdog.is_ending = true;
	if (was_running) {
		pthread_cond_signal(&watchdog.changed);
	}
	pthread_mutex_unlock(&watchdog.mutex);
	if (was_running) {
		pthread_join(watchdog.thread, NULL);
	}
}
