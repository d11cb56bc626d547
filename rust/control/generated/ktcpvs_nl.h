/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/ktcpvs.yaml */
/* YNL-GEN kernel header */
/* To regenerate run: scripts/ynl-regen */

#ifndef _LINUX_KTCPVS_GEN_H
#define _LINUX_KTCPVS_GEN_H

#include <net/netlink.h>
#include <net/genetlink.h>

#include <uapi/linux/ktcpvs.h>

/* Common nested types */
extern const struct nla_policy ktcpvs_condition_nl_policy[KTCPVS_A_CONDITION_NOT + 1];
extern const struct nla_policy ktcpvs_listener_nl_policy[KTCPVS_A_LISTENER_PORT + 1];
extern const struct nla_policy ktcpvs_op_nl_policy[KTCPVS_A_OP_SETTINGS + 1];
extern const struct nla_policy ktcpvs_pool_nl_policy[KTCPVS_A_POOL_KEY + 1];
extern const struct nla_policy ktcpvs_program_nl_policy[KTCPVS_A_PROGRAM_PIECE + 1];
extern const struct nla_policy ktcpvs_rule_nl_policy[KTCPVS_A_RULE_STATS + 1];
extern const struct nla_policy ktcpvs_server_nl_policy[KTCPVS_A_SERVER_STATS + 1];
extern const struct nla_policy ktcpvs_service_nl_policy[KTCPVS_A_SERVICE_STATS + 1];
extern const struct nla_policy ktcpvs_settings_nl_policy[KTCPVS_A_SETTINGS_MEM_LIMIT + 1];
extern const struct nla_policy ktcpvs_stats_nl_policy[KTCPVS_A_STATS_CONNECTIONS_REFUSED + 1];

int ktcpvs_nl_get_start(struct netlink_callback *cb);
int ktcpvs_nl_get_done(struct netlink_callback *cb);

int ktcpvs_nl_change_doit(struct sk_buff *skb, struct genl_info *info);
int ktcpvs_nl_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);

extern struct genl_family ktcpvs_nl_family;

#endif /* _LINUX_KTCPVS_GEN_H */
