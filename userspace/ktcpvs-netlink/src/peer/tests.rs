// SPDX-License-Identifier: GPL-2.0

//! From any configuration to any other, over the wire and back.

use super::Peer;
use crate::client::steps;
use crate::decode;
use crate::model::{
    Action,
    Affinity,
    Condition,
    Config,
    Operator,
    Pool,
    Problem,
    Rule,
    Scheduler,
    Server,
    Service,
    Setting,
    Snapshot,
    Subject, //
};
use crate::op::Op;
use crate::uapi::a_main;
use crate::wire::Writer;
use proptest::collection::{
    btree_map,
    vec, //
};
use proptest::option;
use proptest::prelude::*;
use std::net::SocketAddr;

/// A few addresses only, so that configurations have some in common.
fn addresses() -> impl Strategy<Value = SocketAddr> {
    (any::<bool>(), 1..4u8, 80..82u16).prop_map(|(v6, host, port)| match v6 {
        false => SocketAddr::from(([192, 0, 2, host], port)),
        true => SocketAddr::from(([0x2001, 0xdb8, 0, 0, 0, 0, 0, host.into()], port)),
    })
}

fn pools() -> impl Strategy<Value = Vec<Pool>> {
    let servers = btree_map(addresses(), 0..4u32, 0..5);
    let pool = (0..5usize, option::of(("[a-c]", any::<[u8; 16]>())), servers);
    btree_map("[a-d]", pool, 0..4).prop_map(|pools| {
        let pools = pools.into_iter();
        let pools = pools.map(|(name, (scheduler, affinity, servers))| Pool {
            name,
            scheduler: Scheduler::ALL[scheduler],
            affinity: affinity.map(|(cookie, key)| Affinity {
                cookie,
                key: Some(key),
            }),
            servers: servers
                .into_iter()
                .map(|(address, weight)| Server { address, weight })
                .collect(),
        });
        pools.collect()
    })
}

fn conditions() -> impl Strategy<Value = Condition> {
    let subject = prop_oneof![
        Just(Subject::Path),
        Just(Subject::Url),
        Just(Subject::Host),
        Just(Subject::Method),
        "[a-z]{1,9}".prop_map(Subject::Header),
        "[a-z]{1,9}".prop_map(Subject::Cookie),
    ];
    let value = vec(any::<u8>(), 0..9);
    (subject, 0..3usize, value, any::<bool>()).prop_map(|(subject, operator, value, not)| {
        Condition {
            subject,
            operator: Operator::ALL[operator],
            value,
            not,
        }
    })
}

fn actions(pools: &[Pool]) -> BoxedStrategy<Action> {
    let redirect = (Just(301u32), "/[a-z]{0,9}");
    let redirect = redirect.prop_map(|(status, location)| Action::Redirect { status, location });
    let other = prop_oneof![(200..600u32).prop_map(Action::Status), redirect].boxed();
    let names: Vec<String> = pools.iter().map(|p| p.name.clone()).collect();
    let servers = pools.iter().flat_map(|p| {
        let servers = p.servers.iter();
        servers.map(|s| (p.name.clone(), s.address))
    });
    let servers: Vec<_> = servers.collect();
    if servers.is_empty() {
        return other;
    }
    let pool = proptest::sample::select(names).prop_map(|pool| Action::Pool {
        pool,
        capture: None,
    });
    let server = proptest::sample::select(servers)
        .prop_map(|(pool, address)| Action::Server { pool, address });
    prop_oneof![other, pool, server].boxed()
}

/// Small and large ones, for they are encoded in 32 and in 64 bits, and often the default.
fn limits() -> impl Strategy<Value = u64> {
    prop_oneof![Just(0), any::<u32>().prop_map(u64::from), any::<u64>()]
}

fn services(pools: Vec<Pool>) -> impl Strategy<Value = Config> {
    let rule = (0..6u32, vec(conditions(), 0..3), actions(&pools));
    let rules = vec(rule, 0..6);
    let default = 0..=pools.len();
    let settings = vec((0..10usize, 256..1000u64), 0..4);
    let service = (any::<bool>(), default, settings, rules);
    let services = btree_map("[a-c]", service, 0..3);
    (limits(), services).prop_map(move |(mem_limit, services)| {
        let services = services.into_iter().enumerate();
        let services = services.map(|(index, (name, (enabled, default, settings, rules)))| {
            let mut service = Service::new(&name);
            let port = 8000 + u16::try_from(index).unwrap();
            service.listeners = vec![SocketAddr::from(([192, 0, 2, 1], port))];
            service.enabled = enabled;
            service.pool = pools.get(default).map(|p| p.name.clone());
            for (setting, value) in settings {
                let setting = Setting::ALL[setting];
                let greatest = setting.range().1;
                service.settings.set(setting, value.min(greatest));
            }
            for (id, conditions, action) in rules {
                let taken = id != 0 && service.rules.iter().any(|r: &Rule| r.id == id);
                service.rules.push(Rule {
                    id: if taken { 0 } else { id },
                    conditions,
                    action,
                });
            }
            service
        });
        Config {
            mem_limit,
            services: services.collect(),
            pools: pools.clone(),
        }
    })
}

fn configs() -> impl Strategy<Value = Config> {
    pools().prop_flat_map(services)
}

/// A program that tells the rules it was made of, longer than a piece.
fn compile(service: &Service) -> Result<Vec<u32>, Problem> {
    let ids = service.rules.iter().map(|r| r.id);
    Ok(ids.chain(0..20_000).collect())
}

fn sent(ops: &[Op], generation: u64) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.uint(a_main::GENERATION, generation);
    for op in ops {
        op.write(&mut writer);
    }
    writer.finish().unwrap()
}

fn got(peer: &Peer) -> Snapshot {
    let mut snapshot = Snapshot::default();
    for message in peer.dump() {
        decode::message(&mut snapshot, &message).unwrap();
    }
    snapshot
}

/// The order of pools, services and servers means nothing.
fn sorted(mut config: Config) -> Config {
    config.pools.sort_by(|a, b| a.name.cmp(&b.name));
    config.services.sort_by(|a, b| a.name.cmp(&b.name));
    for pool in &mut config.pools {
        pool.servers.sort_by_key(|s| s.address);
    }
    config
}

/// Rules have been given ids: they are taken from what was got, the rest must agree.
fn without_ids(mut config: Config) -> Config {
    for rule in config.services.iter_mut().flat_map(|s| &mut s.rules) {
        rule.id = 0;
    }
    config
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_configuration_follows_any_other(wanted in vec(configs(), 1..4)) {
        let mut peer = Peer::default();
        for wanted in wanted {
            let before = got(&peer);
            prop_assert_eq!(&before.config, &peer.config);
            prop_assert_eq!(before.generation, peer.generation);
            let ops = steps(&before.config, wanted.clone(), &compile).unwrap();
            peer.change(&sent(&ops, before.generation));
            let after = got(&peer).config;
            prop_assert_eq!(sorted(without_ids(after.clone())), sorted(without_ids(wanted)));
            for service in after.services.iter().filter(|s| !s.rules.is_empty()) {
                let program = peer.programs.iter().find(|(name, _)| *name == service.name);
                let words = compile(service).unwrap();
                let bytes: Vec<u8> = words.iter().flat_map(|w| w.to_ne_bytes()).collect();
                prop_assert!(program.unwrap().1 == bytes);
            }
            let again = steps(&after, after.clone(), &compile).unwrap();
            prop_assert_eq!(again, vec![]);
        }
    }

    #[test]
    fn a_dump_cut_off_or_changed_is_no_panic(
        config in configs(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        cut in any::<bool>(),
    ) {
        let mut snapshot = Snapshot::default();
        for mut message in (Peer { config, ..Peer::default() }).dump() {
            let at = at.index(message.len());
            if cut {
                message.truncate(at);
            } else {
                message[at] = byte;
            }
            let _ = decode::message(&mut snapshot, &message);
        }
    }
}

#[test]
fn the_limit_and_what_is_used_are_told() {
    for (mem_limit, memory) in [(0, 0), (256 << 20, 4096), (u64::MAX, 1 << 40)] {
        let mut peer = Peer {
            memory,
            ..Peer::default()
        };
        let wanted = Config {
            mem_limit,
            ..Config::default()
        };
        let ops = steps(&peer.config, wanted, &compile).unwrap();
        let told = (mem_limit != 0).then_some(Op::SettingsSet { mem_limit });
        assert_eq!(ops, Vec::from_iter(told));
        peer.change(&sent(&ops, 0));
        let snapshot = got(&peer);
        assert_eq!(snapshot.config.mem_limit, mem_limit);
        assert_eq!(snapshot.memory, memory);
        peer.change(&sent(&[Op::Flush], 1));
        assert_eq!(got(&peer).config, Config::default());
    }
}
