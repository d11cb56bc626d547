// SPDX-License-Identifier: GPL-2.0

//! Following a message's content to its exact end (RFC 9112 §6, §7).

use super::{
    lex,
    Framing, //
};

/// The most digits of a chunk's size: as many as 64 bits have, leading zeros included.
const SIZE_DIGITS: u8 = 16;

/// How many bytes the extensions of one chunk may have.
pub const EXTENSIONS_MAX: u16 = 256;

/// How many bytes a trailer section may have.
pub const TRAILERS_MAX: u16 = 8192;

/// Fields that would change, behind the content, what was decided before it (RFC 9110 §6.5.1).
const FORBIDDEN: [&[u8]; 8] = [
    b"content-length",
    b"transfer-encoding",
    b"host",
    b"connection",
    b"upgrade",
    b"te",
    b"trailer",
    b"expect",
];

/// What is wrong with a chunked content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyError {
    /// A chunk's size is missing or no hexadecimal number below 2⁶⁴ (RFC 9112 §7.1).
    ChunkSize,
    /// The chunks together have 2⁶⁴ bytes or more.
    TooLong,
    /// A chunk's extensions are malformed (RFC 9112 §7.1.1).
    Extension,
    /// A chunk's extensions are longer than [`EXTENSIONS_MAX`].
    ExtensionTooLong,
    /// Not CRLF where a line or a chunk ends.
    LineEnd,
    /// A malformed trailer field (RFC 9112 §7.1.2).
    Trailer,
    /// A trailer field that may only be in the head (RFC 9110 §6.5.1).
    ForbiddenTrailer,
    /// The trailer section is longer than [`TRAILERS_MAX`].
    TrailerTooLong,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// `left` bytes follow, and no more.
    Length,
    /// The sender closes.
    Close,
    /// In a chunk's size, of which `count` digits were seen.
    Size,
    /// In white space before a chunk's extension.
    ExtensionSpace,
    /// In a chunk's extensions.
    Extension,
    /// In a quoted string in a chunk's extensions.
    Quoted,
    /// Behind a backslash there.
    Escaped,
    /// Behind the CR of a chunk's first line.
    SizeLf,
    /// In a chunk's data: `left` bytes follow, at least one.
    Data,
    /// Behind a chunk's data.
    DataCr,
    /// Behind the CR behind a chunk's data.
    DataLf,
    /// At the start of a line of the trailer section.
    TrailerStart,
    /// In the name of a trailer field.
    TrailerName,
    /// In the value of a trailer field.
    TrailerValue,
    /// Behind the CR of a trailer field.
    TrailerLf,
    /// Behind the CR of the empty line.
    LastLf,
    /// Nothing follows.
    Done,
    /// What was seen is malformed.
    Failed(BodyError),
}

/// Follows the content of a message to its exact end, in whatever pieces it comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Body {
    /// Bytes that follow ([`State::Length`], [`State::Data`]), or the size read so far.
    left: u64,
    /// Bytes of content that were announced.
    content: u64,
    /// Bytes of extensions of this chunk, or of the trailer section.
    overhead: u16,
    /// Digits of the size, or bytes of the trailer field's name.
    count: u8,
    /// Which of [`FORBIDDEN`] the name may still become.
    forbidden: u8,
    state: State,
}

impl Body {
    /// The content of a message that is framed so, of which nothing was seen yet.
    pub const fn new(framing: Framing) -> Self {
        let (state, left) = match framing {
            Framing::None | Framing::Length(0) => (State::Done, 0),
            Framing::Length(length) => (State::Length, length),
            Framing::Chunked => (State::Size, 0),
            Framing::Close => (State::Close, 0),
        };
        Self {
            left,
            content: left,
            overhead: 0,
            count: 0,
            forbidden: 0,
            state,
        }
    }

    /// Whether the end was seen. That of [`Framing::Close`] never is: it is the connection's.
    pub fn done(&self) -> bool {
        self.state == State::Done
    }

    /// Whether the content ends with the connection.
    pub fn ends_with_connection(&self) -> bool {
        self.state == State::Close
    }

    /// How many bytes of content were announced so far: the length, or the sizes of the chunks
    /// seen. Zero for [`Framing::Close`].
    pub const fn content(&self) -> u64 {
        self.content
    }

    /// How many of the next bytes belong to the message whatever they are.
    pub const fn opaque(&self) -> u64 {
        match self.state {
            State::Length | State::Data => self.left,
            State::Close => u64::MAX,
            _ => 0,
        }
    }

    /// Passes over the next `n` bytes, at most as many as [`Self::opaque`] says.
    pub fn skip(&mut self, n: u64) {
        match self.state {
            State::Length => {
                self.left = self.left.saturating_sub(n);
                if self.left == 0 {
                    self.state = State::Done;
                }
            }
            State::Data => {
                self.left = self.left.saturating_sub(n);
                if self.left == 0 {
                    self.state = State::DataCr;
                }
            }
            _ => {}
        }
    }

    /// Looks at `chunk`, the bytes that follow those seen, and says how many of its first bytes
    /// belong to the message: fewer than all of them only when its end is among them.
    ///
    /// # Errors
    ///
    /// The content is malformed. Every later call says the same.
    pub fn feed(&mut self, chunk: &[u8]) -> Result<usize, BodyError> {
        let mut rest = chunk;

        if let State::Failed(error) = self.state {
            return Err(error);
        }
        loop {
            let opaque = self.opaque();
            if opaque > 0 {
                let n = usize::try_from(opaque)
                    .unwrap_or(usize::MAX)
                    .min(rest.len());
                self.skip(n as u64);
                rest = rest.get(n..).unwrap_or_default();
            }
            let Some((&byte, tail)) = rest.split_first() else {
                break;
            };
            match self.state {
                State::Done => break,
                _ => {
                    self.state = self.step(byte).unwrap_or_else(State::Failed);
                    if let State::Failed(error) = self.state {
                        return Err(error);
                    }
                }
            }
            rest = tail;
        }
        Ok(chunk.len().wrapping_sub(rest.len()))
    }

    /// The state after `byte`.
    fn step(&mut self, byte: u8) -> Result<State, BodyError> {
        match self.state {
            State::Size => self.size(byte),
            State::ExtensionSpace | State::Extension | State::Quoted | State::Escaped => {
                self.extension(byte)
            }
            State::SizeLf => {
                expect(byte, b'\n')?;
                self.begin_chunk()
            }
            State::DataCr => expect(byte, b'\r').map(|()| State::DataLf),
            State::DataLf => {
                self.count = 0;
                expect(byte, b'\n').map(|()| State::Size)
            }
            State::TrailerStart
            | State::TrailerName
            | State::TrailerValue
            | State::TrailerLf
            | State::LastLf => self.trailer(byte),
            // Their bytes are skipped, or not looked at.
            state @ (State::Length
            | State::Data
            | State::Close
            | State::Done
            | State::Failed(_)) => Ok(state),
        }
    }

    fn size(&mut self, byte: u8) -> Result<State, BodyError> {
        if let Some(digit) = hexadecimal(byte) {
            if self.count == SIZE_DIGITS {
                return Err(BodyError::ChunkSize);
            }
            self.count = self.count.wrapping_add(1);
            self.left = self.left.wrapping_shl(4) | u64::from(digit);
            return Ok(State::Size);
        }
        if self.count == 0 {
            return Err(BodyError::ChunkSize);
        }
        self.overhead = 0;
        match byte {
            b'\r' => Ok(State::SizeLf),
            b';' => Ok(State::Extension),
            b' ' | b'\t' => Ok(State::ExtensionSpace),
            b'\n' => Err(BodyError::LineEnd),
            _ => Err(BodyError::ChunkSize),
        }
    }

    /// Extensions mean nothing here, but where they end must be the same for everyone: they are
    /// free of control bytes, white space behind a size is followed by one, and quotes are closed,
    /// since there are readers for whom a line end in quotes ends no line.
    fn extension(&mut self, byte: u8) -> Result<State, BodyError> {
        if self.overhead == EXTENSIONS_MAX {
            return Err(BodyError::ExtensionTooLong);
        }
        self.overhead = self.overhead.wrapping_add(1);
        match (self.state, byte) {
            (State::ExtensionSpace, b' ' | b'\t') => Ok(State::ExtensionSpace),
            (State::ExtensionSpace | State::Extension, b';') => Ok(State::Extension),
            (State::ExtensionSpace, _) => Err(BodyError::Extension),
            (State::Extension, b'"') => Ok(State::Quoted),
            (State::Quoted, b'"') => Ok(State::Extension),
            (State::Quoted, b'\\') => Ok(State::Escaped),
            (State::Quoted | State::Escaped, byte) if byte >= b' ' && byte != 0x7f => {
                Ok(State::Quoted)
            }
            (State::Quoted | State::Escaped, b'\t') => Ok(State::Quoted),
            (State::Quoted | State::Escaped, b'\n') => Err(BodyError::LineEnd),
            (State::Quoted | State::Escaped, _) => Err(BodyError::Extension),
            (_, b'\r') => Ok(State::SizeLf),
            (_, b'\n') => Err(BodyError::LineEnd),
            (_, b'\t') => Ok(State::Extension),
            (_, byte) if byte.is_ascii_control() => Err(BodyError::Extension),
            _ => Ok(State::Extension),
        }
    }

    fn begin_chunk(&mut self) -> Result<State, BodyError> {
        self.overhead = 0;
        if self.left == 0 {
            return Ok(State::TrailerStart);
        }
        self.content = self
            .content
            .checked_add(self.left)
            .ok_or(BodyError::TooLong)?;
        Ok(State::Data)
    }

    fn trailer(&mut self, byte: u8) -> Result<State, BodyError> {
        if self.overhead == TRAILERS_MAX {
            return Err(BodyError::TrailerTooLong);
        }
        self.overhead = self.overhead.wrapping_add(1);
        match (self.state, byte) {
            (State::TrailerStart, b'\r') => Ok(State::LastLf),
            (State::TrailerStart, _) => {
                self.count = 0;
                self.forbidden = u8::MAX;
                self.trailer_name(byte)
            }
            (State::TrailerName, b':') => {
                if self.is_forbidden() {
                    return Err(BodyError::ForbiddenTrailer);
                }
                Ok(State::TrailerValue)
            }
            (State::TrailerName, _) => self.trailer_name(byte),
            (State::TrailerValue, b'\r') => Ok(State::TrailerLf),
            (State::TrailerValue, b'\n') => Err(BodyError::LineEnd),
            (State::TrailerValue, byte) if byte.is_ascii_control() && byte != b'\t' => {
                Err(BodyError::Trailer)
            }
            (State::TrailerValue, _) => Ok(State::TrailerValue),
            (State::LastLf, _) => expect(byte, b'\n').map(|()| State::Done),
            _ => expect(byte, b'\n').map(|()| State::TrailerStart),
        }
    }

    /// Takes `byte` for part of a trailer field's name, and strikes out the forbidden names that
    /// it does not fit.
    fn trailer_name(&mut self, byte: u8) -> Result<State, BodyError> {
        if byte == b'\n' {
            return Err(BodyError::LineEnd);
        }
        if !lex::is(byte, lex::TOKEN) {
            return Err(BodyError::Trailer);
        }
        let at = usize::from(self.count);
        let mut bit = 1u8;
        for name in FORBIDDEN {
            if name.get(at) != Some(&byte.to_ascii_lowercase()) {
                self.forbidden &= !bit;
            }
            bit = bit.wrapping_shl(1);
        }
        self.count = self.count.saturating_add(1);
        Ok(State::TrailerName)
    }

    /// Whether the trailer field's name is a forbidden one.
    fn is_forbidden(&self) -> bool {
        let mut left = self.forbidden;
        FORBIDDEN.iter().any(|name| {
            let fits = left & 1 != 0 && name.len() == usize::from(self.count);
            left = left.wrapping_shr(1);
            fits
        })
    }
}

fn expect(byte: u8, wanted: u8) -> Result<(), BodyError> {
    if byte == wanted {
        Ok(())
    } else {
        Err(BodyError::LineEnd)
    }
}

fn hexadecimal(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte.wrapping_sub(b'0')),
        b'a'..=b'f' => Some(byte.wrapping_sub(b'a').wrapping_add(10)),
        b'A'..=b'F' => Some(byte.wrapping_sub(b'A').wrapping_add(10)),
        _ => None,
    }
}
