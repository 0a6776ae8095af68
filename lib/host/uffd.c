/* SPDX-License-Identifier: Apache-2.0 */
/*
 * userfaultfd: one request of the host a function. See uffd.h.
 *
 * The numbers of UFFDIO_MOVE and its features, of Linux 6.8, and PIDFD_SELF of 6.14, are later than the headers that the library may be
 * built with. Nobody ever waits for a door, since pages that trap are the faulting thread's own affair, so nothing wakes anybody.
 */
#include "host/uffd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "host/descriptor.h"
#include "host/failpoint.h"
#include "host/limit.h"
#include "host/memory.h"

#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif

/* struct uffdio_move and UFFDIO_MOVE of later headers, under names of our own. */
struct request_move {
	uint64_t to;
	uint64_t from;
	uint64_t size;
	uint64_t mode;
	int64_t moved; /* by the host: bytes, or -errno */
};

#define REQUEST_MOVE _IOWR(UFFDIO, 0x05, struct request_move)
#define MOVE_DONTWAKE ((uint64_t)1)
#define FEATURE_MOVE ((uint64_t)1 << 16)

/* The calling process instead of a descriptor for it. */
#define PIDFD_SELF_PROCESS (-10001)

#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED 24
#endif

/* A request: 0 or -errno, errno untouched. */
static int request(int fd, unsigned long number, void *argument)
{
	int saved = errno;
	int ret = syscall(SYS_ioctl, fd, number, argument) == 0 ? 0 : -errno;

	errno = saved;
	return ret;
}

int kmem_host_uffd_open(void)
{
	struct uffdio_api api = {.api = UFFD_API, .features = UFFD_FEATURE_SIGBUS | UFFD_FEATURE_PAGEFAULT_FLAG_WP | FEATURE_MOVE};
	int ret = kmem_failpoint();
	int fd;

	if (ret != 0) {
		return ret;
	}
	fd = (int)KMEM_HOST_LIMITED(RLIMIT_NOFILE, SYS_userfaultfd, KMEM_HOST_UFFD_PASS | O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY);
	if (fd < 0) {
		return fd;
	}
	fd = kmem_descriptor_own(fd);
	ret = request(fd, UFFDIO_API, &api);
	if (ret != 0) {
		kmem_descriptor_close(fd);
		return ret;
	}
	return fd;
}

int kmem_host_uffd_register(int fd, uintptr_t addr, size_t size, enum kmem_host_uffd_mode mode)
{
	struct uffdio_register argument = {.range = {.start = addr, .len = size}, .mode = UFFDIO_REGISTER_MODE_WP};
	int ret = kmem_failpoint();

	if (mode == KMEM_HOST_UFFD_TRAP) {
		argument.mode |= UFFDIO_REGISTER_MODE_MISSING;
	}
	return ret != 0 ? ret : request(fd, UFFDIO_REGISTER, &argument);
}

int kmem_host_uffd_move(int fd, uintptr_t to, uintptr_t from, size_t size, size_t *done)
{
	struct request_move argument = {.to = to, .from = from, .size = size, .mode = MOVE_DONTWAKE};
	int ret = kmem_failpoint();

	*done = 0;
	if (ret == 0) {
		ret = request(fd, REQUEST_MOVE, &argument);
		*done = argument.moved > 0 ? (size_t)argument.moved : 0;
	}
	return ret;
}

int kmem_host_uffd_copy(int fd, uintptr_t to, uintptr_t from, size_t size, bool write_protected, size_t *done)
{
	struct uffdio_copy argument = {.dst = to, .src = from, .len = size, .mode = UFFDIO_COPY_MODE_DONTWAKE};
	int ret = kmem_failpoint();

	*done = 0;
	if (write_protected) {
		argument.mode |= UFFDIO_COPY_MODE_WP;
	}
	if (ret == 0) {
		ret = request(fd, UFFDIO_COPY, &argument);
		*done = argument.copy > 0 ? (size_t)argument.copy : 0;
	}
	return ret;
}

int kmem_host_uffd_write_protect(int fd, uintptr_t addr, size_t size, bool write_protected)
{
	struct uffdio_writeprotect argument = {
		.range = {.start = addr, .len = size},
		.mode = write_protected ? UFFDIO_WRITEPROTECT_MODE_WP : UFFDIO_WRITEPROTECT_MODE_DONTWAKE,
	};
	int ret = kmem_failpoint();

	return ret != 0 ? ret : request(fd, UFFDIO_WRITEPROTECT, &argument);
}

/* Pages of the smallest size: others would have to be split first. A host that has none else refuses the advice. */
static void small_pages(uintptr_t addr, size_t size)
{
	int saved = errno;

	(void)madvise((void *)addr, size, MADV_NOHUGEPAGE);
	errno = saved;
}

/* Inaccessible memory, registered before it is anything else: at no moment is an absent page a silent zero. */
static int complete(int fd, uintptr_t addr, size_t size)
{
	int ret;

	small_pages(addr, size);
	ret = kmem_host_uffd_register(fd, addr, size, KMEM_HOST_UFFD_TRAP);
	return ret != 0 ? ret : kmem_host_range_protect(addr, size, KMEM_PROT_READ | KMEM_PROT_WRITE);
}

int kmem_host_uffd_memory_reserve(int fd, uintptr_t addr, size_t size)
{
	int ret = kmem_host_range_reserve(addr, size);

	if (ret != 0) {
		return ret;
	}
	ret = complete(fd, addr, size);
	if (ret != 0) {
		(void)kmem_host_range_release(addr, size);
	}
	return ret;
}

int kmem_host_uffd_memory_replace(int fd, uintptr_t addr, size_t size)
{
	int ret = kmem_host_range_conceal(addr, size);

	if (ret != 0) {
		return ret;
	}
	/* What was there is gone. The rest needs no mapping more than there are, and can be done again. */
	kmem_failpoint_hold();
	ret = complete(fd, addr, size);
	kmem_failpoint_release();
	return ret;
}

int kmem_host_uffd_memory_get(void **addr, size_t size)
{
	int ret = kmem_host_memory_get(addr, size);

	if (ret == 0) {
		small_pages((uintptr_t)*addr, size);
		(void)kmem_host_range_dontdump((uintptr_t)*addr, size);
	}
	return ret;
}

_Static_assert(sizeof(struct kmem_host_part) == sizeof(struct iovec) &&
		       offsetof(struct kmem_host_part, addr) == offsetof(struct iovec, iov_base) &&
		       offsetof(struct kmem_host_part, size) == offsetof(struct iovec, iov_len),
	       "parts are given to the host as they are");

/* Memory that the program has locked, mlockall(2), wants a word of its own. */
static int drop_one(const struct kmem_host_part *part)
{
	int saved = errno;
	int ret = 0;

	if (madvise((void *)part->addr, part->size, MADV_DONTNEED) != 0 &&
	    madvise((void *)part->addr, part->size, MADV_DONTNEED_LOCKED) != 0) {
		ret = -errno;
	}
	errno = saved;
	return ret;
}

static bool drop_all(const struct kmem_host_part *parts, size_t count)
{
	size_t size = 0;
	int saved = errno;
	long done;

	for (size_t i = 0; i < count; i++) {
		size += parts[i].size;
	}
	done = syscall(SYS_process_madvise, PIDFD_SELF_PROCESS, parts, count, MADV_DONTNEED, 0);
	errno = saved;
	return done >= 0 && (size_t)done == size;
}

int kmem_host_pages_drop(const struct kmem_host_part *parts, size_t count)
{
	int ret = kmem_failpoint();

	if (ret != 0 || (count > 1 && drop_all(parts, count))) {
		return ret;
	}
	for (size_t i = 0; i < count && ret == 0; i++) {
		ret = drop_one(&parts[i]);
	}
	return ret;
}

bool kmem_host_is_writable(uintptr_t addr)
{
	int saved = errno;
	bool is_writable = syscall(SYS_clock_gettime, CLOCK_MONOTONIC, (void *)addr) == 0;

	errno = saved;
	return is_writable;
}
