/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program's record as a layer of the configuration.
 */
#include "kernel/config.h"

#include <errno.h>

#include "host/log.h"
#include "kernel/eviction.h"
#include "kernel/kernel.h"
#include "kernel/program.h"
#include "kernel/record.h"
#include "kernel/store.h"

static bool is_set(const struct kmem_record *record, uint32_t bit)
{
	return (record->switches & bit) != 0;
}

/* What the program defines itself goes before what it chooses; NULL: it gives a policy of its own to kmem_boot(). */
static const struct kmem_eviction_ops *policy_of(const struct kmem_record *record)
{
	if (kmem_program_policy() != NULL) {
		return kmem_program_policy();
	}
	switch (record->policy) {
	case KMEM_RECORD_NRU:
		return &kmem_eviction_nru;
	case KMEM_RECORD_LRU:
		return &kmem_eviction_lru;
	case KMEM_RECORD_CLOCK:
		return &kmem_eviction_clock;
	default:
		return NULL;
	}
}

/* The same for stores. */
static const struct kmem_store_ops *store_of(const struct kmem_record *record)
{
	if (kmem_program_store() != NULL) {
		return kmem_program_store();
	}
	switch (record->store) {
	case KMEM_RECORD_STORE_RAM:
		return &kmem_store_ram;
	case KMEM_RECORD_STORE_FILE:
		return &kmem_store_file;
	default:
		return NULL;
	}
}

/* What no value in kmem_settings could say. */
static int check(const struct kmem_record *record, char *error, size_t error_size)
{
	size_t kib = kmem_record_number(record->ram_kib);

	if (kib > SIZE_MAX / 1024) {
		(void)kmem_format(error, error_size, "CONFIG_SRAM_SIZE %zu: more than %zu KiB", kib, SIZE_MAX / 1024);
		return -EINVAL;
	}
	if (is_set(record, KMEM_RECORD_DEMAND_PAGING) && record->store == KMEM_RECORD_STORE_RAM &&
	    record->store_pages == 0) {
		(void)kmem_format(error, error_size, "CONFIG_BACKING_STORE_RAM_PAGES 0: must be at least 1");
		return -EINVAL;
	}
	return 0;
}

int kmem_config_record_apply(struct kmem_settings *settings, char *error, size_t error_size)
{
	struct kmem_record found;
	const struct kmem_record *record = &found;
	const char *file;
	int ret = kmem_record_find(&found, &file, error, error_size);

	if (ret <= 0) {
		return ret;
	}
	ret = check(record, error, error_size);
	ret = ret == 0 && is_set(record, KMEM_RECORD_DEMAND_PAGING) ? kmem_program_check(error, error_size) : ret;
	if (ret != 0) {
		return ret;
	}
	settings->is_zephyr = true;
	settings->vm_base = kmem_record_number(record->vm_base);
	settings->vm_size = kmem_record_number(record->vm_size);
	settings->vm_offset = kmem_record_number(record->vm_offset);
	settings->ram_base = kmem_record_number(record->ram_base);
	settings->ram_size = kmem_record_number(record->ram_kib) * 1024;
	settings->ram_usable = settings->ram_size;
	settings->ram_offset = kmem_record_number(record->ram_offset);
	settings->page_size = record->page_size;
	settings->frames_reserve = record->frames_reserve;
	settings->maps_all_ram = is_set(record, KMEM_RECORD_MAPS_ALL_RAM);
	settings->direct_map = is_set(record, KMEM_RECORD_DIRECT_MAP);
	settings->demand_paging = is_set(record, KMEM_RECORD_DEMAND_PAGING);
	settings->demand_mapping = is_set(record, KMEM_RECORD_DEMAND_MAPPING);
	settings->assertions = is_set(record, KMEM_RECORD_ASSERT);
	settings->stats = is_set(record, KMEM_RECORD_STATS);
	settings->timing = is_set(record, KMEM_RECORD_TIMING);
	settings->nru_period_ms = record->nru_period_ms;
	settings->policy_ops = policy_of(record);
	settings->store_ops = store_of(record);
	settings->store_pages = settings->store_ops == &kmem_store_ram ? record->store_pages : 0;
	return 0;
}

bool kmem_config_is_recorded(void)
{
	struct kmem_record record = {.switches = 0};
	const char *file;
	char error[8];

	if (kmem_kernel.is_preloaded || kmem_record_find(&record, &file, error, sizeof(error)) == 0) {
		return false;
	}
	return !is_set(&record, KMEM_RECORD_OWN_BOOT);
}
