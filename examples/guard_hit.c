/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A guard page catches a write behind the end of a mapping, and the program lives on.
 *
 * Every k_mem_map() lies between two guard pages. Touching one is a fatal error, which ends the process with an
 * explanation, unless the program has a fatal error handler of its own. This one leaves by longjmp.
 */
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <kmem/fatal.h>
#include <kmem/kmem.h>

#define SIZE ((size_t)16 << 10)

static jmp_buf caught;
static enum kmem_fault_kind caught_kind;
static char caught_text[512];

/* Called in the thread that made the access, with no lock held. */
void k_sys_fatal_error_handler(unsigned int reason, const struct arch_esf *esf)
{
	(void)reason;
	caught_kind = esf->kind;
	strncpy(caught_text, esf->text, sizeof(caught_text) - 1);
	longjmp(caught, 1);
}

int main(void)
{
	char *volatile memory = k_mem_map(SIZE, K_MEM_PERM_RW);

	if (memory == NULL) {
		return 1;
	}
	memset(memory, 'x', SIZE);
	printf("wrote %zu bytes at %p\n", SIZE, (void *)memory);
	if (setjmp(caught) == 0) {
		memory[SIZE] = 'x'; /* one too many */
		printf("not caught\n");
		return 1;
	}
	printf("caught: %s\n", caught_text);
	printf("the last byte in bounds is still '%c'\n", memory[SIZE - 1]);
	k_mem_unmap(memory, SIZE);
	return caught_kind == KMEM_FAULT_GUARD ? 0 : 1;
}
