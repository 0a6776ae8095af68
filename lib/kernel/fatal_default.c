/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The default fatal error handler, alone in its object so that a static program may define its own.
 */
#include "kernel/fatal.h"

__attribute__((weak)) void k_sys_fatal_error_handler(unsigned int reason, const struct arch_esf *esf)
{
	kmem_fatal_print(reason, esf);
	kmem_fatal_default();
}
