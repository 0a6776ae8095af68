/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program's record of CONFIG_* values: one note for each of its translation units, which must all say the same.
 */
#include "kernel/record.h"

#include <errno.h>
#include <string.h>

#include "host/log.h"
#include "host/note.h"

struct search {
	struct kmem_record *record;
	const char *file; /* of the first unit; NULL: none yet */
	char *error;
	size_t error_size;
};

/* Every word of a record, by the option that it holds. */
static const struct {
	size_t offset, size;
	const char *option;
} members[] = {
#define MEMBER(member, option)                                                                                         \
	{                                                                                                              \
		offsetof(struct kmem_record, member), sizeof(((struct kmem_record *)0)->member), option                \
	}
	MEMBER(vm_base, "CONFIG_KERNEL_VM_BASE"),
	MEMBER(vm_size, "CONFIG_KERNEL_VM_SIZE"),
	MEMBER(vm_offset, "CONFIG_KERNEL_VM_OFFSET"),
	MEMBER(ram_base, "CONFIG_SRAM_BASE_ADDRESS"),
	MEMBER(ram_kib, "CONFIG_SRAM_SIZE"),
	MEMBER(ram_offset, "CONFIG_SRAM_OFFSET"),
	MEMBER(page_size, "CONFIG_MMU_PAGE_SIZE"),
	MEMBER(frames_reserve, "CONFIG_DEMAND_PAGING_PAGE_FRAMES_RESERVE"),
	MEMBER(nru_period_ms, "CONFIG_EVICTION_NRU_PERIOD"),
	MEMBER(store_pages, "CONFIG_BACKING_STORE_RAM_PAGES"),
	MEMBER(domain_partitions, "CONFIG_MAX_DOMAIN_PARTITIONS"),
	MEMBER(policy, "CONFIG_EVICTION_*"),
	MEMBER(store, "CONFIG_BACKING_STORE_*"),
#undef MEMBER
};

static const struct {
	uint32_t bit;
	const char *option;
} switches[] = {
	{KMEM_RECORD_DEMAND_PAGING, "CONFIG_DEMAND_PAGING"},
	{KMEM_RECORD_DEMAND_MAPPING, "CONFIG_DEMAND_MAPPING"},
	{KMEM_RECORD_MAPS_ALL_RAM, "CONFIG_ARCH_MAPS_ALL_RAM"},
	{KMEM_RECORD_DIRECT_MAP, "CONFIG_KERNEL_DIRECT_MAP"},
	{KMEM_RECORD_ASSERT, "CONFIG_ASSERT"},
	{KMEM_RECORD_STATS, "CONFIG_DEMAND_PAGING_STATS"},
	{KMEM_RECORD_THREAD_STATS, "CONFIG_DEMAND_PAGING_THREAD_STATS"},
	{KMEM_RECORD_TIMING, "CONFIG_DEMAND_PAGING_TIMING_HISTOGRAM"},
	{KMEM_RECORD_OWN_BOOT, "KMEM_KCONFIG_OWN_BOOT"},
	{KMEM_RECORD_ALLOW_IRQ, "CONFIG_DEMAND_PAGING_ALLOW_IRQ"},
	{KMEM_RECORD_TRACKING, "CONFIG_EVICTION_TRACKING"},
	{KMEM_RECORD_USERSPACE, "CONFIG_USERSPACE"},
	{KMEM_RECORD_STACKS_MAPPED, "CONFIG_THREAD_STACK_MEM_MAPPED"},
};

const char *kmem_record_difference(const struct kmem_record *a, const struct kmem_record *b)
{
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		const char *of_a = (const char *)a + members[i].offset;
		const char *of_b = (const char *)b + members[i].offset;

		if (memcmp(of_a, of_b, members[i].size) != 0) {
			return members[i].option;
		}
	}
	for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++) {
		if (((a->switches ^ b->switches) & switches[i].bit) != 0) {
			return switches[i].option;
		}
	}
	return NULL;
}

static int visit(const void *desc, size_t size, void *arg)
{
	const char *file = (const char *)desc + sizeof(struct kmem_record);
	struct search *search = arg;
	struct kmem_record record;
	const char *difference;

	if (size <= sizeof(record) || ((const char *)desc)[size - 1] != '\0') {
		(void)kmem_format(search->error, search->error_size,
				  "a record of %zu bytes: the program was compiled with headers of another libkmem", size);
		return -EINVAL;
	}
	memcpy(&record, desc, sizeof(record));
	if (record.version != KMEM_RECORD_VERSION) {
		(void)kmem_format(search->error, search->error_size,
				  "%s was compiled with headers of another libkmem: record version %u, this library has %u", file,
				  record.version, KMEM_RECORD_VERSION);
		return -EINVAL;
	}
	if (search->file == NULL) {
		*search->record = record;
		search->file = file;
		return 0;
	}
	difference = kmem_record_difference(search->record, &record);
	if (difference != NULL) {
		(void)kmem_format(search->error, search->error_size, "%s and %s were compiled with different values of %s",
				  search->file, file, difference);
		return -EINVAL;
	}
	return 0;
}

int kmem_record_find(struct kmem_record *record, const char **file, char *error, size_t error_size)
{
	struct search search = {.record = record, .error = error, .error_size = error_size};
	int ret = kmem_host_note_walk(KMEM_RECORD_NAME, KMEM_RECORD_TYPE, visit, &search);

	if (ret != 0) {
		return ret;
	}
	*file = search.file;
	return search.file != NULL ? 1 : 0;
}
