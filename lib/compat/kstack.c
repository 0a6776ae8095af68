/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stacks of words, for data.
 */
#include <errno.h>
#include <stdlib.h>

#include <zephyr/kernel.h>

#include "compat/deadline.h"
#include "compat/wait.h"

#define IS_ALLOCATED 1U

void k_stack_init(struct k_stack *stack, stack_data_t *buffer, uint32_t num_entries)
{
	*stack = (struct k_stack){.base = buffer, .next = buffer, .top = buffer + num_entries};
}

int32_t k_stack_alloc_init(struct k_stack *stack, uint32_t num_entries)
{
	stack_data_t *buffer = k_calloc(num_entries, sizeof(*buffer));

	if (buffer == NULL) {
		return -ENOMEM;
	}
	k_stack_init(stack, buffer, num_entries);
	stack->flags = IS_ALLOCATED;
	return 0;
}

int k_stack_cleanup(struct k_stack *stack)
{
	unsigned int key = kmem_enter();
	const bool is_used = stack->wait_q.kmem_first != NULL;

	if (!is_used && (stack->flags & IS_ALLOCATED) != 0) {
		free(stack->base);
		stack->flags = 0;
	}
	kmem_leave(key);
	return is_used ? -EAGAIN : 0;
}

int k_stack_push(struct k_stack *stack, stack_data_t data)
{
	unsigned int key = kmem_enter();
	int ret = -ENOMEM;

	if (stack->next != stack->top) {
		*stack->next++ = data;
		(void)kmem_wake_one(&stack->wait_q, 0);
		ret = 0;
	}
	kmem_leave(key);
	return ret;
}

int k_stack_pop(struct k_stack *stack, stack_data_t *data, k_timeout_t timeout)
{
	const uint64_t deadline = kmem_deadline(timeout);
	int ret = kmem_timeout_waits(timeout) ? 0 : -EBUSY;

	for (;;) {
		unsigned int key = kmem_enter();

		if (stack->next != stack->base) {
			*data = *--stack->next;
			kmem_leave(key);
			return 0;
		}
		if (ret != 0) {
			kmem_leave(key);
			return ret;
		}
		ret = kmem_pend_until(key, &stack->wait_q, deadline);
	}
}
