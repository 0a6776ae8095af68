/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copying from and to memory that may not be there.
 *
 * Theory of operation. The x86-64's copies are written out, so that the address of the one instruction in each that touches the
 * caller's memory is known. A trap that cannot be served there is told by its instruction pointer, which is moved to where the
 * function returns what it has. `rep movsb` keeps its registers at the byte that trapped, so its count tells how many were copied.
 * A page that comes in by a trap resumes the very instruction. Nothing is locked.
 *
 * Other architectures copy in the ordinary way, and a bad access there is the program's.
 */
#include "host/copy.h"

#include <errno.h>
#include <string.h>
#include <ucontext.h>

#if defined(__x86_64__)

/* The instructions that may trap, and where they continue then. */
extern const char kmem_copy_moving[] __attribute__((visibility("hidden")));
extern const char kmem_copy_moved[] __attribute__((visibility("hidden")));
extern const char kmem_copy_reading[] __attribute__((visibility("hidden")));
extern const char kmem_copy_unreadable[] __attribute__((visibility("hidden")));

#define STRING(text) #text
#define EXPANDED(text) STRING(text)

__asm__(".pushsection .text\n"
	".globl kmem_copy\n"
	".hidden kmem_copy\n"
	".type kmem_copy, @function\n"
	".globl kmem_copy_moving\n"
	".hidden kmem_copy_moving\n"
	".globl kmem_copy_moved\n"
	".hidden kmem_copy_moved\n"
	"kmem_copy:\n"
	"	.cfi_startproc\n"
	"	endbr64\n"
	"	mov %rdx, %rcx\n"
	"kmem_copy_moving:\n"
	"	rep movsb\n"
	"kmem_copy_moved:\n"
	"	mov %rdx, %rax\n"
	"	sub %rcx, %rax\n"
	"	ret\n"
	"	.cfi_endproc\n"
	".size kmem_copy, . - kmem_copy\n"
	".globl kmem_copy_strnlen\n"
	".hidden kmem_copy_strnlen\n"
	".type kmem_copy_strnlen, @function\n"
	".globl kmem_copy_reading\n"
	".hidden kmem_copy_reading\n"
	".globl kmem_copy_unreadable\n"
	".hidden kmem_copy_unreadable\n"
	"kmem_copy_strnlen:\n"
	"	.cfi_startproc\n"
	"	endbr64\n"
	"	xor %eax, %eax\n"
	"1:	cmp %rsi, %rax\n"
	"	je 2f\n"
	"kmem_copy_reading:\n"
	"	cmpb $0, (%rdi, %rax)\n"
	"	je 2f\n"
	"	inc %rax\n"
	"	jmp 1b\n"
	"2:	ret\n"
	"kmem_copy_unreadable:\n"
	"	mov $-" EXPANDED(EFAULT) ", %rax\n"
	"	ret\n"
	"	.cfi_endproc\n"
	".size kmem_copy_strnlen, . - kmem_copy_strnlen\n"
	".popsection\n");

bool (*_Atomic kmem_copy_rescue)(void *ucontext);

bool kmem_copy_fixup(void *ucontext)
{
	ucontext_t *context = ucontext;
	greg_t *pc = &context->uc_mcontext.gregs[REG_RIP];

	if (*pc == (greg_t)(uintptr_t)kmem_copy_moving) {
		*pc = (greg_t)(uintptr_t)kmem_copy_moved;
		return true;
	}
	if (*pc == (greg_t)(uintptr_t)kmem_copy_reading) {
		*pc = (greg_t)(uintptr_t)kmem_copy_unreadable;
		return true;
	}
	return kmem_copy_rescue != NULL && kmem_copy_rescue(ucontext);
}

#else

size_t kmem_copy(void *to, const void *from, size_t size)
{
	memcpy(to, from, size);
	return size;
}

long kmem_copy_strnlen(const char *string, size_t max)
{
	return (long)strnlen(string, max);
}

bool (*_Atomic kmem_copy_rescue)(void *ucontext);

bool kmem_copy_fixup(void *ucontext)
{
	(void)ucontext;
	return false;
}

#endif
