// SPDX-License-Identifier: GPL-2.0

//! Responses are read alike at once where they lie, in pieces, and by the reference.

use super::scan;
use crate::{
    input::{
        knobs,
        limits, //
    },
    reference, //
};
use ktcpvs_core::http::{
    Body,
    Framing,
    Kind,
    Limits,
    Recall,
    Response,
    Version, //
};

/// Reads any bytes as a response.
pub fn response(data: &[u8]) {
    let ([a, b, c, seed @ ..], bytes) = knobs::<11>(data);

    check(bytes, &limits([a, b, c]), u64::from_le_bytes(seed));
}

/// Reads `bytes` in all ways.
pub fn check(bytes: &[u8], limits: &Limits, seed: u64) {
    let expected = reference::response(bytes, limits);
    let prefix = Response::parse_prefix(bytes, limits);
    let text = bytes.escape_ascii();
    let told = |found: Option<(Response<'_>, usize)>| found.map(|found| format!("{found:?}"));

    match (&prefix, &expected) {
        (Some((response, len)), Some(expected)) => {
            assert_eq!(*len, expected.len, "{text}");
            same(response, expected);
        }
        (None, None) => {}
        (Some(_), None) => panic!("accepted: {text}"),
        (None, Some(_)) => panic!("refused: {text}"),
    }
    let mut recall = Recall::NOTHING;
    assert_eq!(told(recall.read(bytes, limits)), told(prefix));
    let known = recall.known(bytes, limits);
    assert_eq!(
        known.is_some(),
        prefix.is_some_and(|(_, len)| (32..=512).contains(&len))
    );
    if let Some(known) = known {
        assert_eq!(
            told(Some((recall.response(known), known.len()))),
            told(prefix)
        );
    }
    if let (Some(body), Some(expected)) = (recall.plain(), &expected) {
        assert_ne!(expected.framing, Framing::Close, "{text}");
        assert_eq!(*body, Body::new(expected.framing), "{text}");
        assert!(expected.persistent && expected.status >= 200, "{text}");
    }
    let scanned = scan::split(Kind::Response, bytes, seed).ok().flatten();
    let parsed = scanned.and_then(|len| Some((Response::parse(&bytes[..len], limits).ok()?, len)));

    assert_eq!(told(parsed), told(prefix));
    let all = prefix.is_some_and(|(_, len)| len == bytes.len());
    assert_eq!(Response::parse(bytes, limits).is_ok(), all);
}

/// That `response` says what is `expected`.
fn same(response: &Response<'_>, expected: &reference::Response<'_>) {
    let version = match expected.old {
        true => Version::Http10,
        false => Version::Http11,
    };
    let fields: Vec<_> = response
        .headers()
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_vec()))
        .collect();
    let known_end = expected.framing != Framing::Close;
    let goes_on = expected.persistent && expected.status != 101;

    assert_eq!(response.status(), expected.status);
    assert_eq!(response.is_interim(), expected.status < 200);
    assert_eq!(response.reason(), expected.reason);
    assert_eq!(response.version(), version);
    assert_eq!(response.framing(false), expected.framing);
    assert_eq!(response.framing(true), Framing::None);
    assert_eq!(response.persistent(), expected.persistent);
    assert_eq!(response.reusable(false), goes_on && known_end);
    assert_eq!(response.reusable(true), goes_on);
    assert_eq!(response.upgrade(), expected.upgrade);
    assert_eq!(fields, expected.fields);
}
