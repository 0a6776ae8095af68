/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kernel objects and the permissions of threads on them. (Zephyr: sys/kobject.h)
 *
 * There is no user mode: every thread may use every object, and granting or taking permissions changes nothing.
 */
#ifndef ZEPHYR_INCLUDE_SYS_KOBJECT_H_
#define ZEPHYR_INCLUDE_SYS_KOBJECT_H_

#include <kmem/kconfig.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <zephyr/sys/internal/kobject_internal.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

struct k_thread;

enum k_objects {
	K_OBJ_ANY,
	K_OBJ_MEM_SLAB,
	K_OBJ_MSGQ,
	K_OBJ_MUTEX,
	K_OBJ_QUEUE,
	K_OBJ_SEM,
	K_OBJ_STACK,
	K_OBJ_THREAD,
	K_OBJ_TIMER,
	K_OBJ_THREAD_STACK_ELEMENT,
	K_OBJ_CONDVAR,
	K_OBJ_EVENT,
	K_OBJ_FUTEX,
	K_OBJ_NET_SOCKET,
	K_OBJ_PIPE,
	K_OBJ_SYS_MUTEX,
	K_OBJ_LAST,
};

static inline void k_object_access_grant(const void *object, struct k_thread *thread)
{
	(void)object;
	(void)thread;
}

static inline void k_object_access_revoke(const void *object, struct k_thread *thread)
{
	(void)object;
	(void)thread;
}

static inline void k_object_access_all_grant(const void *object)
{
	(void)object;
}

static inline void k_object_release(const void *object)
{
	(void)object;
}

static inline void k_object_init(const void *object)
{
	(void)object;
}

static inline void k_object_recycle(const void *object)
{
	(void)object;
}

static inline bool k_object_is_valid(const void *object, enum k_objects type)
{
	(void)type;
	return object != NULL;
}

/** Whether the caller may use an object: 0, it may. */
static inline int k_object_access_check(const void *object)
{
	(void)object;
	return 0;
}

/** An object of a type in dynamic memory, to be initialised; NULL without memory, or for a type of no size. */
void *k_object_alloc(enum k_objects type);
void *k_object_alloc_size(enum k_objects type, size_t size);
void k_object_free(void *object);

#define K_THREAD_ACCESS_GRANT(name, ...) struct k_thread

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* ZEPHYR_INCLUDE_SYS_KOBJECT_H_ */
