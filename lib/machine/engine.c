/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which engine runs: the one that was named, or the first of the list that the host can run. Normal context.
 */
#include "machine/engine.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "host/failpoint.h"
#include "host/log.h"
#include "host/process.h"

/* In the order of "auto". */
static const struct kmem_engine *const engines[] = {&kmem_engine_uffd, &kmem_engine_guard, &kmem_engine_mmap};

#define ENGINE_COUNT (sizeof(engines) / sizeof(engines[0]))

/* Why an engine was taken, or none, as the last kmem_engine_find() had it: room for each one's name and error. */
static char reason_text[160];

/* Put one more engine that cannot run, and why, into the reason. */
static void reason_add(const char *name, int error)
{
	size_t used = strlen(reason_text);

	(void)kmem_format(reason_text + used, sizeof(reason_text) - used, "; %s: %s", name, kmem_error_name(error));
}

/* What an engine cannot do is nobody's failure: the next one is asked, or the name refused. */
static int probe(const struct kmem_engine *engine)
{
	int ret;

	kmem_failpoint_hold();
	ret = engine->probe();
	kmem_failpoint_release();
	return ret;
}

/* The first engine from a place in the list on that runs; the reason has those before it, which do not. */
static const struct kmem_engine *find_best(size_t first)
{
	for (size_t i = first; i < ENGINE_COUNT; i++) {
		int ret = probe(engines[i]);

		if (ret == 0) {
			return engines[i];
		}
		reason_add(engines[i]->name, -ret);
	}
	return NULL;
}

static const struct kmem_engine *find_named(const char *name)
{
	for (size_t i = 0; i < ENGINE_COUNT; i++) {
		if (strcmp(name, engines[i]->name) == 0) {
			return engines[i];
		}
	}
	return NULL;
}

static void reason_set(const char *text)
{
	(void)kmem_format(reason_text, sizeof(reason_text), "%s", text);
}

const struct kmem_engine *kmem_engine_find(const char *name, const char **reason)
{
	const struct kmem_engine *engine;
	int ret;

	*reason = reason_text;
	if (strcmp(name, "auto") == 0) {
		reason_set("the best that this host can run");
		engine = find_best(0);
		if (engine == NULL) {
			reason_set("no engine runs on this host");
		}
		return engine;
	}
	engine = find_named(name);
	if (engine == NULL) {
		reason_set("unknown");
		return NULL;
	}
	ret = probe(engine);
	if (ret != 0) {
		reason_set("this host cannot run it");
		reason_add(engine->name, -ret);
		return NULL;
	}
	reason_set("asked for");
	return engine;
}

/* What says that the host forbids something, rather than that it is short of it now. */
static bool is_refusal(int error)
{
	return error == -EPERM || error == -EACCES || error == -EINVAL || error == -ENOSYS || error == -EFBIG;
}

const struct kmem_engine *kmem_engine_find_other(const struct kmem_engine *failed, int error, const char **reason)
{
	size_t i = 0;

	while (engines[i] != failed) {
		i++;
	}
	if (!is_refusal(error)) {
		return NULL;
	}
	*reason = reason_text;
	reason_add(failed->name, -error);
	return find_best(i + 1);
}

const char *kmem_engine_names(void)
{
	return "auto, guard, mmap, uffd";
}
