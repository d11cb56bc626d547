// SPDX-License-Identifier: GPL-2.0

//! The configuration of ktcpvs, and how to get and change it over generic netlink.
//!
//! A [`Client`] reads a [`Snapshot`] and applies transactions of [`Op`]s. Most programs rather
//! describe what they want as a [`Config`] and let [`Client::edit`] find the steps.

mod client;
mod decode;
mod diff;
mod error;
mod extack;
mod model;
mod op;
mod wire;

#[cfg(test)]
mod peer;

#[path = "../../../rust/control/generated/uapi.rs"]
pub mod uapi;

pub use client::Client;
pub use diff::{
    difference,
    random_key,
    Compile, //
};
pub use error::{
    Error,
    Malformed,
    Plain,
    Refusal, //
};
pub use model::{
    name_fault,
    token_fault,
    Action,
    Affinity,
    Condition,
    Config,
    Counters,
    Key,
    Object,
    Operator,
    Pool,
    Problem,
    Rule,
    Scheduler,
    Server,
    Service,
    Setting,
    Settings,
    Snapshot,
    Stats,
    Subject,
    Unit, //
};
pub use op::{
    Op,
    PoolChange,
    Scope,
    ServiceChange, //
};

/// The name of a number of the interface.
fn name_of(names: &[(u32, &'static str)], number: u32) -> &'static str {
    let found = names.iter().find(|(n, _)| *n == number);
    found.map_or("?", |(_, name)| name)
}
