/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What handlers of system calls use: every object is known, and copies from and to the caller's memory are plain ones.
 */
#include <errno.h>
#include <string.h>

#include <zephyr/internal/syscall_handler.h>

struct k_object *k_object_find(const void *obj)
{
	static _Thread_local struct k_object found;

	if (obj == NULL) {
		return NULL;
	}
	found = (struct k_object){
		.name = (void *)(uintptr_t)obj,
		.type = K_OBJ_ANY,
		.flags = K_OBJ_FLAG_INITIALIZED | K_OBJ_FLAG_PUBLIC,
	};
	memset(found.perms, UINT8_MAX, sizeof(found.perms));
	return &found;
}

void k_object_dump_error(int retval, const void *obj, struct k_object *ko, enum k_objects otype)
{
	if (retval != 0) {
		printk("%p is not a valid kernel object of type %d%s\n", obj, (int)otype,
		       ko != NULL ? ": it has another" : "");
	}
}

int k_usermode_from_copy(void *dst, const void *src, size_t size)
{
	(void)memcpy(dst, src, size);
	return 0;
}

int k_usermode_to_copy(void *dst, const void *src, size_t size)
{
	return k_usermode_from_copy(dst, src, size);
}

void *k_usermode_alloc_from_copy(const void *src, size_t size)
{
	void *copy = k_malloc(size);

	if (copy != NULL) {
		(void)memcpy(copy, src, size);
	}
	return copy;
}

size_t k_usermode_string_nlen(const char *src, size_t maxlen, int *err)
{
	*err = 0;
	return strnlen(src, maxlen);
}

char *k_usermode_string_alloc_copy(const char *src, size_t maxlen)
{
	const size_t length = strnlen(src, maxlen);

	return length < maxlen ? k_usermode_alloc_from_copy(src, length + 1) : NULL;
}

int k_usermode_string_copy(char *dst, const char *src, size_t maxlen)
{
	const size_t length = strnlen(src, maxlen);

	if (length == maxlen) {
		return -EINVAL;
	}
	(void)memcpy(dst, src, length + 1);
	return 0;
}
