// SPDX-License-Identifier: GPL-2.0

//! What is configured: pools of real servers, and virtual services with their rules.
//!
//! These are plain values. Two configurations are equal when they ask for the same; counters and
//! the generation are kept beside them, in [`Snapshot`].

mod check;
mod rule;
mod settings;
mod stats;

pub use check::{
    name_fault,
    token_fault,
    Object,
    Problem, //
};
pub use rule::{
    Action,
    Condition,
    Operator,
    Rule,
    Subject, //
};
pub(crate) use settings::Width;
pub use settings::{
    Setting,
    Settings,
    Unit, //
};
pub use stats::{
    Counters,
    Stats, //
};

use crate::uapi;
use std::net::SocketAddr;

/// How a pool chooses the real server.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Scheduler {
    /// Round robin.
    Rr,
    /// Weighted round robin.
    Wrr,
    /// Least connection.
    Lc,
    /// Weighted least connection.
    #[default]
    Wlc,
    /// Source hashing.
    Sh,
}

impl Scheduler {
    /// Every scheduler.
    pub const ALL: [Self; 5] = [Self::Rr, Self::Wrr, Self::Lc, Self::Wlc, Self::Sh];

    /// Its number in the interface.
    pub fn number(self) -> u32 {
        match self {
            Self::Rr => uapi::scheduler::RR,
            Self::Wrr => uapi::scheduler::WRR,
            Self::Lc => uapi::scheduler::LC,
            Self::Wlc => uapi::scheduler::WLC,
            Self::Sh => uapi::scheduler::SH,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        crate::name_of(&uapi::scheduler::NAMES, self.number())
    }

    /// The scheduler of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.name() == name)
    }

    /// The scheduler of that number.
    pub fn from_number(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.number() == number)
    }
}

/// A secret key of cookie affinity.
pub type Key = [u8; uapi::KEY_LEN];

/// How a pool keeps a client at its server.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Affinity {
    /// The cookie's name.
    pub cookie: String,
    /// The key of its values. `None` asks for the one in use or, if there is none, a new one.
    pub key: Option<Key>,
}

/// A real server of a pool.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    /// Its share of new work; 0 drains it.
    pub weight: u32,
}

/// A pool of real servers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Pool {
    /// Its name.
    pub name: String,
    /// How it chooses the server.
    pub scheduler: Scheduler,
    /// How it keeps a client at its server, if it does.
    pub affinity: Option<Affinity>,
    /// Its servers, in order.
    pub servers: Vec<Server>,
}

impl Pool {
    /// An empty pool with everything at its default.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            scheduler: Scheduler::default(),
            affinity: None,
            servers: Vec::new(),
        }
    }

    /// The server at an address.
    pub fn server(&self, address: &SocketAddr) -> Option<&Server> {
        self.servers.iter().find(|s| s.address == *address)
    }

    /// The server at an address, to change it.
    pub fn server_mut(&mut self, address: &SocketAddr) -> Option<&mut Server> {
        self.servers.iter_mut().find(|s| s.address == *address)
    }
}

/// A virtual service.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// Where it listens.
    pub listeners: Vec<SocketAddr>,
    /// The pool of requests that no rule matches.
    pub pool: Option<String>,
    /// Whether it listens at all.
    pub enabled: bool,
    /// Its timeouts, limits and switches.
    pub settings: Settings,
    /// Its rules; the first that matches decides.
    pub rules: Vec<Rule>,
}

impl Service {
    /// A service with everything at its default, and no listener yet.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            listeners: Vec::new(),
            pool: None,
            enabled: true,
            settings: Settings::default(),
            rules: Vec::new(),
        }
    }
}

/// The whole configuration of a network namespace.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Config {
    /// What all connections may take, in bytes; 0, the default, is half of the machine's memory.
    pub mem_limit: u64,
    /// The pools.
    pub pools: Vec<Pool>,
    /// The virtual services.
    pub services: Vec<Service>,
}

impl Config {
    /// The pool of that name.
    pub fn pool(&self, name: &str) -> Option<&Pool> {
        self.pools.iter().find(|p| p.name == name)
    }

    /// The pool of that name, to change it.
    pub fn pool_mut(&mut self, name: &str) -> Option<&mut Pool> {
        self.pools.iter_mut().find(|p| p.name == name)
    }

    /// The service of that name.
    pub fn service(&self, name: &str) -> Option<&Service> {
        self.services.iter().find(|s| s.name == name)
    }

    /// The service of that name, to change it.
    pub fn service_mut(&mut self, name: &str) -> Option<&mut Service> {
        self.services.iter_mut().find(|s| s.name == name)
    }

    /// Makes this configuration a successor of `old`: rules that are the same get their ids, so
    /// that their counters go on, new ones get new ids, and affinity keeps its keys.
    pub fn adopt(&mut self, old: &Self) {
        for pool in &mut self.pools {
            let Some(affinity) = &mut pool.affinity else {
                continue;
            };
            if affinity.key.is_none() {
                let before = old.pool(&pool.name).and_then(|p| p.affinity.as_ref());
                affinity.key = before.and_then(|a| a.key);
            }
        }
        for service in &mut self.services {
            let before = old.service(&service.name);
            rule::adopt_ids(&mut service.rules, before.map_or(&[], |s| &s.rules));
        }
    }
}

/// What the module runs with at one moment.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// Grows with every change.
    pub generation: u64,
    /// The module's version.
    pub version: String,
    /// What all connections take, in bytes, as last seen.
    pub memory: u64,
    /// What is configured.
    pub config: Config,
    /// What has been counted.
    pub counters: Counters,
}
