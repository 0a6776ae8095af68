/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System calls with pointers behind pointers: the outer structure on the stack, what it points to in a heap larger than RAM.
 *
 * Before each call the heap's other pages are touched, so that the pages of the call are out.
 */
#define _LARGEFILE64_SOURCE 1

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "prog.h"

#define BALLAST (4UL * 1024 * 1024)
#define PARTS 5

static unsigned char *ballast;

static void push_out(void)
{
	(void)walk_over(ballast, BALLAST);
}

static unsigned int sum(const void *memory, size_t size)
{
	const unsigned char *bytes = memory;
	unsigned int total = 5381;

	for (size_t i = 0; i < size; i++) {
		total = total * 33 + bytes[i];
	}
	return total;
}

static void fill(void *memory, size_t size, unsigned int seed)
{
	unsigned char *bytes = memory;

	for (size_t i = 0; i < size; i++) {
		bytes[i] = (unsigned char)(i * 7 + i / 256 + seed);
	}
}

static void tell(const char *what, long ret)
{
	SAY("%s: %ld %s\n", what, ret, ret < 0 ? strerrorname_np(errno) : "");
}

/* Vectors. */

static size_t part_size(size_t part)
{
	return 1 + part * 3333;
}

static size_t vector_make(struct iovec *vector, unsigned int seed)
{
	size_t size = 0;

	for (size_t i = 0; i < PARTS; i++) {
		vector[i] = (struct iovec){.iov_base = get(part_size(i)), .iov_len = part_size(i)};
		fill(vector[i].iov_base, part_size(i), seed + (unsigned int)i);
		size += part_size(i);
	}
	return size;
}

static void vector_tell(const char *what, const struct iovec *vector, long ret)
{
	tell(what, ret);
	for (size_t i = 0; i < PARTS; i++) {
		SAY("  %08x\n", sum(vector[i].iov_base, vector[i].iov_len));
	}
}

static void vector_clear(const struct iovec *vector)
{
	for (size_t i = 0; i < PARTS; i++) {
		memset(vector[i].iov_base, 0, vector[i].iov_len);
	}
	push_out();
}

static void vector_free(const struct iovec *vector)
{
	for (size_t i = 0; i < PARTS; i++) {
		free(vector[i].iov_base);
	}
}

static void files(void)
{
	struct iovec from[PARTS];
	struct iovec to[PARTS];
	const int fd = memfd_create("faces", 0);

	(void)vector_make(from, 1);
	(void)vector_make(to, 2);
	push_out();
	vector_tell("writev", from, writev(fd, from, PARTS));
	(void)lseek(fd, 0, SEEK_SET);
	vector_clear(to);
	vector_tell("readv", to, readv(fd, to, PARTS));
	push_out();
	tell("pwritev", pwritev(fd, from, PARTS, 100000));
	vector_clear(to);
	vector_tell("preadv", to, preadv(fd, to, PARTS, 100000));
	push_out();
	tell("pwritev64", pwritev64(fd, from, PARTS, 200001));
	vector_clear(to);
	vector_tell("preadv64", to, preadv64(fd, to, PARTS, 200001));
	push_out();
	tell("pwritev2", pwritev2(fd, from, PARTS, 300000, 0));
	vector_clear(to);
	vector_tell("preadv2", to, preadv2(fd, to, PARTS, 300000, 0));
	vector_clear(to);
	tell("preadv64v2", preadv64v2(fd, to, PARTS, 0, 0));
	tell("pwritev64v2", pwritev64v2(fd, to, PARTS, 0, 0));
	/* Short: less in the file than in the vector. */
	vector_clear(to);
	vector_tell("short preadv", to, preadv(fd, to, PARTS, 333000 - 10000));
	vector_free(from);
	vector_free(to);
	(void)close(fd);
}

static void refusals(void)
{
	struct iovec vector[PARTS];
	struct iovec *heap = get(sizeof(*heap) * PARTS);
	const int fd = memfd_create("faces", 0);
	const int other = socket(AF_UNIX, SOCK_DGRAM, 0);
	/* The compiler is not to see what it would refuse. */
	struct iovec *volatile bad = (struct iovec *)16;
	volatile int negative = -1;
	volatile int large = 1 << 20;

	(void)vector_make(vector, 3);
	tell("bad vector", writev(fd, bad, 2));
	tell("negative count", writev(fd, vector, negative));
	tell("no count", writev(fd, vector, 0));
	tell("count too large", writev(fd, vector, large));
	vector[2].iov_base = bad;
	push_out();
	tell("bad buffer in the middle", writev(fd, vector, PARTS));
	vector[2].iov_len = (size_t)-1;
	tell("length too large", writev(fd, vector, PARTS));
	tell("bad descriptor", readv(-1, vector, 1));
	/* A vector in the heap. */
	memcpy(heap, vector, sizeof(*heap) * PARTS);
	push_out();
	tell("vector in the heap", writev(fd, heap, 2));
	tell("bad message", sendmsg(other, (struct msghdr *)bad, 0));
	(void)close(fd);
	(void)close(other);
	free(heap);
}

static void pages(void)
{
	struct iovec from[PARTS];
	struct iovec to[PARTS];
	unsigned char *back;
	struct iovec one;
	size_t size = vector_make(from, 4);
	int ends[2];

	(void)vector_make(to, 5);
	vector_clear(to);
	vector_tell("process_vm_readv", to, process_vm_readv(getpid(), to, PARTS, from, PARTS, 0));
	vector_clear(to);
	tell("process_vm_writev", process_vm_writev(getpid(), from, PARTS, to, PARTS, 0));
	vector_tell("written", to, 0);
	back = get(size);
	if (pipe(ends) != 0) {
		abort();
	}
	one = (struct iovec){.iov_base = from[4].iov_base, .iov_len = 5000};
	push_out();
	tell("vmsplice", vmsplice(ends[1], &one, 1, 0));
	tell("read", read(ends[0], back, 5000));
	SAY("  %08x\n", sum(back, 5000));
	(void)close(ends[0]);
	(void)close(ends[1]);
	free(back);
	vector_free(from);
	vector_free(to);
}

/* Messages. */

union control {
	struct cmsghdr header;
	unsigned char bytes[CMSG_SPACE(sizeof(int))];
};

static void control_put(union control *control, int fd)
{
	memset(control, 0, sizeof(*control));
	control->header = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
	memcpy(CMSG_DATA(&control->header), &fd, sizeof(fd));
}

/* A passed descriptor works: what is written to one end comes out of the other. */
static void control_tell(const struct msghdr *message, int from)
{
	const struct cmsghdr *header = CMSG_FIRSTHDR(message);
	char text[6] = "";
	int fd;

	if (header == NULL || header->cmsg_type != SCM_RIGHTS) {
		SAY("  no descriptor\n");
		return;
	}
	memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	SAY("  passed: %zd", write(fd, "hello", 5));
	SAY(" %zd %s\n", read(from, text, 5), text);
	(void)close(fd);
}

static void messages(void)
{
	struct sockaddr_un *name = get(sizeof(*name));
	union control *control = get(sizeof(*control));
	struct iovec from[PARTS];
	struct iovec to[PARTS];
	struct msghdr message = {.msg_iov = from, .msg_iovlen = PARTS};
	const int one = socket(AF_UNIX, SOCK_DGRAM, 0);
	const int other = socket(AF_UNIX, SOCK_DGRAM, 0);
	socklen_t size;
	int ends[2];

	(void)vector_make(from, 6);
	(void)vector_make(to, 7);
	if (pipe(ends) != 0) {
		abort();
	}
	memset(name, 0, sizeof(*name));
	name->sun_family = AF_UNIX;
	size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
			   (size_t)snprintf(name->sun_path + 1, sizeof(name->sun_path) - 1, "kmem-faces-%08d", getpid()));
	push_out();
	tell("bind", bind(one, (struct sockaddr *)name, size));
	name->sun_path[1] = 'K';
	push_out();
	tell("bind", bind(other, (struct sockaddr *)name, size));
	control_put(control, ends[1]);
	message.msg_name = name;
	message.msg_namelen = size;
	message.msg_control = control;
	message.msg_controllen = sizeof(*control);
	push_out();
	tell("sendmsg", sendmsg(one, &message, 0));
	vector_clear(to);
	memset(control, 0, sizeof(*control));
	message.msg_iov = to;
	message.msg_namelen = sizeof(*name);
	push_out();
	vector_tell("recvmsg", to, recvmsg(other, &message, 0));
	SAY("  %.10s\n", name->sun_path + 1);
	SAY("  name %u control %zu flags %#x\n", message.msg_namelen, message.msg_controllen, (unsigned int)message.msg_flags);
	control_tell(&message, ends[0]);
	/* Cut off. The name is the sender's by now. */
	name->sun_path[1] = 'K';
	tell("connect", connect(one, (struct sockaddr *)name, size));
	message = (struct msghdr){.msg_iov = from, .msg_iovlen = PARTS};
	push_out();
	tell("sendmsg", sendmsg(one, &message, 0));
	message = (struct msghdr){.msg_iov = to, .msg_iovlen = 2};
	push_out();
	tell("recvmsg", recvmsg(other, &message, 0));
	SAY("  flags %#x\n", (unsigned int)message.msg_flags);
	(void)close(one);
	(void)close(other);
	(void)close(ends[0]);
	(void)close(ends[1]);
	vector_free(from);
	vector_free(to);
	free(name);
	free(control);
}

#define MESSAGES 7

static void lists(void)
{
	struct mmsghdr list[MESSAGES];
	struct iovec vectors[MESSAGES];
	struct timespec timeout = {.tv_sec = 5};
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) != 0) {
		abort();
	}
	memset(list, 0, sizeof(list));
	for (size_t i = 0; i < MESSAGES; i++) {
		vectors[i] = (struct iovec){.iov_base = get(5000), .iov_len = 100 + i * 700};
		fill(vectors[i].iov_base, 5000, (unsigned int)i);
		list[i].msg_hdr = (struct msghdr){.msg_iov = &vectors[i], .msg_iovlen = 1};
	}
	push_out();
	tell("sendmmsg", sendmmsg(ends[0], list, MESSAGES, 0));
	for (size_t i = 0; i < MESSAGES; i++) {
		SAY("  %u", list[i].msg_len);
		memset(vectors[i].iov_base, 0, 5000);
		vectors[i].iov_len = 5000;
	}
	push_out();
	tell("\nrecvmmsg", recvmmsg(ends[1], list, MESSAGES, MSG_WAITFORONE, &timeout));
	for (size_t i = 0; i < MESSAGES; i++) {
		SAY("  %u %08x\n", list[i].msg_len, sum(vectors[i].iov_base, 5000));
		free(vectors[i].iov_base);
	}
	tell("nothing there", recvmmsg(ends[1], list, MESSAGES, MSG_DONTWAIT, NULL));
	(void)close(ends[0]);
	(void)close(ends[1]);
}

/* Waiting. */

static int waiting[2];

static void *wait_for_message(void *unused)
{
	struct iovec one = {.iov_base = get(5000), .iov_len = 5000};
	struct msghdr message = {.msg_iov = &one, .msg_iovlen = 1};

	(void)unused;
	push_out();
	(void)recvmsg(waiting[1], &message, 0);
	return NULL;
}

static void on_alarm(int signo)
{
	(void)signo;
}

static void interruptions(void)
{
	/* Again and again: the first may come before the call. */
	const struct itimerval soon = {.it_value = {.tv_usec = 50000}, .it_interval = {.tv_usec = 50000}};
	const struct itimerval never = {.it_value = {.tv_usec = 0}};
	const struct timespec moment = {.tv_nsec = 50000000};
	struct sigaction action = {.sa_handler = on_alarm};
	struct iovec one = {.iov_base = get(5000), .iov_len = 5000};
	pthread_t thread;
	void *result;

	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, waiting) != 0 || sigaction(SIGALRM, &action, NULL) != 0) {
		abort();
	}
	push_out();
	(void)setitimer(ITIMER_REAL, &soon, NULL);
	tell("interrupted", readv(waiting[0], &one, 1));
	(void)setitimer(ITIMER_REAL, &never, NULL);
	(void)pthread_create(&thread, NULL, wait_for_message, NULL);
	(void)nanosleep(&moment, NULL);
	(void)pthread_cancel(thread);
	(void)pthread_join(thread, &result);
	SAY("cancelled: %d\n", result == PTHREAD_CANCELED);
	(void)close(waiting[0]);
	(void)close(waiting[1]);
	free(one.iov_base);
}

/* Other structures with pointers in them. */

static void structures(void)
{
	struct ifconf list = {.ifc_len = 4096, .ifc_buf = get(4096)};
	struct sock_filter *instructions = get(sizeof(*instructions) * 2);
	struct sock_fprog program = {.len = 2, .filter = instructions};
	const int fd = socket(AF_INET, SOCK_DGRAM, 0);

	push_out();
	if (fd >= 0) {
		tell("SIOCGIFCONF", ioctl(fd, SIOCGIFCONF, &list));
		SAY("  %d %s\n", list.ifc_len, list.ifc_len > 0 ? list.ifc_req[0].ifr_name : "");
		instructions[0] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_IMM, 7);
		instructions[1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0);
		push_out();
		tell("SO_ATTACH_FILTER", setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)));
		(void)close(fd);
	}
	free(list.ifc_buf);
	free(instructions);
}

/* By number. */

static void numbers(void)
{
	struct iovec from[PARTS];
	struct iovec to[PARTS];
	const int fd = memfd_create("faces", 0);
	uint64_t *mask = get(sizeof(*mask));
	uint64_t *old = get(sizeof(*old));
	unsigned char *map;

	(void)vector_make(from, 8);
	(void)vector_make(to, 9);
	push_out();
	tell("SYS_writev", syscall(SYS_writev, fd, from, PARTS));
	vector_clear(to);
	vector_tell("SYS_preadv2", to, syscall(SYS_preadv2, fd, to, PARTS, 0, 0, 0));
	map = (unsigned char *)syscall(SYS_mmap, NULL, 1UL << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	fill(map, 1UL << 20, 10);
	SAY("SYS_mmap: %08x\n", sum(map, 1UL << 20));
	tell("SYS_madvise", syscall(SYS_madvise, map, 1UL << 19, MADV_DONTNEED));
	SAY("  %08x\n", sum(map, 1UL << 20));
	map = (unsigned char *)syscall(SYS_mremap, map, 1UL << 20, 1UL << 21, MREMAP_MAYMOVE);
	SAY("SYS_mremap: %08x\n", sum(map, 1UL << 21));
	tell("SYS_munmap", syscall(SYS_munmap, map, 1UL << 21));
	*mask = 1UL << (SIGSEGV - 1) | 1UL << (SIGUSR1 - 1);
	push_out();
	tell("SYS_rt_sigprocmask", syscall(SYS_rt_sigprocmask, SIG_BLOCK, mask, old, sizeof(*mask)));
	tell("SYS_rt_sigprocmask", syscall(SYS_rt_sigprocmask, SIG_SETMASK, old, mask, sizeof(*mask)));
	SAY("  %#lx %#lx\n", (unsigned long)*old, (unsigned long)*mask);
	tell("SYS_rt_sigprocmask", syscall(SYS_rt_sigprocmask, SIG_SETMASK, old, mask, 4L));
	tell("no such call", syscall(100000));
	tell("SYS_close", syscall(SYS_close, fd));
	tell("SYS_close", syscall(SYS_close, fd));
	SAY("SYS_gettid: %d\n", syscall(SYS_gettid) == getpid());
	vector_free(from);
	vector_free(to);
	free(mask);
	free(old);
}

/* Copies of the process, made past fork(). */

static void child_tell(const char *what, const unsigned char *heap)
{
	push_out();
	SAY("%s: in the child %08x\n", what, sum(heap, 20000));
}

static void reap(const char *what, long pid)
{
	int status = -1;

	if (pid < 0) {
		tell(what, pid);
		return;
	}
	pid = waitpid((pid_t)pid, &status, 0) == pid;
	SAY("%s: %ld, status %#x\n", what, pid, (unsigned int)status);
}

static unsigned char *shared_heap;

static int clone_main(void *arg)
{
	child_tell(arg, shared_heap);
	fill(shared_heap, 20000, 99);
	return 7;
}

static void copies(void)
{
	static const long calls[] = {SYS_fork, SYS_clone};
	unsigned char *stack = get(256UL * 1024);
	long pid;

	shared_heap = get(20000);
	for (size_t i = 0; i < 2; i++) {
		/* It is in: what the child writes would show where frames were shared. */
		push_out();
		fill(shared_heap, 20000, 11);
		pid = calls[i] == SYS_fork ? syscall(SYS_fork) : syscall(SYS_clone, SIGCHLD, 0L, 0L, 0L, 0L);
		if (pid == 0) {
			child_tell("by number", shared_heap);
			fill(shared_heap, 20000, 12);
			_exit(3);
		}
		reap("by number", pid);
		SAY("  %08x\n", sum(shared_heap, 20000));
	}
	push_out();
	fill(shared_heap, 20000, 13);
	reap("clone", clone(clone_main, stack + 256UL * 1024, SIGCHLD, "clone"));
	SAY("  %08x\n", sum(shared_heap, 20000));
	push_out();
	reap("vfork clone", clone(clone_main, stack + 256UL * 1024, CLONE_VM | CLONE_VFORK | SIGCHLD, "vfork clone"));
	SAY("  %08x\n", sum(shared_heap, 20000));
	tell("clone without a stack", clone(clone_main, NULL, SIGCHLD, NULL));
	free(stack);
	free(shared_heap);
}

int main(void)
{
	ballast = get(BALLAST);
	memset(ballast, 0, BALLAST);
	files();
	refusals();
	pages();
	messages();
	lists();
	interruptions();
	structures();
	numbers();
	copies();
	return 0;
}
