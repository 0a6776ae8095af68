/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The console: see console.h.
 */
#include "console.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

/* Text up to this size is composed on the stack, which may be a signal stack. */
#define SMALL_SIZE 512

/* The system call itself: write() is a point of cancellation, and no thread may end in a printk(). */
static ssize_t write_host(const char *text, size_t size)
{
	return syscall(SYS_write, STDOUT_FILENO, text, size);
}

/* A page that is out is no address to the host: bring the text along. */
static ssize_t write_copy(const char *text, size_t size)
{
	char copy[SMALL_SIZE];
	size_t part = size < sizeof(copy) ? size : sizeof(copy);

	memcpy(copy, text, part);
	return write_host(copy, part);
}

static ssize_t write_once(const char *text, size_t size)
{
	ssize_t written = write_host(text, size);

	return written < 0 && errno == EFAULT ? write_copy(text, size) : written;
}

/* Whether it is worth to try again, after waiting for a descriptor that does not block. */
static bool is_passing(int error)
{
	struct pollfd console = {.fd = STDOUT_FILENO, .events = POLLOUT};

	if (error == EAGAIN) {
		return syscall(SYS_ppoll, &console, 1, NULL, NULL, 0) >= 0 || errno == EINTR;
	}
	return error == EINTR;
}

void kmem_console_write(const char *text, size_t size)
{
	int error = errno;

	while (size > 0) {
		ssize_t written = write_once(text, size);

		if (written < 0 && !is_passing(errno)) {
			break;
		}
		if (written > 0) {
			text += written;
			size -= (size_t)written;
		}
	}
	errno = error;
}

/* What one call prints. */
struct line {
	const char *head;
	const char *tail;
	const char *fmt;
};

/* Compose as much of it as fits below @p size. @return how long all of it is */
static size_t compose(char *text, size_t size, const struct line *line, va_list args)
{
	size_t head = strlen(line->head);
	size_t tail = strlen(line->tail);
	size_t room = size - head - tail;
	int result = vsnprintf(text + head, room, line->fmt, args);
	size_t length = result < 0 ? 0 : (size_t)result;

	memcpy(text, line->head, head);
	memcpy(text + head + (length < room ? length : room - 1), line->tail, tail);
	return head + length + tail;
}

static bool print_large(size_t size, const struct line *line, va_list args)
{
	char *text = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (text == MAP_FAILED) {
		return false;
	}
	(void)compose(text, size, line, args);
	kmem_console_write(text, size - 1);
	(void)munmap(text, size);
	return true;
}

void kmem_console_vprint(const char *head, const char *tail, const char *fmt, va_list args)
{
	struct line line = {.head = head, .tail = tail, .fmt = fmt};
	char text[SMALL_SIZE];
	int error = errno;
	va_list again;
	size_t length;

	va_copy(again, args);
	length = compose(text, sizeof(text), &line, args);
	if (length < sizeof(text)) {
		kmem_console_write(text, length);
	} else if (!print_large(length + 1, &line, again)) {
		kmem_console_write(text, sizeof(text) - 1);
	}
	va_end(again);
	errno = error;
}
