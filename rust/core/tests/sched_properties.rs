// SPDX-License-Identifier: GPL-2.0

//! What every scheduler promises, whatever the pool.

use ktcpvs_core::sched::{
    Candidate,
    Kind,
    Scheduler,
    Table, //
};
use proptest::prelude::*;

#[derive(Clone, Debug)]
struct Server {
    weight: u32,
    load: u32,
    up: bool,
}

impl Candidate for Server {
    fn weight(&self) -> u32 {
        self.weight
    }
    fn load(&self) -> u32 {
        self.load
    }
    fn available(&self) -> bool {
        self.up
    }
}

fn idle(weights: &[u32]) -> Vec<Server> {
    let up = |&weight| Server {
        weight,
        load: 0,
        up: true,
    };
    weights.iter().map(up).collect()
}

fn table(servers: &[Server]) -> Vec<u64> {
    let mut memory = vec![0; Table::words(servers.len())];
    Table::fill(servers.iter().map(Candidate::weight), &mut memory);
    memory
}

/// How often each server is picked in `n` decisions.
fn counts(kind: Kind, servers: &[Server], n: usize) -> Vec<usize> {
    let memory = table(servers);
    let scheduler = Scheduler::new(kind);
    let mut counts = vec![0; servers.len()];
    for _ in 0..n {
        let picked = scheduler.pick(servers, &Table::new(&memory), 0, |_| false);
        counts[picked.unwrap()] += 1;
    }
    counts
}

fn any_servers() -> impl Strategy<Value = Vec<Server>> {
    let weight = prop_oneof![Just(0), 1..10u32, Just(100), 0..=65535u32];
    let server = (weight, 0..50u32, prop::bool::weighted(0.8))
        .prop_map(|(weight, load, up)| Server { weight, load, up });
    prop::collection::vec(server, 0..12)
}

fn any_kind() -> impl Strategy<Value = Kind> {
    prop::sample::select(&Kind::ALL[..])
}

proptest! {
    /// One that may be picked is, if there is any; one that may not never is.
    #[test]
    fn picks_what_may_be_picked(
        servers in any_servers(),
        kind in any_kind(),
        excluded in any::<u16>(),
        keys in prop::collection::vec(any::<u64>(), 20),
    ) {
        let memory = table(&servers);
        let scheduler = Scheduler::new(kind);
        let out = |index: usize| (excluded >> index) & 1 == 1;
        let may = |index: usize| {
            let s = &servers[index];
            s.weight > 0 && s.up && !out(index)
        };
        let any = (0..servers.len()).any(may);
        for key in keys {
            match scheduler.pick(&servers, &Table::new(&memory), key, out) {
                Some(index) => prop_assert!(may(index)),
                None => prop_assert!(!any),
            }
        }
    }

    /// Whatever memory holds, nothing panics or hangs.
    #[test]
    fn survives_a_wrong_table(
        servers in any_servers(),
        kind in any_kind(),
        memory in prop::collection::vec(any::<u64>(), 0..14),
    ) {
        let scheduler = Scheduler::new(kind);
        for key in 0..20 {
            let picked = scheduler.pick(&servers, &Table::new(&memory), key, |_| false);
            prop_assert!(picked.is_none_or(|index| servers[index].weight > 0));
        }
    }

    /// Weighted round robin is exact over each period, from wherever it starts.
    #[test]
    fn wrr_is_exact(weights in prop::collection::vec(0..20u32, 1..8), start in 0..50usize) {
        let total: u32 = weights.iter().sum();
        prop_assume!(total > 0);
        let servers = idle(&weights);
        let memory = table(&servers);
        let scheduler = Scheduler::new(Kind::WeightedRoundRobin);
        let pick = || scheduler.pick(&servers, &Table::new(&memory), 0, |_| false).unwrap();
        for _ in 0..start {
            pick();
        }
        let mut counts = vec![0; weights.len()];
        for _ in 0..total {
            counts[pick()] += 1;
        }
        prop_assert_eq!(counts, weights);
    }

    /// Round robin gives every usable server the same, whichever are down.
    #[test]
    fn rr_is_even(up in prop::collection::vec(any::<bool>(), 1..10)) {
        let mut servers = idle(&vec![1; up.len()]);
        for (server, up) in servers.iter_mut().zip(&up) {
            server.up = *up;
        }
        let usable = up.iter().filter(|up| **up).count();
        prop_assume!(usable > 0);
        let counts = counts(Kind::RoundRobin, &servers, usable * 10);
        for (count, up) in counts.into_iter().zip(up) {
            prop_assert_eq!(count, if up { 10 } else { 0 });
        }
    }

    /// Nothing that least connection passes over was better.
    #[test]
    fn least_is_least(servers in any_servers(), turns in 0..5usize) {
        let memory = table(&servers);
        for kind in [Kind::LeastConnection, Kind::WeightedLeastConnection] {
            let scheduler = Scheduler::new(kind);
            for _ in 0..turns {
                scheduler.pick(&servers, &Table::new(&memory), 0, |_| false);
            }
            let Some(index) = scheduler.pick(&servers, &Table::new(&memory), 0, |_| false) else {
                continue;
            };
            let cost = |s: &Server| match kind {
                Kind::LeastConnection => f64::from(s.load),
                _ => f64::from(s.load) / f64::from(s.weight),
            };
            for other in servers.iter().filter(|s| s.weight > 0 && s.up) {
                prop_assert!(cost(&servers[index]) <= cost(other));
            }
        }
    }

    /// A key keeps its server while that is up, and gets it back afterwards; the keys of others
    /// do not move when one goes down.
    #[test]
    fn source_hash_is_stable(
        weights in prop::collection::vec(0..9u32, 1..9),
        key in any::<u64>(),
        down in any::<prop::sample::Index>(),
    ) {
        let mut servers = idle(&weights);
        let memory = table(&servers);
        let scheduler = Scheduler::new(Kind::SourceHash);
        let home = scheduler.pick(&servers, &Table::new(&memory), key, |_| false);
        let down = down.index(servers.len());
        servers[down].up = false;
        let away = scheduler.pick(&servers, &Table::new(&memory), key, |_| false);
        if home != Some(down) {
            prop_assert_eq!(home, away);
        } else {
            prop_assert_ne!(away, home);
        }
        servers[down].up = true;
        prop_assert_eq!(scheduler.pick(&servers, &Table::new(&memory), key, |_| false), home);
    }
}

#[test]
fn wrr_interleaves() {
    let servers = idle(&[5, 1, 1]);
    let memory = table(&servers);
    let scheduler = Scheduler::new(Kind::WeightedRoundRobin);
    let picks: Vec<_> = (0..14)
        .map(|_| {
            scheduler
                .pick(&servers, &Table::new(&memory), 0, |_| false)
                .unwrap()
        })
        .collect();
    // The two light servers' turns are never neighbours.
    assert!(
        picks.windows(2).all(|w| w[0] == 0 || w[1] == 0),
        "{picks:?}"
    );
}

#[test]
fn idle_servers_take_turns() {
    assert_eq!(
        counts(Kind::LeastConnection, &idle(&[1, 1, 1]), 9),
        [3, 3, 3]
    );
    assert_eq!(
        counts(Kind::WeightedLeastConnection, &idle(&[3, 1]), 40),
        [30, 10]
    );
}

#[test]
fn source_hash_follows_weights() {
    let servers = idle(&[3, 0, 1]);
    let memory = table(&servers);
    let scheduler = Scheduler::new(Kind::SourceHash);
    let key = [7; 16];
    let mut counts = [0; 3];
    for host in 0..4000u32 {
        let hash = ktcpvs_core::hash::source(&key, &std::net::Ipv4Addr::from(host).into());
        counts[scheduler
            .pick(&servers, &Table::new(&memory), hash, |_| false)
            .unwrap()] += 1;
    }
    assert_eq!(counts[1], 0);
    assert!((2850..3150).contains(&counts[0]), "{counts:?}");
}

#[test]
fn the_keys_of_a_dead_server_spread() {
    let mut servers = idle(&[1; 5]);
    servers[2].up = false;
    let memory = table(&servers);
    let scheduler = Scheduler::new(Kind::SourceHash);
    let mut counts = [0; 5];
    for n in 0..5000u64 {
        let key = ktcpvs_core::hash::siphash(&[1; 16], &n.to_le_bytes());
        counts[scheduler
            .pick(&servers, &Table::new(&memory), key, |_| false)
            .unwrap()] += 1;
    }
    assert_eq!(counts[2], 0);
    for index in [0, 1, 3, 4] {
        assert!((1100..1400).contains(&counts[index]), "{counts:?}");
    }
}

#[test]
fn names_round_trip() {
    for kind in Kind::ALL {
        assert_eq!(Kind::from_name(kind.name().as_bytes()), Some(kind));
    }
    assert_eq!(Kind::from_name(b"RR"), None);
    assert_eq!(Kind::from_name(b""), None);
}

#[test]
fn a_successor_goes_on() {
    let servers = idle(&[1, 1]);
    let memory = table(&servers);
    let first = Scheduler::new(Kind::RoundRobin);
    assert_eq!(
        first.pick(&servers, &Table::new(&memory), 0, |_| false),
        Some(0)
    );
    let next = first.successor();
    assert_eq!(
        next.pick(&servers, &Table::new(&memory), 0, |_| false),
        Some(1)
    );
}
