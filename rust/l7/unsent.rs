// SPDX-License-Identifier: GPL-2.0

//! Bytes of our own making that have not left: the socket had no room yet, or they are held back.

use crate::linux::net::Wire;
use kernel::prelude::*;

/// Bytes that must leave before any others do. Seldom any.
pub(super) struct Unsent {
    bytes: KVec<u8>,
    /// How many of `bytes` have left.
    done: usize,
}

impl Unsent {
    /// Nothing is unsent.
    pub(super) const fn new() -> Self {
        Self {
            bytes: KVec::new(),
            done: 0,
        }
    }

    /// Whether everything has left.
    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Sends a copy of `bytes` behind what is unsent, and keeps what finds no room. Fails if the
    /// other end is gone, or without memory.
    pub(super) fn send(&mut self, wire: &mut Wire<'_>, bytes: &[u8], more: bool) -> Result {
        let mut sent = 0;

        if self.flush(wire)? {
            sent = accepted(wire.send(bytes, more))?;
        }
        if let Some(rest) = bytes.get(sent..).filter(|rest| !rest.is_empty()) {
            self.keep(rest)?;
        }
        Ok(())
    }

    /// Keeps a copy of `bytes` behind what is unsent. Fails without memory.
    pub(super) fn keep(&mut self, bytes: &[u8]) -> Result {
        Ok(self.bytes.extend_from_slice(bytes, GFP_ATOMIC)?)
    }

    /// Sends what is unsent. Returns whether all of it has left now.
    #[inline]
    pub(super) fn flush(&mut self, wire: &mut Wire<'_>) -> Result<bool> {
        if self.is_empty() {
            return Ok(true);
        }
        self.flush_before(wire, false)
    }

    /// As [`Self::flush`]; `more` says that other bytes follow at once.
    pub(super) fn flush_before(&mut self, wire: &mut Wire<'_>, more: bool) -> Result<bool> {
        while let Some(rest) = self.bytes.get(self.done..).filter(|rest| !rest.is_empty()) {
            let sent = accepted(wire.send(rest, more))?;

            if sent == 0 {
                return Ok(false);
            }
            self.done += sent;
        }
        if !self.bytes.is_empty() {
            self.bytes = KVec::new();
            self.done = 0;
        }
        Ok(true)
    }
}

/// How many bytes a send took: none, where there is no room or no memory now.
fn accepted(sent: Result<usize>) -> Result<usize> {
    match sent {
        Err(e) if e == EAGAIN || e == ENOMEM => Ok(0),
        other => other,
    }
}
