// SPDX-License-Identifier: GPL-2.0

//! What the fields of a request say: framing, what becomes of the connection, cookies.

use ktcpvs_core::http::{
    Framing,
    HeadError,
    HeadScanner,
    Kind,
    Limits,
    Request,
    Version, //
};
use proptest::prelude::*;

/// Reads `head` as a connection would: what is parsed is what the scanner found.
fn parse(head: &[u8]) -> Result<Request<'_>, HeadError> {
    let end = HeadScanner::new(Kind::Request).feed(head)?;
    let request = Request::parse(head, &Limits::default())?;
    assert_eq!(end, Some(head.len()), "{}", head.escape_ascii());
    Ok(request)
}

/// A request of HTTP/1.1 for a host `a` with `fields`, each of which has its CRLF.
fn with(fields: &str) -> Vec<u8> {
    format!("POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\n").into_bytes()
}

/// The same of HTTP/1.0.
fn old_with(fields: &str) -> Vec<u8> {
    format!("POST / HTTP/1.0\r\nHost: a\r\n{fields}\r\n").into_bytes()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn empty_lines_before_a_request_are_counted() {
    for lines in 0..=4 {
        let head = ["\r\n".repeat(lines).as_bytes(), &with("")].concat();
        let request = parse(&head).unwrap();
        assert_eq!(request.leading(), 2 * lines);
        assert_eq!(request.method_name(), b"POST");
    }
}

#[test]
fn persistence() {
    // What connections do after the response (RFC 9112 §9.3): of HTTP/1.1, and of HTTP/1.0.
    for (fields, new, old) in [
        ("", true, false),
        ("Connection: close\r\n", false, false),
        ("Connection: CLOSE\r\n", false, false),
        ("connection:x , close\r\n", false, false),
        ("Connection: keep-alive\r\n", true, true),
        ("Connection: Keep-Alive, x\r\n", true, true),
        ("Connection: keep-alive, close\r\n", false, false),
        (
            "Connection: close\r\nConnection: keep-alive\r\n",
            false,
            false,
        ),
        ("Connection: x\r\nConnection: ,,close\r\n", false, false),
        ("Connection: closed\r\n", true, false),
        ("Connection: \"close\"\r\n", true, false),
        ("Connection: x-close keep-alive\r\n", true, false),
        ("Connection:\r\n", true, false),
        ("Keep-Alive: timeout=5\r\n", true, false),
        ("Proxy-Connection: keep-alive\r\n", true, false),
        ("X: close\r\n", true, false),
    ] {
        let (new_head, old_head) = (with(fields), old_with(fields));
        let request = parse(&new_head).unwrap();
        assert_eq!(request.version(), Version::Http11);
        assert_eq!(request.persistent(), new, "{fields}");
        let request = parse(&old_head).unwrap();
        assert_eq!(request.version(), Version::Http10);
        assert_eq!(request.persistent(), old, "{fields}, 1.0");
    }
}

#[test]
fn upgrades() {
    for (fields, upgrade) in [
        ("Connection: upgrade\r\nUpgrade: websocket\r\n", true),
        (
            "Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n",
            true,
        ),
        ("Connection: upgrade\r\nUpgrade: h2c, websocket\r\n", true),
        (
            "Connection: upgrade\r\nUpgrade: h2c\r\nUpgrade: a/1\r\n",
            true,
        ),
        // Both halves are needed (RFC 9110 §7.8).
        ("Upgrade: websocket\r\n", false),
        ("Connection: upgrade\r\n", false),
        ("Connection: upgrade\r\nUpgrade:\r\n", false),
        ("Connection: upgrades\r\nUpgrade: websocket\r\n", false),
        // Not with content, which some take for the other protocol's.
        (
            "Connection: upgrade\r\nUpgrade: a\r\nContent-Length: 0\r\n",
            true,
        ),
        (
            "Connection: upgrade\r\nUpgrade: a\r\nContent-Length: 1\r\n",
            false,
        ),
        // HTTP/2 is not offered.
        (
            "Connection: upgrade, http2-settings\r\nUpgrade: h2c\r\n",
            false,
        ),
        ("Connection: upgrade\r\nUpgrade: H2C\r\n", false),
        ("Connection: upgrade\r\nUpgrade: HTTP/2.0\r\n", false),
        ("Connection: upgrade\r\nUpgrade: h2, h2c\r\n", false),
        (
            "Connection: upgrade\r\nUpgrade: h2c-14, h2/1, HTTP-draft-09/2.0\r\n",
            false,
        ),
        ("Connection: upgrade\r\nUpgrade: http/2, H2C/\r\n", false),
        ("Connection: upgrade\r\nUpgrade: HTTP/3, h2x\r\n", true),
    ] {
        assert_eq!(parse(&with(fields)).unwrap().upgrade(), upgrade, "{fields}");
        // HTTP/1.0 has no upgrades (RFC 9110 §7.8).
        assert!(!parse(&old_with(fields)).unwrap().upgrade(), "{fields}");
    }
    let chunked = with("Connection: upgrade\r\nUpgrade: a\r\nTransfer-Encoding: chunked\r\n");
    assert!(!parse(&chunked).unwrap().upgrade());
}

#[test]
fn expectations() {
    for (fields, expects) in [
        ("", false),
        ("Expect: 100-continue\r\n", true),
        ("expect: 100-Continue\r\n", true),
        ("Expect: 200-ok\r\n", false),
        ("Expect: 100\r\n", false),
        ("Expect:\r\n", false),
        ("X-Expect: 100-continue\r\n", false),
    ] {
        assert_eq!(parse(&with(fields)).unwrap().expect_continue(), expects);
        // A client of HTTP/1.0 does not wait (RFC 9110 §10.1.1).
        assert!(!parse(&old_with(fields)).unwrap().expect_continue());
    }
}

#[test]
fn framing() {
    use HeadError::*;
    // RFC 9112 §6.3: rule 4 is that of `Transfer-Encoding`, 5 and 6 those of `Content-Length`, and
    // 7 is for requests that have neither.
    for (fields, framing) in [
        ("", Ok(Framing::None)),
        ("Content-Length: 0\r\n", Ok(Framing::Length(0))),
        ("Content-Length: 5\r\n", Ok(Framing::Length(5))),
        ("content-LENGTH:\t5 \r\n", Ok(Framing::Length(5))),
        (
            "Content-Length: 00000000000000000000000007\r\n",
            Ok(Framing::Length(7)),
        ),
        (
            "Content-Length: 18446744073709551615\r\n",
            Ok(Framing::Length(u64::MAX)),
        ),
        ("Content-Length: 18446744073709551616\r\n", Err(BadLength)),
        (
            "Content-Length: 99999999999999999999999999\r\n",
            Err(BadLength),
        ),
        ("Content-Length:\r\n", Err(BadLength)),
        ("Content-Length: +5\r\n", Err(BadLength)),
        ("Content-Length: -5\r\n", Err(BadLength)),
        ("Content-Length: 5 5\r\n", Err(BadLength)),
        ("Content-Length: 5,5\r\n", Err(BadLength)),
        ("Content-Length: 5, 6\r\n", Err(BadLength)),
        ("Content-Length: 5.0\r\n", Err(BadLength)),
        ("Content-Length: 0x5\r\n", Err(BadLength)),
        ("Content-Length: 5a\r\n", Err(BadLength)),
        ("Content-Length: \"5\"\r\n", Err(BadLength)),
        ("Content-Length: \u{665}\r\n", Err(BadLength)),
        (
            "Content-Length: 5\r\nContent-Length: 5\r\n",
            Err(ManyLengths),
        ),
        (
            "Content-Length: 5\r\nX: y\r\ncontent-length: 6\r\n",
            Err(ManyLengths),
        ),
        ("Content_Length: 5\r\n", Ok(Framing::None)),
        ("Transfer-Encoding: chunked\r\n", Ok(Framing::Chunked)),
        ("transfer-ENCODING:Chunked \t\r\n", Ok(Framing::Chunked)),
        ("Transfer-Encoding: chunked, chunked\r\n", Err(BadCoding)),
        (
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            Err(BadCoding),
        ),
        (
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n",
            Err(BadCoding),
        ),
        ("Transfer-Encoding: chunked, gzip\r\n", Err(BadCoding)),
        ("Transfer-Encoding: chunked, identity\r\n", Err(BadCoding)),
        ("Transfer-Encoding:\r\n", Err(BadCoding)),
        ("Transfer-Encoding: ,\r\n", Err(BadCoding)),
        ("Transfer-Encoding: chunked;q=1\r\n", Err(BadCoding)),
        ("Transfer-Encoding: a b, chunked\r\n", Err(BadCoding)),
        ("Transfer-Encoding: a@b, chunked\r\n", Err(BadCoding)),
        ("Transfer-Encoding: \"chunked\"\r\n", Err(BadCoding)),
        ("Transfer-Encoding: gzip, chunked\r\n", Err(UnknownCoding)),
        (
            "Transfer-Encoding: x;q=\"1\", chunked\r\n",
            Err(UnknownCoding),
        ),
        (
            "Transfer-Encoding: xchunked, chunked\r\n",
            Err(UnknownCoding),
        ),
        (
            "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
            Err(LengthAndCoding),
        ),
        (
            "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n",
            Err(LengthAndCoding),
        ),
        // What `Connection` says of them changes nothing.
        (
            "Connection: content-length\r\nContent-Length: 5\r\n",
            Ok(Framing::Length(5)),
        ),
    ] {
        let head = with(fields);
        let seen = parse(&head).map(|request| request.framing());
        assert_eq!(seen, framing, "{fields}");
    }
}

/// A request whose last coding is not `chunked` has no end that could be known: RFC 9112 §6.3,
/// rule 4, and [`HeadError::BadCoding`] with it, ask for a 400, whatever the coding is.
#[test]
fn the_last_coding_must_be_chunked() {
    for coding in ["gzip", "identity", "xchunked", "chunked-x", "deflate, gzip"] {
        let head = with(&format!("Transfer-Encoding: {coding}\r\n"));
        let error = parse(&head).expect_err(coding);
        assert_eq!(error, HeadError::BadCoding, "{coding}");
    }
}

#[test]
fn framing_of_old_requests() {
    for (fields, framing) in [
        ("", Ok(Framing::None)),
        ("Content-Length: 5\r\n", Ok(Framing::Length(5))),
        (
            "Transfer-Encoding: chunked\r\n",
            Err(HeadError::CodingInOld),
        ),
    ] {
        let head = old_with(fields);
        let seen = parse(&head).map(|request| request.framing());
        assert_eq!(seen, framing, "{fields}");
    }
    let both = old_with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n");
    assert_eq!(parse(&both).unwrap_err().status(), 400);
}

/// What one program takes for the end of a line or of a name, and another does not.
#[test]
fn what_smuggles_is_refused() {
    let vectors: &[&[u8]] = &[
        b"Content-Length : 5\r\n",
        b"Content-Length\t: 5\r\n",
        b"Transfer-Encoding : chunked\r\n",
        b"Transfer-Encoding\x0b: chunked\r\n",
        b"Transfer-Encoding:\x0bchunked\r\n",
        b"Transfer-Encoding: chunked\x0c\r\n",
        b"Transfer-Encoding: chunked\0\r\n",
        b"Transfer-Encoding\0: chunked\r\n",
        b"Transfer-Encoding: \xa0chunked\r\n",
        b"Transfer-Encoding: chunked\xff\r\n",
        b"Transfer-Encoding:\r\n chunked\r\n",
        b"Transfer-Encoding: x\r\n\tchunked\r\n",
        b"Transfer-Encoding\r\n: chunked\r\n",
        b"Transfer-Encoding chunked\r\n",
        b" Transfer-Encoding: chunked\r\n",
        b"\x00Transfer-Encoding: chunked\r\n",
        b"X: y\nTransfer-Encoding: chunked\r\n",
        b"X: y\rTransfer-Encoding: chunked\r\n",
        b"X: y\r\r\nTransfer-Encoding: chunked\r\n",
        b"X: y\n\rTransfer-Encoding: chunked\r\n",
        b"X: y\n\nGET /x HTTP/1.1\r\n",
        b"X: y\r\n\rGET /x HTTP/1.1\r\n",
        b"\xefContent-Length: 5\r\n",
        b"Content-Length: 5\r\n 0\r\n",
        b"Content-Length: 5\n0\r\n",
        b"Content-Length: \x005\r\n",
        b"Content-Length: 5\r\nContent-Length : 6\r\n",
        b"Host: b\r\n",
        b"Host : b\r\n",
        b"X:\x7f\r\n",
        b"X: y\x01\r\n",
        b"(X): y\r\n",
        b"\r: y\r\n",
    ];
    for vector in vectors {
        for (before, after) in [(&b"Host: a\r\n"[..], &b""[..]), (b"", b"Host: a\r\n")] {
            let head = [b"POST / HTTP/1.1\r\n", before, vector, after, b"\r\n"].concat();
            let error = parse(&head).expect_err(&vector.escape_ascii().to_string());
            assert!(matches!(error.status(), 400 | 501), "{error:?}");
        }
    }
}

#[test]
fn cookies() {
    for (fields, cookies) in [
        ("", &[][..]),
        ("Cookie:\r\n", &[]),
        ("Cookie: a=1\r\n", &[("a", "1")]),
        ("cookie: a=1; b=2\r\n", &[("a", "1"), ("b", "2")]),
        ("Cookie:a=1;b=2;\r\n", &[("a", "1"), ("b", "2")]),
        (
            "Cookie: a=1\r\nX: c=3\r\nCookie: b=2\r\n",
            &[("a", "1"), ("b", "2")],
        ),
        // As they were sent: the order, the case, cookies of the same name, quotes, what is
        // behind the first `=`.
        (
            "Cookie: b=2; A=1; a=3; A=4\r\n",
            &[("b", "2"), ("A", "1"), ("a", "3"), ("A", "4")],
        ),
        (
            "Cookie: a=\"1, 2\"; b=c=d==\r\n",
            &[("a", "\"1, 2\""), ("b", "c=d==")],
        ),
        ("Cookie: a=; b=2\r\n", &[("a", ""), ("b", "2")]),
        // What has no `=` is passed over.
        ("Cookie: x; a=1; ; y\r\n", &[("a", "1")]),
        ("Cookie: x\r\nCookie: ;;;\r\nCookie: a=1\r\n", &[("a", "1")]),
        ("Cookies: a=1\r\nX-Cookie: b=2\r\nSet-Cookie: c=3\r\n", &[]),
    ] {
        let head = with(fields);
        let request = parse(&head).unwrap();
        let seen: Vec<_> = request.cookies().map(|(n, v)| (text(n), text(v))).collect();
        assert_eq!(seen, cookies, "{fields}");
    }
    let head = with("Cookie: a=1; A=2; ab=3\r\nCookie: a=4\r\n");
    let request = parse(&head).unwrap();
    assert_eq!(request.cookie(b"a").collect::<Vec<_>>(), [b"1", b"4"]);
    assert_eq!(request.cookie(b"A").collect::<Vec<_>>(), [b"2"]);
    assert_eq!(request.cookie(b"b").count(), 0);
}

#[test]
fn fields_are_found_in_any_case() {
    let head = with("X: 1\r\nY:\r\nx:  2\t3 \r\nX-Y: 4\r\n");
    let request = parse(&head).unwrap();
    assert_eq!(
        request.header(b"x").collect::<Vec<_>>(),
        [&b"1"[..], b"2\t3"]
    );
    assert_eq!(request.header(b"Y").collect::<Vec<_>>(), [b""]);
    assert_eq!(request.header(b"X-").count(), 0);
    let names: Vec<_> = request.headers().map(|(name, _)| text(name)).collect();
    assert_eq!(names, ["Host", "X", "Y", "x", "X-Y"]);
}

fn any_field() -> impl Strategy<Value = (String, String)> {
    // No field that means something here begins with a `z`.
    (
        "z[!#$%&'*+.^_`|~0-9A-Za-z-]{0,12}",
        "([!-~]([\t -~\u{e9}]{0,12}[!-~])?)?",
    )
}

proptest! {
    /// Fields are seen as they were sent, without the white space around their values.
    #[test]
    fn fields_come_as_they_were_sent(
        fields in prop::collection::vec((any_field(), "[ \t]{0,3}", "[ \t]{0,3}"), 0..9),
    ) {
        let lines = fields.iter().map(|((n, v), before, after)| format!("{n}:{before}{v}{after}"));
        let head = with(&lines.map(|line| line + "\r\n").collect::<String>());
        let request = parse(&head).unwrap();
        let seen: Vec<_> = request.headers().skip(1).map(|(n, v)| (text(n), text(v))).collect();
        let sent: Vec<_> = fields.iter().map(|((n, v), ..)| (&n[..], &v[..])).collect();
        prop_assert_eq!(&seen, &sent);
        for (name, _) in &sent {
            let named = sent.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name));
            let upper = name.to_ascii_uppercase();
            let values: Vec<_> = request.header(upper.as_bytes()).map(text).collect();
            prop_assert_eq!(values, named.map(|(_, value)| *value).collect::<Vec<_>>());
        }
    }

    /// Cookies are seen as they were sent, in however many fields.
    #[test]
    fn cookies_come_as_they_were_sent(
        cookies in prop::collection::vec(("[!-:<>-~]{1,9}", "[!-:<-~]{0,9}", any::<bool>()), 1..9),
        between in prop::sample::select(&["; ", ";", " ;\t", ";; x;"][..]),
    ) {
        let mut fields = String::new();
        for (name, value, begins) in &cookies {
            let start = match (fields.is_empty(), begins) {
                (true, _) => "Cookie: ",
                (false, true) => "\r\nX: a=b\r\ncookie:",
                (false, false) => between,
            };
            fields += &format!("{start}{name}={value}");
        }
        let head = with(&(fields + "\r\n"));
        let request = parse(&head).unwrap();
        let seen: Vec<_> = request.cookies().map(|(n, v)| (text(n), text(v))).collect();
        let sent: Vec<_> = cookies.iter().map(|(n, v, _)| (&n[..], &v[..])).collect();
        prop_assert_eq!(seen, sent);
    }
}
