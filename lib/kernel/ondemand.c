/* SPDX-License-Identifier: Apache-2.0 */
/*
 * On-demand sections: found in the program's file at boot, which stays open for reading their pages.
 *
 * Only the program's section headers tell where they lie, so a program whose section headers have been stripped has none. A page
 * that a section begins or ends in may hold something else, too: it comes with the page.
 */
#include "kernel/ondemand.h"

#include <errno.h>
#include <string.h>

#include "host/file.h"
#include "host/object.h"
#include "kernel/kernel.h"

static const char *const names[] = {"kmem_ondemand_text", "kmem_ondemand_rodata"};

#define SECTIONS (sizeof(names) / sizeof(names[0]))

/* Whole pages of memory, and where they begin in the file. */
struct stretch {
	uintptr_t start, end;
	size_t offset;
};

/* Constant while booted. */
static struct {
	int fd; /* 0: there are no sections */
	struct stretch stretches[SECTIONS];
	size_t count;
} ondemand;

static void stretch_add(const struct kmem_file_section *section)
{
	size_t page_size = kmem_page_size();
	uintptr_t start = kmem_page_floor(section->addr);
	size_t head = section->addr - start;

	/* Segments lie in the file as in memory, modulo the page: what is before the section in its page is there as well. */
	if (section->size == 0 || section->offset < head || (section->offset - head) % page_size != 0) {
		return;
	}
	ondemand.stretches[ondemand.count++] = (struct stretch){
		.start = start,
		.end = kmem_page_floor(section->addr + section->size + page_size - 1),
		.offset = section->offset - head,
	};
}

int kmem_ondemand_init(void)
{
	int fd;

	memset(&ondemand, 0, sizeof(ondemand));
	fd = kmem_host_program_open();
	if (fd < 0) {
		return fd;
	}
	for (size_t i = 0; i < SECTIONS; i++) {
		struct kmem_file_section section;

		if (kmem_host_section_find(fd, names[i], &section) == 0) {
			stretch_add(&section);
		}
	}
	if (ondemand.count == 0) {
		kmem_host_file_close(fd);
		return 0;
	}
	ondemand.fd = fd;
	return 0;
}

void kmem_ondemand_finish(void)
{
	if (ondemand.count != 0) {
		kmem_host_file_close(ondemand.fd);
		ondemand.count = 0;
	}
}

bool kmem_ondemand_has(uintptr_t addr, uint64_t *location)
{
	for (size_t i = 0; i < ondemand.count; i++) {
		const struct stretch *stretch = &ondemand.stretches[i];

		if (addr >= stretch->start && addr < stretch->end) {
			*location = KMEM_ONDEMAND_LOCATION + stretch->offset + (addr - stretch->start);
			return true;
		}
	}
	return false;
}

bool kmem_ondemand_is_location(uint64_t location)
{
	return ondemand.count != 0 && location >= KMEM_ONDEMAND_LOCATION && location < KMEM_LOCATION_ANON_UNINIT;
}

int kmem_ondemand_read(uint64_t location, void *page)
{
	int ret = kmem_host_file_read(ondemand.fd, page, kmem_page_size(), location - KMEM_ONDEMAND_LOCATION);

	/* The last page of the file may be cut short; its rest is nobody's. */
	return ret == -EIO ? 0 : ret;
}
