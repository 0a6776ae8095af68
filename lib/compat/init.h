/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How far the program's start has come. pre_kernel.c
 */
#ifndef KMEM_COMPAT_INIT_H
#define KMEM_COMPAT_INIT_H

#include <stdbool.h>

/** Say whether levels below POST_KERNEL are running. Context: constructors. */
void kmem_pre_kernel_set(bool is_pre_kernel);

#endif /* KMEM_COMPAT_INIT_H */
