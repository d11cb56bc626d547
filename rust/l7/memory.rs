// SPDX-License-Identifier: GPL-2.0

//! What the connections of a namespace take, and giving some up when that is too much.
//!
//! It is an estimate, made once a second, four times where it is near the limit, when a quarter of the
//! limit has been moved on since, and at a new connection that would go beyond it: the sockets and
//! what is buffered in them.
//!
//! No control group is charged for what is made in softirq or by a worker. So containers, whose roots
//! say themselves what their namespaces may take, have a limit together. Where they reach it each
//! namespace is left its share, and those that have more give some up.

use crate::{
    config::Timeout,
    l7::{
        connection::Conn,
        deadline::Wait,
        shared::Shared,
        Snapshot, //
    },
    linux::{
        mm,
        net::{
            Endpoint,
            Order, //
        },
        time, //
    },
    module_parameters, //
};
use kernel::{
    new_mutex,
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        ArcBorrow,
        Mutex, //
    },
};
use ktcpvs_core::{
    seq::Serial,
    shed::{
        Load,
        Plan,
        Standing, //
    }, //
};

/// What a connection takes beside its socket, in bytes.
const SIZE: u64 = 512;

/// How long idle connections to servers may stay when there is too little memory, in milliseconds.
const SERVERS_IDLE_MS: u32 = 1000;

/// How long a connection that waits for a request does not pass for idle, in milliseconds.
const MOMENT_MS: u32 = 1000;

/// After how many milliseconds one looks again for something to give up, where nothing was left.
const AGAIN_MS: u32 = 50;

/// What a new connection takes that has received nothing yet, roughly, in bytes.
const CONN_NEW: u64 = 4096;

/// What the connections of all containers take, in bytes.
static CONTAINERS: Atomic<u64> = Atomic::new(0);

/// How many namespaces of containers have connections.
static SHARERS: Atomic<u64> = Atomic::new(0);

/// What they may take together, in bytes.
fn containers_limit() -> u64 {
    match module_parameters::container_mem_limit.value() {
        // Less than what TCP as a whole may buffer, by default.
        0 => mm::ram() / 16,
        limit => limit,
    }
}

/// What the connections of a namespace take, in bytes: as last seen, and what has been accepted
/// since.
struct Used {
    bytes: Atomic<u64>,
    /// It is a part of [`CONTAINERS`].
    in_container: bool,
}

impl Used {
    fn new(in_container: bool) -> Self {
        Self {
            bytes: Atomic::new(0),
            in_container,
        }
    }

    fn get(&self) -> u64 {
        self.bytes.load(Relaxed)
    }

    fn set(&self, bytes: u64) {
        let before = self.bytes.xchg(bytes, Relaxed);

        if !self.in_container {
            return;
        }
        // A difference below nothing wraps around.
        CONTAINERS.fetch_add(bytes.wrapping_sub(before), Relaxed);
        match (before, bytes) {
            (0, 1..) => SHARERS.fetch_add(1, Relaxed),
            (1.., 0) => SHARERS.fetch_sub(1, Relaxed),
            _ => 0,
        };
    }

    fn add(&self, bytes: u64) {
        if self.in_container {
            // First, or the sum could be below nothing for a moment.
            CONTAINERS.fetch_add(bytes, Relaxed);
        }
        if self.bytes.fetch_add(bytes, Relaxed) == 0 && self.in_container {
            SHARERS.fetch_add(1, Relaxed);
        }
    }

    /// What `limit` comes to where others have taken their part: what they have left, but never less
    /// than an equal share.
    fn bound(&self, limit: u64) -> u64 {
        if !self.in_container {
            return limit;
        }
        let all = containers_limit();
        let left = all.saturating_sub(CONTAINERS.load(Relaxed).saturating_sub(self.get()));
        let share = all.checked_div(SHARERS.load(Relaxed)).unwrap_or(all);

        limit.min(left.max(share))
    }
}

impl Drop for Used {
    fn drop(&mut self) {
        self.set(0);
    }
}

/// What the connections of a namespace take, and may take.
#[pin_data]
pub(super) struct Memory {
    /// In bytes.
    limit: Atomic<u64>,
    used: Used,
    /// What has been moved on since one last looked, in bytes, where it was much at once.
    moved: Atomic<u64>,
    /// When one looked in vain for something to give up, in jiffies.
    in_vain: Atomic<u64>,
    /// Also what keeps those apart who look.
    #[pin]
    plan: Mutex<Plan>,
}

impl Memory {
    /// Nothing is used, and nothing is allowed before there is a configuration.
    pub(super) fn new(in_container: bool) -> impl PinInit<Self> {
        pin_init!(Self {
            limit: Atomic::new(0),
            used: Used::new(in_container),
            moved: Atomic::new(0),
            in_vain: Atomic::new(0),
            plan <- new_mutex!(Plan::new(), "Memory::plan"),
        })
    }

    /// Takes note of the configuration in force.
    pub(super) fn watch(&self, snapshot: &Snapshot) {
        let limit = match snapshot.settings.mem_limit {
            0 => mm::ram() / 2,
            limit => limit,
        };

        self.limit.store(limit, Relaxed);
    }

    /// What was used when one last looked, in bytes.
    pub(super) fn used(&self) -> u64 {
        self.used.get()
    }

    /// What may be used, in bytes.
    fn limit(&self) -> u64 {
        self.used.bound(self.limit.load(Relaxed))
    }

    /// Whether more than half of what may be used is.
    pub(super) fn scarce(&self) -> bool {
        self.used() > self.limit() / 2
    }

    /// Takes note of what has been moved on, in bytes. Whether one should look what is used.
    pub(super) fn moved(&self, bytes: usize) -> bool {
        let before = self.moved.fetch_add(bytes as u64, Relaxed);
        let limit = self.limit() / 4;

        before <= limit && before.saturating_add(bytes as u64) > limit
    }

    /// Whether there is no room for one more connection.
    fn full(&self) -> bool {
        self.used().saturating_add(CONN_NEW) > self.limit()
    }

    /// What `conn` takes, and what it waits for.
    fn load(conn: &Conn, now: u64) -> Load {
        let moment = time::msecs_to_jiffies(MOMENT_MS) as u64;
        // Services differ in their time-outs: the time that is left does not tell by itself for how
        // long one has waited. Who lingers passes for one that has waited for nearly all of it.
        let since = |left: u64, timeout| {
            let most = conn.listener.service().options.timeout(timeout) as u64;

            if left > most.saturating_add(moment) {
                // It has begun when the time-out was a longer one, and not just now.
                moment
            } else {
                most.saturating_sub(left)
            }
        };
        let standing = match conn.deadline.wait(now) {
            Wait::Spare(left) => match since(left, Timeout::Head) {
                waited if waited < moment => Standing::Fresh(waited),
                waited => Standing::Spare(waited),
            },
            Wait::Idle(left) => match since(left, Timeout::Idle) {
                waited if waited < moment => Standing::Busy(waited),
                waited => Standing::Idle(waited),
            },
            Wait::Other => Standing::Busy(conn.working_for(now)),
        };

        Load {
            size: conn.memory(),
            standing,
        }
    }

    fn searched_in_vain(&self) -> bool {
        let since = (time::jiffies() as u64).since(self.in_vain.load(Relaxed));

        since < time::msecs_to_jiffies(AGAIN_MS) as u64
    }
}

impl Shared {
    /// Whether one more connection may be accepted; others are given up for it if need be.
    /// Process context.
    pub(super) fn admit(&self) -> bool {
        let memory = &self.memory;

        if memory.full() && !memory.searched_in_vain() {
            self.weigh();
            if memory.full() {
                memory.in_vain.store(time::jiffies() as u64, Relaxed);
            }
        }
        let admitted = !memory.full();

        if admitted {
            memory.used.add(CONN_NEW);
        }
        admitted
    }

    /// Looks what connections take, and gives some up if that leaves no room for another one.
    /// Process context.
    pub(super) fn weigh(&self) {
        let memory = &self.memory;
        let mut plan = memory.plan.lock();
        let now = time::jiffies() as u64;
        let snapshot = self.snapshot();

        memory.moved.store(0, Relaxed);
        plan.clear();
        self.conns.each(|conn| plan.count(&Memory::load(conn, now)));
        let mut used = plan.total();

        for server in snapshot.iter().flat_map(|snapshot| snapshot.servers()) {
            used = used.saturating_add(server.data.memory());
        }
        memory.used.set(used);
        let limit = memory.limit();

        if used.saturating_add(CONN_NEW) <= limit {
            return;
        }
        for server in snapshot.iter().flat_map(|snapshot| snapshot.servers()) {
            server.data.expire(SERVERS_IDLE_MS);
        }
        // Not for every new connection again.
        plan.choose(used.saturating_sub(limit - limit / 8), limit / 4);
        let mut left = used;

        self.conns.each(|conn| {
            let load = Memory::load(conn, now);

            if plan.takes(&load) {
                conn.as_arc_borrow().give_up(load.standing);
                left = left.saturating_sub(load.size);
            }
        });
        memory.used.set(left);
    }
}

impl Conn {
    /// What the connection takes, in bytes, with what is buffered for it; nothing if it is about to
    /// end. Process context.
    fn memory(&self) -> u64 {
        let now = time::jiffies();
        let leaving = self.doomed.load(Relaxed) || self.deadline.passed(now);
        let busy = matches!(self.deadline.wait(now as u64), Wait::Other);

        if leaving {
            return 0;
        }
        // One that waits for a request has no connection to a server, and need not be locked to see
        // that.
        let locked = if busy {
            self.stream().lock(Order::First)
        } else {
            None
        };
        let server = locked.and_then(|mut client| {
            let upstream = client.state().upstream.as_ref()?;

            Some(upstream.stream().memory())
        });

        SIZE.saturating_add(self.stream().memory())
            .saturating_add(server.unwrap_or(0))
    }

    /// Ends the connection, for its memory: as if its time were up, if it was idle when it was
    /// chosen and still is, and else with a reset. A last word would have to be waited for.
    fn give_up(self: ArcBorrow<'_, Self>, standing: Standing) {
        match standing {
            Standing::Busy(_) => self.kill(),
            Standing::Spare(_) | Standing::Fresh(_) if self.deadline.end_wait() => self.kill(),
            Standing::Idle(_) if self.deadline.end_wait() => self.look(),
            _ => (),
        }
    }
}
