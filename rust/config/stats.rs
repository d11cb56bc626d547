// SPDX-License-Identifier: GPL-2.0

//! Counters of services, rules and real servers.

use crate::linux::percpu::Counters;
use kernel::{
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc, //
    },
};

const OPENED: usize = 0;
const CLOSED: usize = 1;
const REQUESTS: usize = 2;
const BYTES_IN: usize = 3;
const BYTES_OUT: usize = 4;
const ERRORS: usize = 5;
const NR: usize = 6;

/// Counters, and what they stood at when they were last set to zero.
pub(crate) struct Stats {
    counters: Counters<NR>,
    zero: [Atomic<u64>; NR],
}

/// Counters at one moment.
pub(crate) struct StatsValues {
    /// Connections open now.
    pub(crate) connections_active: u64,
    /// Connections.
    pub(crate) connections_total: u64,
    /// Requests.
    pub(crate) requests: u64,
    /// Bytes from clients.
    pub(crate) bytes_in: u64,
    /// Bytes to clients.
    pub(crate) bytes_out: u64,
    /// What failed.
    pub(crate) errors: u64,
}

impl Stats {
    /// All are 0. Process context.
    pub(super) fn new() -> Result<Arc<Self>> {
        let stats = Self {
            counters: Counters::new()?,
            zero: [const { Atomic::new(0) }; NR],
        };

        Ok(Arc::new(stats, GFP_KERNEL_ACCOUNT)?)
    }

    /// A connection was opened.
    pub(crate) fn connection_opened(&self) {
        self.counters.add::<OPENED>(1);
    }

    /// A connection was closed.
    pub(crate) fn connection_closed(&self) {
        self.counters.add::<CLOSED>(1);
    }

    /// A request is over; `bytes_in` came from the client and `bytes_out` went to it.
    pub(crate) fn request(&self, bytes_in: usize, bytes_out: usize) {
        const { assert!(BYTES_IN == REQUESTS + 1 && BYTES_OUT == REQUESTS + 2) };
        self.counters
            .add3::<REQUESTS>([1, bytes_in as u64, bytes_out as u64]);
    }

    /// So many bytes came from the client and went to it.
    pub(crate) fn bytes(&self, bytes_in: usize, bytes_out: usize) {
        if bytes_in > 0 {
            self.counters.add::<BYTES_IN>(bytes_in as u64);
        }
        if bytes_out > 0 {
            self.counters.add::<BYTES_OUT>(bytes_out as u64);
        }
    }

    /// Something failed.
    pub(crate) fn error(&self) {
        self.counters.add::<ERRORS>(1);
    }

    /// The counters as they are now.
    pub(crate) fn read(&self) -> StatsValues {
        // Closed first: what opens in between must not make the difference negative.
        let closed = self.counters.sum::<CLOSED>();
        let opened = self.counters.sum::<OPENED>();

        StatsValues {
            connections_active: opened.saturating_sub(closed),
            connections_total: self.since::<OPENED>(),
            requests: self.since::<REQUESTS>(),
            bytes_in: self.since::<BYTES_IN>(),
            bytes_out: self.since::<BYTES_OUT>(),
            errors: self.since::<ERRORS>(),
        }
    }

    fn since<const I: usize>(&self) -> u64 {
        let zero = self.zero.get(I).map_or(0, |zero| zero.load(Relaxed));

        self.counters.sum::<I>().saturating_sub(zero)
    }

    /// Sets the counters to zero. Connections that are open stay counted as open.
    pub(super) fn zero(&self) {
        let now = [
            self.counters.sum::<OPENED>(),
            self.counters.sum::<CLOSED>(),
            self.counters.sum::<REQUESTS>(),
            self.counters.sum::<BYTES_IN>(),
            self.counters.sum::<BYTES_OUT>(),
            self.counters.sum::<ERRORS>(),
        ];

        for (zero, now) in self.zero.iter().zip(now) {
            zero.store(now, Relaxed);
        }
    }
}
