// SPDX-License-Identifier: GPL-2.0

//! What can be done with a locked TCP socket: looking at what has come without consuming it, and
//! sending, with or without a copy.
//!
//! Nothing here sleeps, so that it serves in softirq as well as in process context.
//!
//! C headers: [`include/net/tcp.h`](srctree/include/net/tcp.h),
//! [`include/linux/skbuff.h`](srctree/include/linux/skbuff.h).

use crate::linux::{
    bindings,
    net::fields, //
};
use core::{
    marker::PhantomData,
    mem::MaybeUninit,
    ops::ControlFlow,
    ptr::{
        self,
        NonNull, //
    },
    slice,
};
use kernel::prelude::*;

/// How many page fragments one send takes.
const GATHER: usize = 24;

/// A TCP socket whose lock is held.
///
/// # Invariants
///
/// `sk` is valid and its lock is held for `'a`, in softirq or by this process.
pub(crate) struct Wire<'a> {
    sk: NonNull<bindings::sock>,
    _lock: PhantomData<&'a mut bindings::sock>,
}

impl<'a> Wire<'a> {
    /// # Safety
    ///
    /// `sk` must be valid and its lock be held for `'a`.
    pub(super) unsafe fn new(sk: NonNull<bindings::sock>) -> Self {
        // INVARIANT: By the safety requirements.
        Self {
            sk,
            _lock: PhantomData,
        }
    }

    /// Bytes that have come in order and are not consumed.
    #[inline]
    pub(crate) fn unread(&self) -> usize {
        // SAFETY: By the type invariants.
        unsafe { fields::unread(self.sk.as_ptr()) as usize }
    }

    /// When the last packet came or went, in microseconds of TCP's clock.
    #[inline]
    pub(crate) fn last_packet(&self) -> u64 {
        // SAFETY: By the type invariants.
        unsafe { fields::last_packet(self.sk.as_ptr()) }
    }

    /// Whether the other end has said that no more bytes come, or cannot say anything any more.
    /// What is unread is still to be read.
    #[inline]
    pub(crate) fn ended(&self) -> bool {
        self.closed() || self.flags() & bindings::RCV_SHUTDOWN as u8 != 0
    }

    /// Whether the connection is over in both directions: closed, reset or failed.
    #[inline]
    pub(crate) fn closed(&self) -> bool {
        self.tcp_state() == bindings::TCP_CLOSE as u8
    }

    /// Whether the connection ended with an error, such as a reset.
    pub(crate) fn failed(&self) -> bool {
        // SAFETY: By the type invariants.
        unsafe { bindings::ktcpvs_sock_err(self.sk.as_ptr()) != 0 }
    }

    /// Whether the connection is up in both directions.
    #[inline]
    pub(crate) fn established(&self) -> bool {
        self.tcp_state() == bindings::TCP_ESTABLISHED as u8
    }

    /// Whether the handshake is still under way.
    pub(crate) fn connecting(&self) -> bool {
        self.tcp_state() == bindings::TCP_SYN_SENT as u8
    }

    /// Shows the unread bytes from number `skip` on, at most `len` of them, piece by piece, until
    /// `each` breaks. Fails with `EIO` where bytes cannot be read by the CPU.
    pub(crate) fn pieces<B>(
        &self,
        mut skip: usize,
        mut len: usize,
        mut each: impl FnMut(&[u8]) -> ControlFlow<B>,
    ) -> Result<Option<B>> {
        let mut after = ptr::null_mut();

        while len > 0 {
            let mut offset = 0;
            // SAFETY: `sk` is valid and locked, so its queue does not change; `after` is null or
            // in that queue.
            let skb = unsafe {
                bindings::ktcpvs_skb_find(self.sk.as_ptr(), after, skip as u32, &mut offset)
            };
            let Some(skb) = NonNull::new(skb) else {
                break;
            };
            // SAFETY: `skb` is in the queue. Slices of its bytes can be in use only if it was looked at
            // before, and then nothing is done to it.
            if !unsafe { bindings::ktcpvs_skb_own(skb.as_ptr()) } {
                return Err(EIO);
            }
            // SAFETY: `skb` is in the queue, and `offset` in the buffer.
            let size = unsafe { bindings::ktcpvs_skb_len(skb.as_ptr()) } - offset;
            let mut left = (size as usize).min(len);

            while left > 0 {
                let piece = Self::piece(skb, offset)?;
                let piece = &piece[..piece.len().min(left)];

                if let ControlFlow::Break(value) = each(piece) {
                    return Ok(Some(value));
                }
                offset += piece.len() as u32;
                skip += piece.len();
                len -= piece.len();
                left -= piece.len();
            }
            after = skb.as_ptr();
        }
        Ok(None)
    }

    /// The contiguous bytes at `offset` of a buffer in this queue; at least one.
    fn piece<'b>(skb: NonNull<bindings::sk_buff>, offset: u32) -> Result<&'b [u8]>
    where
        'a: 'b,
    {
        let mut piece = bindings::ktcpvs_piece {
            data: ptr::null(),
            len: 0,
        };
        // SAFETY: `skb` is valid and `piece` is a place for the result.
        let ret = unsafe { bindings::ktcpvs_skb_piece(skb.as_ptr(), offset, &mut piece) };

        if ret != 0 || piece.len == 0 {
            return Err(EIO);
        }
        // SAFETY: The buffer stays in the queue while the lock is held, and its bytes are its own, so
        // that nobody writes to them: our caller has seen to that.
        Ok(unsafe { slice::from_raw_parts(piece.data, piece.len) })
    }

    /// The first unread bytes, as many as are contiguous; none, if they cannot be read.
    ///
    /// The slice borrows the socket, so nothing can be consumed while it is in use.
    pub(crate) fn first_piece(&self) -> &[u8] {
        let mut piece = bindings::ktcpvs_piece {
            data: ptr::null(),
            len: 0,
        };

        // SAFETY: `sk` is valid and locked, and `piece` is a place for the result.
        unsafe { bindings::ktcpvs_skb_first(self.sk.as_ptr(), &mut piece) };
        if piece.len == 0 {
            return &[];
        }
        // SAFETY: The buffer stays in the queue while the lock is held and `self` borrowed, and its
        // bytes are its own, so that nobody writes to them.
        unsafe { slice::from_raw_parts(piece.data, piece.len) }
    }

    /// As [`Self::first_piece`]; but bytes that somebody else may write to are copied to `room`, as
    /// many as fit, and stay as they are in the queue. `copied` says whether they were.
    pub(crate) fn view<'b>(&'b self, room: &'b mut [u8], copied: &mut bool) -> &'b [u8] {
        let mut piece = bindings::ktcpvs_piece {
            data: ptr::null(),
            len: 0,
        };

        // SAFETY: `sk` is valid and locked, `room` has room for its length, and `piece` is a place
        // for the result.
        *copied = unsafe {
            bindings::ktcpvs_skb_view(
                self.sk.as_ptr(),
                room.as_mut_ptr().cast(),
                room.len() as u32,
                &mut piece,
            )
        };
        if *copied {
            return room.get(..piece.len).unwrap_or_default();
        }
        if piece.len == 0 {
            return &[];
        }
        // SAFETY: As in `first_piece()`.
        unsafe { slice::from_raw_parts(piece.data, piece.len) }
    }

    /// The first `len` unread bytes, in place if they are contiguous. As [`Self::first_piece`].
    pub(crate) fn contiguous(&self, len: usize) -> Option<&[u8]> {
        self.first_piece().get(..len)
    }

    /// Copies unread bytes from number 0 on into all of `out`. `EIO` if there are not so many.
    pub(crate) fn copy(&self, out: &mut [u8]) -> Result {
        let mut done = 0;
        let want = out.len();

        self.pieces(0, want, |piece| {
            if let Some(place) = out.get_mut(done..done + piece.len()) {
                place.copy_from_slice(piece);
            }
            done += piece.len();
            ControlFlow::<()>::Continue(())
        })?;
        if done == want {
            Ok(())
        } else {
            Err(EIO)
        }
    }

    /// Consumes `len` unread bytes.
    pub(crate) fn consume(&mut self, len: usize) {
        // SAFETY: By the type invariants.
        unsafe { bindings::tcp_read_done(self.sk.as_ptr(), len) };
    }

    /// Says that bytes are about to go back, so that the acknowledgement of what is consumed next
    /// can ride on them.
    pub(crate) fn expect_reply(&mut self) {
        // SAFETY: By the type invariants.
        unsafe { bindings::ktcpvs_tcp_expect_reply(self.sk.as_ptr()) };
    }

    /// Lets `len` more bytes come before anything is consumed, as far as the namespace's limit of
    /// receive buffers allows.
    pub(crate) fn make_room(&mut self, len: usize) {
        if self.established() {
            let len = len.min(i32::MAX as usize) as u32;

            // SAFETY: By the type invariants.
            unsafe { bindings::ktcpvs_tcp_make_room(self.sk.as_ptr(), len) };
        }
    }

    /// Sends a copy of `bytes`; `more` says that others follow at once. Returns how many were
    /// taken: less than all, or `EAGAIN`, where there is no room now.
    pub(crate) fn send(&mut self, bytes: &[u8], more: bool) -> Result<usize> {
        // SAFETY: By the type invariants; `bytes` is readable and is copied.
        let ret = unsafe {
            bindings::ktcpvs_tcp_send(self.sk.as_ptr(), bytes.as_ptr().cast(), bytes.len(), more)
        };

        taken(ret)
    }

    /// Sends the unread bytes of `from` from number `skip` on, at most `len`, by reference where
    /// they lie in page fragments. They stay unread. Returns how many were taken, at least one, or
    /// `EAGAIN` where there is no room now or nothing to send.
    pub(crate) fn send_from(
        &mut self,
        from: &Wire<'_>,
        skip: usize,
        len: usize,
        more: bool,
    ) -> Result<usize> {
        let mut sent = if more { 0 } else { self.relay(from, skip, len) };

        while sent < len {
            let step = match self.splice_once(from, skip + sent, len - sent, more) {
                Ok((0, _)) => self
                    .copy_once(from, skip + sent, len - sent, more)
                    .map(|n| (n, n)),
                other => other,
            };

            match step {
                Ok((taken, offered)) => {
                    sent += taken;
                    if taken < offered || taken == 0 {
                        break;
                    }
                }
                Err(e) if sent == 0 => return Err(e),
                Err(_) => break,
            }
        }
        if sent == 0 {
            return Err(EAGAIN);
        }
        Ok(sent)
    }

    /// Sends without the system call's detours where nothing is in the way. Returns how many bytes
    /// were taken; others must go by [`Self::splice_once`] or [`Self::copy_once`].
    fn relay(&mut self, from: &Wire<'_>, skip: usize, len: usize) -> usize {
        let len = len.min(i32::MAX as usize) as u32;

        // SAFETY: By the type invariants of both.
        let taken = unsafe {
            bindings::ktcpvs_tcp_relay(self.sk.as_ptr(), from.sk.as_ptr(), skip as u32, len)
        };

        taken as usize
    }

    /// Sends the first `len` unread bytes of `from` by reference, with a copy of `extra` before
    /// number `at`. They stay unread. Whether that was done: all of it, or nothing.
    pub(crate) fn send_from_with(
        &mut self,
        from: &Wire<'_>,
        at: usize,
        len: usize,
        extra: &[u8],
    ) -> bool {
        let (Ok(at), Ok(len)) = (u32::try_from(at), u32::try_from(len)) else {
            return false;
        };
        if at > len {
            return false;
        }
        // SAFETY: By the type invariants of both; `extra` is readable and is copied.
        unsafe {
            bindings::ktcpvs_tcp_relay_with(
                self.sk.as_ptr(),
                from.sk.as_ptr(),
                at,
                len,
                extra.as_ptr().cast(),
                extra.len() as u32,
            )
        }
    }

    /// One send by reference. Returns how many bytes were taken, and offered: none, if the next
    /// ones are not in page fragments.
    fn splice_once(
        &mut self,
        from: &Wire<'_>,
        skip: usize,
        len: usize,
        more: bool,
    ) -> Result<(usize, usize)> {
        let mut bv = [const { MaybeUninit::<bindings::bio_vec>::uninit() }; GATHER];
        let mut total = 0;
        // SAFETY: `from` is locked, so its queue does not change; `bv` has room for `GATHER`.
        let nr = unsafe {
            bindings::ktcpvs_skb_gather(
                from.sk.as_ptr(),
                skip as u32,
                len.min(i32::MAX as usize) as u32,
                bv.as_mut_ptr().cast(),
                GATHER as u32,
                &mut total,
            )
        };

        if nr == 0 {
            return Ok((0, 0));
        }
        let total = total as usize;
        // SAFETY: `bv` describes `nr` fragments of pages that the queue of `from` holds; what the
        // send keeps, it takes references to.
        let ret = unsafe {
            bindings::ktcpvs_tcp_splice(
                self.sk.as_ptr(),
                bv.as_ptr().cast(),
                nr,
                total,
                more || total < len,
            )
        };

        Ok((taken(ret)?, total))
    }

    /// One send by copy, of the next contiguous bytes.
    fn copy_once(&mut self, from: &Wire<'_>, skip: usize, len: usize, more: bool) -> Result<usize> {
        from.pieces(skip, len, |piece| {
            ControlFlow::Break(self.send(piece, more || piece.len() < len))
        })?
        .unwrap_or(Ok(0))
    }

    /// Whether a send that found no room did so for want of memory, so that nobody will say when
    /// there is some.
    pub(crate) fn starved(&self) -> bool {
        // SAFETY: By the type invariants.
        unsafe { bindings::ktcpvs_tcp_starved(self.sk.as_ptr()) }
    }

    /// How far the other end has come in acknowledging what was sent: a number that changes with
    /// each step. `None`: it has acknowledged all, or never will.
    pub(crate) fn outstanding(&self) -> Option<u32> {
        let mut una = 0;
        // SAFETY: By the type invariants; `una` is a place for the result.
        let any = unsafe { bindings::ktcpvs_tcp_outstanding(self.sk.as_ptr(), &mut una) };

        any.then_some(una)
    }

    /// Whether the other end has acknowledged all that was sent, or never will. If neither, the
    /// endpoint hears of the next acknowledgment as of room to send.
    pub(crate) fn drained(&mut self) -> bool {
        // SAFETY: By the type invariants; the stream has not been released, so that the socket has
        // its `sk_socket`.
        unsafe { bindings::ktcpvs_tcp_drained(self.sk.as_ptr()) }
    }

    /// Sends a FIN behind what is queued. False without memory for one: then nothing has changed.
    #[must_use]
    pub(crate) fn shutdown_send(&mut self) -> bool {
        // SAFETY: By the type invariants.
        unsafe { bindings::ktcpvs_tcp_shutdown_send(self.sk.as_ptr(), false) }
    }

    #[inline]
    fn tcp_state(&self) -> u8 {
        // SAFETY: By the type invariants.
        unsafe { fields::state(self.sk.as_ptr()) }
    }

    #[inline]
    fn flags(&self) -> u8 {
        // SAFETY: By the type invariants.
        unsafe { fields::shutdown(self.sk.as_ptr()) }
    }
}

/// The result of a send.
fn taken(ret: i32) -> Result<usize> {
    if ret < 0 {
        Err(Error::from_errno(ret))
    } else {
        Ok(ret as usize)
    }
}
