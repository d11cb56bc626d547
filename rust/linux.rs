// SPDX-License-Identifier: GPL-2.0

//! Safe abstractions over parts of the kernel that its `kernel` crate does not cover yet.
//!
//! All `unsafe` code of the module is here.

pub(crate) mod bindings;
pub(crate) mod errno;
pub(crate) mod lock;
pub(crate) mod mm;
pub(crate) mod net;
pub(crate) mod percpu;
pub(crate) mod queues;
pub(crate) mod rcu;
pub(crate) mod time;
