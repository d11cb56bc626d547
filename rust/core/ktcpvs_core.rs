// SPDX-License-Identifier: GPL-2.0

//! The policy of ktcpvs: what can be decided about bytes, rules and servers without a kernel.
//!
//! Everything here is a function of its arguments: no allocation, no clock, no lock, no kernel
//! type. The same code runs in the module and under `cargo test`, property tests and fuzzers on
//! the host.

// The kernel's build says so for every crate.
#![cfg_attr(not(MODULE), no_std)]
#![forbid(unsafe_code)]

pub mod affinity;
pub mod hash;
pub mod http;
pub mod inline;
pub mod netlink;
pub mod order;
pub mod rule;
pub mod runner;
pub mod sched;
pub mod seq;
pub mod shed;
