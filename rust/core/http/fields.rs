// SPDX-License-Identifier: GPL-2.0

//! Field lines (RFC 9112 §5), and what requests and responses share of their meaning.

use super::{
    lex,
    names,
    scan::Kind,
    Framing,
    HeadError,
    Limits,
    Version, //
};

/// How many `Connection` field lines a head may have. Real clients send one, or two.
pub(super) const CONNECTION_LINES: usize = 4;

/// How many bytes the values of `Connection` may have together. Every other field is compared with
/// the names in them, so that this bounds what a head can cost.
pub(super) const CONNECTION_BYTES: usize = 512;

/// A field that means something to a gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Host,
    Connection,
    ContentLength,
    TransferEncoding,
    Upgrade,
    Expect,
    Cookie,
    Te,
    KeepAlive,
    ProxyConnection,
    ForwardedFor,
    Other,
}

impl Field {
    /// What field `name`, a token, is the name of.
    #[inline(always)]
    pub(super) fn of(name: &[u8]) -> Self {
        let is = |spelling: &[u8]| lex::spells(name, spelling);

        match name.len() {
            2 if is(b"te") => Self::Te,
            4 if is(b"host") => Self::Host,
            6 if is(b"cookie") => Self::Cookie,
            6 if is(b"expect") => Self::Expect,
            7 if is(b"upgrade") => Self::Upgrade,
            10 if is(b"connection") => Self::Connection,
            10 if is(b"keep-alive") => Self::KeepAlive,
            14 if is(b"content-length") => Self::ContentLength,
            15 if is(b"x-forwarded-for") => Self::ForwardedFor,
            16 if is(b"proxy-connection") => Self::ProxyConnection,
            17 if is(b"transfer-encoding") => Self::TransferEncoding,
            _ => Self::Other,
        }
    }
}

/// One field line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'a> {
    pub(super) name: &'a [u8],
    /// Without the white space around it.
    pub(super) value: &'a [u8],
    /// All of it, with its CRLF.
    pub(super) raw: &'a [u8],
}

/// The field lines of a head that was found valid.
#[derive(Clone, Debug, Default)]
pub(super) struct Lines<'a> {
    rest: &'a [u8],
}

impl<'a> Lines<'a> {
    pub(super) const fn new(rest: &'a [u8]) -> Self {
        Self { rest }
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    #[inline]
    fn next(&mut self) -> Option<Line<'a>> {
        let (name, colon) = self
            .rest
            .split_at_checked(lex::find_byte(self.rest, b':'))?;
        let (_, after) = colon.split_first()?;
        let (value, _) = after.split_at_checked(lex::find_byte(after, b'\r'))?;
        let len = name
            .len()
            .wrapping_add(value.len())
            .wrapping_add(b":\r\n".len());
        let (raw, rest) = self.rest.split_at_checked(len)?;

        self.rest = rest;
        Some(Line {
            name,
            value: lex::trim(value),
            raw,
        })
    }
}

/// The fields of a head, in the order they came in: names as they were spelled, values without
/// the white space around them.
#[derive(Clone, Debug, Default)]
pub struct Fields<'a> {
    lines: Lines<'a>,
}

impl<'a> Fields<'a> {
    pub(super) const fn new(fields: &'a [u8]) -> Self {
        Self {
            lines: Lines::new(fields),
        }
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = (&'a [u8], &'a [u8]);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.lines.next().map(|line| (line.name, line.value))
    }
}

/// The values of all the fields of one name, in the order they came in.
#[derive(Clone, Debug)]
pub struct Values<'a, 'n> {
    fields: Fields<'a>,
    name: &'n [u8],
}

impl<'a, 'n> Values<'a, 'n> {
    pub(super) const fn new(fields: Fields<'a>, name: &'n [u8]) -> Self {
        Self { fields, name }
    }
}

impl<'a> Iterator for Values<'a, '_> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        let wanted = self.name;
        self.fields
            .find(|(name, _)| name.eq_ignore_ascii_case(wanted))
            .map(|(_, value)| value)
    }
}

/// What was seen in the fields of a head.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Flags(u32);

impl Flags {
    /// `Connection: close`.
    pub(super) const CLOSE: Self = Self(1 << 0);
    /// `Connection: keep-alive`.
    pub(super) const KEEP_ALIVE: Self = Self(1 << 1);
    /// `Connection: upgrade`.
    pub(super) const UPGRADE_OPTION: Self = Self(1 << 2);
    /// `Connection` names some other field.
    pub(super) const NOMINATES: Self = Self(1 << 3);
    /// There is an `Upgrade`.
    pub(super) const UPGRADE: Self = Self(1 << 4);
    /// `Upgrade` names a protocol that may be changed to.
    pub(super) const UPGRADE_USABLE: Self = Self(1 << 5);
    /// `Upgrade` names HTTP/2.
    pub(super) const UPGRADE_H2: Self = Self(1 << 6);
    /// There is a field that only means something on one connection: `Keep-Alive`,
    /// `Proxy-Connection`.
    pub(super) const HOP_FIELD: Self = Self(1 << 7);
    /// `Content-Length`.
    pub(super) const LENGTH: Self = Self(1 << 8);
    /// `Transfer-Encoding: chunked`.
    pub(super) const CHUNKED: Self = Self(1 << 9);
    /// `Connection: TE`.
    pub(super) const TE_OPTION: Self = Self(1 << 10);
    /// `TE: trailers`.
    pub(super) const TE_TRAILERS: Self = Self(1 << 11);
    /// `TE` with something else than `trailers`.
    pub(super) const TE_CODINGS: Self = Self(1 << 12);
    /// `Expect: 100-continue`.
    pub(super) const EXPECT_CONTINUE: Self = Self(1 << 13);
    /// `X-Forwarded-For`.
    pub(super) const FORWARDED_FOR: Self = Self(1 << 14);
    /// `Host`.
    pub(super) const HOST: Self = Self(1 << 15);
    /// The target is an absolute URI.
    pub(super) const ABSOLUTE: Self = Self(1 << 16);
    /// The host has upper-case letters.
    pub(super) const UPPER_HOST: Self = Self(1 << 17);
    /// The version is HTTP/1.0.
    pub(super) const OLD: Self = Self(1 << 18);
    /// The field that frames the message has more white space around its value than one space
    /// before it.
    pub(super) const SPACED_FRAMING: Self = Self(1 << 19);

    #[inline]
    pub(super) const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    #[inline]
    pub(super) fn set(&mut self, other: Self) {
        self.0 |= other.0;
    }

    #[inline]
    pub(super) fn set_if(&mut self, condition: bool, other: Self) {
        if condition {
            self.set(other);
        }
    }

    /// Whether any of `other` was seen.
    #[inline]
    pub(super) const fn any(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// What the first line and the fields of a head say about the message and its connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts {
    pub(super) flags: Flags,
    connection_lines: u8,
    connection_bytes: u16,
    length: u64,
}

impl Facts {
    /// Those of a head of which nothing was read yet.
    pub(super) const NONE: Self = Self {
        flags: Flags(0),
        connection_lines: 0,
        connection_bytes: 0,
        length: 0,
    };

    /// Takes note of the version.
    #[inline]
    pub(super) fn set_version(&mut self, version: Version) {
        self.flags.set_if(version == Version::Http10, Flags::OLD);
    }

    /// The version.
    #[inline]
    pub(super) const fn version(&self) -> Version {
        if self.flags.any(Flags::OLD) {
            Version::Http10
        } else {
            Version::Http11
        }
    }

    /// Takes note of a field with which `line` begins.
    #[inline]
    pub(super) fn take(
        &mut self,
        kind: Kind,
        field: Field,
        value: &[u8],
        line: &[u8],
    ) -> Result<(), HeadError> {
        match field {
            Field::Connection => self.take_connection(value),
            Field::ContentLength => {
                if self.flags.any(Flags::LENGTH) {
                    return Err(HeadError::ManyLengths);
                }
                self.flags.set(Flags::LENGTH);
                self.length = lex::decimal(value).ok_or(HeadError::BadLength)?;
                self.take_space(b"content-length", value, line);
                Ok(())
            }
            Field::TransferEncoding => {
                self.take_space(b"transfer-encoding", value, line);
                self.take_coding(value)
            }
            Field::Upgrade => {
                self.take_upgrade(kind, value);
                Ok(())
            }
            Field::KeepAlive | Field::ProxyConnection => {
                self.flags.set(Flags::HOP_FIELD);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Takes note of the white space around the value of the field `name`, with which `line`
    /// begins.
    #[inline]
    fn take_space(&mut self, name: &[u8], value: &[u8], line: &[u8]) {
        let after = line.get(name.len().wrapping_add(1)..).unwrap_or_default();
        let after = match after {
            [b' ', after @ ..] => after,
            _ => after,
        };

        // There is no CR in a value.
        let plain = after.get(value.len()) == Some(&b'\r');
        self.flags.set_if(!plain, Flags::SPACED_FRAMING);
    }

    fn take_connection(&mut self, value: &[u8]) -> Result<(), HeadError> {
        let bytes = usize::from(self.connection_bytes).saturating_add(value.len());
        if usize::from(self.connection_lines) >= CONNECTION_LINES || bytes > CONNECTION_BYTES {
            return Err(HeadError::BadConnection);
        }
        self.connection_lines = self.connection_lines.wrapping_add(1);
        self.connection_bytes = bytes as u16;
        // What most servers and old clients say in every message.
        if value == b"keep-alive" {
            self.flags.set(Flags::KEEP_ALIVE);
        } else {
            self.take_options(value);
        }
        Ok(())
    }

    #[inline(never)]
    fn take_options(&mut self, value: &[u8]) {
        for option in lex::elements(value) {
            self.flags.set(option_flag(option));
        }
    }

    /// The one coding that is understood is `chunked`, once. Anything else is refused: as a message
    /// whose end nobody could know, unless `chunked` comes last (RFC 9112 §6.3, rule 4), and else
    /// as one that would make sense to another recipient.
    #[inline(never)]
    fn take_coding(&mut self, value: &[u8]) -> Result<(), HeadError> {
        if self.flags.any(Flags::CHUNKED) {
            return Err(HeadError::BadCoding);
        }
        if value.eq_ignore_ascii_case(b"chunked") {
            self.flags.set(Flags::CHUNKED);
            return Ok(());
        }
        let mut codings = value.split(|&byte| byte == b',').map(lex::trim).peekable();
        while let Some(coding) = codings.next() {
            let name = lex::trim(
                coding
                    .split(|&byte| byte == b';')
                    .next()
                    .unwrap_or_default(),
            );
            let chunked = name.eq_ignore_ascii_case(b"chunked");
            let last = codings.peek().is_none();
            if name.is_empty()
                || !lex::all(name, lex::TOKEN)
                || chunked != last
                || chunked && name.len() < coding.len()
            {
                return Err(HeadError::BadCoding);
            }
        }
        Err(HeadError::UnknownCoding)
    }

    /// A change to HTTP/2 within a connection would carry requests past the rules, so that the
    /// client's wish for it is not passed on.
    #[inline(never)]
    fn take_upgrade(&mut self, kind: Kind, value: &[u8]) {
        self.flags.set(Flags::UPGRADE);
        for protocol in lex::elements(value) {
            if kind == Kind::Request && is_http2(protocol) {
                self.flags.set(Flags::UPGRADE_H2);
            } else {
                self.flags.set(Flags::UPGRADE_USABLE);
            }
        }
    }

    /// Whether what the fields say about the framing can be (RFC 9112 §6.1, §6.3).
    #[inline]
    pub(super) fn check_framing(&self) -> Result<(), HeadError> {
        if !self.flags.any(Flags::CHUNKED) {
            Ok(())
        } else if self.flags.any(Flags::OLD) {
            Err(HeadError::CodingInOld)
        } else if self.flags.any(Flags::LENGTH) {
            Err(HeadError::LengthAndCoding)
        } else {
            Ok(())
        }
    }

    /// What the fields say about the framing, where they say anything (RFC 9112 §6.3, rules 3 to
    /// 6).
    #[inline]
    pub(super) const fn framing(&self) -> Option<Framing> {
        if self.flags.any(Flags::CHUNKED) {
            Some(Framing::Chunked)
        } else if self.flags.any(Flags::LENGTH) {
            Some(Framing::Length(self.length))
        } else {
            None
        }
    }

    /// Whether the head itself promises content.
    pub(super) const fn has_content(&self) -> bool {
        matches!(
            self.framing(),
            Some(Framing::Chunked | Framing::Length(1..))
        )
    }

    /// Whether the connection persists after the message (RFC 9112 §9.3).
    pub(super) const fn persistent(&self) -> bool {
        !self.flags.any(Flags::CLOSE)
            && (!self.flags.any(Flags::OLD) || self.flags.any(Flags::KEEP_ALIVE))
    }

    /// Whether both halves of an upgrade are there (RFC 9110 §7.8).
    pub(super) const fn upgrade(&self) -> bool {
        !self.flags.any(Flags::OLD)
            && self.flags.any(Flags::UPGRADE_OPTION)
            && self.flags.any(Flags::UPGRADE_USABLE)
    }
}

/// The fields that `Connection` names (RFC 9110 §7.6.1).
pub(super) struct Nominated<'a> {
    /// The values of the `Connection` fields, if they name any.
    values: [&'a [u8]; CONNECTION_LINES],
}

impl<'a> Nominated<'a> {
    /// Those of a head with `fields`, of which `flags` were seen.
    pub(super) fn new(flags: Flags, fields: &'a [u8]) -> Self {
        let mut values: [&[u8]; CONNECTION_LINES] = [&[]; CONNECTION_LINES];

        if flags.any(Flags::NOMINATES.with(Flags::TE_OPTION)) {
            let lines = Lines::new(fields).filter(|line| Field::of(line.name) == Field::Connection);
            for (value, line) in values.iter_mut().zip(lines) {
                *value = line.value;
            }
        }
        Self { values }
    }

    /// Whether `name` is among them.
    pub(super) fn has(&self, name: &[u8]) -> bool {
        self.values
            .iter()
            .flat_map(|value| lex::elements(value))
            .any(|option| option.eq_ignore_ascii_case(name))
    }
}

/// Whether `protocol`, an element of `Upgrade`, is HTTP/2: by one of its names, with or without a
/// version or the number of a draft (`h2c-14`, `HTTP-draft-09/2.0`).
pub(super) fn is_http2(protocol: &[u8]) -> bool {
    let is_end = |&byte: &u8| matches!(byte, b'/' | b'-');
    let name = protocol.split(is_end).next().unwrap_or_default();
    let version = protocol.rsplit(|&byte| byte == b'/').next();

    name.eq_ignore_ascii_case(b"h2c")
        || name.eq_ignore_ascii_case(b"h2")
        || name.eq_ignore_ascii_case(b"http") && version.is_some_and(|it| it.starts_with(b"2"))
}

fn option_flag(option: &[u8]) -> Flags {
    let (flag, spelling): (Flags, &[u8]) = match option.len() {
        2 => (Flags::TE_OPTION, b"te"),
        5 => (Flags::CLOSE, b"close"),
        7 => (Flags::UPGRADE_OPTION, b"upgrade"),
        10 => (Flags::KEEP_ALIVE, b"keep-alive"),
        _ => return Flags::NOMINATES,
    };
    if option.eq_ignore_ascii_case(spelling) {
        flag
    } else {
        Flags::NOMINATES
    }
}

/// Reads the field lines that `bytes` begin with, up to the empty line. `take` is told of each that
/// means something: what it is, its value, and the bytes from its start on.
///
/// Returns what is behind the empty line.
///
/// # Errors
///
/// What `take` says, and what is wrong with the lines themselves.
#[inline(always)]
pub(super) fn read<'a>(
    bytes: &'a [u8],
    limits: &Limits,
    mut take: impl FnMut(Field, &'a [u8], &'a [u8]) -> Result<(), HeadError>,
) -> Result<&'a [u8], HeadError> {
    let mut rest = bytes;
    let mut left = limits.headers_max;

    loop {
        let (field, after) = match names::strip(rest) {
            Some(found) => found,
            None => match rest {
                [b'\r', b'\n', behind @ ..] => return Ok(behind),
                _ => name(rest)?,
            },
        };
        if left == 0 {
            return Err(HeadError::TooManyFields);
        }
        left = left.wrapping_sub(1);

        if field == Field::Other {
            (_, rest) = line(after)?;
            continue;
        }
        let (end, next) = line(after)?;
        take(field, lex::trim(lex::before(after, end)), rest)?;
        rest = next;
    }
}

/// The field that `rest` begins with the name of, and what is behind its colon.
#[inline(never)]
fn name(rest: &[u8]) -> Result<(Field, &[u8]), HeadError> {
    let after = lex::skip_token(rest);
    let name = lex::before(rest, after);

    match after {
        [b':', after @ ..] if !name.is_empty() => Ok((Field::of(name), after)),
        _ => Err(not_a_name(rest, name, after)),
    }
}

/// `bytes` from their first CRLF on, and what is behind that.
#[inline(always)]
pub(super) fn line(bytes: &[u8]) -> Result<(&[u8], &[u8]), HeadError> {
    let mut end = lex::seek_odd(bytes);

    loop {
        if let Some(next) = lex::strip(end, b"\r\n") {
            return Ok((end, next));
        }
        match skip_odd(end) {
            Some(rest) => end = rest,
            None => return Err(bad_line(end)),
        }
    }
}

/// `rest` from the first control byte on that is not its first, if that may be in a line.
#[cold]
#[inline(never)]
fn skip_odd(rest: &[u8]) -> Option<&[u8]> {
    match rest {
        [b'\t' | 0x80.., after @ ..] => Some(lex::seek_control(after)),
        _ => None,
    }
}

/// Why `rest`, a line from its first control byte on, is no end of one.
#[cold]
#[inline(never)]
fn bad_line(rest: &[u8]) -> HeadError {
    match rest {
        [b'\r' | b'\n', ..] => HeadError::BareLineEnd,
        [_, ..] => HeadError::ControlByte,
        [] => HeadError::NotOneHead,
    }
}

/// Why `rest` begins with no field's name: with `name`, which `after` does not go on from.
#[cold]
fn not_a_name(rest: &[u8], name: &[u8], after: &[u8]) -> HeadError {
    match after.first() {
        None | Some(b'\r') if name.is_empty() => match after.get(1) {
            // Bytes behind the empty line, or none where it should be.
            Some(b'\n') | None => HeadError::NotOneHead,
            Some(_) => HeadError::BareLineEnd,
        },
        None => HeadError::NotOneHead,
        Some(b' ' | b'\t') if rest.len() == after.len() => HeadError::Folded,
        Some(b'\r') if after.get(1) == Some(&b'\n') => HeadError::BadFieldName,
        Some(b'\r' | b'\n') => HeadError::BareLineEnd,
        Some(byte) if byte.is_ascii_control() && *byte != b'\t' => HeadError::ControlByte,
        Some(_) => HeadError::BadFieldName,
    }
}
