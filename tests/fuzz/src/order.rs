// SPDX-License-Identifier: GPL-2.0

//! Sorting, and short strings.

use crate::input::Numbers;
use arbitrary::Unstructured;
use ktcpvs_core::{
    inline::Inline,
    order, //
};
use std::fmt::Write;

/// Sorts any numbers; also by a key that contradicts itself.
pub fn order(data: &[u8]) {
    let mut sorted = data.to_vec();
    let mut expected = data.to_vec();
    expected.sort_unstable();

    order::sort(&mut sorted);
    assert_eq!(sorted, expected);
    for bound in [0, 1, data.first().copied().unwrap_or(7), 128, 255] {
        let at = order::partition_point(&sorted, |&byte| byte < bound);
        assert_eq!(at, sorted.partition_point(|&byte| byte < bound));
    }
    // Whatever is said of it, the place is one.
    let mut said = data.iter();
    let at = order::partition_point(&sorted, |_| said.next().is_some_and(|byte| byte & 1 == 0));
    assert!(at <= data.len());

    let mut pairs: Vec<_> = data.iter().enumerate().collect();
    order::sort_by_key(&mut pairs, |&(_, byte)| byte % 7);
    assert!(pairs.is_sorted_by_key(|&(_, byte)| byte % 7));
    pairs.sort_unstable();
    // Each is still there, once.
    assert!(pairs.into_iter().eq(data.iter().enumerate()));

    let mut numbers = Numbers(data.iter().map(|&byte| u64::from(byte)).sum());
    let mut calls = 0usize;
    order::sort_by_key(&mut sorted, |_| {
        calls += 1;
        numbers.any()
    });
    sorted.sort_unstable();
    assert_eq!(sorted, expected);
    // A heapsort looks at three keys a level, and at each item twice.
    let levels = data.len().max(2).ilog2() as usize + 1;
    assert!(calls <= 6 * data.len() * levels, "{calls}");
}

/// Adds any pieces to a short string.
pub fn inline(data: &[u8]) {
    let mut input = Unstructured::new(data);
    let mut text = Inline::<24>::new();
    let mut all = Vec::new();

    while !input.is_empty() {
        match input.int_in_range(0..=2).unwrap_or_default() {
            0 => {
                let piece: &[u8] = input.arbitrary().unwrap_or_default();
                all.extend(piece);
                assert_eq!(text.push(piece), all.len() <= 24);
            }
            1 => {
                let numbers: [u8; 4] = input.arbitrary().unwrap_or_default();
                all.extend(std::net::Ipv4Addr::from(numbers).to_string().bytes());
                text.push_dotted(numbers);
            }
            _ => {
                let number: i64 = input.arbitrary().unwrap_or_default();
                let piece = number.to_string();
                all.extend(piece.bytes());
                assert_eq!(write!(text, "{number}").is_ok(), all.len() <= 24);
            }
        }
        all.truncate(24);
        assert_eq!(text.as_slice(), all);
        if all.len() == 24 {
            // What follows is left out, though it may say that nothing did fit.
            assert!(!text.push(b"x") && text.push(b""));
        }
    }
}
