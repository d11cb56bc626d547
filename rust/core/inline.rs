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
        self.len += fits;
        fits == bytes.len()
    }

    /// Adds `bytes` with ASCII letters in lower case, as far as they fit.
    pub fn push_lowercase(&mut self, bytes: &[u8]) {
        let start = self.len;

        self.push(bytes);
        if let Some(added) = self.bytes.get_mut(start..self.len) {
            added.make_ascii_lowercase();
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
    fn lowers_only_what_it_adds() {
        let mut text = Inline::<8>::new();

        text.push(b"A");
        text.push_lowercase(b"BC-d");
        assert_eq!(text.as_slice(), b"Abc-d");
    }
}
