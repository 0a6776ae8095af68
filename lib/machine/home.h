/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the bytes of each frame of RAM lie: in the RAM file (ram.h), or with the engine, whose *own* the frame is then (engine.h).
 *
 *                     page_back(): chosen anew for each page that comes into the frame
 *        in the FILE <-----------------------------------------------------------------> OWN
 *             |                                                                           |
 *             | share()                                                      share(), once the bytes are in the file
 *             v                                                                           |
 *        SHARED: in the file for ever  <--------------------------------------------------+
 *
 * A frame is SHARED once it has been shown by its physical address, when nobody knows any more where else it is visible. Physical
 * memory beside RAM is always in a file. At the start every frame is in the file.
 *
 * A frame's word is written with the kernel lock held, and read with it, or by whoever moves the page in the frame.
 */
#ifndef KMEM_MACHINE_HOME_H
#define KMEM_MACHINE_HOME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* RAM of size bytes at phys; has_own: whether frames can be the engine's own at all. 0 or -errno. */
int kmem_home_init(uintptr_t phys, size_t size, size_t page_size, bool has_own);
void kmem_home_finish(void);

/* Whether the frame is the engine's own. _sigsafe. */
bool kmem_home_is_own(uintptr_t phys);

/* An empty frame is to be the engine's own, if it can. Whether it is. */
bool kmem_home_take(uintptr_t phys);

/* The frame lies in the file. */
void kmem_home_leave(uintptr_t phys);

/* The frames of a physical range, none of which is OWN, are SHARED; what is not RAM is passed over. */
void kmem_home_share(uintptr_t phys, size_t size);

#endif /* KMEM_MACHINE_HOME_H */
