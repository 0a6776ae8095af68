/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reports: the memory map as a picture, setup, usage and counters as a table or as JSON, the frame database as letters.
 *
 * Everything is written through a buffer of the report's own, without stdio, so a report may be asked for at any time
 * outside a trap.
 */
#include "kernel/report.h"

#include <errno.h>
#include <string.h>

#include "host/log.h"
#include "kernel/frame.h"
#include "kernel/kernel.h"
#include "kernel/thread.h"

#define STDOUT 1

const struct kmem_report_source *kmem_report_source;

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
			  size, (region->flags & KMEM_PERM_NO_ACCESS) != 0 ? '-' : 'r', (region->flags & K_MEM_PERM_RW) != 0 ? 'w' : '-',
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

/* A table, or one JSON object, in the making. */
struct table {
	struct kmem_out *out;
	bool json;
	const char *separator; /* JSON: between two members */
};

static void counters_print(const struct table *table, const struct kmem_report_counter *counters, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (table->json) {
			kmem_out(table->out, "%s\"%s\": %llu", table->separator, counters[i].name,
				 (unsigned long long)counters[i].value);
		} else {
			kmem_out(table->out, "%-28s %14llu\n", counters[i].text, (unsigned long long)counters[i].value);
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

static void json_member(const struct table *table, const char *name, const char *text)
{
	kmem_out(table->out, "%s\"%s\": ", table->separator, name);
	json_string(table->out, text);
}

static void setup_print(const struct table *table)
{
	struct kmem_setup setup;

	(void)kmem_setup_get(&setup);
	if (table->json) {
		json_member(table, "engine", setup.engine);
		json_member(table, "policy", setup.policy);
		json_member(table, "store", setup.store);
	} else {
		kmem_out(table->out, "engine %s (%s), policy %s, store %s\n", setup.engine, setup.engine_reason, setup.policy,
			 setup.store);
	}
}

static void usage_print(const struct table *table)
{
	struct kmem_usage usage;

	(void)kmem_usage_get(&usage);
	const struct kmem_report_counter counters[] = {
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

	counters_print(table, counters, sizeof(counters) / sizeof(counters[0]));
}

static void stats_print(const struct table *table)
{
	struct kmem_stats stats;

	if (kmem_stats_get(&stats) != 0) {
		return;
	}
	const struct kmem_report_counter counters[] = {
		{"pagefaults", "page faults", stats.pagefaults.cnt},
		{"evictions_clean", "evictions, clean", stats.eviction.clean},
		{"evictions_dirty", "evictions, dirty", stats.eviction.dirty},
		{"minor_faults", "minor faults", stats.minor_faults},
		{"waits", "waits for other threads", stats.waits},
		{"readahead_pages", "pages read ahead", stats.readahead_pages},
		{"reliefs", "reliefs of host mappings", stats.reliefs},
		{"store_reads", "store, pages read", stats.store_reads},
		{"store_writes", "store, pages written", stats.store_writes},
		{"store_errors", "store, errors", stats.store_errors},
		{"paging_ns", "time spent paging, ns", stats.paging_ns},
		{"store_ns", "  in the store, ns", stats.store_ns},
	};

	counters_print(table, counters, sizeof(counters) / sizeof(counters[0]));
}

/* What the numbers above make in bytes. */
static void bytes_print(const struct table *table)
{
	const size_t page_size = kmem_kernel.layout.page_size;
	struct kmem_stats stats = {.minor_faults = 0};
	struct kmem_usage usage;

	(void)kmem_usage_get(&usage);
	(void)kmem_stats_get(&stats);
	const struct kmem_report_counter counters[] = {
		{"resident_bytes", "resident set, bytes", usage.pages_in * page_size},
		{"store_read_bytes", "store, bytes read", stats.store_reads * page_size},
		{"store_written_bytes", "store, bytes written", stats.store_writes * page_size},
	};

	counters_print(table, counters, sizeof(counters) / sizeof(counters[0]));
}

static void more_print(const struct table *table)
{
	struct kmem_report_counter counters[KMEM_REPORT_MORE_MAX];

	if (kmem_report_source != NULL) {
		counters_print(table, counters, kmem_report_source->get(counters));
	}
}

static bool histogram_is_empty(const struct kmem_histogram *histogram)
{
	for (unsigned int i = 0; i < KMEM_HISTOGRAM_BINS; i++) {
		if (histogram->counts[i] != 0) {
			return false;
		}
	}
	return true;
}

/* In the table, those that have counted nothing are left out. */
static void histogram_print(const struct table *table, enum kmem_histogram_kind kind, const char *name, const char *text)
{
	struct kmem_histogram histogram;

	if (kmem_histogram_get(kind, &histogram) != 0 || (!table->json && histogram_is_empty(&histogram))) {
		return;
	}
	if (table->json) {
		kmem_out(table->out, "%s\"%s\": [", table->separator, name);
	} else {
		kmem_out(table->out, "%s\n", text);
	}
	for (unsigned int i = 0; i < KMEM_HISTOGRAM_BINS; i++) {
		if (table->json) {
			kmem_out(table->out, "%s{\"le_ns\": %lu, \"count\": %lu}", i == 0 ? "" : ", ", histogram.bounds[i],
				 histogram.counts[i]);
		} else if (i + 1 == KMEM_HISTOGRAM_BINS) {
			kmem_out(table->out, "  %-26s %14lu\n", "more", histogram.counts[i]);
		} else {
			kmem_out(table->out, "  up to %8lu us          %14lu\n", histogram.bounds[i] / 1000, histogram.counts[i]);
		}
	}
	kmem_out(table->out, "%s", table->json ? "]" : "");
}

static void histograms_print(const struct table *table)
{
	histogram_print(table, KMEM_HISTOGRAM_EVICTION, "eviction", "choosing a victim, in faults");
	histogram_print(table, KMEM_HISTOGRAM_PAGE_IN, "page_in", "reading a page from the store");
	histogram_print(table, KMEM_HISTOGRAM_PAGE_OUT, "page_out", "writing a page to the store");
}

/* A thread's counters; those that have ended are one row, whose number is how many they were. */
static void thread_print(const struct table *table, const char *name, size_t number, const struct kmem_stats *stats)
{
	const char *format = table->json ? "{\"%s\": %zu, \"pagefaults\": %lu, \"evictions_clean\": %lu, \"evictions_dirty\": %lu, "
					   "\"minor_faults\": %lu, \"waits\": %lu, \"store_reads\": %lu, \"store_writes\": %lu, "
					   "\"paging_ns\": %llu, \"store_ns\": %llu}"
					 : "%-7s%10zu %11lu %11lu %11lu %11lu %11lu %11lu %11lu %14llu %14llu\n";

	kmem_out(table->out, format, name, number, stats->pagefaults.cnt, stats->eviction.clean, stats->eviction.dirty,
		 stats->minor_faults, stats->waits, stats->store_reads, stats->store_writes,
		 (unsigned long long)stats->paging_ns, (unsigned long long)stats->store_ns);
}

#define ROWS_AT_ONCE 32

static void threads_print(const struct table *table, uint32_t helper)
{
	struct kmem_thread_row rows[ROWS_AT_ONCE];
	struct kmem_stats sum;
	const char *separator = "";
	size_t done = 0;
	size_t count;

	if (table->json) {
		kmem_out(table->out, "%s\"threads\": [", table->separator);
	} else {
		kmem_out(table->out, "%-17s %11s %11s %11s %11s %11s %11s %11s %14s %14s\n", "threads", "page faults", "clean out",
			 "dirty out", "minor", "waits", "reads", "writes", "paging, ns", "store, ns");
	}
	do {
		count = kmem_thread_rows(done, rows, ROWS_AT_ONCE);
		for (size_t i = 0; i < count; i++) {
			if (rows[i].tid != helper) {
				kmem_out(table->out, "%s", table->json ? separator : "");
				thread_print(table, table->json ? "tid" : "thread", rows[i].tid, &rows[i].stats);
				separator = ", ";
			}
		}
		done += count;
	} while (count == ROWS_AT_ONCE);
	count = kmem_thread_ended(&sum);
	kmem_out(table->out, "%s", table->json ? "], \"threads_ended\": " : "");
	thread_print(table, table->json ? "count" : "ended", count, &sum);
}

int kmem_report_print(int fd, bool json)
{
	struct kmem_out out = {.fd = fd};
	const struct table table = {.out = &out, .json = json, .separator = ",\n  "};

	if (!kmem_is_booted()) {
		return -ENODEV;
	}
	kmem_out(&out, "%s", json ? "{\n  \"version\": 1" : "");
	setup_print(&table);
	usage_print(&table);
	stats_print(&table);
	histograms_print(&table);
	kmem_out(&out, "%s", json ? "\n}\n" : "");
	return kmem_out_finish(&out);
}

static void head_print(const struct table *table, const struct kmem_report_head *head)
{
	const uint64_t ms = head->elapsed_ns / 1000000;

	if (!table->json) {
		kmem_out(table->out, "\nkmem: report of %s, process %d, %s, after %llu.%03u s\n", head->program, head->pid, head->event,
			 (unsigned long long)(ms / 1000), (unsigned int)(ms % 1000));
		return;
	}
	kmem_out(table->out, "{\"version\": 1");
	json_member(table, "event", head->event);
	json_member(table, "program", head->program);
	kmem_out(table->out, "%s\"pid\": %d%s\"elapsed_ns\": %llu", table->separator, head->pid, table->separator,
		 (unsigned long long)head->elapsed_ns);
}

int kmem_report_full_print(int fd, bool is_json, bool has_threads, const struct kmem_report_head *head)
{
	struct kmem_out out = {.fd = fd};
	const struct table table = {.out = &out, .json = is_json, .separator = ", "};

	head_print(&table, head);
	setup_print(&table);
	usage_print(&table);
	stats_print(&table);
	bytes_print(&table);
	more_print(&table);
	histograms_print(&table);
	if (has_threads) {
		threads_print(&table, head->helper);
	}
	kmem_out(&out, "%s", is_json ? "}\n" : "");
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
