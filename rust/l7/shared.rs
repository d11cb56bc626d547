// SPDX-License-Identifier: GPL-2.0

//! What all connections of a network namespace share: the list of them, the memory to work on a
//! head in, and the sweep that finds those that have waited for too long.

use crate::{
    l7::{
        connection::Conn,
        hold::HoldQueue,
        memory::Memory,
        Snapshot, //
    },
    linux::{
        lock::{
            new_spinlock_bh,
            SpinLockBh, //
        },
        net::Net,
        percpu::{
            self,
            PerCpuCell, //
        },
        queues::{
            self,
            On, //
        },
        time, //
    },
};
use kernel::{
    new_mutex,
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc,
        Mutex,
        SetOnce, //
    },
    workqueue::{
        impl_has_delayed_work,
        impl_has_work,
        new_delayed_work,
        new_work,
        DelayedWork,
        Work,
        WorkItem, //
    },
};
use ktcpvs_core::{
    http::{
        Recall,
        HOST_MAX, //
    },
    rule, //
};

/// The longest head, in bytes, that any service may allow.
const HEAD_MAX: usize = crate::uapi::HEAD_MAX as usize;

/// What a rewritten head may be longer than the one that came.
const HEAD_GROWTH: usize = 1024;

/// How much scratch memory for process context is kept.
const PROCESS_SPARE: usize = 8;

/// How often the connections are looked at, in milliseconds: the precision of every time-out.
const SWEEP_MS: u32 = 250;

/// In how many sweeps one looks at the servers too: their idle connections may be many, and live for
/// long.
const SERVERS_EVERY: u32 = 16;

/// How long a connection to a server may be idle before it is closed, in milliseconds: shorter than
/// the keep-alive time-out of the common servers, so that they seldom close first.
const SERVERS_IDLE_MS: u32 = 30_000;

/// In how many sweeps one looks how much memory is used, where there is plenty.
const WEIGH_EVERY: u32 = 4;

/// How much has to be moved on at once to be taken note of, in bytes.
const MUCH: usize = 16384;

/// The work of looking at memory, by the number that tells it from the sweep.
const WEIGH: u64 = 1;

/// How many connections a namespace may have.
const CONNS_MAX: usize = 1 << 20;

/// Memory to work on one head in.
pub(super) struct Scratch {
    /// A head that did not come in one piece.
    pub(super) head: KVVec<u8>,
    /// A head, or a response of our own, to be sent.
    pub(super) out: KVVec<u8>,
    /// The matcher's.
    pub(super) rules: KVVec<u32>,
    /// The response's head that was read last.
    pub(super) recall: Recall,
    /// The host that a request is for, in lower case.
    pub(super) host: [u8; HOST_MAX],
}

impl Scratch {
    fn new() -> impl Init<Self, Error> {
        try_init!(Self {
            head: KVVec::from_elem(0, HEAD_MAX, GFP_KERNEL_ACCOUNT)?,
            out: KVVec::from_elem(0, HEAD_MAX + HEAD_GROWTH, GFP_KERNEL_ACCOUNT)?,
            rules: KVVec::from_elem(0, rule::SCRATCH_WORDS, GFP_KERNEL_ACCOUNT)?,
            recall: Recall::NOTHING,
            host: [0; HOST_MAX],
        }? Error)
    }

    /// Not inlined: it is rare, and who wants it has little stack to spare.
    #[inline(never)]
    fn boxed() -> Option<KBox<Self>> {
        KBox::init(Self::new(), GFP_KERNEL).ok()
    }
}

/// What all connections of a network namespace share.
#[pin_data]
pub(super) struct Shared {
    pub(super) net: Net,
    #[pin]
    pub(super) conns: Conns,
    #[pin]
    pub(super) memory: Memory,
    /// For softirq, one a CPU. Made for the first listener.
    percpu: SetOnce<PerCpuCell<Scratch>>,
    /// For connections that hold a head back, one a CPU. Made for the first listener.
    holds: SetOnce<KVec<Arc<HoldQueue>>>,
    /// For process context, those that nobody uses just now. They are taken out to be used, so
    /// that no lock is held meanwhile: sockets' locks are taken then.
    #[pin]
    process: SpinLockBh<KVec<KBox<Scratch>>>,
    /// Whose servers the sweep looks at.
    #[pin]
    snapshot: Mutex<Option<Arc<Snapshot>>>,
    stopped: Atomic<bool>,
    /// Sweeps so far.
    sweeps: Atomic<u32>,
    #[pin]
    sweep: DelayedWork<Shared>,
    #[pin]
    weigh: Work<Shared, WEIGH>,
}

impl_has_delayed_work! {
    impl HasDelayedWork<Self> for Shared { self.sweep }
}

impl_has_work! {
    impl HasWork<Self, 1> for Shared { self.weigh }
}

impl Shared {
    /// For the namespace `net`; nothing is allocated yet.
    pub(super) fn new(net: Net) -> Result<Arc<Self>> {
        Arc::pin_init(
            pin_init!(Self {
                memory <- Memory::new(net.is_container()),
                net,
                conns <- Conns::new(),
                percpu: SetOnce::new(),
                holds: SetOnce::new(),
                process <- new_spinlock_bh!(KVec::new(), "Shared::process"),
                snapshot <- new_mutex!(None, "Shared::snapshot"),
                stopped: Atomic::new(false),
                sweeps: Atomic::new(0),
                sweep <- new_delayed_work!("Shared::sweep"),
                weigh <- new_work!("Shared::weigh"),
            }),
            GFP_KERNEL_ACCOUNT,
        )
    }

    /// Gets ready for the first connection. Process context.
    pub(super) fn start(self: &Arc<Self>) -> Result {
        if self.percpu.as_ref().is_none() {
            let spare = KVec::with_capacity(PROCESS_SPARE, GFP_KERNEL_ACCOUNT)?;

            // Configuration changes come one at a time, so nobody else does this.
            *self.process.lock() = spare;
            self.holds.populate(HoldQueue::for_cpus(&self.net)?);
            self.percpu.populate(PerCpuCell::new(Scratch::new)?);
            self.sweep_later();
        }
        Ok(())
    }

    /// Takes note of the configuration in force.
    pub(super) fn watch(&self, snapshot: Arc<Snapshot>) {
        self.memory.watch(&snapshot);
        let old = self.snapshot.lock().replace(snapshot);

        drop(old);
    }

    /// The configuration in force.
    pub(super) fn snapshot(&self) -> Option<Arc<Snapshot>> {
        self.snapshot.lock().clone()
    }

    /// Cuts all connections off and makes no sweep any more.
    pub(super) fn stop(&self) {
        let old = self.snapshot.lock().take();

        drop(old);
        self.stopped.store(true, Relaxed);
        self.conns.each(|conn| conn.as_arc_borrow().kill());
    }

    /// Has the connections of listeners that are gone see that. Process context.
    pub(super) fn close_idle(&self) {
        self.conns.each(|conn| {
            if conn.listener.closed() {
                conn.as_arc_borrow().look();
            }
        });
    }

    /// The list of connections that hold a head back, of the CPU that this runs on.
    pub(super) fn holds(&self) -> Option<&Arc<HoldQueue>> {
        self.holds.as_ref()?.get(percpu::some_cpu())
    }

    /// Takes note that a connection has moved so many bytes on, which may be buffered now.
    #[inline]
    pub(super) fn moved(self: &Arc<Self>, bytes: usize) {
        if bytes >= MUCH && self.memory.moved(bytes) {
            queues::enqueue::<Self, WEIGH>(On::Control, self.clone());
        }
    }

    fn sweep_later(self: &Arc<Self>) {
        queues::enqueue_delayed::<Self, 0>(On::Control, self.clone(), SWEEP_MS);
    }

    /// Lets `f` use scratch memory. `None` if this CPU's is in use, or if there is no memory.
    pub(super) fn with_scratch<R>(
        &self,
        in_process: bool,
        f: impl FnOnce(&mut Scratch) -> R,
    ) -> Option<R> {
        if !in_process {
            return self.percpu.as_ref()?.with_bh(f);
        }
        let spare = self.process.lock().pop();
        let mut scratch = match spare {
            Some(scratch) => scratch,
            None => Scratch::boxed()?,
        };
        let result = f(&mut scratch);
        let unwanted = self.process.lock().push_within_capacity(scratch);

        // Freed without the lock.
        drop(unwanted);
        Some(result)
    }
}

impl WorkItem for Shared {
    type Pointer = Arc<Self>;

    fn run(this: Arc<Self>) {
        let now = time::jiffies();

        this.conns.each(|conn| {
            if conn.expired(now) || conn.take_starving() {
                conn.as_arc_borrow().look();
            }
        });
        // Nobody else counts.
        let sweeps = this.sweeps.load(Relaxed).wrapping_add(1);

        this.sweeps.store(sweeps, Relaxed);
        if sweeps % WEIGH_EVERY == 0 || this.memory.scarce() {
            this.weigh();
        }
        let snapshot = match sweeps % SERVERS_EVERY {
            0 => this.snapshot(),
            _ => None,
        };

        for server in snapshot.iter().flat_map(|snapshot| snapshot.servers()) {
            server.data.expire(SERVERS_IDLE_MS);
        }
        if !this.stopped.load(Relaxed) {
            this.sweep_later();
        }
    }
}

impl WorkItem<WEIGH> for Shared {
    type Pointer = Arc<Self>;

    fn run(this: Arc<Self>) {
        this.weigh();
    }
}

/// The connections of a namespace. Process context only.
#[pin_data]
pub(super) struct Conns {
    #[pin]
    slots: Mutex<Slots>,
}

struct Slots {
    conns: KVVec<Option<Arc<Conn>>>,
    free: KVVec<u32>,
}

impl Conns {
    fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            slots <- new_mutex!(
                Slots {
                    conns: KVVec::new(),
                    free: KVVec::new(),
                },
                "Conns::slots"
            ),
        })
    }

    /// Adds `conn`. Fails where there are too many.
    pub(super) fn insert(&self, conn: &Arc<Conn>) -> Result {
        let mut slots = self.slots.lock();

        let slot = match slots.free.pop() {
            Some(slot) => slot as usize,
            None => {
                let slot = slots.conns.len();

                if slot >= CONNS_MAX {
                    return Err(ENFILE);
                }
                // The free list must never want for memory when a connection leaves.
                slots.free.reserve(slot + 1, GFP_KERNEL)?;
                slots.conns.push(None, GFP_KERNEL)?;
                slot
            }
        };
        if let Some(place) = slots.conns.get_mut(slot) {
            *place = Some(conn.clone());
        }
        conn.place.store(slot as u32, Relaxed);
        Ok(())
    }

    /// Removes `conn`.
    pub(super) fn remove(&self, conn: &Conn) {
        let slot = conn.place.load(Relaxed) as usize;
        let mut slots = self.slots.lock();
        let gone = slots.conns.get_mut(slot).and_then(Option::take);

        if gone.is_some() && slots.free.push_within_capacity(slot as u32).is_err() {
            pr_err!("no room in the list of free connections\n");
        }
        drop(slots);
        drop(gone);
    }

    /// Calls `f` for each connection.
    pub(super) fn each(&self, mut f: impl FnMut(&Arc<Conn>)) {
        for conn in self.slots.lock().conns.iter().flatten() {
            f(conn);
        }
    }
}
