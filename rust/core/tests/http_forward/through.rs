// SPDX-License-Identifier: GPL-2.0

//! Heads on their way through the gateway, and what is true of each of them.

use ktcpvs_core::http::{
    forward_request,
    forward_response,
    Forward,
    Limits,
    NoRoom,
    Request,
    RequestEdits,
    Response,
    ResponseEdits,
    FORWARD_ROOM, //
};

/// What a buffer has in it that nothing was written to.
const UNTOUCHED: u8 = 0xaa;

/// What is written may have more fields than a client may send.
const LIMITS: Limits = Limits {
    head_max: 1 << 20,
    target_max: 1 << 20,
    headers_max: 1 << 20,
};

pub fn request(head: &[u8]) -> Request<'_> {
    Request::parse(head, &LIMITS).unwrap_or_else(|e| panic!("{}: {e:?}", head.escape_ascii()))
}

pub fn response(head: &[u8]) -> Response<'_> {
    Response::parse(head, &LIMITS).unwrap_or_else(|e| panic!("{}: {e:?}", head.escape_ascii()))
}

/// What `forward` writes to a buffer of `room` bytes, if it writes anything. It needs neither less
/// room than it says that it used, nor more.
fn rewritten(
    room: usize,
    forward: impl Fn(&mut [u8]) -> Result<Forward, NoRoom>,
) -> Option<Vec<u8>> {
    let mut out = vec![UNTOUCHED; room];
    match forward(&mut out).expect("FORWARD_ROOM always has room") {
        Forward::AsIs => {
            assert!(out.iter().all(|byte| *byte == UNTOUCHED));
            assert_eq!(forward(&mut []), Ok(Forward::AsIs));
            None
        }
        Forward::Rewritten(len) => {
            assert!(out[len..].iter().all(|byte| *byte == UNTOUCHED));
            out.truncate(len);
            let mut exact = vec![UNTOUCHED; len];
            assert_eq!(forward(&mut exact), Ok(Forward::Rewritten(len)));
            assert_eq!(exact, out);
            for less in 0..len {
                assert_eq!(forward(&mut exact[..less]), Err(NoRoom));
            }
            Some(out)
        }
    }
}

/// The head that a server is sent for the request `head`, if that is another one.
pub fn to_server(head: &[u8], edits: &RequestEdits<'_>) -> Option<Vec<u8>> {
    let before = request(head);
    let strings = [edits.forwarded_for, edits.strip_cookie];
    let strings: usize = strings.iter().flatten().map(|string| string.len()).sum();
    let out = rewritten(head.len() + strings + FORWARD_ROOM, |out| {
        forward_request(&before, edits, out)
    })?;

    let after = request(&out);
    let text = out.escape_ascii();
    assert_eq!(after.leading(), 0, "{text}");
    assert_eq!(after.method_name(), before.method_name(), "{text}");
    assert_eq!(after.target(), before.url(), "{text}");
    assert_eq!(after.url(), before.url(), "{text}");
    assert_eq!(after.host(), before.host(), "{text}");
    assert_eq!(after.version(), before.version(), "{text}");
    assert_eq!(after.framing(), before.framing(), "{text}");
    assert_eq!(after.upgrade(), before.upgrade(), "{text}");
    // What is right to send is right to send on.
    let again = forward_request(&after, &RequestEdits::default(), &mut []);
    assert_eq!(again, Ok(Forward::AsIs), "{text}");
    Some(out)
}

/// The head that a client is sent for the response `head`, if that is another one.
pub fn to_client(head: &[u8], edits: &ResponseEdits<'_>) -> Option<Vec<u8>> {
    let before = response(head);
    let strings = edits
        .set_cookie
        .map_or(0, |(name, value)| name.len() + value.len());
    let out = rewritten(head.len() + strings + FORWARD_ROOM, |out| {
        forward_response(&before, edits, out)
    })?;

    let after = response(&out);
    let text = out.escape_ascii();
    assert_eq!(after.status(), before.status(), "{text}");
    assert_eq!(after.reason(), before.reason(), "{text}");
    assert_eq!(
        after.version(),
        before.version().max(edits.client_version),
        "{text}"
    );
    assert_eq!(after.framing(false), before.framing(false), "{text}");
    assert_eq!(after.framing(true), before.framing(true), "{text}");
    assert_eq!(after.upgrade(), before.upgrade(), "{text}");
    let none = ResponseEdits {
        set_cookie: None,
        ..*edits
    };
    let again = forward_response(&after, &none, &mut []);
    assert_eq!(again, Ok(Forward::AsIs), "{text}");
    Some(out)
}

pub fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// The elements of the fields named `name`, which is in lower case, in lower case.
pub fn elements<'f>(
    fields: impl IntoIterator<Item = &'f (String, String)>,
    name: &str,
) -> Vec<String> {
    let named = fields.into_iter().filter(|field| field.0 == name);
    let elements = named.flat_map(|field| field.1.split(','));
    let elements = elements.map(|element| element.trim().to_ascii_lowercase());
    elements.filter(|element| !element.is_empty()).collect()
}

/// The first line of `head`, and its fields: names in lower case, and values.
pub fn lines(head: &[u8]) -> (&str, Vec<(String, String)>) {
    let head = text(head).trim_start_matches("\r\n");
    let (first, fields) = head.split_once("\r\n").unwrap();
    let field = |line: &str| {
        let (name, value) = line.split_once(':').unwrap();
        (name.to_ascii_lowercase(), value.trim().to_owned())
    };
    let fields = fields
        .strip_suffix("\r\n")
        .unwrap()
        .split_terminator("\r\n");
    (first, fields.map(field).collect())
}
