/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program as the kernel image, 1:1 or through a window.
 *
 * Theory of operation. A page of the program is in one of three states:
 *
 *   PRIVATE --> COPIED --> ADOPTED        COPIED: its frame has its bytes, too; only for pages that nobody writes to
 *      +---------------------^            ADOPTED: the frame is mapped in its place
 *
 * Mapping a page again that nobody writes to, at either address, needs a copy only; the program's own mapping stays, and with it
 * the breakpoints of a debugger. Anything else adopts it. In the boot image the page table's PRIVATE says the same of a page as
 * its state here. The window is a bank of physical memory, made when it is first needed.
 *
 * Where the library is linked into the program, it lies in these pages itself, and cannot do without them: adopting is fine
 * (adopt.c), but none is unpinned then. Neither are the pages of the frame database.
 */
#include "kernel/program_image.h"

#include <errno.h>
#include <string.h>

#include "host/log.h"
#include "host/memory.h"
#include "host/object.h"
#include "host/process.h"
#include "kernel/fork.h"
#include "kernel/frame.h"
#include "kernel/kernel.h"
#include "kernel/layout.h"
#include "kernel/ondemand.h"
#include "kernel/paging.h"
#include "kernel/program.h"
#include "machine/ram.h"

/* Where the flags of kmem-zephyr put a program: the default CONFIG_KERNEL_VM_BASE. */
#define ZEPHYR_LINK_BASE 0x10000000UL

enum state {
	PRIVATE,
	COPIED,
	ADOPTED
};

static struct {
	/* constant while booted */
	struct kmem_segment segments[KMEM_SEGMENTS_MAX];
	size_t segment_count; /* 0: no program is known */
	uintptr_t start, end;
	bool is_window;
	struct kmem_mmu_hole holes[KMEM_MMU_HOLES_MAX];
	size_t hole_count;

	/* guarded by the kernel lock */
	uint8_t *states; /* enum state of each page */
	bool has_bank;
} image;

static size_t page_index(uintptr_t addr)
{
	return (addr - image.start) / kmem_page_size();
}

static size_t states_bytes(void)
{
	return kmem_host_page_round((image.end - image.start) / kmem_page_size() + 1);
}

bool kmem_program_image_covers(uintptr_t addr)
{
	return image.segment_count != 0 && addr >= image.start && addr < image.end;
}

bool kmem_program_image_is_private(uintptr_t addr)
{
	return image.states != NULL && kmem_program_image_covers(addr) && image.states[page_index(addr)] == PRIVATE;
}

static const struct kmem_segment *segment_of(uintptr_t addr)
{
	for (size_t i = 0; i < image.segment_count; i++) {
		if (addr - image.segments[i].addr < image.segments[i].size) {
			return &image.segments[i];
		}
	}
	return NULL;
}

static uint32_t segment_flags(const struct kmem_segment *segment)
{
	return (segment->is_writable ? K_MEM_PERM_RW : 0) | (segment->is_executable ? K_MEM_PERM_EXEC : 0);
}

static unsigned int segment_prot(const struct kmem_segment *segment)
{
	return KMEM_PROT_READ | (segment->is_writable ? KMEM_PROT_WRITE : 0U) |
	       (segment->is_executable ? KMEM_PROT_EXEC : 0U);
}

static const char *segment_name(const struct kmem_segment *segment)
{
	if (segment->is_executable) {
		return "text";
	}
	if (segment->is_writable) {
		return "data";
	}
	return segment->is_relro ? "relro" : "rodata";
}

/* The program's heap, where it lies in the VM range: pages that cannot be given to anybody. */
static void heap_find(const struct kmem_settings *settings)
{
	uintptr_t vm_end = settings->vm_base + settings->vm_size;
	uintptr_t start;
	uintptr_t end;

	if (kmem_host_heap_get(&start, &end) != 0 || end <= settings->vm_base || start >= vm_end) {
		return;
	}
	start = start > image.start && start < image.end ? image.end
							 : start / settings->page_size * settings->page_size;
	end = (end + settings->page_size - 1) / settings->page_size * settings->page_size;
	if (start >= end) {
		return;
	}
	image.holes[image.hole_count++] = (struct kmem_mmu_hole){
		.start = start > settings->vm_base ? start : settings->vm_base,
		.end = end < vm_end ? end : vm_end,
	};
}

/* Whether a program inside the VM range can be the boot image: 0, or -EINVAL with a message. */
static int place_check(const struct kmem_settings *settings, char *error, size_t error_size)
{
	uintptr_t boot = settings->vm_base + settings->vm_offset;

	if (image.start < boot || image.end > settings->vm_base + settings->vm_size) {
		(void)kmem_format(
			error, error_size,
			"the program at [0x%zx, 0x%zx) lies across the VM range [0x%zx, +%zu), and not behind 0x%zx: link it "
			"with -no-pie -Wl,-Ttext-segment=0x%zx, or as PIE",
			(size_t)image.start, (size_t)image.end, (size_t)settings->vm_base, settings->vm_size,
			(size_t)boot, (size_t)boot);
		return -EINVAL;
	}
	if (settings->section_count != 0) {
		(void)kmem_format(error, error_size, "%zu sections are given, but the program itself is the boot image",
				  settings->section_count);
		return -EINVAL;
	}
	if (settings->ram_offset + (image.end - boot) > settings->ram_usable) {
		(void)kmem_format(
			error, error_size,
			"RAM of %zu bytes (KMEM_RAM, CONFIG_SRAM_SIZE) is too small for the program, which ends %zu bytes "
			"behind the start of RAM",
			settings->ram_usable, settings->ram_offset + (image.end - boot));
		return -EINVAL;
	}
	return 0;
}

int kmem_program_image_find(struct kmem_settings *settings, char *error, size_t error_size)
{
	uintptr_t vm_end = settings->vm_base + settings->vm_size;

	memset(&image, 0, sizeof(image));
	if (!settings->is_zephyr) {
		return 0;
	}
	image.segment_count = kmem_host_program_segments(image.segments);
	if (image.segment_count == 0) {
		return 0;
	}
	image.start = image.segments[0].addr / settings->page_size * settings->page_size;
	image.end = image.segments[image.segment_count - 1].addr + image.segments[image.segment_count - 1].size;
	image.end = (image.end + settings->page_size - 1) / settings->page_size * settings->page_size;
	image.is_window = image.end <= settings->vm_base || image.start >= vm_end;
	if (!image.is_window) {
		int ret = place_check(settings, error, error_size);

		if (ret != 0) {
			return ret;
		}
		settings->program_start = image.start;
		settings->program_size = image.end - image.start;
		image.holes[image.hole_count++] = (struct kmem_mmu_hole){image.start, image.end};
	}
	heap_find(settings);
	return 0;
}

size_t kmem_program_image_holes(struct kmem_mmu_hole *holes)
{
	memcpy(holes, image.holes, image.hole_count * sizeof(*holes));
	return image.hole_count;
}

/* Whether pages are the host's: larger ones hold the ends of several segments, whose permissions differ. */
static bool is_divisible(void)
{
	return kmem_page_size() == kmem_host_page_size();
}

/* One page of the boot image: absent, where it is loaded on demand; else pinned. */
static int page_map(uintptr_t addr, uintptr_t phys, const struct kmem_segment *segment)
{
	uint64_t location;

	if (!segment->is_writable && kmem_ondemand_has(addr, &location)) {
		image.states[page_index(addr)] = ADOPTED;
		return kmem_mmu_map_absent(addr, location, segment_flags(segment));
	}
	kmem_mmu_map_private(addr, phys, kmem_page_size(), segment_flags(segment));
	kmem_frame_at(phys)->va_and_flags = addr | K_MEM_PAGE_FRAME_MAPPED | K_MEM_PAGE_FRAME_PINNED;
	return 0;
}

/* One segment of the boot image: entries, frames, a region. */
static int segment_map(const struct kmem_segment *segment)
{
	size_t page_size = kmem_page_size();
	uintptr_t start = kmem_page_floor(segment->addr);
	size_t size = kmem_page_floor(segment->addr + segment->size + page_size - 1) - start;
	uintptr_t phys = kmem_layout_phys(&kmem_kernel.layout, start);
	struct kmem_region template = {
		.addr = start,
		.size = size,
		.flags = segment_flags(segment),
		.kind = KMEM_REGION_IMAGE,
		.phys = phys,
		.name = segment_name(segment),
	};

	for (size_t done = 0; done < size; done += page_size) {
		int ret = page_map(start + done, phys + done, segment);

		if (ret != 0) {
			return ret;
		}
	}
	return kmem_region_index_add(&kmem_kernel.index, &template) == NULL ? -ENOMEM : 0;
}

/* Keep the heap's addresses from being mapped. */
static int heap_take(void)
{
	const struct kmem_mmu_hole *heap = image.hole_count != 0 ? &image.holes[image.hole_count - 1] : NULL;
	uintptr_t start;

	if (heap == NULL || heap->start == image.start || heap->end <= kmem_kernel.map.start ||
	    heap->start >= kmem_kernel.map.end) {
		return 0;
	}
	start = heap->start > kmem_kernel.map.start ? heap->start : kmem_kernel.map.start;
	return kmem_region_take(&kmem_kernel.map, start,
				(heap->end < kmem_kernel.map.end ? heap->end : kmem_kernel.map.end) - start);
}

int kmem_program_image_map(void)
{
	void *states;
	int ret;

	if (image.segment_count == 0) {
		return 0;
	}
	ret = kmem_host_memory_get(&states, states_bytes());
	if (ret != 0) {
		return ret;
	}
	image.states = states;
	if (image.is_window) {
		/* There is only one reason to be just there. */
		kmem_log(
			image.start == ZEPHYR_LINK_BASE ? KMEM_LOG_WARNING : KMEM_LOG_INFO,
			"the program at [0x%zx, 0x%zx) is not in the VM range: its static objects are physical memory at 0x%zx, but no "
			"pages of the VM; to make it the boot image, link it with -no-pie -Wl,-Ttext-segment=0x%zx",
			(size_t)image.start, (size_t)image.end,
			(size_t)kmem_layout_phys(&kmem_kernel.layout, image.start),
			(size_t)kmem_layout_virt(&kmem_kernel.layout,
						 kmem_kernel.settings.ram_base + kmem_kernel.settings.ram_offset));
	}
	if (kmem_kernel.settings.demand_paging && !image.is_window && is_divisible()) {
		ret = kmem_ondemand_init();
	}
	for (size_t i = 0; i < image.segment_count && !image.is_window && ret == 0; i++) {
		ret = segment_map(&image.segments[i]);
	}
	return ret == 0 ? heap_take() : ret;
}

/* Whether the library's data is among the program's. */
static bool is_static(void)
{
	return kmem_program_image_covers((uintptr_t)&kmem_kernel);
}

/* Whether libkmem could not do without the page. */
static bool is_vital(uintptr_t addr)
{
	const struct kmem_frames *frames = kmem_frame_all();
	uintptr_t first = (uintptr_t)frames->first;

	return is_static() ||
	       (addr + kmem_page_size() > first && addr < first + frames->count * sizeof(*frames->first));
}

/* Make the window's bank. */
static int bank_make(void)
{
	uintptr_t phys = kmem_layout_phys(&kmem_kernel.layout, image.start);
	int ret;

	if (!image.is_window || image.has_bank) {
		return 0;
	}
	ret = kmem_ram_bank_add("program", phys, image.end - image.start, NULL);
	if (ret != 0) {
		kmem_log(KMEM_LOG_ERROR, "the program cannot be seen at its physical address, 0x%zx, %zu bytes: %s",
			 (size_t)phys, (size_t)(image.end - image.start), kmem_error_name(-ret));
	}
	image.has_bank = ret == 0;
	return ret;
}

/* Memory of the host's behind a page's frame. */
static int frame_populate(uintptr_t phys)
{
	return image.is_window ? bank_make() : kmem_ram_populate(phys);
}

/* Bring a page into the state that is wanted, unless it is there. */
static int page_bring(uintptr_t addr, const struct kmem_segment *segment, enum state wanted)
{
	uintptr_t phys = kmem_layout_phys(&kmem_kernel.layout, addr);
	uint8_t *state = &image.states[page_index(addr)];
	int ret;

	if (*state >= wanted) {
		return 0;
	}
	if (!is_divisible()) {
		kmem_log(
			KMEM_LOG_ERROR,
			"the page at 0x%zx of the program stays as it is: only with pages of the host's size, %zu bytes "
			"(CONFIG_MMU_PAGE_SIZE), can it be mapped again, unpinned or protected",
			(size_t)addr, kmem_host_page_size());
		return -ENOTSUP;
	}
	ret = frame_populate(phys);
	if (ret != 0) {
		return ret;
	}
	if (wanted == COPIED) {
		memcpy(kmem_ram_bytes(phys), (const void *)addr, kmem_page_size());
	} else {
		ret = kmem_mmu_adopt(addr, phys, segment_prot(segment));
	}
	if (ret == 0) {
		*state = (uint8_t)wanted;
	}
	return ret;
}

int kmem_program_image_prepare(uintptr_t phys, size_t size, uint32_t flags)
{
	for (size_t done = 0; done < size; done += kmem_page_size()) {
		uintptr_t addr = kmem_layout_virt(&kmem_kernel.layout, phys + done);
		const struct kmem_segment *segment = kmem_program_image_covers(addr) ? segment_of(addr) : NULL;
		bool is_written = segment != NULL && (segment->is_writable || (flags & K_MEM_PERM_RW) != 0);
		int ret = segment != NULL ? page_bring(addr, segment, is_written ? ADOPTED : COPIED) : 0;

		if (ret != 0) {
			return ret;
		}
	}
	return 0;
}

int kmem_program_image_adopt(uintptr_t addr)
{
	const struct kmem_segment *segment = kmem_program_image_covers(addr) ? segment_of(addr) : NULL;

	if (segment == NULL || image.is_window || image.states[page_index(addr)] == ADOPTED) {
		return 0;
	}
	if (is_vital(addr)) {
		kmem_log(KMEM_LOG_ERROR, "the page at 0x%zx of the program stays pinned: libkmem needs it",
			 (size_t)addr);
		return -EPERM;
	}
	return page_bring(addr, segment, ADOPTED);
}

/* Do something to every adopted page; 0 or -errno. */
static int each_adopted(int (*visit)(uintptr_t addr, const struct kmem_segment *segment))
{
	int ret = 0;

	for (uintptr_t addr = image.start; addr < image.end && image.states != NULL && ret == 0;
	     addr += kmem_page_size()) {
		const struct kmem_segment *segment = segment_of(addr);

		if (segment != NULL && image.states[page_index(addr)] == ADOPTED) {
			ret = visit(addr, segment);
		}
	}
	return ret;
}

/* Where the bytes of an adopted page are, once it is in: the machine may be one that did not boot to the end. Lock held. */
static int page_find(uintptr_t addr, uintptr_t *phys)
{
	struct kmem_paging_request request = {.addr = addr, .is_pin = true};
	int ret;

	if (image.is_window) {
		*phys = kmem_layout_phys(&kmem_kernel.layout, addr);
		return 0;
	}
	ret = kmem_pte_state(kmem_pte_get(addr)) == KMEM_PTE_IN ? 0 : kmem_fork_error();
	if (ret == 0) {
		ret = kmem_paging_page_in(&request);
	}
	*phys = kmem_pte_addr(kmem_pte_get(addr));
	return ret;
}

static int give_back(uintptr_t addr, const struct kmem_segment *segment)
{
	kmem_sigmask saved;
	uintptr_t phys;
	int ret;

	kmem_kernel_lock(&saved);
	ret = page_find(addr, &phys);
	if (ret == 0) {
		ret = kmem_mmu_disown(addr, phys, segment_prot(segment));
	}
	kmem_kernel_unlock(&saved);
	if (ret != 0) {
		kmem_log(KMEM_LOG_ERROR, "the page at 0x%zx of the program cannot be given back: %s", (size_t)addr,
			 kmem_error_name(-ret));
	}
	return 0;
}

void kmem_program_image_finish(void)
{
	if (image.states == NULL) {
		return;
	}
	(void)each_adopted(give_back);
	kmem_host_memory_free(image.states, states_bytes());
	image.states = NULL;
	image.segment_count = 0;
	kmem_ondemand_finish();
}

/* The child has the parent's mapping still, whose bytes are the parent's: replace it. */
static int window_show(uintptr_t addr, const struct kmem_segment *segment)
{
	return kmem_mmu_show(addr, kmem_layout_phys(&kmem_kernel.layout, addr), segment_prot(segment));
}

int kmem_program_image_fork_child(void)
{
	return image.is_window ? each_adopted(window_show) : 0;
}
