// SPDX-License-Identifier: GPL-2.0

//! What is true of every head that goes on, changed or as it came.

#[path = "http_forward/through.rs"]
mod through;

use ktcpvs_core::http::{
    Limits,
    Request,
    RequestEdits,
    Response,
    ResponseEdits,
    Version, //
};
use proptest::{
    collection::vec,
    prelude::*,
    sample::select, //
};
use through::{
    elements,
    lines,
    request,
    response,
    text,
    to_client,
    to_server, //
};

type Field = (String, String);

/// Fields that frame a message or say whom it is for.
const NEVER_DROPPED: [&str; 3] = ["host", "content-length", "transfer-encoding"];

/// `name` with some of its letters in the other case.
fn any_case(name: &'static str) -> impl Strategy<Value = String> {
    any::<u32>().prop_map(move |mask| {
        let flip = |(at, c): (usize, char)| match (mask >> (at % 32)) & 3 {
            3 if c.is_ascii_lowercase() => c.to_ascii_uppercase(),
            3 => c.to_ascii_lowercase(),
            _ => c,
        };
        name.chars().enumerate().map(flip).collect()
    })
}

/// A field `name` whose value is a list of some of `words`.
fn list(name: &'static str, words: &'static [&'static str]) -> BoxedStrategy<String> {
    let words = vec(select(words).prop_flat_map(any_case), 1..4);
    (
        any_case(name),
        words,
        select(&[",", ", ", " ,\t", ",,"][..]),
    )
        .prop_map(|(name, words, between)| format!("{name}:{}\r\n", words.join(between)))
        .boxed()
}

/// A field `name` whose value is one of `values`, with white space or without.
fn one(name: &'static str, values: &'static [&'static str]) -> BoxedStrategy<String> {
    (
        any_case(name),
        select(values),
        select(&["", " ", "\t "][..]),
    )
        .prop_map(|(name, value, space)| format!("{name}:{space}{value}{space}\r\n"))
        .boxed()
}

/// Fields that both kinds of heads may have.
fn common() -> Vec<BoxedStrategy<String>> {
    let named = &[
        "close",
        "keep-alive",
        "upgrade",
        "x-a",
        "x-b",
        "accept",
        "content-length",
        "host",
        "transfer-encoding",
        "cookie",
        "set-cookie",
        "x-forwarded-for",
        "proxy-connection",
    ];
    vec![
        list("connection", named),
        list("connection", &["close", "keep-alive"]),
        one("keep-alive", &["timeout=5", ""]),
        one("proxy-connection", &["close", "keep-alive"]),
        one("x-a", &["", "close", "\u{e9}"]),
        one("X-B", &["1", "2", "a: b"]),
        one("Accept", &["*/*"]),
        list("upgrade", &["websocket", "a/1", "h2c", "h2", "http/2.0"]),
    ]
}

/// A version, and `fields` without chunks if it has none.
fn versioned(old: bool, fields: &str) -> (&str, String) {
    match old {
        true => (
            "1.0",
            fields.replace("Transfer-Encoding: chunked", "X-Chunks: no"),
        ),
        false => ("1.1", fields.to_owned()),
    }
}

/// Requests that clients may send, reasonable or not.
fn any_request() -> impl Strategy<Value = String> {
    let mut fields = common();
    fields.extend([
        list("connection", &["te", "x-a", "keep-alive"]),
        list("connection", &["upgrade", "http2-settings"]),
        list("te", &["trailers", "gzip", "deflate;q=0.5"]),
        one("te", &["trailers"]),
        one(
            "cookie",
            &[
                "s=1",
                "a=1; s=2;b=3",
                "s=1;s=2",
                "S=1; ss=2",
                "x; s",
                ";;a=1;",
            ],
        ),
        one("x-forwarded-for", &["192.0.2.1", "b,c", ""]),
        one("expect", &["100-continue"]),
        one("http2-settings", &["A"]),
    ]);
    let target = select(
        &[
            ("GET", "/", "Host: a\r\n"),
            ("GET", "/b?c", "hOST:A:80\r\n"),
            ("HEAD", "//b/", "Host: a\r\n"),
            ("POST", "http://a/b?c", "Host: A\r\n"),
            ("GET", "http://A", "Host:a:80\r\n"),
            ("OPTIONS", "*", "Host: a\r\n"),
            ("OPTIONS", "HTTPS://a:443", "Host: a\r\n"),
            ("POST", "/", "Host: a\r\nContent-Length: 5\r\n"),
            ("PUT", "/b", "Host: a\r\nTransfer-Encoding: chunked\r\n"),
        ][..],
    );
    let fields = vec(prop::strategy::Union::new(fields), 0..7);
    (target, fields.clone(), fields, any::<bool>(), 0..3usize).prop_map(
        |((method, target, host), before, after, old, empty)| {
            let (version, host) = versioned(old, host);
            let (before, after) = (before.concat(), after.concat());
            let empty = "\r\n".repeat(empty);
            format!("{empty}{method} {target} HTTP/{version}\r\n{before}{host}{after}\r\n")
        },
    )
}

/// Responses that servers may send, reasonable or not.
fn any_response() -> impl Strategy<Value = String> {
    let mut fields = common();
    fields.extend([
        one("set-cookie", &["a=1; Path=/", "b=2"]),
        one("location", &["/b"]),
        list("connection", &["upgrade"]),
    ]);
    let status = select(
        &[
            "100", "101 X", "103 ", "200 OK", "204 X", "304", "404 a b", "426 X",
        ][..],
    );
    let framing = select(
        &[
            "",
            "",
            "Content-Length: 5\r\n",
            "Transfer-Encoding: chunked\r\n",
        ][..],
    );
    let fields = vec(prop::strategy::Union::new(fields), 0..7);
    (status, framing, fields.clone(), fields, any::<bool>()).prop_map(
        |(status, framing, before, after, old)| {
            let (version, framing) = versioned(old, framing);
            let (before, after) = (before.concat(), after.concat());
            format!("HTTP/{version} {status}\r\n{before}{framing}{after}\r\n")
        },
    )
}

/// The fields that have no rule of their own: all but those that are `special`. They go on as they
/// are and in their order, unless `Connection` names them.
fn ordinary<'f>(fields: &'f [Field], special: &[&str], named: &[String]) -> Vec<&'f Field> {
    let goes_on = |field: &&Field| {
        let never = NEVER_DROPPED.contains(&&field.0[..]);
        !special.contains(&&field.0[..]) && (never || !named.contains(&field.0))
    };
    fields.iter().filter(goes_on).collect()
}

/// The values of the fields named `name`.
fn values<'f>(fields: &'f [Field], name: &str) -> Vec<&'f str> {
    let named = fields.iter().filter(|field| field.0 == name);
    named.map(|field| &field.1[..]).collect()
}

/// The cookies of a request with those that have no `=`, but those named `but`.
fn cookies<'f>(fields: &'f [Field], but: Option<&str>) -> Vec<&'f str> {
    let cookies = values(fields, "cookie")
        .into_iter()
        .flat_map(|value| value.split(';'));
    let stays = |cookie: &&str| {
        let name = cookie.split_once('=').map(|(name, _)| name.trim());
        !cookie.is_empty() && (name.is_none() || name != but)
    };
    cookies.map(str::trim).filter(stays).collect()
}

fn is_http2(protocol: &str) -> bool {
    ["h2", "h2c", "http/2.0"].contains(&protocol)
}

proptest! {
    #[test]
    fn requests_go_on(
        head in any_request(),
        address in prop::option::of(select(&["192.0.2.1", "2001:db8::1"][..])),
        strip in prop::option::of(select(&["s", "a", "none"][..])),
    ) {
        prop_assume!(Request::parse(head.as_bytes(), &Limits::default()).is_ok());
        let edits = RequestEdits {
            forwarded_for: address.map(str::as_bytes),
            strip_cookie: strip.map(str::as_bytes),
        };
        let sent = to_server(head.as_bytes(), &edits).unwrap_or_else(|| head.clone().into());
        let (before, after) = (request(head.as_bytes()), request(&sent));
        let (_, fields) = lines(head.as_bytes());
        let (first, seen) = lines(&sent);
        let named = elements(&fields, "connection");
        let is_named = |name: &str| named.iter().any(|option| option == name);

        // Only a path or `*` goes to a server.
        prop_assert!(after.target() == after.url(), "{}", first);
        prop_assert_eq!(after.url(), before.url());
        prop_assert_eq!(after.host(), before.host());
        prop_assert_eq!(after.framing(), before.framing());
        prop_assert_eq!(after.upgrade(), before.upgrade());
        let old = before.version() == Version::Http10;
        prop_assert_eq!(after.persistent(), !old || before.persistent());

        let options = elements(&seen, "connection");
        let own = |option: &String| ["keep-alive", "upgrade", "te"].contains(&&option[..]);
        prop_assert!(options.iter().all(own), "{}", text(&sent));
        for hop in ["keep-alive", "proxy-connection"] {
            prop_assert!(values(&seen, hop).is_empty(), "{}", text(&sent));
        }

        let mut special = vec!["connection", "keep-alive", "proxy-connection", "upgrade", "te"];
        special.extend(["x-forwarded-for", "cookie"]);
        if before.target() != before.url() {
            // It comes from the target.
            special.push("host");
        }
        let expected = ordinary(&fields, &special, &named);
        prop_assert_eq!(ordinary(&seen, &special, &[]), expected, "{}", text(&sent));

        let mut protocols = elements(&fields, "upgrade");
        protocols.retain(|protocol| before.upgrade() && !is_http2(protocol));
        prop_assert_eq!(elements(&seen, "upgrade"), protocols);

        let mut codings = elements(&seen, "te");
        codings.dedup();
        let trailers = elements(&fields, "te").contains(&"trailers".to_owned());
        prop_assert_eq!(codings, &["trailers"][..usize::from(trailers)], "{}", text(&sent));

        let expected = if is_named("cookie") { vec![] } else { cookies(&fields, strip) };
        prop_assert_eq!(cookies(&seen, None), expected);

        let mut addresses = values(&fields, "x-forwarded-for");
        if is_named("x-forwarded-for") {
            addresses.clear();
        }
        if let Some(address) = address {
            addresses.retain(|value| !value.is_empty());
            addresses.push(address);
            let expected = addresses.join(", ");
            prop_assert_eq!(values(&seen, "x-forwarded-for"), [&expected[..]]);
        } else {
            prop_assert_eq!(values(&seen, "x-forwarded-for"), addresses);
        }
    }

    #[test]
    fn responses_go_on(
        head in any_response(),
        client_close in any::<bool>(),
        old in any::<bool>(),
        cookie in prop::option::of(Just((&b"s"[..], &b"1"[..]))),
    ) {
        prop_assume!(Response::parse(head.as_bytes(), &Limits::default()).is_ok());
        let edits = ResponseEdits {
            client_close,
            client_version: if old { Version::Http10 } else { Version::Http11 },
            set_cookie: cookie,
        };
        let sent = to_client(head.as_bytes(), &edits).unwrap_or_else(|| head.clone().into());
        let (before, after) = (response(head.as_bytes()), response(&sent));
        let (_, fields) = lines(head.as_bytes());
        let (_, seen) = lines(&sent);
        let named = elements(&fields, "connection");
        let last = before.status() >= 200;

        prop_assert_eq!(after.status(), before.status());
        prop_assert_eq!(after.reason(), before.reason());
        prop_assert_eq!(after.version(), before.version().max(edits.client_version));
        for is_head in [false, true] {
            prop_assert_eq!(after.framing(is_head), before.framing(is_head));
        }
        prop_assert_eq!(after.upgrade(), before.upgrade());

        let options = elements(&seen, "connection");
        let own = |option: &String| ["keep-alive", "upgrade", "close"].contains(&&option[..]);
        prop_assert!(options.iter().all(own), "{}", text(&sent));
        if last {
            prop_assert_eq!(after.persistent(), !client_close, "{}", text(&sent));
            let keep = options.contains(&"keep-alive".to_owned());
            // Nobody is told so who is not kept, and a client of HTTP/1.0 is told if it is.
            prop_assert!(!(keep && client_close));
            prop_assert!(keep || client_close || !old);
        }
        for hop in ["keep-alive", "proxy-connection"] {
            prop_assert!(values(&seen, hop).is_empty(), "{}", text(&sent));
        }

        let mut special = vec!["connection", "keep-alive", "proxy-connection", "upgrade"];
        if before.status() < 200 || before.status() == 204 {
            // The statuses that allow neither; a head that goes on as it came has neither.
            for framing in ["content-length", "transfer-encoding"] {
                prop_assert!(values(&seen, framing).is_empty(), "{}", text(&sent));
                special.push(framing);
            }
        }
        let expected = ordinary(&fields, &special, &named);
        let mut others = ordinary(&seen, &special, &[]);
        if let (true, Some(_)) = (last, cookie) {
            let made = others.iter().rposition(|field| field.0 == "set-cookie").unwrap();
            prop_assert_eq!(&others.remove(made).1, "s=1; Path=/; HttpOnly");
        }
        prop_assert_eq!(others, expected, "{}", text(&sent));

        // Where both halves of an upgrade are there.
        let both = before.version() == Version::Http11
            && named.contains(&"upgrade".to_owned())
            && !elements(&fields, "upgrade").is_empty();
        match before.status() {
            101 | 426 if both => {
                prop_assert_eq!(elements(&seen, "upgrade"), elements(&fields, "upgrade"));
                prop_assert!(options.contains(&"upgrade".to_owned()));
            }
            101 | 426 => {}
            _ => prop_assert!(values(&seen, "upgrade").is_empty(), "{}", text(&sent)),
        }
    }
}
