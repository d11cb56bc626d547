// SPDX-License-Identifier: GPL-2.0

//! Layer 7: HTTP requests switched one by one.
//!
//! The way of a request: [`listener`] accepts, [`connection`] has bytes, [`begin`] collects and
//! parses a head, [`select`] finds rule, pool and server, [`upstream`] lends a connection, and
//! [`exchange`] moves request and response with [`relay`].

mod answer;
mod begin;
mod connection;
mod deadline;
mod ending;
mod exchange;
mod head;
mod hold;
mod listener;
mod memory;
mod relay;
mod select;
mod shared;
mod tunnel;
mod unsent;
mod upstream;

use crate::{
    config,
    linux::{
        net::{
            Bind,
            Net, //
        },
        rcu::Retired, //
    },
};
use core::net::SocketAddr;
use kernel::{
    prelude::*,
    sync::Arc, //
};

pub(crate) use self::listener::Listener;
use self::{
    shared::Shared,
    upstream::Idle, //
};

type Pool = config::Pool<Layer7>;
type Server = config::Server<Layer7>;
type Service = config::Service<Layer7>;
type Snapshot = config::Snapshot<Layer7>;

/// The Layer-7 data path of a network namespace.
pub(crate) struct Layer7 {
    shared: Arc<Shared>,
}

impl config::DataPath for Layer7 {
    type Server = Idle;
    type Listener = Listener;

    fn new(net: &Net) -> Result<Self> {
        Ok(Self {
            shared: Shared::new(net.clone())?,
        })
    }

    fn new_server() -> impl PinInit<Idle> {
        Idle::new()
    }

    fn server_removed(server: &Server) {
        server.data.shut();
    }

    fn listen(
        &self,
        net: &Net,
        addr: &SocketAddr,
        bind: Bind,
        service: &Arc<Service>,
    ) -> Result<Arc<Listener>> {
        self.shared.start()?;
        Listener::new(&self.shared, net, addr, bind, service.clone())
    }

    fn open(listener: &Arc<Listener>) {
        listener.open();
    }

    fn publish(listener: &Listener, service: &Arc<Service>) -> Retired<Service> {
        listener.publish(service.clone())
    }

    fn unlisten(listener: &Listener) -> Option<Retired<Listener>> {
        listener.close()
    }

    fn close_idle(&self) {
        self.shared.close_idle();
    }

    fn watch(&self, snapshot: &Arc<Snapshot>) {
        self.shared.watch(snapshot.clone());
    }

    fn memory(&self) -> u64 {
        self.shared.memory.used()
    }

    fn stop(&self) {
        self.shared.stop();
    }
}
