// SPDX-License-Identifier: GPL-2.0

//! Which connections go when memory is short.

use ktcpvs_core::shed::{Load, Plan, Standing, LITTLE};
use proptest::prelude::*;

fn idle(size: u64, waited: u64) -> Load {
    Load {
        size,
        standing: Standing::Idle(waited),
    }
}

fn spare(size: u64, waited: u64) -> Load {
    Load {
        size,
        standing: Standing::Spare(waited),
    }
}

fn busy(size: u64) -> Load {
    busy_for(size, 0)
}

fn busy_for(size: u64, since: u64) -> Load {
    Load {
        size,
        standing: Standing::Busy(since),
    }
}

/// After how many others connections go.
fn class(load: &Load) -> u8 {
    match load.standing {
        Standing::Spare(_) => 0,
        Standing::Fresh(_) => 1,
        Standing::Idle(_) => 2,
        Standing::Busy(_) if load.size >= LITTLE => 3,
        Standing::Busy(_) => 4,
    }
}

/// The places of those that go to be rid of `bytes`.
fn chosen(loads: &[Load], bytes: u64) -> Vec<usize> {
    let mut plan = Plan::new();

    loads.iter().for_each(|load| plan.count(load));
    plan.choose(bytes, 0);
    (0..loads.len())
        .filter(|n| plan.takes(&loads[*n]))
        .collect()
}

#[test]
fn nothing_goes_for_nothing() {
    assert_eq!(chosen(&[idle(10, 0), busy(10)], 0), []);
}

#[test]
fn the_longest_idle_goes_first() {
    let loads = [idle(10, 100), idle(10, 900), idle(10, 500), busy(99)];

    assert_eq!(chosen(&loads, 10), [1]);
    assert_eq!(chosen(&loads, 11), [1, 2]);
    assert_eq!(chosen(&loads, 30), [0, 1, 2]);
}

#[test]
fn times_are_told_apart_by_an_eighth_whatever_they_are() {
    for power in 3..26 {
        let (less, more) = (8 << (power - 3), 9 << (power - 3));

        assert_eq!(chosen(&[idle(10, less), idle(10, more)], 10), [1]);
        assert_eq!(chosen(&[idle(10, more - 1), idle(10, more)], 10), [1]);
    }
    assert_eq!(
        chosen(&[idle(10, 0), idle(10, 1), idle(10, u64::MAX)], 10),
        [2]
    );
}

#[test]
fn fresh_ones_are_spared_while_they_are_few() {
    let fresh = |waited| Load {
        size: 10,
        standing: Standing::Fresh(waited),
    };
    let loads = [busy(100), fresh(100), idle(10, 5), fresh(900), spare(10, 9)];
    let chosen = |bytes, spared| {
        let mut plan = Plan::new();

        loads.iter().for_each(|load| plan.count(load));
        plan.choose(bytes, spared);
        let gone = (0..loads.len()).filter(|n| plan.takes(&loads[*n]));

        gone.collect::<Vec<_>>()
    };

    assert_eq!(chosen(20, 20), [2, 4]);
    assert_eq!(chosen(20, 10), [3, 4]);
    assert_eq!(chosen(30, 10), [2, 3, 4]);
    assert_eq!(chosen(30, 0), [1, 3, 4]);
    assert_eq!(chosen(u64::MAX, 20), [0, 2, 4]);
}

#[test]
fn spare_ones_go_before_idle_ones() {
    let loads = [idle(10, 1000), spare(10, 0), spare(10, 1), busy(99)];

    assert_eq!(chosen(&loads, 10), [2]);
    assert_eq!(chosen(&loads, 20), [1, 2]);
    assert_eq!(chosen(&loads, 30), [0, 1, 2]);
    assert_eq!(chosen(&loads, 31), [0, 1, 2, 3]);
}

#[test]
fn busy_ones_go_after_all_idle_ones_and_the_largest_first() {
    let loads = [busy(100_000), idle(10, 0), busy(500_000), busy(20_000)];

    assert_eq!(chosen(&loads, 11), [1, 2]);
    assert_eq!(chosen(&loads, 500_011), [0, 1, 2]);
    assert_eq!(chosen(&loads, u64::MAX), [0, 1, 2, 3]);
}

#[test]
fn of_busy_ones_that_take_little_the_longest_goes_first() {
    let loads = [
        busy_for(9000, 10),
        busy_for(3000, 50),
        busy(LITTLE),
        busy_for(5000, 200),
    ];

    assert_eq!(chosen(&loads, 1), [2]);
    assert_eq!(chosen(&loads, LITTLE + 1), [2, 3]);
    assert_eq!(chosen(&loads, LITTLE + 5001), [1, 2, 3]);
    assert_eq!(chosen(&loads, u64::MAX), [0, 1, 2, 3]);
}

#[test]
fn what_takes_nothing_is_never_in_the_way() {
    assert_eq!(chosen(&[busy(0), idle(0, 0), busy_for(8, 5)], 8), [1, 2]);
}

#[test]
fn it_can_be_used_again() {
    let mut plan = Plan::new();

    plan.count(&busy(10));
    plan.choose(10, 0);
    plan.clear();
    assert_eq!(plan.total(), 0);
    plan.count(&busy(10));
    plan.choose(0, 0);
    assert!(!plan.takes(&busy(10)));
}

fn load() -> impl Strategy<Value = Load> {
    let standing = prop_oneof![
        (0..=1000_u64).prop_map(Standing::Spare),
        (0..=1000_u64).prop_map(Standing::Fresh),
        (0..=1000_u64).prop_map(Standing::Idle),
        (0..=1000_u64).prop_map(Standing::Busy),
    ];
    let size = prop_oneof![0..1_u64 << 40, 0..1_u64 << 15];

    (size, standing).prop_map(|(size, standing)| Load { size, standing })
}

proptest! {
    /// Enough go, no more than one too many, and none before one of a kind that goes first.
    #[test]
    fn enough_and_not_more(loads in proptest::collection::vec(load(), 0..50), part in 0..=100_u64) {
        let total: u64 = loads.iter().map(|load| load.size).sum();
        let bytes = total / 100 * part;
        let gone = chosen(&loads, bytes);
        let size = |n: &usize| loads[*n].size;
        let freed: u64 = gone.iter().map(size).sum();
        let last = gone.iter().map(|n| class(&loads[*n])).max().unwrap_or(0);
        let largest = gone.iter().map(size).max().unwrap_or(0);

        prop_assert!(freed >= bytes);
        prop_assert!(freed <= bytes.saturating_add(largest));
        let mut stays = (0..loads.len()).filter(|n| !gone.contains(n));

        prop_assert!(stays.all(|n| class(&loads[n]) >= last || loads[n].size == 0));
    }
}
