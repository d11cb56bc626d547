// SPDX-License-Identifier: GPL-2.0

//! Putting things in order.
//!
//! `slice::sort_unstable` is for speed: it unrolls, takes hundreds of bytes of stack, and panics
//! where an order contradicts itself. A kernel wants none of these.

use core::mem;

/// Sorts `items` by `key`, with O(n log n) comparisons, no memory and little stack (heapsort).
/// Items of the same key come out in any order.
pub fn sort_by_key<T, K: Ord>(items: &mut [T], mut key: impl FnMut(&T) -> K) {
    let len = items.len();

    for root in (0..len / 2).rev() {
        sift(items, root, len, &mut key);
    }
    for end in (1..len).rev() {
        swap(items, 0, end);
        sift(items, 0, end, &mut key);
    }
}

/// Sorts `items` by themselves.
pub fn sort<T: Ord + Copy>(items: &mut [T]) {
    sort_by_key(items, |item| *item);
}

/// How many of `items`, which are in order, come before what `is_before` is not true for.
///
/// As `slice::partition_point`, whose last addition may overflow for all that the compiler knows.
#[inline]
pub fn partition_point<T>(items: &[T], mut is_before: impl FnMut(&T) -> bool) -> usize {
    let mut from = 0usize;
    let mut left = items.len();

    while left > 0 {
        let half = left / 2;
        let middle = from.wrapping_add(half);

        if items.get(middle).is_some_and(&mut is_before) {
            from = middle.wrapping_add(1);
            left = left.wrapping_sub(half).wrapping_sub(1);
        } else {
            left = half;
        }
    }
    from
}

/// Makes a heap of the first `len` items, where only the one at `root` may be in the wrong place.
fn sift<T, K: Ord>(items: &mut [T], root: usize, len: usize, key: &mut impl FnMut(&T) -> K) {
    let mut parent = root;

    loop {
        let left = parent.saturating_mul(2).saturating_add(1);
        let right = left.saturating_add(1);
        let mut key_at = |index: usize| items.get(index).filter(|_| index < len).map(&mut *key);
        let (l, r) = (key_at(left), key_at(right));
        let (child, greater) = if r > l { (right, r) } else { (left, l) };

        if greater.is_none() || greater <= key_at(parent) {
            return;
        }
        swap(items, parent, child);
        parent = child;
    }
}

/// Swaps two items, of which `high` comes after `low`. `slice::swap` panics where one is missing.
fn swap<T>(items: &mut [T], low: usize, high: usize) {
    let Some((head, tail)) = items.split_at_mut_checked(high) else {
        return;
    };

    if let (Some(a), Some(b)) = (head.get_mut(low), tail.first_mut()) {
        mem::swap(a, b);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorts_like_the_library() {
        // A small linear congruential generator: lists of many lengths, with repetitions.
        let mut state = 1u32;

        for len in 0..200 {
            let mut list: [u32; 200] = core::array::from_fn(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                state >> 25
            });
            let mut expected = list;

            sort(&mut list[..len]);
            expected[..len].sort_unstable();
            assert_eq!(list, expected, "length {len}");
        }
    }

    #[test]
    fn sorts_by_key() {
        let mut list = [(1, 'c'), (2, 'a'), (3, 'b')];

        sort_by_key(&mut list, |&(_, c)| c);
        assert_eq!(list, [(2, 'a'), (3, 'b'), (1, 'c')]);
    }
}
