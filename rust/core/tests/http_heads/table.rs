// SPDX-License-Identifier: GPL-2.0

//! Heads that are good, and heads that are not.

use ktcpvs_core::http::{
    HeadError::{
        self,
        *, //
    },
    Kind,
    Limits, //
};

/// Requests that RFC 9110 and RFC 9112 allow.
const GOOD_REQUESTS: &[&[u8]] = &[
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET / HTTP/1.0\r\n\r\n",
    b"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET http://a.example/x?y HTTP/1.1\r\nHost: a.example\r\n\r\n",
    b"UPDATEREDIRECTREF /r HTTP/1.1\r\nHost: a\r\n\r\n",
    b"!#$%&'*+-.^_`|~ / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\n!#$%&'*+-.^_`|~09Az: v\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost:\r\nEmpty:\r\nBlank: \t \r\n\r\n",
    b"GET / HTTP/1.1\r\nhOST:\ta \t\r\nTabs: a\tb\r\nLatin: caf\xe9 \xff\x80\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nColons: :::: a:b\r\n\r\n",
    b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n",
    b"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: [::1]:8080\r\nConnection: keep-alive, x\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nCookie: a=1; b=2\r\nUpgrade: websocket\r\n\r\n",
];

/// Responses that they allow, and one without the space behind its status.
const GOOD_RESPONSES: &[&[u8]] = &[
    b"HTTP/1.1 200 OK\r\n\r\n",
    b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n",
    b"HTTP/1.1 200 \r\nContent-Length: 3\r\n\r\n",
    b"HTTP/1.1 204\r\n\r\n",
    b"HTTP/1.1 404 N\tot \xe9 Found:  x\r\nA:\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.1 999 ?\r\nTransfer-Encoding: chunked\r\nTrailer: x\r\n\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
];

/// A fault, and heads that have it. Where two faults can be seen in the bytes, both are listed.
type Refused = (&'static [HeadError], &'static [&'static [u8]]);

/// Requests that are refused.
const BAD_REQUESTS: &[Refused] = &[
    (
        &[ControlByte],
        &[
            b"GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\nX: \x7f\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\nX: a\x0b\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\nX:\x1b[m\r\n\r\n",
        ],
    ),
    (
        &[ControlByte, BadTarget],
        &[b"GET /\x08 HTTP/1.1\r\nHost: a\r\n\r\n"],
    ),
    (
        &[BareLineEnd],
        &[
            b"GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\n\rX: b\r\n\r\n",
        ],
    ),
    (
        &[BareLineEnd, BadFieldName],
        &[b"GET / HTTP/1.1\r\nHost: a\r\n\n"],
    ),
    (
        &[BareLineEnd, BadStartLine],
        &[
            b"GET / HTTP/1.1\nHost: a\n\n",
            b"GET / HTTP/1.1\r\rHost: a\r\n\r\n",
            b"\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
            b"\rGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        ],
    ),
    (
        &[EmptyLines],
        &[b"\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"],
    ),
    (
        &[BadStartLine],
        &[
            b"/ HTTP/1.1\r\nHost: a\r\n\r\n",
            b" GET / HTTP/1.1\r\nHost: a\r\n\r\n",
            b"GE(T / HTTP/1.1\r\nHost: a\r\n\r\n",
            b"G\xc9T / HTTP/1.1\r\nHost: a\r\n\r\n",
            b"GET\r\nHost: a\r\n\r\n",
            b"GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n",
            b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
            b"GET /\r\nHost: a\r\n\r\n",
            b"GET / \r\nHost: a\r\n\r\n",
            b"GET /  HTTP/1.1\r\nHost: a\r\n\r\n",
            b"GET / x HTTP/1.1\r\nHost: a\r\n\r\n",
            b"GET / HTTP/1.1 \r\nHost: a\r\n\r\n",
            b"GET / http/1.1\r\nHost: a\r\n\r\n",
            b"GET / HTTP/1.10\r\nHost: a\r\n\r\n",
            b"GET / HTTP/1,1\r\nHost: a\r\n\r\n",
            b"GET / HTTP/1.x\r\nHost: a\r\n\r\n",
            b"GET / HTTP/x.1\r\nHost: a\r\n\r\n",
            b"GET / HTTP/:.1\r\nHost: a\r\n\r\n",
            b"HTTP/1.1 200 OK\r\n\r\n",
        ],
    ),
    (
        &[Version],
        &[
            b"GET / HTTP/2.0\r\nHost: a\r\n\r\n",
            b"GET / HTTP/1.2\r\nHost: a\r\n\r\n",
            b"GET / HTTP/0.9\r\nHost: a\r\n\r\n",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        ],
    ),
    (
        &[Connect],
        &[b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n"],
    ),
    (
        &[BadTarget],
        &[
            b"GET * HTTP/1.1\r\nHost: a\r\n\r\n",
            b"GET a HTTP/1.1\r\nHost: a\r\n\r\n",
            b"GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
            b"GET /#x HTTP/1.1\r\nHost: a\r\n\r\n",
            b"GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n",
        ],
    ),
    (
        &[BadFieldName],
        &[
            b"GET / HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\nX Y: z\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost\t: a\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\nX\xff: z\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\n\"X\": z\r\n\r\n",
        ],
    ),
    (
        &[BadFieldName, ControlByte],
        &[b"GET / HTTP/1.1\r\nHost: a\r\n\0: z\r\n\r\n"],
    ),
    (
        &[Folded],
        &[
            b"GET / HTTP/1.1\r\n Host: a\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n\tz\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\n \r\n\r\n",
        ],
    ),
    (&[NoHost], &[b"GET / HTTP/1.1\r\n\r\n"]),
    (
        &[ManyHosts],
        &[b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"],
    ),
    (&[BadHost], &[b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n"]),
    (
        &[HostMismatch],
        &[b"GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n"],
    ),
    (
        &[BadLength],
        &[b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\n"],
    ),
    (
        &[ManyLengths],
        &[b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n"],
    ),
    (
        &[LengthAndCoding],
        &[b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\
            Transfer-Encoding: chunked\r\n\r\n"],
    ),
    (
        &[BadCoding],
        &[b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n"],
    ),
    (
        &[UnknownCoding],
        &[b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"],
    ),
    (
        &[CodingInOld],
        &[b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"],
    ),
];

/// Responses that are refused.
const BAD_RESPONSES: &[Refused] = &[
    (
        &[BadStartLine],
        &[
            b"\r\nHTTP/1.1 200 OK\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
            b"ICY 200 OK\r\n\r\n",
            b"HTTP/1.1  200 OK\r\n\r\n",
            b"HTTP/1.1 20 OK\r\n\r\n",
            b"HTTP/1.1 2000\r\n\r\n",
            b"HTTP/2 200\r\n\r\n",
        ],
    ),
    (&[Version], &[b"HTTP/2.0 200 OK\r\n\r\n"]),
    (&[ControlByte], &[b"HTTP/1.1 200 O\0K\r\n\r\n"]),
    (
        &[BareLineEnd],
        &[
            b"HTTP/1.1 200 OK\nA: b\n\n",
            b"HTTP/1.1 200 OK\r\nA: b\rC: d\r\n\r\n",
        ],
    ),
    (&[Folded], &[b"HTTP/1.1 200 OK\r\n A: b\r\n\r\n"]),
    (&[BadFieldName], &[b"HTTP/1.1 200 OK\r\nA : b\r\n\r\n"]),
    (
        &[BadLength],
        &[b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"],
    ),
    (
        &[ManyLengths],
        &[b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"],
    ),
    (
        &[LengthAndCoding],
        &[b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n"],
    ),
    (
        &[CodingInOld],
        &[b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"],
    ),
];

/// The status that each fault is answered with: 414 (RFC 9112 §3), 431 (RFC 6585 §5), 501
/// (RFC 9112 §3, §6.1; RFC 9110 §9.1) and 505 (RFC 9110 §15.6.6) where these ask for them.
///
/// It has no arm for the others, so that a fault that is new must be thought about.
pub fn status(error: HeadError) -> u16 {
    match error {
        TargetTooLong => 414,
        TooLarge | TooManyFields => 431,
        MethodTooLong | Connect | UnknownCoding => 501,
        Version => 505,
        ControlByte | BareLineEnd | NotOneHead | EmptyLines | BadStartLine | BadTarget
        | BadFieldName | Folded | NoHost | ManyHosts | BadHost | HostMismatch | BadLength
        | ManyLengths | LengthAndCoding | BadCoding | CodingInOld | BadConnection => 400,
    }
}

/// How many faults [`status`] knows.
pub const FAULTS: usize = 25;

/// Requests that are refused for what they have too much of.
pub fn excessive_requests() -> Vec<(Vec<u8>, HeadError)> {
    let host = "Host: a\r\n\r\n";
    let limits = Limits::default();
    let text = [
        (
            format!("{} / HTTP/1.1\r\n{host}", "M".repeat(64)),
            MethodTooLong,
        ),
        (
            format!("GET /{} HTTP/1.1\r\n{host}", "t".repeat(limits.target_max)),
            TargetTooLong,
        ),
        (
            format!(
                "GET / HTTP/1.1\r\nX: {}\r\n{host}",
                "x".repeat(limits.head_max)
            ),
            TooLarge,
        ),
        (
            format!(
                "GET / HTTP/1.1\r\n{}{host}",
                "X:\r\n".repeat(limits.headers_max)
            ),
            TooManyFields,
        ),
        (
            format!("GET / HTTP/1.1\r\n{}{host}", "Connection: x\r\n".repeat(90)),
            BadConnection,
        ),
        (
            format!(
                "GET / HTTP/1.1\r\nConnection: {}\r\n{host}",
                "x,".repeat(4000)
            ),
            BadConnection,
        ),
        (
            format!("GET / HTTP/1.1\r\n{host}GET / HTTP/1.1\r\n{host}"),
            NotOneHead,
        ),
        (format!("GET / HTTP/1.1\r\n{host}x"), NotOneHead),
    ];
    let bytes = |(head, error): (String, HeadError)| (head.into_bytes(), error);
    text.into_iter().map(bytes).collect()
}

/// The requests and responses of the tables that are good.
pub fn good_heads() -> impl Iterator<Item = (Kind, &'static [u8])> {
    let requests = GOOD_REQUESTS.iter().map(|head| (Kind::Request, *head));
    requests.chain(GOOD_RESPONSES.iter().map(|head| (Kind::Response, *head)))
}

/// Those that are bad, and what may be said of them.
pub fn bad_heads() -> impl Iterator<Item = (Kind, &'static [u8], &'static [HeadError])> {
    let requests = BAD_REQUESTS.iter().map(|group| (Kind::Request, group));
    let responses = BAD_RESPONSES.iter().map(|group| (Kind::Response, group));
    requests
        .chain(responses)
        .flat_map(|(kind, (errors, heads))| heads.iter().map(move |head| (kind, *head, *errors)))
}
