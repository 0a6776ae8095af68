/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Libraries, and whose heap and locks they meet: one that is linked and has been at work before main(), and one that is opened with
 * RTLD_DEEPBIND, so that it looks for malloc() and free() in the C library first. The latter's file is the argument.
 */
#include <dlfcn.h>
#include <libintl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECONDS_MAX 60
#define BINDINGS 4U
#define BLOCKS 200
#define BLOCK_SIZE 30000UL

const char *early_directory(void);

static int deep_use(void *library)
{
	char *(*give)(size_t) = (char *(*)(size_t))(uintptr_t)dlsym(library, "deep_give");
	size_t (*take)(char *) = (size_t (*)(char *))(uintptr_t)dlsym(library, "deep_take");
	static char *blocks[BLOCKS];
	size_t sum = 0;

	if (give == NULL || take == NULL) {
		return 1;
	}
	for (size_t i = 0; i < BLOCKS; i++) {
		blocks[i] = give(i + BLOCK_SIZE);
	}
	for (size_t i = 0; i < BLOCKS; i++) {
		char *larger = realloc(blocks[i], BLOCK_SIZE * 2);

		sum += i % 2 == 0 ? take(larger) : strlen(larger);
		if (i % 2 != 0) {
			free(larger);
		}
	}
	printf("%zu bytes\n", sum);
	return 0;
}

int main(int argc, char *argv[])
{
	void *library;

	(void)alarm(SECONDS_MAX);
	if (argc != 2) {
		return 2;
	}
	printf("%s\n", early_directory());
	for (unsigned int i = 0; i < BINDINGS; i++) {
		printf("%s\n", bindtextdomain("prog_library_early", i % 2 == 0 ? "/nowhere/late" : "/nowhere"));
	}
	printf("message: %s\n", dlerror() == NULL ? "none" : "left behind");
	library = dlopen(argv[1], RTLD_NOW | RTLD_DEEPBIND);
	if (library == NULL) {
		printf("%s\n", dlerror());
		return 1;
	}
	return deep_use(library);
}
