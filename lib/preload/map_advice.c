/* SPDX-License-Identifier: Apache-2.0 */
/*
 * madvise(), locks and questions about memory, as the program finds them: see map.c. What differs from the host:
 *
 *   - MADV_FREE forgets at once. MADV_WIPEONFORK fails with EINVAL, and after MADV_DONTFORK children have a copy all the same.
 *   - mlock() pins frames of the emulated RAM: it fails with ENOMEM where less than one in FRAMES_KEPT would be left to page with. A single
 *     range longer than RLIMIT_MEMLOCK fails; sums are not counted. MLOCK_ONFAULT locks at once.
 *   - mlockall() locks what is outside the VM as it is touched. The VM is larger than RAM by design, and its pages go on being
 *     paged; MCL_FUTURE does not concern them either.
 *
 * Nothing here holds a lock of libkmem's.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <kmem/kmem.h>

#include "host/copy.h"
#include "host/log.h"
#include "kernel/kernel.h"
#include "kernel/space.h"
#include "preload/map.h"
#include "preload/preload.h"

#define EXPORT __attribute__((visibility("default")))
#define CALLER() __builtin_return_address(0)

/* Newer than some headers. */
#define ADVICE_COLD 20
#define ADVICE_PAGEOUT 21
#define ADVICE_POPULATE_READ 22
#define ADVICE_POPULATE_WRITE 23
#define ADVICE_DONTNEED_LOCKED 24
#define ADVICE_COLLAPSE 25

/* One frame in this many stays for paging when memory is locked, and this many at least. */
#define FRAMES_KEPT 8
#define FRAMES_KEPT_MIN 16

/*
 * madvise()
 */

static int advise_nothing(uintptr_t addr, size_t size)
{
	return kmem_space_is_mapped(addr, size) ? 0 : -ENOMEM;
}

/* What the library makes of it; whether it can be done at the moment is nothing that the host would tell. */
static int advise_kernel(uintptr_t addr, size_t size, enum kmem_advice advice)
{
	(void)kmem_advise((void *)addr, size, advice);
	return advise_nothing(addr, size);
}

static int advise_normal(uintptr_t addr, size_t size)
{
	return advise_kernel(addr, size, KMEM_ADVICE_NORMAL);
}

static int advise_random(uintptr_t addr, size_t size)
{
	return advise_kernel(addr, size, KMEM_ADVICE_RANDOM);
}

static int advise_sequential(uintptr_t addr, size_t size)
{
	return advise_kernel(addr, size, KMEM_ADVICE_SEQUENTIAL);
}

static int advise_page_in(uintptr_t addr, size_t size)
{
	return advise_kernel(addr, size, KMEM_ADVICE_WILL_NEED);
}

/* Not what is locked. */
static int advise_cold(uintptr_t addr, size_t size)
{
	int ret = kmem_space_unpinned_check(addr, size);

	return ret != 0 ? ret : advise_kernel(addr, size, KMEM_ADVICE_COLD);
}

/* The same; of the rest as much as the store has room for. */
static int advise_page_out(uintptr_t addr, size_t size)
{
	int ret = kmem_space_unpinned_check(addr, size);

	return ret != 0 ? ret : advise_kernel(addr, size, KMEM_ADVICE_WILL_NOT_NEED);
}

/* All of it is there and allows the access, and is in, as far as RAM goes. */
static int advise_populate(uintptr_t addr, size_t size, unsigned int prot)
{
	for (size_t done = 0; done < size; done += kmem_page_size()) {
		int has = kmem_space_prot_get(addr + done);

		if (has < 0 || ((unsigned int)has & prot) == 0) {
			return has < 0 ? -ENOMEM : -EINVAL;
		}
	}
	kmem_map_page_in(addr, size, prot == KMEM_PROT_WRITE);
	return 0;
}

static int advise_populate_read(uintptr_t addr, size_t size)
{
	return advise_populate(addr, size, KMEM_PROT_READ);
}

static int advise_populate_write(uintptr_t addr, size_t size)
{
	return advise_populate(addr, size, KMEM_PROT_WRITE);
}

/* What to do in the VM; NULL for advice that does not apply to private anonymous memory, or is unknown. */
static int (*adviser_of(int advice))(uintptr_t addr, size_t size)
{
	switch (advice) {
	case MADV_NORMAL:
		return advise_normal;
	case MADV_RANDOM:
		return advise_random;
	case MADV_SEQUENTIAL:
		return advise_sequential;
	case MADV_DONTFORK:
	case MADV_DOFORK:
	case MADV_KEEPONFORK:
	case MADV_MERGEABLE:
	case MADV_UNMERGEABLE:
	case MADV_HUGEPAGE:
	case MADV_NOHUGEPAGE:
	case MADV_DONTDUMP:
	case MADV_DODUMP:
	case ADVICE_COLLAPSE:
		return advise_nothing;
	case MADV_DONTNEED:
	case MADV_FREE:
		return kmem_space_discard;
	case ADVICE_DONTNEED_LOCKED:
		return kmem_space_discard_pinned;
	case MADV_WILLNEED:
		return advise_page_in;
	case ADVICE_COLD:
		return advise_cold;
	case ADVICE_PAGEOUT:
		return advise_page_out;
	case ADVICE_POPULATE_READ:
		return advise_populate_read;
	case ADVICE_POPULATE_WRITE:
		return advise_populate_write;
	default:
		return NULL;
	}
}

static int host_advise(uintptr_t addr, size_t size, int advice)
{
	return syscall(SYS_madvise, addr, size, advice) == 0 ? 0 : -errno;
}

static int advise(uintptr_t addr, size_t size, int advice)
{
	int (*adviser)(uintptr_t addr, size_t size) = adviser_of(advice);
	size_t pages = kmem_map_pages(size);
	struct kmem_map_parts parts;
	int inside, ret;

	if (adviser == NULL || !kmem_map_is_aligned(addr) || pages < size || pages > UINTPTR_MAX - addr) {
		return -EINVAL;
	}
	if (pages == 0) {
		return 0;
	}
	parts = kmem_map_parts_of(addr, pages);
	ret = parts.before < parts.start ? host_advise(parts.before, parts.start - parts.before, advice) : 0;
	if (ret == 0 || ret == -ENOMEM) {
		inside = adviser(parts.start, parts.end - parts.start);
		ret = inside != 0 ? inside : ret;
	}
	if (parts.end < parts.after) {
		int last = host_advise(parts.end, parts.after - parts.end, advice);

		ret = ret == 0 ? last : ret;
	}
	return ret;
}

EXPORT int madvise(void *addr, size_t size, int advice)
{
	if (kmem_map_is_hosts(CALLER()) || kmem_map_place_of((uintptr_t)addr, kmem_map_pages(size)) == KMEM_MAP_OUTSIDE) {
		return (int)syscall(SYS_madvise, addr, size, advice);
	}
	return kmem_map_result(advise((uintptr_t)addr, size, advice));
}

/* An error number is the result. To the C library, POSIX_MADV_DONTNEED, which must not destroy anything, means nothing. */
EXPORT int posix_madvise(void *addr, size_t size, int advice)
{
	int saved = errno;
	int ret;

	if (advice == POSIX_MADV_DONTNEED) {
		return 0;
	}
	if (kmem_map_is_hosts(CALLER()) || kmem_map_place_of((uintptr_t)addr, kmem_map_pages(size)) == KMEM_MAP_OUTSIDE) {
		ret = host_advise((uintptr_t)addr, size, advice);
		errno = saved;
		return -ret;
	}
	return advice >= POSIX_MADV_NORMAL && advice <= POSIX_MADV_WILLNEED ? -advise((uintptr_t)addr, size, advice) : EINVAL;
}

/*
 * Locks
 */

/* Whether so many bytes may be locked by the limit of the process. 0 or -errno. */
static int lock_limit_check(size_t size)
{
	struct rlimit limit;

	if (geteuid() == 0 || getrlimit(RLIMIT_MEMLOCK, &limit) != 0) {
		return 0;
	}
	if (limit.rlim_cur == 0) {
		return -EPERM;
	}
	return size > limit.rlim_cur ? -ENOMEM : 0;
}

/* Pin, as long as enough frames stay to page with. */
static int lock_pages(uintptr_t addr, size_t size)
{
	struct kmem_usage usage;
	size_t kept;
	int ret = lock_limit_check(size);

	if (ret != 0 || kmem_usage_get(&usage) != 0) {
		return ret != 0 ? ret : -ENOMEM;
	}
	kept = usage.frames / FRAMES_KEPT > FRAMES_KEPT_MIN ? usage.frames / FRAMES_KEPT : FRAMES_KEPT_MIN;
	if (size / kmem_page_size() + usage.frames_pinned + usage.frames_reserved + kept > usage.frames) {
		return -ENOMEM;
	}
	return kmem_space_pin(addr, size);
}

/* In the VM or astride: the pages around a range of bytes. A size that wraps to nothing is nothing, as on the host. */
static int lock_range(const void *at, size_t bytes, int (*inside)(uintptr_t addr, size_t size), long host_call)
{
	size_t skip = (uintptr_t)at % kmem_page_size();
	uintptr_t addr = (uintptr_t)at - skip;
	size_t size = kmem_map_pages(bytes + skip);

	if (size > UINTPTR_MAX - addr) {
		return -EINVAL;
	}
	return size == 0 ? 0 : kmem_map_each_part(addr, size, inside, host_call);
}

EXPORT int mlock(const void *addr, size_t size)
{
	if (kmem_map_is_hosts(CALLER()) || kmem_map_place_of((uintptr_t)addr, size) == KMEM_MAP_OUTSIDE) {
		return (int)syscall(SYS_mlock, addr, size);
	}
	return kmem_map_result(lock_range(addr, size, lock_pages, SYS_mlock));
}

EXPORT int mlock2(const void *addr, size_t size, unsigned int flags)
{
	if (kmem_map_is_hosts(CALLER()) || kmem_map_place_of((uintptr_t)addr, size) == KMEM_MAP_OUTSIDE) {
		return (int)syscall(SYS_mlock2, addr, size, flags);
	}
	return kmem_map_result((flags & ~(unsigned int)MLOCK_ONFAULT) != 0 ? -EINVAL
								    : lock_range(addr, size, lock_pages, SYS_mlock));
}

EXPORT int munlock(const void *addr, size_t size)
{
	if (kmem_map_is_hosts(CALLER()) || kmem_map_place_of((uintptr_t)addr, size) == KMEM_MAP_OUTSIDE) {
		return (int)syscall(SYS_munlock, addr, size);
	}
	return kmem_map_result(lock_range(addr, size, kmem_space_unpin, SYS_munlock));
}

EXPORT int mlockall(int flags)
{
	const int known = MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT;

	if (!atomic_load(&kmem_preload_is_ready) || (flags & ~known) != 0 || (flags & (MCL_CURRENT | MCL_FUTURE)) == 0) {
		return (int)syscall(SYS_mlockall, flags);
	}
	kmem_log(KMEM_LOG_INFO, "mlockall: pages of the VM, %zu bytes over %zu bytes of RAM, go on being paged",
		 kmem_kernel.settings.vm_size, kmem_kernel.settings.ram_usable);
	/* The tables for the VM are large and mostly untouched. */
	return (int)syscall(SYS_mlockall, flags | MCL_ONFAULT);
}

/* Of the regions of the VM, the first one at or behind an address. */
struct region_search {
	uintptr_t from;
	uintptr_t addr;
	size_t size;
};

static int region_visit(const struct kmem_region_info *region, void *arg)
{
	struct region_search *search = arg;

	if (region->addr < search->from) {
		return 0;
	}
	search->addr = region->addr;
	search->size = region->size;
	return 1;
}

EXPORT int munlockall(void)
{
	struct region_search search = {.from = 0};

	/* Not under the walk: unpinning takes the kernel lock. */
	while (atomic_load(&kmem_preload_is_ready) && kmem_region_walk(region_visit, &search) > 0) {
		(void)kmem_space_unpin(search.addr, search.size);
		search.from = search.addr + search.size;
	}
	return (int)syscall(SYS_munlockall);
}

/*
 * Questions
 */

static int pages_report(uintptr_t addr, size_t size, unsigned char *vector)
{
	for (size_t page = 0; page < size / kmem_page_size(); page++) {
		unsigned char is_in = kmem_space_is_in(addr + page * kmem_page_size()) ? 1 : 0;

		if (kmem_copy(vector + page, &is_in, 1) != 1) {
			return -EFAULT;
		}
	}
	return 0;
}

EXPORT int mincore(void *addr, size_t size, unsigned char *vector)
{
	size_t pages = kmem_map_pages(size);

	if (kmem_map_is_hosts(CALLER()) || kmem_map_place_of((uintptr_t)addr, pages) == KMEM_MAP_OUTSIDE) {
		return (int)syscall(SYS_mincore, addr, size, vector);
	}
	if (!kmem_map_is_aligned((uintptr_t)addr)) {
		return kmem_map_result(-EINVAL);
	}
	if (pages < size || kmem_map_place_of((uintptr_t)addr, pages) != KMEM_MAP_INSIDE || !kmem_space_is_mapped((uintptr_t)addr, pages)) {
		return kmem_map_result(-ENOMEM);
	}
	return kmem_map_result(pages_report((uintptr_t)addr, pages, vector));
}

/* Private memory has no file to be written to. */
EXPORT int msync(void *addr, size_t size, int flags)
{
	const int known = MS_ASYNC | MS_INVALIDATE | MS_SYNC;
	size_t pages = kmem_map_pages(size);

	if (kmem_map_is_hosts(CALLER()) || kmem_map_place_of((uintptr_t)addr, pages) == KMEM_MAP_OUTSIDE) {
		return (int)syscall(SYS_msync, addr, size, flags);
	}
	if ((flags & ~known) != 0 || !kmem_map_is_aligned((uintptr_t)addr) || (flags & (MS_ASYNC | MS_SYNC)) == (MS_ASYNC | MS_SYNC)) {
		return kmem_map_result(-EINVAL);
	}
	if (pages < size || kmem_map_place_of((uintptr_t)addr, pages) != KMEM_MAP_INSIDE || !kmem_space_is_mapped((uintptr_t)addr, pages)) {
		return kmem_map_result(-ENOMEM);
	}
	return 0;
}
