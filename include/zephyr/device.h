/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices, of which there are none: the type alone. (Zephyr: device.h)
 */
#ifndef ZEPHYR_INCLUDE_DEVICE_H_
#define ZEPHYR_INCLUDE_DEVICE_H_

#include <kmem/kconfig.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <zephyr/devicetree.h>
#include <zephyr/init.h>
#include <zephyr/sys/util.h>
#include <zephyr/toolchain.h>

#ifdef __cplusplus
extern "C" {
#endif

struct device_state {
	uint8_t init_res;
	bool initialized;
};

struct device {
	const char *name;
	const void *config;
	const void *api;
	struct device_state *state;
	void *data;
};

/** Whether a device may be used: it was initialised without an error. */
static inline bool device_is_ready(const struct device *dev)
{
	return dev != NULL && dev->state != NULL && dev->state->initialized && dev->state->init_res == 0;
}

/** Find a device by name: there are none. */
static inline const struct device *device_get_binding(const char *name)
{
	ARG_UNUSED(name);
	return NULL;
}

#ifdef __cplusplus
}
#endif

#endif /* ZEPHYR_INCLUDE_DEVICE_H_ */
