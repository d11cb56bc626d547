// SPDX-License-Identifier: GPL-2.0

//! Which rule of a service a request falls under.
//!
//! All rules of a service are compiled in user space into one program, an array of 32-bit words,
//! that is verified once and run for each request. Conditions are made into *patterns*, each
//! once however many rules share it. Literal ones are looked up, regular expressions run in
//! automata, all of a subject in one pass where they fit; both find the set of patterns that
//! match. A rule is looked at only when its *anchor*, the condition that it shares with the fewest
//! others, is in that set. So the cost grows with what matches, not with the number of rules.
//!
//! # Format
//!
//! Offsets are in words from the start. Bytes are packed four to a word, the first in the lowest
//! bits. The header is [`HEADER`] words: the magic number, the numbers of rules, patterns and
//! subjects, then where there are: subjects, rules, anchors, rules without an anchor (and their
//! number), captures (and their number).
//!
//! | record | words |
//! |---|---|
//! | subject | kind, name's offset, name's length in bytes, matchers' offset, number of matchers |
//! | matcher, literal | kind, length in bytes, entries' offset, number of entries |
//! | entry (sorted by its bytes) | bytes' offset, pattern |
//! | matcher, automaton | kind, number of states, offset, number of classes |
//! | rule | conditions' offset, number of conditions |
//! | condition | pattern × 2, + 1 if it must not match |
//! | anchor, one a pattern | offset of rules, number of rules (ascending) |
//! | capture (sorted by rule) | rule, subject, instructions' offset, number of instructions |
//!
//! Subjects are in order, each once; so are a subject's matchers, literal ones by kind and length
//! before the automata. No two parts lie over each other.
//!
//! Nothing here panics or runs for ever on any words, verified or not. For those verified, the
//! time that a request takes is bounded by [`STEPS_MAX`].

mod capture;
mod dfa;
mod literal;
mod verify;
mod words;

pub use self::{
    capture::{
        INSTRUCTIONS_MAX,
        OP_ANY_OF,
        OP_END,
        OP_FAIL,
        OP_MATCH,
        OP_SAVE,
        OP_SPLIT,
        OP_START, //
    },
    verify::VerifyError,
};
use self::{
    literal::Literal,
    words::Words, //
};
use core::cmp::Ordering;

/// The first word of a program.
pub const MAGIC: u32 = 0x7263_7001;

/// Words of the header.
pub const HEADER: usize = 11;

/// Most patterns of a program.
pub const PATTERNS_MAX: usize = 65536;

/// Most subjects of a program.
pub const SUBJECTS_MAX: usize = 1024;

/// Most matchers of a subject.
pub const MATCHERS_MAX: usize = 4096;

/// Most conditions of a rule.
pub const CONDITIONS_MAX: usize = 16;

/// Longest name of a header field or cookie, in bytes.
pub const NAME_MAX: usize = 127;

/// Most steps for a byte of a subject, in all its automata together: one for each automaton, and
/// one for each pattern of its longest list of those that match on entering a state. Requests are
/// matched in softirq too, where nothing else runs meanwhile.
pub const STEPS_MAX: usize = 1024;

/// Subjects: the path.
pub const PATH: u32 = 0;
/// Subjects: path and query.
pub const URL: u32 = 1;
/// Subjects: the host.
pub const HOST: u32 = 2;
/// Subjects: the method.
pub const METHOD: u32 = 3;
/// Subjects: the values of a header field.
pub const FIELD: u32 = 4;
/// Subjects: the values of a cookie.
pub const COOKIE: u32 = 5;

/// Matchers: equal to an entry.
pub const EXACT: u32 = 0;
/// Matchers: begins with an entry.
pub const PREFIX: u32 = 1;
/// Matchers: ends with an entry.
pub const SUFFIX: u32 = 2;
/// Matchers: ends with an entry, with something before it.
pub const BELOW: u32 = 3;
/// Matchers: an automaton.
pub const AUTOMATON: u32 = 4;

/// Words of memory that matching takes, all 0 at first.
pub const SCRATCH_WORDS: usize = BITS + BITS + capture::MEMORY;

/// Words of the set of patterns.
const BITS: usize = PATTERNS_MAX / 32;

/// What rules look at.
pub trait Subjects {
    /// The target's path, without the query.
    fn path(&self) -> &[u8];
    /// The path and, if there is one, the question mark and the query.
    fn url(&self) -> &[u8];
    /// The host without port, in lower case.
    fn host(&self) -> &[u8];
    /// The method.
    fn method(&self) -> &[u8];
    /// Calls `each` with every value of the header fields of that name, in any case.
    fn header(&self, name: &[u8], each: &mut dyn FnMut(&[u8]));
    /// Calls `each` with every value of the cookies of that name.
    fn cookie(&self, name: &[u8], each: &mut dyn FnMut(&[u8]));
}

/// What [`Program::verify`] has found out: where things are.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    subjects: (usize, usize),
    rules: (usize, usize),
    anchors: usize,
    always: (usize, usize),
    captures: (usize, usize),
}

/// A program, and where things are in it.
#[derive(Clone, Copy)]
pub struct Program<'a> {
    words: Words<'a>,
    layout: Layout,
}

impl<'a> Program<'a> {
    /// Checks that `words` are a program for `rules` rules, in hardly more than linear time.
    ///
    /// # Errors
    ///
    /// What is wrong with them.
    pub fn verify(words: &'a [u32], rules: u32) -> Result<Layout, VerifyError> {
        verify::verify(Words::new(words), rules)
    }

    /// The program in `words`, for which verifying gave `layout`.
    #[must_use]
    pub fn new(words: &'a [u32], layout: &Layout) -> Self {
        Self {
            words: Words::new(words),
            layout: *layout,
        }
    }

    /// The index of the first rule that matches. `scratch` is [`SCRATCH_WORDS`] long, and the same
    /// memory may be given again and again.
    pub fn find(&self, subjects: &impl Subjects, scratch: &mut [u32]) -> Option<u32> {
        let (bits, rest) = scratch.split_at_mut_checked(BITS)?;
        let (touched, _) = rest.split_at_mut_checked(BITS)?;
        let mut set = Set {
            bits,
            touched,
            len: 0,
        };
        let (at, number) = self.layout.subjects;

        for index in 0..number.min(SUBJECTS_MAX) {
            let subject = Subject::new(self.words, at.wrapping_add(index.wrapping_mul(5)));

            subject.each_value(subjects, &mut |value| {
                subject.matches(value, &mut |pattern| set.insert(pattern));
            });
        }
        let found = self.first(&set);

        set.clear();
        found
    }

    /// The first rule all of whose conditions hold.
    fn first(&self, set: &Set<'_>) -> Option<u32> {
        let (at, number) = self.layout.always;
        let mut best = self
            .words
            .list(at, number)
            .find(|&rule| self.holds(rule, set));

        for pattern in set.iter() {
            let anchor = self.layout.anchors.wrapping_add(pattern.wrapping_mul(2));
            let at = self.words.offset(anchor);
            let number = self.words.offset(anchor.wrapping_add(1));

            for rule in self.words.list(at, number) {
                if best.is_some_and(|best| rule >= best) {
                    break;
                }
                if self.holds(rule, set) {
                    best = Some(rule);
                    break;
                }
            }
        }
        best
    }

    /// Whether all conditions of `rule` hold.
    fn holds(&self, rule: u32, set: &Set<'_>) -> bool {
        let at = self
            .layout
            .rules
            .0
            .wrapping_add(2usize.wrapping_mul(rule as usize));
        let conditions = self.words.offset(at);
        let number = self.words.offset(at.wrapping_add(1));

        self.words
            .list(conditions, number)
            .all(|condition| set.contains((condition >> 1) as usize) != (condition & 1 == 1))
    }

    /// Where the capture of `rule` is, if it has one.
    fn capture_of(&self, rule: u32) -> Option<usize> {
        let (at, number) = self.layout.captures;
        let (mut low, mut high) = (0, number.min(self.words.len()));

        while low < high {
            let middle = low.wrapping_add(high) / 2;
            let record = at.wrapping_add(middle.wrapping_mul(4));

            match self.words.word(record).cmp(&rule) {
                Ordering::Less => low = middle.wrapping_add(1),
                Ordering::Greater => high = middle,
                Ordering::Equal => return Some(record),
            }
        }
        None
    }

    /// What the capture of `rule` captures in `subjects`, if the rule has one: `with` is called
    /// with the bytes of the group.
    pub fn capture<R>(
        &self,
        rule: u32,
        subjects: &impl Subjects,
        scratch: &mut [u32],
        with: impl Fn(&[u8]) -> R,
    ) -> Option<R> {
        let record = self.capture_of(rule)?;
        let subject = self.words.offset(record.wrapping_add(1));
        let subject = Subject::new(
            self.words,
            self.layout.subjects.0.wrapping_add(subject.wrapping_mul(5)),
        );
        let code = capture::Code::new(
            self.words,
            self.words.offset(record.wrapping_add(2)),
            self.words.offset(record.wrapping_add(3)),
        );
        let memory = scratch.get_mut(BITS.wrapping_mul(2)..)?;
        let mut result = None;

        subject.each_value(subjects, &mut |value| {
            if result.is_none() {
                result = code.run(value, memory).map(&with);
            }
        });
        result
    }
}

/// What of a request some patterns look at.
#[derive(Clone, Copy)]
struct Subject<'a> {
    words: Words<'a>,
    at: usize,
}

impl<'a> Subject<'a> {
    fn new(words: Words<'a>, at: usize) -> Self {
        Self { words, at }
    }

    fn part(&self, index: usize) -> usize {
        self.words.offset(self.at.wrapping_add(index))
    }

    /// Calls `each` with every value of the subject.
    fn each_value(&self, subjects: &impl Subjects, each: &mut dyn FnMut(&[u8])) {
        match self.words.word(self.at) {
            PATH => each(subjects.path()),
            URL => each(subjects.url()),
            HOST => each(subjects.host()),
            METHOD => each(subjects.method()),
            kind => {
                let mut name = [0; NAME_MAX];
                let name = self.words.bytes(self.part(1), self.part(2), &mut name);

                if kind == FIELD {
                    subjects.header(name, each);
                } else {
                    subjects.cookie(name, each);
                }
            }
        }
    }

    /// Calls `hit` with the patterns that match `value`.
    fn matches(&self, value: &[u8], hit: &mut impl FnMut(usize)) {
        for index in 0..self.part(4).min(MATCHERS_MAX) {
            let at = self.part(3).wrapping_add(index.wrapping_mul(4));
            let [a, b, c] = [1, 2, 3].map(|i| self.words.offset(at.wrapping_add(i)));

            match self.words.word(at) {
                AUTOMATON => dfa::run(self.words, a, b, c, value, hit),
                kind => Literal::new(self.words, kind, a, b, c).matches(value, hit),
            }
        }
    }
}

/// The set of patterns that match.
struct Set<'a> {
    bits: &'a mut [u32],
    /// The words of `bits` that are not 0.
    touched: &'a mut [u32],
    len: usize,
}

impl Set<'_> {
    fn insert(&mut self, pattern: usize) {
        let Some(word) = self.bits.get_mut(pattern / 32) else {
            return;
        };

        if *word == 0 {
            if let Some(place) = self.touched.get_mut(self.len) {
                *place = (pattern / 32) as u32;
                self.len = self.len.wrapping_add(1);
            }
        }
        *word |= 1 << (pattern % 32);
    }

    fn contains(&self, pattern: usize) -> bool {
        self.bits
            .get(pattern / 32)
            .is_some_and(|word| word & (1 << (pattern % 32)) != 0)
    }

    /// Every pattern in the set.
    fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.touched.iter().take(self.len).flat_map(|&index| {
            let word = self.bits.get(index as usize).copied().unwrap_or(0);

            (0..32)
                .filter(move |bit| word & (1 << bit) != 0)
                .map(move |bit| (index as usize).wrapping_mul(32).wrapping_add(bit))
        })
    }

    /// Takes all out again.
    fn clear(&mut self) {
        for index in self.touched.iter().take(self.len) {
            if let Some(word) = self.bits.get_mut(*index as usize) {
                *word = 0;
            }
        }
    }
}
