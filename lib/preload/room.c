/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resident memory for the calls that bounce: scratch memory on the handler's stack, host memory behind it, stand-ins.
 *
 * Host memory that a call takes is in a list of the thread's. A call left by siglongjmp(), by cancellation, or for good by exec in a vfork
 * child leaves its blocks there, and the thread's next call, or its end, frees them: those blocks whose frames cannot be alive any
 * more, which is all of them if the interrupted code was not on the alternate stack, and those below the own frame if it was.
 *
 * A mirror's pages are given permissions of their own, so it is never in scratch memory.
 *
 * No lock. The list is the thread's alone.
 */
#include "preload/bounce.h"

#include <errno.h>
#include <string.h>
#include <ucontext.h>

#include "host/copy.h"
#include "host/memory.h"
#include "host/signals.h"
#include "kernel/kernel.h"
#include "kernel/space.h"
#include "preload/preload.h"

/* At the beginning of each piece of host memory. */
struct block {
	struct block *next;
	size_t size;
	uintptr_t frame; /* of the call that took it */
};

#define BLOCK_MIN (256UL * 1024)

/* Files that bypass the page cache want memory aligned to their blocks, a page at most. */
#define ALIGN_MIN 16UL

/* Pages that are brought in at once, so few that they are still there when they are copied, in any RAM worth the name. */
#define PAGES_AT_ONCE 8UL

static __thread struct block *blocks __attribute__((tls_model("initial-exec")));

/*
 * Host memory and list change together: with signals blocked, since a handler that leaves by siglongjmp() between the two would
 * lose a block for good, and signals that come during a system call are taken right behind it.
 */
static void block_free(struct block *block)
{
	kmem_sigmask saved;

	kmem_signals_block(&saved);
	blocks = block->next;
	kmem_host_memory_free(block, block->size);
	kmem_signals_restore(&saved);
}

/* Whether the code that made the call ran on the alternate stack: another call may be under way above it. */
static bool is_nested(const ucontext_t *context)
{
	uintptr_t at = (uintptr_t)context->uc_mcontext.gregs[REG_RSP];

	return (context->uc_stack.ss_flags & SS_DISABLE) != 0 ||
	       at - (uintptr_t)context->uc_stack.ss_sp < context->uc_stack.ss_size;
}

void *kmem_room_enter(const struct kmem_call_state *state)
{
	while (blocks != NULL && (!is_nested(state->ucontext) || blocks->frame < (uintptr_t)state->scratch)) {
		block_free(blocks);
	}
	return blocks;
}

void *kmem_room_mark(void)
{
	return blocks;
}

void kmem_room_leave(void *mark)
{
	while (blocks != NULL && blocks != mark) {
		block_free(blocks);
	}
}

void kmem_room_thread_leave(void)
{
	kmem_room_leave(NULL);
}

static size_t alignment_of(uint64_t like, size_t size)
{
	size_t align = (size_t)(like & -like);

	/* A block of a file is 512 bytes at least. */
	if (size < 512 || align < ALIGN_MIN) {
		return ALIGN_MIN;
	}
	return align < kmem_host_page_size() ? align : kmem_host_page_size();
}

/* Room in what is left of the current memory, NULL if there is too little. */
static void *take(struct kmem_call_state *state, size_t size, size_t align)
{
	size_t skip = (size_t)(-(uintptr_t)state->scratch & (align - 1));
	unsigned char *room = state->scratch + skip;

	if (state->scratch_left < skip || state->scratch_left - skip < size) {
		return NULL;
	}
	state->scratch = room + size;
	state->scratch_left -= skip + size;
	return room;
}

/* A piece of host memory with room for size bytes behind its head, in the thread's list. NULL if there is none. */
static struct block *block_get(size_t size)
{
	size_t needed = kmem_host_page_round(size + sizeof(struct block));
	struct block *block = NULL;
	kmem_sigmask saved;
	void *memory;

	if (needed < size) {
		return NULL;
	}
	kmem_signals_block(&saved);
	if (kmem_host_memory_get(&memory, needed) == 0) {
		block = memory;
		block->size = needed;
		block->frame = (uintptr_t)__builtin_frame_address(0);
		block->next = blocks;
		blocks = block;
	}
	kmem_signals_restore(&saved);
	return block;
}

void *kmem_room_get(struct kmem_call_state *state, size_t size, uint64_t like)
{
	size_t align = alignment_of(like, size);
	void *room = take(state, size, align);
	struct block *block;

	if (room != NULL) {
		return room;
	}
	/* What is left of the former memory is given up: the new piece has more. */
	block = block_get(size + align < BLOCK_MIN ? BLOCK_MIN : size + align);
	if (block == NULL) {
		return NULL;
	}
	state->scratch = (unsigned char *)(block + 1);
	state->scratch_left = block->size - sizeof(*block);
	return take(state, size, align);
}

bool kmem_room_is_paged(uint64_t addr, size_t size)
{
	return addr != 0 && size != 0 && kmem_space_covers(addr);
}

static bool is_page_allowed(uintptr_t page, unsigned int direction)
{
	int prot = kmem_space_prot_get(page);

	if (prot < 0) {
		return false;
	}
	/* What can be written can be read, on this machine. */
	if ((direction & KMEM_CALL_OUT) != 0) {
		return (prot & KMEM_PROT_WRITE) != 0;
	}
	return (prot & (KMEM_PROT_READ | KMEM_PROT_WRITE | KMEM_PROT_EXEC)) != 0;
}

size_t kmem_room_allowed(uint64_t addr, size_t size, unsigned int direction)
{
	size_t page_size = kmem_page_size();
	size_t allowed = 0;

	while (allowed < size) {
		uintptr_t at = addr + allowed;
		size_t here = page_size - (at & (page_size - 1));

		if (!is_page_allowed(kmem_page_floor(at), direction)) {
			return allowed;
		}
		allowed += here < size - allowed ? here : size - allowed;
	}
	return allowed;
}

/* Bring in what is out, sparing the trap. */
static void pages_in(uintptr_t addr, size_t size, bool is_write)
{
	size_t page_size = kmem_page_size();
	uintptr_t end = addr + size;

	for (uintptr_t page = kmem_page_floor(addr); page < end; page += page_size) {
		if (!kmem_space_is_in(page)) {
			size_t rest = (end - page + page_size - 1) & ~(page_size - 1);

			kmem_space_page_in(page, rest, is_write);
			return;
		}
	}
}

/* The next part of a copy: to the end of a run of whole pages. */
static size_t part(uintptr_t addr, size_t left)
{
	size_t run = PAGES_AT_ONCE * kmem_page_size();
	size_t here = run - (addr & (run - 1));

	return here < left ? here : left;
}

/* Copy, bringing in what is out on the program's side, at which one of the two is. How many bytes were copied. */
static size_t copy_parts(uintptr_t to, uintptr_t from, size_t size, uintptr_t side)
{
	size_t done = 0;

	while (done < size) {
		size_t here = part(side + done, size - done);
		size_t copied;

		if (kmem_space_covers(side + done)) {
			pages_in(side + done, here, side == to);
		}
		copied = kmem_copy((void *)(to + done), (const void *)(from + done), here);
		done += copied;
		if (copied < here) {
			break;
		}
	}
	return done;
}

size_t kmem_room_copy_in(void *to, uint64_t from, size_t size)
{
	return copy_parts((uintptr_t)to, from, size, from);
}

size_t kmem_room_copy_out(uint64_t to, const void *from, size_t size)
{
	return copy_parts(to, (uintptr_t)from, size, to);
}

/* What a page of a mirror allows: as the original. */
static unsigned int mirror_prot(uintptr_t page)
{
	int prot = kmem_space_prot_get(page);

	return prot < 0 ? KMEM_PROT_NONE : (unsigned int)prot & (KMEM_PROT_READ | KMEM_PROT_WRITE);
}

/* Fill one page of a mirror, and give it the original's permissions. */
static long mirror_page(unsigned char *to, uintptr_t page)
{
	unsigned int prot = mirror_prot(page);
	size_t page_size = kmem_page_size();

	(void)kmem_room_copy_in(to, page, page_size);
	return (prot & KMEM_PROT_WRITE) != 0 ? 0 : kmem_host_range_protect((uintptr_t)to, page_size, prot);
}

void kmem_room_bad_note(struct kmem_call_state *state, uint64_t addr, unsigned int direction)
{
	if (state->bad == 0) {
		state->bad = addr;
		state->is_bad_written = (direction & KMEM_CALL_IN) == 0;
	}
}

/*
 * A stand-in that is bad where the original is. It ends behind the first page that is not there at all, or at its limit: whoever gets so
 * far gets no further.
 */
static long mirror_make(struct kmem_call_state *state, struct kmem_stand_in *copy, unsigned int direction)
{
	size_t page_size = kmem_page_size();
	uintptr_t first = kmem_page_floor(copy->addr);
	size_t size = copy->size < KMEM_STAND_IN_MAX ? copy->size : KMEM_STAND_IN_MAX;
	size_t pages = (copy->addr - first + size + page_size - 1) / page_size;
	struct block *block = block_get((pages + 2) * page_size);
	unsigned char *memory;
	size_t done = 0;
	long ret = 0;

	if (block == NULL) {
		return -ENOMEM;
	}
	memory = (unsigned char *)(block + 1);
	memory += -(uintptr_t)memory & (page_size - 1);
	while (ret == 0 && done < pages && mirror_prot(first + done * page_size) != KMEM_PROT_NONE) {
		ret = mirror_page(memory + done * page_size, first + done * page_size);
		done++;
	}
	if (ret == 0 && done < pages) {
		uintptr_t bad = done == 0 ? copy->addr : first + done * page_size;

		copy->allowed = bad - copy->addr;
		kmem_room_bad_note(state, bad, direction);
	}
	if (ret == 0) {
		ret = kmem_host_range_protect((uintptr_t)memory + done * page_size, (pages + 1 - done) * page_size, KMEM_PROT_NONE);
	}
	copy->resident = (uint64_t)(uintptr_t)memory + (copy->addr - first);
	copy->is_mirror = true;
	return ret;
}

/* Keep what the kernel is given, so that only what it changes goes back: another thread may change the rest meanwhile. */
static long former_keep(struct kmem_call_state *state, struct kmem_stand_in *copy)
{
	void *former = kmem_room_get(state, copy->size, 0);

	if (former == NULL) {
		return -ENOMEM;
	}
	memcpy(former, (const void *)(uintptr_t)copy->resident, copy->size);
	copy->former = former;
	return 0;
}

long kmem_stand_in_make(struct kmem_call_state *state, struct kmem_stand_in *copy, uint64_t addr, size_t size,
			unsigned int direction)
{
	size_t allowed;
	void *room;

	*copy = (struct kmem_stand_in){.addr = addr, .resident = addr, .size = size, .allowed = size};
	if (!kmem_room_is_paged(addr, size)) {
		return 0;
	}
	allowed = size <= KMEM_STAND_IN_MAX ? kmem_room_allowed(addr, size, direction) : 0;
	if (allowed < size) {
		return mirror_make(state, copy, direction);
	}
	room = kmem_room_get(state, size, addr);
	if (room == NULL) {
		return -ENOMEM;
	}
	copy->resident = (uint64_t)(uintptr_t)room;
	if ((direction & KMEM_CALL_IN) == 0) {
		return 0;
	}
	if (kmem_room_copy_in(room, addr, size) < size) {
		return -EFAULT;
	}
	return (direction & KMEM_CALL_OUT) != 0 ? former_keep(state, copy) : 0;
}

long kmem_stand_in_string(struct kmem_call_state *state, struct kmem_stand_in *copy, uint64_t addr, size_t max)
{
	long length;

	*copy = (struct kmem_stand_in){.addr = addr, .resident = addr};
	if (!kmem_room_is_paged(addr, 1)) {
		return 0;
	}
	length = kmem_copy_strnlen((const char *)(uintptr_t)addr, max);
	if (length < 0) {
		/* Memory ends before the string does. */
		return kmem_stand_in_make(state, copy, addr, max, KMEM_CALL_IN);
	}
	return kmem_stand_in_make(state, copy, addr, (size_t)length < max ? (size_t)length + 1 : max, KMEM_CALL_IN);
}

/* Write back to the pages of a mirrored range that can be written: whether the others matter, the kernel has judged. */
static void mirror_back(const struct kmem_stand_in *copy, size_t size)
{
	size_t page_size = kmem_page_size();
	size_t done = 0;

	while (done < size) {
		uintptr_t at = copy->addr + done;
		size_t here = page_size - (at & (page_size - 1));

		here = here < size - done ? here : size - done;
		if ((mirror_prot(kmem_page_floor(at)) & KMEM_PROT_WRITE) != 0) {
			(void)kmem_room_copy_out(at, (const void *)(uintptr_t)(copy->resident + done), here);
		}
		done += here;
	}
}

/* Write back those runs of bytes that the kernel has changed. */
static long changes_back(const struct kmem_stand_in *copy, size_t size)
{
	const unsigned char *now = (const void *)(uintptr_t)copy->resident;
	const unsigned char *former = copy->former;
	size_t at = 0;

	if (memcmp(now, former, size) == 0) {
		return 0;
	}
	while (at < size) {
		size_t end = at;

		while (end < size && now[end] != former[end]) {
			end++;
		}
		if (end > at && kmem_room_copy_out(copy->addr + at, now + at, end - at) < end - at) {
			return -EFAULT;
		}
		at = end + 1;
	}
	return 0;
}

long kmem_stand_in_back(const struct kmem_stand_in *copy, size_t size)
{
	size = size < copy->size ? size : copy->size;
	if (copy->resident == copy->addr || size == 0) {
		return 0;
	}
	if (copy->is_mirror) {
		mirror_back(copy, size < KMEM_STAND_IN_MAX ? size : KMEM_STAND_IN_MAX);
		return 0;
	}
	if (copy->former != NULL) {
		return changes_back(copy, size);
	}
	return kmem_room_copy_out(copy->addr, (const void *)(uintptr_t)copy->resident, size) < size ? -EFAULT : 0;
}
