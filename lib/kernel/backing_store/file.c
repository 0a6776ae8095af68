/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file store: one page's bytes a slot of a file, which grows as slots are first written. The file is a temporary
 * one without a name, in a directory that was given or a usual one, or one at a path that must not exist before and is removed at the
 * end.
 *
 * Theory of operation. A location is the slot's index times the page size. When a page comes in, its slot is kept as a
 * clean copy: the frame is BACKED, and goes out again without a write unless the page is dirty. So a slot is free,
 * belongs to a page that is out, or is *cached* by a frame. When no slot is free, one is stolen from the frame at the
 * head of a queue of all that may have one cached; that frame is then no longer BACKED, and its page goes out by a
 * write to another slot.
 *
 * The truth about a frame's cache is its BACKED flag, which the core clears when the page goes out (the slot is the
 * page's then) and sets again if that fails; frames[].slot means something only while the flag is set. The queue is
 * therefore swept as it is searched: frames without BACKED are dropped, save those in transit, whose flag may come
 * back. Each entry is dropped once for the one time it was added, so stealing takes constant time, amortised, plus what
 * is in transit.
 *
 * Free slots are a list, the last one freed first, so that few slots are ever touched; behind them come those that were never used. Pages
 * that go out together have neighbours: from the first of the list, the run of free slots around it is taken, as far as it is needed, and
 * goes on into those never used. The list is linked both ways, so a slot leaves it in constant time wherever it is. A vector of pages
 * is moved with one host call for each stretch of neighbours in it.
 *
 * Without page_fault a location is given only if another one, free or cached, is left, a BACKED frame's own included.
 * So pages that are out number capacity - 1 at most without a fault's doing, as in a store that caches nothing.
 *
 * Invariants: S1 a BACKED frame's slot is in use, by no other frame and no page that is out. S2 a BACKED frame is in
 * the queue.
 */
#include "kernel/store.h"

#include <errno.h>
#include <string.h>

#include <kmem/kmem.h>

#include "host/assert.h"
#include "host/file.h"
#include "host/memory.h"
#include "host/process.h"

/* Values of next and previous that are no index. Indices of slots and frames have 32 bits: a store has 16 TiB at most. */
#define SLOT_NONE UINT32_MAX       /* an end of the list */
#define SLOT_USED (UINT32_MAX - 1) /* next: belongs to a page or is cached */
#define INDEX_END SLOT_USED

struct slot {
	uint32_t next; /* the next free slot, SLOT_NONE or SLOT_USED */
	union {
		uint32_t previous; /* free: the one before it in the list */
		uint32_t frame;    /* used: the last frame that cached it; a hint */
	};
};

struct frame {
	uint32_t slot;  /* while BACKED */
	bool is_queued; /* in the queue */
};

struct file {
	/* constant after init */
	struct kmem_frames all;
	size_t page_size;
	size_t capacity;
	size_t table_size;    /* bytes of this struct and its tables */
	struct slot *slots;   /* capacity */
	struct frame *frames; /* all.count */
	uint32_t *queue;      /* all.count: a ring of frames */
	char *path;           /* of the file, "" if it has none; the child of a fork sets it so */
	char *directory;      /* where files without names are made, also at a fork; "": wherever is usual */
	int owner;            /* the process that made the file; a child whose copy failed keeps its hands off the path */
	int fd;

	/* guarded by the kernel lock */
	size_t free_count;  /* slots free, never used ones included */
	size_t touched;     /* slots used at any time: the first ones */
	uint32_t free;      /* the first of the list */
	size_t queue_first; /* place of the oldest entry */
	size_t queue_count;
	int fork_fd; /* the child's copy; -1: none */
};

/* Zeroed memory for the store and its tables, laid out one behind the other. */
static int tables_get(struct file **file, const struct kmem_store_params *params)
{
	size_t capacity = params->capacity_pages < INDEX_END ? params->capacity_pages : INDEX_END;
	size_t count = params->frames.count;
	const char *usual = kmem_host_file_directory();
	size_t path_size = params->path == NULL ? 1 : strlen(params->path) + 1;
	size_t usual_size = strlen(usual) + 1;
	size_t size = sizeof(struct file) + capacity * sizeof(struct slot) +
		      count * (sizeof(struct frame) + sizeof(uint32_t)) + path_size + usual_size;
	void *memory;
	int ret;

	size = kmem_host_page_round(size);
	ret = kmem_host_memory_get(&memory, size);
	if (ret != 0) {
		return ret;
	}
	*file = memory;
	**file = (struct file){
		.all = params->frames,
		.page_size = params->frames.page_size,
		.capacity = capacity,
		.table_size = size,
		.free_count = capacity,
		.free = SLOT_NONE,
		.fork_fd = -1,
	};
	(*file)->slots = (struct slot *)(*file + 1);
	(*file)->frames = (struct frame *)((*file)->slots + capacity);
	(*file)->queue = (uint32_t *)((*file)->frames + count);
	(*file)->path = (char *)((*file)->queue + count);
	(*file)->directory = (*file)->path + path_size;
	memcpy((*file)->directory, usual, usual_size);
	if (params->path != NULL) {
		memcpy((*file)->path, params->path, path_size);
	}
	if (params->path != NULL && kmem_host_file_is_directory(params->path)) {
		(*file)->directory = (*file)->path;
		(*file)->path += path_size - 1; /* "" */
	}
	return 0;
}

static int file_init(void **state, const struct kmem_store_params *params)
{
	size_t capacity = params->capacity_pages;
	struct file *file;
	int ret;

	if (capacity == 0 || capacity > KMEM_LOCATION_ANON_UNINIT / params->frames.page_size ||
	    params->frames.count > INDEX_END) {
		return -EINVAL;
	}
	ret = tables_get(&file, params);
	if (ret != 0) {
		return ret;
	}
	ret = file->path[0] == '\0' ? kmem_host_file_temporary(file->directory) : kmem_host_file_create(file->path);
	if (ret < 0) {
		kmem_host_memory_free(file, file->table_size);
		return ret;
	}
	file->fd = ret;
	file->owner = kmem_process_id();
	*state = file;
	return 0;
}

static void file_finish(void *state)
{
	struct file *file = state;

	kmem_host_file_close(file->fd);
	if (file->path[0] != '\0' && file->owner == kmem_process_id()) {
		kmem_host_file_remove(file->path);
	}
	kmem_host_memory_free(file, file->table_size);
}

/* The slot of a location that is in use. */
static uint32_t slot_of(const struct file *file, uintptr_t location)
{
	size_t slot = location / file->page_size;

	kmem_assert(location % file->page_size == 0 && slot < file->touched && file->slots[slot].next == SLOT_USED);
	return (uint32_t)slot;
}

static uintptr_t location_of(const struct file *file, uint32_t slot)
{
	return (uintptr_t)slot * file->page_size;
}

static uint32_t frame_index(const struct file *file, const struct k_mem_page_frame *pf)
{
	size_t index = (size_t)(pf - file->all.first);

	kmem_assert(index < file->all.count);
	return (uint32_t)index;
}

/* The other bits of a free frame are the free list's. */
static bool has_cached(const struct file *file, uint32_t frame)
{
	struct k_mem_page_frame *pf = &file->all.first[frame];

	return !k_mem_page_frame_is_free(pf) && k_mem_page_frame_is_backed(pf);
}

static bool is_in_transit(const struct file *file, uint32_t frame)
{
	struct k_mem_page_frame *pf = &file->all.first[frame];

	return !k_mem_page_frame_is_free(pf) && k_mem_page_frame_is_busy(pf);
}

static void cache_forget(struct file *file, uint32_t frame)
{
	k_mem_page_frame_clear(&file->all.first[frame], K_MEM_PAGE_FRAME_BACKED);
}

static void queue_put(struct file *file, uint32_t frame)
{
	size_t place = file->queue_first + file->queue_count;

	if (file->frames[frame].is_queued) {
		return;
	}
	file->frames[frame].is_queued = true;
	file->queue[place % file->all.count] = frame;
	file->queue_count++;
}

static uint32_t queue_get(struct file *file)
{
	uint32_t frame = file->queue[file->queue_first];

	file->frames[frame].is_queued = false;
	file->queue_first = (file->queue_first + 1) % file->all.count;
	file->queue_count--;
	return frame;
}

/*
 * The frame at the head, put back at the tail if it has a copy or may have one again. True if the copy can be stolen.
 */
static bool queue_turn(struct file *file, uint32_t *frame)
{
	bool is_busy;

	*frame = queue_get(file);
	is_busy = is_in_transit(file, *frame);
	if (!is_busy && !has_cached(file, *frame)) {
		return false;
	}
	queue_put(file, *frame);
	return !is_busy;
}

/* Whether that many slots are free or can be stolen. */
static bool has_available(struct file *file, size_t wanted)
{
	size_t found = file->free_count;
	uint32_t frame;

	for (size_t left = file->queue_count; left > 0 && found < wanted; left--) {
		found += queue_turn(file, &frame) ? 1 : 0;
	}
	return found >= wanted;
}

static bool is_free(const struct file *file, size_t slot)
{
	return slot < file->touched ? file->slots[slot].next != SLOT_USED : slot < file->capacity;
}

/* Take a slot out of the list. */
static void slot_unlink(struct file *file, uint32_t slot)
{
	const struct slot links = file->slots[slot];

	if (links.previous != SLOT_NONE) {
		file->slots[links.previous].next = links.next;
	} else {
		file->free = links.next;
	}
	if (links.next != SLOT_NONE) {
		file->slots[links.next].previous = links.previous;
	}
}

/* A free slot is used from now on: one of the list, or the first of those that never were. */
static void slot_take(struct file *file, uint32_t slot)
{
	kmem_assert(is_free(file, slot) && slot <= file->touched);
	if (slot < file->touched) {
		slot_unlink(file, slot);
	} else {
		file->touched++;
	}
	file->slots[slot].next = SLOT_USED;
	file->free_count--;
}

static void slot_give(struct file *file, uint32_t slot)
{
	file->slots[slot].next = file->free;
	file->slots[slot].previous = SLOT_NONE;
	if (file->free != SLOT_NONE) {
		file->slots[file->free].previous = slot;
	}
	file->free = slot;
	file->free_count++;
}

/*
 * The lowest of a run of free slots, for so many at most; SLOT_NONE if none is free. The slots looked at are free, and those from the one
 * that is returned on, so whoever takes the run pays for the search.
 */
static uint32_t run_find(const struct file *file, size_t wanted)
{
	uint32_t slot = file->free != SLOT_NONE ? file->free : (uint32_t)file->touched;

	if (file->free_count == 0) {
		return SLOT_NONE;
	}
	for (; wanted > 1 && slot > 0 && is_free(file, slot - 1); wanted--) {
		slot--;
	}
	return slot;
}

/* A slot that was some frame's copy, or SLOT_NONE. */
static uint32_t slot_steal(struct file *file)
{
	for (size_t left = file->queue_count; left > 0; left--) {
		uint32_t frame;

		if (queue_turn(file, &frame)) {
			cache_forget(file, frame);
			return file->frames[frame].slot;
		}
	}
	return SLOT_NONE;
}

/* A slot for the first of so many pages: `near` if it is one and free, else a free one, else a stolen one. SLOT_NONE if there is none. */
static uint32_t slot_get(struct file *file, uint32_t near, size_t wanted)
{
	uint32_t slot = is_free(file, near) ? near : run_find(file, wanted);

	if (slot == SLOT_NONE) {
		return slot_steal(file);
	}
	slot_take(file, slot);
	return slot;
}

static int file_location_get(void *state, struct k_mem_page_frame *pf, uintptr_t *location, bool page_fault)
{
	struct file *file = state;
	uint32_t frame = frame_index(file, pf);
	uint32_t slot;

	if (!page_fault && !has_available(file, 2)) {
		return -ENOMEM;
	}
	slot = has_cached(file, frame) ? file->frames[frame].slot : slot_get(file, SLOT_NONE, 1);
	if (slot == SLOT_NONE) {
		return -ENOMEM;
	}
	*location = location_of(file, slot);
	return 0;
}

static int file_locations_get(void *state, struct k_mem_page_frame *const *pfs, size_t count, uintptr_t *locations,
			      bool page_fault)
{
	struct file *file = state;
	uint32_t near = SLOT_NONE;
	size_t given = 0;

	for (; given < count; given++) {
		uint32_t slot = SLOT_NONE;

		kmem_assert(!has_cached(file, frame_index(file, pfs[given])));
		if ((page_fault && given == 0) || has_available(file, 2)) {
			slot = slot_get(file, near, count - given);
		}
		if (slot == SLOT_NONE) {
			break;
		}
		locations[given] = location_of(file, slot);
		near = slot + 1;
	}
	return given > 0 ? (int)given : -ENOMEM;
}

static void file_location_free(void *state, uintptr_t location)
{
	struct file *file = state;
	uint32_t slot = slot_of(file, location);
	uint32_t frame = file->slots[slot].frame;

	if (frame < file->all.count && has_cached(file, frame) && file->frames[frame].slot == slot) {
		cache_forget(file, frame);
	}
	slot_give(file, slot);
}

static int file_page_out(void *state, uintptr_t location, const void *page)
{
	struct file *file = state;

	return kmem_host_file_write(file->fd, page, file->page_size, location);
}

static int file_page_in(void *state, uintptr_t location, void *page)
{
	struct file *file = state;

	return kmem_host_file_read(file->fd, page, file->page_size, location);
}

/* The parts of the stretch of neighbours that a vector begins with, pages that are neighbours in memory being one; their number. */
static size_t stretch(const struct file *file, const struct kmem_store_io *io, size_t count, struct kmem_host_file_part *parts)
{
	size_t used = 0;

	for (size_t i = 0; i < count && (i == 0 || io[i].location == io[i - 1].location + file->page_size); i++) {
		if (i > 0 && (char *)io[i].page == (char *)io[i - 1].page + file->page_size) {
			parts[used - 1].size += file->page_size;
			continue;
		}
		if (used == KMEM_HOST_FILE_PARTS) {
			break;
		}
		parts[used++] = (struct kmem_host_file_part){.bytes = io[i].page, .size = file->page_size};
	}
	return used;
}

/* Whole pages of what a host call has moved, or why it has not moved one. */
static int pages_done(const struct file *file, size_t bytes, int error)
{
	size_t pages = bytes / file->page_size;

	return pages > 0 ? (int)pages : error;
}

static int file_pages_out(void *state, const struct kmem_store_io *io, size_t count)
{
	struct file *file = state;
	struct kmem_host_file_part parts[KMEM_HOST_FILE_PARTS];
	size_t part_count = stretch(file, io, count, parts);
	size_t done;
	int ret;

	ret = kmem_host_file_write_parts(file->fd, parts, part_count, io[0].location, &done);
	return pages_done(file, done, ret);
}

static int file_pages_in(void *state, const struct kmem_store_io *io, size_t count)
{
	struct file *file = state;
	struct kmem_host_file_part parts[KMEM_HOST_FILE_PARTS];
	size_t part_count = stretch(file, io, count, parts);
	size_t done;
	int ret;

	ret = kmem_host_file_read_parts(file->fd, parts, part_count, io[0].location, &done);
	return pages_done(file, done, ret);
}

static void file_page_finalize(void *state, struct k_mem_page_frame *pf, uintptr_t location)
{
	struct file *file = state;
	uint32_t frame = frame_index(file, pf);
	uint32_t slot;

	if (location == KMEM_LOCATION_ANON_ZERO || location == KMEM_LOCATION_ANON_UNINIT) {
		cache_forget(file, frame);
		return;
	}
	slot = slot_of(file, location);
	file->slots[slot].frame = frame;
	file->frames[frame].slot = slot;
	k_mem_page_frame_set(pf, K_MEM_PAGE_FRAME_BACKED);
	queue_put(file, frame);
}

/* Holes and slots that were never used cost nothing. */
static int file_fork_prepare(void *state)
{
	struct file *file = state;
	int fd = kmem_host_file_temporary(file->directory);
	int ret;

	if (fd < 0) {
		/* A process that has changed its root or its user may have lost the directory: better in memory than not at all. */
		fd = kmem_host_memfd_create("kmem store", 0);
	}
	if (fd < 0) {
		return fd;
	}
	ret = kmem_host_file_copy(file->fd, fd, file->touched * file->page_size);
	if (ret != 0) {
		kmem_host_file_close(fd);
		return ret;
	}
	file->fork_fd = fd;
	return 0;
}

static void file_fork_parent(void *state)
{
	struct file *file = state;

	if (file->fork_fd >= 0) {
		kmem_host_file_close(file->fork_fd);
		file->fork_fd = -1;
	}
}

static void file_fork_child(void *state)
{
	struct file *file = state;

	kmem_host_file_close(file->fd);
	file->fd = file->fork_fd;
	file->fork_fd = -1;
	file->path[0] = '\0'; /* the parent's */
}

static void file_usage(void *state, struct kmem_store_usage *usage)
{
	const struct file *file = state;

	usage->capacity_pages = file->capacity;
	usage->used_pages = file->capacity - file->free_count;
	usage->cached_pages = 0;
	for (uint32_t frame = 0; frame < file->all.count; frame++) {
		usage->cached_pages += has_cached(file, frame) ? 1 : 0;
	}
	if (kmem_host_file_usage(file->fd, &usage->host_bytes) != 0) {
		usage->host_bytes = 0;
	}
}

const struct kmem_store_ops kmem_store_file = {
	.version = KMEM_STORE_VERSION,
	.name = "file",
	.flags = KMEM_STORE_CONCURRENT,
	.init = file_init,
	.finish = file_finish,
	.location_get = file_location_get,
	.location_free = file_location_free,
	.page_out = file_page_out,
	.page_in = file_page_in,
	.page_finalize = file_page_finalize,
	.fork_prepare = file_fork_prepare,
	.fork_parent = file_fork_parent,
	.fork_child = file_fork_child,
	.usage = file_usage,
	.locations_get = file_locations_get,
	.pages_out = file_pages_out,
	.pages_in = file_pages_in,
};
