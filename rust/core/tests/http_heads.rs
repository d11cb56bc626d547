// SPDX-License-Identifier: GPL-2.0

//! Where heads end, which are refused and with what status, and that it does not matter in which
//! pieces they come.

#[path = "http_heads/table.rs"]
mod table;

use ktcpvs_core::http::{
    HeadError::{
        self,
        *, //
    },
    HeadScanner,
    Kind,
    Limits,
    Request,
    Response, //
};
use proptest::{
    prelude::*,
    sample::Index, //
};
use table::{
    bad_heads,
    excessive_requests,
    good_heads,
    status,
    FAULTS, //
};

fn parse(kind: Kind, head: &[u8], limits: &Limits) -> Result<(), HeadError> {
    match kind {
        Kind::Request => Request::parse(head, limits).map(|_| ()),
        Kind::Response => Response::parse(head, limits).map(|_| ()),
    }
}

/// What a scanner makes of `pieces`: where the head ends, or `None` if it is not complete.
fn scan<'p>(
    kind: Kind,
    pieces: impl IntoIterator<Item = &'p [u8]>,
) -> Result<Option<usize>, HeadError> {
    let mut scanner = HeadScanner::new(kind);
    let mut before = 0;
    for piece in pieces {
        match scanner.feed(piece) {
            Ok(None) => {
                before += piece.len();
                assert_eq!(scanner.len(), before);
            }
            Ok(Some(n)) => {
                assert!(n <= piece.len());
                assert_eq!(scanner.len(), before + n);
                // The scanner has done its work.
                assert_eq!(scanner.feed(piece), Ok(Some(0)));
                assert_eq!(scanner.feed(b""), Ok(Some(0)));
                assert_eq!(scanner.len(), before + n);
                return Ok(Some(before + n));
            }
            Err(error) => {
                assert_eq!(scanner.feed(b"GET / HTTP/1.1\r\n\r\n"), Err(error));
                assert_eq!(scanner.feed(b""), Err(error));
                return Err(error);
            }
        }
    }
    Ok(None)
}

/// Whether all that comes of `head`, byte by byte, is within `limits` for the scanner.
fn is_within(kind: Kind, head: &[u8], limits: &Limits) -> Result<(), HeadError> {
    let mut scanner = HeadScanner::new(kind);
    for byte in head.chunks(1) {
        scanner.feed(byte)?;
        scanner.check(limits)?;
    }
    Ok(())
}

/// What becomes of bytes that are scanned and then, as far as the head goes, parsed.
fn receive(kind: Kind, bytes: &[u8], limits: &Limits) -> Result<Option<usize>, HeadError> {
    let mut scanner = HeadScanner::new(kind);
    let end = scanner.feed(bytes)?;
    scanner.check(limits)?;
    if let Some(end) = end {
        parse(kind, &bytes[..end], limits)?;
    }
    Ok(end)
}

#[test]
fn good_heads_are_accepted() {
    let limits = Limits::default();
    for (kind, head) in good_heads() {
        let text = head.escape_ascii();
        assert_eq!(scan(kind, [head]), Ok(Some(head.len())), "{text}");
        assert_eq!(parse(kind, head, &limits), Ok(()), "{text}");
        assert_eq!(is_within(kind, head, &limits), Ok(()), "{text}");

        // What is behind the head is not looked at by one, and refused by the other.
        for behind in [
            &b"x"[..],
            b"\0",
            b"\r\n",
            b"\n",
            b" ",
            b"GET / HTTP/1.1\r\n",
        ] {
            let more = [head, behind].concat();
            assert_eq!(scan(kind, [&more[..]]), Ok(Some(head.len())), "{text}");
            assert!(parse(kind, &more, &limits).is_err(), "{text}");
        }
        for end in 0..head.len() {
            assert_eq!(scan(kind, [&head[..end]]), Ok(None), "{text} {end}");
            assert!(parse(kind, &head[..end], &limits).is_err(), "{text} {end}");
        }
    }
}

#[test]
fn bad_heads_are_refused() {
    let limits = Limits::default();
    for (kind, head, errors) in bad_heads() {
        let text = head.escape_ascii();
        let error = receive(kind, head, &limits).expect_err(&text.to_string());
        assert!(errors.contains(&error), "{text}: {error:?}");
        // Not even when the scanner was not asked.
        let error = parse(kind, head, &limits).expect_err(&text.to_string());
        assert!(errors.contains(&error), "{text}, parsed: {error:?}");
    }
    for (head, error) in excessive_requests() {
        let whole = parse(Kind::Request, &head, &limits);
        assert_eq!(whole, Err(error), "{:.80}", head.escape_ascii().to_string());
        if error != NotOneHead {
            assert_eq!(receive(Kind::Request, &head, &limits), Err(error));
        }
    }
    for cut in [
        &b"GET / HTTP/1.1\r\nHost: a\r\n"[..],
        b"GET / HTTP/1.1\r\nHost: a\r\nX: y",
        b"GET / HTTP/1.1\r\n",
    ] {
        let whole = parse(Kind::Request, cut, &limits);
        assert_eq!(whole, Err(NotOneHead), "{}", cut.escape_ascii());
    }
}

#[test]
fn each_fault_has_its_status_and_an_example() {
    let mut seen: Vec<HeadError> = Vec::new();
    let tables = bad_heads().flat_map(|(_, _, errors)| errors.iter().copied());
    for error in tables.chain(excessive_requests().into_iter().map(|(_, error)| error)) {
        assert_eq!(error.status(), status(error), "{error:?}");
        if !seen.contains(&error) {
            seen.push(error);
        }
    }
    assert_eq!(seen.len(), FAULTS, "{seen:?}");
}

#[test]
fn splits_do_not_matter() {
    let bad = bad_heads().map(|(kind, head, _)| (kind, head));
    for (kind, head) in good_heads().chain(bad) {
        // The next message must never be taken for part of this one.
        let bytes = &[head, b"POST /x"].concat()[..];
        let whole = scan(kind, [bytes]);
        let text = head.escape_ascii();

        assert_eq!(scan(kind, bytes.chunks(1)), whole, "{text}");
        let spaced = bytes.chunks(1).flat_map(|byte| [b"", byte, b""]);
        assert_eq!(scan(kind, spaced), whole, "{text}, with nothing between");
        for first in 0..=bytes.len() {
            let (a, rest) = bytes.split_at(first);
            assert_eq!(scan(kind, [a, rest]), whole, "{text} at {first}");
            if bytes.len() > 80 {
                continue;
            }
            for second in first..=bytes.len() {
                let (b, c) = rest.split_at(second - first);
                assert_eq!(scan(kind, [a, b, c]), whole, "{text} at {first}, {second}");
            }
        }
    }
}

/// The byte that makes it impossible is the one that is answered.
#[test]
fn what_can_be_no_head_is_refused_at_once() {
    for (kind, bytes, error) in [
        // A client that speaks TLS to a port that does not.
        (Kind::Request, &b"\x16"[..], BadStartLine),
        (Kind::Request, b" ", BadStartLine),
        (Kind::Request, b"G\x00", BadStartLine),
        (Kind::Request, b"SSH-2.0-x\r", BadStartLine),
        (Kind::Request, b"\r\n\r\n\r\n\r\n\r\n", EmptyLines),
        (Kind::Request, b"GET / HTTP/1.1\n", BareLineEnd),
        (Kind::Request, b"GET / HTTP/1.1\rH", BareLineEnd),
        (Kind::Request, b"GET / HTTP/1.1\r\n ", Folded),
        (Kind::Request, b"GET / HTTP/1.1\r\nA: b\0", ControlByte),
        (Kind::Request, b"GET / HTTP/1.1\r\n:", BadFieldName),
        (Kind::Request, b"GET / HTTP/1.1\r\n\r\r", BareLineEnd),
        (Kind::Response, b"h", BadStartLine),
        (Kind::Response, b"HTTP1", BadStartLine),
        (Kind::Response, b"\r", BadStartLine),
        (Kind::Response, b"HTTP/1.1 200 \x01", ControlByte),
        (Kind::Response, b"HTTP/1.1 200 OK\n", BareLineEnd),
    ] {
        let text = bytes.escape_ascii();
        let before = &bytes[..bytes.len() - 1];
        assert_eq!(scan(kind, [before]), Ok(None), "{text}");
        assert_eq!(scan(kind, [bytes]), Err(error), "{text}");
    }
}

#[test]
fn a_connection_is_idle_until_a_request_begins() {
    let mut scanner = HeadScanner::new(Kind::Request);
    let mut fed = 0;
    assert!(scanner.is_empty() && scanner.is_idle());
    for (byte, idle) in [
        (&b""[..], true),
        (b"\r", true),
        (b"\n", true),
        (b"\r\n", true),
        (b"G", false),
        (b"ET / HTTP/1.1\r\n", false),
        (b"Host: a\r\n\r", false),
    ] {
        assert_eq!(scanner.feed(byte), Ok(None));
        assert_eq!(scanner.is_idle(), idle, "{}", byte.escape_ascii());
        fed += byte.len();
        assert_eq!((scanner.len(), scanner.is_empty()), (fed, fed == 0));
    }
    assert_eq!(scanner.feed(b"\n"), Ok(Some(1)));
    assert!(!scanner.is_idle() && !scanner.is_empty());
}

#[test]
fn a_head_may_be_as_large_as_its_limit() {
    for (kind, head) in [
        (Kind::Request, &b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"[..]),
        // Empty lines before the request line count.
        (Kind::Request, b"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        (Kind::Response, b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n"),
    ] {
        let limits = |head_max| Limits {
            head_max,
            ..Limits::default()
        };
        let exact = limits(head.len());
        assert_eq!(is_within(kind, head, &exact), Ok(()));
        assert_eq!(receive(kind, head, &exact), Ok(Some(head.len())));
        let below = limits(head.len() - 1);
        assert_eq!(is_within(kind, head, &below), Err(TooLarge));
        assert_eq!(parse(kind, head, &below), Err(TooLarge));
    }
}

/// However much the limits allow, a head has no more bytes than two bytes can count; up to that it
/// is read as any other.
#[test]
fn no_head_is_longer_than_can_be_counted() {
    let limits = Limits {
        head_max: usize::MAX,
        ..Limits::default()
    };
    let host = "example.org:8080";
    for (kind, first) in [
        (Kind::Request, "GET /x?y HTTP/1.1\r\n"),
        (Kind::Response, "HTTP/1.1 200 OK\r\n"),
    ] {
        for (len, longest) in [
            (65534, true),
            (65535, true),
            (65536, false),
            (131_077, false),
        ] {
            let last = format!("Host: {host}\r\nCookie: a=b\r\n\r\n");
            let fill = len - first.len() - "X: \r\n".len() - last.len();
            let head = [first, "X: ", &"x".repeat(fill), "\r\n", &last].concat();
            let head = head.as_bytes();
            let whole = if longest { Ok(()) } else { Err(TooLarge) };

            assert_eq!(head.len(), len);
            assert_eq!(parse(kind, head, &limits), whole);
            assert_eq!(is_within(kind, head, &limits), whole);
            if kind == Kind::Response {
                let found = Response::parse_prefix(head, &limits);
                assert_eq!(found.map(|(_, len)| len), longest.then_some(len));
                continue;
            }
            let found = Request::parse_prefix(head, &limits);
            assert_eq!(found.map(|(_, len)| len), longest.then_some(len));
            if let Some((request, _)) = found {
                let cookies: Vec<_> = request.cookies().collect();

                assert_eq!(
                    (request.host(), request.url()),
                    (&b"example.org"[..], &b"/x?y"[..])
                );
                assert_eq!(cookies, [(&b"a"[..], &b"b"[..])]);
                assert_eq!(request.headers().count(), 3);
            }
        }
    }
}

#[test]
fn a_head_without_an_end_is_refused_at_its_limit() {
    let limits = Limits {
        head_max: 300,
        target_max: 100,
        headers_max: 100,
    };
    let starts = [&b"GET / HTTP/1.1\r\n"[..], b"GET / HTTP/1.1\r\nX: "];
    for start in starts {
        let mut scanner = HeadScanner::new(Kind::Request);
        assert_eq!(scanner.feed(start), Ok(None));
        while scanner.len() < limits.head_max {
            assert_eq!(scanner.check(&limits), Ok(()));
            assert_eq!(scanner.feed(b"x"), Ok(None));
        }
        assert_eq!(scanner.feed(b"x"), Ok(None));
        assert_eq!(scanner.check(&limits), Err(TooLarge));
    }
    // A target that has no end is refused for that, before it is as long as a head may be.
    let mut scanner = HeadScanner::new(Kind::Request);
    assert_eq!(scanner.feed(b"GET /"), Ok(None));
    while scanner.check(&limits).is_ok() {
        assert_eq!(scanner.feed(b"x"), Ok(None));
    }
    assert_eq!(scanner.check(&limits), Err(TargetTooLong));
    assert!((limits.target_max + 1..=limits.head_max).contains(&scanner.len()));
}

/// Long methods, empty lines, long reasons: what is around the target is not the target's fault.
#[test]
fn only_the_target_counts_as_the_target() {
    let limits = Limits {
        target_max: 20,
        ..Limits::default()
    };
    for leading in 0..=4 {
        for method in 1..=40 {
            for (target, within) in [(20, true), (21, false)] {
                let head = format!(
                    "{}{} /{} HTTP/1.1\r\nHost: a\r\n\r\n",
                    "\r\n".repeat(leading),
                    "M".repeat(method),
                    "t".repeat(target - 1),
                );
                let head = head.as_bytes();
                let text = head.escape_ascii();
                match parse(Kind::Request, head, &limits) {
                    Ok(()) => {
                        assert!(within, "{text}");
                        assert_eq!(is_within(Kind::Request, head, &limits), Ok(()), "{text}");
                    }
                    Err(TargetTooLong) => assert!(!within, "{text}"),
                    Err(error) => {
                        assert_eq!((error, method > 32), (MethodTooLong, true));
                        assert_eq!(scan(Kind::Request, [head]), Err(error), "{text}");
                    }
                }
            }
        }
    }
    // The whole of an absolute target is what was sent.
    let head = b"GET http://a.example/xxx HTTP/1.1\r\nHost: a.example\r\n\r\n";
    assert_eq!(parse(Kind::Request, head, &limits), Ok(()));
    let head = b"GET http://a.example/xxxx HTTP/1.1\r\nHost: a.example\r\n\r\n";
    assert_eq!(parse(Kind::Request, head, &limits), Err(TargetTooLong));
}

/// `Response::parse` says that the target's limit is none for a response.
#[test]
fn a_reason_is_no_target() {
    let limits = Limits {
        target_max: 1,
        ..Limits::default()
    };
    let head = format!("HTTP/1.1 200 {}\r\n\r\n", "x".repeat(100));
    let head = head.as_bytes();
    assert_eq!(parse(Kind::Response, head, &limits), Ok(()));
    assert_eq!(receive(Kind::Response, head, &limits), Ok(Some(head.len())));
    assert_eq!(is_within(Kind::Response, head, &limits), Ok(()));
}

#[test]
fn there_may_be_as_many_fields_as_the_limit() {
    let limits = Limits {
        headers_max: 10,
        ..Limits::default()
    };
    for (kind, start, fields) in [
        (Kind::Request, "GET / HTTP/1.1\r\nHost: a\r\n", 9),
        (Kind::Request, "GET / HTTP/1.0\r\n", 10),
        (Kind::Response, "HTTP/1.1 200 OK\r\n", 10),
    ] {
        let head = |n| format!("{start}{}\r\n", "X:\r\n".repeat(n));
        assert_eq!(parse(kind, head(fields).as_bytes(), &limits), Ok(()));
        let more = head(fields + 1);
        assert_eq!(parse(kind, more.as_bytes(), &limits), Err(TooManyFields));
    }
    let none = Limits {
        headers_max: 0,
        ..limits
    };
    let head = b"HTTP/1.1 200 OK\r\n\r\n";
    assert_eq!(parse(Kind::Response, head, &none), Ok(()));
}

/// `bytes` in pieces that are cut at `cuts`.
fn pieces<'b>(bytes: &'b [u8], cuts: &[Index]) -> Vec<&'b [u8]> {
    let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    at.extend([0, bytes.len()]);
    at.sort_unstable();
    at.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect()
}

/// Bytes that mean something in a head, and others.
fn any_byte() -> impl Strategy<Value = u8> {
    let meaningful = prop::sample::select(&b"\r\n\r\n\t :,;?/*#%[]@\0\x7f\x80\xffaH01"[..]);
    prop_oneof![4 => meaningful, 1 => any::<u8>()]
}

/// A head of the tables in which some bytes were replaced, put in, taken out or doubled.
fn mutated_head() -> impl Strategy<Value = (Kind, Vec<u8>)> {
    let heads: Vec<_> = good_heads().collect();
    let mutation = (0..4u8, any::<Index>(), any_byte(), 1..9usize);
    let mutations = prop::collection::vec(mutation, 0..5);
    (prop::sample::select(heads), mutations).prop_map(|((kind, head), mutations)| {
        let mut head = head.to_vec();
        for (what, at, byte, len) in mutations {
            let at = at.index(head.len() + 1);
            let end = head.len().min(at + len);
            match what {
                0 => head.insert(at, byte),
                1 => head[at..end].iter_mut().take(1).for_each(|b| *b = byte),
                2 => drop(head.drain(at..end)),
                _ => {
                    let doubled = head[at..end].to_vec();
                    head.splice(at..at, doubled);
                }
            }
        }
        (kind, head)
    })
}

/// Nothing, and what lets random bytes get further than the first one.
const STARTS: &[&[u8]] = &[b"", b"GET / HTTP/1.1\r\n", b"HTTP/1.1 200 "];

/// What [`HeadScanner`] promises, of any bytes.
fn holds(kind: Kind, bytes: &[u8], cuts: &[Index]) -> Result<(), TestCaseError> {
    let limits = Limits::default();
    let whole = scan(kind, [bytes]);
    prop_assert_eq!(scan(kind, pieces(bytes, cuts)), whole);
    prop_assert_eq!(scan(kind, bytes.chunks(1)), whole);
    if let Ok(Some(end)) = whole {
        // The first empty line ends the head, but for those before a request.
        let start = bytes.iter().position(|byte| !b"\r\n".contains(byte));
        let empty = |window: &[u8]| window == b"\r\n\r\n";
        let start = start.unwrap();
        let first = bytes[start..].windows(4).position(empty);
        prop_assert_eq!(first.map(|first| start + first + 4), Some(end));
    }
    if parse(kind, bytes, &limits).is_ok() {
        prop_assert_eq!(whole, Ok(Some(bytes.len())));
        prop_assert_eq!(is_within(kind, bytes, &limits), Ok(()));
        prop_assert!(is_plain(bytes), "{}", bytes.escape_ascii());
    }
    Ok(())
}

/// Whether `head` has no line that another reader could see otherwise: an oracle that is simple
/// rather than fast.
fn is_plain(head: &[u8]) -> bool {
    let text: String = head.iter().map(|&byte| char::from(byte)).collect();
    let Some(text) = text.trim_start_matches("\r\n").strip_suffix("\r\n\r\n") else {
        return false;
    };
    let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    let visible = |c: char| c == '\t' || !c.is_ascii_control();
    let field = |line: &str| {
        let (name, value) = line.split_once(':').unwrap_or_default();
        !name.is_empty() && name.chars().all(token) && value.chars().all(visible)
    };
    let mut lines = text.split("\r\n");
    let first = lines.next().unwrap_or_default();
    let lines: Vec<_> = lines.collect();
    let count = |name: &str| {
        let named = |line: &&&str| line.split(':').next().unwrap().eq_ignore_ascii_case(name);
        lines.iter().filter(named).count()
    };
    first.contains("HTTP/1.")
        && first.chars().all(visible)
        && lines.iter().all(|line| field(line))
        && count("host").max(count("content-length") + count("transfer-encoding")) <= 1
}

proptest! {
    #[test]
    fn mutated_heads_do_not_depend_on_splits(
        (kind, head) in mutated_head(),
        cuts in prop::collection::vec(any::<Index>(), 0..5),
    ) {
        holds(kind, &head, &cuts)?;
    }

    #[test]
    fn random_bytes_do_no_harm(
        start in prop::sample::select(STARTS),
        bytes in prop::collection::vec(any_byte(), 0..60),
        cuts in prop::collection::vec(any::<Index>(), 0..5),
    ) {
        let bytes = [start, &bytes].concat();
        holds(Kind::Request, &bytes, &cuts)?;
        holds(Kind::Response, &bytes, &cuts)?;
    }
}
