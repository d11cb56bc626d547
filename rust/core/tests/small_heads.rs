// SPDX-License-Identifier: GPL-2.0

//! Heads, all of them that are short: where each ends is the same in all pieces, and is where a
//! plain reading of the grammar ends it (RFC 9112 §2.1).

use ktcpvs_core::http::{
    HeadScanner,
    Kind, //
};

/// What a byte string is, as far as it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// A head of this length; anything may follow.
    Whole(usize),
    Beginning,
    Bad,
}

/// Whether `line`, which is not empty, may be the first one of a head: a method and then a space
/// before anything else, or the name of the protocol. Both may be yet to come where it has no `end`.
fn opens(kind: Kind, line: &[u8], end: bool) -> bool {
    let name = line.iter().position(|b| !b.is_ascii_alphanumeric());

    match (kind, name) {
        (Kind::Request, Some(name)) => name > 0 && line[name] == b' ',
        (Kind::Request, None) => !end,
        (Kind::Response, _) => line.starts_with(b"HTTP/") || !end && b"HTTP/".starts_with(line),
    }
}

/// A plain reading of `bytes` as a head: lines that end with CRLF, up to four empty ones before a
/// request and none before a response, one that opens it, some that begin with a token, an empty one.
fn read(kind: Kind, bytes: &[u8]) -> Verdict {
    let empty_max = match kind {
        Kind::Request => 4,
        Kind::Response => 0,
    };
    let is_token = |b: &u8| b.is_ascii_alphanumeric();
    let mut at = 0;
    let mut empty = 0;
    let mut fields = false;

    loop {
        let rest = &bytes[at..];
        let end = rest.iter().position(|b| *b == b'\r' || *b == b'\n');
        let line = &rest[..end.unwrap_or(rest.len())];
        let well = match (fields, line.first()) {
            // Bad with its first byte, where none may be.
            (false, None) => end.is_none() || empty_max > 0,
            (true, None) => true,
            (true, Some(first)) => is_token(first),
            (false, Some(_)) => opens(kind, line, end.is_some()),
        };

        match (well, rest.get(line.len()), rest.get(line.len() + 1)) {
            (false, ..) | (_, Some(b'\n'), _) => return Verdict::Bad,
            (true, None, _) | (_, _, None) => return Verdict::Beginning,
            (true, Some(_), Some(b'\n')) => at += line.len() + 2,
            (true, Some(_), Some(_)) => return Verdict::Bad,
        }
        match (line.is_empty(), fields) {
            (true, true) => return Verdict::Whole(at),
            (true, false) => empty += 1,
            (false, _) => fields = true,
        }
        if empty > empty_max {
            return Verdict::Bad;
        }
    }
}

fn follow<'p>(kind: Kind, pieces: impl IntoIterator<Item = &'p [u8]>) -> Verdict {
    let mut scanner = HeadScanner::new(kind);

    for piece in pieces {
        match scanner.feed(piece) {
            Err(_) => return Verdict::Bad,
            Ok(Some(_)) => return Verdict::Whole(scanner.len()),
            Ok(None) => {}
        }
    }
    Verdict::Beginning
}

fn explore(
    kind: Kind,
    alphabet: &[u8],
    bytes: &mut Vec<u8>,
    scanner: HeadScanner,
    most: usize,
    seen: &mut [usize; 3],
) {
    for &byte in alphabet {
        let mut next = scanner;
        let fed = next.feed(&[byte]);

        bytes.push(byte);
        let verdict = read(kind, bytes);
        let text = bytes.escape_ascii();

        match verdict {
            Verdict::Bad => assert!(fed.is_err(), "\"{text}\" is bad"),
            Verdict::Beginning => assert_eq!(fed, Ok(None), "\"{text}\" goes on"),
            Verdict::Whole(len) => {
                assert_eq!(len, bytes.len());
                assert_eq!((fed, next.len()), (Ok(Some(1)), len), "\"{text}\" ends");
            }
        }
        assert_eq!(
            follow(kind, [&bytes[..]]),
            verdict,
            "\"{text}\" in one piece"
        );
        for cut in 1..bytes.len() {
            let (a, b) = bytes.split_at(cut);

            assert_eq!(follow(kind, [a, b]), verdict, "\"{text}\" cut at {cut}");
        }
        seen[match verdict {
            Verdict::Whole(_) => 0,
            Verdict::Beginning => 1,
            Verdict::Bad => 2,
        }] += 1;
        if bytes.len() < most && verdict == Verdict::Beginning {
            explore(kind, alphabet, bytes, next, most, seen);
        }
        bytes.pop();
    }
}

/// All that begin with `start`, go on with what is in `alphabet`, and have at most `most` bytes.
fn all(kind: Kind, start: &[u8], alphabet: &[u8], most: usize) -> [usize; 3] {
    let mut scanner = HeadScanner::new(kind);
    let mut seen = [0; 3];

    assert_eq!(scanner.feed(start), Ok(None));
    explore(
        kind,
        alphabet,
        &mut start.to_vec(),
        scanner,
        most,
        &mut seen,
    );
    seen
}

#[test]
fn all_short_heads() {
    let [whole, beginnings, bad] = all(Kind::Request, b"", b"G :\r\n", 9);

    assert!(
        whole > 50 && beginnings > 1000 && bad > 1000,
        "{whole} {beginnings} {bad}"
    );
}

#[test]
fn all_heads_of_few_letters() {
    let [whole, ..] = all(Kind::Request, b"", b"a \r\n", 12);
    assert!(whole > 300, "{whole}");
    // Empty lines before the head, more of them than may be.
    let [_, beginnings, bad] = all(Kind::Request, b"", b"\r\n", 16);
    assert!(beginnings >= 9 && bad >= 5, "{beginnings} {bad}");
}

#[test]
fn all_short_heads_of_responses() {
    let [whole, beginnings, bad] = all(Kind::Response, b"", b"HTP/h \r\n", 11);

    assert!(
        whole > 30 && beginnings > 1000 && bad > 1000,
        "{whole} {beginnings} {bad}"
    );
    let [whole, ..] = all(Kind::Response, b"HTTP/", b"a \r\n", 16);
    assert!(whole > 300, "{whole}");
}
