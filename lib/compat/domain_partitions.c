/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The partitions of <zephyr/app_memory/partitions.h>: a page each, of which nobody makes use.
 */
#include <zephyr/app_memory/partitions.h>

/* The largest page that the machine may have, so that the ranges are whole pages for every program. */
#if defined(__x86_64__)
#define PAGE_MAX 4096
#else
#define PAGE_MAX 65536
#endif

struct page {
	_Alignas(PAGE_MAX) char bytes[PAGE_MAX];
};

static struct page libc_page;
static struct page malloc_page;
static struct page log_page;

struct k_mem_partition z_libc_partition = {(uintptr_t)&libc_page, PAGE_MAX, K_MEM_PARTITION_P_RW_U_RW};
struct k_mem_partition z_malloc_partition = {(uintptr_t)&malloc_page, PAGE_MAX, K_MEM_PARTITION_P_RW_U_RW};
struct k_mem_partition k_log_partition = {(uintptr_t)&log_page, PAGE_MAX, K_MEM_PARTITION_P_RW_U_RW};
