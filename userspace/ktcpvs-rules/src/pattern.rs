// SPDX-License-Identifier: GPL-2.0

//! From conditions to patterns, each once however many conditions share it.

use crate::{
    CompileError,
    Condition,
    Fault,
    Operator,
    Rule,
    Subject, //
};
use ktcpvs_core::rule::{
    BELOW,
    CONDITIONS_MAX,
    EXACT,
    NAME_MAX,
    PATTERNS_MAX,
    PREFIX,
    SUFFIX, //
};
use regex_syntax::ast;
use std::collections::BTreeMap;

/// How a pattern is looked for.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Kind {
    /// One of the program's literal kinds.
    Literal(u32),
    /// An automaton, built of this text.
    Regex(String),
}

/// What can match or not.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Pattern {
    pub(crate) subject: Subject,
    pub(crate) kind: Kind,
    pub(crate) bytes: Vec<u8>,
}

/// A condition, by the number of its pattern.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Term {
    pub(crate) pattern: usize,
    pub(crate) not: bool,
}

/// All patterns, and the conditions of each rule.
pub(crate) struct Patterns {
    /// In order of their numbers.
    pub(crate) all: Vec<Pattern>,
    /// The first rule that has each.
    pub(crate) owner: Vec<usize>,
    /// The conditions of each rule.
    pub(crate) terms: Vec<Vec<Term>>,
}

impl Patterns {
    /// Finds all patterns of `rules`.
    pub(crate) fn collect(rules: &[Rule]) -> Result<Self, CompileError> {
        let mut numbers: BTreeMap<Pattern, usize> = BTreeMap::new();
        let mut this = Self {
            all: Vec::new(),
            owner: Vec::new(),
            terms: Vec::new(),
        };

        for (index, rule) in rules.iter().enumerate() {
            let mut terms = Vec::new();

            if rule.conditions.len() > CONDITIONS_MAX {
                let what = "conditions of a rule";

                return Err(CompileError {
                    rule: Some(index),
                    ..CompileError::limit(rule.conditions.len(), what, CONDITIONS_MAX)
                });
            }
            for condition in &rule.conditions {
                let pattern = pattern(condition)
                    .map_err(|fault| CompileError::new(index, &condition.value, fault))?;
                let number = *numbers.entry(pattern.clone()).or_insert_with(|| {
                    this.all.push(pattern);
                    this.owner.push(index);
                    this.all.len() - 1
                });

                terms.push(Term {
                    pattern: number,
                    not: condition.not,
                });
            }
            this.terms.push(terms);
        }
        if this.all.len() > PATTERNS_MAX {
            let what = "different conditions";

            return Err(CompileError::limit(this.all.len(), what, PATTERNS_MAX));
        }
        Ok(this)
    }
}

/// The pattern that a condition looks for.
fn pattern(condition: &Condition) -> Result<Pattern, Fault> {
    if let Subject::Header(name) | Subject::Cookie(name) = &condition.subject {
        if name.is_empty() || name.len() > NAME_MAX {
            return Err(Fault::Value(format!(
                "the name of a header field or cookie has 1 to {NAME_MAX} bytes"
            )));
        }
    }
    let host = condition.subject == Subject::Host;
    let mut bytes = condition.value.clone();

    if host && condition.operator != Operator::Regex {
        bytes.make_ascii_lowercase();
    }
    let kind = match condition.operator {
        Operator::Exact => Kind::Literal(EXACT),
        Operator::Prefix => Kind::Literal(PREFIX),
        Operator::Suffix => Kind::Literal(SUFFIX),
        Operator::Wildcard => {
            match bytes.strip_prefix(b"*") {
                Some(domain) if host && domain.len() > 1 && domain.starts_with(b".") => {
                    bytes = domain.to_vec();
                }
                _ => {
                    return Err(Fault::Value(
                        "a wildcard is a host like *.example.org".into(),
                    ))
                }
            }
            Kind::Literal(BELOW)
        }
        Operator::Regex => Kind::Regex(regex(&condition.value, host)?),
    };

    Ok(Pattern {
        subject: match &condition.subject {
            // Names of header fields have no case.
            Subject::Header(name) => Subject::Header(name.to_ascii_lowercase()),
            other => other.clone(),
        },
        kind,
        bytes,
    })
}

/// The text of a regular expression, checked.
fn regex(value: &[u8], host: bool) -> Result<String, Fault> {
    let text = std::str::from_utf8(value)
        .map_err(|_| Fault::Pattern("not UTF-8; write other bytes as \\xNN".into()))?;

    ast::parse::Parser::new()
        .parse(text)
        .map_err(|error| Fault::Pattern(error.kind().to_string()))?;
    // The host is given in lower case. No group, which a comment at the end would leave open.
    Ok(if host {
        format!("(?i){text}")
    } else {
        text.to_owned()
    })
}
