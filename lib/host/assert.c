/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of a failed assertion.
 */
#include "host/assert.h"

#include "host/log.h"
#include "host/signals.h"

void kmem_assert_fail(const char *condition, const char *file, int line, const char *function)
{
	kmem_log(KMEM_LOG_ERROR, "%s:%d: %s: assertion failed: %s", file, line, function, condition);
	kmem_signals_abort();
}
