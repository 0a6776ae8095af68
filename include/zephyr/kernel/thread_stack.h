/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Declaration of thread stacks. (Zephyr: kernel/thread_stack.h)
 *
 * Code of a host process needs more stack than the sizes that are declared for boards. A thread runs on a stack of
 * the host's; what is declared gives a thread its size and identity, and the memory is not touched. With
 * CONFIG_THREAD_STACK_MEM_MAPPED it runs on memory of k_mem_map(), of twice the declared size and 64 KiB at least,
 * pinned, which takes frames of emulated RAM. An overflow is K_ERR_STACK_CHK_FAIL either way.
 */
#ifndef ZEPHYR_INCLUDE_KERNEL_THREAD_STACK_H
#define ZEPHYR_INCLUDE_KERNEL_THREAD_STACK_H

#include <kmem/kconfig.h>

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

#ifndef ARCH_STACK_PTR_ALIGN
#define ARCH_STACK_PTR_ALIGN 16
#endif

#ifdef CONFIG_THREAD_STACK_MEM_MAPPED
/* Tells the library to run threads on mapped memory, between guard pages. */
extern const char kmem_stacks_are_mapped;
__attribute__((weak)) const char kmem_stacks_are_mapped = 1;
#endif

struct __attribute__((aligned(ARCH_STACK_PTR_ALIGN))) z_thread_stack_element {
	char data;
	char kmem_fill[ARCH_STACK_PTR_ALIGN - 1];
};

typedef struct z_thread_stack_element k_thread_stack_t;

#define K_KERNEL_STACK_RESERVED ((size_t)0)
#define K_THREAD_STACK_RESERVED ((size_t)0)

/* Bytes that a stack of this size takes in an array of stacks. */
#define K_THREAD_STACK_LEN(size) (((size_t)(size) + ARCH_STACK_PTR_ALIGN - 1U) & ~(size_t)(ARCH_STACK_PTR_ALIGN - 1))
#define K_KERNEL_STACK_LEN(size) K_THREAD_STACK_LEN(size)

#define KMEM_STACK_ELEMENTS(size) (K_THREAD_STACK_LEN(size) / sizeof(struct z_thread_stack_element))

#define Z_THREAD_STACK_SIZE_ADJUST(size) K_THREAD_STACK_LEN(size)
#define Z_KERNEL_STACK_SIZE_ADJUST(size) K_THREAD_STACK_LEN(size)

#define K_THREAD_STACK_DECLARE(sym, size) extern struct z_thread_stack_element sym[KMEM_STACK_ELEMENTS(size)]
#define K_THREAD_STACK_ARRAY_DECLARE(sym, nmemb, size)                                                                 \
	extern struct z_thread_stack_element sym[nmemb][KMEM_STACK_ELEMENTS(size)]
#define K_THREAD_STACK_EXTERN(sym) extern struct z_thread_stack_element sym[]
#define K_THREAD_STACK_DEFINE(sym, size) struct z_thread_stack_element sym[KMEM_STACK_ELEMENTS(size)]
#define K_THREAD_PINNED_STACK_DEFINE(sym, size) K_THREAD_STACK_DEFINE(sym, size)
#define K_THREAD_STACK_ARRAY_DEFINE(sym, nmemb, size)                                                                  \
	struct z_thread_stack_element sym[nmemb][KMEM_STACK_ELEMENTS(size)]
#define K_THREAD_PINNED_STACK_ARRAY_DEFINE(sym, nmemb, size) K_THREAD_STACK_ARRAY_DEFINE(sym, nmemb, size)
#define K_THREAD_STACK_MEMBER(sym, size) struct z_thread_stack_element sym[KMEM_STACK_ELEMENTS(size)]
#define K_THREAD_STACK_SIZEOF(sym) (sizeof(sym) - K_THREAD_STACK_RESERVED)
#define K_THREAD_STACK_BUFFER(sym) ((char *)(sym))

#define K_KERNEL_STACK_DECLARE(sym, size) K_THREAD_STACK_DECLARE(sym, size)
#define K_KERNEL_STACK_ARRAY_DECLARE(sym, nmemb, size) K_THREAD_STACK_ARRAY_DECLARE(sym, nmemb, size)
#define K_KERNEL_PINNED_STACK_ARRAY_DECLARE(sym, nmemb, size) K_THREAD_STACK_ARRAY_DECLARE(sym, nmemb, size)
#define K_KERNEL_STACK_EXTERN(sym) K_THREAD_STACK_EXTERN(sym)
#define K_KERNEL_STACK_DEFINE(sym, size) K_THREAD_STACK_DEFINE(sym, size)
#define K_KERNEL_PINNED_STACK_DEFINE(sym, size) K_THREAD_STACK_DEFINE(sym, size)
#define K_KERNEL_STACK_ARRAY_DEFINE(sym, nmemb, size) K_THREAD_STACK_ARRAY_DEFINE(sym, nmemb, size)
#define K_KERNEL_PINNED_STACK_ARRAY_DEFINE(sym, nmemb, size) K_THREAD_STACK_ARRAY_DEFINE(sym, nmemb, size)
#define K_KERNEL_STACK_MEMBER(sym, size) K_THREAD_STACK_MEMBER(sym, size)
#define K_KERNEL_STACK_SIZEOF(sym) K_THREAD_STACK_SIZEOF(sym)
#define K_KERNEL_STACK_BUFFER(sym) K_THREAD_STACK_BUFFER(sym)

/** A stack of @p size usable bytes, or NULL; @p flags are K_USER or 0. Context: a thread. */
k_thread_stack_t *k_thread_stack_alloc(size_t size, int flags);

/** Free one of k_thread_stack_alloc()'s. 0; -EINVAL for any other; -EBUSY while a thread has it. Context: a thread. */
int k_thread_stack_free(k_thread_stack_t *stack);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* ZEPHYR_INCLUDE_KERNEL_THREAD_STACK_H */
