// SPDX-License-Identifier: GPL-2.0

//! Regular expressions, all of them that are short: each that is one compiles to a program that the
//! module's verifier takes, and that matches the values that it should, of all that are short.

use ktcpvs_core::rule::{
    Program,
    Subjects,
    SCRATCH_WORDS, //
};
use ktcpvs_rules::{
    compile,
    Condition,
    Operator,
    Rule,
    Subject, //
};
use regex::bytes::{
    Regex,
    RegexBuilder, //
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

/// All strings over `alphabet` of up to `most` bytes.
fn strings(alphabet: &[u8], most: usize) -> Vec<String> {
    let mut all = vec![String::new()];
    let mut longest = all.clone();

    for _ in 0..most {
        longest = longest
            .iter()
            .flat_map(|text| {
                alphabet
                    .iter()
                    .map(move |byte| format!("{text}{}", char::from(*byte)))
            })
            .collect();
        all.extend(longest.iter().cloned());
    }
    all
}

/// Those of them that are regular expressions.
fn patterns(alphabet: &[u8], most: usize) -> Vec<(String, Regex)> {
    let regex = |text: String| {
        let regex = RegexBuilder::new(&text).unicode(false).build().ok()?;

        Some((text, regex))
    };

    strings(alphabet, most)
        .into_iter()
        .filter_map(regex)
        .collect()
}

fn rule(pattern: &str) -> Rule {
    Rule {
        conditions: vec![Condition {
            subject: Subject::Path,
            operator: Operator::Regex,
            value: pattern.into(),
            not: false,
        }],
        capture: None,
    }
}

/// Sees that the program of one rule for each of `patterns` is verified, and that it finds the first
/// that matches, for each of `values`.
fn check(patterns: &[&(String, Regex)], values: &[String], scratch: &mut [u32]) {
    let names: Vec<&str> = patterns.iter().map(|(text, _)| &text[..]).collect();
    let rules: Vec<Rule> = names.iter().map(|text| rule(text)).collect();
    let words = compile(&rules).unwrap_or_else(|error| panic!("{names:?}: {error}"));
    let layout = Program::verify(&words, rules.len() as u32)
        .unwrap_or_else(|error| panic!("{names:?}: {error:?}"));
    let program = Program::new(&words, &layout);

    for value in values {
        let expected = patterns
            .iter()
            .position(|(_, regex)| regex.is_match(value.as_bytes()));
        let found = program.find(&Path(value.as_bytes()), scratch);

        assert_eq!(
            found.map(|rule| rule as usize),
            expected,
            "{names:?}, {value:?}"
        );
    }
}

#[test]
fn all_short_patterns() {
    let values = strings(b"ab", 4);
    let patterns = patterns(b"ab*?|()^$.", 4);
    let mut scratch = vec![0; SCRATCH_WORDS];

    assert!(patterns.len() > 1000, "{}", patterns.len());
    for pattern in &patterns {
        check(&[pattern], &values, &mut scratch);
    }
}

#[test]
fn all_pairs_of_short_patterns() {
    let values = strings(b"ab", 3);
    let patterns = patterns(b"ab*|^$.", 2);
    let mut scratch = vec![0; SCRATCH_WORDS];

    for one in &patterns {
        for two in &patterns {
            check(&[one, two], &values, &mut scratch);
        }
    }
}
