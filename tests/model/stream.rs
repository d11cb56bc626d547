// SPDX-License-Identifier: GPL-2.0

//! `rust/linux/net/stream.rs`: streams, their locks and their callbacks.

use crate::{
    connection::Conn,
    kernel::{
        Context,
        Sock,
        Tcp,
        TcpMut, //
    },
    mutant::{
        broken,
        Mutant, //
    },
    upstream::Upstream,
};
use loom::cell::{
    MutPtr,
    UnsafeCell, //
};
use std::sync::Arc;

/// The endpoint that is a socket's user data.
#[derive(Clone)]
pub enum Owner {
    Conn(Arc<Conn>),
    Upstream(Arc<Upstream>),
}

struct Inner {
    /// There is a socket; `false` once released.
    socket: bool,
    attached: bool,
    held: bool,
}

pub struct Stream<S> {
    pub sk: Sock,
    inner: UnsafeCell<Inner>,
    state: UnsafeCell<S>,
}

// SAFETY: All of it is behind the socket's lock; loom checks it.
unsafe impl<S: Send> Send for Stream<S> {}
// SAFETY: As above.
unsafe impl<S: Send> Sync for Stream<S> {}

/// How a lock was taken, and so how it is given back.
#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    Callback,
    Softirq,
    Process,
}

pub struct Locked<'a, S> {
    stream: &'a Stream<S>,
    how: How,
}

impl<S> Stream<S> {
    pub fn new(tcp: Tcp, state: S) -> Self {
        Self {
            sk: Sock::new(tcp),
            inner: UnsafeCell::new(Inner {
                socket: true,
                attached: false,
                held: false,
            }),
            state: UnsafeCell::new(state),
        }
    }

    fn inner<R>(&self, f: impl FnOnce(&mut Inner) -> R) -> R {
        // SAFETY: Behind the socket's lock; loom checks it.
        self.inner.with_mut(|inner| f(unsafe { &mut *inner }))
    }

    pub fn attach(&self, owner: Owner) {
        let Some(locked) = self.lock() else {
            return;
        };

        if !self.inner(|inner| std::mem::replace(&mut inner.attached, true)) {
            self.sk.tcp().calls = Some(owner);
        }
        drop(locked);
    }

    pub fn release(&self) {
        if broken(Mutant::ReleasedWithoutLock) {
            drop(self.sk.tcp().calls.take());
        }
        let Some(locked) = self.lock() else {
            return;
        };
        let attached = self.inner(|inner| std::mem::replace(&mut inner.attached, false));
        let owner = attached.then(|| self.sk.tcp().calls.take());

        self.inner(|inner| inner.socket = false);
        drop(locked);
        drop(owner);
    }

    pub fn lock(&self) -> Option<Locked<'_, S>> {
        self.sk.lock_sock();
        self.locked(How::Process)
    }

    pub fn lock_softirq(&self) -> Option<Locked<'_, S>> {
        self.sk.bh_lock_sock();
        self.locked_softirq()
    }

    pub fn try_lock_softirq(&self) -> Option<Locked<'_, S>> {
        if self.sk.spin_trylock() {
            self.locked_softirq()
        } else {
            None
        }
    }

    pub fn owned(&self) -> bool {
        self.sk.owned_hint()
    }

    fn locked_softirq(&self) -> Option<Locked<'_, S>> {
        if self.sk.owned() {
            self.sk.bh_unlock_sock();
            return None;
        }
        self.locked(How::Softirq)
    }

    fn locked(&self, how: How) -> Option<Locked<'_, S>> {
        let alive = self.inner(|inner| {
            inner.held = how != How::Process;
            inner.socket
        });
        let locked = Locked { stream: self, how };

        alive.then_some(locked)
    }
}

impl<S> Locked<'_, S> {
    /// The socket.
    pub fn wire(&self) -> TcpMut<'_> {
        self.stream.sk.tcp()
    }

    /// Sends. TCP may call back from inside.
    pub fn push(&self) {
        self.stream.sk.release_cb();
    }

    /// What the lock protects beside the socket. No other runner has it as long as this exists.
    pub fn state(&self) -> MutPtr<S> {
        self.stream.state.get_mut()
    }

    pub fn is_of(&self, stream: &Stream<S>) -> bool {
        std::ptr::eq(self.stream, stream)
    }
}

impl<S> Drop for Locked<'_, S> {
    fn drop(&mut self) {
        if self.how != How::Process {
            self.stream.inner(|inner| inner.held = false);
        }
        match self.how {
            How::Callback => (),
            How::Softirq => self.stream.sk.bh_unlock_sock(),
            How::Process => self.stream.sk.release_sock(),
        }
    }
}

fn callback_lock<S>(stream: &Stream<S>, cx: Context) -> Option<Locked<'_, S>> {
    let owned = stream.sk.owned() && !broken(Mutant::OwnedNotLookedAt);

    if (cx != Context::Softirq && !broken(Mutant::OwnedNotLookedAt)) || owned {
        return None;
    }
    if stream.inner(|inner| inner.held) {
        return None;
    }
    stream.locked(How::Callback)
}

/// Who is told of what happens at a socket. It is kept by the user data's reference, which
/// [`Stream::release`] does not take away without the lock.
fn endpoint(sk: &Sock) -> Option<Owner> {
    sk.tcp().calls.clone()
}

pub fn on_data_ready(sk: &Sock, cx: Context) {
    match endpoint(sk) {
        Some(Owner::Conn(conn)) => conn.client_event(callback_lock(&conn.stream, cx)),
        Some(Owner::Upstream(upstream)) => upstream.event(callback_lock(&upstream.stream, cx)),
        None => (),
    }
}

pub fn on_write_space(sk: &Sock) {
    let owner = endpoint(sk);

    if owner.is_none() || !std::mem::replace(&mut sk.tcp().nospace, false) {
        return;
    }
    match owner {
        Some(Owner::Conn(conn)) => conn.defer_to_process(),
        Some(Owner::Upstream(upstream)) => upstream.writable(),
        None => (),
    }
}

pub fn on_state_change(sk: &Sock, cx: Context) {
    on_data_ready(sk, cx);
}
