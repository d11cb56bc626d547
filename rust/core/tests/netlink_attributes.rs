// SPDX-License-Identifier: GPL-2.0

//! Netlink attributes: what was written is read, and what is damaged is read as the kernel reads
//! it, whose policies have checked no other bytes than those.

use ktcpvs_core::netlink::{
    Attr,
    Attrs,
    WrongLength, //
};
use proptest::prelude::*;

/// The flags of a type, nested and network byte order.
const FLAGS: u16 = 0xc000;

/// An attribute as it is written, padded as the kernel pads.
fn written(kind: u16, value: &[u8]) -> Vec<u8> {
    let len = value.len() as u16 + 4;
    let mut bytes = [len.to_ne_bytes(), kind.to_ne_bytes()].concat();

    bytes.extend_from_slice(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

/// What the kernel sees, by `nla_ok()` and `nla_next()` of its `net/netlink.h`: types and values.
fn kernel_sees(bytes: &[u8]) -> Vec<(u16, &[u8])> {
    let mut seen = Vec::new();
    let (mut at, mut rem) = (0, bytes.len() as isize);

    while rem >= 4 {
        let half = |at: usize| u16::from_ne_bytes([bytes[at], bytes[at + 1]]);
        let len = half(at) as isize;

        if len < 4 || len > rem {
            break;
        }
        seen.push((half(at + 2) & !FLAGS, &bytes[at + 4..at + len as usize]));
        let aligned = (len + 3) & !3;

        at += aligned as usize;
        rem -= aligned;
    }
    seen
}

fn read(bytes: &[u8]) -> Vec<(u16, &[u8])> {
    let attrs = Attrs::new(bytes);

    attrs.map(|attr| (attr.kind(), attr.bytes())).collect()
}

fn one(bytes: &[u8]) -> Attr<'_> {
    Attrs::new(bytes).next().unwrap()
}

fn any_attrs() -> impl Strategy<Value = Vec<(u16, Vec<u8>)>> {
    let value = prop::collection::vec(any::<u8>(), 0..40);

    prop::collection::vec((any::<u16>(), value), 0..12)
}

proptest! {
    #[test]
    fn what_is_written_is_read(attrs in any_attrs()) {
        let bytes: Vec<u8> = attrs.iter().flat_map(|(kind, value)| written(*kind, value)).collect();
        let expected: Vec<_> = attrs.iter().map(|(k, v)| (k & !FLAGS, v.as_slice())).collect();

        prop_assert_eq!(read(&bytes), expected);
    }

    #[test]
    fn anything_is_read_as_the_kernel_reads_it(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        prop_assert_eq!(read(&bytes), kernel_sees(&bytes));
    }

    #[test]
    fn damage_is_read_as_the_kernel_reads_it(
        attrs in any_attrs(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in 0..8usize,
    ) {
        let mut bytes: Vec<u8> =
            attrs.iter().flat_map(|(kind, value)| written(*kind, value)).collect();

        for (place, byte) in damage {
            if !bytes.is_empty() {
                let place = place.index(bytes.len());
                bytes[place] = byte;
            }
        }
        bytes.truncate(bytes.len().saturating_sub(cut));
        prop_assert_eq!(read(&bytes), kernel_sees(&bytes));
        // The whole of each lies in the message: an extended ack points into it.
        for attr in Attrs::new(&bytes) {
            prop_assert!(bytes.as_ptr_range().contains(&attr.whole().as_ptr()));
            prop_assert_eq!(attr.whole().len(), attr.bytes().len() + 4);
        }
    }

    #[test]
    fn the_last_of_a_type_counts(attrs in any_attrs(), kind in 0..4u16) {
        let bytes: Vec<u8> =
            attrs.iter().flat_map(|(k, value)| written(k % 4, value)).collect();
        let last = attrs.iter().rev().find(|(k, _)| k % 4 == kind);

        prop_assert_eq!(
            Attrs::new(&bytes).get(kind).map(|attr| attr.bytes()),
            last.map(|(_, value)| value.as_slice())
        );
    }

    #[test]
    fn numbers_have_their_length(value in prop::collection::vec(any::<u8>(), 0..12)) {
        let bytes = written(1, &value);
        let attr = one(&bytes);
        let u32 = <[u8; 4]>::try_from(value.as_slice()).map(u32::from_ne_bytes).ok();
        let u64 = <[u8; 8]>::try_from(value.as_slice()).map(u64::from_ne_bytes).ok();

        prop_assert_eq!(attr.u8().ok(), value.first().copied());
        prop_assert_eq!(
            attr.be16().ok(),
            <[u8; 2]>::try_from(value.as_slice()).map(u16::from_be_bytes).ok()
        );
        prop_assert_eq!(attr.u32().ok(), u32);
        prop_assert_eq!(attr.uint().ok(), u32.map(u64::from).or(u64));
    }
}

#[test]
fn numbers_of_other_lengths_are_refused() {
    let bytes = written(1, b"");

    assert_eq!(one(&bytes).u8(), Err(WrongLength));
    assert_eq!(one(&bytes).u32(), Err(WrongLength));
}

#[test]
fn strings_end_at_the_first_nul() {
    for (value, string) in [
        (&b"web\0"[..], &b"web"[..]),
        (b"web", b"web"),
        (b"we\0b\0", b"we"),
        (b"\0", b""),
        (b"", b""),
    ] {
        assert_eq!(one(&written(1, value)).string(), string);
    }
}

#[test]
fn nests_are_read() {
    let inner = [written(1, b"a"), written(2, b"bcd")].concat();
    let bytes = written(7 | 0x8000, &inner);
    let nest = one(&bytes);

    assert_eq!(nest.kind(), 7);
    let kinds: Vec<_> = nest.nested().map(|attr| attr.kind()).collect();
    assert_eq!(kinds, [1, 2]);
}

#[test]
fn the_longest_attribute_is_read() {
    let bytes = written(1, &[5; 65531]);

    assert_eq!(one(&bytes).bytes().len(), 65531);
    assert_eq!(read(&bytes[..65532]), []);
}
