// SPDX-License-Identifier: GPL-2.0

//! From a regular expression to the code that finds what one of its groups captures.

use crate::automaton;
use ktcpvs_core::rule::{
    INSTRUCTIONS_MAX,
    OP_ANY_OF,
    OP_END,
    OP_FAIL,
    OP_MATCH,
    OP_SAVE,
    OP_SPLIT,
    OP_START, //
};
use regex_automata::{
    nfa::thompson::{
        State,
        Transition,
        WhichCaptures,
        NFA, //
    },
    util::{
        look::Look,
        primitives::{
            PatternID,
            StateID, //
        },
    },
};
use std::collections::HashMap;

/// Instructions, and where each state begins.
struct Coder<'a> {
    nfa: &'a NFA,
    slots: (usize, usize),
    code: Vec<[u32; 3]>,
    places: HashMap<StateID, u32>,
    waiting: Vec<(usize, usize, StateID)>,
}

/// The code for group `group` of `regex`.
pub(crate) fn code(regex: &str, group: u32) -> Result<Vec<[u32; 3]>, String> {
    let nfa = NFA::compiler()
        .syntax(automaton::syntax())
        .configure(
            NFA::config()
                .utf8(false)
                .which_captures(WhichCaptures::All)
                .nfa_size_limit(Some(1 << 20)),
        )
        .build(regex)
        .map_err(|error| automaton::describe(&error))?;
    let slots = nfa
        .group_info()
        .slots(PatternID::ZERO, group as usize)
        .ok_or_else(|| format!("there is no group {group} to capture"))?;
    let mut coder = Coder {
        nfa: &nfa,
        slots,
        code: Vec::new(),
        places: HashMap::new(),
        waiting: Vec::new(),
    };

    coder.state(nfa.start_unanchored())?;
    // States are coded once they are gone to; what goes there waits for the place.
    while let Some((at, operand, state)) = coder.waiting.pop() {
        let place = coder.state(state)?;

        coder.code[at][operand] = place;
    }
    Ok(coder.code)
}

impl Coder<'_> {
    fn emit(&mut self, op: u32) -> Result<usize, String> {
        if self.code.len() >= INSTRUCTIONS_MAX {
            return Err(format!(
                "too large to capture from: more than {INSTRUCTIONS_MAX} instructions"
            ));
        }
        self.code.push([op, 0, 0]);
        Ok(self.code.len() - 1)
    }

    /// The operand `operand` of the instruction `at` is to be the place of `state`.
    fn goes_to(&mut self, at: usize, operand: usize, state: StateID) {
        self.waiting.push((at, operand, state));
    }

    /// Codes `state`, unless it is coded already. Returns its place.
    fn state(&mut self, state: StateID) -> Result<u32, String> {
        if let Some(&place) = self.places.get(&state) {
            return Ok(place);
        }
        let place = self.code.len() as u32;

        self.places.insert(state, place);
        match self.nfa.state(state) {
            State::ByteRange { trans } => self.any_of(&[*trans])?,
            State::Sparse(sparse) => self.any_of(&sparse.transitions)?,
            State::Dense(dense) => {
                let each = (0..=255).filter_map(|byte| {
                    dense.matches_byte(byte).map(|next| Transition {
                        start: byte,
                        end: byte,
                        next,
                    })
                });

                self.any_of(&each.collect::<Vec<_>>())?;
            }
            State::Look { look, next } => {
                let op = match look {
                    Look::Start => OP_START,
                    Look::End => OP_END,
                    _ => return Err("no word or line boundaries where a group is captured".into()),
                };
                let at = self.emit(op)?;

                self.goes_to(at, 1, *next);
            }
            State::Union { alternates } => self.either(alternates)?,
            State::BinaryUnion { alt1, alt2 } => self.either(&[*alt1, *alt2])?,
            State::Capture { next, slot, .. } => {
                let at = match slot.as_usize() {
                    slot if slot == self.slots.0 => self.emit(OP_SAVE)?,
                    slot if slot == self.slots.1 => self.emit(OP_SAVE | (1 << 8))?,
                    // Another group's: goes on, and that is all.
                    _ => {
                        let at = self.emit(OP_SPLIT)?;

                        self.goes_to(at, 2, *next);
                        at
                    }
                };

                self.goes_to(at, 1, *next);
            }
            State::Fail => {
                self.emit(OP_FAIL)?;
            }
            State::Match { .. } => {
                self.emit(OP_MATCH)?;
            }
        }
        Ok(place)
    }

    /// Takes a byte by one of `transitions`.
    fn any_of(&mut self, transitions: &[Transition]) -> Result<(), String> {
        let Some((last, others)) = transitions.split_last() else {
            return self.emit(OP_FAIL).map(|_| ());
        };

        for transition in others {
            let split = self.emit(OP_SPLIT)?;

            self.code[split][1] = split as u32 + 1;
            self.code[split][2] = split as u32 + 2;
            self.take(transition)?;
        }
        self.take(last)
    }

    fn take(&mut self, transition: &Transition) -> Result<(), String> {
        let range = (u32::from(transition.start) << 8) | (u32::from(transition.end) << 16);
        let at = self.emit(OP_ANY_OF | range)?;

        self.goes_to(at, 1, transition.next);
        Ok(())
    }

    /// Goes on at each of `states`, the first preferred.
    fn either(&mut self, states: &[StateID]) -> Result<(), String> {
        match states {
            [] => self.emit(OP_FAIL).map(|_| ()),
            [only] => {
                let at = self.emit(OP_SPLIT)?;

                self.goes_to(at, 1, *only);
                self.goes_to(at, 2, *only);
                Ok(())
            }
            [first, second] => {
                let at = self.emit(OP_SPLIT)?;

                self.goes_to(at, 1, *first);
                self.goes_to(at, 2, *second);
                Ok(())
            }
            [first, rest @ ..] => {
                let at = self.emit(OP_SPLIT)?;

                self.goes_to(at, 1, *first);
                self.code[at][2] = at as u32 + 1;
                self.either(rest)
            }
        }
    }
}
