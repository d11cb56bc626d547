// SPDX-License-Identifier: GPL-2.0

//! Faults that the model can be given, to show that it would find them.

use std::cell::Cell;

/// A step that is done wrongly.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mutant {
    /// A work item's flag is cleared after its run, so that what comes meanwhile is lost.
    PendingClearedAfter,
    /// A server's event that does not get the client's lock queues nothing.
    BusyNotQueued,
    /// A client's event while a process owns its socket queues nothing.
    OwnedNotQueued,
    /// The softirq's work does not hand over to the process's where it does not get the lock.
    SoftirqNotHandedOver,
    /// A server's event takes the client's lock, and does not only try.
    WaitsAgainstOrder,
    /// A callback takes its lock for granted where a process owns the socket.
    OwnedNotLookedAt,
    /// A socket's callbacks are given up without its lock.
    ReleasedWithoutLock,
    /// A server's connection is put back after its lock was given back.
    PutBackUnlocked,
    /// A server's connection is lent to its borrower only when that has looked at it.
    LentAfterLook,
    /// An event at an idle connection ends it without taking it out of the pool.
    IdleNotTakenOut,
    /// A connection is not looked at once after its callbacks are in place.
    NotLookedAtOnce,
    /// Nobody looks at a connection to a server that may be up already.
    ConnectedNotLookedAt,
    /// A connection that ends while its server's is being made forgets the latter.
    ConnectedForgotten,
    /// A send that finds no room does not ask to be told of it.
    NoSpaceNotAsked,
    /// Who waits until all is acknowledged does not ask to be told of it.
    DrainedNotAsked,
    /// A server's connection that has room again tells nobody.
    WritableNotQueued,
    /// That there was no memory for a server's connection is forgotten.
    StarvedForgotten,
    /// The wait for a request is ended without looking whether one has come.
    WaitEndedUnseen,
    /// An idle connection that is too old is ended without taking it out of the pool.
    ExpiredNotTakenOut,
    /// The exchanges of a hold order nothing.
    HoldUnordered,
    /// The timer does not look again once it has taken a connection off its list.
    HoldNotLookedAtAgain,
}

thread_local! {
    // loom runs all threads of a model on one of the system's.
    static MUTANT: Cell<Option<Mutant>> = const { Cell::new(None) };
}

/// Whether `mutant` is to be.
pub fn broken(mutant: Mutant) -> bool {
    MUTANT.get() == Some(mutant)
}

/// Explores all interleavings of `scenario`, with at most `preemptions` of the running thread by
/// others, with a fault or without.
pub fn explore(mutant: Option<Mutant>, preemptions: usize, scenario: fn()) {
    let mut builder = loom::model::Builder::new();

    MUTANT.set(mutant);
    builder.preemption_bound = Some(preemptions);
    builder.max_branches = 10_000;
    builder.check(scenario);
    MUTANT.set(None);
}
