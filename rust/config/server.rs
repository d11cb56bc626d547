// SPDX-License-Identifier: GPL-2.0

//! Real servers.

use super::{
    DataPath,
    Stats, //
};
use crate::linux::net::Net;
use core::net::SocketAddr;
use kernel::{
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc, //
    },
};

/// A real server of a pool. It lives on from snapshot to snapshot, as long as it is in the pool
/// and something runs on it.
#[pin_data]
pub(crate) struct Server<D: DataPath> {
    /// Where it listens.
    pub(crate) addr: SocketAddr,
    /// The namespace that it is reached from.
    pub(crate) net: Net,
    /// Its counters.
    pub(crate) stats: Arc<Stats>,
    /// What the data path keeps for it.
    #[pin]
    pub(crate) data: D::Server,
    /// Requests in progress.
    active: Atomic<i32>,
    removed: Atomic<bool>,
}

impl<D: DataPath> Server<D> {
    /// A server that nothing runs on yet.
    pub(super) fn new(net: &Net, addr: SocketAddr) -> Result<Arc<Self>> {
        let stats = Stats::new()?;

        Arc::pin_init(
            pin_init!(Self {
                addr,
                net: net.clone(),
                stats,
                data <- D::new_server(),
                active: Atomic::new(0),
                removed: Atomic::new(false),
            }),
            GFP_KERNEL_ACCOUNT,
        )
    }

    /// A request is on its way to the server.
    pub(crate) fn begin(&self) {
        self.active.add(1, Relaxed);
    }

    /// A request is over.
    pub(crate) fn end(&self) {
        self.active.add(-1, Relaxed);
    }

    /// How many requests are in progress.
    pub(super) fn load(&self) -> u32 {
        self.active.load(Relaxed).max(0) as u32
    }

    /// Whether the server is in no pool any more.
    pub(crate) fn removed(&self) -> bool {
        self.removed.load(Relaxed)
    }

    /// Takes leave of the pool.
    pub(super) fn remove(&self) {
        self.removed.store(true, Relaxed);
        D::server_removed(self);
    }
}
