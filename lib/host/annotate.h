/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the library tells memory checkers: to Valgrind, that a page's bytes are defined although the page cannot be
 * touched at the moment (a touch is a fault that libkmem serves, not an error). Nothing where its header is absent.
 * And what compilers and sanitizers are told.
 */
#ifndef KMEM_HOST_ANNOTATE_H
#define KMEM_HOST_ANNOTATE_H

#include <stddef.h>
#include <stdint.h>

#ifdef KMEM_HAVE_VALGRIND
#include <valgrind/memcheck.h>
#include <valgrind/valgrind.h>

#define kmem_annotate_defined(addr, size) VALGRIND_MAKE_MEM_DEFINED(addr, size)
#define kmem_annotate_noaccess(addr, size) VALGRIND_MAKE_MEM_NOACCESS(addr, size)
#define kmem_annotate_on_valgrind() (RUNNING_ON_VALGRIND != 0)
#else
#define kmem_annotate_defined(addr, size) ((void)(addr), (void)(size))
#define kmem_annotate_noaccess(addr, size) ((void)(addr), (void)(size))
#define kmem_annotate_on_valgrind() 0
#endif

/*
 * For functions that ThreadSanitizer's run time calls, through our wrappers, before it is set up: not instrumented, and calling
 * no function that is.
 */
#ifdef __SANITIZE_THREAD__
#define KMEM_NO_TSAN __attribute__((no_sanitize_thread))
#else
#define KMEM_NO_TSAN
#endif

/* For functions that look at what may have been left on a stack. */
#define KMEM_NO_ASAN __attribute__((no_sanitize("address")))

/*
 * For functions that do nothing but call the program's code: they lie together, so that a call whose return address is there is known
 * to be the program's (a function whose last act is a call leaves its own caller's address). KMEM_CALLBACK_END goes behind the call.
 */
#define KMEM_CALLBACK __attribute__((noinline, section("kmem_callbacks")))
#define KMEM_CALLBACK_END __asm__ volatile("")

extern const char __start_kmem_callbacks[] __attribute__((visibility("hidden")));
extern const char __stop_kmem_callbacks[] __attribute__((visibility("hidden")));

/* Order between threads that ThreadSanitizer does not see, because a library that makes it is not instrumented. */
#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>

#define kmem_annotate_release(addr) __tsan_release(addr)
#define kmem_annotate_acquire(addr) __tsan_acquire(addr)
#else
#define kmem_annotate_release(addr) ((void)(addr))
#define kmem_annotate_acquire(addr) ((void)(addr))
#endif

#endif /* KMEM_HOST_ANNOTATE_H */
