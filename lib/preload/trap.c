/* SPDX-License-Identifier: Apache-2.0 */
/* To be written. */
#include "preload/preload.h"
int kmem_call_trap_init(void) { return 0; }
long kmem_stub_call(long nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{ (void)nr; (void)a; (void)b; (void)c; (void)d; (void)e; (void)f; return -38; }
