/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kmem-run: what kind of file a program is.
 *
 * Files are read, never mapped, and nothing that they say of themselves is trusted: every offset is read for with its length, and a read
 * that comes back short makes the file a broken one.
 */
#include "preload/kmem_run.h"

#include <elf.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* More program headers, or more entries of a dynamic section, are nobody's. */
#define SEGMENTS_MAX 256
#define DYNAMIC_MAX 1024

static bool read_at(int fd, void *buffer, size_t size, uint64_t offset)
{
	return pread(fd, buffer, size, (off_t)offset) == (ssize_t)size;
}

/* A string of unknown length that ends in a NUL. */
static bool string_at(int fd, char *text, size_t size, uint64_t offset)
{
	ssize_t length = pread(fd, text, size - 1, (off_t)offset);

	text[length > 0 ? length : 0] = '\0';
	return length > 0 && strlen(text) < (size_t)length;
}

struct image {
	int fd;
	Elf64_Ehdr header;
	Elf64_Phdr segments[SEGMENTS_MAX];
};

static const Elf64_Phdr *segment_find(const struct image *image, uint32_t type)
{
	for (unsigned int i = 0; i < image->header.e_phnum; i++) {
		if (image->segments[i].p_type == type) {
			return &image->segments[i];
		}
	}
	return NULL;
}

/* Where in the file an address of the image is. */
static bool offset_of(const struct image *image, uint64_t addr, uint64_t *offset)
{
	for (unsigned int i = 0; i < image->header.e_phnum; i++) {
		const Elf64_Phdr *segment = &image->segments[i];

		if (segment->p_type == PT_LOAD && addr - segment->p_vaddr < segment->p_filesz) {
			*offset = segment->p_offset + (addr - segment->p_vaddr);
			return true;
		}
	}
	return false;
}

static void needed_note(struct kmem_run_file *file, const char *name)
{
	static const char *const sanitizers[] = {"libasan.so", "libtsan.so", "libhwasan.so", "liblsan.so"};

	file->needs_libkmem = file->needs_libkmem || strncmp(name, "libkmem.so", strlen("libkmem.so")) == 0;
	for (size_t i = 0; i < sizeof(sanitizers) / sizeof(sanitizers[0]); i++) {
		file->needs_sanitizer = file->needs_sanitizer || strncmp(name, sanitizers[i], strlen(sanitizers[i])) == 0;
	}
}

/* The names of the libraries that the file is linked with, and its own. False where the dynamic section contradicts itself. */
static bool names_read(const struct image *image, struct kmem_run_file *file)
{
	const Elf64_Phdr *dynamic = segment_find(image, PT_DYNAMIC);
	Elf64_Dyn entries[DYNAMIC_MAX];
	size_t count = dynamic != NULL ? dynamic->p_filesz / sizeof(entries[0]) : 0;
	uint64_t strings = 0;
	bool has_strings = false;

	if (count == 0) {
		return true;
	}
	if (count > DYNAMIC_MAX || !read_at(image->fd, entries, count * sizeof(entries[0]), dynamic->p_offset)) {
		return false;
	}
	for (size_t i = 0; i < count && entries[i].d_tag != DT_NULL; i++) {
		if (entries[i].d_tag == DT_STRTAB) {
			has_strings = offset_of(image, entries[i].d_un.d_ptr, &strings);
		}
	}
	for (size_t i = 0; i < count && entries[i].d_tag != DT_NULL; i++) {
		char name[256];

		if (entries[i].d_tag != DT_NEEDED && entries[i].d_tag != DT_SONAME) {
			continue;
		}
		if (!has_strings || !string_at(image->fd, name, sizeof(name), strings + entries[i].d_un.d_val)) {
			return false;
		}
		if (entries[i].d_tag == DT_SONAME) {
			file->is_preload_library = strcmp(name, KMEM_RUN_LIBRARY) == 0;
		} else {
			needed_note(file, name);
		}
	}
	return true;
}

static enum kmem_run_kind elf_read(struct image *image, struct kmem_run_file *file)
{
	const Elf64_Ehdr *header = &image->header;
	const Elf64_Phdr *interpreter;

	if (!read_at(image->fd, &image->header, sizeof(image->header), 0)) {
		return KMEM_RUN_BROKEN;
	}
	if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_ident[EI_DATA] != ELFDATA2LSB || header->e_machine != EM_X86_64) {
		return KMEM_RUN_OTHER_CPU;
	}
	file->is_library = header->e_type == ET_DYN;
	if ((header->e_type != ET_EXEC && header->e_type != ET_DYN) || header->e_phentsize != sizeof(Elf64_Phdr) ||
	    header->e_phnum > SEGMENTS_MAX ||
	    !read_at(image->fd, image->segments, header->e_phnum * sizeof(Elf64_Phdr), header->e_phoff)) {
		return KMEM_RUN_BROKEN;
	}
	interpreter = segment_find(image, PT_INTERP);
	if (interpreter != NULL && !string_at(image->fd, file->interpreter, sizeof(file->interpreter), interpreter->p_offset)) {
		return KMEM_RUN_BROKEN;
	}
	if (!names_read(image, file)) {
		return KMEM_RUN_BROKEN;
	}
	return interpreter != NULL ? KMEM_RUN_DYNAMIC : KMEM_RUN_STATIC;
}

/* Without the CR at its end: whether there was one. */
static bool cr_drop(char *text)
{
	size_t length = strlen(text);

	if (length == 0 || text[length - 1] != '\r') {
		return false;
	}
	text[length - 1] = '\0';
	return true;
}

/* "#! interpreter argument": one argument, blanks in it and all, as the host kernel has it. */
static void script_read(const char *line, struct kmem_run_file *file)
{
	const char *start = line + 2 + strspn(line + 2, " \t");
	size_t length = strcspn(start, " \t\n");
	const char *argument = start + length + strspn(start + length, " \t");
	size_t argument_length = strcspn(argument, "\n");

	memcpy(file->interpreter, start, length);
	file->interpreter[length] = '\0';
	while (argument_length > 0 && (argument[argument_length - 1] == ' ' || argument[argument_length - 1] == '\t')) {
		argument_length--;
	}
	memcpy(file->argument, argument, argument_length);
	file->argument[argument_length] = '\0';
	file->ends_in_cr = cr_drop(file->argument) || (file->argument[0] == '\0' && cr_drop(file->interpreter));
}

void kmem_run_file_read(const char *path, struct kmem_run_file *file)
{
	struct image image = {.fd = open(path, O_RDONLY | O_CLOEXEC)};
	char start[KMEM_RUN_TEXT_SIZE];
	ssize_t length;

	memset(file, 0, sizeof(*file));
	if (image.fd < 0) {
		return;
	}
	length = pread(image.fd, start, sizeof(start) - 1, 0);
	start[length > 0 ? length : 0] = '\0';
	if (length < 0) {
		file->kind = KMEM_RUN_UNREADABLE;
	} else if (strncmp(start, "#!", 2) == 0) {
		file->kind = KMEM_RUN_SCRIPT;
		script_read(start, file);
	} else if (length < SELFMAG || memcmp(start, ELFMAG, SELFMAG) != 0) {
		file->kind = KMEM_RUN_FOREIGN;
	} else {
		file->kind = elf_read(&image, file);
	}
	close(image.fd);
}
