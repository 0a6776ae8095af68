/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Registers of devices, mapped. (Zephyr: sys/device_mmio.h)
 *
 * What stands for a device's registers is made by kmem_device_add() of <kmem/kmem.h>, or is given to kmem_boot().
 */
#ifndef ZEPHYR_INCLUDE_SYS_DEVICE_MMIO_H_
#define ZEPHYR_INCLUDE_SYS_DEVICE_MMIO_H_

#include <kmem/kconfig.h>

#include <zephyr/kernel/mm.h>
#include <zephyr/sys/sys_io.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Map the registers of a device, readable and writable.
 *
 * @param virt_addr  receives the address of the register at @p phys_addr
 * @param flags      K_MEM_CACHE_* and K_MEM_PERM_*
 * Context and errors: as k_mem_map_phys_bare().
 */
static inline void device_map(mm_reg_t *virt_addr, uintptr_t phys_addr, size_t size, uint32_t flags)
{
	uint8_t *bytes;

	k_mem_map_phys_bare(&bytes, phys_addr, size, flags | K_MEM_PERM_RW);
	*virt_addr = (mm_reg_t)bytes;
}

/** Unmap what device_map() has mapped. */
static inline void device_unmap(mm_reg_t virt_addr, size_t size)
{
	k_mem_unmap_phys_bare((uint8_t *)virt_addr, size);
}

#ifdef __cplusplus
}
#endif

#endif /* ZEPHYR_INCLUDE_SYS_DEVICE_MMIO_H_ */
