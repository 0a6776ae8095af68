/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fatal error handler of tests that expect fatal errors.
 */
#include "expect.h"

struct expect_fatal fatal;

void k_sys_fatal_error_handler(unsigned int reason, const struct arch_esf *esf)
{
	fatal.calls++;
	fatal.reason = reason;
	fatal.esf = *esf;
	strncpy(fatal.text, esf->text, sizeof(fatal.text) - 1);
	fatal.esf.text = fatal.text;
	fatal.thread = pthread_self();
	sigprocmask(SIG_BLOCK, NULL, &fatal.mask);
	if (fatal.is_armed) {
		fatal.is_armed = false;
		siglongjmp(fatal.target, 1);
	}
}

void expect_read_only(volatile uint8_t *byte)
{
	uint8_t value = *byte;

	EXPECT_TRAP(*byte = (uint8_t)~value, KMEM_FAULT_READ_ONLY, byte);
	ck_assert_uint_eq(*byte, value);
}
