// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/ktcpvs.yaml */
/* YNL-GEN kernel source */
/* To regenerate run: scripts/ynl-regen */

#include <net/netlink.h>
#include <net/genetlink.h>

#include "ktcpvs_nl.h"

#include <uapi/linux/ktcpvs.h>

/* Integer value ranges */
static const struct netlink_range_validation ktcpvs_a_server_weight_range = {
	.max	= KTCPVS_WEIGHT_MAX,
};

static const struct netlink_range_validation ktcpvs_a_service_timeout_head_range = {
	.min	= 1ULL,
	.max	= KTCPVS_TIMEOUT_MAX,
};

static const struct netlink_range_validation ktcpvs_a_service_timeout_idle_range = {
	.min	= 1ULL,
	.max	= KTCPVS_TIMEOUT_MAX,
};

static const struct netlink_range_validation ktcpvs_a_service_timeout_connect_range = {
	.min	= 1ULL,
	.max	= KTCPVS_TIMEOUT_MAX,
};

static const struct netlink_range_validation ktcpvs_a_service_timeout_response_range = {
	.min	= 1ULL,
	.max	= KTCPVS_TIMEOUT_MAX,
};

static const struct netlink_range_validation ktcpvs_a_service_timeout_stall_range = {
	.min	= 1ULL,
	.max	= KTCPVS_TIMEOUT_MAX,
};

static const struct netlink_range_validation ktcpvs_a_service_head_max_range = {
	.min	= KTCPVS_HEAD_MIN,
	.max	= KTCPVS_HEAD_MAX,
};

static const struct netlink_range_validation ktcpvs_a_service_target_max_range = {
	.min	= 1ULL,
	.max	= KTCPVS_HEAD_MAX,
};

/* Common nested types */
const struct nla_policy ktcpvs_condition_nl_policy[KTCPVS_A_CONDITION_NOT + 1] = {
	[KTCPVS_A_CONDITION_SUBJECT] = NLA_POLICY_MAX(NLA_U32, 5),
	[KTCPVS_A_CONDITION_OPERATOR] = NLA_POLICY_MAX(NLA_U32, 4),
	[KTCPVS_A_CONDITION_NAME] = { .type = NLA_NUL_STRING, .len = KTCPVS_TOKEN_LEN, },
	[KTCPVS_A_CONDITION_VALUE] = NLA_POLICY_MAX_LEN(KTCPVS_VALUE_LEN),
	[KTCPVS_A_CONDITION_NOT] = { .type = NLA_FLAG, },
};

const struct nla_policy ktcpvs_listener_nl_policy[KTCPVS_A_LISTENER_PORT + 1] = {
	[KTCPVS_A_LISTENER_ADDRESS] = NLA_POLICY_MAX_LEN(16),
	[KTCPVS_A_LISTENER_PORT] = NLA_POLICY_MIN(NLA_BE16, 1),
};

const struct nla_policy ktcpvs_op_nl_policy[KTCPVS_A_OP_SETTINGS + 1] = {
	[KTCPVS_A_OP_TYPE] = NLA_POLICY_RANGE(NLA_U32, 1, 15),
	[KTCPVS_A_OP_SERVICE] = NLA_POLICY_NESTED(ktcpvs_service_nl_policy),
	[KTCPVS_A_OP_POOL] = NLA_POLICY_NESTED(ktcpvs_pool_nl_policy),
	[KTCPVS_A_OP_SERVER] = NLA_POLICY_NESTED(ktcpvs_server_nl_policy),
	[KTCPVS_A_OP_RULE] = NLA_POLICY_NESTED(ktcpvs_rule_nl_policy),
	[KTCPVS_A_OP_PROGRAM] = NLA_POLICY_NESTED(ktcpvs_program_nl_policy),
	[KTCPVS_A_OP_SETTINGS] = NLA_POLICY_NESTED(ktcpvs_settings_nl_policy),
};

const struct nla_policy ktcpvs_pool_nl_policy[KTCPVS_A_POOL_KEY + 1] = {
	[KTCPVS_A_POOL_NAME] = { .type = NLA_NUL_STRING, .len = KTCPVS_NAME_LEN, },
	[KTCPVS_A_POOL_SCHEDULER] = NLA_POLICY_MAX(NLA_U32, 4),
	[KTCPVS_A_POOL_COOKIE] = { .type = NLA_NUL_STRING, .len = KTCPVS_TOKEN_LEN, },
	[KTCPVS_A_POOL_KEY] = NLA_POLICY_EXACT_LEN(KTCPVS_KEY_LEN),
};

const struct nla_policy ktcpvs_program_nl_policy[KTCPVS_A_PROGRAM_PIECE + 1] = {
	[KTCPVS_A_PROGRAM_SERVICE] = { .type = NLA_NUL_STRING, .len = KTCPVS_NAME_LEN, },
	[KTCPVS_A_PROGRAM_PIECE] = NLA_POLICY_MAX_LEN(KTCPVS_PIECE_LEN),
};

const struct nla_policy ktcpvs_rule_nl_policy[KTCPVS_A_RULE_STATS + 1] = {
	[KTCPVS_A_RULE_SERVICE] = { .type = NLA_NUL_STRING, .len = KTCPVS_NAME_LEN, },
	[KTCPVS_A_RULE_ID] = { .type = NLA_U32, },
	[KTCPVS_A_RULE_CONDITION] = NLA_POLICY_NESTED(ktcpvs_condition_nl_policy),
	[KTCPVS_A_RULE_ACTION] = NLA_POLICY_MAX(NLA_U32, 3),
	[KTCPVS_A_RULE_POOL] = { .type = NLA_NUL_STRING, .len = KTCPVS_NAME_LEN, },
	[KTCPVS_A_RULE_ADDRESS] = NLA_POLICY_MAX_LEN(16),
	[KTCPVS_A_RULE_PORT] = NLA_POLICY_MIN(NLA_BE16, 1),
	[KTCPVS_A_RULE_STATUS] = NLA_POLICY_RANGE(NLA_U32, 200, 599),
	[KTCPVS_A_RULE_LOCATION] = { .type = NLA_NUL_STRING, .len = KTCPVS_LOCATION_LEN, },
	[KTCPVS_A_RULE_CAPTURE] = NLA_POLICY_MAX(NLA_U32, KTCPVS_CAPTURE_MAX),
	[KTCPVS_A_RULE_STATS] = NLA_POLICY_NESTED(ktcpvs_stats_nl_policy),
};

const struct nla_policy ktcpvs_server_nl_policy[KTCPVS_A_SERVER_STATS + 1] = {
	[KTCPVS_A_SERVER_POOL] = { .type = NLA_NUL_STRING, .len = KTCPVS_NAME_LEN, },
	[KTCPVS_A_SERVER_ADDRESS] = NLA_POLICY_MAX_LEN(16),
	[KTCPVS_A_SERVER_PORT] = NLA_POLICY_MIN(NLA_BE16, 1),
	[KTCPVS_A_SERVER_WEIGHT] = NLA_POLICY_FULL_RANGE(NLA_U32, &ktcpvs_a_server_weight_range),
	[KTCPVS_A_SERVER_STATS] = NLA_POLICY_NESTED(ktcpvs_stats_nl_policy),
};

const struct nla_policy ktcpvs_service_nl_policy[KTCPVS_A_SERVICE_STATS + 1] = {
	[KTCPVS_A_SERVICE_NAME] = { .type = NLA_NUL_STRING, .len = KTCPVS_NAME_LEN, },
	[KTCPVS_A_SERVICE_LISTENER] = NLA_POLICY_NESTED(ktcpvs_listener_nl_policy),
	[KTCPVS_A_SERVICE_POOL] = { .type = NLA_NUL_STRING, .len = KTCPVS_NAME_LEN, },
	[KTCPVS_A_SERVICE_ENABLED] = NLA_POLICY_MAX(NLA_U8, 1),
	[KTCPVS_A_SERVICE_TIMEOUT_HEAD] = NLA_POLICY_FULL_RANGE(NLA_U32, &ktcpvs_a_service_timeout_head_range),
	[KTCPVS_A_SERVICE_TIMEOUT_IDLE] = NLA_POLICY_FULL_RANGE(NLA_U32, &ktcpvs_a_service_timeout_idle_range),
	[KTCPVS_A_SERVICE_TIMEOUT_CONNECT] = NLA_POLICY_FULL_RANGE(NLA_U32, &ktcpvs_a_service_timeout_connect_range),
	[KTCPVS_A_SERVICE_TIMEOUT_RESPONSE] = NLA_POLICY_FULL_RANGE(NLA_U32, &ktcpvs_a_service_timeout_response_range),
	[KTCPVS_A_SERVICE_TIMEOUT_STALL] = NLA_POLICY_FULL_RANGE(NLA_U32, &ktcpvs_a_service_timeout_stall_range),
	[KTCPVS_A_SERVICE_HEAD_MAX] = NLA_POLICY_FULL_RANGE(NLA_U32, &ktcpvs_a_service_head_max_range),
	[KTCPVS_A_SERVICE_TARGET_MAX] = NLA_POLICY_FULL_RANGE(NLA_U32, &ktcpvs_a_service_target_max_range),
	[KTCPVS_A_SERVICE_HEADERS_MAX] = NLA_POLICY_RANGE(NLA_U32, 1, KTCPVS_HEADERS_MAX),
	[KTCPVS_A_SERVICE_BODY_MAX] = { .type = NLA_UINT, },
	[KTCPVS_A_SERVICE_FORWARDED_FOR] = NLA_POLICY_MAX(NLA_U8, 1),
	[KTCPVS_A_SERVICE_STATS] = NLA_POLICY_NESTED(ktcpvs_stats_nl_policy),
};

const struct nla_policy ktcpvs_settings_nl_policy[KTCPVS_A_SETTINGS_MEM_LIMIT + 1] = {
	[KTCPVS_A_SETTINGS_MEM_LIMIT] = { .type = NLA_UINT, },
};

const struct nla_policy ktcpvs_stats_nl_policy[KTCPVS_A_STATS_CONNECTIONS_REFUSED + 1] = {
	[KTCPVS_A_STATS_CONNECTIONS_ACTIVE] = { .type = NLA_UINT, },
	[KTCPVS_A_STATS_CONNECTIONS_TOTAL] = { .type = NLA_UINT, },
	[KTCPVS_A_STATS_REQUESTS] = { .type = NLA_UINT, },
	[KTCPVS_A_STATS_BYTES_IN] = { .type = NLA_UINT, },
	[KTCPVS_A_STATS_BYTES_OUT] = { .type = NLA_UINT, },
	[KTCPVS_A_STATS_ERRORS] = { .type = NLA_UINT, },
	[KTCPVS_A_STATS_RESPONSES] = { .type = NLA_UINT, },
	[KTCPVS_A_STATS_CONNECTIONS_REFUSED] = { .type = NLA_UINT, },
};

/* KTCPVS_CMD_CHANGE - do */
static const struct nla_policy ktcpvs_change_nl_policy[KTCPVS_A_OP + 1] = {
	[KTCPVS_A_GENERATION] = { .type = NLA_UINT, },
	[KTCPVS_A_OP] = NLA_POLICY_NESTED(ktcpvs_op_nl_policy),
};

/* Ops table for ktcpvs */
static const struct genl_split_ops ktcpvs_nl_ops[] = {
	{
		.cmd		= KTCPVS_CMD_CHANGE,
		.doit		= ktcpvs_nl_change_doit,
		.policy		= ktcpvs_change_nl_policy,
		.maxattr	= KTCPVS_A_OP,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd	= KTCPVS_CMD_GET,
		.start	= ktcpvs_nl_get_start,
		.dumpit	= ktcpvs_nl_get_dumpit,
		.done	= ktcpvs_nl_get_done,
		.flags	= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DUMP,
	},
};

struct genl_family ktcpvs_nl_family __ro_after_init = {
	.name		= KTCPVS_FAMILY_NAME,
	.version	= KTCPVS_FAMILY_VERSION,
	.netnsok	= true,
	.parallel_ops	= true,
	.module		= THIS_MODULE,
	.split_ops	= ktcpvs_nl_ops,
	.n_split_ops	= ARRAY_SIZE(ktcpvs_nl_ops),
};
