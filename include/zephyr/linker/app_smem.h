/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bounds of the memory that partitions of <zephyr/app_memory/app_memdomain.h> lie in. (Zephyr: linker/linker-defs.h,
 * which includes this one)
 *
 * The sections of partitions are among those of initialised data, whose bounds these are: other variables are there,
 * too.
 */
#ifndef KMEM_ZEPHYR_LINKER_APP_SMEM_H
#define KMEM_ZEPHYR_LINKER_APP_SMEM_H

#include <kmem/kconfig.h>

#include <zephyr/linker/linker-defs.h>

#ifndef __ASSEMBLER__

#ifdef __cplusplus
extern "C" {
#endif

extern char __data_start[];

#ifdef __cplusplus
}
#endif

#define _app_smem_start __data_start
#define _app_smem_end __bss_start
#define _app_smem_size ((char *)(_app_smem_end - _app_smem_start))

#endif /* __ASSEMBLER__ */

#endif /* KMEM_ZEPHYR_LINKER_APP_SMEM_H */
