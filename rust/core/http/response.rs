// SPDX-License-Identifier: GPL-2.0

//! Responses: the status line (RFC 9112 §4) and what the fields say about the response.

use super::{
    fields::{
        self,
        Facts, //
    },
    lex,
    request,
    scan::Kind,
    span,
    Fields,
    Framing,
    HeadError,
    Limits,
    Values,
    Version, //
};

/// The head of a response.
#[derive(Clone, Copy, Debug)]
pub struct Response<'a> {
    /// All of it.
    head: &'a [u8],
    pub(super) facts: Facts,
    status: u16,
    /// Where the fields are, behind the status line.
    fields: u16,
}

/// How long the version is in a status line.
const VERSION_LEN: usize = b"HTTP/1.1".len();

/// What is in a status line beside the reason phrase.
const AROUND_REASON: usize = b"HTTP/1.1 200 \r\n".len();

impl<'a> Response<'a> {
    /// One of which nothing was read yet.
    const UNREAD: Self = Self {
        head: &[],
        facts: Facts::NONE,
        status: 0,
        fields: 0,
    };

    /// Reads `head`: a complete head with the empty line that ends it.
    ///
    /// A status line without the space behind the status is accepted: clients do, and servers
    /// omit it.
    ///
    /// # Errors
    ///
    /// Whatever RFC 9110 and RFC 9112 do not allow, and a head beyond `limits`. Its target has no
    /// limit here.
    pub fn parse(head: &'a [u8], limits: &Limits) -> Result<Self, HeadError> {
        if head.len() > limits.head() {
            return Err(HeadError::TooLarge);
        }
        let mut response = Self::UNREAD;

        response.read(head, limits)?;
        if response.head.len() < head.len() {
            return Err(HeadError::NotOneHead);
        }
        Ok(response)
    }

    /// Reads the head that `bytes` begin with, and its length. `None`, if that is not a whole and
    /// valid head: then [`HeadScanner`](super::HeadScanner) and [`Self::parse`] say what it is.
    pub fn parse_prefix(bytes: &'a [u8], limits: &Limits) -> Option<(Self, usize)> {
        let mut response = Self::UNREAD;

        response.read(bytes, limits).ok()?;
        let len = response.head.len();
        if len > limits.head() {
            return None;
        }
        Some((response, len))
    }

    /// Reads the head that `bytes` begin with. It is nothing to go by if it is beyond the limits.
    fn read(&mut self, bytes: &'a [u8], limits: &Limits) -> Result<(), HeadError> {
        let (version, after_version) = request::version(bytes)?;
        let (status, lines) = status(after_version)?;

        self.facts.set_version(version);
        self.status = status;
        self.fields = span::offset(bytes, lines);
        let behind = fields::read(lines, limits, |field, value, line| {
            self.facts.take(Kind::Response, field, value, line)
        })?;
        self.facts.check_framing()?;
        self.head = lex::before(bytes, behind);
        Ok(())
    }

    /// One that was read before: `head`, of which all the rest was said then.
    pub(super) const fn recalled(head: &'a [u8], facts: Facts, status: u16, fields: u16) -> Self {
        Self {
            head,
            facts,
            status,
            fields,
        }
    }

    /// What [`Self::recalled`] takes.
    pub(super) const fn read_as(&self) -> (Facts, u16, u16) {
        (self.facts, self.status, self.fields)
    }

    /// All of it.
    pub(super) const fn head(&self) -> &'a [u8] {
        self.head
    }

    /// What follows the version in the status line, with its CRLF.
    pub(super) fn after_version(&self) -> &'a [u8] {
        self.head
            .get(VERSION_LEN..self.fields.into())
            .unwrap_or_default()
    }

    /// The field lines.
    pub(super) fn fields(&self) -> &'a [u8] {
        self.head
            .get(self.fields.into()..)
            .and_then(|rest| rest.get(..rest.len().checked_sub(2)?))
            .unwrap_or_default()
    }

    /// The status, from 100 to 999.
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// The reason phrase, which may be empty.
    pub fn reason(&self) -> &'a [u8] {
        let len = usize::from(self.fields).saturating_sub(AROUND_REASON);

        // Its CRLF is all that is behind it.
        span::part(self.head, AROUND_REASON.wrapping_sub(2), len)
    }

    /// Whether this is an interim response, which another one follows. A 101 is one too, but
    /// nothing follows it that is HTTP.
    pub const fn is_interim(&self) -> bool {
        self.status < 200
    }

    /// The version.
    pub const fn version(&self) -> Version {
        self.facts.version()
    }

    /// How the content ends, in the answer to a request whose method is `HEAD` if `is_head`
    /// (RFC 9112 §6.3).
    pub fn framing(&self, is_head: bool) -> Framing {
        if is_head || self.never_has_content() || self.status == 304 {
            Framing::None
        } else {
            self.facts.framing().unwrap_or(Framing::Close)
        }
    }

    /// Whether its status allows no content, and no field that announces some.
    pub(super) const fn never_has_content(&self) -> bool {
        self.is_interim() || self.status == 204
    }

    /// Whether the server wants its connection to persist (RFC 9112 §9.3). The framing has its
    /// say too: see [`Self::reusable`].
    pub const fn persistent(&self) -> bool {
        self.facts.persistent()
    }

    /// Whether the connection can carry another request once this response has been read to its
    /// end: the server keeps it open, the end is known, and the protocol stays the same.
    pub fn reusable(&self, is_head: bool) -> bool {
        self.persistent() && self.status != 101 && self.framing(is_head) != Framing::Close
    }

    /// Whether the server changes the protocol: a complete 101 (RFC 9110 §15.2.2). A 101 for which
    /// this is false cannot be used, nor one that [`Request::upgrade`](super::Request::upgrade)
    /// did not ask for.
    pub const fn upgrade(&self) -> bool {
        self.status == 101 && self.facts.upgrade()
    }

    /// The fields.
    pub fn headers(&self) -> Fields<'a> {
        Fields::new(self.fields())
    }

    /// The values of the fields named `name`, in whatever case.
    pub fn header<'n>(&self, name: &'n [u8]) -> Values<'a, 'n> {
        Values::new(self.headers(), name)
    }
}

/// The status in `after_version`, and what is behind the status line.
#[inline(always)]
fn status(after_version: &[u8]) -> Result<(u16, &[u8]), HeadError> {
    if let Some((digits, reason)) = after_version.split_first_chunk::<4>() {
        if let (Some(status), [b' ' | b'\r', ..]) = (number(*digits), reason) {
            return fields::line(reason).map(|(_, lines)| (status, lines));
        }
    }
    Err(bad_status_line(after_version))
}

/// What is wrong with a status line that has no status: with the line as a line, if anything is.
#[cold]
fn bad_status_line(after_version: &[u8]) -> HeadError {
    match fields::line(after_version) {
        Ok(_) => HeadError::BadStartLine,
        Err(error) => error,
    }
}

/// The status that a space and three digits write.
#[inline(always)]
fn number(digits: [u8; 4]) -> Option<u16> {
    // What is above nine has one of the high bits, itself or in the sum.
    let word = u32::from_le_bytes(digits) ^ u32::from_le_bytes(*b" 000");
    let bad = (word | word.wrapping_add(0x7676_7600)) & 0x8080_80ff;
    let [_, a, b, c] = word.to_le_bytes().map(u16::from);
    let status = a
        .wrapping_mul(100)
        .wrapping_add(b.wrapping_mul(10))
        .wrapping_add(c);

    (bad == 0 && status >= 100).then_some(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every byte at every position of what a status is written with.
    #[test]
    fn statuses() {
        for usual in [*b" 200", *b" 100", *b" 999", *b" 099", *b" 404"] {
            for at in 0..4 {
                for byte in 0..=255u8 {
                    let mut digits = usual;
                    digits[at] = byte;
                    let naive = match digits {
                        [b' ', b'1'..=b'9', b, c] if b.is_ascii_digit() && c.is_ascii_digit() => {
                            core::str::from_utf8(&digits[1..])
                                .ok()
                                .and_then(|text| text.parse().ok())
                        }
                        _ => None,
                    };

                    assert_eq!(number(digits), naive, "{:?}", digits.escape_ascii());
                }
            }
        }
    }
}
