// SPDX-License-Identifier: GPL-2.0

//! `rust/l7/deadline.rs`.

use crate::mutant::{
    broken,
    Mutant, //
};
use loom::sync::atomic::{
    AtomicUsize,
    Ordering::Relaxed, //
};

/// What is waited for. Time passes only if somebody makes it.
pub struct Deadline(AtomicUsize);

/// It is the next request that is waited for.
const IDLE: usize = 1;

/// It is over.
const PASSED: usize = 2;

impl Deadline {
    /// It is the next request that is waited for, or something else.
    pub fn new(idle: bool) -> Self {
        Self(AtomicUsize::new(if idle { IDLE } else { 0 }))
    }

    // No stores: loom may put one before an exchange that was done earlier.
    pub fn set(&self) {
        self.0.swap(0, Relaxed);
    }

    pub fn set_for_request(&self) {
        self.0.swap(IDLE, Relaxed);
    }

    pub fn passed(&self) -> bool {
        self.0.load(Relaxed) & PASSED != 0
    }

    pub fn end_wait(&self) -> bool {
        let deadline = self.0.load(Relaxed);

        if broken(Mutant::WaitEndedUnseen) && deadline & IDLE != 0 {
            self.0.store(deadline | PASSED, Relaxed);
            return true;
        }
        deadline & IDLE != 0
            && self
                .0
                .compare_exchange(deadline, deadline | PASSED, Relaxed, Relaxed)
                .is_ok()
    }
}
