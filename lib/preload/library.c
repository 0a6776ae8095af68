/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dlopen() without RTLD_DEEPBIND.
 *
 * A library that is opened with it looks for names among its own dependencies first, and finds the C library's malloc() and free() there
 * before ours: what one side allocates is given to the other to free. It would also make system calls past the wrappers here. PHP opens
 * its extensions so, and the Kerberos libraries their plug-ins. Without the flag the library finds what the program finds; only one that
 * has functions of the same names as the program, and relies on its own, can tell.
 *
 * dlopen() tells by its return address whose run path to search, so the C library's own is jumped to, with the stack as it was. Libraries in
 * a name space of their own (dlmopen()) have a C library of their own as well, and are left alone. No locks.
 */
#include <dlfcn.h>
#include <stdint.h>

#include "preload/next.h"

/* From the assembly below alone. */
void *kmem_library_open_next(void) __attribute__((visibility("hidden"), used));

void *kmem_library_open_next(void)
{
	return (void *)(uintptr_t)KMEM_NEXT(dlopen);
}

#define STRING_OF(value) #value
#define STRING(value) STRING_OF(value)

/* Both arguments are kept over the search for the C library's function, the stack aligned by 16 bytes meanwhile. */
__asm__(".pushsection .text.dlopen, \"ax\", @progbits\n"
	".globl dlopen\n"
	".type dlopen, @function\n"
	"dlopen:\n"
	"	.cfi_startproc\n"
	"	endbr64\n"
	"	pushq %rdi\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	pushq %rsi\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	subq $8, %rsp\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	call kmem_library_open_next\n"
	"	addq $8, %rsp\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	popq %rsi\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	popq %rdi\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	andl $~" STRING(RTLD_DEEPBIND) ", %esi\n"
	"	jmpq *%rax\n"
	"	.cfi_endproc\n"
	"	.size dlopen, . - dlopen\n"
	".popsection\n");
