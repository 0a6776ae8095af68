/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files, by raw system calls where libc's functions are cancellation points: these run in handlers of memory traps, and a
 * cancelled thread must not leave in the middle.
 */
#include "host/file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "host/descriptor.h"
#include "host/failpoint.h"
#include "host/limit.h"
#include "host/log.h"
#include "host/process.h"

/* Bytes moved at a time, on the stack. */
#define COPY_SIZE 8192

/* How long a stream that does not block may take nothing: long for a reader at work, and an end for one that has stopped. */
#define APPEND_WAIT_MS 2000

/* The result of a system call, with errno put back. */
static long result(long value, int saved)
{
	long ret = value < 0 ? -errno : value;

	errno = saved;
	return ret;
}

static int file_open(const char *path, int flags, mode_t mode)
{
	int ret = kmem_failpoint();

	if (ret != 0) {
		return ret;
	}
	do {
		ret = (int)KMEM_HOST_LIMITED(RLIMIT_NOFILE, SYS_openat, AT_FDCWD, (long)path, flags | O_CLOEXEC,
					     (long)mode);
	} while (ret == -EINTR);
	return ret < 0 ? ret : kmem_descriptor_own(ret);
}

/* A file under a name of its own, unlinked at once, for file systems without O_TMPFILE. */
static int temporary_by_name(const char *dir)
{
	static unsigned int serial;

	for (unsigned int tries = 0; tries < 100; tries++) {
		char path[4096];
		int fd;

		(void)kmem_format(path, sizeof(path), "%s/kmem-%d-%u", dir, kmem_process_id(),
				  __atomic_fetch_add(&serial, 1, __ATOMIC_RELAXED));
		fd = file_open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
		if (fd == -EEXIST) {
			continue;
		}
		if (fd >= 0) {
			(void)unlink(path);
		}
		return fd;
	}
	return -EEXIST;
}

static int temporary_in(const char *dir)
{
	int fd = file_open(dir, O_RDWR | O_TMPFILE, 0600);

	if (fd == -EOPNOTSUPP || fd == -EISDIR || fd == -EINVAL) {
		return temporary_by_name(dir);
	}
	return fd;
}

const char *kmem_host_file_directory(void)
{
	const char *dir = getenv("TMPDIR");

	return dir != NULL ? dir : "";
}

int kmem_host_file_temporary(const char *dir)
{
	int fd;

	if (dir == NULL) {
		dir = kmem_host_file_directory();
	}
	if (dir[0] != '\0') {
		return temporary_in(dir);
	}
	fd = temporary_in("/var/tmp");
	return fd >= 0 ? fd : temporary_in("/tmp");
}

int kmem_host_file_create(const char *path)
{
	return file_open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
}

int kmem_host_file_open(const char *path)
{
	return file_open(path, O_RDONLY, 0);
}

int kmem_host_file_report(const char *path)
{
	return file_open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK, 0666);
}

int kmem_host_file_report_more(const char *path)
{
	return file_open(path, O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK, 0666);
}

/* The type of the file at path, 0 if there is none. */
static mode_t file_type(const char *path)
{
	int saved = errno;
	struct stat status;
	mode_t type = stat(path, &status) == 0 ? status.st_mode & S_IFMT : 0;

	errno = saved;
	return type;
}

bool kmem_host_file_is_special(const char *path)
{
	mode_t type = file_type(path);

	return type != 0 && type != S_IFREG;
}

bool kmem_host_file_is_directory(const char *path)
{
	return file_type(path) == S_IFDIR;
}

int kmem_host_file_identify(int fd, struct kmem_host_file_identity *identity)
{
	int saved = errno;
	struct stat status;
	int ret = (int)result(fstat(fd, &status), saved);

	if (ret == 0) {
		identity->device = status.st_dev;
		identity->inode = status.st_ino;
	}
	return ret;
}

int kmem_host_path_absolute(const char *path, char *absolute, size_t size)
{
	int saved = errno;
	size_t used = 0;
	int length;

	/* Where there is no working directory any more, a relative path stays what it is. */
	if (path[0] != '/' && getcwd(absolute, size) != NULL) {
		used = strlen(absolute);
	}
	errno = saved;
	if (used >= size) {
		return -ENAMETOOLONG;
	}
	length = kmem_format(absolute + used, size - used, "%s%s", used > 1 ? "/" : "", path);
	return (size_t)length < size - used ? 0 : -ENAMETOOLONG;
}

void kmem_host_file_remove(const char *path)
{
	int saved = errno;

	(void)unlink(path);
	errno = saved;
}

void kmem_host_file_close(int fd)
{
	kmem_descriptor_close(fd);
}

/* Repeat a transfer until all of it is done. */
static int transfer(long number, int fd, char *buffer, size_t size, size_t offset)
{
	int ret = kmem_failpoint();

	if (ret != 0) {
		return ret;
	}
	while (size > 0) {
		long done = KMEM_HOST_LIMITED(RLIMIT_FSIZE, number, fd, (long)buffer, (long)size, (long)offset);

		if (done == -EINTR) {
			continue;
		}
		if (done <= 0) {
			return done < 0 ? (int)done : -EIO;
		}
		buffer += done;
		size -= (size_t)done;
		offset += (size_t)done;
	}
	return 0;
}

int kmem_host_file_read(int fd, void *buffer, size_t size, size_t offset)
{
	return transfer(SYS_pread64, fd, buffer, size, offset);
}

int kmem_host_file_write(int fd, const void *buffer, size_t size, size_t offset)
{
	return transfer(SYS_pwrite64, fd, (char *)buffer, size, offset);
}

_Static_assert(sizeof(struct kmem_host_file_part) == sizeof(struct iovec) &&
		       offsetof(struct kmem_host_file_part, bytes) == offsetof(struct iovec, iov_base) &&
		       offsetof(struct kmem_host_file_part, size) == offsetof(struct iovec, iov_len),
	       "parts are given to the host as they are");

/* What is left of parts of which so many bytes are done. */
static void parts_advance(struct kmem_host_file_part **parts, size_t *count, size_t done)
{
	while (*count > 0 && done >= (*parts)->size) {
		done -= (*parts)->size;
		(*parts)++;
		(*count)--;
	}
	if (*count > 0) {
		(*parts)->bytes = (char *)(*parts)->bytes + done;
		(*parts)->size -= done;
	}
}

/* Repeat a transfer of parts until all of them are done. Of the offset, the host takes the upper half from elsewhere, and shifts it out. */
static int transfer_parts(long number, int fd, struct kmem_host_file_part *parts, size_t count, size_t offset, size_t *done)
{
	int ret = kmem_failpoint();

	*done = 0;
	if (ret != 0) {
		return ret;
	}
	while (count > 0) {
		long moved = KMEM_HOST_LIMITED(RLIMIT_FSIZE, number, fd, (long)parts, (long)count, (long)(offset + *done));

		if (moved == -EINTR) {
			continue;
		}
		if (moved <= 0) {
			return moved < 0 ? (int)moved : -EIO;
		}
		*done += (size_t)moved;
		parts_advance(&parts, &count, (size_t)moved);
	}
	return 0;
}

int kmem_host_file_read_parts(int fd, struct kmem_host_file_part *parts, size_t count, size_t offset, size_t *done)
{
	return transfer_parts(SYS_preadv, fd, parts, count, offset, done);
}

int kmem_host_file_write_parts(int fd, struct kmem_host_file_part *parts, size_t count, size_t offset, size_t *done)
{
	return transfer_parts(SYS_pwritev, fd, parts, count, offset, done);
}

/* Wait until a stream that does not block takes more: false where it does not for APPEND_WAIT_MS. */
static bool append_wait(int fd)
{
	struct pollfd stream = {.fd = fd, .events = POLLOUT};
	int saved = errno;
	long ret;

	do {
		ret = result(syscall(SYS_poll, &stream, 1, APPEND_WAIT_MS), saved);
	} while (ret == -EINTR);
	return ret > 0;
}

int kmem_host_file_append(int fd, const void *buffer, size_t size)
{
	const char *rest = buffer;

	while (size > 0) {
		long done = KMEM_HOST_LIMITED(RLIMIT_FSIZE, SYS_write, fd, (long)rest, (long)size);

		if (done == -EINTR || (done == -EAGAIN && append_wait(fd))) {
			continue;
		}
		if (done < 0) {
			return (int)done;
		}
		rest += done;
		size -= (size_t)done;
	}
	return 0;
}

/* Copy a stretch that holds data. */
static int copy_stretch(int from, int to, size_t offset, size_t end)
{
	char buffer[COPY_SIZE];

	while (offset < end) {
		size_t size = end - offset < sizeof(buffer) ? end - offset : sizeof(buffer);
		int ret = kmem_host_file_read(from, buffer, size, offset);

		if (ret == 0) {
			ret = kmem_host_file_write(to, buffer, size, offset);
		}
		if (ret != 0) {
			return ret;
		}
		offset += size;
	}
	return 0;
}

int kmem_host_file_copy(int from, int to, size_t size)
{
	int saved = errno;
	size_t offset = 0;
	int ret = (int)result(ftruncate(to, 0), saved); /* holes must not show what it had */

	while (offset < size && ret == 0) {
		long data = result(lseek(from, (off_t)offset, SEEK_DATA), saved);
		long hole;

		if (data == -ENXIO || data >= (long)size) {
			break; /* nothing but a hole is left */
		}
		if (data < 0) {
			return copy_stretch(from, to, offset, size);
		}
		hole = result(lseek(from, data, SEEK_HOLE), saved);
		if (hole < 0 || hole > (long)size) {
			hole = (long)size;
		}
		ret = copy_stretch(from, to, (size_t)data, (size_t)hole);
		offset = (size_t)hole;
	}
	return ret != 0 ? ret : (int)KMEM_HOST_LIMITED(RLIMIT_FSIZE, SYS_ftruncate, to, (long)size);
}

int kmem_host_file_punch(int fd, size_t offset, size_t size)
{
	int saved = errno;

	return (int)result(syscall(SYS_fallocate, fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)size),
			   saved);
}

int kmem_host_file_usage(int fd, size_t *bytes)
{
	int saved = errno;
	struct stat status;
	int ret = (int)result(fstat(fd, &status), saved);

	if (ret == 0) {
		*bytes = (size_t)status.st_blocks * 512; /* st_blocks counts units of 512 bytes */
	}
	return ret;
}

int kmem_host_file_replace(int from, int to)
{
	int ret = (int)KMEM_HOST_LIMITED(RLIMIT_NOFILE, SYS_dup3, from, to, O_CLOEXEC);

	if (ret < 0) {
		return ret;
	}
	kmem_host_file_close(from);
	return 0;
}
