// SPDX-License-Identifier: GPL-2.0

//! Which connections to give up when all of them take too much memory.
//!
//! Those go first whose clients have not asked yet, or not to the end, or that are over but for the
//! client's end. Of these the ones that have only just begun to wait are spared, as long as they are
//! not too many. Then idle ones go; of either those before the others that have waited for longest;
//! then those that take most, and in the end those that take little, of which those go first whose
//! request has been under way for longest. The order is not exact: connections are counted in buckets
//! of these properties, so that a choice among a million takes two looks at each, and no more memory
//! than [`Plan`].
//!
//! To be used in this order: [`Plan::clear`], [`Plan::count`] for each connection,
//! [`Plan::choose`], and [`Plan::takes`] for each connection again.

/// How finely times are told apart: by an eighth of a power of two, up to 2²⁶.
const TIMES: usize = 8 * 24;

/// How finely sizes are told apart: by the power of two, up to a terabyte.
const BUSY: usize = 40;

/// A connection of less than this, in bytes, has little buffered beside its sockets.
pub const LITTLE: u64 = 16 << 10;

/// What a connection takes, and whether anybody would miss it.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// In bytes.
    pub size: u64,
    /// What it waits for.
    pub standing: Standing,
}

/// What a connection waits for, and for how long it has, in whatever unit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Standing {
    /// Its client's first request, the rest of a head, or the client's end after our last word.
    Spare(u64),
    /// The same, and has only begun to.
    Fresh(u64),
    /// Its client's next request.
    Idle(u64),
    /// Anything else: for how long a request has been under way, or there has been none.
    Busy(u64),
}

/// What all connections take, and which of them are to go.
pub struct Plan {
    total: u64,
    /// The bytes of those that wait, by how long they have.
    spare: [u64; TIMES],
    fresh: [u64; TIMES],
    idle: [u64; TIMES],
    /// The bytes of others, by their size.
    busy: [u64; BUSY],
    /// Those of the ones among them that take little, by how long they have been busy.
    little: [u64; TIMES],
    /// What is to be taken of each kind.
    spare_cut: Cut,
    fresh_cut: Cut,
    idle_cut: Cut,
    busy_cut: Cut,
    little_cut: Cut,
}

/// Everything before a bucket, and some bytes of that bucket itself.
#[derive(Clone, Copy)]
struct Cut {
    bucket: usize,
    bytes: u64,
}

impl Cut {
    const NOTHING: Self = Self {
        bucket: 0,
        bytes: 0,
    };

    /// Enough of these buckets, from the first on, to have `bytes`; and what is then missing.
    fn new(buckets: impl Iterator<Item = u64>, mut bytes: u64) -> (Self, u64) {
        let mut last = 0;

        for (bucket, has) in buckets.enumerate() {
            if bytes <= has {
                return (Self { bucket, bytes }, 0);
            }
            bytes = bytes.saturating_sub(has);
            last = bucket;
        }
        (
            Self {
                bucket: last.saturating_add(1),
                bytes: 0,
            },
            bytes,
        )
    }

    /// Whether something of `size` bytes in `bucket` is to be taken.
    fn takes(&mut self, bucket: usize, size: u64) -> bool {
        if bucket < self.bucket {
            return true;
        }
        let wanted = bucket == self.bucket && self.bytes > 0;

        if wanted {
            self.bytes = self.bytes.saturating_sub(size);
        }
        wanted
    }
}

impl Plan {
    /// Nothing is counted yet.
    pub const fn new() -> Self {
        Self {
            total: 0,
            spare: [0; TIMES],
            fresh: [0; TIMES],
            idle: [0; TIMES],
            busy: [0; BUSY],
            little: [0; TIMES],
            spare_cut: Cut::NOTHING,
            fresh_cut: Cut::NOTHING,
            idle_cut: Cut::NOTHING,
            busy_cut: Cut::NOTHING,
            little_cut: Cut::NOTHING,
        }
    }

    /// Begins anew.
    pub fn clear(&mut self) {
        self.total = 0;
        self.spare.fill(0);
        self.fresh.fill(0);
        self.idle.fill(0);
        self.busy.fill(0);
        self.little.fill(0);
        self.spare_cut = Cut::NOTHING;
        self.fresh_cut = Cut::NOTHING;
        self.idle_cut = Cut::NOTHING;
        self.busy_cut = Cut::NOTHING;
        self.little_cut = Cut::NOTHING;
    }

    /// Counts a connection.
    pub fn count(&mut self, load: &Load) {
        let bucket = match load.standing {
            Standing::Spare(waited) => self.spare.get_mut(time_bucket(waited)),
            Standing::Fresh(waited) => self.fresh.get_mut(time_bucket(waited)),
            Standing::Idle(waited) => self.idle.get_mut(time_bucket(waited)),
            Standing::Busy(time) if load.size < LITTLE => self.little.get_mut(time_bucket(time)),
            Standing::Busy(_) => self.busy.get_mut(busy_bucket(load.size)),
        };

        if let Some(bytes) = bucket {
            *bytes = bytes.saturating_add(load.size);
        }
        self.total = self.total.saturating_add(load.size);
    }

    /// What all of them take, in bytes.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Chooses enough of them to be rid of `bytes`, or all but the fresh ones, which may keep `spared`
    /// bytes in any case.
    pub fn choose(&mut self, bytes: u64, spared: u64) {
        let (spare, missing) = Cut::new(self.spare.iter().copied(), bytes);
        let fresh = self
            .fresh
            .iter()
            .fold(0_u64, |sum, has| sum.saturating_add(*has));
        let excess = missing.min(fresh.saturating_sub(spared));

        self.fresh_cut = Cut::new(self.fresh.iter().copied(), excess).0;
        let missing = missing.saturating_sub(excess);
        let (idle, missing) = Cut::new(self.idle.iter().copied(), missing);
        let (busy, missing) = Cut::new(self.busy.iter().copied(), missing);
        let (little, _) = Cut::new(self.little.iter().copied(), missing);

        self.spare_cut = spare;
        self.idle_cut = idle;
        self.busy_cut = busy;
        self.little_cut = little;
    }

    /// Whether this connection is to go. To be asked once for each.
    pub fn takes(&mut self, load: &Load) -> bool {
        let size = load.size;

        match load.standing {
            Standing::Spare(waited) => self.spare_cut.takes(time_bucket(waited), size),
            Standing::Fresh(waited) => self.fresh_cut.takes(time_bucket(waited), size),
            Standing::Idle(waited) => self.idle_cut.takes(time_bucket(waited), size),
            Standing::Busy(time) if size < LITTLE => self.little_cut.takes(time_bucket(time), size),
            Standing::Busy(_) => self.busy_cut.takes(busy_bucket(size), size),
        }
    }
}

impl Default for Plan {
    fn default() -> Self {
        Self::new()
    }
}

/// The bucket of connections that have waited for so long: the longest come first.
fn time_bucket(waited: u64) -> usize {
    let place = match waited.checked_ilog2() {
        Some(power @ 3..) => {
            let eighth = waited.checked_shr(power.saturating_sub(3)).unwrap_or(0) % 8;

            (power as usize)
                .saturating_sub(2)
                .saturating_mul(8)
                .saturating_add(eighth as usize)
        }
        _ => waited as usize,
    };

    (TIMES - 1).saturating_sub(place)
}

/// The bucket of connections of this size: the largest come first.
fn busy_bucket(size: u64) -> usize {
    let power = size.checked_ilog2().unwrap_or(0) as usize;

    (BUSY - 1).saturating_sub(power)
}
