// SPDX-License-Identifier: GPL-2.0

//! When a connection has waited for too long.

use crate::linux::time;
use kernel::sync::atomic::{
    Atomic,
    Relaxed, //
};
use ktcpvs_core::seq::Serial;

/// No request is under way. The clock will not count that far.
const IDLE: u64 = 1 << 63;

/// A moment in jiffies, and whether it is the next request that is waited for. Read and written
/// without a lock.
pub(super) struct Deadline(Atomic<u64>);

impl Deadline {
    /// For the first request to come, `after` jiffies from now.
    pub(super) fn for_request(after: usize) -> Self {
        Self(Atomic::new(moment(after) | IDLE))
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

    /// Whether it has passed.
    #[inline]
    pub(super) fn passed(&self, now: usize) -> bool {
        !(now as u64).before(self.0.load(Relaxed) & !IDLE)
    }

    /// How much of the time for the next request to begin is left, in jiffies, if that is what is
    /// waited for.
    pub(super) fn idle_for(&self, now: u64) -> Option<u64> {
        let deadline = self.0.load(Relaxed);
        let left = (deadline & !IDLE).saturating_sub(now);

        (deadline & IDLE != 0).then_some(left)
    }

    /// Makes it pass if it is the next request that is waited for, and says whether that is so. A
    /// request that begins meanwhile sets another deadline, and goes on.
    pub(super) fn end_idle(&self) -> bool {
        let deadline = self.0.load(Relaxed);

        deadline & IDLE != 0 && self.0.cmpxchg(deadline, moment(0) | IDLE, Relaxed).is_ok()
    }
}

/// `after` jiffies from now.
#[inline]
fn moment(after: usize) -> u64 {
    (time::jiffies() as u64).wrapping_add(after as u64)
}
