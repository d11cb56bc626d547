// SPDX-License-Identifier: GPL-2.0

//! Cookies of a request (RFC 6265 §4.2, §5.4).

use super::{
    fields::{
        Field,
        Lines, //
    },
    lex, //
};

/// The cookies of a request, in the order they came in: name and value, as they were sent.
///
/// What has no `=` is passed over. Quotes around a value belong to it, as they do for those who
/// set cookies.
#[derive(Clone, Debug, Default)]
pub struct Cookies<'a> {
    lines: Lines<'a>,
    value: &'a [u8],
}

impl<'a> Cookies<'a> {
    /// The cookies in `fields`.
    pub(super) const fn new(fields: &'a [u8]) -> Self {
        Self {
            lines: Lines::new(fields),
            value: &[],
        }
    }
}

impl<'a> Iterator for Cookies<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            while !self.value.is_empty() {
                let (pair, rest) = split(self.value);
                self.value = rest;
                if let Some(cookie) = name_value(pair) {
                    return Some(cookie);
                }
            }
            self.value = self
                .lines
                .find(|line| Field::of(line.name) == Field::Cookie)?
                .value;
        }
    }
}

/// The first cookie of a `Cookie` field's value, trimmed, and what is behind its semicolon.
pub(super) fn split(value: &[u8]) -> (&[u8], &[u8]) {
    let (first, rest) = value
        .split_at_checked(lex::find_byte(value, b';'))
        .unwrap_or((value, &[]));
    (lex::trim(first), rest.get(1..).unwrap_or_default())
}

/// Name and value of a cookie.
pub(super) fn name_value(pair: &[u8]) -> Option<(&[u8], &[u8])> {
    let (name, value) = pair.split_at_checked(lex::find_byte(pair, b'='))?;
    Some((lex::trim(name), lex::trim(value.get(1..)?)))
}
