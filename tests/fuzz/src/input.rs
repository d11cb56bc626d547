// SPDX-License-Identifier: GPL-2.0

//! Parts of an input: what is read, and what says how.

use ktcpvs_core::http::Limits;

/// The last `N` bytes of `data`, which say how the others are to be read, and those others.
///
/// They are at the end, so that bytes put into the text do not move them. Where there are too few,
/// they are 0, and all of it is text.
pub fn knobs<const N: usize>(data: &[u8]) -> ([u8; N], &[u8]) {
    match data.split_last_chunk::<N>() {
        Some((text, knobs)) => (*knobs, text),
        None => ([0; N], data),
    }
}

/// Numbers that follow from a seed (SplitMix64).
pub struct Numbers(pub u64);

impl Numbers {
    /// The next one.
    pub fn any(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// The next one, below `end` or 0.
    pub fn below(&mut self, end: usize) -> usize {
        (self.any() % end.max(1) as u64) as usize
    }
}

/// `bytes` in pieces as `seed` has it: some are empty, most short.
pub fn pieces(bytes: &[u8], seed: u64) -> Vec<&[u8]> {
    let mut numbers = Numbers(seed);
    let mut pieces = Vec::new();
    let mut rest = bytes;

    while !rest.is_empty() {
        let most = match numbers.below(3) {
            0 => 3,
            1 => 40,
            _ => rest.len() + 1,
        };
        let (piece, after) = rest.split_at(numbers.below(most).min(rest.len()));
        pieces.push(piece);
        rest = after;
    }
    pieces
}

/// Limits: the usual ones, or lower ones where a knob is not 0.
pub fn limits([head, target, fields]: [u8; 3]) -> Limits {
    let usual = Limits::default();
    let or = |knob: u8, scale: usize, usual| match knob {
        0 => usual,
        u8::MAX => usize::MAX,
        _ => usize::from(knob) * scale,
    };

    Limits {
        head_max: or(head, 2, usual.head_max),
        target_max: or(target, 1, usual.target_max),
        // Few heads here have many.
        headers_max: or(fields.min(16), 1, usual.headers_max),
    }
}
