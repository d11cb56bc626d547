// SPDX-License-Identifier: GPL-2.0

//! Counters.

use std::collections::HashMap;
use std::net::SocketAddr;

/// The counters of a service, real server or rule, since it was added or set to zero.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Stats {
    /// Connections open now.
    pub connections_active: u64,
    /// Connections.
    pub connections_total: u64,
    /// Requests. Of a server, those that were sent to it, each time.
    pub requests: u64,
    /// Requests that were wholly answered.
    pub responses: u64,
    /// Bytes from clients.
    pub bytes_in: u64,
    /// Bytes to clients.
    pub bytes_out: u64,
    /// Requests that the director had to answer with an error, or break off. Of a server, what it is
    /// to blame for.
    pub errors: u64,
    /// Connections that could not be served, nearly always for want of room or memory.
    pub connections_refused: u64,
}

/// The counters of everything in a snapshot.
#[derive(Clone, Debug, Default)]
pub struct Counters {
    /// By service.
    pub services: HashMap<String, Stats>,
    /// By pool and address.
    pub servers: HashMap<(String, SocketAddr), Stats>,
    /// By service and rule id.
    pub rules: HashMap<(String, u32), Stats>,
}

impl Counters {
    /// Those of a service.
    pub fn service(&self, name: &str) -> Stats {
        self.services.get(name).copied().unwrap_or_default()
    }

    /// Those of a real server.
    pub fn server(&self, pool: &str, address: &SocketAddr) -> Stats {
        let key = (pool.to_owned(), *address);
        self.servers.get(&key).copied().unwrap_or_default()
    }

    /// Those of a rule.
    pub fn rule(&self, service: &str, id: u32) -> Stats {
        let key = (service.to_owned(), id);
        self.rules.get(&key).copied().unwrap_or_default()
    }
}
