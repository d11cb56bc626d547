// SPDX-License-Identifier: GPL-2.0

//! A model of how a connection is run, for loom, which tries every order in which CPUs can come.
//!
//! It takes the same steps as the module, by the same names, so that the two can be read side by
//! side: [`stream`] is `rust/linux/net/stream.rs`, [`connection`] and [`upstream`] are the files
//! of their names in `rust/l7`, [`hold`] is `rust/l7/hold.rs`, and [`kernel`] is what the kernel
//! gives. Who runs next, and where, is not modelled: it is the module's own code,
//! `ktcpvs_core::runner`.
//!
//! What is shown, within the number of preemptions that is tried:
//!
//! - There is one runner of a connection at a time, and all that a lock protects is touched with
//!   it only: loom panics where two accesses are not ordered.
//! - Nothing is lost: when nobody has anything to do any more, no connection has.
//! - There is no deadlock: loom would run for ever, and gives up.
//! - A server's connection is touched only by the one that it is lent to.
//! - Every connection is closed once, nothing of it is left, and nothing runs afterwards.
//!
//! [`scenarios`] shows it for the model as it is, and that each fault of [`mutant`] is found.
//!
//! What is not in the model: that a softirq interrupts the process on its own CPU (no lock that it
//! waits for is held with softirqs on; lockdep watches that), the barriers within work queues and
//! locks, the sweep and most time-outs (they queue [`connection::Work::Process`], as `kill()` does),
//! listeners, and `Phase::Lingering`, in which only the client's socket is touched.

mod connection;
mod deadline;
mod hold;
mod kernel;
mod mutant;
mod scenarios;
mod stage;
mod stream;
mod upstream;
mod world;
