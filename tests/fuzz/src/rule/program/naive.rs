// SPDX-License-Identifier: GPL-2.0

//! Running a verified program by the letter of its format: every rule in order, every condition.

use super::Request;
use ktcpvs_core::rule::{
    Subjects,
    AUTOMATON,
    BELOW,
    EXACT,
    FIELD,
    HOST,
    METHOD,
    PATH,
    PREFIX,
    SUFFIX,
    URL, //
};
use std::collections::BTreeSet;

/// The words of a program that was verified: what is looked for is there.
struct Words<'a>(&'a [u32]);

impl Words<'_> {
    fn at(&self, at: usize) -> usize {
        self.0[at] as usize
    }

    fn list(&self, at: usize, number: usize) -> Vec<usize> {
        (0..number).map(|index| self.at(at + index)).collect()
    }

    fn bytes(&self, at: usize, len: usize) -> Vec<u8> {
        let words = &self.0[at..at + len.div_ceil(4)];

        words
            .iter()
            .flat_map(|word| word.to_le_bytes())
            .take(len)
            .collect()
    }
}

/// The first rule all of whose conditions hold.
pub(super) fn find(words: &[u32], request: &Request) -> Option<u32> {
    let words = Words(words);
    let mut patterns = BTreeSet::new();
    let subjects = words.at(4);

    for index in 0..words.at(3) {
        subject(&words, subjects + 5 * index, request, &mut patterns);
    }
    let holds = |rule: &usize| {
        let record = words.at(5) + 2 * rule;
        let conditions = words.list(words.at(record), words.at(record + 1));
        let mut conditions = conditions.iter();

        conditions.all(|condition| patterns.contains(&(condition / 2)) != (condition % 2 == 1))
    };

    (0..words.at(1)).find(holds).map(|rule| rule as u32)
}

/// Adds the patterns that match in a subject.
fn subject(words: &Words<'_>, at: usize, request: &Request, patterns: &mut BTreeSet<usize>) {
    let [kind, name, name_len, matchers, number] = [0, 1, 2, 3, 4].map(|i| words.at(at + i));
    let mut values = Vec::new();
    let mut each = |value: &[u8]| values.push(value.to_vec());

    match kind as u32 {
        PATH => each(request.path()),
        URL => each(request.url()),
        HOST => each(request.host()),
        METHOD => each(request.method()),
        FIELD => request.header(&words.bytes(name, name_len), &mut each),
        _ => request.cookie(&words.bytes(name, name_len), &mut each),
    }
    for value in values {
        for index in 0..number {
            let parts = [0, 1, 2, 3].map(|i| words.at(matchers + 4 * index + i));

            match parts[0] as u32 {
                AUTOMATON => automaton(words, parts, &value, patterns),
                _ => literal(words, parts, &value, patterns),
            }
        }
    }
}

fn literal(
    words: &Words<'_>,
    [kind, len, entries, number]: [usize; 4],
    value: &[u8],
    patterns: &mut BTreeSet<usize>,
) {
    for index in 0..number {
        let [at, pattern] = [0, 1].map(|i| words.at(entries + 2 * index + i));
        let entry = words.bytes(at, len);
        let matches = match kind as u32 {
            EXACT => value == entry,
            PREFIX => value.starts_with(&entry),
            SUFFIX => value.ends_with(&entry),
            BELOW => value.len() > len && value.ends_with(&entry),
            _ => false,
        };

        if matches {
            patterns.insert(pattern);
        }
    }
}

fn automaton(
    words: &Words<'_>,
    [_, states, at, classes]: [usize; 4],
    value: &[u8],
    patterns: &mut BTreeSet<usize>,
) {
    let map = words.bytes(at + 2, 256);
    let table = at + 66;
    let lists = table + states * classes;
    let mut state = words.at(at);
    let mut add = |state: usize, which: usize| {
        let record = lists + 4 * (state / classes) + which;

        patterns.extend(words.list(words.at(record), words.at(record + 1)));
    };

    add(state, 0);
    for byte in value {
        state = words.at(table + state + usize::from(map[usize::from(*byte)]));
        add(state, 0);
    }
    add(state, 2);
}
