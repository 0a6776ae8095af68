/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kernel objects in dynamic memory.
 */
#include <zephyr/kernel.h>

static const size_t sizes[K_OBJ_LAST] = {
	[K_OBJ_MEM_SLAB] = sizeof(struct k_mem_slab), [K_OBJ_MSGQ] = sizeof(struct k_msgq),
	[K_OBJ_MUTEX] = sizeof(struct k_mutex),       [K_OBJ_QUEUE] = sizeof(struct k_queue),
	[K_OBJ_SEM] = sizeof(struct k_sem),           [K_OBJ_STACK] = sizeof(struct k_stack),
	[K_OBJ_THREAD] = sizeof(struct k_thread),     [K_OBJ_TIMER] = sizeof(struct k_timer),
	[K_OBJ_CONDVAR] = sizeof(struct k_condvar),   [K_OBJ_EVENT] = sizeof(struct k_event),
	[K_OBJ_PIPE] = sizeof(struct k_pipe),
};

void *k_object_alloc_size(enum k_objects type, size_t size)
{
	(void)type;
	return size != 0 ? k_calloc(1, size) : NULL;
}

void *k_object_alloc(enum k_objects type)
{
	return (unsigned int)type < K_OBJ_LAST ? k_object_alloc_size(type, sizes[type]) : NULL;
}

void k_object_free(void *object)
{
	k_free(object);
}
