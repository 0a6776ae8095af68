/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the parts of the image begin and end. (Zephyr: linker/linker-defs.h)
 *
 * Zephyr's names stand for the symbols that the host's linkers define in any executable, and are therefore macros, and
 * addresses of the executable alone, not of its shared libraries. Ends are exclusive; few of them lie at page
 * boundaries.
 */
#ifndef ZEPHYR_INCLUDE_LINKER_LINKER_DEFS_H_
#define ZEPHYR_INCLUDE_LINKER_LINKER_DEFS_H_

#include <kmem/kconfig.h>

#include <zephyr/linker/app_smem.h>
#include <zephyr/linker/sections.h>
#include <zephyr/toolchain.h>

#ifndef __ASSEMBLER__

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

extern char __executable_start[];
extern char _etext[];
extern char _edata[];
extern char __bss_start[];
extern char _end[];

/* Where nothing is loaded on demand, there are none of these. */
extern char __start_kmem_ondemand_text[] __attribute__((weak));
extern char __stop_kmem_ondemand_text[] __attribute__((weak));
extern char __start_kmem_ondemand_rodata[] __attribute__((weak));
extern char __stop_kmem_ondemand_rodata[] __attribute__((weak));

#ifdef __cplusplus
}
#endif

/* All that boot maps: the whole image. */
#define z_mapped_start __executable_start
#define z_mapped_end _end
#define z_mapped_size ((char *)(z_mapped_end - z_mapped_start))
#define _image_ram_start __executable_start
#define _image_ram_end _end

#define __text_region_start __executable_start
#define __text_region_end _etext
#define __text_region_size ((char *)(__text_region_end - __text_region_start))
/* To the end of initialised data, which comes behind read-only data. */
#define __rodata_region_start _etext
#define __rodata_region_end _edata
#define __rodata_region_size ((char *)(__rodata_region_end - __rodata_region_start))
#define __data_region_end _edata
#define __bss_end _end
#define __kernel_ram_start __executable_start
#define __kernel_ram_end _end
#define __kernel_ram_size ((char *)(__kernel_ram_end - __kernel_ram_start))

/* All is pinned, nothing is for boot alone. */
#define lnkr_pinned_start __executable_start
#define lnkr_pinned_end _end
#define lnkr_boot_start __executable_start
#define lnkr_boot_end __executable_start

#define lnkr_ondemand_text_start __start_kmem_ondemand_text
#define lnkr_ondemand_text_end __stop_kmem_ondemand_text
#define lnkr_ondemand_text_size ((char *)(lnkr_ondemand_text_end - lnkr_ondemand_text_start))
#define lnkr_ondemand_rodata_start __start_kmem_ondemand_rodata
#define lnkr_ondemand_rodata_end __stop_kmem_ondemand_rodata
#define lnkr_ondemand_rodata_size ((char *)(lnkr_ondemand_rodata_end - lnkr_ondemand_rodata_start))

#endif /* __ASSEMBLER__ */

#endif /* ZEPHYR_INCLUDE_LINKER_LINKER_DEFS_H_ */
