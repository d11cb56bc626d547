// SPDX-License-Identifier: GPL-2.0

//! Round robin, plain and weighted.

use super::{
    Candidate,
    Choice,
    Policy,
    Turn, //
};

/// How many turns of servers that cannot take work are passed over before the next one by
/// position is taken.
///
/// Passing a turn on keeps the others' shares exact. A heavy server that is down holds most of
/// the turns, so there is a bound.
const PASSES: usize = 16;

/// `rr`: each server in turn, whatever its weight.
pub(super) struct Equal;

impl Policy for Equal {
    fn pick<C, F>(turn: &Turn, choice: &Choice<'_, C, F>) -> Option<usize>
    where
        C: Candidate,
        F: Fn(usize) -> bool,
    {
        let servers = choice.servers.len();
        let start = turn.take().checked_rem(servers)?;
        let index = choice.first_from(start)?;
        // The next decision starts after the one picked, or the server after one that is down
        // would get two shares.
        let passed = match index.checked_sub(start) {
            Some(passed) => passed,
            None => servers.saturating_sub(start).saturating_add(index),
        };
        if passed > 0 {
            turn.skip(passed);
        }
        Some(index)
    }
}

/// `wrr`: each server in proportion to its weight, its turns spread among the others'.
pub(super) struct Weighted;

impl Policy for Weighted {
    fn pick<C, F>(turn: &Turn, choice: &Choice<'_, C, F>) -> Option<usize>
    where
        C: Candidate,
        F: Fn(usize) -> bool,
    {
        let mut owner = 0;
        for _ in 0..PASSES {
            owner = choice.table.of_turn(turn.take())?;
            if choice.usable(owner).is_some() {
                return Some(owner);
            }
        }
        choice.first_from(owner)
    }
}
