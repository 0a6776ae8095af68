/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events. What a thread waits for stands in its object; whoever sets events decides whom they satisfy.
 */
#include <zephyr/kernel.h>

#include "compat/wait.h"

void k_event_init(struct k_event *event)
{
	*event = (struct k_event){.events = 0};
}

/* Those of the wanted events that are enough to go on; 0 if they are not. */
static uint32_t found(uint32_t events, uint32_t wanted, bool all)
{
	if (all) {
		return (events & wanted) == wanted ? wanted : 0;
	}
	return events & wanted;
}

static uint32_t change(struct k_event *event, uint32_t events, uint32_t mask)
{
	unsigned int key = kmem_enter();
	const uint32_t before = event->events & mask;
	struct k_thread *next;

	event->events = (event->events & ~mask) | (events & mask);
	for (struct k_thread *thread = event->wait_q.kmem_first; thread != NULL; thread = next) {
		const uint32_t enough = found(event->events, thread->kmem_events, thread->kmem_events_all);

		next = thread->base.kmem_wait_next;
		if (enough != 0) {
			thread->kmem_events = enough;
			kmem_unpend(thread);
			kmem_ready(thread, 0);
		}
	}
	kmem_leave(key);
	return before;
}

uint32_t k_event_post(struct k_event *event, uint32_t events)
{
	return change(event, events, events);
}

uint32_t k_event_set(struct k_event *event, uint32_t events)
{
	return change(event, events, UINT32_MAX);
}

uint32_t k_event_set_masked(struct k_event *event, uint32_t events, uint32_t events_mask)
{
	return change(event, events, events_mask);
}

uint32_t k_event_clear(struct k_event *event, uint32_t events)
{
	return change(event, 0, events);
}

static uint32_t event_wait(struct k_event *event, uint32_t events, bool all, bool reset, k_timeout_t timeout)
{
	struct k_thread *self = k_sched_current_thread_query();
	unsigned int key = kmem_enter();
	uint32_t enough;

	if (reset) {
		event->events = 0;
	}
	enough = found(event->events, events, all);
	if (enough != 0 || events == 0 || !kmem_timeout_waits(timeout)) {
		kmem_leave(key);
		return enough;
	}
	self->kmem_events = events;
	self->kmem_events_all = all;
	return kmem_pend(key, &event->wait_q, timeout) == 0 ? self->kmem_events : 0;
}

uint32_t k_event_wait(struct k_event *event, uint32_t events, bool reset, k_timeout_t timeout)
{
	return event_wait(event, events, false, reset, timeout);
}

uint32_t k_event_wait_all(struct k_event *event, uint32_t events, bool reset, k_timeout_t timeout)
{
	return event_wait(event, events, true, reset, timeout);
}

uint32_t k_event_test(struct k_event *event, uint32_t events_mask)
{
	return __atomic_load_n(&event->events, __ATOMIC_RELAXED) & events_mask;
}
