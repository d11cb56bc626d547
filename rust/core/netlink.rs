// SPDX-License-Identifier: GPL-2.0

//! Netlink attributes as they come.
//!
//! The kernel has checked them against its policies before; nothing here relies on that.
//!
//! C header: [`include/net/netlink.h`](srctree/include/net/netlink.h)

/// Length and type.
const HEADER: usize = 4;

/// The bits of the type that are no flags (`NLA_TYPE_MASK`).
const TYPE_MASK: u16 = 0x3fff;

/// An attribute's value is not of the length that its type has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrongLength;

/// What reading a value gives.
type Value<T> = Result<T, WrongLength>;

/// Attributes one after another. What is no attribute ends them.
#[derive(Clone, Copy, Debug)]
pub struct Attrs<'a> {
    bytes: &'a [u8],
}

impl<'a> Attrs<'a> {
    /// Those in `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// The last attribute of this type.
    pub fn get(self, kind: u16) -> Option<Attr<'a>> {
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
#[derive(Clone, Copy, Debug)]
pub struct Attr<'a> {
    whole: &'a [u8],
}

impl<'a> Attr<'a> {
    /// The type.
    pub fn kind(&self) -> u16 {
        match self.whole {
            [_, _, a, b, ..] => u16::from_ne_bytes([*a, *b]) & TYPE_MASK,
            _ => 0,
        }
    }

    /// The value.
    pub fn bytes(&self) -> &'a [u8] {
        self.whole.get(HEADER..).unwrap_or(&[])
    }

    /// The header and the value.
    pub fn whole(&self) -> &'a [u8] {
        self.whole
    }

    /// The attributes in this one.
    pub fn nested(&self) -> Attrs<'a> {
        Attrs::new(self.bytes())
    }

    /// The bytes before the NUL that ends a string.
    pub fn string(&self) -> &'a [u8] {
        let bytes = self.bytes();

        bytes.split(|&byte| byte == 0).next().unwrap_or(bytes)
    }

    /// A value of one byte.
    pub fn u8(&self) -> Value<u8> {
        self.bytes().first().copied().ok_or(WrongLength)
    }

    /// A value in the network's byte order.
    pub fn be16(&self) -> Value<u16> {
        self.array().map(u16::from_be_bytes)
    }

    /// A value of 32 bits.
    pub fn u32(&self) -> Value<u32> {
        self.array().map(u32::from_ne_bytes)
    }

    /// A value of 32 or 64 bits (`NLA_UINT`).
    pub fn uint(&self) -> Value<u64> {
        self.u32()
            .map(u64::from)
            .or_else(|_| self.array().map(u64::from_ne_bytes))
    }

    fn array<const N: usize>(&self) -> Value<[u8; N]> {
        self.bytes().try_into().map_err(|_| WrongLength)
    }
}
