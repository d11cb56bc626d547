// SPDX-License-Identifier: GPL-2.0

//! A head that is recalled says what it says when it is read.

use ktcpvs_core::http::{
    Limits,
    Recall,
    Response, //
};
use proptest::prelude::*;

const LIMITS: Limits = Limits {
    head_max: 700,
    target_max: 100,
    headers_max: 8,
};

const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nDate: Sun, 22 Nov 2026 08:00:00 GMT\r\n\
    Content-Length: 11\r\nConnection: keep-alive\r\n\r\n";

/// Reads `bytes` with `recall`, and asserts that it makes no difference. Whether it is a head.
fn read(recall: &mut Recall, bytes: &[u8], limits: &Limits) -> bool {
    let told = |read: Option<(Response<'_>, usize)>| read.map(|read| format!("{read:?}"));
    let read = told(Response::parse_prefix(bytes, limits));

    assert_eq!(told(recall.parse_prefix(bytes, limits)), read);
    read.is_some()
}

/// Whatever follows a head, and wherever it is cut off or changed, after it was kept.
#[test]
fn what_is_nearly_the_same() {
    let mut recall = Recall::NOTHING;

    assert!(read(&mut recall, HEAD, &LIMITS));
    assert!(read(&mut recall, HEAD, &LIMITS));
    assert!(read(&mut recall, &[HEAD, b"hello world"].concat(), &LIMITS));
    for end in 0..HEAD.len() {
        assert!(!read(&mut recall, &HEAD[..end], &LIMITS));
    }
    for at in 0..HEAD.len() {
        for byte in [
            0,
            b'\r',
            b'\n',
            b' ',
            b'0',
            b'1',
            b'x',
            HEAD[at] ^ 1,
            HEAD[at] ^ 0x80,
        ] {
            let mut changed = HEAD.to_vec();
            changed[at] = byte;
            read(&mut recall, &changed, &LIMITS);
            assert!(read(&mut recall, HEAD, &LIMITS));
        }
    }
}

/// What one service accepts another may refuse.
#[test]
fn limits_that_differ() {
    for strict in [
        Limits {
            head_max: HEAD.len() - 1,
            ..LIMITS
        },
        Limits {
            headers_max: 2,
            ..LIMITS
        },
    ] {
        let mut recall = Recall::NOTHING;
        assert!(read(&mut recall, HEAD, &LIMITS));
        assert!(!read(&mut recall, HEAD, &strict));
        assert!(read(&mut recall, HEAD, &LIMITS));
    }
}

/// Heads of every length, kept or not.
#[test]
fn every_length() {
    let mut recall = Recall::NOTHING;

    for fill in 0..600 {
        let head = format!("HTTP/1.1 200 \r\nX: {}\r\n\r\n", "x".repeat(fill));
        assert!(read(&mut recall, head.as_bytes(), &LIMITS));
        assert!(read(&mut recall, head.as_bytes(), &LIMITS));
        assert!(!read(
            &mut recall,
            &head.as_bytes()[..head.len() - 1],
            &LIMITS
        ));
    }
}

/// The parts of heads.
const PARTS: &[&str] = &[
    "HTTP/1.1 200 OK\r\n",
    "HTTP/1.0 204 No Content\r\n",
    "Content-Length: 3\r\n",
    "Content-Length: 4\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Connection: close\r\n",
    "Server: nginx/1.26.3\r\n",
    "\r\n",
    "abc",
];

proptest! {
    /// Any sequence of messages.
    #[test]
    fn sequences(
        messages in proptest::collection::vec(
            (proptest::collection::vec(proptest::sample::select(PARTS), 0..8), 0..200usize),
            1..12,
        ),
    ) {
        let mut recall = Recall::NOTHING;
        for (parts, cut) in messages {
            let bytes = parts.concat().into_bytes();
            read(&mut recall, &bytes, &LIMITS);
            read(&mut recall, &bytes[..cut.min(bytes.len())], &LIMITS);
            read(&mut recall, &bytes, &LIMITS);
        }
    }
}
