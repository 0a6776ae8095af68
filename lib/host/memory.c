/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's memory: one system call a function, errno left as it was.
 */
#include "host/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/descriptor.h"
#include "host/failpoint.h"
#include "host/limit.h"

_Static_assert((int)KMEM_PROT_READ == PROT_READ && (int)KMEM_PROT_WRITE == PROT_WRITE && (int)KMEM_PROT_EXEC == PROT_EXEC &&
		       (int)KMEM_PROT_NONE == PROT_NONE,
	       "enum kmem_prot is the host's");

/* What the reservation is made of: alike everywhere, so that the host merges what is concealed with what is around it. */
#define RESERVE_FLAGS (MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE)

/* What files are mapped with: alike everywhere, too. */
#define SHARED_FLAGS (MAP_SHARED | MAP_NORESERVE)

/* Later than the headers that the library is built with: guard markers came with Linux 6.13, for files with 6.15. */
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#define MADV_GUARD_REMOVE 103
#endif

size_t kmem_host_page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

size_t kmem_host_page_round(size_t size)
{
	size_t page = kmem_host_page_size();

	return (size + page - 1) / page * page;
}

/*
 * Where a page's frame is mapped, or concealed, the host call is made directly: to ThreadSanitizer the C library's mmap() is a
 * write to every byte, which would race with the program's threads.
 */
static void *map_fixed(void *addr, size_t size, int prot, int flags, int fd, size_t offset)
{
	return (void *)syscall(SYS_mmap, addr, size, prot, flags, fd, offset);
}

/* Map, and tell the error without touching errno. */
static int map(void **addr, size_t size, int prot, int flags, int fd, size_t offset)
{
	int saved = errno;
	int ret = kmem_failpoint();
	void *got;

	if (ret != 0) {
		return ret;
	}
	if ((flags & MAP_FIXED) != 0) {
		got = map_fixed(*addr, size, prot, flags, fd, offset);
	} else {
		got = mmap(*addr, size, prot, flags, fd, (off_t)offset);
	}
	if (got == MAP_FAILED) {
		ret = -errno;
		errno = saved;
		return ret;
	}
	*addr = got;
	return 0;
}

/* The result of a call that returns 0 or sets errno, which is put back. */
static int result(int value, int saved)
{
	int ret = value == 0 ? 0 : -errno;

	errno = saved;
	return ret;
}

/* Map where nothing is yet, inaccessible. */
static int reserve(uintptr_t addr, size_t size, int flags, int fd, size_t offset)
{
	void *got = (void *)addr;
	int ret = map(&got, size, PROT_NONE, flags | MAP_FIXED_NOREPLACE, fd, offset);

	if (ret == 0 && got != (void *)addr) {
		/* Hosts before Linux 4.17 take the address for a hint. */
		(void)kmem_host_range_release((uintptr_t)got, size);
		return -EEXIST;
	}
	return ret;
}

int kmem_host_range_reserve(uintptr_t addr, size_t size)
{
	return reserve(addr, size, RESERVE_FLAGS, -1, 0);
}

int kmem_host_file_reserve(uintptr_t addr, size_t size, int fd, size_t offset)
{
	return reserve(addr, size, SHARED_FLAGS, fd, offset);
}

int kmem_host_file_reserve_anywhere(void **addr, size_t size, int fd)
{
	*addr = NULL;
	return map(addr, size, PROT_NONE, SHARED_FLAGS, fd, 0);
}

int kmem_host_range_release(uintptr_t addr, size_t size)
{
	int saved = errno;

	return result(munmap((void *)addr, size), saved);
}

int kmem_host_range_conceal(uintptr_t addr, size_t size)
{
	void *at = (void *)addr;

	return map(&at, size, PROT_NONE, RESERVE_FLAGS | MAP_FIXED, -1, 0);
}

int kmem_host_range_protect(uintptr_t addr, size_t size, unsigned int prot)
{
	int saved = errno;
	int ret = kmem_failpoint();

	return ret != 0 ? ret : result(mprotect((void *)addr, size, (int)prot), saved);
}

int kmem_host_range_dontfork(uintptr_t addr, size_t size, bool dontfork)
{
	int saved = errno;

	return result(madvise((void *)addr, size, dontfork ? MADV_DONTFORK : MADV_DOFORK), saved);
}

int kmem_host_range_wipeonfork(uintptr_t addr, size_t size)
{
	int saved = errno;

	return result(madvise((void *)addr, size, MADV_WIPEONFORK), saved);
}

int kmem_host_range_dontdump(uintptr_t addr, size_t size)
{
	int saved = errno;

	return result(madvise((void *)addr, size, MADV_DONTDUMP), saved);
}

/* Advice whose failure is told: made directly, as in map_fixed(). */
static int advise(uintptr_t addr, size_t size, int advice)
{
	int saved = errno;
	int ret = kmem_failpoint();

	return ret != 0 ? ret : result((int)syscall(SYS_madvise, addr, size, advice), saved);
}

int kmem_host_range_guard(uintptr_t addr, size_t size)
{
	return advise(addr, size, MADV_GUARD_INSTALL);
}

int kmem_host_range_unguard(uintptr_t addr, size_t size)
{
	return advise(addr, size, MADV_GUARD_REMOVE);
}

int kmem_host_range_populate(uintptr_t addr, size_t size, unsigned int prot)
{
	return advise(addr, size, (prot & KMEM_PROT_WRITE) != 0 ? MADV_POPULATE_WRITE : MADV_POPULATE_READ);
}

int kmem_host_file_map(uintptr_t addr, size_t size, int fd, size_t offset, unsigned int prot)
{
	void *at = (void *)addr;

	return map(&at, size, (int)prot, SHARED_FLAGS | MAP_FIXED, fd, offset);
}

int kmem_host_file_map_anywhere(void **addr, size_t size, int fd)
{
	*addr = NULL;
	return map(addr, size, PROT_READ | PROT_WRITE, SHARED_FLAGS, fd, 0);
}

int kmem_host_memfd_create(const char *name, size_t size)
{
	int ret = kmem_failpoint();
	int fd;

	if (ret != 0) {
		return ret;
	}
	fd = (int)KMEM_HOST_LIMITED(RLIMIT_NOFILE, SYS_memfd_create, (long)name, MFD_CLOEXEC);
	if (fd < 0) {
		return fd;
	}
	fd = kmem_descriptor_own(fd);
	ret = (int)KMEM_HOST_LIMITED(RLIMIT_FSIZE, SYS_ftruncate, fd, (long)size);
	if (ret != 0) {
		kmem_descriptor_close(fd);
		return ret;
	}
	return fd;
}

int kmem_host_memfd_populate(int fd, size_t offset, size_t size)
{
	int ret = kmem_failpoint();

	return ret != 0 ? ret : (int)KMEM_HOST_LIMITED(RLIMIT_FSIZE, SYS_fallocate, fd, 0, (long)offset, (long)size);
}

int kmem_host_memfd_data(int fd, size_t offset, size_t *start, size_t *end)
{
	int saved = errno;
	off_t data = lseek(fd, (off_t)offset, SEEK_DATA);
	off_t hole = data < 0 ? data : lseek(fd, data, SEEK_HOLE);
	int ret = result(hole < 0 ? -1 : 0, saved);

	if (ret == 0) {
		*start = (size_t)data;
		*end = (size_t)hole;
	}
	return ret;
}

int kmem_host_private_put(uintptr_t addr, const void *from, size_t size, unsigned int prot)
{
	int saved = errno;
	void *copy;
	int ret = kmem_host_memory_get(&copy, size);

	if (ret != 0) {
		return ret;
	}
	memcpy(copy, from, size);
	ret = kmem_host_range_protect((uintptr_t)copy, size, prot);
	if (ret == 0 && mremap(copy, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)addr) == MAP_FAILED) {
		ret = -errno;
		errno = saved;
	}
	if (ret != 0) {
		kmem_host_memory_free(copy, size);
	}
	return ret;
}

int kmem_host_memory_get(void **addr, size_t size)
{
	*addr = NULL;
	return map(addr, size, PROT_READ | PROT_WRITE, RESERVE_FLAGS, -1, 0);
}

void kmem_host_memory_free(void *addr, size_t size)
{
	(void)kmem_host_range_release((uintptr_t)addr, size);
}

/* Mappings of the spare memory: a call that replaces a piece in the middle of another takes two at most. */
#define SPARE_MAPPINGS 16

int kmem_host_spare_get(void **spare)
{
	size_t page = kmem_host_page_size();
	int ret;

	*spare = NULL;
	ret = map(spare, SPARE_MAPPINGS * page, PROT_NONE, RESERVE_FLAGS, -1, 0);
	/* Every other page differs in its permission, so that the host cannot merge them. */
	for (size_t i = 1; i < SPARE_MAPPINGS && ret == 0; i += 2) {
		ret = kmem_host_range_protect((uintptr_t)*spare + i * page, page, KMEM_PROT_READ);
		if (ret != 0) {
			kmem_host_spare_free(*spare);
		}
	}
	return ret;
}

void kmem_host_spare_free(void *spare)
{
	kmem_host_memory_free(spare, SPARE_MAPPINGS * kmem_host_page_size());
}
