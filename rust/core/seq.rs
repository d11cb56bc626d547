// SPDX-License-Identifier: GPL-2.0

//! Numbers that begin again at 0: those of TCP's bytes, and the ticks of clocks.
//!
//! "It is essential to remember that the actual sequence number space is finite, though large.
//! [...] all arithmetic dealing with sequence numbers must be performed modulo 2**32" (RFC 9293
//! §3.4). Which of two such numbers comes first can only be told of those that are less than half of
//! all numbers apart: TCP's windows and the time-outs here are far shorter.

/// A number that begins again at 0 behind its largest.
///
/// Whatever the numbers are, nothing overflows: the kernel would take that for a fault.
pub trait Serial: Copy {
    /// How many steps it is from `earlier` on to this.
    #[must_use]
    fn since(self, earlier: Self) -> Self;

    /// Whether this comes before `other`. Of two that are exactly half of all numbers apart each
    /// comes before the other, as the kernel's `before()` has it.
    #[must_use]
    fn before(self, other: Self) -> bool;

    /// How many bytes are unread where this is the next number that is expected, and `copied` that
    /// of the next byte to read. If there was an `end`, the last number is its: a FIN takes one as a
    /// byte does (RFC 9293 §3.4). Nothing is unread where both numbers are the same.
    #[must_use]
    fn unread(self, copied: Self, end: bool) -> Self;
}

macro_rules! serial {
    ($($number:ty: $difference:ty),*) => {
        $(
            // What a packet costs is counted in instructions: these are one or two.
            impl Serial for $number {
                #[inline(always)]
                fn since(self, earlier: Self) -> Self {
                    self.wrapping_sub(earlier)
                }

                #[inline(always)]
                fn before(self, other: Self) -> bool {
                    (self.wrapping_sub(other) as $difference) < 0
                }

                #[inline(always)]
                fn unread(self, copied: Self, end: bool) -> Self {
                    self.since(copied).saturating_sub(end.into())
                }
            }
        )*
    };
}

// Those of 8 bits are for tests, which try all of them.
serial!(u8: i8, u32: i32, u64: i64, usize: isize);
