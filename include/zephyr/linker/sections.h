/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of sections, and the attributes that put things into them. (Zephyr: linker/sections.h)
 */
#ifndef ZEPHYR_INCLUDE_LINKER_SECTIONS_H_
#define ZEPHYR_INCLUDE_LINKER_SECTIONS_H_

#include <kmem/kconfig.h>

/* For Z_GENERIC_SECTION() and __in_section(). */
#define _TEXT_SECTION_NAME text
#define _RODATA_SECTION_NAME rodata
#define _CTOR_SECTION_NAME ctors
#define _DATA_SECTION_NAME datas
#define _BSS_SECTION_NAME bss
#define _NOINIT_SECTION_NAME noinit
#define _APP_SMEM_SECTION_NAME app_smem
#define _APP_DATA_SECTION_NAME app_datas
#define _APP_BSS_SECTION_NAME app_bss
#define _APP_NOINIT_SECTION_NAME app_noinit

#define TEXT text
#define RODATA rodata
#define DATA data
#define BSS bss
#define NOINIT noinit

#define PINNED_TEXT_SECTION_NAME pinned_text
#define PINNED_RODATA_SECTION_NAME pinned_rodata
#define PINNED_DATA_SECTION_NAME pinned_data
#define PINNED_BSS_SECTION_NAME pinned_bss
#define PINNED_NOINIT_SECTION_NAME pinned_noinit
#define BOOT_TEXT_SECTION_NAME boot_text
#define BOOT_RODATA_SECTION_NAME boot_rodata
#define BOOT_DATA_SECTION_NAME boot_data
#define BOOT_BSS_SECTION_NAME boot_bss
#define BOOT_NOINIT_SECTION_NAME boot_noinit
/* C identifiers, for which the linker gives __start_ and __stop_ symbols. */
#define ONDEMAND_TEXT_SECTION_NAME kmem_ondemand_text
#define ONDEMAND_RODATA_SECTION_NAME kmem_ondemand_rodata

#ifndef __ASSEMBLER__
#include <zephyr/linker/section_tags.h>
#endif

#endif /* ZEPHYR_INCLUDE_LINKER_SECTIONS_H_ */
