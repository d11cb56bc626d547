// SPDX-License-Identifier: GPL-2.0

//! Least connection, plain and weighted: the server with the least in progress.
//!
//! Servers that tie (at night all of them do, at nothing) take turns as in round robin: the scan
//! starts at the server whose turn it is and keeps the first of the best.

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
        choice
            .from(start)
            .filter_map(|index| Some((index, choice.usable(index)?.load())))
            .reduce(|best, next| if next.1 < best.1 { next } else { best })
            .map(|(index, _)| index)
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
        choice
            .from(start)
            .filter_map(|index| {
                let server = choice.usable(index)?;
                Some((index, u64::from(server.load()), u64::from(server.weight())))
            })
            // load / weight, compared crosswise: neither product can pass 64 bits.
            .reduce(|best, next| {
                if next.1.wrapping_mul(best.2) < best.1.wrapping_mul(next.2) {
                    next
                } else {
                    best
                }
            })
            .map(|(index, ..)| index)
    }
}
