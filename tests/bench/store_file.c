/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file for pages; see store_file.h.
 */
#include "store_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench.h"

int store_file_open(void)
{
	const char *folder = getenv("TMPDIR");
	char path[4096];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/kmem-bench-XXXXXX", folder != NULL && folder[0] != '\0' ? folder : "/var/tmp");
	fd = mkstemp(path);
	if (fd < 0) {
		bench_die(path);
	}
	(void)unlink(path);
	return fd;
}
