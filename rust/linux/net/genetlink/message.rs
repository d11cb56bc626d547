// SPDX-License-Identifier: GPL-2.0

//! Netlink messages of ours.

use crate::linux::bindings;
use core::{
    ffi::c_void,
    marker::PhantomData,
    ptr::NonNull, //
};
use kernel::{
    error::to_result,
    prelude::*, //
};

/// A message of a dump in the making. It is cancelled unless it is ended.
///
/// # Invariants
///
/// `skb` is valid and ours alone for `'a`; `head` is the begin of a message in it.
pub(crate) struct Message<'a> {
    skb: *mut bindings::sk_buff,
    head: NonNull<c_void>,
    ended: bool,
    _skb: PhantomData<&'a mut ()>,
}

impl Message<'_> {
    /// Begins a message of command `cmd` in `skb`, an answer to what `cb` is for.
    ///
    /// # Safety
    ///
    /// Both must be valid, and `skb` the caller's alone, for the lifetime that the caller chooses.
    pub(super) unsafe fn begin(
        skb: *mut bindings::sk_buff,
        cb: *const bindings::netlink_callback,
        cmd: u8,
    ) -> Result<Self> {
        // SAFETY: By the safety requirements.
        let head = unsafe { bindings::ktcpvs_genl_begin(skb, cb, cmd) };

        // INVARIANT: The message was just begun.
        Ok(Self {
            skb,
            head: NonNull::new(head).ok_or(EMSGSIZE)?,
            ended: false,
            _skb: PhantomData,
        })
    }

    /// Ends the message: it is to be sent.
    pub(super) fn end(mut self) {
        self.ended = true;
        // SAFETY: By the type invariants.
        unsafe { bindings::ktcpvs_genl_end(self.skb, self.head.as_ptr()) };
    }

    /// Adds an attribute. Fails with `EMSGSIZE` where there is no room.
    pub(crate) fn bytes(&mut self, kind: u16, value: &[u8]) -> Result {
        // SAFETY: By the type invariants; `value` is as long as it says.
        to_result(unsafe {
            bindings::nla_put(
                self.skb,
                kind.into(),
                value.len() as i32,
                value.as_ptr().cast(),
            )
        })
    }

    /// Adds a string, with the NUL that ends it.
    pub(crate) fn string(&mut self, kind: u16, value: &[u8]) -> Result {
        // SAFETY: By the type invariants. The room that is reserved is `len` bytes behind a header
        // of four bytes; the kernel clears the padding.
        unsafe {
            let len = value.len() + 1;
            let attr = bindings::ktcpvs_genl_reserve(self.skb, kind, len as u32);
            let attr = NonNull::new(attr).ok_or(EMSGSIZE)?;

            core::ptr::copy_nonoverlapping(value.as_ptr(), attr.as_ptr(), value.len());
            attr.as_ptr().add(value.len()).write(0);
        }
        Ok(())
    }

    /// Adds a value of 8 bits.
    pub(crate) fn u8(&mut self, kind: u16, value: u8) -> Result {
        self.bytes(kind, &[value])
    }

    /// Adds a value of 16 bits in the network's byte order.
    pub(crate) fn be16(&mut self, kind: u16, value: u16) -> Result {
        self.bytes(kind, &value.to_be_bytes())
    }

    /// Adds a value of 32 bits.
    pub(crate) fn u32(&mut self, kind: u16, value: u32) -> Result {
        self.bytes(kind, &value.to_ne_bytes())
    }

    /// Adds a value of 64 bits that readers know as `NLA_UINT`.
    pub(crate) fn uint(&mut self, kind: u16, value: u64) -> Result {
        self.bytes(kind, &value.to_ne_bytes())
    }

    /// Adds an attribute that says something by being there.
    pub(crate) fn flag(&mut self, kind: u16) -> Result {
        self.bytes(kind, &[])
    }

    /// Adds an attribute of attributes, which `fill` adds.
    pub(crate) fn nest(&mut self, kind: u16, fill: impl FnOnce(&mut Self) -> Result) -> Result {
        // SAFETY: By the type invariants.
        let nest = unsafe { bindings::ktcpvs_genl_nest_begin(self.skb, kind) };

        if nest.is_null() {
            return Err(EMSGSIZE);
        }
        fill(self)?;
        // SAFETY: The nest was begun above, in the same message.
        unsafe { bindings::ktcpvs_genl_nest_end(self.skb, nest) };
        Ok(())
    }
}

impl Drop for Message<'_> {
    fn drop(&mut self) {
        if !self.ended {
            // SAFETY: By the type invariants. Whatever nests are open go with the message.
            unsafe { bindings::ktcpvs_genl_cancel(self.skb, self.head.as_ptr()) };
        }
    }
}
