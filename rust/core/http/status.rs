// SPDX-License-Identifier: GPL-2.0

//! Responses that are made here: refusals, redirects, fixed statuses.

use super::{
    forward::Out,
    NoRoom,
    Version, //
};

/// A buffer of as many bytes as the location, five times the text (an `&` is written `&amp;`) and
/// this always has room for a response.
pub const REPLY_ROOM: usize = 640;

/// What a response says beside its status.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reply<'r> {
    /// The version of the client's request, or HTTP/1.1 where it is not known.
    pub version: Version,
    /// The connection is closed behind it.
    pub close: bool,
    /// The request's method is `HEAD`: nothing follows the head.
    pub head_only: bool,
    /// `Retry-After`, in seconds.
    pub retry_after: Option<u32>,
    /// `Location`. One that is not [`valid_location`] is left out.
    pub location: Option<&'r [u8]>,
    /// What is to be read in the page in place of the usual explanation. It is text, not HTML.
    pub text: Option<&'r str>,
}

/// Whether `location` can be the value of a `Location` field: it is not empty, and visible ASCII.
pub fn valid_location(location: &[u8]) -> bool {
    !location.is_empty() && location.iter().all(u8::is_ascii_graphic)
}

/// The reason phrase of a status (RFC 9110 §15 and the registry it founds). A status that has none
/// is given its class's name.
pub const fn reason(status: u16) -> &'static str {
    match status {
        100 => "Continue",
        101 => "Switching Protocols",
        102 => "Processing",
        103 => "Early Hints",
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        203 => "Non-Authoritative Information",
        204 => "No Content",
        205 => "Reset Content",
        206 => "Partial Content",
        207 => "Multi-Status",
        208 => "Already Reported",
        226 => "IM Used",
        300 => "Multiple Choices",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        305 => "Use Proxy",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400..=499 => client_error(status),
        500.. => server_error(status),
        _ => match status / 100 {
            0 | 1 => "Informational",
            2 => "Success",
            _ => "Redirection",
        },
    }
}

const fn client_error(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        407 => "Proxy Authentication Required",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        411 => "Length Required",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        414 => "URI Too Long",
        415 => "Unsupported Media Type",
        416 => "Range Not Satisfiable",
        417 => "Expectation Failed",
        421 => "Misdirected Request",
        422 => "Unprocessable Content",
        423 => "Locked",
        424 => "Failed Dependency",
        425 => "Too Early",
        426 => "Upgrade Required",
        428 => "Precondition Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        451 => "Unavailable For Legal Reasons",
        _ => "Client Error",
    }
}

const fn server_error(status: u16) -> &'static str {
    match status {
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        506 => "Variant Also Negotiates",
        507 => "Insufficient Storage",
        508 => "Loop Detected",
        511 => "Network Authentication Required",
        _ => "Server Error",
    }
}

/// What a page says below its title.
const fn explanation(status: u16) -> &'static str {
    match status {
        400 => "The request could not be understood.",
        403 => "This is not allowed.",
        404 => "There is nothing here.",
        408 => "The request did not arrive in time.",
        413 => "The request's content is too large.",
        414 => "The request's address is too long.",
        421 => "The request came to the wrong server.",
        429 => "There were too many requests.",
        431 => "The request's header is too large.",
        501 => "This kind of request is not supported.",
        502 => "The server gave no valid answer.",
        503 => "No server is available for this request.",
        504 => "The server did not answer in time.",
        505 => "This version of HTTP is not supported.",
        _ => "",
    }
}

/// Writes a complete response with `status` to `out`, and says how long it is.
///
/// It has a short page, except where the status allows no content (204, 205, 304) or the client
/// wants none. An error is not to be stored by caches: it is the director's, not the resource's.
///
/// # Errors
///
/// `out` is too small: see [`REPLY_ROOM`].
pub fn write_response(out: &mut [u8], status: u16, reply: &Reply<'_>) -> Result<usize, NoRoom> {
    let mut out = Out::new(out);
    let page = Page::new(status, reply);

    out.put(b"HTTP/1.1 ")?;
    out.put_decimal(u64::from(status))?;
    out.put_all(&[b" ", reason(status).as_bytes(), b"\r\n"])?;
    if page.has_content {
        out.put(b"Content-Type: text/html\r\n")?;
    }
    if page.has_length {
        out.put(b"Content-Length: ")?;
        out.put_decimal(page.len())?;
        out.put(b"\r\n")?;
    }
    if status >= 400 {
        out.put(b"Cache-Control: no-store\r\n")?;
    }
    if let Some(location) = reply.location.filter(|location| valid_location(location)) {
        out.put_all(&[b"Location: ", location, b"\r\n"])?;
    }
    if let Some(seconds) = reply.retry_after {
        out.put(b"Retry-After: ")?;
        out.put_decimal(u64::from(seconds))?;
        out.put(b"\r\n")?;
    }
    if reply.close {
        out.put(b"Connection: close\r\n")?;
    } else if reply.version == Version::Http10 {
        out.put(b"Connection: keep-alive\r\n")?;
    }
    out.put(b"\r\n")?;
    if !reply.head_only {
        page.write(&mut out)?;
    }
    Ok(out.len())
}

/// The page of a response.
struct Page<'r> {
    status: u16,
    reason: &'static str,
    text: &'r str,
    has_content: bool,
    has_length: bool,
}

/// What is around the title, twice, and around the text. The digits of the status are beside the
/// reason.
const BEFORE_TITLE: &[u8] = b"<!DOCTYPE html>\n<title>";
const BETWEEN_TITLES: &[u8] = b"</title>\n<h1>";
const AFTER_TITLES: &[u8] = b"</h1>\n";
const BEFORE_TEXT: &[u8] = b"<p>";
const AFTER_TEXT: &[u8] = b"</p>\n";

impl<'r> Page<'r> {
    fn new(status: u16, reply: &Reply<'r>) -> Self {
        Self {
            status,
            reason: reason(status),
            text: reply.text.unwrap_or(explanation(status)),
            has_content: status >= 200 && !matches!(status, 204 | 205 | 304),
            has_length: status >= 200 && !matches!(status, 204 | 304),
        }
    }

    /// How many bytes [`Self::write`] writes.
    fn len(&self) -> u64 {
        if !self.has_content {
            return 0;
        }
        let title = self.reason.len().saturating_add(4);
        let mut len = BEFORE_TITLE
            .len()
            .saturating_add(BETWEEN_TITLES.len())
            .saturating_add(AFTER_TITLES.len())
            .saturating_add(title.saturating_mul(2));
        if !self.text.is_empty() {
            let text = self.text.bytes().fold(0usize, |sum, byte| {
                sum.saturating_add(entity(byte).len().max(1))
            });
            len = len
                .saturating_add(BEFORE_TEXT.len())
                .saturating_add(AFTER_TEXT.len())
                .saturating_add(text);
        }
        len as u64
    }

    fn write(&self, out: &mut Out<'_>) -> Result<(), NoRoom> {
        if !self.has_content {
            return Ok(());
        }
        for before in [BEFORE_TITLE, BETWEEN_TITLES] {
            out.put(before)?;
            out.put_decimal(u64::from(self.status))?;
            out.put_all(&[b" ", self.reason.as_bytes()])?;
        }
        out.put(AFTER_TITLES)?;
        if self.text.is_empty() {
            return Ok(());
        }
        out.put(BEFORE_TEXT)?;
        for byte in self.text.bytes() {
            match entity(byte) {
                [] => out.put(&[byte])?,
                entity => out.put(entity)?,
            }
        }
        out.put(AFTER_TEXT)
    }
}

/// How a byte of text that means something in HTML is written there; empty for others.
const fn entity(byte: u8) -> &'static [u8] {
    match byte {
        b'<' => b"&lt;",
        b'>' => b"&gt;",
        b'&' => b"&amp;",
        _ => b"",
    }
}
