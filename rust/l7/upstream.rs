// SPDX-License-Identifier: GPL-2.0

//! Connections to real servers, and the idle ones that wait to be used again.

use crate::{
    l7::{
        connection::Conn,
        Server, //
    },
    linux::{
        lock::{
            new_spinlock_bh,
            SpinLockBh, //
        },
        net::{
            Endpoint,
            Locked,
            Socket,
            Stream, //
        },
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
            Relaxed, //
        },
        Arc,
        ArcBorrow, //
    },
    workqueue::{
        impl_has_work,
        new_work,
        Work,
        WorkItem, //
    },
};
use ktcpvs_core::seq::Serial;

/// How many idle connections a real server keeps at most.
const IDLE_MAX: usize = 1024;

/// A connection to a real server.
#[pin_data]
pub(super) struct Upstream {
    stream: Stream<()>,
    server: Arc<Server>,
    /// Whom this connection is lent to.
    #[pin]
    owner: SpinLockBh<Option<Arc<Conn>>>,
    /// When it was last put back, in jiffies.
    idle_since: Atomic<u64>,
    /// It is to end with a reset.
    aborted: Atomic<bool>,
    #[pin]
    close: Work<Upstream>,
}

impl_has_work! {
    impl HasWork<Self> for Upstream { self.close }
}

impl Upstream {
    /// Starts a connection to `server` for `owner`, which is told when it is up or has failed.
    /// Process context.
    pub(super) fn connect(server: Arc<Server>, owner: Arc<Conn>) -> Result<Arc<Self>> {
        let socket = Socket::new(&server.net, &server.addr)?;

        socket.connect(&server.addr)?;
        let this = Arc::pin_init(
            pin_init!(Self {
                // Only here, where there is memory: a stream cannot simply be dropped.
                stream: Stream::new(socket, ()),
                server,
                owner <- new_spinlock_bh!(Some(owner), "Upstream::owner"),
                idle_since: Atomic::new(0),
                aborted: Atomic::new(false),
                close <- new_work!("Upstream::close"),
            }),
            GFP_KERNEL,
        )?;

        if let Err(e) = Stream::attach(&this) {
            this.stream.release(true);
            return Err(e);
        }
        this.server.stats.connection_opened();
        Ok(this)
    }

    /// Lends the connection.
    pub(super) fn lend(&self, owner: Arc<Conn>) {
        *self.owner.lock() = Some(owner);
    }

    /// Ends the connection. Any context; it is closed soon after.
    pub(super) fn close(this: Arc<Self>) {
        let owner = this.owner.lock().take();

        drop(owner);
        queues::enqueue::<Self, 0>(On::Control, this);
    }

    /// Ends the connection with a reset: something was cut short, and what is not sent yet shall
    /// not be.
    pub(super) fn abort(this: Arc<Self>) {
        this.aborted.store(true, Relaxed);
        Self::close(this);
    }

    /// Puts the connection back to be used again. Its stream must have nothing unread and be
    /// established; the caller has it locked.
    pub(super) fn put_back(this: &Arc<Self>) {
        let owner = this.owner.lock().take();

        drop(owner);
        this.idle_since.store(time::jiffies() as u64, Relaxed);
        if let Err(this) = this.server.data.put(this.clone()) {
            queues::enqueue::<Self, 0>(On::Control, this);
        }
    }

    /// Passes what happened to whom the connection is lent to, or ends an idle connection: its
    /// server has closed it, or says what nobody asked for.
    fn event(this: ArcBorrow<'_, Self>, locked: Option<Locked<'_, ()>>) {
        let owner = this.owner.lock().clone();

        match owner {
            Some(conn) => Conn::server_event(&conn, locked),
            None => {
                // If it is not there, it is being lent, and the borrower looks for himself.
                if let Some(this) = this.server.data.remove(&this) {
                    Self::close(this);
                }
            }
        }
    }
}

impl Endpoint for Upstream {
    type State = ();

    fn stream(&self) -> &Stream<()> {
        &self.stream
    }

    fn readable(this: ArcBorrow<'_, Self>, locked: Option<Locked<'_, ()>>) {
        Self::event(this, locked);
    }

    fn writable(this: ArcBorrow<'_, Self>) {
        let owner = this.owner.lock().clone();

        if let Some(conn) = owner {
            conn.as_arc_borrow().defer();
        }
    }

    fn state_changed(this: ArcBorrow<'_, Self>, locked: Option<Locked<'_, ()>>) {
        Self::event(this, locked);
    }
}

impl WorkItem for Upstream {
    type Pointer = Arc<Self>;

    fn run(this: Arc<Self>) {
        this.stream.release(this.aborted.load(Relaxed));
        this.server.stats.connection_closed();
    }
}

/// The idle connections of one real server, the most recently used first.
#[pin_data]
pub(crate) struct Idle {
    #[pin]
    list: SpinLockBh<IdleList>,
}

struct IdleList {
    conns: KVec<Arc<Upstream>>,
    /// The server was removed: nothing is kept any more.
    shut: bool,
}

impl Idle {
    /// No idle connection yet.
    pub(super) fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            list <- new_spinlock_bh!(
                IdleList {
                    conns: KVec::new(),
                    shut: false,
                },
                "Idle::list"
            ),
        })
    }

    /// Takes the connection that was put back last.
    pub(super) fn take(&self) -> Option<Arc<Upstream>> {
        self.list.lock().conns.pop()
    }

    /// Keeps `conn`, or gives it back where it cannot be kept.
    fn put(&self, conn: Arc<Upstream>) -> Result<(), Arc<Upstream>> {
        let mut list = self.list.lock();

        if list.shut || list.conns.len() >= IDLE_MAX {
            return Err(conn);
        }
        if list.conns.reserve(1, GFP_ATOMIC).is_err() {
            return Err(conn);
        }
        match list.conns.push_within_capacity(conn) {
            Ok(()) => Ok(()),
            Err(e) => Err(e.0),
        }
    }

    /// Takes `conn` out, if it is there.
    fn remove(&self, conn: &Upstream) -> Option<Arc<Upstream>> {
        let mut list = self.list.lock();
        let index = list.conns.iter().position(|c| core::ptr::eq(&**c, conn))?;

        list.conns.remove(index).ok()
    }

    /// What they take, in bytes, roughly: as much each as the first.
    pub(super) fn memory(&self) -> u64 {
        let list = self.list.lock();
        let one = list.conns.first().map_or(0, |conn| conn.stream.memory());

        one.saturating_mul(list.conns.len() as u64)
    }

    /// Closes the connections that have been idle for more than `ms` milliseconds.
    pub(super) fn expire(&self, ms: u32) {
        let limit = time::msecs_to_jiffies(ms) as u64;
        let now = time::jiffies() as u64;

        // The list is in order of time, the longest idle one first.
        while let Some(conn) = {
            let mut list = self.list.lock();
            let old = list
                .conns
                .first()
                .is_some_and(|c| now.since(c.idle_since.load(Relaxed)) > limit);

            if old {
                list.conns.remove(0).ok()
            } else {
                None
            }
        } {
            Upstream::close(conn);
        }
    }

    /// Closes all idle connections, and keeps none from now on.
    pub(super) fn shut(&self) {
        let conns = {
            let mut list = self.list.lock();

            list.shut = true;
            core::mem::take(&mut list.conns)
        };

        for conn in conns {
            Upstream::close(conn);
        }
    }
}
