/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The trap vector: what the kernel does when a memory access traps.
 */
#ifndef KMEM_KERNEL_FAULT_H
#define KMEM_KERNEL_FAULT_H

#include <stdbool.h>

#include "machine/trap.h"

bool kmem_fault_vector(struct kmem_trap *trap);

#endif /* KMEM_KERNEL_FAULT_H */
