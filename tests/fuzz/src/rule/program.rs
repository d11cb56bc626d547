// SPDX-License-Identifier: GPL-2.0

//! Programs from anywhere are refused, or run as their format says, and never do harm.

mod naive;

use super::{
    wish,
    Request, //
};
use crate::input::knobs;
use ktcpvs_core::rule::{
    Layout,
    Program,
    SCRATCH_WORDS, //
};
use std::{
    cell::RefCell,
    sync::LazyLock, //
};

/// A program that is well.
static GOOD: LazyLock<Vec<u32>> = LazyLock::new(wish::program);

/// Where things are in it, to run with that what is not well.
static LAYOUT: LazyLock<Layout> =
    LazyLock::new(|| Program::verify(&GOOD, GOOD[1]).expect("it is a program"));

thread_local! {
    // All 0 between two runs, which is part of what is checked.
    static SCRATCH: RefCell<Vec<u32>> = RefCell::new(vec![0; SCRATCH_WORDS]);
}

/// Takes any bytes for the words of a program, and the last ones for a request.
pub fn program(data: &[u8]) {
    let (text, bytes) = knobs::<16>(data);
    let words: Vec<u32> = bytes
        .chunks_exact(4)
        .map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]]))
        .collect();

    check(&words, &request(&text));
}

/// Takes any bytes for changes to a program that is well: most of what comes of it is one still.
pub fn damage(data: &[u8]) {
    let (text, bytes) = knobs::<16>(data);
    let mut words = GOOD.clone();

    for change in bytes.chunks_exact(4).take(8) {
        let [low, high, how, value] = [change[0], change[1], change[2], change[3]];
        let at = usize::from(u16::from_le_bytes([low, high])) % words.len();
        let value = u32::from(value);

        words[at] = match how % 4 {
            0 => value,
            1 => words[at].wrapping_add(value),
            2 => words[at].wrapping_sub(value),
            _ => words[value as usize % words.len()],
        };
    }
    check(&words, &request(&text));
}

/// A request whose parts end before their first 0.
fn request(text: &[u8; 16]) -> Request {
    let part = |from: usize, to: usize| {
        let part = text[from..to].iter().take_while(|byte| **byte != 0);
        part.copied().collect::<Vec<_>>()
    };

    Request {
        url: part(0, 8),
        host: part(8, 11),
        method: part(11, 12),
        fields: vec![(b"x".to_vec(), part(12, 15)), (b"y".to_vec(), part(14, 16))],
    }
}

/// Verifies `words`, and runs them whatever comes of it.
fn check(words: &[u32], request: &Request) {
    if let Ok(layout) = Program::verify(words, words.get(1).copied().unwrap_or(0)) {
        // Where there is nothing, other rules match.
        for request in [request, &Request::default()] {
            let found = run(words, &layout, request);

            assert_eq!(found, naive::find(words, request));
        }
    }
    // What nobody verified does no harm either, and ends; how soon is not promised.
    if words.len() <= 1000 {
        run(words, &LAYOUT, request);
    }
}

/// The rule that the program finds. The memory is as it was.
fn run(words: &[u32], layout: &Layout, request: &Request) -> Option<u32> {
    SCRATCH.with_borrow_mut(|scratch| {
        let program = Program::new(words, layout);
        let found = program.find(request, scratch);

        assert_eq!(program.find(request, scratch), found);
        for rule in found.into_iter().chain([0, 1, 2, u32::MAX]) {
            program.capture(rule, request, scratch, |_| ());
        }
        assert_eq!(program.find(request, scratch), found);
        found
    })
}
