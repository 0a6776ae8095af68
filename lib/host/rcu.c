/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Read-copy-update: liburcu's functions under this library's names.
 */
#include "host/rcu.h"

#include <urcu-bp.h>

#include "host/annotate.h"

/* What memory checkers see of a grace period: whoever waited for it comes after the sections that ended. */
static char section;

void kmem_rcu_read_lock(void)
{
	urcu_bp_read_lock();
}

void kmem_rcu_read_unlock(void)
{
	kmem_annotate_release(&section);
	urcu_bp_read_unlock();
}

void kmem_rcu_synchronize(void)
{
	urcu_bp_synchronize_rcu();
	kmem_annotate_acquire(&section);
}

void kmem_rcu_fork_prepare(void)
{
	urcu_bp_before_fork();
}

void kmem_rcu_fork_parent(void)
{
	urcu_bp_after_fork_parent();
}

void kmem_rcu_fork_child(void)
{
	urcu_bp_after_fork_child();
}
