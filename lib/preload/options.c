/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The environment's settings of this room, read once at start, before there is a heap: no allocation. Nothing is locked: whoever
 * starts the library reads them alone, and they are constant afterwards.
 *
 * What lib/kernel/config.c reads, too, KMEM_VM_BASE and KMEM_VM_SIZE, is checked here against the window: the filter of a process and
 * of its successors knows no other addresses.
 */
#include "preload/preload.h"

#include <errno.h>
#include <string.h>

#include "host/env.h"
#include "host/log.h"
#include "host/memory.h"

#define MAP_THRESHOLD_DEFAULT (128UL * 1024)

struct kmem_preload_options kmem_preload_options = {
	.guard = KMEM_GUARD_OFF,
	.sample = 1,
	.map_threshold = MAP_THRESHOLD_DEFAULT,
	.are_calls_trapped = true,
};

#define FAIL(...) ((void)kmem_format(error, error_size, __VA_ARGS__), -EINVAL)

/* A value that says how much: 1 if there is one, 0 if there is none, -EINVAL. */
static int size_read(const char *name, size_t *size, char *error, size_t error_size)
{
	const char *value = kmem_env_get(name);

	if (value == NULL) {
		return 0;
	}
	switch (kmem_size_parse(value, size)) {
	case 0:
		return 1;
	case -ERANGE:
		return FAIL("%s=%s: more than %zu", name, value, SIZE_MAX);
	default:
		return FAIL("%s=%s: not a number such as 4096, 0x1000, 64K, 16M or 1G", name, value);
	}
}

static int guard_read(char *error, size_t error_size)
{
	const char *value = kmem_env_get("KMEM_GUARD");
	size_t sample;
	int ret = size_read("KMEM_GUARD_SAMPLE", &sample, error, error_size);

	if (ret < 0) {
		return ret;
	}
	if (ret > 0) {
		if (sample == 0) {
			return FAIL("KMEM_GUARD_SAMPLE=0: must be at least 1, which is every allocation");
		}
		kmem_preload_options.sample = sample;
	}
	if (value == NULL || strcmp(value, "off") == 0) {
		return 0;
	}
	if (strcmp(value, "after") == 0) {
		kmem_preload_options.guard = KMEM_GUARD_AFTER;
		return 0;
	}
	if (strcmp(value, "before") == 0) {
		kmem_preload_options.guard = KMEM_GUARD_BEFORE;
		return 0;
	}
	return FAIL("KMEM_GUARD=%s: must be after, before or off", value);
}

static int threshold_read(char *error, size_t error_size)
{
	size_t size;
	int ret = size_read("KMEM_MMAP_MIN", &size, error, error_size);

	if (ret <= 0) {
		return ret;
	}
	if (size == 0) {
		return FAIL("KMEM_MMAP_MIN=0: must be at least 1, which is every anonymous private mapping");
	}
	kmem_preload_options.map_threshold = size;
	return 0;
}

static int calls_read(char *error, size_t error_size)
{
	const char *value = kmem_env_get("KMEM_SYSCALLS");

	if (value == NULL || strcmp(value, "on") == 0) {
		return 0;
	}
	if (strcmp(value, "off") == 0) {
		kmem_preload_options.are_calls_trapped = false;
		return 0;
	}
	return FAIL("KMEM_SYSCALLS=%s: must be on or off", value);
}

static int range_read(char *error, size_t error_size)
{
	size_t base = KMEM_WINDOW_BASE;
	size_t size = 0;
	int ret = size_read("KMEM_VM_BASE", &base, error, error_size);

	if (ret >= 0) {
		ret = size_read("KMEM_VM_SIZE", &size, error, error_size);
	}
	if (ret < 0) {
		return ret;
	}
	if (!kmem_window_has(base)) {
		return FAIL("KMEM_VM_BASE=%s: 0x%zx is not in [0x%zx, 0x%zx), where system calls know paged memory",
			    kmem_env_get("KMEM_VM_BASE"), base, KMEM_WINDOW_BASE, KMEM_WINDOW_BASE + KMEM_WINDOW_SIZE);
	}
	if (size > KMEM_WINDOW_BASE + KMEM_WINDOW_SIZE - base) {
		return FAIL("KMEM_VM_SIZE=%s: %zu bytes at 0x%zx do not end at 0x%zx, where system calls cease to know paged memory",
			    kmem_env_get("KMEM_VM_SIZE"), size, base, KMEM_WINDOW_BASE + KMEM_WINDOW_SIZE);
	}
	return 0;
}

int kmem_preload_options_read(char *error, size_t error_size)
{
	static int (*const readers[])(char *error, size_t error_size) = {
		guard_read,
		threshold_read,
		calls_read,
		range_read,
	};

	for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++) {
		int ret = readers[i](error, error_size);

		if (ret != 0) {
			return ret;
		}
	}
	return 0;
}
