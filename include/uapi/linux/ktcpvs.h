/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/ktcpvs.yaml */
/* YNL-GEN uapi header */
/* To regenerate run: scripts/ynl-regen */

#ifndef _UAPI_LINUX_KTCPVS_H
#define _UAPI_LINUX_KTCPVS_H

#define KTCPVS_FAMILY_NAME	"ktcpvs"
#define KTCPVS_FAMILY_VERSION	1

#define KTCPVS_NAME_LEN		63
#define KTCPVS_TOKEN_LEN	127
#define KTCPVS_KEY_LEN		16
#define KTCPVS_VALUE_LEN	2048
#define KTCPVS_LOCATION_LEN	2048
#define KTCPVS_PIECE_LEN	32764
#define KTCPVS_PROGRAM_LEN_MAX	16777216
#define KTCPVS_RULE_LEN_MAX	16384
#define KTCPVS_RULES_MAX	65535
#define KTCPVS_CONDITIONS_MAX	16
#define KTCPVS_LISTENERS_MAX	16
#define KTCPVS_SERVERS_MAX	16384
#define KTCPVS_WEIGHT_MAX	65535
#define KTCPVS_CAPTURE_MAX	31
#define KTCPVS_TIMEOUT_MAX	86400000
#define KTCPVS_HEAD_MIN		256
#define KTCPVS_HEAD_MAX		32768
#define KTCPVS_HEADERS_MAX	1000

/**
 * enum ktcpvs_op_type - What a step of a transaction does.
 * @KTCPVS_OP_TYPE_SERVICE_ADD: Add the service in the service nest; its name
 *   must be new.
 * @KTCPVS_OP_TYPE_SERVICE_SET: Change what the service nest gives besides the
 *   name.
 * @KTCPVS_OP_TYPE_SERVICE_DEL: Delete the service that the service nest names.
 * @KTCPVS_OP_TYPE_POOL_ADD: Add the pool in the pool nest; its name must be
 *   new.
 * @KTCPVS_OP_TYPE_POOL_SET: Change what the pool nest gives besides the name.
 * @KTCPVS_OP_TYPE_POOL_DEL: Delete the pool that the pool nest names, with its
 *   servers; no service or rule may use it any more when the transaction ends.
 * @KTCPVS_OP_TYPE_SERVER_ADD: Append the real server in the server nest to its
 *   pool.
 * @KTCPVS_OP_TYPE_SERVER_SET: Change what the server nest gives besides pool,
 *   address and port.
 * @KTCPVS_OP_TYPE_SERVER_DEL: Remove the real server from its pool.
 * @KTCPVS_OP_TYPE_RULES_SET: Begin a new list of rules, and a new program, for
 *   the service that the service nest names. All rules and pieces of the
 *   program follow in the same transaction; without any, the service has no
 *   rules.
 * @KTCPVS_OP_TYPE_RULE_ADD: Append the rule in the rule nest to the list begun
 *   for its service.
 * @KTCPVS_OP_TYPE_PROGRAM_ADD: Append the piece in the program nest to the
 *   program begun for its service.
 * @KTCPVS_OP_TYPE_FLUSH: Delete every service and pool, and set all settings
 *   to their defaults.
 * @KTCPVS_OP_TYPE_ZERO: Set counters to zero; those of connections in progress
 *   stay. With a service nest, the service's and its rules'; with a pool nest,
 *   those of its servers; with neither, all.
 * @KTCPVS_OP_TYPE_SETTINGS_SET: Change what is given of the settings of the
 *   whole network namespace.
 */
enum ktcpvs_op_type {
	KTCPVS_OP_TYPE_SERVICE_ADD = 1,
	KTCPVS_OP_TYPE_SERVICE_SET,
	KTCPVS_OP_TYPE_SERVICE_DEL,
	KTCPVS_OP_TYPE_POOL_ADD,
	KTCPVS_OP_TYPE_POOL_SET,
	KTCPVS_OP_TYPE_POOL_DEL,
	KTCPVS_OP_TYPE_SERVER_ADD,
	KTCPVS_OP_TYPE_SERVER_SET,
	KTCPVS_OP_TYPE_SERVER_DEL,
	KTCPVS_OP_TYPE_RULES_SET,
	KTCPVS_OP_TYPE_RULE_ADD,
	KTCPVS_OP_TYPE_PROGRAM_ADD,
	KTCPVS_OP_TYPE_FLUSH,
	KTCPVS_OP_TYPE_ZERO,
	KTCPVS_OP_TYPE_SETTINGS_SET,

	/* private: */
	__KTCPVS_OP_TYPE_MAX,
	KTCPVS_OP_TYPE_MAX = (__KTCPVS_OP_TYPE_MAX - 1)
};

/**
 * enum ktcpvs_scheduler - How a pool chooses the real server.
 * @KTCPVS_SCHEDULER_RR: Round robin.
 * @KTCPVS_SCHEDULER_WRR: Weighted round robin.
 * @KTCPVS_SCHEDULER_LC: Least connection.
 * @KTCPVS_SCHEDULER_WLC: Weighted least connection.
 * @KTCPVS_SCHEDULER_SH: Source hashing.
 */
enum ktcpvs_scheduler {
	KTCPVS_SCHEDULER_RR,
	KTCPVS_SCHEDULER_WRR,
	KTCPVS_SCHEDULER_LC,
	KTCPVS_SCHEDULER_WLC,
	KTCPVS_SCHEDULER_SH,

	/* private: */
	__KTCPVS_SCHEDULER_MAX,
	KTCPVS_SCHEDULER_MAX = (__KTCPVS_SCHEDULER_MAX - 1)
};

/**
 * enum ktcpvs_subject - What of a request a condition looks at.
 * @KTCPVS_SUBJECT_PATH: The target's path, without the query.
 * @KTCPVS_SUBJECT_URL: The path and, if there is one, the question mark and
 *   the query.
 * @KTCPVS_SUBJECT_HOST: The host without port, in lower case.
 * @KTCPVS_SUBJECT_METHOD: The method.
 * @KTCPVS_SUBJECT_HEADER: The value of a header field by the condition's name;
 *   any of several.
 * @KTCPVS_SUBJECT_COOKIE: The value of a cookie by the condition's name; any
 *   of several.
 */
enum ktcpvs_subject {
	KTCPVS_SUBJECT_PATH,
	KTCPVS_SUBJECT_URL,
	KTCPVS_SUBJECT_HOST,
	KTCPVS_SUBJECT_METHOD,
	KTCPVS_SUBJECT_HEADER,
	KTCPVS_SUBJECT_COOKIE,

	/* private: */
	__KTCPVS_SUBJECT_MAX,
	KTCPVS_SUBJECT_MAX = (__KTCPVS_SUBJECT_MAX - 1)
};

/**
 * enum ktcpvs_operator - How a condition compares.
 * @KTCPVS_OPERATOR_EXACT: Equal to the value.
 * @KTCPVS_OPERATOR_PREFIX: Begins with the value.
 * @KTCPVS_OPERATOR_SUFFIX: Ends with the value.
 * @KTCPVS_OPERATOR_REGEX: The regular expression matches somewhere.
 * @KTCPVS_OPERATOR_WILDCARD: A host below a domain. The value is an asterisk,
 *   a dot and the domain; the asterisk stands for one or more labels.
 */
enum ktcpvs_operator {
	KTCPVS_OPERATOR_EXACT,
	KTCPVS_OPERATOR_PREFIX,
	KTCPVS_OPERATOR_SUFFIX,
	KTCPVS_OPERATOR_REGEX,
	KTCPVS_OPERATOR_WILDCARD,

	/* private: */
	__KTCPVS_OPERATOR_MAX,
	KTCPVS_OPERATOR_MAX = (__KTCPVS_OPERATOR_MAX - 1)
};

/**
 * enum ktcpvs_action - What becomes of a request that a rule matches.
 * @KTCPVS_ACTION_POOL: A server of the pool, by its scheduler.
 * @KTCPVS_ACTION_SERVER: One server of the pool.
 * @KTCPVS_ACTION_REDIRECT: A redirection to the location, with the status.
 * @KTCPVS_ACTION_STATUS: An answer with nothing but the status.
 */
enum ktcpvs_action {
	KTCPVS_ACTION_POOL,
	KTCPVS_ACTION_SERVER,
	KTCPVS_ACTION_REDIRECT,
	KTCPVS_ACTION_STATUS,

	/* private: */
	__KTCPVS_ACTION_MAX,
	KTCPVS_ACTION_MAX = (__KTCPVS_ACTION_MAX - 1)
};

enum {
	KTCPVS_A_GENERATION = 1,
	KTCPVS_A_OP,
	KTCPVS_A_INFO,
	KTCPVS_A_POOL,
	KTCPVS_A_SERVER,
	KTCPVS_A_SERVICE,
	KTCPVS_A_RULE,

	__KTCPVS_A_MAX,
	KTCPVS_A_MAX = (__KTCPVS_A_MAX - 1)
};

enum {
	KTCPVS_A_OP_TYPE = 1,
	KTCPVS_A_OP_SERVICE,
	KTCPVS_A_OP_POOL,
	KTCPVS_A_OP_SERVER,
	KTCPVS_A_OP_RULE,
	KTCPVS_A_OP_PROGRAM,
	KTCPVS_A_OP_SETTINGS,

	__KTCPVS_A_OP_MAX,
	KTCPVS_A_OP_MAX = (__KTCPVS_A_OP_MAX - 1)
};

enum {
	KTCPVS_A_INFO_GENERATION = 1,
	KTCPVS_A_INFO_VERSION,
	KTCPVS_A_INFO_SETTINGS,
	KTCPVS_A_INFO_MEMORY,

	__KTCPVS_A_INFO_MAX,
	KTCPVS_A_INFO_MAX = (__KTCPVS_A_INFO_MAX - 1)
};

enum {
	KTCPVS_A_SETTINGS_MEM_LIMIT = 1,

	__KTCPVS_A_SETTINGS_MAX,
	KTCPVS_A_SETTINGS_MAX = (__KTCPVS_A_SETTINGS_MAX - 1)
};

enum {
	KTCPVS_A_POOL_NAME = 1,
	KTCPVS_A_POOL_SCHEDULER,
	KTCPVS_A_POOL_COOKIE,
	KTCPVS_A_POOL_KEY,

	__KTCPVS_A_POOL_MAX,
	KTCPVS_A_POOL_MAX = (__KTCPVS_A_POOL_MAX - 1)
};

enum {
	KTCPVS_A_SERVER_POOL = 1,
	KTCPVS_A_SERVER_ADDRESS,
	KTCPVS_A_SERVER_PORT,
	KTCPVS_A_SERVER_WEIGHT,
	KTCPVS_A_SERVER_STATS,

	__KTCPVS_A_SERVER_MAX,
	KTCPVS_A_SERVER_MAX = (__KTCPVS_A_SERVER_MAX - 1)
};

enum {
	KTCPVS_A_LISTENER_ADDRESS = 1,
	KTCPVS_A_LISTENER_PORT,

	__KTCPVS_A_LISTENER_MAX,
	KTCPVS_A_LISTENER_MAX = (__KTCPVS_A_LISTENER_MAX - 1)
};

enum {
	KTCPVS_A_SERVICE_NAME = 1,
	KTCPVS_A_SERVICE_LISTENER,
	KTCPVS_A_SERVICE_POOL,
	KTCPVS_A_SERVICE_ENABLED,
	KTCPVS_A_SERVICE_TIMEOUT_HEAD,
	KTCPVS_A_SERVICE_TIMEOUT_IDLE,
	KTCPVS_A_SERVICE_TIMEOUT_CONNECT,
	KTCPVS_A_SERVICE_TIMEOUT_RESPONSE,
	KTCPVS_A_SERVICE_TIMEOUT_STALL,
	KTCPVS_A_SERVICE_HEAD_MAX,
	KTCPVS_A_SERVICE_TARGET_MAX,
	KTCPVS_A_SERVICE_HEADERS_MAX,
	KTCPVS_A_SERVICE_BODY_MAX,
	KTCPVS_A_SERVICE_FORWARDED_FOR,
	KTCPVS_A_SERVICE_STATS,

	__KTCPVS_A_SERVICE_MAX,
	KTCPVS_A_SERVICE_MAX = (__KTCPVS_A_SERVICE_MAX - 1)
};

enum {
	KTCPVS_A_RULE_SERVICE = 1,
	KTCPVS_A_RULE_ID,
	KTCPVS_A_RULE_CONDITION,
	KTCPVS_A_RULE_ACTION,
	KTCPVS_A_RULE_POOL,
	KTCPVS_A_RULE_ADDRESS,
	KTCPVS_A_RULE_PORT,
	KTCPVS_A_RULE_STATUS,
	KTCPVS_A_RULE_LOCATION,
	KTCPVS_A_RULE_CAPTURE,
	KTCPVS_A_RULE_STATS,

	__KTCPVS_A_RULE_MAX,
	KTCPVS_A_RULE_MAX = (__KTCPVS_A_RULE_MAX - 1)
};

enum {
	KTCPVS_A_CONDITION_SUBJECT = 1,
	KTCPVS_A_CONDITION_OPERATOR,
	KTCPVS_A_CONDITION_NAME,
	KTCPVS_A_CONDITION_VALUE,
	KTCPVS_A_CONDITION_NOT,

	__KTCPVS_A_CONDITION_MAX,
	KTCPVS_A_CONDITION_MAX = (__KTCPVS_A_CONDITION_MAX - 1)
};

enum {
	KTCPVS_A_PROGRAM_SERVICE = 1,
	KTCPVS_A_PROGRAM_PIECE,

	__KTCPVS_A_PROGRAM_MAX,
	KTCPVS_A_PROGRAM_MAX = (__KTCPVS_A_PROGRAM_MAX - 1)
};

enum {
	KTCPVS_A_STATS_CONNECTIONS_ACTIVE = 1,
	KTCPVS_A_STATS_CONNECTIONS_TOTAL,
	KTCPVS_A_STATS_REQUESTS,
	KTCPVS_A_STATS_BYTES_IN,
	KTCPVS_A_STATS_BYTES_OUT,
	KTCPVS_A_STATS_ERRORS,
	KTCPVS_A_STATS_RESPONSES,
	KTCPVS_A_STATS_CONNECTIONS_REFUSED,

	__KTCPVS_A_STATS_MAX,
	KTCPVS_A_STATS_MAX = (__KTCPVS_A_STATS_MAX - 1)
};

enum {
	KTCPVS_CMD_CHANGE = 1,
	KTCPVS_CMD_GET,

	__KTCPVS_CMD_MAX,
	KTCPVS_CMD_MAX = (__KTCPVS_CMD_MAX - 1)
};

#endif /* _UAPI_LINUX_KTCPVS_H */
