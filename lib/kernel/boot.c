/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Boot and shutdown: the rooms brought up in order, and taken down in reverse. (Zephyr: kernel/mmu.c)
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "host/file.h"
#include "host/log.h"
#include "host/process.h"
#include "host/thread.h"
#include "kernel/cleaner.h"
#include "kernel/fault.h"
#include "kernel/fork.h"
#include "kernel/frame.h"
#include "kernel/image.h"
#include "kernel/kernel.h"
#include "kernel/layout.h"
#include "kernel/paging.h"
#include "kernel/program.h"
#include "kernel/program_image.h"
#include "kernel/report.h"
#include "kernel/stats.h"
#include "kernel/thread.h"
#include "machine/mmu.h"
#include "machine/ram.h"
#include "machine/trap.h"

static char boot_error[512];
static struct kmem_lock boot_lock;

/* Remember why boot fails; the errno is passed through. */
static int fail(int error, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int fail(int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)kmem_vformat(boot_error, sizeof(boot_error), format, args);
	va_end(args);
	return error;
}

/* Reserve the range and bring up the MMU over it. */
static int machine_mmu_init(void)
{
	const struct kmem_settings *settings = &kmem_kernel.settings;
	const struct kmem_engine *engine = kmem_engine_find(settings->engine, &kmem_kernel.engine_reason);
	struct kmem_mmu_hole holes[KMEM_MMU_HOLES_MAX];
	struct kmem_mmu_params params = {
		.engine = engine,
		.range = {
			.base = settings->vm_base,
			.size = settings->vm_size,
			.page_size = settings->page_size,
			.ram = settings->ram_base,
			.ram_size = settings->ram_size,
		},
		/* A store of Zephyr's kind sees every frame at the scratch page. */
		.is_file_only = kmem_program_is_store(settings->store_ops),
		.holes = holes,
		.hole_count = kmem_program_image_holes(holes),
	};
	int ret;

	if (engine == NULL) {
		return fail(-ENOTSUP, "engine \"%s\": %s; known: %s", settings->engine, kmem_kernel.engine_reason,
			    kmem_engine_names());
	}
	ret = kmem_mmu_init(&params);
	while (ret != 0 && strcmp(settings->engine, "auto") == 0) {
		engine = kmem_engine_find_other(params.engine, ret, &kmem_kernel.engine_reason);
		if (engine == NULL) {
			break;
		}
		params.engine = engine;
		ret = kmem_mmu_init(&params);
	}
	kmem_kernel.engine_name = params.engine->name;
	if (ret == -EEXIST) {
		return fail(-EADDRINUSE, "the VM range [0x%zx, 0x%zx) is taken in this process; %s",
			    (size_t)settings->vm_base, (size_t)(settings->vm_base + settings->vm_size),
			    settings->is_zephyr ? "choose another CONFIG_KERNEL_VM_BASE" : "choose another KMEM_VM_BASE (vm_base)");
	}
	if (ret != 0) {
		return fail(ret, "the VM range of %zu bytes at 0x%zx cannot be reserved: %s", settings->vm_size,
			    (size_t)settings->vm_base, kmem_error_name(-ret));
	}
	return 0;
}

static int machine_ram_init(void)
{
	const struct kmem_settings *settings = &kmem_kernel.settings;
	int ret = kmem_ram_init(settings->ram_base, settings->ram_size, settings->page_size);

	if (ret != 0) {
		return fail(ret, "RAM of %zu bytes cannot be had: %s", settings->ram_size, kmem_error_name(-ret));
	}
	for (size_t i = 0; i < settings->device_count; i++) {
		const struct kmem_device *device = &settings->devices[i];

		ret = kmem_ram_bank_add(device->name, device->phys, device->size, NULL);
		if (ret != 0) {
			kmem_ram_finish();
			if (ret == -EEXIST) {
				return fail(-EINVAL, "device memory \"%s\" at 0x%zx, %zu bytes, overlaps RAM or another device",
					    device->name, (size_t)device->phys, device->size);
			}
			return fail(ret, "device memory \"%s\" at 0x%zx, %zu bytes: %s", device->name,
				    (size_t)device->phys, device->size, kmem_error_name(-ret));
		}
	}
	return 0;
}

static void *hole_get(void *arg)
{
	return kmem_pool_get(arg);
}

static void hole_put(void *arg, void *hole)
{
	kmem_pool_put(arg, hole);
}

static int space_init(void)
{
	const struct kmem_layout *layout = &kmem_kernel.layout;
	struct kmem_hole_memory memory = {.get = hole_get, .put = hole_put, .arg = &kmem_kernel.holes};
	int ret;

	kmem_pool_init(&kmem_kernel.holes, kmem_hole_size());
	ret = kmem_region_map_init(&kmem_kernel.map, layout->vm_free_start, layout->virt_ram_end - layout->vm_reserved,
				   layout->page_size, &memory);
	if (ret == 0) {
		kmem_region_index_init(&kmem_kernel.index);
	} else {
		kmem_pool_finish(&kmem_kernel.holes);
	}
	return ret;
}

static void space_finish(void)
{
	kmem_region_index_finish(&kmem_kernel.index);
	kmem_region_map_finish(&kmem_kernel.map);
	kmem_pool_finish(&kmem_kernel.holes);
}

static int frames_init(void)
{
	const struct kmem_settings *settings = &kmem_kernel.settings;

	/* The array is as long as the program's own CONFIG_SRAM_SIZE says, which its record tells. */
	return kmem_frame_init(settings->ram_base, settings->ram_size, settings->ram_size - settings->ram_usable,
			       settings->page_size, settings->is_zephyr ? kmem_program_frames() : NULL);
}

/* The name of the store's file, where it has one. */
static void store_name_remove(void)
{
	const struct kmem_settings *settings = &kmem_kernel.settings;

	if (settings->store_ops == &kmem_store_file && settings->store_path != NULL &&
	    !kmem_host_file_is_directory(settings->store_path)) {
		kmem_host_file_remove(settings->store_path);
	}
}

static int store_init(void)
{
	const struct kmem_settings *settings = &kmem_kernel.settings;
	struct kmem_store_params params = {
		.frames = *kmem_frame_all(),
		.path = settings->store_path,
		.capacity_pages = settings->store_pages,
		.arg = settings->store_arg,
	};
	int ret = kmem_store_init(&kmem_kernel.store, settings->store_ops, &params);

	/* A program that becomes another by exec, or is killed, leaves no name behind: the other one's process is the same. */
	if (ret == 0 && kmem_kernel.is_preloaded) {
		store_name_remove();
	}
	/* Where the name is in a struct of another version is anybody's guess. */
	if (ret != 0 && settings->store_ops->version != KMEM_STORE_VERSION) {
		return fail(ret, "backing store: version %u, must be %u", settings->store_ops->version, KMEM_STORE_VERSION);
	}
	if (ret != 0) {
		return fail(ret, "backing store \"%s\"%s%s cannot be set up: %s%s", settings->store_ops->name,
			    settings->store_path != NULL ? " at " : "",
			    settings->store_path != NULL ? settings->store_path : "", kmem_error_name(-ret),
			    ret == -EEXIST ? ", and the file must not exist" : "");
	}
	return 0;
}

static int policy_init(void)
{
	const struct kmem_settings *settings = &kmem_kernel.settings;
	struct kmem_eviction_params params = {
		.frames = *kmem_frame_all(),
		.nru_period_ms = settings->nru_period_ms,
		.arg = settings->policy_arg,
	};
	int ret = kmem_eviction_init(&kmem_kernel.eviction, settings->policy_ops, &params);

	if (ret != 0 && settings->policy_ops->version != KMEM_EVICTION_VERSION) {
		return fail(ret, "eviction policy: version %u, must be %u", settings->policy_ops->version,
			    KMEM_EVICTION_VERSION);
	}
	if (ret != 0) {
		return fail(ret, "eviction policy \"%s\" cannot be set up: %s", settings->policy_ops->name,
			    kmem_error_name(-ret));
	}
	return 0;
}

/* A policy and a store of the program's own, before anything is set up for them. */
static int ops_check(const struct kmem_settings *settings)
{
	int ret;

	if (!settings->demand_paging) {
		return 0;
	}
	ret = kmem_eviction_ops_check(settings->policy_ops, boot_error, sizeof(boot_error));
	return ret != 0 ? ret : kmem_store_ops_check(settings->store_ops, boot_error, sizeof(boot_error));
}

/* Store and policy, where there is demand paging. */
static int paging_init(void)
{
	int ret;

	kmem_paging_init();
	kmem_relief_init();
	if (!kmem_kernel.settings.demand_paging) {
		return 0;
	}
	kmem_kernel.is_paging_programs = kmem_program_is_policy(kmem_kernel.settings.policy_ops) ||
					 kmem_program_is_store(kmem_kernel.settings.store_ops);
	ret = store_init();
	if (ret != 0) {
		return ret;
	}
	ret = policy_init();
	if (ret != 0) {
		kmem_store_finish(&kmem_kernel.store);
	}
	return ret;
}

static void paging_finish(void)
{
	kmem_eviction_finish(&kmem_kernel.eviction);
	kmem_store_finish(&kmem_kernel.store);
}

/* Everything, for resolved settings. */
static int machine_boot(void)
{
	int ret;

	kmem_kernel.is_paging_programs = false;
	ret = machine_mmu_init();
	if (ret != 0) {
		return ret;
	}
	ret = machine_ram_init();
	if (ret != 0) {
		goto mmu_finish;
	}
	ret = frames_init();
	if (ret != 0) {
		goto ram_finish;
	}
	ret = space_init();
	if (ret != 0) {
		goto frames_finish;
	}
	kmem_stats_init(kmem_kernel.settings.stats, kmem_kernel.settings.timing);
	kmem_stats_bounds_set(kmem_program_eviction_bounds(), kmem_program_store_bounds());
	ret = kmem_image_map();
	if (ret != 0) {
		goto space_finish;
	}
	kmem_frame_list_init();
	ret = kmem_thread_init();
	if (ret != 0) {
		goto space_finish;
	}
	ret = kmem_trap_init(kmem_fault_vector);
	if (ret != 0) {
		goto thread_finish;
	}
	/* Last, since a policy or store of the program's may start threads, which shall be as all others. */
	ret = paging_init();
	if (ret != 0) {
		goto trap_finish;
	}
	return 0;

trap_finish:
	kmem_trap_finish();
thread_finish:
	kmem_thread_finish();
space_finish:
	kmem_program_image_finish();
	space_finish();
frames_finish:
	kmem_frame_finish();
ram_finish:
	kmem_ram_finish();
mmu_finish:
	kmem_mmu_finish();
	return ret;
}

static int boot(const struct kmem_config *config)
{
	int ret;

	if (kmem_is_booted()) {
		return fail(-EALREADY, "already booted");
	}
	boot_error[0] = '\0';
	ret = kmem_config_resolve(config, &kmem_kernel.settings, boot_error, sizeof(boot_error));
	if (ret != 0) {
		return ret;
	}
	kmem_layout_init(&kmem_kernel.layout, &kmem_kernel.settings);
	ret = ops_check(&kmem_kernel.settings);
	ret = ret == 0 ? machine_boot() : ret;
	if (ret != 0) {
		if (boot_error[0] == '\0') {
			(void)fail(ret, "out of memory or host mappings: %s", kmem_error_name(-ret));
		}
		kmem_config_finish(&kmem_kernel.settings);
		return ret;
	}
	kmem_kernel.boot_pid = kmem_process_id();
	atomic_store(&kmem_kernel.pid, kmem_kernel.boot_pid);
	atomic_store(&kmem_kernel.fork_error, 0);
	kmem_report_init();
	atomic_store_explicit(&kmem_kernel.booted, true, memory_order_release);
	return 0;
}

void kmem_kernel_abandon(void)
{
	kmem_report_fatal();
	if (kmem_is_booted() && !kmem_kernel.is_preloaded && kmem_kernel.boot_pid == kmem_process_id()) {
		store_name_remove();
	}
}

/* The process that booted ends without kmem_shutdown(): paged memory may be in use still, so all of it stays. */
static void at_exit(void)
{
	kmem_report_exit();
	kmem_kernel_abandon();
}

static void at_exit_register(void)
{
	static bool is_registered;

	if (!is_registered) {
		is_registered = true;
		(void)atexit(at_exit);
	}
	kmem_log(KMEM_LOG_INFO, "booted: engine %s (%s), policy %s, store %s, RAM %zu of %zu bytes at 0x%zx, VM %zu bytes at 0x%zx",
		 kmem_kernel.engine_name, kmem_kernel.engine_reason,
		 kmem_kernel.settings.policy_ops != NULL ? kmem_kernel.settings.policy_ops->name : "none",
		 kmem_kernel.settings.store_ops != NULL ? kmem_kernel.settings.store_ops->name : "none",
		 kmem_kernel.settings.ram_usable, kmem_kernel.settings.ram_size, (size_t)kmem_kernel.settings.ram_base,
		 kmem_kernel.settings.vm_size, (size_t)kmem_kernel.settings.vm_base);
	kmem_program_report();
}

int kmem_boot(const struct kmem_config *config)
{
	kmem_sigmask saved;
	int ret;

	kmem_signals_block(&saved);
	kmem_lock_acquire(&boot_lock);
	ret = boot(config);
	kmem_lock_release(&boot_lock);
	kmem_signals_restore(&saved);
	if (ret != 0) {
		kmem_log(KMEM_LOG_ERROR, "%s", boot_error);
		return ret;
	}
	at_exit_register();
	/* A preloaded library starts its reports itself, since the heap may be in the making here. */
	if (!kmem_kernel.is_preloaded) {
		(void)kmem_report_start();
		(void)kmem_cleaner_start();
	}
	return 0;
}

const char *kmem_boot_error(void)
{
	return boot_error;
}

bool kmem_is_booted(void)
{
	return atomic_load_explicit(&kmem_kernel.booted, memory_order_acquire);
}

int kmem_kernel_ready(void)
{
	int ret;

	if (kmem_is_booted()) {
		/* In the child of a fork that could not copy RAM, the frames are the parent's: nothing may be done with them. */
		return kmem_fork_error();
	}
	ret = kmem_boot(NULL);
	return ret == -EALREADY ? 0 : ret;
}

static int shut_down(void)
{
	if (!kmem_is_booted()) {
		return -ENODEV;
	}
	kmem_program_image_finish();
	atomic_store(&kmem_kernel.booted, false);
	kmem_trap_finish();
	kmem_thread_finish();
	paging_finish();
	space_finish();
	kmem_frame_finish();
	kmem_mmu_finish();
	kmem_ram_finish();
	kmem_config_finish(&kmem_kernel.settings);
	return 0;
}

int kmem_shutdown(void)
{
	kmem_sigmask saved;
	int ret;

	kmem_report_shutdown();
	kmem_cleaner_stop();
	kmem_signals_block(&saved);
	kmem_lock_acquire(&boot_lock);
	ret = shut_down();
	kmem_lock_release(&boot_lock);
	kmem_signals_restore(&saved);
	return ret;
}

int kmem_device_add(const char *name, uintptr_t phys, size_t size, void **host)
{
	/* Strings and results are the caller's, and its memory may be paged: they are touched with no lock held. */
	char copy[sizeof(((struct kmem_bank *)0)->name)] = "";
	void *bytes = NULL;
	kmem_sigmask saved;
	int ret;

	if (kmem_kernel_ready() != 0) {
		return -ENODEV;
	}
	if (name == NULL) {
		kmem_log(KMEM_LOG_ERROR, "device memory at 0x%zx has no name", (size_t)phys);
		return -EINVAL;
	}
	strncpy(copy, name, sizeof(copy) - 1);
	if (size == 0 || phys % kmem_page_size() != 0 || size % kmem_page_size() != 0 || phys >= KMEM_PHYS_END ||
	    size > KMEM_PHYS_END - phys) {
		kmem_log(KMEM_LOG_ERROR, "device memory \"%s\" at 0x%zx, %zu bytes: not pages of %zu bytes below 0x%zx", name,
			 (size_t)phys, size, kmem_page_size(), (size_t)KMEM_PHYS_END);
		return -EINVAL;
	}
	kmem_kernel_lock(&saved);
	ret = kmem_ram_bank_add(copy, phys, size, &bytes);
	kmem_kernel_unlock(&saved);
	if (ret == 0 && host != NULL) {
		*host = bytes;
	}
	return ret;
}

const char *kmem_version(void)
{
	return KMEM_VERSION;
}

/* Before the program's own constructors, so that our fork handlers run next to the fork itself. */
__attribute__((constructor(101))) static void register_fork(void)
{
	kmem_fork_init();
}

/* A program with a record of its configuration finds its kernel booted before main(), or does not start. */
__attribute__((constructor(102))) static void boot_recorded(void)
{
	if (kmem_config_is_recorded() && kmem_boot(NULL) != 0) {
		kmem_process_exit(1);
	}
}
