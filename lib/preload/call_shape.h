/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How arguments are written in the tables (call.c, call_variant.c, call_ioctl.c).
 *
 * The direction is as the kernel sees it: IN is read, OUT is written, INOUT both, MAYBE both, the second under conditions only.
 */
#ifndef KMEM_PRELOAD_CALL_SHAPE_H
#define KMEM_PRELOAD_CALL_SHAPE_H

#include <linux/limits.h>

#include "preload/call.h"

/* Arguments by shape. */
#define BYTES(the_direction, ...) {.shape = KMEM_SHAPE_BYTES, .direction = (the_direction), __VA_ARGS__}
#define FIXED(the_direction, bytes) BYTES(the_direction, .size = KMEM_SIZE_FIXED, .unit = (bytes))
#define COUNTED(the_direction, arg, bytes) \
	BYTES(the_direction, .size = KMEM_SIZE_ARG, .size_arg = (arg), .unit = (bytes))

#define IN(type) FIXED(KMEM_CALL_IN, sizeof(type))
#define OUT(type) FIXED(KMEM_CALL_OUT, sizeof(type))
#define INOUT(type) FIXED(KMEM_CALL_INOUT, sizeof(type))
#define MAYBE(type) FIXED(KMEM_CALL_WRITTEN_MAYBE, sizeof(type))
#define IN_SIZE(bytes) FIXED(KMEM_CALL_IN, bytes)
#define OUT_SIZE(bytes) FIXED(KMEM_CALL_OUT, bytes)
#define INOUT_SIZE(bytes) FIXED(KMEM_CALL_INOUT, bytes)
#define MAYBE_SIZE(bytes) FIXED(KMEM_CALL_WRITTEN_MAYBE, bytes)

/* As many elements as an argument says. */
#define IN_ARG(arg, bytes) COUNTED(KMEM_CALL_IN, arg, bytes)
#define OUT_ARG(arg, bytes) COUNTED(KMEM_CALL_OUT, arg, bytes)
#define INOUT_ARG(arg, bytes) COUNTED(KMEM_CALL_INOUT, arg, bytes)
#define MAYBE_ARG(arg, bytes) COUNTED(KMEM_CALL_WRITTEN_MAYBE, arg, bytes)

/* Of which the result tells how many are filled. */
#define OUT_RESULT(arg, bytes) \
	BYTES(KMEM_CALL_OUT, .size = KMEM_SIZE_ARG, .size_arg = (arg), .unit = (bytes), .by_result = true)

/* A value-result length is two arguments: where the length is, and what is of that length. */
#define LENGTH INOUT(unsigned int)
#define OUT_AT(arg) BYTES(KMEM_CALL_OUT, .size = KMEM_SIZE_AT, .size_arg = (arg), .unit = 1)
#define INOUT_AT(arg) \
	BYTES(KMEM_CALL_WRITTEN_MAYBE, .size = KMEM_SIZE_AT, .size_arg = (arg), .unit = 1)

#define SETS(arg) BYTES(KMEM_CALL_INOUT, .size = KMEM_SIZE_BITS, .size_arg = (arg))
#define NODES(the_direction, arg) BYTES(the_direction, .size = KMEM_SIZE_NODES, .size_arg = (arg))
#define TIME_LEFT(type) FIXED(KMEM_CALL_WRITTEN_MAYBE | KMEM_CALL_LAX, sizeof(type))
#define HEAD(the_direction, offset, least) \
	BYTES(the_direction, .size = KMEM_SIZE_HEAD, .size_arg = (offset), .unit = (least))
#define SIGMASK(arg) IN_ARG(arg, 1)

#define STRING_MAX(bytes) {.shape = KMEM_SHAPE_STRING, .direction = KMEM_CALL_IN, .unit = (bytes)}
#define PATH STRING_MAX(PATH_MAX)
#define STRINGS {.shape = KMEM_SHAPE_STRINGS, .direction = KMEM_CALL_IN}
#define VECTOR(the_shape, the_direction, arg) {.shape = (the_shape), .direction = (the_direction), .size_arg = (arg)}
#define IOVEC(the_direction, arg) VECTOR(KMEM_SHAPE_IOVEC, the_direction, arg)
#define FPROG {.shape = KMEM_SHAPE_FPROG, .direction = KMEM_CALL_IN}
#define IFCONF {.shape = KMEM_SHAPE_IFCONF, .direction = KMEM_CALL_INOUT}
#define ADDRESS {.shape = KMEM_SHAPE_ADDRESS}
#define OWN {.shape = KMEM_SHAPE_OWN}

#define ARGS(...) .args = {__VA_ARGS__}

#endif /* KMEM_PRELOAD_CALL_SHAPE_H */
