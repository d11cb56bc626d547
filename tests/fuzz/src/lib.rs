// SPDX-License-Identifier: GPL-2.0

//! What must be true of whatever `rust/core` is given.
//!
//! Each target is a function of any bytes that panics where something is not as it must be. A
//! fuzzer looks for such bytes ([`TARGETS`], one executable each); the tests run the bodies over
//! the inputs that are kept ([`corpus`]), with any compiler.

pub mod affinity;
pub mod corpus;
pub mod http;
pub mod input;
pub mod netlink;
pub mod order;
pub mod reference;
pub mod rule;
pub mod sched;
mod seeds;
pub mod seq;
pub mod shed;

/// A target: its name, and what it does with an input.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: &[Target] = &[
    ("affinity", affinity::affinity),
    ("body", http::body),
    ("capture", rule::capture),
    ("cookies", http::cookies),
    ("damage", rule::damage),
    ("fields", http::fields),
    ("forward_request", http::forward_request),
    ("forward_response", http::forward_response),
    ("hash", affinity::hash),
    ("inline", order::inline),
    ("netlink", netlink::netlink),
    ("order", order::order),
    ("program", rule::program),
    ("reply", http::reply),
    ("request", http::request),
    ("response", http::response),
    ("rules", rule::rules),
    ("scan", http::scan),
    ("sched", sched::sched),
    ("seq", seq::seq),
    ("shed", shed::shed),
    ("target", http::target),
];
