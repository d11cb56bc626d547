// SPDX-License-Identifier: GPL-2.0

//! What a client is sent is what the server answered, and nothing that was meant for this
//! connection.

use super::forward_request::written;
use crate::{
    input::knobs,
    reference::{
        elements,
        response,
        values,
        Field,
        Response, //
    },
};
use ktcpvs_core::http::{
    self,
    Forward,
    Limits,
    ResponseEdits,
    Version,
    FORWARD_ROOM, //
};

/// What is written may have more fields than a server may send.
const LIMITS: Limits = Limits {
    head_max: usize::MAX,
    target_max: usize::MAX,
    headers_max: usize::MAX,
};

const COOKIE: (&[u8], &[u8]) = (b"srv", b"0123456789abcdef");

/// Forwards any response.
pub fn forward_response(data: &[u8]) {
    let ([knobs], head) = knobs::<1>(data);
    // With what is added it is still one that can be read.
    if head.len() > 65535 - 2 * FORWARD_ROOM {
        return;
    }
    let Ok(parsed) = http::Response::parse(head, &LIMITS) else {
        return;
    };
    let before = response(head, &LIMITS).expect("it was accepted");
    let edits = ResponseEdits {
        client_close: knobs & 1 != 0,
        client_version: match knobs & 2 {
            0 => Version::Http11,
            _ => Version::Http10,
        },
        set_cookie: (knobs & 4 != 0).then_some(COOKIE),
    };
    let room = head.len() + COOKIE.0.len() + COOKIE.1.len() + FORWARD_ROOM;
    let sent = written(room, |out| http::forward_response(&parsed, &edits, out));
    let sent = sent.unwrap_or_else(|| head.to_vec());
    let after = response(&sent, &LIMITS)
        .unwrap_or_else(|| panic!("{} became {}", head.escape_ascii(), sent.escape_ascii()));

    assert_eq!(after.len, sent.len());
    message(&before, &after, &edits);
    connection(&before, &after, &edits);
    goes_on(&before, &after, &edits);
    let reparsed = http::Response::parse(&sent, &LIMITS).expect("it was accepted");
    let none = ResponseEdits {
        set_cookie: None,
        ..edits
    };
    let again = http::forward_response(&reparsed, &none, &mut []);
    assert_eq!(again, Ok(Forward::AsIs), "{}", sent.escape_ascii());
    put_in(&parsed, &before, &none, head);
}

/// That it is the same message.
fn message(before: &Response<'_>, after: &Response<'_>, edits: &ResponseEdits<'_>) {
    assert_eq!(after.status, before.status);
    assert_eq!(after.reason, before.reason);
    assert_eq!(after.framing, before.framing);
    assert_eq!(after.upgrade, before.upgrade);
    let old = before.old && edits.client_version == Version::Http10;
    assert_eq!(after.old, old);
}

/// That nothing is left that was meant for the server's connection, and the client is told what
/// becomes of its own.
fn connection(before: &Response<'_>, after: &Response<'_>, edits: &ResponseEdits<'_>) {
    let options = elements(&after.fields, "connection");
    let has = |option: &str| options.iter().any(|other| other == option.as_bytes());
    let own = ["keep-alive", "upgrade", "close"];

    assert_eq!(own.iter().filter(|option| has(option)).count(), {
        let mut options = options.clone();
        options.sort();
        options.dedup();
        options.len()
    });
    for hop in ["keep-alive", "proxy-connection"] {
        assert!(values(&after.fields, hop).is_empty());
    }
    if before.status >= 200 {
        assert_eq!(after.persistent, !edits.client_close);
        assert_eq!(has("close"), edits.client_close);
        assert!(!(has("keep-alive") && edits.client_close));
        let old = edits.client_version == Version::Http10;
        assert!(has("keep-alive") || edits.client_close || !old);
    }
    if !matches!(before.status, 101 | 426) {
        assert!(values(&after.fields, "upgrade").is_empty());
    } else if before.upgrade {
        let protocols = elements(&before.fields, "upgrade");
        assert_eq!(elements(&after.fields, "upgrade"), protocols);
    }
}

/// That everything else is there, in its order and as it was, but what `Connection` names.
fn goes_on(before: &Response<'_>, after: &Response<'_>, edits: &ResponseEdits<'_>) {
    let named = elements(&before.fields, "connection");
    let contentless = before.status < 200 || before.status == 204;
    let goes_on = |(name, _): &&Field| match &name[..] {
        b"connection" | b"keep-alive" | b"proxy-connection" | b"upgrade" => false,
        b"content-length" | b"transfer-encoding" => !contentless,
        name => !named.iter().any(|option| option == name),
    };
    let mut expected: Vec<_> = before.fields.iter().filter(goes_on).cloned().collect();
    let mut seen = after.fields.clone();

    seen.retain(|(name, _)| !matches!(&name[..], b"connection" | b"upgrade"));
    if let (Some((name, value)), true) = (edits.set_cookie, before.status >= 200) {
        let value = [name, b"=", value, b"; Path=/; HttpOnly"].concat();
        expected.push((b"set-cookie".to_vec(), value));
    }
    assert_eq!(seen, expected);
}

/// That a line put in before the empty line says what a head written anew would say.
fn put_in(
    parsed: &http::Response<'_>,
    before: &Response<'_>,
    none: &ResponseEdits<'_>,
    head: &[u8],
) {
    if http::forward_response(parsed, none, &mut []) != Ok(Forward::AsIs) || before.status < 200 {
        return;
    }
    let mut line = [0; 64];
    let len = http::set_cookie_line(COOKIE.0, COOKIE.1, &mut line).expect("there is room");
    assert!(http::set_cookie_line(COOKIE.0, COOKIE.1, &mut line[..len - 1]).is_err());
    let (lines, end) = head.split_at(head.len() - 2);
    let sent = [lines, &line[..len], end].concat();
    let after = response(&sent, &LIMITS).expect("it is a response");
    let edits = ResponseEdits {
        set_cookie: Some(COOKIE),
        ..*none
    };

    message(before, &after, &edits);
    connection(before, &after, &edits);
    goes_on(before, &after, &edits);
}
