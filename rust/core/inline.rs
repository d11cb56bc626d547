// SPDX-License-Identifier: GPL-2.0

//! A short byte string kept where it is declared.

use core::fmt;

/// At most `N` bytes; what does not fit is left out.
#[derive(Clone, Copy)]
pub struct Inline<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Inline<N> {
    /// No bytes.
    pub const fn new() -> Self {
        Self {
            bytes: [0; N],
            len: 0,
        }
    }

    /// The bytes.
    pub fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or(&[])
    }

    /// Adds `bytes`, as far as they fit. Whether all did.
    pub fn push(&mut self, bytes: &[u8]) -> bool {
        let free = self.bytes.get_mut(self.len..).unwrap_or(&mut []);
        let fits = bytes.len().min(free.len());

        for (to, from) in free.iter_mut().zip(bytes) {
            *to = *from;
        }
        self.len = self.len.wrapping_add(fits);
        fits == bytes.len()
    }

    /// Adds `numbers` in decimal with dots between them, as far as they fit.
    pub fn push_dotted(&mut self, numbers: [u8; 4]) {
        for (index, number) in numbers.into_iter().enumerate() {
            if index > 0 {
                self.put(b'.');
            }
            if number >= 100 {
                self.put(b'0'.wrapping_add(number / 100));
            }
            if number >= 10 {
                self.put(b'0'.wrapping_add(number / 10 % 10));
            }
            self.put(b'0'.wrapping_add(number % 10));
        }
    }

    /// Adds a byte, if it fits.
    #[inline]
    fn put(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(self.len) {
            *place = byte;
            self.len = self.len.wrapping_add(1);
        }
    }
}

impl<const N: usize> Default for Inline<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> fmt::Write for Inline<N> {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        if self.push(s.as_bytes()) {
            Ok(())
        } else {
            Err(fmt::Error)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Inline;
    use core::fmt::Write;

    #[test]
    fn keeps_what_fits() {
        let mut text = Inline::<4>::new();

        assert!(text.push(b"ab"));
        assert!(!text.push(b"cde"));
        assert_eq!(text.as_slice(), b"abcd");
        assert!(write!(text, "x").is_err());
    }

    #[test]
    fn dotted_as_it_is_formatted() {
        for number in 0..=255u8 {
            let octets = [number, 255 - number, 0, number / 2];
            let mut text = Inline::<15>::new();
            let mut expected = Inline::<15>::new();

            text.push_dotted(octets);
            write!(expected, "{}", core::net::Ipv4Addr::from(octets)).unwrap();
            assert_eq!(text.as_slice(), expected.as_slice());
        }
    }
}
