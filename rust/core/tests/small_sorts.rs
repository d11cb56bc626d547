// SPDX-License-Identifier: GPL-2.0

//! Sorting, weighted choice and short strings: all inputs that are small.

use ktcpvs_core::{
    inline::Inline,
    order,
    sched::Table, //
};

/// All lists of `len` of `from`.
fn all_of<T: Copy>(from: &[T], len: usize) -> impl Iterator<Item = Vec<T>> + '_ {
    (0..from.len().pow(len as u32)).map(move |mut number| {
        (0..len)
            .map(|_| {
                let index = number % from.len();

                number /= from.len();
                from[index]
            })
            .collect()
    })
}

#[test]
fn all_short_lists_are_sorted() {
    for len in 0..=7 {
        for list in all_of(&[0u8, 1, 2, 3], len) {
            let mut sorted = list.clone();
            let mut expected = list.clone();

            order::sort(&mut sorted);
            expected.sort_unstable();
            assert_eq!(sorted, expected, "{list:?}");
        }
    }
    // With repetitions and without, each with a companion that must stay with it.
    for list in all_of(&[0u8, 1, 2, 3, 4, 5], 6) {
        let mut sorted: Vec<(u8, usize)> = list.iter().copied().zip(0..).collect();

        order::sort_by_key(&mut sorted, |(key, _)| *key);
        assert!(sorted.windows(2).all(|pair| pair[0].0 <= pair[1].0));
        assert!(sorted.iter().all(|(key, place)| list[*place] == *key));
        let mut places: Vec<usize> = sorted.iter().map(|(_, place)| *place).collect();

        places.sort_unstable();
        assert!(places.into_iter().eq(0..list.len()), "{list:?}");
    }
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 {
        a
    } else {
        gcd(b, a % b)
    }
}

/// In each run of as many turns as there are shares, each server has as many as its weight says,
/// wherever the run begins, and the count of turns may wrap in it if that is a run's end.
#[test]
fn all_small_weights_are_kept_exactly() {
    for len in 0..=4 {
        for weights in all_of(&[0u32, 1, 2, 3, 6], len) {
            let mut memory = vec![7; Table::words(len)];

            Table::fill(weights.iter().copied(), &mut memory);
            let table = Table::new(&memory);
            let divisor = weights.iter().fold(0, |all, &w| gcd(all, u64::from(w)));
            let shares: Vec<u64> = weights
                .iter()
                .map(|&w| u64::from(w).checked_div(divisor).unwrap_or(0))
                .collect();

            assert_eq!(table.total(), shares.iter().sum(), "{weights:?}");
            for start in [0, 1, 5, 1 << 32] {
                let mut turns = vec![0; len];

                for turn in start..start + table.total() as usize {
                    turns[table.of_turn(turn).unwrap()] += 1;
                }
                assert_eq!(turns, shares, "{weights:?} from {start}");
            }
            // Ticket by ticket, each server's are together, in the servers' order.
            let owners = (0..table.total()).map(|ticket| table.owner(ticket).unwrap());
            let expected = (0..len).flat_map(|i| (0..shares[i]).map(move |_| i));

            assert!(owners.eq(expected), "{weights:?}");
        }
    }
}

/// Weights at their bounds, whose sum has more than 32 bits: who owns which ticket is still exact.
#[test]
fn weights_at_their_bounds() {
    for weights in all_of(&[0, 1, u32::MAX - 1, u32::MAX], 3) {
        let mut memory = vec![0; Table::words(3)];

        Table::fill(weights.iter().copied(), &mut memory);
        let table = Table::new(&memory);
        let divisor = weights.iter().fold(0, |all, &w| gcd(all, u64::from(w)));
        let mut end = 0;

        for (server, weight) in weights.iter().enumerate() {
            let share = u64::from(*weight).checked_div(divisor).unwrap_or(0);

            if share > 0 {
                assert_eq!(table.owner(end), Some(server), "{weights:?}");
                assert_eq!(table.owner(end + share - 1), Some(server), "{weights:?}");
            }
            end += share;
        }
        assert_eq!(table.total(), end);
        for turn in [0, 1, u32::MAX as usize, usize::MAX - 1, usize::MAX] {
            let chosen = table.of_turn(turn);

            assert_eq!(chosen.is_some(), end > 0);
            assert!(
                chosen.is_none_or(|server| weights[server] > 0),
                "{weights:?}"
            );
        }
    }
}

#[test]
fn all_ways_to_fill_a_short_string() {
    for lengths in all_of(&[0usize, 1, 2, 4, 5], 4) {
        let mut text = Inline::<4>::new();
        let mut expected = Vec::new();

        for (piece, &len) in lengths.iter().enumerate() {
            let bytes = vec![b'a' + piece as u8; len];
            let room = 4 - expected.len();

            assert_eq!(text.push(&bytes), len <= room, "{lengths:?}");
            expected.extend(&bytes[..len.min(room)]);
            assert_eq!(text.as_slice(), expected, "{lengths:?}");
        }
    }
}
