/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The record of CONFIG_* values that a translation unit leaves in a program: an ELF note, read at boot.
 *
 * Section .note.kmem, 4-byte alignment, name "KMEM", type KMEM_RECORD_TYPE. The description is a struct kmem_record, in 32-bit
 * words so that its layout is the same for every compiler and alignment of notes, followed by the name of the file that
 * was compiled. <kmem/kconfig.h> emits it; programs do not include this header themselves.
 */
#ifndef KMEM_RECORD_H
#define KMEM_RECORD_H

#include <stdint.h>

#define KMEM_RECORD_NAME "KMEM"
#define KMEM_RECORD_TYPE 1
#define KMEM_RECORD_VERSION 1

/* switches: which of the boolean options are set. */
#define KMEM_RECORD_DEMAND_PAGING 0x1U
#define KMEM_RECORD_DEMAND_MAPPING 0x2U
#define KMEM_RECORD_MAPS_ALL_RAM 0x4U
#define KMEM_RECORD_DIRECT_MAP 0x8U
#define KMEM_RECORD_ASSERT 0x10U
#define KMEM_RECORD_STATS 0x20U
#define KMEM_RECORD_THREAD_STATS 0x40U
#define KMEM_RECORD_TIMING 0x80U
#define KMEM_RECORD_OWN_BOOT 0x100U
/* These say nothing to the library, but units that differ in them would misunderstand each other. */
#define KMEM_RECORD_ALLOW_IRQ 0x200U
#define KMEM_RECORD_TRACKING 0x400U
#define KMEM_RECORD_USERSPACE 0x800U
#define KMEM_RECORD_STACKS_MAPPED 0x1000U

/* policy and store: which member of the choice. */
#define KMEM_RECORD_CUSTOM 0U
#define KMEM_RECORD_NRU 1U
#define KMEM_RECORD_LRU 2U
#define KMEM_RECORD_CLOCK 3U
#define KMEM_RECORD_STORE_RAM 1U
#define KMEM_RECORD_STORE_FILE 2U

/* Numbers of 64 bits, the low word first. */
struct kmem_record {
	uint32_t version; /* KMEM_RECORD_VERSION */
	uint32_t switches;
	uint32_t policy;
	uint32_t store;
	uint32_t vm_base[2];
	uint32_t vm_size[2];
	uint32_t vm_offset[2];
	uint32_t ram_base[2];
	uint32_t ram_kib[2];
	uint32_t ram_offset[2];
	uint32_t page_size;
	uint32_t frames_reserve;
	uint32_t nru_period_ms;
	uint32_t store_pages;
	uint32_t domain_partitions;
};

#endif /* KMEM_RECORD_H */
