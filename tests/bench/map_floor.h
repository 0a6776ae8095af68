/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Floors of mapping: the host calls with which an engine makes zeroed pages appear in a reservation and vanish from it, and nothing else.
 */
#ifndef BENCH_MAP_FLOOR_H
#define BENCH_MAP_FLOOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAP_PAGE 4096UL
#define MAP_PAGES_MAX 4096UL

/* For the engine of this name, and so many pages. lazy: pages appear one by one, each when it is touched. False if the host cannot. */
bool map_floor_start(const char *engine, size_t pages, bool is_lazy);

uint8_t *map_floor_map(size_t pages);
void map_floor_unmap(size_t pages);

#endif /* BENCH_MAP_FLOOR_H */
