/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of line_sort share.
 *
 * main.c reads the command line and walks through the job; input.c reads files into paged memory; sort.c sorts there;
 * output.c writes the result and keeps half-written files from being left behind; report.c talks to the user.
 *
 * Errors here are final: whoever meets one calls die(), which prints one line, removes what was written so far and
 * ends the program with status 1.
 */
#ifndef LINE_SORT_H
#define LINE_SORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Bytes that system calls read into and write from. They cannot bring paged memory in, so everything passes through
 * ordinary static buffers of this size.
 */
#define BOUNCE_SIZE ((size_t)256 << 10)

/* One line of text, in paged memory. */
struct line {
	uint64_t key;  /* its first eight bytes, first byte highest, zeros behind a shorter line */
	size_t offset; /* bytes from the start of its side's text */
	size_t length; /* bytes, without the newline that follows */
};

/* Text and the index of its lines: both are mapped with k_mem_map(). */
struct side {
	char *text;
	struct line *lines;
};

/* A stretch of lines: the bytes [begin, end) of the text, the entries [first, first + count) of the index. */
struct run {
	size_t begin;
	size_t end;
	size_t first;
	size_t count;
};

/* The job: two sides, because merging needs somewhere to merge to. The input is loaded into the text of side 0. */
struct sorter {
	struct side sides[2];
	size_t text_size; /* bytes, final newlines that were added included */
	size_t line_count;
	struct run halves[2]; /* after sorter_sort(): two sorted runs, in side 1 */
};

/* One FILE of the command line. */
struct input {
	const char *path;
	size_t size;      /* bytes in the file */
	size_t newlines;  /* in the file */
	bool add_newline; /* after the last byte */
};

/* input.c */
void input_examine(struct input *input, bool may_add_newline);
size_t input_load(const struct input *input, char *text);

/* sort.c */
void sorter_sort(struct sorter *sorter);
void sorter_write(struct sorter *sorter);

/* output.c: path NULL is standard output. abandon may be called at any time, from signal handlers too. */
void output_open(const char *path);
void output_write(const char *bytes, size_t size);
void output_commit(void);
void output_abandon(void);
void output_store_file(const char *path); /* the store's, which abandon removes as well: the library may have no time to */

/* report.c */
__attribute__((noreturn, format(printf, 1, 2))) void die(const char *format, ...);
void progress_begin(const char *what, size_t total);
void progress_add(size_t amount);
void progress_end(void);
void stats_print(const struct sorter *sorter, double elapsed);

#endif /* LINE_SORT_H */
