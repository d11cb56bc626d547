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
const RESPONSES: usize = 3;
const BYTES_IN: usize = 4;
const BYTES_OUT: usize = 5;
const ERRORS: usize = 6;
const REFUSED: usize = 7;
const NR: usize = 8;

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
    /// Requests that have begun.
    pub(crate) requests: u64,
    /// Requests that were answered.
    pub(crate) responses: u64,
    /// Bytes from clients.
    pub(crate) bytes_in: u64,
    /// Bytes to clients.
    pub(crate) bytes_out: u64,
    /// What failed.
    pub(crate) errors: u64,
    /// Connections that could not be served.
    pub(crate) connections_refused: u64,
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

    /// A connection could not be served.
    pub(crate) fn connection_refused(&self) {
        self.counters.add::<REFUSED>(1);
    }

    /// A request has begun. It ends with [`Self::answered`] or [`Self::error`].
    pub(crate) fn request(&self) {
        self.counters.add::<REQUESTS>(1);
    }

    /// A request was answered; `bytes_in` came from the client and `bytes_out` went to it.
    pub(crate) fn answered(&self, bytes_in: usize, bytes_out: usize) {
        const { assert!(BYTES_IN == RESPONSES + 1 && BYTES_OUT == RESPONSES + 2) };
        self.counters
            .add3::<RESPONSES>([1, bytes_in as u64, bytes_out as u64]);
    }

    /// A request was refused before it had begun.
    pub(crate) fn refused(&self) {
        self.request();
        self.error();
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
        // What ends first: what begins in between must not make a difference negative.
        let responses = self.since::<RESPONSES>();
        let errors = self.since::<ERRORS>();
        let closed = self.counters.sum::<CLOSED>();
        let opened = self.counters.sum::<OPENED>();

        StatsValues {
            connections_active: opened.saturating_sub(closed),
            connections_total: self.since::<OPENED>(),
            requests: self.since::<REQUESTS>(),
            responses,
            bytes_in: self.since::<BYTES_IN>(),
            bytes_out: self.since::<BYTES_OUT>(),
            errors,
            connections_refused: self.since::<REFUSED>(),
        }
    }

    fn since<const I: usize>(&self) -> u64 {
        let zero = self.zero.get(I).map_or(0, |zero| zero.load(Relaxed));

        self.counters.sum::<I>().saturating_sub(zero)
    }

    /// Sets the counters to zero. Connections that are open stay counted as open.
    pub(super) fn zero(&self) {
        // What ends first, as in `read()`: what begins and ends in between must not be left over.
        let closed = self.counters.sum::<CLOSED>();
        let responses = self.counters.sum::<RESPONSES>();
        let errors = self.counters.sum::<ERRORS>();
        let now = [
            self.counters.sum::<OPENED>(),
            closed,
            self.counters.sum::<REQUESTS>(),
            responses,
            self.counters.sum::<BYTES_IN>(),
            self.counters.sum::<BYTES_OUT>(),
            errors,
            self.counters.sum::<REFUSED>(),
        ];

        for (zero, now) in self.zero.iter().zip(now) {
            zero.store(now, Relaxed);
        }
    }
}
