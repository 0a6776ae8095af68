/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Log messages: lines `<err> module: text` on the console, written at once. (Zephyr: logging/log.h)
 *
 * A unit says what module it belongs to, by LOG_MODULE_REGISTER() or LOG_MODULE_DECLARE(), and has a level of its own:
 * the second argument, or LOG_LEVEL if the unit defines that, or CONFIG_LOG_DEFAULT_LEVEL. Messages above the level are
 * not printed and their arguments not evaluated. LOG_MODULE_DECLARE() may stand in a function, too. Context of
 * messages: as printk().
 */
#ifndef ZEPHYR_INCLUDE_LOGGING_LOG_H_
#define ZEPHYR_INCLUDE_LOGGING_LOG_H_

#include <kmem/kconfig.h>

#pragma GCC system_header

#include <zephyr/logging/log_core.h>
#include <zephyr/logging/log_ctrl.h>

/* A unit may define a macro of this name, before or behind this line. */
#ifndef LOG_LEVEL
enum {
	LOG_LEVEL = CONFIG_LOG_DEFAULT_LEVEL
};
#endif

/** LOG_MODULE_REGISTER(name) or (name, level): once a module. */
#define LOG_MODULE_REGISTER(...) KMEM_LOG_MODULE(__VA_ARGS__, LOG_LEVEL, ~)

/** The same for the module's other units. */
#define LOG_MODULE_DECLARE(...) KMEM_LOG_MODULE(__VA_ARGS__, LOG_LEVEL, ~)

#define KMEM_LOG_MODULE(_name, _level, ...)                                                                            \
	static const struct kmem_log_module kmem_log_module_here __unused = {STRINGIFY(_name), KMEM_LOG_LEVEL(_level)}

#define LOG_ERR(...) Z_LOG(LOG_LEVEL_ERR, __VA_ARGS__)
#define LOG_WRN(...) Z_LOG(LOG_LEVEL_WRN, __VA_ARGS__)
#define LOG_INF(...) Z_LOG(LOG_LEVEL_INF, __VA_ARGS__)
#define LOG_DBG(...) Z_LOG(LOG_LEVEL_DBG, __VA_ARGS__)

#define LOG_ERR_ONCE(...) Z_LOG_ONCE(LOG_LEVEL_ERR, __VA_ARGS__)
#define LOG_WRN_ONCE(...) Z_LOG_ONCE(LOG_LEVEL_WRN, __VA_ARGS__)
#define LOG_INF_ONCE(...) Z_LOG_ONCE(LOG_LEVEL_INF, __VA_ARGS__)
#define LOG_DBG_ONCE(...) Z_LOG_ONCE(LOG_LEVEL_DBG, __VA_ARGS__)

#define LOG_HEXDUMP_ERR(_data, _length, ...) Z_LOG_HEXDUMP(LOG_LEVEL_ERR, _data, _length, __VA_ARGS__)
#define LOG_HEXDUMP_WRN(_data, _length, ...) Z_LOG_HEXDUMP(LOG_LEVEL_WRN, _data, _length, __VA_ARGS__)
#define LOG_HEXDUMP_INF(_data, _length, ...) Z_LOG_HEXDUMP(LOG_LEVEL_INF, _data, _length, __VA_ARGS__)
#define LOG_HEXDUMP_DBG(_data, _length, ...) Z_LOG_HEXDUMP(LOG_LEVEL_DBG, _data, _length, __VA_ARGS__)

/** Text as it is, whatever the level. */
#define LOG_PRINTK(...) printk(__VA_ARGS__)
#define LOG_RAW(...) printk(__VA_ARGS__)

/** What is logged outlives the call anyway. */
#define log_strdup(_str) (_str)

#endif /* ZEPHYR_INCLUDE_LOGGING_LOG_H_ */
