// SPDX-License-Identifier: GPL-2.0

//! Reading a request.
//!
//! The request is written where it lies, piece by piece, since a call that returns a large value is
//! dear where the compiler has no vector registers to move it with.

use super::{
    Method,
    Request, //
};
use crate::http::{
    fields::{
        self,
        Facts,
        Field,
        Flags, //
    },
    lex,
    scan::{
        Kind,
        EMPTY_LINES,
        METHOD_MAX, //
    },
    span::{
        self,
        Span, //
    },
    uri::{
        Authority,
        Target, //
    },
    HeadError,
    Limits,
    Version,
    HOST_MAX, //
};

impl<'a> Request<'a> {
    /// One of which nothing was read yet.
    pub(super) const UNREAD: Self = Self {
        head: &[],
        facts: Facts::NONE,
        target: Span::EMPTY,
        url: 0,
        path_len: 0,
        authority: Span::EMPTY,
        cookies: 0,
        host_len: 0,
        method: Method::Other,
        method_len: 0,
        leading: 0,
    };

    /// Reads the head that `bytes` begin with, which has at least `len` bytes. It is nothing to go
    /// by if it is beyond the limits.
    pub(super) fn read(
        &mut self,
        bytes: &'a [u8],
        limits: &Limits,
        len: usize,
    ) -> Result<(), HeadError> {
        let start = self.skip_empty_lines(bytes)?;
        let (target, lines) = self.read_line(bytes, start, limits)?;
        if len > limits.head() {
            return Err(HeadError::TooLarge);
        }
        match target {
            [b'/', ..] if self.method != Method::Connect => {}
            _ => self.read_target(target)?,
        }
        let mut host: &[u8] = &[];
        let behind = fields::read(lines, limits, |field, value, from| match field {
            Field::Host => {
                if self.facts.flags.any(Flags::HOST) {
                    return Err(HeadError::ManyHosts);
                }
                self.facts.flags.set(Flags::HOST);
                host = value;
                Ok(())
            }
            Field::Cookie => {
                if self.cookies == 0 {
                    self.cookies = span::offset(bytes, from);
                }
                Ok(())
            }
            _ => self.take(field, value, from),
        })?;

        self.choose_host(bytes, target, host)?;
        self.facts.check_framing()?;
        self.head = lex::before(bytes, behind);
        Ok(())
    }

    /// Passes over the empty lines before a request line. Returns what follows.
    #[inline(always)]
    fn skip_empty_lines(&mut self, head: &'a [u8]) -> Result<&'a [u8], HeadError> {
        let mut rest = head;

        while let [b'\r', b'\n', after @ ..] = rest {
            rest = after;
            self.leading = self.leading.saturating_add(2);
        }
        if self.leading > EMPTY_LINES.saturating_mul(2) {
            return Err(HeadError::EmptyLines);
        }
        Ok(rest)
    }

    /// Reads the request line that `start` begins with, a part of `bytes`. Returns its target and
    /// what follows the line.
    #[inline(always)]
    fn read_line(
        &mut self,
        bytes: &'a [u8],
        start: &'a [u8],
        limits: &Limits,
    ) -> Result<(&'a [u8], &'a [u8]), HeadError> {
        let bad = HeadError::BadStartLine;
        let (method, method_len, after) = match usual_method(start) {
            Some(found) => found,
            None => method(start)?,
        };
        let (query, end) = target_end(after);
        let (target, after) = after.split_at_checked(end).ok_or(bad)?;
        if target.len() > limits.target_max {
            return Err(HeadError::TargetTooLong);
        }
        let lines = match lex::strip(after, b" HTTP/1.1\r\n") {
            Some(lines) if !target.is_empty() => lines,
            _ => self.read_line_end(target, after)?,
        };

        self.method = method;
        self.method_len = method_len;
        self.target = Span::of(bytes, target);
        self.path_len = query as u16;
        Ok((target, lines))
    }

    /// Reads `after`, what is behind the target, where it is not what is usual. Returns what follows
    /// the line.
    #[inline(never)]
    fn read_line_end(&mut self, target: &[u8], after: &'a [u8]) -> Result<&'a [u8], HeadError> {
        let after = match after {
            [b' ', after @ ..] if !target.is_empty() => after,
            [b' ' | b'\r' | b'\n', ..] | [] => return Err(HeadError::BadStartLine),
            _ => return Err(HeadError::BadTarget),
        };
        let (version, after) = version(after)?;

        self.facts.set_version(version);
        match after {
            [b'\r', b'\n', lines @ ..] => Ok(lines),
            _ => Err(HeadError::BadStartLine),
        }
    }

    /// Takes note of a target that is not simply a path.
    #[inline(never)]
    fn read_target(&mut self, target: &[u8]) -> Result<(), HeadError> {
        let target = Target::parse(self.method, target)?;

        self.url = target.url as u16;
        self.path_len = target.path_len as u16;
        self.facts
            .flags
            .set_if(target.absolute.is_some(), Flags::ABSOLUTE);
        Ok(())
    }

    /// Takes note of a field that fewer requests have, with which `line` begins.
    #[inline(never)]
    fn take(&mut self, field: Field, value: &[u8], line: &[u8]) -> Result<(), HeadError> {
        let flags = &mut self.facts.flags;

        match field {
            Field::Expect => {
                let expected = value.eq_ignore_ascii_case(b"100-continue");
                flags.set_if(expected, Flags::EXPECT_CONTINUE);
            }
            Field::Te => {
                for coding in lex::elements(value) {
                    let trailers = coding.eq_ignore_ascii_case(b"trailers");
                    flags.set_if(trailers, Flags::TE_TRAILERS);
                    flags.set_if(!trailers, Flags::TE_CODINGS);
                }
            }
            Field::ForwardedFor => flags.set(Flags::FORWARDED_FOR),
            _ => return self.facts.take(Kind::Request, field, value, line),
        }
        Ok(())
    }

    /// Finds the host that the request is for (RFC 9112 §3.2, §3.3): `field` is the value of its
    /// `Host`.
    #[inline(always)]
    fn choose_host(&mut self, bytes: &[u8], target: &[u8], field: &[u8]) -> Result<(), HeadError> {
        if !self.facts.flags.any(Flags::HOST.with(Flags::OLD)) {
            return Err(HeadError::NoHost);
        }
        // The usual host is a name that has no port and does not end with a dot.
        if field.len() <= HOST_MAX
            && lex::is_lower_name(field)
            && field.last() != Some(&b'.')
            && !self.facts.flags.any(Flags::ABSOLUTE)
        {
            self.authority = Span::of(bytes, field);
            self.host_len = field.len() as u8;
            return Ok(());
        }
        self.choose_any_host(bytes, target, field)
    }

    #[inline(never)]
    fn choose_any_host(
        &mut self,
        bytes: &[u8],
        target: &[u8],
        field: &[u8],
    ) -> Result<(), HeadError> {
        let mut authority = Authority::parse(field).ok_or(HeadError::BadHost)?;

        if self.facts.flags.any(Flags::ABSOLUTE) {
            // That it can be read was seen before.
            let named = Target::parse(self.method, target)?.absolute;
            let (named, port) = named.ok_or(HeadError::BadTarget)?;
            if self.facts.flags.any(Flags::HOST) && !authority.same(&named, port) {
                return Err(HeadError::HostMismatch);
            }
            authority = named;
        }
        let upper = authority.host.iter().any(u8::is_ascii_uppercase);
        self.facts.flags.set_if(upper, Flags::UPPER_HOST);
        self.authority = Span::of(bytes, authority.text);
        // At most HOST_MAX.
        self.host_len = authority.host.len() as u8;
        Ok(())
    }
}

/// The method that `start` begins with, how long its name is, and what is behind its space, if it
/// is one of those that most requests have.
#[inline(always)]
fn usual_method(start: &[u8]) -> Option<(Method, u8, &[u8])> {
    if let Some(after) = lex::strip(start, b"GET ") {
        Some((Method::Get, 3, after))
    } else if let Some(after) = lex::strip(start, b"POST ") {
        Some((Method::Post, 4, after))
    } else {
        lex::strip(start, b"HEAD ").map(|after| (Method::Head, 4, after))
    }
}

/// The method that `start` begins with, how long its name is, and what is behind its space.
#[inline(never)]
fn method(start: &[u8]) -> Result<(Method, u8, &[u8]), HeadError> {
    let after = lex::skip_token(start);
    let name = lex::before(start, after);

    if name.len() > METHOD_MAX {
        return Err(HeadError::MethodTooLong);
    }
    match after {
        [b' ', after @ ..] if !name.is_empty() => Ok((Method::of(name), name.len() as u8, after)),
        _ => Err(HeadError::BadStartLine),
    }
}

/// Where the first `?` and the end are of the target that `bytes` begin with.
fn target_end(bytes: &[u8]) -> (usize, usize) {
    let query = lex::find_target_stop(bytes);
    let mut end = query;

    while let Some([b'?', rest @ ..]) = bytes.get(end..) {
        end = end
            .wrapping_add(1)
            .wrapping_add(lex::find_target_stop(rest));
    }
    (query, end)
}

/// The version that `bytes` begin with, and what follows it.
#[inline]
pub(in crate::http) fn version(bytes: &[u8]) -> Result<(Version, &[u8]), HeadError> {
    if let Some(rest) = lex::strip(bytes, b"HTTP/1.1") {
        Ok((Version::Http11, rest))
    } else if let Some(rest) = lex::strip(bytes, b"HTTP/1.0") {
        Ok((Version::Http10, rest))
    } else {
        Err(bad_version(bytes))
    }
}

/// Why `bytes` begin with no version that is spoken here.
#[cold]
fn bad_version(bytes: &[u8]) -> HeadError {
    match bytes {
        [b'H', b'T', b'T', b'P', b'/', major, b'.', minor, ..]
            if major.is_ascii_digit() && minor.is_ascii_digit() =>
        {
            HeadError::Version
        }
        _ => HeadError::BadStartLine,
    }
}
