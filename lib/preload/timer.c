/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timer_create() with SIGEV_THREAD: timers whose expirations are calls of a function in a thread.
 *
 * The C library has a thread of its own for these, which it makes past pthread_create() and in which every signal is blocked for good;
 * it reads what it has allocated, and could not be served a page. So these timers are made here: the host's timer sends a signal
 * of the C library's own to a thread that can trap, and that makes the threads. Timers of any other kind, and everything but
 * creating and deleting, are the C library's: a timer's id is the host's.
 *
 * One lock around the list of timers; nothing but the list is touched under it. In the child of a fork there are no timers, and
 * all begins anew with the first.
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "host/annotate.h"
#include "host/signals.h"
#include "preload/next.h"

#define EXPORT __attribute__((visibility("default")))

/* The C library keeps it for this and for cancellation, which nobody asks of the thread here. */
#define SIGNO 32

typedef void (*notify_function)(union sigval value);

struct timer {
	struct timer *next;
	timer_t id;
	notify_function function;
	union sigval value;
	size_t stack_size; /* of its threads; 0: the default */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct timer *timers; /* guarded by the lock */

/* The thread, and the process that it is in. Guarded by the lock. */
static struct {
	pid_t pid;
	pid_t tid;
} server;

static sem_t is_serving;

struct expiration {
	notify_function function;
	union sigval value;
};

/* The function is called with all signals blocked that a program can block, as in a thread of the C library's. */
KMEM_CALLBACK static void *expiration_main(void *arg)
{
	const kmem_sigmask mask = ~((kmem_sigmask)3 << (SIGNO - 1));
	struct expiration expiration = *(struct expiration *)arg;

	free(arg);
	(void)kmem_signals_mask(SIG_SETMASK, &mask, NULL);
	expiration.function(expiration.value);
	KMEM_CALLBACK_END;
	return NULL;
}

/* Call a timer's function. What cannot be had is left out, as the C library does. */
static void expire(const struct timer *timer)
{
	struct expiration *expiration = malloc(sizeof(*expiration));
	pthread_attr_t attr;
	pthread_t thread;

	if (expiration == NULL) {
		return;
	}
	*expiration = (struct expiration){.function = timer->function, .value = timer->value};
	(void)pthread_attr_init(&attr);
	(void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	if (timer->stack_size != 0) {
		(void)pthread_attr_setstacksize(&attr, timer->stack_size);
	}
	if (pthread_create(&thread, &attr, expiration_main, expiration) != 0) {
		free(expiration);
	}
	(void)pthread_attr_destroy(&attr);
}

/* A copy of a timer, if it has not been deleted meanwhile. */
static bool timer_find(const struct timer *wanted, struct timer *copy)
{
	const struct timer *timer;

	(void)pthread_mutex_lock(&lock);
	timer = timers;
	while (timer != NULL && timer != wanted) {
		timer = timer->next;
	}
	if (timer != NULL) {
		*copy = *timer;
	}
	(void)pthread_mutex_unlock(&lock);
	return timer != NULL;
}

static void *serve(void *arg)
{
	const kmem_sigmask all = ~(kmem_sigmask)0;
	const kmem_sigmask ours = (kmem_sigmask)1 << (SIGNO - 1);

	(void)kmem_signals_mask(SIG_SETMASK, &all, NULL);
	server.tid = (pid_t)syscall(SYS_gettid);
	(void)sem_post(&is_serving);
	for (;;) {
		struct timer timer;
		siginfo_t info;

		if (syscall(SYS_rt_sigtimedwait, &ours, &info, NULL, sizeof(ours)) == SIGNO && info.si_code == SI_TIMER &&
		    timer_find(info.si_value.sival_ptr, &timer)) {
			expire(&timer);
		}
	}
	return arg;
}

/* Have the thread running. Lock held. */
static int server_start(void)
{
	pthread_attr_t attr;
	pthread_t thread;
	int ret;

	if (server.pid == getpid()) {
		return 0;
	}
	if (sem_init(&is_serving, 0, 0) != 0) {
		return -EAGAIN;
	}
	(void)pthread_attr_init(&attr);
	(void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	ret = pthread_create(&thread, &attr, serve, NULL);
	(void)pthread_attr_destroy(&attr);
	if (ret != 0) {
		return -EAGAIN;
	}
	while (sem_wait(&is_serving) != 0) {
	}
	server.pid = getpid();
	return 0;
}

static size_t stack_size_of(const struct sigevent *event)
{
	size_t size = 0;

	if (event->sigev_notify_attributes != NULL) {
		(void)pthread_attr_getstacksize(event->sigev_notify_attributes, &size);
	}
	return size;
}

/* Make a timer and put it in the list. Lock held. */
static int timer_add(clockid_t clock, struct timer *timer)
{
	__typeof__(&timer_create) next = KMEM_NEXT(timer_create);
	struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGNO, .sigev_value.sival_ptr = timer};
	int ret = server_start();

	if (ret != 0) {
		return ret;
	}
	event._sigev_un._tid = server.tid;
	if (next(clock, &event, &timer->id) != 0) {
		return -errno;
	}
	timer->next = timers;
	timers = timer;
	return 0;
}

EXPORT int timer_create(clockid_t clock, struct sigevent *event, timer_t *id)
{
	struct timer *timer;
	int ret;

	if (event == NULL || event->sigev_notify != SIGEV_THREAD) {
		return KMEM_NEXT(timer_create)(clock, event, id);
	}
	timer = malloc(sizeof(*timer));
	if (timer == NULL) {
		errno = EAGAIN;
		return -1;
	}
	*timer = (struct timer){
		.function = event->sigev_notify_function,
		.value = event->sigev_value,
		.stack_size = stack_size_of(event),
	};
	/* In the child of a fork another thread's lock is nobody's. */
	if (server.pid != 0 && server.pid != getpid()) {
		(void)pthread_mutex_init(&lock, NULL);
		timers = NULL;
		server.pid = 0;
	}
	(void)pthread_mutex_lock(&lock);
	ret = timer_add(clock, timer);
	(void)pthread_mutex_unlock(&lock);
	if (ret != 0) {
		free(timer);
		errno = -ret;
		return -1;
	}
	*id = timer->id;
	return 0;
}

/* The timer with this id, out of the list; NULL if it is none of ours. */
static struct timer *timer_remove(timer_t id)
{
	struct timer **link = &timers;
	struct timer *timer;

	(void)pthread_mutex_lock(&lock);
	while (*link != NULL && (*link)->id != id) {
		link = &(*link)->next;
	}
	timer = *link;
	if (timer != NULL) {
		*link = timer->next;
	}
	(void)pthread_mutex_unlock(&lock);
	return timer;
}

EXPORT int timer_delete(timer_t id)
{
	int ret = KMEM_NEXT(timer_delete)(id);

	if (ret == 0 && server.pid == getpid()) {
		free(timer_remove(id));
	}
	return ret;
}
