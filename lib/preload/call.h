/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The system calls: which arguments are pointers, to what, of what size, in which direction.
 *
 * One table (call.c). The filter is made of it (filter.c: which registers to look at), and so is what the handler does (bounce.c).
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
	KMEM_SHAPE_STRING,   /* up to a NUL */
	KMEM_SHAPE_STRINGS,  /* argv, envp */
	KMEM_SHAPE_IOVEC,    /* struct iovec, as many as argument size_arg says */
	KMEM_SHAPE_MSGHDR,   /* struct msghdr with all that it points to */
	KMEM_SHAPE_MMSGHDR,  /* struct mmsghdr, as many as argument size_arg says */
	KMEM_SHAPE_OWN,      /* only the call's own function knows: ioctl(), bpf(), clone3(), pselect6()'s last, addresses that are identities */
};

enum kmem_call_direction {
	KMEM_CALL_IN = 1,  /* the kernel reads */
	KMEM_CALL_OUT = 2, /* the kernel writes */
	KMEM_CALL_INOUT = 3,
};

/* How many bytes. */
enum kmem_call_size {
	KMEM_SIZE_FIXED,  /* unit bytes */
	KMEM_SIZE_ARG,    /* argument size_arg, times unit */
	KMEM_SIZE_AT,     /* a value-result length: *(unsigned int *)argument size_arg, times unit; only that many are written back */
	KMEM_SIZE_BITS,   /* fd_set: argument size_arg bits, in whole longs */
};

struct kmem_call_arg {
	uint8_t shape;
	uint8_t direction;
	uint8_t size;
	uint8_t size_arg;  /* 0 to 5 */
	bool by_result;    /* OUT: no more than the call's result, times unit, is written back */
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
	/* The call's own function, NULL for the general way. The result, or -errno. */
	long (*run)(struct kmem_call_state *state);
	struct kmem_call_arg args[KMEM_CALL_ARGS];
};

/* Ascending by number. */
extern const struct kmem_call kmem_calls[];
extern const size_t kmem_calls_count;

/* NULL for calls without pointers, and unknown ones. _sigsafe. */
const struct kmem_call *kmem_call_find(long nr);

/* Whether the filter looks at an argument, and whether it may be marked (something behind it can point into the VM). */
bool kmem_call_arg_is_pointer(const struct kmem_call *call, unsigned int arg);
bool kmem_call_arg_is_deep(const struct kmem_call *call, unsigned int arg);

#endif /* KMEM_PRELOAD_CALL_H */
