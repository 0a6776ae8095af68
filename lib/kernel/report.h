/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reports: the map picture, the table of counters, the report at exit.
 */
#ifndef KMEM_KERNEL_REPORT_H
#define KMEM_KERNEL_REPORT_H

/* Write the report that the settings ask for, if any. No lock held. */
void kmem_report_write(void);

#endif /* KMEM_KERNEL_REPORT_H */
