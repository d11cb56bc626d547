// SPDX-License-Identifier: GPL-2.0

//! HTTP/1.0 and HTTP/1.1 as a gateway sees them (RFC 9110, RFC 9112).
//!
//! A message passes in these steps:
//!
//! 1. [`HeadScanner`] finds where its head ends, whatever pieces it comes in;
//! 2. [`Request::parse`] or [`Response::parse`] reads the complete head, once, strictly;
//! 3. [`forward_request`] or [`forward_response`] says whether the head can go on as it is, and
//!    writes the one that goes instead if it cannot;
//! 4. [`Body`] follows the framing, so that the end of the message is known exactly.
//!
//! [`write_response`] makes the answers that no server gave.
//!
//! Nothing here copies what it reads: a parsed head is a handful of slices of the head's bytes.
//! What can be read in two ways is refused rather than interpreted, since another program that
//! reads the same bytes otherwise is how requests are smuggled.

mod body;
mod cookie;
mod error;
mod fields;
mod forward;
mod lex;
mod names;
mod recall;
mod request;
mod response;
mod scan;
mod span;
mod status;
mod uri;

pub use self::{
    body::{
        Body,
        BodyError,
        EXTENSIONS_MAX,
        TRAILERS_MAX, //
    },
    cookie::Cookies,
    error::HeadError,
    fields::{
        Fields,
        Values, //
    },
    forward::{
        forward_request,
        forward_response,
        forwarded_for_line,
        set_cookie_line,
        Forward,
        NoRoom,
        RequestEdits,
        ResponseEdits,
        FORWARD_ROOM, //
    },
    recall::Recall,
    request::{
        Method,
        Request, //
    },
    response::Response,
    scan::{
        HeadScanner,
        Kind, //
    },
    status::{
        reason,
        valid_location,
        write_response,
        Reply,
        REPLY_ROOM, //
    },
    uri::HOST_MAX,
};

/// How large a head may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a whole head, with its last CRLF and what empty lines come before it. More than
    /// 65535 are never allowed.
    pub head_max: usize,
    /// Bytes of a request's target.
    pub target_max: usize,
    /// Field lines of a head.
    pub headers_max: usize,
}

impl Limits {
    /// Bytes that a whole head may have: as many as a [`Span`](span::Span) can be about.
    const fn head(&self) -> usize {
        if self.head_max < u16::MAX as usize {
            self.head_max
        } else {
            u16::MAX as usize
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head_max: 16384,
            target_max: 8192,
            headers_max: 100,
        }
    }
}

/// A version of HTTP that is spoken here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// HTTP/1.0.
    Http10,
    /// HTTP/1.1.
    #[default]
    Http11,
}

/// How the end of a message's content is known (RFC 9112 §6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// The message ends with its head.
    None,
    /// This many bytes follow the head.
    Length(u64),
    /// Chunks follow the head, the last of which is empty, then the trailer section.
    Chunked,
    /// Everything until the sender closes the connection.
    Close,
}
