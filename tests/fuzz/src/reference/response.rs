// SPDX-License-Identifier: GPL-2.0

//! Responses, read another way.

use super::{
    elements,
    is_old,
    lines,
    meaning,
    Field, //
};
use ktcpvs_core::http::{
    Framing,
    Limits, //
};

/// The head of a response.
#[derive(Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "as in ktcpvs_core::http::Response")]
pub struct Response<'a> {
    pub len: usize,
    pub old: bool,
    pub status: u16,
    pub reason: &'a [u8],
    /// How the content ends in the answer to another method than `HEAD`.
    pub framing: Framing,
    pub persistent: bool,
    pub upgrade: bool,
    pub fields: Vec<Field>,
}

/// Reads the response that `bytes` begin with, if it is a whole and valid one.
pub fn response<'a>(bytes: &'a [u8], limits: &Limits) -> Option<Response<'a>> {
    let lines = lines(bytes, 0, limits)?;
    let (version, rest) = lines.first.split_at_checked(8)?;
    let old = is_old(version)?;
    let [b' ', digits @ ..] = rest else {
        return None;
    };
    let (digits, reason) = digits.split_at_checked(3)?;
    if !digits.iter().all(u8::is_ascii_digit) || digits[0] == b'0' {
        return None;
    }
    let status = std::str::from_utf8(digits).ok()?.parse().ok()?;
    let reason = match reason {
        [] => reason,
        [b' ', reason @ ..] => reason,
        _ => return None,
    };
    let (framing, persistent) = meaning(&lines.fields, old)?;
    let options = elements(&lines.fields, "connection");
    let protocols = elements(&lines.fields, "upgrade");

    Some(Response {
        len: lines.len,
        old,
        status,
        reason,
        framing: match status {
            100..=199 | 204 | 304 => Framing::None,
            _ => framing.unwrap_or(Framing::Close),
        },
        persistent,
        upgrade: status == 101
            && !old
            && options.contains(&b"upgrade".to_vec())
            && !protocols.is_empty(),
        fields: lines.fields,
    })
}
