/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Locales stay resident.
 *
 * A new thread looks at the global locale before anything else, with all signals blocked by the C library: a page that is out could not be
 * brought in, and the host kernel would end the process. So what the C library allocates while it loads a locale comes from the
 * resident heap. Everything else of these functions is its own.
 */
#include <locale.h>

#include "preload/heap_resident.h"
#include "preload/next.h"

#define EXPORT __attribute__((visibility("default")))

/* Under this name C++'s library calls it. */
locale_t __newlocale(int mask, const char *name, locale_t base);

__thread bool kmem_heap_resident_wanted __attribute__((tls_model("initial-exec")));

EXPORT char *setlocale(int category, const char *name)
{
	const bool former = kmem_heap_resident_wanted;
	char *result;

	kmem_heap_resident_wanted = true;
	result = KMEM_NEXT(setlocale)(category, name);
	kmem_heap_resident_wanted = former;
	return result;
}

EXPORT locale_t newlocale(int mask, const char *name, locale_t base)
{
	const bool former = kmem_heap_resident_wanted;
	locale_t result;

	kmem_heap_resident_wanted = true;
	result = KMEM_NEXT(newlocale)(mask, name, base);
	kmem_heap_resident_wanted = former;
	return result;
}

EXPORT locale_t __newlocale(int mask, const char *name, locale_t base)
{
	return newlocale(mask, name, base);
}
