/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Configuration: what to boot, resolved from environment, explicit configuration, the program's record, and defaults, in this
 * order, and checked as a whole.
 */
#ifndef KMEM_KERNEL_CONFIG_H
#define KMEM_KERNEL_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <kmem/kmem.h>

#include "host/file.h"

/* Longest path of a store or a report, with its NUL. */
#define KMEM_CONFIG_PATH_SIZE 4096

/* A page is at most this large: a huge page of the host's. */
#define KMEM_CONFIG_PAGE_SIZE_MAX (2UL * 1024 * 1024)

/* Frames that programs need to get along: one instruction may touch two pages for reading and two for writing. */
#define KMEM_CONFIG_FRAMES_MIN 4

/* Pages that one trap brings in are at most this many: what they need lies on the stack of a trap handler. */
#define KMEM_CONFIG_READAHEAD_MAX 32

/* Every value is set, and they agree with each other. Sizes are bytes. */
struct kmem_settings {
	bool is_zephyr; /* the program has a record */
	uintptr_t vm_base;
	size_t vm_size, vm_offset;
	uintptr_t ram_base;
	size_t ram_size;
	size_t ram_usable; /* of ram_size; frames behind it are reserved */
	size_t ram_offset;
	size_t page_size;
	size_t frames_reserve;

	bool maps_all_ram, direct_map, demand_paging, demand_mapping, assertions, stats, timing;

	/* The program, where it is the boot image; size 0 where it is not. */
	uintptr_t program_start;
	size_t program_size;

	struct kmem_section *sections; /* copies, with their names; NULL if there are none */
	size_t section_count;
	const struct kmem_device *devices; /* the caller's */
	size_t device_count;

	const char *engine;
	const struct kmem_eviction_ops *policy_ops; /* NULL without demand paging */
	void *policy_arg;
	const struct kmem_store_ops *store_ops; /* NULL without demand paging */
	void *store_arg;
	const char *store_path; /* NULL: the store's own choice */
	size_t store_pages;
	unsigned int nru_period_ms;
	size_t readahead;      /* pages brought in for one trap at most; 0 and 1: the one that was asked for */
	size_t cleaner_frames; /* kept free in the background; 0: none */
	const char *stats_path; /* "-": standard error; "fd:N": a descriptor; NULL: no report */
	int stats_fd;           /* of "-" and "fd:N"; -1: a path */
	struct kmem_host_file_identity stats_fd_identity; /* what stats_fd must be to be written to; zeroes: whatever it is */
	bool is_stats_json, has_stats_threads;
	int stats_signal;                /* a report at each of these; 0: none */
	unsigned int stats_interval_ms;  /* a report at this interval; 0: none */

	/* What the strings above may point to. */
	char engine_text[32];
	char store_path_text[KMEM_CONFIG_PATH_SIZE];
	char stats_path_text[KMEM_CONFIG_PATH_SIZE];
	size_t sections_bytes; /* of the memory behind sections */
};

/*
 * Resolve and check. given: NULL, or the caller's configuration. 0; -EINVAL, -ENOTSUP or -ENOMEM with a message in error that
 * names option, value and limit. Normal context; reads the environment.
 */
int kmem_config_resolve(const struct kmem_config *given, struct kmem_settings *settings, char *error, size_t error_size);

/*
 * Whether the program has a record, and is to be booted by it before main(), or refused: unless it says that it boots itself.
 */
bool kmem_config_is_recorded(void);

/* Free what resolve made; fine on zeroed settings, and twice. */
void kmem_config_finish(struct kmem_settings *settings);

/*
 * config_record.c: set what the program's record says, if it has one; store_pages is 0 where it leaves that open. 0, or -EINVAL
 * with a message.
 */
int kmem_config_record_apply(struct kmem_settings *settings, char *error, size_t error_size);

/*
 * config_stats.c: what the environment says of the report (KMEM_STATS and its kin), over what is set. path: stats_path as somebody gave
 * it, "" for none, to be taken over by the first function. 0, or -EINVAL with a message.
 */
int kmem_config_stats_path_apply(struct kmem_settings *settings, const char *name, const char *path, char *error, size_t error_size);
int kmem_config_stats_env_apply(struct kmem_settings *settings, char *error, size_t error_size);

/* config_check.c: whether the values agree. 0 or -EINVAL with a message. Pure. */
int kmem_config_check(const struct kmem_settings *settings, char *error, size_t error_size);

#endif /* KMEM_KERNEL_CONFIG_H */
