// SPDX-License-Identifier: GPL-2.0

//! Why rules cannot be compiled.

use crate::SIZE_MAX;
use std::fmt;

/// What is wrong.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Fault {
    /// A regular expression is not one, or not one that can be run here.
    Pattern(String),
    /// A value does not go with its operator or subject.
    Value(String),
    /// A capture cannot be had.
    Capture(String),
    /// The program is larger than the module takes, or has more of something.
    TooLarge,
}

/// Why rules cannot be compiled.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CompileError {
    /// The place of the rule in the list, if one is to blame.
    pub rule: Option<usize>,
    /// The value to blame, as it was given.
    pub value: Option<Vec<u8>>,
    /// What is wrong.
    pub fault: Fault,
    /// The same in words.
    pub message: String,
}

impl CompileError {
    /// `value`, of the rule at `rule`, is to blame.
    pub(crate) fn new(rule: usize, value: &[u8], fault: Fault) -> Self {
        let shown = value.escape_ascii();
        let message = match &fault {
            Fault::Pattern(why) | Fault::Value(why) | Fault::Capture(why) => {
                format!("\"{shown}\": {why}")
            }
            Fault::TooLarge => format!(
                "\"{shown}\": compiled, this alone would be larger than {SIZE_MAX} bytes, \
                 the limit for all rules of a service"
            ),
        };

        Self {
            rule: Some(rule),
            value: Some(value.to_vec()),
            fault,
            message,
        }
    }

    /// There are `number` of something, which is more than `limit`.
    pub(crate) fn limit(number: usize, what: &str, limit: usize) -> Self {
        Self {
            rule: None,
            value: None,
            fault: Fault::TooLarge,
            message: format!("{number} {what}; the limit is {limit}"),
        }
    }

    /// The whole would take `size` bytes, at least.
    pub(crate) fn too_large(size: usize) -> Self {
        Self {
            rule: None,
            value: None,
            fault: Fault::TooLarge,
            message: format!(
                "the compiled rules would take {size} bytes or more; the limit is {SIZE_MAX}"
            ),
        }
    }
}

impl fmt::Display for CompileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for CompileError {}
