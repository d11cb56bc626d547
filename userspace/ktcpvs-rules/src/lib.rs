// SPDX-License-Identifier: GPL-2.0

//! Compiles the rules of a virtual service into the program that the module runs.
//!
//! The program's format is [`ktcpvs_core::rule`]'s. Literal conditions become sorted tables,
//! regular expressions deterministic automata: all those of a subject one automaton, or several
//! where one would grow too large.
//!
//! Regular expressions are those of the `regex` crate, on bytes, without Unicode's tables; they
//! match anywhere in the subject unless `^` or `$` say otherwise.

mod automaton;
mod capture;
mod error;
mod pattern;
mod program;

pub use error::{
    CompileError,
    Fault, //
};

use pattern::Patterns;
use program::Assembler;

/// Longest program, in bytes, that the module takes.
pub const SIZE_MAX: usize = 16 * 1024 * 1024;

/// What of a request a condition looks at.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Subject {
    /// The target's path, without the query.
    Path,
    /// The path and, if there is one, the question mark and the query.
    Url,
    /// The host without port.
    Host,
    /// The method.
    Method,
    /// The value of a header field of this name; any of several.
    Header(String),
    /// The value of a cookie of this name; any of several.
    Cookie(String),
}

/// How a condition compares.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Operator {
    /// Equal to the value.
    Exact,
    /// Begins with the value.
    Prefix,
    /// Ends with the value.
    Suffix,
    /// The regular expression matches somewhere.
    Regex,
    /// A host below a domain: the value is `*.` and the domain.
    Wildcard,
}

/// A condition of a rule.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Condition {
    /// What is compared.
    pub subject: Subject,
    /// How.
    pub operator: Operator,
    /// With what.
    pub value: Vec<u8>,
    /// Whether the comparison must fail for the condition to hold.
    pub not: bool,
}

/// What of a rule there is to compile.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Rule {
    /// All must hold; with none, the rule always matches.
    pub conditions: Vec<Condition>,
    /// The group of the first regular expression (one that must match) whose match is wanted.
    pub capture: Option<u32>,
}

/// The program for `rules`, in their order. No rules, no program: the result is empty.
///
/// # Errors
///
/// Names the rule and the value that cannot be compiled; or, when the program would grow past a
/// limit, says what it has reached and the limit.
pub fn compile(rules: &[Rule]) -> Result<Vec<u32>, CompileError> {
    if rules.is_empty() {
        return Ok(Vec::new());
    }
    let patterns = Patterns::collect(rules)?;
    let words = Assembler::new(rules, &patterns)?.finish();
    let size = words.len() * 4;

    if size > SIZE_MAX {
        return Err(CompileError::too_large(size));
    }
    debug_assert_eq!(
        ktcpvs_core::rule::Program::verify(&words, rules.len() as u32).err(),
        None
    );
    Ok(words)
}
