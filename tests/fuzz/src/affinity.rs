// SPDX-License-Identifier: GPL-2.0

//! Affinity cookies and the hash behind them.

use crate::input::knobs;
use ktcpvs_core::{
    affinity,
    hash, //
};
use std::{
    hash::Hasher,
    net::{
        IpAddr,
        Ipv4Addr,
        Ipv6Addr,
        SocketAddr, //
    },
};

/// Takes any bytes for a cookie's value, and the key and address at its end.
pub fn affinity(data: &[u8]) {
    let (knobs, value) = knobs::<35>(data);
    let (key, address) = knobs.split_first_chunk::<16>().expect("it is shorter");
    let (ip, rest) = address.split_first_chunk::<16>().expect("it is shorter");
    let [v4, port @ ..] = *rest.first_chunk::<3>().expect("it is as long");
    let ip = match v4 & 1 {
        0 => IpAddr::V4(Ipv4Addr::new(ip[0], ip[1], ip[2], ip[3])),
        _ => IpAddr::V6(Ipv6Addr::from(*ip)),
    };
    let server = SocketAddr::new(ip, u16::from_be_bytes(port));
    let token = affinity::token(key, &server);
    let written = affinity::format(token);

    assert_eq!(written, format!("{token:016x}").as_bytes());
    assert_eq!(affinity::parse(&written), Some(token));
    assert!(affinity::names(key, &server, &written));
    // A token has one spelling only, and any of its bits counts.
    match affinity::parse(value) {
        Some(token) => assert_eq!(affinity::format(token), value),
        None => {
            let digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
            assert!(value.len() != affinity::VALUE_LEN || !value.iter().all(digit));
        }
    }
    assert_eq!(affinity::names(key, &server, value), value == written);
    let other = SocketAddr::new(ip, server.port() ^ 1);
    assert_ne!(affinity::token(key, &other), token);
    source(key, ip);
}

/// That an address mapped into IPv6 hashes as itself, and any other differently.
fn source(key: &hash::Key, ip: IpAddr) {
    let hashed = hash::source(key, &ip);

    match ip {
        IpAddr::V4(v4) => {
            assert_eq!(hash::source(key, &v4.to_ipv6_mapped().into()), hashed);
            assert_eq!(hash::siphash(key, &v4.octets()), hashed);
        }
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => assert_eq!(hash::source(key, &v4.into()), hashed),
            None => assert_eq!(hash::siphash(key, &v6.octets()), hashed),
        },
    }
}

/// Hashes any bytes as the standard library does.
#[expect(deprecated, reason = "it is SipHash-2-4, and will stay it")]
pub fn hash(data: &[u8]) {
    let (key, data) = knobs::<16>(data);
    let (low, high) = key.split_first_chunk::<8>().expect("it is shorter");
    let high = *high.first_chunk::<8>().expect("it is as long");
    let mut hasher =
        std::hash::SipHasher::new_with_keys(u64::from_le_bytes(*low), u64::from_le_bytes(high));

    hasher.write(data);
    assert_eq!(hash::siphash(&key, data), hasher.finish());
}
