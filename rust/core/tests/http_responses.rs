// SPDX-License-Identifier: GPL-2.0

//! What a response says: status, framing, what becomes of its connection; and the responses that
//! are made here.

use ktcpvs_core::http::{
    reason,
    valid_location,
    write_response,
    Framing,
    HeadError,
    HeadScanner,
    Kind,
    Limits,
    NoRoom,
    Reply,
    Response,
    Version,
    REPLY_ROOM, //
};
use proptest::prelude::*;

/// Reads `head` as a connection would: what is parsed is what the scanner found.
fn parse(head: &[u8]) -> Result<Response<'_>, HeadError> {
    let end = HeadScanner::new(Kind::Response).feed(head)?;
    let response = Response::parse(head, &Limits::default())?;
    assert_eq!(end, Some(head.len()), "{}", head.escape_ascii());
    Ok(response)
}

fn with(version: &str, status: u16, fields: &str) -> Vec<u8> {
    format!("HTTP/{version} {status} X\r\n{fields}\r\n").into_bytes()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn status_lines() {
    for (line, version, status, reason) in [
        ("HTTP/1.1 200 OK", Version::Http11, 200, "OK"),
        ("HTTP/1.0 404 Not Found", Version::Http10, 404, "Not Found"),
        ("HTTP/1.1 100 Continue", Version::Http11, 100, "Continue"),
        ("HTTP/1.1 999 ", Version::Http11, 999, ""),
        // Servers omit the space, clients do not mind.
        ("HTTP/1.1 204", Version::Http11, 204, ""),
        ("HTTP/1.1 200  two  ", Version::Http11, 200, " two  "),
        (
            "HTTP/1.1 200 a\tb \u{e9}: 1",
            Version::Http11,
            200,
            "a\tb \u{e9}: 1",
        ),
    ] {
        let head = format!("{line}\r\nA: b\r\n\r\n");
        let response = parse(head.as_bytes()).expect(line);
        assert_eq!(response.version(), version);
        assert_eq!(response.status(), status);
        assert_eq!(text(response.reason()), reason);
        assert_eq!(response.is_interim(), status < 200);
        assert_eq!(response.header(b"a").collect::<Vec<_>>(), [b"b"]);
    }
}

#[test]
fn status_lines_that_are_refused() {
    use HeadError::*;
    for (error, lines) in [
        (
            BadStartLine,
            &[
                "HTTP/1.1",
                "HTTP/1.1 ",
                "HTTP/1.1 20",
                "HTTP/1.1 2000",
                "HTTP/1.1 099 X",
                "HTTP/1.1 000",
                "HTTP/1.1 2x0 X",
                "HTTP/1.1 +20 X",
                "HTTP/1.1 -20 X",
                "HTTP/1.1 2 0 X",
                "HTTP/1.1 200OK",
                "HTTP/1.1 200\tOK",
                "HTTP/1.1\t200 OK",
                "HTTP/1.1  200 OK",
                "HTTP/1.1200 OK",
                "HTTP/1 200 OK",
                "HTTP/11 200 OK",
                "HTTP/1.1.1 200 OK",
                "HTTP/ 200 OK",
                "HTTP/2 200",
                "http/1.1 200 OK",
                " HTTP/1.1 200 OK",
                "200 OK",
                "\u{feff}HTTP/1.1 200 OK",
            ][..],
        ),
        (
            Version,
            &["HTTP/2.0 200 OK", "HTTP/1.2 200 OK", "HTTP/0.9 200 OK"],
        ),
        (
            ControlByte,
            &[
                "HTTP/1.1 200 \0",
                "HTTP/1.1 200 OK\x7f",
                "HTTP/1.1 200 \x1b[m",
            ],
        ),
        (
            BareLineEnd,
            &[
                "HTTP/1.1 200 OK\nA: b",
                "HTTP/1.1 200 OK\rA: b",
                "HTTP/1.1 200 OK\r",
            ],
        ),
    ] {
        for line in lines {
            let head = format!("{line}\r\n\r\n");
            assert_eq!(parse(head.as_bytes()).expect_err(line), error, "{line:?}");
        }
    }
}

#[test]
fn fields_that_are_refused() {
    for (fields, error) in [
        ("Content-Length : 5\r\n", HeadError::BadFieldName),
        (" Content-Length: 5\r\n", HeadError::Folded),
        ("A: b\r\n c\r\n", HeadError::Folded),
        ("A: b\nC: d\r\n", HeadError::BareLineEnd),
        ("A: b\rC: d\r\n", HeadError::BareLineEnd),
        ("A: b\0\r\n", HeadError::ControlByte),
        ("A\u{e9}: b\r\n", HeadError::BadFieldName),
        ("A\r\n", HeadError::BadFieldName),
        (": b\r\n", HeadError::BadFieldName),
    ] {
        let head = with("1.1", 200, fields);
        assert_eq!(parse(&head).unwrap_err(), error, "{fields:?}");
    }
    // A response has no host: several are nothing to a client.
    assert!(parse(&with("1.1", 200, "Host: a\r\nHost: b c\r\n")).is_ok());
}

#[test]
fn framing() {
    use Framing::*;
    const LENGTH: &str = "Content-Length: 5\r\n";
    const CHUNKED: &str = "Transfer-Encoding: chunked\r\n";
    // Version, status, fields, and the framing by RFC 9112 §6.3: in the answer to `GET`, and rule
    // 1 makes it `None` in that to `HEAD`.
    for (version, status, fields, framing) in [
        ("1.1", 200, "", Close),
        ("1.1", 200, LENGTH, Length(5)),
        ("1.1", 200, "Content-Length: 0\r\n", Length(0)),
        ("1.1", 200, CHUNKED, Chunked),
        ("1.1", 200, "Connection: close\r\n", Close),
        ("1.0", 200, "", Close),
        ("1.0", 200, LENGTH, Length(5)),
        ("1.0", 200, "Connection: keep-alive\r\n", Close),
        ("1.1", 100, "", None),
        ("1.1", 100, LENGTH, None),
        ("1.1", 101, "", None),
        ("1.1", 101, CHUNKED, None),
        ("1.1", 103, LENGTH, None),
        ("1.1", 199, CHUNKED, None),
        ("1.1", 204, "", None),
        ("1.1", 204, LENGTH, None),
        ("1.1", 204, CHUNKED, None),
        ("1.0", 204, LENGTH, None),
        ("1.1", 304, "", None),
        ("1.1", 304, LENGTH, None),
        ("1.1", 304, CHUNKED, None),
        // Only these: others that seldom have content may have some.
        ("1.1", 201, "", Close),
        ("1.1", 205, "", Close),
        ("1.1", 205, LENGTH, Length(5)),
        ("1.1", 206, CHUNKED, Chunked),
        ("1.1", 301, LENGTH, Length(5)),
        ("1.1", 404, "", Close),
        ("1.1", 999, LENGTH, Length(5)),
    ] {
        let head = with(version, status, fields);
        let response = parse(&head).unwrap();
        assert_eq!(response.framing(false), framing, "{status} {fields}");
        assert_eq!(response.framing(true), None, "{status} {fields}");
    }
}

#[test]
fn framing_that_is_refused() {
    use HeadError::*;
    for (version, fields, error) in [
        ("1.1", "Content-Length: 5, 5\r\n", BadLength),
        ("1.1", "Content-Length: +5\r\n", BadLength),
        ("1.1", "Content-Length: 18446744073709551616\r\n", BadLength),
        ("1.1", "Content-Length:\r\n", BadLength),
        (
            "1.1",
            "Content-Length: 5\r\nContent-Length: 5\r\n",
            ManyLengths,
        ),
        (
            "1.1",
            "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
            LengthAndCoding,
        ),
        (
            "1.1",
            "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
            LengthAndCoding,
        ),
        ("1.1", "Transfer-Encoding: chunked, chunked\r\n", BadCoding),
        ("1.1", "Transfer-Encoding: chunked, gzip\r\n", BadCoding),
        ("1.1", "Transfer-Encoding:\r\n", BadCoding),
        ("1.1", "Transfer-Encoding: gzip, chunked\r\n", UnknownCoding),
        ("1.0", "Transfer-Encoding: chunked\r\n", CodingInOld),
    ] {
        // Not even where there is no content: the next reader may see it otherwise.
        for status in [200, 204, 304] {
            let head = with(version, status, fields);
            assert_eq!(parse(&head).unwrap_err(), error, "{status} {fields}");
        }
    }
    // Whether this is read until the end of the connection (RFC 9112 §6.3) or not: not here.
    assert!(parse(&with("1.1", 200, "Transfer-Encoding: gzip\r\n")).is_err());
}

#[test]
fn what_becomes_of_the_connection() {
    const LENGTH: &str = "Content-Length: 5\r\n";
    const CHUNKED: &str = "Transfer-Encoding: chunked\r\n";
    // Whether the server keeps it, and whether it can be used again after the answer to `GET` and
    // to `HEAD` (RFC 9112 §9.3).
    for (version, status, fields, connection, persistent, after_get, after_head) in [
        ("1.1", 200, LENGTH, "", true, true, true),
        ("1.1", 200, CHUNKED, "", true, true, true),
        ("1.1", 200, "", "", true, false, true),
        ("1.1", 204, "", "", true, true, true),
        ("1.1", 304, "", "", true, true, true),
        ("1.1", 200, LENGTH, "close", false, false, false),
        ("1.1", 200, LENGTH, "x, Close", false, false, false),
        ("1.1", 200, LENGTH, "keep-alive, close", false, false, false),
        ("1.1", 204, "", "close", false, false, false),
        ("1.0", 200, LENGTH, "", false, false, false),
        ("1.0", 200, LENGTH, "keep-alive", true, true, true),
        ("1.0", 200, LENGTH, "Keep-Alive, close", false, false, false),
        ("1.0", 200, "", "keep-alive", true, false, true),
        // Another protocol.
        ("1.1", 101, "Upgrade: x\r\n", "upgrade", true, false, false),
    ] {
        let head = with(
            version,
            status,
            &format!("{fields}Connection: {connection}\r\n"),
        );
        let response = parse(&head).unwrap();
        let what = head.escape_ascii();
        assert_eq!(response.persistent(), persistent, "{what}");
        assert_eq!(response.reusable(false), after_get, "{what}");
        assert_eq!(response.reusable(true), after_head, "{what}");
    }
}

#[test]
fn upgrades() {
    const BOTH: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
    for (version, status, fields, upgrade) in [
        ("1.1", 101, BOTH, true),
        ("1.1", 101, "Upgrade: websocket\r\n", false),
        ("1.1", 101, "Connection: upgrade\r\n", false),
        ("1.1", 101, "Connection: upgrade\r\nUpgrade:\r\n", false),
        ("1.1", 101, "", false),
        ("1.0", 101, BOTH, false),
        ("1.1", 200, BOTH, false),
        ("1.1", 100, BOTH, false),
        ("1.1", 426, BOTH, false),
    ] {
        let head = with(version, status, fields);
        assert_eq!(
            parse(&head).unwrap().upgrade(),
            upgrade,
            "{status} {fields}"
        );
    }
}

/// Writes a response to a buffer that the documentation says is large enough, takes it apart, and
/// sees that a client would find its end: the status line, the fields, and what follows.
fn write(status: u16, reply: &Reply<'_>) -> (String, Vec<(String, String)>, String) {
    let strings = reply.location.map_or(0, <[u8]>::len) + 5 * reply.text.map_or(0, str::len);
    let mut out = vec![0; strings + REPLY_ROOM];
    let len = write_response(&mut out, status, reply).unwrap();
    out.truncate(len);

    let end = HeadScanner::new(Kind::Response).feed(&out).unwrap();
    let (head, content) = out.split_at(end.unwrap());
    let response = parse(head).unwrap();
    assert_eq!(response.status(), status);
    assert_eq!(text(response.reason()), reason(status));
    assert_eq!(response.version(), Version::Http11);
    match response.framing(reply.head_only) {
        Framing::None => assert_eq!(content, b""),
        Framing::Length(length) => assert_eq!(content.len() as u64, length),
        framing => panic!("{framing:?}"),
    }
    // Exactly as large is large enough, and less is not.
    let mut exact = vec![0; len];
    assert_eq!(write_response(&mut exact, status, reply), Ok(len));
    assert_eq!(exact, out);
    let less = write_response(&mut exact[1..], status, reply);
    assert_eq!(less, Err(NoRoom));

    let line = text(head).lines().next().unwrap().to_owned();
    let own = |(name, value)| (text(name).to_ascii_lowercase(), text(value).to_owned());
    (
        line,
        response.headers().map(own).collect(),
        text(content).to_owned(),
    )
}

fn field<'f>(fields: &'f [(String, String)], name: &str) -> Option<&'f str> {
    let mut values = fields.iter().filter(|field| field.0 == name);
    let value = values.next().map(|field| &field.1[..]);
    assert_eq!(values.next(), None);
    value
}

#[test]
fn responses_are_made() {
    let (line, fields, page) = write(404, &Reply::default());
    assert_eq!(line, "HTTP/1.1 404 Not Found");
    assert_eq!(field(&fields, "content-type"), Some("text/html"));
    assert_eq!(field(&fields, "cache-control"), Some("no-store"));
    assert_eq!(field(&fields, "connection"), None);
    assert_eq!(field(&fields, "location"), None);
    assert_eq!(field(&fields, "retry-after"), None);
    assert!(page.contains("<title>404 Not Found</title>"), "{page}");

    let reply = Reply {
        location: Some(b"https://a.example/b?c"),
        ..Reply::default()
    };
    let (line, fields, _) = write(301, &reply);
    assert_eq!(line, "HTTP/1.1 301 Moved Permanently");
    assert_eq!(field(&fields, "location"), Some("https://a.example/b?c"));
    assert_eq!(field(&fields, "cache-control"), None);

    let reply = Reply {
        retry_after: Some(u32::MAX),
        ..Reply::default()
    };
    let (_, fields, _) = write(503, &reply);
    assert_eq!(field(&fields, "retry-after"), Some("4294967295"));
}

#[test]
fn every_status_has_a_response_that_fits() {
    for status in 100..1000 {
        for version in [Version::Http10, Version::Http11] {
            for (close, head_only) in [(false, false), (true, false), (false, true)] {
                let reply = Reply {
                    version,
                    close,
                    head_only,
                    retry_after: Some(u32::MAX),
                    location: Some(b"/"),
                    text: None,
                };
                let (_, fields, page) = write(status, &reply);
                // RFC 9110 §8.6: not in a 1xx or a 204; what 304 says would be the resource's.
                let length = field(&fields, "content-length");
                let none = status < 200 || matches!(status, 204 | 304);
                assert_eq!(length.is_none(), none, "{status}");
                // RFC 9110 §15.3.6: a 205 has no content, and says so.
                assert_eq!(length == Some("0"), status == 205, "{status}");
                let empty = none || status == 205 || head_only;
                assert_eq!(page.is_empty(), empty, "{status}");
                // Errors are the director's, not the resource's: no cache stores them.
                let stored = field(&fields, "cache-control") != Some("no-store");
                assert_eq!(stored, status < 400, "{status}");
                // RFC 9112 §9.3: what a client of either version takes it for.
                let connection = match (close, version) {
                    (true, _) => Some("close"),
                    (false, Version::Http10) => Some("keep-alive"),
                    (false, Version::Http11) => None,
                };
                assert_eq!(field(&fields, "connection"), connection);
            }
        }
    }
}

/// `HEAD` is answered what `GET` is, without the content (RFC 9110 §9.3.2).
#[test]
fn the_answer_to_head_is_that_to_get() {
    for status in [200, 301, 403, 503] {
        let get = Reply {
            text: Some("Some <text>"),
            ..Reply::default()
        };
        let head = Reply {
            head_only: true,
            ..get
        };
        let (get, head) = (write(status, &get), write(status, &head));
        assert_eq!((get.0, get.1), (head.0, head.1));
        assert!(head.2.is_empty() && !get.2.is_empty());
    }
}

/// The registry that RFC 9110 §16.2.1 founds, but what it has no use for any more.
const REASONS: &str = "100 Continue|101 Switching Protocols|102 Processing|103 Early Hints|\
    200 OK|201 Created|202 Accepted|203 Non-Authoritative Information|204 No Content|\
    205 Reset Content|206 Partial Content|207 Multi-Status|208 Already Reported|226 IM Used|\
    300 Multiple Choices|301 Moved Permanently|302 Found|303 See Other|304 Not Modified|\
    305 Use Proxy|307 Temporary Redirect|308 Permanent Redirect|400 Bad Request|\
    401 Unauthorized|402 Payment Required|403 Forbidden|404 Not Found|405 Method Not Allowed|\
    406 Not Acceptable|407 Proxy Authentication Required|408 Request Timeout|409 Conflict|\
    410 Gone|411 Length Required|412 Precondition Failed|413 Content Too Large|\
    414 URI Too Long|415 Unsupported Media Type|416 Range Not Satisfiable|\
    417 Expectation Failed|421 Misdirected Request|422 Unprocessable Content|423 Locked|\
    424 Failed Dependency|425 Too Early|426 Upgrade Required|428 Precondition Required|\
    429 Too Many Requests|431 Request Header Fields Too Large|\
    451 Unavailable For Legal Reasons|500 Internal Server Error|501 Not Implemented|\
    502 Bad Gateway|503 Service Unavailable|504 Gateway Timeout|\
    505 HTTP Version Not Supported|506 Variant Also Negotiates|507 Insufficient Storage|\
    508 Loop Detected|511 Network Authentication Required";

#[test]
fn reasons() {
    for line in REASONS.split('|') {
        let (status, phrase) = line.split_once(' ').unwrap();
        assert_eq!(reason(status.parse().unwrap()), phrase);
    }
    // One that has none is given its class's name, whatever that is, as others of its class are.
    for (unknown, other) in [(199, 150), (299, 250), (399, 350), (499, 460), (599, 560)] {
        assert_eq!(reason(unknown), reason(other));
        assert!(!reason(unknown).is_empty());
    }
}

#[test]
fn locations() {
    for good in ["/", "https://a.example/b?c=%20#d", "!~", "\"<>\\^`{|}"] {
        assert!(valid_location(good.as_bytes()), "{good}");
    }
    for bad in [
        "",
        " ",
        "/a b",
        "/\t",
        "/\r\nX: y",
        "/\n",
        "/\0",
        "/\x7f",
        "/caf\u{e9}",
        " /",
        "/ ",
    ] {
        assert!(!valid_location(bad.as_bytes()), "{bad:?}");
        let reply = Reply {
            location: Some(bad.as_bytes()),
            ..Reply::default()
        };
        let (_, fields, _) = write(302, &reply);
        assert_eq!(field(&fields, "location"), None, "{bad:?}");
        assert_eq!(field(&fields, "x"), None);
    }
}

/// Text that is all entities takes the most room in a page.
#[test]
fn any_text_has_room() {
    for text in ["<", "&", "a>", "\"'"] {
        let text = text.repeat(1000);
        let reply = Reply {
            text: Some(&text),
            ..Reply::default()
        };
        write(403, &reply);
    }
}

proptest! {
    /// Text is shown as it is: it makes no element of the page.
    #[test]
    fn text_is_text(text in "[a-z<>&;/\" \u{e9}]{0,40}", status in 400..600u16) {
        let reply = Reply {
            text: Some(&text),
            ..Reply::default()
        };
        let (_, _, page) = write(status, &reply);
        let (_, shown) = page.split_once("</h1>\n").unwrap();
        let shown = shown.strip_prefix("<p>").unwrap_or(shown);
        let shown = shown.strip_suffix("</p>\n").unwrap_or(shown);
        prop_assert!(!shown.contains(['<', '>']), "{}", shown);
        let unescaped = shown.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
        prop_assert_eq!(unescaped, text);
    }
}
