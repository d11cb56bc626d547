// SPDX-License-Identifier: GPL-2.0

//! Finding the end of a head.

use super::{
    lex,
    HeadError,
    Limits, //
};

/// How many empty lines before a request line are passed over (RFC 9112 §2.2 asks for one).
pub(super) const EMPTY_LINES: u8 = 4;

/// The longest method that is looked at.
pub(super) const METHOD_MAX: usize = 32;

/// What every status line begins with.
const STATUS_PREFIX: &[u8] = b"HTTP/";

/// The most bytes of a request line beside its target: empty lines before it, method, two spaces,
/// version and CRLF.
const AROUND_TARGET: usize = 2 * EMPTY_LINES as usize + METHOD_MAX + 12;

/// Whose head is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A client's.
    Request,
    /// A server's.
    Response,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before the first line.
    Before,
    /// After a CR before the first line.
    EmptyCr,
    /// In the method, or in the `HTTP/` of a status line.
    Opening,
    /// In the rest of the first line.
    First,
    /// In a field line.
    Field,
    /// After a CR that ends a line which is not empty.
    Cr,
    /// At the start of a line.
    LineStart,
    /// After the CR of the empty line.
    LastCr,
    /// The head is complete.
    Done,
    /// No head can come of this.
    Failed(HeadError),
}

/// Finds the end of a head in the bytes of a connection, in whatever pieces they come, and looks
/// at each byte once.
///
/// It refuses at once what can never become a head, so that a peer that speaks something else is
/// told so immediately. What it lets through is not valid yet: that is for
/// [`Request::parse`](super::Request::parse) and [`Response::parse`](super::Response::parse).
#[derive(Clone, Copy, Debug)]
pub struct HeadScanner {
    len: u32,
    kind: Kind,
    /// Empty lines seen in [`State::Before`], bytes seen in [`State::Opening`].
    count: u8,
    state: State,
}

impl HeadScanner {
    /// A scanner that has seen nothing yet.
    pub const fn new(kind: Kind) -> Self {
        Self {
            len: 0,
            kind,
            count: 0,
            state: State::Before,
        }
    }

    /// How many bytes of the head were seen, with the empty lines before it; once it is complete,
    /// its length.
    pub const fn len(&self) -> usize {
        self.len as usize
    }

    /// Whether no byte was seen yet.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether the head is complete.
    pub const fn is_done(&self) -> bool {
        matches!(self.state, State::Done)
    }

    /// Whether nothing but empty lines was seen yet: such a connection is idle.
    pub const fn is_idle(&self) -> bool {
        matches!(self.state, State::Before | State::EmptyCr)
    }

    /// Whether what was seen can still be within `limits`.
    ///
    /// # Errors
    ///
    /// [`HeadError::TargetTooLong`] or [`HeadError::TooLarge`].
    pub const fn check(&self, limits: &Limits) -> Result<(), HeadError> {
        let first = matches!((self.kind, self.state), (Kind::Request, State::First));
        if first && self.len() > limits.target_max.saturating_add(AROUND_TARGET) {
            Err(HeadError::TargetTooLong)
        } else if self.len() > limits.head() {
            Err(HeadError::TooLarge)
        } else {
            Ok(())
        }
    }

    /// Looks at `chunk`, the bytes that follow those of the calls before.
    ///
    /// `Some(n)`: the head ends with `chunk[n - 1]`; the scanner has then done its work, and
    /// answers `Some(0)` to everything. `None`: all of `chunk` belongs to the head, and it is not
    /// complete.
    ///
    /// # Errors
    ///
    /// What was seen can never become a head. Every later call says the same.
    pub fn feed(&mut self, chunk: &[u8]) -> Result<Option<usize>, HeadError> {
        let mut rest = chunk;

        while let Some((&byte, tail)) = rest.split_first() {
            if matches!(self.state, State::First | State::Field) {
                let skip = lex::find_control(rest);
                let Some((&control, tail)) = rest.get(skip..).and_then(<[u8]>::split_first) else {
                    break;
                };
                rest = tail;
                self.state = match control {
                    b'\r' => State::Cr,
                    b'\t' => continue,
                    b'\n' => State::Failed(HeadError::BareLineEnd),
                    _ => State::Failed(HeadError::ControlByte),
                };
                continue;
            }
            match self.state {
                State::Done => return Ok(Some(0)),
                State::Failed(error) => return Err(error),
                _ => self.state = self.step(byte),
            }
            rest = tail;
            if self.state == State::Done {
                break;
            }
        }
        let seen = match self.state {
            State::Failed(error) => return Err(error),
            State::Done => chunk.len().wrapping_sub(rest.len()),
            _ => chunk.len(),
        };
        let seen_u32 = u32::try_from(seen).unwrap_or(u32::MAX);
        self.len = self.len.saturating_add(seen_u32);
        Ok((self.state == State::Done).then_some(seen))
    }

    /// The state after `byte`, where bytes are looked at one by one.
    fn step(&mut self, byte: u8) -> State {
        match (self.state, byte) {
            (State::Before, b'\r') if self.kind == Kind::Request => State::EmptyCr,
            (State::EmptyCr, b'\n') if self.count < EMPTY_LINES => {
                self.count = self.count.wrapping_add(1);
                State::Before
            }
            (State::EmptyCr, b'\n') => State::Failed(HeadError::EmptyLines),
            (State::Before, _) => {
                self.count = 0;
                self.opening(byte)
            }
            (State::Opening, _) => self.opening(byte),
            (State::Cr, b'\n') => State::LineStart,
            (State::LineStart, b'\r') => State::LastCr,
            (State::LineStart, b' ' | b'\t') => State::Failed(HeadError::Folded),
            (State::LineStart, _) if lex::is(byte, lex::TOKEN) => State::Field,
            (State::LineStart, _) => State::Failed(HeadError::BadFieldName),
            (State::LastCr, b'\n') => State::Done,
            _ => State::Failed(HeadError::BareLineEnd),
        }
    }

    /// The state after `byte` of the method, or of the first bytes of a status line.
    fn opening(&mut self, byte: u8) -> State {
        let at = usize::from(self.count);
        self.count = self.count.wrapping_add(1);

        match self.kind {
            Kind::Request if lex::is(byte, lex::TOKEN) => {
                if at < METHOD_MAX {
                    State::Opening
                } else {
                    State::Failed(HeadError::MethodTooLong)
                }
            }
            Kind::Request if byte == b' ' && at > 0 => State::First,
            Kind::Response if STATUS_PREFIX.get(at) == Some(&byte) => {
                if at.wrapping_add(1) == STATUS_PREFIX.len() {
                    State::First
                } else {
                    State::Opening
                }
            }
            _ => State::Failed(HeadError::BadStartLine),
        }
    }
}
