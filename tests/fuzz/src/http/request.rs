// SPDX-License-Identifier: GPL-2.0

//! Requests are read alike at once where they lie, in pieces, and by the reference.

use super::scan;
use crate::{
    input::{
        knobs,
        limits, //
    },
    reference, //
};
use ktcpvs_core::http::{
    Kind,
    Limits,
    Method,
    Request,
    Version,
    HOST_MAX, //
};

/// Reads any bytes as a request.
pub fn request(data: &[u8]) {
    let ([a, b, c, seed @ ..], bytes) = knobs::<11>(data);

    check(bytes, &limits([a, b, c]), u64::from_le_bytes(seed));
}

/// Reads `bytes` in all ways.
pub fn check(bytes: &[u8], limits: &Limits, seed: u64) {
    let expected = reference::request(bytes, limits);
    let prefix = Request::parse_prefix(bytes, limits);
    let text = bytes.escape_ascii();

    match (&prefix, &expected) {
        (Some((request, len)), Some(expected)) => {
            assert_eq!(*len, expected.len, "{text}");
            same(request, expected, bytes);
        }
        (None, None) => {}
        (Some(_), None) => panic!("accepted: {text}"),
        (None, Some(_)) => panic!("refused: {text}"),
    }
    pieces(bytes, limits, seed, prefix);
}

/// That what is scanned in pieces first and then read is read as at once.
fn pieces(bytes: &[u8], limits: &Limits, seed: u64, prefix: Option<(Request<'_>, usize)>) {
    let whole = Request::parse(bytes, limits);
    let scanned = scan::split(Kind::Request, bytes, seed).ok().flatten();
    let parsed = scanned.and_then(|len| Some((Request::parse(&bytes[..len], limits).ok()?, len)));
    let told = |found: Option<(Request<'_>, usize)>| found.map(|found| format!("{found:?}"));

    assert_eq!(told(parsed), told(prefix));
    let all = prefix.is_some_and(|(_, len)| len == bytes.len());
    assert_eq!(whole.is_ok(), all, "{whole:?}");
    if let Err(error) = whole {
        assert!(matches!(error.status(), 400 | 414 | 431 | 501 | 505));
    }
    if prefix.is_some() {
        // What is allowed as a whole was allowed all the time.
        let within = scan::end(Kind::Request, bytes.chunks(1), Some(limits));
        assert_eq!(within, Ok(scanned));
    }
}

/// That `request`, with which `bytes` begin, says what is `expected`.
fn same(request: &Request<'_>, expected: &reference::Request<'_>, bytes: &[u8]) {
    let version = match expected.old {
        true => Version::Http10,
        false => Version::Http11,
    };
    let fields: Vec<_> = request
        .headers()
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_vec()))
        .collect();
    let cookies: Vec<_> = request.cookies().collect();
    let mut room = [0; HOST_MAX];
    let lower = expected.host.to_ascii_lowercase();

    assert_eq!(request.leading(), expected.leading);
    assert_eq!(request.method_name(), expected.method);
    assert_eq!(request.method(), Method::of(expected.method));
    assert_eq!(request.is_head(), expected.method == b"HEAD");
    assert_eq!(request.is_idempotent(), request.method().is_idempotent());
    assert_eq!(request.target(), expected.target);
    assert_eq!(request.version(), version);
    assert_eq!(request.host(), expected.host);
    assert_eq!(request.host_lower(&mut room), lower);
    assert_eq!(request.framing(), expected.framing);
    assert_eq!(request.persistent(), expected.persistent);
    assert_eq!(request.upgrade(), expected.upgrade);
    assert_eq!(fields, expected.fields);
    assert_eq!(cookies, reference::cookies(&expected.fields));
    urls(request, expected.url);

    let expects = reference::values(&expected.fields, "expect");
    let continues = expects
        .iter()
        .any(|value| value.eq_ignore_ascii_case(b"100-continue"));
    assert_eq!(request.expect_continue(), continues && !expected.old);
    let addresses = reference::values(&expected.fields, "x-forwarded-for");
    assert_eq!(request.has_forwarded_for(), !addresses.is_empty());
    // What was read lies where it was.
    let range = bytes.as_ptr_range();
    assert!(range.contains(&request.target().as_ptr()));
}

/// That path and query are the two sides of the first question mark.
fn urls(request: &Request<'_>, url: &[u8]) {
    let mut sides = url.splitn(2, |&byte| byte == b'?');

    assert_eq!(request.url(), url);
    assert_eq!(Some(request.path()), sides.next());
    assert_eq!(request.query(), sides.next());
}
