/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mremap(), as the program finds it: see map.c.
 *
 * Within the VM pages move without a copy, in one step, so that no other thread can take the place in between (kmem_space_move()). What
 * differs from the host: between VM and host, in that direction only, it copies, and locks do not move along. And of
 * the borders of mappings it knows those where permissions change: a range across one cannot grow, or leave the VM. No locks.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/copy.h"
#include "kernel/kernel.h"
#include "kernel/space.h"
#include "preload/map.h"

#define EXPORT __attribute__((visibility("default")))
#define CALLER() __builtin_return_address(0)

struct move {
	uintptr_t from;
	size_t size;
	size_t new_size;
	int flags;
	uintptr_t to; /* with MREMAP_FIXED */
};

static unsigned int prot_get(uintptr_t addr)
{
	int prot = kmem_space_prot_get(addr);

	return prot < 0 ? KMEM_PROT_NONE : (unsigned int)prot;
}

/* Whether all of a range, which is mapped, allows the same. */
static bool is_alike(uintptr_t addr, size_t size)
{
	int prot = kmem_space_prot_get(addr);

	for (size_t done = kmem_page_size(); done < size; done += kmem_page_size()) {
		if (kmem_space_prot_get(addr + done) != prot) {
			return false;
		}
	}
	return true;
}

/* Make what a range holds readable for us, whatever the program may do with it. */
static int copy_out(uintptr_t from, size_t size, uintptr_t to)
{
	int ret = kmem_space_protect(from, size, KMEM_PROT_READ | KMEM_PROT_WRITE);

	if (ret == 0 && kmem_copy((void *)to, (const void *)from, size) != size) {
		ret = -ENOMEM;
	}
	return ret;
}

/* Out of the VM: where the program says, or where there is room. */
static void *move_to_host(const struct move *move)
{
	unsigned int prot = prot_get(move->from);
	size_t kept = move->size < move->new_size ? move->size : move->new_size;
	int fixed = (move->flags & MREMAP_FIXED) != 0 ? MAP_FIXED : 0;
	void *to;
	int ret;

	if (!is_alike(move->from, kept)) {
		return kmem_map_failed(EFAULT);
	}
	to = kmem_map_host((void *)move->to, move->new_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | fixed, -1, 0);
	if (to == MAP_FAILED) {
		return MAP_FAILED;
	}
	ret = copy_out(move->from, kept, (uintptr_t)to);
	if (ret == 0 && prot != (KMEM_PROT_READ | KMEM_PROT_WRITE)) {
		(void)syscall(SYS_mprotect, to, move->new_size, prot);
	}
	if (ret != 0) {
		(void)kmem_map_host_munmap(to, move->new_size);
		return kmem_map_failed(-ret);
	}
	if ((move->flags & MREMAP_DONTUNMAP) != 0) {
		uintptr_t from = move->from;

		(void)kmem_space_map(&from, move->size, kmem_page_size(), prot, KMEM_SPACE_FIXED);
	} else {
		(void)kmem_space_unmap(move->from, move->size);
	}
	return to;
}

static void *move_in_vm(const struct move *move)
{
	size_t kept = move->size < move->new_size ? move->size : move->new_size;
	struct kmem_space_move pages = {
		.from = move->from,
		.size = kept,
		.to = move->to,
		.room = move->new_size,
		.place = (move->flags & MREMAP_FIXED) != 0 ? KMEM_SPACE_FIXED : KMEM_SPACE_ANYWHERE,
		.is_source_kept = (move->flags & MREMAP_DONTUNMAP) != 0,
	};
	int ret = kmem_space_move(&pages);

	if (ret != 0) {
		return kmem_map_failed(-ret);
	}
	if (move->size > kept) {
		(void)kmem_space_unmap(move->from + kept, move->size - kept);
	}
	return (void *)pages.to;
}

static bool grow_in_place(const struct move *move)
{
	uintptr_t end = move->from + move->size;
	size_t more = move->new_size - move->size;

	return more <= kmem_map_vm_end() - end &&
	       kmem_space_map(&end, more, kmem_page_size(), prot_get(end - kmem_page_size()), KMEM_SPACE_FIXED_NOREPLACE) == 0;
}

static void *move_fixed(const struct move *move)
{
	uintptr_t end;

	if (!kmem_map_is_aligned(move->to) || __builtin_add_overflow(move->to, move->new_size, &end) ||
	    (move->to < move->from + move->size && move->from < end)) {
		return kmem_map_failed(EINVAL);
	}
	switch (kmem_map_place_of(move->to, move->new_size)) {
	case KMEM_MAP_OUTSIDE:
		return move_to_host(move);
	case KMEM_MAP_INSIDE:
		return move_in_vm(move);
	default:
		return kmem_map_failed(ENOMEM);
	}
}

static void *move_anywhere(const struct move *move)
{
	void *to = move_in_vm(move);

	return to == MAP_FAILED && errno == ENOMEM ? move_to_host(move) : to;
}

/* Of flags and sizes, before a page is looked at. */
static bool is_move_valid(const struct move *move)
{
	const int known = MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP;

	if ((move->flags & ~known) != 0 || !kmem_map_is_aligned(move->from) || move->new_size == 0 || move->size == 0) {
		return false;
	}
	if ((move->flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) != 0 && (move->flags & MREMAP_MAYMOVE) == 0) {
		return false;
	}
	return (move->flags & MREMAP_DONTUNMAP) == 0 || move->size == move->new_size;
}

static void *remap(const struct move *move)
{
	if (!is_move_valid(move)) {
		return kmem_map_failed(EINVAL);
	}
	if (move->size > kmem_map_vm_end() - move->from || !kmem_space_is_mapped(move->from, move->size)) {
		return kmem_map_failed(EFAULT);
	}
	if (move->new_size > move->size && !is_alike(move->from, move->size)) {
		return kmem_map_failed(EFAULT);
	}
	if ((move->flags & MREMAP_FIXED) != 0) {
		return move_fixed(move);
	}
	if ((move->flags & MREMAP_DONTUNMAP) != 0) {
		return move_anywhere(move);
	}
	if (move->new_size <= move->size) {
		int ret = move->new_size == move->size
				  ? 0
				  : kmem_space_unmap(move->from + move->new_size, move->size - move->new_size);

		return ret == 0 ? (void *)move->from : kmem_map_failed(-ret);
	}
	if (grow_in_place(move)) {
		return (void *)move->from;
	}
	return (move->flags & MREMAP_MAYMOVE) != 0 ? move_anywhere(move) : kmem_map_failed(ENOMEM);
}

static void *host_mremap(void *addr, size_t size, size_t new_size, int flags, void *to)
{
	return (void *)syscall(SYS_mremap, addr, size, new_size, flags, to);
}

EXPORT void *mremap(void *addr, size_t size, size_t new_size, int flags, ...)
{
	bool has_to = (flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) != 0;
	struct move move = {
		.from = (uintptr_t)addr,
		.size = kmem_map_pages(size),
		.new_size = kmem_map_pages(new_size),
		.flags = flags,
	};
	void *to = NULL;
	va_list args;

	if (has_to) {
		va_start(args, flags);
		to = va_arg(args, void *);
		va_end(args);
	}
	if (kmem_map_is_hosts(CALLER())) {
		return host_mremap(addr, size, new_size, flags, to);
	}
	move.to = (flags & MREMAP_FIXED) != 0 ? (uintptr_t)to : 0;
	if (kmem_space_covers((uintptr_t)addr)) {
		return remap(&move);
	}
	/* Into the VM from outside: what there is to move is not known here. */
	if ((flags & MREMAP_FIXED) != 0 && kmem_map_place_of((uintptr_t)to, move.new_size) != KMEM_MAP_OUTSIDE) {
		return kmem_map_failed(ENOMEM);
	}
	return host_mremap(addr, size, new_size, flags, to);
}
