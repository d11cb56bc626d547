// SPDX-License-Identifier: GPL-2.0

//! Listening TCP sockets driven by their callback.
//!
//! C header: [`include/net/sock.h`](srctree/include/net/sock.h).

use crate::linux::{
    bindings,
    net::{
        fields,
        ns::Net,
        socket::Socket, //
    },
};
use core::{
    ffi::c_void,
    net::SocketAddr,
    ptr, //
};
use kernel::{
    prelude::*,
    sync::{
        Arc,
        ArcBorrow, //
    },
};

/// Who wants to know that connections wait to be accepted.
pub(crate) trait Acceptor: Sized + Send + Sync + 'static {
    /// A connection waits. Called in softirq: queue the work of accepting it.
    fn pending(this: ArcBorrow<'_, Self>);
}

/// A listening socket that tells an [`Acceptor`] of its connections.
///
/// # Invariants
///
/// `owner` is a reference to an acceptor of the type that `drop_owner` is for. It is the socket's
/// user data until `drop()`, in which it is given up after a grace period.
pub(crate) struct ListenSocket {
    socket: Option<Socket>,
    calls: bindings::ktcpvs_sock_calls,
    owner: *mut c_void,
    drop_owner: unsafe fn(*mut c_void),
}

// SAFETY: The owner is `Send` and `Sync` by the bounds of `Acceptor`, the rest is.
unsafe impl Send for ListenSocket {}
// SAFETY: As above.
unsafe impl Sync for ListenSocket {}

impl ListenSocket {
    /// Listens on `addr` and tells `owner`. Process context.
    pub(crate) fn new<A: Acceptor>(
        net: &Net,
        addr: &SocketAddr,
        backlog: i32,
        owner: Arc<A>,
    ) -> Result<Self> {
        let owner: *mut c_void = Arc::into_raw(owner).cast_mut().cast();
        let mut calls = None;
        let socket = Socket::listen(net, addr, backlog, |socket| {
            calls = Some(hook::<A>(socket, owner));
        });

        match (socket, calls) {
            // INVARIANT: `owner` was put in place by `hook()`.
            (Ok(socket), Some(calls)) => Ok(Self {
                socket: Some(socket),
                calls,
                owner,
                drop_owner: drop_owner::<A>,
            }),
            (socket, _) => {
                // A socket that failed to listen has never called.
                // SAFETY: `owner` came from `Arc::into_raw()` above.
                unsafe { drop_owner::<A>(owner) };
                Err(socket.err().unwrap_or(EINVAL))
            }
        }
    }

    /// Takes a waiting connection, with the callbacks of a plain socket, or returns `EAGAIN`.
    /// Process context.
    pub(crate) fn accept(&self) -> Result<Socket> {
        let child = self.socket.as_ref().ok_or(EINVAL)?.accept()?;
        // The child has inherited our `sk_data_ready`, but the other callbacks were never ours.
        let mut calls = self.calls;

        // SAFETY: The child's `sk` is valid, and the callbacks are TCP's own.
        unsafe {
            bindings::ktcpvs_sock_swap_calls(
                child.sk().as_ptr(),
                ptr::null_mut(),
                false,
                &mut calls,
            )
        };
        Ok(child)
    }
}

impl Drop for ListenSocket {
    fn drop(&mut self) {
        if let Some(socket) = self.socket.take() {
            let mut calls = self.calls;

            // SAFETY: `sk` is valid, and the callbacks are those that it had.
            unsafe {
                bindings::ktcpvs_sock_swap_calls(
                    socket.sk().as_ptr(),
                    ptr::null_mut(),
                    false,
                    &mut calls,
                )
            };
        }
        // A callback may still be running, for the listener or for a child being born with its
        // callbacks.
        // SAFETY: Process context, no lock held. Afterwards nobody can find the owner through the
        // socket, and the reference is ours to drop.
        unsafe {
            bindings::synchronize_net();
            (self.drop_owner)(self.owner);
        }
    }
}

/// Puts our callback into a socket that does not listen yet, and returns those that it had.
fn hook<A: Acceptor>(socket: &Socket, owner: *mut c_void) -> bindings::ktcpvs_sock_calls {
    let sk = socket.sk().as_ptr();
    let mut calls = bindings::ktcpvs_sock_calls::default();

    // SAFETY: `sk` is valid, and nobody changes its callbacks.
    unsafe { bindings::ktcpvs_sock_get_calls(sk, &mut calls) };
    calls.data_ready = Some(on_data_ready::<A>);
    // SAFETY: `sk` is valid. The user data is not inherited by children, and stays valid until a
    // grace period after it is removed.
    unsafe { bindings::ktcpvs_sock_swap_calls(sk, owner, true, &mut calls) };
    calls
}

/// Drops the reference to an `A` that was a socket's user data.
///
/// # Safety
///
/// `data` must come from `Arc::<A>::into_raw()`, and be given up by the caller.
unsafe fn drop_owner<A: Acceptor>(data: *mut c_void) {
    // SAFETY: By the safety requirements.
    drop(unsafe { Arc::<A>::from_raw(data.cast::<A>().cast_const()) });
}

/// `sk_data_ready` of a listener, and of its children until they are accepted.
///
/// # Safety
///
/// To be called by TCP only, as what it is.
unsafe extern "C" fn on_data_ready<A: Acceptor>(sk: *mut bindings::sock) {
    // SAFETY: TCP calls with a valid socket.
    if unsafe { fields::state(sk) } != bindings::TCP_LISTEN as u8 {
        return;
    }
    // SAFETY: TCP calls for a new child in softirq, inside an RCU read-side section, and the
    // reference is dropped a grace period after the user data is cleared.
    unsafe {
        let data: *mut c_void = bindings::ktcpvs_sock_user_data(sk);

        if !data.is_null() {
            A::pending(ArcBorrow::from_raw(data.cast::<A>().cast_const()));
        }
    }
}
