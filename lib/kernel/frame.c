/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page frame database: one word a frame. The free ones are bits in a set besides, and whole chunks in another, so that any of them
 * can be taken, and neighbours be found, in the time of a few words.
 */
#include "kernel/frame.h"

#include <string.h>

#include "host/assert.h"
#include "host/memory.h"
#include "kernel/frame_set.h"

#define WORD KMEM_FRAME_SET_WORD

/* Words with free frames that are looked at for a run: some hundred nanoseconds at most. */
#define RUN_WORDS 16

_Static_assert(WORD % KMEM_FRAME_CHUNK == 0, "a chunk lies in one word");

static struct {
	/* constant after init */
	struct kmem_frames all;
	bool is_programs; /* the array is the program's */

	/* guarded by the kernel lock */
	struct kmem_frame_set free;  /* frames */
	struct kmem_frame_set whole; /* chunks */
	size_t free_count;
} db;

static size_t db_bytes(void)
{
	return kmem_host_page_round(db.all.count * sizeof(struct k_mem_page_frame));
}

/* The program's array, zeroed, or memory of our own. */
static int array_get(struct k_mem_page_frame *programs)
{
	void *memory;
	int ret;

	db.is_programs = programs != NULL;
	if (db.is_programs) {
		memset(programs, 0, db.all.count * sizeof(*programs));
		db.all.first = programs;
		return 0;
	}
	ret = kmem_host_memory_get(&memory, db_bytes());
	db.all.first = ret == 0 ? memory : NULL;
	return ret;
}

static void array_free(void)
{
	if (!db.is_programs) {
		kmem_host_memory_free(db.all.first, db_bytes());
	}
	db.all.first = NULL;
}

/* Empty sets. 0 or -errno. */
static int sets_init(void)
{
	int ret = kmem_frame_set_init(&db.free, db.all.count);

	if (ret != 0) {
		return ret;
	}
	ret = kmem_frame_set_init(&db.whole, (db.all.count + KMEM_FRAME_CHUNK - 1) / KMEM_FRAME_CHUNK);
	if (ret != 0) {
		kmem_frame_set_finish(&db.free);
	}
	return ret;
}

int kmem_frame_init(uintptr_t phys, size_t size, size_t surplus, size_t page_size, struct k_mem_page_frame *programs)
{
	int ret;

	db.all = (struct kmem_frames){.count = size / page_size, .page_size = page_size, .phys_start = phys};
	ret = array_get(programs);
	if (ret != 0) {
		return ret;
	}
	ret = sets_init();
	if (ret != 0) {
		array_free();
		return ret;
	}
	db.free_count = 0;
	for (size_t i = db.all.count - surplus / page_size; i < db.all.count; i++) {
		k_mem_page_frame_set(&db.all.first[i], K_MEM_PAGE_FRAME_RESERVED);
	}
	return 0;
}

void kmem_frame_finish(void)
{
	if (db.all.first == NULL) {
		return;
	}
	kmem_frame_set_finish(&db.whole);
	kmem_frame_set_finish(&db.free);
	array_free();
}

void kmem_frame_list_init(void)
{
	for (size_t i = 0; i < db.all.count; i++) {
		if (k_mem_page_frame_is_available(&db.all.first[i])) {
			kmem_frame_put(&db.all.first[i]);
		}
	}
}

/* The bits of the chunk of a frame, all of which are there; 0 if the last frames are too few for a chunk. */
static uint64_t chunk_mask(size_t chunk)
{
	size_t first = chunk * KMEM_FRAME_CHUNK;

	return first + KMEM_FRAME_CHUNK <= db.all.count ? ((1ULL << KMEM_FRAME_CHUNK) - 1) << (first % WORD) : 0;
}

static bool chunk_is_whole(size_t chunk)
{
	uint64_t mask = chunk_mask(chunk);

	return mask != 0 && (kmem_frame_set_word(&db.free, chunk * KMEM_FRAME_CHUNK / WORD) & mask) == mask;
}

/* Take a free frame. */
static struct k_mem_page_frame *take(size_t index)
{
	struct k_mem_page_frame *pf = &db.all.first[index];

	kmem_frame_set_remove(&db.free, index);
	kmem_frame_set_remove(&db.whole, index / KMEM_FRAME_CHUNK);
	db.free_count--;
	pf->va_and_flags = 0;
	return pf;
}

struct k_mem_page_frame *kmem_frame_get(void)
{
	size_t index = kmem_frame_set_next(&db.free, 0);

	return index < db.all.count ? take(index) : NULL;
}

struct k_mem_page_frame *kmem_frame_get_at(size_t index)
{
	return index < db.all.count && kmem_frame_set_has(&db.free, index) ? take(index) : NULL;
}

/* The length of the longest run of set bits in a word, up to count; *first: where one begins. */
static size_t word_run(uint64_t word, size_t count, size_t *first)
{
	size_t length = 0;

	while (word != 0 && length < count) {
		*first = (size_t)__builtin_ctzll(word);
		word &= word >> 1;
		length++;
	}
	return length;
}

/*
 * The start of the first run of count free frames in the words that are looked at, or of the longest one there; *length: of it. Runs that
 * lie in two words count as two.
 */
static size_t run_near(size_t count, size_t *length)
{
	size_t best = db.all.count;
	size_t index = 0;

	*length = 0;
	for (unsigned int i = 0; i < RUN_WORDS && *length < count; i++) {
		size_t first = 0;
		size_t found;

		index = kmem_frame_set_next(&db.free, index);
		if (index >= db.all.count) {
			break;
		}
		found = word_run(kmem_frame_set_word(&db.free, index / WORD), count, &first);
		index -= index % WORD;
		if (found > *length) {
			best = index + first;
			*length = found;
		}
		index += WORD;
	}
	return best;
}

struct k_mem_page_frame *kmem_frame_get_apart(size_t offset, size_t count)
{
	size_t length = 0;
	size_t index = count < KMEM_FRAME_CHUNK ? run_near(count, &length) : 0;
	size_t chunk;

	if (length == count) {
		return take(index + offset);
	}
	chunk = kmem_frame_set_next(&db.whole, 0);
	if (chunk < db.whole.size) {
		return take(chunk * KMEM_FRAME_CHUNK + offset);
	}
	index = run_near(count, &length);
	return length != 0 ? take(index + (length == count ? offset : 0)) : NULL;
}

/* How many frames from index on are free, at most count. */
static size_t run_length(size_t index, size_t count)
{
	size_t length = 0;

	while (length < count && index + length < db.all.count) {
		size_t at = index + length;
		uint64_t taken = ~kmem_frame_set_word(&db.free, at / WORD) >> (at % WORD);
		size_t step = taken != 0 ? (size_t)__builtin_ctzll(taken) : WORD - at % WORD;

		length += step;
		if (step < WORD - at % WORD) {
			break;
		}
	}
	return length < count ? length : count;
}

bool kmem_frame_run_find(size_t count, size_t *index)
{
	/* A long run may as well begin with a whole chunk, of which there are fewer than frames. */
	bool is_long = count >= 2 * KMEM_FRAME_CHUNK;
	const struct kmem_frame_set *set = is_long ? &db.whole : &db.free;
	size_t scale = is_long ? KMEM_FRAME_CHUNK : 1;
	size_t number = 0;

	/* As many looks as frames that are asked for cost no more than these, and a few more. */
	for (size_t looks = 0; looks < RUN_WORDS + count; looks++) {
		size_t length;

		number = kmem_frame_set_next(set, number);
		if (number >= set->size) {
			break;
		}
		*index = number * scale;
		length = run_length(*index, count);
		if (length == count) {
			return true;
		}
		number = (*index + length) / scale + 1;
	}
	return false;
}

void kmem_frame_put(struct k_mem_page_frame *pf)
{
	size_t index = (size_t)(pf - db.all.first);

	kmem_assert(k_mem_page_frame_is_available(pf));
	pf->va_and_flags = K_MEM_PAGE_FRAME_FREE;
	kmem_frame_set_add(&db.free, index);
	if (chunk_is_whole(index / KMEM_FRAME_CHUNK)) {
		kmem_frame_set_add(&db.whole, index / KMEM_FRAME_CHUNK);
	}
	db.free_count++;
}

size_t kmem_frame_free_count(void)
{
	return db.free_count;
}

const struct kmem_frames *kmem_frame_all(void)
{
	return &db.all;
}

struct k_mem_page_frame *kmem_frame_at(uintptr_t phys)
{
	size_t index = (phys - db.all.phys_start) / db.all.page_size;

	if (phys < db.all.phys_start || index >= db.all.count) {
		return NULL;
	}
	return &db.all.first[index];
}

uintptr_t kmem_frame_phys(const struct k_mem_page_frame *pf)
{
	return db.all.phys_start + (size_t)(pf - db.all.first) * db.all.page_size;
}

bool kmem_frame_is_valid(void)
{
	size_t flagged = 0;

	if (!kmem_frame_set_is_valid(&db.free) || !kmem_frame_set_is_valid(&db.whole)) {
		return false;
	}
	for (size_t i = 0; i < db.all.count; i++) {
		bool is_free = k_mem_page_frame_is_free(&db.all.first[i]);

		if (is_free != kmem_frame_set_has(&db.free, i)) {
			return false; /* F2 */
		}
		flagged += is_free ? 1 : 0;
	}
	for (size_t chunk = 0; chunk < db.whole.size; chunk++) {
		if (chunk_is_whole(chunk) != kmem_frame_set_has(&db.whole, chunk)) {
			return false; /* F4 */
		}
	}
	return flagged == db.free_count; /* F1 */
}
