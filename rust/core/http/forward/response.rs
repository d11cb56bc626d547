// SPDX-License-Identifier: GPL-2.0

//! Responses on their way to a client.

use super::{
    put_framing,
    version_text,
    Forward,
    NoRoom,
    Out, //
};
use crate::http::{
    fields::{
        Field,
        Flags,
        Line,
        Lines,
        Nominated, //
    },
    Response,
    Version, //
};

/// What is to be changed in a response, beside what HTTP asks for. An interim response is left
/// alone by all of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct ResponseEdits<'e> {
    /// Whether the client's connection ends with this response: then it is told so, and otherwise
    /// the server's `Connection: close` is kept from it.
    pub client_close: bool,
    /// The version of the client's request. One of HTTP/1.0 is told that its connection persists.
    pub client_version: Version,
    /// Name and value of a cookie to be set: for all paths, not to be seen by scripts.
    pub set_cookie: Option<(&'e [u8], &'e [u8])>,
}

/// Makes the head that a client is sent in place of `response`'s.
///
/// - What `Connection` names is dropped, with `Keep-Alive` and `Proxy-Connection`
///   (RFC 9110 §7.6.1).
/// - `Upgrade` stays in a 101 and a 426, and is dropped elsewhere: it would offer what this
///   gateway may not pass on.
/// - `Content-Length` and `Transfer-Encoding` are dropped where the status allows neither
///   (RFC 9110 §8.6, RFC 9112 §6.1).
/// - The field that frames the message has one space before its value, and none behind it: others
///   take what is there for a part of it, and read on until the connection ends.
/// - The version is this gateway's, HTTP/1.1, except that a client of HTTP/1.0 may see the
///   server's.
///
/// Chunks for a client of HTTP/1.0 are not undone here: the caller refuses such a response, which
/// no server may send to a request of HTTP/1.0.
///
/// # Errors
///
/// `out` is too small.
#[inline]
pub fn forward_response(
    response: &Response<'_>,
    edits: &ResponseEdits<'_>,
    out: &mut [u8],
) -> Result<Forward, NoRoom> {
    let last = !response.is_interim();
    let close = last && edits.client_close;
    let keep = last && !close && edits.client_version == Version::Http10;
    let set_cookie = edits.set_cookie.filter(|_| last);
    let version = response.version().max(edits.client_version);

    let unchanged = !must_change(response)
        && set_cookie.is_none()
        && version == response.version()
        && response.facts.flags.any(Flags::CLOSE) == close
        && !(close && response.facts.flags.any(Flags::KEEP_ALIVE))
        && (!keep || response.facts.flags.any(Flags::KEEP_ALIVE));
    if unchanged {
        Ok(Forward::AsIs)
    } else {
        rewrite(response, version, close, keep, set_cookie, out)
    }
}

/// Writes the head anew, in `version`: one that says that the connection is to `close`, or that it
/// is to be kept, if `keep`.
#[inline(never)]
fn rewrite(
    response: &Response<'_>,
    version: Version,
    close: bool,
    keep: bool,
    set_cookie: Option<(&[u8], &[u8])>,
    out: &mut [u8],
) -> Result<Forward, NoRoom> {
    let mut out = Out::new(out);
    out.put_all(&[version_text(version), response.after_version()])?;
    let nominated = Nominated::new(response.facts.flags, response.fields());
    for line in Lines::new(response.fields()) {
        if !is_kept(response, &nominated, &line) {
            continue;
        }
        match Field::of(line.name) {
            Field::ContentLength | Field::TransferEncoding => {
                put_framing(response.facts.flags, &line, &mut out)?;
            }
            _ => out.put(line.raw)?,
        }
    }
    if let Some((name, value)) = set_cookie {
        put_set_cookie(name, value, &mut out)?;
    }
    out.put_connection(&[
        (keeps_upgrade(response), b"upgrade"),
        (close, b"close"),
        (keep, b"keep-alive"),
    ])?;
    out.put(b"\r\n")?;
    Ok(Forward::Rewritten(out.len()))
}

/// Writes the field line that sets a cookie (see [`ResponseEdits::set_cookie`]): what is to be put
/// in before the empty line of a response that goes on as it came otherwise. Returns its length.
///
/// # Errors
///
/// `out` is too small.
pub fn set_cookie_line(name: &[u8], value: &[u8], out: &mut [u8]) -> Result<usize, NoRoom> {
    let mut out = Out::new(out);

    put_set_cookie(name, value, &mut out)?;
    Ok(out.len())
}

fn put_set_cookie(name: &[u8], value: &[u8], out: &mut Out<'_>) -> Result<(), NoRoom> {
    out.put_all(&[
        b"Set-Cookie: ",
        name,
        b"=",
        value,
        b"; Path=/; HttpOnly\r\n",
    ])
}

/// Whether HTTP asks for a change.
#[inline]
fn must_change(response: &Response<'_>) -> bool {
    let flags = response.facts.flags;

    flags.any(
        Flags::NOMINATES
            .with(Flags::TE_OPTION)
            .with(Flags::HOP_FIELD)
            .with(Flags::SPACED_FRAMING),
    ) || flags.any(Flags::UPGRADE) && !keeps_upgrade(response)
        || flags.any(Flags::LENGTH.with(Flags::CHUNKED)) && response.never_has_content()
}

/// Whether the client is to see the server's `Upgrade`.
fn keeps_upgrade(response: &Response<'_>) -> bool {
    match response.status() {
        101 => response.facts.upgrade(),
        // It must say what to upgrade to (RFC 9110 §15.5.22).
        426 => response.facts.flags.any(Flags::UPGRADE),
        _ => false,
    }
}

/// Whether the client is to see a field line.
fn is_kept(response: &Response<'_>, nominated: &Nominated<'_>, line: &Line<'_>) -> bool {
    match Field::of(line.name) {
        Field::Connection | Field::KeepAlive | Field::ProxyConnection => false,
        Field::ContentLength | Field::TransferEncoding => !response.never_has_content(),
        Field::Upgrade => keeps_upgrade(response),
        _ => !nominated.has(line.name),
    }
}
