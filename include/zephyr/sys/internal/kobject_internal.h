/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What k_object_find() tells of a kernel object. (Zephyr: sys/internal/kobject_internal.h, part of sys/kobject.h)
 */
#ifndef ZEPHYR_INCLUDE_SYS_INTERNAL_KOBJECT_INTERNAL_H
#define ZEPHYR_INCLUDE_SYS_INTERNAL_KOBJECT_INTERNAL_H

#include <kmem/kconfig.h>

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef CONFIG_MAX_THREAD_BYTES
#define CONFIG_MAX_THREAD_BYTES 2
#endif

/* A bit for each of as many threads; the same in every program. */
#define KMEM_OBJECT_PERMS_SIZE 2

#define K_OBJ_FLAG_INITIALIZED 0x01U
#define K_OBJ_FLAG_PUBLIC 0x02U
#define K_OBJ_FLAG_ALLOC 0x04U
#define K_OBJ_FLAG_DRIVER 0x08U

struct k_mutex;

union k_object_data {
	struct k_mutex *mutex;
	unsigned int thread_id;
	size_t stack_size;
};

struct k_object {
	void *name; /* the object itself */
	uint8_t perms[KMEM_OBJECT_PERMS_SIZE];
	uint8_t type; /* enum k_objects */
	uint8_t flags;
	union k_object_data data;
};

#ifdef __cplusplus
}
#endif

#endif /* ZEPHYR_INCLUDE_SYS_INTERNAL_KOBJECT_INTERNAL_H */
