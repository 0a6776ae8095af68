/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration of a program that is written against Zephyr's headers: Kconfig options as CONFIG_* macros. (Zephyr: Kconfig)
 *
 * Every header under <zephyr/...> includes this one. A program sets options by -DCONFIG_..., or by -include of an autoconf.h;
 * what it leaves open gets the defaults below. Booleans are 1 or undefined, as Kconfig has them. Numbers are plain integer
 * literals, so that they serve in #if and in static initialisers.
 *
 * Including it leaves a record of the values in the object file, which libkmem reads when it boots: before main(). All units
 * of a program must agree. A program that calls kmem_boot() itself defines KMEM_KCONFIG_OWN_BOOT. KMEM_KCONFIG_NO_RECORD leaves
 * no record: for libraries that serve programs of any configuration.
 */
#ifndef KMEM_KCONFIG_H
#define KMEM_KCONFIG_H

#ifndef __ASSEMBLER__
#include <kmem/kmem.h>
#include <kmem/record.h>
#endif

/* What a board of this kind is. */
#ifndef CONFIG_64BIT
#define CONFIG_64BIT 1
#endif
#ifndef CONFIG_CPU_HAS_MMU
#define CONFIG_CPU_HAS_MMU 1
#endif
#ifndef CONFIG_KERNEL_VM_SUPPORT
#define CONFIG_KERNEL_VM_SUPPORT 1
#endif
#ifndef CONFIG_ARCH_HAS_DEMAND_PAGING
#define CONFIG_ARCH_HAS_DEMAND_PAGING 1
#endif
#ifndef CONFIG_ARCH_HAS_DEMAND_MAPPING
#define CONFIG_ARCH_HAS_DEMAND_MAPPING 1
#endif
#ifndef CONFIG_MULTITHREADING
#define CONFIG_MULTITHREADING 1
#endif
#ifndef CONFIG_MP_MAX_NUM_CPUS
#define CONFIG_MP_MAX_NUM_CPUS 1
#endif
#ifndef CONFIG_BOARD
#define CONFIG_BOARD "libkmem"
#endif
#ifndef CONFIG_ARCH
#define CONFIG_ARCH "host"
#endif

/* The VM range and RAM: bytes, but CONFIG_SRAM_SIZE in KiB. */
#ifndef CONFIG_KERNEL_VM_BASE
#define CONFIG_KERNEL_VM_BASE 0x10000000
#endif
#ifndef CONFIG_KERNEL_VM_OFFSET
#define CONFIG_KERNEL_VM_OFFSET 0
#endif
#ifndef CONFIG_KERNEL_VM_SIZE
#define CONFIG_KERNEL_VM_SIZE 0x20000000
#endif
#ifndef CONFIG_SRAM_BASE_ADDRESS
#define CONFIG_SRAM_BASE_ADDRESS 0x10000000
#endif
#ifndef CONFIG_SRAM_SIZE
#define CONFIG_SRAM_SIZE 65536
#endif
#ifndef CONFIG_SRAM_OFFSET
#define CONFIG_SRAM_OFFSET 0
#endif
#ifndef CONFIG_MMU_PAGE_SIZE
#define CONFIG_MMU_PAGE_SIZE 0x1000
#endif
#ifndef CONFIG_MMU
#define CONFIG_MMU 1
#endif

/* Memory domains. */
#ifndef CONFIG_MAX_DOMAIN_PARTITIONS
#define CONFIG_MAX_DOMAIN_PARTITIONS 16
#endif

/* Sizes that programs ask for, and that a host process has no use of. */
#ifndef CONFIG_MAIN_STACK_SIZE
#define CONFIG_MAIN_STACK_SIZE 1024
#endif
#ifndef CONFIG_ISR_STACK_SIZE
#define CONFIG_ISR_STACK_SIZE 2048
#endif
#ifndef CONFIG_PRIVILEGED_STACK_SIZE
#define CONFIG_PRIVILEGED_STACK_SIZE 1024
#endif
#ifndef CONFIG_TEST_EXTRA_STACK_SIZE
#define CONFIG_TEST_EXTRA_STACK_SIZE 0
#endif
#ifndef CONFIG_HEAP_MEM_POOL_SIZE
#define CONFIG_HEAP_MEM_POOL_SIZE 0
#endif

/* Demand paging. */
#ifndef CONFIG_DEMAND_PAGING_PAGE_FRAMES_RESERVE
#define CONFIG_DEMAND_PAGING_PAGE_FRAMES_RESERVE 0
#endif
#ifndef CONFIG_EVICTION_NRU_PERIOD
#define CONFIG_EVICTION_NRU_PERIOD 100
#endif
#ifndef CONFIG_BACKING_STORE_RAM_PAGES
#define CONFIG_BACKING_STORE_RAM_PAGES 16
#endif
#ifndef CONFIG_DEMAND_PAGING_TIMING_HISTOGRAM_NUM_BINS
#define CONFIG_DEMAND_PAGING_TIMING_HISTOGRAM_NUM_BINS 10
#endif

/* One of CONFIG_EVICTION_NRU (the default), _LRU, _CLOCK (our own), _CUSTOM. */
#if defined(CONFIG_EVICTION_CUSTOM) + defined(CONFIG_EVICTION_NRU) + defined(CONFIG_EVICTION_LRU) +                    \
		defined(CONFIG_EVICTION_CLOCK) > 1
#error "choose one of CONFIG_EVICTION_NRU, CONFIG_EVICTION_LRU, CONFIG_EVICTION_CLOCK and CONFIG_EVICTION_CUSTOM"
#endif
#if defined(CONFIG_EVICTION_CUSTOM)
#define KMEM_KCONFIG_POLICY KMEM_RECORD_CUSTOM
#elif defined(CONFIG_EVICTION_LRU)
#define KMEM_KCONFIG_POLICY KMEM_RECORD_LRU
#elif defined(CONFIG_EVICTION_CLOCK)
#define KMEM_KCONFIG_POLICY KMEM_RECORD_CLOCK
#else
#define KMEM_KCONFIG_POLICY KMEM_RECORD_NRU
#ifndef CONFIG_EVICTION_NRU
#define CONFIG_EVICTION_NRU 1
#endif
#endif

/* What LRU needs, and any algorithm that wants to know which frames there are. */
#if defined(CONFIG_EVICTION_LRU) && !defined(CONFIG_EVICTION_TRACKING)
#define CONFIG_EVICTION_TRACKING 1
#endif

/* One of CONFIG_BACKING_STORE_RAM (the default), _FILE (our own), _CUSTOM. */
#if defined(CONFIG_BACKING_STORE_CUSTOM) + defined(CONFIG_BACKING_STORE_RAM) + defined(CONFIG_BACKING_STORE_FILE) > 1
#error "choose one of CONFIG_BACKING_STORE_RAM, CONFIG_BACKING_STORE_FILE and CONFIG_BACKING_STORE_CUSTOM"
#endif
#if defined(CONFIG_BACKING_STORE_CUSTOM)
#define KMEM_KCONFIG_STORE KMEM_RECORD_CUSTOM
#elif defined(CONFIG_BACKING_STORE_FILE)
#define KMEM_KCONFIG_STORE KMEM_RECORD_STORE_FILE
#else
#define KMEM_KCONFIG_STORE KMEM_RECORD_STORE_RAM
#endif

/* Booleans: 1 or undefined, as Kconfig has them. An #ifdef would take 0 for yes. */
#if defined(CONFIG_DEMAND_PAGING) && CONFIG_DEMAND_PAGING != 1
#error "CONFIG_DEMAND_PAGING is a boolean: 1 or undefined"
#endif
#if defined(CONFIG_DEMAND_MAPPING) && CONFIG_DEMAND_MAPPING != 1
#error "CONFIG_DEMAND_MAPPING is a boolean: 1 or undefined"
#endif
#if defined(CONFIG_ARCH_MAPS_ALL_RAM) && CONFIG_ARCH_MAPS_ALL_RAM != 1
#error "CONFIG_ARCH_MAPS_ALL_RAM is a boolean: 1 or undefined"
#endif
#if defined(CONFIG_KERNEL_DIRECT_MAP) && CONFIG_KERNEL_DIRECT_MAP != 1
#error "CONFIG_KERNEL_DIRECT_MAP is a boolean: 1 or undefined"
#endif
#if defined(CONFIG_ASSERT) && CONFIG_ASSERT != 1
#error "CONFIG_ASSERT is a boolean: 1 or undefined"
#endif
#if defined(CONFIG_DEMAND_PAGING_STATS) && CONFIG_DEMAND_PAGING_STATS != 1
#error "CONFIG_DEMAND_PAGING_STATS is a boolean: 1 or undefined"
#endif
#if defined(CONFIG_DEMAND_PAGING_THREAD_STATS) && CONFIG_DEMAND_PAGING_THREAD_STATS != 1
#error "CONFIG_DEMAND_PAGING_THREAD_STATS is a boolean: 1 or undefined"
#endif
#if defined(CONFIG_DEMAND_PAGING_TIMING_HISTOGRAM) && CONFIG_DEMAND_PAGING_TIMING_HISTOGRAM != 1
#error "CONFIG_DEMAND_PAGING_TIMING_HISTOGRAM is a boolean: 1 or undefined"
#endif
#if defined(CONFIG_EVICTION_NRU) && CONFIG_EVICTION_NRU != 1
#error "CONFIG_EVICTION_NRU is a boolean: 1 or undefined"
#endif
#if defined(CONFIG_EVICTION_LRU) && CONFIG_EVICTION_LRU != 1
#error "CONFIG_EVICTION_LRU is a boolean: 1 or undefined"
#endif
#if defined(CONFIG_EVICTION_CLOCK) && CONFIG_EVICTION_CLOCK != 1
#error "CONFIG_EVICTION_CLOCK is a boolean: 1 or undefined"
#endif
#if defined(CONFIG_EVICTION_CUSTOM) && CONFIG_EVICTION_CUSTOM != 1
#error "CONFIG_EVICTION_CUSTOM is a boolean: 1 or undefined"
#endif
#if defined(CONFIG_BACKING_STORE_RAM) && CONFIG_BACKING_STORE_RAM != 1
#error "CONFIG_BACKING_STORE_RAM is a boolean: 1 or undefined"
#endif
#if defined(CONFIG_BACKING_STORE_FILE) && CONFIG_BACKING_STORE_FILE != 1
#error "CONFIG_BACKING_STORE_FILE is a boolean: 1 or undefined"
#endif
#if defined(CONFIG_BACKING_STORE_CUSTOM) && CONFIG_BACKING_STORE_CUSTOM != 1
#error "CONFIG_BACKING_STORE_CUSTOM is a boolean: 1 or undefined"
#endif
#if defined(CONFIG_MMU) && CONFIG_MMU != 1
#error "CONFIG_MMU is a boolean: 1 or undefined"
#endif
#if defined(CONFIG_EVICTION_TRACKING) && CONFIG_EVICTION_TRACKING != 1
#error "CONFIG_EVICTION_TRACKING is a boolean: 1 or undefined"
#endif
#if defined(CONFIG_DEMAND_PAGING_ALLOW_IRQ) && CONFIG_DEMAND_PAGING_ALLOW_IRQ != 1
#error "CONFIG_DEMAND_PAGING_ALLOW_IRQ is a boolean: 1 or undefined"
#endif
#if defined(CONFIG_USERSPACE) && CONFIG_USERSPACE != 1
#error "CONFIG_USERSPACE is a boolean: 1 or undefined"
#endif
#if defined(CONFIG_THREAD_STACK_MEM_MAPPED) && CONFIG_THREAD_STACK_MEM_MAPPED != 1
#error "CONFIG_THREAD_STACK_MEM_MAPPED is a boolean: 1 or undefined"
#endif
#if defined(CONFIG_EXECUTE_XOR_WRITE) && CONFIG_EXECUTE_XOR_WRITE != 1
#error "CONFIG_EXECUTE_XOR_WRITE is a boolean: 1 or undefined"
#endif
#if defined(CONFIG_KERNEL_VM_USE_CUSTOM_MEM_RANGE_CHECK) && CONFIG_KERNEL_VM_USE_CUSTOM_MEM_RANGE_CHECK != 1
#error "CONFIG_KERNEL_VM_USE_CUSTOM_MEM_RANGE_CHECK is a boolean: 1 or undefined"
#endif

/* What one option depends on. */
#if defined(CONFIG_DEMAND_MAPPING) && !defined(CONFIG_DEMAND_PAGING)
#error "CONFIG_DEMAND_MAPPING depends on CONFIG_DEMAND_PAGING"
#endif
#if defined(CONFIG_DEMAND_PAGING_STATS) && !defined(CONFIG_DEMAND_PAGING)
#error "CONFIG_DEMAND_PAGING_STATS depends on CONFIG_DEMAND_PAGING"
#endif
#if (defined(CONFIG_DEMAND_PAGING_THREAD_STATS) || defined(CONFIG_DEMAND_PAGING_TIMING_HISTOGRAM)) &&                  \
	!defined(CONFIG_DEMAND_PAGING_STATS)
#error "CONFIG_DEMAND_PAGING_THREAD_STATS and CONFIG_DEMAND_PAGING_TIMING_HISTOGRAM depend on CONFIG_DEMAND_PAGING_STATS"
#endif
#if CONFIG_DEMAND_PAGING_TIMING_HISTOGRAM_NUM_BINS != 10
#error "CONFIG_DEMAND_PAGING_TIMING_HISTOGRAM_NUM_BINS: libkmem has histograms of 10 bins"
#endif

#ifdef CONFIG_DEMAND_PAGING
#define KMEM_KCONFIG_DEMAND_PAGING KMEM_RECORD_DEMAND_PAGING
#else
#define KMEM_KCONFIG_DEMAND_PAGING 0U
#endif
#ifdef CONFIG_DEMAND_MAPPING
#define KMEM_KCONFIG_DEMAND_MAPPING KMEM_RECORD_DEMAND_MAPPING
#else
#define KMEM_KCONFIG_DEMAND_MAPPING 0U
#endif
#ifdef CONFIG_ARCH_MAPS_ALL_RAM
#define KMEM_KCONFIG_MAPS_ALL_RAM KMEM_RECORD_MAPS_ALL_RAM
#else
#define KMEM_KCONFIG_MAPS_ALL_RAM 0U
#endif
#ifdef CONFIG_KERNEL_DIRECT_MAP
#define KMEM_KCONFIG_DIRECT_MAP KMEM_RECORD_DIRECT_MAP
#else
#define KMEM_KCONFIG_DIRECT_MAP 0U
#endif
#ifdef CONFIG_ASSERT
#define KMEM_KCONFIG_ASSERT KMEM_RECORD_ASSERT
#else
#define KMEM_KCONFIG_ASSERT 0U
#endif
#ifdef CONFIG_DEMAND_PAGING_STATS
#define KMEM_KCONFIG_STATS KMEM_RECORD_STATS
#else
#define KMEM_KCONFIG_STATS 0U
#endif
#ifdef CONFIG_DEMAND_PAGING_THREAD_STATS
#define KMEM_KCONFIG_THREAD_STATS KMEM_RECORD_THREAD_STATS
#else
#define KMEM_KCONFIG_THREAD_STATS 0U
#endif
#ifdef CONFIG_DEMAND_PAGING_TIMING_HISTOGRAM
#define KMEM_KCONFIG_TIMING KMEM_RECORD_TIMING
#else
#define KMEM_KCONFIG_TIMING 0U
#endif

#ifdef KMEM_KCONFIG_OWN_BOOT
#define KMEM_KCONFIG_BOOT KMEM_RECORD_OWN_BOOT
#else
#define KMEM_KCONFIG_BOOT 0U
#endif

#ifdef CONFIG_DEMAND_PAGING_ALLOW_IRQ
#define KMEM_KCONFIG_ALLOW_IRQ KMEM_RECORD_ALLOW_IRQ
#else
#define KMEM_KCONFIG_ALLOW_IRQ 0U
#endif
#ifdef CONFIG_EVICTION_TRACKING
#define KMEM_KCONFIG_TRACKING KMEM_RECORD_TRACKING
#else
#define KMEM_KCONFIG_TRACKING 0U
#endif
#ifdef CONFIG_USERSPACE
#define KMEM_KCONFIG_USERSPACE KMEM_RECORD_USERSPACE
#else
#define KMEM_KCONFIG_USERSPACE 0U
#endif
#ifdef CONFIG_THREAD_STACK_MEM_MAPPED
#define KMEM_KCONFIG_STACKS KMEM_RECORD_STACKS_MAPPED
#else
#define KMEM_KCONFIG_STACKS 0U
#endif

#if !defined(__ASSEMBLER__) && !defined(KMEM_KCONFIG_NO_RECORD)

#define KMEM_KCONFIG_WORDS(value)                                                                                      \
	{                                                                                                              \
		(uint32_t)((uint64_t)(value)&0xffffffffU), (uint32_t)((uint64_t)(value) >> 32)                         \
	}

#ifdef __BASE_FILE__
#define KMEM_KCONFIG_FILE __BASE_FILE__
#else
#define KMEM_KCONFIG_FILE __FILE__
#endif

/* Notes are whole words. */
#define KMEM_KCONFIG_FILE_SIZE ((sizeof(KMEM_KCONFIG_FILE) + 3U) / 4U * 4U)

/* An ELF note, as this unit leaves it. */
struct kmem_kconfig_note {
	uint32_t name_size;
	uint32_t desc_size;
	uint32_t type;
	char name[8];
	struct kmem_record record;
	char file[KMEM_KCONFIG_FILE_SIZE];
};

__attribute__((used, section(".note.kmem"), aligned(4))) static const struct kmem_kconfig_note kmem_kconfig_note = {
	sizeof(KMEM_RECORD_NAME),
	(uint32_t)(sizeof(struct kmem_record) + KMEM_KCONFIG_FILE_SIZE),
	KMEM_RECORD_TYPE,
	KMEM_RECORD_NAME,
	{
		KMEM_RECORD_VERSION,
		KMEM_KCONFIG_DEMAND_PAGING | KMEM_KCONFIG_DEMAND_MAPPING | KMEM_KCONFIG_MAPS_ALL_RAM |
			KMEM_KCONFIG_DIRECT_MAP | KMEM_KCONFIG_ASSERT | KMEM_KCONFIG_STATS | KMEM_KCONFIG_THREAD_STATS |
			KMEM_KCONFIG_TIMING | KMEM_KCONFIG_BOOT | KMEM_KCONFIG_ALLOW_IRQ | KMEM_KCONFIG_TRACKING |
			KMEM_KCONFIG_USERSPACE | KMEM_KCONFIG_STACKS,
		KMEM_KCONFIG_POLICY,
		KMEM_KCONFIG_STORE,
		KMEM_KCONFIG_WORDS(CONFIG_KERNEL_VM_BASE),
		KMEM_KCONFIG_WORDS(CONFIG_KERNEL_VM_SIZE),
		KMEM_KCONFIG_WORDS(CONFIG_KERNEL_VM_OFFSET),
		KMEM_KCONFIG_WORDS(CONFIG_SRAM_BASE_ADDRESS),
		KMEM_KCONFIG_WORDS(CONFIG_SRAM_SIZE),
		KMEM_KCONFIG_WORDS(CONFIG_SRAM_OFFSET),
		CONFIG_MMU_PAGE_SIZE,
		CONFIG_DEMAND_PAGING_PAGE_FRAMES_RESERVE,
		CONFIG_EVICTION_NRU_PERIOD,
		CONFIG_BACKING_STORE_RAM_PAGES,
		CONFIG_MAX_DOMAIN_PARTITIONS,
	},
	KMEM_KCONFIG_FILE,
};

/* A unit that defines what libkmem calls may call nothing of libkmem itself, and still needs it. */
__attribute__((used)) static const char *(*const kmem_kconfig_anchor)(void) = kmem_version;

#endif /* __ASSEMBLER__, KMEM_KCONFIG_NO_RECORD */

#endif /* KMEM_KCONFIG_H */
