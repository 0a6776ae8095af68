/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reports: the memory map as a picture, setup, usage and counters as a table or as JSON, the frame database as letters.
 *
 * Everything is written through a buffer of the report's own, without stdio, so a report may be asked for at any time
 * outside a trap.
 */
#include "kernel/report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/file.h"
#include "host/log.h"
#include "host/process.h"
#include "kernel/frame.h"
#include "kernel/kernel.h"

#define STDOUT 1
#define STDERR 2

/* Lines of mappings in the picture; more are summed up. */
#define PICTURE_REGIONS_MAX 64

static void boundary(struct kmem_out *out, uintptr_t addr, const char *name)
{
	kmem_out(out, "+----------------------------------+ 0x%zx%s%s\n", (size_t)addr, name[0] != '\0' ? " <- " : "", name);
}

static void box(struct kmem_out *out, const char *text)
{
	kmem_out(out, "| %-32s |\n", text);
}

static const char *kind_name(enum kmem_region_kind kind)
{
	switch (kind) {
	case KMEM_REGION_ANON:
		return "anonymous";
	case KMEM_REGION_PHYS:
		return "physical";
	case KMEM_REGION_UNPAGED:
		return "unpaged";
	case KMEM_REGION_IMAGE:
		return "image";
	default:
		return "RAM";
	}
}

/* A size in the largest unit that divides it. */
static void size_format(char *text, size_t text_size, size_t bytes)
{
	static const char units[] = "BKMGT";
	unsigned int unit = 0;

	while (unit + 2 < sizeof(units) && bytes != 0 && bytes % 1024 == 0) {
		bytes /= 1024;
		unit++;
	}
	(void)kmem_format(text, text_size, unit == 0 ? "%zu %c" : "%zu %ciB", bytes, units[unit]);
}

struct picture {
	struct kmem_out *out;
	uintptr_t end;   /* of what has been drawn */
	size_t drawn;    /* regions */
	size_t left_out; /* regions, and their bytes */
	size_t left_out_bytes;
};

static void gap_draw(struct picture *picture, uintptr_t start)
{
	if (start > picture->end) {
		box(picture->out, picture->end < kmem_kernel.layout.vm_free_start ? "not mapped" : "free");
	}
}

static int region_draw(const struct kmem_region_info *region, void *arg)
{
	struct picture *picture = arg;
	size_t guard = region->guarded ? kmem_kernel.layout.page_size : 0;
	char text[64];
	char size[24];

	if (picture->drawn == PICTURE_REGIONS_MAX) {
		picture->left_out++;
		picture->left_out_bytes += region->size;
		return 0;
	}
	picture->drawn++;
	gap_draw(picture, region->addr - guard);
	size_format(size, sizeof(size), region->size);
	(void)kmem_format(text, sizeof(text), "%s %s %c%c%c%s", region->name[0] != '\0' ? region->name : kind_name(region->kind),
			  size, 'r', (region->flags & K_MEM_PERM_RW) != 0 ? 'w' : '-',
			  (region->flags & K_MEM_PERM_EXEC) != 0 ? 'x' : '-', region->guarded ? ", guarded" : "");
	boundary(picture->out, region->addr, "");
	box(picture->out, text);
	picture->end = region->addr + region->size;
	boundary(picture->out, picture->end, "");
	picture->end += guard;
	return 0;
}

static void map_draw(struct kmem_out *out)
{
	const struct kmem_layout *layout = &kmem_kernel.layout;
	struct picture picture = {.out = out, .end = layout->virt_ram_start};

	boundary(out, layout->virt_ram_start, "K_MEM_VIRT_RAM_START");
	kmem_out(out, "  K_MEM_KERNEL_VIRT_START 0x%zx, K_MEM_KERNEL_VIRT_END 0x%zx, K_MEM_VM_FREE_START 0x%zx\n",
		 (size_t)layout->kernel_virt_start, (size_t)layout->kernel_virt_end, (size_t)layout->vm_free_start);
	(void)kmem_region_index_walk(&kmem_kernel.index, region_draw, &picture);
	if (picture.left_out != 0) {
		char text[64];

		(void)kmem_format(text, sizeof(text), "%zu more mappings, %zu bytes", picture.left_out, picture.left_out_bytes);
		box(out, text);
	} else {
		gap_draw(&picture, layout->virt_ram_end - layout->vm_reserved);
	}
	if (layout->vm_reserved != 0) {
		boundary(out, layout->virt_ram_end - layout->vm_reserved, "the first mapping ends here, the next ones lie below");
		box(out, "reserved (scratch page)");
	}
	boundary(out, layout->virt_ram_end, "K_MEM_VIRT_RAM_END");
}

int kmem_map_print(int fd)
{
	struct kmem_out out = {.fd = fd};

	if (!kmem_is_booted()) {
		return -ENODEV;
	}
	map_draw(&out);
	return kmem_out_finish(&out);
}

/* One line of the report: a name as in JSON, and a number. */
struct counter {
	const char *name;
	const char *text;
	uint64_t value;
};

static void counters_print(struct kmem_out *out, const struct counter *counters, size_t count, bool json)
{
	for (size_t i = 0; i < count; i++) {
		if (json) {
			kmem_out(out, ",\n  \"%s\": %llu", counters[i].name, (unsigned long long)counters[i].value);
		} else {
			kmem_out(out, "%-28s %14llu\n", counters[i].text, (unsigned long long)counters[i].value);
		}
	}
}

/* A string of JSON: names may be a program's own. */
static void json_string(struct kmem_out *out, const char *text)
{
	kmem_out(out, "\"");
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\') {
			kmem_out(out, "\\%c", c);
		} else if (c < 0x20) {
			kmem_out(out, "\\u%04x", c);
		} else {
			kmem_out(out, "%c", c);
		}
	}
	kmem_out(out, "\"");
}

static void setup_print(struct kmem_out *out, bool json)
{
	struct kmem_setup setup;

	(void)kmem_setup_get(&setup);
	if (json) {
		kmem_out(out, "{\n  \"engine\": ");
		json_string(out, setup.engine);
		kmem_out(out, ",\n  \"policy\": ");
		json_string(out, setup.policy);
		kmem_out(out, ",\n  \"store\": ");
		json_string(out, setup.store);
	} else {
		kmem_out(out, "engine %s (%s), policy %s, store %s\n", setup.engine, setup.engine_reason, setup.policy,
			 setup.store);
	}
}

static void usage_print(struct kmem_out *out, bool json)
{
	struct kmem_usage usage;

	(void)kmem_usage_get(&usage);
	const struct counter counters[] = {
		{"page_size", "page size, bytes", kmem_kernel.layout.page_size},
		{"frames", "frames of RAM", usage.frames},
		{"frames_free", "  free", usage.frames_free},
		{"frames_mapped", "  mapped", usage.frames_mapped},
		{"frames_pinned", "  pinned", usage.frames_pinned},
		{"frames_reserved", "  reserved", usage.frames_reserved},
		{"regions", "regions", usage.regions},
		{"region_bytes", "  bytes", usage.region_bytes},
		{"pages_in", "  resident pages", usage.pages_in},
		{"store_capacity_pages", "store, pages at most", usage.store.capacity_pages},
		{"store_used_pages", "  in use", usage.store.used_pages},
		{"store_cached_pages", "  copies of resident pages", usage.store.cached_pages},
		{"store_host_bytes", "  bytes on the host", usage.store.host_bytes},
	};

	counters_print(out, counters, sizeof(counters) / sizeof(counters[0]), json);
}

static void stats_print(struct kmem_out *out, bool json)
{
	struct kmem_stats stats;

	if (kmem_stats_get(&stats) != 0) {
		return;
	}
	const struct counter counters[] = {
		{"pagefaults", "page faults", stats.pagefaults.cnt},
		{"evictions_clean", "evictions, clean", stats.eviction.clean},
		{"evictions_dirty", "evictions, dirty", stats.eviction.dirty},
		{"minor_faults", "minor faults", stats.minor_faults},
		{"waits", "waits for other threads", stats.waits},
		{"store_reads", "store, pages read", stats.store_reads},
		{"store_writes", "store, pages written", stats.store_writes},
		{"store_errors", "store, errors", stats.store_errors},
		{"paging_ns", "time spent paging, ns", stats.paging_ns},
		{"store_ns", "  in the store, ns", stats.store_ns},
	};

	counters_print(out, counters, sizeof(counters) / sizeof(counters[0]), json);
}

static void histogram_print(struct kmem_out *out, enum kmem_histogram_kind kind, const char *name, const char *text, bool json)
{
	struct kmem_histogram histogram;

	if (kmem_histogram_get(kind, &histogram) != 0) {
		return;
	}
	if (json) {
		kmem_out(out, ",\n  \"%s\": [", name);
	} else {
		kmem_out(out, "%s\n", text);
	}
	for (unsigned int i = 0; i < KMEM_HISTOGRAM_BINS; i++) {
		if (json) {
			kmem_out(out, "%s{\"le_ns\": %lu, \"count\": %lu}", i == 0 ? "" : ", ", histogram.bounds[i],
				 histogram.counts[i]);
		} else if (i + 1 == KMEM_HISTOGRAM_BINS) {
			kmem_out(out, "  %-26s %14lu\n", "more", histogram.counts[i]);
		} else {
			kmem_out(out, "  up to %8lu us          %14lu\n", histogram.bounds[i] / 1000, histogram.counts[i]);
		}
	}
	kmem_out(out, "%s", json ? "]" : "");
}

int kmem_report_print(int fd, bool json)
{
	struct kmem_out out = {.fd = fd};

	if (!kmem_is_booted()) {
		return -ENODEV;
	}
	setup_print(&out, json);
	usage_print(&out, json);
	stats_print(&out, json);
	histogram_print(&out, KMEM_HISTOGRAM_EVICTION, "eviction", "choosing a victim, in faults", json);
	histogram_print(&out, KMEM_HISTOGRAM_PAGE_IN, "page_in", "reading a page from the store", json);
	histogram_print(&out, KMEM_HISTOGRAM_PAGE_OUT, "page_out", "writing a page to the store", json);
	kmem_out(&out, "%s", json ? "\n}\n" : "");
	return kmem_out_finish(&out);
}

static char frame_letter(struct k_mem_page_frame *pf)
{
	if (k_mem_page_frame_is_free(pf)) {
		return '-';
	}
	if (k_mem_page_frame_is_reserved(pf)) {
		return 'R';
	}
	if (k_mem_page_frame_is_busy(pf)) {
		return 'B';
	}
	if (k_mem_page_frame_is_pinned(pf)) {
		return 'P';
	}
	if (k_mem_page_frame_is_available(pf)) {
		return '.';
	}
	return k_mem_page_frame_is_mapped(pf) ? 'M' : '?';
}

/* Zephyr's colours: a bright letter for what holds something. */
static const char *letter_colour(char letter)
{
	switch (letter) {
	case '-':
		return "\033[1;30m";
	case 'R':
	case '?':
		return "\033[1;31m";
	case 'B':
		return "\033[1;33m";
	case 'P':
		return "\033[1;35m";
	case 'M':
		return "\033[1;36m";
	default:
		return "\033[1;32m";
	}
}

#define LETTERS_PER_LINE 64

void k_mem_page_frames_dump(void)
{
	struct kmem_out out = {.fd = STDOUT};
	const struct kmem_frames *all = kmem_frame_all();

	if (kmem_kernel_ready() != 0) {
		return;
	}
	kmem_out(&out, "Physical memory from 0x%zx to 0x%zx\n", (size_t)kmem_kernel.layout.phys_ram_start,
		 (size_t)kmem_kernel.layout.phys_ram_end - 1);
	for (size_t i = 0; i < all->count; i++) {
		kmem_sigmask saved;
		char letter;

		kmem_kernel_lock(&saved);
		letter = frame_letter(&all->first[i]);
		kmem_kernel_unlock(&saved);
		kmem_out(&out, "%s%c%s", letter_colour(letter), letter,
			 (i + 1) % LETTERS_PER_LINE == 0 || i + 1 == all->count ? "\033[0m\n" : "");
	}
	(void)kmem_out_finish(&out);
}

void kmem_report_write(void)
{
	const char *path = kmem_kernel.settings.stats_path;
	size_t length = path == NULL ? 0 : strlen(path);
	bool json = length > 5 && strcmp(path + length - 5, ".json") == 0;
	int fd = STDERR;
	int ret;

	/* A child would write over the report of the process that booted. */
	if (length == 0 || !kmem_is_booted() || kmem_kernel.boot_pid != kmem_process_id()) {
		return;
	}
	if (strcmp(path, "-") != 0) {
		fd = kmem_host_file_report(path);
	}
	ret = fd < 0 ? fd : kmem_report_print(fd, json);
	if (ret != 0) {
		kmem_log(KMEM_LOG_ERROR, "the report cannot be written to %s: %s", path, kmem_error_name(-ret));
	}
	if (fd > STDERR) {
		kmem_host_file_close(fd);
	}
}
