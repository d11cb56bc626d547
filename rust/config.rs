// SPDX-License-Identifier: GPL-2.0

//! What is served: virtual services, their rules, pools and real servers.
//!
//! Each network namespace has a [`Namespace`]: a [`Snapshot`] in force and the listeners that
//! serve it. A change is a [`Transaction`]: a copy is changed step by step, checked as a whole,
//! and put in force at once. What runs finishes on the snapshot that it began with; what lives on
//! (a real server and its counters) is shared by both.
//!
//! The configuration does not know what serves it: that is a [`DataPath`].

mod change;
mod draft;
mod namespace;
mod pool;
mod rule;
mod server;
mod service;
mod snapshot;
mod stats;

use crate::{
    linux::{
        net::{
            Bind,
            Net, //
        },
        rcu::Retired, //
    },
    uapi, //
};
use core::net::SocketAddr;
use kernel::{
    prelude::*,
    sync::Arc, //
};
use ktcpvs_core::inline::Inline;

pub(crate) use self::{
    change::{
        ActionSpec,
        Change,
        ConditionSpec,
        PoolSpec,
        Refusal,
        RuleSpec,
        ServerSpec,
        ServiceSpec,
        SettingsSpec,
        Word, //
    },
    namespace::Namespace,
    pool::{
        Affinity,
        Member,
        Pool, //
    },
    rule::{
        Action,
        Rule, //
    },
    server::Server,
    service::{
        Options,
        Service,
        Timeout, //
    },
    snapshot::{
        Settings,
        Snapshot, //
    },
    stats::Stats,
};

/// The longest name of a service or a pool, in bytes.
pub(crate) const NAME_MAX: usize = uapi::NAME_LEN;

/// The name of a service or a pool.
type Name = Inline<NAME_MAX>;

/// What serves a configuration.
pub(crate) trait DataPath: Sized + Send + Sync + 'static {
    /// What it keeps for a real server: idle connections.
    type Server: Send + Sync;
    /// An address being listened on.
    type Listener: Send + Sync;

    /// Gets ready to serve in `net`. Nothing much is allocated before the first listener.
    fn new(net: &Net) -> Result<Self>;

    /// What to keep for a new real server.
    fn new_server() -> impl PinInit<Self::Server>;

    /// The server belongs to no pool any more: no new request will come for it.
    fn server_removed(server: &Server<Self>);

    /// Listens on `addr` for `service`. Who comes waits, until `open()`. Process context.
    fn listen(
        &self,
        net: &Net,
        addr: &SocketAddr,
        bind: Bind,
        service: &Arc<Service<Self>>,
    ) -> Result<Arc<Self::Listener>>;

    /// Serves who waits at a new listener, and who comes from now on.
    fn open(listener: &Arc<Self::Listener>);

    /// Puts the next version of a service in force where it, or another one before it, was
    /// listening already.
    fn publish(listener: &Self::Listener, service: &Arc<Service<Self>>) -> Retired<Service<Self>>;

    /// Listens no more: who still waits is reset, requests that run finish. Process context.
    fn unlisten(listener: &Self::Listener) -> Option<Retired<Self::Listener>>;

    /// Closes the idle connections of listeners that listen no more. Process context.
    fn close_idle(&self);

    /// Takes note of the snapshot in force: of its settings at once, and of its servers now and then.
    fn watch(&self, snapshot: &Arc<Snapshot<Self>>);

    /// What its connections take, in bytes.
    fn memory(&self) -> u64;

    /// Cuts off what still runs, because the namespace ends.
    fn stop(&self);
}

/// A copy of `name`, which the interface has checked for its length.
fn name(bytes: &[u8]) -> Name {
    let mut name = Name::new();

    name.push(bytes);
    name
}
