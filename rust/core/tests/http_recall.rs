// SPDX-License-Identifier: GPL-2.0

//! A head that is recalled says what it says when it is read.

use ktcpvs_core::http::{
    forward_response,
    Body,
    Forward,
    Limits,
    Recall,
    Response,
    ResponseEdits, //
};
use proptest::prelude::*;
use std::ops::RangeInclusive;

const LIMITS: Limits = Limits {
    head_max: 700,
    target_max: 100,
    headers_max: 8,
};

const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nDate: Sun, 22 Nov 2026 08:00:00 GMT\r\n\
    Content-Length: 11\r\nConnection: keep-alive\r\n\r\n";

/// How long the heads are, in bytes, that are kept.
const KEPT: RangeInclusive<usize> = 32..=512;

/// Reads `bytes` with `recall`, and asserts that it makes no difference. Whether it is a head.
fn read(recall: &mut Recall, bytes: &[u8], limits: &Limits) -> bool {
    let told = |read: Option<(Response<'_>, usize)>| read.map(|read| format!("{read:?}"));
    let fresh = Response::parse_prefix(bytes, limits);
    let known = recall.known(bytes, limits);

    if let (Some(head), Some((response, _))) = (known, &fresh) {
        assert_eq!(recall.plain(), plain(response).as_ref(), "{response:?}");
        assert_eq!(told(Some((recall.response(head), head.len()))), told(fresh));
    } else {
        assert_eq!(known, None);
        assert_eq!(told(recall.read(bytes, limits)), told(fresh));
        if let Some((_, len)) = fresh {
            assert_eq!(recall.known(bytes, limits).is_some(), KEPT.contains(&len));
        }
    }
    fresh.is_some()
}

/// The body behind `response`, if that is plain.
fn plain(response: &Response<'_>) -> Option<Body> {
    let as_it_came =
        forward_response(response, &ResponseEdits::default(), &mut [0; 2000]) == Ok(Forward::AsIs);
    let framing = response.framing(false);

    (response.status() >= 200 && as_it_came && response.reusable(false)).then(|| Body::new(framing))
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

/// What is plain, and what is not.
#[test]
fn plain_heads() {
    let plain = [
        ("HTTP/1.1 200 OK", "Content-Length: 11", true),
        ("HTTP/1.1 404 Not Found", "Transfer-Encoding: chunked", true),
        ("HTTP/1.1 304 Not Modified", "Content-Length: 11", true),
        ("HTTP/1.1 200 OK", "Content-Length:   11", false),
        ("HTTP/1.1 200 OK", "Content-Type: text/plain", false),
        (
            "HTTP/1.1 200 OK",
            "Content-Length: 11\r\nConnection: close",
            false,
        ),
        (
            "HTTP/1.1 200 OK",
            "Content-Length: 11\r\nKeep-Alive: timeout=5",
            false,
        ),
        ("HTTP/1.1 204 No Content", "Content-Length: 11", false),
        ("HTTP/1.0 200 OK", "Content-Length: 11", false),
        ("HTTP/1.1 103 Early Hints", "Link: </x>; rel=preload", false),
    ];

    for (line, fields, expected) in plain {
        let head = format!("{line}\r\n{fields}\r\n\r\n");
        let mut recall = Recall::NOTHING;

        for _ in 0..2 {
            assert!(read(&mut recall, head.as_bytes(), &LIMITS), "{head}");
        }
        assert_eq!(recall.plain().is_some(), expected, "{head}");
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
    "HTTP/1.1 103 Early Hints\r\n",
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
