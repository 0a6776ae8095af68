/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Configuration: environment over explicit configuration over the program's record over defaults.
 *
 * The layers are applied from the last to the first, each over what is there. What a program has compiled in as literals
 * (addresses, VM size, page size) the layers above its record may repeat, but not change; its RAM they may make smaller: the
 * frames behind the end are then reserved.
 */
#include "kernel/config.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "host/env.h"
#include "host/file.h"
#include "host/log.h"
#include "host/memory.h"
#include "host/process.h"
#include "kernel/eviction.h"
#include "kernel/kernel.h"
#include "kernel/program_image.h"
#include "kernel/store.h"

#define MIB (1024UL * 1024)
#define VM_BASE_DEFAULT 0x400000000UL
#define VM_BASE_ASAN 0x200000000000UL /* AddressSanitizer owns what lies below */
#define VM_SIZE_DEFAULT (8192 * MIB)
#define RAM_SIZE_DEFAULT (64 * MIB)
#define PAGE_SIZE_DEFAULT 4096UL
#define NRU_PERIOD_DEFAULT 100

/* Where the layers meet. */
struct resolver {
	struct kmem_settings *settings;
	bool is_ram_placed;        /* somebody has said where RAM lies */
	size_t store_pages;        /* 0: as many as the VM range */
	char *error;
	size_t error_size;
};

static int fail(const struct resolver *resolver, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int fail(const struct resolver *resolver, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)kmem_vformat(resolver->error, resolver->error_size, format, args);
	va_end(args);
	return -EINVAL;
}

static void defaults_apply(struct resolver *resolver)
{
	struct kmem_settings *settings = resolver->settings;
	size_t host = kmem_host_page_size();

	settings->vm_base = kmem_env_is_asan() ? VM_BASE_ASAN : VM_BASE_DEFAULT;
	settings->vm_size = VM_SIZE_DEFAULT;
	settings->ram_size = RAM_SIZE_DEFAULT;
	settings->ram_usable = RAM_SIZE_DEFAULT;
	settings->page_size = host > PAGE_SIZE_DEFAULT ? host : PAGE_SIZE_DEFAULT;
	settings->direct_map = true;
	settings->demand_paging = true;
	settings->demand_mapping = true;
	settings->assertions = true;
	settings->stats = true;
	settings->timing = true;
	settings->stats_fd = -1;
	settings->engine = "auto";
	settings->policy_ops = &kmem_eviction_clock;
	settings->store_ops = &kmem_store_ram;
	settings->nru_period_ms = NRU_PERIOD_DEFAULT;
}

static int record_apply(struct resolver *resolver)
{
	struct kmem_settings *settings = resolver->settings;
	/* An unmodified program has none. */
	int ret = kmem_kernel.is_preloaded ? 0 : kmem_config_record_apply(settings, resolver->error, resolver->error_size);

	/* What the record says of the store stands until a layer above says otherwise. */
	resolver->store_pages = settings->store_pages;
	resolver->is_ram_placed = settings->is_zephyr;
	return ret;
}

/* A number that a program may have compiled in. */
static int literal_apply(const struct resolver *resolver, const char *name, const char *option, size_t *setting, size_t value)
{
	if (resolver->settings->is_zephyr && value != *setting) {
		return fail(resolver, "%s 0x%zx contradicts %s, which this program was compiled with: 0x%zx", name, value, option,
			    *setting);
	}
	*setting = value;
	return 0;
}

static int ram_apply(const struct resolver *resolver, const char *name, size_t size)
{
	struct kmem_settings *settings = resolver->settings;

	if (!settings->is_zephyr) {
		settings->ram_size = size;
	} else if (size > settings->ram_size) {
		return fail(resolver, "%s %zu is more than CONFIG_SRAM_SIZE, which this program was compiled with: %zu bytes", name,
			    size, settings->ram_size);
	}
	settings->ram_usable = size;
	return 0;
}

static int text_copy(const struct resolver *resolver, const char *name, const char *text, char *copy, size_t copy_size)
{
	size_t length = strlen(text);

	if (length >= copy_size) {
		return fail(resolver, "%s: %zu characters, %zu are possible", name, length, copy_size - 1);
	}
	memcpy(copy, text, length + 1);
	return 0;
}

/* A path, absolute, since the program may change its directory before it is used for the last time. */
static int path_copy(const struct resolver *resolver, const char *name, const char *path, char *copy)
{
	if (kmem_host_path_absolute(path, copy, KMEM_CONFIG_PATH_SIZE) != 0) {
		return fail(resolver, "%s: a path of %zu characters, %d are possible with its directory", name, strlen(path),
			    KMEM_CONFIG_PATH_SIZE - 1);
	}
	return 0;
}

static int engine_apply(const struct resolver *resolver, const char *name, const char *engine)
{
	struct kmem_settings *settings = resolver->settings;

	settings->engine = settings->engine_text;
	return text_copy(resolver, name, engine, settings->engine_text, sizeof(settings->engine_text));
}

static int policy_apply(const struct resolver *resolver, const char *name, const char *policy)
{
	const struct kmem_eviction_ops *ops = kmem_eviction_find(policy);

	if (ops == NULL) {
		return fail(resolver, "%s: unknown policy \"%s\"; known: %s", name, policy, kmem_eviction_names());
	}
	resolver->settings->policy_ops = ops;
	resolver->settings->policy_arg = NULL;
	return 0;
}

/*
 * Preloaded programs start others, which have a file of their own each: the path goes on with the process's id, unless it is a directory.
 */
static int store_path_copy(const struct resolver *resolver, const char *name, const char *path)
{
	char *copy = resolver->settings->store_path_text;
	int ret = path_copy(resolver, name, path, copy);
	size_t length;

	if (ret != 0 || !kmem_kernel.is_preloaded || kmem_host_file_is_directory(copy)) {
		return ret;
	}
	length = strlen(copy);
	if ((size_t)kmem_format(copy + length, KMEM_CONFIG_PATH_SIZE - length, ".%d", kmem_process_id()) >=
	    KMEM_CONFIG_PATH_SIZE - length) {
		return fail(resolver, "%s: a path of %zu characters, %d are possible with the process's id", name, length,
			    KMEM_CONFIG_PATH_SIZE - 1);
	}
	return 0;
}

static int store_apply(struct resolver *resolver, const char *name, const char *store)
{
	struct kmem_settings *settings = resolver->settings;
	char why[200];
	const char *path;
	size_t pages;

	if (kmem_store_parse(store, &settings->store_ops, &path, &pages, why, sizeof(why)) != 0) {
		return fail(resolver, "%s: %s", name, why);
	}
	settings->store_arg = NULL;
	settings->store_path = NULL;
	resolver->store_pages = pages;
	if (path == NULL) {
		return 0;
	}
	settings->store_path = settings->store_path_text;
	return store_path_copy(resolver, name, path);
}

static int switch_apply(const struct resolver *resolver, const char *name, enum kmem_switch given, bool *setting)
{
	switch (given) {
	case KMEM_SWITCH_DEFAULT:
		return 0;
	case KMEM_SWITCH_ON:
		*setting = true;
		return 0;
	case KMEM_SWITCH_OFF:
		*setting = false;
		return 0;
	default:
		return fail(resolver, "%s: %d is not one of KMEM_SWITCH_DEFAULT, _ON, _OFF", name, (int)given);
	}
}

static int switches_apply(const struct resolver *resolver, const struct kmem_config *config)
{
	struct kmem_settings *settings = resolver->settings;
	const struct {
		const char *name;
		enum kmem_switch given;
		bool *setting;
	} switches[] = {
		{"maps_all_ram", config->maps_all_ram, &settings->maps_all_ram},
		{"direct_map", config->direct_map, &settings->direct_map},
		{"demand_paging", config->demand_paging, &settings->demand_paging},
		{"demand_mapping", config->demand_mapping, &settings->demand_mapping},
		{"assertions", config->assertions, &settings->assertions},
		{"stats", config->stats, &settings->stats},
		{"timing", config->timing, &settings->timing},
	};

	for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++) {
		int ret = switch_apply(resolver, switches[i].name, switches[i].given, switches[i].setting);

		if (ret != 0) {
			return ret;
		}
	}
	/* Without paging there is no mapping on demand, unless somebody asks for it by name. */
	if (!settings->demand_paging && config->demand_mapping == KMEM_SWITCH_DEFAULT) {
		settings->demand_mapping = false;
	}
	/* Nor is there timing without statistics. */
	if (!settings->stats && config->timing == KMEM_SWITCH_DEFAULT) {
		settings->timing = false;
	}
	return 0;
}

static int numbers_apply(struct resolver *resolver, const struct kmem_config *config)
{
	struct kmem_settings *settings = resolver->settings;
	const struct {
		const char *name, *option;
		size_t given;
		size_t *setting;
	} numbers[] = {
		{"vm_base", "CONFIG_KERNEL_VM_BASE", config->vm_base, &settings->vm_base},
		{"vm_size", "CONFIG_KERNEL_VM_SIZE", config->vm_size, &settings->vm_size},
		{"vm_offset", "CONFIG_KERNEL_VM_OFFSET", config->vm_offset, &settings->vm_offset},
		{"ram_base", "CONFIG_SRAM_BASE_ADDRESS", config->ram_base, &settings->ram_base},
		{"ram_offset", "CONFIG_SRAM_OFFSET", config->ram_offset, &settings->ram_offset},
		{"page_size", "CONFIG_MMU_PAGE_SIZE", config->page_size, &settings->page_size},
	};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		int ret = 0;

		if (numbers[i].given != 0) {
			ret = literal_apply(resolver, numbers[i].name, numbers[i].option, numbers[i].setting, numbers[i].given);
		}
		if (ret != 0) {
			return ret;
		}
	}
	resolver->is_ram_placed = resolver->is_ram_placed || config->ram_base != 0;
	settings->frames_reserve = config->frames_reserve != 0 ? config->frames_reserve : settings->frames_reserve;
	settings->nru_period_ms = config->nru_period_ms != 0 ? config->nru_period_ms : settings->nru_period_ms;
	settings->readahead = config->readahead;
	settings->cleaner_frames = config->cleaner_frames;
	return config->ram_size != 0 ? ram_apply(resolver, "ram_size", config->ram_size) : 0;
}

/* Copies of the sections' descriptions and names, behind each other in one piece of memory. */
static int sections_copy(const struct resolver *resolver, const struct kmem_config *config)
{
	struct kmem_settings *settings = resolver->settings;
	size_t size = config->section_count * sizeof(struct kmem_section);
	void *memory;
	char *names;
	int ret;

	if (config->section_count == 0) {
		return 0;
	}
	if (config->sections == NULL) {
		return fail(resolver, "section_count is %zu, but sections is NULL", config->section_count);
	}
	for (size_t i = 0; i < config->section_count; i++) {
		if (config->sections[i].name == NULL) {
			return fail(resolver, "section %zu has no name", i);
		}
		size += strlen(config->sections[i].name) + 1;
	}
	size = kmem_host_page_round(size);
	ret = kmem_host_memory_get(&memory, size);
	if (ret != 0) {
		(void)fail(resolver, "no memory for the descriptions of %zu sections", config->section_count);
		return ret;
	}
	settings->sections = memory;
	settings->section_count = config->section_count;
	settings->sections_bytes = size;
	memcpy(settings->sections, config->sections, config->section_count * sizeof(struct kmem_section));
	names = (char *)(settings->sections + settings->section_count);
	for (size_t i = 0; i < config->section_count; i++) {
		settings->sections[i].name = strcpy(names, config->sections[i].name);
		names += strlen(names) + 1;
	}
	return 0;
}

static int policy_config_apply(const struct resolver *resolver, const struct kmem_config *config)
{
	if (config->policy != NULL && config->policy_ops != NULL) {
		return fail(resolver, "policy \"%s\" and policy_ops: give one of them", config->policy);
	}
	if (config->policy_ops != NULL) {
		resolver->settings->policy_ops = config->policy_ops;
		resolver->settings->policy_arg = config->policy_arg;
	}
	return config->policy != NULL ? policy_apply(resolver, "policy", config->policy) : 0;
}

static int store_config_apply(struct resolver *resolver, const struct kmem_config *config)
{
	int ret = 0;

	if (config->store != NULL && config->store_ops != NULL) {
		return fail(resolver, "store \"%s\" and store_ops: give one of them", config->store);
	}
	if (config->store_ops != NULL) {
		resolver->settings->store_ops = config->store_ops;
		resolver->settings->store_arg = config->store_arg;
		resolver->settings->store_path = NULL;
		resolver->store_pages = 0;
	}
	if (config->store != NULL) {
		ret = store_apply(resolver, "store", config->store);
	}
	if (ret != 0 || config->store_pages == 0) {
		return ret;
	}
	if (resolver->store_pages != 0 && config->store != NULL && resolver->store_pages != config->store_pages) {
		return fail(resolver, "store \"%s\" contradicts store_pages %zu", config->store, config->store_pages);
	}
	resolver->store_pages = config->store_pages;
	return 0;
}

static int config_apply(struct resolver *resolver, const struct kmem_config *config)
{
	struct kmem_settings *settings = resolver->settings;
	int ret = numbers_apply(resolver, config);

	ret = ret == 0 ? switches_apply(resolver, config) : ret;
	ret = ret == 0 ? sections_copy(resolver, config) : ret;
	ret = ret == 0 ? policy_config_apply(resolver, config) : ret;
	ret = ret == 0 ? store_config_apply(resolver, config) : ret;
	if (ret == 0 && config->engine != NULL) {
		ret = engine_apply(resolver, "engine", config->engine);
	}
	if (ret == 0 && config->stats_path != NULL) {
		ret = kmem_config_stats_path_apply(settings, "stats_path", config->stats_path, resolver->error, resolver->error_size);
	}
	if (ret == 0 && config->device_count != 0 && config->devices == NULL) {
		ret = fail(resolver, "device_count is %zu, but devices is NULL", config->device_count);
	}
	settings->devices = config->devices;
	settings->device_count = config->device_count;
	return ret;
}

/* What the caller gave, as this library's struct: shorter ones are of an older header. */
static int given_apply(struct resolver *resolver, const struct kmem_config *given)
{
	struct kmem_config config = {.struct_size = sizeof(config)};

	if (given == NULL) {
		return 0;
	}
	if (given->struct_size < offsetof(struct kmem_config, vm_size) || given->struct_size > sizeof(config)) {
		return fail(resolver, "struct_size is %zu; give sizeof(struct kmem_config), %zu in this library",
			    given->struct_size, sizeof(config));
	}
	memcpy(&config, given, given->struct_size);
	return config_apply(resolver, &config);
}

static int env_size(const struct resolver *resolver, const char *name, size_t *size)
{
	const char *value = kmem_env_get(name);

	if (value == NULL) {
		return 0;
	}
	switch (kmem_size_parse(value, size)) {
	case 0:
		if (*size == 0) {
			return fail(resolver, "%s=%s: must be more than 0", name, value);
		}
		return 1;
	case -ERANGE:
		return fail(resolver, "%s=%s: more than %zu bytes", name, value, SIZE_MAX);
	default:
		return fail(resolver, "%s=%s: not a number such as 4096, 0x1000, 64K, 16M or 1G", name, value);
	}
}

static int env_sizes_apply(const struct resolver *resolver)
{
	struct kmem_settings *settings = resolver->settings;
	size_t size;
	int ret = env_size(resolver, "KMEM_VM_BASE", &size);

	if (ret > 0) {
		ret = literal_apply(resolver, "KMEM_VM_BASE", "CONFIG_KERNEL_VM_BASE", &settings->vm_base, size);
	}
	if (ret == 0) {
		ret = env_size(resolver, "KMEM_VM_SIZE", &size);
	}
	if (ret > 0) {
		ret = literal_apply(resolver, "KMEM_VM_SIZE", "CONFIG_KERNEL_VM_SIZE", &settings->vm_size, size);
	}
	if (ret == 0) {
		ret = env_size(resolver, "KMEM_RAM", &size);
	}
	return ret > 0 ? ram_apply(resolver, "KMEM_RAM", size) : ret;
}

static int env_names_apply(struct resolver *resolver)
{
	const char *engine = kmem_env_get("KMEM_ENGINE");
	const char *policy = kmem_env_get("KMEM_POLICY");
	const char *store = kmem_env_get("KMEM_STORE");
	int ret = 0;

	if (engine != NULL) {
		ret = engine_apply(resolver, "KMEM_ENGINE", engine);
	}
	if (ret == 0 && policy != NULL) {
		ret = policy_apply(resolver, "KMEM_POLICY", policy);
	}
	if (ret == 0 && store != NULL) {
		ret = store_apply(resolver, "KMEM_STORE", store);
	}
	return ret;
}

/* A count: digits alone, without the units that sizes have. 1 if there is one, 0 if not, or -errno. */
static int env_count(const struct resolver *resolver, const char *name, const char *what, size_t *count)
{
	const char *value = kmem_env_get(name);

	if (value == NULL) {
		return 0;
	}
	if (value[strspn(value, "0123456789")] != '\0' || kmem_size_parse(value, count) != 0) {
		return fail(resolver, "%s=%s: not a number of %s such as 16, or 0 for none", name, value, what);
	}
	return 1;
}

static int env_paging_apply(const struct resolver *resolver)
{
	struct kmem_settings *settings = resolver->settings;
	int ret = env_count(resolver, "KMEM_READAHEAD", "pages", &settings->readahead);

	ret = ret >= 0 ? env_count(resolver, "KMEM_CLEANER", "frames", &settings->cleaner_frames) : ret;
	return ret >= 0 ? 0 : ret;
}

static void env_warn(const char *name, const char *value, void *arg)
{
	/* Those of lib/preload/ among them: programs that link the library may run in the same environment. */
	static const char *const known[] = {
		"KMEM_CLEANER",       "KMEM_ENGINE",     "KMEM_GUARD",          "KMEM_GUARD_SAMPLE",
		"KMEM_LOG",           "KMEM_MMAP_MIN",   "KMEM_POLICY",         "KMEM_PRELOAD",
		"KMEM_RAM",           "KMEM_READAHEAD",  "KMEM_SEED",           "KMEM_STATS",
		"KMEM_STATS_FORMAT",  "KMEM_STATS_SIGNAL", "KMEM_STORE",        "KMEM_STATS_INTERVAL",
		"KMEM_STATS_THREADS", "KMEM_SYSCALLS",   "KMEM_VM_BASE",        "KMEM_VM_SIZE",
	};

	(void)value;
	(void)arg;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(name, known[i]) == 0) {
			return;
		}
	}
	if (strncmp(name, "KMEM_TEST_", strlen("KMEM_TEST_")) != 0) {
		kmem_log(KMEM_LOG_WARNING, "unknown variable %s in the environment", name);
	}
}

static int env_apply(struct resolver *resolver)
{
	int ret = env_sizes_apply(resolver);

	ret = ret == 0 ? env_names_apply(resolver) : ret;
	ret = ret == 0 ? kmem_config_stats_env_apply(resolver->settings, resolver->error, resolver->error_size) : ret;
	ret = ret == 0 ? env_paging_apply(resolver) : ret;
	kmem_env_walk(env_warn, NULL);
	return ret;
}

/* What depends on several layers. */
static int complete(const struct resolver *resolver)
{
	struct kmem_settings *settings = resolver->settings;

	if (!resolver->is_ram_placed) {
		settings->ram_base = settings->vm_base;
	}
	if (!settings->demand_paging) {
		settings->policy_ops = NULL;
		settings->store_ops = NULL;
		return 0;
	}
	if (settings->policy_ops == NULL) {
		return fail(resolver, "CONFIG_EVICTION_CUSTOM: the program defines no k_mem_paging_eviction_init() and its kin, gives no policy_ops, and "
				    "there is no KMEM_POLICY (%s)",
			    kmem_eviction_names());
	}
	if (settings->store_ops == NULL) {
		return fail(resolver, "CONFIG_BACKING_STORE_CUSTOM: the program defines no k_mem_paging_backing_store_init() and its kin, gives no "
				    "store_ops, and there is no KMEM_STORE (%s)",
			    kmem_store_names());
	}
	settings->store_pages = resolver->store_pages;
	if (settings->store_pages == 0 && settings->page_size != 0) {
		settings->store_pages = settings->vm_size / settings->page_size;
	}
	return 0;
}

int kmem_config_resolve(const struct kmem_config *given, struct kmem_settings *settings, char *error, size_t error_size)
{
	struct resolver resolver = {.settings = settings, .error = error, .error_size = error_size};
	int ret;

	memset(settings, 0, sizeof(*settings));
	defaults_apply(&resolver);
	ret = record_apply(&resolver);
	ret = ret == 0 ? given_apply(&resolver, given) : ret;
	ret = ret == 0 ? env_apply(&resolver) : ret;
	ret = ret == 0 ? complete(&resolver) : ret;
	ret = ret == 0 ? kmem_config_check(settings, error, error_size) : ret;
	/* What holds by itself must hold with the program in it, too. */
	ret = ret == 0 ? kmem_program_image_find(settings, error, error_size) : ret;
	ret = ret == 0 ? kmem_config_check(settings, error, error_size) : ret;
	if (ret != 0) {
		kmem_config_finish(settings);
	}
	return ret;
}

void kmem_config_finish(struct kmem_settings *settings)
{
	if (settings->sections != NULL) {
		kmem_host_memory_free(settings->sections, settings->sections_bytes);
		settings->sections = NULL;
	}
	settings->section_count = 0;
}
