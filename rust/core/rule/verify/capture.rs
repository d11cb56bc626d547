// SPDX-License-Identifier: GPL-2.0

//! Checking the code of captures.

use super::{
    ensure,
    Check,
    Checked,
    VerifyError, //
};
use crate::rule::{
    INSTRUCTIONS_MAX,
    OP_ANY_OF,
    OP_FAIL,
    OP_MATCH,
    OP_SPLIT, //
};

impl Check<'_> {
    /// Checks the record of a capture, and its code.
    pub(super) fn capture(&self, at: usize, before: Option<usize>) -> Checked {
        let [rule, subject, code, number] = [0, 1, 2, 3].map(|index| self.part(at, index));

        ensure(
            rule < self.rules && subject < self.subjects,
            VerifyError::Reference,
        )?;
        ensure(
            before.is_none_or(|before| self.part(before, 0) < rule),
            VerifyError::Order,
        )?;
        ensure(number <= INSTRUCTIONS_MAX, VerifyError::Limit)?;
        self.records((code, number), 3, |at, _| self.instruction(at, number))
    }

    /// The instruction at `at`, of `number`.
    fn instruction(&self, at: usize, number: usize) -> Checked {
        let operation = self.words.word(at);
        let op = operation & 0xff;
        let leads = |index| self.part(at, index) < number;
        let goes_on = op != OP_MATCH && op != OP_FAIL;

        ensure(
            op <= OP_FAIL
                && (!goes_on || leads(1))
                && (op != OP_SPLIT || leads(2))
                && (op != OP_ANY_OF || operation >> 24 == 0),
            VerifyError::Capture,
        )
    }
}
