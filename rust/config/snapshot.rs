// SPDX-License-Identifier: GPL-2.0

//! A configuration as it is, or was, in force.

use super::{
    DataPath,
    Pool,
    Server,
    Service, //
};
use kernel::{
    prelude::*,
    sync::Arc, //
};

/// What holds for a whole namespace.
#[derive(Clone, Copy, Default)]
pub(crate) struct Settings {
    /// What its connections may take, in bytes; 0 for the default.
    pub(crate) mem_limit: u64,
}

/// Everything that is served, at one moment. Never changed once it is in force.
pub(crate) struct Snapshot<D: DataPath> {
    /// Grows with every change.
    pub(crate) generation: u64,
    /// What holds for all of it.
    pub(crate) settings: Settings,
    /// In the order in which they were added.
    pub(crate) pools: KVVec<Arc<Pool<D>>>,
    /// In the order in which they were added.
    pub(crate) services: KVVec<Arc<Service<D>>>,
}

impl<D: DataPath> Snapshot<D> {
    /// Nothing is served.
    pub(super) fn empty(generation: u64) -> Result<Arc<Self>> {
        let snapshot = Self {
            generation,
            settings: Settings::default(),
            pools: KVVec::new(),
            services: KVVec::new(),
        };

        Ok(Arc::new(snapshot, GFP_KERNEL_ACCOUNT)?)
    }

    /// Every real server of every pool.
    pub(crate) fn servers(&self) -> impl Iterator<Item = &Arc<Server<D>>> {
        self.pools
            .iter()
            .flat_map(|pool| pool.members())
            .map(|member| &member.server)
    }
}
