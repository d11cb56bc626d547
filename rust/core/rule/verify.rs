// SPDX-License-Identifier: GPL-2.0

//! Checking that a program is one.
//!
//! Running a program is safe whatever it says, so this is not what keeps memory safe. It refuses
//! what cannot mean anything, so that a damaged program is an error when it is given, and not a
//! strange choice later.

use super::{
    capture::INSTRUCTIONS_MAX,
    dfa,
    words::Words,
    Layout,
    AUTOMATON,
    COOKIE,
    FIELD,
    HEADER,
    MAGIC,
    OP_ANY_OF,
    OP_FAIL,
    OP_MATCH,
    OP_SPLIT,
    PATTERNS_MAX, //
};

/// What of a program is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerifyError {
    /// It is no program, or not of this version.
    Header,
    /// It is for another number of rules.
    Rules,
    /// Something lies outside it.
    Bounds,
    /// A pattern, a rule or a subject is named that is not there.
    Reference,
    /// An automaton is malformed.
    Automaton,
    /// The code of a capture is malformed.
    Capture,
}

/// The checks need this much at hand.
#[derive(Clone, Copy)]
struct Check<'a> {
    words: Words<'a>,
    rules: usize,
    patterns: usize,
    subjects: usize,
}

type Checked = Result<(), VerifyError>;

pub(super) fn verify(words: Words<'_>, rules: u32) -> Result<Layout, VerifyError> {
    let [number, patterns, subjects] = [1, 2, 3].map(|at| words.offset(at));
    let layout = Layout {
        subjects: (words.offset(4), subjects),
        rules: (words.offset(5), number),
        anchors: words.offset(6),
        always: (words.offset(7), words.offset(8)),
        captures: (words.offset(9), words.offset(10)),
    };

    if words.word(0) != MAGIC || words.len() < HEADER || patterns > PATTERNS_MAX {
        return Err(VerifyError::Header);
    }
    if number != rules as usize {
        return Err(VerifyError::Rules);
    }
    let check = Check {
        words,
        rules: number,
        patterns,
        subjects,
    };

    check.records(layout.subjects, 5, Check::subject)?;
    check.records(layout.rules, 2, Check::rule)?;
    check.records((layout.anchors, patterns), 2, Check::anchor)?;
    check.ascending(layout.always.0, layout.always.1)?;
    check.records(layout.captures, 4, Check::capture)?;
    Ok(layout)
}

impl Check<'_> {
    /// That `number` words at `at` are there.
    fn there(&self, at: usize, number: usize) -> Checked {
        match at.checked_add(number) {
            Some(end) if end <= self.words.len() => Ok(()),
            _ => Err(VerifyError::Bounds),
        }
    }

    /// That there are `number` records of `size` words at `at`, and what `each` checks of each.
    fn records(
        &self,
        (at, number): (usize, usize),
        size: usize,
        each: impl Fn(&Self, usize) -> Checked,
    ) -> Checked {
        self.there(at, number.saturating_mul(size))?;
        (0..number).try_for_each(|index| each(self, at.wrapping_add(index.wrapping_mul(size))))
    }

    fn part(&self, at: usize, index: usize) -> usize {
        self.words.offset(at.wrapping_add(index))
    }

    fn pattern(&self, pattern: u32) -> Checked {
        if (pattern as usize) < self.patterns {
            Ok(())
        } else {
            Err(VerifyError::Reference)
        }
    }

    fn patterns(&self, at: usize, number: usize) -> Checked {
        self.there(at, number)?;
        self.words
            .list(at, number)
            .try_for_each(|pattern| self.pattern(pattern))
    }

    fn subject(&self, at: usize) -> Checked {
        let kind = self.words.word(at);
        let name = self.part(at, 2);

        if kind > COOKIE || (name > 0) != (kind >= FIELD) {
            return Err(VerifyError::Reference);
        }
        self.there(self.part(at, 1), name.div_ceil(4))?;
        self.records((self.part(at, 3), self.part(at, 4)), 4, Check::matcher)
    }

    fn matcher(&self, at: usize) -> Checked {
        let [a, b, c] = [1, 2, 3].map(|index| self.part(at, index));

        match self.words.word(at) {
            AUTOMATON => self.automaton(a, b, c),
            kind if kind < AUTOMATON => self.records((b, c), 2, |check, entry| {
                check.there(check.part(entry, 0), a.div_ceil(4))?;
                check.pattern(check.words.word(entry.wrapping_add(1)))
            }),
            _ => Err(VerifyError::Reference),
        }
    }

    fn automaton(&self, states: usize, at: usize, classes: usize) -> Checked {
        let size = states.saturating_mul(classes);
        let table = at.wrapping_add(dfa::TABLE);
        let is_state = |&state: &u32| {
            (state as usize) < size && (state as usize).checked_rem(classes) == Some(0)
        };

        self.there(at, dfa::TABLE)?;
        self.there(table, size)?;
        self.there(table.wrapping_add(size), states.saturating_mul(4))?;
        let classes_fit = self
            .words
            .list(at.wrapping_add(2), 64)
            .flat_map(u32::to_le_bytes)
            .all(|class| usize::from(class) < classes);
        let mut next = self.words.slice(table, size).iter();
        let row = self.words.slice(table, classes);

        if !classes_fit
            || !is_state(&self.words.word(at))
            || !next.all(is_state)
            || row.iter().any(|&state| state != 0)
        {
            return Err(VerifyError::Automaton);
        }
        self.records((table.wrapping_add(size), states), 4, |check, lists| {
            check.patterns(check.part(lists, 0), check.part(lists, 1))?;
            check.patterns(check.part(lists, 2), check.part(lists, 3))
        })
    }

    fn rule(&self, at: usize) -> Checked {
        let (conditions, number) = (self.part(at, 0), self.part(at, 1));

        self.there(conditions, number)?;
        self.words
            .list(conditions, number)
            .try_for_each(|condition| self.pattern(condition >> 1))
    }

    fn anchor(&self, at: usize) -> Checked {
        self.ascending(self.part(at, 0), self.part(at, 1))
    }

    /// That there is a list of rules in ascending order.
    fn ascending(&self, at: usize, number: usize) -> Checked {
        self.there(at, number)?;
        let mut least = 0;

        for rule in self.words.list(at, number) {
            if rule < least || rule as usize >= self.rules {
                return Err(VerifyError::Reference);
            }
            least = rule.wrapping_add(1);
        }
        Ok(())
    }

    fn capture(&self, at: usize) -> Checked {
        let [rule, subject, code, number] = [0, 1, 2, 3].map(|index| self.part(at, index));

        if rule >= self.rules || subject >= self.subjects {
            return Err(VerifyError::Reference);
        }
        if number > INSTRUCTIONS_MAX {
            return Err(VerifyError::Capture);
        }
        self.records((code, number), 3, |check, instruction| {
            let op = check.words.word(instruction) & 0xff;
            let place = |index| check.part(instruction, index) < number;
            let goes_on = op != OP_MATCH && op != OP_FAIL;

            if op > OP_FAIL
                || (goes_on && !place(1))
                || (op == OP_SPLIT && !place(2))
                || (op == OP_ANY_OF && check.words.word(instruction) >> 24 != 0)
            {
                return Err(VerifyError::Capture);
            }
            Ok(())
        })
    }
}
