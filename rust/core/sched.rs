// SPDX-License-Identifier: GPL-2.0

//! Schedulers: which real server of a pool takes the next piece of work.
//!
//! A scheduler sees servers only as [`Candidate`]s and a piece of work only as a hash, so that
//! requests, connections and packets are scheduled by the same code. Its state is a counter that
//! any CPU may bump at any time: nothing here locks, waits or allocates.
//!
//! What holds for all of them: a server of weight 0, one that is not available and one that the
//! caller excludes (it has just failed, for instance) is never picked; as long as one other is
//! left, that one is found. Weights are relative shares.

mod least;
mod round_robin;
mod source;
mod table;

pub use table::Table;

use core::sync::atomic::{
    AtomicUsize,
    Ordering, //
};

/// A real server, as far as a scheduler needs to know it.
pub trait Candidate {
    /// The server's share of new work relative to the others'; 0 drains it.
    fn weight(&self) -> u32;
    /// How much it is working on: requests or connections in progress.
    fn load(&self) -> u32;
    /// Whether it can take work now.
    fn available(&self) -> bool;
}

/// The scheduling algorithms, by IPVS's names.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// `rr`: each in turn.
    RoundRobin,
    /// `wrr`: each in turn, in proportion to the weights.
    WeightedRoundRobin,
    /// `lc`: the one with the least in progress.
    LeastConnection,
    /// `wlc`: the one with the least in progress for its weight.
    WeightedLeastConnection,
    /// `sh`: the same client address, the same server.
    SourceHash,
}

impl Kind {
    /// Every algorithm.
    pub const ALL: [Self; 5] = [
        Self::RoundRobin,
        Self::WeightedRoundRobin,
        Self::LeastConnection,
        Self::WeightedLeastConnection,
        Self::SourceHash,
    ];

    /// The name an administrator uses.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::RoundRobin => "rr",
            Self::WeightedRoundRobin => "wrr",
            Self::LeastConnection => "lc",
            Self::WeightedLeastConnection => "wlc",
            Self::SourceHash => "sh",
        }
    }

    /// The algorithm of that name.
    #[must_use]
    pub fn from_name(name: &[u8]) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.name().as_bytes() == name)
    }
}

/// One decision to make: the servers to choose from, and for what.
struct Choice<'a, C, F> {
    servers: &'a [C],
    table: &'a Table<'a>,
    key: u64,
    exclude: F,
}

impl<C: Candidate, F: Fn(usize) -> bool> Choice<'_, C, F> {
    /// The server at `index`, when it may be picked.
    fn usable(&self, index: usize) -> Option<&C> {
        let server = self.servers.get(index)?;
        let may = server.weight() > 0 && server.available() && !(self.exclude)(index);
        may.then_some(server)
    }

    /// All indices once, from `start` on and round.
    fn from(&self, start: usize) -> impl Iterator<Item = usize> {
        (start..self.servers.len()).chain(0..start.min(self.servers.len()))
    }

    /// The first usable server from `start` on and round.
    fn first_from(&self, start: usize) -> Option<usize> {
        self.from(start).find(|&index| self.usable(index).is_some())
    }
}

/// How an algorithm chooses.
trait Policy {
    /// The index of the server chosen. `turn` is the scheduler's counter.
    fn pick<C, F>(turn: &Turn, choice: &Choice<'_, C, F>) -> Option<usize>
    where
        C: Candidate,
        F: Fn(usize) -> bool;
}

/// The counter of decisions made.
///
/// Only the sequence of values matters, not which decision sees which: `Relaxed` is enough.
#[derive(Debug)]
struct Turn(AtomicUsize);

impl Turn {
    /// This decision's number; the next one gets the number after.
    fn take(&self) -> usize {
        self.skip(1)
    }

    /// Passes over `n` numbers.
    fn skip(&self, n: usize) -> usize {
        self.0.fetch_add(n, Ordering::Relaxed)
    }
}

/// A pool's scheduler.
///
/// # Examples
///
/// ```
/// use ktcpvs_core::sched::{Candidate, Kind, Scheduler, Table};
///
/// struct Server(u32);
/// impl Candidate for Server {
///     fn weight(&self) -> u32 {
///         self.0
///     }
///     fn load(&self) -> u32 {
///         0
///     }
///     fn available(&self) -> bool {
///         true
///     }
/// }
///
/// let servers = [Server(1), Server(0), Server(1)];
/// let mut memory = [0; Table::words(3)];
/// Table::fill(servers.iter().map(Candidate::weight), &mut memory);
/// let table = Table::new(&memory);
/// let scheduler = Scheduler::new(Kind::RoundRobin);
/// let next = || scheduler.pick(&servers, &table, 0, |_| false);
/// assert_eq!([next(), next(), next()], [Some(0), Some(2), Some(0)]);
/// ```
#[derive(Debug)]
pub struct Scheduler {
    kind: Kind,
    turn: Turn,
}

impl Scheduler {
    /// A scheduler that has decided nothing yet.
    #[must_use]
    pub const fn new(kind: Kind) -> Self {
        Self {
            kind,
            turn: Turn(AtomicUsize::new(0)),
        }
    }

    /// A scheduler that goes on where this one is now, for the next snapshot of its pool.
    #[must_use]
    pub fn successor(&self) -> Self {
        Self {
            kind: self.kind,
            turn: Turn(AtomicUsize::new(self.turn.0.load(Ordering::Relaxed))),
        }
    }

    /// Its algorithm.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The index of the server for a piece of work, or `None` when none may take it.
    ///
    /// `table` was filled from the weights of `servers`; `key` is the hash of whatever the work
    /// is to be kept together by (see [`crate::hash::source`]) and counts for
    /// [`Kind::SourceHash`] only; `exclude` says which indices not to pick.
    pub fn pick<C: Candidate>(
        &self,
        servers: &[C],
        table: &Table<'_>,
        key: u64,
        exclude: impl Fn(usize) -> bool,
    ) -> Option<usize> {
        self.pick_by(self.kind, servers, table, key, exclude)
    }

    /// The server for a key whatever the pool's algorithm: for rules that hash a part of the
    /// request, and otherwise as [`Self::pick`] with [`Kind::SourceHash`].
    pub fn pick_hashed<C: Candidate>(
        &self,
        servers: &[C],
        table: &Table<'_>,
        key: u64,
        exclude: impl Fn(usize) -> bool,
    ) -> Option<usize> {
        self.pick_by(Kind::SourceHash, servers, table, key, exclude)
    }

    fn pick_by<C: Candidate>(
        &self,
        kind: Kind,
        servers: &[C],
        table: &Table<'_>,
        key: u64,
        exclude: impl Fn(usize) -> bool,
    ) -> Option<usize> {
        let choice = Choice {
            servers,
            table,
            key,
            exclude,
        };
        let turn = &self.turn;
        match kind {
            Kind::RoundRobin => round_robin::Equal::pick(turn, &choice),
            Kind::WeightedRoundRobin => round_robin::Weighted::pick(turn, &choice),
            Kind::LeastConnection => least::Equal::pick(turn, &choice),
            Kind::WeightedLeastConnection => least::Weighted::pick(turn, &choice),
            Kind::SourceHash => source::Hash::pick(turn, &choice),
        }
    }
}
