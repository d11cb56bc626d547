// SPDX-License-Identifier: GPL-2.0

//! Netlink attributes, which anybody may send.

use crate::input::knobs;
use ktcpvs_core::netlink::{
    Attr,
    Attrs, //
};

/// How deep nests are looked into: two levels more than any message has.
const DEPTH: usize = 6;

/// Reads any bytes as attributes, and in them; the type that is looked for at their end.
pub fn netlink(data: &[u8]) {
    let (kind, bytes) = knobs::<2>(data);

    read(bytes, u16::from_ne_bytes(kind), DEPTH);
}

/// Where each attribute in `bytes` is, and how long with its header, as `nla_ok()` and `nla_next()`
/// of the kernel's `net/netlink.h` have it.
fn places(bytes: &[u8]) -> Vec<(usize, usize)> {
    let mut places = Vec::new();
    let mut at = 0;

    while at + 4 <= bytes.len() {
        let len = usize::from(u16::from_ne_bytes([bytes[at], bytes[at + 1]]));

        if len < 4 || len > bytes.len() - at {
            break;
        }
        places.push((at, len));
        at += (len + 3) & !3;
    }
    places
}

fn read(bytes: &[u8], wanted: u16, depth: usize) {
    let places = places(bytes);
    let mut attrs = Attrs::new(bytes);
    let mut found = None;

    for (at, len) in places {
        let attr = attrs.next().expect("the kernel sees it");

        // Itself, and no copy: an extended acknowledgement says where it is.
        assert_eq!(attr.whole().as_ptr(), bytes[at..].as_ptr());
        assert_eq!(attr.whole().len(), len);
        assert_eq!(attr.bytes(), &bytes[at + 4..at + len]);
        let kind = u16::from_ne_bytes([bytes[at + 2], bytes[at + 3]]);
        assert_eq!(attr.kind(), kind & 0x3fff);
        if attr.kind() == wanted {
            found = Some(attr.whole().as_ptr());
        }
        values(&attr);
        if depth > 0 {
            read(attr.bytes(), wanted, depth - 1);
        }
    }
    // What is no attribute ends them, for good.
    assert!(attrs.next().is_none() && attrs.next().is_none());
    let got = Attrs::new(bytes).get(wanted);
    assert_eq!(got.map(|attr| attr.whole().as_ptr()), found);
}

/// That a value is read as what it can be, and as nothing else.
fn values(attr: &Attr<'_>) {
    let bytes = attr.bytes();
    let number = |len: usize| {
        // The machine is a little-endian one.
        let all = bytes.iter().rev();
        let number = all.fold(0, |number: u64, byte| (number << 8) | u64::from(*byte));
        (bytes.len() == len).then_some(number)
    };

    assert_eq!(attr.u8().ok(), bytes.first().copied());
    assert_eq!(
        attr.be16().ok().map(|value| u64::from(value.swap_bytes())),
        number(2)
    );
    assert_eq!(attr.u32().ok().map(u64::from), number(4));
    assert_eq!(attr.uint().ok(), number(4).or(number(8)));
    let string = attr.string();
    assert!(bytes.starts_with(string) && !string.contains(&0));
    assert!(matches!(bytes.get(string.len()), None | Some(0)));
    let nested = attr.nested().map(|inner| inner.whole().len());
    assert!(nested.sum::<usize>() <= bytes.len());
}
