/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies in resident memory of what a new program is given. See resident.h. No locks.
 */
#include "preload/resident.h"

#include <stdbool.h>
#include <stdint.h>

#include "host/copy.h"
#include "preload/preload.h"

/* An address that nothing is mapped at. */
#define BAD_POINTER ((void *)(uintptr_t)1)

/*
 * The host kernel takes strings of up to 128 KiB with their NULs, and 6 MiB of strings and pointers in all. One byte, or enough pointers,
 * more are copied, so that it is the host kernel that finds them too many.
 */
#define STRING_MAX (128UL * 1024)
#define STRINGS_MAX (6UL * 1024 * 1024 / sizeof(char *) + 1)

#define ALIGNMENT sizeof(void *)

void *kmem_resident_take(struct kmem_resident *resident, size_t size)
{
	const size_t start = resident->used;

	size = (size + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
	if (resident->base == NULL) {
		resident->used += size;
		return NULL;
	}
	if (size > resident->size - start) {
		return NULL;
	}
	resident->used += size;
	return resident->base + start;
}

const void *kmem_resident_bytes(struct kmem_resident *resident, const void *from, size_t size)
{
	void *to;

	if (!kmem_window_has((uintptr_t)from)) {
		return from;
	}
	to = kmem_resident_take(resident, size);
	if (to == NULL || kmem_copy(to, from, size) != size) {
		return BAD_POINTER;
	}
	return to;
}

const char *kmem_resident_string(struct kmem_resident *resident, const char *string)
{
	size_t size;
	long length;
	char *to;

	if (!kmem_window_has((uintptr_t)string)) {
		return string;
	}
	length = kmem_copy_strnlen(string, STRING_MAX);
	if (length < 0) {
		return BAD_POINTER;
	}
	size = (size_t)length;
	to = kmem_resident_take(resident, size + 1);
	if (to == NULL || kmem_copy(to, string, size) != size) {
		return BAD_POINTER;
	}
	to[size] = '\0';
	return to;
}

/* How many strings there are, and whether any of them is in the window; false if the vector cannot be read. */
static bool vector_look(char *const *vector, size_t *count, bool *is_in_window)
{
	char *string;

	*is_in_window = kmem_window_has((uintptr_t)vector);
	for (*count = 0; *count < STRINGS_MAX; (*count)++) {
		if (kmem_copy(&string, vector + *count, sizeof(string)) != sizeof(string)) {
			return false;
		}
		if (string == NULL) {
			break;
		}
		*is_in_window = *is_in_window || kmem_window_has((uintptr_t)string);
	}
	return true;
}

size_t kmem_resident_count(char *const *vector)
{
	bool is_in_window;
	size_t count;

	return vector != NULL && vector_look(vector, &count, &is_in_window) ? count : 0;
}

char *const *kmem_resident_vector(struct kmem_resident *resident, char *const *vector)
{
	const char **to;
	bool is_in_window;
	size_t count;
	char *string;

	if (vector == NULL) {
		return NULL;
	}
	if (!vector_look(vector, &count, &is_in_window)) {
		return (char *const *)BAD_POINTER;
	}
	if (!is_in_window) {
		return vector;
	}
	to = kmem_resident_take(resident, (count + 1) * sizeof(to[0]));
	for (size_t i = 0; i < count; i++) {
		if (kmem_copy(&string, vector + i, sizeof(string)) != sizeof(string)) {
			return (char *const *)BAD_POINTER;
		}
		string = (char *)(uintptr_t)kmem_resident_string(resident, string);
		if (to != NULL) {
			to[i] = string;
		}
	}
	if (to == NULL) {
		return (char *const *)BAD_POINTER;
	}
	to[count] = NULL;
	return (char *const *)to;
}
