/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls on the thread's alternate stack: see stack.h.
 *
 * Code that runs on a paged stack does not run on the alternate one, which is therefore free from its end down. Signals that come
 * meanwhile are delivered below, since the stack pointer is in it.
 */
#include "host/stack.h"

#include <stdbool.h>
#include <stddef.h>

#include "host/thread.h"

#if defined(__x86_64__)

static bool is_paged(const void *address)
{
	return kmem_thread_stack_is_paged != NULL && kmem_thread_stack_is_paged(address, 1);
}

/* Call function(argument) with a stack that ends at `end`, a multiple of 16. The frame pointer keeps the way back, and tells unwinders. */
long kmem_stack_switch(long (*function)(void *argument), void *argument, void *end);
__asm__(".pushsection .text\n"
	".globl kmem_stack_switch\n"
	".hidden kmem_stack_switch\n"
	".type kmem_stack_switch, @function\n"
	"kmem_stack_switch:\n"
	".cfi_startproc\n"
	"	pushq %rbp\n"
	".cfi_def_cfa_offset 16\n"
	".cfi_offset rbp, -16\n"
	"	movq %rsp, %rbp\n"
	".cfi_def_cfa_register rbp\n"
	"	movq %rdi, %rax\n"
	"	movq %rsi, %rdi\n"
	"	movq %rdx, %rsp\n"
	"	callq *%rax\n"
	"	movq %rbp, %rsp\n"
	"	popq %rbp\n"
	".cfi_def_cfa rsp, 8\n"
	"	retq\n"
	".cfi_endproc\n"
	".size kmem_stack_switch, . - kmem_stack_switch\n"
	".popsection\n");

long kmem_stack_call(long (*function)(void *argument), void *argument)
{
	void *end = is_paged(__builtin_frame_address(0)) ? kmem_thread_altstack_end() : NULL;

	return end != NULL ? kmem_stack_switch(function, argument, end) : function(argument);
}

#else

long kmem_stack_call(long (*function)(void *argument), void *argument)
{
	return function(argument);
}

#endif
