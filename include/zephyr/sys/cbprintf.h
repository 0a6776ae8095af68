/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Printing to memory and to streams by the names of Zephyr's own formatter, which here is the host's. (Zephyr:
 * sys/cbprintf.h)
 */
#ifndef ZEPHYR_INCLUDE_SYS_CBPRINTF_H_
#define ZEPHYR_INCLUDE_SYS_CBPRINTF_H_

#include <kmem/kconfig.h>

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <zephyr/toolchain.h>

#define printfcb printf
#define vprintfcb vprintf
#define fprintfcb fprintf
#define vfprintfcb vfprintf
#define snprintfcb snprintf
#define vsnprintfcb vsnprintf

#endif /* ZEPHYR_INCLUDE_SYS_CBPRINTF_H_ */
