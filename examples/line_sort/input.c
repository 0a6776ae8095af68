/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading text files into paged memory.
 *
 * Every file is read twice. The first time, before anything is mapped, its lines are counted and everything that can be
 * wrong with it is found; so the arenas are made in their final size, and a bad file costs nothing. The second time its
 * bytes go from the bounce buffer to the arena. A file that differs between the two is refused.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "line_sort.h"

static char bounce[BOUNCE_SIZE];

/* Open the file and fill in its status. O_NONBLOCK: opening a FIFO must not wait for its writer. */
static int file_open(const char *path, struct stat *status)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0 || fstat(fd, status) != 0) {
		die("%s: %s", path, strerror(errno));
	}
	if (S_ISDIR(status->st_mode)) {
		die("%s: is a directory", path);
	}
	if (!S_ISREG(status->st_mode)) {
		die("%s: not a regular file; the size of the text must be known beforehand", path);
	}
	return fd;
}

/* Fill the bounce buffer as far as the file goes; 0 is its end. */
static size_t file_read(int fd, const char *path)
{
	ssize_t got;

	do {
		got = read(fd, bounce, sizeof(bounce));
	} while (got < 0 && errno == EINTR);
	if (got < 0) {
		die("%s: %s", path, strerror(errno));
	}
	return (size_t)got;
}

static size_t newlines_count(const char *bytes, size_t size)
{
	const char *end = bytes + size;
	size_t count = 0;

	while ((bytes = memchr(bytes, '\n', (size_t)(end - bytes))) != NULL) {
		count++;
		bytes++;
	}
	return count;
}

/* Learn what there is in input->path. */
void input_examine(struct input *input, bool may_add_newline)
{
	struct stat status;
	int fd = file_open(input->path, &status);
	char last = '\0';
	size_t got;

	while ((got = file_read(fd, input->path)) != 0) {
		input->size += got;
		input->newlines += newlines_count(bounce, got);
		last = bounce[got - 1];
	}
	close(fd);
	if (input->size == 0) {
		die("%s: is empty", input->path);
	}
	input->add_newline = last != '\n';
	if (input->add_newline && !may_add_newline) {
		die("%s: no newline at the end; --add-newline sorts it as if it had one", input->path);
	}
}

/* Copy the file to paged memory. Returns how many bytes it takes there. */
size_t input_load(const struct input *input, char *text)
{
	struct stat status;
	int fd = file_open(input->path, &status);
	size_t newlines = 0;
	size_t size = 0;
	size_t got;

	while ((got = file_read(fd, input->path)) != 0) {
		if (got > input->size - size) {
			die("%s: changed while it was read", input->path);
		}
		memcpy(text + size, bounce, got);
		newlines += newlines_count(bounce, got);
		size += got;
		progress_add(got);
	}
	close(fd);
	if (size != input->size || newlines != input->newlines || (text[size - 1] != '\n') != input->add_newline) {
		die("%s: changed while it was read", input->path);
	}
	if (input->add_newline) {
		text[size++] = '\n';
	}
	return size;
}
