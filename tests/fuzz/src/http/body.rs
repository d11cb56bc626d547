// SPDX-License-Identifier: GPL-2.0

//! A content ends at the same byte in whatever pieces it comes, and nothing behind it is taken.

use crate::input::{
    knobs,
    pieces, //
};
use ktcpvs_core::http::{
    Body,
    BodyError,
    Framing,
    EXTENSIONS_MAX,
    TRAILERS_MAX, //
};

/// Where a content ends, if it does, and how many bytes were announced.
type Seen = Result<(Option<usize>, u64), BodyError>;

/// Follows any bytes by any framing.
pub fn body(data: &[u8]) {
    let ([kind, length @ .., a, b], bytes) = knobs::<11>(data);
    let length = u64::from_le_bytes(length);
    let seed = length ^ u64::from_le_bytes([a, b, 1, 0, 0, 0, 0, 0]);
    let framing = match kind % 8 {
        0..=3 => Framing::Chunked,
        4 => Framing::Length(length % 64),
        5 => Framing::Length(length),
        6 => Framing::Close,
        _ => Framing::None,
    };
    let whole = follow(framing, [bytes]);

    assert_eq!(follow(framing, bytes.chunks(1)), whole);
    assert_eq!(follow(framing, pieces(bytes, seed)), whole);
    for step in [1, usize::from(a) + 1, usize::MAX] {
        skip_through(framing, bytes, step, whole);
    }
    assert_eq!(whole.map_err(|_| ()), naive(framing, bytes));
}

/// Feeds `pieces` to a body.
fn follow<'p>(framing: Framing, pieces: impl IntoIterator<Item = &'p [u8]>) -> Seen {
    let mut body = Body::new(framing);
    let mut taken = 0;

    for piece in pieces {
        if body.done() {
            assert_eq!(body.feed(piece), Ok(0));
            continue;
        }
        let n = body.feed(piece).inspect_err(|&error| {
            assert!(!body.done() && body.opaque() == 0);
            assert_eq!(body.feed(b"0\r\n\r\n"), Err(error));
        })?;
        taken += n;
        // Fewer than all only at the end.
        assert!(n == piece.len() || (n < piece.len() && body.done()));
    }
    assert_eq!(body.ends_with_connection(), framing == Framing::Close);
    Ok((body.done().then_some(taken), body.content()))
}

/// The same for a reader that passes over what is opaque, at most `step` bytes at a time, and
/// shows the body each other byte alone.
fn skip_through(framing: Framing, bytes: &[u8], step: usize, seen: Seen) {
    let mut body = Body::new(framing);
    let mut at = 0;

    while at < bytes.len() && !body.done() {
        let left = (bytes.len() - at).min(step);
        let n = usize::try_from(body.opaque()).unwrap_or(left).min(left);

        if n > 0 {
            body.skip(n as u64);
            at += n;
            continue;
        }
        match body.feed(&bytes[at..=at]) {
            Ok(n) => at += n,
            Err(error) => return assert_eq!(seen, Err(error)),
        }
    }
    assert_eq!(seen, Ok((body.done().then_some(at), body.content())));
}

/// Another way to say where a content ends.
fn naive(framing: Framing, bytes: &[u8]) -> Result<(Option<usize>, u64), ()> {
    match framing {
        Framing::None => Ok((Some(0), 0)),
        Framing::Close => Ok((None, 0)),
        Framing::Length(length) => {
            let end = usize::try_from(length).ok().filter(|&n| n <= bytes.len());
            Ok((end, length))
        }
        Framing::Chunked => {
            let mut chunks = Chunks {
                bytes,
                at: 0,
                content: 0,
            };
            match chunks.read() {
                Ok(()) => Ok((Some(chunks.at), chunks.content)),
                Err(Stop::More) => Ok((None, chunks.content)),
                Err(Stop::Bad) => Err(()),
            }
        }
    }
}

/// Why a reader stops.
enum Stop {
    /// There are no more bytes.
    More,
    /// What there is cannot be.
    Bad,
}

/// A reader of chunks.
struct Chunks<'a> {
    bytes: &'a [u8],
    at: usize,
    content: u64,
}

impl Chunks<'_> {
    fn next(&mut self) -> Result<u8, Stop> {
        let byte = self.bytes.get(self.at).copied().ok_or(Stop::More)?;
        self.at += 1;
        Ok(byte)
    }

    fn expect(&mut self, wanted: u8) -> Result<(), Stop> {
        if self.next()? == wanted {
            Ok(())
        } else {
            Err(Stop::Bad)
        }
    }

    /// The next byte, of which there may be `left` at most.
    fn count(&mut self, left: &mut u16) -> Result<u8, Stop> {
        let byte = self.next()?;
        *left = left.checked_sub(1).ok_or(Stop::Bad)?;
        Ok(byte)
    }

    fn read(&mut self) -> Result<(), Stop> {
        loop {
            let size = self.size()?;
            self.expect(b'\n')?;
            if size == 0 {
                return self.trailers();
            }
            self.content = self.content.checked_add(size).ok_or(Stop::Bad)?;
            let left = self.bytes.len() - self.at;
            let size = usize::try_from(size).unwrap_or(usize::MAX);
            self.at += size.min(left);
            self.expect(b'\r')?;
            self.expect(b'\n')?;
        }
    }

    /// Reads a chunk's first line, as far as its LF.
    fn size(&mut self) -> Result<u64, Stop> {
        let mut digits = String::new();
        let mut byte = self.next()?;

        while byte.is_ascii_hexdigit() {
            digits.push(byte.into());
            if digits.len() > 16 {
                return Err(Stop::Bad);
            }
            byte = self.next()?;
        }
        let size = u64::from_str_radix(&digits, 16).map_err(|_| Stop::Bad)?;
        let mut left = EXTENSIONS_MAX;

        if byte == b' ' || byte == b'\t' {
            while byte == b' ' || byte == b'\t' {
                byte = self.count(&mut left)?;
            }
            if byte != b';' {
                return Err(Stop::Bad);
            }
        } else if byte != b';' && byte != b'\r' {
            return Err(Stop::Bad);
        }
        let (mut quoted, mut escaped) = (false, false);

        while byte != b'\r' || quoted {
            if byte.is_ascii_control() && byte != b'\t' {
                return Err(Stop::Bad);
            }
            match byte {
                _ if escaped => escaped = false,
                b'\\' if quoted => escaped = true,
                b'"' => quoted = !quoted,
                _ => {}
            }
            byte = self.count(&mut left)?;
        }
        Ok(size)
    }

    fn trailers(&mut self) -> Result<(), Stop> {
        let mut left = TRAILERS_MAX;

        loop {
            let mut byte = self.count(&mut left)?;
            let mut name = Vec::new();
            let empty = byte == b'\r';

            while !empty && byte != b':' {
                name.push(byte);
                if !crate::reference::is_token(&[byte]) {
                    return Err(Stop::Bad);
                }
                byte = self.count(&mut left)?;
            }
            if !empty && (name.is_empty() || is_forbidden(&name)) {
                return Err(Stop::Bad);
            }
            while byte != b'\r' {
                if byte.is_ascii_control() && byte != b'\t' {
                    return Err(Stop::Bad);
                }
                byte = self.count(&mut left)?;
            }
            if self.count(&mut left)? != b'\n' {
                return Err(Stop::Bad);
            }
            if empty {
                return Ok(());
            }
        }
    }
}

/// Whether a trailer field may not have this name (RFC 9110 §6.5.1).
fn is_forbidden(name: &[u8]) -> bool {
    let name = name.to_ascii_lowercase();
    let forbidden = "content-length transfer-encoding host connection upgrade te trailer expect";

    forbidden.split(' ').any(|other| other.as_bytes() == name)
}
