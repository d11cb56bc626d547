// SPDX-License-Identifier: GPL-2.0

//! Moving one message's bytes from one socket to another.
//!
//! Bytes are never copied here: they go from the receive queue of one socket to the send queue of
//! the other by reference, and only as fast as the other takes them. What is not taken stays
//! where it is, so that TCP's own window holds the sender back.

use crate::linux::net::Wire;
use core::ops::ControlFlow;
use kernel::prelude::*;
use ktcpvs_core::http::Body;

/// How many bytes are looked at in one step.
const WINDOW: usize = 256 * 1024;

/// What of a message is still to be moved: bytes to be taken as they are (a head), then a body.
#[derive(Clone, Copy)]
pub(super) struct Flow {
    lead: usize,
    body: Body,
}

/// Why [`Flow::pump`] stopped.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Pumped {
    /// The whole message was taken.
    Done,
    /// All that has come was taken; more must come.
    Starved,
    /// The receiver takes no more now; it will say when it does.
    Full,
}

/// Why a message cannot go on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The sender broke the framing.
    Malformed,
    /// The receiver is gone.
    Gone,
}

impl Flow {
    /// A message of which `lead` bytes are taken as they are, followed by `body`.
    pub(super) fn new(lead: usize, body: Body) -> Self {
        Self { lead, body }
    }

    /// How many bytes are still to be taken as they are.
    pub(super) fn lead(&self) -> usize {
        self.lead
    }

    /// Whether the whole message was taken. A message that ends when its sender closes is never
    /// done by itself.
    pub(super) fn done(&self) -> bool {
        self.lead == 0 && self.body.done()
    }

    /// How many bytes of content the body has had so far.
    pub(super) fn content(&self) -> u64 {
        self.body.content()
    }

    /// Moves what has come at `from` and belongs to the message to `to`. `moved` counts the bytes.
    pub(super) fn pump(
        &mut self,
        from: &mut Wire<'_>,
        to: &mut Wire<'_>,
        moved: &mut usize,
    ) -> Result<Pumped, Fault> {
        loop {
            if self.done() {
                return Ok(Pumped::Done);
            }
            let unread = from.unread();
            if unread == 0 {
                return Ok(Pumped::Starved);
            }
            let (len, after) = self.ahead(from, unread.min(WINDOW))?;
            let more = !after.done() && unread > len;
            let sent = match to.send_from(from, 0, len, more) {
                Ok(sent) => sent,
                Err(e) if e == EAGAIN || e == ENOMEM => return Ok(Pumped::Full),
                Err(_) => return Err(Fault::Gone),
            };

            *self = if sent == len {
                after
            } else {
                self.ahead(from, sent)?.1
            };
            if self.done() {
                from.expect_reply();
            }
            from.consume(sent);
            *moved += sent;
            if sent < len {
                return Ok(Pumped::Full);
            }
        }
    }

    /// How many of the next `window` bytes belong to the message, and what is to be moved after
    /// them.
    fn ahead(&self, from: &Wire<'_>, window: usize) -> Result<(usize, Self), Fault> {
        let mut after = *self;
        let lead = self.lead.min(window);
        let rest = window - lead;

        after.lead -= lead;
        if rest == 0 || after.body.done() {
            return Ok((lead, after));
        }
        let opaque = after.body.opaque();
        if opaque >= rest as u64 {
            after.body.skip(rest as u64);
            return Ok((window, after));
        }
        let mut len = lead;
        let fault = from.pieces(lead, rest, |piece| match after.body.feed(piece) {
            Ok(taken) => {
                len += taken;
                if after.body.done() || taken < piece.len() {
                    ControlFlow::Break(None)
                } else {
                    ControlFlow::Continue(())
                }
            }
            Err(_) => ControlFlow::Break(Some(Fault::Malformed)),
        });

        match fault {
            Ok(None | Some(None)) => Ok((len, after)),
            // What can be sent before the fault is not worth sending.
            Ok(Some(Some(fault))) => Err(fault),
            Err(_) => Err(Fault::Malformed),
        }
    }
}
