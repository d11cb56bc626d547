// SPDX-License-Identifier: GPL-2.0

//! Cookie affinity without state: the value that says which real server a client belongs to.
//!
//! The value is a keyed hash of the server's address and port, so it tells an observer nothing
//! about the servers behind the director, cannot be forged, and means the same on every director
//! that has the key. Nothing is stored per client.

use crate::hash;
use core::net::{
    IpAddr,
    SocketAddr, //
};

/// The length of a cookie value, in bytes.
pub const VALUE_LEN: usize = 16;

/// The token of the real server at `address` under the pool's `key`.
///
/// IPv4 hashes 6 bytes and IPv6 18, so the two families cannot collide by construction.
#[must_use]
pub fn token(key: &hash::Key, address: &SocketAddr) -> u64 {
    let port = address.port().to_be_bytes();
    match address.ip() {
        IpAddr::V4(ip) => {
            let [a, b, c, d] = ip.octets();
            let [p, q] = port;
            hash::siphash(key, &[a, b, c, d, p, q])
        }
        IpAddr::V6(ip) => {
            let mut data = [0; 18];
            let bytes = ip.octets().into_iter().chain(port);
            for (to, from) in data.iter_mut().zip(bytes) {
                *to = from;
            }
            hash::siphash(key, &data)
        }
    }
}

/// A token as the cookie's value: 16 lower-case hexadecimal digits.
#[must_use]
pub fn format(token: u64) -> [u8; VALUE_LEN] {
    let mut value = [0; VALUE_LEN];
    let halves = [token >> 32, token & u64::from(u32::MAX)];

    for (digits, half) in value.chunks_exact_mut(8).zip(halves) {
        digits.copy_from_slice(&eight_digits(half).to_be_bytes());
    }
    value
}

/// The hexadecimal digits of a number below 2³², the first one in the highest byte.
fn eight_digits(number: u64) -> u64 {
    const fn each(byte: u8) -> u64 {
        u64::from_ne_bytes([byte; 8])
    }
    // One half-byte to a byte, in three steps.
    let pairs = (number | (number << 16)) & 0x0000_ffff_0000_ffff;
    let bytes = (pairs | (pairs << 8)) & 0x00ff_00ff_00ff_00ff;
    let nibbles = (bytes | (bytes << 4)) & each(0x0f);
    // 1 where it takes a letter: 6 more carry into the upper half.
    let letters = (nibbles.wrapping_add(each(6)) >> 4) & each(1);

    nibbles
        .wrapping_add(each(b'0'))
        .wrapping_add(letters.wrapping_mul(u64::from(b'a' - b'0' - 10)))
}

/// The token in a cookie's value, or `None` when it is not one of ours.
///
/// Only what [`format`] writes is accepted: a token has exactly one spelling.
#[must_use]
pub fn parse(value: &[u8]) -> Option<u64> {
    if value.len() != VALUE_LEN {
        return None;
    }
    value.iter().try_fold(0u64, |token, &digit| {
        let nibble = match digit {
            b'0'..=b'9' => digit & 0xf,
            b'a'..=b'f' => digit.wrapping_sub(b'a').wrapping_add(10),
            _ => return None,
        };
        Some((token << 4) | u64::from(nibble))
    })
}

/// Whether a cookie's value names the real server at `address`.
#[must_use]
pub fn names(key: &hash::Key, address: &SocketAddr, value: &[u8]) -> bool {
    parse(value) == Some(token(key, address))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: hash::Key = *b"a secret of 16 b";

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn known_spellings() {
        assert_eq!(&format(0), b"0000000000000000");
        assert_eq!(&format(0x0123_4567_89ab_cdef), b"0123456789abcdef");
        assert_eq!(&format(u64::MAX), b"ffffffffffffffff");
    }

    #[test]
    fn one_spelling_only() {
        assert_eq!(parse(b"0123456789abcdef"), Some(0x0123_4567_89ab_cdef));
        assert_eq!(parse(b"0123456789ABCDEF"), None);
        assert_eq!(parse(b"0123456789abcde"), None);
        assert_eq!(parse(b"0123456789abcdef0"), None);
        assert_eq!(parse(b"0123456789abcdeg"), None);
        assert_eq!(parse(b"+123456789abcdef"), None);
        assert_eq!(parse(b""), None);
    }

    #[test]
    fn a_value_names_one_server_under_one_key() {
        let server = address("192.0.2.1:80");
        let value = format(token(&KEY, &server));
        assert!(names(&KEY, &server, &value));
        assert!(!names(&KEY, &address("192.0.2.1:81"), &value));
        assert!(!names(&KEY, &address("192.0.2.2:80"), &value));
        assert!(!names(b"another key, 16b", &server, &value));
        let server = address("[2001:db8::1]:80");
        let value = format(token(&KEY, &server));
        assert!(names(&KEY, &server, &value));
        assert!(!names(&KEY, &address("[2001:db8::1]:8080"), &value));
    }
}
