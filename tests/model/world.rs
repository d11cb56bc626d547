// SPDX-License-Identifier: GPL-2.0

//! What all connections share, and what a scenario looks at.

use crate::{
    connection::Task,
    kernel::Queues,
    upstream::{
        Idle,
        Upstream, //
    },
};
use loom::sync::{
    atomic::AtomicUsize,
    Mutex, //
};
use std::sync::Arc;

/// There is one in a scenario.
pub struct World {
    pub queues: Queues<Task>,
    pub idle: Idle,
    /// Connections to the server that it has not answered yet.
    pub connecting: Mutex<Vec<Arc<Upstream>>>,
    /// How many connections to the server there is no memory for.
    pub no_memory: AtomicUsize,
    // Not of loom's kind: to look at it must not order anything.
    tally: std::sync::Mutex<Tally>,
}

#[derive(Default)]
pub struct Tally {
    pub conns_opened: usize,
    pub conns_closed: usize,
    pub upstreams_opened: usize,
    pub upstreams_closed: usize,
    /// Bytes from clients to the server, and back.
    pub up: usize,
    pub down: usize,
}

impl World {
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            queues: Queues::new(),
            idle: Idle::new(),
            connecting: Mutex::new(Vec::new()),
            no_memory: AtomicUsize::new(0),
            tally: std::sync::Mutex::default(),
        })
    }

    pub fn tally<R>(&self, f: impl FnOnce(&mut Tally) -> R) -> R {
        f(&mut self.tally.lock().unwrap())
    }
}
