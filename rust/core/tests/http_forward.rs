// SPDX-License-Identifier: GPL-2.0

//! What a gateway changes in a head, and what it does not.

#[path = "http_forward/through.rs"]
mod through;

use ktcpvs_core::http::{
    forward_request,
    Forward,
    Limits,
    Request,
    RequestEdits,
    ResponseEdits,
    Version,
    FORWARD_ROOM, //
};
use through::{
    elements,
    lines,
    text,
    to_client,
    to_server, //
};

/// `head` as one that has to say the same may be written: the order of the fields, the case of
/// their names and the white space in lists are free.
fn normal(head: &[u8]) -> (String, Vec<(String, String)>) {
    let (first, mut fields) = lines(head);
    for (name, value) in &mut fields {
        if matches!(&name[..], "connection" | "upgrade" | "te") {
            let mut list = elements([&(name.clone(), value.clone())], name);
            list.sort();
            *value = list.join(", ");
        }
    }
    fields.sort();
    (first.to_owned(), fields)
}

/// A request for `/` with `fields`.
fn get(fields: &str) -> String {
    format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n")
}

/// Sees that a server is sent `expected` in place of `head`.
fn becomes(head: &str, edits: &RequestEdits<'_>, expected: &str) {
    let written = to_server(head.as_bytes(), edits).unwrap_or_else(|| panic!("{head}"));
    assert_eq!(normal(&written), normal(expected.as_bytes()), "{head}");
}

/// Sees that a client is sent `expected` in place of `head`.
fn turns_into(head: &str, edits: &ResponseEdits<'_>, expected: &str) {
    let written = to_client(head.as_bytes(), edits).unwrap_or_else(|| panic!("{head}"));
    assert_eq!(normal(&written), normal(expected.as_bytes()), "{head}");
}

#[test]
fn most_requests_go_on_as_they_came() {
    for head in [
        get(""),
        get("Accept:*/*\r\nX: \t y  z \r\nx:\r\n"),
        get("Connection: keep-alive\r\n"),
        get("Connection: upgrade\r\nUpgrade: websocket\r\n"),
        get("Connection: TE\r\nTE: trailers\r\n"),
        get("Cookie: a=1; b=2\r\nX-Forwarded-For: 192.0.2.1\r\n"),
        get("Content-Length: 5\r\nExpect: 100-continue\r\n"),
        get("Transfer-Encoding: chunked\r\nTrailer: x\r\n"),
        get("Via: 1.1 x\r\nProxy-Authorization: y\r\nX-Close: close\r\n"),
        "\r\n\r\n".to_owned() + &get(""),
        "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(),
        "GET /?a HTTP/1.0\r\n\r\n".to_owned(),
        "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n".to_owned(),
    ] {
        let none = RequestEdits::default();
        assert_eq!(to_server(head.as_bytes(), &none), None, "{head}");
        // Nor is there anything to be done for a cookie that is not there.
        let strip = RequestEdits {
            strip_cookie: Some(b"A"),
            ..none
        };
        assert_eq!(to_server(head.as_bytes(), &strip), None, "{head}");
    }
}

#[test]
fn absolute_targets_become_paths() {
    for (target, host, after, host_after) in [
        ("http://b/c?d", "Host: b\r\n", "/c?d", "b"),
        ("http://b", "Host: b\r\n", "/", "b"),
        ("HTTPS://B:443/", "Host: b\r\n", "/", "B:443"),
        (
            "http://[::1]:81//c",
            "Host: [::1]:81\r\n",
            "//c",
            "[::1]:81",
        ),
    ] {
        for version in ["1.1", "1.0"] {
            let head = format!("GET {target} HTTP/{version}\r\nX: y\r\n{host}\r\n");
            let expected =
                format!("GET {after} HTTP/{version}\r\nHost: {host_after}\r\nX: y\r\n\r\n");
            becomes(&head, &RequestEdits::default(), &expected);
        }
        let head = format!("GET {target} HTTP/1.0\r\n\r\n");
        let expected = format!("GET {after} HTTP/1.0\r\nHost: {host_after}\r\n\r\n");
        becomes(&head, &RequestEdits::default(), &expected);
    }
    becomes(
        "OPTIONS http://b HTTP/1.1\r\nHost: b\r\n\r\n",
        &RequestEdits::default(),
        "OPTIONS * HTTP/1.1\r\nHost: b\r\n\r\n",
    );
}

#[test]
fn fields_of_one_connection_are_dropped() {
    for (fields, expected) in [
        ("Connection: close\r\n", ""),
        (
            "X: y\r\nconnection: CLOSE , keep-alive\r\nZ:\r\n",
            "X: y\r\nZ:\r\n",
        ),
        ("Keep-Alive: timeout=5\r\nConnection: keep-alive\r\n", ""),
        ("PROXY-Connection: keep-alive\r\n", ""),
        // What `Connection` names, in whatever case and however often.
        (
            "Connection: x, Y\r\nX: 1\r\ny: 2\r\nx: 3\r\nZ: 4\r\n",
            "Z: 4\r\n",
        ),
        (
            "X: 1\r\nXX: 2\r\nConnection: a\r\nConnection: ,x,\r\n",
            "XX: 2\r\n",
        ),
        ("Connection: cookie\r\nCookie: a=1\r\n", ""),
        ("Connection: x-forwarded-for\r\nX-Forwarded-For: b\r\n", ""),
        // What frames the message or says whom it is for is not the sender's to drop.
        ("Connection: host\r\n", ""),
        (
            "Connection: x, Content-Length\r\nContent-Length: 5\r\n",
            "Content-Length: 5\r\n",
        ),
        (
            "Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: chunked\r\n",
        ),
        // Upgrades, without HTTP/2.
        ("Upgrade: websocket\r\n", ""),
        ("Upgrade: websocket\r\nConnection: x\r\n", ""),
        (
            "Connection: upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: A\r\n",
            "",
        ),
        (
            "Connection: upgrade, HTTP2-Settings\r\nUpgrade: h2c, a/1 ,H2,b\r\n",
            "Connection: upgrade\r\nUpgrade: a/1, b\r\n",
        ),
        (
            "Connection: close, x, upgrade\r\nUpgrade: websocket\r\nX: y\r\n",
            "Connection: upgrade\r\nUpgrade: websocket\r\n",
        ),
    ] {
        becomes(&get(fields), &RequestEdits::default(), &get(expected));
    }
}

/// What is around the value of a field that frames the message, and others take for a part of it.
const SPACED: [(&str, &str); 6] = [
    ("Content-Length: 5 \r\n", "Content-Length: 5\r\n"),
    ("content-length:\t5\r\n", "content-length: 5\r\n"),
    ("Content-Length:5\t\r\n", "Content-Length: 5\r\n"),
    (
        "Transfer-Encoding: chunked\t\r\n",
        "Transfer-Encoding: chunked\r\n",
    ),
    (
        "Transfer-Encoding:  Chunked\r\n",
        "Transfer-Encoding: Chunked\r\n",
    ),
    (
        "X: \ty \r\nTransfer-Encoding:chunked \t \r\n",
        "X: \ty \r\nTransfer-Encoding: chunked\r\n",
    ),
];

/// How much white space there may be, before and behind it.
const USUAL: [&str; 4] = [
    "Content-Length: 5\r\n",
    "Content-Length:5\r\n",
    "Transfer-Encoding: chunked\r\n",
    "transfer-encoding:chunked\r\n",
];

#[test]
fn framing_has_no_unusual_space() {
    for (fields, expected) in SPACED {
        let request = to_server(get(fields).as_bytes(), &RequestEdits::default());
        let response = to_client(ok(fields).as_bytes(), &ResponseEdits::default());

        assert_eq!(request, Some(get(expected).into_bytes()), "{fields}");
        assert_eq!(response, Some(ok(expected).into_bytes()), "{fields}");
    }
    for fields in USUAL {
        let request = to_server(get(fields).as_bytes(), &RequestEdits::default());
        let response = to_client(ok(fields).as_bytes(), &ResponseEdits::default());

        assert_eq!((request, response), (None, None), "{fields}");
    }
}

#[test]
fn te_keeps_nothing_but_trailers() {
    const TRAILERS: &str = "Connection: TE\r\nTE: trailers\r\n";
    for (fields, expected) in [
        ("TE: gzip\r\n", ""),
        ("Connection: TE\r\nTE: gzip;q=0.5, deflate\r\n", ""),
        ("TE: gzip, Trailers\r\nConnection: TE\r\n", TRAILERS),
        ("Connection: TE\r\nTE: trailers\r\nTE: gzip\r\n", TRAILERS),
        ("Connection: TE, close\r\nTE: trailers\r\n", TRAILERS),
        // Not even where it is one of several that are named.
        (
            "Connection: TE, x\r\nTE: trailers, gzip\r\nX: y\r\n",
            TRAILERS,
        ),
        ("Connection: TE, x\r\nTE: trailers\r\nX: y\r\n", TRAILERS),
    ] {
        becomes(&get(fields), &RequestEdits::default(), &get(expected));
    }
}

#[test]
fn versions_of_requests_stay() {
    for (fields, expected) in [
        (
            "Connection: keep-alive, x\r\nX: y\r\n",
            "Connection: keep-alive\r\n",
        ),
        (
            "Keep-Alive: 5\r\nConnection: Keep-Alive\r\n",
            "Connection: keep-alive\r\n",
        ),
        ("Connection: keep-alive, close\r\n", ""),
        ("Connection: close\r\n", ""),
        // HTTP/1.0 has no upgrades.
        ("Connection: upgrade\r\nUpgrade: websocket\r\n", ""),
    ] {
        let old = |fields: &str| format!("GET / HTTP/1.0\r\n{fields}\r\n");
        becomes(&old(fields), &RequestEdits::default(), &old(expected));
    }
    let new = get("Connection: keep-alive, x\r\n");
    let written = to_server(new.as_bytes(), &RequestEdits::default()).unwrap();
    let (_, fields) = lines(&written);
    assert!(!elements(&fields, "connection").contains(&"x".to_owned()));
    assert!(through::request(&written).persistent());
}

#[test]
fn addresses_are_added() {
    for (fields, expected) in [
        ("", "X-Forwarded-For: 2001:db8::1\r\n"),
        (
            "X-Forwarded-For: b\r\n",
            "X-Forwarded-For: b, 2001:db8::1\r\n",
        ),
        (
            "x-forwarded-for: b,c \r\nX: y\r\nX-FORWARDED-FOR:\td\r\n",
            "X: y\r\nX-Forwarded-For: b,c, d, 2001:db8::1\r\n",
        ),
        ("X-Forwarded-For:\r\n", "X-Forwarded-For: 2001:db8::1\r\n"),
        // What the sender meant for this connection only says nothing of the client.
        (
            "Connection: x-forwarded-for\r\nX-Forwarded-For: b\r\n",
            "X-Forwarded-For: 2001:db8::1\r\n",
        ),
        (
            "Connection: TE\r\nTE: trailers\r\n",
            "Connection: TE\r\nTE: trailers\r\nX-Forwarded-For: 2001:db8::1\r\n",
        ),
    ] {
        let edits = RequestEdits {
            forwarded_for: Some(b"2001:db8::1"),
            strip_cookie: None,
        };
        becomes(&get(fields), &edits, &get(expected));
    }
}

#[test]
fn a_cookie_is_stripped() {
    for (fields, expected) in [
        ("Cookie: s=1\r\n", &[][..]),
        ("Cookie: a=1; s=2; b=3\r\n", &["a=1", "b=3"]),
        (
            "Cookie: s=1; a=2; s=3\r\nCookie: s=4\r\ncookie: b=5;s=6\r\n",
            &["a=2", "b=5"],
        ),
        (
            "Cookie:s = 1 ;S=2;ss=3;s;xs=4\r\n",
            &["S=2", "ss=3", "s", "xs=4"],
        ),
        (
            "Cookie: a=\"s=1\"; s=\"2\"; b=s=3\r\n",
            &["a=\"s=1\"", "b=s=3"],
        ),
    ] {
        let edits = RequestEdits {
            forwarded_for: None,
            strip_cookie: Some(b"s"),
        };
        let written = to_server(get(fields).as_bytes(), &edits).expect(fields);
        let (_, seen) = lines(&written);
        let cookies = seen.iter().filter(|field| field.0 == "cookie");
        let cookies: Vec<_> = cookies.flat_map(|field| field.1.split(';')).collect();
        let cookies: Vec<_> = cookies.into_iter().map(str::trim).collect();
        assert_eq!(cookies, expected, "{fields}");
        assert!(seen
            .iter()
            .all(|field| field.0 != "cookie" || !field.1.is_empty()));
    }
}

/// Where fields are written closest, what is made of them has most to add: a field of each kind
/// that is written anew, and as many as [`Limits`] allows of those that are longer afterwards.
#[test]
fn there_is_room_for_the_worst_request() {
    let limits = Limits::default();
    for (start, lines) in [
        (
            "GET / HTTP/1.1\r\nHost:a\r\nTE:trailers\r\nCookie:s=;a\r\n",
            3,
        ),
        ("GET http://a HTTP/1.0\r\nTE:trailers\r\nCookie:s=;a\r\n", 2),
        (
            "GET / HTTP/1.1\r\nHost:a\r\nConnection:upgrade\r\nUpgrade:h2\r\nCookie:s=;a\r\n",
            4,
        ),
    ] {
        for line in [
            "Cookie:a\r\n",
            "Upgrade:a\r\n",
            "X-Forwarded-For:\r\n",
            "X:\r\n",
        ] {
            let more = line.repeat(limits.headers_max - lines);
            let head = format!("{start}{more}\r\n");
            let request = Request::parse(head.as_bytes(), &limits).unwrap();
            let edits = RequestEdits {
                forwarded_for: Some(b"192.0.2.1"),
                strip_cookie: Some(b"s"),
            };
            let mut out = vec![0; head.len() + "192.0.2.1".len() + "s".len() + FORWARD_ROOM];
            let forward = forward_request(&request, &edits, &mut out);
            assert!(
                matches!(forward, Ok(Forward::Rewritten(_))),
                "{start}{line}: {forward:?}"
            );
        }
    }
}

fn ok(fields: &str) -> String {
    format!("HTTP/1.1 200 OK\r\n{fields}\r\n")
}

#[test]
fn most_responses_go_on_as_they_came() {
    let none = ResponseEdits::default();
    for head in [
        ok("Content-Length: 5\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n"),
        ok("Transfer-Encoding: chunked\r\nTrailer: x\r\n"),
        ok("Content-Length:0\r\nX: \t y\r\nConnection: keep-alive\r\n"),
        "HTTP/1.1 304\r\nContent-Length: 5\r\n\r\n".to_owned(),
        "HTTP/1.1 204 No Content\r\n\r\n".to_owned(),
        "HTTP/1.1 100 Continue\r\n\r\n".to_owned(),
        "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n".to_owned(),
        "HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n".to_owned(),
        "HTTP/1.1 426 X\r\nConnection: Upgrade\r\nUpgrade: TLS/1.2\r\nContent-Length: 0\r\n\r\n"
            .to_owned(),
    ] {
        assert_eq!(to_client(head.as_bytes(), &none), None, "{head}");
    }
    // What a client must be told is told already.
    let close = ResponseEdits {
        client_close: true,
        ..none
    };
    assert_eq!(
        to_client(ok("Connection: close\r\n").as_bytes(), &close),
        None
    );
    let old = ResponseEdits {
        client_version: Version::Http10,
        ..none
    };
    let head = ok("Content-Length: 1\r\nConnection: Keep-Alive\r\n");
    assert_eq!(to_client(head.as_bytes(), &old), None);
    let head = head.replace("1.1", "1.0");
    assert_eq!(to_client(head.as_bytes(), &old), None);
    // Interim responses are left alone by all edits.
    let all = ResponseEdits {
        client_close: true,
        client_version: Version::Http11,
        set_cookie: Some((b"s", b"1")),
    };
    for status in ["100 Continue", "103 Early Hints"] {
        let head = format!("HTTP/1.1 {status}\r\nX: y\r\n\r\n");
        assert_eq!(to_client(head.as_bytes(), &all), None);
    }
}

#[test]
fn fields_of_one_connection_are_dropped_from_responses() {
    let none = ResponseEdits::default();
    for (fields, expected) in [
        (
            "Content-Length: 5\r\nConnection: close\r\n",
            "Content-Length: 5\r\n",
        ),
        (
            "Keep-Alive: 5\r\nproxy-connection: a\r\nX: y\r\n",
            "X: y\r\n",
        ),
        (
            "Connection: x\r\nConnection: Y, z\r\nX: 1\r\ny: 2\r\nZ: 3\r\nA: 4\r\n",
            "A: 4\r\n",
        ),
        (
            "Connection: content-length\r\nContent-Length: 5\r\n",
            "Content-Length: 5\r\n",
        ),
        (
            "Connection: transfer-encoding\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: chunked\r\n",
        ),
        // This gateway may not pass on what a server offers.
        ("Upgrade: h2,h2c\r\nConnection: Upgrade\r\n", ""),
        ("Upgrade: websocket\r\n", ""),
    ] {
        turns_into(&ok(fields), &none, &ok(expected));
    }
    for (head, expected) in [
        // The statuses that allow neither (RFC 9110 §8.6, RFC 9112 §6.1).
        (
            "HTTP/1.1 204 X\r\nContent-Length: 0\r\nA: b\r\n\r\n",
            "HTTP/1.1 204 X\r\nA: b\r\n\r\n",
        ),
        (
            "HTTP/1.1 204\r\nTransfer-Encoding: chunked\r\n\r\n",
            "HTTP/1.1 204\r\n\r\n",
        ),
        (
            "HTTP/1.1 100 \r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 100 \r\n\r\n",
        ),
        (
            "HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: a\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: a\r\n\r\n",
        ),
        (
            "HTTP/1.1 426 X\r\nConnection: upgrade, x\r\nUpgrade: a\r\nX: y\r\n\r\n",
            "HTTP/1.1 426 X\r\nConnection: upgrade\r\nUpgrade: a\r\n\r\n",
        ),
    ] {
        turns_into(head, &none, expected);
    }
}

/// `TE` means something in requests only: in a response it is a field like any other.
#[test]
fn a_te_that_is_named_is_dropped_from_responses() {
    let head = ok("Connection: TE\r\nTE: x\r\nY: z\r\n");
    turns_into(&head, &ResponseEdits::default(), &ok("Y: z\r\n"));
}

/// A 426 must say what to upgrade to (RFC 9110 §15.5.22), even if the server forgot `Connection`.
#[test]
fn a_426_keeps_its_upgrade() {
    let head = b"HTTP/1.1 426 X\r\nUpgrade: TLS/1.2\r\nContent-Length: 0\r\nKeep-Alive: 5\r\n\r\n";
    let written = to_client(head, &ResponseEdits::default()).unwrap();
    let (_, fields) = lines(&written);
    assert_eq!(elements(&fields, "upgrade"), ["tls/1.2"]);
}

#[test]
fn clients_are_told_what_becomes_of_their_connections() {
    // Version of the server, its options, version of the client, whether that is to close; then
    // the version and the options that the client sees.
    for (server, options, client, close, version, expected) in [
        ("1.1", "", Version::Http11, true, "1.1", "close"),
        ("1.1", "keep-alive", Version::Http11, true, "1.1", "close"),
        (
            "1.1",
            "close, keep-alive",
            Version::Http11,
            true,
            "1.1",
            "close",
        ),
        ("1.1", "close", Version::Http11, false, "1.1", ""),
        ("1.1", "", Version::Http10, false, "1.1", "keep-alive"),
        ("1.1", "close", Version::Http10, false, "1.1", "keep-alive"),
        ("1.1", "", Version::Http10, true, "1.1", "close"),
        ("1.0", "", Version::Http11, false, "1.1", ""),
        ("1.0", "", Version::Http11, true, "1.1", "close"),
        ("1.0", "", Version::Http10, false, "1.0", "keep-alive"),
        ("1.0", "", Version::Http10, true, "1.0", "close"),
        ("1.0", "keep-alive", Version::Http10, true, "1.0", "close"),
    ] {
        let edits = ResponseEdits {
            client_close: close,
            client_version: client,
            set_cookie: None,
        };
        let field = |options: &str| match options {
            "" => String::new(),
            _ => format!("Connection: {options}\r\n"),
        };
        let head = |version: &str, options| {
            format!(
                "HTTP/{version} 200 OK\r\nContent-Length: 5\r\n{}\r\n",
                field(options)
            )
        };
        turns_into(&head(server, options), &edits, &head(version, expected));
    }
}

#[test]
fn a_cookie_is_set() {
    let edits = ResponseEdits {
        set_cookie: Some((b"name", b"val.ue")),
        ..ResponseEdits::default()
    };
    for fields in [
        "",
        "Set-Cookie: name=other\r\nSet-Cookie: a=b\r\n",
        "Connection: set-cookie\r\n",
    ] {
        let written = to_client(ok(fields).as_bytes(), &edits).unwrap();
        let (_, seen) = lines(&written);
        let mut cookies = seen
            .iter()
            .filter(|field| field.0 == "set-cookie")
            .map(|field| &field.1[..]);
        let made = cookies.next_back().unwrap();
        let mut parts = made.split("; ");
        assert_eq!(parts.next(), Some("name=val.ue"));
        // For all paths, not to be seen by scripts.
        let mut attributes: Vec<_> = parts.collect();
        attributes.sort_unstable();
        assert_eq!(attributes, ["HttpOnly", "Path=/"]);
        assert_eq!(cookies.count(), fields.matches("Set-Cookie:").count());
    }
}

#[test]
fn the_order_stays() {
    let fields = "B: 1\r\nA:2\r\nConnection: x\r\nb:  3 \r\nX: y\r\nCookie: c=4\r\nA: 5\r\n";
    let written = to_server(get(fields).as_bytes(), &RequestEdits::default()).unwrap();
    // As they were, to the byte.
    let kept = "Host: a\r\nB: 1\r\nA:2\r\nb:  3 \r\nCookie: c=4\r\nA: 5\r\n";
    assert!(text(&written).contains(kept), "{}", text(&written));
    let written = to_client(ok(fields).as_bytes(), &ResponseEdits::default()).unwrap();
    let kept = "B: 1\r\nA:2\r\nb:  3 \r\nCookie: c=4\r\nA: 5\r\n";
    assert!(text(&written).contains(kept), "{}", text(&written));
}
