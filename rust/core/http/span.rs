// SPDX-License-Identifier: GPL-2.0

//! Parts of a head, by their places.

/// A part of a head, by its place: four bytes in place of a slice's sixteen, so that a head that
/// was read is small enough to be moved in a few registers. A head has at most 65535 bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Span {
    start: u16,
    len: u16,
}

impl Span {
    /// No part.
    pub(super) const EMPTY: Self = Self { start: 0, len: 0 };

    /// `part`, which is a part of `head` or empty.
    #[inline]
    pub(super) fn of(head: &[u8], part: &[u8]) -> Self {
        Self {
            start: offset(head, part),
            len: part.len() as u16,
        }
    }

    /// Where what is behind it begins.
    #[inline]
    pub(super) fn end(self) -> usize {
        usize::from(self.start).wrapping_add(self.len.into())
    }

    /// The part of `head`.
    #[inline]
    pub(super) fn get(self, head: &[u8]) -> &[u8] {
        part(head, self.start.into(), self.len.into())
    }
}

/// The `len` bytes of `head` from `start` on, of which it has so many.
#[inline]
pub(super) fn part(head: &[u8], start: usize, len: usize) -> &[u8] {
    head.get(start..)
        .and_then(|rest| rest.get(..len))
        .unwrap_or_default()
}

/// Where `part`, which is a part of `head`, begins in it. It means nothing if `part` is none.
#[inline]
pub(super) fn offset(head: &[u8], part: &[u8]) -> u16 {
    (part.as_ptr() as usize).wrapping_sub(head.as_ptr() as usize) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans() {
        let head = [b'x'; 65535];
        for (start, end) in [(0, 0), (0, 65535), (7, 9), (65535, 65535), (65534, 65535)] {
            let span = Span::of(&head, &head[start..end]);

            assert_eq!(span.get(&head).as_ptr(), head[start..].as_ptr());
            assert_eq!((span.get(&head).len(), span.end()), (end - start, end));
        }
        assert_eq!(Span::of(&head, &[]).get(&head), b"");
        assert_eq!(part(&head, 65535, 1), b"");
    }
}
