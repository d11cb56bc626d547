// SPDX-License-Identifier: GPL-2.0

//! Automata, all of them that are tiny, well or not: what is verified is exactly what a plain
//! reading of the format allows, and running it is what a plain interpreter does that looks at
//! nothing outside its table, on all short values.

use ktcpvs_core::rule::{
    Layout,
    Program,
    Subjects,
    AUTOMATON,
    HEADER,
    MAGIC,
    PATH,
    SCRATCH_WORDS, //
};

/// A request for a path.
struct Path<'a>(&'a [u8]);

impl Subjects for Path<'_> {
    fn path(&self) -> &[u8] {
        self.0
    }

    fn url(&self) -> &[u8] {
        self.0
    }

    fn host(&self) -> &[u8] {
        b""
    }

    fn method(&self) -> &[u8] {
        b""
    }

    fn header(&self, _: &[u8], _: &mut dyn FnMut(&[u8])) {}

    fn cookie(&self, _: &[u8], _: &mut dyn FnMut(&[u8])) {}
}

/// A list of patterns.
type List = &'static [u32];

/// An automaton with `classes` classes, of which `a` has class 0 and `b` has `class_b`.
#[derive(Clone, Debug)]
struct Automaton {
    start: u32,
    first_match: u32,
    classes: usize,
    class_b: u8,
    /// Next states, a row for each state.
    table: Vec<u32>,
    /// For each state the patterns that match on entering it, and if the value ends there.
    lists: Vec<[List; 2]>,
}

/// There are two patterns.
const PATTERNS: u32 = 2;

/// Lists that are well, and those that are not: descending, twice the same, no such pattern.
const GOOD: [List; 4] = [&[], &[0], &[1], &[0, 1]];
const BAD: [List; 3] = [&[1, 0], &[1, 1], &[2]];

fn append(words: &mut Vec<u32>, more: &[u32]) -> u32 {
    words.extend(more);
    (words.len() - more.len()) as u32
}

impl Automaton {
    /// A program in which the path is matched by this automaton: rule 0 wants both patterns, rule 1
    /// pattern 0, rule 2 pattern 1.
    fn program(&self) -> Vec<u32> {
        let mut w = vec![0; HEADER];
        let mut map = [0; 64];

        // Every other byte has class 0.
        map[usize::from(b'b' / 4)] = u32::from(self.class_b) << ((b'b' % 4) * 8);
        let places: Vec<u32> = self
            .lists
            .iter()
            .flatten()
            .flat_map(|list| [append(&mut w, list), list.len() as u32])
            .collect();
        let at = append(&mut w, &[self.start, self.first_match]);

        append(&mut w, &map);
        append(&mut w, &self.table);
        append(&mut w, &places);
        let matcher = [AUTOMATON, self.lists.len() as u32, at, self.classes as u32];
        let matcher = append(&mut w, &matcher);
        let subjects = append(&mut w, &[PATH, 0, 0, matcher, 1]);
        let conditions = append(&mut w, &[0, 2, 0, 2]);
        let rules = append(&mut w, &[0, 2, 2, 1, 3, 1]);

        for (record, condition) in [(rules, 0), (rules + 2, 2), (rules + 4, 3)] {
            w[record as usize] = conditions + condition;
        }
        let of = append(&mut w, &[0, 1, 2]);
        let anchors = append(&mut w, &[of, 2, of + 2, 1]);
        let header = [MAGIC, 3, PATTERNS, 1, subjects, rules, anchors];

        w[..header.len()].copy_from_slice(&header);
        w
    }

    /// Whether `state` is the place of a row.
    fn is_state(&self, state: u32) -> bool {
        (state as usize) < self.table.len() && state as usize % self.classes == 0
    }

    /// Whether it is an automaton, by a plain reading of the format.
    fn is_well(&self) -> bool {
        let (row_0, _) = self.table.split_at(self.classes);
        let states = self.table.iter().chain([&self.start]);
        let list_is_well = |list: &List| {
            let ascends = list.windows(2).all(|pair| pair[0] < pair[1]);

            ascends && list.iter().all(|pattern| *pattern < PATTERNS)
        };
        let matches_where_it_says = |(index, [entering, _]): (usize, &[List; 2])| {
            entering.is_empty() != (index * self.classes >= self.first_match as usize)
        };

        usize::from(self.class_b) < self.classes
            && row_0.iter().all(|&state| state == 0)
            && states.into_iter().all(|&state| self.is_state(state))
            && self.first_match as usize % self.classes == 0
            && self.first_match as usize <= self.table.len()
            && self.lists.iter().flatten().all(list_is_well)
            && self.lists.iter().enumerate().all(matches_where_it_says)
    }

    /// The patterns that match `value`, by a plain interpreter, which would panic if it had to look
    /// outside the table.
    fn matching(&self, value: &[u8]) -> [bool; PATTERNS as usize] {
        let mut found = [false; PATTERNS as usize];
        let mut hit = |state: u32, which: usize| {
            for pattern in self.lists[state as usize / self.classes][which] {
                found[*pattern as usize] = true;
            }
        };
        let mut state = self.start;

        hit(state, 0);
        for byte in value {
            let class = if *byte == b'b' { self.class_b } else { 0 };

            state = self.table[state as usize + usize::from(class)];
            // Nothing leads out of it, and it matches nothing.
            if state == 0 {
                return found;
            }
            hit(state, 0);
        }
        hit(state, 1);
        found
    }
}

/// The rule that `find` should name.
fn rule_for(matching: [bool; 2]) -> Option<u32> {
    match matching {
        [true, true] => Some(0),
        [true, false] => Some(1),
        [false, true] => Some(2),
        [false, false] => None,
    }
}

/// All values of up to three bytes.
fn values() -> Vec<Vec<u8>> {
    let mut all = vec![Vec::new()];

    for len in 0..3 {
        let longest = all.iter().filter(|value| value.len() == len).cloned();
        let longer: Vec<Vec<u8>> = longest
            .flat_map(|value| [b'a', b'b'].map(|byte| [&value[..], &[byte]].concat()))
            .collect();

        all.extend(longer);
    }
    all
}

/// Counts automata, by whether they are well, and looks at each.
struct Checker {
    scratch: Vec<u32>,
    values: Vec<Vec<u8>>,
    well: usize,
    refused: usize,
}

impl Checker {
    fn new() -> Self {
        Self {
            scratch: vec![0; SCRATCH_WORDS],
            values: values(),
            well: 0,
            refused: 0,
        }
    }

    fn find(&mut self, words: &[u32], layout: &Layout, value: &[u8]) -> Option<u32> {
        Program::new(words, layout).find(&Path(value), &mut self.scratch)
    }

    fn check(&mut self, automaton: &Automaton) {
        let words = automaton.program();
        let verified = Program::verify(&words, 3);

        assert_eq!(
            verified.is_ok(),
            automaton.is_well(),
            "{automaton:?}: {verified:?}"
        );
        let Ok(layout) = verified else {
            self.refused += 1;
            return;
        };

        self.well += 1;
        for value in self.values.clone() {
            let expected = rule_for(automaton.matching(&value));
            let found = self.find(&words, &layout, &value);

            assert_eq!(found, expected, "{automaton:?}, {value:?}");
        }
    }
}

/// All lists of `len` of `from`.
fn all_of<T: Clone>(from: &[T], len: usize) -> impl Iterator<Item = Vec<T>> + '_ {
    (0..from.len().pow(len as u32)).map(move |mut number| {
        let mut next = || {
            let index = number % from.len();

            number /= from.len();
            from[index].clone()
        };

        (0..len).map(|_| next()).collect()
    })
}

#[test]
fn all_tables_of_two_states() {
    let mut checker = Checker::new();
    let lists = |index: usize| if index % 2 == 0 { GOOD[0] } else { GOOD[1] };

    // Rows are at 0 and 2; all else is no state, within the table or behind it.
    for table in all_of(&[0, 1, 2, 4, u32::MAX], 4) {
        for (start, first_match) in (0..=4).flat_map(|start| (0..=5).map(move |m| (start, m))) {
            for class_b in 0..=2 {
                checker.check(&Automaton {
                    start,
                    first_match,
                    classes: 2,
                    class_b,
                    table: table.clone(),
                    lists: vec![[GOOD[0]; 2], [lists(1), GOOD[2]]],
                });
            }
        }
    }
    assert!(checker.well > 5 && checker.refused > 1000);
}

#[test]
fn all_lists_of_two_states() {
    let mut checker = Checker::new();
    let lists: Vec<List> = [&GOOD[..], &BAD[..]].concat();

    for four in all_of(&lists, 4) {
        for (start, first_match) in [(0, 1), (1, 1), (1, 2), (1, 0), (0, 2)] {
            for leads in [0, 1] {
                checker.check(&Automaton {
                    start,
                    first_match,
                    classes: 1,
                    class_b: 0,
                    table: vec![0, leads],
                    lists: vec![[four[0], four[1]], [four[2], four[3]]],
                });
            }
        }
    }
    assert!(checker.well > 100 && checker.refused > 1000);
}

#[test]
fn all_tables_of_three_states() {
    let mut checker = Checker::new();

    for rows in all_of(&[0, 2, 4], 4) {
        for (start, first_match) in [0, 2, 4]
            .into_iter()
            .flat_map(|s| [2, 4, 6].map(|m| (s, m)))
        {
            let entering = |row| if row >= first_match { GOOD[3] } else { GOOD[0] };

            for ends in all_of(&GOOD, 2) {
                checker.check(&Automaton {
                    start,
                    first_match,
                    classes: 2,
                    class_b: 1,
                    table: [&[0, 0], &rows[..]].concat(),
                    lists: vec![[GOOD[0]; 2], [entering(2), ends[0]], [entering(4), ends[1]]],
                });
            }
        }
    }
    assert_eq!(checker.refused, 0);
    assert_eq!(checker.well, 81 * 9 * 16);
}

/// Each word of each program set to each number that means anything in it, and to some that do not:
/// what is verified then names a rule that is there, and what is not can be run as well.
#[test]
fn all_words_of_a_program_changed() {
    let mut checker = Checker::new();
    let words = Automaton {
        start: 2,
        first_match: 4,
        classes: 2,
        class_b: 1,
        table: vec![0, 0, 2, 4, 0, 4],
        lists: vec![[GOOD[0]; 2], [GOOD[0], GOOD[1]], [GOOD[2], GOOD[3]]],
    }
    .program();
    let layout = Program::verify(&words, 3).unwrap();
    let numbers = (0..=words.len() as u32 + 1).chain([1 << 16, 1 << 31, u32::MAX - 1, u32::MAX]);
    let mut verified = 0;

    for value in numbers {
        for at in 0..words.len() {
            let mut changed = words.clone();

            changed[at] = value;
            let new = Program::verify(&changed, 3);

            verified += usize::from(new.is_ok());
            for value in [&b""[..], b"b", b"ab"] {
                // As if it had not been verified: whatever it names, it comes to an end.
                checker.find(&changed, &layout, value);
                if let Ok(new) = &new {
                    let found = checker.find(&changed, new, value);

                    assert!(found.is_none_or(|rule| rule < 3), "{value:?} at {at}");
                }
            }
        }
    }
    assert!(verified > words.len(), "{verified}");
}
