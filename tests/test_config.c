/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Configuration: every member and every variable, by itself and against the others. What is wrong is refused with a
 * line that has the value and the limit, and leaves nothing behind: a good boot works right after.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <kmem/kmem.h>

#include "harness.h"
#include "host/env.h"
#include "host/failpoint.h"
#include "kernel/config.h"
#include "kernel/eviction.h"
#include "kernel/store.h"

#define PAGE 4096UL
#define MIB (1UL << 20)
#define GIB (1UL << 30)
#define FAR_RAM 0x1000000UL /* a physical base that is not the VM's */
#define LONG 5000           /* longer than any text may be */
#define TEXTS_MAX 3
#define ENV_MAX 2

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

static struct harness_leaks leaks;
static struct kmem_settings settings;
static char error[512];

/* ---- what every test uses ---- */

static void env_clear(void)
{
	static const char *const names[] = {
		"KMEM_RAM",   "KMEM_VM_BASE",   "KMEM_VM_SIZE", "KMEM_ENGINE", "KMEM_POLICY",
		"KMEM_STORE", "KMEM_READAHEAD", "KMEM_STATS",   "KMEM_FOO",    "KMEM_TEST_CONFIG",
		"KMEM_STATS_FORMAT", "KMEM_STATS_INTERVAL", "KMEM_STATS_SIGNAL", "KMEM_STATS_THREADS", "KMEM_CLEANER",
	};

	for (int i = 0; i < COUNT(names); i++) {
		unsetenv(names[i]);
	}
}

/* "NAME=VALUE", or NULL for nothing. */
static void env_set(const char *text)
{
	char name[64];
	size_t length;

	if (text == NULL) {
		return;
	}
	length = strcspn(text, "=");
	ck_assert_uint_lt(length, sizeof(name));
	memcpy(name, text, length);
	name[length] = '\0';
	ck_assert_int_eq(setenv(name, text + length + 1, 1), 0);
}

static void setup(void)
{
	env_clear();
	harness_leaks_begin(&leaks);
}

static void teardown(void)
{
	env_clear();
	kmem_config_finish(&settings);
	(void)kmem_shutdown();
	harness_leaks_check(&leaks);
}

static int resolve(const struct kmem_config *config)
{
	error[0] = '\0';
	return kmem_config_resolve(config, &settings, error, sizeof(error));
}

/* Resolve what must be right. */
static void resolved(struct kmem_config *config)
{
	config->struct_size = sizeof(*config);
	ck_assert_msg(resolve(config) == 0, "refused: %s", error);
	ck_assert_str_eq(error, "");
}

/* Boot a small machine, page more than RAM in and out, shut down. */
static void good_boot(void)
{
	struct kmem_config config = {.struct_size = sizeof(config), .vm_size = 64 * MIB, .ram_size = 32 * PAGE};
	volatile uint8_t *bytes;

	ck_assert_msg(kmem_boot(&config) == 0, "%s", kmem_boot_error());
	ck_assert_str_eq(kmem_boot_error(), "");
	bytes = k_mem_map(64 * PAGE, K_MEM_PERM_RW);
	ck_assert_ptr_nonnull((void *)bytes);
	for (size_t i = 0; i < 64; i++) {
		bytes[i * PAGE] = (uint8_t)i;
	}
	for (size_t i = 0; i < 64; i++) {
		ck_assert_uint_eq(bytes[i * PAGE], i);
	}
	ck_assert(kmem_is_valid());
	ck_assert_int_eq(kmem_shutdown(), 0);
}

/* What is logged goes to a file without a name meanwhile. */
static int log_saved, log_file;

static void log_begin(void)
{
	log_saved = dup(STDERR_FILENO);
	log_file = memfd_create("log", MFD_CLOEXEC);
	ck_assert_int_ge(log_saved, 0);
	ck_assert_int_ge(log_file, 0);
	ck_assert_int_eq(dup2(log_file, STDERR_FILENO), STDERR_FILENO);
}

/* The text, to be freed. */
static char *log_end(void)
{
	off_t size = lseek(log_file, 0, SEEK_END);
	char *text = calloc(1, (size_t)size + 1);

	ck_assert_int_eq(dup2(log_saved, STDERR_FILENO), STDERR_FILENO);
	ck_assert_ptr_nonnull(text);
	ck_assert_int_eq(pread(log_file, text, (size_t)size, 0), size);
	close(log_file);
	close(log_saved);
	return text;
}

/* A text that is too long for everything, after a prefix; static. */
static const char *long_text(const char *prefix)
{
	static char text[LONG + 64];
	size_t length = strlen(prefix);

	memcpy(text, prefix, length);
	memset(text + length, 'x', LONG);
	text[length + LONG] = '\0';
	return text;
}

/* ---- policies, stores, sections and devices to refer to ---- */

static int policy_init(void **state, const struct kmem_eviction_params *params)
{
	(void)params;
	*state = NULL;
	return 0;
}

static struct k_mem_page_frame *policy_select(void *state, bool *dirty)
{
	(void)state;
	*dirty = false;
	return NULL;
}

static const struct kmem_eviction_ops own_policy = {
	.version = KMEM_EVICTION_VERSION,
	.name = "own",
	.init = policy_init,
	.select = policy_select,
};

/* Never run, only pointed to. */
static const struct kmem_store_ops own_store = {.version = KMEM_STORE_VERSION, .name = "own"};

static const struct kmem_section image[] = {
	{".text", 5 * PAGE, K_MEM_PERM_EXEC, NULL, 0},
	{".data", PAGE + 1, K_MEM_PERM_RW | K_MEM_PERM_USER | K_MEM_CACHE_WT, "abc", 3},
};
static const struct kmem_section image_nameless[] = {{".text", PAGE, 0, NULL, 0}, {NULL, PAGE, 0, NULL, 0}};
static const struct kmem_section image_empty = {".empty", 0, 0, NULL, 0};
static const struct kmem_section image_huge = {".huge", 64 * MIB + PAGE, 0, NULL, 0};
static const struct kmem_section image_endless[] = {{".one", 1, 0, NULL, 0}, {".endless", SIZE_MAX - PAGE, 0, NULL, 0}};
static const struct kmem_section image_halves[] = {{".half", 33 * MIB, 0, NULL, 0}, {".other", 32 * MIB, 0, NULL, 0}};
static const struct kmem_section image_overfull = {".full", 3, 0, "abcd", 4};
static const struct kmem_section image_direct = {".direct", PAGE, K_MEM_DIRECT_MAP, NULL, 0};
static const struct kmem_section image_locked = {".locked", PAGE, K_MEM_PERM_RW | K_MEM_MAP_LOCK, NULL, 0};
static const struct kmem_section image_five = {".five", 5 * PAGE, 0, NULL, 0};
static const struct kmem_section image_four = {".four", 4 * PAGE, 0, NULL, 0};
static const struct kmem_section image_mibs = {".mibs", 5 * MIB, 0, NULL, 0};

static const struct kmem_device devices_good[] = {{"uart", 0x10000, PAGE}, {"timer", 0x11000, 2 * PAGE}};
static const struct kmem_device devices_many[KMEM_DEVICES_MAX + 1];
static const struct kmem_device device_nameless[] = {{"uart", 0x10000, PAGE}, {NULL, 0x20000, PAGE}};
static const struct kmem_device device_odd = {"odd", 0x10001, PAGE};
static const struct kmem_device device_part = {"part", 0x10000, 100};
static const struct kmem_device device_none = {"none", 0x10000, 0};
static const struct kmem_device device_far = {"far", (1UL << 48) - PAGE, 2 * PAGE};
static const struct kmem_device device_beyond = {"beyond", 1UL << 48, PAGE};
static const struct kmem_device device_wrap = {"wrap", 0x10000, SIZE_MAX - PAGE + 1};
static const struct kmem_device device_ram = {"ram_end", FAR_RAM + 64 * MIB - PAGE, 2 * PAGE};
static const struct kmem_device devices_twins[] = {{"uart", 0x10000, 2 * PAGE}, {"twin", 0x11000, PAGE}};

/* ---- what is refused ---- */

struct refusal {
	struct kmem_config config;
	const char *env[ENV_MAX];
	int error;                    /* 0: EINVAL */
	bool is_late;                 /* resolves, but cannot be booted */
	const char *texts[TEXTS_MAX]; /* in the message: the value, the limit */
};

static const struct refusal refusals[] = {
	/* The page size. */
	{.config = {.page_size = 1}, .texts = {"page size 1 ", "4096", "2097152"}},
	{.config = {.page_size = 2048}, .texts = {"page size 2048 ", "4096", "2097152"}},
	{.config = {.page_size = 3000}, .texts = {"page size 3000 ", "4096", "2097152"}},
	{.config = {.page_size = 4097}, .texts = {"page size 4097 ", "4096", "2097152"}},
	{.config = {.page_size = 12288}, .texts = {"page size 12288 ", "power of two"}},
	{.config = {.page_size = 4 * MIB}, .texts = {"page size 4194304 ", "4096", "2097152"}},
	{.config = {.page_size = SIZE_MAX}, .texts = {"page size 18446744073709551615 ", "2097152"}},

	/* The VM range. */
	{.config = {.vm_base = 0x400000001UL}, .texts = {"vm_base", "0x400000001", "4096"}},
	{.config = {.vm_base = 0x400001000UL, .page_size = 65536}, .texts = {"vm_base", "0x400001000", "65536"}},
	{.config = {.vm_base = 1UL << 47}, .texts = {"vm_base", "at 0x800000000000 ", "and 0x800000000000"}},
	{.config = {.vm_base = (1UL << 47) - GIB}, .texts = {"VM range", "at 0x7fffc0000000 ", "0x800000000000"}},
	{.config = {.vm_base = ~0UL - PAGE + 1, .ram_base = FAR_RAM},
	 .texts = {"at 0xfffffffffffff000 ", "0x800000000000"}},
	{.config = {.vm_size = 5000}, .texts = {"vm_size", "0x1388", "4096"}},
	{.config = {.vm_size = 1UL << 47}, .texts = {"vm_size", "140737488355328", "0x800000000000"}},
	{.config = {.vm_size = ~0UL - PAGE + 1}, .texts = {"vm_size", "18446744073709547520", "0x800000000000"}},
	{.config = {.vm_offset = 1}, .texts = {"vm_offset", "0x1 ", "4096"}},
	{.config = {.vm_offset = 8 * GIB}, .texts = {"8589934592", "no room", "offset 0x200000000"}},
	{.config = {.vm_offset = 9 * GIB}, .texts = {"8589934592", "no room", "offset 0x240000000"}},
	{.config = {.vm_size = 64 * MIB, .maps_all_ram = KMEM_SWITCH_ON}, .texts = {"67108864", "no room", "67125248"}},
	{.config = {.vm_size = 8 * PAGE,
		    .ram_size = 8 * PAGE,
		    .vm_offset = PAGE,
		    .sections = &image_four,
		    .section_count = 1},
	 .texts = {"32768", "no room for 32768", "0x1000"}},

	/* RAM. */
	{.config = {.ram_base = FAR_RAM + 1}, .texts = {"ram_base", "0x1000001", "4096"}},
	{.config = {.ram_base = 1UL << 48},
	 .texts = {"[0x1000000000000,", "67108864", "below physical address 0x1000000000000"}},
	{.config = {.ram_base = (1UL << 48) - PAGE}, .texts = {"[0xfffffffff000,", "67108864", "0x1000000000000"}},
	{.config = {.ram_size = 5000}, .texts = {"ram_size", "0x1388", "4096"}},
	{.config = {.ram_size = PAGE}, .texts = {"RAM of 4096 bytes", "ram_size", "4 frames of 4096"}},
	{.config = {.ram_size = 3 * PAGE}, .texts = {"RAM of 12288 bytes", "ram_size", "4 frames of 4096"}},
	{.config = {.ram_size = 2 * MIB, .page_size = MIB}, .texts = {"RAM of 2097152", "4 frames of 1048576"}},
	{.config = {.ram_size = 16 * GIB}, .texts = {"17179869184", "larger than the VM range of 8589934592"}},
	{.config = {.ram_size = 8 * GIB + PAGE}, .texts = {"8589938688", "larger than the VM range of 8589934592"}},
	{.config = {.vm_size = 32 * MIB}, .texts = {"67108864", "larger than the VM range of 33554432", "vm_size"}},
	{.config = {.ram_size = ~0UL - PAGE + 1}, .texts = {"18446744073709547520", "larger than the VM range"}},
	{.config = {.ram_offset = 1}, .texts = {"ram_offset", "0x1 ", "4096"}},
	{.config = {.ram_offset = 65 * MIB}, .texts = {"RAM offset 68157440", "67108864"}},
	{.config = {.frames_reserve = 16385}, .texts = {"16385 frames", "frames_reserve", "16384"}},
	{.config = {.maps_all_ram = KMEM_SWITCH_ON, .ram_offset = PAGE},
	 .texts = {"VM offset 0x0 ", "RAM offset, 0x1000", "maps_all_ram"}},
	{.config = {.maps_all_ram = KMEM_SWITCH_ON, .vm_offset = PAGE, .ram_offset = 2 * PAGE},
	 .texts = {"VM offset 0x1000 ", "RAM offset, 0x2000", "maps_all_ram"}},

	/* Switches. */
	{.config = {.maps_all_ram = (enum kmem_switch)3}, .texts = {"maps_all_ram: 3 "}},
	{.config = {.direct_map = (enum kmem_switch)4}, .texts = {"direct_map: 4 "}},
	{.config = {.demand_paging = (enum kmem_switch)5}, .texts = {"demand_paging: 5 "}},
	{.config = {.demand_mapping = (enum kmem_switch)6}, .texts = {"demand_mapping: 6 "}},
	{.config = {.assertions = (enum kmem_switch)7}, .texts = {"assertions: 7 "}},
	{.config = {.stats = (enum kmem_switch)8}, .texts = {"stats: 8 "}},
	{.config = {.timing = (enum kmem_switch)(-1)}, .texts = {"timing: -1 "}},
	{.config = {.demand_paging = KMEM_SWITCH_OFF, .demand_mapping = KMEM_SWITCH_ON},
	 .texts = {"demand_mapping", "needs demand paging"}},
	{.config = {.stats = KMEM_SWITCH_OFF, .timing = KMEM_SWITCH_ON},
	 .texts = {"timing", "needs statistics", "stats"}},

	/* The image. */
	{.config = {.section_count = 2}, .texts = {"section_count is 2", "NULL"}},
	{.config = {.sections = image_nameless, .section_count = 2}, .texts = {"section 1 has no name"}},
	{.config = {.sections = &image_empty, .section_count = 1}, .texts = {"\".empty\"", "size 0", "67108864"}},
	{.config = {.sections = &image_huge, .section_count = 1}, .texts = {"\".huge\"", "size 67112960", "67108864"}},
	{.config = {.sections = image_endless, .section_count = 2},
	 .texts = {"\".endless\"", "18446744073709547519", "67108863"}},
	{.config = {.sections = image_halves, .section_count = 2}, .texts = {"\".other\"", "33554432", "32505856"}},
	{.config = {.sections = &image_overfull, .section_count = 1}, .texts = {"\".full\"", "4 bytes", "3"}},
	{.config = {.sections = &image_direct, .section_count = 1}, .texts = {"\".direct\"", "0x40"}},
	{.config = {.sections = &image_locked, .section_count = 1}, .texts = {"\".locked\"", "0x20008"}},
	{.config = {.sections = &image_five, .section_count = 1, .ram_size = 8 * PAGE},
	 .texts = {"32768", "20480", "4 frames"}},
	{.config = {.sections = &image_mibs, .section_count = 1, .ram_offset = 60 * MIB},
	 .texts = {"5242880", "62914560", "67108864"}},

	/* Devices. */
	{.config = {.device_count = 2}, .texts = {"device_count is 2", "NULL"}},
	{.config = {.devices = devices_many, .device_count = KMEM_DEVICES_MAX + 1}, .texts = {"33 devices", "32"}},
	{.config = {.devices = device_nameless, .device_count = 2}, .texts = {"device 1 has no name"}},
	{.config = {.devices = &device_odd, .device_count = 1}, .texts = {"\"odd\"", "0x10001", "4096"}},
	{.config = {.devices = &device_part, .device_count = 1}, .texts = {"\"part\"", "100 bytes", "4096"}},
	{.config = {.devices = &device_none, .device_count = 1}, .texts = {"\"none\"", "0 bytes", "4096"}},
	{.config = {.devices = &device_far, .device_count = 1},
	 .texts = {"\"far\"", "0xfffffffff000", "0x1000000000000"}},
	{.config = {.devices = &device_beyond, .device_count = 1},
	 .texts = {"\"beyond\"", "at 0x1000000000000", "below 0x1000000000000"}},
	{.config = {.devices = &device_wrap, .device_count = 1},
	 .texts = {"\"wrap\"", "18446744073709547520", "0x1000000000000"}},
	{.config = {.devices = &device_part, .device_count = 1, .page_size = 65536}, .texts = {"\"part\"", "65536"}},
	{.config = {.devices = &device_ram, .device_count = 1, .ram_base = FAR_RAM},
	 .is_late = true,
	 .texts = {"\"ram_end\"", "0x4fff000", "overlaps"}},
	{.config = {.devices = devices_twins, .device_count = 2},
	 .is_late = true,
	 .texts = {"\"twin\"", "0x11000", "overlaps"}},

	/* Names. */
	{.config = {.engine = "warp"}, .error = ENOTSUP, .is_late = true, .texts = {"\"warp\"", "auto, guard, mmap, uffd"}},
	{.config = {.engine = ""}, .error = ENOTSUP, .is_late = true, .texts = {"engine \"\"", "auto, guard, mmap, uffd"}},
	{.config = {.engine = "an engine whose name is much too long"}, .texts = {"engine", "37 characters", "31"}},
	{.config = {.policy = "mru"}, .texts = {"policy", "\"mru\"", "clock, lru, nru"}},
	{.config = {.policy = ""}, .texts = {"policy \"\"", "clock, lru, nru"}},
	{.config = {.policy = "LRU"}, .texts = {"\"LRU\"", "clock, lru, nru"}},
	{.config = {.policy = "mru", .demand_paging = KMEM_SWITCH_OFF}, .texts = {"\"mru\"", "clock, lru, nru"}},
	{.config = {.policy = "lru", .policy_ops = &own_policy}, .texts = {"\"lru\"", "policy_ops"}},
	{.config = {.store = "tape"}, .texts = {"\"tape\"", "file, ram"}},
	{.config = {.store = ""}, .texts = {"\"\"", "file, ram"}},
	{.config = {.store = "ramx"}, .texts = {"\"ramx\"", "file, ram"}},
	{.config = {.store = "ram:"}, .texts = {"\"ram:\"", "ram:PAGES"}},
	{.config = {.store = "ram:0"}, .texts = {"\"ram:0\"", "from 1", "ram:PAGES"}},
	{.config = {.store = "ram:x"}, .texts = {"\"ram:x\"", "ram:PAGES"}},
	{.config = {.store = "ram:-1"}, .texts = {"\"ram:-1\"", "ram:PAGES"}},
	{.config = {.store = "ram:1K"}, .texts = {"\"ram:1K\"", "ram:PAGES"}},
	{.config = {.store = "ram:99999999999999999999"}, .texts = {"ram:99999999999999999999", "ram:PAGES"}},
	{.config = {.store = "ram:68719476735"}, .texts = {"68719476735 pages", "KMEM_STORE", "68719476734"}},
	{.config = {.store = "file:"}, .texts = {"\"file:\"", "file:PATH"}},
	{.config = {.store = "ram", .store_ops = &own_store}, .texts = {"\"ram\"", "store_ops"}},
	{.config = {.store = "ram:16", .store_pages = 17}, .texts = {"\"ram:16\"", "store_pages 17"}},
	{.config = {.store_pages = 68719476735UL}, .texts = {"68719476735 pages", "store_pages", "68719476734"}},
	{.config = {.store = "file", .store_pages = SIZE_MAX},
	 .texts = {"18446744073709551615", "store_pages", "68719476734"}},

	/* The environment, alone. */
	{.env = {"KMEM_RAM=banana"}, .texts = {"KMEM_RAM=banana", "16M"}},
	{.env = {"KMEM_RAM=12Q"}, .texts = {"KMEM_RAM=12Q", "16M"}},
	{.env = {"KMEM_RAM=0"}, .texts = {"KMEM_RAM=0", "more than 0"}},
	{.env = {"KMEM_RAM=0K"}, .texts = {"KMEM_RAM=0K", "more than 0"}},
	{.env = {"KMEM_RAM=-1"}, .texts = {"KMEM_RAM=-1", "16M"}},
	{.env = {"KMEM_RAM=+1M"}, .texts = {"KMEM_RAM=+1M", "16M"}},
	{.env = {"KMEM_RAM=99999999999999999999"}, .texts = {"KMEM_RAM=99999999999999999999", "18446744073709551615"}},
	{.env = {"KMEM_RAM=16777216T"}, .texts = {"KMEM_RAM=16777216T", "18446744073709551615"}},
	{.env = {"KMEM_RAM=M"}, .texts = {"KMEM_RAM=M", "16M"}},
	{.env = {"KMEM_RAM=0x"}, .texts = {"KMEM_RAM=0x", "0x1000"}},
	{.env = {"KMEM_RAM= 1M"}, .texts = {"KMEM_RAM= 1M", "16M"}},
	{.env = {"KMEM_RAM=1 M"}, .texts = {"KMEM_RAM=1 M", "16M"}},
	{.env = {"KMEM_RAM=1M "}, .texts = {"KMEM_RAM=1M ", "16M"}},
	{.env = {"KMEM_RAM=1.5M"}, .texts = {"KMEM_RAM=1.5M", "16M"}},
	{.env = {"KMEM_RAM=1MM"}, .texts = {"KMEM_RAM=1MM", "16M"}},
	{.env = {"KMEM_RAM=1Mi"}, .texts = {"KMEM_RAM=1Mi", "16M"}},
	{.env = {"KMEM_RAM=5000"}, .texts = {"KMEM_RAM", "0x1388", "4096"}},
	{.env = {"KMEM_RAM=8K"}, .texts = {"KMEM_RAM", "8192", "4 frames of 4096"}},
	{.env = {"KMEM_RAM=16G"}, .texts = {"KMEM_RAM", "17179869184", "8589934592"}},
	{.env = {"KMEM_VM_SIZE=32M"}, .texts = {"KMEM_VM_SIZE", "33554432", "67108864"}},
	{.env = {"KMEM_VM_SIZE=0"}, .texts = {"KMEM_VM_SIZE=0", "more than 0"}},
	{.env = {"KMEM_VM_SIZE=big"}, .texts = {"KMEM_VM_SIZE=big", "1G"}},
	{.env = {"KMEM_VM_SIZE=1000000001"}, .texts = {"KMEM_VM_SIZE", "0x3b9aca01", "4096"}},
	{.env = {"KMEM_VM_SIZE=128T"}, .texts = {"KMEM_VM_SIZE", "140737488355328", "0x800000000000"}},
	{.env = {"KMEM_VM_BASE=0"}, .texts = {"KMEM_VM_BASE=0", "more than 0"}},
	{.env = {"KMEM_VM_BASE=here"}, .texts = {"KMEM_VM_BASE=here", "0x1000"}},
	{.env = {"KMEM_VM_BASE=0x400000010"}, .texts = {"KMEM_VM_BASE", "0x400000010", "4096"}},
	{.env = {"KMEM_VM_BASE=0x800000000000"}, .texts = {"KMEM_VM_BASE", "at 0x800000000000 ", "and 0x800000000000"}},
	{.env = {"KMEM_ENGINE=warp"}, .error = ENOTSUP, .is_late = true, .texts = {"\"warp\"", "auto, guard, mmap, uffd"}},
	{.env = {"KMEM_ENGINE=an engine whose name is much too long"}, .texts = {"KMEM_ENGINE", "37 characters", "31"}},
	{.env = {"KMEM_POLICY=mru"}, .texts = {"KMEM_POLICY", "\"mru\"", "clock, lru, nru"}},
	{.env = {"KMEM_STORE=tape"}, .texts = {"KMEM_STORE", "\"tape\"", "file, ram"}},
	{.env = {"KMEM_STORE=ram:0"}, .texts = {"KMEM_STORE", "\"ram:0\"", "ram:PAGES"}},
	{.env = {"KMEM_STORE=ram:x"}, .texts = {"KMEM_STORE", "\"ram:x\"", "ram:PAGES"}},
	{.env = {"KMEM_STORE=ram:68719476735"}, .texts = {"KMEM_STORE", "68719476735", "68719476734"}},
	{.env = {"KMEM_STORE=file:"}, .texts = {"KMEM_STORE", "\"file:\"", "file:PATH"}},
	{.env = {"KMEM_READAHEAD=33"}, .texts = {"KMEM_READAHEAD", "33 pages", "32"}},
	{.env = {"KMEM_READAHEAD=-1"}, .texts = {"KMEM_READAHEAD=-1", "pages"}},
	{.env = {"KMEM_READAHEAD=1K"}, .texts = {"KMEM_READAHEAD=1K", "pages"}},
	{.env = {"KMEM_READAHEAD=18446744073709551616"}, .texts = {"KMEM_READAHEAD=18446744073709551616", "pages"}},
	{.config = {.readahead = 33}, .texts = {"33 pages", "readahead", "32"}},
	{.env = {"KMEM_CLEANER=many"}, .texts = {"KMEM_CLEANER=many", "frames"}},
	{.env = {"KMEM_CLEANER=8193"}, .texts = {"KMEM_CLEANER", "8193 frames", "8192"}},
	{.config = {.ram_size = 32 * PAGE, .cleaner_frames = 17}, .texts = {"17 frames", "cleaner_frames", "16"}},

	/* The environment, over a configuration that is right. */
	{.config = {.ram_size = 32 * PAGE}, .env = {"KMEM_RAM=banana"}, .texts = {"KMEM_RAM=banana"}},
	{.config = {.vm_size = 128 * MIB}, .env = {"KMEM_RAM=256M"}, .texts = {"KMEM_RAM", "268435456", "134217728"}},
	{.config = {.ram_size = 128 * MIB},
	 .env = {"KMEM_VM_SIZE=64M"},
	 .texts = {"KMEM_VM_SIZE", "134217728", "67108864"}},
	{.config = {.page_size = 65536}, .env = {"KMEM_RAM=1028K"}, .texts = {"KMEM_RAM", "0x101000", "65536"}},
	{.config = {.sections = &image_mibs, .section_count = 1},
	 .env = {"KMEM_RAM=4M"},
	 .texts = {"5242880", "4194304"}},
	{.config = {.policy = "lru"}, .env = {"KMEM_POLICY=mru"}, .texts = {"KMEM_POLICY", "\"mru\""}},
	{.config = {.store = "ram"}, .env = {"KMEM_STORE=tape"}, .texts = {"KMEM_STORE", "\"tape\""}},
	{.env = {"KMEM_VM_SIZE=64M", "KMEM_RAM=65M"}, .texts = {"KMEM_RAM", "68157440", "67108864"}},
	{.env = {"KMEM_STATS=fd:x"}, .texts = {"KMEM_STATS", "fd:x", "fd:3"}},
	{.env = {"KMEM_STATS=fd:"}, .texts = {"KMEM_STATS", "fd:3"}},
	{.env = {"KMEM_STATS=fd:0x3"}, .texts = {"KMEM_STATS", "fd:3"}},
	{.env = {"KMEM_STATS=fd:3@7"}, .texts = {"KMEM_STATS", "fd:3"}},
	{.env = {"KMEM_STATS=fd:3@7:x"}, .texts = {"KMEM_STATS", "fd:3"}},
	{.env = {"KMEM_STATS=fd:1048576"}, .texts = {"KMEM_STATS", "1048576"}},
	{.config = {.stats_path = "fd:y"}, .texts = {"stats_path", "fd:y"}},
	{.env = {"KMEM_STATS_FORMAT=xml"}, .texts = {"KMEM_STATS_FORMAT=xml", "json or text"}},
	{.env = {"KMEM_STATS_THREADS=2"}, .texts = {"KMEM_STATS_THREADS=2", "0 or 1"}},
	{.env = {"KMEM_STATS_SIGNAL=NONE"}, .texts = {"KMEM_STATS_SIGNAL=NONE", "USR2"}},
	{.env = {"KMEM_STATS_SIGNAL=SEGV"}, .texts = {"KMEM_STATS_SIGNAL=SEGV", "USR1 and USR2"}},
	{.env = {"KMEM_STATS_SIGNAL=9"}, .texts = {"KMEM_STATS_SIGNAL=9", "USR1 and USR2"}},
	{.env = {"KMEM_STATS_SIGNAL=32"}, .texts = {"KMEM_STATS_SIGNAL=32"}},
	{.env = {"KMEM_STATS_INTERVAL=0"}, .texts = {"KMEM_STATS_INTERVAL=0", "0.001"}},
	{.env = {"KMEM_STATS_INTERVAL=1s"}, .texts = {"KMEM_STATS_INTERVAL=1s", "seconds"}},
	{.env = {"KMEM_STATS_INTERVAL=4294968"}, .texts = {"KMEM_STATS_INTERVAL=4294968", "4294967"}},
	/* A wrong name is not made good by a right one over it. */
	{.config = {.policy = "mru"}, .env = {"KMEM_POLICY=lru"}, .texts = {"\"mru\"", "clock, lru, nru"}},
	{.config = {.store = "tape"}, .env = {"KMEM_STORE=ram"}, .texts = {"\"tape\"", "file, ram"}},
};

static void texts_check(const char *message, const char *const *texts)
{
	ck_assert_str_ne(message, "");
	ck_assert_ptr_null(strchr(message, '\n'));
	for (int i = 0; i < TEXTS_MAX && texts[i] != NULL; i++) {
		ck_assert_msg(strstr(message, texts[i]) != NULL, "no \"%s\" in: %s", texts[i], message);
	}
}

/* Boot must fail, with the message in the log as well, and nothing left. */
static void boot_refused(const struct kmem_config *config, int expected, const char *const *texts)
{
	char line[600];
	char *log;
	int ret;

	log_begin();
	ret = kmem_boot(config);
	log = log_end();
	ck_assert_msg(ret == expected, "%d, not %d: %s", ret, expected, kmem_boot_error());
	texts_check(kmem_boot_error(), texts);
	snprintf(line, sizeof(line), "kmem: error: %s\n", kmem_boot_error());
	ck_assert_msg(strstr(log, line) != NULL, "\"%s\" is not in the log: %s", line, log);
	free(log);
	ck_assert(!kmem_is_booted());
	ck_assert_int_eq(kmem_shutdown(), -ENODEV);
}

START_TEST(wrong_values_are_refused_with_value_and_limit)
{
	const struct refusal *refusal = &refusals[_i];
	struct kmem_config config = refusal->config;
	int expected = refusal->error != 0 ? -refusal->error : -EINVAL;
	int ret;

	config.struct_size = sizeof(config);
	for (int i = 0; i < ENV_MAX; i++) {
		env_set(refusal->env[i]);
	}
	ret = resolve(&config);
	if (refusal->is_late) {
		ck_assert_msg(ret == 0, "%d: %s", ret, error);
		kmem_config_finish(&settings);
	} else {
		ck_assert_msg(ret == expected, "%d: %s", ret, error);
		texts_check(error, refusal->texts);
		ck_assert_ptr_null(settings.sections);
		ck_assert_uint_eq(settings.section_count, 0);
	}
	boot_refused(&config, expected, refusal->texts);
	if (!refusal->is_late) {
		ck_assert_str_eq(kmem_boot_error(), error);
	}
	env_clear();
	good_boot();
}
END_TEST

/* A struct of no size, of one that is too short to say anything, and of a later library's. */
START_TEST(struct_of_another_size_is_refused)
{
	const size_t sizes[] = {0, 1, sizeof(size_t), 2 * sizeof(size_t) - 1, sizeof(struct kmem_config) + 1, SIZE_MAX};
	struct kmem_config config = {.struct_size = sizes[_i]};
	char text[64], limit[64];
	const char *texts[TEXTS_MAX] = {text, limit};

	snprintf(text, sizeof(text), "struct_size is %zu;", sizes[_i]);
	snprintf(limit, sizeof(limit), " %zu in this library", sizeof(config));
	ck_assert_int_eq(resolve(&config), -EINVAL);
	texts_check(error, texts);
	boot_refused(&config, -EINVAL, texts);
	good_boot();
}
END_TEST

START_TEST(paths_that_are_too_long_are_refused)
{
	const char *path = long_text("file:/tmp/");
	struct kmem_config config = {.struct_size = sizeof(config), .store = path};
	const char *texts[TEXTS_MAX] = {"store", "5005 characters", "4095"};

	boot_refused(&config, -EINVAL, texts);
	config.store = NULL;
	setenv("KMEM_STORE", path, 1);
	texts[0] = "KMEM_STORE";
	boot_refused(&config, -EINVAL, texts);
	unsetenv("KMEM_STORE");

	path = long_text("/tmp/");
	config.stats_path = path;
	texts[0] = "stats_path";
	boot_refused(&config, -EINVAL, texts);
	config.stats_path = NULL;
	setenv("KMEM_STATS", path, 1);
	texts[0] = "KMEM_STATS";
	boot_refused(&config, -EINVAL, texts);
	unsetenv("KMEM_STATS");
	good_boot();
}
END_TEST

/* A message has room for so much. */
START_TEST(long_values_are_cut_off)
{
	setenv("KMEM_RAM", long_text(""), 1);
	ck_assert_int_eq(resolve(NULL), -EINVAL);
	ck_assert_uint_eq(strlen(error), sizeof(error) - 1);
	ck_assert_int_eq(kmem_boot(NULL), -EINVAL);
	ck_assert_int_eq(strncmp(kmem_boot_error(), "KMEM_RAM=xxxxxxx", 16), 0);
	unsetenv("KMEM_RAM");
	good_boot();
}
END_TEST

/* 0 stands for the default in the struct; only a program's record can say it. */
START_TEST(page_size_0_is_refused)
{
	const char *texts[TEXTS_MAX] = {"page size 0 ", "4096", "2097152"};

	ck_assert_int_eq(resolve(NULL), 0);
	settings.page_size = 0;
	ck_assert_int_eq(kmem_config_check(&settings, error, sizeof(error)), -EINVAL);
	texts_check(error, texts);
}
END_TEST

START_TEST(range_that_is_taken_is_refused)
{
	struct kmem_config config = {.struct_size = sizeof(config), .vm_size = 64 * MIB, .vm_base = 0x500000000UL};
	const char *texts[TEXTS_MAX] = {"0x500000000", "0x504000000", "taken"};
	char *page = mmap((void *)(config.vm_base + config.vm_size - PAGE), PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (page == MAP_FAILED) {
		return; /* a sanitizer's */
	}
	page[0] = 42;
	ck_assert_int_eq(resolve(&config), 0);
	kmem_config_finish(&settings);
	boot_refused(&config, -EADDRINUSE, texts);
	config.vm_base = 0;
	setenv("KMEM_VM_BASE", "0x500000000", 1);
	boot_refused(&config, -EADDRINUSE, texts);
	unsetenv("KMEM_VM_BASE");
	good_boot();
	ck_assert_int_eq(page[0], 42);
	ck_assert_int_eq(munmap(page, PAGE), 0);
}
END_TEST

START_TEST(no_memory_for_sections_is_said)
{
	struct kmem_config config = {.struct_size = sizeof(config), .sections = image, .section_count = 2};

	(void)kmem_failpoint_arm(1, ENOMEM, false);
	ck_assert_int_eq(resolve(&config), -ENOMEM);
	ck_assert(kmem_failpoint_was_hit());
	(void)kmem_failpoint_arm(0, 0, false);
	ck_assert_ptr_nonnull(strstr(error, "2 sections"));
	ck_assert_ptr_null(settings.sections);
	resolved(&config);
}
END_TEST

/* ---- what is taken, and from where ---- */

static uintptr_t default_base(void)
{
	return kmem_env_is_asan() ? 0x200000000000UL : 0x400000000UL;
}

static void defaults_check(void)
{
	ck_assert(!settings.is_zephyr);
	ck_assert_uint_eq(settings.vm_base, default_base());
	ck_assert_uint_eq(settings.vm_size, 8 * GIB);
	ck_assert_uint_eq(settings.vm_offset, 0);
	ck_assert_uint_eq(settings.ram_base, default_base());
	ck_assert_uint_eq(settings.ram_size, 64 * MIB);
	ck_assert_uint_eq(settings.ram_usable, 64 * MIB);
	ck_assert_uint_eq(settings.ram_offset, 0);
	ck_assert_uint_eq(settings.page_size, PAGE);
	ck_assert_uint_eq(settings.frames_reserve, 0);
	ck_assert(!settings.maps_all_ram);
	ck_assert(settings.direct_map);
	ck_assert(settings.demand_paging);
	ck_assert(settings.demand_mapping);
	ck_assert(settings.assertions);
	ck_assert(settings.stats);
	ck_assert(settings.timing);
	ck_assert_ptr_null(settings.sections);
	ck_assert_uint_eq(settings.section_count, 0);
	ck_assert_uint_eq(settings.device_count, 0);
	ck_assert_str_eq(settings.engine, "auto");
	ck_assert_ptr_eq(settings.policy_ops, &kmem_eviction_clock);
	ck_assert_ptr_null(settings.policy_arg);
	ck_assert_ptr_eq(settings.store_ops, &kmem_store_ram);
	ck_assert_ptr_null(settings.store_arg);
	ck_assert_ptr_null(settings.store_path);
	ck_assert_uint_eq(settings.store_pages, 8 * GIB / PAGE);
	ck_assert_uint_eq(settings.nru_period_ms, 100);
	ck_assert_uint_eq(settings.readahead, 0);
	ck_assert_uint_eq(settings.cleaner_frames, 0);
	ck_assert_ptr_null(settings.stats_path);
}

START_TEST(nothing_given_is_all_defaults)
{
	struct kmem_config config = {.struct_size = sizeof(config)};

	ck_assert(!kmem_config_is_recorded());
	ck_assert_int_eq(resolve(NULL), 0);
	defaults_check();
	ck_assert_int_eq(resolve(&config), 0);
	defaults_check();
	/* An older header's struct ends earlier; what is behind it is not read. */
	memset(&config, 0xff, sizeof(config));
	config.struct_size = offsetof(struct kmem_config, vm_size);
	config.vm_base = 0;
	ck_assert_int_eq(resolve(&config), 0);
	defaults_check();
	config.vm_base = 0x500000000UL;
	ck_assert_int_eq(resolve(&config), 0);
	ck_assert_uint_eq(settings.vm_base, 0x500000000UL);
	ck_assert_uint_eq(settings.ram_base, 0x500000000UL);
	ck_assert_uint_eq(settings.vm_size, 8 * GIB);
}
END_TEST

START_TEST(every_number_is_taken)
{
	struct kmem_config config = {
		.vm_base = 0x600000000UL,
		.vm_size = GIB,
		.vm_offset = 16 * MIB,
		.ram_base = FAR_RAM,
		.ram_size = 32 * MIB,
		.ram_offset = 8 * MIB,
		.page_size = 65536,
		.frames_reserve = 7,
		.store_pages = 99,
		.nru_period_ms = 5,
		.readahead = 9,
		.cleaner_frames = 11,
	};

	resolved(&config);
	ck_assert_uint_eq(settings.vm_base, config.vm_base);
	ck_assert_uint_eq(settings.vm_size, config.vm_size);
	ck_assert_uint_eq(settings.vm_offset, config.vm_offset);
	ck_assert_uint_eq(settings.ram_base, config.ram_base);
	ck_assert_uint_eq(settings.ram_size, config.ram_size);
	ck_assert_uint_eq(settings.ram_usable, config.ram_size);
	ck_assert_uint_eq(settings.ram_offset, config.ram_offset);
	ck_assert_uint_eq(settings.page_size, config.page_size);
	ck_assert_uint_eq(settings.frames_reserve, config.frames_reserve);
	ck_assert_uint_eq(settings.store_pages, config.store_pages);
	ck_assert_uint_eq(settings.readahead, config.readahead);
	ck_assert_uint_eq(settings.cleaner_frames, config.cleaner_frames);
	ck_assert_uint_eq(settings.nru_period_ms, config.nru_period_ms);
	/* As many pages as the VM range has, of their size. */
	config.store_pages = 0;
	resolved(&config);
	ck_assert_uint_eq(settings.store_pages, GIB / 65536);
}
END_TEST

static const struct {
	size_t given;   /* in struct kmem_config */
	size_t setting; /* in struct kmem_settings */
	bool default_is_on;
} switches[] = {
	{offsetof(struct kmem_config, maps_all_ram), offsetof(struct kmem_settings, maps_all_ram), false},
	{offsetof(struct kmem_config, direct_map), offsetof(struct kmem_settings, direct_map), true},
	{offsetof(struct kmem_config, demand_paging), offsetof(struct kmem_settings, demand_paging), true},
	{offsetof(struct kmem_config, demand_mapping), offsetof(struct kmem_settings, demand_mapping), true},
	{offsetof(struct kmem_config, assertions), offsetof(struct kmem_settings, assertions), true},
	{offsetof(struct kmem_config, stats), offsetof(struct kmem_settings, stats), true},
	{offsetof(struct kmem_config, timing), offsetof(struct kmem_settings, timing), true},
};

START_TEST(every_switch_is_taken)
{
	struct kmem_config config = {.struct_size = sizeof(config)};
	enum kmem_switch *given = (enum kmem_switch *)((char *)&config + switches[_i].given);
	const bool *setting = (const bool *)((const char *)&settings + switches[_i].setting);

	resolved(&config);
	ck_assert_int_eq(*setting, switches[_i].default_is_on);
	*given = KMEM_SWITCH_ON;
	resolved(&config);
	ck_assert(*setting);
	*given = KMEM_SWITCH_OFF;
	resolved(&config);
	ck_assert(!*setting);
}
END_TEST

START_TEST(what_depends_on_a_switch_follows_it)
{
	struct kmem_config config = {.demand_paging = KMEM_SWITCH_OFF, .policy = "lru", .store = "ram:16"};

	resolved(&config);
	ck_assert(!settings.demand_mapping);
	ck_assert_ptr_null(settings.policy_ops);
	ck_assert_ptr_null(settings.store_ops);
	config = (struct kmem_config){.stats = KMEM_SWITCH_OFF};
	resolved(&config);
	ck_assert(!settings.timing);
	config = (struct kmem_config){.timing = KMEM_SWITCH_OFF};
	resolved(&config);
	ck_assert(settings.stats);
}
END_TEST

/* The path of the report: "-", an absolute one as it is, or behind the working directory. */
static void path_check(const char *path)
{
	char directory[1024] = "";
	char expected[2048];

	if (path[0] != '/' && strcmp(path, "-") != 0) {
		ck_assert_ptr_nonnull(getcwd(directory, sizeof(directory)));
		strcat(directory, "/");
	}
	snprintf(expected, sizeof(expected), "%s%s", directory, path);
	ck_assert_str_eq(settings.stats_path, expected);
}

START_TEST(every_name_is_taken)
{
	struct kmem_config config = {
		.engine = "mmap",
		.policy = "nru",
		.store = "file:/tmp/pages",
		.stats_path = "stats.json",
	};

	resolved(&config);
	ck_assert_str_eq(settings.engine, "mmap");
	ck_assert_ptr_ne(settings.engine, config.engine);
	ck_assert_ptr_eq(settings.policy_ops, &kmem_eviction_nru);
	ck_assert_ptr_eq(settings.store_ops, &kmem_store_file);
	ck_assert_str_eq(settings.store_path, "/tmp/pages");
	ck_assert_uint_eq(settings.store_pages, 8 * GIB / PAGE);
	path_check("stats.json");

	config = (struct kmem_config){
		.engine = "auto", .policy = "lru", .store = "file", .store_pages = 20, .stats_path = "-"};
	resolved(&config);
	ck_assert_str_eq(settings.engine, "auto");
	ck_assert_ptr_eq(settings.policy_ops, &kmem_eviction_lru);
	ck_assert_ptr_eq(settings.store_ops, &kmem_store_file);
	ck_assert_ptr_null(settings.store_path);
	ck_assert_uint_eq(settings.store_pages, 20);
	ck_assert_str_eq(settings.stats_path, "-");

	config = (struct kmem_config){.policy = "clock", .store = "ram:0x10", .store_pages = 16};
	resolved(&config);
	ck_assert_ptr_eq(settings.policy_ops, &kmem_eviction_clock);
	ck_assert_ptr_eq(settings.store_ops, &kmem_store_ram);
	ck_assert_uint_eq(settings.store_pages, 16);

	config = (struct kmem_config){.store = "ram", .store_pages = 17};
	resolved(&config);
	ck_assert_uint_eq(settings.store_pages, 17);
}
END_TEST

START_TEST(own_policy_and_store_are_taken)
{
	int arg;
	struct kmem_config config = {.policy_ops = &own_policy,
				     .policy_arg = &arg,
				     .store_ops = &own_store,
				     .store_arg = &settings,
				     .store_pages = 3};

	resolved(&config);
	ck_assert_ptr_eq(settings.policy_ops, &own_policy);
	ck_assert_ptr_eq(settings.policy_arg, &arg);
	ck_assert_ptr_eq(settings.store_ops, &own_store);
	ck_assert_ptr_eq(settings.store_arg, &settings);
	ck_assert_uint_eq(settings.store_pages, 3);
	/* An argument is for the one that it came with. */
	setenv("KMEM_POLICY", "lru", 1);
	setenv("KMEM_STORE", "ram:8", 1);
	resolved(&config);
	ck_assert_ptr_eq(settings.policy_ops, &kmem_eviction_lru);
	ck_assert_ptr_null(settings.policy_arg);
	ck_assert_ptr_eq(settings.store_ops, &kmem_store_ram);
	ck_assert_ptr_null(settings.store_arg);
	ck_assert_uint_eq(settings.store_pages, 8);
}
END_TEST

START_TEST(sections_and_devices_are_taken)
{
	char name[] = ".text";
	struct kmem_section sections[2];
	struct kmem_config config = {
		.sections = sections, .section_count = 2, .devices = devices_good, .device_count = COUNT(devices_good)};

	memcpy(sections, image, sizeof(sections));
	sections[0].name = name;
	resolved(&config);
	ck_assert_uint_eq(settings.section_count, 2);
	/* Descriptions and names are copied. */
	memset(name, '?', sizeof(name) - 1);
	memset(sections, 0, sizeof(sections));
	for (size_t i = 0; i < 2; i++) {
		ck_assert_str_eq(settings.sections[i].name, image[i].name);
		ck_assert_uint_eq(settings.sections[i].size, image[i].size);
		ck_assert_uint_eq(settings.sections[i].flags, image[i].flags);
		ck_assert_ptr_eq(settings.sections[i].bytes, image[i].bytes);
		ck_assert_uint_eq(settings.sections[i].bytes_size, image[i].bytes_size);
	}
	ck_assert_ptr_eq(settings.devices, devices_good);
	ck_assert_uint_eq(settings.device_count, 2);
	kmem_config_finish(&settings);
	ck_assert_ptr_null(settings.sections);
	kmem_config_finish(&settings);
	/* A count of 0 is none, wherever the pointers point. */
	config.section_count = 0;
	config.device_count = 0;
	resolved(&config);
	ck_assert_ptr_null(settings.sections);
}
END_TEST

static const struct {
	const char *text;
	size_t size;
} sizes[] = {
	{"4194304", 4 * MIB}, {"0x400000", 4 * MIB}, {"0X400000", 4 * MIB},   {"4096K", 4 * MIB}, {"4096k", 4 * MIB},
	{"4M", 4 * MIB},      {"4m", 4 * MIB},       {"4MB", 4 * MIB},        {"4Mb", 4 * MIB},   {"4MiB", 4 * MIB},
	{"4mib", 4 * MIB},    {"4194304B", 4 * MIB}, {"0x4M", 4 * MIB},       {"0004M", 4 * MIB}, {"16K", 16384},
	{"1G", GIB},          {"8G", 8 * GIB},       {"8589934592", 8 * GIB},
};

START_TEST(sizes_are_read_as_people_write_them)
{
	setenv("KMEM_RAM", sizes[_i].text, 1);
	ck_assert_msg(resolve(NULL) == 0, "%s: %s", sizes[_i].text, error);
	ck_assert_uint_eq(settings.ram_size, sizes[_i].size);
	ck_assert_uint_eq(settings.ram_usable, sizes[_i].size);
	unsetenv("KMEM_RAM");
	if (sizes[_i].size >= 64 * MIB) {
		setenv("KMEM_VM_SIZE", sizes[_i].text, 1);
		ck_assert_msg(resolve(NULL) == 0, "%s: %s", sizes[_i].text, error);
		ck_assert_uint_eq(settings.vm_size, sizes[_i].size);
		ck_assert_uint_eq(settings.store_pages, sizes[_i].size / PAGE);
	}
}
END_TEST

START_TEST(environment_stands_over_explicit_over_default)
{
	struct kmem_config config = {
		.vm_base = 0x600000000UL,
		.vm_size = GIB,
		.ram_size = 32 * MIB,
		.engine = "no such engine",
		.policy = "lru",
		.store = "file:/tmp/pages",
		.stats_path = "explicit",
		.readahead = 3,
		.cleaner_frames = 4,
	};

	env_set("KMEM_VM_BASE=0x700000000");
	env_set("KMEM_VM_SIZE=2G");
	env_set("KMEM_RAM=16M");
	env_set("KMEM_ENGINE=mmap");
	env_set("KMEM_POLICY=nru");
	env_set("KMEM_STORE=ram:77");
	env_set("KMEM_READAHEAD=0");
	env_set("KMEM_CLEANER=12");
	env_set("KMEM_STATS=environment");
	/* Over the default, and over what is given. */
	for (int round = 0; round < 2; round++) {
		ck_assert_msg(resolve(round == 0 ? NULL : &config) == 0, "%s", error);
		ck_assert_uint_eq(settings.vm_base, 0x700000000UL);
		ck_assert_uint_eq(settings.vm_size, 2 * GIB);
		ck_assert_uint_eq(settings.ram_base, 0x700000000UL);
		ck_assert_uint_eq(settings.ram_size, 16 * MIB);
		ck_assert_uint_eq(settings.ram_usable, 16 * MIB);
		ck_assert_str_eq(settings.engine, "mmap");
		ck_assert_ptr_eq(settings.policy_ops, &kmem_eviction_nru);
		ck_assert_ptr_eq(settings.store_ops, &kmem_store_ram);
		ck_assert_ptr_null(settings.store_path);
		ck_assert_uint_eq(settings.store_pages, 77);
		ck_assert_uint_eq(settings.readahead, 0);
		ck_assert_uint_eq(settings.cleaner_frames, 12);
		path_check("environment");
		config.struct_size = sizeof(config);
	}
	env_clear();
	config.engine = NULL;
	resolved(&config);
	ck_assert_uint_eq(settings.vm_base, 0x600000000UL);
	ck_assert_uint_eq(settings.ram_size, 32 * MIB);
	ck_assert_ptr_eq(settings.policy_ops, &kmem_eviction_lru);
	ck_assert_str_eq(settings.store_path, "/tmp/pages");
	ck_assert_uint_eq(settings.readahead, 3);
	ck_assert_uint_eq(settings.cleaner_frames, 4);
	path_check("explicit");
}
END_TEST

/* RAM lies where the VM range does, unless somebody says where it lies. */
START_TEST(ram_moves_with_the_vm_range_unless_it_is_placed)
{
	struct kmem_config config = {.vm_base = 0x600000000UL};

	resolved(&config);
	ck_assert_uint_eq(settings.ram_base, 0x600000000UL);
	env_set("KMEM_VM_BASE=0x700000000");
	resolved(&config);
	ck_assert_uint_eq(settings.ram_base, 0x700000000UL);
	config.ram_base = FAR_RAM;
	resolved(&config);
	ck_assert_uint_eq(settings.ram_base, FAR_RAM);
	config.ram_base = config.vm_base;
	resolved(&config);
	ck_assert_uint_eq(settings.vm_base, 0x700000000UL);
	ck_assert_uint_eq(settings.ram_base, 0x600000000UL);
}
END_TEST

START_TEST(empty_variables_are_unset_ones)
{
	static const char *const names[] = {
		"KMEM_RAM",    "KMEM_VM_BASE", "KMEM_VM_SIZE",   "KMEM_ENGINE",
		"KMEM_POLICY", "KMEM_STORE",   "KMEM_READAHEAD", "KMEM_STATS",
		"KMEM_CLEANER",
	};

	for (int i = 0; i < COUNT(names); i++) {
		setenv(names[i], "", 1);
	}
	ck_assert_msg(resolve(NULL) == 0, "%s", error);
	defaults_check();
}
END_TEST

static const struct {
	const char *env;
	const char *path;
	bool stats; /* although the configuration has them off */
} reports[] = {
	{NULL, "explicit", false},
	{"KMEM_STATS=0", NULL, false},
	{"KMEM_STATS=1", "-", true},
	{"KMEM_STATS=-", "-", true},
	{"KMEM_STATS=/tmp/a.json", "/tmp/a.json", true},
	{"KMEM_STATS=00", "00", true},
};

START_TEST(environment_asks_for_a_report_and_its_figures)
{
	struct kmem_config config = {.stats = KMEM_SWITCH_OFF, .timing = KMEM_SWITCH_OFF, .stats_path = "explicit"};

	env_set(reports[_i].env);
	resolved(&config);
	if (reports[_i].path == NULL) {
		ck_assert_ptr_null(settings.stats_path);
	} else {
		path_check(reports[_i].path);
	}
	ck_assert_int_eq(settings.stats, reports[_i].stats);
	ck_assert_int_eq(settings.timing, reports[_i].stats);
}
END_TEST

/* What is said of the report, and what is meant by it. */
static const struct {
	const char *env[3];
	const char *path; /* NULL: no report */
	int fd;
	bool is_json, has_threads;
	int signal;
	unsigned int interval_ms;
} report_rows[] = {
	{{"KMEM_STATS=-"}, "-", 2, false, false, 0, 0},
	{{"KMEM_STATS=fd:7"}, "fd:7", 7, false, false, 0, 0},
	{{"KMEM_STATS=fd:7@11:13", "KMEM_STATS_FORMAT=json"}, "fd:7", 7, true, false, 0, 0},
	{{"KMEM_STATS=/a.json"}, "/a.json", -1, true, false, 0, 0},
	{{"KMEM_STATS=/a.json", "KMEM_STATS_FORMAT=text"}, "/a.json", -1, false, false, 0, 0},
	{{"KMEM_STATS_FORMAT=json"}, NULL, -1, true, false, 0, 0},
	{{"KMEM_STATS_THREADS=1"}, "-", 2, false, true, 0, 0},
	{{"KMEM_STATS_THREADS=0"}, NULL, -1, false, false, 0, 0},
	{{"KMEM_STATS_SIGNAL=USR2"}, "-", 2, false, false, SIGUSR2, 0},
	{{"KMEM_STATS_INTERVAL=0.25", "KMEM_STATS=/b"}, "/b", -1, false, false, 0, 250},
	{{"KMEM_STATS_INTERVAL=2", "KMEM_STATS_SIGNAL=10", "KMEM_STATS=0"}, NULL, -1, false, false, 0, 0},
};

START_TEST(environment_says_where_when_and_how)
{
	struct kmem_config config = {.ram_size = 0};

	for (int i = 0; i < COUNT(report_rows[_i].env); i++) {
		env_set(report_rows[_i].env[i]);
	}
	resolved(&config);
	if (report_rows[_i].path == NULL) {
		ck_assert_ptr_null(settings.stats_path);
	} else {
		ck_assert_str_eq(settings.stats_path, report_rows[_i].path);
	}
	ck_assert_int_eq(settings.stats_fd, report_rows[_i].fd);
	ck_assert_int_eq(settings.is_stats_json, report_rows[_i].is_json);
	ck_assert_int_eq(settings.has_stats_threads, report_rows[_i].has_threads);
	ck_assert_int_eq(settings.stats_signal, report_rows[_i].signal);
	ck_assert_uint_eq(settings.stats_interval_ms, report_rows[_i].interval_ms);
	ck_assert_uint_eq(settings.stats_fd_identity.device, _i == 2 ? 11 : 0);
	ck_assert_uint_eq(settings.stats_fd_identity.inode, _i == 2 ? 13 : 0);
}
END_TEST

START_TEST(unknown_variables_are_only_warned_of)
{
	char *log;
	int ret;

	env_set("KMEM_FOO=bar");
	env_set("KMEM_RAM=128M");
	env_set("KMEM_TEST_CONFIG=1");
	log_begin();
	ret = resolve(NULL);
	log = log_end();
	ck_assert_msg(ret == 0, "%s", error);
	ck_assert_str_eq(log, "kmem: warning: unknown variable KMEM_FOO in the environment\n");
	free(log);
	ck_assert_uint_eq(settings.ram_size, 128 * MIB);
	kmem_config_finish(&settings);
	unsetenv("KMEM_RAM");
	log_begin();
	good_boot();
	log = log_end();
	ck_assert_str_eq(log, "kmem: warning: unknown variable KMEM_FOO in the environment\n");
	free(log);
}
END_TEST

/* ---- limits that are met ---- */

static const struct kmem_section image_last = {".last", 28 * PAGE, 0, NULL, 0};

static const struct kmem_config met[] = {
	{.vm_size = 4 * PAGE, .ram_size = 4 * PAGE},
	{.vm_size = 32 * PAGE, .ram_size = 32 * PAGE},
	{.vm_size = 32 * PAGE, .ram_size = 32 * PAGE, .sections = &image_last, .section_count = 1},
	{.vm_size = 36 * PAGE, .ram_size = 32 * PAGE, .maps_all_ram = KMEM_SWITCH_ON},
	{.vm_size = 37 * PAGE,
	 .vm_offset = PAGE,
	 .ram_size = 32 * PAGE,
	 .ram_offset = PAGE,
	 .maps_all_ram = KMEM_SWITCH_ON},
	{.vm_size = MIB, .ram_size = MIB, .frames_reserve = 256},
	{.vm_size = MIB, .ram_size = MIB, .readahead = 32, .cleaner_frames = 128},
	{.vm_size = 64 * MIB, .ram_size = 64 * MIB, .page_size = 2 * MIB},
	{.vm_size = MIB, .ram_size = MIB, .ram_base = (1UL << 48) - MIB},
	{.vm_size = MIB, .ram_size = MIB, .store = "ram:1"},
	{.vm_size = MIB, .ram_size = MIB, .nru_period_ms = 4294967295U, .policy = "nru"},
	{.vm_size = MIB, .ram_size = MIB, .devices = devices_good, .device_count = 2, .ram_base = FAR_RAM},
	{.vm_size = MIB, .ram_size = MIB, .demand_paging = KMEM_SWITCH_OFF, .store = "ram:1", .policy = "nru"},
};

START_TEST(limits_may_be_met)
{
	struct kmem_config config = met[_i];
	struct kmem_layout layout;
	volatile uint8_t *byte;
	size_t page;

	config.struct_size = sizeof(config);
	ck_assert_msg(kmem_boot(&config) == 0, "%s", kmem_boot_error());
	ck_assert_int_eq(kmem_layout_get(&layout), 0);
	page = layout.page_size;
	byte = k_mem_map(page, K_MEM_PERM_RW);
	ck_assert_ptr_nonnull((void *)byte);
	byte[0] = 42;
	byte[page - 1] = 43;
	ck_assert_uint_eq(byte[0], 42);
	ck_assert(kmem_is_valid());
	k_mem_unmap((void *)byte, page);
	ck_assert_int_eq(kmem_shutdown(), 0);
}
END_TEST

START_TEST(as_many_devices_as_may_be)
{
	struct kmem_device devices[KMEM_DEVICES_MAX];
	struct kmem_config config = {.struct_size = sizeof(config),
				     .vm_size = 64 * MIB,
				     .ram_size = 32 * PAGE,
				     .devices = devices,
				     .device_count = KMEM_DEVICES_MAX};

	for (size_t i = 0; i < KMEM_DEVICES_MAX; i++) {
		devices[i] = (struct kmem_device){"device", 0x10000 + i * PAGE, PAGE};
	}
	ck_assert_msg(kmem_boot(&config) == 0, "%s", kmem_boot_error());
	ck_assert_int_eq(kmem_device_add("one more", 0x100000, PAGE, NULL), -ENOSPC);
	ck_assert_int_eq(kmem_shutdown(), 0);
}
END_TEST

Suite *kmem_test_suite(void)
{
	Suite *suite = suite_create("config");
	TCase *refused = tcase_create("refused");
	TCase *taken = tcase_create("taken");
	TCase *limits = tcase_create("limits");

	tcase_add_checked_fixture(refused, setup, teardown);
	tcase_add_loop_test(refused, wrong_values_are_refused_with_value_and_limit, 0, COUNT(refusals));
	tcase_add_loop_test(refused, struct_of_another_size_is_refused, 0, 6);
	tcase_add_test(refused, paths_that_are_too_long_are_refused);
	tcase_add_test(refused, long_values_are_cut_off);
	tcase_add_test(refused, page_size_0_is_refused);
	tcase_add_test(refused, range_that_is_taken_is_refused);
	tcase_add_test(refused, no_memory_for_sections_is_said);
	suite_add_tcase(suite, refused);

	tcase_add_checked_fixture(taken, setup, teardown);
	tcase_add_test(taken, nothing_given_is_all_defaults);
	tcase_add_test(taken, every_number_is_taken);
	tcase_add_loop_test(taken, every_switch_is_taken, 0, COUNT(switches));
	tcase_add_test(taken, what_depends_on_a_switch_follows_it);
	tcase_add_test(taken, every_name_is_taken);
	tcase_add_test(taken, own_policy_and_store_are_taken);
	tcase_add_test(taken, sections_and_devices_are_taken);
	tcase_add_loop_test(taken, sizes_are_read_as_people_write_them, 0, COUNT(sizes));
	tcase_add_test(taken, environment_stands_over_explicit_over_default);
	tcase_add_test(taken, ram_moves_with_the_vm_range_unless_it_is_placed);
	tcase_add_test(taken, empty_variables_are_unset_ones);
	tcase_add_loop_test(taken, environment_asks_for_a_report_and_its_figures, 0, COUNT(reports));
	tcase_add_loop_test(taken, environment_says_where_when_and_how, 0, COUNT(report_rows));
	tcase_add_test(taken, unknown_variables_are_only_warned_of);
	suite_add_tcase(suite, taken);

	tcase_add_checked_fixture(limits, setup, teardown);
	tcase_add_loop_test(limits, limits_may_be_met, 0, COUNT(met));
	tcase_add_test(limits, as_many_devices_as_may_be);
	suite_add_tcase(suite, limits);
	return suite;
}
