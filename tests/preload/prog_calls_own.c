/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System calls with a way of their own, on heap memory that is out: masks and handlers by number, other processes' memory, pages given to
 * pipes, names of threads, locks on files, and what depends on a command.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "prog.h"

#define KIB 1024UL
#define MIB (1024UL * KIB)

static volatile unsigned char *ballast;
static volatile sig_atomic_t handled;

static void evict(void)
{
	(void)walk_over(ballast, 3 * MIB);
}

/* Touches a page that is out. */
static void handler(int signo)
{
	(void)signo;
	ballast[0]++;
	handled++;
}

/* A call that no library sees. */
static long direct(long nr, const void *a, uint64_t b, const void *c, const void *d, uint64_t e)
{
	long result;
	register const void *r10 __asm__("r10") = d;
	register uint64_t r8 __asm__("r8") = e;

	__asm__ volatile("syscall" : "=a"(result) : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8) : "rcx", "r11", "memory");
	if (result < 0) {
		errno = (int)-result;
		return -1;
	}
	return result;
}

/* Masks that the handler's return must not undo, and masks with all signals for the time of a call. */
static void test_direct(void)
{
	uint64_t *mask = malloc(sizeof(*mask));
	uint64_t *old = malloc(sizeof(*old));
	struct timespec *limit = calloc(1, sizeof(*limit));
	stack_t *stack = calloc(1, sizeof(*stack));

	handled = 0;
	*mask = 1UL << (SIGUSR1 - 1);
	evict();
	say("block", direct(SYS_rt_sigprocmask, (void *)SIG_BLOCK, (uint64_t)(uintptr_t)mask, old, (void *)8, 0));
	(void)raise(SIGUSR1);
	printf("handled %d\n", (int)handled);
	*mask = ~(1UL << (SIGUSR1 - 1));
	evict();
	say("suspend", direct(SYS_rt_sigsuspend, mask, 8, NULL, NULL, 0));
	printf("handled %d\n", (int)handled);
	(void)raise(SIGUSR1);
	limit->tv_sec = 5;
	evict();
	say("ppoll", direct(SYS_ppoll, NULL, 0, limit, mask, 8));
	printf("handled %d, %s\n", (int)handled, limit->tv_sec == 4 ? "time left" : "no time left");
	evict();
	say("show", direct(SYS_rt_sigprocmask, (void *)SIG_BLOCK, 0, old, (void *)8, 0));
	printf("%lx\n", (unsigned long)*old);
	*mask = 0;
	say("unblock", direct(SYS_rt_sigprocmask, (void *)SIG_SETMASK, (uint64_t)(uintptr_t)mask, old, (void *)8, 0));
	stack->ss_sp = malloc(64 * KIB);
	stack->ss_size = 64 * KIB;
	evict();
	say("alternate stack", direct(SYS_sigaltstack, stack, 0, NULL, NULL, 0));
	evict();
	memset(stack, 0, sizeof(*stack));
	say("alternate stack", direct(SYS_sigaltstack, NULL, (uint64_t)(uintptr_t)stack, NULL, NULL, 0));
	printf("%zu\n", stack->ss_size);
	free(stack->ss_sp);
	stack->ss_flags = SS_DISABLE;
	say("alternate stack", direct(SYS_sigaltstack, stack, 0, NULL, NULL, 0));
	free(stack);
	free(limit);
	free(old);
	free(mask);
}

static void test_masks(void)
{
	sigset_t *set = malloc(sizeof(*set));
	sigset_t *old = malloc(sizeof(*old));
	struct sigaction *action = calloc(1, sizeof(*action));
	struct timespec *limit = calloc(1, sizeof(*limit));
	struct pollfd *fds = calloc(1, sizeof(*fds));
	struct epoll_event *event = calloc(1, sizeof(*event));
	stack_t *stack = calloc(1, sizeof(*stack));
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	action->sa_handler = handler;
	evict();
	say("sigaction", sigaction(SIGUSR1, action, NULL));
	(void)sigfillset(set);
	evict();
	say("sigprocmask by number", syscall(SYS_rt_sigprocmask, SIG_SETMASK, set, old, 8UL));
	printf("%d %d\n", sigismember(old, SIGUSR1), sigismember(old, SIGSEGV));
	evict();
	say("again", syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, old, 8UL));
	printf("%d %d %d\n", sigismember(old, SIGUSR1), sigismember(old, SIGSEGV), sigismember(old, SIGSYS));
	(void)raise(SIGUSR1);
	evict();
	say("sigpending", sigpending(old));
	printf("%d %d, handled %d\n", sigismember(old, SIGUSR1), sigismember(old, SIGUSR2), (int)handled);
	(void)sigdelset(set, SIGUSR1);
	evict();
	say("sigsuspend", sigsuspend(set));
	printf("handled %d\n", (int)handled);
	(void)raise(SIGUSR1);
	evict();
	limit->tv_sec = 5;
	say("ppoll", ppoll(fds, 0, limit, set));
	(void)raise(SIGUSR1);
	evict();
	say("pselect", pselect(0, NULL, NULL, NULL, limit, set));
	(void)raise(SIGUSR1);
	evict();
	say("epoll_pwait", epoll_pwait(epoll, event, 1, 5000, set));
	printf("handled %d\n", (int)handled);
	(void)sigaddset(set, SIGUSR1);
	limit->tv_sec = 0;
	evict();
	say("sigtimedwait", sigtimedwait(set, NULL, limit));
	(void)sigemptyset(set);
	say("sigprocmask", sigprocmask(SIG_SETMASK, set, NULL));
	stack->ss_sp = malloc(64 * KIB);
	stack->ss_size = 64 * KIB;
	evict();
	say("sigaltstack", sigaltstack(stack, NULL));
	memset(stack, 0, sizeof(*stack));
	evict();
	say("sigaltstack", sigaltstack(NULL, stack));
	printf("%zu\n", stack->ss_size);
	free(stack->ss_sp);
	stack->ss_flags = SS_DISABLE;
	say("sigaltstack", sigaltstack(stack, NULL));
	close(epoll);
	free(stack);
	free(event);
	free(fds);
	free(limit);
	free(action);
	free(old);
	free(set);
}

static void test_processes(void)
{
	char *from = malloc(300 * KIB);
	char *to = calloc(1, 300 * KIB);
	struct iovec *local = calloc(2, sizeof(*local));
	struct iovec *remote = calloc(2, sizeof(*remote));
	int *status = malloc(sizeof(*status));
	char *name = calloc(1, 20);
	pid_t child;

	memset(from, 'a', 300 * KIB);
	local[0] = (struct iovec){to, 100 * KIB};
	local[1] = (struct iovec){to + 100 * KIB, 200 * KIB};
	remote[0] = (struct iovec){from, 300 * KIB};
	evict();
	say("process_vm_readv", process_vm_readv(getpid(), local, 2, remote, 1, 0));
	printf("%s\n", memcmp(from, to, 300 * KIB) == 0 ? "same" : "different");
	memset(to, 'b', 300 * KIB);
	evict();
	say("process_vm_writev", process_vm_writev(getpid(), local, 2, remote, 1, 0));
	printf("%s\n", memcmp(from, to, 300 * KIB) == 0 ? "same" : "different");
	say("of nobody", process_vm_readv(-1, local, 2, remote, 1, 0));
	strcpy(name, "a-name");
	evict();
	say("set name", prctl(PR_SET_NAME, name));
	memset(name, 0, 20);
	evict();
	say("get name", prctl(PR_GET_NAME, name));
	puts(name);
	evict();
	child = (pid_t)syscall(SYS_clone, SIGCHLD | 0x00100000UL, NULL, status, NULL, NULL);
	if (child == 0) {
		_exit(*name == 'a' ? 9 : 1);
	}
	printf("clone: %s\n", *status == child ? "its number" : "another number");
	evict();
	say("wait", wait(status) - child);
	printf("%d\n", WEXITSTATUS(*status));
	free(name);
	free(status);
	free(remote);
	free(local);
	free(to);
	free(from);
}

static void test_pipes(void)
{
	char *data = malloc(50 * KIB);
	char *got = malloc(50 * KIB);
	struct iovec *vector = calloc(1, sizeof(*vector));
	int *number = calloc(1, sizeof(*number));
	int *ends = malloc(2 * sizeof(*ends));
	off_t *offset = calloc(1, sizeof(*offset));
	FILE *file = tmpfile();

	memset(data, 'c', 50 * KIB);
	evict();
	say("pipe2", pipe2(ends, O_CLOEXEC));
	*vector = (struct iovec){data, 50 * KIB};
	evict();
	say("vmsplice", vmsplice(ends[1], vector, 1, 0));
	evict();
	say("FIONREAD", ioctl(ends[0], FIONREAD, number));
	printf("%d\n", *number);
	say("read", read(ends[0], got, 50 * KIB));
	printf("%c %c\n", got[0], got[50 * KIB - 1]);
	(void)fwrite(data, 1, 50 * KIB, file);
	(void)fflush(file);
	*offset = 1000;
	evict();
	say("sendfile", sendfile(ends[1], fileno(file), offset, 3000));
	printf("%ld\n", (long)*offset);
	(void)fclose(file);
	close(ends[0]);
	close(ends[1]);
	free(offset);
	free(ends);
	free(number);
	free(vector);
	free(got);
	free(data);
}

struct text {
	long type;
	char bytes[3000];
};

static void test_commands(void)
{
	struct flock *lock = calloc(1, sizeof(*lock));
	struct text *text = calloc(1, sizeof(*text));
	struct msqid_ds *about = calloc(1, sizeof(*about));
	struct sembuf *operations = calloc(2, sizeof(*operations));
	unsigned short *values = calloc(3, sizeof(*values));
	struct timeval *times = calloc(2, sizeof(*times));
	cpu_set_t *cpus = calloc(1, sizeof(*cpus));
	struct linger *linger = calloc(1, sizeof(*linger));
	FILE *file = tmpfile();
	int queue = msgget(IPC_PRIVATE, 0600);
	int semaphores = semget(IPC_PRIVATE, 3, 0600);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	*lock = (struct flock){.l_type = F_WRLCK, .l_len = 10};
	evict();
	say("F_SETLK", fcntl(fileno(file), F_SETLK, lock));
	evict();
	say("F_GETLK", fcntl(fileno(file), F_GETLK, lock));
	printf("%d\n", lock->l_type == F_UNLCK ? 1 : 0);
	text->type = 3;
	memset(text->bytes, 'd', sizeof(text->bytes));
	evict();
	say("msgsnd", msgsnd(queue, text, 2000, 0));
	evict();
	say("IPC_STAT", msgctl(queue, IPC_STAT, about));
	printf("%lu\n", (unsigned long)about->msg_qnum);
	memset(text, 0, sizeof(*text));
	evict();
	say("msgrcv", msgrcv(queue, text, sizeof(text->bytes), 0, IPC_NOWAIT));
	printf("%ld %c %d\n", text->type, text->bytes[1999], text->bytes[2000]);
	say("IPC_RMID", msgctl(queue, IPC_RMID, NULL));
	values[0] = 5;
	values[1] = 6;
	evict();
	say("SETALL", semctl(semaphores, 0, SETALL, values));
	operations[0] = (struct sembuf){.sem_num = 0, .sem_op = -2};
	operations[1] = (struct sembuf){.sem_num = 2, .sem_op = 4};
	evict();
	say("semop", semop(semaphores, operations, 2));
	memset(values, 0, 3 * sizeof(*values));
	evict();
	say("GETALL", semctl(semaphores, 0, GETALL, values));
	printf("%u %u %u\n", values[0], values[1], values[2]);
	say("IPC_RMID", semctl(semaphores, 0, IPC_RMID));
	times[0].tv_sec = 1000;
	times[1].tv_sec = 2000;
	evict();
	say("futimes", futimes(fileno(file), times));
	evict();
	printf("affinity: %d\n", sched_getaffinity(0, sizeof(*cpus), cpus) == 0 && CPU_COUNT(cpus) > 0 ? 1 : 0);
	*linger = (struct linger){.l_onoff = 1, .l_linger = 7};
	evict();
	say("setsockopt", setsockopt(fd, SOL_SOCKET, SO_LINGER, linger, sizeof(*linger)));
	close(fd);
	(void)fclose(file);
	free(linger);
	free(cpus);
	free(times);
	free(values);
	free(operations);
	free(about);
	free(text);
	free(lock);
}

int main(void)
{
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	ballast = calloc(1, 3 * MIB);
	test_masks();
	test_direct();
	test_processes();
	test_pipes();
	test_commands();
	return 0;
}
