/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Relief: giving mappings of the host's back where they run out, by concealing pages. Kernel lock held; _sigsafe.
 */
#ifndef KMEM_KERNEL_RELIEF_H
#define KMEM_KERNEL_RELIEF_H

#include <errno.h>
#include <stdbool.h>

/* A host call that is repeated; zeroed at first. */
struct kmem_relief {
	unsigned int round;
	bool has_spare; /* the spare mappings were given back */
};

void kmem_relief_init(void);

/* The call failed for want of mappings: give some back, more than the last time. False if there is nothing left to try. */
bool kmem_relief_next(struct kmem_relief *relief);

/* The call will not be repeated any more. */
void kmem_relief_end(struct kmem_relief *relief);

/* A host call, repeated with host mappings given back as long as it fails for want of them. */
#define KMEM_RELIEVED(call)                                                                                            \
	__extension__({                                                                                               \
		struct kmem_relief relief_ = {.round = 0};                                                             \
		int ret_ = (call);                                                                                     \
		while (ret_ == -ENOMEM && kmem_relief_next(&relief_)) {                                                \
			ret_ = (call);                                                                                 \
		}                                                                                                      \
		kmem_relief_end(&relief_);                                                                             \
		ret_;                                                                                                  \
	})

#endif /* KMEM_KERNEL_RELIEF_H */
