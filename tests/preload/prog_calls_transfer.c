/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System calls that transfer data, on heap memory that is out: whole and in parts, to all kinds of descriptors, with the counts and errors
 * that they have anywhere. Prints what every call returned, and checks contents.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "prog.h"

#define KIB 1024UL
#define MIB (1024UL * KIB)

/* More parts than one call takes; not a constant, since the compiler would object. */
static volatile int too_many = 5000;

static char directory[] = "/tmp/kmem-calls-XXXXXX";
static volatile unsigned char *ballast;

/* More than all of RAM, so that whatever was in is out. */
static void evict(void)
{
	(void)walk_over(ballast, 3 * MIB);
}

/* Bytes that tell where they belong. */
static unsigned char byte_at(size_t i, unsigned int seed)
{
	return (unsigned char)((i * 2654435761UL >> 13) + seed + (i >> 12));
}

static unsigned char *pattern(size_t size, unsigned int seed)
{
	unsigned char *memory = get(size);

	for (size_t i = 0; i < size; i++) {
		memory[i] = byte_at(i, seed);
	}
	return memory;
}

static const char *same(const unsigned char *memory, size_t size, size_t from, unsigned int seed)
{
	for (size_t i = 0; i < size; i++) {
		if (memory[i] != byte_at(from + i, seed)) {
			return "different";
		}
	}
	return "same";
}

static int file_open(const char *name, int flags)
{
	char *path = get(256);
	int fd;

	(void)snprintf(path, 256, "%s/%s", directory, name);
	fd = open(path, flags | O_CLOEXEC, 0600);
	free(path);
	if (fd < 0) {
		say(name, -1);
		exit(1);
	}
	return fd;
}

static void test_file(void)
{
	size_t size = 3 * MIB + 123;
	unsigned char *data = pattern(size, 1);
	unsigned char *got = get(size + 5000);
	int fd = file_open("file", O_RDWR | O_CREAT | O_TRUNC);
	struct iovec *vector = get(3 * sizeof(*vector));
	int appending;

	evict();
	say("pwrite 3M", pwrite(fd, data, size, 7));
	evict();
	say("pread 3M", pread(fd, got, size, 7));
	puts(same(got, size, 0, 1));
	say("lseek", lseek(fd, 0, SEEK_CUR));
	say("read beyond the end", lseek(fd, 7, SEEK_SET) + read(fd, got, size + 5000));
	puts(same(got, size, 0, 1));
	say("lseek", lseek(fd, 0, SEEK_CUR));
	say("read at the end", read(fd, got, 200 * KIB));
	say("pread negative", pread(fd, got, 200 * KIB, -5));
	(void)lseek(fd, 7, SEEK_SET);
	memset(got, 0, size);
	vector[0] = (struct iovec){got, 100 * KIB};
	vector[1] = (struct iovec){got + 100 * KIB, 0};
	vector[2] = (struct iovec){got + 100 * KIB, 1 * MIB};
	evict();
	say("readv", readv(fd, vector, 3));
	puts(same(got, 1 * MIB + 100 * KIB, 0, 1));
	say("preadv", preadv(fd, vector, 3, 7 + 3 * MIB - 50 * KIB));
	puts(same(got, 50 * KIB + 123, 3 * MIB - 50 * KIB, 1));
	say("writev with a bad number", syscall(SYS_writev, fd, vector, -1L));
	say("writev with too many", writev(fd, vector, too_many));
	vector[1].iov_len = SIZE_MAX;
	say("writev with a bad length", writev(fd, vector, 3));
	appending = file_open("file", O_WRONLY | O_APPEND);
	evict();
	say("append", write(appending, data, 300 * KIB));
	say("size", lseek(fd, 0, SEEK_END));
	(void)pread(fd, got, 300 * KIB, 7 + (off_t)size);
	puts(same(got, 300 * KIB, 0, 1));
	say("read of a file that is written only", read(appending, got, 100 * KIB));
	say("write to none", write(-1, data, 100 * KIB));
	close(appending);
	close(fd);
	free(vector);
	free(got);
	free(data);
}

/* Buffers that end too early, in holes and at pages that cannot be written. */
static void test_edges(void)
{
	size_t size = 64 * PAGE;
	unsigned char *area = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = file_open("edges", O_RDWR | O_CREAT | O_TRUNC);
	int ends[2];

	for (size_t i = 0; i < size; i++) {
		area[i] = byte_at(i, 9);
	}
	say("write", write(fd, area, size));
	say("mprotect", mprotect(area + 8 * PAGE, PAGE, PROT_READ));
	say("munmap", munmap(area + 40 * PAGE, PAGE));
	evict();
	say("pread over a read-only page", pread(fd, area + 7 * PAGE + 100, 8192, 0));
	say("pread into a read-only page", pread(fd, area + 8 * PAGE + 100, 100, 0));
	say("pread over a hole", pread(fd, area + 38 * PAGE, 5 * PAGE, 0));
	say("pread of much over a hole", pread(fd, area + 9 * PAGE, 60 * PAGE, 0));
	say("pread into a hole", pread(fd, area + 40 * PAGE, PAGE, 0));
	say("pwrite over a hole", pwrite(fd, area + 38 * PAGE, 5 * PAGE, 0));
	say("pwrite of much over a hole", pwrite(fd, area + 9 * PAGE, 60 * PAGE, 0));
	say("pwrite from a hole", pwrite(fd, area + 40 * PAGE + 17, 100, 0));
	say("pwrite from a read-only page", pwrite(fd, area + 8 * PAGE, 100, 0));
	say("count of nothing", pread(fd, area + 40 * PAGE, 0, 0));
	say("stat into a hole", fstat(fd, (struct stat *)(void *)(area + 40 * PAGE)));
	say("stat into a read-only page", fstat(fd, (struct stat *)(void *)(area + 8 * PAGE)));
	say("stat over the edge", fstat(fd, (struct stat *)(void *)(area + 40 * PAGE - 16)));
	say("open by a name in a hole", open((char *)area + 40 * PAGE, O_RDONLY));
	memset(area + 39 * PAGE, 'x', PAGE);
	say("open by a name that ends in a hole", open((char *)area + 40 * PAGE - 10, O_RDONLY));
	memset(area + 20 * PAGE, 'x', 2 * PAGE);
	say("open by a name that is too long", open((char *)area + 20 * PAGE, O_RDONLY));
	area[20 * PAGE + 300] = 0;
	say("open by a part that is too long", open((char *)area + 20 * PAGE, O_RDONLY));
	say("pipe into a read-only page", pipe((int *)(void *)(area + 8 * PAGE)));
	say("pipe", pipe(ends));
	say("write from over a hole", write(ends[1], area + 40 * PAGE - 5, 100));
	say("write", write(ends[1], "1234567890", 10));
	say("read into a hole", read(ends[0], area + 40 * PAGE, 10));
	say("read over a hole", read(ends[0], area + 40 * PAGE - 5, 10));
	say("read again", read(ends[0], area, 100));
	close(ends[0]);
	close(ends[1]);
	close(fd);
	(void)munmap(area, size);
}

struct stream {
	int fd;
	size_t size;
	const char *verdict;
	size_t got;
};

static void *stream_read(void *arg)
{
	struct stream *stream = arg;
	unsigned char *buffer = get(150 * KIB);

	stream->verdict = "same";
	for (;;) {
		ssize_t ret = read(stream->fd, buffer, 150 * KIB);

		if (ret <= 0) {
			break;
		}
		if (strcmp(same(buffer, (size_t)ret, stream->got, 3), "same") != 0) {
			stream->verdict = "different";
		}
		stream->got += (size_t)ret;
	}
	free(buffer);
	return NULL;
}

static void stream_run(const char *what, const int *ends, bool is_vector)
{
	struct stream *stream = calloc(1, sizeof(*stream));
	unsigned char *data = pattern(5 * MIB, 3);
	struct iovec vector[2] = {{data, 3 * MIB}, {data + 3 * MIB, 2 * MIB}};
	struct msghdr message = {.msg_iov = vector, .msg_iovlen = 2};
	pthread_t thread;

	stream->fd = ends[0];
	(void)pthread_create(&thread, NULL, stream_read, stream);
	if (is_vector) {
		say(what, sendmsg(ends[1], &message, 0));
	} else {
		say(what, write(ends[1], data, 5 * MIB));
	}
	close(ends[1]);
	(void)pthread_join(thread, NULL);
	printf("%zu %s\n", stream->got, stream->verdict);
	close(ends[0]);
	free(data);
	free(stream);
}

static void test_streams(void)
{
	int *ends = get(2 * sizeof(int));

	evict();
	say("pipe", pipe(ends));
	stream_run("write 5M to a pipe", ends, false);
	say("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	stream_run("write 5M to a socket", ends, false);
	say("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	stream_run("sendmsg 5M to a socket", ends, true);
	free(ends);
}

static void test_pipe_full(void)
{
	unsigned char *data = pattern(300 * KIB, 4);
	unsigned char *got = get(300 * KIB);
	int ends[2];

	(void)pipe(ends);
	(void)fcntl(ends[1], F_SETFL, O_NONBLOCK);
	(void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
	evict();
	say("write to a pipe that does not wait", write(ends[1], data, 300 * KIB));
	say("write to a full pipe", write(ends[1], data, 300 * KIB));
	say("read", read(ends[0], got, 300 * KIB));
	puts(same(got, 64 * KIB, 0, 4));
	say("read of an empty pipe", read(ends[0], got, 300 * KIB));
	say("write", write(ends[1], data, 10));
	say("read", read(ends[0], got, 200 * KIB));
	close(ends[0]);
	(void)signal(SIGPIPE, SIG_IGN);
	say("write to nobody", write(ends[1], data, 200 * KIB));
	(void)signal(SIGPIPE, SIG_DFL);
	close(ends[1]);
	free(got);
	free(data);
}

static void test_messages(int type, const char *name)
{
	unsigned char *data = pattern(130 * KIB, 5);
	unsigned char *got = get(200 * KIB);
	int size = 1 << 20;
	int ends[2];

	printf("%s\n", name);
	(void)socketpair(AF_UNIX, type, 0, ends);
	(void)setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	evict();
	say("send 60K", send(ends[0], data, 60 * KIB, 0));
	say("send 130K", send(ends[0], data, 130 * KIB, 0));
	say("send nothing", send(ends[0], data, 0, 0));
	evict();
	say("peek", recv(ends[1], got, 200 * KIB, MSG_PEEK));
	say("recv", recv(ends[1], got, 200 * KIB, 0));
	puts(same(got, 60 * KIB, 0, 5));
	memset(got, 0, 200 * KIB);
	evict();
	say("recv truncated", recv(ends[1], got, 90 * KIB, MSG_TRUNC));
	puts(same(got, 90 * KIB, 0, 5));
	say("beyond it", got[90 * KIB]);
	say("recv nothing", recv(ends[1], got, 200 * KIB, 0));
	say("recv of an empty one", recv(ends[1], got, 200 * KIB, MSG_DONTWAIT));
	close(ends[0]);
	close(ends[1]);
	free(got);
	free(data);
}

static void test_many_messages(void)
{
	enum { COUNT = 10, SIZE = 20 * 1024 };
	struct mmsghdr *messages = calloc(COUNT, sizeof(*messages));
	struct iovec *vectors = calloc(COUNT, sizeof(*vectors));
	unsigned char *data = pattern((size_t)COUNT * SIZE, 6);
	struct timespec *limit = calloc(1, sizeof(*limit));
	int bytes = 1 << 20;
	int ends[2];

	(void)socketpair(AF_UNIX, SOCK_DGRAM, 0, ends);
	(void)setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	for (int i = 0; i < COUNT; i++) {
		vectors[i] = (struct iovec){data + (size_t)i * SIZE, SIZE - (size_t)i};
		messages[i].msg_hdr.msg_iov = &vectors[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	evict();
	say("sendmmsg", sendmmsg(ends[0], messages, COUNT, 0));
	memset(data, 0, (size_t)COUNT * SIZE);
	for (int i = 0; i < COUNT; i++) {
		vectors[i].iov_len = SIZE;
		messages[i].msg_len = 77;
	}
	limit->tv_sec = 1;
	evict();
	say("recvmmsg", recvmmsg(ends[1], messages, COUNT, MSG_WAITFORONE, limit));
	for (int i = 0; i < COUNT; i++) {
		printf("%u %s\n", messages[i].msg_len, same(data + (size_t)i * SIZE, messages[i].msg_len, (size_t)i * SIZE, 6));
	}
	say("recvmmsg of nothing", recvmmsg(ends[1], messages, COUNT, MSG_DONTWAIT, NULL));
	close(ends[0]);
	close(ends[1]);
	free(limit);
	free(data);
	free(vectors);
	free(messages);
}

/* A descriptor that goes along with data, and comes out of control data on the heap. */
static void test_descriptor(void)
{
	char *control = calloc(1, CMSG_SPACE(sizeof(int)));
	char *text = strdup("along");
	struct iovec *vector = calloc(1, sizeof(*vector));
	struct msghdr *message = calloc(1, sizeof(*message));
	struct cmsghdr *head;
	int ends[2];
	int pipes[2];
	int passed = -1;

	(void)socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
	(void)pipe(pipes);
	*vector = (struct iovec){text, 5};
	*message = (struct msghdr){
		.msg_iov = vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = CMSG_SPACE(sizeof(int))};
	head = CMSG_FIRSTHDR(message);
	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(head), &pipes[1], sizeof(int));
	evict();
	say("sendmsg with a descriptor", sendmsg(ends[0], message, 0));
	memset(control, 0, CMSG_SPACE(sizeof(int)));
	memset(text, 0, 5);
	evict();
	say("recvmsg", recvmsg(ends[1], message, 0));
	printf("%.5s, control %zu, flags %d\n", text, message->msg_controllen, message->msg_flags);
	memcpy(&passed, CMSG_DATA(CMSG_FIRSTHDR(message)), sizeof(int));
	say("write to it", write(passed, text, 5));
	say("read", read(pipes[0], text, 5));
	close(passed);
	close(pipes[0]);
	close(pipes[1]);
	close(ends[0]);
	close(ends[1]);
	free(message);
	free(vector);
	free(text);
	free(control);
}

static void *wait_all_send(void *arg)
{
	unsigned char *data = pattern(400 * KIB, 8);
	int fd = *(int *)arg;

	for (size_t i = 0; i < 400 * KIB; i += 40 * KIB) {
		(void)write(fd, data + i, 40 * KIB);
		usleep(1000);
	}
	free(data);
	return NULL;
}

static void test_wait_all(void)
{
	unsigned char *got = get(400 * KIB);
	int ends[2];
	pthread_t thread;

	(void)socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
	(void)pthread_create(&thread, NULL, wait_all_send, &ends[0]);
	say("recv all", recv(ends[1], got, 400 * KIB, MSG_WAITALL));
	puts(same(got, 400 * KIB, 0, 8));
	(void)pthread_join(thread, NULL);
	say("send", send(ends[0], got, 100, 0));
	say("peek", recv(ends[1], got, 400 * KIB, MSG_PEEK));
	say("recv", recv(ends[1], got, 400 * KIB, 0));
	close(ends[0]);
	close(ends[1]);
	free(got);
}

static void test_names(void)
{
	struct sockaddr_un *name = calloc(1, sizeof(*name));
	struct sockaddr_un *peer = calloc(1, sizeof(*peer));
	socklen_t *size = get(sizeof(*size));
	int *value = get(sizeof(*value));
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);
	int caller = socket(AF_UNIX, SOCK_STREAM, 0);
	int got;

	name->sun_family = AF_UNIX;
	(void)snprintf(name->sun_path, sizeof(name->sun_path), "%s/socket", directory);
	evict();
	say("bind", bind(listener, (struct sockaddr *)name, sizeof(*name)));
	say("listen", listen(listener, 1));
	evict();
	say("connect", connect(caller, (struct sockaddr *)name, sizeof(*name)));
	*size = sizeof(*peer);
	evict();
	got = accept4(listener, (struct sockaddr *)peer, size, SOCK_CLOEXEC);
	printf("accept %s, length %u\n", got >= 0 ? "succeeds" : "fails", *size);
	*size = sizeof(*peer);
	say("getpeername", getpeername(caller, (struct sockaddr *)peer, size));
	printf("%s\n", strcmp(peer->sun_path, name->sun_path) == 0 ? "its name" : "another name");
	*size = sizeof(*value);
	evict();
	say("getsockopt", getsockopt(caller, SOL_SOCKET, SO_TYPE, value, size));
	printf("%d %u\n", *value, *size);
	*size = 1;
	say("getsockopt of a byte", getsockopt(caller, SOL_SOCKET, SO_TYPE, value, size));
	close(got);
	close(caller);
	close(listener);
	(void)unlink(name->sun_path);
	free(value);
	free(size);
	free(peer);
	free(name);
}

static void test_waiting(void)
{
	struct pollfd *fds = calloc(20, sizeof(*fds));
	fd_set *reads = get(sizeof(*reads));
	struct timeval *limit = get(sizeof(*limit));
	struct epoll_event *events = calloc(20, sizeof(*events));
	uint64_t *number = get(sizeof(*number));
	int epoll = epoll_create1(0);
	int event = eventfd(5, EFD_NONBLOCK);

	for (int i = 0; i < 20; i++) {
		fds[i] = (struct pollfd){.fd = i == 3 ? event : -1, .events = POLLIN};
	}
	evict();
	say("poll", poll(fds, 20, 100));
	printf("%d %d\n", fds[3].revents, fds[4].revents);
	FD_ZERO(reads);
	FD_SET(event, reads);
	*limit = (struct timeval){.tv_sec = 5};
	evict();
	say("select", select(event + 1, reads, NULL, NULL, limit));
	printf("%d, %s\n", FD_ISSET(event, reads) ? 1 : 0, limit->tv_sec >= 4 ? "time left" : "time over");
	events[0] = (struct epoll_event){.events = EPOLLIN, .data.u64 = 0x1234567890};
	evict();
	say("epoll_ctl", epoll_ctl(epoll, EPOLL_CTL_ADD, event, events));
	memset(events, 0, 20 * sizeof(*events));
	evict();
	say("epoll_wait", epoll_wait(epoll, events, 20, 100));
	printf("%lx\n", (unsigned long)events[0].data.u64);
	evict();
	say("read", read(event, number, sizeof(*number)));
	printf("%lu\n", (unsigned long)*number);
	say("read again", read(event, number, sizeof(*number)));
	say("poll", poll(fds, 20, 0));
	*limit = (struct timeval){.tv_usec = 1000};
	FD_SET(event, reads);
	say("select", select(event + 1, reads, NULL, NULL, limit));
	printf("%d %ld %ld\n", FD_ISSET(event, reads) ? 1 : 0, (long)limit->tv_sec, (long)limit->tv_usec);
	close(event);
	close(epoll);
	free(number);
	free(events);
	free(limit);
	free(reads);
	free(fds);
}

static int text_compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void test_directory(void)
{
	enum { FILES = 700 };
	char **names = calloc(FILES + 10, sizeof(*names));
	int count = 0;
	unsigned long sum = 0;
	struct dirent *entry;
	DIR *dir;

	for (int i = 0; i < FILES; i++) {
		char name[64];

		(void)snprintf(name, sizeof(name), "entry-%d-of-a-long-directory", i);
		close(file_open(name, O_WRONLY | O_CREAT));
		if (i % 100 == 0) {
			evict();
		}
	}
	dir = opendir(directory);
	while (count < FILES + 10 && (entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == 'e' && entry->d_name[1] == 'n') {
			names[count++] = strdup(entry->d_name);
		}
	}
	closedir(dir);
	qsort(names, (size_t)count, sizeof(*names), text_compare);
	for (int i = 0; i < count; i++) {
		char *path = get(512);
		struct stat *status = get(sizeof(*status));

		for (const char *c = names[i]; *c != 0; c++) {
			sum = sum * 31 + (unsigned char)*c;
		}
		(void)snprintf(path, 512, "%s/%s", directory, names[i]);
		sum += stat(path, status) == 0 ? (unsigned long)status->st_mode : 1;
		sum += (unsigned long)unlink(path);
		free(status);
		free(path);
		free(names[i]);
	}
	printf("directory: %d entries, %lu\n", count, sum);
	free(names);
}

static void test_others(void)
{
	unsigned char *random = calloc(1, 200 * KIB);
	char *path = get(PATH_MAX);
	size_t zeroes = 0;
	int zero = open("/dev/zero", O_RDWR | O_CLOEXEC);
	char *link = get(512);

	evict();
	say("getrandom", getrandom(random, 200 * KIB, 0));
	for (size_t i = 0; i < 200 * KIB; i++) {
		zeroes += random[i] == 0 ? 1 : 0;
	}
	puts(zeroes < 2000 ? "random" : "not random");
	random = realloc(random, 5 * MIB);
	memset(random, 1, 5 * MIB);
	say("read zeroes", read(zero, random, 5 * MIB));
	zeroes = 0;
	for (size_t i = 0; i < 5 * MIB; i++) {
		zeroes += random[i] == 0 ? 1 : 0;
	}
	printf("%zu\n", zeroes);
	say("write zeroes", write(zero, random, 5 * MIB));
	(void)snprintf(link, 512, "%s/link", directory);
	evict();
	say("symlink", symlink(directory, link));
	evict();
	say("readlink", readlink(link, path, PATH_MAX));
	say("chdir", chdir(link));
	evict();
	puts(getcwd(path, PATH_MAX) != NULL && strcmp(path, directory) == 0 ? "there" : "elsewhere");
	say("getcwd in too little", syscall(SYS_getcwd, path, 3));
	say("unlink", unlink(link));
	close(zero);
	free(link);
	free(path);
	free(random);
}

static void test_exec(void)
{
	char **argv = calloc(4, sizeof(*argv));
	char **envp = calloc(2, sizeof(*envp));
	int status = 0;

	argv[0] = strdup("/bin/sh");
	argv[1] = strdup("-c");
	argv[2] = get(100 * KIB);
	memset(argv[2], ' ', 100 * KIB);
	strcpy(argv[2] + 99 * KIB, "test \"$WORD\" = here && exit 42");
	envp[0] = strdup("WORD=here");
	for (volatile int i = 0; i < 20; i = i + 1) {
		pid_t child;

		evict();
		child = vfork();
		if (child == 0) {
			execve("/nonexistent", argv, envp);
			execve(argv[0], argv, envp);
			_exit(1);
		}
		if (waitpid(child, &status, 0) != child || WEXITSTATUS(status) != 42) {
			printf("exec: status %d\n", status);
		}
	}
	printf("exec: %d\n", WEXITSTATUS(status));
	free(envp[0]);
	for (int i = 0; i < 3; i++) {
		free(argv[i]);
	}
	free(envp);
	free(argv);
}

int main(void)
{
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	(void)alarm(110);
	ballast = calloc(1, 3 * MIB);
	if (mkdtemp(directory) == NULL) {
		say("mkdtemp", -1);
		return 1;
	}
	test_file();
	test_edges();
	test_streams();
	test_pipe_full();
	test_messages(SOCK_DGRAM, "datagrams");
	test_messages(SOCK_SEQPACKET, "packets");
	test_many_messages();
	test_descriptor();
	test_wait_all();
	test_names();
	test_waiting();
	test_directory();
	test_others();
	test_exec();
	(void)chdir("/");
	for (const char *const *name = (const char *const[]){"file", "edges", NULL}; *name != NULL; name++) {
		char path[128];

		(void)snprintf(path, sizeof(path), "%s/%s", directory, *name);
		(void)unlink(path);
	}
	say("rmdir", rmdir(directory));
	return 0;
}
