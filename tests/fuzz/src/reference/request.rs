// SPDX-License-Identifier: GPL-2.0

//! Requests, read another way.

use super::{
    elements,
    is_http2,
    is_old,
    is_token,
    lines,
    meaning,
    values,
    Field, //
};
use ktcpvs_core::http::{
    Framing,
    Limits,
    HOST_MAX, //
};

/// The head of a request.
#[derive(Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "as in ktcpvs_core::http::Request")]
pub struct Request<'a> {
    pub len: usize,
    pub leading: usize,
    pub method: &'a [u8],
    pub target: &'a [u8],
    pub url: &'a [u8],
    pub host: Vec<u8>,
    pub old: bool,
    pub framing: Framing,
    pub persistent: bool,
    pub upgrade: bool,
    pub fields: Vec<Field>,
}

/// A host without the dot that may end it, and a port.
type Authority<'a> = (&'a [u8], Option<u16>);

/// An authority, and the port that its scheme has by default.
type Named<'a> = (Authority<'a>, u16);

/// Reads the request that `bytes` begin with, if it is a whole and valid one.
pub fn request<'a>(bytes: &'a [u8], limits: &Limits) -> Option<Request<'a>> {
    let lines = lines(bytes, 4, limits)?;
    let words: Vec<_> = lines.first.split(|&byte| byte == b' ').collect();
    let [method, target, version] = words[..] else {
        return None;
    };
    let old = is_old(version)?;
    let (framing, persistent) = meaning(&lines.fields, old)?;
    let visible = |byte: &u8| byte.is_ascii_graphic() && *byte != b'#';

    if !is_token(method)
        || method.len() > 32
        || method == b"CONNECT"
        || !target.iter().all(visible)
        || target.len() > limits.target_max
    {
        return None;
    }
    let (url, named) = parts(method, target)?;
    let host = host(&values(&lines.fields, "host"), named, old)?;
    let options = elements(&lines.fields, "connection");
    let mut protocols = elements(&lines.fields, "upgrade").into_iter();

    Some(Request {
        len: lines.len,
        leading: lines.leading,
        method,
        target,
        url,
        host: host.to_vec(),
        old,
        framing: framing.unwrap_or(Framing::None),
        persistent,
        upgrade: !old
            && matches!(framing, None | Some(Framing::None | Framing::Length(0)))
            && options.contains(&b"upgrade".to_vec())
            && protocols.any(|protocol| !is_http2(&protocol)),
        fields: lines.fields,
    })
}

/// Path and query of a target, and the authority that it names with the port of its scheme.
fn parts<'a>(method: &[u8], target: &'a [u8]) -> Option<(&'a [u8], Option<Named<'a>>)> {
    if target.starts_with(b"/") || (target == b"*" && method == b"OPTIONS") {
        return Some((target, None));
    }
    let colon = target.windows(3).position(|three| three == b"://")?;
    let port = match &target[..colon].to_ascii_lowercase()[..] {
        b"http" => 80,
        b"https" => 443,
        _ => return None,
    };
    let rest = &target[colon + 3..];
    let slash = rest.iter().position(|&byte| byte == b'/');
    let (text, url) = rest.split_at(slash.unwrap_or(rest.len()));
    let (host, named) = authority(text)?;
    let url = match url {
        [] if method == b"OPTIONS" => b"*",
        [] => b"/",
        _ => url,
    };

    (!host.is_empty()).then_some((url, Some(((host, named), port))))
}

/// The host that a request is for whose fields name `fields`, and whose target `named`.
fn host<'a>(fields: &[&'a [u8]], named: Option<Named<'a>>, old: bool) -> Option<&'a [u8]> {
    let field = match *fields {
        [] if old => None,
        [field] => Some(authority(field)?),
        _ => return None,
    };
    match (field, named) {
        (None, None) => Some(b""),
        (Some((host, _)), None) | (None, Some(((host, _), _))) => Some(host),
        (Some(field), Some((named, port))) => {
            let same = field.0.eq_ignore_ascii_case(named.0)
                && field.1.unwrap_or(port) == named.1.unwrap_or(port);
            same.then_some(named.0)
        }
    }
}

/// Reads `uri-host [ ":" port ]`, where the host may be empty (RFC 3986 §3.2, RFC 9110 §7.2).
pub fn authority(text: &[u8]) -> Option<Authority<'_>> {
    let (host, port) = if text.starts_with(b"[") {
        let close = text.iter().position(|&byte| byte == b']')?;
        let inner = &text[1..close];
        let digit = |byte: &u8| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.');

        if !inner.contains(&b':') || !inner.iter().all(digit) {
            return None;
        }
        text.split_at(close + 1)
    } else {
        let colon = text.iter().position(|&byte| byte == b':');
        text.split_at(colon.unwrap_or(text.len()))
    };
    let name = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=%".contains(byte);
    let escapes = host.split(|&byte| byte == b'%').skip(1);
    let whole = |after: &[u8]| after.len() >= 2 && after[..2].iter().all(u8::is_ascii_hexdigit);

    if host.len() > HOST_MAX || !(host.starts_with(b"[") || host.iter().all(name)) {
        return None;
    }
    if !host.starts_with(b"[") && !escapes.into_iter().all(whole) {
        return None;
    }
    let port = match port {
        [] | [b':'] => None,
        [b':', digits @ ..] if digits.len() <= 5 && digits.iter().all(u8::is_ascii_digit) => {
            Some(std::str::from_utf8(digits).ok()?.parse().ok()?)
        }
        _ => return None,
    };
    match host {
        [name @ .., b'.'] if !name.is_empty() => Some((name, port)),
        _ => Some((host, port)),
    }
}
