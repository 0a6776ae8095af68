/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attributes that put functions and objects into sections. (Zephyr: linker/section_tags.h)
 *
 * A program is a host's executable, linked by the host's rules. What Zephyr pins, keeps for boot, or leaves
 * uninitialised or uncached, lies among all the rest: the image is pinned, its memory cached, and begins as 0. What is
 * loaded on demand has sections of its own, kmem_ondemand_text and kmem_ondemand_rodata, and each piece of it begins a
 * page: where demand paging is on and the program is the boot image, its pages are absent until they are used, and come
 * from the program's file.
 */
#ifndef ZEPHYR_INCLUDE_LINKER_SECTION_TAGS_H_
#define ZEPHYR_INCLUDE_LINKER_SECTION_TAGS_H_

#include <kmem/kconfig.h>

#ifndef __ASSEMBLER__

#include <zephyr/linker/sections.h>
#include <zephyr/toolchain.h>

#define __noinit
#define __noinit_named(name)
#define __irq_vector_table
#define __sw_isr_table

#define __nocache
#define __nocache_noinit
#define __kstackmem
#define __stackmem
#define __kernel
#define __kernel_noinit
#define __kernel_bss
#define __incoherent
#define __dtcm_data_section
#define __dtcm_bss_section
#define __dtcm_noinit_section
#define __itcm_section
#define __ccm_data_section
#define __ccm_bss_section
#define __ccm_noinit_section

#define __boot_func
#define __boot_data
#define __boot_rodata
#define __boot_bss
#define __boot_noinit

#define __pinned_func
#define __pinned_text
#define __pinned_data
#define __pinned_rodata
#define __pinned_bss
#define __pinned_noinit

/* For functions, and for objects that are const. */
#define __ondemand_func __attribute__((noinline, section("kmem_ondemand_text"), aligned(CONFIG_MMU_PAGE_SIZE)))
#define __ondemand_rodata __attribute__((section("kmem_ondemand_rodata"), aligned(CONFIG_MMU_PAGE_SIZE)))

#endif /* __ASSEMBLER__ */

#endif /* ZEPHYR_INCLUDE_LINKER_SECTION_TAGS_H_ */
