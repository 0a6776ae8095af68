/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The exception stack frame: see <kmem/fatal.h>. (Zephyr: arch/exception.h)
 */
#ifndef ZEPHYR_INCLUDE_ARCH_EXCEPTION_H_
#define ZEPHYR_INCLUDE_ARCH_EXCEPTION_H_

#include <kmem/kconfig.h>

#ifndef __ASSEMBLER__

#include <zephyr/fatal_types.h>

/* The name that it had before Zephyr 3.7. */
typedef struct arch_esf z_arch_esf_t;

#endif /* __ASSEMBLER__ */

#endif /* ZEPHYR_INCLUDE_ARCH_EXCEPTION_H_ */
