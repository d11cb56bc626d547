// SPDX-License-Identifier: GPL-2.0

//! Checking automata.

use super::{
    ensure,
    Check,
    Checked,
    VerifyError, //
};
use crate::rule::dfa;
use core::cell::Cell;

impl Check<'_> {
    /// Checks an automaton. Returns how many steps it takes for a byte at most.
    pub(super) fn automaton(
        &self,
        states: usize,
        at: usize,
        classes: usize,
    ) -> Result<usize, VerifyError> {
        let size = states.saturating_mul(classes);
        let table = at.wrapping_add(dfa::TABLE);
        let first_match = self.part(at, 1);
        let longest = Cell::new(0);

        self.there(at, dfa::TABLE)?;
        self.there(table, size)?;
        self.transitions(states, at, classes)?;
        ensure(
            first_match <= size && first_match.checked_rem(classes) == Some(0),
            VerifyError::Automaton,
        )?;
        let lists = table.wrapping_add(size);

        self.records((lists, states), 4, |record, _| {
            let [entering, entering_len, end, end_len] =
                [0, 1, 2, 3].map(|index| self.part(record, index));
            let state = (record.wrapping_sub(lists) / 4).wrapping_mul(classes);

            ensure(
                (state >= first_match) == (entering_len > 0),
                VerifyError::Automaton,
            )?;
            longest.set(entering_len.max(longest.get()));
            self.ascending((entering, entering_len), self.patterns)?;
            self.ascending((end, end_len), self.patterns)
        })?;
        Ok(longest.get().saturating_add(1))
    }

    /// That every byte has a class, every state of every class a next state, and that state 0
    /// leads nowhere else.
    fn transitions(&self, states: usize, at: usize, classes: usize) -> Checked {
        let size = states.saturating_mul(classes);
        let is_state = |&state: &u32| {
            (state as usize) < size && (state as usize).checked_rem(classes) == Some(0)
        };
        let table = self.words.slice(at.wrapping_add(dfa::TABLE), size);
        // `Iterator::take` counts in a way that might overflow, for all that the compiler knows.
        let state_0 = table.get(..classes).unwrap_or(table);
        let mut map = self.words.packed(at.wrapping_add(2), 256);

        ensure(
            map.all(|class| usize::from(class) < classes)
                && is_state(&self.words.word(at))
                && table.iter().all(is_state)
                && state_0.iter().all(|&state| state == 0),
            VerifyError::Automaton,
        )
    }
}
