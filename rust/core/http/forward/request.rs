// SPDX-License-Identifier: GPL-2.0

//! Requests on their way to a server.

use super::{
    put_elements,
    put_framing,
    version_text,
    Forward,
    NoRoom,
    Out, //
};
use crate::http::{
    cookie,
    fields::{
        is_http2,
        Field,
        Flags,
        Line,
        Lines,
        Nominated, //
    },
    lex,
    Request,
    Version, //
};

/// What is to be changed in a request, beside what HTTP asks for.
#[derive(Clone, Copy, Debug, Default)]
pub struct RequestEdits<'e> {
    /// The client's address as text, to be added to `X-Forwarded-For`: behind what is in it, in
    /// one field line.
    pub forwarded_for: Option<&'e [u8]>,
    /// The name of a cookie that the server is not to see.
    pub strip_cookie: Option<&'e [u8]>,
}

/// Makes the head that a server is sent in place of `request`'s.
///
/// - An absolute target becomes a path, and its authority the `Host` (RFC 9112 §3.2.2).
/// - What `Connection` names is dropped, with `Keep-Alive`, `Proxy-Connection` and
///   `Connection: close`: the connection to the server is another one (RFC 9110 §7.6.1).
/// - `TE` keeps nothing but `trailers` (RFC 9110 §10.1.4).
/// - The field that frames the message has one space before its value, and none behind it: others
///   take what is there for a part of it.
/// - `Upgrade` stays if [`Request::upgrade`] is true, without HTTP/2.
/// - The version stays, since a client of HTTP/1.0 could not read the answers to HTTP/1.1; so does
///   its `Connection: keep-alive`.
///
/// # Errors
///
/// `out` is too small.
#[inline]
pub fn forward_request(
    request: &Request<'_>,
    edits: &RequestEdits<'_>,
    out: &mut [u8],
) -> Result<Forward, NoRoom> {
    let strip = edits
        .strip_cookie
        .filter(|name| request.cookie(name).next().is_some());

    if edits.forwarded_for.is_none() && strip.is_none() && !must_change(request) {
        Ok(Forward::AsIs)
    } else {
        rewrite(request, edits.forwarded_for, strip, out)
    }
}

/// Writes the field line that names a client's address (see [`RequestEdits::forwarded_for`]): what
/// is to be put in before the empty line of a request that has none, and goes on as it came
/// otherwise. Returns its length.
///
/// # Errors
///
/// `out` is too small.
pub fn forwarded_for_line(address: &[u8], out: &mut [u8]) -> Result<usize, NoRoom> {
    let mut out = Out::new(out);

    out.put_all(&[b"X-Forwarded-For: ", address, b"\r\n"])?;
    Ok(out.len())
}

/// Writes the head anew, with the client's address and without a cookie, if there is one.
#[inline(never)]
fn rewrite(
    request: &Request<'_>,
    forwarded_for: Option<&[u8]>,
    strip: Option<&[u8]>,
    out: &mut [u8],
) -> Result<Forward, NoRoom> {
    let mut out = Out::new(out);
    let flags = request.facts.flags;
    out.put_all(&[
        request.method_name(),
        b" ",
        request.url(),
        b" ",
        version_text(request.version()),
        b"\r\n",
    ])?;
    if flags.any(Flags::ABSOLUTE) {
        out.put_all(&[b"Host: ", request.authority(), b"\r\n"])?;
    }
    let nominated = Nominated::new(flags, request.fields());
    for line in Lines::new(request.fields()) {
        put_line(
            request,
            &nominated,
            &line,
            forwarded_for.is_some(),
            strip,
            &mut out,
        )?;
    }
    if let Some(address) = forwarded_for {
        put_forwarded_for(request, &nominated, address, &mut out)?;
    }
    if flags.any(Flags::TE_TRAILERS) && flags.any(Flags::TE_CODINGS) {
        out.put(b"TE: trailers\r\n")?;
    }
    let old = request.version() == Version::Http10;
    out.put_connection(&[
        (request.upgrade(), b"upgrade"),
        (flags.any(Flags::TE_TRAILERS), b"TE"),
        (old && request.persistent(), b"keep-alive"),
    ])?;
    out.put(b"\r\n")?;
    Ok(Forward::Rewritten(out.len()))
}

/// Whether HTTP asks for a change.
#[inline]
fn must_change(request: &Request<'_>) -> bool {
    const ALWAYS: Flags = Flags::CLOSE
        .with(Flags::NOMINATES)
        .with(Flags::HOP_FIELD)
        .with(Flags::TE_CODINGS)
        .with(Flags::UPGRADE_H2)
        .with(Flags::SPACED_FRAMING)
        .with(Flags::ABSOLUTE);
    let flags = request.facts.flags;

    flags.any(ALWAYS) || flags.any(Flags::UPGRADE) && !request.upgrade()
}

/// Writes what the server is to see of a field line here.
fn put_line(
    request: &Request<'_>,
    nominated: &Nominated<'_>,
    line: &Line<'_>,
    forwarded_for: bool,
    strip: Option<&[u8]>,
    out: &mut Out<'_>,
) -> Result<(), NoRoom> {
    let flags = request.facts.flags;

    match Field::of(line.name) {
        Field::Connection | Field::KeepAlive | Field::ProxyConnection => Ok(()),
        Field::ContentLength | Field::TransferEncoding => put_framing(flags, line, out),
        Field::Host if flags.any(Flags::ABSOLUTE) => Ok(()),
        Field::Host => out.put(line.raw),
        Field::Upgrade if !request.upgrade() => Ok(()),
        Field::Upgrade if lex::elements(line.value).any(is_http2) => {
            put_elements(out, line.name, line.value, |protocol| !is_http2(protocol))
        }
        Field::Upgrade => out.put(line.raw),
        // What is left of it is written behind the others.
        Field::Te if flags.any(Flags::TE_CODINGS) => Ok(()),
        Field::Te => out.put(line.raw),
        // All of them are written in one, behind the others.
        Field::ForwardedFor if forwarded_for => Ok(()),
        _ if nominated.has(line.name) => Ok(()),
        Field::Cookie => match strip {
            Some(name) if has_cookie(name, line.value) => put_cookies(name, line, out),
            _ => out.put(line.raw),
        },
        _ => out.put(line.raw),
    }
}

/// Whether a cookie named `name` is in the value of a `Cookie` field.
fn has_cookie(name: &[u8], value: &[u8]) -> bool {
    value
        .split(|&byte| byte == b';')
        .filter_map(|pair| cookie::name_value(lex::trim(pair)))
        .any(|(found, _)| found == name)
}

/// Writes a `Cookie` field without the cookies named `strip`, or nothing if no other is left.
fn put_cookies(strip: &[u8], line: &Line<'_>, out: &mut Out<'_>) -> Result<(), NoRoom> {
    let mut rest = line.value;
    let mut first = true;

    while !rest.is_empty() {
        let (raw, after) = rest
            .split_at_checked(lex::find_byte(rest, b';'))
            .unwrap_or((rest, &[]));
        rest = after.get(1..).unwrap_or_default();
        let pair = lex::trim(raw);
        if pair.is_empty() || cookie::name_value(pair).is_some_and(|(name, _)| name == strip) {
            continue;
        }
        if first {
            out.put_all(&[line.name, b": ", pair])?;
        } else {
            // As it was separated: what is written is never longer than what was read.
            out.put_all(&[b";", raw])?;
        }
        first = false;
    }
    if first {
        Ok(())
    } else {
        out.put(b"\r\n")
    }
}

/// Writes one `X-Forwarded-For` with what the request had in it, and `address`.
fn put_forwarded_for(
    request: &Request<'_>,
    nominated: &Nominated<'_>,
    address: &[u8],
    out: &mut Out<'_>,
) -> Result<(), NoRoom> {
    let name = b"X-Forwarded-For";

    out.put_all(&[name, b": "])?;
    if request.facts.flags.any(Flags::FORWARDED_FOR) && !nominated.has(name) {
        for value in request.header(name).filter(|value| !value.is_empty()) {
            out.put_all(&[value, b", "])?;
        }
    }
    out.put_all(&[address, b"\r\n"])
}
