/* SPDX-License-Identifier: Apache-2.0 */
/* What ioctl()'s third argument is, by its request. */
#ifndef KMEM_PRELOAD_CALL_IOCTL_H
#define KMEM_PRELOAD_CALL_IOCTL_H

#include <stdint.h>

#include "preload/call.h"

/* VALUE if the request has no pointer, or none that is known. _sigsafe. */
struct kmem_call_arg kmem_call_ioctl_arg(uint32_t request);

#endif /* KMEM_PRELOAD_CALL_IOCTL_H */
