// SPDX-License-Identifier: GPL-2.0

//! Least connection, plain and weighted: the server with the least in progress.
//!
//! Servers that tie (at night all of them do, at nothing) take turns as in round robin: the scan
//! starts at the server whose turn it is and keeps the first of the best. It ends at a server with
//! nothing in progress, which cannot be bettered: so as long as there are more servers than pieces
//! of work, their number does not matter.

use super::{
    Candidate,
    Choice,
    Policy,
    Turn, //
};

/// `lc`: the least in progress.
pub(super) struct Equal;

impl Policy for Equal {
    fn pick<C, F>(turn: &Turn, choice: &Choice<'_, C, F>) -> Option<usize>
    where
        C: Candidate,
        F: Fn(usize) -> bool,
    {
        let start = turn.take().checked_rem(choice.servers.len())?;
        let loads = choice
            .from(start)
            .filter_map(|index| Some((index, choice.usable(index)?.load())));

        best(loads, |&(_, load)| load == 0, |next, best| next.1 < best.1).map(|(index, _)| index)
    }
}

/// `wlc`: the least in progress relative to the weight.
pub(super) struct Weighted;

impl Policy for Weighted {
    fn pick<C, F>(turn: &Turn, choice: &Choice<'_, C, F>) -> Option<usize>
    where
        C: Candidate,
        F: Fn(usize) -> bool,
    {
        let start = choice.table.of_turn(turn.take())?;
        let loads = choice.from(start).filter_map(|index| {
            let server = choice.usable(index)?;
            Some((index, u64::from(server.load()), u64::from(server.weight())))
        });

        // load / weight, compared crosswise: neither product can pass 64 bits.
        best(
            loads,
            |&(_, load, _)| load == 0,
            |next, best| next.1.wrapping_mul(best.2) < best.1.wrapping_mul(next.2),
        )
        .map(|(index, ..)| index)
    }
}

/// The first of `items` that none is better than; the rest is not looked at behind a perfect one.
fn best<T>(
    mut items: impl Iterator<Item = T>,
    perfect: impl Fn(&T) -> bool,
    better: impl Fn(&T, &T) -> bool,
) -> Option<T> {
    let mut best = items.next()?;

    while !perfect(&best) {
        let Some(next) = items.next() else {
            break;
        };
        if better(&next, &best) {
            best = next;
        }
    }
    Some(best)
}
