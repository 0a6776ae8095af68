/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The objects that are loaded: from the dynamic linker's list, of which the program is the first, and from /proc/self/maps.
 */
#include "host/object.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/file.h"
#include "host/memory.h"

const char *kmem_host_object_name(const void *address)
{
	Dl_info info;

	if (dladdr(address, &info) == 0 || info.dli_fname == NULL || info.dli_fname[0] == '\0') {
		return "the program";
	}
	return info.dli_fname;
}

struct search {
	struct kmem_segment *segments;
	size_t count;
};

static void segment_add(struct search *search, uintptr_t start, uintptr_t end, uint32_t flags, bool is_relro)
{
	if (start < end && search->count < KMEM_SEGMENTS_MAX) {
		search->segments[search->count++] = (struct kmem_segment){
			.addr = start,
			.size = end - start,
			.is_writable = (flags & PF_W) != 0 && !is_relro,
			.is_executable = (flags & PF_X) != 0,
			.is_relro = is_relro,
		};
	}
}

/* One loaded segment, split where [relro_start, relro_end) covers a part of it. */
static void load_add(struct search *search, const ElfW(Phdr) * load, uintptr_t base, uintptr_t relro_start,
		     uintptr_t relro_end)
{
	size_t page = kmem_host_page_size();
	uintptr_t start = (base + load->p_vaddr) / page * page;
	uintptr_t end = kmem_host_page_round(base + load->p_vaddr + load->p_memsz);

	if (relro_start >= end || relro_end <= start) {
		segment_add(search, start, end, load->p_flags, false);
		return;
	}
	segment_add(search, start, relro_start, load->p_flags, false);
	segment_add(search, relro_start > start ? relro_start : start, relro_end, load->p_flags, true);
	segment_add(search, relro_end, end, load->p_flags, false);
}

static int program_walk(struct dl_phdr_info *info, size_t size, void *arg)
{
	size_t page = kmem_host_page_size();
	uintptr_t relro_start = 0;
	uintptr_t relro_end = 0;

	(void)size;
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *header = &info->dlpi_phdr[i];

		if (header->p_type == PT_GNU_RELRO) {
			/* The loader protects whole pages inside. */
			relro_start = (info->dlpi_addr + header->p_vaddr) / page * page;
			relro_end = (info->dlpi_addr + header->p_vaddr + header->p_memsz) / page * page;
		}
	}
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		if (info->dlpi_phdr[i].p_type == PT_LOAD) {
			load_add(arg, &info->dlpi_phdr[i], info->dlpi_addr, relro_start, relro_end);
		}
	}
	return 1; /* the program is the first */
}

size_t kmem_host_program_segments(struct kmem_segment *segments)
{
	struct search search = {.segments = segments};

	(void)dl_iterate_phdr(program_walk, &search);
	return search.count;
}

int kmem_host_program_open(void)
{
	return kmem_host_file_open("/proc/self/exe");
}

/* Whether the name at an offset of the file is this one. */
static bool is_name(int fd, size_t offset, const char *name)
{
	char text[64];
	size_t length = strlen(name) + 1;

	return length <= sizeof(text) && kmem_host_file_read(fd, text, length, offset) == 0 &&
	       memcmp(text, name, length) == 0;
}

int kmem_host_section_find(int fd, const char *name, struct kmem_file_section *section)
{
	ElfW(Ehdr) file;
	ElfW(Shdr) names;
	int ret = kmem_host_file_read(fd, &file, sizeof(file), 0);

	if (ret != 0 || file.e_shoff == 0 || file.e_shentsize != sizeof(names) || file.e_shstrndx >= file.e_shnum) {
		return ret != 0 ? ret : -ENOENT;
	}
	ret = kmem_host_file_read(fd, &names, sizeof(names), file.e_shoff + file.e_shstrndx * sizeof(names));
	for (size_t i = 1; i < file.e_shnum && ret == 0; i++) {
		ElfW(Shdr) header;

		ret = kmem_host_file_read(fd, &header, sizeof(header), file.e_shoff + i * sizeof(header));
		if (ret == 0 && is_name(fd, names.sh_offset + header.sh_name, name)) {
			*section = (struct kmem_file_section){header.sh_addr, header.sh_size, header.sh_offset};
			return 0;
		}
	}
	return ret != 0 ? ret : -ENOENT;
}

/* A file being read by lines, without the heap. */
struct reader {
	int fd;
	size_t at, length;
	char bytes[1024];
};

/* The next byte, or -1. */
static int byte_read(struct reader *reader)
{
	if (reader->at == reader->length) {
		ssize_t got = read(reader->fd, reader->bytes, sizeof(reader->bytes));

		reader->at = 0;
		reader->length = got > 0 ? (size_t)got : 0;
	}
	return reader->at < reader->length ? (unsigned char)reader->bytes[reader->at++] : -1;
}

/* A line, cut where it is longer. False at the end. */
static bool line_read(struct reader *reader, char *line, size_t size)
{
	size_t length = 0;
	int byte = byte_read(reader);

	if (byte < 0) {
		return false;
	}
	for (; byte >= 0 && byte != '\n'; byte = byte_read(reader)) {
		if (length + 1 < size) {
			line[length++] = (char)byte;
		}
	}
	line[length] = '\0';
	return true;
}

int kmem_host_heap_get(uintptr_t *start, uintptr_t *end)
{
	struct reader reader = {.fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC)};
	uintptr_t limit = (uintptr_t)sbrk(0);
	char line[256];
	int ret = -ENOENT;

	if (reader.fd < 0) {
		return -errno;
	}
	while (line_read(&reader, line, sizeof(line))) {
		unsigned long from;
		unsigned long to;

		/* Valgrind's is where the break is, and has no name; the last of two that meet there is the heap. */
		if (sscanf(line, "%lx-%lx", &from, &to) == 2 &&
		    (strstr(line, "[heap]") != NULL || (from <= limit && limit <= to))) {
			*start = from;
			*end = to;
			ret = 0;
		}
	}
	(void)close(reader.fd);
	return ret;
}
