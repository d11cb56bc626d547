// SPDX-License-Identifier: GPL-2.0

//! SipHash-2-4, the keyed hash behind affinity cookies and source hashing.
//!
//! What a client can choose (its address, a cookie) is only ever hashed under a secret key, so
//! that nobody outside can aim for one server or forge a cookie.

use core::net::IpAddr;

/// The length of a key, in bytes.
pub const KEY_LEN: usize = 16;

/// A secret key.
pub type Key = [u8; KEY_LEN];

/// The four words of state.
struct Sip {
    v: [u64; 4],
}

impl Sip {
    fn new(key: &Key) -> Self {
        let (low, high) = key.split_at(8);
        let (k0, k1) = (word(low), word(high));
        Self {
            v: [
                k0 ^ 0x736f_6d65_7073_6575,
                k1 ^ 0x646f_7261_6e64_6f6d,
                k0 ^ 0x6c79_6765_6e65_7261,
                k1 ^ 0x7465_6462_7974_6573,
            ],
        }
    }

    fn round(&mut self) {
        let [mut a, mut b, mut c, mut d] = self.v;
        a = a.wrapping_add(b);
        b = b.rotate_left(13) ^ a;
        a = a.rotate_left(32);
        c = c.wrapping_add(d);
        d = d.rotate_left(16) ^ c;
        a = a.wrapping_add(d);
        d = d.rotate_left(21) ^ a;
        c = c.wrapping_add(b);
        b = b.rotate_left(17) ^ c;
        c = c.rotate_left(32);
        self.v = [a, b, c, d];
    }

    fn block(&mut self, m: u64) {
        self.v[3] ^= m;
        self.round();
        self.round();
        self.v[0] ^= m;
    }

    fn finish(mut self) -> u64 {
        self.v[2] ^= 0xff;
        for _ in 0..4 {
            self.round();
        }
        self.v.iter().fold(0, |all, v| all ^ v)
    }
}

/// Up to eight bytes, the first the least significant.
fn word(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .rev()
        .fold(0, |all, &b| (all << 8) | u64::from(b))
}

/// SipHash-2-4 of `data` under `key`.
///
/// # Examples
///
/// ```
/// let key = core::array::from_fn(|i| i as u8);
/// assert_eq!(ktcpvs_core::hash::siphash(&key, b""), 0x726f_db47_dd0e_0e31);
/// ```
#[must_use]
pub fn siphash(key: &Key, data: &[u8]) -> u64 {
    let mut sip = Sip::new(key);
    let blocks = data.chunks_exact(8);
    let rest = blocks.remainder();
    for block in blocks {
        sip.block(word(block));
    }
    // The last block carries the length modulo 256 in its highest byte.
    sip.block(word(rest) | ((data.len() as u64) << 56));
    sip.finish()
}

/// The hash of a client's address, without its port: what source hashing schedules by.
///
/// An IPv4 address mapped into IPv6 hashes as the IPv4 address it is, so that a client keeps its
/// server whichever listener it came through.
#[must_use]
pub fn source(key: &Key, address: &IpAddr) -> u64 {
    match address.to_canonical() {
        IpAddr::V4(v4) => siphash(key, &v4.octets()),
        IpAddr::V6(v6) => siphash(key, &v6.octets()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Key {
        core::array::from_fn(|i| i as u8)
    }

    /// The reference implementation's vectors (vectors_sip64): the input is 00 01 02 … of growing
    /// length.
    #[test]
    fn reference_vectors() {
        const VECTORS: [u64; 17] = [
            0x726f_db47_dd0e_0e31,
            0x74f8_39c5_93dc_67fd,
            0x0d6c_8009_d9a9_4f5a,
            0x8567_6696_d7fb_7e2d,
            0xcf27_94e0_2771_87b7,
            0x1876_5564_cd99_a68d,
            0xcbc9_466e_58fe_e3ce,
            0xab02_00f5_8b01_d137,
            0x93f5_f579_9a93_2462,
            0x9e00_82df_0ba9_e4b0,
            0x7a5d_bbc5_94dd_b9f3,
            0xf4b3_2f46_226b_ada7,
            0x751e_8fbc_860e_e5fb,
            0x14ea_5627_c084_3d90,
            0xf723_ca90_8e7a_f2ee,
            0xa129_ca61_49be_45e5,
            0x3f2a_cc7f_57c2_9bdb,
        ];
        let data: [u8; 17] = core::array::from_fn(|i| i as u8);
        for (len, want) in VECTORS.iter().enumerate() {
            assert_eq!(siphash(&key(), &data[..len]), *want, "length {len}");
        }
    }

    #[test]
    fn a_mapped_address_is_its_ipv4_address() {
        let v4: IpAddr = "192.0.2.1".parse().unwrap();
        let mapped: IpAddr = "::ffff:192.0.2.1".parse().unwrap();
        let other: IpAddr = "192.0.2.2".parse().unwrap();
        assert_eq!(source(&key(), &v4), source(&key(), &mapped));
        assert_ne!(source(&key(), &v4), source(&key(), &other));
    }
}
