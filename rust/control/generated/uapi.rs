// SPDX-License-Identifier: GPL-2.0
// Do not edit: scripts/ynl-regen makes this from Documentation/netlink/specs/ktcpvs.yaml.

//! The numbers of the netlink family `ktcpvs`.

#![allow(dead_code, reason = "nobody needs all of an interface")]

/// The family's name.
pub const FAMILY_NAME: &str = "ktcpvs";
/// The family's version.
pub const FAMILY_VERSION: u8 = 1;
/// Longest name of a pool or service, in bytes, of [A-Za-z0-9_.-].
pub const NAME_LEN: usize = 63;
/// Longest name of a header field or cookie, in bytes.
pub const TOKEN_LEN: usize = 127;
/// Length of the secret key of cookie affinity, in bytes.
pub const KEY_LEN: usize = 16;
/// Longest value of a condition, in bytes.
pub const VALUE_LEN: usize = 2048;
/// Longest location of a redirect, in bytes.
pub const LOCATION_LEN: usize = 2048;
/// Longest piece of a program, in bytes; each is a multiple of 4.
pub const PIECE_LEN: usize = 32764;
/// Longest program of a service, all pieces together, in bytes.
pub const PROGRAM_LEN_MAX: usize = 16777216;
/// Longest rule nest, in bytes, so that any rule fits one message of a dump.
pub const RULE_LEN_MAX: usize = 16384;
/// Most rules of a service.
pub const RULES_MAX: usize = 65535;
/// Most conditions of a rule.
pub const CONDITIONS_MAX: usize = 16;
/// Most listeners of a service.
pub const LISTENERS_MAX: usize = 16;
/// Most real servers of a pool.
pub const SERVERS_MAX: usize = 16384;
/// Greatest weight of a real server.
pub const WEIGHT_MAX: u32 = 65535;
/// Highest number of a capture group.
pub const CAPTURE_MAX: u32 = 31;
/// Longest timeout, in milliseconds (a day).
pub const TIMEOUT_MAX: u32 = 86400000;
/// Least limit of a head, in bytes.
pub const HEAD_MIN: u32 = 256;
/// Greatest limit of a head, and so of a request target, in bytes.
pub const HEAD_MAX: u32 = 32768;
/// Greatest limit of the number of header fields.
pub const HEADERS_MAX: u32 = 1000;

/// What an attribute set holds, for messages about attributes.
pub struct AttributeSet {
    /// The attributes' names in the specification; the first is number 1.
    pub names: &'static [&'static str],
    /// The attributes that are nests, and the set in each.
    pub nested: &'static [(u16, &'static AttributeSet)],
}

/// Commands.
pub mod cmd {
    /// A transaction: all steps apply, in their order, or none does, and then the extended ACK says
    /// what was wrong and at which attribute.
    pub const CHANGE: u8 = 1;
    /// One consistent snapshot, an object a message: info, then each pool and its servers, then
    /// each service and its rules, in their order.
    pub const GET: u8 = 2;
}

/// What a step of a transaction does.
pub mod op_type {
    /// Add the service in the service nest; its name must be new.
    pub const SERVICE_ADD: u32 = 1;
    /// Change what the service nest gives besides the name.
    pub const SERVICE_SET: u32 = 2;
    /// Delete the service that the service nest names.
    pub const SERVICE_DEL: u32 = 3;
    /// Add the pool in the pool nest; its name must be new.
    pub const POOL_ADD: u32 = 4;
    /// Change what the pool nest gives besides the name.
    pub const POOL_SET: u32 = 5;
    /// Delete the pool that the pool nest names, with its servers; no service or rule may use it
    /// any more when the transaction ends.
    pub const POOL_DEL: u32 = 6;
    /// Append the real server in the server nest to its pool.
    pub const SERVER_ADD: u32 = 7;
    /// Change what the server nest gives besides pool, address and port.
    pub const SERVER_SET: u32 = 8;
    /// Remove the real server from its pool.
    pub const SERVER_DEL: u32 = 9;
    /// Begin a new list of rules, and a new program, for the service that the service nest names.
    /// All rules and pieces of the program follow in the same transaction; without any, the service
    /// has no rules.
    pub const RULES_SET: u32 = 10;
    /// Append the rule in the rule nest to the list begun for its service.
    pub const RULE_ADD: u32 = 11;
    /// Append the piece in the program nest to the program begun for its service.
    pub const PROGRAM_ADD: u32 = 12;
    /// Delete every service and pool, and set all settings to their defaults.
    pub const FLUSH: u32 = 13;
    /// Set counters to zero; those of connections in progress stay. With a service nest, the
    /// service's and its rules'; with a pool nest, those of its servers; with neither, all.
    pub const ZERO: u32 = 14;
    /// Change what is given of the settings of the whole network namespace.
    pub const SETTINGS_SET: u32 = 15;

    /// Every value with its name in the specification.
    pub const NAMES: [(u32, &str); 15] = [
        (SERVICE_ADD, "service-add"),
        (SERVICE_SET, "service-set"),
        (SERVICE_DEL, "service-del"),
        (POOL_ADD, "pool-add"),
        (POOL_SET, "pool-set"),
        (POOL_DEL, "pool-del"),
        (SERVER_ADD, "server-add"),
        (SERVER_SET, "server-set"),
        (SERVER_DEL, "server-del"),
        (RULES_SET, "rules-set"),
        (RULE_ADD, "rule-add"),
        (PROGRAM_ADD, "program-add"),
        (FLUSH, "flush"),
        (ZERO, "zero"),
        (SETTINGS_SET, "settings-set"),
    ];
}

/// How a pool chooses the real server.
pub mod scheduler {
    /// Round robin.
    pub const RR: u32 = 0;
    /// Weighted round robin.
    pub const WRR: u32 = 1;
    /// Least connection.
    pub const LC: u32 = 2;
    /// Weighted least connection.
    pub const WLC: u32 = 3;
    /// Source hashing.
    pub const SH: u32 = 4;

    /// Every value with its name in the specification.
    pub const NAMES: [(u32, &str); 5] = [
        (RR, "rr"),
        (WRR, "wrr"),
        (LC, "lc"),
        (WLC, "wlc"),
        (SH, "sh"),
    ];
}

/// What of a request a condition looks at.
pub mod subject {
    /// The target's path, without the query.
    pub const PATH: u32 = 0;
    /// The path and, if there is one, the question mark and the query.
    pub const URL: u32 = 1;
    /// The host without port, in lower case.
    pub const HOST: u32 = 2;
    /// The method.
    pub const METHOD: u32 = 3;
    /// The value of a header field by the condition's name; any of several.
    pub const HEADER: u32 = 4;
    /// The value of a cookie by the condition's name; any of several.
    pub const COOKIE: u32 = 5;

    /// Every value with its name in the specification.
    pub const NAMES: [(u32, &str); 6] = [
        (PATH, "path"),
        (URL, "url"),
        (HOST, "host"),
        (METHOD, "method"),
        (HEADER, "header"),
        (COOKIE, "cookie"),
    ];
}

/// How a condition compares.
pub mod operator {
    /// Equal to the value.
    pub const EXACT: u32 = 0;
    /// Begins with the value.
    pub const PREFIX: u32 = 1;
    /// Ends with the value.
    pub const SUFFIX: u32 = 2;
    /// The regular expression matches somewhere.
    pub const REGEX: u32 = 3;
    /// A host below a domain. The value is an asterisk, a dot and the domain; the asterisk stands
    /// for one or more labels.
    pub const WILDCARD: u32 = 4;

    /// Every value with its name in the specification.
    pub const NAMES: [(u32, &str); 5] = [
        (EXACT, "exact"),
        (PREFIX, "prefix"),
        (SUFFIX, "suffix"),
        (REGEX, "regex"),
        (WILDCARD, "wildcard"),
    ];
}

/// What becomes of a request that a rule matches.
pub mod action {
    /// A server of the pool, by its scheduler.
    pub const POOL: u32 = 0;
    /// One server of the pool.
    pub const SERVER: u32 = 1;
    /// A redirection to the location, with the status.
    pub const REDIRECT: u32 = 2;
    /// An answer with nothing but the status.
    pub const STATUS: u32 = 3;

    /// Every value with its name in the specification.
    pub const NAMES: [(u32, &str); 4] = [
        (POOL, "pool"),
        (SERVER, "server"),
        (REDIRECT, "redirect"),
        (STATUS, "status"),
    ];
}

/// Attributes. The messages themselves.
pub mod a_main {
    /// In change: the generation that the sender knows. The transaction is refused with EAGAIN when
    /// it is no longer the current one.
    pub const GENERATION: u16 = 1;
    /// A step of a transaction; all apply in their order, or none does.
    pub const OP: u16 = 2;
    /// In get, the first message.
    pub const INFO: u16 = 3;
    /// In get, a pool; the messages of its servers follow.
    pub const POOL: u16 = 4;
    /// In get, a real server.
    pub const SERVER: u16 = 5;
    /// In get, a service; the messages of its rules follow.
    pub const SERVICE: u16 = 6;
    /// In get, a rule.
    pub const RULE: u16 = 7;

    /// The set as a table.
    pub static SET: super::AttributeSet = super::AttributeSet {
        names: &[
            "generation",
            "op",
            "info",
            "pool",
            "server",
            "service",
            "rule",
        ],
        nested: &[
            (OP, &super::a_op::SET),
            (INFO, &super::a_info::SET),
            (POOL, &super::a_pool::SET),
            (SERVER, &super::a_server::SET),
            (SERVICE, &super::a_service::SET),
            (RULE, &super::a_rule::SET),
        ],
    };
}

/// Attributes. A step of a transaction. Which nest it takes follows from its type.
pub mod a_op {
    /// What the step does.
    pub const TYPE: u16 = 1;
    /// For service-add, -set, -del, rules-set and zero.
    pub const SERVICE: u16 = 2;
    /// For pool-add, -set, -del and zero.
    pub const POOL: u16 = 3;
    /// For server-add, -set and -del.
    pub const SERVER: u16 = 4;
    /// For rule-add.
    pub const RULE: u16 = 5;
    /// For program-add.
    pub const PROGRAM: u16 = 6;
    /// For settings-set.
    pub const SETTINGS: u16 = 7;

    /// The set as a table.
    pub static SET: super::AttributeSet = super::AttributeSet {
        names: &[
            "type", "service", "pool", "server", "rule", "program", "settings",
        ],
        nested: &[
            (SERVICE, &super::a_service::SET),
            (POOL, &super::a_pool::SET),
            (SERVER, &super::a_server::SET),
            (RULE, &super::a_rule::SET),
            (PROGRAM, &super::a_program::SET),
            (SETTINGS, &super::a_settings::SET),
        ],
    };
}

/// Attributes. The snapshot that a dump shows.
pub mod a_info {
    /// Grows with every transaction.
    pub const GENERATION: u16 = 1;
    /// The module's version.
    pub const VERSION: u16 = 2;
    /// Of the whole network namespace.
    pub const SETTINGS: u16 = 3;
    /// What its connections take, in bytes, with what is buffered for them, as last seen: a second
    /// ago at most.
    pub const MEMORY: u16 = 4;

    /// The set as a table.
    pub static SET: super::AttributeSet = super::AttributeSet {
        names: &["generation", "version", "settings", "memory"],
        nested: &[(SETTINGS, &super::a_settings::SET)],
    };
}

/// Attributes. Of a whole network namespace.
pub mod a_settings {
    /// What connections may take in bytes, with what is buffered for them, before some are cut off:
    /// idle ones first. 0, as at first, is half of the machine's memory.
    pub const MEM_LIMIT: u16 = 1;

    /// The set as a table.
    pub static SET: super::AttributeSet = super::AttributeSet {
        names: &["mem-limit"],
        nested: &[],
    };
}

/// Attributes. A pool of real servers.
pub mod a_pool {
    /// The pool's name.
    pub const NAME: u16 = 1;
    /// Wlc when a new pool does not say.
    pub const SCHEDULER: u16 = 2;
    /// The name of the cookie that keeps a client at its server; empty for none.
    pub const COOKIE: u16 = 3;
    /// The secret key of the cookie's values. A pool that is given a cookie needs one, unless it
    /// has one already.
    pub const KEY: u16 = 4;

    /// The set as a table.
    pub static SET: super::AttributeSet = super::AttributeSet {
        names: &["name", "scheduler", "cookie", "key"],
        nested: &[],
    };
}

/// Attributes. A real server of a pool, identified by pool, address and port.
pub mod a_server {
    /// The pool's name.
    pub const POOL: u16 = 1;
    /// 4 bytes of IPv4 or 16 of IPv6.
    pub const ADDRESS: u16 = 2;
    /// The TCP port.
    pub const PORT: u16 = 3;
    /// Share of new work; 0 drains the server. 1 when a new server does not say.
    pub const WEIGHT: u16 = 4;
    /// In get.
    pub const STATS: u16 = 5;

    /// The set as a table.
    pub static SET: super::AttributeSet = super::AttributeSet {
        names: &["pool", "address", "port", "weight", "stats"],
        nested: &[(STATS, &super::a_stats::SET)],
    };
}

/// Attributes. An address that a service listens at.
pub mod a_listener {
    /// 4 bytes of IPv4 or 16 of IPv6; all zero for any address of that family.
    pub const ADDRESS: u16 = 1;
    /// The TCP port.
    pub const PORT: u16 = 2;

    /// The set as a table.
    pub static SET: super::AttributeSet = super::AttributeSet {
        names: &["address", "port"],
        nested: &[],
    };
}

/// Attributes. A virtual service, identified by its name.
pub mod a_service {
    /// The service's name.
    pub const NAME: u16 = 1;
    /// Where to listen; in service-set, the whole new list.
    pub const LISTENER: u16 = 2;
    /// The pool for requests that no rule matches; empty for none.
    pub const POOL: u16 = 3;
    /// Whether the service listens. 1 when a new service does not say.
    pub const ENABLED: u16 = 4;
    /// For a whole head of a request to arrive, in ms. Default 10000.
    pub const TIMEOUT_HEAD: u16 = 5;
    /// For the next request of a connection to begin, in ms. Default 60000.
    pub const TIMEOUT_IDLE: u16 = 6;
    /// For a real server to accept a connection, in ms. Default 5000.
    pub const TIMEOUT_CONNECT: u16 = 7;
    /// For a real server's silence, in ms. Default 60000.
    pub const TIMEOUT_RESPONSE: u16 = 8;
    /// For a client or real server that moves no data of a body, in ms. Default 60000.
    pub const TIMEOUT_STALL: u16 = 9;
    /// Longest head of a request or response, in bytes. Default 16384.
    pub const HEAD_MAX: u16 = 10;
    /// Longest request target, in bytes. Default 8192.
    pub const TARGET_MAX: u16 = 11;
    /// Most header fields of a head. Default 100.
    pub const HEADERS_MAX: u16 = 12;
    /// Longest body of a request, in bytes; 0, the default, for any.
    pub const BODY_MAX: u16 = 13;
    /// Whether X-Forwarded-For tells the server the client's address. Default 0.
    pub const FORWARDED_FOR: u16 = 14;
    /// In get.
    pub const STATS: u16 = 15;

    /// The set as a table.
    pub static SET: super::AttributeSet = super::AttributeSet {
        names: &[
            "name",
            "listener",
            "pool",
            "enabled",
            "timeout-head",
            "timeout-idle",
            "timeout-connect",
            "timeout-response",
            "timeout-stall",
            "head-max",
            "target-max",
            "headers-max",
            "body-max",
            "forwarded-for",
            "stats",
        ],
        nested: &[
            (LISTENER, &super::a_listener::SET),
            (STATS, &super::a_stats::SET),
        ],
    };
}

/// Attributes. A rule, identified by its service and its id.
pub mod a_rule {
    /// The service's name.
    pub const SERVICE: u16 = 1;
    /// Chosen by user space, unique in the service. A rule of the new list with the id of one of
    /// the old goes on with its counters.
    pub const ID: u16 = 2;
    /// All must hold; with none, the rule always matches.
    pub const CONDITION: u16 = 3;
    /// What becomes of the request.
    pub const ACTION: u16 = 4;
    /// For the actions pool and server.
    pub const POOL: u16 = 5;
    /// For the action server, one of the pool.
    pub const ADDRESS: u16 = 6;
    /// For the action server.
    pub const PORT: u16 = 7;
    /// For the actions status, and redirect (301, 302, 303, 307 or 308).
    pub const STATUS: u16 = 8;
    /// For the action redirect.
    pub const LOCATION: u16 = 9;
    /// With the action pool: the server is chosen by the hash of what this group of the rule's
    /// first regular expression captured.
    pub const CAPTURE: u16 = 10;
    /// In get.
    pub const STATS: u16 = 11;

    /// The set as a table.
    pub static SET: super::AttributeSet = super::AttributeSet {
        names: &[
            "service",
            "id",
            "condition",
            "action",
            "pool",
            "address",
            "port",
            "status",
            "location",
            "capture",
            "stats",
        ],
        nested: &[
            (CONDITION, &super::a_condition::SET),
            (STATS, &super::a_stats::SET),
        ],
    };
}

/// Attributes. A condition of a rule.
pub mod a_condition {
    /// What of the request is compared.
    pub const SUBJECT: u16 = 1;
    /// How it is compared.
    pub const OPERATOR: u16 = 2;
    /// For the subjects header and cookie.
    pub const NAME: u16 = 3;
    /// What it is compared with.
    pub const VALUE: u16 = 4;
    /// The condition holds when the comparison does not.
    pub const NOT: u16 = 5;

    /// The set as a table.
    pub static SET: super::AttributeSet = super::AttributeSet {
        names: &["subject", "operator", "name", "value", "not"],
        nested: &[],
    };
}

/// Attributes. A piece of a service's compiled rules.
pub mod a_program {
    /// The service's name.
    pub const SERVICE: u16 = 1;
    /// Words of 32 bits in the machine's byte order.
    pub const PIECE: u16 = 2;

    /// The set as a table.
    pub static SET: super::AttributeSet = super::AttributeSet {
        names: &["service", "piece"],
        nested: &[],
    };
}

/// Attributes. Counters since the object was added, or last set to zero.
pub mod a_stats {
    /// Connections open now.
    pub const CONNECTIONS_ACTIVE: u16 = 1;
    /// Connections.
    pub const CONNECTIONS_TOTAL: u16 = 2;
    /// Requests, and what was refused in place of one. Those of a service or rule that are in
    /// progress are what responses and errors leave of them. Of a server, requests that were sent
    /// to it, each time.
    pub const REQUESTS: u16 = 3;
    /// Bytes from clients.
    pub const BYTES_IN: u16 = 4;
    /// Bytes to clients.
    pub const BYTES_OUT: u16 = 5;
    /// Requests that the director had to answer with an error, or break off. Of a server, what it
    /// is to blame for.
    pub const ERRORS: u16 = 6;
    /// Requests that were wholly answered, by a server or as a rule says.
    pub const RESPONSES: u16 = 7;
    /// Connections that could not be served, nearly always for want of room or memory.
    pub const CONNECTIONS_REFUSED: u16 = 8;

    /// The set as a table.
    pub static SET: super::AttributeSet = super::AttributeSet {
        names: &[
            "connections-active",
            "connections-total",
            "requests",
            "bytes-in",
            "bytes-out",
            "errors",
            "responses",
            "connections-refused",
        ],
        nested: &[],
    };
}
