// SPDX-License-Identifier: GPL-2.0

//! Netlink attributes, in and out.
//!
//! C header: [`include/uapi/linux/netlink.h`](srctree/include/uapi/linux/netlink.h)

use crate::Malformed;
use std::net::{
    IpAddr,
    SocketAddr, //
};

/// Length of `struct nlmsghdr`.
pub(crate) const NLMSG_HEADER: usize = 16;
/// Where attributes begin: after it and `struct genlmsghdr`.
pub(crate) const HEADERS: usize = NLMSG_HEADER + 4;
/// Length and type before an attribute's payload.
pub(crate) const HEADER: usize = 4;
/// Set in the type of a nest.
const NESTED: u16 = 1 << 15;
/// The type proper; the two bits above are flags.
const TYPE_MASK: u16 = 0x3fff;

/// The next multiple of 4.
pub(crate) const fn align(len: usize) -> usize {
    (len + 3) & !3
}

/// Attributes being written.
#[derive(Default)]
pub(crate) struct Writer {
    bytes: Vec<u8>,
    /// An attribute was longer than its length field can tell.
    too_long: bool,
}

impl Writer {
    /// Continues what `bytes` begins with.
    pub(crate) fn after(bytes: Vec<u8>) -> Self {
        Self {
            bytes,
            too_long: false,
        }
    }

    /// Everything written, or `None` when some attribute was longer than 65,535 bytes.
    pub(crate) fn finish(self) -> Option<Vec<u8>> {
        (!self.too_long).then_some(self.bytes)
    }

    fn header(&mut self, kind: u16) -> usize {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&[0; 2]);
        self.bytes.extend_from_slice(&kind.to_ne_bytes());
        start
    }

    fn close(&mut self, start: usize) {
        match u16::try_from(self.bytes.len() - start) {
            Ok(len) => self.bytes[start..start + 2].copy_from_slice(&len.to_ne_bytes()),
            Err(_) => self.too_long = true,
        }
        self.bytes.resize(align(self.bytes.len()), 0);
    }

    pub(crate) fn bytes(&mut self, kind: u16, value: &[u8]) {
        let start = self.header(kind);
        self.bytes.extend_from_slice(value);
        self.close(start);
    }

    pub(crate) fn u8(&mut self, kind: u16, value: u8) {
        self.bytes(kind, &[value]);
    }

    pub(crate) fn u32(&mut self, kind: u16, value: u32) {
        self.bytes(kind, &value.to_ne_bytes());
    }

    /// The spec's `uint`: 32 bits if the value fits them, otherwise 64.
    pub(crate) fn uint(&mut self, kind: u16, value: u64) {
        match u32::try_from(value) {
            Ok(small) => self.u32(kind, small),
            Err(_) => self.bytes(kind, &value.to_ne_bytes()),
        }
    }

    pub(crate) fn string(&mut self, kind: u16, value: &str) {
        let start = self.header(kind);
        self.bytes.extend_from_slice(value.as_bytes());
        self.bytes.push(0);
        self.close(start);
    }

    pub(crate) fn flag(&mut self, kind: u16) {
        self.bytes(kind, &[]);
    }

    pub(crate) fn address(&mut self, address_kind: u16, port_kind: u16, value: &SocketAddr) {
        match value.ip() {
            IpAddr::V4(ip) => self.bytes(address_kind, &ip.octets()),
            IpAddr::V6(ip) => self.bytes(address_kind, &ip.octets()),
        }
        self.bytes(port_kind, &value.port().to_be_bytes());
    }

    pub(crate) fn nest(&mut self, kind: u16, inside: impl FnOnce(&mut Self)) {
        let start = self.header(kind | NESTED);
        inside(self);
        self.close(start);
    }
}

/// Attributes being read.
#[derive(Clone, Copy)]
pub(crate) struct Attributes<'a>(pub(crate) &'a [u8]);

/// One of them.
#[derive(Clone, Copy)]
pub(crate) struct Attribute<'a> {
    pub(crate) kind: u16,
    pub(crate) payload: &'a [u8],
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Result<Attribute<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let Some((attribute, rest)) = split_attribute(self.0) else {
            self.0 = &[];
            return Some(Err(Malformed("an attribute is cut off")));
        };
        self.0 = rest;
        Some(Ok(attribute))
    }
}

fn split_attribute(bytes: &[u8]) -> Option<(Attribute<'_>, &[u8])> {
    let (header, _) = bytes.split_first_chunk::<HEADER>()?;
    let len = usize::from(u16::from_ne_bytes([header[0], header[1]]));
    let kind = u16::from_ne_bytes([header[2], header[3]]) & TYPE_MASK;
    let payload = bytes.get(HEADER..len)?;
    let rest = bytes.get(align(len)..).unwrap_or(&[]);
    Some((Attribute { kind, payload }, rest))
}

impl<'a> Attribute<'a> {
    pub(crate) fn u8(&self) -> Result<u8, Malformed> {
        match self.payload {
            [value] => Ok(*value),
            _ => Err(Malformed("a number of another width than 8 bits")),
        }
    }

    pub(crate) fn u32(&self) -> Result<u32, Malformed> {
        let bytes = self.payload.try_into();
        let bytes = bytes.map_err(|_| Malformed("a number of another width than 32 bits"))?;
        Ok(u32::from_ne_bytes(bytes))
    }

    pub(crate) fn port(&self) -> Result<u16, Malformed> {
        let bytes = self.payload.try_into();
        let bytes = bytes.map_err(|_| Malformed("a port of another width than 16 bits"))?;
        Ok(u16::from_be_bytes(bytes))
    }

    pub(crate) fn uint(&self) -> Result<u64, Malformed> {
        if self.payload.len() == 4 {
            return self.u32().map(u64::from);
        }
        let bytes = self.payload.try_into();
        let bytes = bytes.map_err(|_| Malformed("a number of neither 32 nor 64 bits"))?;
        Ok(u64::from_ne_bytes(bytes))
    }

    pub(crate) fn string(&self) -> Result<String, Malformed> {
        let text = self.payload.strip_suffix(&[0]).unwrap_or(self.payload);
        let text = std::str::from_utf8(text).map_err(|_| Malformed("a text is not UTF-8"))?;
        Ok(text.to_owned())
    }

    pub(crate) fn ip(&self) -> Result<IpAddr, Malformed> {
        if let Ok(v4) = <[u8; 4]>::try_from(self.payload) {
            return Ok(v4.into());
        }
        let v6 = <[u8; 16]>::try_from(self.payload);
        Ok(v6
            .map_err(|_| Malformed("an address of neither 4 nor 16 bytes"))?
            .into())
    }

    pub(crate) fn nest(&self) -> Attributes<'a> {
        Attributes(self.payload)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut writer = Writer::default();
        writer.u8(1, 7);
        writer.nest(2, |w| {
            w.string(3, "abc");
            w.flag(4);
        });
        writer.uint(5, 1 << 40);
        writer.uint(6, 5);
        writer.address(7, 8, &"[2001:db8::1]:80".parse().unwrap());
        let bytes = writer.finish().unwrap();
        assert_eq!(bytes.len() % 4, 0);
        let read: Vec<_> = Attributes(&bytes).map(Result::unwrap).collect();
        let kinds: Vec<_> = read.iter().map(|a| a.kind).collect();
        assert_eq!(kinds, [1, 2, 5, 6, 7, 8]);
        assert_eq!(read[0].u8().unwrap(), 7);
        let nest: Vec<_> = read[1].nest().map(Result::unwrap).collect();
        assert_eq!(nest[0].string().unwrap(), "abc");
        assert!(nest[1].payload.is_empty());
        assert_eq!(read[2].uint().unwrap(), 1 << 40);
        assert_eq!((read[3].payload.len(), read[3].uint().unwrap()), (4, 5));
        assert_eq!(read[4].ip().unwrap().to_string(), "2001:db8::1");
        assert_eq!(read[5].port().unwrap(), 80);
        assert!(read[0].u32().is_err() && read[5].uint().is_err());
    }

    #[test]
    fn what_is_cut_off_is_an_error() {
        let mut writer = Writer::default();
        writer.bytes(1, &[1; 9]);
        let bytes = writer.finish().unwrap();
        for len in 1..4 + 9 {
            assert!(Attributes(&bytes[..len]).any(|a| a.is_err()), "{len}");
        }
        assert!(Attributes(&[3, 0, 1, 0]).any(|a| a.is_err()));
    }

    #[test]
    fn an_attribute_ends_at_64_kib() {
        let mut writer = Writer::default();
        writer.bytes(1, &[0; 65535 - HEADER]);
        assert!(writer.finish().is_some());
        let mut writer = Writer::default();
        writer.nest(2, |w| w.bytes(1, &[0; 65535 - HEADER]));
        assert!(writer.finish().is_none());
    }
}
