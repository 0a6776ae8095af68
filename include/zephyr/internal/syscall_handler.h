/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What handlers of system calls check. (Zephyr: internal/syscall_handler.h)
 *
 * There is no user mode, and so nothing to be distrusted: every object is known and public, whatever its address; all
 * memory may be used as far as it is mapped, and copies from and to it are plain ones. A failed check of the handler's
 * own, by K_OOPS(K_SYSCALL_VERIFY(...)), is a fatal error of the thread, as it is on a board.
 */
#ifndef ZEPHYR_INCLUDE_INTERNAL_SYSCALL_HANDLER_H_
#define ZEPHYR_INCLUDE_INTERNAL_SYSCALL_HANDLER_H_

#include <kmem/kconfig.h>

#pragma GCC system_header

#ifndef __ASSEMBLER__

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <zephyr/kernel.h>
#include <zephyr/sys/kobject.h>
#include <zephyr/sys/math_extras.h>
#include <zephyr/sys/printk.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/* What an object must be: initialised, not yet initialised, or either. */
enum _obj_init_check {
	_OBJ_INIT_TRUE = 0,
	_OBJ_INIT_FALSE = -1,
	_OBJ_INIT_ANY = 1,
};

/**
 * What is known of an object: it is initialised and public, and of type K_OBJ_ANY. NULL for NULL.
 *
 * Valid until the calling thread asks again. Context: a thread.
 */
struct k_object *k_object_find(const void *obj);

/** 0; -EBADF if there is no such object, or it is of another type. Whether it was initialised is not checked. */
static inline int k_object_validate(struct k_object *ko, enum k_objects otype, enum _obj_init_check init)
{
	(void)init;
	if (ko == NULL) {
		return -EBADF;
	}
	return otype == K_OBJ_ANY || ko->type == K_OBJ_ANY || ko->type == otype ? 0 : -EBADF;
}

/** Print why k_object_validate() returned @p retval, if it is not 0. */
void k_object_dump_error(int retval, const void *obj, struct k_object *ko, enum k_objects otype);

static inline void k_object_uninit(const void *obj)
{
	(void)obj;
}

/* Permissions of a thread on an object: every thread has them. */

static inline void k_thread_perms_set(struct k_object *ko, struct k_thread *thread)
{
	(void)ko;
	(void)thread;
}

static inline void k_thread_perms_clear(struct k_object *ko, struct k_thread *thread)
{
	(void)ko;
	(void)thread;
}

static inline void k_thread_perms_inherit(struct k_thread *parent, struct k_thread *child)
{
	(void)parent;
	(void)child;
}

static inline void k_thread_perms_all_clear(struct k_thread *thread)
{
	(void)thread;
}

typedef void (*_wordlist_cb_func_t)(struct k_object *ko, void *context);

/** No objects are listed. */
static inline void k_object_wordlist_foreach(_wordlist_cb_func_t func, void *context)
{
	(void)func;
	(void)context;
}

static inline bool k_is_in_user_syscall(void)
{
	return false;
}

/** Copy: 0. Memory that is not mapped is a fatal error. */
int k_usermode_from_copy(void *dst, const void *src, size_t size);
int k_usermode_to_copy(void *dst, const void *src, size_t size);

/** A copy in memory of its own, for k_free(); NULL without memory. */
void *k_usermode_alloc_from_copy(const void *src, size_t size);

/** The length of a string, at most @p maxlen. *err: 0. */
size_t k_usermode_string_nlen(const char *src, size_t maxlen, int *err);

/** Copies of a string that takes @p maxlen bytes at most, its end included: NULL, or -EINVAL, if it takes more. */
char *k_usermode_string_alloc_copy(const char *src, size_t maxlen);
int k_usermode_string_copy(char *dst, const char *src, size_t maxlen);

/** Whether user mode may not access memory: 0, it may. */
static inline int arch_buffer_validate(const void *addr, size_t size, int write)
{
	(void)addr;
	(void)size;
	(void)write;
	return 0;
}

#pragma GCC visibility pop

/** A fatal error of the calling thread, K_ERR_KERNEL_OOPS, if the expression is true. */
#define K_OOPS(expr)                                                                                                   \
	do {                                                                                                           \
		if (expr) {                                                                                            \
			k_oops();                                                                                      \
		}                                                                                                      \
	} while (false)

/** Whether a condition does not hold; then a message is printed, of which the format must be a literal. */
#define K_SYSCALL_VERIFY_MSG(expr, fmt, ...)                                                                           \
	__extension__({                                                                                                \
		const bool kmem_failed = !(expr);                                                                      \
                                                                                                                       \
		if (kmem_failed) {                                                                                     \
			printk("syscall %s failed check: " fmt "\n", __func__, ##__VA_ARGS__);                         \
		}                                                                                                      \
		kmem_failed;                                                                                           \
	})
#define K_SYSCALL_VERIFY(expr) K_SYSCALL_VERIFY_MSG(expr, "%s", #expr)

/** Whether memory does not lie inside the address space; of arrays, if the product overflows. */
#define K_SYSCALL_MEMORY_SIZE_CHECK(ptr, size) (((uintptr_t)(ptr) + (size)) >= (uintptr_t)(ptr))
#define K_SYSCALL_MEMORY(ptr, size, write)                                                                             \
	K_SYSCALL_VERIFY_MSG(K_SYSCALL_MEMORY_SIZE_CHECK(ptr, size) &&                                                 \
				     arch_buffer_validate((ptr), (size), (write)) == 0,                                \
			     "Memory region %p (size %zu) %s access denied", (const void *)(ptr), (size_t)(size),      \
			     (write) ? "write" : "read")
#define K_SYSCALL_MEMORY_READ(ptr, size) K_SYSCALL_MEMORY(ptr, size, 0)
#define K_SYSCALL_MEMORY_WRITE(ptr, size) K_SYSCALL_MEMORY(ptr, size, 1)
#define K_SYSCALL_MEMORY_ARRAY(ptr, nmemb, size, write)                                                                \
	__extension__({                                                                                                \
		size_t kmem_product;                                                                                   \
                                                                                                                       \
		K_SYSCALL_VERIFY_MSG(!size_mul_overflow((size_t)(nmemb), (size_t)(size), &kmem_product),               \
				     "%zux%zu array is too large", (size_t)(nmemb), (size_t)(size)) ||                 \
			K_SYSCALL_MEMORY(ptr, kmem_product, write);                                                    \
	})
#define K_SYSCALL_MEMORY_ARRAY_READ(ptr, nmemb, size) K_SYSCALL_MEMORY_ARRAY(ptr, nmemb, size, 0)
#define K_SYSCALL_MEMORY_ARRAY_WRITE(ptr, nmemb, size) K_SYSCALL_MEMORY_ARRAY(ptr, nmemb, size, 1)

/** Whether an object does not serve; then a message is printed. */
static inline int k_object_validation_check(struct k_object *ko, const void *obj, enum k_objects otype,
					    enum _obj_init_check init)
{
	const int ret = k_object_validate(ko, otype, init);

	k_object_dump_error(ret, obj, ko, otype);
	return ret;
}

#define K_SYSCALL_IS_OBJ(ptr, type, init)                                                                              \
	K_SYSCALL_VERIFY_MSG(k_object_validation_check(k_object_find((const void *)(ptr)), (const void *)(ptr),        \
						       (type), (init)) == 0,                                           \
			     "access denied")
#define K_SYSCALL_OBJ(ptr, type) K_SYSCALL_IS_OBJ(ptr, type, _OBJ_INIT_TRUE)
#define K_SYSCALL_OBJ_INIT(ptr, type) K_SYSCALL_IS_OBJ(ptr, type, _OBJ_INIT_ANY)
#define K_SYSCALL_OBJ_NEVER_INIT(ptr, type) K_SYSCALL_IS_OBJ(ptr, type, _OBJ_INIT_FALSE)

#ifdef __cplusplus
}
#endif

#endif /* __ASSEMBLER__ */

#endif /* ZEPHYR_INCLUDE_INTERNAL_SYSCALL_HANDLER_H_ */
