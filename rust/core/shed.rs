// SPDX-License-Identifier: GPL-2.0

//! Which connections to give up when all of them take too much memory.
//!
//! Idle ones go first, those before the others that have been idle for longest; then those that
//! take most. The order is not exact: connections are counted in buckets of either property, so
//! that a choice among a million takes two looks at each, and no more memory than [`Plan`].
//!
//! To be used in this order: [`Plan::clear`], [`Plan::count`] for each connection,
//! [`Plan::choose`], and [`Plan::takes`] for each connection again.

/// How finely the time that idle connections have left is told apart.
const IDLE: usize = 64;

/// How finely sizes are told apart: by the power of two, up to a terabyte.
const BUSY: usize = 40;

/// What a connection takes, and whether anybody would miss it.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// In bytes.
    pub size: u64,
    /// Of an idle one: how much of its time it has left, in a thousandth. Most of them have had
    /// about the same time, so that the one with the least left has been idle for longest.
    pub idle: Option<u16>,
}

/// What all connections take, and which of them are to go.
pub struct Plan {
    total: u64,
    /// The bytes of idle connections, by the time that they have left.
    idle: [u64; IDLE],
    /// The bytes of others, by their size.
    busy: [u64; BUSY],
    /// What is to be taken of either.
    idle_cut: Cut,
    busy_cut: Cut,
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
            idle: [0; IDLE],
            busy: [0; BUSY],
            idle_cut: Cut::NOTHING,
            busy_cut: Cut::NOTHING,
        }
    }

    /// Begins anew.
    pub fn clear(&mut self) {
        self.total = 0;
        self.idle.fill(0);
        self.busy.fill(0);
        self.idle_cut = Cut::NOTHING;
        self.busy_cut = Cut::NOTHING;
    }

    /// Counts a connection.
    pub fn count(&mut self, load: &Load) {
        let bucket = match load.idle {
            Some(left) => self.idle.get_mut(idle_bucket(left)),
            None => self.busy.get_mut(busy_bucket(load.size)),
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

    /// Chooses enough of them to be rid of `bytes`, or all.
    pub fn choose(&mut self, bytes: u64) {
        let (idle, missing) = Cut::new(self.idle.iter().copied(), bytes);
        let (busy, _) = Cut::new(self.busy.iter().copied(), missing);

        self.idle_cut = idle;
        self.busy_cut = busy;
    }

    /// Whether this connection is to go. To be asked once for each.
    pub fn takes(&mut self, load: &Load) -> bool {
        match load.idle {
            Some(left) => self.idle_cut.takes(idle_bucket(left), load.size),
            None => self.busy_cut.takes(busy_bucket(load.size), load.size),
        }
    }
}

impl Default for Plan {
    fn default() -> Self {
        Self::new()
    }
}

/// The bucket of idle connections with this much time left: the least time comes first.
fn idle_bucket(left: u16) -> usize {
    (usize::from(left).saturating_mul(IDLE) / 1001).min(IDLE - 1)
}

/// The bucket of connections of this size: the largest come first.
fn busy_bucket(size: u64) -> usize {
    let power = size.checked_ilog2().unwrap_or(0) as usize;

    (BUSY - 1).saturating_sub(power)
}
