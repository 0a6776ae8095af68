/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Control of the log, which is never deferred: nothing waits to be processed. (Zephyr: logging/log_ctrl.h)
 */
#ifndef ZEPHYR_INCLUDE_LOGGING_LOG_CTRL_H_
#define ZEPHYR_INCLUDE_LOGGING_LOG_CTRL_H_

#include <kmem/kconfig.h>

#include <stdbool.h>
#include <stdint.h>

#include <zephyr/toolchain.h>

#ifdef __cplusplus
extern "C" {
#endif

static inline void log_init(void)
{
}

/** From here on, log at once: as ever. */
static inline void log_panic(void)
{
}

static inline void log_flush(void)
{
}

/** @return whether more is to be processed: no */
static inline bool log_process(void)
{
	return false;
}

static inline bool log_data_pending(void)
{
	return false;
}

static inline uint32_t log_buffered_cnt(void)
{
	return 0;
}

#ifdef __cplusplus
}
#endif

#define LOG_CORE_INIT() log_init()
#define LOG_INIT() log_init()
#define LOG_PANIC() log_panic()
#define LOG_PROCESS() log_process()

#endif /* ZEPHYR_INCLUDE_LOGGING_LOG_CTRL_H_ */
