/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether this host can run an engine: probe_engine NAME, status 0 if it can; otherwise it says why not. For run.sh.
 */
#include <stdio.h>

#include "machine/engine.h"

int main(int argc, char **argv)
{
	const char *reason;

	if (argc != 2) {
		fprintf(stderr, "usage: probe_engine NAME\n");
		return 2;
	}
	if (kmem_engine_find(argv[1], &reason) == NULL) {
		printf("engine %s: %s\n", argv[1], reason);
		return 1;
	}
	return 0;
}
