// SPDX-License-Identifier: GPL-2.0

//! Numbers that begin again at 0: all pairs of 8 bits, and those of more at their bounds, against
//! places on a line that does not end.

use ktcpvs_core::seq::Serial;
use std::fmt::Debug;

/// What the numbers of `bits` bits are that are at these places.
trait At: Serial + Debug + PartialEq {
    const BITS: u32;
    fn at(place: i128) -> Self;
}

macro_rules! at {
    ($($number:ty),*) => {
        $(
            impl At for $number {
                const BITS: u32 = <$number>::BITS;

                fn at(place: i128) -> Self {
                    place.rem_euclid(1 << Self::BITS) as $number
                }
            }
        )*
    };
}

at!(u8, u32, u64, usize);

/// Tries the number at `earlier` and the one `steps` behind it, fewer than there are numbers.
fn try_pair<N: At>(earlier: i128, steps: i128) {
    let half = 1i128 << (N::BITS - 1);
    let (a, b) = (N::at(earlier), N::at(earlier + steps));
    let bytes = |end: bool| N::at((steps - i128::from(end)).max(0));

    assert_eq!(b.since(a), N::at(steps), "{b:?} since {a:?}");
    // What is more than half of all numbers ahead is behind.
    assert_eq!(a.before(b), 0 < steps && steps <= half, "{a:?} {b:?}");
    assert_eq!(b.before(a), steps >= half, "{b:?} {a:?}");
    for end in [false, true] {
        assert_eq!(b.unread(a, end), bytes(end), "{a:?} to {b:?}, {end}");
    }
}

#[test]
fn all_pairs_of_8_bits() {
    for earlier in 0..256 {
        for steps in 0..256 {
            try_pair::<u8>(earlier, steps);
        }
    }
}

/// The places up to 20 around each quarter of all numbers of `bits` bits.
fn bounds(bits: u32) -> impl Iterator<Item = i128> + Clone {
    (0..4).flat_map(move |quarter| (-20..=20).map(move |off| (quarter << (bits - 2)) + off))
}

fn try_bounds<N: At>() {
    let all = 1i128 << N::BITS;

    for earlier in bounds(N::BITS) {
        for later in bounds(N::BITS) {
            try_pair::<N>(earlier, (later - earlier).rem_euclid(all));
        }
    }
}

#[test]
fn pairs_at_the_bounds() {
    try_bounds::<u32>();
    try_bounds::<u64>();
    try_bounds::<usize>();
}
