// SPDX-License-Identifier: GPL-2.0

//! `rust/l7/upstream.rs`: connections to a server, and the idle ones among them.

use crate::{
    connection::{
        Conn,
        Task, //
    },
    kernel::Tcp,
    mutant::{
        broken,
        Mutant, //
    },
    stream::{
        Locked,
        Owner,
        Stream, //
    },
    world::World,
};
use ktcpvs_core::runner::Mode;
use loom::sync::{
    atomic::Ordering::Relaxed,
    Mutex, //
};
use std::{
    cell::Cell,
    ptr::null,
    sync::Arc, //
};

pub struct Upstream {
    pub stream: Stream<()>,
    pub world: Arc<World>,
    pub owner: Mutex<Option<Arc<Conn>>>,
    /// The same, to be looked at without ordering anything.
    lent_to: Cell<*const Conn>,
}

// SAFETY: The pointer is compared only, and loom runs all threads of a model on one of the system's.
unsafe impl Sync for Upstream {}
// SAFETY: As above.
unsafe impl Send for Upstream {}

/// The server's socket, locked, or why not.
pub enum ServerLock<'a> {
    Held(Locked<'a, ()>),
    Busy,
    Gone,
}

impl Upstream {
    /// `None`: there was no memory.
    pub fn connect(world: &Arc<World>, owner: Arc<Conn>) -> Option<Arc<Self>> {
        let less = |left: usize| left.checked_sub(1);

        if world.no_memory.fetch_update(Relaxed, Relaxed, less).is_ok() {
            return None;
        }
        let tcp = Tcp {
            connecting: true,
            room: usize::MAX / 2,
            ..Tcp::default()
        };
        let this = Self::new(world, tcp, Some(owner));

        // The network may answer from now on.
        world.connecting.lock().unwrap().push(this.clone());
        Some(this)
    }

    pub fn new(world: &Arc<World>, tcp: Tcp, owner: Option<Arc<Conn>>) -> Arc<Self> {
        let lent_to = Cell::new(owner.as_ref().map_or(null(), Arc::as_ptr));
        let this = Arc::new(Self {
            stream: Stream::new(tcp, ()),
            world: world.clone(),
            lent_to,
            owner: Mutex::new(owner),
        });

        world.tally(|tally| tally.upstreams_opened += 1);
        this.stream.attach(Owner::Upstream(this.clone()));
        this
    }

    pub fn lend(&self, owner: Arc<Conn>) {
        self.lent_to.set(Arc::as_ptr(&owner));
        *self.owner.lock().unwrap() = Some(owner);
    }

    pub fn close(this: Arc<Self>) {
        let owner = this.owner.lock().unwrap().take();

        this.lent_to.set(null());
        drop(owner);
        this.world.clone().queues.enqueue(Task::Upstream(this));
    }

    pub fn put_back(this: &Arc<Self>) {
        let owner = this.owner.lock().unwrap().take();

        this.lent_to.set(null());
        drop(owner);
        if let Err(upstream) = this.world.idle.put(this.clone()) {
            this.world.queues.enqueue(Task::Upstream(upstream));
        }
    }

    pub fn event(self: &Arc<Self>, locked: Option<Locked<'_, ()>>) {
        let owner = self.owner.lock().unwrap().clone();

        match owner {
            Some(conn) => conn.server_event(locked),
            None => {
                if let Some(this) = self.world.idle.remove(self) {
                    Self::close(this);
                }
            }
        }
    }

    pub fn writable(&self) {
        let owner = self.owner.lock().unwrap().clone();

        if let Some(conn) = owner.filter(|_| !broken(Mutant::WritableNotQueued)) {
            conn.defer();
        }
    }

    /// `Upstream::lock()` of `rust/l7/connection.rs`. The lock is for `conn`.
    pub fn lock<'a, 'b: 'a>(
        &'a self,
        mode: Mode,
        given: &mut Option<Locked<'b, ()>>,
    ) -> ServerLock<'a> {
        if given.as_ref().is_some_and(|l| l.is_of(&self.stream)) {
            return match given.take() {
                Some(locked) => ServerLock::Held(locked),
                None => ServerLock::Busy,
            };
        }
        let locked = match mode {
            Mode::Direct => self.stream.try_lock_softirq(),
            Mode::Softirq => self.stream.lock_softirq(),
            Mode::Process => self.stream.lock(),
        };

        match (locked, mode) {
            (Some(locked), _) => ServerLock::Held(locked),
            (None, Mode::Process) => ServerLock::Gone,
            (None, _) => ServerLock::Busy,
        }
    }

    /// The work.
    pub fn run(self: Arc<Self>) {
        self.stream.release();
        self.world.tally(|tally| tally.upstreams_closed += 1);
    }

    /// Whether the connection may be used for `conn`: nobody else's may be touched.
    pub fn assert_lent_to(&self, conn: &Conn) {
        assert!(
            std::ptr::eq(self.lent_to.get(), conn),
            "touched by a connection that it is not lent to"
        );
    }
}

/// The idle connections of one server.
pub struct Idle {
    list: Mutex<IdleList>,
}

#[derive(Default)]
struct IdleList {
    conns: Vec<Arc<Upstream>>,
    shut: bool,
}

impl Idle {
    pub fn new() -> Self {
        Self {
            list: Mutex::new(IdleList::default()),
        }
    }

    pub fn take(&self) -> Option<Arc<Upstream>> {
        self.list.lock().unwrap().conns.pop()
    }

    pub fn put(&self, conn: Arc<Upstream>) -> Result<(), Arc<Upstream>> {
        let mut list = self.list.lock().unwrap();

        if list.shut {
            return Err(conn);
        }
        list.conns.push(conn);
        Ok(())
    }

    fn remove(&self, conn: &Arc<Upstream>) -> Option<Arc<Upstream>> {
        let mut list = self.list.lock().unwrap();
        let index = list.conns.iter().position(|c| Arc::ptr_eq(c, conn))?;

        if broken(Mutant::IdleNotTakenOut) {
            return Some(list.conns[index].clone());
        }
        Some(list.conns.remove(index))
    }

    /// All of them are old.
    pub fn expire(&self) {
        while let Some(conn) = {
            let mut list = self.list.lock().unwrap();

            if broken(Mutant::ExpiredNotTakenOut) {
                list.conns.first().cloned()
            } else {
                (!list.conns.is_empty()).then(|| list.conns.remove(0))
            }
        } {
            Upstream::close(conn);
            if broken(Mutant::ExpiredNotTakenOut) {
                return;
            }
        }
    }

    pub fn shut(&self) {
        let conns = {
            let mut list = self.list.lock().unwrap();

            list.shut = true;
            std::mem::take(&mut list.conns)
        };

        for conn in conns {
            Upstream::close(conn);
        }
    }
}
