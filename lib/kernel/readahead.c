/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finding streams, and the sizes of their windows.
 *
 * Theory of operation. A fault at page p belongs to a stream with step s if p lies on its steps, behind the window that the last fault was
 * worth: at once behind it as a rule, or somewhat further where pages were in already. That confirms the window, which doubles. A fault
 * within that window says that a page was brought in too early, and has gone again, or could not be brought in: the window is halved. What
 * belongs to no stream begins one if the faults before it, in whatever order they came, make two steps of a page each, or three of any
 * other length up to STEP_PAGES_MAX. So a stream of neighbours costs two faults before its first window, and of 16 pages at most, in
 * windows of 2, 4, 8, a fault each.
 *
 * All pages of a window are exposed at once, so that a stream traps once a window; that it went on is known from its next fault. They
 * count as accessed, then, until the policy looks at them for the first time, as every page does that comes in. What is brought in for
 * nothing is at most the last window, hence no more than was of use before.
 *
 * A thread may follow KMEM_STREAMS streams at once, as one that merges or copies does. The one that was least recently of use makes
 * room for a new one.
 *
 * Nothing is locked: streams are the thread's, the rest is constant while the machine runs.
 */
#include "kernel/readahead.h"

#include <string.h>

#define STEP_PAGES_MAX 256
#define WINDOW_FIRST 2U

/* Constant while booted. */
static struct {
	intptr_t page_size;
	uint32_t pages_max;
	uint32_t generation;
} readahead;

void kmem_readahead_init(size_t page_size, size_t pages_max)
{
	readahead.page_size = (intptr_t)page_size;
	readahead.pages_max = (uint32_t)pages_max;
	readahead.generation++;
}

bool kmem_readahead_is_on(void)
{
	return readahead.pages_max > 1;
}

/* Steps from a stream's last fault to a page, or 0 where the page does not lie ahead on them. */
static uintptr_t steps_to(const struct kmem_stream *stream, uintptr_t page)
{
	bool is_forwards = stream->step > 0;
	uintptr_t distance = is_forwards ? page - stream->last : stream->last - page;
	uintptr_t step = (uintptr_t)(is_forwards ? stream->step : -stream->step);

	if (stream->last == 0 || (is_forwards ? page <= stream->last : page >= stream->last) || distance % step != 0) {
		return 0;
	}
	return distance / step;
}

/* The stream that a fault belongs to, with its window as it is from now on; NULL if there is none. */
static struct kmem_stream *stream_continued(struct kmem_streams *streams, uintptr_t page)
{
	for (size_t i = 0; i < KMEM_STREAMS; i++) {
		struct kmem_stream *stream = &streams->streams[i];
		uintptr_t steps = steps_to(stream, page);

		if (steps == 0 || steps > stream->window + readahead.pages_max) {
			continue;
		}
		if (steps < stream->window) {
			stream->window /= 2;
		} else {
			stream->window *= 2;
		}
		return stream;
	}
	return NULL;
}

static bool is_recent(const struct kmem_streams *streams, uintptr_t page)
{
	for (size_t i = 0; i < KMEM_FAULTS_RECENT; i++) {
		if (streams->recent[i] == page) {
			return true;
		}
	}
	return false;
}

static intptr_t magnitude(intptr_t step)
{
	return step < 0 ? -step : step;
}

/* Whether the faults before this one lead to it in such steps. */
static bool is_confirmed(const struct kmem_streams *streams, uintptr_t page, intptr_t step)
{
	if (step == 0 || magnitude(step) > STEP_PAGES_MAX * readahead.page_size) {
		return false;
	}
	return is_recent(streams, page - (uintptr_t)(2 * step)) &&
	       (magnitude(step) == readahead.page_size || is_recent(streams, page - (uintptr_t)(3 * step)));
}

/* The shortest step that leads to a page from the faults before it; 0 if there is none. */
static intptr_t step_find(const struct kmem_streams *streams, uintptr_t page)
{
	intptr_t best = 0;

	for (size_t i = 0; i < KMEM_FAULTS_RECENT; i++) {
		intptr_t step = (intptr_t)(page - streams->recent[i]);

		if (is_confirmed(streams, page, step) && (best == 0 || magnitude(step) < magnitude(best))) {
			best = step;
		}
	}
	return best;
}

/* A stream begins, in the place of the one whose last fault is longest ago. */
static struct kmem_stream *stream_begin(struct kmem_streams *streams, intptr_t step)
{
	struct kmem_stream *oldest = &streams->streams[0];

	for (size_t i = 0; i < KMEM_STREAMS && oldest->last != 0; i++) {
		struct kmem_stream *stream = &streams->streams[i];

		if (stream->last == 0 || streams->count - stream->used > streams->count - oldest->used) {
			oldest = stream;
		}
	}
	*oldest = (struct kmem_stream){.step = step, .window = WINDOW_FIRST};
	return oldest;
}

/* The stream of a fault, new or not; NULL where it belongs to none. */
static struct kmem_stream *stream_of(struct kmem_streams *streams, uintptr_t page, bool is_sequential)
{
	struct kmem_stream *stream = stream_continued(streams, page);
	intptr_t step;

	if (stream == NULL) {
		step = step_find(streams, page);
		streams->recent[streams->count % KMEM_FAULTS_RECENT] = page;
		if (step == 0 && is_sequential) {
			step = readahead.page_size;
		}
		stream = step != 0 ? stream_begin(streams, step) : NULL;
	}
	if (stream != NULL && is_sequential) {
		stream->window = readahead.pages_max;
	}
	return stream;
}

struct kmem_readahead kmem_readahead_fault(struct kmem_streams *streams, uintptr_t page, bool is_write, bool is_sequential)
{
	struct kmem_readahead result = {.step = 0, .pages = 1, .is_write = is_write};
	struct kmem_stream *stream;

	if (streams->generation != readahead.generation) {
		memset(streams, 0, sizeof(*streams));
		streams->generation = readahead.generation;
	}
	streams->count++;
	stream = stream_of(streams, page, is_sequential);
	if (stream == NULL) {
		return result;
	}
	stream->window = stream->window > readahead.pages_max ? readahead.pages_max : stream->window;
	stream->window = stream->window == 0 ? 1 : stream->window;
	stream->last = page;
	stream->used = streams->count;
	stream->is_write = stream->is_write || is_write;
	if (stream->window > 1) {
		result = (struct kmem_readahead){.step = stream->step, .pages = stream->window, .is_write = stream->is_write};
	}
	return result;
}

void kmem_readahead_written(struct kmem_streams *streams, uintptr_t page)
{
	for (size_t i = 0; i < KMEM_STREAMS; i++) {
		struct kmem_stream *stream = &streams->streams[i];

		if (stream->last == page || (stream->last != 0 && steps_to(stream, page) - 1 < stream->window - 1)) {
			stream->is_write = true;
			return;
		}
	}
}
