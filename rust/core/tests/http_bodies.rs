// SPDX-License-Identifier: GPL-2.0

//! Where the content of a message ends, whatever pieces it comes in.

#[path = "http_bodies/table.rs"]
mod table;

use ktcpvs_core::http::{
    Body,
    BodyError,
    Framing,
    EXTENSIONS_MAX,
    TRAILERS_MAX, //
};
use proptest::{
    prelude::*,
    sample::Index, //
};
use table::{
    BAD,
    GOOD, //
};

/// What was seen of a content: where it ends, or `None` if it has not ended; and how many bytes of
/// it were announced.
type Seen = Result<(Option<usize>, u64), BodyError>;

/// Feeds `pieces` to a body.
fn follow<'p>(framing: Framing, pieces: impl IntoIterator<Item = &'p [u8]>) -> Seen {
    let mut body = Body::new(framing);
    let mut taken = 0;
    for piece in pieces {
        let n = match body.feed(piece) {
            Ok(n) => n,
            Err(error) => {
                assert!(!body.done());
                assert_eq!(body.feed(b"0\r\n\r\n"), Err(error));
                return Err(error);
            }
        };
        taken += n;
        // Fewer than all only at the end.
        assert!(n == piece.len() || n < piece.len() && body.done());
        if body.done() {
            assert_eq!(body.opaque(), 0);
            assert_eq!(body.feed(b"0\r\n\r\n"), Ok(0));
            assert_eq!(body.feed(b""), Ok(0));
            assert!(body.done());
            return Ok((Some(taken), body.content()));
        }
    }
    Ok((None, body.content()))
}

/// The same for a reader that passes over what is opaque, at most `step` bytes at a time, and
/// shows the body each other byte alone.
fn skip_through(framing: Framing, bytes: &[u8], step: usize) -> (Body, Result<usize, BodyError>) {
    let mut body = Body::new(framing);
    let mut at = 0;
    while at < bytes.len() && !body.done() {
        let left = (bytes.len() - at).min(step);
        let n = usize::try_from(body.opaque()).unwrap_or(left).min(left);
        if n > 0 {
            body.skip(n as u64);
            at += n;
            continue;
        }
        match body.feed(&bytes[at..=at]) {
            Ok(n) => at += n,
            Err(error) => return (body, Err(error)),
        }
    }
    (body, Ok(at))
}

/// Sees that `bytes` end where they do in one piece, whatever pieces they come in.
fn splits_do_not_matter(framing: Framing, bytes: &[u8], seen: Seen) {
    let text = bytes.escape_ascii();
    assert_eq!(follow(framing, [bytes]), seen, "{text}");
    assert_eq!(follow(framing, bytes.chunks(1)), seen, "{text}");
    let spaced = bytes.chunks(1).flat_map(|byte| [b"", byte, b""]);
    assert_eq!(
        follow(framing, spaced),
        seen,
        "{text}, with nothing between"
    );
    for first in 0..=bytes.len() {
        let (a, rest) = bytes.split_at(first);
        for second in 0..=rest.len() {
            let (b, c) = rest.split_at(second);
            assert_eq!(
                follow(framing, [a, b, c]),
                seen,
                "{text}: {first}, {second}"
            );
        }
    }
    for step in [1, 2, usize::MAX] {
        let (body, end) = skip_through(framing, bytes, step);
        match seen {
            Ok((end_seen, content)) => {
                assert_eq!(end, Ok(end_seen.unwrap_or(bytes.len())), "{text}");
                assert_eq!(body.done(), end_seen.is_some(), "{text}");
                assert_eq!(body.content(), content, "{text}");
            }
            Err(error) => assert_eq!(end, Err(error), "{text}"),
        }
    }
}

#[test]
fn chunked_contents_end() {
    for (bytes, content) in GOOD {
        // The next request must never be taken for part of this one.
        for behind in [&b""[..], b"GET / HTTP/1.1\r\n", b"\r\n", b"0\r\n\r\n"] {
            let all = [bytes, behind].concat();
            splits_do_not_matter(Framing::Chunked, &all, Ok((Some(bytes.len()), *content)));
        }
        for end in 0..bytes.len() {
            let (seen, _) = follow(Framing::Chunked, [&bytes[..end]]).unwrap();
            assert_eq!(seen, None, "{} at {end}", bytes.escape_ascii());
        }
    }
}

#[test]
fn chunked_contents_that_are_refused() {
    for (errors, contents) in BAD {
        for bytes in *contents {
            let text = bytes.escape_ascii();
            let error = follow(Framing::Chunked, [*bytes]).expect_err(&text.to_string());
            assert!(errors.contains(&error), "{text}: {error:?}");
            splits_do_not_matter(Framing::Chunked, bytes, Err(error));

            let before = &bytes[..bytes.len() - 1];
            assert!(follow(Framing::Chunked, [before]).is_ok(), "{text}");
        }
    }
}

/// Every later call says the same, even if it has nothing to look at.
#[test]
fn an_error_stays() {
    let mut body = Body::new(Framing::Chunked);
    for later in [&b"x"[..], b"0\r\n\r\n", b"y", b""] {
        assert_eq!(body.feed(later), Err(BodyError::ChunkSize));
        assert!(!body.done());
        assert_eq!(body.opaque(), 0);
    }
}

#[test]
fn lengths() {
    for length in [0, 1, 2, 7, 20] {
        for available in [1, 6, 7, 8, 19, 20, 21, 30] {
            let bytes = &b"0\r\n\r\n\0\xff\n\r5\r\nhello\r\n0\r\n\r\nGET / HTTP/1.1"[..available];
            let seen = (available >= length).then_some(length);
            let length = length as u64;
            splits_do_not_matter(Framing::Length(length), bytes, Ok((seen, length)));
        }
    }
}

#[test]
fn the_longest_length() {
    let mut body = Body::new(Framing::Length(u64::MAX));
    assert_eq!((body.opaque(), body.content()), (u64::MAX, u64::MAX));
    assert_eq!(body.feed(b"abc"), Ok(3));
    assert_eq!(body.opaque(), u64::MAX - 3);
    body.skip(u64::MAX - 4);
    assert!(!body.done() && !body.ends_with_connection());
    assert_eq!(body.feed(b"de"), Ok(1));
    assert!(body.done());
    assert_eq!((body.opaque(), body.content()), (0, u64::MAX));
}

#[test]
fn no_content() {
    for framing in [Framing::None, Framing::Length(0)] {
        let mut body = Body::new(framing);
        assert!(body.done() && !body.ends_with_connection());
        assert_eq!((body.opaque(), body.content()), (0, 0));
        assert_eq!(body.feed(b"GET / HTTP/1.1\r\n"), Ok(0));
        body.skip(0);
        assert!(body.done());
    }
}

#[test]
fn content_until_the_connection_ends() {
    let bytes = b"0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n";
    splits_do_not_matter(Framing::Close, bytes, Ok((None, 0)));

    let mut body = Body::new(Framing::Close);
    assert!(body.ends_with_connection());
    body.skip(u64::MAX);
    assert_eq!(body.feed(b"x"), Ok(1));
    assert!(body.ends_with_connection() && !body.done());
    assert_eq!((body.opaque(), body.content()), (u64::MAX, 0));
}

#[test]
fn only_a_chunk_is_opaque() {
    let mut body = Body::new(Framing::Chunked);
    assert!(!body.ends_with_connection());
    for (bytes, opaque, content) in [
        (&b"1"[..], 0, 0),
        (b"0;a\r", 0, 0),
        (b"\n", 16, 16),
        (b"0123", 12, 16),
        (b"456789abcdef", 0, 16),
        (b"\r\n2\r\n", 2, 18),
        (b"ab\r\n0\r\n", 0, 18),
        (b"A: b\r\n\r", 0, 18),
    ] {
        assert_eq!(body.feed(bytes), Ok(bytes.len()));
        assert_eq!((body.opaque(), body.content()), (opaque, content));
        assert!(!body.done());
    }
    assert_eq!(body.feed(b"\n"), Ok(1));
    assert!(body.done());
}

/// Chunks that together have 2⁶⁴ bytes; one byte less is allowed.
#[test]
fn chunks_are_counted_in_64_bits() {
    for (size, second, end) in [
        ("fffffffffffffffe", "1", Ok(u64::MAX)),
        ("FFFFFFFFFFFFFFFF", "1", Err(BodyError::TooLong)),
        (
            "8000000000000000",
            "8000000000000000",
            Err(BodyError::TooLong),
        ),
        ("8000000000000000", "7fffffffffffffff", Ok(u64::MAX)),
        ("ffffffffffffffff", "0", Ok(u64::MAX)),
    ] {
        let mut body = Body::new(Framing::Chunked);
        let first = format!("{size}\r\n");
        assert_eq!(body.feed(first.as_bytes()), Ok(first.len()));
        assert_eq!(Ok(body.opaque()), u64::from_str_radix(size, 16));
        body.skip(body.opaque() - 1);
        assert_eq!(body.opaque(), 1);
        body.skip(1);
        assert_eq!(body.opaque(), 0);
        let second = format!("\r\n{second}\r\n");
        let fed = body.feed(second.as_bytes()).map(|_| body.content());
        assert_eq!(fed, end);
    }
}

#[test]
fn extensions_have_a_limit() {
    let max = usize::from(EXTENSIONS_MAX);
    for (start, len) in [(";", max - 1), (" ;", max - 2)] {
        let chunk = |len| format!("5{start}{}\r\nhello\r\n", "x".repeat(len));
        // The limit is that of one chunk.
        let good = format!("{}{}0\r\n\r\n", chunk(len), chunk(len));
        let seen = follow(Framing::Chunked, [good.as_bytes()]);
        assert_eq!(seen, Ok((Some(good.len()), 10)));
        let long = chunk(len + 1);
        for pieces in [long.len(), 1] {
            let seen = follow(Framing::Chunked, long.as_bytes().chunks(pieces));
            assert_eq!(seen, Err(BodyError::ExtensionTooLong));
        }
    }
    // What never ends is refused soon.
    for endless in ["5;", "5 "] {
        let endless = endless.to_owned() + &endless[1..].repeat(max + 2);
        let seen = follow(Framing::Chunked, [endless.as_bytes()]);
        assert_eq!(seen, Err(BodyError::ExtensionTooLong));
    }
}

#[test]
fn trailers_have_a_limit() {
    let max = usize::from(TRAILERS_MAX);
    let one = |len: usize| format!("A: {}\r\n", "x".repeat(len - 5));
    let many = |len: usize| {
        let lines = (len - 50) / 10;
        one(10).repeat(lines) + &one(len - 10 * lines)
    };
    for section in [&one as &dyn Fn(usize) -> String, &many] {
        // The section may be counted with the empty line that ends it, or without: this is as
        // long as is allowed with it, and then one byte longer than without.
        let good = format!("0\r\n{}\r\n", section(max - 2));
        assert_eq!(good.len(), 3 + max);
        let seen = follow(Framing::Chunked, [good.as_bytes()]);
        assert_eq!(seen, Ok((Some(good.len()), 0)));
        let long = format!("0\r\n{}\r\n", section(max + 1));
        for pieces in [long.len(), 1] {
            let seen = follow(Framing::Chunked, long.as_bytes().chunks(pieces));
            assert_eq!(seen, Err(BodyError::TrailerTooLong));
        }
    }
    // A name alone is part of it.
    let endless = format!("0\r\n{}", "x".repeat(max + 1));
    let seen = follow(Framing::Chunked, [endless.as_bytes()]);
    assert_eq!(seen, Err(BodyError::TrailerTooLong));
}

/// `bytes` in pieces that are cut at `cuts`.
fn pieces<'b>(bytes: &'b [u8], cuts: &[Index]) -> Vec<&'b [u8]> {
    let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    at.extend([0, bytes.len()]);
    at.sort_unstable();
    at.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect()
}

/// A chunk's size in one of the ways to write it, with an extension or without.
fn any_size() -> impl Strategy<Value = (usize, bool, String)> {
    const QUOTED: &str = "\"([!#-\\[\\]-~ \t]|\\\\[!-~ \t]){0,9}\"";
    let extension = format!("([ \t]{{0,2}};[!#-~ \t]{{0,20}}({QUOTED})?)?");

    (
        1..17usize,
        any::<bool>(),
        prop::string::string_regex(&extension).unwrap(),
    )
}

/// Contents in chunks: the bytes on the wire, and how many of them are content.
fn any_chunks() -> impl Strategy<Value = (Vec<u8>, usize)> {
    let data = prop::collection::vec(any::<u8>(), 1..40);
    let trailers = prop::collection::vec("z[a-z]{0,9}:[ -~\t]{0,20}", 0..3);
    (
        prop::collection::vec((data, any_size()), 0..6),
        any_size(),
        trailers,
    )
        .prop_map(|(chunks, last, trailers)| {
            let mut wire = Vec::new();
            let mut content = 0;
            let line = |size: usize, (digits, upper, extension): (usize, bool, String)| {
                let digits = format!("{size:0digits$x}");
                let digits = if upper { digits.to_uppercase() } else { digits };
                format!("{digits}{extension}\r\n").into_bytes()
            };
            for (data, size) in chunks {
                content += data.len();
                wire.extend(line(data.len(), size));
                wire.extend(data);
                wire.extend(b"\r\n");
            }
            wire.extend(line(0, last));
            for trailer in trailers {
                wire.extend((trailer + "\r\n").into_bytes());
            }
            wire.extend(b"\r\n");
            (wire, content)
        })
}

/// Where chunked content ends and how much of it there is, by a reader that has all of it and is
/// strict about nothing but the framing.
fn decode(bytes: &[u8]) -> Option<(usize, u64)> {
    let line = |at: usize| {
        let len = bytes.get(at..)?.windows(2).position(|two| two == b"\r\n")?;
        Some((&bytes[at..at + len], at + len + 2))
    };
    let (mut at, mut content) = (0, 0);
    loop {
        let (size, next) = line(at)?;
        let size = size.split(|byte| b"; \t".contains(byte)).next()?;
        let size = u64::from_str_radix(std::str::from_utf8(size).ok()?, 16).ok()?;
        at = next;
        if size == 0 {
            break;
        }
        content += size;
        at += usize::try_from(size).ok()?;
        if bytes.get(at..at + 2)? != b"\r\n" {
            return None;
        }
        at += 2;
    }
    loop {
        let (trailer, next) = line(at)?;
        at = next;
        if trailer.is_empty() {
            return Some((at, content));
        }
    }
}

proptest! {
    /// What is encoded is followed to its end, and not a byte further.
    #[test]
    fn chunks_add_up(
        (wire, content) in any_chunks(),
        behind in prop::collection::vec(any::<u8>(), 0..20),
        cuts in prop::collection::vec(any::<Index>(), 0..8),
        step in 1..50usize,
    ) {
        let seen = Ok((Some(wire.len()), content as u64));
        let bytes = [&wire[..], &behind].concat();
        prop_assert_eq!(follow(Framing::Chunked, [&bytes[..]]), seen);
        prop_assert_eq!(follow(Framing::Chunked, pieces(&bytes, &cuts)), seen);
        prop_assert_eq!(follow(Framing::Chunked, bytes.chunks(1)), seen);
        let (body, end) = skip_through(Framing::Chunked, &bytes, step);
        prop_assert_eq!(end, Ok(wire.len()));
        prop_assert_eq!((body.done(), body.content()), (true, content as u64));
    }

    /// Whoever skips what is opaque sees the same as whoever feeds all of it, at every byte.
    #[test]
    fn skipping_is_feeding(
        (wire, _) in any_chunks(),
        end in any::<Index>(),
        length in 0..100u64,
        step in 1..50usize,
    ) {
        let part = &wire[..end.index(wire.len() + 1)];
        for framing in [Framing::Chunked, Framing::Length(length), Framing::Close] {
            let mut fed = Body::new(framing);
            let n = fed.feed(part);
            prop_assert_eq!(skip_through(framing, part, step), (fed, n));
        }
    }

    /// Whatever comes, it does not matter in which pieces, and what is accepted ends where the
    /// simplest reader sees the end.
    #[test]
    fn random_bytes_have_one_end(
        (mut wire, _) in any_chunks(),
        changes in prop::collection::vec(
            (0..3u8, any::<Index>(), prop::sample::select(&b"\r\n\r\n0159aF;: \t\0x\xff"[..])),
            0..4,
        ),
        cuts in prop::collection::vec(any::<Index>(), 0..5),
    ) {
        for (what, at, byte) in changes {
            let at = at.index(wire.len() + 1);
            match what {
                0 => wire.insert(at, byte),
                1 => wire[at..].iter_mut().take(1).for_each(|b| *b = byte),
                _ => drop(wire.drain(at..wire.len().min(at + 1))),
            }
        }
        let whole = follow(Framing::Chunked, [&wire[..]]);
        prop_assert_eq!(follow(Framing::Chunked, pieces(&wire, &cuts)), whole);
        prop_assert_eq!(follow(Framing::Chunked, wire.chunks(1)), whole);
        if let Ok((Some(end), content)) = whole {
            prop_assert_eq!(decode(&wire), Some((end, content)));
        }
    }
}
