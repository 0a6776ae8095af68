/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ELF notes of the objects that are loaded, from their PT_NOTE segments.
 *
 * A note is three words (size of the name, size of the description, type), the name, the description. Linkers keep notes of
 * 4-byte and of 8-byte alignment in segments of their own; p_align says how each is padded.
 */
#include "host/note.h"

#include <elf.h>
#include <link.h>
#include <string.h>

struct search {
	const char *name;
	uint32_t type;
	int (*visit)(const void *desc, size_t size, void *arg);
	void *arg;
};

static size_t padded(size_t size, size_t align)
{
	return (size + align - 1) / align * align;
}

/* The notes of one segment. */
static int segment_walk(const unsigned char *start, size_t size, size_t align, const struct search *search)
{
	size_t at = 0;

	while (size - at >= sizeof(ElfW(Nhdr))) {
		ElfW(Nhdr) note;
		size_t name_at = at + sizeof(note);
		size_t desc_at;
		int ret;

		memcpy(&note, start + at, sizeof(note));
		desc_at = at + padded(sizeof(note) + note.n_namesz, align);
		if (desc_at > size || note.n_descsz > size - desc_at) {
			return 0;
		}
		at = desc_at + padded(note.n_descsz, align);
		at = at < size ? at : size;
		if (note.n_type != search->type || note.n_namesz != strlen(search->name) + 1 ||
		    memcmp(start + name_at, search->name, note.n_namesz) != 0) {
			continue;
		}
		ret = search->visit(start + desc_at, note.n_descsz, search->arg);
		if (ret != 0) {
			return ret;
		}
	}
	return 0;
}

static int object_walk(struct dl_phdr_info *info, size_t size, void *arg)
{
	int ret = 0;

	(void)size;
	for (size_t i = 0; i < info->dlpi_phnum && ret == 0; i++) {
		const ElfW(Phdr) *segment = &info->dlpi_phdr[i];

		if (segment->p_type == PT_NOTE) {
			ret = segment_walk((const unsigned char *)(info->dlpi_addr + segment->p_vaddr), segment->p_memsz,
					   segment->p_align == 8 ? 8 : 4, arg);
		}
	}
	return ret;
}

int kmem_host_note_walk(const char *name, uint32_t type, int (*visit)(const void *desc, size_t size, void *arg), void *arg)
{
	struct search search = {.name = name, .type = type, .visit = visit, .arg = arg};

	return dl_iterate_phdr(object_walk, &search);
}
