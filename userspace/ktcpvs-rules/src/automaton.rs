// SPDX-License-Identifier: GPL-2.0

//! From regular expressions to the automata of a program.

use regex_automata::{
    dfa::{
        dense,
        Automaton as _,
        StartKind, //
    },
    nfa::thompson,
    util::{
        primitives::StateID,
        syntax, //
    },
    Anchored,
    Input,
    MatchKind, //
};
use std::collections::HashMap;

/// An automaton for several patterns grows no larger than this, in bytes; there are several
/// automata instead. It is what a processor's cache can hold beside other things.
const GROUP_MAX: usize = 1 << 20;

/// How regular expressions are read.
pub(crate) fn syntax() -> syntax::Config {
    syntax::Config::new().unicode(false).utf8(false)
}

/// An automaton as it goes into a program, but for where its lists are.
pub(crate) struct Automaton {
    /// The start state, as a place in the table.
    pub(crate) start: u32,
    /// The place of the first state that matches on entering.
    pub(crate) first_match: u32,
    /// The class of each byte.
    pub(crate) map: [u8; 256],
    /// Bytes of the same class are not told apart.
    pub(crate) classes: usize,
    /// A row of next states for each state.
    pub(crate) table: Vec<u32>,
    /// For each state the patterns that match on entering it, and at the end.
    pub(crate) lists: Vec<[Vec<u32>; 2]>,
}

/// Why there is no automaton.
pub(crate) enum NoAutomaton {
    /// The pattern of this place in the list is wrong.
    Pattern(usize, String),
    /// It would be larger than the whole program may be.
    TooLarge,
}

/// Automata for all of `patterns`, of which each is a number and a text.
pub(crate) fn build(patterns: &[(u32, &str)], limit: usize) -> Result<Vec<Automaton>, NoAutomaton> {
    let single = patterns.len() == 1;
    let size = if single { limit } else { GROUP_MAX };

    match determinize(patterns, size) {
        Ok(dfa) => Ok(vec![Automaton::new(&dfa, patterns)]),
        Err(error) if single && too_large(&error) => Err(NoAutomaton::TooLarge),
        Err(error) if single => Err(NoAutomaton::Pattern(0, describe(&error))),
        // Too large together, or one of them is wrong: look at each half.
        Err(_) => {
            let middle = patterns.len() / 2;
            let (one, two) = patterns.split_at(middle);
            let mut all = build(one, limit)?;

            all.extend(build(two, limit).map_err(|error| match error {
                NoAutomaton::Pattern(place, why) => NoAutomaton::Pattern(place + middle, why),
                too_large @ NoAutomaton::TooLarge => too_large,
            })?);
            Ok(all)
        }
    }
}

fn determinize(
    patterns: &[(u32, &str)],
    size: usize,
) -> Result<dense::DFA<Vec<u32>>, Box<dense::BuildError>> {
    let texts: Vec<&str> = patterns.iter().map(|(_, text)| *text).collect();

    dense::Builder::new()
        .configure(
            dense::Config::new()
                .match_kind(MatchKind::All)
                .start_kind(StartKind::Unanchored)
                .accelerate(false)
                .dfa_size_limit(Some(size))
                .determinize_size_limit(Some(size.saturating_mul(8))),
        )
        .syntax(syntax())
        .thompson(
            thompson::Config::new()
                .utf8(false)
                .which_captures(thompson::WhichCaptures::None)
                .nfa_size_limit(Some(size.saturating_mul(2))),
        )
        .build_many(&texts)
        .map_err(Box::new)
}

/// Whether the automaton, or the one that it is made from, was about to grow past its limit. The
/// latter can only be told by its words.
fn too_large(error: &dense::BuildError) -> bool {
    error.is_size_limit_exceeded() || describe(error).contains("exceeded limit")
}

/// The innermost cause says what an administrator can use.
pub(crate) fn describe(error: &dyn std::error::Error) -> String {
    let mut cause = error;

    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

impl Automaton {
    fn new(dfa: &dense::DFA<Vec<u32>>, patterns: &[(u32, &str)]) -> Self {
        let states = reachable(dfa);
        let classes = dfa.byte_classes();
        // The last class stands for the end.
        let number = classes.alphabet_len() - 1;
        let matching = |&id: &StateID| dfa.is_match_state(id);
        // Place 0 is the state that leads nowhere.
        let (quiet, loud): (Vec<_>, Vec<_>) = states.into_iter().partition(|id| !matching(id));
        let order: Vec<StateID> = quiet.iter().chain(&loud).copied().collect();
        let places: HashMap<StateID, u32> = order
            .iter()
            .enumerate()
            .map(|(index, id)| (*id, ((index + 1) * number) as u32))
            .collect();
        let place = |id: StateID| places.get(&id).copied().unwrap_or(0);
        let mut map = [0; 256];
        let mut bytes = vec![0; number];
        let hits = |id: StateID| -> Vec<u32> {
            if !dfa.is_match_state(id) {
                return Vec::new();
            }
            (0..dfa.match_len(id))
                .map(|index| patterns[dfa.match_pattern(id, index).as_usize()].0)
                .collect()
        };
        let mut table = vec![0; number];
        let mut lists = vec![[Vec::new(), Vec::new()]];

        for byte in 0..=255 {
            let class = classes.get(byte);

            map[usize::from(byte)] = class;
            bytes[usize::from(class)] = byte;
        }
        for &id in &order {
            table.extend(bytes.iter().map(|&byte| place(dfa.next_state(id, byte))));
            lists.push([hits(id), hits(dfa.next_eoi_state(id))]);
        }
        Self {
            start: place(start(dfa)),
            first_match: ((quiet.len() + 1) * number) as u32,
            map,
            classes: number,
            table,
            lists,
        }
    }
}

fn start(dfa: &dense::DFA<Vec<u32>>) -> StateID {
    dfa.start_state_forward(&Input::new(b"").anchored(Anchored::No))
        .expect("the automaton was built for this start")
}

/// Every state but the dead one that can be reached from the start.
fn reachable(dfa: &dense::DFA<Vec<u32>>) -> Vec<StateID> {
    let mut found = Vec::new();
    let mut seen = std::collections::HashSet::new();
    let mut next = vec![start(dfa)];

    while let Some(id) = next.pop() {
        if dfa.is_dead_state(id) || !seen.insert(id) {
            continue;
        }
        found.push(id);
        for byte in dfa.byte_classes().representatives(0..=255) {
            if let Some(byte) = byte.as_u8() {
                next.push(dfa.next_state(id, byte));
            }
        }
    }
    found
}
