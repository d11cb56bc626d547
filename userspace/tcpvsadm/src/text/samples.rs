// SPDX-License-Identifier: GPL-2.0

//! Configurations of any kind, for tests.

use ktcpvs_netlink::{
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
use proptest::collection::{
    btree_map,
    btree_set,
    vec, //
};
use proptest::option;
use proptest::prelude::*;
use std::net::SocketAddr;

fn addresses() -> impl Strategy<Value = SocketAddr> {
    let v4 = (any::<[u8; 4]>(), 1..u16::MAX).prop_map(SocketAddr::from);
    let v6 = (any::<[u16; 8]>(), 1..u16::MAX).prop_map(SocketAddr::from);
    prop_oneof![v4, v6]
}

fn names() -> impl Strategy<Value = String> {
    "[A-Za-z0-9_.-]{1,20}"
}

fn pools() -> impl Strategy<Value = Vec<Pool>> {
    let affinity = ("[!#$%a-z]{1,9}", option::of(any::<[u8; 16]>()));
    let servers = btree_map(addresses(), 0..65_536u32, 0..5);
    let pool = (0..5usize, option::of(affinity), servers);
    btree_map(names(), pool, 0..4).prop_map(|pools| {
        let pools = pools.into_iter();
        let pools = pools.map(|(name, (scheduler, affinity, servers))| Pool {
            name,
            scheduler: Scheduler::ALL[scheduler],
            affinity: affinity.map(|(cookie, key)| Affinity { cookie, key }),
            servers: servers
                .into_iter()
                .map(|(address, weight)| Server { address, weight })
                .collect(),
        });
        pools.collect()
    })
}

fn values() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(any::<u8>(), 0..9),
        "[ -~]{0,12}".prop_map(String::into_bytes),
        "\\*\\.[a-z]{1,5}".prop_map(String::into_bytes),
        "[^\n]{0,5}".prop_map(String::into_bytes),
    ]
}

/// Conditions as reading makes them: a host to compare with is in lower case.
fn conditions() -> impl Strategy<Value = Condition> {
    let subject = prop_oneof![
        Just(Subject::Path),
        Just(Subject::Url),
        Just(Subject::Host),
        Just(Subject::Method),
        "[A-Za-z!-]{1,9}".prop_map(Subject::Header),
        "[A-Za-z!-]{1,9}".prop_map(Subject::Cookie),
    ];
    let condition = (subject, 0..5usize, values(), any::<bool>());
    condition.prop_map(|(subject, operator, mut value, not)| {
        let mut operator = Operator::ALL[operator];
        if subject != Subject::Host && operator == Operator::Wildcard {
            operator = Operator::Suffix;
        }
        if subject == Subject::Host && operator != Operator::Regex {
            value.make_ascii_lowercase();
        }
        Condition {
            subject,
            operator,
            value,
            not,
        }
    })
}

fn actions() -> impl Strategy<Value = Action> {
    let group = option::of(0..32u32);
    let codes = proptest::sample::select(vec![301u32, 302, 303, 307, 308]);
    prop_oneof![
        (names(), group).prop_map(|(pool, capture)| Action::Pool { pool, capture }),
        (names(), addresses()).prop_map(|(pool, address)| Action::Server { pool, address }),
        (codes, "[!-~]{1,9}").prop_map(|(status, location)| Action::Redirect { status, location }),
        (200..600u32).prop_map(Action::Status),
    ]
}

fn services() -> impl Strategy<Value = Vec<Service>> {
    let rules = vec((any::<u32>(), vec(conditions(), 0..4), actions()), 0..6);
    let settings = vec((0..10usize, any::<u64>()), 0..5);
    let listeners = btree_set(addresses(), 0..4);
    let service = (
        any::<bool>(),
        option::of(names()),
        listeners,
        settings,
        rules,
    );
    btree_map(names(), service, 0..3).prop_map(|services| {
        let services = services.into_iter();
        let services = services.map(|(name, (enabled, pool, listeners, settings, rules))| {
            let mut service = Service::new(&name);
            service.enabled = enabled;
            service.pool = pool;
            service.listeners = listeners.into_iter().collect();
            for (index, value) in settings {
                let setting = Setting::ALL[index];
                let (least, greatest) = setting.range();
                service.settings.set(setting, value.clamp(least, greatest));
            }
            let rules = rules.into_iter();
            let rules = rules.map(|(id, conditions, action)| Rule {
                id,
                conditions,
                action,
            });
            service.rules = rules.collect();
            service
        });
        services.collect()
    })
}

/// Any configuration that can be written; it need not pass the checks.
pub(crate) fn configs() -> impl Strategy<Value = Config> {
    let limits = prop_oneof![Just(0), any::<u64>(), (1..9u64).prop_map(|m| m << 20)];
    (limits, pools(), services()).prop_map(|(mem_limit, pools, services)| Config {
        mem_limit,
        pools,
        services,
    })
}
