/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What Zephyr's sources ask of a compiler, for gcc and clang. (Zephyr: toolchain.h, toolchain/gcc.h,
 * toolchain/common.h)
 *
 * Macros only, good in C, C++ and, as far as they make sense there, in assembly. Function attributes that could make
 * gcc or clang refuse or rewrite what Zephyr's sources do on purpose expand to nothing: see __printf_like().
 */
#ifndef ZEPHYR_INCLUDE_TOOLCHAIN_H_
#define ZEPHYR_INCLUDE_TOOLCHAIN_H_

#include <kmem/kconfig.h>

/* The macros are full of extensions; -Wpedantic is told of them nowhere else. */
#pragma GCC system_header

/* Which compiler. */
#ifdef __clang__
#define TOOLCHAIN_CLANG_VERSION ((__clang_major__ * 10000) + (__clang_minor__ * 100) + __clang_patchlevel__)
#else
#define TOOLCHAIN_GCC_VERSION ((__GNUC__ * 10000) + (__GNUC_MINOR__ * 100) + __GNUC_PATCHLEVEL__)
#endif

#ifdef __has_builtin
#define HAS_BUILTIN(name) __has_builtin(name)
#else
#define HAS_BUILTIN(name) 0
#endif

#if !defined(__cplusplus)
#define TOOLCHAIN_HAS_C_GENERIC 1
#define TOOLCHAIN_HAS_C_AUTO_TYPE 1
#endif
#define TOOLCHAIN_HAS_PRAGMA_DIAG 1

#define ENDIAN_NATIVE __BYTE_ORDER__
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#ifndef CONFIG_BIG_ENDIAN
#define CONFIG_BIG_ENDIAN 1
#endif
#elif !defined(CONFIG_LITTLE_ENDIAN)
#define CONFIG_LITTLE_ENDIAN 1
#endif

/* Tokens. */
#define Z_STRINGIFY(x) #x
#define STRINGIFY(x) Z_STRINGIFY(x)
#ifndef _STRINGIFY
#define _STRINGIFY(x) #x
#endif
#define _DO_CONCAT(x, y) x##y
#define _CONCAT(x, y) _DO_CONCAT(x, y)

#ifndef __ASSEMBLER__

/* glibc has a member named __used in there, which a macro of that name takes away: in C++, an error. */
#ifdef __cplusplus
#include <spawn.h>
#endif

/* Functions. */
#ifndef ALWAYS_INLINE
#define ALWAYS_INLINE inline __attribute__((always_inline))
#endif
#define FUNC_NORETURN __attribute__((__noreturn__))
#define FUNC_ALIAS(real_func, new_alias, return_type) return_type new_alias() ALIAS_OF(real_func)
#define ALIAS_OF(of) __attribute__((alias(#of)))
#ifdef __clang__
#define FUNC_NO_STACK_PROTECTOR __attribute__((__no_stack_protector__))
#elif __GNUC__ >= 11
#define FUNC_NO_STACK_PROTECTOR __attribute__((no_stack_protector))
#else
#define FUNC_NO_STACK_PROTECTOR __attribute__((optimize("no-stack-protector")))
#endif
#define CODE_UNREACHABLE __builtin_unreachable()
#ifndef __noinline
#define __noinline __attribute__((noinline))
#endif
#ifndef __weak
#define __weak __attribute__((__weak__))
#endif
#ifndef __must_check
#define __must_check __attribute__((warn_unused_result))
#endif
#ifndef __attribute_const__
#define __attribute_const__ __attribute__((__const__))
#endif
#ifndef __attribute_nonnull
#define __attribute_nonnull(...) __attribute__((nonnull(__VA_ARGS__)))
#endif
#ifndef __deprecated
#define __deprecated __attribute__((deprecated))
#endif
#define __deprecated_version(version) __deprecated
#define __no_optimization
#define __isr
#define __ramfunc __attribute__((noinline))
#define __noasan __attribute__((__no_sanitize__("address")))
#define __noubsan __attribute__((__no_sanitize__("undefined")))

/* Nothing: sources print uint64_t by %llu, which is right on every machine of Zephyr's, and a warning on LP64. */
#ifndef __printf_like
#define __printf_like(format, first)
#endif

/* System calls are plain functions: nothing lies between a program and libkmem. */
#ifndef __syscall
#define __syscall
#endif
#define __syscall_always_inline

/* Objects and functions. */
#ifndef __aligned
#define __aligned(x) __attribute__((__aligned__(x)))
#endif
#ifndef __packed
#define __packed __attribute__((__packed__))
#endif
#ifndef __used
#define __used __attribute__((__used__))
#endif
#ifndef __unused
#define __unused __attribute__((__unused__))
#endif
#ifndef __maybe_unused
#define __maybe_unused __attribute__((__unused__))
#endif
#ifndef __may_alias
#define __may_alias __attribute__((__may_alias__))
#endif
#ifndef __restrict_ptr
#define __restrict_ptr __restrict
#endif
#define __sparse_space(x)
#define __sparse_cache
#define __sparse_force

#define ARG_UNUSED(x) (void)(x)

/* Sections. Zephyr's three-part names become one. */
#define __GENERIC_SECTION(segment) __attribute__((section(STRINGIFY(segment))))
#define Z_GENERIC_SECTION(segment) __GENERIC_SECTION(segment)
#define __GENERIC_DOT_SECTION(segment) __attribute__((section("." STRINGIFY(segment))))
#define Z_GENERIC_DOT_SECTION(segment) __GENERIC_DOT_SECTION(segment)
#define ___in_section(a, b, c) __attribute__((section("." Z_STRINGIFY(a) "." Z_STRINGIFY(b) "." Z_STRINGIFY(c))))
#define __in_section(a, b, c) ___in_section(a, b, c)
#define __in_section_unique(segment) ___in_section(segment, __FILE__, __COUNTER__)
#define __in_section_unique_named(segment, name) ___in_section(segment, __FILE__, name)

/* Control flow. */
#ifndef likely
#define likely(x) __builtin_expect(!!(x), 1)
#endif
#ifndef unlikely
#define unlikely(x) __builtin_expect(!!(x), 0)
#endif
#ifndef __fallthrough
#define __fallthrough __attribute__((fallthrough))
#endif

#ifndef compiler_barrier
#define compiler_barrier() __asm__ __volatile__("" ::: "memory")
#endif
#ifndef POPCOUNT
#define POPCOUNT(x) __builtin_popcount(x)
#endif

/* Compile-time assertion; the message is a string or absent. */
#define BUILD_ASSERT(...) KMEM_BUILD_ASSERT(__VA_ARGS__, "", ~)
#ifdef __cplusplus
#define KMEM_BUILD_ASSERT(cond, message, ...) static_assert((cond), message)
#else
#define KMEM_BUILD_ASSERT(cond, message, ...) _Static_assert((cond), message)
#endif

/* A value at an address of any alignment. */
#define UNALIGNED_GET(p)                                                                                               \
	__extension__({                                                                                                \
		__typeof__(*(p) + 0) kmem_value;                                                                       \
		__builtin_memcpy(&kmem_value, (const void *)(p), sizeof(*(p)));                                        \
		kmem_value;                                                                                            \
	})
#define UNALIGNED_PUT(v, p)                                                                                            \
	do {                                                                                                           \
		__typeof__(*(p)) kmem_value = (v);                                                                     \
		__builtin_memcpy((void *)(p), &kmem_value, sizeof(*(p)));                                              \
	} while (0)

/* Diagnostics, off and on: TOOLCHAIN_DISABLE_WARNING(TOOLCHAIN_WARNING_SHADOW). */
#define TOOLCHAIN_PRAGMA(x) _Pragma(#x)
#define KMEM_WARNING_OFF(warning) TOOLCHAIN_PRAGMA(GCC diagnostic push) TOOLCHAIN_PRAGMA(GCC diagnostic ignored warning)
#define KMEM_WARNING_ON(warning) TOOLCHAIN_PRAGMA(GCC diagnostic pop)
#define TOOLCHAIN_DISABLE_WARNING(warning) KMEM_WARNING_OFF(warning)
#define TOOLCHAIN_ENABLE_WARNING(warning) KMEM_WARNING_ON(warning)
#ifdef __clang__
#define TOOLCHAIN_DISABLE_CLANG_WARNING(warning) KMEM_WARNING_OFF(warning)
#define TOOLCHAIN_ENABLE_CLANG_WARNING(warning) KMEM_WARNING_ON(warning)
#define TOOLCHAIN_DISABLE_GCC_WARNING(warning)
#define TOOLCHAIN_ENABLE_GCC_WARNING(warning)
#else
#define TOOLCHAIN_DISABLE_CLANG_WARNING(warning)
#define TOOLCHAIN_ENABLE_CLANG_WARNING(warning)
#define TOOLCHAIN_DISABLE_GCC_WARNING(warning) KMEM_WARNING_OFF(warning)
#define TOOLCHAIN_ENABLE_GCC_WARNING(warning) KMEM_WARNING_ON(warning)
#endif

#define TOOLCHAIN_WARNING_ADDRESS_OF_PACKED_MEMBER "-Waddress-of-packed-member"
#define TOOLCHAIN_WARNING_ARRAY_BOUNDS "-Warray-bounds"
#define TOOLCHAIN_WARNING_ATTRIBUTES "-Wattributes"
#define TOOLCHAIN_WARNING_CAST_ALIGN "-Wcast-align"
#define TOOLCHAIN_WARNING_DELETE_NON_VIRTUAL_DTOR "-Wdelete-non-virtual-dtor"
#define TOOLCHAIN_WARNING_DEPRECATED_DECLARATIONS "-Wdeprecated-declarations"
#define TOOLCHAIN_WARNING_EXTRA "-Wextra"
#define TOOLCHAIN_WARNING_FORMAT_TRUNCATION "-Wformat-truncation"
#define TOOLCHAIN_WARNING_GNU "-Wgnu"
#define TOOLCHAIN_WARNING_INFINITE_RECURSION "-Winfinite-recursion"
#define TOOLCHAIN_WARNING_NONNULL "-Wnonnull"
#define TOOLCHAIN_WARNING_OVERRIDE_INIT "-Woverride-init"
#define TOOLCHAIN_WARNING_POINTER_ARITH "-Wpointer-arith"
#define TOOLCHAIN_WARNING_SHADOW "-Wshadow"
#define TOOLCHAIN_WARNING_SIZEOF_ARRAY_DECAY "-Wsizeof-array-decay"
#define TOOLCHAIN_WARNING_STRINGOP_OVERREAD "-Wstringop-overread"
#define TOOLCHAIN_WARNING_STRINGOP_TRUNCATION "-Wstringop-truncation"
#define TOOLCHAIN_WARNING_UNNEEDED_INTERNAL_DECLARATION "-Wunneeded-internal-declaration"
#define TOOLCHAIN_WARNING_UNUSED_FUNCTION "-Wunused-function"
#define TOOLCHAIN_WARNING_UNUSED_LABEL "-Wunused-label"
#define TOOLCHAIN_WARNING_UNUSED_VARIABLE "-Wunused-variable"
#define TOOLCHAIN_WARNING_USED_BUT_MARKED_UNUSED "-Wused-but-marked-unused"

#define TOOLCHAIN_IGNORE_WSHADOW_BEGIN TOOLCHAIN_DISABLE_WARNING(TOOLCHAIN_WARNING_SHADOW)
#define TOOLCHAIN_IGNORE_WSHADOW_END TOOLCHAIN_ENABLE_WARNING(TOOLCHAIN_WARNING_SHADOW)

/* A warning where a macro is used that should not be. */
#define __WARN(message) __WARN1(GCC warning message)
#define __WARN1(x) _Pragma(#x)
#define __DEPRECATED_MACRO __WARN("Macro is deprecated")

#define _NODATA_SECTION(segment) __attribute__((section(#segment)))

#endif /* __ASSEMBLER__ */

#endif /* ZEPHYR_INCLUDE_TOOLCHAIN_H_ */
