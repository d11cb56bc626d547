// SPDX-License-Identifier: GPL-2.0

//! Established TCP connections driven by their callbacks.
//!
//! A [`Stream`] is a connected socket with a state that the socket's own lock protects. TCP calls
//! the [`Endpoint`] that owns the stream when bytes, room or a change of state arrive. All of it
//! can be used in three ways, which [`Locked`] hides:
//!
//! - inside a callback, in softirq, where the stack already has the lock;
//! - in softirq outside a callback, with `bh_lock_sock()`;
//! - in process context, with `lock_sock()`.
//!
//! C header: [`include/net/sock.h`](srctree/include/net/sock.h).

use crate::linux::{
    bindings,
    net::{
        fields,
        socket::Socket,
        wire::Wire, //
    },
};
use core::{
    cell::UnsafeCell,
    ffi::c_void,
    ptr::{
        self,
        NonNull, //
    },
};
use kernel::{
    error::to_result,
    prelude::*,
    sync::{
        Arc,
        ArcBorrow, //
    },
};

/// The owner of a [`Stream`]: what TCP calls.
///
/// The callbacks run in softirq or in process context, and must not sleep. `locked` is given
/// where the callback has the stream to itself; it is absent where a process owns the socket, or
/// where the callback was caused by a send of our own. Then all that may be done is to queue.
pub(crate) trait Endpoint: Sized + Send + Sync + 'static {
    /// What the socket's lock protects beside the socket.
    type State: Send;

    /// The stream that this endpoint owns. Always the same.
    fn stream(&self) -> &Stream<Self::State>;

    /// Bytes have come, or the end of them.
    fn readable(this: ArcBorrow<'_, Self>, locked: Option<Locked<'_, Self::State>>);

    /// There is room again after a send that found none.
    fn writable(this: ArcBorrow<'_, Self>);

    /// The connection was established, ended or failed.
    fn state_changed(this: ArcBorrow<'_, Self>, locked: Option<Locked<'_, Self::State>>);
}

/// What [`Stream::attach`] replaced.
struct Attached {
    /// The callbacks that were there.
    calls: bindings::ktcpvs_sock_calls,
    /// Drops the reference to the endpoint that is the socket's user data.
    drop_owner: unsafe fn(*mut c_void),
}

/// What the socket's lock protects of a stream's own.
struct Inner {
    /// The socket; `None` once released.
    socket: Option<Socket>,
    /// What to put back and to give up, if our callbacks are in place.
    attached: Option<Attached>,
    /// Whether a [`Locked`] of a softirq exists. Meaningful in softirq only.
    held: bool,
}

/// A connected TCP socket with a state `S` that the socket's lock protects.
///
/// # Invariants
///
/// `sk` is valid: the stream owns a reference to it. `inner` and `state` are touched only by who
/// has the socket's lock: its spinlock in softirq while no process owns the socket, or its
/// ownership in process context.
pub(crate) struct Stream<S> {
    sk: NonNull<bindings::sock>,
    inner: UnsafeCell<Inner>,
    state: UnsafeCell<S>,
}

// SAFETY: The `struct sock` is reference-counted, and all else is behind its lock.
unsafe impl<S: Send> Send for Stream<S> {}
// SAFETY: As above.
unsafe impl<S: Send> Sync for Stream<S> {}

impl<S: Send> Stream<S> {
    /// Makes a stream of a connected or connecting socket. It is silent until [`attach`]ed.
    ///
    /// [`attach`]: Stream::attach
    pub(crate) fn new(socket: Socket, state: S) -> Self {
        let sk = socket.sk();

        // SAFETY: `socket` keeps `sk` valid; the reference is given up in `drop()`.
        unsafe { bindings::ktcpvs_sock_hold(sk.as_ptr()) };
        // INVARIANT: The reference was just taken, and nobody else knows the stream yet.
        Self {
            sk,
            inner: UnsafeCell::new(Inner {
                socket: Some(socket),
                attached: None,
                held: false,
            }),
            state: UnsafeCell::new(state),
        }
    }

    /// Directs the callbacks of `this`' socket to `this`, which then holds a reference to itself
    /// until [`release`]d. Process context.
    ///
    /// What arrived before is not announced: look once afterwards. `EBUSY` where somebody else has
    /// the socket's callbacks already; then all that can be done is to release it.
    ///
    /// [`release`]: Stream::release
    pub(crate) fn attach<E: Endpoint<State = S>>(this: &Arc<E>) -> Result {
        let stream = this.stream();
        let mut calls = bindings::ktcpvs_sock_calls {
            data_ready: Some(on_data_ready::<E>),
            write_space: Some(on_write_space::<E>),
            state_change: Some(on_state_change::<E>),
        };
        let _locked = stream.lock(Order::First).ok_or(ENOTCONN)?;
        let sk = stream.sk.as_ptr();
        // SAFETY: `_locked` is the socket's lock.
        let inner = unsafe { &mut *stream.inner.get() };

        if inner.attached.is_none() {
            // SAFETY: `sk` is valid and locked. The reference put in as user data is left there
            // below, and taken back in `release()`, after which no callback runs, as all of them
            // run under the lock.
            to_result(unsafe {
                let owner = Arc::as_ptr(this).cast_mut().cast();

                bindings::ktcpvs_sock_hook(sk, owner, &mut calls)
            })?;
            let _ = Arc::into_raw(this.clone());
            // SAFETY: `sk` is valid and locked.
            unsafe { bindings::ktcpvs_sock_prepare(sk) };
            inner.attached = Some(Attached {
                calls,
                drop_owner: drop_owner::<E>,
            });
        }
        Ok(())
    }

    /// Puts the socket's callbacks back and releases it: with a FIN, or with a reset if
    /// something is unread or `reset` asks for it. Does nothing the second time. Process context.
    ///
    /// The caller must have a reference to the endpoint of its own.
    pub(crate) fn release(&self, reset: bool) {
        let sk = self.sk.as_ptr();
        let Some(locked) = self.lock(Order::First) else {
            return;
        };
        // SAFETY: `locked` is the socket's lock.
        let inner = unsafe { &mut *self.inner.get() };
        let mut owner = None;

        if let Some(Attached { calls, drop_owner }) = inner.attached.take() {
            // SAFETY: `sk` is valid and locked; our callbacks are in place, so that the user data
            // is the reference that `attach()` put there.
            unsafe {
                owner = Some((bindings::ktcpvs_sock_user_data(sk), drop_owner));
                bindings::ktcpvs_sock_unhook(sk, &calls);
            }
        }
        let socket = inner.socket.take();

        drop(locked);
        if let Some(socket) = socket {
            if reset {
                socket.reset_on_release();
            }
        }
        if let Some((data, drop_owner)) = owner {
            // SAFETY: `data` is the reference that `attach()` left, of the type that it left
            // `drop_owner` for, and no callback can reach it any more.
            unsafe { drop_owner(data) };
        }
    }

    /// Takes the lock in process context, waiting for it. `None` if the stream was released.
    pub(crate) fn lock(&self, order: Order) -> Option<Locked<'_, S>> {
        // SAFETY: `sk` is valid.
        unsafe { bindings::lock_sock_nested(self.sk.as_ptr(), order as i32) };
        self.locked(How::Process)
    }

    /// Takes the lock in softirq, waiting for another CPU but never for a process. `None` if a
    /// process owns the socket, or if the stream was released, or outside softirq.
    pub(crate) fn lock_softirq(&self, order: Order) -> Option<Locked<'_, S>> {
        // SAFETY: No requirements.
        if !unsafe { bindings::ktcpvs_in_softirq() } {
            return None;
        }
        // SAFETY: `sk` is valid, and softirqs are off on this CPU.
        unsafe {
            match order {
                Order::First => bindings::ktcpvs_bh_lock_sock(self.sk.as_ptr()),
                Order::Second => bindings::ktcpvs_bh_lock_sock_nested(self.sk.as_ptr()),
            }
        }
        self.locked_softirq()
    }

    /// Like [`lock_softirq`](Self::lock_softirq), but waits for nobody, and so needs no order.
    pub(crate) fn try_lock_softirq(&self) -> Option<Locked<'_, S>> {
        // SAFETY: `sk` is valid.
        if unsafe { bindings::ktcpvs_bh_trylock_sock(self.sk.as_ptr()) } {
            self.locked(How::Softirq)
        } else {
            None
        }
    }

    /// Whether a process owns the socket: a hint, without the lock.
    pub(crate) fn owned(&self) -> bool {
        // SAFETY: `sk` is valid.
        unsafe { fields::owned(self.sk.as_ptr()) }
    }

    /// What the socket takes, in bytes, with all that is buffered in it: an estimate, without the
    /// lock.
    pub(crate) fn memory(&self) -> u64 {
        let sk = self.sk.as_ptr();

        // SAFETY: `sk` is valid, released or not.
        let (size, buffered) = unsafe {
            (
                bindings::ktcpvs_sock_size(sk),
                bindings::ktcpvs_sock_buffered(sk),
            )
        };

        u64::from(size) + u64::from(buffered)
    }

    /// Goes on with the spinlock just taken in softirq.
    fn locked_softirq(&self) -> Option<Locked<'_, S>> {
        let sk = self.sk.as_ptr();

        // SAFETY: `sk` is valid, and we have its spinlock.
        if unsafe { fields::owned(sk) } {
            // SAFETY: The caller took the spinlock.
            unsafe { bindings::ktcpvs_bh_unlock_sock(sk) };
            return None;
        }
        self.locked(How::Softirq)
    }

    /// Makes the guard of a lock just taken, or gives it back if the stream was released.
    fn locked(&self, how: How) -> Option<Locked<'_, S>> {
        // SAFETY: The caller has just taken the lock.
        let inner = unsafe { &mut *self.inner.get() };
        let alive = inner.socket.is_some();

        inner.held = !matches!(how, How::Process);
        // INVARIANT: The lock is ours, and in softirq `held` says so.
        let locked = Locked { stream: self, how };
        alive.then_some(locked)
    }
}

impl<S> Drop for Stream<S> {
    fn drop(&mut self) {
        // A socket can only be released in process context, which this need not be.
        let released = self.inner.get_mut().socket.is_none();

        if !released {
            pr_err!("stream dropped before its release\n");
        }
        // SAFETY: The stream owns a reference, and nobody can use it any more.
        unsafe { bindings::ktcpvs_sock_put(self.sk.as_ptr()) };
    }
}

/// Drops the reference to an `E` that was a socket's user data.
///
/// # Safety
///
/// `data` must come from `Arc::<E>::into_raw()`, and be given up by the caller.
unsafe fn drop_owner<E: Endpoint>(data: *mut c_void) {
    // SAFETY: By the safety requirements.
    drop(unsafe { Arc::<E>::from_raw(data.cast::<E>().cast_const()) });
}

/// Which of two nested stream locks this is. Always client first, then server.
#[derive(Clone, Copy)]
pub(crate) enum Order {
    /// The outer one.
    First = 0,
    /// The inner one.
    Second = 1,
}

/// How a lock was taken, and so how it is given back.
enum How {
    /// By the stack, which called us and gives it back itself.
    Callback,
    /// By `bh_lock_sock()`.
    Softirq,
    /// By `lock_sock()`.
    Process,
}

/// Evidence of, and access to, a locked stream.
///
/// # Invariants
///
/// The socket's lock is held for this value alone, in the way that `how` says.
pub(crate) struct Locked<'a, S> {
    stream: &'a Stream<S>,
    how: How,
}

/// Has lockdep check that the lock of `sk` is held.
///
/// # Safety
///
/// `sk` must be valid.
#[inline(always)]
unsafe fn assert_held(sk: *mut bindings::sock) {
    // SAFETY: By the safety requirements.
    #[cfg(CONFIG_LOCKDEP)]
    unsafe {
        bindings::ktcpvs_sock_assert_held(sk)
    }
    #[cfg(not(CONFIG_LOCKDEP))]
    let _ = sk;
}

impl<S> Locked<'_, S> {
    /// The socket and the state, to be used side by side.
    pub(crate) fn parts(&mut self) -> (Wire<'_>, &mut S) {
        // SAFETY: `sk` is valid as long as the stream.
        unsafe { assert_held(self.stream.sk.as_ptr()) };
        // SAFETY: By the type invariants we alone have the lock that protects both.
        unsafe {
            (
                Wire::new(self.stream.sk),
                &mut *self.stream.state.get(), //
            )
        }
    }

    /// The state alone.
    pub(crate) fn state(&mut self) -> &mut S {
        self.parts().1
    }

    /// Whether this is the lock of `stream`.
    pub(crate) fn is_of(&self, stream: &Stream<S>) -> bool {
        ptr::eq(self.stream, stream)
    }
}

impl<S> Drop for Locked<'_, S> {
    fn drop(&mut self) {
        let sk = self.stream.sk.as_ptr();

        if !matches!(self.how, How::Process) {
            // SAFETY: We still have the lock.
            unsafe { (*self.stream.inner.get()).held = false };
        }
        // SAFETY: By the type invariants the lock was taken in this way.
        unsafe {
            match self.how {
                How::Callback => (),
                How::Softirq => bindings::ktcpvs_bh_unlock_sock(sk),
                How::Process => bindings::release_sock(sk),
            }
        }
    }
}

/// Finds the endpoint of a socket that called us.
///
/// # Safety
///
/// `sk` must be the socket that TCP called a callback of `E` for, in that callback, and the result
/// must not outlive the callback.
unsafe fn endpoint<'a, E: Endpoint>(sk: *mut bindings::sock) -> Option<ArcBorrow<'a, E>> {
    // SAFETY: TCP calls with a valid socket. The callbacks of an attached socket run under its
    // lock, and so does `release()`, which clears the user data: while we are here, it is either
    // null or the reference of `attach()`.
    unsafe {
        assert_held(sk);
        let data: *mut c_void = bindings::ktcpvs_sock_user_data(sk);

        (!data.is_null()).then(|| ArcBorrow::from_raw(data.cast::<E>().cast_const()))
    }
}

/// The callback's right to the stream, if it has it to itself.
///
/// # Safety
///
/// Must be called in a callback for the socket of `stream`.
unsafe fn callback_lock<S: Send>(stream: &Stream<S>) -> Option<Locked<'_, S>> {
    let sk = stream.sk.as_ptr();

    // A process that owns the socket may be the one that called us, deep in a send of its own.
    // SAFETY: `sk` is valid.
    if unsafe { !bindings::ktcpvs_in_softirq() || fields::owned(sk) } {
        return None;
    }
    // SAFETY: No process owns the socket, so the stack called us with the spinlock taken on this
    // CPU: by itself, or because a `Locked` of ours sends, which `held` tells.
    if unsafe { (*stream.inner.get()).held } {
        return None;
    }
    stream.locked(How::Callback)
}

/// `sk_data_ready` of an attached socket.
///
/// # Safety
///
/// To be called by TCP only, as what it is.
unsafe extern "C" fn on_data_ready<E: Endpoint>(sk: *mut bindings::sock) {
    // SAFETY: TCP calls us for this socket, and `this` does not leave the callback.
    if let Some(this) = unsafe { endpoint::<E>(sk) } {
        let endpoint: &E = &this;

        // SAFETY: As above.
        E::readable(this, unsafe { callback_lock(endpoint.stream()) });
    }
}

/// `sk_write_space` of an attached socket. It is also called from inside a send.
///
/// # Safety
///
/// To be called by TCP only, as what it is.
unsafe extern "C" fn on_write_space<E: Endpoint>(sk: *mut bindings::sock) {
    // SAFETY: TCP calls us for this socket, and `this` does not leave the callback.
    unsafe {
        if let Some(this) = endpoint::<E>(sk) {
            if bindings::ktcpvs_sock_take_nospace(sk) {
                E::writable(this);
            }
        }
    }
}

/// `sk_state_change` of an attached socket.
///
/// # Safety
///
/// To be called by TCP only, as what it is.
unsafe extern "C" fn on_state_change<E: Endpoint>(sk: *mut bindings::sock) {
    // SAFETY: TCP calls us for this socket, and `this` does not leave the callback.
    if let Some(this) = unsafe { endpoint::<E>(sk) } {
        let endpoint: &E = &this;

        // SAFETY: As above.
        E::state_changed(this, unsafe { callback_lock(endpoint.stream()) });
    }
}
