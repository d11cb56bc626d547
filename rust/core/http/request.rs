// SPDX-License-Identifier: GPL-2.0

//! Requests: the request line (RFC 9112 §3) and what the fields say about the request.

use super::{
    fields::{
        self,
        Facts,
        Field,
        Flags, //
    },
    lex::{
        self,
        Span, //
    },
    scan::{
        Kind,
        EMPTY_LINES,
        METHOD_MAX, //
    },
    uri::{
        Authority,
        Target, //
    },
    Cookies,
    Fields,
    Framing,
    HeadError,
    Limits,
    Values,
    Version,
    HOST_MAX, //
};

/// A method (RFC 9110 §9.3, RFC 5789).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// `GET`.
    Get,
    /// `HEAD`.
    Head,
    /// `POST`.
    Post,
    /// `PUT`.
    Put,
    /// `DELETE`.
    Delete,
    /// `CONNECT`.
    Connect,
    /// `OPTIONS`.
    Options,
    /// `TRACE`.
    Trace,
    /// `PATCH`.
    Patch,
    /// Any other token.
    Other,
}

impl Method {
    /// The method that `name` is the name of; upper and lower case differ.
    pub fn of(name: &[u8]) -> Self {
        match name {
            b"GET" => Self::Get,
            b"HEAD" => Self::Head,
            b"POST" => Self::Post,
            b"PUT" => Self::Put,
            b"DELETE" => Self::Delete,
            b"CONNECT" => Self::Connect,
            b"OPTIONS" => Self::Options,
            b"TRACE" => Self::Trace,
            b"PATCH" => Self::Patch,
            _ => Self::Other,
        }
    }

    /// Whether doing it twice is the same as doing it once (RFC 9110 §9.2.2).
    pub const fn is_idempotent(self) -> bool {
        matches!(
            self,
            Self::Get | Self::Head | Self::Put | Self::Delete | Self::Options | Self::Trace
        )
    }
}

/// The head of a request.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// All of it, and the empty lines before it.
    head: &'a [u8],
    pub(super) facts: Facts,
    target: Span,
    /// Where in the target its URL begins. It has none where the URL is what an absolute target
    /// without a path means.
    url: u16,
    path_len: u16,
    authority: Span,
    /// Where the first `Cookie` is, or 0.
    cookies: u16,
    /// How many bytes of the authority are the host.
    host_len: u8,
    method: Method,
    method_len: u8,
    leading: u8,
}

/// What is between a target and the fields.
const BEHIND_TARGET: usize = b" HTTP/1.1\r\n".len();

impl<'a> Request<'a> {
    /// Reads `head`: a complete head with the empty line that ends it, and with the empty lines
    /// that came before it.
    ///
    /// # Errors
    ///
    /// Whatever RFC 9110 and RFC 9112 do not allow, and a head beyond `limits`.
    pub fn parse(head: &'a [u8], limits: &Limits) -> Result<Self, HeadError> {
        let request = Self::read(head, limits, head.len())?;

        if request.head.len() < head.len() {
            return Err(HeadError::NotOneHead);
        }
        Ok(request)
    }

    /// Reads the head that `bytes` begin with, and its length. `None`, if that is not a whole and
    /// valid head: then [`HeadScanner`](super::HeadScanner) and [`Self::parse`] say what it is.
    pub fn parse_prefix(bytes: &'a [u8], limits: &Limits) -> Option<(Self, usize)> {
        let request = Self::read(bytes, limits, 0).ok()?;
        let len = request.head.len();

        (len <= limits.head()).then_some((request, len))
    }

    /// Reads the head that `bytes` begin with, which has at least `len` bytes. It is nothing to go
    /// by if it is beyond the limits.
    #[inline(always)]
    fn read(bytes: &'a [u8], limits: &Limits, len: usize) -> Result<Self, HeadError> {
        let (leading, start) = skip_empty_lines(bytes)?;
        let line = RequestLine::parse(start, limits)?;
        if len > limits.head() {
            return Err(HeadError::TooLarge);
        }
        let target = Target::parse(line.method, line.target, line.query)?;
        let mut facts = Facts::new(line.version);
        let mut host_field: &[u8] = &[];
        let mut cookies = 0;

        let behind = fields::read(line.fields, limits, |field, value, from| match field {
            Field::Other => Ok(()),
            Field::Host => {
                if facts.flags.any(Flags::HOST) {
                    return Err(HeadError::ManyHosts);
                }
                facts.flags.set(Flags::HOST);
                host_field = value;
                Ok(())
            }
            Field::Cookie => {
                if cookies == 0 {
                    cookies = lex::offset(bytes, from);
                }
                Ok(())
            }
            Field::Expect => {
                let expected = value.eq_ignore_ascii_case(b"100-continue");
                facts.flags.set_if(expected, Flags::EXPECT_CONTINUE);
                Ok(())
            }
            Field::Te => {
                for coding in lex::elements(value) {
                    let trailers = coding.eq_ignore_ascii_case(b"trailers");
                    facts.flags.set_if(trailers, Flags::TE_TRAILERS);
                    facts.flags.set_if(!trailers, Flags::TE_CODINGS);
                }
                Ok(())
            }
            Field::ForwardedFor => {
                facts.flags.set(Flags::FORWARDED_FOR);
                Ok(())
            }
            _ => facts.take(Kind::Request, field, value),
        })?;

        let authority = choose_host(&target, &mut facts, host_field)?;
        facts.flags.set_if(authority.upper, Flags::UPPER_HOST);

        facts.check_framing()?;
        Ok(Self {
            head: lex::before(bytes, behind),
            facts,
            target: Span::of(bytes, line.target),
            url: target.url as u16,
            path_len: target.path_len as u16,
            authority: Span::of(bytes, authority.text),
            cookies,
            // At most HOST_MAX.
            host_len: authority.host.len() as u8,
            method: line.method,
            // At most METHOD_MAX.
            method_len: line.method_name.len() as u8,
            leading,
        })
    }

    /// How many bytes of empty lines came before the request line. They are not to be forwarded.
    pub const fn leading(&self) -> usize {
        self.leading as usize
    }

    /// The method.
    pub const fn method(&self) -> Method {
        self.method
    }

    /// The method's name.
    pub fn method_name(&self) -> &'a [u8] {
        lex::part(self.head, self.leading.into(), self.method_len.into())
    }

    /// Whether the request may be sent a second time when it is unknown what became of the first
    /// (RFC 9110 §9.2.2).
    pub const fn is_idempotent(&self) -> bool {
        self.method.is_idempotent()
    }

    /// Whether the method is `HEAD`, so that the response has no content.
    pub const fn is_head(&self) -> bool {
        matches!(self.method, Method::Head)
    }

    /// The target as it was received, in whatever form.
    pub fn target(&self) -> &'a [u8] {
        self.target.get(self.head)
    }

    /// Path and query, as they were received; of an absolute target what follows the authority,
    /// or `/`; `*` where the server as a whole is meant. Nothing is decoded and no `..` resolved.
    pub fn url(&self) -> &'a [u8] {
        match self.target().get(self.url.into()..) {
            Some(url @ [_, ..]) => url,
            // RFC 9112 §3.2.4: the server as a whole is meant.
            _ if self.method == Method::Options => b"*",
            _ => b"/",
        }
    }

    /// What is before the `?` of [`Self::url`].
    pub fn path(&self) -> &'a [u8] {
        self.url().get(..self.path_len.into()).unwrap_or_default()
    }

    /// What is behind the `?` of [`Self::url`], if it has one.
    pub fn query(&self) -> Option<&'a [u8]> {
        self.url().get(self.path_len.into()..)?.get(1..)
    }

    /// The version.
    pub const fn version(&self) -> Version {
        self.facts.version()
    }

    /// The authority that the request is for: host and port.
    pub(super) fn authority(&self) -> &'a [u8] {
        self.authority.get(self.head)
    }

    /// The host that the request is for, without port and without the dot that may end a name, in
    /// the case it was received; an IPv6 address has its brackets. Empty where the request names
    /// none, which HTTP/1.0 allows. At most [`HOST_MAX`] bytes.
    pub fn host(&self) -> &'a [u8] {
        self.authority()
            .get(..self.host_len.into())
            .unwrap_or_default()
    }

    /// [`Self::host`] in lower case: itself if it is, otherwise written to `room`.
    pub fn host_lower<'b>(&'b self, room: &'b mut [u8; HOST_MAX]) -> &'b [u8] {
        let host = self.host();

        if !self.facts.flags.any(Flags::UPPER_HOST) {
            return host;
        }
        for (to, from) in room.iter_mut().zip(host) {
            *to = from.to_ascii_lowercase();
        }
        room.get(..host.len()).unwrap_or_default()
    }

    /// How the content ends. It is never [`Framing::Close`].
    pub fn framing(&self) -> Framing {
        self.facts.framing().unwrap_or(Framing::None)
    }

    /// Whether the client wants its connection to persist after the response (RFC 9112 §9.3).
    pub const fn persistent(&self) -> bool {
        self.facts.persistent()
    }

    /// Whether the client offers to change the protocol, to anything but HTTP/2 (RFC 9110 §7.8).
    /// Only then may a server answer 101.
    pub const fn upgrade(&self) -> bool {
        self.facts.upgrade()
    }

    /// Whether the client may wait for a 100 before it sends the content (RFC 9110 §10.1.1).
    pub fn expect_continue(&self) -> bool {
        self.version() == Version::Http11 && self.facts.flags.any(Flags::EXPECT_CONTINUE)
    }

    /// The field lines.
    pub(super) fn fields(&self) -> &'a [u8] {
        self.lines_from(BEHIND_TARGET.wrapping_add(self.target.end()))
    }

    /// The field lines from `start` on.
    fn lines_from(&self, start: usize) -> &'a [u8] {
        self.head
            .get(start..)
            .and_then(|rest| rest.get(..rest.len().checked_sub(2)?))
            .unwrap_or_default()
    }

    /// The fields.
    pub fn headers(&self) -> Fields<'a> {
        Fields::new(self.fields())
    }

    /// The values of the fields named `name`, in whatever case.
    pub fn header<'n>(&self, name: &'n [u8]) -> Values<'a, 'n> {
        Values::new(self.headers(), name)
    }

    /// The cookies.
    pub fn cookies(&self) -> Cookies<'a> {
        Cookies::new(match self.cookies {
            0 => &[],
            start => self.lines_from(start.into()),
        })
    }

    /// The values of the cookies named `name`, in this case.
    pub fn cookie<'n>(&self, name: &'n [u8]) -> impl Iterator<Item = &'a [u8]> + use<'a, 'n> {
        self.cookies()
            .filter(move |(other, _)| *other == name)
            .map(|(_, value)| value)
    }
}

/// A request line, and what follows it.
struct RequestLine<'a> {
    method: Method,
    method_name: &'a [u8],
    target: &'a [u8],
    /// Where the first `?` of the target is, or its length.
    query: usize,
    version: Version,
    fields: &'a [u8],
}

impl<'a> RequestLine<'a> {
    fn parse(start: &'a [u8], limits: &Limits) -> Result<Self, HeadError> {
        let bad = HeadError::BadStartLine;
        let (method, method_name, after) = match usual_method(start) {
            Some(found) => found,
            None => method(start)?,
        };
        let (query, end) = target_end(after);
        let (target, after) = after.split_at_checked(end).ok_or(bad)?;
        if target.len() > limits.target_max {
            return Err(HeadError::TargetTooLong);
        }
        let after = match after {
            [b' ', after @ ..] if !target.is_empty() => after,
            [b' ' | b'\r' | b'\n', ..] | [] => return Err(bad),
            _ => return Err(HeadError::BadTarget),
        };
        let (version, fields) = match after.split_first_chunk::<10>() {
            Some((b"HTTP/1.1\r\n", fields)) => (Version::Http11, fields),
            _ => match version(after)? {
                (version, [b'\r', b'\n', fields @ ..]) => (version, fields),
                _ => return Err(bad),
            },
        };
        Ok(Self {
            method,
            method_name,
            target,
            query,
            version,
            fields,
        })
    }
}

/// The method that `start` begins with, its name, and what is behind its space, if it is one of
/// those that most requests have.
#[inline(always)]
fn usual_method(start: &[u8]) -> Option<(Method, &[u8], &[u8])> {
    let (method, len) = match start.first_chunk::<5>()? {
        [b'G', b'E', b'T', b' ', _] => (Method::Get, 3),
        b"POST " => (Method::Post, 4),
        b"HEAD " => (Method::Head, 4),
        _ => return None,
    };
    let (name, after) = start.split_at_checked(len)?;

    Some((method, name, after.get(1..)?))
}

/// The method that `start` begins with, its name, and what is behind its space.
#[inline(never)]
fn method(start: &[u8]) -> Result<(Method, &[u8], &[u8]), HeadError> {
    let after = lex::skip_token(start);
    let name = lex::before(start, after);

    if name.len() > METHOD_MAX {
        return Err(HeadError::MethodTooLong);
    }
    match after {
        [b' ', after @ ..] if !name.is_empty() => Ok((Method::of(name), name, after)),
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
pub(super) fn version(bytes: &[u8]) -> Result<(Version, &[u8]), HeadError> {
    match bytes.split_first_chunk::<8>() {
        Some((b"HTTP/1.1", rest)) => Ok((Version::Http11, rest)),
        Some((b"HTTP/1.0", rest)) => Ok((Version::Http10, rest)),
        _ => Err(bad_version(bytes)),
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

/// Passes over the empty lines before a request line: their bytes, and what follows.
fn skip_empty_lines(head: &[u8]) -> Result<(u8, &[u8]), HeadError> {
    let mut rest = head;
    let mut leading = 0u8;

    while let [b'\r', b'\n', after @ ..] = rest {
        rest = after;
        leading = leading.saturating_add(2);
    }
    if leading > EMPTY_LINES.saturating_mul(2) {
        return Err(HeadError::EmptyLines);
    }
    Ok((leading, rest))
}

/// Finds the host that a request is for (RFC 9112 §3.2, §3.3).
fn choose_host<'a>(
    target: &Target<'a>,
    facts: &mut Facts,
    field: &'a [u8],
) -> Result<Authority<'a>, HeadError> {
    let present = facts.flags.any(Flags::HOST);
    if !present && facts.version() == Version::Http11 {
        return Err(HeadError::NoHost);
    }
    let named = Authority::parse(field).ok_or(HeadError::BadHost)?;
    let Some((authority, port)) = target.absolute else {
        return Ok(named);
    };
    if present && !named.same(&authority, port) {
        return Err(HeadError::HostMismatch);
    }
    facts.flags.set(Flags::ABSOLUTE);
    Ok(authority)
}
