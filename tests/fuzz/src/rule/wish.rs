// SPDX-License-Identifier: GPL-2.0

//! Rules and requests that somebody may wish for, made of an input.

use super::Request;
use arbitrary::{
    Result,
    Unstructured, //
};
use ktcpvs_rules::{
    compile,
    Condition,
    Operator,
    Rule,
    Subject, //
};

/// Of few letters, so that texts often match.
const LETTERS: &[u8] = b"ab/.A\n\xff";

const SUBJECTS: [fn() -> Subject; 6] = [
    || Subject::Path,
    || Subject::Url,
    || Subject::Host,
    || Subject::Method,
    || Subject::Header("X".into()),
    || Subject::Cookie("y".into()),
];

/// A short text.
pub(super) fn text(input: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let len = input.int_in_range(0..=7)?;

    (0..len).map(|_| input.choose(LETTERS).copied()).collect()
}

/// A regular expression, and how many groups it has.
pub(super) fn regex(input: &mut Unstructured<'_>) -> Result<(String, u32)> {
    let mut groups = 0;
    let mut text = String::new();

    alternatives(input, 3, &mut groups, &mut text)?;
    Ok((text, groups))
}

fn alternatives(
    input: &mut Unstructured<'_>,
    depth: u32,
    groups: &mut u32,
    text: &mut String,
) -> Result<()> {
    for index in 0..input.int_in_range(1..=3)? {
        if index > 0 {
            text.push('|');
        }
        for _ in 0..input.int_in_range(0..=4)? {
            part(input, depth, groups, text)?;
        }
    }
    Ok(())
}

/// Something, once or more or less often.
fn part(
    input: &mut Unstructured<'_>,
    depth: u32,
    groups: &mut u32,
    text: &mut String,
) -> Result<()> {
    let atoms = [
        "a", "b", "/", r"\.", ".", "[ab]", "[^a]", "(?i:a)", r"\w", "(?s:.)", "^", "$", r"\b",
        r"\B", r"\A", r"\z", "(?m:^)", "(?m:$)",
    ];

    match input.int_in_range(0..=5)? {
        0 if depth > 0 => {
            *groups += 1;
            text.push('(');
            alternatives(input, depth - 1, groups, text)?;
            text.push(')');
        }
        1 if depth > 0 => {
            text.push_str("(?:");
            alternatives(input, depth - 1, groups, text)?;
            text.push(')');
        }
        _ => text.push_str(input.choose(&atoms)?),
    }
    let often = [
        "", "", "", "?", "*", "+", "??", "*?", "+?", "{2}", "{0,2}", "{1,}?",
    ];
    text.push_str(input.choose(&often)?);
    Ok(())
}

/// A condition.
fn condition(input: &mut Unstructured<'_>) -> Result<Condition> {
    let subject = input.choose(&SUBJECTS)?();
    let flags: u8 = input.arbitrary()?;
    let (operator, value) = match flags % 8 {
        0 | 1 => (Operator::Exact, text(input)?),
        2 => (Operator::Prefix, text(input)?),
        3 => (Operator::Suffix, text(input)?),
        4 => (Operator::Wildcard, [b"*.", &text(input)?[..]].concat()),
        _ => (Operator::Regex, regex(input)?.0.into()),
    };

    Ok(Condition {
        subject,
        operator,
        value,
        not: flags & 0x80 != 0,
    })
}

/// Some rules.
pub(super) fn rules(input: &mut Unstructured<'_>) -> Result<Vec<Rule>> {
    let rule = |input: &mut Unstructured<'_>| {
        let number = input.int_in_range(0..=3)?;

        Ok(Rule {
            conditions: (0..number)
                .map(|_| condition(input))
                .collect::<Result<_>>()?,
            capture: None,
        })
    };

    (0..input.int_in_range(1..=6)?)
        .map(|_| rule(input))
        .collect()
}

/// A request.
pub(super) fn request(input: &mut Unstructured<'_>) -> Result<Request> {
    let names: [&[u8]; 4] = [b"x", b"X", b"y", b"Y"];
    let field = |input: &mut Unstructured<'_>| {
        let name = input.choose(&names)?;

        Ok((name.to_vec(), text(input)?))
    };

    Ok(Request {
        url: text(input)?,
        // Those who call this give it in lower case.
        host: text(input)?.to_ascii_lowercase(),
        method: text(input)?,
        fields: (0..input.int_in_range(0..=3)?)
            .map(|_| field(input))
            .collect::<Result<_>>()?,
    })
}

/// A small program that has something of everything.
pub fn program() -> Vec<u32> {
    let is = |subject, operator, value: &str, not| Condition {
        subject,
        operator,
        value: value.into(),
        not,
    };
    let header = || Subject::Header("x".into());
    let rules = [
        vec![
            is(Subject::Path, Operator::Exact, "/a", false),
            is(header(), Operator::Regex, "b", true),
        ],
        vec![is(header(), Operator::Regex, "^(a|b)", false)],
        vec![is(Subject::Host, Operator::Wildcard, "*.b", false)],
        vec![],
    ];
    let rules = rules.map(|conditions| Rule {
        capture: (conditions.len() == 1 && conditions[0].operator == Operator::Regex).then_some(1),
        conditions,
    });

    compile(&rules).expect("they can be compiled")
}
