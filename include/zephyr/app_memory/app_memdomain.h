/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Partitions made of variables: K_APPMEM_PARTITION_DEFINE(name) defines one, K_APP_DMEM(name) and K_APP_BMEM(name) put
 * variables into it, in any unit of the program. (Zephyr: app_memory/app_memdomain.h)
 *
 * How it works. The variables of a partition stand in an ELF section of their own, whose name is a C identifier, so
 * that the linker joins the units' pieces and gives the start and the end of the whole. The unit that defines the
 * partition adds to it an alignment to a page, which the whole section then has, and a piece at the end that fills the
 * last page. That piece is linked "in the order of another section" (SHF_LINK_ORDER), which GNU ld puts behind all
 * pieces that are not. So nothing else is in a page of the partition, whatever the order of the units.
 *
 * Other linkers (gold, lld) leave it where it is. The defining unit's own variables are followed by padding in any
 * case, in a higher subsection, so it should come last among those that have variables in the partition; another one
 * that comes behind it says K_APPMEM_PARTITION_PAD(name) to have its piece padded as well. Or else what comes next
 * shares the last page, which belongs to the partition as a whole. The size is known once constructors have run, and
 * so before main().
 *
 * Without CONFIG_USERSPACE there are no partitions, and the variables are variables like any other.
 */
#ifndef ZEPHYR_INCLUDE_APP_MEMORY_APP_MEMDOMAIN_H_
#define ZEPHYR_INCLUDE_APP_MEMORY_APP_MEMDOMAIN_H_

#include <kmem/kconfig.h>

#include <zephyr/app_memory/mem_domain.h>
#include <zephyr/toolchain.h>

/* Constructors of programs begin here; lower numbers belong to the implementation. */
#define KMEM_APPMEM_CONSTRUCTOR 101

/* Subsections are numbered, variables are in number 0. */
#define KMEM_APPMEM_PAD_SECTION 8000

/* Begin this unit's piece on a page, and end it on one. */
#define KMEM_APPMEM_PAD(name, page_size)                                                                               \
	__asm__(".pushsection kmem_appmem_" #name ",\"aw\",%progbits\n"                                                \
		".balign " STRINGIFY(page_size) "\n"                                                                   \
		".subsection " STRINGIFY(KMEM_APPMEM_PAD_SECTION) "\n"                                                 \
		".balign " STRINGIFY(page_size) "\n"                                                                   \
		".popsection")

/* End all pieces on a page. The section whose order counts is empty, and is referred to so that it stays. */
#define KMEM_APPMEM_END(name, page_size)                                                                               \
	__asm__(".pushsection kmem_appmem_order,\"a\",%progbits\n"                                                     \
		".Lkmem_appmem_" #name ":\n"                                                                           \
		".popsection\n"                                                                                        \
		".pushsection kmem_appmem_" #name ",\"aw\",%progbits\n"                                                \
		".long .Lkmem_appmem_" #name " - .\n"                                                                  \
		".popsection\n"                                                                                        \
		".pushsection kmem_appmem_" #name ",\"awo\",%progbits,.Lkmem_appmem_" #name "\n"                       \
		".byte 0\n"                                                                                            \
		".balign " STRINGIFY(page_size) "\n"                                                                   \
		".popsection")

/* Define a partition of such pages, whether or not there is user mode: for libraries. Our own. */
#define KMEM_APPMEM_PARTITION_DEFINE(name, page_size)                                                                  \
	KMEM_APPMEM_PAD(name, page_size);                                                                              \
	KMEM_APPMEM_END(name, page_size);                                                                              \
	extern char __start_kmem_appmem_##name[] __attribute__((visibility("hidden")));                                \
	extern char __stop_kmem_appmem_##name[] __attribute__((visibility("hidden")));                                 \
	struct k_mem_partition name = {(uintptr_t)__start_kmem_appmem_##name, 0, K_MEM_PARTITION_P_RW_U_RW};           \
	__attribute__((constructor(KMEM_APPMEM_CONSTRUCTOR))) static void kmem_appmem_size_##name(void)                \
	{                                                                                                              \
		size_t size = (size_t)(__stop_kmem_appmem_##name - __start_kmem_appmem_##name);                        \
                                                                                                                       \
		name.size = (size + (page_size)-1U) / (page_size) * (page_size);                                       \
	}                                                                                                              \
	struct k_mem_partition

#ifdef CONFIG_USERSPACE

/* Names of the sections, of initialised and of zeroed variables: the same one. */
#define K_APP_DMEM_SECTION(name) kmem_appmem_##name
#define K_APP_BMEM_SECTION(name) kmem_appmem_##name

/* Attributes of variables, on either side of `static`. */
#define K_APP_DMEM(name) Z_GENERIC_SECTION(K_APP_DMEM_SECTION(name))
#define K_APP_BMEM(name) Z_GENERIC_SECTION(K_APP_BMEM_SECTION(name))

/* Define struct k_mem_partition name, readable and writable by all. */
#define K_APPMEM_PARTITION_DEFINE(name) KMEM_APPMEM_PARTITION_DEFINE(name, CONFIG_MMU_PAGE_SIZE)

/* See above. Our own. */
#define K_APPMEM_PARTITION_PAD(name) KMEM_APPMEM_PAD(name, CONFIG_MMU_PAGE_SIZE)

#else /* CONFIG_USERSPACE */

#define K_APP_DMEM_SECTION(name) .data
#define K_APP_BMEM_SECTION(name) .bss
#define K_APP_DMEM(name)
#define K_APP_BMEM(name)
#define K_APPMEM_PARTITION_DEFINE(name) struct k_mem_partition
#define K_APPMEM_PARTITION_PAD(name) struct k_mem_partition

#endif /* CONFIG_USERSPACE */

#endif /* ZEPHYR_INCLUDE_APP_MEMORY_APP_MEMDOMAIN_H_ */
