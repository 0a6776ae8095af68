/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The old place of <zephyr/internal/syscall_handler.h>, and the names it had then. (Zephyr: syscall_handler.h)
 */
#ifndef ZEPHYR_INCLUDE_SYSCALL_HANDLER_H_
#define ZEPHYR_INCLUDE_SYSCALL_HANDLER_H_

#include <kmem/kconfig.h>

#include <zephyr/internal/syscall_handler.h>

#define Z_OOPS(expr) K_OOPS(expr)
#define Z_SYSCALL_VERIFY_MSG K_SYSCALL_VERIFY_MSG
#define Z_SYSCALL_VERIFY(expr) K_SYSCALL_VERIFY(expr)
#define Z_SYSCALL_MEMORY(ptr, size, write) K_SYSCALL_MEMORY(ptr, size, write)
#define Z_SYSCALL_MEMORY_READ(ptr, size) K_SYSCALL_MEMORY_READ(ptr, size)
#define Z_SYSCALL_MEMORY_WRITE(ptr, size) K_SYSCALL_MEMORY_WRITE(ptr, size)
#define Z_SYSCALL_MEMORY_ARRAY_READ(ptr, nmemb, size) K_SYSCALL_MEMORY_ARRAY_READ(ptr, nmemb, size)
#define Z_SYSCALL_MEMORY_ARRAY_WRITE(ptr, nmemb, size) K_SYSCALL_MEMORY_ARRAY_WRITE(ptr, nmemb, size)
#define Z_SYSCALL_OBJ(ptr, type) K_SYSCALL_OBJ(ptr, type)
#define Z_SYSCALL_OBJ_INIT(ptr, type) K_SYSCALL_OBJ_INIT(ptr, type)
#define Z_SYSCALL_OBJ_NEVER_INIT(ptr, type) K_SYSCALL_OBJ_NEVER_INIT(ptr, type)

#define z_object k_object
#define z_object_find k_object_find
#define z_object_validate k_object_validate
#define z_object_uninit k_object_uninit
#define z_object_recycle k_object_recycle
#define z_dump_object_error k_object_dump_error
#define z_thread_perms_set k_thread_perms_set
#define z_thread_perms_clear k_thread_perms_clear
#define z_user_from_copy k_usermode_from_copy
#define z_user_to_copy k_usermode_to_copy
#define z_user_alloc_from_copy k_usermode_alloc_from_copy
#define z_user_string_nlen k_usermode_string_nlen
#define z_user_string_alloc_copy k_usermode_string_alloc_copy
#define z_user_string_copy k_usermode_string_copy

#endif /* ZEPHYR_INCLUDE_SYSCALL_HANDLER_H_ */
