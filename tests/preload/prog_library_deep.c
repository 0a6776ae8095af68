/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A library to be opened: it allocates what the program frees, and frees what the program has allocated.
 */
#include <stdlib.h>
#include <string.h>

char *deep_give(size_t size);
size_t deep_take(char *text);

char *deep_give(size_t size)
{
	char *text = malloc(size);

	if (text != NULL) {
		memset(text, 'd', size - 1);
		text[size - 1] = '\0';
	}
	return text;
}

size_t deep_take(char *text)
{
	size_t length = strlen(text);

	free(text);
	return length;
}
