// SPDX-License-Identifier: GPL-2.0

//! Numbers that begin again at 0.

use arbitrary::Unstructured;
use ktcpvs_core::seq::Serial;

/// Any two numbers of 32 bits, near each other or not, beside the same in wider numbers.
pub fn seq(data: &[u8]) {
    let mut input = Unstructured::new(data);

    while !input.is_empty() {
        let first: u32 = input.arbitrary().unwrap_or_default();
        let steps: u32 = match input.arbitrary().unwrap_or_default() {
            true => input.int_in_range(0..=3).unwrap_or_default(),
            false => input.arbitrary().unwrap_or_default(),
        };
        let end = input.arbitrary().unwrap_or_default();
        let second = ((u64::from(first) + u64::from(steps)) % (1 << 32)) as u32;

        assert_eq!(second.since(first), steps);
        assert_eq!(
            u64::from(first.since(second)),
            ((1 << 32) - u64::from(steps)) % (1 << 32)
        );
        assert_eq!(first.before(second), (1..=1 << 31).contains(&steps));
        assert_eq!(second.before(first), steps >= 1 << 31);
        assert_eq!(
            second.unread(first, end),
            steps - u32::from(end && steps > 0)
        );
        // Those of 64 bits do the same, far from their own end.
        let (wide, other) = (u64::from(first), u64::from(first) + u64::from(steps));
        assert_eq!(other.since(wide), steps.into());
        assert_eq!(wide.before(other), steps > 0);
        assert!(!other.before(wide));
    }
}
