/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Caches. (Zephyr: cache.h)
 *
 * The host keeps its caches coherent: operations on the data cache do nothing, and succeed. Those of the instruction
 * cache that have an address make code that was written there fit to run.
 */
#ifndef ZEPHYR_INCLUDE_CACHE_H_
#define ZEPHYR_INCLUDE_CACHE_H_

#include <kmem/kconfig.h>

#include <stdbool.h>
#include <stddef.h>

#include <zephyr/toolchain.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a processor of the host most probably has; nothing depends on it. */
#define KMEM_CACHE_LINE_SIZE 64

static ALWAYS_INLINE int kmem_cache_range(void *addr, size_t size)
{
	ARG_UNUSED(addr);
	ARG_UNUSED(size);
	return 0;
}

static ALWAYS_INLINE int kmem_cache_code_range(void *addr, size_t size)
{
	__builtin___clear_cache((char *)addr, (char *)addr + size);
	return 0;
}

/* The data cache. */

static ALWAYS_INLINE void sys_cache_data_enable(void)
{
}

static ALWAYS_INLINE void sys_cache_data_disable(void)
{
}

static ALWAYS_INLINE int sys_cache_data_flush_all(void)
{
	return 0;
}

static ALWAYS_INLINE int sys_cache_data_invd_all(void)
{
	return 0;
}

static ALWAYS_INLINE int sys_cache_data_flush_and_invd_all(void)
{
	return 0;
}

static ALWAYS_INLINE int sys_cache_data_flush_range(void *addr, size_t size)
{
	return kmem_cache_range(addr, size);
}

static ALWAYS_INLINE int sys_cache_data_invd_range(void *addr, size_t size)
{
	return kmem_cache_range(addr, size);
}

static ALWAYS_INLINE int sys_cache_data_flush_and_invd_range(void *addr, size_t size)
{
	return kmem_cache_range(addr, size);
}

static ALWAYS_INLINE size_t sys_cache_data_line_size_get(void)
{
	return KMEM_CACHE_LINE_SIZE;
}

/* The instruction cache. */

static ALWAYS_INLINE void sys_cache_instr_enable(void)
{
}

static ALWAYS_INLINE void sys_cache_instr_disable(void)
{
}

static ALWAYS_INLINE int sys_cache_instr_flush_all(void)
{
	return 0;
}

static ALWAYS_INLINE int sys_cache_instr_invd_all(void)
{
	return 0;
}

static ALWAYS_INLINE int sys_cache_instr_flush_and_invd_all(void)
{
	return 0;
}

static ALWAYS_INLINE int sys_cache_instr_flush_range(void *addr, size_t size)
{
	return kmem_cache_code_range(addr, size);
}

static ALWAYS_INLINE int sys_cache_instr_invd_range(void *addr, size_t size)
{
	return kmem_cache_code_range(addr, size);
}

static ALWAYS_INLINE int sys_cache_instr_flush_and_invd_range(void *addr, size_t size)
{
	return kmem_cache_code_range(addr, size);
}

static ALWAYS_INLINE size_t sys_cache_instr_line_size_get(void)
{
	return KMEM_CACHE_LINE_SIZE;
}

/* Aliases of memory that are cached and uncached: every address is its own. */

static ALWAYS_INLINE bool sys_cache_is_ptr_cached(void *ptr)
{
	ARG_UNUSED(ptr);
	return true;
}

static ALWAYS_INLINE bool sys_cache_is_ptr_uncached(void *ptr)
{
	ARG_UNUSED(ptr);
	return false;
}

static ALWAYS_INLINE void *sys_cache_cached_ptr_get(void *ptr)
{
	return ptr;
}

static ALWAYS_INLINE void *sys_cache_uncached_ptr_get(void *ptr)
{
	return ptr;
}

/** The old name of flush_and_invd_range. */
static ALWAYS_INLINE void sys_cache_flush(void *addr, size_t size)
{
	(void)sys_cache_data_flush_and_invd_range(addr, size);
}

#ifdef __cplusplus
}
#endif

#endif /* ZEPHYR_INCLUDE_CACHE_H_ */
