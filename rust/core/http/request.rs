// SPDX-License-Identifier: GPL-2.0

//! Requests: the request line (RFC 9112 §3) and what the fields say about the request.

mod read;

pub(super) use self::read::version;

use super::{
    fields::{
        Facts,
        Flags, //
    },
    span::{
        self,
        Span, //
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
        let mut request = Self::UNREAD;

        request.read(head, limits, head.len())?;
        if request.head.len() < head.len() {
            return Err(HeadError::NotOneHead);
        }
        Ok(request)
    }

    /// Reads the head that `bytes` begin with, and its length. `None`, if that is not a whole and
    /// valid head: then [`HeadScanner`](super::HeadScanner) and [`Self::parse`] say what it is.
    pub fn parse_prefix(bytes: &'a [u8], limits: &Limits) -> Option<(Self, usize)> {
        let mut request = Self::UNREAD;

        request.read(bytes, limits, 0).ok()?;
        let len = request.head.len();
        if len > limits.head() {
            return None;
        }
        Some((request, len))
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
        span::part(self.head, self.leading.into(), self.method_len.into())
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
    ///
    /// An offer with content counts for nothing: there are servers that take the content for what
    /// has been upgraded to.
    pub const fn upgrade(&self) -> bool {
        self.facts.upgrade() && !self.facts.has_content()
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

    /// Whether there is an `X-Forwarded-For`.
    pub const fn has_forwarded_for(&self) -> bool {
        self.facts.flags.any(Flags::FORWARDED_FOR)
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
