// SPDX-License-Identifier: GPL-2.0

//! How contents end: all heads with up to three of the field lines below, against a plain reading of
//! RFC 9112 §6 and of what is refused beyond it ([`HeadError`]).

use ktcpvs_core::http::{
    Framing,
    HeadError,
    Limits,
    Request,
    Response, //
};

/// Field lines that say something about a message's end, or seem to.
const LINES: &[&str] = &[
    "Content-Length: 0",
    "Content-Length: 5",
    "content-LENGTH:\t05 ",
    "Content-Length: 18446744073709551615",
    "Content-Length: 18446744073709551616",
    "Content-Length:",
    "Content-Length: +5",
    "Content-Length: 5 5",
    "Content-Length: 5,5",
    "Content-Length: 5, 6",
    "Transfer-Encoding: chunked",
    "transfer-ENCODING:Chunked\t",
    "Transfer-Encoding:",
    "Transfer-Encoding: identity",
    "Transfer-Encoding: xchunked",
    "Transfer-Encoding: gzip, chunked",
    "Transfer-Encoding: chunked, gzip",
    "Transfer-Encoding: chunked,chunked",
    "Transfer-Encoding: chunked;a=b",
    "X-Content-Length: 6",
    "Content-Encoding: chunked",
    "Connection: content-length, transfer-encoding, close",
];

/// What the field lines of a message with an `old` version say about its end, if anything, or all
/// that is wrong with them: which fault is told of where there are several is left open.
fn plain(lines: &[&str], old: bool) -> Result<Option<Framing>, Vec<HeadError>> {
    let values = |name: &str| -> Vec<&str> {
        let fields = lines.iter().map(|line| line.split_once(':').unwrap());
        let named = fields.filter(|field| field.0.eq_ignore_ascii_case(name));

        named.map(|field| field.1.trim()).collect()
    };
    let lengths = values("Content-Length");
    let codings = values("Transfer-Encoding");
    let mut faults = Vec::new();
    let mut framing = None;

    for length in &lengths {
        // 1*DIGIT (RFC 9110 §8.6).
        if length.is_empty() || !length.bytes().all(|byte| byte.is_ascii_digit()) {
            faults.push(HeadError::BadLength);
        } else {
            match length.parse() {
                Ok(length) => framing = Some(Framing::Length(length)),
                Err(_) => faults.push(HeadError::BadLength),
            }
        }
    }
    if lengths.len() > 1 {
        faults.push(HeadError::ManyLengths);
    }
    for coding in &codings {
        let all: Vec<_> = coding.split(',').map(str::trim).collect();
        let is_chunked = |coding: &&str| coding.eq_ignore_ascii_case("chunked");

        // It is the last one, and only that.
        if all.iter().position(is_chunked) != Some(all.len() - 1) || all.contains(&"") {
            faults.push(HeadError::BadCoding);
        } else if all.len() > 1 {
            faults.push(HeadError::UnknownCoding);
        }
        framing = Some(Framing::Chunked);
    }
    if codings.len() > 1 {
        faults.push(HeadError::BadCoding);
    }
    if !codings.is_empty() && old {
        faults.push(HeadError::CodingInOld);
    }
    if !codings.is_empty() && !lengths.is_empty() {
        faults.push(HeadError::LengthAndCoding);
    }
    if faults.is_empty() {
        Ok(framing)
    } else {
        Err(faults)
    }
}

/// How often a message was framed, or refused with each fault.
#[derive(Default)]
struct Seen(Vec<(Result<Framing, HeadError>, usize)>);

impl Seen {
    fn count(&mut self, what: Result<Framing, HeadError>) {
        match self.0.iter_mut().find(|seen| seen.0 == what) {
            Some(seen) => seen.1 += 1,
            None => self.0.push((what, 1)),
        }
    }
}

/// Compares what was `read` of `head`, at once and as the `prefix` of more, with what is `expected`
/// of its framing.
fn compare(
    seen: &mut Seen,
    head: &str,
    read: Result<Framing, HeadError>,
    prefix: Option<Framing>,
    expected: &Result<Framing, Vec<HeadError>>,
) {
    match (&read, expected) {
        (Ok(read), Ok(expected)) => assert_eq!(read, expected, "{head:?}"),
        (Err(read), Err(faults)) => assert!(faults.contains(read), "{head:?}: {read:?}"),
        _ => panic!("{head:?} is {read:?}, not {expected:?}"),
    }
    assert_eq!(prefix, read.ok(), "{head:?} before more");
    seen.count(read);
}

/// All requests and responses with these field lines.
fn try_lines(seen: &mut Seen, lines: &[&str]) {
    let limits = Limits::default();
    let fields: String = lines.iter().flat_map(|line| [*line, "\r\n"]).collect();

    for old in [false, true] {
        let version = if old { "HTTP/1.0" } else { "HTTP/1.1" };
        let said = plain(lines, old);
        // A request without a word of it has no content, whatever its method (§6.3, rule 7).
        let expected = said.clone().map(|framing| framing.unwrap_or(Framing::None));

        for method in ["GET", "HEAD", "POST", "DELETE", "PURGE"] {
            let head = format!("{method} / {version}\r\nHost: a\r\n{fields}\r\n");
            let more = format!("{head}GET /");
            let read = Request::parse(head.as_bytes(), &limits).map(|it| it.framing());
            let prefix = Request::parse_prefix(more.as_bytes(), &limits);

            if let Some((_, len)) = prefix {
                assert_eq!(len, head.len());
            }
            compare(
                seen,
                &head,
                read,
                prefix.map(|it| it.0.framing()),
                &expected,
            );
        }
        for status in [100, 101, 103, 199, 200, 204, 205, 206, 304, 404, 500] {
            let head = format!("{version} {status} \r\n{fields}\r\n");
            let more = format!("{head}HTTP/1.1 200");
            let read = Response::parse(head.as_bytes(), &limits);
            let prefix = Response::parse_prefix(more.as_bytes(), &limits);

            if let Some((_, len)) = prefix {
                assert_eq!(len, head.len());
            }
            for is_head in [false, true] {
                // Rule 1, and rule 8.
                let none = is_head || matches!(status, 100..=199 | 204 | 304);
                let expected = said.clone().map(|framing| match framing {
                    _ if none => Framing::None,
                    framing => framing.unwrap_or(Framing::Close),
                });
                let prefix = prefix.map(|it| it.0.framing(is_head));

                compare(
                    seen,
                    &head,
                    read.map(|it| it.framing(is_head)),
                    prefix,
                    &expected,
                );
            }
        }
    }
}

#[test]
fn all_heads_with_few_lines() {
    let mut seen = Seen::default();

    try_lines(&mut seen, &[]);
    for a in LINES {
        try_lines(&mut seen, &[a]);
        for b in LINES {
            try_lines(&mut seen, &[a, b]);
            for c in LINES {
                try_lines(&mut seen, &[a, b, c]);
            }
        }
    }
    // Nothing that can be said of them was left out.
    for what in [
        Ok(Framing::None),
        Ok(Framing::Length(0)),
        Ok(Framing::Length(5)),
        Ok(Framing::Length(u64::MAX)),
        Ok(Framing::Chunked),
        Ok(Framing::Close),
        Err(HeadError::BadLength),
        Err(HeadError::ManyLengths),
        Err(HeadError::LengthAndCoding),
        Err(HeadError::BadCoding),
        Err(HeadError::UnknownCoding),
        Err(HeadError::CodingInOld),
    ] {
        let number = seen.0.iter().find(|seen| seen.0 == what);

        assert!(number.is_some_and(|seen| seen.1 >= 10), "{what:?}");
    }
    assert_eq!(seen.0.len(), 12);
}
