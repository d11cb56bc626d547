// SPDX-License-Identifier: GPL-2.0

//! The weights of a pool, prepared for O(log n) weighted choice.

use crate::order;

/// Prefix sums of a pool's weights, in memory of the caller's.
///
/// The weights are first divided by their greatest common divisor: only their ratio counts, and
/// a short period keeps weighted round robin exact over few decisions.
#[derive(Clone, Copy, Debug)]
pub struct Table<'a> {
    /// Entry i is the sum of the weights up to and including server i's.
    sums: &'a [u64],
    total: u64,
    /// Coprime to `total`.
    stride: u64,
}

impl<'a> Table<'a> {
    /// How many words the table of `servers` servers takes.
    #[must_use]
    pub const fn words(servers: usize) -> usize {
        servers.saturating_add(1)
    }

    /// Writes the table of `weights` into `memory`, which is [`Self::words`] long.
    ///
    /// Weights past the end of `memory` are left out, and what is too long is filled up with
    /// servers of weight 0.
    pub fn fill(weights: impl Iterator<Item = u32> + Clone, memory: &mut [u64]) {
        let Some((stride_word, sums)) = memory.split_last_mut() else {
            return;
        };
        let divisor = weights
            .clone()
            .take(sums.len())
            .fold(0, |all, weight| gcd(all, u64::from(weight)));
        let shares = weights.map(|w| u64::from(w).checked_div(divisor).unwrap_or(0));
        let mut total = 0u64;
        for (sum, share) in sums.iter_mut().zip(shares.chain(core::iter::repeat(0))) {
            total = total.saturating_add(share);
            *sum = total;
        }
        *stride_word = stride(total);
    }

    /// The table that [`Self::fill`] wrote.
    #[must_use]
    pub fn new(memory: &'a [u64]) -> Self {
        let (stride, sums) = match memory.split_last() {
            Some((stride, sums)) => (*stride, sums),
            None => (1, memory),
        };
        Self {
            sums,
            total: sums.last().copied().unwrap_or(0),
            stride,
        }
    }

    /// The sum of all shares.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.total
    }

    /// The server that owns `ticket`, reduced modulo the total; `None` when all weights are 0.
    #[must_use]
    pub fn owner(&self, ticket: u64) -> Option<usize> {
        let ticket = ticket.checked_rem(self.total)?;
        Some(order::partition_point(self.sums, |&sum| sum <= ticket))
    }

    /// The server of turn number `turn`.
    ///
    /// Each run of `total` turns hands out every ticket once, since the stride is coprime to the
    /// total; and the stride is near the total's golden section, so that the turns of one server
    /// are spread evenly among the others'.
    #[must_use]
    pub fn of_turn(&self, turn: usize) -> Option<usize> {
        let turn = (turn as u64).checked_rem(self.total)?;
        self.owner(turn.wrapping_mul(self.stride))
    }
}

/// The stride for a total: coprime to it and near total/φ.
fn stride(total: u64) -> u64 {
    // Past this the product of a turn and a stride would not fit. No pool is that heavy; one that
    // was would get its turns in runs, and still in exact proportion.
    if total > u64::from(u32::MAX) {
        return 1;
    }
    // 2^32/φ.
    let golden = total.saturating_mul(0x9e37_79b9) >> 32;
    // Every total has a coprime within a few steps: the gaps between them are short (Jacobsthal).
    (golden..=total)
        .find(|&step| gcd(step, total) == 1)
        .unwrap_or(1)
}

/// The greatest common divisor; `gcd(0, n)` is n.
fn gcd(a: u64, b: u64) -> u64 {
    let (mut a, mut b) = (a, b);
    while let Some(rest) = a.checked_rem(b) {
        (a, b) = (b, rest);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strides_are_coprime() {
        for total in 1..5000 {
            assert_eq!(gcd(stride(total), total), 1, "total {total}");
        }
        for total in [u64::from(u32::MAX), 1 << 31, 6_469_693_230 / 2] {
            assert_eq!(gcd(stride(total), total), 1, "total {total}");
        }
    }

    #[test]
    fn tickets_are_found_as_the_library_finds_them() {
        let mut sums = [0; 9];
        let mut state = 1u64;

        for len in (0..=sums.len()).cycle().take(500) {
            for sum in &mut sums {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                *sum = state >> 61;
            }
            sums.sort_unstable();
            for ticket in 0..9 {
                let sums = &sums[..len];

                assert_eq!(
                    order::partition_point(sums, |&sum| sum <= ticket),
                    sums.partition_point(|&sum| sum <= ticket),
                    "{ticket} in {sums:?}"
                );
            }
        }
    }

    #[test]
    fn weights_are_reduced() {
        let mut memory = [7; Table::words(3)];
        Table::fill([200, 0, 300].into_iter(), &mut memory);
        let table = Table::new(&memory);
        assert_eq!(table.total(), 5);
        let owners = (0..6).filter_map(|ticket| table.owner(ticket));
        assert!(owners.eq([0, 0, 2, 2, 2, 0]));
    }

    #[test]
    fn nothing_to_choose_from() {
        let mut memory = [7; Table::words(2)];
        Table::fill([0, 0].into_iter(), &mut memory);
        assert_eq!(Table::new(&memory).owner(3), None);
        assert_eq!(Table::new(&memory).of_turn(3), None);
        assert_eq!(Table::new(&[]).owner(0), None);
        Table::fill([1].into_iter(), &mut []);
    }
}
