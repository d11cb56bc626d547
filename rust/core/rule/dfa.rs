// SPDX-License-Identifier: GPL-2.0

//! Running automata.
//!
//! An automaton is, at its offset: the start state, the first state that matches; 64 words with
//! the class of each of the 256 bytes; a row of next states for each state, one a class; for each
//! state where its lists of patterns are: offset and number of those that match on entering it,
//! offset and number of those that match if the value ends there. States are given as the
//! place of their row in the table. State 0 matches nothing and leads nowhere else. States that
//! match on entering have the highest numbers.

use super::words::Words;

/// Words before the table.
pub(super) const TABLE: usize = 66;

/// Runs the automaton of `states` states and `classes` classes at `at` over `value`, and calls
/// `hit` with each pattern that matches somewhere in it.
pub(super) fn run(
    words: Words<'_>,
    states: usize,
    at: usize,
    classes: usize,
    value: &[u8],
    hit: &mut impl FnMut(usize),
) {
    let size = states.saturating_mul(classes);
    let map = words.slice(at.wrapping_add(2), 64);
    let table = words.slice(at.wrapping_add(TABLE), size);
    let first_match = words.word(at.wrapping_add(1));
    let mut state = words.word(at);
    let mut lists = |state: u32, which: usize| {
        let row = (state as usize).checked_div(classes).unwrap_or(0);
        let index = at
            .wrapping_add(TABLE)
            .wrapping_add(size)
            .wrapping_add(row.wrapping_mul(4))
            .wrapping_add(which);
        let list = words.list(words.offset(index), words.offset(index.wrapping_add(1)));

        list.for_each(|pattern| hit(pattern as usize));
    };

    if state >= first_match {
        lists(state, 0);
    }
    for &byte in value {
        let class = map
            .get(usize::from(byte / 4))
            .map_or(0, |word| (word >> (u32::from(byte % 4) * 8)) & 0xff);

        state = table
            .get((state as usize).wrapping_add(class as usize))
            .copied()
            .unwrap_or(0);
        if state == 0 {
            return;
        }
        if state >= first_match {
            lists(state, 0);
        }
    }
    lists(state, 2);
}
