/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System calls that wait, on heap memory that is out, and are interrupted: by handlers, with and without SA_RESTART, by siglongjmp(), by
 * cancellation, by the end of the process's patience (timeouts). What they leave behind is looked at as well.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "prog.h"

#define KIB 1024UL
#define MIB (1024UL * KIB)
#define JUMPS 10000

/* When a signal comes: long enough for the call that it shall interrupt to be waiting by then, on a busy machine too. */
#define SOON_US 250000L

static volatile unsigned char *ballast;
static volatile sig_atomic_t handled;
static unsigned char *touched; /* by handlers */
static struct itimerval *timer;
static sigjmp_buf out;
static int ends[2];

static void evict(void)
{
	(void)walk_over(ballast, 3 * MIB);
}

/* Sends a byte to the pipe, so that who reads on has something. */
static void handler_feed(int signo)
{
	int saved = errno;

	(void)signo;
	touched[handled * PAGE]++;
	handled++;
	(void)write(ends[1], touched + 5 * PAGE, 3);
	errno = saved;
}

static void handler_count(int signo)
{
	(void)signo;
	touched[3 * PAGE]++;
	handled++;
}

static void handler_jump(int signo)
{
	(void)signo;
	siglongjmp(out, 1);
}

static void handle(int signo, void (*handler)(int), int flags)
{
	struct sigaction *action = calloc(1, sizeof(*action));

	action->sa_handler = handler;
	action->sa_flags = flags;
	(void)sigaction(signo, action, NULL);
	free(action);
}

/* Nothing is allocated or freed here: a handler may jump out. */
static void timer_start(long microseconds)
{
	timer->it_value.tv_usec = microseconds;
	(void)setitimer(ITIMER_REAL, timer, NULL);
}

static void test_handlers(void)
{
	unsigned char *buffer = malloc(100 * KIB);
	struct timespec *limit = calloc(2, sizeof(*limit));
	struct pollfd *fds = calloc(1, sizeof(*fds));

	(void)pipe(ends);
	handle(SIGALRM, handler_feed, SA_RESTART);
	evict();
	timer_start(SOON_US);
	say("read restarted", read(ends[0], buffer, 100 * KIB));
	handle(SIGALRM, handler_count, 0);
	evict();
	timer_start(SOON_US);
	say("read interrupted", read(ends[0], buffer, 100 * KIB));
	evict();
	timer_start(SOON_US);
	fds->fd = ends[0];
	fds->events = POLLIN;
	say("poll interrupted", poll(fds, 1, 5000));
	evict();
	timer_start(SOON_US);
	limit[0].tv_sec = 5;
	say("nanosleep interrupted", nanosleep(&limit[0], &limit[1]));
	printf("%s\n", limit[1].tv_sec == 4 && limit[1].tv_nsec > 0 ? "time left" : "no time left");
	handle(SIGALRM, handler_count, SA_RESTART);
	evict();
	timer_start(SOON_US);
	limit[0] = (struct timespec){.tv_nsec = 2 * SOON_US * 1000};
	say("nanosleep is never restarted", nanosleep(&limit[0], NULL));
	printf("handled: %d\n", (int)handled);
	close(ends[0]);
	close(ends[1]);
	free(fds);
	free(limit);
	free(buffer);
}

/* A write that has written something, and waits, when a handler runs. */
static void test_write(void)
{
	unsigned char *data = calloc(1, 1 * MIB);

	(void)pipe(ends);
	for (int restart = 0; restart < 2; restart++) {
		handle(SIGALRM, handler_count, restart != 0 ? SA_RESTART : 0);
		evict();
		timer_start(SOON_US);
		say("write to a pipe that fills", write(ends[1], data, 1 * MIB));
		(void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
		say("read", read(ends[0], data, 1 * MIB));
	}
	close(ends[0]);
	close(ends[1]);
	free(data);
}

/* Pages of the address space, less what the process began with. */
static long address_space(void)
{
	long pages = 0;
	FILE *file = fopen("/proc/self/statm", "r");

	if (file != NULL) {
		(void)fscanf(file, "%ld", &pages);
		fclose(file);
	}
	return pages;
}

static void jump_out(unsigned char *buffer, size_t size)
{
	if (sigsetjmp(out, 1) == 0) {
		timer_start(100);
		(void)read(ends[0], buffer, size);
		puts("read returns");
	}
}

/* Many calls are left, of small buffers and of some that are too large for a stack. */
static void test_jumps(void)
{
	unsigned char *buffer = malloc(300 * KIB);
	long before;
	long after;

	(void)socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends);
	handle(SIGALRM, handler_jump, 0);
	evict();
	for (int i = 0; i < 100; i++) {
		jump_out(buffer, 300 * KIB);
	}
	before = address_space();
	for (int i = 0; i < JUMPS; i++) {
		jump_out(buffer + (size_t)(i % 70) * PAGE, i % 10 == 0 ? 280 * KIB - (size_t)(i % 70) * PAGE : 100);
	}
	after = address_space();
	/* One block may be there and not there; ten thousand may not. */
	printf("jumps: %s\n", after - before < (long)(2 * MIB / PAGE) ? "nothing stays" : "memory stays");
	handle(SIGALRM, SIG_DFL, 0);
	say("send", send(ends[1], buffer, 100, 0));
	say("recv", recv(ends[0], buffer, 300 * KIB, 0));
	close(ends[0]);
	close(ends[1]);
	free(buffer);
}

enum wait {
	WAIT_READ,
	WAIT_READ_LARGE,
	WAIT_RECV,
	WAIT_ACCEPT,
	WAIT_POLL,
	WAIT_SELECT,
	WAIT_SLEEP,
	WAIT_CONDITION,
	WAIT_SEMAPHORE,
	WAIT_JOIN,
	WAITS,
};

static const char *const names[WAITS] = {
	"read", "large read", "recv", "accept", "poll", "select", "sleep", "condition", "semaphore", "join",
};

struct waiter {
	enum wait wait;
	int fd;
	unsigned int cleaned;
	pthread_mutex_t mutex;
	pthread_cond_t condition;
	sem_t semaphore;
	pthread_t other;
};

static void clean(void *arg)
{
	struct waiter *waiter = arg;

	waiter->cleaned++;
	if (waiter->wait == WAIT_CONDITION) {
		/* Locked again, as the standard has it. */
		waiter->cleaned += pthread_mutex_trylock(&waiter->mutex) == EBUSY ? 1 : 0;
		(void)pthread_mutex_unlock(&waiter->mutex);
	}
}

static void *sleep_long(void *arg)
{
	(void)arg;
	(void)sleep(100);
	return NULL;
}

static void wait_for(struct waiter *waiter, unsigned char *buffer)
{
	struct pollfd *fds = (void *)buffer;
	struct timespec *limit = (void *)(buffer + PAGE);
	socklen_t *size = (void *)(buffer + 2 * PAGE);

	switch (waiter->wait) {
	case WAIT_READ:
		(void)read(waiter->fd, buffer, 100);
		break;
	case WAIT_READ_LARGE:
		(void)read(waiter->fd, buffer, 200 * KIB);
		break;
	case WAIT_RECV:
		(void)recv(waiter->fd, buffer, 200 * KIB, 0);
		break;
	case WAIT_ACCEPT:
		*size = sizeof(struct sockaddr_un);
		(void)accept(waiter->fd, (struct sockaddr *)(void *)buffer, size);
		break;
	case WAIT_POLL:
		*fds = (struct pollfd){.fd = waiter->fd, .events = POLLIN};
		(void)poll(fds, 1, -1);
		break;
	case WAIT_SELECT:
		memset(buffer, 0, sizeof(fd_set));
		FD_SET(waiter->fd, (fd_set *)(void *)buffer);
		(void)select(waiter->fd + 1, (fd_set *)(void *)buffer, NULL, NULL, NULL);
		break;
	case WAIT_SLEEP:
		limit->tv_sec = 100;
		(void)nanosleep(limit, limit);
		break;
	case WAIT_CONDITION:
		(void)pthread_mutex_lock(&waiter->mutex);
		for (;;) {
			(void)pthread_cond_wait(&waiter->condition, &waiter->mutex);
		}
	case WAIT_SEMAPHORE:
		(void)sem_wait(&waiter->semaphore);
		break;
	default:
		(void)pthread_join(waiter->other, NULL);
		break;
	}
}

static void *wait_in_thread(void *arg)
{
	struct waiter *waiter = arg;
	unsigned char *buffer = calloc(1, 200 * KIB);

	pthread_cleanup_push(clean, waiter);
	pthread_cleanup_push(free, buffer);
	wait_for(waiter, buffer);
	pthread_cleanup_pop(1);
	pthread_cleanup_pop(0);
	return NULL;
}

static void cancel_one(struct waiter *waiter)
{
	pthread_t thread;
	void *result = NULL;

	(void)pthread_create(&thread, NULL, wait_in_thread, waiter);
	(void)usleep(20000);
	evict();
	(void)pthread_cancel(thread);
	(void)pthread_join(thread, &result);
	printf("%s: %s, ", names[waiter->wait], result == PTHREAD_CANCELED ? "cancelled" : "returned");
	printf("cleaned %u\n", waiter->cleaned);
}

static int listener_make(void)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	/* Without a name it is given one of the abstract ones. */
	(void)bind(fd, (struct sockaddr *)&name, sizeof(sa_family_t));
	(void)listen(fd, 1);
	return fd;
}

static void test_cancel(void)
{
	int listener = listener_make();

	(void)socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends);
	for (int wait = 0; wait < WAITS; wait++) {
		struct waiter *waiter = calloc(1, sizeof(*waiter));

		waiter->wait = (enum wait)wait;
		waiter->fd = wait == WAIT_ACCEPT ? listener : ends[0];
		(void)pthread_mutex_init(&waiter->mutex, NULL);
		(void)pthread_cond_init(&waiter->condition, NULL);
		(void)sem_init(&waiter->semaphore, 0, 0);
		if (wait == WAIT_JOIN) {
			(void)pthread_create(&waiter->other, NULL, sleep_long, NULL);
		}
		cancel_one(waiter);
		if (wait == WAIT_JOIN) {
			(void)pthread_cancel(waiter->other);
			(void)pthread_join(waiter->other, NULL);
		}
		free(waiter);
	}
	close(listener);
	close(ends[0]);
	close(ends[1]);
}

/* A child that has gone, with its status and usage on the heap, and a child that is waited for in vain. */
static void test_children(void)
{
	int *status = malloc(sizeof(*status));
	siginfo_t *info = calloc(1, sizeof(*info));
	sigset_t *set = malloc(sizeof(*set));
	pid_t child = fork();

	if (child == 0) {
		_exit(7);
	}
	evict();
	say("waitid", waitid(P_PID, (id_t)child, info, WEXITED | WNOWAIT));
	printf("%d\n", info->si_status);
	evict();
	say("waitpid", waitpid(child, status, 0) - child);
	printf("%d\n", WEXITSTATUS(*status));
	say("waitpid again", waitpid(-1, status, 0));
	(void)sigemptyset(set);
	(void)sigaddset(set, SIGUSR1);
	evict();
	say("sigprocmask", sigprocmask(SIG_BLOCK, set, NULL));
	(void)raise(SIGUSR1);
	evict();
	say("sigwaitinfo", sigwaitinfo(set, info));
	printf("%d\n", info->si_signo == SIGUSR1 ? 1 : 0);
	free(set);
	free(info);
	free(status);
}

int main(void)
{
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	ballast = calloc(1, 3 * MIB);
	touched = calloc(8, PAGE);
	timer = calloc(1, sizeof(*timer));
	test_handlers();
	test_write();
	test_jumps();
	test_cancel();
	test_children();
	return 0;
}
