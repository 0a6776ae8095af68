/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Macros that compute while preprocessing: bits, conditions, lists. (Zephyr: sys/util_macro.h)
 *
 * Where a number is looked up in a table (UTIL_INC, LISTIFY, IS_EQ...), it must be a literal, or a macro that expands
 * to one, of at most 256. Lists have at most 64 members.
 */
#ifndef ZEPHYR_INCLUDE_SYS_UTIL_MACROS_H_
#define ZEPHYR_INCLUDE_SYS_UTIL_MACROS_H_

#include <kmem/kconfig.h>

#pragma GCC system_header

#include <zephyr/sys/util_tables.h>

/* Bits. */
#ifdef __ASSEMBLER__
#define BIT(n) (1 << (n))
#else
#define BIT(n) (1UL << (n))
#endif
#define BIT64(_n) (1ULL << (_n))
#define BIT_MASK(n) (BIT(n) - 1UL)
#define BIT64_MASK(n) (BIT64(n) - 1ULL)
#define WRITE_BIT(var, bit, set) ((var) = (set) ? ((var) | BIT(bit)) : ((var) & ~BIT(bit)))
#define IS_BIT_SET(value, bit) ((((value) >> (bit)) & (0x1)) != 0)

#define IS_POWER_OF_TWO(x) (((x) != 0U) && (((x) & ((x)-1U)) == 0U))
/* A run of ones, from bit 0 or from bit shift. */
#define IS_SHIFTED_BIT_MASK(m, s) (!(((m) >> (s)) & (((m) >> (s)) + 1U)))
#define IS_BIT_MASK(m) IS_SHIFTED_BIT_MASK(m, 0)

/* Tokens. */
#define EMPTY
#define IDENTITY(V) V
#define UTIL_EXPAND(...) __VA_ARGS__
#define __DEBRACKET(...) __VA_ARGS__
#define UTIL_CAT(a, ...) UTIL_PRIMITIVE_CAT(a, __VA_ARGS__)
#define UTIL_PRIMITIVE_CAT(a, ...) a##__VA_ARGS__

#define KMEM_PASTE_1(a) a
#define KMEM_PASTE_2(a, b) a##b
#define KMEM_PASTE_3(a, b, c) a##b##c
#define KMEM_PASTE_4(a, b, c, d) a##b##c##d
#define KMEM_PASTE_5(a, b, c, d, e) a##b##c##d##e
#define KMEM_PASTE_6(a, b, c, d, e, f) a##b##c##d##e##f
#define KMEM_PASTE_7(a, b, c, d, e, f, g) a##b##c##d##e##f##g
#define KMEM_PASTE_8(a, b, c, d, e, f, g, h) a##b##c##d##e##f##g##h

/*
 * Conditions. The placeholder of a flag that is 1 brings a comma along, which shifts what stands in second place.
 */
#define KMEM_COMMA_IF_1 ~,
#define KMEM_SECOND(a, b, ...) b
#define KMEM_IS_ONE(flag) KMEM_IS_ONE_(KMEM_COMMA_IF_##flag)
#define KMEM_IS_ONE_(comma_or_not) KMEM_SECOND(comma_or_not 1, 0, ~)

/** 1 if the macro is defined as 1, else 0; good in #if, too. */
#define IS_ENABLED(config_macro) KMEM_IS_ONE(config_macro)

/** The first code, which is in parentheses, if the flag is 1; else the second. */
#define COND_CODE_1(_flag, _if_1_code, _else_code) KMEM_COND_1(_flag, _if_1_code, _else_code)
#define KMEM_COND_1(flag, then, otherwise) KMEM_COND(KMEM_COMMA_IF_##flag, then, otherwise)
#define KMEM_COND(comma_or_not, then, otherwise) KMEM_COND_PICK(comma_or_not then, otherwise, ~)
#define KMEM_COND_PICK(unused, code, ...) __DEBRACKET code

/** The same for a flag that is 0. */
#define COND_CODE_0(_flag, _if_0_code, _else_code) KMEM_COND_0(_flag, _if_0_code, _else_code)
#define KMEM_COND_0(flag, then, otherwise) KMEM_COND(KMEM_COMMA_UNLESS_##flag, then, otherwise)
#define KMEM_COMMA_UNLESS_0 ~,

#define IF_ENABLED(_flag, _code) COND_CODE_1(_flag, _code, ())
#define IF_DISABLED(_flag, _code) COND_CODE_1(_flag, (), _code)

#define UTIL_BOOL(a) COND_CODE_0(a, (0), (1))
#define UTIL_NOT(a) COND_CODE_0(a, (1), (0))
#define UTIL_AND(a, b) COND_CODE_1(UTIL_BOOL(a), (b), (0))
#define UTIL_OR(a, b) COND_CODE_1(UTIL_BOOL(a), (a), (b))

/** 1 if nothing is given. */
#define IS_EMPTY(...) KMEM_IS_EMPTY(__VA_ARGS__)
#define KMEM_IS_EMPTY(...) KMEM_SECOND(__VA_OPT__(~, 0, ) ~, 1, ~)

#define COND_CODE_EMPTY(x, then, otherwise) COND_CODE_1(IS_EMPTY(x), then, otherwise)

/** 1 if both numbers are the same, else 0. */
#define IS_EQ(a, b) KMEM_IS_EQ(a, b)
#define KMEM_IS_EQ(a, b) KMEM_IS_EQ_(KMEM_SAME_##a##_AND_##b)
#define KMEM_IS_EQ_(comma_or_not) KMEM_SECOND(comma_or_not 1, 0, ~)

/* Numbers. */
#define UTIL_INC(x) UTIL_PRIMITIVE_CAT(KMEM_INC_, x)
#define UTIL_DEC(x) UTIL_PRIMITIVE_CAT(KMEM_DEC_, x)
#define UTIL_X2(y) UTIL_PRIMITIVE_CAT(KMEM_TWICE_, y)

/** How many arguments there are, from 0 to 64. */
#define NUM_VA_ARGS(...) KMEM_COUNT(__VA_ARGS__)
#define NUM_VA_ARGS_LESS_1(...) UTIL_DEC(NUM_VA_ARGS(__VA_ARGS__))

/** The Nth argument of those that follow it, counted from 1; and those behind the first N. */
#define GET_ARG_N(N, ...) KMEM_GET_ARG(N, __VA_ARGS__)
#define KMEM_GET_ARG(n, ...) KMEM_GET_FIRST(KMEM_FROM_##n(__VA_ARGS__))
#define KMEM_GET_FIRST(...) KMEM_FIRST_1(__VA_ARGS__, ~)
#define GET_ARGS_LESS_N(N, ...) KMEM_GET_FROM(UTIL_INC(N), __VA_ARGS__)
#define KMEM_GET_FROM(n, ...) KMEM_GET_FROM_(n, __VA_ARGS__)
#define KMEM_GET_FROM_(n, ...) KMEM_FROM_##n(__VA_ARGS__)
#define GET_ARGS_FIRST_N(N, ...) KMEM_GET_FIRST_N(N, __VA_ARGS__, ~)
#define KMEM_GET_FIRST_N(n, ...) KMEM_FIRST_##n(__VA_ARGS__)

#define REVERSE_ARGS(...) KMEM_REVERSE(NUM_VA_ARGS(__VA_ARGS__), __VA_ARGS__)
#define KMEM_REVERSE(n, ...) KMEM_REVERSE_N(n, __VA_ARGS__)
#define KMEM_REVERSE_N(n, ...) KMEM_REVERSE_##n(__VA_ARGS__)

/** F(0, args) to F(LEN - 1, args), with the separator, in parentheses, between them. No args are an empty one. */
#define LISTIFY(LEN, F, sep, ...) KMEM_LISTIFY(LEN, F, sep, __VA_ARGS__)
#define KMEM_LISTIFY(n, f, sep, ...) KMEM_LISTIFY_##n(f, sep, __VA_ARGS__)

/*
 * Something of each argument: F(x), F(index, x), F(x, fixed), F(index, x, fixed), with the separator, which is in
 * parentheses, between them. No arguments, or one empty one, give nothing.
 */
#define FOR_EACH(F, sep, ...) KMEM_EACH(KMEM_CALL, F, sep, ~, __VA_ARGS__)
#define FOR_EACH_IDX(F, sep, ...) KMEM_EACH(KMEM_CALL_IDX, F, sep, ~, __VA_ARGS__)
#define FOR_EACH_FIXED_ARG(F, sep, fixed_arg, ...) KMEM_EACH(KMEM_CALL_FIXED, F, sep, fixed_arg, __VA_ARGS__)
#define FOR_EACH_IDX_FIXED_ARG(F, sep, fixed_arg, ...) KMEM_EACH(KMEM_CALL_IDX_FIXED, F, sep, fixed_arg, __VA_ARGS__)
#define FOR_EACH_NONEMPTY_TERM(F, term, ...) KMEM_EACH(KMEM_CALL_TERM, F, (), term, __VA_ARGS__)
#define FOR_EACH_REVERSE(F, sep, ...) FOR_EACH(F, sep, REVERSE_ARGS(__VA_ARGS__))

#define KMEM_CALL(f, i, x, fixed) f(x)
#define KMEM_CALL_IDX(f, i, x, fixed) f(i, x)
#define KMEM_CALL_FIXED(f, i, x, fixed) f(x, fixed)
#define KMEM_CALL_IDX_FIXED(f, i, x, fixed) f(i, x, fixed)
#define KMEM_CALL_TERM(f, i, x, term) COND_CODE_0(IS_EMPTY(x), (f(x) __DEBRACKET term), ())

#define KMEM_EACH(call, f, sep, fixed, ...) KMEM_EACH_N(NUM_VA_ARGS(__VA_ARGS__), call, f, sep, fixed, 0, __VA_ARGS__)
#define KMEM_EACH_N(n, call, f, sep, fixed, i, ...) KMEM_EACH_N_(n, call, f, sep, fixed, i, __VA_ARGS__)
#define KMEM_EACH_N_(n, call, f, sep, fixed, i, ...) KMEM_MAP_##n(call, f, sep, fixed, i, __VA_ARGS__)

/** The arguments without the empty ones, each followed by a comma but the last. */
#define LIST_DROP_EMPTY(...) KMEM_DROP_FIRST(FOR_EACH(KMEM_COMMA_BEFORE, (), __VA_ARGS__))
#define KMEM_COMMA_BEFORE(x) IF_DISABLED(IS_EMPTY(x), (, x))
#define KMEM_DROP_FIRST(...) KMEM_DROP_FIRST_(__VA_ARGS__)
#define KMEM_DROP_FIRST_(empty, ...) __VA_ARGS__

/** The arguments, after expansion, pasted to one token: 1 to 8 of them. */
#define CONCAT(...) KMEM_CONCAT(NUM_VA_ARGS(__VA_ARGS__), __VA_ARGS__)
#define KMEM_CONCAT(n, ...) KMEM_CONCAT_(n, __VA_ARGS__)
#define KMEM_CONCAT_(n, ...) KMEM_PASTE_##n(__VA_ARGS__)

/** F(first), F(second) and so on, pasted to one token: 1 to 8 of them. */
#define MACRO_MAP_CAT(F, ...) CONCAT(FOR_EACH(F, (, ), __VA_ARGS__))
#define MACRO_MAP_CAT_N(N, F, ...) MACRO_MAP_CAT(F, __VA_ARGS__)

#endif /* ZEPHYR_INCLUDE_SYS_UTIL_MACROS_H_ */
