/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Registers in memory: reads and writes of one access each. (Zephyr: sys/sys_io.h, arch/common/sys_io.h)
 */
#ifndef ZEPHYR_INCLUDE_SYS_SYS_IO_H_
#define ZEPHYR_INCLUDE_SYS_SYS_IO_H_

#include <kmem/kconfig.h>

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef uint32_t io_port_t;
typedef uintptr_t mm_reg_t;
typedef uintptr_t mem_addr_t;

#define KMEM_SYS_IO(bits)                                                                                              \
	static inline uint##bits##_t sys_read##bits(mem_addr_t addr)                                                   \
	{                                                                                                              \
		return *(const volatile uint##bits##_t *)addr;                                                         \
	}                                                                                                              \
	static inline void sys_write##bits(uint##bits##_t data, mem_addr_t addr)                                       \
	{                                                                                                              \
		*(volatile uint##bits##_t *)addr = data;                                                               \
	}

KMEM_SYS_IO(8)
KMEM_SYS_IO(16)
KMEM_SYS_IO(32)
KMEM_SYS_IO(64)

#undef KMEM_SYS_IO

/* Bits of a 32-bit register. None of these is atomic. */

static inline void sys_set_bits(mem_addr_t addr, unsigned int mask)
{
	sys_write32(sys_read32(addr) | mask, addr);
}

static inline void sys_clear_bits(mem_addr_t addr, unsigned int mask)
{
	sys_write32(sys_read32(addr) & ~mask, addr);
}

static inline void sys_set_bit(mem_addr_t addr, unsigned int bit)
{
	sys_set_bits(addr, 1U << bit);
}

static inline void sys_clear_bit(mem_addr_t addr, unsigned int bit)
{
	sys_clear_bits(addr, 1U << bit);
}

static inline int sys_test_bit(mem_addr_t addr, unsigned int bit)
{
	return (sys_read32(addr) & (1U << bit)) != 0U;
}

#ifdef __cplusplus
}
#endif

#endif /* ZEPHYR_INCLUDE_SYS_SYS_IO_H_ */
