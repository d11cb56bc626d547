// SPDX-License-Identifier: GPL-2.0

//! Request targets (RFC 9112 §3.2) and authorities (RFC 3986 §3.2).

use super::{
    lex,
    HeadError,
    Method, //
};

/// How many bytes a host may have. A name in the DNS has 253 at most.
pub const HOST_MAX: usize = 255;

/// A target, taken apart.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target<'a> {
    /// Where path and query begin, as they were received: an absolute target may have neither, for
    /// which `/` or `*` is read.
    pub(super) url: usize,
    /// How many bytes of that are before the `?`.
    pub(super) path_len: usize,
    /// The authority of an absolute target, and the port its scheme has by default.
    pub(super) absolute: Option<(Authority<'a>, u16)>,
}

/// A host and a port.
#[derive(Clone, Copy, Debug)]
pub(super) struct Authority<'a> {
    /// All of it.
    pub(super) text: &'a [u8],
    /// The host, an IPv6 address with its brackets, without the dot that may end a name.
    pub(super) host: &'a [u8],
    /// The port, if one is given.
    pub(super) port: Option<u16>,
}

impl<'a> Authority<'a> {
    /// Reads the value of a `Host` field or the authority of a target: `uri-host [ ":" port ]`.
    ///
    /// The host may be empty (RFC 9110 §7.2); user information is not allowed (RFC 9110 §4.2.4).
    pub(super) fn parse(text: &'a [u8]) -> Option<Self> {
        let (host, port) = match text {
            [b'[', literal @ ..] => {
                let inner = lex::span(literal, lex::IP_LITERAL);
                // Both brackets belong to the host.
                let (host, after) = text.split_at_checked(inner.checked_add(2)?)?;
                if host.last() != Some(&b']') || !host.contains(&b':') {
                    return None;
                }
                (host, after)
            }
            _ => {
                let (name, after) = text.split_at_checked(lex::span(text, lex::REG_NAME))?;
                if !escapes_are_whole(name) {
                    return None;
                }
                (name, after)
            }
        };
        let port = match port {
            [] | [b':'] => None,
            [b':', digits @ ..] if digits.len() <= 5 => {
                Some(u16::try_from(lex::decimal(digits)?).ok()?)
            }
            _ => return None,
        };
        if host.len() > HOST_MAX {
            return None;
        }
        let host = match host {
            [name @ .., b'.'] if !name.is_empty() => name,
            _ => host,
        };
        Some(Self { text, host, port })
    }

    /// Whether both name the same origin under a scheme whose port is `default`.
    pub(super) fn same(&self, other: &Self, default: u16) -> bool {
        self.host.eq_ignore_ascii_case(other.host)
            && self.port.unwrap_or(default) == other.port.unwrap_or(default)
    }
}

impl<'a> Target<'a> {
    /// Reads the target of a request with `method`.
    pub(super) fn parse(method: Method, target: &'a [u8]) -> Result<Self, HeadError> {
        match target {
            _ if method == Method::Connect => Err(HeadError::Connect),
            [b'/', ..] => Ok(Self {
                url: 0,
                path_len: lex::find_byte(target, b'?'),
                absolute: None,
            }),
            b"*" if method == Method::Options => Ok(Self {
                url: 0,
                path_len: 1,
                absolute: None,
            }),
            _ => Self::absolute(target),
        }
    }

    /// Reads an absolute target (RFC 9112 §3.2.2), of which this gateway serves `http` and
    /// `https`.
    fn absolute(target: &'a [u8]) -> Result<Self, HeadError> {
        let (after, port) = if let Some(after) = strip_scheme(target, b"http://") {
            (after, 80)
        } else if let Some(after) = strip_scheme(target, b"https://") {
            (after, 443)
        } else {
            return Err(HeadError::BadTarget);
        };
        let end = after
            .iter()
            .position(|byte| matches!(byte, b'/' | b'?'))
            .unwrap_or(after.len());
        let (authority, url) = after.split_at_checked(end).ok_or(HeadError::BadTarget)?;
        let authority = Authority::parse(authority).ok_or(HeadError::BadTarget)?;

        if authority.host.is_empty() {
            return Err(HeadError::BadTarget);
        }
        let path_len = match url {
            // What is read for it has one byte.
            [] => 1,
            [b'/', ..] => lex::find_byte(url, b'?'),
            // A query without a path has no one form that rules could be written for, and no
            // client sends it.
            _ => return Err(HeadError::BadTarget),
        };
        Ok(Self {
            url: target.len().wrapping_sub(url.len()),
            path_len,
            absolute: Some((authority, port)),
        })
    }
}

/// Whether two hexadecimal digits follow each `%` (RFC 3986 §2.1).
fn escapes_are_whole(name: &[u8]) -> bool {
    name.split(|&byte| byte == b'%')
        .skip(1)
        .all(|after| matches!(after, [a, b, ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit()))
}

/// What follows `scheme` in `target`, in whatever case it is spelled.
fn strip_scheme<'a>(target: &'a [u8], scheme: &[u8]) -> Option<&'a [u8]> {
    let (start, after) = target.split_at_checked(scheme.len())?;
    start.eq_ignore_ascii_case(scheme).then_some(after)
}
