// SPDX-License-Identifier: GPL-2.0

//! The names of fields that most heads have, recognised in words.
//!
//! What is not recognised here is no less valid: it is read byte by byte, by those who look here
//! first.

use super::fields::Field;

/// The names, in lower case: letters and hyphens, at most [`LEN_MAX`]. Of those that begin with the
/// same four bytes, the first is looked for first.
const NAMES: &[(&[u8], Field)] = &[
    (b"host", Field::Host),
    (b"connection", Field::Connection),
    (b"content-length", Field::ContentLength),
    (b"content-type", Field::Other),
    (b"content-encoding", Field::Other),
    (b"transfer-encoding", Field::TransferEncoding),
    (b"upgrade", Field::Upgrade),
    (b"expect", Field::Expect),
    (b"expires", Field::Other),
    (b"cookie", Field::Cookie),
    (b"keep-alive", Field::KeepAlive),
    (b"x-forwarded-for", Field::ForwardedFor),
    (b"x-forwarded-proto", Field::Other),
    (b"x-forwarded-host", Field::Other),
    (b"x-powered-by", Field::Other),
    (b"x-request-id", Field::Other),
    (b"server", Field::Other),
    (b"date", Field::Other),
    (b"last-modified", Field::Other),
    (b"etag", Field::Other),
    (b"accept-ranges", Field::Other),
    (b"accept", Field::Other),
    (b"accept-encoding", Field::Other),
    (b"accept-language", Field::Other),
    (b"user-agent", Field::Other),
    (b"cache-control", Field::Other),
    (b"vary", Field::Other),
    (b"set-cookie", Field::Other),
    (b"location", Field::Other),
    (b"referer", Field::Other),
    (b"origin", Field::Other),
    (b"authorization", Field::Other),
    (b"if-none-match", Field::Other),
    (b"if-modified-since", Field::Other),
    (b"pragma", Field::Other),
    (b"link", Field::Other),
];

/// How long a name is at most: with its colon it has three words.
const LEN_MAX: usize = 23;

/// How many names can be found at once.
const SLOTS: usize = 64;

/// What a name's first bytes are multiplied by to find its slot. It was found by trying: no two
/// names have the same slot that do not begin alike.
const SPREAD: u32 = 0xa2ee_c73b;

/// Where no other name follows.
const NONE: u8 = u8::MAX;

/// A name with its colon.
#[repr(align(64))]
#[derive(Clone, Copy)]
struct Known {
    /// Its words, and which of their bits count: not those behind it, nor those that tell the case
    /// of a letter. Whatever other byte there is, it is told from the right one.
    words: [(u64, u64); 3],
    /// How many bytes it has.
    len: u8,
    field: Field,
    /// The name to look for if it is not this one.
    next: u8,
}

impl Known {
    const fn new(name: &[u8], field: Field) -> Self {
        assert!(name.len() <= LEN_MAX);
        let mut words = [(0, 0); 3];
        let mut at = 0;

        while at <= name.len() {
            let (byte, care) = match at < name.len() {
                true => (name[at], if name[at] == b'-' { 0xff } else { 0xdf }),
                false => (b':', 0xff),
            };
            assert!(care == 0xff || byte.is_ascii_lowercase());
            words[at / 8].0 |= (byte as u64) << (at % 8 * 8);
            words[at / 8].1 |= care << (at % 8 * 8);
            at += 1;
        }
        Self {
            words,
            len: at as u8,
            field,
            next: NONE,
        }
    }

    /// Whether `word` is what it has in the place `at`, counted in words.
    #[inline(always)]
    fn has(&self, at: usize, word: &[u8; 8]) -> bool {
        match self.words.get(at) {
            Some((bits, care)) => (u64::from_le_bytes(*word) ^ bits) & care == 0,
            None => false,
        }
    }

    /// What of `bytes` is behind it, if they begin with it. `first` is their first word.
    #[inline(always)]
    fn strip<'a>(&self, first: &[u8; 8], bytes: &'a [u8]) -> Option<&'a [u8]> {
        if !self.has(0, first) {
            return None;
        }
        if self.len > 8 {
            if !self.has(1, bytes.first_chunk::<16>()?.last_chunk()?) {
                return None;
            }
            if self.len > 16 && !self.has(2, bytes.first_chunk::<24>()?.last_chunk()?) {
                return None;
            }
        }
        bytes.get(self.len.into()..)
    }
}

/// The slot of a name that begins with `word`, in whatever case.
#[inline(always)]
const fn slot(word: u64) -> usize {
    ((word as u32 | 0x2020_2020).wrapping_mul(SPREAD) >> 26) as usize
}

/// The names by their slots, then those whose slot was taken. A slot that no name has is given one
/// that is never there, so that none is empty.
static KNOWN: [Known; SLOTS + NAMES.len()] = known();

const fn known() -> [Known; SLOTS + NAMES.len()] {
    let mut table = [Known::new(NAMES[0].0, NAMES[0].1); SLOTS + NAMES.len()];
    let mut used = [false; SLOTS];
    let mut further = SLOTS;
    let mut i = 0;

    while i < NAMES.len() {
        let name = Known::new(NAMES[i].0, NAMES[i].1);
        let mut at = slot(name.words[0].0);

        if used[at] {
            while table[at].next != NONE {
                at = table[at].next as usize;
            }
            table[at].next = further as u8;
            at = further;
            further += 1;
        } else {
            used[at] = true;
        }
        table[at] = name;
        i += 1;
    }
    table
}

/// The field whose well-known name and colon `bytes` begin with, and what is behind them.
#[inline(always)]
pub(super) fn strip(bytes: &[u8]) -> Option<(Field, &[u8])> {
    let word = bytes.first_chunk::<8>()?;
    let mut name = KNOWN.get(slot(u64::from_le_bytes(*word)))?;

    loop {
        if let Some(after) = name.strip(word, bytes) {
            return Some((name.field, after));
        }
        name = KNOWN.get(usize::from(name.next))?;
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::http::lex;
    use std::vec::Vec;

    /// What the long way makes of the name that `bytes` begin with.
    fn naive(bytes: &[u8]) -> Option<(Field, &[u8])> {
        let len = bytes
            .iter()
            .position(|&byte| !lex::is(byte, lex::TOKEN))
            .filter(|&len| len > 0 && bytes[len] == b':')?;

        Some((Field::of(&bytes[..len]), &bytes[len + 1..]))
    }

    /// That what is recognised is right. Returns whether it was.
    fn check(bytes: &[u8]) -> bool {
        let found = strip(bytes);

        if found.is_some() {
            assert_eq!(found, naive(bytes), "{:?}", bytes.escape_ascii());
        }
        found.is_some()
    }

    /// What can be behind a name and its colon: enough, and hardly anything.
    const BEHIND: [&[u8]; 4] = [
        b" value\r\nHost: behind it\r\n\r\n",
        b" v\r\n\r\n",
        b"",
        b":: :",
    ];

    fn heads() -> impl Iterator<Item = (usize, Vec<u8>)> {
        NAMES.iter().flat_map(|(name, _)| {
            BEHIND
                .iter()
                .map(move |behind| (name.len(), [name, &b":"[..], behind].concat()))
        })
    }

    /// Each name is recognised, in whatever case, if what is behind it fills its words.
    #[test]
    fn names_are_recognised() {
        for (len, head) in heads() {
            let words = (len + 1).div_ceil(8) * 8;
            let mixed = head.iter().enumerate().map(|(i, byte)| match i % 3 {
                0 if i < len => byte.to_ascii_uppercase(),
                _ => *byte,
            });

            assert_eq!(check(&head), head.len() >= words);
            assert_eq!(check(&mixed.collect::<Vec<_>>()), head.len() >= words);
            assert!(!check(&head[..len]), "without its colon");
        }
    }

    /// Every byte at every position, in the place of the right one and beside it.
    #[test]
    fn every_byte_counts() {
        for (len, head) in heads() {
            for at in 0..=len {
                for byte in 0..=255u8 {
                    let mut other = head.clone();
                    other[at] = byte;
                    let same = other[..=len].eq_ignore_ascii_case(&head[..=len]);
                    // With another colon it may be another name.
                    assert!(!check(&other) || same || byte == b':');

                    let mut longer = head.clone();
                    longer.insert(at, byte);
                    check(&longer);
                }
                let mut shorter = head.clone();
                shorter.remove(at);
                check(&shorter);
            }
        }
    }

    /// Two wrong bytes do not make up for each other: the bits that differ are not summed.
    #[test]
    fn two_bytes_count() {
        for (len, head) in heads() {
            for at in 0..len {
                for flip in 1..=255u8 {
                    let mut other = head.clone();
                    other[at] ^= flip;
                    other[at + 1] ^= flip;
                    check(&other);
                }
            }
        }
    }

    /// However much of a head there is yet.
    #[test]
    fn every_split() {
        for (_, head) in heads() {
            for end in 0..=head.len() {
                check(&head[..end]);
            }
        }
    }

    /// Names that do not begin alike have slots of their own.
    #[test]
    fn slots() {
        for (i, (one, _)) in NAMES.iter().enumerate() {
            for (other, _) in &NAMES[..i] {
                let [a, b] =
                    [one, other].map(|name| slot(Known::new(name, Field::Other).words[0].0));
                assert_eq!(a == b, one[..4] == other[..4]);
            }
        }
    }
}
