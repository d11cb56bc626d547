// SPDX-License-Identifier: GPL-2.0

//! What a gateway changes in a head on its way (RFC 9110 §7.6).
//!
//! Most heads need no change, and go on as they came. Otherwise the head is written anew, in one
//! pass and in its order, without what was meant for this connection only.
//!
//! The fields that frame a message or say whom it is for are never dropped because `Connection`
//! names them: the sender may not do that (RFC 9110 §7.6.1), and the recipient would see another
//! message.

mod request;
mod response;

pub use self::{
    request::{
        forward_request,
        forwarded_for_line,
        RequestEdits, //
    },
    response::{
        forward_response,
        set_cookie_line,
        ResponseEdits, //
    },
};

use super::{
    fields::{
        Flags,
        Line, //
    },
    lex,
    Version, //
};

/// A buffer of as many bytes as the head, the edits' strings and this always has room.
pub const FORWARD_ROOM: usize = 128;

/// How a head goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forward {
    /// As it came, without the empty lines before it. Nothing was written.
    AsIs,
    /// As it was written to the first so many bytes of the buffer.
    Rewritten(usize),
}

/// The buffer is too small. See [`FORWARD_ROOM`] and [`REPLY_ROOM`](super::REPLY_ROOM).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoRoom;

/// A buffer that is written from its start.
pub(super) struct Out<'o> {
    rest: &'o mut [u8],
    len: usize,
}

impl<'o> Out<'o> {
    pub(super) fn new(buffer: &'o mut [u8]) -> Self {
        Self {
            rest: buffer,
            len: 0,
        }
    }

    /// How many bytes were written.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn put(&mut self, bytes: &[u8]) -> Result<(), NoRoom> {
        let rest = core::mem::take(&mut self.rest);
        let (here, rest) = rest.split_at_mut_checked(bytes.len()).ok_or(NoRoom)?;
        here.copy_from_slice(bytes);
        self.rest = rest;
        self.len = self.len.wrapping_add(bytes.len());
        Ok(())
    }

    pub(super) fn put_all(&mut self, parts: &[&[u8]]) -> Result<(), NoRoom> {
        parts.iter().try_for_each(|part| self.put(part))
    }

    /// Writes a number in decimal.
    pub(super) fn put_decimal(&mut self, number: u64) -> Result<(), NoRoom> {
        let mut digits = [b'0'; 20];
        let mut left = number;
        let mut used = 0usize;

        for digit in digits.iter_mut().rev() {
            *digit = b'0'.wrapping_add((left % 10) as u8);
            left /= 10;
            used = used.wrapping_add(1);
            if left == 0 {
                break;
            }
        }
        self.put(digits.get(20usize.wrapping_sub(used)..).unwrap_or_default())
    }

    /// Writes a `Connection` field with those of `options` that are wanted, if there are any.
    fn put_connection(&mut self, options: &[(bool, &[u8])]) -> Result<(), NoRoom> {
        let mut between: &[u8] = b"Connection: ";

        for (wanted, option) in options {
            if *wanted {
                self.put_all(&[between, option])?;
                between = b", ";
            }
        }
        if between.len() == 2 {
            self.put(b"\r\n")?;
        }
        Ok(())
    }
}

/// How `version` is written in a first line.
pub(super) const fn version_text(version: Version) -> &'static [u8] {
    match version {
        Version::Http10 => b"HTTP/1.0",
        Version::Http11 => b"HTTP/1.1",
    }
}

/// Writes the field that frames the message, without unusual white space. It is never longer than
/// it was.
fn put_framing(flags: Flags, line: &Line<'_>, out: &mut Out<'_>) -> Result<(), NoRoom> {
    if flags.any(Flags::SPACED_FRAMING) {
        out.put_all(&[line.name, b": ", line.value, b"\r\n"])
    } else {
        out.put(line.raw)
    }
}

/// Writes `NAME: `, the elements of `value` that are wanted, and CRLF; or nothing, if none is.
fn put_elements(
    out: &mut Out<'_>,
    name: &[u8],
    value: &[u8],
    wanted: impl Fn(&[u8]) -> bool,
) -> Result<(), NoRoom> {
    let mut first = true;

    for element in lex::elements(value).filter(|element| wanted(element)) {
        if first {
            out.put_all(&[name, b": "])?;
        } else {
            out.put(b",")?;
        }
        out.put(element)?;
        first = false;
    }
    if first {
        Ok(())
    } else {
        out.put(b"\r\n")
    }
}
