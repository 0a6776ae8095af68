/* SPDX-License-Identifier: Apache-2.0 */
/*
 * States of threads, as the scheduler has them. (Zephyr: ksched.h)
 */
#ifndef ZEPHYR_KERNEL_INCLUDE_KSCHED_H_
#define ZEPHYR_KERNEL_INCLUDE_KSCHED_H_

#include <zephyr/kernel.h>

#include <kthread.h>

#endif /* ZEPHYR_KERNEL_INCLUDE_KSCHED_H_ */
