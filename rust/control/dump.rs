// SPDX-License-Identifier: GPL-2.0

//! From a snapshot to the messages of a dump: info, then each pool and its servers, then each
//! service and its rules.

use crate::{
    config::{
        ActionSpec,
        ConditionSpec,
        Member,
        Pool,
        Rule,
        Service,
        Stats, //
    },
    control::Shown,
    l7::Layer7,
    linux::net::genetlink::{
        Cursor,
        Message, //
    },
    uapi::{
        a_condition,
        a_info,
        a_listener,
        a_main,
        a_pool,
        a_rule,
        a_server,
        a_service,
        a_settings,
        a_stats,
        action,
        scheduler, //
    },
};
use core::net::{
    IpAddr,
    SocketAddr, //
};
use kernel::prelude::*;
use ktcpvs_core::sched::Kind;

/// The module's version, from the build: never empty.
const VERSION: &[u8] = env!("KTCPVS_VERSION").as_bytes();
const _: () = assert!(!VERSION.is_empty());

const INFO: u32 = 0;
const POOLS: u32 = 1;
const SERVICES: u32 = 2;

/// Writes the object at `cursor` and moves on. In a pool or a service, number 0 is itself, and
/// the servers or rules follow. Returns false at the end.
pub(super) fn object(
    shown: &Shown,
    cursor: &mut Cursor,
    message: &mut Message<'_>,
) -> Result<bool> {
    let snapshot = &*shown.snapshot;
    let index = cursor.outer as usize;
    let inner = cursor.inner.checked_sub(1).map(|inner| inner as usize);
    let parts = match cursor.stage {
        INFO => {
            info(message, shown)?;
            *cursor = Cursor {
                stage: POOLS,
                ..Cursor::default()
            };
            return Ok(true);
        }
        POOLS => match snapshot.pools.get(index) {
            Some(pool) => {
                match inner.and_then(|inner| pool.members().get(inner)) {
                    Some(member) => server(message, pool, member)?,
                    None => self::pool(message, pool)?,
                }
                pool.members().len()
            }
            None => {
                *cursor = Cursor {
                    stage: SERVICES,
                    ..Cursor::default()
                };
                return object(shown, cursor, message);
            }
        },
        _ => match snapshot.services.get(index) {
            Some(service) => {
                match inner.and_then(|inner| service.rules.get(inner)) {
                    Some(rule) => self::rule(message, service, rule)?,
                    None => self::service(message, service)?,
                }
                service.rules.len()
            }
            None => return Ok(false),
        },
    };

    if (cursor.inner as usize) < parts {
        cursor.inner += 1;
    } else {
        cursor.inner = 0;
        cursor.outer += 1;
    }
    Ok(true)
}

fn info(message: &mut Message<'_>, shown: &Shown) -> Result {
    message.nest(a_main::INFO, |m| {
        m.uint(a_info::GENERATION, shown.snapshot.generation)?;
        m.string(a_info::VERSION, VERSION)?;
        m.nest(a_info::SETTINGS, |m| {
            m.uint(a_settings::MEM_LIMIT, shown.snapshot.settings.mem_limit)
        })?;
        m.uint(a_info::MEMORY, shown.memory)
    })
}

fn pool(message: &mut Message<'_>, pool: &Pool<Layer7>) -> Result {
    let scheduler = match pool.kind() {
        Kind::RoundRobin => scheduler::RR,
        Kind::WeightedRoundRobin => scheduler::WRR,
        Kind::LeastConnection => scheduler::LC,
        Kind::WeightedLeastConnection => scheduler::WLC,
        Kind::SourceHash => scheduler::SH,
    };

    message.nest(a_main::POOL, |m| {
        m.string(a_pool::NAME, pool.name())?;
        m.u32(a_pool::SCHEDULER, scheduler)?;
        if let Some(affinity) = &pool.affinity {
            m.string(a_pool::COOKIE, affinity.name())?;
            m.bytes(a_pool::KEY, affinity.key())?;
        }
        Ok(())
    })
}

fn server(message: &mut Message<'_>, pool: &Pool<Layer7>, member: &Member<Layer7>) -> Result {
    message.nest(a_main::SERVER, |m| {
        m.string(a_server::POOL, pool.name())?;
        address(m, a_server::ADDRESS, a_server::PORT, &member.server.addr)?;
        m.u32(a_server::WEIGHT, member.weight)?;
        stats(m, a_server::STATS, &member.server.stats)
    })
}

fn service(message: &mut Message<'_>, service: &Service<Layer7>) -> Result {
    let options = &service.options;
    let [head, idle, connect, response, stall] = options.timeouts;

    message.nest(a_main::SERVICE, |m| {
        m.string(a_service::NAME, service.name())?;
        for listener in service.listeners() {
            m.nest(a_service::LISTENER, |m| {
                address(m, a_listener::ADDRESS, a_listener::PORT, listener)
            })?;
        }
        if let Some(pool) = &service.default_pool {
            m.string(a_service::POOL, pool.name())?;
        }
        m.u8(a_service::ENABLED, service.enabled().into())?;
        m.u32(a_service::TIMEOUT_HEAD, head)?;
        m.u32(a_service::TIMEOUT_IDLE, idle)?;
        m.u32(a_service::TIMEOUT_CONNECT, connect)?;
        m.u32(a_service::TIMEOUT_RESPONSE, response)?;
        m.u32(a_service::TIMEOUT_STALL, stall)?;
        m.u32(a_service::HEAD_MAX, options.limits.head_max as u32)?;
        m.u32(a_service::TARGET_MAX, options.limits.target_max as u32)?;
        m.u32(a_service::HEADERS_MAX, options.limits.headers_max as u32)?;
        m.uint(a_service::BODY_MAX, options.body_max)?;
        m.u8(a_service::FORWARDED_FOR, options.forwarded_for.into())?;
        stats(m, a_service::STATS, &service.stats)
    })
}

fn rule(message: &mut Message<'_>, service: &Service<Layer7>, rule: &Rule<Layer7>) -> Result {
    message.nest(a_main::RULE, |m| {
        m.string(a_rule::SERVICE, service.name())?;
        m.u32(a_rule::ID, rule.id)?;
        for condition in &rule.conditions {
            m.nest(a_rule::CONDITION, |m| self::condition(m, &condition.spec()))?;
        }
        match rule.action_spec() {
            ActionSpec::Pool(pool) => {
                m.u32(a_rule::ACTION, action::POOL)?;
                m.string(a_rule::POOL, pool)?;
            }
            ActionSpec::Server(pool, addr) => {
                m.u32(a_rule::ACTION, action::SERVER)?;
                m.string(a_rule::POOL, pool)?;
                address(m, a_rule::ADDRESS, a_rule::PORT, &addr)?;
            }
            ActionSpec::Redirect { status, location } => {
                m.u32(a_rule::ACTION, action::REDIRECT)?;
                m.u32(a_rule::STATUS, status.into())?;
                m.string(a_rule::LOCATION, location)?;
            }
            ActionSpec::Status(status) => {
                m.u32(a_rule::ACTION, action::STATUS)?;
                m.u32(a_rule::STATUS, status.into())?;
            }
        }
        if let Some(capture) = rule.capture {
            m.u32(a_rule::CAPTURE, capture)?;
        }
        stats(m, a_rule::STATS, &rule.stats)
    })
}

fn condition(message: &mut Message<'_>, condition: &ConditionSpec<'_>) -> Result {
    message.u32(a_condition::SUBJECT, condition.subject)?;
    message.u32(a_condition::OPERATOR, condition.operator)?;
    if let Some(name) = condition.name {
        message.string(a_condition::NAME, name)?;
    }
    message.bytes(a_condition::VALUE, condition.value)?;
    if condition.not {
        message.flag(a_condition::NOT)?;
    }
    Ok(())
}

fn address(message: &mut Message<'_>, address: u16, port: u16, addr: &SocketAddr) -> Result {
    match addr.ip() {
        IpAddr::V4(ip) => message.bytes(address, &ip.octets())?,
        IpAddr::V6(ip) => message.bytes(address, &ip.octets())?,
    }
    message.be16(port, addr.port())
}

fn stats(message: &mut Message<'_>, kind: u16, stats: &Stats) -> Result {
    let values = stats.read();

    message.nest(kind, |m| {
        m.uint(a_stats::CONNECTIONS_ACTIVE, values.connections_active)?;
        m.uint(a_stats::CONNECTIONS_TOTAL, values.connections_total)?;
        m.uint(a_stats::REQUESTS, values.requests)?;
        m.uint(a_stats::BYTES_IN, values.bytes_in)?;
        m.uint(a_stats::BYTES_OUT, values.bytes_out)?;
        m.uint(a_stats::ERRORS, values.errors)?;
        m.uint(a_stats::RESPONSES, values.responses)?;
        m.uint(a_stats::CONNECTIONS_REFUSED, values.connections_refused)
    })
}
