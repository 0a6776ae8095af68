/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Levels of log messages, and what the macros of <zephyr/logging/log.h> are made of. (Zephyr: logging/log_core.h)
 */
#ifndef ZEPHYR_INCLUDE_LOGGING_LOG_CORE_H_
#define ZEPHYR_INCLUDE_LOGGING_LOG_CORE_H_

#include <kmem/kconfig.h>

#pragma GCC system_header

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <zephyr/sys/printk.h>
#include <zephyr/sys/util.h>
#include <zephyr/toolchain.h>

/* The level of modules that name none. */
#ifndef CONFIG_LOG_DEFAULT_LEVEL
#define CONFIG_LOG_DEFAULT_LEVEL 3
#endif
/* The level of the kernel's own modules. */
#ifndef CONFIG_KERNEL_LOG_LEVEL
#define CONFIG_KERNEL_LOG_LEVEL CONFIG_LOG_DEFAULT_LEVEL
#endif
/* No module has a higher one, and none a lower one. */
#ifndef CONFIG_LOG_MAX_LEVEL
#define CONFIG_LOG_MAX_LEVEL 4
#endif
#ifndef CONFIG_LOG_OVERRIDE_LEVEL
#define CONFIG_LOG_OVERRIDE_LEVEL 0
#endif

#define LOG_LEVEL_NONE 0U
#define LOG_LEVEL_ERR 1U
#define LOG_LEVEL_WRN 2U
#define LOG_LEVEL_INF 3U
#define LOG_LEVEL_DBG 4U

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/* What each unit knows of its module. */
struct kmem_log_module {
	const char *name;
	unsigned int level;
};

/* A line: the level in angle brackets, the module's name, the function's if it is not NULL, the message. */
void kmem_log_print(const struct kmem_log_module *module, unsigned int level, const char *function, const char *fmt,
		    ...);

/* A line with the message, and the bytes in lines of 16. */
void kmem_log_hexdump(const struct kmem_log_module *module, unsigned int level, const void *data, size_t length,
		      const char *text);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

/* The level of a module: its own, within the limits above. */
#define KMEM_LOG_LEVEL(level)                                                                                          \
	((unsigned int)(level) > CONFIG_LOG_MAX_LEVEL        ? CONFIG_LOG_MAX_LEVEL                                    \
	 : (unsigned int)(level) < CONFIG_LOG_OVERRIDE_LEVEL ? CONFIG_LOG_OVERRIDE_LEVEL                               \
							     : (unsigned int)(level))

/* Debug messages may carry their function's name. */
#ifdef CONFIG_LOG_FUNC_NAME_PREFIX_DBG
#define KMEM_LOG_FUNCTION(level) ((level) == LOG_LEVEL_DBG ? __func__ : (const char *)0)
#else
#define KMEM_LOG_FUNCTION(level) ((const char *)0)
#endif

#define KMEM_LOG_IS_ON(_level) ((_level) <= kmem_log_module_here.level)

#define Z_LOG(_level, ...)                                                                                             \
	do {                                                                                                           \
		if (KMEM_LOG_IS_ON(_level)) {                                                                          \
			kmem_log_print(&kmem_log_module_here, _level, KMEM_LOG_FUNCTION(_level), __VA_ARGS__);         \
		}                                                                                                      \
	} while (false)

#define Z_LOG_HEXDUMP(_level, _data, _length, ...)                                                                     \
	do {                                                                                                           \
		if (KMEM_LOG_IS_ON(_level)) {                                                                          \
			kmem_log_hexdump(&kmem_log_module_here, _level, _data, _length, "" __VA_ARGS__);               \
		}                                                                                                      \
	} while (false)

#define Z_LOG_ONCE(_level, ...)                                                                                        \
	do {                                                                                                           \
		static bool kmem_log_said;                                                                             \
		if (!__atomic_exchange_n(&kmem_log_said, true, __ATOMIC_RELAXED)) {                                    \
			Z_LOG(_level, __VA_ARGS__);                                                                    \
		}                                                                                                      \
	} while (false)

#endif /* ZEPHYR_INCLUDE_LOGGING_LOG_CORE_H_ */
