/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Linked with all objects of one room and of those below it: a call upwards is an undefined reference, and this program
 * does not link.
 */
int main(void)
{
	return 0;
}
