/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The architecture layer, from inside.
 */
#ifndef KMEM_KERNEL_ARCH_H
#define KMEM_KERNEL_ARCH_H

#include <stdbool.h>

/* Whether pages may be mapped that no region knows of. */
bool kmem_arch_is_used(void);

#endif /* KMEM_KERNEL_ARCH_H */
