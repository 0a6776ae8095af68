/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file for pages, without a name, where libkmem puts its own: in $TMPDIR, else in /var/tmp.
 */
#ifndef BENCH_STORE_FILE_H
#define BENCH_STORE_FILE_H

int store_file_open(void);

#endif /* BENCH_STORE_FILE_H */
