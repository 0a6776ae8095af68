/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The system calls: which arguments are pointers, to what, of what size, in which direction.
 *
 * One table (call.c), ascending by number, of every call that takes a pointer to memory that the host kernel reads or writes. The filter is
 * made of it (filter.c: which registers to look at), and so is what the handler does (bounce.c). Where one argument tells what
 * another is (fcntl()'s command, prctl()'s option, ...), the table has the registers that can be pointers, and kmem_call_args_get() says
 * what they are in this call (call_variant.c).
 *
 * Not in the table: calls that are given an address to do something with the mapping there, which is the same whether the page is in or not
 * (mmap(), munmap(), mprotect(), madvise(), mremap(), mlock(), msync(), mbind()'s first argument, ...). The library makes them itself, and
 * the program's come by way of the C library's functions (map.c).
 */
#ifndef KMEM_PRELOAD_CALL_H
#define KMEM_PRELOAD_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KMEM_CALL_ARGS 6

/* What an argument points to. */
enum kmem_call_shape {
	KMEM_SHAPE_VALUE,    /* no pointer */
	KMEM_SHAPE_BYTES,    /* bytes, their number by enum kmem_call_size */
	KMEM_SHAPE_STRING,   /* up to a NUL; of a longer one than unit bytes (0: PATH_MAX) the first unit are copied, without a NUL */
	KMEM_SHAPE_STRINGS,  /* argv, envp */
	KMEM_SHAPE_IOVEC,    /* struct iovec, as many as argument size_arg says; direction is the data's */
	KMEM_SHAPE_MSGHDR,   /* struct msghdr with all that it points to; direction is the data's */
	KMEM_SHAPE_MMSGHDR,  /* struct mmsghdr, as many as argument size_arg says; direction is the data's */
	KMEM_SHAPE_FPROG,    /* struct sock_fprog and the instructions that it points to, read */
	KMEM_SHAPE_IFCONF,   /* struct ifconf: a length, and the buffer of that length that it points to; both are written */
	KMEM_SHAPE_ADDRESS,  /* what counts is the address itself (a futex): it is not copied; the call's own function knows */
	KMEM_SHAPE_OWN,      /* only kmem_call_args_get() or the call's own function knows: ioctl(), bpf(), clone3(), pselect6()'s last */
};

/*
 * Who touches it. What is written goes back to the program when the call has succeeded. What is read as well (INOUT) goes back after a
 * failure, too, as far as it has changed.
 */
enum kmem_call_direction {
	KMEM_CALL_IN = 1,    /* the kernel reads */
	KMEM_CALL_OUT = 2,   /* the kernel writes */
	KMEM_CALL_INOUT = 3,
	KMEM_CALL_MAYBE = 4, /* with INOUT: the kernel may also leave it alone. Only what has changed goes back, after success, too */
	KMEM_CALL_LAX = 8,   /* with OUT: that it cannot be written is no error */
};

#define KMEM_CALL_WRITTEN_MAYBE (KMEM_CALL_INOUT | KMEM_CALL_MAYBE)

/*
 * How many bytes, at most: the kernel may need fewer, so memory may end before, and a stand-in must end where it does. "more" is added
 * to what a size says, where it says so.
 */
enum kmem_call_size {
	KMEM_SIZE_FIXED,  /* unit bytes */
	KMEM_SIZE_ARG,    /* argument size_arg, times unit, plus more */
	KMEM_SIZE_AT,     /* a value-result length: *(unsigned int *)argument size_arg, times unit; only that many are written back */
	KMEM_SIZE_BITS,   /* fd_set: argument size_arg bits, in whole longs */
	KMEM_SIZE_NODES,  /* node masks: one bit less than argument size_arg says, in whole longs; none if it says 0 */
	KMEM_SIZE_PAGES,  /* a byte for each page that argument size_arg bytes touch: mincore() */
	KMEM_SIZE_HEAD,   /* the structure tells: the 32-bit number at its offset size_arg, but no less than unit */
	KMEM_SIZE_TAIL,   /* unit bytes, and as many as the 32-bit number at its offset size_arg says */
};

/* A structure that tells its own size is refused by the kernel when it says more than this, without a look at the rest. */
#define KMEM_CALL_HEAD_MAX 4096

struct kmem_call_arg {
	uint8_t shape;
	uint8_t direction;
	uint8_t size;
	uint8_t size_arg;  /* 0 to 5, or an offset */
	bool by_result;    /* OUT: no more than the call's result, times unit, plus more, is written back */
	uint8_t more;
	uint32_t unit;
};

struct kmem_call_state; /* bounce.h */

struct kmem_call {
	const char *name;
	uint16_t nr;
	/*
	 * A transfer of bytes that may be made in pieces: read() and write() and their kin, and the vectored ones. The BYTES or IOVEC
	 * argument is the data; offset_arg is 1 + the argument that holds a file offset (pread()), 0 if there is none.
	 */
	bool is_transfer;
	uint8_t offset_arg;
	uint8_t selector; /* 1 + the argument that tells what the others are, 0 if there is none */
	/*
	 * How many of the selector's low bits the filter looks at, too, so that registers which a variant does not use trip nothing; 0: none.
	 * For calls that the C library makes with every signal blocked, where a trap for garbage would be the end: futex().
	 */
	uint8_t selector_bits;
	/*
	 * 1 + an argument of which the kernel ignores the upper half (an int, clone()'s flags): with the mark there (KMEM_MARK) the filter
	 * lets the call pass whatever its pointers are. 0 if there is none. For calls that have to be made from an instruction other than
	 * the stub's: clone(), which must return where it was called, and futex(), which is left by cancellation with unwinding; and
	 * userfaultfd(), with which the library itself makes the VM (lib/host/uffd.c), in a successor before there is a stub.
	 */
	uint8_t pass_arg;
	/* The filter answers ENOSYS to it, as kernels without it do, unless a pass argument bears the mark. See filter.c. */
	bool is_refused;
	/* The call's own function, NULL for the general way. The result, or -errno. */
	long (*run)(struct kmem_call_state *state);
	struct kmem_call_arg args[KMEM_CALL_ARGS];
};

/* Numbers are below this. */
#define KMEM_CALL_NR_END 512

/* Ascending by number. */
extern const struct kmem_call kmem_calls[];
extern const size_t kmem_calls_count;

/* NULL for calls without pointers, and unknown ones. One look-up by number. _sigsafe. */
const struct kmem_call *kmem_call_find(long nr);

/*
 * What the arguments of this very call are: the table's, or for calls with a selector, those of the variant that the registers choose.
 * Registers that this variant does not use are VALUE. What the table has no variant for is all VALUE: the call is made as it is. _sigsafe.
 */
void kmem_call_args_get(const struct kmem_call *call, const uint64_t regs[KMEM_CALL_ARGS], struct kmem_call_arg args[KMEM_CALL_ARGS]);

/* Whether the filter looks at an argument, and whether it may be marked (something behind it can point into the VM). */
bool kmem_call_arg_is_pointer(const struct kmem_call *call, unsigned int arg);
bool kmem_call_arg_is_deep(const struct kmem_call *call, unsigned int arg);

#endif /* KMEM_PRELOAD_CALL_H */
