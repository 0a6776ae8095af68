/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The device tree, which is empty: questions whether a node exists are answered, with no. (Zephyr: devicetree.h)
 */
#ifndef ZEPHYR_INCLUDE_DEVICETREE_H_
#define ZEPHYR_INCLUDE_DEVICETREE_H_

#include <kmem/kconfig.h>

#include <zephyr/sys/util.h>

#define DT_NODELABEL(label) kmem_no_node
#define DT_ALIAS(alias) kmem_no_node
#define DT_CHOSEN(prop) kmem_no_node
#define DT_PATH(...) kmem_no_node
#define DT_NODE_EXISTS(node_id) 0
#define DT_NODE_HAS_STATUS(node_id, status) 0
#define DT_NODE_HAS_STATUS_OKAY(node_id) 0
#define DT_NODE_HAS_PROP(node_id, prop) 0
#define DT_HAS_CHOSEN(prop) 0
#define DT_HAS_ALIAS(alias) 0
#define DT_HAS_COMPAT_STATUS_OKAY(compat) 0
#define DT_NUM_INST_STATUS_OKAY(compat) 0

#endif /* ZEPHYR_INCLUDE_DEVICETREE_H_ */
