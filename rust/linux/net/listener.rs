// SPDX-License-Identifier: GPL-2.0

//! Listening TCP sockets driven by their callback.
//!
//! C header: [`include/net/sock.h`](srctree/include/net/sock.h).

use crate::linux::{
    bindings,
    net::{
        fields,
        ns::Net,
        socket::{
            Bind,
            Socket, //
        },
    },
    rcu::Retired,
};
use core::{
    ffi::c_void,
    net::SocketAddr, //
};
use kernel::{
    error::to_result,
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
/// There is an `owner`, and as long as there is a `socket` a pointer to it is the socket's user data.
/// It is given up no sooner than a grace period after that pointer was removed.
pub(crate) struct ListenSocket<A: Acceptor> {
    socket: Option<Socket>,
    calls: bindings::ktcpvs_sock_calls,
    owner: Option<Arc<A>>,
}

// SAFETY: The owner is `Send` and `Sync` by the bounds of `Acceptor`, the rest is.
unsafe impl<A: Acceptor> Send for ListenSocket<A> {}
// SAFETY: As above.
unsafe impl<A: Acceptor> Sync for ListenSocket<A> {}

impl<A: Acceptor> ListenSocket<A> {
    /// Listens on `addr` and tells `owner`. Process context.
    pub(crate) fn new(
        net: &Net,
        addr: &SocketAddr,
        backlog: i32,
        bind: Bind,
        owner: Arc<A>,
    ) -> Result<Self> {
        let mut calls = bindings::ktcpvs_sock_calls::default();
        // A socket that fails to listen never calls.
        let socket = Socket::listen(net, addr, backlog, bind, |socket| {
            calls = hook(socket, &owner)?;
            Ok(())
        })?;

        // INVARIANT: The pointer to `owner` was put in place by `hook()`.
        Ok(Self {
            socket: Some(socket),
            calls,
            owner: Some(owner),
        })
    }

    /// Takes a waiting connection, with the callbacks of a plain socket, or returns `EAGAIN`.
    /// Process context.
    pub(crate) fn accept(&self) -> Result<Socket> {
        let listener = self.socket.as_ref().ok_or(EINVAL)?;
        let child = listener.accept()?;

        // SAFETY: Both are valid. The child has inherited our `sk_data_ready`, but neither the user
        // data nor, as they were never ours, the other callbacks.
        unsafe {
            bindings::ktcpvs_sock_disinherit(
                child.sk().as_ptr(),
                listener.sk().as_ptr(),
                &self.calls,
            )
        };
        Ok(child)
    }

    /// Listens no more; connections that wait to be accepted are reset. Gives the owner back.
    /// Process context.
    pub(crate) fn close(mut self) -> Option<Retired<A>> {
        self.retire()
    }

    fn retire(&mut self) -> Option<Retired<A>> {
        if let Some(socket) = self.socket.take() {
            // SAFETY: `sk` is valid, and has our callback and user data.
            unsafe { bindings::ktcpvs_sock_unhook(socket.sk().as_ptr(), &self.calls) };
        }
        // A callback may still be running, for the listener or for a child being born with its
        // callbacks, which the grace period waits for.
        self.owner.take().map(Retired::new)
    }
}

impl<A: Acceptor> Drop for ListenSocket<A> {
    fn drop(&mut self) {
        drop(self.retire());
    }
}

/// Puts our callback into a socket that does not listen yet, and returns those that it had.
fn hook<A: Acceptor>(socket: &Socket, owner: &Arc<A>) -> Result<bindings::ktcpvs_sock_calls> {
    let owner: *mut c_void = Arc::as_ptr(owner).cast_mut().cast();
    let mut calls = bindings::ktcpvs_sock_calls {
        data_ready: Some(on_data_ready::<A>),
        ..Default::default()
    };

    // SAFETY: `sk` is valid. The user data is not inherited by children, and stays valid until a
    // grace period after it is removed.
    to_result(unsafe { bindings::ktcpvs_sock_hook(socket.sk().as_ptr(), owner, &mut calls) })?;
    Ok(calls)
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
    // SAFETY: TCP calls for a new child in softirq, inside an RCU read-side section, and the owner,
    // whose pointer came from `Arc::as_ptr()`, is kept for a grace period after that is removed.
    unsafe {
        let data: *mut c_void = bindings::ktcpvs_sock_user_data(sk);

        if !data.is_null() {
            A::pending(ArcBorrow::from_raw(data.cast::<A>().cast_const()));
        }
    }
}
