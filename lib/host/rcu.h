/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Read-copy-update: readers that take no lock, and memory that is reused only once none of them can still see it. liburcu's
 * bulletproof flavour, which knows threads by themselves from their first read section.
 */
#ifndef KMEM_HOST_RCU_H
#define KMEM_HOST_RCU_H

/* A read section: what was found in it may be used until its end. Nests; never blocks. */
void kmem_rcu_read_lock(void);
void kmem_rcu_read_unlock(void);

/* Wait until every read section that runs now has ended. Blocks: no lock, no read section. */
void kmem_rcu_synchronize(void);

/* Around a fork, in the forking thread and its copy. */
void kmem_rcu_fork_prepare(void);
void kmem_rcu_fork_parent(void);
void kmem_rcu_fork_child(void);

#endif /* KMEM_HOST_RCU_H */
