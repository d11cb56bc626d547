// SPDX-License-Identifier: GPL-2.0

//! Reading words that may say anything.

use core::cmp::Ordering;

/// The words of a program. What is not there reads as 0.
#[derive(Clone, Copy)]
pub(super) struct Words<'a>(&'a [u32]);

impl<'a> Words<'a> {
    pub(super) fn new(words: &'a [u32]) -> Self {
        Self(words)
    }

    pub(super) fn len(self) -> usize {
        self.0.len()
    }

    /// The word at `at`.
    pub(super) fn word(self, at: usize) -> u32 {
        self.0.get(at).copied().unwrap_or(0)
    }

    /// The word at `at`, as an offset or a number of things.
    pub(super) fn offset(self, at: usize) -> usize {
        self.word(at) as usize
    }

    /// The words `at` to `at + number`, as far as they are there.
    pub(super) fn slice(self, at: usize, number: usize) -> &'a [u32] {
        let rest = self.0.get(at..).unwrap_or(&[]);

        rest.get(..number).unwrap_or(rest)
    }

    /// The same, one by one.
    pub(super) fn list(self, at: usize, number: usize) -> impl Iterator<Item = u32> + 'a {
        self.slice(at, number).iter().copied()
    }

    /// The byte number `index` of those packed from `at` on.
    fn byte(self, at: usize, index: usize) -> u8 {
        let word = self.word(at.wrapping_add(index / 4));

        (word >> ((index % 4) * 8)) as u8
    }

    /// Copies the `len` bytes packed from `at` on into `out`, as far as they fit.
    pub(super) fn bytes(self, at: usize, len: usize, out: &mut [u8]) -> &[u8] {
        let len = len.min(out.len());

        for (index, byte) in out.iter_mut().enumerate().take(len) {
            *byte = self.byte(at, index);
        }
        out.get(..len).unwrap_or(&[])
    }

    /// The `len` bytes packed from `at` on, one by one.
    pub(super) fn packed(self, at: usize, len: usize) -> impl Iterator<Item = u8> + 'a {
        (0..len).map(move |index| self.byte(at, index))
    }

    /// How the bytes packed from `at` on, as many as `other` has, compare with `other`.
    pub(super) fn compare(self, at: usize, other: &[u8]) -> Ordering {
        self.packed(at, other.len()).cmp(other.iter().copied())
    }
}
