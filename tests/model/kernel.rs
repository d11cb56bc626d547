// SPDX-License-Identifier: GPL-2.0

//! What the kernel gives: sockets with their two-part lock and backlog, and work queues.
//!
//! As `net/core/sock.c`, `net/ipv4/tcp_ipv4.c` and `kernel/workqueue.c` do it, as far as locks are
//! concerned. A thread of the model is a CPU.

use crate::{
    mutant::{
        broken,
        Mutant, //
    },
    stream::{
        self,
        Owner, //
    },
};
use loom::{
    cell::UnsafeCell,
    sync::{
        atomic::{
            AtomicBool,
            Ordering::*, //
        },
        Mutex, //
    },
    thread, //
};
use std::ops::{
    Deref,
    DerefMut, //
};

/// Where code runs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Context {
    Softirq,
    Process,
}

/// What comes from the network.
#[derive(Clone, Copy)]
pub enum Packet {
    /// So many bytes.
    Data(usize),
    /// The acknowledgement of so many, which makes room.
    Ack(usize),
    /// The end of the handshake.
    SynAck,
    /// The end of the connection.
    Reset,
    /// None came, and TCP's timer gives up.
    Timeout,
}

/// What TCP knows of a connection. Behind the socket's lock, of either part.
#[derive(Default)]
pub struct Tcp {
    pub unread: usize,
    pub room: usize,
    /// What was sent and is not acknowledged.
    pub unacked: usize,
    pub nospace: bool,
    pub connecting: bool,
    pub closed: bool,
    /// Our callbacks, with the user data that they are called for.
    pub calls: Option<Owner>,
}

/// `struct sock`.
pub struct Sock {
    /// `sk_lock.slock`. No mutex of loom's: trying that fails too seldom.
    slock: AtomicBool,
    /// `sk_lock.owned`. Written with `slock` held, and read with it or by the owner.
    owned: UnsafeCell<bool>,
    /// The same, as those see it who look without the lock.
    owned_hint: AtomicBool,
    /// `sk_backlog`. Behind `slock`.
    backlog: UnsafeCell<Vec<Packet>>,
    /// The timer fired while a process owned the socket (`TCP_WRITE_TIMER_DEFERRED`).
    timer: AtomicBool,
    tcp: UnsafeCell<Tcp>,
}

impl Sock {
    pub fn new(tcp: Tcp) -> Self {
        Self {
            slock: AtomicBool::new(false),
            owned: UnsafeCell::new(false),
            owned_hint: AtomicBool::new(false),
            backlog: UnsafeCell::new(Vec::new()),
            timer: AtomicBool::new(false),
            tcp: UnsafeCell::new(tcp),
        }
    }

    pub fn bh_lock_sock(&self) {
        while !self.spin_trylock() {
            thread::yield_now();
        }
    }

    pub fn spin_trylock(&self) -> bool {
        self.slock
            .compare_exchange(false, true, Acquire, Relaxed)
            .is_ok()
    }

    pub fn bh_unlock_sock(&self) {
        self.slock.store(false, Release);
    }

    /// `sock_owned_by_user()`: with the lock.
    pub fn owned(&self) -> bool {
        // SAFETY: Behind the lock; loom checks it.
        self.owned.with(|owned| unsafe { *owned })
    }

    /// `fields::owned()`: without the lock.
    pub fn owned_hint(&self) -> bool {
        self.owned_hint.load(Relaxed)
    }

    fn set_owned(&self, value: bool) {
        // SAFETY: Behind the lock; loom checks it.
        self.owned.with_mut(|owned| unsafe { *owned = value });
        self.owned_hint.store(value, Relaxed);
    }

    pub fn lock_sock(&self) {
        loop {
            self.bh_lock_sock();
            let free = !self.owned();

            if free {
                self.set_owned(true);
            }
            self.bh_unlock_sock();
            if free {
                return;
            }
            thread::yield_now();
        }
    }

    pub fn release_sock(&self) {
        self.bh_lock_sock();
        loop {
            // SAFETY: Behind `slock`; loom checks it.
            let packets = self
                .backlog
                .with_mut(|backlog| std::mem::take(unsafe { &mut *backlog }));

            if packets.is_empty() {
                break;
            }
            self.bh_unlock_sock();
            for packet in packets {
                self.deliver(packet, Context::Process);
            }
            self.bh_lock_sock();
        }
        self.release_cb();
        self.set_owned(false);
        self.bh_unlock_sock();
    }

    /// `tcp_release_cb()`: at the end of a process's ownership, and inside our own sends
    /// (`push()` of `rust/helpers/tcp.c`). With softirqs off.
    pub fn release_cb(&self) {
        if self.timer.swap(false, AcqRel) {
            self.deliver(Packet::Timeout, Context::Softirq);
        }
    }

    /// `tcp_v4_rcv()` and `tcp_write_timer()`.
    pub fn receive(&self, packet: Packet) {
        self.bh_lock_sock();
        if self.owned() && matches!(packet, Packet::Timeout) {
            // No store: loom may put one before an exchange that was done earlier.
            self.timer.swap(true, AcqRel);
        } else if self.owned() {
            // SAFETY: Behind `slock`; loom checks it.
            self.backlog
                .with_mut(|backlog| unsafe { (*backlog).push(packet) });
        } else {
            self.deliver(packet, Context::Softirq);
        }
        self.bh_unlock_sock();
    }

    /// `tcp_v4_do_rcv()`, which calls back.
    fn deliver(&self, packet: Packet, cx: Context) {
        match packet {
            _ if self.tcp().closed => (),
            Packet::Data(n) => {
                self.tcp().unread += n;
                stream::on_data_ready(self, cx);
            }
            Packet::Ack(n) => {
                self.tcp().room += n;
                let unacked = self.tcp().unacked.saturating_sub(n);
                self.tcp().unacked = unacked;
                stream::on_write_space(self);
            }
            Packet::SynAck => {
                self.tcp().connecting = false;
                stream::on_state_change(self, cx);
            }
            Packet::Reset | Packet::Timeout => {
                self.tcp().closed = true;
                stream::on_state_change(self, cx);
            }
        }
    }

    /// What the lock protects. loom checks that it does.
    pub fn tcp(&self) -> TcpMut<'_> {
        TcpMut(self.tcp.get_mut(), std::marker::PhantomData)
    }
}

/// Access to what a socket's lock protects.
pub struct TcpMut<'a>(
    loom::cell::MutPtr<Tcp>,
    std::marker::PhantomData<&'a mut Tcp>,
);

impl Deref for TcpMut<'_> {
    type Target = Tcp;

    fn deref(&self) -> &Tcp {
        // SAFETY: loom panics where somebody else has access.
        unsafe { self.0.deref() }
    }
}

impl DerefMut for TcpMut<'_> {
    fn deref_mut(&mut self) -> &mut Tcp {
        // SAFETY: As above.
        unsafe { self.0.deref() }
    }
}

/// What a work item is: it knows itself among others, and runs in a context.
pub trait Item: Sized {
    fn is(&self, other: &Self) -> bool;
    fn run(self);
}

struct Work<T> {
    item: T,
    /// It is queued, and waits to be run.
    pending: bool,
    /// It is being run: never on two CPUs at once.
    running: bool,
}

/// All work queues. That an item which is queued while it runs is run again afterwards is the
/// kernel's promise, with the barriers that belong to it.
pub struct Queues<T> {
    works: Mutex<Vec<Work<T>>>,
}

impl<T: Item + Clone> Queues<T> {
    pub fn new() -> Self {
        Self {
            works: Mutex::new(Vec::new()),
        }
    }

    pub fn enqueue(&self, item: T) {
        let mut works = self.works.lock().unwrap();

        match works.iter_mut().find(|work| work.item.is(&item)) {
            Some(work) => work.pending = true,
            None => works.push(Work {
                item,
                pending: true,
                running: false,
            }),
        }
    }

    /// What a CPU does when it has nothing else to do: runs what waits. Returns when there is
    /// nothing that another CPU does not see to.
    pub fn work(&self) {
        let mut done = None;

        while let Some(item) = self.next(done) {
            item.clone().run();
            done = Some(item);
        }
    }

    /// Ends the run of the item that is `done`, and begins that of another.
    fn next(&self, done: Option<T>) -> Option<T> {
        let mut works = self.works.lock().unwrap();

        if let Some(place) = works
            .iter()
            .position(|work| done.as_ref().is_some_and(|done| work.item.is(done)))
        {
            let work = &mut works[place];

            work.running = false;
            if !work.pending || broken(Mutant::PendingClearedAfter) {
                works.swap_remove(place);
            }
        }
        let work = works
            .iter_mut()
            .find(|work| work.pending && !work.running)?;

        work.running = true;
        work.pending = broken(Mutant::PendingClearedAfter);
        Some(work.item.clone())
    }
}
