/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guard mode's reports: which block an error hit, who did it, and who had the block. Inside guard mode only.
 */
#ifndef KMEM_PRELOAD_GUARD_REPORT_H
#define KMEM_PRELOAD_GUARD_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "preload/guard_record.h"

/* Whether this thread takes a backtrace, or reports: what it allocates meanwhile comes from the ordinary heap. */
extern __thread bool kmem_guard_is_busy __attribute__((tls_model("initial-exec")));

/* From now on the report of a bad access says what was hit. */
void kmem_guard_report_init(void);

/* Report a bad pointer and end the process; call: what was to be done to it; record: of the slot that it leads to, or NULL. */
_Noreturn void kmem_guard_die_of_pointer(const char *call, const struct kmem_guard_record *record, uintptr_t addr);

/* Report bytes that were overwritten around a block, the first of them at addr, where the byte is. The former ends the process. */
_Noreturn void kmem_guard_die_of_slack(const struct kmem_guard_record *record, uintptr_t addr, unsigned char byte);
void kmem_guard_slack_log(const struct kmem_guard_record *record, uintptr_t addr, unsigned char byte);

#endif /* KMEM_PRELOAD_GUARD_REPORT_H */
