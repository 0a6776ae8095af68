/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mmap() and its kin, as the program finds them: anonymous private memory in the VM, all else from the host.
 *
 * Emulated are anonymous private mappings from a size up (KMEM_MMAP_MIN) that can be read or written. To the host go: files, shared memory,
 * stacks (MAP_STACK, MAP_GROWSDOWN), huge pages, MAP_32BIT, executable memory, and reservations (PROT_NONE), which programs make large
 * and fill by mappings at fixed addresses of their own. An address that is only a hint does not count. What the VM has no room for goes to
 * the host, too, so that programs which reserve enormous ranges run; a line at level info says so.
 *
 * On what is in the VM, every call does what the manual pages say, page by page. On what is outside, the host does. Where a range has pages
 * of both: munmap(), madvise() and locks are split; the others fail with ENOMEM, as for any range with a hole, since the last page of
 * the VM is never mapped. Here are mmap(), munmap() and mprotect(), in map_move.c mremap(), in map_advice.c madvise(), locks and
 * questions. Each says how it differs from the host's; here, a private mapping of a file at a fixed address in the VM becomes a copy of the
 * file's bytes, and a shared one cannot be: ENOMEM.
 *
 * Calls of this library itself and of liburcu, whose memory is in the way of traps, are told by their return address and go to the host. So
 * do all calls before the VM is there. No locks; lib/kernel/space.h has its own.
 */
/* Both names of mmap() are defined here, and are the same on this machine. */
#undef _FILE_OFFSET_BITS

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "host/annotate.h"
#include "host/copy.h"
#include "host/log.h"
#include "host/memory.h"
#include "kernel/kernel.h"
#include "kernel/space.h"
#include "preload/limit.h"
#include "preload/map.h"
#include "preload/preload.h"

#define EXPORT __attribute__((visibility("default")))
#define CALLER() __builtin_return_address(0)

/* Mappings that the host must make, whatever their size. */
#define HOST_FLAGS (MAP_STACK | MAP_GROWSDOWN | MAP_HUGETLB | MAP_32BIT)

/* The device that reads as zeroes. */
#define ZERO_MAJOR 1
#define ZERO_MINOR 5

#define PROT_ALL (PROT_READ | PROT_WRITE | PROT_EXEC)

int kmem_map_result(int ret)
{
	if (ret < 0) {
		errno = -ret;
		return -1;
	}
	return ret;
}

void *kmem_map_failed(int error)
{
	errno = error;
	return MAP_FAILED;
}

bool kmem_map_is_hosts(const void *caller)
{
	if ((const char *)caller >= __start_kmem_callbacks && (const char *)caller < __stop_kmem_callbacks) {
		return false;
	}
	return !atomic_load_explicit(&kmem_preload_is_ready, memory_order_acquire) ||
	       kmem_preload_is_in(&kmem_preload_self, caller) || kmem_preload_is_in(&kmem_preload_rcu, caller);
}

enum kmem_map_place kmem_map_place_of(uintptr_t addr, size_t size)
{
	uintptr_t end = addr + size;

	if (end <= kmem_map_vm_start() || addr >= kmem_map_vm_end()) {
		return kmem_space_covers(addr) ? KMEM_MAP_INSIDE : KMEM_MAP_OUTSIDE;
	}
	return addr >= kmem_map_vm_start() && end <= kmem_map_vm_end() ? KMEM_MAP_INSIDE : KMEM_MAP_ASTRIDE;
}

/* What can be written or executed can be read, on this machine. */
static unsigned int prot_of(int prot)
{
	return (prot & PROT_ALL) == 0 ? KMEM_PROT_NONE : ((unsigned int)prot & PROT_ALL) | KMEM_PROT_READ;
}

void *kmem_map_host(void *addr, size_t size, int prot, int flags, int fd, off_t offset)
{
	return (void *)syscall(SYS_mmap, addr, size, prot, flags, fd, offset);
}

int kmem_map_host_munmap(void *addr, size_t size)
{
	return (int)syscall(SYS_munmap, addr, size);
}

void kmem_map_page_in(uintptr_t addr, size_t size, bool is_write)
{
	size_t ram = kmem_kernel.settings.ram_usable;

	/* What comes in beyond that drives out what came before. */
	kmem_space_page_in(addr, size < ram ? size : ram, is_write);
}

/*
 * mmap()
 */

static bool is_emulated(size_t size, int prot, int flags)
{
	return (flags & MAP_TYPE) == MAP_PRIVATE && (flags & MAP_ANONYMOUS) != 0 && (flags & HOST_FLAGS) == 0 &&
	       (prot & (PROT_READ | PROT_WRITE)) != 0 && (prot & ~(PROT_READ | PROT_WRITE)) == 0 &&
	       size >= kmem_preload_options.map_threshold;
}

/* What a new mapping's flags ask for beside. */
static void populate(uintptr_t addr, size_t size, int prot, int flags)
{
	if ((flags & MAP_LOCKED) != 0) {
		(void)kmem_space_pin(addr, size);
	} else if ((flags & MAP_POPULATE) != 0 && (flags & MAP_NONBLOCK) == 0) {
		kmem_map_page_in(addr, size, (prot & PROT_WRITE) != 0);
	}
}

/* Wherever the VM has room, or the host. */
static void *map_anywhere(void *hint, size_t size, int prot, int flags)
{
	uintptr_t addr = kmem_space_covers((uintptr_t)hint) ? kmem_page_floor((uintptr_t)hint) : 0;
	size_t pages = kmem_map_pages(size);
	int ret;

	if (!kmem_limit_allows(size)) {
		return kmem_map_failed(ENOMEM);
	}
	ret = pages == 0 ? -ENOMEM : kmem_space_map(&addr, pages, kmem_page_size(), prot_of(prot), KMEM_SPACE_ANYWHERE);
	if (ret != 0) {
		kmem_log(KMEM_LOG_INFO, "mmap: %zu bytes are more than the VM has room for (%zu), and are not paged", size,
			 kmem_space_free_get());
		return kmem_map_host(hint, size, prot, flags, -1, 0);
	}
	populate(addr, pages, prot, flags);
	return (void *)addr;
}

/* The bytes of a file to mapped memory. 0 or -errno. */
static int bytes_read(uintptr_t addr, size_t size, int fd, off_t offset)
{
	unsigned char buffer[4096];
	size_t done = 0;

	while (done < size) {
		size_t wanted = size - done < sizeof(buffer) ? size - done : sizeof(buffer);
		long got = syscall(SYS_pread64, fd, buffer, wanted, offset + (off_t)done);

		if (got < 0 && errno == EINTR) {
			continue;
		}
		if (got <= 0) {
			return got == 0 ? 0 : -errno;
		}
		(void)kmem_copy((void *)(addr + done), buffer, (size_t)got);
		done += (size_t)got;
	}
	return 0;
}

static bool is_zero_device(const struct stat *status)
{
	return S_ISCHR(status->st_mode) && status->st_rdev == makedev(ZERO_MAJOR, ZERO_MINOR);
}

/* Whether a file can be mapped privately: 0 or -errno. What that of zeroes is, is anonymous memory. */
static int file_check(int fd, bool *is_zero)
{
	struct stat status;
	int flags = fcntl(fd, F_GETFL);

	*is_zero = false;
	if (flags < 0 || fstat(fd, &status) != 0) {
		return -errno;
	}
	if ((flags & O_ACCMODE) == O_WRONLY || (flags & O_PATH) != 0) {
		return (flags & O_PATH) != 0 ? -EBADF : -EACCES;
	}
	*is_zero = is_zero_device(&status);
	return S_ISREG(status.st_mode) || *is_zero ? 0 : -ENODEV;
}

/* A private mapping of a file in the VM: a copy. */
static int map_file_copy(uintptr_t addr, size_t size, int prot, int fd, off_t offset, enum kmem_space_place place)
{
	bool is_zero;
	int ret = file_check(fd, &is_zero);

	if (ret == 0 && is_zero) {
		return kmem_space_map(&addr, size, kmem_page_size(), prot_of(prot), place);
	}
	ret = ret == 0 ? kmem_space_map(&addr, size, kmem_page_size(), KMEM_PROT_READ | KMEM_PROT_WRITE, place) : ret;
	if (ret != 0) {
		return ret;
	}
	ret = bytes_read(addr, size, fd, offset);
	ret = ret == 0 ? kmem_space_protect(addr, size, prot_of(prot)) : ret;
	if (ret != 0) {
		(void)kmem_space_unmap(addr, size);
	}
	return ret;
}

/* At a fixed address in the VM. */
static void *map_fixed(uintptr_t addr, size_t size, int prot, int flags, int fd, off_t offset)
{
	enum kmem_space_place place =
		(flags & MAP_FIXED_NOREPLACE) == MAP_FIXED_NOREPLACE ? KMEM_SPACE_FIXED_NOREPLACE : KMEM_SPACE_FIXED;
	int ret;

	if (!kmem_map_is_aligned(addr) || !kmem_map_is_aligned((uintptr_t)offset)) {
		return kmem_map_failed(EINVAL);
	}
	if ((flags & MAP_TYPE) != MAP_PRIVATE || (flags & HOST_FLAGS & ~MAP_STACK) != 0) {
		return kmem_map_failed((flags & MAP_TYPE) == 0 ? EINVAL : ENOMEM);
	}
	if ((flags & MAP_ANONYMOUS) != 0) {
		ret = kmem_space_map(&addr, size, kmem_page_size(), prot_of(prot), place);
	} else {
		ret = map_file_copy(addr, size, prot, fd, offset, place);
	}
	if (ret != 0) {
		return kmem_map_failed(-ret);
	}
	populate(addr, size, prot, flags);
	return (void *)addr;
}

static void *map(void *addr, size_t size, int prot, int flags, int fd, off_t offset)
{
	bool is_fixed = (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) != 0;
	size_t pages = kmem_map_pages(size);

	if (size == 0) {
		return kmem_map_failed(EINVAL);
	}
	if (!is_fixed) {
		return is_emulated(size, prot, flags) && kmem_map_is_aligned((uintptr_t)offset) ? map_anywhere(addr, size, prot, flags)
										     : kmem_map_host(addr, size, prot, flags, fd, offset);
	}
	if (pages == 0 || pages > UINTPTR_MAX - (uintptr_t)addr) {
		return kmem_map_failed(ENOMEM);
	}
	switch (kmem_map_place_of((uintptr_t)addr, pages)) {
	case KMEM_MAP_OUTSIDE:
		return kmem_map_host(addr, size, prot, flags, fd, offset);
	case KMEM_MAP_INSIDE:
		return map_fixed((uintptr_t)addr, pages, prot, flags, fd, offset);
	default:
		return kmem_map_failed(ENOMEM);
	}
}

EXPORT void *mmap(void *addr, size_t size, int prot, int flags, int fd, off_t offset)
{
	return kmem_map_is_hosts(CALLER()) ? kmem_map_host(addr, size, prot, flags, fd, offset) : map(addr, size, prot, flags, fd, offset);
}

EXPORT void *mmap64(void *addr, size_t size, int prot, int flags, int fd, off64_t offset)
{
	return kmem_map_is_hosts(CALLER()) ? kmem_map_host(addr, size, prot, flags, fd, offset) : map(addr, size, prot, flags, fd, offset);
}

/*
 * Ranges that may lie astride, and munmap()
 */

struct kmem_map_parts kmem_map_parts_of(uintptr_t addr, size_t size)
{
	uintptr_t end = addr + size;

	return (struct kmem_map_parts){
		.before = addr,
		.start = addr > kmem_map_vm_start() ? addr : kmem_map_vm_start(),
		.end = end < kmem_map_vm_end() ? end : kmem_map_vm_end(),
		.after = end,
	};
}

int kmem_map_each_part(uintptr_t addr, size_t size, int (*inside)(uintptr_t addr, size_t size), long host_call)
{
	struct kmem_map_parts parts = kmem_map_parts_of(addr, size);
	int ret = inside(parts.start, parts.end - parts.start);

	if (parts.before < parts.start && syscall(host_call, parts.before, parts.start - parts.before, 0) != 0 && ret == 0) {
		ret = -errno;
	}
	if (parts.end < parts.after && syscall(host_call, parts.end, parts.after - parts.end, 0) != 0 && ret == 0) {
		ret = -errno;
	}
	return ret;
}

EXPORT int munmap(void *addr, size_t size)
{
	size_t pages = kmem_map_pages(size);

	if (kmem_map_is_hosts(CALLER()) || pages == 0 || !kmem_map_is_aligned((uintptr_t)addr) || pages > UINTPTR_MAX - (uintptr_t)addr ||
	    kmem_map_place_of((uintptr_t)addr, pages) == KMEM_MAP_OUTSIDE) {
		return kmem_map_host_munmap(addr, size);
	}
	return kmem_map_result(kmem_map_each_part((uintptr_t)addr, pages, kmem_space_unmap, SYS_munmap));
}

/*
 * mprotect()
 */

/* What lies before a hole is changed, as the host does it. */
static int protect_before_hole(uintptr_t addr, size_t size, unsigned int prot)
{
	size_t mapped = 0;

	while (mapped < size && kmem_space_prot_get(addr + mapped) >= 0) {
		mapped += kmem_page_size();
	}
	if (mapped != 0) {
		(void)kmem_space_protect(addr, mapped, prot);
	}
	return -ENOMEM;
}

static int protect(uintptr_t addr, size_t size, int prot)
{
	size_t pages = kmem_map_pages(size);
	int ret;

	if (!kmem_map_is_aligned(addr) || (prot & ~(PROT_ALL | 0x8 /* PROT_SEM, which means nothing here */)) != 0) {
		return -EINVAL;
	}
	if (size == 0) {
		return 0;
	}
	if (pages == 0 || pages > UINTPTR_MAX - addr || kmem_map_place_of(addr, pages) != KMEM_MAP_INSIDE) {
		return -ENOMEM;
	}
	ret = kmem_space_protect(addr, pages, prot_of(prot));
	return ret == -ENOMEM ? protect_before_hole(addr, pages, prot_of(prot)) : ret;
}

EXPORT int mprotect(void *addr, size_t size, int prot)
{
	if (kmem_map_is_hosts(CALLER()) || kmem_map_place_of((uintptr_t)addr, kmem_map_pages(size)) == KMEM_MAP_OUTSIDE) {
		return (int)syscall(SYS_mprotect, addr, size, prot);
	}
	return kmem_map_result(protect((uintptr_t)addr, size, prot));
}

/* Keys of protection are the host's pages'; without one it is mprotect(). */
EXPORT int pkey_mprotect(void *addr, size_t size, int prot, int key)
{
	if (kmem_map_is_hosts(CALLER()) || kmem_map_place_of((uintptr_t)addr, kmem_map_pages(size)) == KMEM_MAP_OUTSIDE) {
		return (int)syscall(SYS_pkey_mprotect, addr, size, prot, key);
	}
	return kmem_map_result(key == -1 ? protect((uintptr_t)addr, size, prot) : -EINVAL);
}
