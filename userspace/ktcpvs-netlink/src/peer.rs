// SPDX-License-Identifier: GPL-2.0

//! A stand-in for the module: takes the steps of a message as the specification says, and dumps
//! what it has. Reads and writes attributes by itself, but for their framing.

use crate::model::{
    Action,
    Affinity,
    Condition,
    Config,
    Operator,
    Pool,
    Rule,
    Scheduler,
    Server,
    Service,
    Setting,
    Subject, //
};
use crate::uapi::{
    a_condition,
    a_info,
    a_listener,
    a_main,
    a_op,
    a_pool,
    a_program,
    a_rule,
    a_server,
    a_service,
    a_settings,
    action,
    op_type, //
};
use crate::wire::{
    Attribute,
    Attributes,
    Writer, //
};
use std::net::SocketAddr;

/// The module, as far as configuration goes.
#[derive(Default)]
pub(crate) struct Peer {
    /// Grows with each change.
    pub(crate) generation: u64,
    /// What connections take.
    pub(crate) memory: u64,
    /// What is configured.
    pub(crate) config: Config,
    /// The programs, by service.
    pub(crate) programs: Vec<(String, Vec<u8>)>,
}

type Set<'a> = Vec<Attribute<'a>>;

fn set(bytes: &[u8]) -> Set<'_> {
    Attributes(bytes).map(Result::unwrap).collect()
}

fn find<'a>(set: &Set<'a>, kind: u16) -> Option<Attribute<'a>> {
    set.iter().find(|a| a.kind == kind).copied()
}

fn text(set: &Set<'_>, kind: u16) -> String {
    let attribute = find(set, kind).expect("a string is missing");
    assert_eq!(attribute.payload.last(), Some(&0), "not terminated");
    attribute.string().unwrap()
}

fn number(set: &Set<'_>, kind: u16) -> Option<u64> {
    let payload = find(set, kind)?.payload;
    Some(match payload.len() {
        1 => payload[0].into(),
        4 => u32::from_ne_bytes(payload.try_into().unwrap()).into(),
        8 => u64::from_ne_bytes(payload.try_into().unwrap()),
        len => panic!("a number of {len} bytes"),
    })
}

fn small(set: &Set<'_>, kind: u16) -> u32 {
    number(set, kind).unwrap().try_into().unwrap()
}

fn address(set: &Set<'_>, address: u16, port: u16) -> SocketAddr {
    let ip = find(set, address).unwrap().ip().unwrap();
    SocketAddr::new(ip, find(set, port).unwrap().port().unwrap())
}

impl Peer {
    /// Takes the steps of a message, after its headers.
    pub(crate) fn change(&mut self, message: &[u8]) {
        for attribute in set(message) {
            if attribute.kind == a_main::GENERATION {
                assert_eq!(attribute.uint().unwrap(), self.generation);
                continue;
            }
            assert_eq!(attribute.kind, a_main::OP);
            let op = set(attribute.payload);
            let kind = small(&op, a_op::TYPE);
            let inside = op.get(1).map(|a| set(a.payload)).unwrap_or_default();
            assert!(op.len() <= 2);
            match kind {
                op_type::SERVICE_ADD..=op_type::SERVICE_DEL => self.service(kind, &inside),
                op_type::POOL_ADD..=op_type::POOL_DEL => self.pool(kind, &inside),
                op_type::SERVER_ADD..=op_type::SERVER_DEL => self.server(kind, &inside),
                op_type::RULES_SET => {
                    let name = text(&inside, a_service::NAME);
                    self.programs.retain(|(service, _)| *service != name);
                    self.config.service_mut(&name).unwrap().rules.clear();
                    self.programs.push((name, Vec::new()));
                }
                op_type::RULE_ADD => {
                    let service = text(&inside, a_rule::SERVICE);
                    let service = self.config.service_mut(&service).unwrap();
                    service.rules.push(rule(&inside));
                }
                op_type::PROGRAM_ADD => {
                    let service = text(&inside, a_program::SERVICE);
                    let piece = find(&inside, a_program::PIECE).unwrap().payload;
                    assert!(piece.len() % 4 == 0 && piece.len() <= crate::uapi::PIECE_LEN);
                    let program = self.programs.iter_mut().find(|(name, _)| *name == service);
                    program.unwrap().1.extend_from_slice(piece);
                }
                op_type::SETTINGS_SET => {
                    assert_eq!(op[1].kind, a_op::SETTINGS);
                    if let Some(limit) = number(&inside, a_settings::MEM_LIMIT) {
                        self.config.mem_limit = limit;
                    }
                }
                op_type::FLUSH => self.config = Config::default(),
                op_type::ZERO => {}
                other => panic!("step {other}"),
            }
        }
        self.generation += 1;
    }

    fn service(&mut self, kind: u32, inside: &Set<'_>) {
        let name = text(inside, a_service::NAME);
        let services = &mut self.config.services;
        let place = services.iter().position(|s| s.name == name);
        if kind == op_type::SERVICE_DEL {
            services.remove(place.unwrap());
            return;
        }
        if kind == op_type::SERVICE_ADD {
            assert_eq!(place, None);
            services.push(Service::new(&name));
        }
        let service = self.config.service_mut(&name).unwrap();
        let listeners = inside.iter().filter(|a| a.kind == a_service::LISTENER);
        let listeners: Vec<_> = listeners
            .map(|a| address(&set(a.payload), a_listener::ADDRESS, a_listener::PORT))
            .collect();
        if !listeners.is_empty() {
            service.listeners = listeners;
        }
        if find(inside, a_service::POOL).is_some() {
            service.pool = Some(text(inside, a_service::POOL)).filter(|p| !p.is_empty());
        }
        if let Some(enabled) = number(inside, a_service::ENABLED) {
            service.enabled = enabled != 0;
        }
        for setting in Setting::ALL {
            if let Some(value) = number(inside, setting.attribute()) {
                service.settings.set(setting, value);
            }
        }
    }

    fn pool(&mut self, kind: u32, inside: &Set<'_>) {
        let name = text(inside, a_pool::NAME);
        let place = self.config.pools.iter().position(|p| p.name == name);
        if kind == op_type::POOL_DEL {
            self.config.pools.remove(place.unwrap());
            return;
        }
        if kind == op_type::POOL_ADD {
            assert_eq!(place, None);
            self.config.pools.push(Pool::new(&name));
        }
        let pool = self.config.pool_mut(&name).unwrap();
        if let Some(scheduler) = find(inside, a_pool::SCHEDULER) {
            pool.scheduler = Scheduler::from_number(scheduler.u32().unwrap()).unwrap();
        }
        if find(inside, a_pool::COOKIE).is_some() {
            let cookie = text(inside, a_pool::COOKIE);
            let key = find(inside, a_pool::KEY).map(|a| a.payload.try_into().unwrap());
            let old = pool.affinity.as_ref().and_then(|a| a.key);
            pool.affinity = (!cookie.is_empty()).then(|| Affinity {
                cookie,
                key: Some(key.or(old).expect("a cookie needs a key")),
            });
        }
    }

    fn server(&mut self, kind: u32, inside: &Set<'_>) {
        let pool = text(inside, a_server::POOL);
        let pool = self.config.pool_mut(&pool).unwrap();
        let address = address(inside, a_server::ADDRESS, a_server::PORT);
        let weight = number(inside, a_server::WEIGHT).map(|w| w.try_into().unwrap());
        let place = pool.servers.iter().position(|s| s.address == address);
        match kind {
            op_type::SERVER_ADD => {
                assert_eq!(place, None);
                let weight = weight.unwrap_or(1);
                pool.servers.push(Server { address, weight });
            }
            op_type::SERVER_SET => pool.servers[place.unwrap()].weight = weight.unwrap(),
            _ => drop(pool.servers.remove(place.unwrap())),
        }
    }

    /// The messages of a dump, each after its headers.
    pub(crate) fn dump(&self) -> Vec<Vec<u8>> {
        let mut messages = Vec::new();
        let mut message = |kind, inside: &dyn Fn(&mut Writer)| {
            let mut writer = Writer::default();
            writer.nest(kind, inside);
            messages.push(writer.finish().unwrap());
        };
        message(a_main::INFO, &|w| {
            w.bytes(a_info::GENERATION, &self.generation.to_ne_bytes());
            w.string(a_info::VERSION, "0.1.0");
            w.nest(a_info::SETTINGS, |w| {
                w.uint(a_settings::MEM_LIMIT, self.config.mem_limit);
            });
            w.uint(a_info::MEMORY, self.memory);
        });
        for pool in &self.config.pools {
            message(a_main::POOL, &|w| {
                w.string(a_pool::NAME, &pool.name);
                w.u32(a_pool::SCHEDULER, pool.scheduler.number());
                if let Some(affinity) = &pool.affinity {
                    w.string(a_pool::COOKIE, &affinity.cookie);
                    w.bytes(a_pool::KEY, affinity.key.as_ref().unwrap());
                }
            });
            for server in &pool.servers {
                message(a_main::SERVER, &|w| {
                    w.string(a_server::POOL, &pool.name);
                    w.address(a_server::ADDRESS, a_server::PORT, &server.address);
                    w.u32(a_server::WEIGHT, server.weight);
                });
            }
        }
        for service in &self.config.services {
            message(a_main::SERVICE, &|w| dump_service(w, service));
            for rule in &service.rules {
                message(a_main::RULE, &|w| dump_rule(w, &service.name, rule));
            }
        }
        messages
    }
}

fn rule(inside: &Set<'_>) -> Rule {
    let conditions = inside.iter().filter(|a| a.kind == a_rule::CONDITION);
    let conditions = conditions.map(|a| {
        let condition = set(a.payload);
        let name = find(&condition, a_condition::NAME).map(|a| a.string().unwrap());
        Condition {
            subject: Subject::from_number(small(&condition, a_condition::SUBJECT), name).unwrap(),
            operator: Operator::from_number(small(&condition, a_condition::OPERATOR)).unwrap(),
            value: find(&condition, a_condition::VALUE)
                .unwrap()
                .payload
                .to_vec(),
            not: find(&condition, a_condition::NOT).is_some(),
        }
    });
    let action = match small(inside, a_rule::ACTION) {
        action::POOL => Action::Pool {
            pool: text(inside, a_rule::POOL),
            capture: number(inside, a_rule::CAPTURE).map(|n| n.try_into().unwrap()),
        },
        action::SERVER => Action::Server {
            pool: text(inside, a_rule::POOL),
            address: address(inside, a_rule::ADDRESS, a_rule::PORT),
        },
        action::REDIRECT => Action::Redirect {
            status: small(inside, a_rule::STATUS),
            location: text(inside, a_rule::LOCATION),
        },
        _ => Action::Status(small(inside, a_rule::STATUS)),
    };
    Rule {
        id: small(inside, a_rule::ID),
        conditions: conditions.collect(),
        action,
    }
}

fn dump_service(w: &mut Writer, service: &Service) {
    w.string(a_service::NAME, &service.name);
    for listener in &service.listeners {
        w.nest(a_service::LISTENER, |w| {
            w.address(a_listener::ADDRESS, a_listener::PORT, listener);
        });
    }
    if let Some(pool) = &service.pool {
        w.string(a_service::POOL, pool);
    }
    w.u8(a_service::ENABLED, service.enabled.into());
    for setting in Setting::ALL {
        let value = service.settings.get(setting);
        match setting {
            Setting::BodyMax => w.bytes(setting.attribute(), &value.to_ne_bytes()),
            Setting::ForwardedFor => w.u8(setting.attribute(), value.try_into().unwrap()),
            _ => w.u32(setting.attribute(), value.try_into().unwrap()),
        }
    }
}

fn dump_rule(w: &mut Writer, service: &str, rule: &Rule) {
    w.string(a_rule::SERVICE, service);
    w.u32(a_rule::ID, rule.id);
    for condition in &rule.conditions {
        w.nest(a_rule::CONDITION, |w| {
            w.u32(a_condition::SUBJECT, condition.subject.number());
            w.u32(a_condition::OPERATOR, condition.operator.number());
            if let Some(name) = condition.subject.name() {
                w.string(a_condition::NAME, name);
            }
            w.bytes(a_condition::VALUE, &condition.value);
            if condition.not {
                w.flag(a_condition::NOT);
            }
        });
    }
    match &rule.action {
        Action::Pool { pool, capture } => {
            w.u32(a_rule::ACTION, action::POOL);
            w.string(a_rule::POOL, pool);
            if let Some(capture) = capture {
                w.u32(a_rule::CAPTURE, *capture);
            }
        }
        Action::Server { pool, address } => {
            w.u32(a_rule::ACTION, action::SERVER);
            w.string(a_rule::POOL, pool);
            w.address(a_rule::ADDRESS, a_rule::PORT, address);
        }
        Action::Redirect { status, location } => {
            w.u32(a_rule::ACTION, action::REDIRECT);
            w.u32(a_rule::STATUS, *status);
            w.string(a_rule::LOCATION, location);
        }
        Action::Status(status) => {
            w.u32(a_rule::ACTION, action::STATUS);
            w.u32(a_rule::STATUS, *status);
        }
    }
}

mod tests;
