/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guard engine: the range is one mapping of one file, and guard markers say which of its pages trap. No page and no region costs a
 * mapping of the host's, whatever is scattered over the range. SIGSEGV, unprivileged; Linux 6.15.
 *
 * Theory of operation. The *VM file* is a sparse memory file as large as the range. A page in an own frame has its bytes at its address
 * less the range's base, exposed or not; which frame it is does not matter here. The file is mapped twice, shared: over the range, where
 * the program is, and at the *view*, where the library is. A page is exposed by taking its guard marker away, and concealed by putting
 * one there. A marker is an entry of the host's page table and no mapping. The host gives the file memory when a page is backed, and
 * takes it back when the page is dropped.
 *
 * Markers need page tables, so a range that is not in use has none: it is PROT_NONE, and is *armed* chunk by chunk before the first of a
 * chunk's pages is backed. Never is any of it both accessible and without a marker: that would read as silent zeros.
 *
 *      UNARMED, PROT_NONE --back(), uncover(): markers first, permission then--> ARMED, readable and writable with markers
 *
 * What is armed stays so, and neighbours that are armed merge into one mapping, in the range and in the view. Where frames of the RAM file
 * are mapped over the range, uncover() arms their chunks before, and cover() puts a piece of the VM file there again, armed as its chunk
 * is.
 *
 * Reading alone is allowed by mprotect(), which splits mappings; concealing makes the page writable again, behind its marker, so that they
 * merge. The host may refuse that where mappings have run out. It is left so then; exposing the page for writing finds out and mends it.
 *
 * Fork. The VM file is shared with the child, so the child gets a copy of what the file has memory for, and maps that. The range is never
 * copied by the host itself (MADV_DONTFORK, on all of it, so that its pieces stay alike): a child that nobody knows of finds a hole.
 *
 * Where memory is locked, by mlockall() or mlock() of the range, the host has no guard markers (EINVAL): pages cannot be concealed then.
 *
 * Invariants: G1 a page of a stretch shows the VM file, unless it was uncovered. G2 in an unarmed chunk nothing is uncovered, exposed or
 * backed. G3 in an armed chunk whatever is not exposed and not uncovered has a marker, and the view can be written. What changes chunks
 * holds the kernel lock; expose() and conceal() need none.
 */
#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "host/annotate.h"
#include "host/assert.h"
#include "host/file.h"
#include "host/memory.h"
#include "machine/engine.h"
#include "machine/mmu.h"

#define FILE_NAME "kmem-vm"

#define READ_WRITE (KMEM_PROT_READ | KMEM_PROT_WRITE)

/*
 * Chunks of a range at most: where every other one is armed each is a mapping, in the range and in the view, and of the 65,530 that a host
 * usually allows the program shall have most.
 */
#define CHUNKS_MAX 8192

/*
 * Pages of the host's between two runs that are concealed with them: a marker that is there already is passed over in 13 ns, where a host
 * call costs 1.5 us, and more beside another running thread.
 */
#define JOIN_PAGES_MAX 128

/* Addresses [start, end) that are reserved. */
struct stretch {
	uintptr_t start, end;
};

static struct {
	/* constant from start to finish */
	uintptr_t base;
	size_t size;
	size_t page_size;
	size_t chunk_size; /* addresses are chunks' by their number of chunk sizes: chunk 0 has the base */
	uint8_t *view;

	/* guarded by the kernel lock */
	int fd;
	int copy; /* from fork_prepare to parent or child */
	struct stretch stretches[KMEM_MMU_HOLES_MAX + 1];
	size_t stretch_count;
	bool is_armed[CHUNKS_MAX];
} vm;

/* ---- chunks ---- */

/* What one page of the host's page table entries reaches. */
static size_t table_reach(void)
{
	size_t page = kmem_host_page_size();

	return page / sizeof(uint64_t) * page;
}

static size_t chunk_size_for(const struct kmem_engine_params *params)
{
	size_t size = table_reach();

	/* One chunk more than the size tells, where the range begins within one. */
	while (size < params->page_size || params->size / size + 1 >= CHUNKS_MAX) {
		size *= 2;
	}
	return size;
}

static size_t chunk_of(uintptr_t addr)
{
	return addr / vm.chunk_size - vm.base / vm.chunk_size;
}

static struct stretch chunk_bounds(size_t chunk)
{
	uintptr_t start = (vm.base / vm.chunk_size + chunk) * vm.chunk_size;

	return (struct stretch){start, start + vm.chunk_size};
}

static struct stretch common(struct stretch a, struct stretch b)
{
	return (struct stretch){a.start > b.start ? a.start : b.start, a.end < b.end ? a.end : b.end};
}

static uintptr_t view_of(uintptr_t addr)
{
	return (uintptr_t)vm.view + (addr - vm.base);
}

/* Make what shows the VM file accessible, all of it behind markers. Repeated, it mends what has failed half-way. */
static int markers_put(uintptr_t addr, size_t size)
{
	int ret = kmem_host_range_guard(addr, size);

	return ret != 0 ? ret : kmem_host_range_protect(addr, size, READ_WRITE);
}

/* The part of a chunk that lies in a stretch. */
static int part_arm(struct stretch part)
{
	size_t size = part.end - part.start;
	int ret = kmem_host_range_protect(view_of(part.start), size, READ_WRITE);

	return ret != 0 ? ret : markers_put(part.start, size);
}

static int chunk_arm(size_t chunk)
{
	for (size_t i = 0; i < vm.stretch_count; i++) {
		struct stretch part = common(chunk_bounds(chunk), vm.stretches[i]);
		int ret = part.start < part.end ? part_arm(part) : 0;

		if (ret != 0) {
			return ret;
		}
	}
	vm.is_armed[chunk] = true;
	return 0;
}

/* Arm the chunks that a part of the range lies in. */
static int arm(uintptr_t addr, size_t size)
{
	for (size_t chunk = chunk_of(addr); chunk <= chunk_of(addr + size - 1); chunk++) {
		int ret = vm.is_armed[chunk] ? 0 : chunk_arm(chunk);

		if (ret != 0) {
			return ret;
		}
	}
	return 0;
}

/* Do something to what of a part of the range lies in armed chunks, neighbouring ones together. */
static int each_armed(struct stretch of, int (*visit)(uintptr_t addr, size_t size))
{
	size_t chunk = chunk_of(of.start);
	size_t last = chunk_of(of.end - 1);
	int ret = 0;

	while (chunk <= last && ret == 0) {
		struct stretch part = chunk_bounds(chunk);

		if (!vm.is_armed[chunk++]) {
			continue;
		}
		while (chunk <= last && vm.is_armed[chunk]) {
			part.end = chunk_bounds(chunk++).end;
		}
		part = common(part, of);
		ret = visit(part.start, part.end - part.start);
	}
	return ret;
}

/* ---- the range ---- */

static void view_close(void)
{
	(void)kmem_host_range_release((uintptr_t)vm.view, vm.size);
	kmem_host_file_close(vm.fd);
}

static int view_open(size_t size)
{
	void *view;
	int ret;

	vm.fd = kmem_host_memfd_create(FILE_NAME, size);
	if (vm.fd < 0) {
		return vm.fd;
	}
	ret = kmem_host_file_reserve_anywhere(&view, size, vm.fd);
	if (ret != 0) {
		kmem_host_file_close(vm.fd);
		return ret;
	}
	(void)kmem_host_range_dontdump((uintptr_t)view, size);
	vm.view = view;
	return 0;
}

static int start(const struct kmem_engine_params *params)
{
	memset(&vm, 0, sizeof(vm));
	vm.base = params->base;
	vm.size = params->size;
	vm.page_size = params->page_size;
	vm.chunk_size = chunk_size_for(params);
	return view_open(params->size);
}

static void finish(void)
{
	view_close();
}

static int reserve(uintptr_t addr, size_t size)
{
	int ret = kmem_host_file_reserve(addr, size, vm.fd, addr - vm.base);

	if (ret == 0) {
		(void)kmem_host_range_dontfork(addr, size, true);
		kmem_assert(vm.stretch_count <= KMEM_MMU_HOLES_MAX);
		vm.stretches[vm.stretch_count++] = (struct stretch){addr, addr + size};
	}
	return ret;
}

static void release(uintptr_t addr, size_t size)
{
	(void)kmem_host_range_release(addr, size);
}

static int cover(uintptr_t addr, size_t size)
{
	int ret = kmem_host_file_map(addr, size, vm.fd, addr - vm.base, KMEM_PROT_NONE);

	if (ret != 0) {
		return ret;
	}
	(void)kmem_host_range_dontfork(addr, size, true);
	return each_armed((struct stretch){addr, addr + size}, markers_put);
}

static int uncover(uintptr_t addr, size_t size)
{
	return arm(addr, size);
}

/* ---- pages ---- */

/* The first of the runs, with those that go on where it ends and are allowed the same. How many these are. */
static size_t merged(const struct kmem_run *runs, size_t count, struct kmem_run *run)
{
	size_t n = 1;

	*run = runs[0];
	while (n < count && runs[n].addr == run->addr + run->size && runs[n].prot == run->prot) {
		run->size += runs[n++].size;
	}
	return n;
}

/* Behind markers, make the permission that of the run, and take the markers away. */
static int unguard(const struct kmem_run *run)
{
	int ret = kmem_host_range_unguard(run->addr, run->size);

	/* The memory is there: it is shown now, which is cheaper than at the access, and tells whether that would trap. */
	return ret != 0 ? ret : kmem_host_range_populate(run->addr, run->size, run->prot);
}

static int run_expose(const struct kmem_run *run)
{
	bool is_writable = (run->prot & KMEM_PROT_WRITE) != 0;
	int ret = is_writable ? 0 : kmem_host_range_protect(run->addr, run->size, run->prot);

	if (ret == 0) {
		ret = unguard(run);
	}
	if (ret != -EINVAL) {
		return ret;
	}
	/* What was concealed or covered is not writable yet: the host would not do it then. */
	ret = markers_put(run->addr, run->size);
	if (ret == 0 && !is_writable) {
		ret = kmem_host_range_protect(run->addr, run->size, run->prot);
	}
	return ret != 0 ? ret : unguard(run);
}

static int expose(const struct kmem_run *runs, size_t count)
{
	while (count > 0) {
		struct kmem_run run;
		size_t n = merged(runs, count, &run);
		int ret = run_expose(&run);

		if (ret != 0) {
			return ret;
		}
		runs += n;
		count -= n;
	}
	return 0;
}

/* How many of the runs get their markers together with the first. */
static size_t concealed_together(const struct kmem_run *runs, size_t count)
{
	size_t gap_max = JOIN_PAGES_MAX * kmem_host_page_size();
	size_t n = 1;

	while (n < count) {
		size_t gap = runs[n].addr - (runs[n - 1].addr + runs[n - 1].size);

		if (gap > (runs[n].joins ? gap_max : 0)) {
			break;
		}
		n++;
	}
	return n;
}

/* Concealed runs that could be read only. What lies between runs may be another thread's: it is left alone. */
static void make_writable(const struct kmem_run *runs, size_t count)
{
	while (count > 0) {
		struct kmem_run run;
		size_t n = merged(runs, count, &run);

		if ((run.prot & KMEM_PROT_WRITE) == 0) {
			(void)kmem_host_range_protect(run.addr, run.size, READ_WRITE);
		}
		runs += n;
		count -= n;
	}
}

static int conceal(const struct kmem_run *runs, size_t count)
{
	while (count > 0) {
		size_t n = concealed_together(runs, count);
		const struct kmem_run *last = &runs[n - 1];
		int ret = kmem_host_range_guard(runs->addr, last->addr + last->size - runs->addr);

		if (ret != 0) {
			return ret;
		}
		make_writable(runs, n);
		runs += n;
		count -= n;
	}
	return 0;
}

static int protect(const struct kmem_run *runs, size_t count)
{
	while (count > 0) {
		struct kmem_run run;
		size_t n = merged(runs, count, &run);
		int ret = kmem_host_range_protect(run.addr, run.size, run.prot);

		if (ret != 0) {
			return ret;
		}
		runs += n;
		count -= n;
	}
	return 0;
}

/* ---- bytes ---- */

/* Memory for the view is memory for the file, and there the library is about to write. */
static int view_populate(uintptr_t addr, size_t size)
{
	int ret = kmem_host_range_populate(addr, size, KMEM_PROT_WRITE);

	return ret == -EFAULT ? -ENOMEM : ret;
}

static int back(uintptr_t addr, uintptr_t phys)
{
	int ret = arm(addr, vm.page_size);

	(void)phys;
	return ret != 0 ? ret : view_populate(view_of(addr), vm.page_size);
}

static void *bytes(uintptr_t addr, uintptr_t phys)
{
	(void)phys;
	return (void *)view_of(addr);
}

static void drop(uintptr_t addr, uintptr_t phys)
{
	(void)phys;
	(void)kmem_host_file_punch(vm.fd, addr - vm.base, vm.page_size);
}

/* ---- fork ---- */

/* Copy whatever the VM file has memory for. */
static int file_copy(int to)
{
	size_t from = 0;

	while (from < vm.size) {
		size_t data, end;
		int ret = kmem_host_memfd_data(vm.fd, from, &data, &end);

		if (ret == -ENXIO) {
			break;
		}
		if (ret == 0) {
			ret = kmem_host_file_write(to, vm.view + data, end - data, data);
		}
		if (ret != 0) {
			return ret;
		}
		from = end;
	}
	return 0;
}

static int fork_prepare(void)
{
	int fd = kmem_host_memfd_create(FILE_NAME, vm.size);
	int ret;

	if (fd < 0) {
		return fd;
	}
	ret = file_copy(fd);
	if (ret != 0) {
		kmem_host_file_close(fd);
		return ret;
	}
	vm.copy = fd;
	return 0;
}

static void fork_parent(void)
{
	kmem_host_file_close(vm.copy);
}

static int view_allow(uintptr_t addr, size_t size)
{
	return kmem_host_range_protect(view_of(addr), size, READ_WRITE);
}

static int fork_child(void)
{
	int ret = kmem_host_file_replace(vm.copy, vm.fd);

	if (ret == 0) {
		ret = kmem_host_file_map((uintptr_t)vm.view, vm.size, vm.fd, 0, KMEM_PROT_NONE);
	}
	if (ret != 0) {
		return ret;
	}
	(void)kmem_host_range_dontdump((uintptr_t)vm.view, vm.size);
	return each_armed((struct stretch){vm.base, vm.base + vm.size}, view_allow);
}

/* ---- whether this host can do it ---- */

static int trap_try(uintptr_t page, size_t size)
{
	return kmem_host_range_populate(page, size, KMEM_PROT_READ) == -EFAULT ? 0 : -ENOTSUP;
}

/* Expose a page and conceal it again: it must trap when it should, show a byte that it was given, and keep one that is written to it. */
static int page_try(uintptr_t page, size_t size, volatile uint8_t *seen)
{
	const struct kmem_run run = {.addr = page, .size = size, .prot = READ_WRITE};
	volatile uint8_t *byte = (volatile uint8_t *)page;
	int ret = view_populate((uintptr_t)seen, size);

	if (ret == 0) {
		ret = markers_put(page, size);
	}
	if (ret == 0) {
		ret = trap_try(page, size);
	}
	if (ret != 0) {
		return ret;
	}
	*seen = 1;
	ret = expose(&run, 1);
	if (ret != 0) {
		return ret;
	}
	if (*byte != 1) {
		return -ENOTSUP;
	}
	*byte = 2;
	ret = conceal(&run, 1);
	if (ret == 0) {
		ret = trap_try(page, size);
	}
	if (ret != 0) {
		return ret;
	}
	return *seen == 2 ? 0 : -ENOTSUP;
}

/* Valgrind takes all that is armed for defined, and so would not see wild accesses there; it may also place the view in the range. */
static int probe(void)
{
	size_t size = kmem_host_page_size();
	void *page;
	void *seen;
	int fd;
	int ret;

	if (kmem_annotate_on_valgrind()) {
		return -ENOTSUP;
	}
	fd = kmem_host_memfd_create(FILE_NAME, size);
	if (fd < 0) {
		return fd;
	}
	ret = kmem_host_file_reserve_anywhere(&page, size, fd);
	if (ret != 0) {
		goto file_close;
	}
	ret = kmem_host_file_map_anywhere(&seen, size, fd);
	if (ret == 0) {
		ret = page_try((uintptr_t)page, size, seen);
		(void)kmem_host_range_release((uintptr_t)seen, size);
	}
	(void)kmem_host_range_release((uintptr_t)page, size);

file_close:
	kmem_host_file_close(fd);
	return ret;
}

const struct kmem_engine kmem_engine_guard = {
	.name = "guard",
	.is_concurrent = true,
	.is_placed = true,
	.probe = probe,
	.start = start,
	.finish = finish,
	.reserve = reserve,
	.release = release,
	.cover = cover,
	.uncover = uncover,
	.expose = expose,
	.conceal = conceal,
	.protect = protect,
	.back = back,
	.bytes = bytes,
	.drop = drop,
	.fork_prepare = fork_prepare,
	.fork_parent = fork_parent,
	.fork_child = fork_child,
};
