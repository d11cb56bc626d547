// SPDX-License-Identifier: GPL-2.0

//! The head of a response that was read last, for when it comes again.
//!
//! A server says the same of the same, byte by byte, but for a date that changes once a second; and
//! to compare a head with another is several times cheaper than to read it.

use super::{
    fields::Facts,
    forward_response,
    Body,
    Forward,
    Limits,
    Response,
    ResponseEdits, //
};

/// The longest head that is kept, in bytes.
const KEPT_MAX: usize = 512;

/// How many bytes are compared in a step. Shorter heads are not kept.
const STEP: usize = 32;

/// What [`Response::parse_prefix`] said last.
///
/// ```
/// # use ktcpvs_core::http::{Limits, Recall};
/// # let limits = Limits { head_max: 1000, target_max: 100, headers_max: 10 };
/// let head = b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n";
/// let mut recall = Recall::NOTHING;
///
/// assert_eq!(recall.known(head, &limits), None);
/// assert!(recall.read(head, &limits).is_some());
/// let known = recall.known(head, &limits).unwrap();
/// assert_eq!(recall.response(known).status(), 200);
/// ```
pub struct Recall {
    bytes: [u8; KEPT_MAX],
    /// How many of `bytes` are a head: 0, or at least [`STEP`].
    len: usize,
    /// What it was read with.
    limits: Limits,
    facts: Facts,
    status: u16,
    fields: u16,
    /// See [`Self::plain`].
    plain: Option<Body>,
}

impl Recall {
    /// Nothing was read yet.
    pub const NOTHING: Self = Self {
        bytes: [0; KEPT_MAX],
        len: 0,
        limits: Limits {
            head_max: 0,
            target_max: 0,
            headers_max: 0,
        },
        facts: Facts::NONE,
        status: 0,
        fields: 0,
        plain: None,
    };

    /// The head that `bytes` begin with, if that is the one which is kept, and `limits` are the same.
    #[inline]
    pub fn known<'a>(&self, bytes: &'a [u8], limits: &Limits) -> Option<&'a [u8]> {
        self.kept()
            .and_then(|kept| same(bytes, kept))
            .filter(|_| self.limits == *limits)
    }

    /// [`Response::parse_prefix`] of what is not known. A head of 32 to 512 bytes is kept.
    #[inline(never)]
    pub fn read<'a>(&mut self, bytes: &'a [u8], limits: &Limits) -> Option<(Response<'a>, usize)> {
        let (response, len) = Response::parse_prefix(bytes, limits)?;

        if let (STEP..=KEPT_MAX, Some(place)) = (len, self.bytes.get_mut(..len)) {
            place.copy_from_slice(response.head());
            self.len = len;
            self.limits = *limits;
            (self.facts, self.status, self.fields) = response.read_as();
            self.plain = plain(&response);
        }
        Some((response, len))
    }

    /// What `known` says: the head that [`Self::known`] found.
    #[inline]
    pub fn response<'a>(&self, known: &'a [u8]) -> Response<'a> {
        Response::recalled(known, self.facts, self.status, self.fields)
    }

    /// The body behind the head that is kept, if that is plain: a final one that goes on as it came
    /// to a client of HTTP/1.1 whose connection persists, and whose method was not `HEAD`; and if
    /// the server's connection persists too.
    #[inline]
    pub const fn plain(&self) -> Option<&Body> {
        self.plain.as_ref()
    }

    /// The head that is kept.
    fn kept(&self) -> Option<&[u8]> {
        self.bytes.get(..self.len)
    }
}

/// [`Recall::plain`] of `response`.
fn plain(response: &Response<'_>) -> Option<Body> {
    let framing = response.framing(false);
    let goes_on = forward_response(response, &ResponseEdits::default(), &mut []);
    let plain = !response.is_interim() && response.reusable(false) && goes_on == Ok(Forward::AsIs);

    plain.then(|| Body::new(framing))
}

/// What of `bytes` is the same as all of `kept`, which has at least [`STEP`] bytes. `None` if they
/// begin otherwise.
#[inline]
fn same<'a>(bytes: &'a [u8], kept: &[u8]) -> Option<&'a [u8]> {
    let head = bytes.get(..kept.len())?;
    let mut steps = head.chunks_exact(STEP).zip(kept.chunks_exact(STEP));
    let equal = |(a, b): (&[u8], &[u8])| match (a.first_chunk(), b.first_chunk()) {
        (Some(a), Some(b)) => same_step(a, b),
        _ => false,
    };
    let (a, b) = (head.last_chunk()?, kept.last_chunk()?);

    // The last step may overlap the one before.
    (steps.all(equal) && same_step(a, b)).then_some(head)
}

/// Whether both are the same: in words, for a call of `memcmp()` costs more than it compares here.
#[inline(always)]
fn same_step(a: &[u8; STEP], b: &[u8; STEP]) -> bool {
    let (a, b) = (words(a), words(b));

    (a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]) | (a[3] ^ b[3]) == 0
}

/// The words of a step.
#[inline(always)]
fn words(step: &[u8; STEP]) -> [u64; STEP / 8] {
    let mut words = [0; STEP / 8];

    for (word, bytes) in words.iter_mut().zip(step.chunks_exact(8)) {
        if let Some(bytes) = bytes.first_chunk() {
            *word = u64::from_le_bytes(*bytes);
        }
    }
    words
}
