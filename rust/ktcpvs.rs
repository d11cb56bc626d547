// SPDX-License-Identifier: GPL-2.0

//! ktcpvs: a Layer-7 and Layer-4 switch.

use kernel::prelude::*;

mod config;
mod control;
mod l7;
mod linux;

#[allow(unreachable_pub, reason = "the tools share the file")]
#[path = "control/generated/uapi.rs"]
mod uapi;

module! {
    type: Ktcpvs,
    name: "ktcpvs",
    authors: ["The ktcpvs developers"],
    description: "Layer-7 and Layer-4 content switch",
    license: "GPL v2",
    params: {
        container_mem_limit: u64 {
            default: 0,
            description: "What connections may take in all containers together, in bytes (default: a sixteenth of the memory)",
        },
    },
}

/// The parts, in the order in which they go down.
struct Ktcpvs {
    _family: linux::net::genetlink::Registration,
    _namespaces: linux::net::ns::Registration<config::Namespace<l7::Layer7>>,
    _queues: linux::queues::Queues,
    _room: linux::net::Room,
}

impl kernel::Module for Ktcpvs {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let room = linux::net::Room::new();
        let queues = linux::queues::Queues::new()?;
        let namespaces = linux::net::ns::Registration::new()?;

        Ok(Self {
            _family: linux::net::genetlink::Registration::new()?,
            _namespaces: namespaces,
            _queues: queues,
            _room: room,
        })
    }
}
