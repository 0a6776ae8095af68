/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the MMU asks of the host. Frames in the file are mapped by the mmap engine's functions, whatever engine runs, and go by the running
 * engine's cover(), which puts its own mapping back; the engine's own frames are its own affair.
 */
#include "machine/mmu_host.h"

#include "host/annotate.h"
#include "host/failpoint.h"
#include "machine/home.h"
#include "machine/mmu_range.h"
#include "machine/mmu_window.h"

struct kmem_run kmem_mmu_run_of(uintptr_t addr, kmem_pte pte)
{
	return (struct kmem_run){
		.addr = addr, .size = kmem_mmu.page_size, .phys = kmem_pte_addr(pte), .prot = kmem_pte_prot(pte)};
}

bool kmem_mmu_has_own(void)
{
	return kmem_mmu.engine->bytes != NULL;
}

/* What is done to runs all of whose frames are the engine's own, or none. */
typedef int (*visit_fn)(const struct kmem_run *runs, size_t count, bool is_own);

/* The first part of a run that is all own, or not at all. */
static struct kmem_run part_of(const struct kmem_run *run, size_t done, bool *is_own)
{
	struct kmem_run part = *run;
	size_t size = kmem_mmu.page_size;

	*is_own = kmem_home_is_own(run->phys + done);
	while (done + size < run->size && kmem_home_is_own(run->phys + done + size) == *is_own) {
		size += kmem_mmu.page_size;
	}
	part.addr += done;
	part.phys += done;
	part.size = size;
	part.joins = done == 0 && run->joins;
	return part;
}

/* Visit the runs, cut where homes change, in as few vectors as there can be. */
static int each_home(const struct kmem_run *runs, size_t count, visit_fn visit)
{
	struct kmem_run parts[KMEM_MMU_VECTOR_RUNS];
	size_t parts_count = 0;
	bool parts_own = false;
	int ret = 0;

	if (!kmem_mmu_has_own()) {
		return visit(runs, count, false);
	}
	for (size_t i = 0; i < count; i++) {
		for (size_t done = 0; done < runs[i].size; done += parts[parts_count - 1].size) {
			bool is_own;
			struct kmem_run part = part_of(&runs[i], done, &is_own);

			if (parts_count == KMEM_MMU_VECTOR_RUNS || (parts_count > 0 && is_own != parts_own)) {
				ret = visit(parts, parts_count, parts_own);
				parts_count = 0;
			}
			if (ret != 0) {
				return ret;
			}
			parts_own = is_own;
			parts[parts_count++] = part;
		}
	}
	return parts_count > 0 ? visit(parts, parts_count, parts_own) : 0;
}

int kmem_mmu_file_expose(const struct kmem_run *runs, size_t count)
{
	int ret = 0;

	for (size_t i = 0; i < count && ret == 0 && kmem_mmu.engine->uncover != NULL; i++) {
		if (kmem_page_table_covers(runs[i].addr)) {
			ret = kmem_mmu.engine->uncover(runs[i].addr, runs[i].size);
		}
	}
	return ret != 0 ? ret : kmem_engine_mmap.expose(runs, count);
}

static int expose(const struct kmem_run *runs, size_t count, bool is_own)
{
	if (!is_own) {
		return kmem_mmu_file_expose(runs, count);
	}
	return kmem_mmu_window_is_open() ? kmem_mmu_window_expose(runs, count) : kmem_mmu.engine->expose(runs, count);
}

static int conceal(const struct kmem_run *runs, size_t count, bool is_own)
{
	int ret = 0;

	if (is_own && kmem_mmu_window_is_open()) {
		return kmem_mmu_window_conceal(runs, count);
	}
	if (is_own || !kmem_mmu_has_own()) {
		return kmem_mmu.engine->conceal(runs, count);
	}
	for (size_t i = 0; i < count && ret == 0; i++) {
		ret = kmem_mmu_cover(runs[i].addr, runs[i].size);
	}
	return ret;
}

static int protect(const struct kmem_run *runs, size_t count, bool is_own)
{
	if (!is_own) {
		return kmem_engine_mmap.protect(runs, count);
	}
	return kmem_mmu_window_is_open() ? kmem_mmu_window_protect(runs, count) : kmem_mmu.engine->protect(runs, count);
}

int kmem_mmu_host_conceal(const struct kmem_run *runs, size_t count)
{
	int ret = each_home(runs, count, conceal);

	for (size_t i = 0; i < count && ret == 0; i++) {
		/* With what was concealed once more between this run and the one before. */
		uintptr_t start = i > 0 && runs[i].joins ? runs[i - 1].addr + runs[i - 1].size : runs[i].addr;

		kmem_annotate_defined((void *)start, runs[i].addr + runs[i].size - start);
	}
	return ret;
}

int kmem_mmu_host_expose(const struct kmem_run *runs, size_t count)
{
	int ret = each_home(runs, count, expose);

	if (ret != 0) {
		kmem_failpoint_hold();
		(void)kmem_mmu_host_conceal(runs, count);
		kmem_failpoint_release();
	}
	return ret;
}

int kmem_mmu_host_protect(const struct kmem_run *runs, size_t count)
{
	return each_home(runs, count, protect);
}

void kmem_mmu_vector_init(struct kmem_mmu_vector *vector, int (*call)(const struct kmem_run *runs, size_t count))
{
	vector->call = call;
	vector->is_loose = false;
	vector->error = 0;
	vector->count = 0;
}

/* Whether the page goes on where the run ends. */
static bool continues(const struct kmem_mmu_vector *vector, const struct kmem_run *run, uintptr_t addr, uintptr_t phys,
		      unsigned int prot)
{
	return addr == run->addr + run->size && prot == run->prot && (vector->is_loose || phys == run->phys + run->size);
}

void kmem_mmu_vector_add(struct kmem_mmu_vector *vector, uintptr_t addr, uintptr_t phys, unsigned int prot, bool joins)
{
	if (vector->error != 0) {
		return;
	}
	if (vector->count > 0 && continues(vector, &vector->runs[vector->count - 1], addr, phys, prot)) {
		vector->runs[vector->count - 1].size += kmem_mmu.page_size;
		return;
	}
	if (vector->count == KMEM_MMU_VECTOR_RUNS && kmem_mmu_vector_flush(vector) != 0) {
		return;
	}
	vector->runs[vector->count++] = (struct kmem_run){addr, kmem_mmu.page_size, phys, prot, joins};
}

int kmem_mmu_vector_flush(struct kmem_mmu_vector *vector)
{
	if (vector->error == 0 && vector->count > 0) {
		vector->error = vector->call(vector->runs, vector->count);
		vector->count = 0;
	}
	return vector->error;
}
