// SPDX-License-Identifier: GPL-2.0

//! The steps of a transaction, and how they are encoded.

use crate::model::{
    Action,
    Affinity,
    Condition,
    Pool,
    Rule,
    Scheduler,
    Server,
    Service,
    Setting,
    Width, //
};
use crate::uapi::{
    self,
    a_condition,
    a_listener,
    a_main,
    a_op,
    a_pool,
    a_program,
    a_rule,
    a_server,
    a_service,
    a_settings,
    op_type, //
};
use crate::wire::Writer;
use std::net::SocketAddr;

/// What a step changes of a pool.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct PoolChange {
    /// The scheduler.
    pub scheduler: Option<Scheduler>,
    /// Affinity, or with `Some(None)` no longer any.
    pub affinity: Option<Option<Affinity>>,
}

/// What a step changes of a service.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ServiceChange {
    /// The listeners, all of them.
    pub listeners: Option<Vec<SocketAddr>>,
    /// The default pool, or with `Some(None)` no longer any.
    pub pool: Option<Option<String>>,
    /// Whether it listens.
    pub enabled: Option<bool>,
    /// Settings.
    pub settings: Vec<(Setting, u64)>,
}

/// Whose counters are set to zero.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Scope {
    /// Everything's.
    All,
    /// A service's and its rules'.
    Service(String),
    /// A pool's servers'.
    Pool(String),
}

/// A step of a transaction.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Op {
    /// Adds a service; its rules take a step of their own.
    ServiceAdd(Service),
    /// Changes a service.
    ServiceSet(String, ServiceChange),
    /// Deletes a service.
    ServiceDel(String),
    /// Adds a pool; its servers take a step each.
    PoolAdd(Pool),
    /// Changes a pool.
    PoolSet(String, PoolChange),
    /// Deletes a pool and its servers.
    PoolDel(String),
    /// Adds a server to a pool.
    ServerAdd(String, Server),
    /// Changes a server's weight.
    ServerSet(String, Server),
    /// Removes a server from a pool.
    ServerDel(String, SocketAddr),
    /// Gives a service a new list of rules, with the program compiled from it. On the wire it is
    /// several steps.
    Rules {
        /// The service's name.
        service: String,
        /// The rules, in order.
        rules: Vec<Rule>,
        /// What they compiled to.
        program: Vec<u32>,
    },
    /// Changes the settings of the whole network namespace.
    SettingsSet {
        /// What all connections may take, in bytes; 0 for the default.
        mem_limit: u64,
    },
    /// Deletes everything, and sets those settings to their defaults.
    Flush,
    /// Sets counters to zero.
    Zero(Scope),
}

impl Op {
    /// Appends the step, or the steps, to a message.
    pub(crate) fn write(&self, w: &mut Writer) {
        match self {
            Self::ServiceAdd(service) => {
                step(w, op_type::SERVICE_ADD, |w| write_service(w, service));
            }
            Self::ServiceSet(name, change) => {
                step(w, op_type::SERVICE_SET, |w| {
                    write_service_change(w, name, change);
                });
            }
            Self::ServiceDel(name) => {
                step(w, op_type::SERVICE_DEL, |w| service_name(w, name));
            }
            Self::PoolAdd(pool) => {
                let change = PoolChange {
                    scheduler: Some(pool.scheduler),
                    affinity: pool.affinity.clone().map(Some),
                };
                step(w, op_type::POOL_ADD, |w| write_pool(w, &pool.name, &change));
            }
            Self::PoolSet(name, change) => {
                step(w, op_type::POOL_SET, |w| write_pool(w, name, change));
            }
            Self::PoolDel(name) => step(w, op_type::POOL_DEL, |w| pool_name(w, name)),
            Self::ServerAdd(pool, server) => {
                let weight = Some(server.weight);
                step(w, op_type::SERVER_ADD, |w| {
                    write_server(w, pool, &server.address, weight);
                });
            }
            Self::ServerSet(pool, server) => {
                let weight = Some(server.weight);
                step(w, op_type::SERVER_SET, |w| {
                    write_server(w, pool, &server.address, weight);
                });
            }
            Self::ServerDel(pool, address) => {
                step(w, op_type::SERVER_DEL, |w| {
                    write_server(w, pool, address, None);
                });
            }
            Self::Rules {
                service,
                rules,
                program,
            } => write_rules(w, service, rules, program),
            Self::SettingsSet { mem_limit } => step(w, op_type::SETTINGS_SET, |w| {
                w.nest(a_op::SETTINGS, |w| {
                    w.uint(a_settings::MEM_LIMIT, *mem_limit);
                });
            }),
            Self::Flush => step(w, op_type::FLUSH, |_| {}),
            Self::Zero(Scope::All) => step(w, op_type::ZERO, |_| {}),
            Self::Zero(Scope::Service(name)) => {
                step(w, op_type::ZERO, |w| service_name(w, name));
            }
            Self::Zero(Scope::Pool(name)) => step(w, op_type::ZERO, |w| pool_name(w, name)),
        }
    }
}

fn step(w: &mut Writer, kind: u32, inside: impl FnOnce(&mut Writer)) {
    w.nest(a_main::OP, |w| {
        w.u32(a_op::TYPE, kind);
        inside(w);
    });
}

fn service_name(w: &mut Writer, name: &str) {
    w.nest(a_op::SERVICE, |w| w.string(a_service::NAME, name));
}

fn pool_name(w: &mut Writer, name: &str) {
    w.nest(a_op::POOL, |w| w.string(a_pool::NAME, name));
}

fn write_service(w: &mut Writer, service: &Service) {
    let settings = Setting::ALL.map(|s| (s, service.settings.get(s)));
    let change = ServiceChange {
        listeners: Some(service.listeners.clone()),
        pool: service.pool.clone().map(Some),
        enabled: Some(service.enabled),
        settings: settings.to_vec(),
    };
    write_service_change(w, &service.name, &change);
}

fn write_service_change(w: &mut Writer, name: &str, change: &ServiceChange) {
    w.nest(a_op::SERVICE, |w| {
        w.string(a_service::NAME, name);
        for listener in change.listeners.iter().flatten() {
            w.nest(a_service::LISTENER, |w| {
                w.address(a_listener::ADDRESS, a_listener::PORT, listener);
            });
        }
        if let Some(pool) = &change.pool {
            w.string(a_service::POOL, pool.as_deref().unwrap_or(""));
        }
        if let Some(enabled) = change.enabled {
            w.u8(a_service::ENABLED, enabled.into());
        }
        for &(setting, value) in &change.settings {
            write_setting(w, setting, value);
        }
    });
}

fn write_setting(w: &mut Writer, setting: Setting, value: u64) {
    let kind = setting.attribute();
    // A value past its width is past its range: told before, and told again by the module.
    match setting.width() {
        Width::U8 => w.u8(kind, u8::try_from(value).unwrap_or(u8::MAX)),
        Width::U32 => w.u32(kind, u32::try_from(value).unwrap_or(u32::MAX)),
        Width::Uint => w.uint(kind, value),
    }
}

fn write_pool(w: &mut Writer, name: &str, change: &PoolChange) {
    w.nest(a_op::POOL, |w| {
        w.string(a_pool::NAME, name);
        if let Some(scheduler) = change.scheduler {
            w.u32(a_pool::SCHEDULER, scheduler.number());
        }
        match &change.affinity {
            None => {}
            Some(None) => w.string(a_pool::COOKIE, ""),
            Some(Some(affinity)) => {
                w.string(a_pool::COOKIE, &affinity.cookie);
                if let Some(key) = &affinity.key {
                    w.bytes(a_pool::KEY, key);
                }
            }
        }
    });
}

fn write_server(w: &mut Writer, pool: &str, address: &SocketAddr, weight: Option<u32>) {
    w.nest(a_op::SERVER, |w| {
        w.string(a_server::POOL, pool);
        w.address(a_server::ADDRESS, a_server::PORT, address);
        if let Some(weight) = weight {
            w.u32(a_server::WEIGHT, weight);
        }
    });
}

fn write_rules(w: &mut Writer, service: &str, rules: &[Rule], program: &[u32]) {
    step(w, op_type::RULES_SET, |w| service_name(w, service));
    for rule in rules {
        step(w, op_type::RULE_ADD, |w| {
            w.nest(a_op::RULE, |w| {
                w.string(a_rule::SERVICE, service);
                write_rule(w, rule);
            });
        });
    }
    let words = uapi::PIECE_LEN / size_of::<u32>();
    for piece in program.chunks(words) {
        let bytes: Vec<u8> = piece.iter().flat_map(|word| word.to_ne_bytes()).collect();
        step(w, op_type::PROGRAM_ADD, |w| {
            w.nest(a_op::PROGRAM, |w| {
                w.string(a_program::SERVICE, service);
                w.bytes(a_program::PIECE, &bytes);
            });
        });
    }
}

fn write_rule(w: &mut Writer, rule: &Rule) {
    w.u32(a_rule::ID, rule.id);
    for condition in &rule.conditions {
        w.nest(a_rule::CONDITION, |w| write_condition(w, condition));
    }
    match &rule.action {
        Action::Pool { pool, capture } => {
            w.u32(a_rule::ACTION, uapi::action::POOL);
            w.string(a_rule::POOL, pool);
            if let Some(group) = capture {
                w.u32(a_rule::CAPTURE, *group);
            }
        }
        Action::Server { pool, address } => {
            w.u32(a_rule::ACTION, uapi::action::SERVER);
            w.string(a_rule::POOL, pool);
            w.address(a_rule::ADDRESS, a_rule::PORT, address);
        }
        Action::Redirect { status, location } => {
            w.u32(a_rule::ACTION, uapi::action::REDIRECT);
            w.u32(a_rule::STATUS, *status);
            w.string(a_rule::LOCATION, location);
        }
        Action::Status(status) => {
            w.u32(a_rule::ACTION, uapi::action::STATUS);
            w.u32(a_rule::STATUS, *status);
        }
    }
}

fn write_condition(w: &mut Writer, condition: &Condition) {
    w.u32(a_condition::SUBJECT, condition.subject.number());
    w.u32(a_condition::OPERATOR, condition.operator.number());
    if let Some(name) = condition.subject.name() {
        w.string(a_condition::NAME, name);
    }
    w.bytes(a_condition::VALUE, &condition.value);
    if condition.not {
        w.flag(a_condition::NOT);
    }
}
