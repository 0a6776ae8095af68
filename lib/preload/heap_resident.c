/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The resident heap: what is allocated before the VM is there, while it is made, and by the dynamic linker at any time.
 *
 * The linker's memory holds what threads are made of (the vectors of their thread-local storage), and it is given back by threads that
 * are about to end with every signal blocked, when no fault can be served. So it lies outside the VM, as stacks do. It is little: what
 * the program allocates itself never comes here.
 *
 * Theory of operation. A piece is a power of two of bytes with a header in front of what is given out; the header carries a check
 * word made of its own address, by which pieces are told from other pointers. Free pieces of a size are in a list. New ones
 * are cut off a static chunk at first, so that the very first calls need no system call, and off chunks of the host's memory
 * later. What is larger than the largest piece is a mapping of its own.
 *
 * One lock around the lists, with signals blocked; it lies inside all others, and nothing is called under it but the host.
 */
#include "preload/heap_resident.h"

#include <stdbool.h>
#include <stdint.h>

#include "host/lock.h"
#include "host/memory.h"
#include "host/process.h"
#include "host/signals.h"

#define FIRST_CHUNK_SIZE (256UL * 1024)
#define CHUNK_SIZE (1024UL * 1024)

/* Sizes of pieces, as powers of two: from room for both headers and the smallest use to a quarter of the first chunk. */
#define ORDER_MIN 6U
#define ORDER_MAX 16U

#define CHECK 0x6b6d656d2d726573UL

/* In front of what is given out. */
struct header {
	uint64_t check;    /* CHECK, with the header's address in it */
	uint32_t order;    /* of the piece; above ORDER_MAX: a mapping of its own */
	uint32_t distance; /* from the start of the piece to this header, in units of the header */
};

/* At the start of a piece. */
struct piece {
	struct piece *next; /* while it is free */
	size_t size;        /* of a mapping of its own */
};

_Static_assert(sizeof(struct header) == 16 && sizeof(struct piece) == 16, "what follows either is aligned to 16 bytes");

static struct {
	struct kmem_lock lock;
	struct piece *free[ORDER_MAX + 1];
	unsigned char *chunk; /* what is left of the last one */
	size_t chunk_left;
	bool is_begun;
	kmem_sigmask fork_saved;
} resident;

static unsigned char first_chunk[FIRST_CHUNK_SIZE] __attribute__((aligned(64)));

static void lock(kmem_sigmask *saved)
{
	kmem_signals_block(saved);
	kmem_lock_acquire_outer(&resident.lock);
}

static void unlock(const kmem_sigmask *saved)
{
	kmem_lock_release_outer(&resident.lock);
	kmem_signals_restore(saved);
}

static uint64_t check_of(const struct header *header)
{
	return CHECK ^ (uintptr_t)header;
}

static unsigned int order_of(size_t size)
{
	unsigned int order = ORDER_MIN;

	while (order <= ORDER_MAX && ((size_t)1 << order) < size) {
		order++;
	}
	return order;
}

/* A piece off the last chunk, or off a new one. Lock held. */
static void *cut(unsigned int order)
{
	size_t size = (size_t)1 << order;
	void *memory;

	if (!resident.is_begun) {
		resident.is_begun = true;
		resident.chunk = first_chunk;
		resident.chunk_left = sizeof(first_chunk);
	}
	if (resident.chunk_left < size) {
		if (kmem_host_memory_get(&memory, CHUNK_SIZE) != 0) {
			return NULL;
		}
		resident.chunk = memory;
		resident.chunk_left = CHUNK_SIZE;
	}
	memory = resident.chunk;
	resident.chunk += size;
	resident.chunk_left -= size;
	return memory;
}

static void *piece_get(unsigned int order)
{
	kmem_sigmask saved;
	struct piece *piece;

	lock(&saved);
	piece = resident.free[order];
	if (piece != NULL) {
		resident.free[order] = piece->next;
	} else {
		piece = cut(order);
	}
	unlock(&saved);
	return piece;
}

static void piece_put(void *memory, unsigned int order)
{
	struct piece *piece = memory;
	kmem_sigmask saved;

	lock(&saved);
	piece->next = resident.free[order];
	resident.free[order] = piece;
	unlock(&saved);
}

static void *mapping_get(size_t size)
{
	void *memory;

	size = kmem_host_page_round(size);
	if (kmem_host_memory_get(&memory, size) != 0) {
		return NULL;
	}
	((struct piece *)memory)->size = size;
	return memory;
}

void *kmem_heap_resident_alloc(size_t size, size_t align)
{
	const size_t unit = sizeof(struct header);
	struct header *header;
	unsigned char *memory;
	unsigned int order;
	uintptr_t user;
	size_t total;

	align = align < unit ? unit : align;
	/* Beside: what a piece begins with, the header, and what alignment may skip. */
	if (size > PTRDIFF_MAX || align > PTRDIFF_MAX || __builtin_add_overflow(size, align + unit, &total) ||
	    total > PTRDIFF_MAX) {
		return NULL;
	}
	order = order_of(total);
	memory = order <= ORDER_MAX ? piece_get(order) : mapping_get(total);
	if (memory == NULL) {
		return NULL;
	}
	user = ((uintptr_t)memory + 2 * unit + align - 1) & ~(uintptr_t)(align - 1);
	header = (struct header *)user - 1;
	header->order = order;
	header->distance = (uint32_t)((size_t)((unsigned char *)header - memory) / unit);
	header->check = check_of(header);
	return (void *)user;
}

static unsigned char *start_of(const struct header *header)
{
	return (unsigned char *)(uintptr_t)header - (size_t)header->distance * sizeof(*header);
}

size_t kmem_heap_resident_size(const void *pointer)
{
	const struct header *header = (const struct header *)pointer - 1;
	const unsigned char *start;
	size_t size;

	if ((uintptr_t)pointer % sizeof(*header) != 0 || header->check != check_of(header)) {
		return 0;
	}
	start = start_of(header);
	size = header->order <= ORDER_MAX ? (size_t)1 << header->order : ((const struct piece *)start)->size;
	return size - (size_t)((const unsigned char *)pointer - start);
}

void kmem_heap_resident_free(void *pointer)
{
	struct header *header = (struct header *)pointer - 1;
	unsigned char *start = start_of(header);
	unsigned int order = header->order;

	header->check = 0;
	if (order <= ORDER_MAX) {
		piece_put(start, order);
	} else {
		kmem_host_memory_free(start, ((struct piece *)start)->size);
	}
}

static void fork_prepare(void)
{
	kmem_sigmask saved;

	lock(&saved);
	resident.fork_saved = saved;
}

static void fork_parent(void)
{
	kmem_sigmask saved = resident.fork_saved;

	unlock(&saved);
}

static void fork_child(void)
{
	kmem_lock_adopt(&resident.lock);
	fork_parent();
}

void kmem_heap_resident_fork_init(void)
{
	kmem_process_at_fork(fork_prepare, fork_parent, fork_child);
}
