/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which engine runs: the one that was named, or the first of the list that the host can run.
 */
#include "machine/engine.h"

#include <string.h>

/* Best first. */
static const struct kmem_engine *const engines[] = {&kmem_engine_mmap};

#define ENGINE_COUNT (sizeof(engines) / sizeof(engines[0]))

const struct kmem_engine *kmem_engine_find(const char *name, const char **reason)
{
	int is_auto = strcmp(name, "auto") == 0;

	for (size_t i = 0; i < ENGINE_COUNT; i++) {
		if (!is_auto && strcmp(name, engines[i]->name) != 0) {
			continue;
		}
		if (engines[i]->probe() != 0) {
			continue;
		}
		*reason = is_auto ? "the best that this host can run" : "asked for";
		return engines[i];
	}
	*reason = is_auto ? "no engine runs on this host" : "unknown, or impossible on this host";
	return NULL;
}

const char *kmem_engine_names(void)
{
	return "auto, mmap";
}
