/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Engines in child processes; see engines.h.
 */
#include "engines.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <kmem/kmem.h>

#include "bench.h"

const char *engine_next(const char **list, char *name, size_t size)
{
	size_t length = strcspn(*list, ",");

	if (length == 0) {
		return NULL;
	}
	(void)snprintf(name, size, "%.*s", (int)length, *list);
	*list += length + ((*list)[length] == ',' ? 1 : 0);
	return name;
}

int engine_boot(const struct kmem_config *config)
{
	int saved = dup(STDERR_FILENO);
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	int ret;

	(void)dup2(null, STDERR_FILENO);
	ret = kmem_boot(config);
	(void)dup2(saved, STDERR_FILENO);
	(void)close(saved);
	(void)close(null);
	return ret;
}

/* Whether the host runs it. */
static bool engine_runs(const char *engine)
{
	struct kmem_config config = {.struct_size = sizeof(config), .engine = engine};

	if (engine_boot(&config) != 0) {
		bench_skip(engine, kmem_boot_error());
		return false;
	}
	(void)kmem_shutdown();
	return true;
}

void engines_each(void (*measure)(const char *engine))
{
	const char *list = bench.engines;
	char engine[16];

	while (engine_next(&list, engine, sizeof(engine)) != NULL) {
		int status;
		pid_t pid;

		(void)fflush(NULL);
		pid = fork();
		if (pid < 0) {
			bench_die("fork");
		}
		if (pid == 0) {
			if (engine_runs(engine)) {
				measure(engine);
			}
			(void)fflush(NULL);
			_exit(0);
		}
		if (waitpid(pid, &status, 0) != pid || status != 0) {
			bench_fail("%s: the process that measures it failed, status 0x%x", engine, (unsigned int)status);
		}
	}
}
