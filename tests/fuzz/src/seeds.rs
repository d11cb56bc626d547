// SPDX-License-Identifier: GPL-2.0

//! Inputs to begin with: from the tables of core's tests, by hand, and by chance.

#[expect(dead_code, reason = "the tests need more of it")]
#[path = "../../../rust/core/tests/http_heads/table.rs"]
mod heads;

#[path = "../../../rust/core/tests/http_bodies/table.rs"]
mod bodies;

use crate::{
    input::Numbers,
    rule, //
};
use ktcpvs_core::http::Kind;

/// Every head of the tables that is of this kind.
fn heads(kind: Kind) -> impl Iterator<Item = &'static [u8]> {
    let bad = heads::bad_heads().map(|(kind, head, _)| (kind, head));

    heads::good_heads()
        .chain(bad)
        .filter(move |(other, _)| *other == kind)
        .map(|(_, head)| head)
}

/// `text`, and as many knobs, all of them 0.
fn with_knobs(text: &[u8], knobs: usize) -> Vec<u8> {
    [text, &vec![0; knobs][..]].concat()
}

/// The field lines of a head, without the last line's end.
fn lines(head: &[u8]) -> Option<&[u8]> {
    let first = head.windows(2).position(|two| two == b"\r\n")?;

    head.get(first + 2..head.len().checked_sub(4)?)
}

/// The target of a request, and behind a line's end its host.
fn target(head: &[u8]) -> Option<Vec<u8>> {
    let target = head.split(|&byte| byte == b' ').nth(1)?;
    let after = head
        .windows(5)
        .position(|five| five.eq_ignore_ascii_case(b"host:"))?
        + 5;
    let host = head[after..].split(|&byte| byte == b'\r').next()?;

    Some([target, b"\n", host].concat())
}

/// Requests for a program, by their parts: what each of its rules matches, and what nearly does.
const REQUESTS: [&[u8; 16]; 6] = [
    b"/a?b/abba.bGabab",
    b"/a\0\0\0\0\0\0a\0\0G\0\0\0\0",
    b"/a\0\0\0\0\0\0a\0\0Gcbc\0",
    b"/\0\0\0\0\0\0\0.b\0G\0\0\0\0",
    b"/\0\0\0\0\0\0\0a.bG\0\0\0\0",
    b"/\0\0\0\0\0\0\0b\0\0Gb\0\0\0",
];

/// Code of captures, three bytes an instruction, and a value of three bytes: `(.*?)`, `(.*)` and
/// `^(.|..)$`.
const CODES: [&[u8]; 3] = [
    b"\x03\x01\0\x02\x03\x02\x01\x01\x70\x0b\x04\0\0\0\0\x01\x02\x03\0\0\0\0\0\0\0\0\0",
    b"\x03\x01\0\x02\x02\x03\x01\x01\x70\x0b\x04\0\0\0\0\x01\x02\x03\0\0\0\0\0\0\0\0\0",
    b"\x04\x01\0\x03\x02\0\x02\x03\x04\x01\x05\x70\x01\x03\x70\x0b\x06\0\x05\x07\0\0\0\0\x01\x02\0\0\0\0\0\0\0\0\0\0",
];

/// Attributes, and the type that is looked for: numbers and a string, a nest with one of each, two of
/// a type; lengths that are too short, too long, and at the end.
const ATTRS: [&[u8]; 8] = [
    b"\x05\0\x01\0\x07\0\0\0\x06\0\x02\0\0\x50\0\0\x08\0\x03\0\x01\x02\x03\x04\x02\0",
    b"\x0c\0\x04\0\x01\x02\x03\x04\x05\x06\x07\x08\x08\0\x01\0web\0\x04\0",
    b"\x18\0\x07\x80\x08\0\x01\0abc\0\x0c\0\x02\x80\x08\0\x01\0\0\0\0\x01\x07\0",
    b"\x05\0\x01\0a\0\0\0\x05\0\x01\0b\0\0\0\x01\0",
    b"\x03\0\x01\0a\0\0\0\x01\0",
    b"\x04\0\x01\0\xff\xff\x01\0a\0\0\0\x01\0",
    b"\x05\0\x01\0a\x01\0",
    b"\x04\0\x01\0\x04\0\x01\0\0",
];

/// Inputs without any meaning, for targets that make what they need of numbers.
fn numbers() -> impl Iterator<Item = Vec<u8>> {
    (0..64).map(|seed| {
        let mut numbers = Numbers(seed);
        let len = numbers.below(40);
        (0..len).flat_map(|_| numbers.any().to_le_bytes()).collect()
    })
}

/// The seeds of a target.
pub fn seeds(name: &str) -> Vec<Vec<u8>> {
    let requests = || heads(Kind::Request);
    let responses = || heads(Kind::Response);

    match name {
        "request" => requests().map(|head| with_knobs(head, 11)).collect(),
        "response" => responses().map(|head| with_knobs(head, 11)).collect(),
        "scan" => {
            let both = requests().chain(responses());
            both.map(|head| with_knobs(head, 11)).collect()
        }
        "forward_request" => requests().map(|head| with_knobs(head, 2)).collect(),
        "forward_response" => responses().map(|head| with_knobs(head, 1)).collect(),
        "fields" => {
            let lines = requests().chain(responses()).filter_map(lines);
            lines.map(|lines| with_knobs(lines, 8)).collect()
        }
        "target" => {
            let targets = requests().filter_map(target);
            targets.map(|text| with_knobs(&text, 2)).collect()
        }
        "cookies" => [&b"a=1; b=2\na=3"[..], b"a;=;b==\";", b";;a = b ;a=\n;"]
            .map(|text| with_knobs(text, 2))
            .into(),
        "body" => {
            let good = bodies::GOOD.iter().map(|(bytes, _)| *bytes);
            let bad = bodies::BAD.iter().flat_map(|(_, all)| all.iter().copied());
            good.chain(bad).map(|bytes| with_knobs(bytes, 11)).collect()
        }
        "netlink" => ATTRS.iter().map(|attrs| attrs.to_vec()).collect(),
        "program" => {
            let bytes = || rule::example().into_iter().flat_map(u32::to_le_bytes);
            let with = |request: &&[u8; 16]| bytes().chain(**request).collect();
            REQUESTS.iter().map(with).collect()
        }
        "damage" => {
            let requests = REQUESTS.iter().map(|request| request.to_vec());
            requests.chain(numbers()).collect()
        }
        "capture" => CODES
            .iter()
            .map(|code| code.to_vec())
            .chain(numbers())
            .collect(),
        "affinity" | "hash" | "inline" | "order" | "rules" | "sched" | "shed" => {
            numbers().collect()
        }
        "reply" => vec![with_knobs(b"/b<&>", 4)],
        _ => vec![],
    }
}
