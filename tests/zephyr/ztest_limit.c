/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests that take too long: asleep, busy, in setup(), and so that their threads cannot be aborted; and one that ends
 * the process.
 */
#include <signal.h>
#include <unistd.h>

#include <zephyr/ztest.h>

static volatile bool always = true;

static void busy(void)
{
	while (always) {
	}
}

/* aborted: the run goes on. */

ZTEST(aborted, test_1_sleeps)
{
	k_sleep(K_FOREVER);
}

ZTEST(aborted, test_2_is_busy)
{
	busy();
}

ZTEST(aborted, test_3_is_quick)
{
}

ZTEST_SUITE(aborted, NULL, NULL, NULL, NULL, NULL);

/* stuck: the run ends. */

ZTEST(stuck, test_1_is_quick)
{
}

ZTEST(stuck, test_2_has_interrupts_locked)
{
	(void)irq_lock();
	busy();
}

ZTEST(stuck, test_3_is_not_reached)
{
}

ZTEST_SUITE(stuck, NULL, NULL, NULL, NULL, NULL);

/* slow: in setup() */

static void *slow_setup(void)
{
	busy();
	return NULL;
}

ZTEST(slow, test_is_not_reached)
{
}

ZTEST_SUITE(slow, NULL, slow_setup, NULL, NULL, NULL);

/* gone: the process ends in the middle. */

ZTEST(gone, test_exits)
{
	exit(0);
}

ZTEST_SUITE(gone, NULL, NULL, NULL, NULL, NULL);
