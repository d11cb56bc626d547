// SPDX-License-Identifier: GPL-2.0

//! When a connection has waited for too long.

use crate::linux::time;
use kernel::sync::atomic::{
    Atomic,
    Relaxed, //
};
use ktcpvs_core::seq::Serial;

/// It is the next request that is waited for. The clock will not count that far.
const IDLE: u64 = 1 << 63;

/// It is the first request that is waited for, the rest of a head, or the client's end after our last
/// word.
const SPARE: u64 = 1 << 62;

/// It is the client that is waited for, and no server's connection is in use.
const WAITS: u64 = IDLE | SPARE;

/// A moment in jiffies, and whether it is the client that is waited for. Read and written without a
/// lock.
pub(super) struct Deadline(Atomic<u64>);

impl Deadline {
    /// For the first request to come, `after` jiffies from now.
    pub(super) fn for_first_request(after: usize) -> Self {
        Self(Atomic::new(moment(after) | SPARE))
    }

    /// Something is to happen within `after` jiffies from now.
    #[inline]
    pub(super) fn set(&self, after: usize) {
        self.0.store(moment(after), Relaxed);
    }

    /// The next request is to begin within `after` jiffies from now.
    #[inline]
    pub(super) fn set_for_request(&self, after: usize) {
        self.0.store(moment(after) | IDLE, Relaxed);
    }

    /// The head that has begun is to be whole, or the client's end is to come, within `after` jiffies
    /// from now.
    pub(super) fn set_spare(&self, after: usize) {
        self.0.store(moment(after) | SPARE, Relaxed);
    }

    /// Whether it has passed.
    #[inline]
    pub(super) fn passed(&self, now: usize) -> bool {
        !(now as u64).before(self.0.load(Relaxed) & !WAITS)
    }

    /// What is waited for.
    pub(super) fn wait(&self, now: u64) -> Wait {
        let deadline = self.0.load(Relaxed);
        let left = (deadline & !WAITS).saturating_sub(now);

        match deadline & WAITS {
            0 => Wait::Other,
            SPARE => Wait::Spare(left),
            _ => Wait::Idle(left),
        }
    }

    /// Makes it pass if it is the client that is waited for, and says whether that is so. A request
    /// that is whole meanwhile sets another deadline, and goes on.
    pub(super) fn end_wait(&self) -> bool {
        let deadline = self.0.load(Relaxed);
        let passed = moment(0) | deadline & WAITS;

        deadline & WAITS != 0 && self.0.cmpxchg(deadline, passed, Relaxed).is_ok()
    }
}

/// What a connection waits for, and for how much longer, in jiffies.
pub(super) enum Wait {
    /// Its first request, the rest of a head, or the client's end.
    Spare(u64),
    /// The next request.
    Idle(u64),
    /// Something else.
    Other,
}

/// `after` jiffies from now.
#[inline]
fn moment(after: usize) -> u64 {
    (time::jiffies() as u64).wrapping_add(after as u64)
}
