/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arrays that the linker gathers from all units of a program. (Zephyr: sys/iterable_sections.h)
 *
 * Each structure type has an array, whose members come in the order of linking: not by name, as Zephyr sorts them. An
 * array is the program's, or a shared library's, own. Types are those of structures, named without `struct`.
 */
#ifndef ZEPHYR_INCLUDE_SYS_ITERABLE_SECTIONS_H_
#define ZEPHYR_INCLUDE_SYS_ITERABLE_SECTIONS_H_

#include <kmem/kconfig.h>

#pragma GCC system_header

#include <stddef.h>

#include <zephyr/sys/util.h>
#include <zephyr/toolchain.h>

#define KMEM_ARRAY_START(array) _CONCAT(__start_kmem_array_, array)
#define KMEM_ARRAY_END(array) _CONCAT(__stop_kmem_array_, array)

/** The symbols of a type's array: it need not exist. */
#define TYPE_SECTION_START_EXTERN(type, array)                                                                         \
	extern type KMEM_ARRAY_START(array)[] __attribute__((weak, visibility("hidden")))
#define TYPE_SECTION_END_EXTERN(type, array)                                                                           \
	extern type KMEM_ARRAY_END(array)[] __attribute__((weak, visibility("hidden")))
#define TYPE_SECTION_START(array) KMEM_ARRAY_START(array)
#define TYPE_SECTION_END(array) KMEM_ARRAY_END(array)

/** Define a member. Its alignment is given, or compilers would leave gaps between members. */
#define TYPE_SECTION_ITERABLE(type, varname, array, section_postfix)                                                   \
	type varname __attribute__((section(STRINGIFY(_CONCAT(kmem_array_, array))), used, aligned(__alignof__(type))))

#define TYPE_SECTION_FOREACH(type, array, iterator)                                                                    \
	TYPE_SECTION_START_EXTERN(type, array);                                                                        \
	TYPE_SECTION_END_EXTERN(type, array);                                                                          \
	for (type *iterator = TYPE_SECTION_START(array); iterator < TYPE_SECTION_END(array); iterator++)

#define TYPE_SECTION_COUNT(type, array, count)                                                                         \
	do {                                                                                                           \
		TYPE_SECTION_START_EXTERN(type, array);                                                                \
		TYPE_SECTION_END_EXTERN(type, array);                                                                  \
		*(count) = (size_t)(TYPE_SECTION_END(array) - TYPE_SECTION_START(array));                              \
	} while (0)

#define TYPE_SECTION_GET(type, array, i, dst)                                                                          \
	do {                                                                                                           \
		TYPE_SECTION_START_EXTERN(type, array);                                                                \
		*(dst) = &TYPE_SECTION_START(array)[i];                                                                \
	} while (0)

/* The same by the name of a structure. */
#define STRUCT_SECTION_START(struct_type) TYPE_SECTION_START(struct_type)
#define STRUCT_SECTION_END(struct_type) TYPE_SECTION_END(struct_type)
#define STRUCT_SECTION_START_EXTERN(struct_type) TYPE_SECTION_START_EXTERN(struct struct_type, struct_type)
#define STRUCT_SECTION_END_EXTERN(struct_type) TYPE_SECTION_END_EXTERN(struct struct_type, struct_type)
#define STRUCT_SECTION_ITERABLE(struct_type, varname)                                                                  \
	TYPE_SECTION_ITERABLE(struct struct_type, varname, struct_type, varname)
#define STRUCT_SECTION_ITERABLE_ALTERNATE(secname, struct_type, varname)                                               \
	TYPE_SECTION_ITERABLE(struct struct_type, varname, secname, varname)
#define STRUCT_SECTION_ITERABLE_NAMED(struct_type, name, varname)                                                      \
	TYPE_SECTION_ITERABLE(struct struct_type, varname, struct_type, name)
#define STRUCT_SECTION_FOREACH(struct_type, iterator) TYPE_SECTION_FOREACH(struct struct_type, struct_type, iterator)
#define STRUCT_SECTION_FOREACH_ALTERNATE(secname, struct_type, iterator)                                               \
	TYPE_SECTION_FOREACH(struct struct_type, secname, iterator)
#define STRUCT_SECTION_COUNT(struct_type, count) TYPE_SECTION_COUNT(struct struct_type, struct_type, count)
#define STRUCT_SECTION_GET(struct_type, i, dst) TYPE_SECTION_GET(struct struct_type, struct_type, i, dst)

#endif /* ZEPHYR_INCLUDE_SYS_ITERABLE_SECTIONS_H_ */
