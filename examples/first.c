/* SPDX-License-Identifier: Apache-2.0 */
/* A first program: four times as much memory as there is RAM. */
#include <stdio.h>
#include <kmem/kmem.h>

int main(void)
{
	size_t size = (size_t)256 << 20; /* RAM is 64 MiB unless configured */
	char *memory = k_mem_map(size, K_MEM_PERM_RW);

	for (size_t i = 0; memory != NULL && i < size; i += 4096) {
		memory[i] = 1;
	}
	printf("%lu page faults\n", k_mem_num_pagefaults_get());
	return kmem_map_print(1) == 0 && memory != NULL ? 0 : 1;
}
