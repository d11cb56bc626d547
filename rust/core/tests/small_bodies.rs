// SPDX-License-Identifier: GPL-2.0

//! Contents of messages, all of them that are short: each byte string over a small alphabet, in all
//! pieces, against a plain reading of the grammar (RFC 9112 §7.1).

use ktcpvs_core::http::{
    Body,
    BodyError,
    Framing, //
};

/// What a byte string is, as far as it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// A content of this length, with so many bytes announced; anything may follow.
    Whole(usize, u64),
    /// The beginning of one, with so many bytes announced so far.
    Beginning(u64),
    /// Neither.
    Bad,
}

/// A part of a content at the beginning of some bytes.
enum Part<T> {
    /// It has this length, and means this.
    Whole(usize, T),
    Beginning,
    Bad,
}

/// The line that `bytes` begin with: `whole` says what one means without its end, `begins` whether a
/// line may begin so.
fn line<T>(
    bytes: &[u8],
    whole: impl Fn(&[u8]) -> Option<T>,
    begins: impl Fn(&[u8]) -> bool,
) -> Part<T> {
    let Some(end) = bytes.iter().position(|&byte| byte == b'\r') else {
        return if begins(bytes) {
            Part::Beginning
        } else {
            Part::Bad
        };
    };

    match (whole(&bytes[..end]), bytes.get(end + 1)) {
        (None, _) => Part::Bad,
        (Some(_), None) => Part::Beginning,
        (Some(meaning), Some(b'\n')) => Part::Whole(end + 2, meaning),
        (Some(_), Some(_)) => Part::Bad,
    }
}

/// Bytes that may be in an extension or in a field's value.
fn is_text(bytes: &[u8]) -> bool {
    bytes.iter().all(|&b| b == b'\t' || !b.is_ascii_control())
}

/// The digits that `text` begins with, and what is behind them.
fn digits(text: &[u8]) -> (&str, &[u8]) {
    let end = text.iter().position(|b| !b.is_ascii_hexdigit());
    let (digits, rest) = text.split_at(end.unwrap_or(text.len()));

    (std::str::from_utf8(digits).unwrap(), rest)
}

/// Whether `rest` may be behind a size: nothing, or white space and extensions.
fn may_follow_size(rest: &[u8], whole: bool) -> bool {
    let text = rest.trim_ascii_start();

    match text.first() {
        None => rest.is_empty() || !whole,
        Some(first) => *first == b';' && is_text(text),
    }
}

fn size_line(bytes: &[u8]) -> Part<u64> {
    let whole = |text: &[u8]| {
        let (digits, rest) = digits(text);
        let few = (1..=16).contains(&digits.len());

        // What is trimmed above is no more than blanks: a line has no line ends within.
        (few && may_follow_size(rest, true) && is_text(rest))
            .then(|| u64::from_str_radix(digits, 16).unwrap())
    };
    let begins = |text: &[u8]| {
        let (digits, rest) = digits(text);

        digits.len() <= 16
            && is_text(rest)
            && (rest.is_empty() || !digits.is_empty() && may_follow_size(rest, false))
    };

    line(bytes, whole, begins)
}

/// A line of the trailer section, and whether it is the empty one that ends it.
fn trailer_line(bytes: &[u8]) -> Part<bool> {
    let is_name = |name: &[u8]| {
        let others = b"!#$%&'*+-.^_`|~";

        name.iter()
            .all(|b| b.is_ascii_alphanumeric() || others.contains(b))
    };
    let split = |text: &[u8]| -> Option<(Vec<u8>, Vec<u8>)> {
        let colon = text.iter().position(|&b| b == b':')?;

        Some((text[..colon].to_vec(), text[colon + 1..].to_vec()))
    };
    let is_field = |name: &[u8], value: &[u8]| {
        let forbidden = name.eq_ignore_ascii_case(b"te");

        !name.is_empty() && is_name(name) && !forbidden && is_text(value)
    };
    let whole = |text: &[u8]| match split(text) {
        Some((name, value)) => is_field(&name, &value).then_some(false),
        None => text.is_empty().then_some(true),
    };
    let begins = |text: &[u8]| match split(text) {
        Some((name, value)) => is_field(&name, &value),
        None => is_name(text),
    };

    line(bytes, whole, begins)
}

/// A plain reading of `bytes`.
fn read(bytes: &[u8]) -> Verdict {
    let mut at = 0;
    let mut content = 0;

    loop {
        let size = match size_line(&bytes[at..]) {
            Part::Whole(len, size) => {
                at += len;
                size
            }
            Part::Beginning => return Verdict::Beginning(content),
            Part::Bad => return Verdict::Bad,
        };

        if size == 0 {
            break;
        }
        content += size;
        let rest = bytes.len() - at;

        if size >= rest as u64 {
            return Verdict::Beginning(content);
        }
        at += size as usize;
        match &bytes[at..] {
            [b'\r', b'\n', ..] => at += 2,
            [b'\r'] => return Verdict::Beginning(content),
            _ => return Verdict::Bad,
        }
    }
    loop {
        match trailer_line(&bytes[at..]) {
            Part::Whole(len, true) => return Verdict::Whole(at + len, content),
            Part::Whole(len, false) => at += len,
            Part::Beginning => return Verdict::Beginning(content),
            Part::Bad => return Verdict::Bad,
        }
    }
}

/// What `body` says after `pieces`.
fn follow<'p>(mut body: Body, pieces: impl IntoIterator<Item = &'p [u8]>) -> Verdict {
    let mut taken = 0;

    for piece in pieces {
        match body.feed(piece) {
            Err(_) => return Verdict::Bad,
            Ok(n) if body.done() => return Verdict::Whole(taken + n, body.content()),
            Ok(n) => {
                assert_eq!(n, piece.len());
                taken += n;
            }
        }
    }
    if body.done() {
        return Verdict::Whole(taken, body.content());
    }
    Verdict::Beginning(body.content())
}

/// Sees that `bytes` are `verdict` in all the pieces that they can be cut into.
fn in_all_pieces(framing: Framing, bytes: &[u8], verdict: Verdict) {
    let cuts = bytes.len().saturating_sub(1);

    for mask in 0..1u32 << cuts {
        let mut start = 0;
        let ends =
            (1..=bytes.len()).filter(|end| *end == bytes.len() || (mask >> (end - 1)) & 1 == 1);
        let pieces = ends.map(|end| &bytes[std::mem::replace(&mut start, end)..end]);

        assert_eq!(
            follow(Body::new(framing), pieces),
            verdict,
            "\"{}\" cut at {mask:b}",
            bytes.escape_ascii()
        );
    }
}

/// Looks at all strings over `alphabet` that begin with `bytes` and are up to `most` bytes long.
/// Behind what is whole or bad, one more byte is looked at. Counts what was seen by verdict.
fn explore(alphabet: &[u8], bytes: &mut Vec<u8>, body: Body, most: usize, seen: &mut [usize; 3]) {
    for &byte in alphabet {
        let mut next = body;
        let fed = next.feed(&[byte]);

        bytes.push(byte);
        let verdict = read(bytes);
        let text = bytes.escape_ascii();

        match verdict {
            Verdict::Bad => assert!(fed.is_err(), "\"{text}\" is bad"),
            Verdict::Beginning(content) => {
                assert_eq!(fed, Ok(1), "\"{text}\" goes on");
                assert!(!next.done(), "\"{text}\" goes on");
                assert_eq!(next.content(), content, "\"{text}\"");
            }
            Verdict::Whole(len, content) => {
                assert_eq!(fed, Ok(usize::from(len == bytes.len())), "\"{text}\"");
                assert!(next.done(), "\"{text}\" ends");
                assert_eq!(next.content(), content, "\"{text}\"");
            }
        }
        let goes_on = matches!(verdict, Verdict::Beginning(_));

        seen[match verdict {
            Verdict::Whole(..) => 0,
            Verdict::Beginning(_) => 1,
            Verdict::Bad => 2,
        }] += 1;
        if bytes.len() <= 5 || matches!(verdict, Verdict::Whole(..)) {
            in_all_pieces(Framing::Chunked, bytes, verdict);
        }
        let ends_now = verdict == Verdict::Whole(bytes.len(), next.content());

        if bytes.len() < most && (goes_on || ends_now) {
            explore(alphabet, bytes, next, most, seen);
        }
        bytes.pop();
    }
}

fn all(alphabet: &[u8], most: usize) -> [usize; 3] {
    let mut seen = [0; 3];
    let body = Body::new(Framing::Chunked);

    explore(alphabet, &mut Vec::new(), body, most, &mut seen);
    seen
}

#[test]
fn all_short_chunked_contents() {
    // Digits of both kinds, what delimits, and what is none of it. Short ones have no data at all.
    let [whole, beginnings, bad] = all(b"01Bg; \t:\r\n", 7);

    assert!(
        whole > 10 && beginnings > 1000 && bad > 10_000,
        "{whole} {beginnings} {bad}"
    );
}

#[test]
fn all_chunked_contents_of_few_letters() {
    // With a chunk of one byte, and one of two.
    let [whole, ..] = all(b"012\r\n", 12);
    assert!(whole > 80, "{whole}");
    // With trailers, one of which is forbidden.
    let mut seen = [0; 3];
    let mut body = Body::new(Framing::Chunked);

    body.feed(b"0\r\n").unwrap();
    explore(b"tE: \r\n", &mut b"0\r\n".to_vec(), body, 12, &mut seen);
    assert!(seen[0] > 4, "{seen:?}");
}

#[test]
fn all_sizes_of_few_digits() {
    for len in 0..=17u32 {
        for mask in 0..1u32 << len {
            let digit = |at: u32| if (mask >> at) & 1 == 1 { b'f' } else { b'0' };
            let mut bytes: Vec<u8> = (0..len).map(digit).collect();
            let size = u64::from_str_radix(std::str::from_utf8(&bytes).unwrap(), 16);

            bytes.extend(b"\r\n");
            let mut body = Body::new(Framing::Chunked);
            let fed = body.feed(&bytes);

            match size {
                Ok(size) if len <= 16 => {
                    assert_eq!(fed, Ok(bytes.len()));
                    assert_eq!((body.opaque(), body.content()), (size, size));
                }
                _ => assert_eq!(fed, Err(BodyError::ChunkSize)),
            }
        }
    }
}

#[test]
fn sums_of_sizes_at_their_bounds() {
    let bounds = [0u64, 31, 32, 33, 62, 63, 64].map(|n| 1u64.checked_shl(n as u32).unwrap_or(0));
    let around = bounds.map(|n| [n.wrapping_sub(1), n, n.wrapping_add(1)]);
    let sizes = || around.iter().flatten().copied().filter(|&size| size > 0);

    for first in sizes() {
        for second in sizes() {
            let mut body = Body::new(Framing::Chunked);

            body.feed(format!("{first:x}\r\n").as_bytes()).unwrap();
            // In two steps, as a reader does that has not all of it at hand.
            body.skip(first / 2);
            body.skip(first - first / 2);
            let fed = body.feed(format!("\r\n{second:x}\r\n").as_bytes());

            match first.checked_add(second) {
                Some(sum) => assert_eq!((fed.is_ok(), body.content()), (true, sum)),
                None => assert_eq!(fed, Err(BodyError::TooLong), "{first} + {second}"),
            }
        }
    }
}

#[test]
fn all_short_contents_of_a_length() {
    let bytes = [b'x'; 10];

    for length in 0..=bytes.len() + 1 {
        for come in 0..=bytes.len() {
            let content = length as u64;
            let verdict = if come >= length {
                Verdict::Whole(length, content)
            } else {
                Verdict::Beginning(content)
            };

            in_all_pieces(Framing::Length(content), &bytes[..come], verdict);
        }
    }
    for come in 0..=bytes.len() {
        in_all_pieces(Framing::Close, &bytes[..come], Verdict::Beginning(0));
        in_all_pieces(Framing::None, &bytes[..come], Verdict::Whole(0, 0));
    }
}
