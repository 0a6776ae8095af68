/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random numbers of the host.
 */
#include <zephyr/random/random.h>

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/random.h>
#include <sys/types.h>

#include <kmem/fatal.h>
#include <zephyr/sys/util.h>

/* The host gives at most this much at once in one piece. */
#define PIECE 256

/* By way of the stack: the host does not write to pages that are out. */
static bool fill(uint8_t *bytes, size_t size)
{
	uint8_t piece[PIECE];

	while (size > 0) {
		ssize_t got = getrandom(piece, MIN(size, sizeof(piece)), 0);

		if (got < 0 && errno != EINTR) {
			return false;
		}
		if (got > 0) {
			memcpy(bytes, piece, (size_t)got);
			bytes += got;
			size -= (size_t)got;
		}
	}
	return true;
}

int sys_csrand_get(void *dst, size_t len)
{
	int error = errno;
	bool is_filled = fill(dst, len);

	errno = error;
	return is_filled ? 0 : -EIO;
}

void sys_rand_get(void *dst, size_t len)
{
	if (sys_csrand_get(dst, len) != 0) {
		kmem_fatal_raise(K_ERR_KERNEL_PANIC);
	}
}
