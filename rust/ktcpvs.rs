// SPDX-License-Identifier: GPL-2.0

//! ktcpvs: a Layer-7 and Layer-4 switch.

use kernel::prelude::*;

mod linux;

module! {
    type: Ktcpvs,
    name: "ktcpvs",
    authors: ["The ktcpvs developers"],
    description: "Layer-7 and Layer-4 content switch",
    license: "GPL v2",
}

struct Ktcpvs {
    _queues: linux::queues::Queues,
}

impl kernel::Module for Ktcpvs {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        Ok(Self {
            _queues: linux::queues::Queues::new()?,
        })
    }
}
