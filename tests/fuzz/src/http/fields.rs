// SPDX-License-Identifier: GPL-2.0

//! Field lines mean the same in a request and in a response, however their names are spelled.

use super::{
    request,
    response, //
};
use crate::input::{
    knobs,
    Numbers, //
};
use ktcpvs_core::http::{
    Limits,
    Request,
    Response, //
};

/// Reads any bytes as field lines; then again with letters of the other case in their names.
pub fn fields(data: &[u8]) {
    let (seed, text) = knobs::<8>(data);
    let seed = u64::from_le_bytes(seed);
    let lines = [text, b"\r\n\r\n"].concat();
    let head = |first: &str, lines: &[u8]| [first.as_bytes(), lines].concat();
    let limits = Limits::default();
    let asked = head("GET / HTTP/1.0\r\n", &lines);
    let told = head("HTTP/1.1 200 OK\r\n", &lines);

    request::check(&asked, &limits, seed);
    response::check(&told, &limits, seed);
    let other = flipped(&lines, seed);
    let asked_other = head("GET / HTTP/1.0\r\n", &other);
    let told_other = head("HTTP/1.1 200 OK\r\n", &other);

    match (
        Request::parse(&asked, &limits),
        Request::parse(&asked_other, &limits),
    ) {
        (Ok(one), Ok(two)) => {
            assert_eq!(one.framing(), two.framing());
            assert_eq!(one.persistent(), two.persistent());
            assert_eq!(one.host(), two.host());
            assert!(one.cookies().eq(two.cookies()));
            for (name, _) in one.headers() {
                assert!(one.header(name).eq(two.header(name)));
            }
        }
        (one, two) => assert_eq!(one.err(), two.err()),
    }
    match (
        Response::parse(&told, &limits),
        Response::parse(&told_other, &limits),
    ) {
        (Ok(one), Ok(two)) => {
            assert_eq!(one.framing(false), two.framing(false));
            assert_eq!(one.persistent(), two.persistent());
        }
        (one, two) => assert_eq!(one.err(), two.err()),
    }
}

/// `lines` with letters before their colons in the other case, as `seed` has it.
fn flipped(lines: &[u8], seed: u64) -> Vec<u8> {
    let mut numbers = Numbers(seed);
    let mut name = true;
    let flip = |&byte: &u8| {
        name = byte == b'\n' || (name && byte != b':');
        match name && byte.is_ascii_alphabetic() && numbers.below(2) == 1 {
            true => byte ^ 0x20,
            false => byte,
        }
    };

    lines.iter().map(flip).collect()
}
