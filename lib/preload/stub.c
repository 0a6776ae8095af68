/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stub: a page at a constant address with one system call instruction, which the filter lets pass.
 *
 * The filter is inherited, the library of the next program lies elsewhere, so only a constant address can be told by. The page's address,
 * size and contents are part of the contract between generations of the library, and never change. It is mapped by start, after
 * every exec; children of fork() and vfork() have it by themselves. A process that has no filter calls as well without it.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "host/log.h"
#include "host/process.h"
#include "preload/bounce.h"
#include "preload/filter.h"

/* syscall; ret */
static const unsigned char stub_code[] = {0x0f, 0x05, 0xc3};

/* Set once the page is there. */
static bool is_mapped;

/*
 * From the C calling convention to the system call's, the seventh argument from the caller's frame, and on into the stub, which
 * returns to our caller. Before the page is there, the instruction here does. All in registers: nothing to save, no frame.
 */
__asm__(".pushsection .text.kmem_stub_call, \"ax\", @progbits\n"
	".globl kmem_stub_call\n"
	".hidden kmem_stub_call\n"
	".type kmem_stub_call, @function\n"
	"kmem_stub_call:\n"
	"	.cfi_startproc\n"
	"	movq %rdi, %rax\n"
	"	movq %rsi, %rdi\n"
	"	movq %rdx, %rsi\n"
	"	movq %rcx, %rdx\n"
	"	movq %r8, %r10\n"
	"	movq %r9, %r8\n"
	"	movq 8(%rsp), %r9\n"
	"	movq kmem_stub_entry(%rip), %r11\n"
	"	jmpq *%r11\n"
	"kmem_stub_own:\n"
	"	syscall\n"
	"	retq\n"
	"	.cfi_endproc\n"
	"	.size kmem_stub_call, . - kmem_stub_call\n"
	".popsection\n");

/* Where kmem_stub_call() goes. */
extern const unsigned char kmem_stub_own[] __attribute__((visibility("hidden")));
extern const void *kmem_stub_entry __attribute__((visibility("hidden")));
const void *kmem_stub_entry = kmem_stub_own;

static int failed(char *error, size_t error_size, const char *tried, long ret)
{
	(void)kmem_format(error, error_size, "the page for system calls cannot be had: %s at %p: %s", tried,
			  (void *)KMEM_STUB_ADDR, kmem_error_name((int)-ret));
	return (int)ret;
}

/* The page with its contents, not yet executable. 0 or -errno. */
static long page_map(void)
{
	long ret = kmem_raw_call(SYS_mmap, KMEM_STUB_ADDR, KMEM_STUB_SIZE, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, UINT64_MAX, 0);

	if (ret < 0) {
		return ret;
	}
	/* Kernels before 4.17 take the address for a hint. */
	if ((uint64_t)ret != KMEM_STUB_ADDR) {
		(void)kmem_raw_call(SYS_munmap, (uint64_t)ret, KMEM_STUB_SIZE, 0, 0, 0, 0);
		return -EEXIST;
	}
	(void)memcpy((void *)KMEM_STUB_ADDR, stub_code, sizeof(stub_code));
	return 0;
}

int kmem_stub_map(char *error, size_t error_size)
{
	long ret;

	if (is_mapped) {
		return 0;
	}
	ret = page_map();
	if (ret != 0) {
		return failed(error, error_size, "mmap(MAP_FIXED_NOREPLACE)", ret);
	}
	ret = kmem_raw_call(SYS_mprotect, KMEM_STUB_ADDR, KMEM_STUB_SIZE, PROT_READ | PROT_EXEC, 0, 0, 0);
	if (ret != 0) {
		(void)kmem_raw_call(SYS_munmap, KMEM_STUB_ADDR, KMEM_STUB_SIZE, 0, 0, 0, 0);
		return failed(error, error_size, "mprotect(PROT_READ | PROT_EXEC)", ret);
	}
	is_mapped = true;
	kmem_stub_entry = (const void *)KMEM_STUB_ADDR;
	return 0;
}
