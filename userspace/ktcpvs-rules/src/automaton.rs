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

/// The same for patterns that keep apart, so that their automaton has one path for each of them and
/// only a few of its rows are looked at for a value, however many there are.
const APART_MAX: usize = 16 << 20;

/// Whether an automaton for `pattern` and others like it grows by as much as it takes for each:
/// where any byte may repeat, at the start or within, the states of all multiply. It is a guess by
/// the usual spellings, and decides nothing but how long is tried.
fn keeps_apart(pattern: &str) -> bool {
    pattern.starts_with('^') && ![".*", ".+", ".{"].iter().any(|any| pattern.contains(any))
}

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
    /// The pattern of this number is wrong.
    Pattern(u32, String),
    /// The automaton of the pattern of this number alone would be larger than a program may be.
    TooLarge(u32),
    /// All automata together have reached this size, in bytes, which is larger than that.
    AllTooLarge(usize),
}

/// Automata for all of `patterns`, of which each is a number and a text, in ascending order. They
/// have room for `limit` bytes.
pub(crate) fn build(patterns: &[(u32, &str)], limit: usize) -> Result<Vec<Automaton>, NoAutomaton> {
    let mut all = Vec::new();
    let mut size = 0;

    build_into(&mut all, &mut size, patterns, limit)?;
    Ok(all)
}

/// The same, after those in `all`, of `size` bytes together.
fn build_into(
    all: &mut Vec<Automaton>,
    size: &mut usize,
    patterns: &[(u32, &str)],
    limit: usize,
) -> Result<(), NoAutomaton> {
    let one = match patterns {
        [(number, _)] => Some(*number),
        _ => None,
    };

    let most = match one {
        Some(_) => limit,
        None if patterns.iter().all(|(_, text)| keeps_apart(text)) => APART_MAX,
        None => GROUP_MAX,
    };

    match (determinize(patterns, most), one) {
        (Ok(dfa), _) => {
            let automaton = Automaton::new(&dfa, patterns);

            *size += automaton.size();
            if *size > limit {
                return Err(NoAutomaton::AllTooLarge(*size));
            }
            all.push(automaton);
            Ok(())
        }
        (Err(error), Some(number)) if too_large(&error) => Err(NoAutomaton::TooLarge(number)),
        (Err(error), Some(number)) => Err(NoAutomaton::Pattern(number, describe(&error))),
        // Too large together, or one of them is wrong: look at each half.
        (Err(_), None) => {
            let (one, two) = patterns.split_at(patterns.len() / 2);

            build_into(all, size, one, limit)?;
            build_into(all, size, two, limit)
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
    /// What it takes of a program, in bytes.
    fn size(&self) -> usize {
        let in_lists: usize = self.lists.iter().flatten().map(Vec::len).sum();

        // Two words before the map of classes, which has 64.
        4 * (2 + 64 + self.table.len() + 4 * self.lists.len() + in_lists)
    }

    /// How many steps it takes for a byte at most.
    pub(crate) fn steps(&self) -> usize {
        let entering = self.lists.iter().map(|[entering, _]| entering.len());

        1 + entering.max().unwrap_or(0)
    }

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
            let mut hits: Vec<u32> = (0..dfa.match_len(id))
                .map(|index| patterns[dfa.match_pattern(id, index).as_usize()].0)
                .collect();

            hits.sort_unstable();
            hits
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
