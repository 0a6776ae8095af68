/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sorting lines in paged memory: a merge sort that moves the text together with its index, depth first.
 *
 * Why the text moves. An index entry carries the first eight bytes of its line, and most comparisons need no more. The
 * rest, and the writing at the end, need the text; and if that stayed where it was loaded, each such access would be to a
 * random page, at the price of a page fault once the text is larger than RAM. So a sorted run is both: index entries in
 * order, and the text of its lines in the same order, without gaps. Merging two runs reads two stretches of text and two
 * of index from front to back and writes one of each: page faults are as many as pages, not as many as lines.
 *
 * Why depth first. A run is sorted completely before its neighbour is begun. However much RAM there is, the halves,
 * quarters, ... that fit in it are sorted without a single fault, and only the merges above them, log2(data / RAM) levels,
 * page at all. The program need not know the size of RAM.
 *
 *	side 0   [ text as loaded                         ]        leaf: index LEAF_SIZE bytes of text, sort the index,
 *	             | leaves, merges                              copy the lines in that order
 *	side 1/0 [ sorted | sorted | sorted | sorted      ]        merge: from one side to the other
 *	side 1   [ sorted run       | sorted run          ]        halves
 *	             | last merge
 *	output   [ sorted text                            ]
 *
 * A range occupies the same bytes, and the same index entries, on both sides, whichever of them holds it at the moment;
 * so ranges never get in each other's way.
 *
 * n lines of text take O(n log n) comparisons, and log2(text / LEAF_SIZE) copies of every byte.
 *
 * Invariants of a sorted run in a side:
 *  L1 the first line begins where the run's text begins, the last one ends, with its newline, where that ends;
 *  L2 every line begins where the one before it ends;
 *  L3 no line is less than the one before it.
 * run_is_valid() looks at all of them where the run is small enough to be in RAM anyway, and at L1 elsewhere.
 */
#include <assert.h>
#include <string.h>

#include "line_sort.h"

/*
 * Bytes of text that are sorted by their index alone: a few pages of text and index, so that a leaf fits in the smallest
 * RAM that line_sort accepts, and enough lines to make merging the lesser part of the work.
 */
#define LEAF_SIZE ((size_t)8 << 10)

/* Lines that are sorted by insertion. */
#define INSERTION_COUNT 12

static uint64_t key_make(const char *text, size_t length)
{
	uint64_t key = 0;

	memcpy(&key, text, length < sizeof(key) ? length : sizeof(key));
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	key = __builtin_bswap64(key);
#endif
	return key;
}

/*
 * Compare two lines of one text as strings of unsigned bytes, a prefix before what it is a prefix of. Keys that differ
 * tell the order: at the first byte that differs both lines have one, or the shorter has ended and its zero is less.
 */
static inline int line_compare(const char *text, const struct line *a, const struct line *b)
{
	const size_t known = sizeof(a->key);
	size_t shorter = a->length < b->length ? a->length : b->length;

	if (a->key != b->key) {
		return a->key < b->key ? -1 : 1;
	}
	if (shorter > known) {
		int order = memcmp(text + a->offset + known, text + b->offset + known, shorter - known);

		if (order != 0) {
			return order;
		}
	}
	return (a->length > b->length) - (a->length < b->length);
}

/* Bytes of a line with its newline. */
static inline size_t line_size(const struct line *line)
{
	return line->length + 1;
}

__attribute__((unused)) static bool run_is_valid(const struct side *side, const struct run *run)
{
	const struct line *lines = side->lines + run->first;
	const struct line *last = lines + run->count - 1;

	if (run->count == 0 || lines->offset != run->begin || last->offset + line_size(last) != run->end) {
		return false; /* L1 */
	}
	if (run->end - run->begin > LEAF_SIZE) {
		return true;
	}
	for (size_t i = 1; i < run->count; i++) {
		if (lines[i].offset != lines[i - 1].offset + line_size(&lines[i - 1])) {
			return false; /* L2 */
		}
		if (line_compare(side->text, &lines[i - 1], &lines[i]) > 0) {
			return false; /* L3 */
		}
	}
	return true;
}

static void lines_sort_by_insertion(const char *text, struct line *lines, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		struct line line = lines[i];
		size_t hole = i;

		while (hole > 0 && line_compare(text, &lines[hole - 1], &line) > 0) {
			lines[hole] = lines[hole - 1];
			hole--;
		}
		lines[hole] = line;
	}
}

/* Sort index entries where they are, with room for as many in spare. The text stays. */
static void lines_sort(const char *text, struct line *lines, struct line *spare, size_t count)
{
	size_t half = count / 2;
	size_t left = 0;
	size_t right = half;

	if (count <= INSERTION_COUNT) {
		lines_sort_by_insertion(text, lines, count);
		return;
	}
	lines_sort(text, lines, spare, half);
	lines_sort(text, lines + half, spare, count - half);
	if (line_compare(text, &lines[half - 1], &lines[half]) <= 0) {
		return;
	}
	/* Only the left half moves away: what is merged never overtakes what is left of the right half. */
	memcpy(spare, lines, half * sizeof(*lines));
	for (size_t to = 0; left < half; to++) {
		if (right < count && line_compare(text, &spare[left], &lines[right]) > 0) {
			lines[to] = lines[right++];
		} else {
			lines[to] = spare[left++];
		}
	}
}

/* Make index entries for the text of a run; this is where its lines are counted. */
static void run_index(const struct side *side, struct run *run)
{
	struct line *line = side->lines + run->first;

	for (size_t offset = run->begin; offset < run->end; line++) {
		const char *text = side->text + offset;
		const char *newline = memchr(text, '\n', run->end - offset);

		assert(newline != NULL);
		line->offset = offset;
		line->length = (size_t)(newline - text);
		line->key = key_make(text, line->length);
		offset += line_size(line);
	}
	run->count = (size_t)(line - (side->lines + run->first));
}

/* Append a line to a run that grows at [*offset, ...) of a side's text and *to of its index. */
static inline void line_append(const struct side *side, struct line **to, size_t *offset, const char *text,
			       const struct line *line)
{
	memcpy(side->text + *offset, text + line->offset, line_size(line));
	**to = (struct line){.key = line->key, .offset = *offset, .length = line->length};
	*offset += line_size(line);
	(*to)++;
}

/* Sort a leaf, which side 0 holds as loaded, into a side. */
static void leaf_sort(const struct sorter *sorter, struct run *run, unsigned int to)
{
	const struct side *source = &sorter->sides[0];
	const struct side *target = &sorter->sides[1];
	struct line *next;
	size_t offset = run->begin;

	run_index(source, run);
	lines_sort(source->text, source->lines + run->first, target->lines + run->first, run->count);
	next = target->lines + run->first;
	for (size_t i = 0; i < run->count; i++) {
		line_append(target, &next, &offset, source->text, &source->lines[run->first + i]);
	}
	if (to == 0) {
		memcpy(source->text + run->begin, target->text + run->begin, run->end - run->begin);
		memcpy(source->lines + run->first, target->lines + run->first, run->count * sizeof(struct line));
	}
	assert(run_is_valid(&sorter->sides[to], run));
	progress_add(run->end - run->begin);
}

/* The lines of two runs of one side in order. */
struct merge {
	const struct side *side;
	const struct line *left, *left_end;
	const struct line *right, *right_end;
};

static struct merge merge_begin(const struct side *side, const struct run *left, const struct run *right)
{
	return (struct merge){
		.side = side,
		.left = side->lines + left->first,
		.left_end = side->lines + left->first + left->count,
		.right = side->lines + right->first,
		.right_end = side->lines + right->first + right->count,
	};
}

static inline const struct line *merge_next(struct merge *merge)
{
	if (merge->left == merge->left_end) {
		return merge->right == merge->right_end ? NULL : merge->right++;
	}
	if (merge->right != merge->right_end && line_compare(merge->side->text, merge->left, merge->right) > 0) {
		return merge->right++;
	}
	return merge->left++;
}

/* Merge two neighbouring runs of the other side into a side. */
static void runs_merge(const struct sorter *sorter, const struct run *left, const struct run *right, unsigned int to)
{
	const struct side *target = &sorter->sides[to];
	struct merge merge = merge_begin(&sorter->sides[1 - to], left, right);
	struct line *next = target->lines + left->first;
	size_t offset = left->begin;
	const struct line *line;

	while ((line = merge_next(&merge)) != NULL) {
		line_append(target, &next, &offset, merge.side->text, line);
		progress_add(line_size(line));
	}
}

/*
 * Where to cut [begin, end) of unsorted text in two: behind the line in its middle, or before it if it is the last one.
 * Returns begin if there is one line only.
 */
static size_t text_split(const char *text, size_t begin, size_t end)
{
	size_t middle = begin + (end - begin) / 2;
	const char *newline = memchr(text + middle, '\n', end - middle);

	assert(newline != NULL);
	if (newline + 1 < text + end) {
		return (size_t)(newline + 1 - text);
	}
	while (middle > begin && text[middle - 1] != '\n') {
		middle--;
	}
	return middle;
}

/* Sort the text [begin, end) of side 0 into a side; find how many lines it has. Recursion is log2(size) deep. */
static void range_sort(const struct sorter *sorter, struct run *run, unsigned int to)
{
	size_t middle = run->begin;
	struct run left, right;

	if (run->end - run->begin > LEAF_SIZE) {
		middle = text_split(sorter->sides[0].text, run->begin, run->end);
	}
	if (middle == run->begin) {
		leaf_sort(sorter, run, to);
		return;
	}
	left = (struct run){.begin = run->begin, .end = middle, .first = run->first};
	range_sort(sorter, &left, 1 - to);
	right = (struct run){.begin = middle, .end = run->end, .first = left.first + left.count};
	range_sort(sorter, &right, 1 - to);
	runs_merge(sorter, &left, &right, to);
	run->count = left.count + right.count;
	assert(run_is_valid(&sorter->sides[to], run));
}

/* Bytes that sorting moves, for the progress display: every byte once for each level of the recursion. */
static size_t work_estimate(size_t size)
{
	size_t work = 0;

	for (size_t part = size / 2; part > LEAF_SIZE; part /= 2) {
		work += size;
	}
	return work + size;
}

/* Sort all of the text but for the last merge, which sorter_write() does on the way out. */
void sorter_sort(struct sorter *sorter)
{
	const size_t end = sorter->text_size;
	size_t middle = text_split(sorter->sides[0].text, 0, end);
	struct run *left = &sorter->halves[0];
	struct run *right = &sorter->halves[1];

	progress_begin("sorting", work_estimate(end));
	*left = (struct run){0};
	if (middle > 0) {
		left->end = middle;
		range_sort(sorter, left, 1);
	}
	*right = (struct run){.begin = middle, .end = end, .first = left->count};
	range_sort(sorter, right, 1);
	assert(left->count + right->count == sorter->line_count);
	progress_end();
}

/* Write the lines in order. */
void sorter_write(struct sorter *sorter)
{
	struct merge merge = merge_begin(&sorter->sides[1], &sorter->halves[0], &sorter->halves[1]);
	const struct line *line;

	progress_begin("writing", sorter->text_size);
	while ((line = merge_next(&merge)) != NULL) {
		output_write(merge.side->text + line->offset, line_size(line));
		progress_add(line_size(line));
	}
	progress_end();
}
