/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Floors of mapping; see map_floor.h.
 *
 * mmap   Zeroes in a frame of a file in memory, which mmap() puts in place; mmap() of inaccessible memory takes all away.
 * guard  Pages are allocated in a sparse file, zeroed by the host, and lose their guard markers; they get them again, and the file a hole.
 * uffd   UFFDIO_COPY of zeroes; MADV_DONTNEED.
 *
 * Lazily all but the taking away happens in the handler of a signal, page by page.
 */
#include "map_floor.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench.h"
#include "host_numbers.h"

static struct {
	uint8_t *arena;
	uint8_t *frames; /* mmap: the file's direct map; uffd: zeroes */
	int fd;
	bool is_lazy;
	void (*show)(size_t page, size_t count);
	void (*hide)(size_t count);
} state;

static void must(bool is_done, const char *what)
{
	if (!is_done) {
		bench_die(what);
	}
}

static void file_make(size_t size)
{
	state.fd = memfd_create("floor", MFD_CLOEXEC);
	must(state.fd >= 0 && ftruncate(state.fd, (off_t)size) == 0, "memfd_create");
}

/*
 * mmap
 */

static void mmap_show(size_t page, size_t count)
{
	uint8_t *at = state.arena + page * MAP_PAGE;

	memset(state.frames + page * MAP_PAGE, 0, count * MAP_PAGE);
	must(mmap(at, count * MAP_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, state.fd, (off_t)(page * MAP_PAGE)) == at, "mmap");
}

static void mmap_hide(size_t count)
{
	must(mmap(state.arena, count * MAP_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) == state.arena,
	     "mmap");
}

static bool mmap_start(size_t size)
{
	file_make(size);
	state.frames = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, state.fd, 0);
	must(state.frames != MAP_FAILED, "mmap");
	/* With guards. */
	state.arena = (uint8_t *)bench_reserve(size + 2 * MAP_PAGE) + MAP_PAGE;
	return true;
}

/*
 * guard
 */

static void guard_show(size_t page, size_t count)
{
	must(fallocate(state.fd, 0, (off_t)(page * MAP_PAGE), (off_t)(count * MAP_PAGE)) == 0, "fallocate");
	must(madvise(state.arena + page * MAP_PAGE, count * MAP_PAGE, MADV_GUARD_REMOVE) == 0, "madvise");
}

static void guard_hide(size_t count)
{
	must(madvise(state.arena, count * MAP_PAGE, MADV_GUARD_INSTALL) == 0, "madvise");
	must(fallocate(state.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, (off_t)(count * MAP_PAGE)) == 0, "fallocate");
}

static bool guard_start(size_t size)
{
	file_make(size);
	state.arena = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, state.fd, 0);
	must(state.arena != MAP_FAILED, "mmap");
	return madvise(state.arena, size, MADV_GUARD_INSTALL) == 0;
}

/*
 * uffd
 */

static void uffd_show(size_t page, size_t count)
{
	struct uffdio_copy copy = {
		.dst = (uintptr_t)state.arena + page * MAP_PAGE, .src = (uintptr_t)state.frames, .len = count * MAP_PAGE};

	must(ioctl(state.fd, UFFDIO_COPY, &copy) == 0, "UFFDIO_COPY");
}

static void uffd_hide(size_t count)
{
	must(madvise(state.arena, count * MAP_PAGE, MADV_DONTNEED) == 0, "madvise");
}

static bool uffd_start(size_t size)
{
	struct uffdio_api api = {.api = UFFD_API, .features = UFFD_FEATURE_SIGBUS};
	struct uffdio_register area = {.mode = UFFDIO_REGISTER_MODE_MISSING};

	state.fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);
	if (state.fd < 0 || ioctl(state.fd, UFFDIO_API, &api) != 0) {
		return false;
	}
	state.arena = bench_memory(size, PROT_READ | PROT_WRITE);
	state.frames = bench_memory(size, PROT_READ | PROT_WRITE);
	memset(state.frames, 0, size);
	area.range.start = (uintptr_t)state.arena;
	area.range.len = size;
	return ioctl(state.fd, UFFDIO_REGISTER, &area) == 0;
}

/*
 * All of them
 */

static const struct {
	const char *engine;
	int signo;
	bool (*start)(size_t size);
	void (*show)(size_t page, size_t count);
	void (*hide)(size_t count);
} floors[] = {
	{"mmap", SIGSEGV, mmap_start, mmap_show, mmap_hide},
	{"guard", SIGSEGV, guard_start, guard_show, guard_hide},
	{"uffd", SIGBUS, uffd_start, uffd_show, uffd_hide},
};

static void handler(int signo, siginfo_t *info, void *context)
{
	size_t page = (size_t)((uint8_t *)info->si_addr - state.arena) / MAP_PAGE;

	(void)signo;
	(void)context;
	if (page >= MAP_PAGES_MAX) {
		abort();
	}
	state.show(page, 1);
}

bool map_floor_start(const char *engine, size_t pages, bool is_lazy)
{
	struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};

	state.is_lazy = is_lazy;
	for (size_t i = 0; i < sizeof(floors) / sizeof(floors[0]); i++) {
		if (strcmp(floors[i].engine, engine) == 0) {
			state.show = floors[i].show;
			state.hide = floors[i].hide;
			return floors[i].start(pages * MAP_PAGE) && sigaction(floors[i].signo, &action, NULL) == 0;
		}
	}
	return false;
}

uint8_t *map_floor_map(size_t pages)
{
	if (!state.is_lazy) {
		state.show(0, pages);
	}
	return state.arena;
}

void map_floor_unmap(size_t pages)
{
	state.hide(pages);
}
