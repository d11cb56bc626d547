// SPDX-License-Identifier: GPL-2.0

//! Holding a response's head back for a moment, until its body comes.
//!
//! Most servers send head and body of a small response one after the other. Passed on as they
//! come they are two packets, each of which the client's host must take in; held back until all of
//! the body is there the head leaves with it. A timer bounds the wait for a server that pauses.
//!
//! The timer is one for all held connections of a CPU, since nearly every hold ends by itself
//! within microseconds: a connection is put on a list once, and stays there from hold to hold
//! until the timer finds it at rest.

use crate::{
    l7::connection::Conn,
    linux::{
        lock::{
            new_spinlock_bh,
            SpinLockBh, //
        },
        net::Net,
        percpu,
        queues::{
            self,
            On, //
        },
        time, //
    },
};
use kernel::{
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            AtomicFlag,
            Full,
            Relaxed, //
        },
        Arc,
        ArcBorrow, //
    },
    workqueue::{
        impl_has_delayed_work,
        new_delayed_work,
        DelayedWork,
        WorkItem, //
    },
};
use ktcpvs_core::seq::Serial;

/// How long a head is held back, in jiffies. The timer's tick comes up to one later.
const HOLD: u32 = 2;

/// When the timer fires, in milliseconds: with the next tick of the clock.
const TICK_MS: u32 = 1;

/// How many connections a CPU's list may have. Others do not hold anything back.
const LIST_MAX: usize = 4096;

/// A connection's part in it.
pub(super) struct Hold {
    /// When the hold began, in jiffies, or one earlier where that would be 0; 0 while there is none.
    since: Atomic<u32>,
    /// The connection is on a list.
    listed: AtomicFlag,
}

impl Hold {
    /// Nothing is held.
    pub(super) fn new() -> Self {
        Self {
            since: Atomic::new(0),
            listed: AtomicFlag::new(false),
        }
    }

    /// Ends the hold.
    pub(super) fn end(&self) {
        self.since.store(0, Relaxed);
    }

    /// Whether the hold has taken too long, or there is none.
    pub(super) fn is_over(&self) -> bool {
        !self.is_running()
    }

    /// Whether something is held back, and may be for longer.
    fn is_running(&self) -> bool {
        let since = self.since.load(Relaxed);

        since != 0 && time::jiffies_low().since(since) < HOLD
    }

    /// Whether something is held back.
    fn is_on(&self) -> bool {
        self.since.load(Relaxed) != 0
    }
}

/// Begins a hold for `conn`. Whether somebody will look after it.
pub(super) fn begin(conn: ArcBorrow<'_, Conn>) -> bool {
    let since = match time::jiffies_low() {
        0 => u32::MAX,
        now => now,
    };

    conn.hold.since.store(since, Relaxed);
    // Ordered after the store: either the timer's look at the time, after its own exchange, sees
    // this hold, or the exchange here sees that the connection is on no list any more.
    if conn.hold.listed.xchg(true, Full) {
        return true;
    }
    let added = conn.shared.holds().is_some_and(|queue| queue.add(conn));

    if !added {
        conn.hold.end();
        conn.hold.listed.xchg(false, Full);
    }
    added
}

/// The connections of a CPU that hold something back, or did a moment ago.
#[pin_data]
pub(super) struct HoldQueue {
    #[pin]
    list: SpinLockBh<List>,
    /// The end of the namespace waits for this, and so for the timer.
    _net: Net,
    #[pin]
    work: DelayedWork<HoldQueue>,
}

struct List {
    conns: KVec<Arc<Conn>>,
    /// The timer runs.
    armed: bool,
}

impl_has_delayed_work! {
    impl HasDelayedWork<Self> for HoldQueue { self.work }
}

impl HoldQueue {
    /// One for each CPU. Process context.
    pub(super) fn for_cpus(net: &Net) -> Result<KVec<Arc<Self>>> {
        let mut all = KVec::new();

        for _ in 0..percpu::cpus() {
            let queue = Arc::pin_init(
                pin_init!(Self {
                    list <- new_spinlock_bh!(
                        List {
                            conns: KVec::new(),
                            armed: false,
                        },
                        "HoldQueue::list"
                    ),
                    _net: net.clone(),
                    work <- new_delayed_work!("HoldQueue::work"),
                }),
                GFP_KERNEL_ACCOUNT,
            )?;

            all.push(queue, GFP_KERNEL_ACCOUNT)?;
        }
        Ok(all)
    }

    /// Puts `conn` on the list. Whether there was room and memory for it.
    fn add(self: &Arc<Self>, conn: ArcBorrow<'_, Conn>) -> bool {
        let mut list = self.list.lock();

        if list.conns.len() >= LIST_MAX
            || list.conns.reserve(1, GFP_ATOMIC | __GFP_NOWARN).is_err()
            || list.conns.push_within_capacity(conn.into()).is_err()
        {
            return false;
        }
        if !list.armed {
            list.armed = true;
            queues::enqueue_delayed::<Self, 0>(On::Softirq, self.clone(), TICK_MS);
        }
        true
    }

    /// Looks at the connection at `place`, and takes it off the list unless its hold may go on.
    fn look(&self, place: usize) -> Look {
        let mut list = self.list.lock();
        let Some(conn) = list.conns.get(place) else {
            return Look::End;
        };

        if conn.hold.is_running() {
            return Look::Keep;
        }
        // Pairs with the exchange in `begin()`: a hold that began before ours relies on this list,
        // and is seen here; one that begins after it puts the connection on a list itself. Then
        // both may want to, and the first exchange decides.
        conn.hold.listed.xchg(false, Full);
        if conn.hold.is_running() && !conn.hold.listed.xchg(true, Full) {
            return Look::Keep;
        }
        let last = list.conns.len() - 1;

        list.conns.swap(place, last);
        match list.conns.pop() {
            Some(conn) => Look::Taken(conn),
            None => Look::End,
        }
    }
}

/// What became of a connection that the timer looked at.
enum Look {
    /// It stays on the list.
    Keep,
    /// It is on the list no more.
    Taken(Arc<Conn>),
    /// There is none.
    End,
}

impl WorkItem for HoldQueue {
    type Pointer = Arc<Self>;

    fn run(this: Arc<Self>) {
        let mut place = 0;

        loop {
            match this.look(place) {
                Look::Keep => place += 1,
                Look::Taken(conn) if conn.hold.is_on() => conn.as_arc_borrow().defer(),
                Look::Taken(_) => (),
                Look::End => break,
            }
        }
        let mut list = this.list.lock();

        list.armed = !list.conns.is_empty();
        if list.armed {
            queues::enqueue_delayed::<Self, 0>(On::Softirq, this.clone(), TICK_MS);
        }
    }
}
