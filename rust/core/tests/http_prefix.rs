// SPDX-License-Identifier: GPL-2.0

//! The two ways to read a head, at once where it lies and by scanning first, agree.

use ktcpvs_core::http::{
    HeadScanner,
    Kind,
    Limits,
    Request,
    Response, //
};
use proptest::prelude::*;

const LIMITS: Limits = Limits {
    head_max: 300,
    target_max: 100,
    headers_max: 8,
};

/// The pieces that messages are put together from: what is right, and what is nearly so.
const PIECES: &[&str] = &[
    "GET / HTTP/1.1\r\n",
    "POST /a?b HTTP/1.1\r\n",
    "GET http://h/ HTTP/1.0\r\n",
    "HTTP/1.1 200 OK\r\n",
    "HTTP/1.0 204\r\n",
    "\r\n",
    "\n",
    "\r",
    " ",
    "\0",
    "Host: h\r\n",
    "host: other\r\n",
    "Content-Length: 3\r\n",
    "Content-Length: 1, 1\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Connection: keep-alive, x\r\n",
    "Cookie: a=b; c=d\r\n",
    "X-Some-Other-Header: and its\tvalue\r\n",
    "Server: nginx/1.26.3\r\n",
    "DATE:Sat, 21 Nov 2026 08:00:00 GMT\r\n",
    "if-modified-since: Sat, 21 Nov 2026 08:00:00 GMT \r\n",
    "Accept-Language: en, \u{e4}\u{f6}\u{fc};q=0.5\r\n",
    "Bad Name: 1\r\n",
    " folded\r\n",
    "Ünicode: 1\r\n",
    "body and what else follows",
];

/// A head's length, and how it was understood; `None` if it is wrong or not whole.
type Told = Option<(usize, String)>;

/// What both ways say of the head that `bytes` begin with.
fn both_ways(kind: Kind, bytes: &[u8]) -> (Told, Told) {
    let mut scanner = HeadScanner::new(kind);
    let scanned = scanner.feed(bytes).ok().flatten();
    let head = scanned.and_then(|len| bytes.get(..len));

    match kind {
        Kind::Request => (
            head.and_then(|head| Some((head.len(), told(&Request::parse(head, &LIMITS).ok()?)))),
            Request::parse_prefix(bytes, &LIMITS).map(|(request, len)| (len, told(&request))),
        ),
        Kind::Response => (
            head.and_then(|head| {
                let response = Response::parse(head, &LIMITS).ok()?;
                Some((head.len(), format!("{response:?}")))
            }),
            Response::parse_prefix(bytes, &LIMITS)
                .map(|(response, len)| (len, format!("{response:?}"))),
        ),
    }
}

/// All that is known of a request, its cookies one by one.
fn told(request: &Request<'_>) -> String {
    let cookies: Vec<_> = request.cookies().collect();
    let fields: Vec<_> = request.headers().collect();

    format!("{request:?} {cookies:?} {fields:?}")
}

/// A head that is right is found with what follows it, and not before it is whole.
#[test]
fn a_head_is_found_when_it_is_whole() {
    let request = b"\r\nGET /x HTTP/1.1\r\nHost: h\r\nCookie: a=1\r\nX: y\r\n\r\nGET / HTTP";
    let response = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabcd";

    for end in 0..=request.len() {
        let found = Request::parse_prefix(&request[..end], &LIMITS).map(|(_, len)| len);
        assert_eq!(found, (end >= 49).then_some(49), "{end}");
    }
    for end in 0..=response.len() {
        let found = Response::parse_prefix(&response[..end], &LIMITS).map(|(_, len)| len);
        assert_eq!(found, (end >= 38).then_some(38), "{end}");
    }
}

proptest! {
    #[test]
    fn both_ways_agree(
        response: bool,
        pieces in proptest::collection::vec(proptest::sample::select(PIECES), 0..14),
        cut in 0..400usize,
        change in proptest::option::of((0..300usize, any::<u8>())),
    ) {
        let mut bytes = pieces.concat().into_bytes();
        bytes.truncate(bytes.len().min(cut.max(1)));
        if let Some((at, byte)) = change {
            if let Some(place) = bytes.get_mut(at) {
                *place = byte;
            }
        }
        let kind = if response { Kind::Response } else { Kind::Request };
        let (scanned, at_once) = both_ways(kind, &bytes);
        prop_assert_eq!(scanned, at_once);
    }

    /// As above, of heads that are right but for one byte.
    #[test]
    fn both_ways_agree_on_near_misses(
        fields in proptest::collection::vec(proptest::sample::select(&PIECES[10..22]), 0..7),
        change in proptest::option::of((0..300usize, any::<u8>())),
    ) {
        for (kind, first) in [(Kind::Request, PIECES[0]), (Kind::Response, PIECES[3])] {
            let mut bytes = [first, &fields.concat(), "\r\nrest"].concat().into_bytes();
            if let Some((at, byte)) = change {
                if let Some(place) = bytes.get_mut(at) {
                    *place = byte;
                }
            }
            let (scanned, at_once) = both_ways(kind, &bytes);
            prop_assert_eq!(scanned, at_once);
        }
    }
}
