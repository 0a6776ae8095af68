/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files that the bytes of RAM lie in: memory for frames from the host, and fork without a copy.
 *
 * Theory of operation. RAM gets memory from the host chunk by chunk, before the first frame of a chunk is used: the host may refuse
 * then, and the refusal is an errno, where a touch of the direct map or of a mapping would be a SIGBUS. A chunk is CHUNK_FRAMES
 * frames, so that the price of a system call is shared and little is taken that is not needed. What has once been given stays.
 *
 * At a fork the file of RAM may *freeze*: nobody writes to it any more, and who wants to write to a chunk, which is whoever exposes a
 * page of it or fills a frame, *thaws* it, by a copy to a file of its own that takes its place in the direct map. So the RAM of a
 * process that has forked may lie in several files, a chunk in one of them:
 *
 *      NONE --populate--> OPEN file --fork--> FROZEN file --thaw: copy--> OPEN file
 *                            ^                     |
 *                            +---------------------+  thaw, and whoever shared the file has ended or is another program by now
 *
 * The parent knows that by a pipe, of which the child holds the other end until exec or exit. The child never knows, and copies, as does
 * the parent where a file was frozen by two forks. Invariant A1: bytes in a FROZEN file are exposed nowhere and never change.
 *
 * The kernel lock guards all of it.
 */
#include "machine/ram_files.h"

#include <stdbool.h>
#include <string.h>

#include "host/assert.h"
#include "host/descriptor.h"
#include "host/file.h"
#include "host/memory.h"

#define CHUNK_FRAMES 16

/* Files of RAM at a time: forks whose children live on, and no chunk of which has been touched since. */
#define FILES_MAX 16

/* One of the files that RAM lies in; chunks == 0 and not current: free. */
struct ram_file {
	int fd; /* owned */
	bool is_frozen;
	int sharers;   /* the read end of a pipe that whoever shares it holds the other end of; -1: copy in any case */
	size_t chunks; /* that lie in it */
};

static struct {
	/* constant after init */
	const struct kmem_bank *bank; /* RAM */
	size_t chunk_size;

	/* guarded by the kernel lock */
	struct ram_file files[FILES_MAX];
	unsigned int current;  /* the file for chunks that have none yet; FILES_MAX: to be made */
	uint8_t *chunk_file;   /* a byte a chunk of RAM: 0, or 1 + the file that it lies in */
	uint8_t *chunk_mapped; /* 1 + the file that the direct map shows there */

	/* between prepare and parent or child of a fork */
	int pipe_read, pipe_write;
} ram;

static size_t chunk_count(void)
{
	return (ram.bank->size + ram.chunk_size - 1) / ram.chunk_size;
}

static bool file_is_used(unsigned int i)
{
	return ram.files[i].chunks != 0 || i == ram.current;
}

static void file_sharers_forget(struct ram_file *file)
{
	if (file->sharers >= 0) {
		kmem_descriptor_close(file->sharers);
		file->sharers = -1;
	}
}

static void file_close(struct ram_file *file)
{
	file_sharers_forget(file);
	kmem_host_file_close(file->fd);
}

static void files_close(void)
{
	for (unsigned int i = 0; i < FILES_MAX; i++) {
		if (file_is_used(i)) {
			file_close(&ram.files[i]);
		}
	}
}

int kmem_ram_files_init(const struct kmem_bank *bank, size_t page_size)
{
	void *tables;
	int ret;

	ram.bank = bank;
	ram.chunk_size = page_size * CHUNK_FRAMES;
	/* A byte each is enough for the numbers of FILES_MAX files. */
	ret = kmem_host_memory_get(&tables, 2 * chunk_count());
	if (ret != 0) {
		return ret;
	}
	ram.chunk_file = tables;
	ram.chunk_mapped = ram.chunk_file + chunk_count();
	memset(ram.chunk_mapped, 1, chunk_count());
	memset(ram.files, 0, sizeof(ram.files));
	ram.files[0] = (struct ram_file){.fd = bank->fd, .sharers = -1};
	ram.current = 0;
	return 0;
}

void kmem_ram_files_finish(void)
{
	kmem_host_memory_free(ram.chunk_file, 2 * chunk_count());
	files_close();
}

/* Bytes of a chunk: the last one may be short. */
static size_t chunk_size(size_t chunk)
{
	size_t left = ram.bank->size - chunk * ram.chunk_size;

	return left < ram.chunk_size ? left : ram.chunk_size;
}

/* A file's number is given anew: the direct map of chunks without a file may show its predecessor. */
static void chunks_forget(uint8_t number)
{
	for (size_t chunk = 0; chunk < chunk_count(); chunk++) {
		if (ram.chunk_mapped[chunk] == number) {
			ram.chunk_mapped[chunk] = 0;
		}
	}
}

/* The file for what has none of its own. 0 or -errno. */
static int current_get(struct ram_file **file)
{
	unsigned int i = 0;
	int fd;

	if (ram.current == FILES_MAX) {
		while (i < FILES_MAX && file_is_used(i)) {
			i++;
		}
		kmem_assert(i < FILES_MAX); /* a fork sees to it */
		fd = kmem_host_memfd_create(ram.bank->name, ram.bank->size);
		if (fd < 0) {
			return fd;
		}
		ram.files[i] = (struct ram_file){.fd = fd, .sharers = -1};
		ram.current = i;
		chunks_forget((uint8_t)(i + 1));
	}
	*file = &ram.files[ram.current];
	return 0;
}

/* A chunk lies in the current file from now on, and the direct map shows it. */
static int chunk_settle(size_t chunk, struct ram_file *file)
{
	const struct kmem_bank *bank = ram.bank;
	uint8_t number = (uint8_t)(file - ram.files + 1);
	uintptr_t at = (uintptr_t)bank->bytes + chunk * ram.chunk_size;

	if (ram.chunk_mapped[chunk] != number) {
		int ret = kmem_host_file_map(at, chunk_size(chunk), file->fd, chunk * ram.chunk_size,
					     KMEM_PROT_READ | KMEM_PROT_WRITE);

		if (ret != 0) {
			return ret;
		}
		(void)kmem_host_range_dontdump(at, chunk_size(chunk));
		ram.chunk_mapped[chunk] = number;
	}
	ram.chunk_file[chunk] = number;
	file->chunks++;
	return 0;
}

/* Whether a frozen file's sharers are gone, and it is ours alone again. */
static bool file_reopen(struct ram_file *file)
{
	if (file->sharers < 0 || !kmem_descriptor_is_abandoned(file->sharers)) {
		return false;
	}
	file_sharers_forget(file);
	file->is_frozen = false;
	return true;
}

/* Copy a chunk that has a file to the current one. */
static int chunk_move(size_t chunk)
{
	struct ram_file *from = &ram.files[ram.chunk_file[chunk] - 1];
	struct ram_file *to;
	int ret;

	ret = current_get(&to);
	if (ret == 0) {
		ret = kmem_host_file_write(to->fd, ram.bank->bytes + chunk * ram.chunk_size, chunk_size(chunk),
					   chunk * ram.chunk_size);
	}
	if (ret == 0) {
		ret = chunk_settle(chunk, to);
	}
	if (ret == 0 && --from->chunks == 0) {
		file_close(from);
	}
	return ret;
}

/* Give a chunk that has a file one that may be written to. */
static int chunk_thaw(size_t chunk)
{
	struct ram_file *file = &ram.files[ram.chunk_file[chunk] - 1];

	return !file->is_frozen || file_reopen(file) ? 0 : chunk_move(chunk);
}

int kmem_ram_populate(uintptr_t phys)
{
	size_t chunk = (phys - ram.bank->phys) / ram.chunk_size;
	struct ram_file *file;
	int ret;

	if (ram.chunk_file[chunk] != 0) {
		return chunk_thaw(chunk);
	}
	ret = current_get(&file);
	if (ret == 0) {
		ret = kmem_host_memfd_populate(file->fd, chunk * ram.chunk_size, chunk_size(chunk));
	}
	return ret == 0 ? chunk_settle(chunk, file) : ret;
}

int kmem_ram_files_extent(size_t offset, size_t size, struct kmem_extent *extent)
{
	size_t first = offset / ram.chunk_size;
	size_t chunk = first;
	size_t end;

	for (; chunk * ram.chunk_size < offset + size; chunk++) {
		/* A chunk without a file of its own is mapped only by who knows that nobody touches it (an image in all of RAM). */
		int ret = ram.chunk_file[chunk] != 0 ? chunk_thaw(chunk) : 0;

		if (ret != 0) {
			return ret;
		}
		if (ram.chunk_mapped[chunk] != ram.chunk_mapped[first]) {
			break;
		}
	}
	end = chunk * ram.chunk_size;
	kmem_assert(ram.chunk_mapped[first] != 0);
	*extent = (struct kmem_extent){
		.fd = ram.files[ram.chunk_mapped[first] - 1].fd,
		.offset = offset,
		.size = end < offset + size ? end - offset : size,
	};
	return 0;
}

int kmem_ram_files_replace(int copy)
{
	const struct kmem_bank *bank = ram.bank;

	files_close();
	memset(ram.files, 0, sizeof(ram.files));
	ram.files[0] = (struct ram_file){.fd = copy, .sharers = -1};
	ram.current = 0;
	memset(ram.chunk_file, 0, chunk_count());
	memset(ram.chunk_mapped, 1, chunk_count());
	return kmem_host_file_map((uintptr_t)bank->bytes, bank->size, copy, 0, KMEM_PROT_READ | KMEM_PROT_WRITE);
}

/* Leave no chunk in a file. */
static int file_empty(unsigned int i)
{
	for (size_t chunk = 0; chunk < chunk_count(); chunk++) {
		int ret = ram.chunk_file[chunk] == i + 1 ? chunk_move(chunk) : 0;

		if (ret != 0) {
			return ret;
		}
	}
	return 0;
}

/* Have a place free for the file that parent and child will each need. */
static int file_place_free(void)
{
	unsigned int smallest = FILES_MAX;

	for (unsigned int i = 0; i < FILES_MAX; i++) {
		struct ram_file *file = &ram.files[i];

		if (!file_is_used(i)) {
			return 0;
		}
		if (i != ram.current && (smallest == FILES_MAX || file->chunks < ram.files[smallest].chunks)) {
			smallest = i;
		}
	}
	return smallest < FILES_MAX ? file_empty(smallest) : 0;
}

int kmem_ram_files_freeze_prepare(void)
{
	int ret = file_place_free();

	return ret == 0 ? kmem_descriptor_pipe(&ram.pipe_read, &ram.pipe_write) : ret;
}

/* Freeze every file that holds something, each with sharers of its own where they can be known. */
static void files_freeze(bool is_parent)
{
	for (unsigned int i = 0; i < FILES_MAX; i++) {
		struct ram_file *file = &ram.files[i];
		bool was_frozen = file->is_frozen;

		if (file->chunks == 0) {
			continue;
		}
		file_sharers_forget(file);
		file->is_frozen = true;
		if (is_parent && !was_frozen) {
			file->sharers = kmem_descriptor_duplicate(ram.pipe_read);
		}
		if (i == ram.current) {
			ram.current = FILES_MAX;
		}
	}
}

void kmem_ram_freeze_parent(void)
{
	for (unsigned int i = 0; i < FILES_MAX; i++) {
		if (ram.files[i].is_frozen && ram.files[i].chunks != 0) {
			(void)file_reopen(&ram.files[i]);
		}
	}
	files_freeze(true);
	kmem_descriptor_close(ram.pipe_read);
	kmem_descriptor_close(ram.pipe_write);
}

/* The write end stays open until the process ends or becomes another program: that is what the parent waits for. */
void kmem_ram_freeze_child(void)
{
	kmem_descriptor_close(ram.pipe_read);
	files_freeze(false);
	if (ram.current < FILES_MAX) {
		kmem_host_file_close(ram.files[ram.current].fd); /* an empty one, which is the parent's */
		ram.current = FILES_MAX;
	}
}
