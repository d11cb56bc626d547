// SPDX-License-Identifier: GPL-2.0

//! Checking that a program is one.
//!
//! Running a program is safe whatever it says, so this is not what keeps memory safe. It refuses
//! what cannot mean anything, so that a damaged program is an error when it is given, and not a
//! strange choice later; and what would take a request too long, by accident or on purpose.
//!
//! That no word is part of two things is what makes both linear: otherwise a few words could name
//! each other so often that looking at all of it would never end.

mod automaton;
mod capture;

use super::{
    words::Words,
    Layout,
    AUTOMATON,
    CONDITIONS_MAX,
    COOKIE,
    FIELD,
    HEADER,
    MAGIC,
    MATCHERS_MAX,
    NAME_MAX,
    PATTERNS_MAX,
    STEPS_MAX,
    SUBJECTS_MAX, //
};
use crate::order;
use core::{
    cell::Cell,
    cmp::Ordering, //
};

/// What of a program is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerifyError {
    /// It is no program, or not of this version.
    Header,
    /// It is for another number of rules, or does not look at each.
    Rules,
    /// Something lies outside it.
    Bounds,
    /// Its parts take more words than it has: some lie over others.
    Overlap,
    /// A pattern, a rule or a subject is named that is not there.
    Reference,
    /// Things are not in their order, or twice there.
    Order,
    /// There is more of something than there may be, or running it would take too many steps.
    Limit,
    /// An automaton is malformed.
    Automaton,
    /// The code of a capture is malformed.
    Capture,
}

/// The checks need this much at hand.
struct Check<'a> {
    words: Words<'a>,
    rules: usize,
    patterns: usize,
    subjects: usize,
    /// Words that are part of nothing yet.
    left: Cell<usize>,
    /// Rules that are looked at, so far.
    looked_at: Cell<usize>,
}

type Checked = Result<(), VerifyError>;

/// Refuses with `error` what is not `right`.
fn ensure(right: bool, error: VerifyError) -> Checked {
    if right {
        Ok(())
    } else {
        Err(error)
    }
}

pub(super) fn verify(words: Words<'_>, rules: u32) -> Result<Layout, VerifyError> {
    let [number, patterns, subjects] = [1, 2, 3].map(|at| words.offset(at));
    let layout = Layout {
        subjects: (words.offset(4), subjects),
        rules: (words.offset(5), number),
        anchors: words.offset(6),
        always: (words.offset(7), words.offset(8)),
        captures: (words.offset(9), words.offset(10)),
    };
    let left = words.len().checked_sub(HEADER);
    let left = left
        .filter(|_| words.word(0) == MAGIC)
        .ok_or(VerifyError::Header)?;

    ensure(
        patterns <= PATTERNS_MAX && subjects <= SUBJECTS_MAX,
        VerifyError::Limit,
    )?;
    ensure(number == rules as usize, VerifyError::Rules)?;
    let check = Check {
        words,
        rules: number,
        patterns,
        subjects,
        left: Cell::new(left),
        looked_at: Cell::new(0),
    };

    check.records(layout.subjects, 5, |at, before| check.subject(at, before))?;
    check.records(layout.rules, 2, |at, _| check.rule(at))?;
    check.records((layout.anchors, patterns), 2, |at, _| {
        check.anchor(&layout, at)
    })?;
    check.ascending(layout.always, number)?;
    check.look_at(layout.always.1);
    ensure(check.looked_at.get() == number, VerifyError::Rules)?;
    ensure(
        (0..number).all(|rule| check.is_looked_at(&layout, rule)),
        VerifyError::Rules,
    )?;
    check.records(layout.captures, 4, |at, before| check.capture(at, before))?;
    Ok(layout)
}

impl Check<'_> {
    /// That `number` words at `at` are there, and part of nothing else.
    fn there(&self, at: usize, number: usize) -> Checked {
        let end = at.checked_add(number);

        ensure(
            end.is_some_and(|end| end <= self.words.len()),
            VerifyError::Bounds,
        )?;
        let left = self.left.get().checked_sub(number);

        self.left.set(left.ok_or(VerifyError::Overlap)?);
        Ok(())
    }

    /// That there are `number` records of `size` words at `at`, and what `each` checks of each,
    /// given where it is, and where the one before it.
    fn records(
        &self,
        (at, number): (usize, usize),
        size: usize,
        each: impl Fn(usize, Option<usize>) -> Checked,
    ) -> Checked {
        let mut before = None;

        self.there(at, number.saturating_mul(size))?;
        for index in 0..number {
            let record = at.wrapping_add(index.wrapping_mul(size));

            each(record, before)?;
            before = Some(record);
        }
        Ok(())
    }

    fn part(&self, at: usize, index: usize) -> usize {
        self.words.offset(at.wrapping_add(index))
    }

    /// That there is a list of numbers below `end` in ascending order, each once.
    fn ascending(&self, (at, number): (usize, usize), end: usize) -> Checked {
        let mut least = 0;

        self.there(at, number)?;
        for item in self.words.list(at, number) {
            ensure((item as usize) < end, VerifyError::Reference)?;
            ensure(item >= least, VerifyError::Order)?;
            least = item.wrapping_add(1);
        }
        Ok(())
    }

    /// Kind and name of a subject, as they are ordered by.
    fn name(&self, at: usize) -> (usize, impl Iterator<Item = u8> + '_) {
        let name = self.words.packed(self.part(at, 1), self.part(at, 2));

        (self.part(at, 0), name)
    }

    fn subject(&self, at: usize, before: Option<usize>) -> Checked {
        let kind = self.words.word(at);
        let len = self.part(at, 2);
        let named = kind >= FIELD;

        ensure(
            kind <= COOKIE && (len > 0) == named && len <= NAME_MAX,
            VerifyError::Reference,
        )?;
        self.there(self.part(at, 1), len.div_ceil(4))?;
        let (number, mut name) = self.name(at);

        // Else two subjects could be the same.
        ensure(
            kind != FIELD || !name.any(|byte| byte.is_ascii_uppercase()),
            VerifyError::Reference,
        )?;
        if let Some(before) = before {
            let (number_before, name_before) = self.name(before);
            let order = number_before.cmp(&number);
            let order = order.then_with(|| name_before.cmp(self.name(at).1));

            ensure(order == Ordering::Less, VerifyError::Order)?;
        }
        let matchers = (self.part(at, 3), self.part(at, 4));
        let steps = Cell::new(0usize);

        ensure(matchers.1 <= MATCHERS_MAX, VerifyError::Limit)?;
        self.records(matchers, 4, |at, before| {
            steps.set(steps.get().saturating_add(self.matcher(at, before)?));
            ensure(steps.get() <= STEPS_MAX, VerifyError::Limit)
        })
    }

    /// Checks a matcher. Returns what steps it takes for a byte, if it is an automaton.
    fn matcher(&self, at: usize, before: Option<usize>) -> Result<usize, VerifyError> {
        let [kind, a, b, c] = [0, 1, 2, 3].map(|index| self.part(at, index));
        let literal = kind < AUTOMATON as usize;

        ensure(kind <= AUTOMATON as usize, VerifyError::Reference)?;
        if let Some(before) = before {
            let (kind_before, len) = (self.part(before, 0), self.part(before, 1));

            ensure(
                kind_before < kind || (kind_before == kind && (!literal || len < a)),
                VerifyError::Order,
            )?;
        }
        if !literal {
            return self.automaton(a, b, c);
        }
        self.records((b, c), 2, |at, before| self.entry(a, at, before))?;
        Ok(0)
    }

    /// An entry of a literal matcher whose entries have `len` bytes.
    fn entry(&self, len: usize, at: usize, before: Option<usize>) -> Checked {
        let bytes = |at| self.words.packed(self.part(at, 0), len);

        self.there(self.part(at, 0), len.div_ceil(4))?;
        ensure(self.part(at, 1) < self.patterns, VerifyError::Reference)?;
        ensure(
            before.is_none_or(|before| bytes(before).lt(bytes(at))),
            VerifyError::Order,
        )
    }

    fn rule(&self, at: usize) -> Checked {
        let (conditions, number) = (self.part(at, 0), self.part(at, 1));

        ensure(number <= CONDITIONS_MAX, VerifyError::Limit)?;
        self.there(conditions, number)?;
        let mut patterns = self.words.list(conditions, number).map(|c| c >> 1);

        ensure(
            patterns.all(|pattern| (pattern as usize) < self.patterns),
            VerifyError::Reference,
        )
    }

    /// The anchor at `at`: each of its rules must have its pattern as a condition.
    fn anchor(&self, layout: &Layout, at: usize) -> Checked {
        let pattern = at.wrapping_sub(layout.anchors) / 2;
        let list = (self.part(at, 0), self.part(at, 1));

        self.ascending(list, self.rules)?;
        self.look_at(list.1);
        let mut rules = self.words.list(list.0, list.1).map(|rule| {
            let record = (rule as usize).wrapping_mul(2);

            layout.rules.0.wrapping_add(record)
        });
        let anchored = rules.all(|rule| {
            self.words
                .list(self.part(rule, 0), self.part(rule, 1))
                .any(|condition| condition as usize == pattern.wrapping_mul(2))
        });

        ensure(anchored, VerifyError::Reference)
    }

    /// Whether `rule` is looked at, always or for one of its patterns. That the right number is says
    /// nothing: one could be twice, and another never.
    fn is_looked_at(&self, layout: &Layout, rule: usize) -> bool {
        let record = layout.rules.0.wrapping_add(rule.wrapping_mul(2));
        let conditions = self
            .words
            .list(self.part(record, 0), self.part(record, 1))
            .filter(|condition| condition & 1 == 0);
        // An anchor has two words, as a condition that must match has twice its pattern.
        let anchors = conditions.map(|condition| {
            let anchor = layout.anchors.wrapping_add(condition as usize);

            (self.part(anchor, 0), self.part(anchor, 1))
        });

        anchors
            .chain(core::iter::once(layout.always))
            .any(|(at, number)| {
                let list = self.words.slice(at, number);

                let place = order::partition_point(list, |&other| (other as usize) < rule);

                list.get(place).is_some_and(|&other| other as usize == rule)
            })
    }

    fn look_at(&self, rules: usize) {
        self.looked_at
            .set(self.looked_at.get().saturating_add(rules));
    }
}
