// SPDX-License-Identifier: GPL-2.0

//! Netlink attributes as they come.
//!
//! C header: [`include/net/netlink.h`](srctree/include/net/netlink.h)

use kernel::prelude::*;

/// Length and type.
const HEADER: usize = 4;

/// The bits of the type that are no flags (`NLA_TYPE_MASK`).
const TYPE_MASK: u16 = 0x3fff;

/// Attributes one after another.
#[derive(Clone, Copy)]
pub(crate) struct Attrs<'a> {
    bytes: &'a [u8],
}

impl<'a> Attrs<'a> {
    /// Those in `bytes`.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// The last attribute of this type.
    pub(crate) fn get(self, kind: u16) -> Option<Attr<'a>> {
        self.filter(|attr| attr.kind() == kind).last()
    }
}

impl<'a> Iterator for Attrs<'a> {
    type Item = Attr<'a>;

    fn next(&mut self) -> Option<Attr<'a>> {
        let &[a, b, ..] = self.bytes else {
            return None;
        };
        let len = usize::from(u16::from_ne_bytes([a, b]));
        let whole = self.bytes.get(..len).filter(|_| len >= HEADER)?;

        self.bytes = self.bytes.get(len.next_multiple_of(4)..).unwrap_or(&[]);
        Some(Attr { whole })
    }
}

/// An attribute, with its header.
///
/// # Invariants
///
/// `whole` is at least a header long.
#[derive(Clone, Copy)]
pub(crate) struct Attr<'a> {
    whole: &'a [u8],
}

impl<'a> Attr<'a> {
    /// The type.
    pub(crate) fn kind(&self) -> u16 {
        match self.whole {
            [_, _, a, b, ..] => u16::from_ne_bytes([*a, *b]) & TYPE_MASK,
            _ => 0,
        }
    }

    /// The value.
    pub(crate) fn bytes(&self) -> &'a [u8] {
        self.whole.get(HEADER..).unwrap_or(&[])
    }

    /// The header and the value.
    pub(super) fn whole(&self) -> &'a [u8] {
        self.whole
    }

    /// The attributes in this one.
    pub(crate) fn nested(&self) -> Attrs<'a> {
        Attrs::new(self.bytes())
    }

    /// The bytes before the NUL that ends a string.
    pub(crate) fn string(&self) -> &'a [u8] {
        let bytes = self.bytes();

        bytes.split(|&byte| byte == 0).next().unwrap_or(bytes)
    }

    /// A value of one byte.
    pub(crate) fn u8(&self) -> Result<u8> {
        self.bytes().first().copied().ok_or(EINVAL)
    }

    /// A value in the network's byte order.
    pub(crate) fn be16(&self) -> Result<u16> {
        self.array().map(u16::from_be_bytes)
    }

    /// A value of 32 bits.
    pub(crate) fn u32(&self) -> Result<u32> {
        self.array().map(u32::from_ne_bytes)
    }

    /// A value of 32 or 64 bits (`NLA_UINT`).
    pub(crate) fn uint(&self) -> Result<u64> {
        self.u32()
            .map(u64::from)
            .or_else(|_| self.array().map(u64::from_ne_bytes))
    }

    fn array<const N: usize>(&self) -> Result<[u8; N]> {
        self.bytes().try_into().map_err(|_| EINVAL)
    }
}
