// SPDX-License-Identifier: GPL-2.0

//! `rust/l7/hold.rs`: a runner begins holds, and a timer finds those that have taken too long.
//!
//! What is told apart here of the time is whether a hold has taken too long by now, when the timer
//! looks: [`OLD`] has, [`NEW`] has not.

use crate::mutant::{
    broken,
    Mutant, //
};
use loom::sync::{
    atomic::{
        fence, AtomicBool, AtomicUsize,
        Ordering::{
            AcqRel,
            Relaxed,
            SeqCst, //
        },
    },
    Mutex, //
};

const NONE: usize = 0;
pub const OLD: usize = 1;
const NEW: usize = 2;

/// A connection's part in it, and the list of its CPU.
pub struct Hold {
    since: AtomicUsize,
    listed: AtomicBool,
    /// How often the connection is on the list.
    list: Mutex<usize>,
}

/// What became of a connection that the timer looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Look {
    Keep,
    /// It is on the list no more, and it was `on` hold: it was queued.
    Taken {
        on: bool,
    },
}

impl Hold {
    /// A connection that is on the list, whose hold began at `since`.
    pub fn new(since: usize) -> Self {
        Self {
            since: AtomicUsize::new(since),
            listed: AtomicBool::new(true),
            list: Mutex::new(1),
        }
    }

    pub fn end(&self) {
        self.since.store(NONE, Relaxed);
    }

    fn is_running(&self) -> bool {
        self.since.load(Relaxed) == NEW
    }

    /// The kernel's fully ordered exchange.
    fn xchg(&self, listed: bool) -> bool {
        if broken(Mutant::HoldUnordered) {
            return self.listed.swap(listed, Relaxed);
        }
        fence(SeqCst);
        let before = self.listed.swap(listed, AcqRel);

        fence(SeqCst);
        before
    }

    pub fn begin(&self) {
        self.since.store(NEW, Relaxed);
        if !self.xchg(true) {
            *self.list.lock().unwrap() += 1;
        }
    }

    pub fn look(&self) -> Look {
        let mut list = self.list.lock().unwrap();

        if self.is_running() {
            return Look::Keep;
        }
        self.xchg(false);
        let again = !broken(Mutant::HoldNotLookedAtAgain);

        if again && self.is_running() && !self.xchg(true) {
            return Look::Keep;
        }
        *list -= 1;
        drop(list);
        Look::Taken {
            on: self.since.load(Relaxed) != NONE,
        }
    }

    /// How often the connection is on the list, and whether it holds something.
    pub fn parts(&self) -> (usize, bool, bool) {
        let on = self.since.load(Relaxed) != NONE;

        (*self.list.lock().unwrap(), self.listed.load(Relaxed), on)
    }
}
