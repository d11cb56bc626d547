// SPDX-License-Identifier: GPL-2.0

//! Cookies: found, and taken out.

use crate::{
    input::knobs,
    reference, //
};
use ktcpvs_core::http::{
    forward_request,
    Forward,
    Limits,
    Request,
    RequestEdits,
    FORWARD_ROOM, //
};

/// Reads any values of `Cookie`, one a line, and takes one of their cookies out.
pub fn cookies(data: &[u8]) {
    let ([which, other], text) = knobs::<2>(data);
    let mut head = b"GET / HTTP/1.1\r\nHost: a\r\n".to_vec();

    for value in text.split(|&byte| byte == b'\n') {
        let name: &[u8] = if other & 1 == 0 {
            b"Cookie:"
        } else {
            b"cookie: "
        };
        head.extend([name, value, b"\r\nX: y\r\n"].concat());
    }
    head.extend(b"\r\n");
    let Ok(request) = Request::parse(&head, &Limits::default()) else {
        return;
    };
    let fields: Vec<_> = request
        .headers()
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_vec()))
        .collect();
    let all = reference::cookies(&fields);

    assert!(request.cookies().eq(all.iter().copied()));
    let name = all.get(usize::from(which)).map_or(&b"none"[..], |c| c.0);
    let values = all.iter().filter(|c| c.0 == name).map(|c| c.1);
    assert!(request.cookie(name).eq(values));
    strip(&request, &all, name);
}

/// That no other cookie than those named `name` is taken out of `request`, which has `all`.
fn strip(request: &Request<'_>, all: &[(&[u8], &[u8])], name: &[u8]) {
    let edits = RequestEdits {
        strip_cookie: Some(name),
        ..RequestEdits::default()
    };
    let mut out = vec![0; 1 << 16];
    let left: Vec<_> = all.iter().filter(|c| c.0 != name).copied().collect();
    let limits = Limits {
        head_max: usize::MAX,
        ..Limits::default()
    };

    match forward_request(request, &edits, &mut out).expect("there is room") {
        Forward::AsIs => assert_eq!(left.len(), all.len()),
        Forward::Rewritten(len) => {
            let after = Request::parse(&out[..len], &limits).expect("it is a request");

            assert_ne!(left.len(), all.len());
            assert!(after.cookies().eq(left));
            assert_eq!(after.header(b"x").count(), request.header(b"x").count());
            assert!(len < FORWARD_ROOM + request.headers().count() + (1 << 16));
            let again = forward_request(&after, &edits, &mut []);
            assert_eq!(again, Ok(Forward::AsIs));
        }
    }
}
