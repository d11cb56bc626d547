// SPDX-License-Identifier: GPL-2.0

//! Heads read another way: line by line and byte by byte, with copies, and in no hurry.
//!
//! What the parsers in `core` read must be what is read here, and what they refuse must be refused
//! here, whatever the bytes.

mod request;
mod response;

pub use self::{
    request::{
        authority,
        request,
        Request, //
    },
    response::{
        response,
        Response, //
    },
};

use ktcpvs_core::http::{
    Framing,
    Limits, //
};

/// A field: its name in lower case, and its value without the white space around it.
pub type Field = (Vec<u8>, Vec<u8>);

/// The lines of a head.
struct Lines<'a> {
    first: &'a [u8],
    fields: Vec<Field>,
    /// How many bytes it has, with the empty lines before it.
    len: usize,
    /// How many of these are before it.
    leading: usize,
}

/// The lines of the head that `bytes` begin with, before which `empty` lines are allowed, if they
/// are lines of a head and within `limits`.
fn lines<'a>(bytes: &'a [u8], empty: usize, limits: &Limits) -> Option<Lines<'a>> {
    let mut at = 0;

    while bytes[at..].starts_with(b"\r\n") {
        at += 2;
        if at > 2 * empty {
            return None;
        }
    }
    let leading = at;
    let mut lines = Vec::new();
    loop {
        let rest = &bytes[at..];
        let end = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n'))?;

        if !rest[end..].starts_with(b"\r\n") {
            return None;
        }
        at += end + 2;
        if end == 0 {
            break;
        }
        lines.push(&rest[..end]);
    }
    let bad = |byte: &u8| byte.is_ascii_control() && *byte != b'\t';
    let (first, fields) = lines.split_first()?;
    if lines.iter().any(|line| line.iter().any(bad))
        || fields.len() > limits.headers_max
        || at > limits.head_max.min(65535)
    {
        return None;
    }
    Some(Lines {
        first,
        fields: fields
            .iter()
            .map(|line| field(line))
            .collect::<Option<_>>()?,
        len: at,
        leading,
    })
}

/// The field that `line` writes.
fn field(line: &[u8]) -> Option<Field> {
    let colon = line.iter().position(|&byte| byte == b':')?;
    let (name, value) = (&line[..colon], &line[colon + 1..]);

    is_token(name).then(|| (name.to_ascii_lowercase(), trim(value).to_vec()))
}

/// Whether `bytes` are a token (RFC 9110 §5.6.2).
pub fn is_token(bytes: &[u8]) -> bool {
    let good = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);

    !bytes.is_empty() && bytes.iter().all(good)
}

/// `bytes` without the spaces and tabs at its ends.
pub fn trim(bytes: &[u8]) -> &[u8] {
    let space = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = bytes.iter().position(|byte| !space(byte));
    let end = bytes.iter().rposition(|byte| !space(byte));

    match (start, end) {
        (Some(start), Some(end)) => &bytes[start..=end],
        _ => b"",
    }
}

/// The elements of the fields named `name`, in lower case.
pub fn elements(fields: &[Field], name: &str) -> Vec<Vec<u8>> {
    values(fields, name)
        .iter()
        .flat_map(|value| value.split(|&byte| byte == b','))
        .map(|element| trim(element).to_ascii_lowercase())
        .filter(|element| !element.is_empty())
        .collect()
}

/// The values of the fields named `name`.
pub fn values<'f>(fields: &'f [Field], name: &str) -> Vec<&'f [u8]> {
    let named = fields.iter().filter(|field| field.0 == name.as_bytes());

    named.map(|field| &field.1[..]).collect()
}

/// The cookies in `fields` that have an `=`: name and value.
pub fn cookies(fields: &[Field]) -> Vec<(&[u8], &[u8])> {
    let cookie = |pair: &'_ [u8]| pair.iter().position(|&byte| byte == b'=');

    values(fields, "cookie")
        .into_iter()
        .flat_map(|value| value.split(|&byte| byte == b';'))
        .filter_map(|pair| {
            let at = cookie(pair)?;
            Some((trim(&pair[..at]), trim(&pair[at + 1..])))
        })
        .collect()
}

/// Whether `bytes` are the name of HTTP/2 in an `Upgrade`.
pub fn is_http2(protocol: &[u8]) -> bool {
    let text = String::from_utf8_lossy(protocol).to_ascii_lowercase();
    let name = text.split(['/', '-']).next();

    match name {
        Some("h2" | "h2c") => true,
        Some("http") => text
            .rsplit('/')
            .next()
            .is_some_and(|it| it.starts_with('2')),
        _ => false,
    }
}

/// What the fields of a message of HTTP/1.0, if it is `old`, or else 1.1 say about its framing, and
/// whether its connection persists. `None`, if they are refused.
fn meaning(fields: &[Field], old: bool) -> Option<(Option<Framing>, bool)> {
    let connection = values(fields, "connection");
    let bytes: usize = connection.iter().map(|value| value.len()).sum();
    if connection.len() > 4 || bytes > 512 {
        return None;
    }
    let framing = match (
        &values(fields, "content-length")[..],
        &values(fields, "transfer-encoding")[..],
    ) {
        ([], []) => None,
        ([length], []) => {
            let digits = length.iter().all(u8::is_ascii_digit);
            let length = std::str::from_utf8(length).ok().filter(|_| digits)?;
            Some(Framing::Length(length.parse().ok()?))
        }
        ([], [coding]) if !old && coding.eq_ignore_ascii_case(b"chunked") => Some(Framing::Chunked),
        _ => return None,
    };
    let options = elements(fields, "connection");
    let has = |option: &str| options.iter().any(|found| found == option.as_bytes());

    Some((framing, !has("close") && (!old || has("keep-alive"))))
}

/// Whether `version` is the old one, if it is one that is spoken.
fn is_old(version: &[u8]) -> Option<bool> {
    match version {
        b"HTTP/1.0" => Some(true),
        b"HTTP/1.1" => Some(false),
        _ => None,
    }
}
