/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files for backing stores and reports. Safe in signal handlers, no cancellation points, errno untouched; 0 or -errno
 * (descriptors: >= 0 or -errno). EINTR is retried. Every one whose failure is told to a caller passes the failpoint first.
 */
#ifndef KMEM_HOST_FILE_H
#define KMEM_HOST_FILE_H

#include <stdbool.h>
#include <stddef.h>

/* Where the environment wants temporary files: $TMPDIR, or "". Not in a trap or under a lock: the environment may be paged memory. */
const char *kmem_host_file_directory(void);

/* An unlinked file of mode 0600 in directory dir (NULL: the environment's; "": /var/tmp, else /tmp). Close-on-exec, high number. */
int kmem_host_file_temporary(const char *dir);

/* Create the file at path, mode 0600, for reading and writing. -EEXIST if there is one, others as open() has them. */
int kmem_host_file_create(const char *path);

/* Open the file at path for reading. */
int kmem_host_file_open(const char *path);

/* Open the file at path for a report: created, or truncated. Does not block; -ENXIO: a named pipe that nobody reads. */
int kmem_host_file_report(const char *path);

/* The same for one more report behind those that are there. */
int kmem_host_file_report_more(const char *path);

/* Whether there is something at path that is no regular file: a device, a pipe, a directory. */
bool kmem_host_file_is_special(const char *path);
bool kmem_host_file_is_directory(const char *path);

/* What a descriptor refers to, to be told from another: device and inode. 0, or -EBADF. */
struct kmem_host_file_identity {
	unsigned long device, inode;
};
int kmem_host_file_identify(int fd, struct kmem_host_file_identity *identity);

/* path, made absolute by the working directory. 0; -ENAMETOOLONG where it does not fit in size bytes with its NUL. */
int kmem_host_path_absolute(const char *path, char *absolute, size_t size);

/* Unlink the file at path. */
void kmem_host_file_remove(const char *path);

void kmem_host_file_close(int fd);

/* All of [offset, offset + size), or an error: -EIO if the file ends before. */
int kmem_host_file_read(int fd, void *buffer, size_t size, size_t offset);
int kmem_host_file_write(int fd, const void *buffer, size_t size, size_t offset);

/* A stretch of memory; as struct iovec has it. */
struct kmem_host_file_part {
	void *bytes;
	size_t size;
};

/* Parts of one transfer at most: the host allows 1024, but they lie on the stack of a handler. 64 pages are worth one call. */
#define KMEM_HOST_FILE_PARTS 64

/* The same with the bytes of several parts, one behind the other; the parts are used up. *done: bytes moved, also before an error. */
int kmem_host_file_read_parts(int fd, struct kmem_host_file_part *parts, size_t count, size_t offset, size_t *done);
int kmem_host_file_write_parts(int fd, struct kmem_host_file_part *parts, size_t count, size_t offset, size_t *done);

/* Append to a stream, pipe or terminal; all of it or an error. One that does not block is waited for, for some seconds: -EAGAIN. */
int kmem_host_file_append(int fd, const void *buffer, size_t size);

/* Copy the first size bytes of one file to another, holes kept where the host can. */
int kmem_host_file_copy(int from, int to, size_t size);

/* Give a range of a file back to the host, where the file system can; the file keeps its size. */
int kmem_host_file_punch(int fd, size_t offset, size_t size);

/* Bytes the file occupies on its device at present. */
int kmem_host_file_usage(int fd, size_t *bytes);

/* Make descriptor `to` refer to what `from` does, and close `from`. */
int kmem_host_file_replace(int from, int to);

#endif /* KMEM_HOST_FILE_H */
