/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stacks in dynamic memory: sizes with an address, as threads run on stacks of the host's.
 */
#include <errno.h>
#include <stdlib.h>

#include <zephyr/kernel.h>

#include "compat/thread.h"

/* In front of each stack. */
struct stack {
	struct stack *next;
	k_thread_stack_t elements[];
};

static struct stack *stacks; /* interrupt lock */

k_thread_stack_t *k_thread_stack_alloc(size_t size, int flags)
{
	unsigned int key = kmem_enter();
	struct stack *stack = malloc(sizeof(*stack) + K_THREAD_STACK_LEN(size));

	(void)flags;
	if (stack != NULL) {
		stack->next = stacks;
		stacks = stack;
	}
	kmem_leave(key);
	return stack != NULL ? stack->elements : NULL;
}

/* Whether a thread has it. Lock held. */
static bool is_used(const k_thread_stack_t *stack)
{
	for (const struct kmem_host_thread *host = kmem_host_threads; host != NULL; host = host->next) {
		if (host->thread->stack_obj == stack) {
			return true;
		}
	}
	return false;
}

int k_thread_stack_free(k_thread_stack_t *stack)
{
	unsigned int key = kmem_enter();
	struct stack **link = &stacks;
	struct stack *found;
	int ret = 0;

	while (*link != NULL && (*link)->elements != stack) {
		link = &(*link)->next;
	}
	found = *link;
	if (found == NULL) {
		ret = -EINVAL;
	} else if (is_used(stack)) {
		ret = -EBUSY;
	} else {
		*link = found->next;
		free(found);
	}
	kmem_leave(key);
	return ret;
}
