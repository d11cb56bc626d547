// SPDX-License-Identifier: GPL-2.0

//! Whom a request is for: method, target, host.

use ktcpvs_core::http::{
    HeadError,
    HeadScanner,
    Kind,
    Limits,
    Method,
    Request,
    HOST_MAX, //
};
use proptest::prelude::*;

/// Reads `head` as a connection would: what is parsed is what the scanner found.
fn parse(head: &[u8]) -> Result<Request<'_>, HeadError> {
    let end = HeadScanner::new(Kind::Request).feed(head)?;
    let request = Request::parse(head, &Limits::default())?;
    assert_eq!(end, Some(head.len()), "{}", head.escape_ascii());
    Ok(request)
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn methods() {
    // The name, what it is, and whether it may be repeated (RFC 9110 §9.2.2).
    for (name, method, idempotent) in [
        ("GET", Method::Get, true),
        ("HEAD", Method::Head, true),
        ("POST", Method::Post, false),
        ("PUT", Method::Put, true),
        ("DELETE", Method::Delete, true),
        ("OPTIONS", Method::Options, true),
        ("TRACE", Method::Trace, true),
        ("PATCH", Method::Patch, false),
        // Upper and lower case differ.
        ("get", Method::Other, false),
        ("Head", Method::Other, false),
        ("GETX", Method::Other, false),
        ("PROPFIND", Method::Other, false),
    ] {
        let head = format!("{name} / HTTP/1.1\r\nHost: a\r\n\r\n");
        let request = parse(head.as_bytes()).unwrap();
        assert_eq!(request.method(), method);
        assert_eq!(Method::of(name.as_bytes()), method);
        assert_eq!(text(request.method_name()), name);
        assert_eq!(request.is_idempotent(), idempotent, "{name}");
        assert_eq!(request.is_head(), name == "HEAD");
    }
    assert_eq!(Method::of(b"CONNECT"), Method::Connect);
    assert!(!Method::Connect.is_idempotent());
}

#[test]
fn targets() {
    // Method, target, `Host`; then URL, path, query and host.
    for (method, target, field, url, path, query, host) in [
        ("GET", "/", "a", "/", "/", None, "a"),
        ("GET", "/b/c?d=e", "a", "/b/c?d=e", "/b/c", Some("d=e"), "a"),
        ("GET", "/?", "a", "/?", "/", Some(""), "a"),
        ("GET", "/b?c?d", "a", "/b?c?d", "/b", Some("c?d"), "a"),
        (
            "GET",
            "/?http://b/",
            "a",
            "/?http://b/",
            "/",
            Some("http://b/"),
            "a",
        ),
        // Nothing is decoded and no `..` resolved.
        (
            "GET",
            "/%2e%2E/../x",
            "a",
            "/%2e%2E/../x",
            "/%2e%2E/../x",
            None,
            "a",
        ),
        // What looks like an authority is part of a path (RFC 9112 §3.2.1).
        ("GET", "//b/c", "a", "//b/c", "//b/c", None, "a"),
        (
            "GET",
            "/http://b/",
            "a",
            "/http://b/",
            "/http://b/",
            None,
            "a",
        ),
        // What browsers send as it is.
        (
            "GET",
            "/|{}\"^`\\",
            "a",
            "/|{}\"^`\\",
            "/|{}\"^`\\",
            None,
            "a",
        ),
        ("OPTIONS", "*", "a", "*", "*", None, "a"),
        ("OPTIONS", "/b", "a", "/b", "/b", None, "a"),
        // Absolute targets (RFC 9112 §3.2.2).
        ("GET", "http://b/c?d", "b", "/c?d", "/c", Some("d"), "b"),
        ("GET", "http://b", "b", "/", "/", None, "b"),
        ("GET", "HtTpS://b/", "b", "/", "/", None, "b"),
        (
            "GET",
            "http://B.Example:80/c",
            "b.example",
            "/c",
            "/c",
            None,
            "B.Example",
        ),
        ("GET", "https://b:443/", "b", "/", "/", None, "b"),
        ("GET", "https://b/", "b:443", "/", "/", None, "b"),
        ("GET", "http://b:8080/", "b:8080", "/", "/", None, "b"),
        (
            "GET",
            "http://[::1]:81/c",
            "[::1]:81",
            "/c",
            "/c",
            None,
            "[::1]",
        ),
        ("GET", "http://b.//c", "b", "//c", "//c", None, "b"),
        // The server as a whole (RFC 9112 §3.2.4).
        ("OPTIONS", "http://b", "b", "*", "*", None, "b"),
        ("OPTIONS", "http://b/", "b", "/", "/", None, "b"),
    ] {
        let head = format!("{method} {target} HTTP/1.1\r\nHost: {field}\r\n\r\n");
        let request = parse(head.as_bytes()).expect(target);
        assert_eq!(text(request.target()), target);
        assert_eq!(text(request.url()), url, "{target}");
        assert_eq!(text(request.path()), path, "{target}");
        assert_eq!(request.query().map(text), query, "{target}");
        assert_eq!(text(request.host()), host, "{target}");
    }
}

#[test]
fn targets_that_are_refused() {
    for target in [
        "*",
        "a",
        "a/b",
        "a:80",
        "?a",
        "http:/a",
        "http:a",
        "http://",
        "http:///b",
        "http://:80/",
        "http://a?b",
        "http://u@a/",
        "http://u:p@a/",
        "http://a:b/",
        "http://a:65536/",
        "http://a\\@b/",
        "http://[::1/",
        "http://[1]:80/",
        "ws://a/",
        "file:///a",
        "/#",
        "/a#b?c",
        "/\u{e9}",
        "http://a/#b",
    ] {
        let head = format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n");
        let error = parse(head.as_bytes()).expect_err(target);
        assert_eq!(error, HeadError::BadTarget, "{target}");
    }
    let head = b"OPTIONS ** HTTP/1.1\r\nHost: a\r\n\r\n";
    assert_eq!(parse(head).unwrap_err(), HeadError::BadTarget);
    for target in ["a:443", "/", "http://a/"] {
        let head = format!("CONNECT {target} HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(parse(head.as_bytes()).unwrap_err(), HeadError::Connect);
    }
}

#[test]
fn hosts() {
    for (field, host, lower) in [
        ("a", "a", "a"),
        ("A.Example", "A.Example", "a.example"),
        ("a.example:8080", "a.example", "a.example"),
        ("a.example:", "a.example", "a.example"),
        ("a.example:65535", "a.example", "a.example"),
        ("A.example.", "A.example", "a.example"),
        ("a.example.:80", "a.example", "a.example"),
        (
            "a_b-c~d.xn--bcher-kva",
            "a_b-c~d.xn--bcher-kva",
            "a_b-c~d.xn--bcher-kva",
        ),
        ("127.0.0.1:80", "127.0.0.1", "127.0.0.1"),
        ("[::1]", "[::1]", "[::1]"),
        ("[2001:DB8::1]:443", "[2001:DB8::1]", "[2001:db8::1]"),
        ("[::ffff:1.2.3.4]", "[::ffff:1.2.3.4]", "[::ffff:1.2.3.4]"),
        ("a%2D%41:80", "a%2D%41", "a%2d%41"),
        // One that has no authority to name sends an empty one (RFC 9112 §3.2).
        ("", "", ""),
    ] {
        for (before, after) in [("", ""), (" ", " "), ("\t ", " \t")] {
            let head = format!("GET / HTTP/1.1\r\nX: y\r\nhOsT:{before}{field}{after}\r\n\r\n");
            let request = parse(head.as_bytes()).expect(field);
            assert_eq!(text(request.host()), host, "{field}");
            assert_eq!(
                text(request.host_lower(&mut [0; HOST_MAX])),
                lower,
                "{field}"
            );
        }
    }
    let longest = format!("GET / HTTP/1.1\r\nHost: {}\r\n\r\n", "A".repeat(HOST_MAX));
    let request = parse(longest.as_bytes()).unwrap();
    assert_eq!(request.host(), [b'A'; HOST_MAX]);
    assert_eq!(request.host_lower(&mut [0; HOST_MAX]), [b'a'; HOST_MAX]);
}

#[test]
fn hosts_that_are_refused() {
    let long = "a".repeat(HOST_MAX + 1);
    for field in [
        "a b",
        "a/b",
        "a@b",
        "u:p@b",
        "a:b",
        "a:65536",
        "a:99999999999",
        "a:80:80",
        "a:-1",
        "a:+1",
        "a:0x50",
        "::1",
        "[::1",
        "::1]",
        "[::1]x",
        "[::1]:x",
        "[]",
        "[g::1]",
        "[1]",
        // The colon of a port is none of an address.
        "[1]:80",
        "[1.2.3.4]:80",
        "[::1",
        "a#b",
        "a?b",
        "\"a\"",
        "<a>",
        "a\\b",
        "http://a",
        "a:80 ,b",
        "caf\u{e9}",
        "a\tb",
        "%",
        "%4",
        "a%zz",
        "a%4g",
        "a%41%",
        "a%:80",
        &long,
    ] {
        let head = format!("GET / HTTP/1.1\r\nHost: {field}\r\n\r\n");
        let error = parse(head.as_bytes()).expect_err(field);
        assert_eq!(error, HeadError::BadHost, "{field}");
    }
}

#[test]
fn which_host_counts() {
    // Target, version, fields, and what comes of it (RFC 9112 §3.2).
    for (target, version, fields, host) in [
        ("/", "1.1", "", Err(HeadError::NoHost)),
        ("http://a/", "1.1", "", Err(HeadError::NoHost)),
        ("/", "1.0", "", Ok("")),
        ("http://a/", "1.0", "", Ok("a")),
        ("/", "1.0", "Host: a\r\n", Ok("a")),
        (
            "/",
            "1.1",
            "Host: a\r\nHost: a\r\n",
            Err(HeadError::ManyHosts),
        ),
        (
            "/",
            "1.1",
            "Host: a\r\nX: y\r\nhost: b\r\n",
            Err(HeadError::ManyHosts),
        ),
        (
            "/",
            "1.1",
            "Host:\r\nHost: a\r\n",
            Err(HeadError::ManyHosts),
        ),
        (
            "/",
            "1.0",
            "Host: a\r\nHost: a\r\n",
            Err(HeadError::ManyHosts),
        ),
        ("http://a/", "1.1", "Host: A\r\n", Ok("a")),
        ("http://a/", "1.1", "Host: a.\r\n", Ok("a")),
        (
            "http://a/",
            "1.1",
            "Host: b\r\n",
            Err(HeadError::HostMismatch),
        ),
        (
            "http://a/",
            "1.0",
            "Host: b\r\n",
            Err(HeadError::HostMismatch),
        ),
        (
            "http://a/",
            "1.1",
            "Host:\r\n",
            Err(HeadError::HostMismatch),
        ),
        (
            "http://a/",
            "1.1",
            "Host: a:81\r\n",
            Err(HeadError::HostMismatch),
        ),
        (
            "http://a:81/",
            "1.1",
            "Host: a\r\n",
            Err(HeadError::HostMismatch),
        ),
        // The port that is meant is the scheme's.
        (
            "https://a/",
            "1.1",
            "Host: a:80\r\n",
            Err(HeadError::HostMismatch),
        ),
        (
            "http://a/",
            "1.1",
            "Host: a:443\r\n",
            Err(HeadError::HostMismatch),
        ),
        ("http://a/", "1.1", "Host: a b\r\n", Err(HeadError::BadHost)),
    ] {
        let head = format!("GET {target} HTTP/{version}\r\n{fields}\r\n");
        let request = parse(head.as_bytes());
        assert_eq!(request.map(|request| text(request.host())), host, "{head}");
    }
}

proptest! {
    /// Path and query are the URL, of whatever bytes it is made and wherever words end in it.
    #[test]
    fn urls_come_apart(path in "[!-~&&[^#?]]{0,40}", query in "(\\?[!-~&&[^#]]{0,40})?") {
        let url = format!("/{path}{query}");
        for target in [url.clone(), format!("http://a{url}")] {
            let head = format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n");
            let request = parse(head.as_bytes()).unwrap();
            prop_assert_eq!(text(request.target()), &target);
            prop_assert_eq!(text(request.url()), &url);
            prop_assert_eq!(text(request.path()), &url[..=path.len()]);
            prop_assert_eq!(request.query().map(text), query.get(1..));
        }
    }
}
