/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program with a bug that goes unnoticed, until it is run as `kmem-run --guard ./overrun`: it dies at the instruction that writes behind the
 * block, and the report says whose block it was.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Not static, so that the report knows its name (-rdynamic). */
char *name_make(const char *first, const char *last);

__attribute__((noinline)) char *name_make(const char *first, const char *last)
{
	char *name = malloc(strlen(first) + strlen(last) + 1); /* and the space? */

	strcpy(name, first);
	strcat(name, " ");
	strcat(name, last);
	return name;
}

int main(void)
{
	char *name = name_make("Augusta Ada", "Countess of Lovelace");
	char *copy = name_make("Grace", "Brewster Hopper");

	printf("%s, %s\n", name, copy);
	free(copy);
	free(name);
	return 0;
}
