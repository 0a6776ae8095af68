/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A baseline: the kernel's own swap. Anonymous memory in a memory cgroup whose limit is RAM, swapping to a zram device of our own.
 *
 * zram is a device that answers at once, and from such the kernel reads the one page that is wanted: vm.page-cluster does not matter, and
 * is left alone. Needed are root, zram with hot_add, and a cgroup below which one can be made; whatever is made is removed at the end.
 * While it is there the whole host may swap to the device, which a host with free memory does not do.
 *
 * The limit has room for what the process needs besides the arena: what it has when it begins, and the arena's page tables.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <unistd.h>

#include "bench.h"
#include "pager.h"

#define PATH_SIZE 512

/* The kernel charges to a cgroup in batches, for each processor one: they may all be there without being used. */
#define CHARGE_BATCH (64 * PAGER_PAGE)

static struct {
	int device;              /* number of the zram device; -1: none */
	bool is_on;              /* it is swapped to */
	char device_path[64];
	char cgroup[3 * PATH_SIZE]; /* ours; "" : none */
	bool is_v2;
	unsigned long faults;
} swap = {.device = -1};

/* Read a line, or write a text, of a file in /proc or /sys. */
static bool line_read(const char *path, char *line, int size)
{
	FILE *file = fopen(path, "re");
	bool is_read = file != NULL && fgets(line, size, file) != NULL;

	if (file != NULL) {
		(void)fclose(file);
	}
	if (is_read) {
		line[strcspn(line, "\n")] = '\0';
	}
	return is_read;
}

static bool text_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool is_written = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0) {
		(void)close(fd);
	}
	return is_written;
}

static bool number_write(const char *folder, const char *name, unsigned long long number)
{
	char path[4 * PATH_SIZE];
	char text[32];

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	(void)snprintf(text, sizeof(text), "%llu", number);
	return text_write(path, text);
}

/*
 * The device.
 */

/* The header of swap space, version 1, as the host kernel reads it from the first page. */
struct swap_header {
	char boot[1024];
	uint32_t version;
	uint32_t last_page;
	uint32_t bad_pages;
	char rest[PAGER_PAGE - 1024 - 3 * sizeof(uint32_t) - 10];
	char magic[10];
} __attribute__((packed));

static bool header_write(const char *path, size_t pages)
{
	struct swap_header header = {.version = 1, .last_page = (uint32_t)pages - 1};
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool is_written;

	memcpy(header.magic, "SWAPSPACE2", sizeof(header.magic));
	is_written = fd >= 0 && write(fd, &header, sizeof(header)) == (ssize_t)sizeof(header) && fsync(fd) == 0;
	if (fd >= 0) {
		(void)close(fd);
	}
	return is_written;
}

static const char *device_make(size_t pages)
{
	char line[32];
	char folder[64];

	if (!line_read("/sys/class/zram-control/hot_add", line, sizeof(line))) {
		return "the host gives no zram device";
	}
	swap.device = atoi(line);
	(void)snprintf(folder, sizeof(folder), "/sys/block/zram%d", swap.device);
	(void)snprintf(swap.device_path, sizeof(swap.device_path), "/dev/zram%d", swap.device);
	if (!number_write(folder, "disksize", pages * PAGER_PAGE)) {
		return "the zram device takes no size";
	}
	if (!header_write(swap.device_path, pages)) {
		return "the zram device cannot be written to";
	}
	if (swapon(swap.device_path, SWAP_FLAG_PREFER | SWAP_FLAG_PRIO_MASK) != 0) {
		return "swapon() failed";
	}
	swap.is_on = true;
	return NULL;
}

static void device_remove(void)
{
	if (swap.is_on && swapoff(swap.device_path) != 0) {
		perror(swap.device_path);
		return;
	}
	swap.is_on = false;
	if (swap.device >= 0) {
		char folder[64];

		(void)snprintf(folder, sizeof(folder), "/sys/block/zram%d", swap.device);
		(void)number_write(folder, "reset", 1);
		(void)number_write("/sys/class/zram-control", "hot_remove", (unsigned long long)swap.device);
		swap.device = -1;
	}
}

/*
 * The cgroup.
 */

/* The program's own cgroup in the hierarchy that counts memory: version 1 in the line "N:memory:PATH", version 2 in "0::PATH". */
static bool own_cgroup(char *path, size_t size)
{
	FILE *file = fopen("/proc/self/cgroup", "re");
	char line[PATH_SIZE];
	bool is_found = false;

	while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
		const char *at = strstr(line, ":memory:");

		line[strcspn(line, "\n")] = '\0';
		if (at != NULL) {
			(void)snprintf(path, size, "/sys/fs/cgroup/memory%s", at + strlen(":memory:"));
			swap.is_v2 = false;
			is_found = true;
			break;
		}
		if (strncmp(line, "0::", 3) == 0) {
			(void)snprintf(path, size, "/sys/fs/cgroup%s", line + 3);
			swap.is_v2 = true;
			is_found = true;
		}
	}
	if (file != NULL) {
		(void)fclose(file);
	}
	return is_found;
}

/*
 * Below the program's own; in version 2, where a cgroup that has processes can have no others with limits below it, beside it, unless it
 * is the root.
 */
static const char *cgroup_make(void)
{
	char own[2 * PATH_SIZE];
	char limit[4 * PATH_SIZE];

	if (!own_cgroup(own, sizeof(own))) {
		return "this program is in no memory cgroup";
	}
	if (swap.is_v2 && strcmp(own, "/sys/fs/cgroup/") != 0) {
		*strrchr(own, '/') = '\0';
	}
	(void)snprintf(swap.cgroup, sizeof(swap.cgroup), "%s/kmem-bench-%d", own, (int)getpid());
	if (mkdir(swap.cgroup, 0755) != 0) {
		swap.cgroup[0] = '\0';
		return "no memory cgroup can be made";
	}
	(void)snprintf(limit, sizeof(limit), "%s/%s", swap.cgroup, swap.is_v2 ? "memory.max" : "memory.limit_in_bytes");
	return access(limit, W_OK) == 0 ? NULL : "the cgroup has no memory limit to set";
}

static void cgroup_remove(void)
{
	/* Those who were in it are dead, but perhaps not yet buried. */
	for (unsigned int tries = 0; swap.cgroup[0] != '\0' && tries < 100; tries++) {
		if (rmdir(swap.cgroup) == 0 || errno != EBUSY) {
			break;
		}
		(void)usleep(10000);
	}
	swap.cgroup[0] = '\0';
}

/*
 * The pager.
 */

static void restore(void)
{
	device_remove();
	cgroup_remove();
}

static const char *prepare(const struct pager_setup *setup)
{
	const char *why;

	if (setup->is_file) {
		return "its device is memory only";
	}
	if (geteuid() != 0) {
		return "only root can give a process swap space of its own";
	}
	why = cgroup_make();
	if (why == NULL) {
		/* The kernel keeps a slot for a page as long as it may; so there are some more. */
		why = device_make(setup->pages * 2);
	}
	if (why != NULL) {
		restore();
	}
	return why;
}

/* What the cgroup counts now. */
static size_t usage(void)
{
	char path[4 * PATH_SIZE];
	char line[32] = "0";

	(void)snprintf(path, sizeof(path), "%s/%s", swap.cgroup, swap.is_v2 ? "memory.current" : "memory.usage_in_bytes");
	(void)line_read(path, line, sizeof(line));
	return strtoul(line, NULL, 10);
}

static const char *start(const struct pager_setup *setup, uint8_t **arena)
{
	size_t size = setup->pages * PAGER_PAGE;
	size_t tables = setup->pages * sizeof(uint64_t);
	size_t room = setup->frames * PAGER_PAGE + tables + (size_t)sysconf(_SC_NPROCESSORS_ONLN) * CHARGE_BATCH;

	if (!number_write(swap.cgroup, "cgroup.procs", (unsigned long long)getpid())) {
		return "the memory cgroup cannot be entered";
	}
	*arena = bench_memory(size, PROT_READ | PROT_WRITE);
	if (!number_write(swap.cgroup, swap.is_v2 ? "memory.max" : "memory.limit_in_bytes", usage() + room)) {
		return "the memory cgroup takes no limit";
	}
	return NULL;
}

static unsigned long faults(void)
{
	struct rusage use;

	(void)getrusage(RUSAGE_SELF, &use);
	return (unsigned long)use.ru_majflt;
}

const struct pager pager_swap = {
	.name = "kernel's swap on zram",
	.prepare = prepare,
	.restore = restore,
	.start = start,
	.faults = faults,
};
