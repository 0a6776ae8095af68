/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random numbers, from the host's getrandom(2). (Zephyr: random/random.h)
 */
#ifndef ZEPHYR_INCLUDE_RANDOM_RANDOM_H_
#define ZEPHYR_INCLUDE_RANDOM_RANDOM_H_

#include <kmem/kconfig.h>

#include <stddef.h>
#include <stdint.h>

#include <zephyr/toolchain.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/** Fill memory. Context: anywhere, errno is kept; may block while the host boots. */
void sys_rand_get(void *dst, size_t len);

/** The same, from a source good for keys. @return 0, or -EIO where the host has none */
int sys_csrand_get(void *dst, size_t len);

#pragma GCC visibility pop

static inline uint8_t sys_rand8_get(void)
{
	uint8_t value;

	sys_rand_get(&value, sizeof(value));
	return value;
}

static inline uint16_t sys_rand16_get(void)
{
	uint16_t value;

	sys_rand_get(&value, sizeof(value));
	return value;
}

static inline uint32_t sys_rand32_get(void)
{
	uint32_t value;

	sys_rand_get(&value, sizeof(value));
	return value;
}

static inline uint64_t sys_rand64_get(void)
{
	uint64_t value;

	sys_rand_get(&value, sizeof(value));
	return value;
}

#ifdef __cplusplus
}
#endif

#endif /* ZEPHYR_INCLUDE_RANDOM_RANDOM_H_ */
