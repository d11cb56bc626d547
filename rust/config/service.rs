// SPDX-License-Identifier: GPL-2.0

//! Virtual services.

use super::{
    DataPath,
    Name,
    Pool,
    Refusal,
    Rule,
    ServiceSpec,
    Stats,
    Word, //
};
use crate::linux::time;
use core::net::SocketAddr;
use kernel::{
    prelude::*,
    sync::Arc, //
};
use ktcpvs_core::{
    http::Limits,
    rule::{
        Layout,
        Program, //
    },
};

/// The time-outs of a service, as indices into [`Options::timeouts`].
#[derive(Clone, Copy)]
pub(crate) enum Timeout {
    /// For a whole head of a request.
    Head = 0,
    /// For the next request to begin.
    Idle = 1,
    /// For a real server to accept a connection.
    Connect = 2,
    /// For a real server's silence.
    Response = 3,
    /// For a client that takes no data.
    Stall = 4,
}

/// How a service behaves.
#[derive(Clone, Copy)]
pub(crate) struct Options {
    /// In milliseconds, by [`Timeout`].
    pub(crate) timeouts: [u32; 5],
    /// The same in jiffies.
    ticks: [usize; 5],
    /// What is refused in heads.
    pub(crate) limits: Limits,
    /// The longest body of a request in bytes; 0 for any.
    pub(crate) body_max: u64,
    /// Whether X-Forwarded-For tells the server the client's address.
    pub(crate) forwarded_for: bool,
}

impl Options {
    /// A time-out in jiffies.
    pub(crate) fn timeout(&self, which: Timeout) -> usize {
        self.ticks.get(which as usize).copied().unwrap_or(0)
    }

    /// Takes over what `spec` gives.
    pub(super) fn set(&mut self, spec: &ServiceSpec<'_>) -> Result<(), Refusal> {
        let given = |limit: Option<u32>, old| limit.map_or(old, |limit| limit as usize);

        for (timeout, new) in self.timeouts.iter_mut().zip(spec.timeouts) {
            *timeout = new.unwrap_or(*timeout);
        }
        self.ticks = self.timeouts.map(ticks);
        self.limits.head_max = given(spec.head_max, self.limits.head_max);
        self.limits.target_max = given(spec.target_max, self.limits.target_max);
        self.limits.headers_max = given(spec.headers_max, self.limits.headers_max);
        self.body_max = spec.body_max.unwrap_or(self.body_max);
        self.forwarded_for = spec.forwarded_for.unwrap_or(self.forwarded_for);
        if self.timeouts.contains(&0) {
            return Err(Refusal::new(
                EINVAL,
                format_args!("service {}: a timeout of 0", Word(spec.name)),
            ));
        }
        Ok(())
    }
}

impl Default for Options {
    fn default() -> Self {
        let timeouts = [10_000, 60_000, 5_000, 60_000, 60_000];

        Self {
            timeouts,
            ticks: timeouts.map(ticks),
            limits: Limits {
                head_max: 16 * 1024,
                target_max: 8 * 1024,
                headers_max: 100,
            },
            body_max: 0,
            forwarded_for: false,
        }
    }
}

fn ticks(ms: u32) -> usize {
    time::msecs_to_jiffies(ms) as usize
}

/// The compiled rules of a service.
///
/// # Invariants
///
/// `layout` is what verifying `words` gave.
pub(super) struct Compiled {
    words: KVVec<u32>,
    layout: Layout,
}

impl Compiled {
    /// Verifies `words` as the program of `rules` rules.
    pub(super) fn new(words: KVVec<u32>, rules: usize) -> Result<Option<Arc<Self>>> {
        let Ok(layout) = Program::verify(&words, rules as u32) else {
            return Ok(None);
        };

        // INVARIANT: Just verified.
        Ok(Some(Arc::new(Self { words, layout }, GFP_KERNEL_ACCOUNT)?))
    }
}

/// A virtual service as it is in one snapshot.
pub(crate) struct Service<D: DataPath> {
    pub(super) name: Name,
    pub(super) listeners: KVec<SocketAddr>,
    pub(super) enabled: bool,
    /// How it behaves.
    pub(crate) options: Options,
    /// The rules, in order.
    pub(crate) rules: KVVec<Rule<D>>,
    pub(super) compiled: Option<Arc<Compiled>>,
    /// The pool for requests that no rule matches.
    pub(crate) default_pool: Option<Arc<Pool<D>>>,
    /// Its counters.
    pub(crate) stats: Arc<Stats>,
}

impl<D: DataPath> Service<D> {
    /// The name.
    pub(crate) fn name(&self) -> &[u8] {
        self.name.as_slice()
    }

    /// Where it listens, if it is enabled.
    pub(crate) fn listeners(&self) -> &[SocketAddr] {
        &self.listeners
    }

    /// Whether it listens.
    pub(crate) fn enabled(&self) -> bool {
        self.enabled
    }

    /// The program that finds the rule for a request. `None` if there are no rules.
    pub(crate) fn program(&self) -> Option<Program<'_>> {
        let compiled = self.compiled.as_ref()?;

        Some(Program::new(&compiled.words, &compiled.layout))
    }
}
