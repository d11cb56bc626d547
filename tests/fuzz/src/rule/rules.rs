// SPDX-License-Identifier: GPL-2.0

//! A compiled program finds the rule, and captures the bytes, that a plain reading would.

use super::{
    wish,
    Request, //
};
use arbitrary::Unstructured;
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

/// Compiles any rules and looks any requests up.
pub fn rules(data: &[u8]) {
    // What ends too early has said enough.
    let _ = look_up(&mut Unstructured::new(data));
}

fn look_up(input: &mut Unstructured<'_>) -> arbitrary::Result<()> {
    let mut rules = wish::rules(input)?;
    let (pattern, groups) = wish::regex(input)?;
    let group = input.int_in_range(0..=groups)?;

    rules.push(Rule {
        conditions: vec![Condition {
            subject: Subject::Path,
            operator: Operator::Regex,
            value: pattern.clone().into(),
            not: false,
        }],
        capture: Some(group),
    });
    // What is refused is for the tests of the compiler.
    let Ok(words) = compile(&rules) else {
        return Ok(());
    };
    let layout = Program::verify(&words, rules.len() as u32).expect("it was compiled");
    let program = Program::new(&words, &layout);
    let mut scratch = vec![0; SCRATCH_WORDS];
    let captures = regex(pattern.as_bytes());
    let last = rules.len() as u32 - 1;

    for _ in 0..4 {
        let request = wish::request(input)?;

        assert_eq!(
            program.find(&request, &mut scratch),
            naive(&rules, &request)
        );
        let found = program.capture(last, &request, &mut scratch, <[u8]>::to_vec);
        let expected = captures
            .captures(request.path())
            .and_then(|captures| captures.get(group as usize))
            .map(|found| found.as_bytes().to_vec());
        assert_eq!(
            found,
            expected,
            "{pattern} in {:?}",
            request.path().escape_ascii()
        );
    }
    Ok(())
}

fn regex(text: &[u8]) -> Regex {
    RegexBuilder::new(std::str::from_utf8(text).expect("it is ASCII"))
        .unicode(false)
        .build()
        .expect("it was compiled")
}

/// The first rule all of whose conditions hold.
fn naive(rules: &[Rule], request: &Request) -> Option<u32> {
    let all = |rule: &Rule| rule.conditions.iter().all(|c| holds(c, request));

    rules.iter().position(all).map(|index| index as u32)
}

fn holds(condition: &Condition, request: &Request) -> bool {
    let mut any = false;
    let mut each = |value: &[u8]| any |= compares(condition, value);

    match &condition.subject {
        Subject::Path => each(request.path()),
        Subject::Url => each(request.url()),
        Subject::Host => each(request.host()),
        Subject::Method => each(request.method()),
        Subject::Header(name) => request.header(name.as_bytes(), &mut each),
        Subject::Cookie(name) => request.cookie(name.as_bytes(), &mut each),
    }
    any != condition.not
}

/// Whether `condition` holds for one value.
fn compares(condition: &Condition, value: &[u8]) -> bool {
    let lower = condition.value.to_ascii_lowercase();
    // A host is compared in lower case.
    let wanted = match condition.subject {
        Subject::Host => &lower,
        _ => &condition.value,
    };

    match condition.operator {
        Operator::Exact => value == wanted,
        Operator::Prefix => value.starts_with(wanted),
        Operator::Suffix => value.ends_with(wanted),
        Operator::Regex => regex(&condition.value).is_match(value),
        Operator::Wildcard => value.len() >= wanted.len() && value.ends_with(&wanted[1..]),
    }
}
