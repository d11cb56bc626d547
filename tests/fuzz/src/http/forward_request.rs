// SPDX-License-Identifier: GPL-2.0

//! What a server is sent is what the client asked, and nothing that was meant for this connection.

use crate::{
    input::knobs,
    reference::{
        cookies,
        elements,
        is_http2,
        request,
        values,
        Field,
        Request, //
    },
};
use ktcpvs_core::http::{
    self,
    Forward,
    Limits,
    NoRoom,
    RequestEdits,
    FORWARD_ROOM, //
};

/// What is written may have more fields than a client may send.
const LIMITS: Limits = Limits {
    head_max: usize::MAX,
    target_max: usize::MAX,
    headers_max: usize::MAX,
};

const ADDRESSES: [&[u8]; 2] = [b"192.0.2.1", b"2001:db8::1"];

/// Forwards any request.
pub fn forward_request(data: &[u8]) {
    let ([forwarded_for, which], head) = knobs::<2>(data);
    // With what is added it is still one that can be read.
    if head.len() > 65535 - 2 * FORWARD_ROOM {
        return;
    }
    let Ok(parsed) = http::Request::parse(head, &LIMITS) else {
        return;
    };
    let before = request(head, &LIMITS).expect("it was accepted");
    let named: Vec<_> = cookies(&before.fields).iter().map(|c| c.0).collect();
    let edits = RequestEdits {
        forwarded_for: ADDRESSES.get(usize::from(forwarded_for)).copied(),
        strip_cookie: named.get(usize::from(which)).copied(),
    };
    let room = head.len()
        + edits.forwarded_for.map_or(0, <[u8]>::len)
        + edits.strip_cookie.map_or(0, <[u8]>::len)
        + FORWARD_ROOM;
    let sent = written(room, |out| http::forward_request(&parsed, &edits, out));
    let sent = sent.unwrap_or_else(|| head[before.leading..].to_vec());
    let after = request(&sent, &LIMITS)
        .unwrap_or_else(|| panic!("{} became {}", head.escape_ascii(), sent.escape_ascii()));

    assert_eq!(after.len, sent.len());
    message(&before, &after);
    hop_by_hop(&before, &after);
    goes_on(&before, &after, &edits);
    // What is right to send is right to send on.
    let reparsed = http::Request::parse(&sent, &LIMITS).expect("it was accepted");
    let again = http::forward_request(&reparsed, &RequestEdits::default(), &mut []);
    assert_eq!(again, Ok(Forward::AsIs), "{}", sent.escape_ascii());
    put_in(&parsed, &before, head);
}

/// What `forward` writes to a buffer of `room` bytes, if it writes anything. It needs exactly as
/// much room as it says that it used.
pub fn written(
    room: usize,
    forward: impl Fn(&mut [u8]) -> Result<Forward, NoRoom>,
) -> Option<Vec<u8>> {
    let mut out = vec![0xaa; room];

    match forward(&mut out).expect("FORWARD_ROOM always has room") {
        Forward::AsIs => {
            assert!(out.iter().all(|byte| *byte == 0xaa));
            None
        }
        Forward::Rewritten(len) => {
            assert!(out[len..].iter().all(|byte| *byte == 0xaa));
            out.truncate(len);
            let mut exact = vec![0; len];
            assert_eq!(forward(&mut exact), Ok(Forward::Rewritten(len)));
            assert_eq!(exact, out);
            for less in [len - 1, len / 2, 0] {
                assert_eq!(forward(&mut exact[..less]), Err(NoRoom));
            }
            Some(out)
        }
    }
}

/// That it is the same message, in the form a server is sent.
fn message(before: &Request<'_>, after: &Request<'_>) {
    assert_eq!(after.leading, 0);
    assert_eq!(after.method, before.method);
    assert_eq!(after.target, before.url);
    assert_eq!(after.url, before.url);
    assert_eq!(after.host, before.host);
    assert_eq!(after.old, before.old);
    assert_eq!(after.framing, before.framing);
    assert_eq!(after.upgrade, before.upgrade);
    assert_eq!(after.persistent, !before.old || before.persistent);
}

/// That nothing is left that was meant for the client's connection.
fn hop_by_hop(before: &Request<'_>, after: &Request<'_>) {
    for option in elements(&after.fields, "connection") {
        assert!([&b"keep-alive"[..], b"upgrade", b"te"].contains(&&option[..]));
    }
    for hop in ["keep-alive", "proxy-connection"] {
        assert!(values(&after.fields, hop).is_empty());
    }
    let mut protocols = elements(&before.fields, "upgrade");
    protocols.retain(|protocol| before.upgrade && !is_http2(protocol));
    assert_eq!(elements(&after.fields, "upgrade"), protocols);

    let mut codings = elements(&after.fields, "te");
    codings.dedup();
    let trailers = elements(&before.fields, "te").contains(&b"trailers".to_vec());
    assert_eq!(codings, [b"trailers"][..usize::from(trailers)]);
}

/// That everything else is there, in its order and as it was, but what `Connection` names.
fn goes_on(before: &Request<'_>, after: &Request<'_>, edits: &RequestEdits<'_>) {
    let named = elements(&before.fields, "connection");
    let is_named = |name: &[u8]| named.iter().any(|option| option == name);
    let ordinary = |fields: &[Field], named: bool| -> Vec<Field> {
        let goes_on = |(name, _): &&Field| match &name[..] {
            b"connection" | b"keep-alive" | b"proxy-connection" | b"upgrade" | b"te"
            | b"x-forwarded-for" | b"cookie" => false,
            // It comes from the target.
            b"host" => before.target == before.url,
            b"content-length" | b"transfer-encoding" => true,
            name => !named || !is_named(name),
        };
        fields.iter().filter(goes_on).cloned().collect()
    };
    assert_eq!(
        ordinary(&after.fields, false),
        ordinary(&before.fields, true)
    );

    let mut expected = cookies(&before.fields);
    expected.retain(|cookie| !is_named(b"cookie") && Some(cookie.0) != edits.strip_cookie);
    assert_eq!(cookies(&after.fields), expected);

    let mut addresses = values(&before.fields, "x-forwarded-for");
    addresses.retain(|_| !is_named(b"x-forwarded-for"));
    match edits.forwarded_for {
        Some(address) => {
            addresses.retain(|value| !value.is_empty());
            addresses.push(address);
            let all = addresses.join(&b", "[..]);
            assert_eq!(values(&after.fields, "x-forwarded-for"), [all]);
        }
        None => assert_eq!(values(&after.fields, "x-forwarded-for"), addresses),
    }
}

/// That a line put in before the empty line says what a head written anew would say.
fn put_in(parsed: &http::Request<'_>, before: &Request<'_>, head: &[u8]) {
    let as_is = http::forward_request(parsed, &RequestEdits::default(), &mut []);
    if as_is != Ok(Forward::AsIs) || parsed.has_forwarded_for() {
        return;
    }
    let mut line = [0; 64];
    let len = http::forwarded_for_line(ADDRESSES[0], &mut line).expect("there is room");
    assert!(http::forwarded_for_line(ADDRESSES[0], &mut line[..len - 1]).is_err());
    let (lines, end) = head[before.leading..].split_at(head.len() - before.leading - 2);
    let sent = [lines, &line[..len], end].concat();
    let after = request(&sent, &LIMITS).expect("it is a request");
    let edits = RequestEdits {
        forwarded_for: Some(ADDRESSES[0]),
        ..RequestEdits::default()
    };

    message(before, &after);
    hop_by_hop(before, &after);
    goes_on(before, &after, &edits);
}
