// SPDX-License-Identifier: GPL-2.0

//! Looking up literal patterns: all those of one kind and one length at once.

use super::{
    words::Words,
    BELOW,
    EXACT,
    PREFIX,
    SUFFIX, //
};
use core::cmp::Ordering;

/// The literal patterns of one kind and one length.
pub(super) struct Literal<'a> {
    words: Words<'a>,
    kind: u32,
    len: usize,
    entries: usize,
    number: usize,
}

impl<'a> Literal<'a> {
    pub(super) fn new(
        words: Words<'a>,
        kind: u32,
        len: usize,
        entries: usize,
        number: usize,
    ) -> Self {
        Self {
            words,
            kind,
            len,
            entries,
            number,
        }
    }

    /// The part of `value` that an entry must be equal to.
    fn part<'v>(&self, value: &'v [u8]) -> Option<&'v [u8]> {
        let before = value.len().checked_sub(self.len)?;

        match self.kind {
            EXACT if before == 0 => Some(value),
            PREFIX => value.get(..self.len),
            SUFFIX => value.get(before..),
            BELOW if before > 0 => value.get(before..),
            _ => None,
        }
    }

    /// Calls `hit` with the pattern that matches `value`, if one does.
    pub(super) fn matches(&self, value: &[u8], hit: &mut impl FnMut(usize)) {
        let Some(part) = self.part(value) else {
            return;
        };
        let (mut low, mut high) = (0, self.number.min(self.words.len()));

        while low < high {
            let middle = low.wrapping_add(high) / 2;
            let entry = self.entries.wrapping_add(middle.wrapping_mul(2));

            match self.words.compare(self.words.offset(entry), part) {
                Ordering::Less => low = middle.wrapping_add(1),
                Ordering::Greater => high = middle,
                Ordering::Equal => return hit(self.words.offset(entry.wrapping_add(1))),
            }
        }
    }
}
