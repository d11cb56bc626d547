// SPDX-License-Identifier: GPL-2.0

//! The fields of a socket that are looked at several times a packet.
//!
//! bindgen cannot lay the structures out, and a shim in C costs a call for each look: so the
//! places of these fields are constants that the C compiler finds
//! (`rust/bindings/bindings_helper.h`).
//!
//! C headers: [`include/net/sock.h`](srctree/include/net/sock.h),
//! [`include/linux/tcp.h`](srctree/include/linux/tcp.h).

use crate::linux::bindings;
use ktcpvs_core::seq::Serial;

/// Reads the field at `offset`, once.
///
/// # Safety
///
/// `sk` must be valid, and have a `T` there.
#[inline(always)]
unsafe fn field<T: Copy>(sk: *mut bindings::sock, offset: u32) -> T {
    // SAFETY: By the safety requirements.
    unsafe { sk.byte_add(offset as usize).cast::<T>().read_volatile() }
}

/// `sk_state`.
///
/// # Safety
///
/// `sk` must be valid.
#[inline]
pub(super) unsafe fn state(sk: *mut bindings::sock) -> u8 {
    // SAFETY: Every socket has it.
    unsafe { field(sk, bindings::KTCPVS_SK_STATE) }
}

/// `sk_shutdown`.
///
/// # Safety
///
/// `sk` must be valid.
#[inline]
pub(super) unsafe fn shutdown(sk: *mut bindings::sock) -> u8 {
    // SAFETY: Every socket has it.
    unsafe { field(sk, bindings::KTCPVS_SK_SHUTDOWN) }
}

/// `tcp_mstamp`: when the last packet came or went, in microseconds.
///
/// # Safety
///
/// `sk` must be a TCP socket, and locked.
#[inline]
pub(super) unsafe fn last_packet(sk: *mut bindings::sock) -> u64 {
    // SAFETY: Every TCP socket has it.
    unsafe { field(sk, bindings::KTCPVS_TCP_MSTAMP) }
}

/// Whether a process owns the socket. Without the lock the answer is a hint.
///
/// # Safety
///
/// `sk` must be valid.
#[inline]
pub(super) unsafe fn owned(sk: *mut bindings::sock) -> bool {
    // SAFETY: Every socket has it.
    unsafe { field::<i32>(sk, bindings::KTCPVS_SK_OWNED) != 0 }
}

/// Bytes received in order and not yet consumed, a FIN not counted. As `tcp_inq()`.
///
/// # Safety
///
/// `sk` must be a TCP socket that is or was connected, or is being connected, and locked.
#[inline]
pub(super) unsafe fn unread(sk: *mut bindings::sock) -> u32 {
    // SAFETY: Every TCP socket has these.
    unsafe {
        let next: u32 = field(sk, bindings::KTCPVS_TCP_RCV_NXT);
        let copied: u32 = field(sk, bindings::KTCPVS_TCP_COPIED_SEQ);

        // Data that came with a SYN (RFC 7413) is read when the handshake is over.
        if next.since(copied) == 0 || state(sk) == bindings::TCP_SYN_RECV as u8 {
            return 0;
        }
        let flags: usize = field(sk, bindings::KTCPVS_SK_FLAGS);

        next.unread(copied, (flags >> bindings::KTCPVS_SK_FLAG_DONE) & 1 != 0)
    }
}
