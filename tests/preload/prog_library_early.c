/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A library whose constructor runs before those of a preloaded library, and makes the first allocation of the process where the C library
 * holds a lock of gettext's.
 */
#include <libintl.h>

const char *early_directory(void);

static const char *directory;

__attribute__((constructor)) static void bind(void)
{
	directory = bindtextdomain("prog_library_early", "/nowhere/early");
}

const char *early_directory(void)
{
	return directory;
}
