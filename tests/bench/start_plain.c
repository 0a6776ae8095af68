/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program that does nothing, for bench_start.c.
 */
int main(void)
{
	return 0;
}
