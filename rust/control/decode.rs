// SPDX-License-Identifier: GPL-2.0

//! From attributes to the steps of a transaction.
//!
//! The policies have checked types, lengths, ranges and nesting.

use super::{
    syntax::{
        self,
        required,
        wrong, //
    },
    Fault, //
};
use crate::{
    config::{
        ActionSpec,
        Change,
        ConditionSpec,
        PoolSpec,
        RuleSpec,
        ServerSpec,
        ServiceSpec,
        SettingsSpec, //
    },
    linux::net::genetlink::Attr,
    uapi::{
        self,
        a_condition,
        a_listener,
        a_op,
        a_pool,
        a_program,
        a_rule,
        a_server,
        a_service,
        a_settings,
        action,
        op_type,
        operator,
        scheduler,
        subject, //
    },
};
use kernel::prelude::*;
use ktcpvs_core::{
    http::valid_location,
    sched::Kind, //
};

/// A step, and the attribute that says what it is about.
///
/// Not inlined, for the stack's sake: each kind of step has room of its own here.
#[inline(never)]
pub(super) fn step<'a>(op: Attr<'a>) -> Result<(Change<'a>, Attr<'a>), Fault<'a>> {
    let kind = required(op, a_op::TYPE, "type")?.u32()?;
    let nest = |kind, name| required(op, kind, name);
    let service = || nest(a_op::SERVICE, "service");
    let pool = || nest(a_op::POOL, "pool");
    let server = || nest(a_op::SERVER, "server");

    Ok(match kind {
        op_type::SERVICE_ADD => (Change::ServiceAdd(service_spec(service()?)?), service()?),
        op_type::SERVICE_SET => (Change::ServiceSet(service_spec(service()?)?), service()?),
        op_type::SERVICE_DEL => (Change::ServiceDel(service_name(service()?)?), service()?),
        op_type::POOL_ADD => (Change::PoolAdd(pool_spec(pool()?)?), pool()?),
        op_type::POOL_SET => (Change::PoolSet(pool_spec(pool()?)?), pool()?),
        op_type::POOL_DEL => (Change::PoolDel(pool_name(pool()?)?), pool()?),
        op_type::SERVER_ADD => (Change::ServerAdd(server_spec(server()?)?), server()?),
        op_type::SERVER_SET => (Change::ServerSet(server_spec(server()?)?), server()?),
        op_type::SERVER_DEL => (Change::ServerDel(server_spec(server()?)?), server()?),
        op_type::RULES_SET => (Change::RulesSet(service_name(service()?)?), service()?),
        op_type::RULE_ADD => {
            let rule = nest(a_op::RULE, "rule")?;

            (Change::RuleAdd(rule_spec(rule)?), rule)
        }
        op_type::PROGRAM_ADD => program_add(nest(a_op::PROGRAM, "program")?)?,
        op_type::FLUSH => (Change::Flush, op),
        op_type::ZERO => zero(op)?,
        op_type::SETTINGS_SET => {
            let settings = nest(a_op::SETTINGS, "settings")?;

            (Change::SettingsSet(settings_spec(settings)?), settings)
        }
        other => return Err(wrong(op, format_args!("no step {other}"))),
    })
}

fn service_name<'a>(nest: Attr<'a>) -> Result<&'a [u8], Fault<'a>> {
    syntax::name(required(nest, a_service::NAME, "name")?)
}

fn pool_name<'a>(nest: Attr<'a>) -> Result<&'a [u8], Fault<'a>> {
    syntax::name(required(nest, a_pool::NAME, "name")?)
}

fn program_add<'a>(nest: Attr<'a>) -> Result<(Change<'a>, Attr<'a>), Fault<'a>> {
    let service = syntax::name(required(nest, a_program::SERVICE, "service")?)?;
    let piece = required(nest, a_program::PIECE, "piece")?.bytes();

    Ok((Change::ProgramAdd { service, piece }, nest))
}

fn zero<'a>(op: Attr<'a>) -> Result<(Change<'a>, Attr<'a>), Fault<'a>> {
    let service = op.nested().get(a_op::SERVICE);
    let pool = op.nested().get(a_op::POOL);

    Ok(match (service, pool) {
        (Some(service), None) => (Change::ZeroService(service_name(service)?), service),
        (None, Some(pool)) => (Change::ZeroPool(pool_name(pool)?), pool),
        (None, None) => (Change::ZeroAll, op),
        (Some(_), Some(pool)) => {
            return Err(wrong(pool, format_args!("either a service or a pool")));
        }
    })
}

fn settings_spec<'a>(nest: Attr<'a>) -> Result<SettingsSpec, Fault<'a>> {
    Ok(SettingsSpec {
        mem_limit: match nest.nested().get(a_settings::MEM_LIMIT) {
            Some(limit) => Some(limit.uint()?),
            None => None,
        },
    })
}

#[inline(never)]
fn service_spec<'a>(nest: Attr<'a>) -> Result<ServiceSpec<'a>, Fault<'a>> {
    let mut spec = ServiceSpec {
        name: service_name(nest)?,
        ..ServiceSpec::default()
    };

    for attr in nest.nested() {
        let [head, idle, connect, response, stall] = &mut spec.timeouts;

        match attr.kind() {
            a_service::LISTENER => {
                let addr = syntax::socket_addr(attr, a_listener::ADDRESS, a_listener::PORT)?;
                let listeners = spec.listeners.get_or_insert_with(KVec::new);

                if listeners.len() >= uapi::LISTENERS_MAX {
                    return Err(wrong(
                        attr,
                        format_args!("more than {} listeners", uapi::LISTENERS_MAX),
                    ));
                }
                listeners.push(addr, GFP_KERNEL_ACCOUNT)?;
            }
            a_service::POOL => spec.pool = Some(syntax::name_or_none(attr)?),
            a_service::ENABLED => spec.enabled = Some(attr.u8()? != 0),
            a_service::TIMEOUT_HEAD => *head = Some(attr.u32()?),
            a_service::TIMEOUT_IDLE => *idle = Some(attr.u32()?),
            a_service::TIMEOUT_CONNECT => *connect = Some(attr.u32()?),
            a_service::TIMEOUT_RESPONSE => *response = Some(attr.u32()?),
            a_service::TIMEOUT_STALL => *stall = Some(attr.u32()?),
            a_service::HEAD_MAX => spec.head_max = Some(attr.u32()?),
            a_service::TARGET_MAX => spec.target_max = Some(attr.u32()?),
            a_service::HEADERS_MAX => spec.headers_max = Some(attr.u32()?),
            a_service::BODY_MAX => spec.body_max = Some(attr.uint()?),
            a_service::FORWARDED_FOR => spec.forwarded_for = Some(attr.u8()? != 0),
            _ => (),
        }
    }
    Ok(spec)
}

fn pool_spec<'a>(nest: Attr<'a>) -> Result<PoolSpec<'a>, Fault<'a>> {
    let mut spec = PoolSpec {
        name: pool_name(nest)?,
        ..PoolSpec::default()
    };

    for attr in nest.nested() {
        match attr.kind() {
            a_pool::SCHEDULER => spec.scheduler = Some(kind(attr)?),
            a_pool::COOKIE if attr.string().is_empty() => spec.cookie = Some(&[]),
            a_pool::COOKIE => spec.cookie = Some(syntax::token(attr)?),
            a_pool::KEY => spec.key = Some(attr.bytes().try_into().map_err(|_| EINVAL)?),
            _ => (),
        }
    }
    Ok(spec)
}

fn kind<'a>(attr: Attr<'a>) -> Result<Kind, Fault<'a>> {
    Ok(match attr.u32()? {
        scheduler::RR => Kind::RoundRobin,
        scheduler::WRR => Kind::WeightedRoundRobin,
        scheduler::LC => Kind::LeastConnection,
        scheduler::WLC => Kind::WeightedLeastConnection,
        scheduler::SH => Kind::SourceHash,
        other => return Err(wrong(attr, format_args!("no scheduler {other}"))),
    })
}

fn server_spec<'a>(nest: Attr<'a>) -> Result<ServerSpec<'a>, Fault<'a>> {
    Ok(ServerSpec {
        pool: syntax::name(required(nest, a_server::POOL, "pool")?)?,
        addr: syntax::socket_addr(nest, a_server::ADDRESS, a_server::PORT)?,
        weight: match nest.nested().get(a_server::WEIGHT) {
            Some(weight) => Some(weight.u32()?),
            None => None,
        },
    })
}

#[inline(never)]
fn rule_spec<'a>(nest: Attr<'a>) -> Result<RuleSpec<'a>, Fault<'a>> {
    if nest.bytes().len() > uapi::RULE_LEN_MAX {
        return Err(wrong(
            nest,
            format_args!("a rule of more than {} bytes", uapi::RULE_LEN_MAX),
        ));
    }
    let mut conditions = KVec::new();

    for attr in nest
        .nested()
        .filter(|attr| attr.kind() == a_rule::CONDITION)
    {
        if conditions.len() >= uapi::CONDITIONS_MAX {
            return Err(wrong(
                attr,
                format_args!("more than {} conditions", uapi::CONDITIONS_MAX),
            ));
        }
        conditions.push(condition_spec(attr)?, GFP_KERNEL_ACCOUNT)?;
    }
    let action = action_spec(nest)?;
    let capture = match nest.nested().get(a_rule::CAPTURE) {
        Some(attr) => Some(capture(attr, &conditions, &action)?),
        None => None,
    };

    Ok(RuleSpec {
        service: syntax::name(required(nest, a_rule::SERVICE, "service")?)?,
        id: required(nest, a_rule::ID, "id")?.u32()?,
        conditions,
        action,
        capture,
    })
}

#[inline(never)]
fn condition_spec<'a>(nest: Attr<'a>) -> Result<ConditionSpec<'a>, Fault<'a>> {
    let subject = required(nest, a_condition::SUBJECT, "subject")?.u32()?;
    let op = required(nest, a_condition::OPERATOR, "operator")?.u32()?;
    let value = required(nest, a_condition::VALUE, "value")?.bytes();
    let named = matches!(subject, subject::HEADER | subject::COOKIE);
    let name = match (nest.nested().get(a_condition::NAME), named) {
        (Some(name), true) => Some(syntax::token(name)?),
        (None, false) => None,
        (None, true) => return Err(wrong(nest, format_args!("name is missing"))),
        (Some(name), false) => {
            return Err(wrong(
                name,
                format_args!("only headers and cookies are named"),
            ));
        }
    };

    if op == operator::WILDCARD && subject != subject::HOST {
        return Err(wrong(nest, format_args!("wildcards are for hosts")));
    }
    Ok(ConditionSpec {
        subject,
        operator: op,
        name,
        value,
        not: nest.nested().get(a_condition::NOT).is_some(),
    })
}

/// The attributes that go with actions, all of them and those of each.
const ACTION_ATTRS: [u16; 5] = [
    a_rule::POOL,
    a_rule::ADDRESS,
    a_rule::PORT,
    a_rule::STATUS,
    a_rule::LOCATION,
];

#[inline(never)]
fn action_spec<'a>(nest: Attr<'a>) -> Result<ActionSpec<'a>, Fault<'a>> {
    let action = required(nest, a_rule::ACTION, "action")?;
    let pool = || syntax::name(required(nest, a_rule::POOL, "pool")?);
    let (spec, takes): (_, &[u16]) = match action.u32()? {
        action::POOL => (ActionSpec::Pool(pool()?), &[a_rule::POOL]),
        action::SERVER => (
            ActionSpec::Server(
                pool()?,
                syntax::socket_addr(nest, a_rule::ADDRESS, a_rule::PORT)?,
            ),
            &[a_rule::POOL, a_rule::ADDRESS, a_rule::PORT],
        ),
        action::REDIRECT => (redirect(nest)?, &[a_rule::STATUS, a_rule::LOCATION]),
        action::STATUS => {
            let status = required(nest, a_rule::STATUS, "status")?.u32()?;

            (ActionSpec::Status(status as u16), &[a_rule::STATUS])
        }
        other => return Err(wrong(action, format_args!("no action {other}"))),
    };
    let stray = nest
        .nested()
        .find(|attr| ACTION_ATTRS.contains(&attr.kind()) && !takes.contains(&attr.kind()));

    match stray {
        Some(attr) => Err(wrong(attr, format_args!("does not go with the action"))),
        None => Ok(spec),
    }
}

fn redirect<'a>(nest: Attr<'a>) -> Result<ActionSpec<'a>, Fault<'a>> {
    let location = required(nest, a_rule::LOCATION, "location")?;
    let status = match nest.nested().get(a_rule::STATUS) {
        None => 302,
        Some(attr) => match attr.u32()? {
            status @ (301 | 302 | 303 | 307 | 308) => status as u16,
            other => return Err(wrong(attr, format_args!("{other} is no redirection"))),
        },
    };

    if !valid_location(location.string()) {
        return Err(wrong(location, format_args!("no valid location")));
    }
    Ok(ActionSpec::Redirect {
        status,
        location: location.string(),
    })
}

/// The number of a group, which needs a pool and a regular expression that must match.
fn capture<'a>(
    attr: Attr<'a>,
    conditions: &[ConditionSpec<'_>],
    action: &ActionSpec<'_>,
) -> Result<u32, Fault<'a>> {
    if !matches!(action, ActionSpec::Pool(_)) {
        return Err(wrong(
            attr,
            format_args!("a capture chooses a server of a pool"),
        ));
    }
    if !conditions
        .iter()
        .any(|c| c.operator == operator::REGEX && !c.not)
    {
        return Err(wrong(
            attr,
            format_args!("a capture needs a regular expression"),
        ));
    }
    Ok(attr.u32()?)
}
