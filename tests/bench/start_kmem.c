/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program that is linked with libkmem and does nothing, or with any argument boots it, for bench_start.c.
 */
#include <kmem/kmem.h>

int main(int argc, char **argv)
{
	(void)argv;
	return argc > 1 ? kmem_boot(NULL) != 0 : kmem_is_booted();
}
