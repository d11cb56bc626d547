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

    /// Whether all of the message is among `unread` bytes. Only one whose length was announced can be
    /// known to be.
    pub(super) fn is_whole(&self, unread: usize) -> bool {
        let opaque = self.body.opaque();

        unread
            .checked_sub(self.lead)
            .is_some_and(|rest| rest as u64 >= opaque)
    }

    /// How many bytes of content the body has had so far.
    pub(super) fn content(&self) -> u64 {
        self.body.content()
    }

    /// Moves what has come at `from` and belongs to the message to `to`. `moved` counts the bytes.
    /// `reply_follows` says that bytes go back soon after the message's end.
    pub(super) fn pump(
        &mut self,
        from: &mut Wire<'_>,
        to: &mut Wire<'_>,
        moved: &mut usize,
        reply_follows: bool,
    ) -> Result<Pumped, Fault> {
        loop {
            if self.done() {
                return Ok(Pumped::Done);
            }
            let unread = from.unread();
            if unread == 0 {
                return Ok(Pumped::Starved);
            }
            let window = unread.min(WINDOW);
            let (len, after) = match self.known(window) {
                Some(len) => (len, None),
                None => self
                    .ahead(from, window)
                    .map(|(len, after)| (len, Some(after)))?,
            };
            // Something of the message is behind these bytes, and some of that has come.
            let more = unread > len && after.as_ref().is_some_and(|after| !after.done());
            let sent = match to.send_from(from, 0, len, more) {
                Ok(sent) => sent,
                Err(e) if e == EAGAIN || e == ENOMEM => return Ok(Pumped::Full),
                Err(_) => return Err(Fault::Gone),
            };

            match after {
                None => self.advance(sent),
                Some(after) if sent == len => *self = after,
                Some(_) => *self = self.ahead(from, sent)?.1,
            }
            if reply_follows && self.done() {
                from.expect_reply();
            }
            from.consume(sent);
            *moved += sent;
            if sent < len {
                return Ok(Pumped::Full);
            }
        }
    }

    /// Moves what is to be taken as it is, and of the body what is in the next `window` bytes, with
    /// `extra` put in before the byte of that number. Otherwise as [`Self::pump`]. Whether it was done: all of it, or nothing.
    pub(super) fn pump_with(
        &mut self,
        from: &mut Wire<'_>,
        to: &mut Wire<'_>,
        window: usize,
        (at, extra): (usize, &[u8]),
        moved: &mut usize,
        reply_follows: bool,
    ) -> bool {
        let Ok((len, after)) = self.ahead(from, window) else {
            return false;
        };

        if len < self.lead || !to.send_from_with(from, at, len, extra) {
            return false;
        }
        *self = after;
        if reply_follows && self.done() {
            from.expect_reply();
        }
        from.consume(len);
        *moved += len + extra.len();
        true
    }

    /// Goes behind what is taken as it is: its bytes were sent in another way.
    pub(super) fn skip_lead(&mut self, from: &mut Wire<'_>) {
        from.consume(self.lead);
        self.lead = 0;
    }

    /// How many of the next `window` bytes belong to the message, if that is known without a look
    /// at them.
    fn known(&self, window: usize) -> Option<usize> {
        let lead = self.lead.min(window);
        let rest = window - lead;

        if rest == 0 || self.body.done() {
            Some(lead)
        } else if self.body.opaque() >= rest as u64 {
            Some(window)
        } else {
            None
        }
    }

    /// Goes behind the next `len` bytes, which [`Self::known`] said, or fewer.
    fn advance(&mut self, len: usize) {
        let lead = self.lead.min(len);

        self.lead -= lead;
        if len > lead {
            self.body.skip((len - lead) as u64);
        }
    }

    /// How many of the next `window` bytes belong to the message, and what is to be moved after
    /// them. Looks at the bytes.
    fn ahead(&self, from: &Wire<'_>, window: usize) -> Result<(usize, Self), Fault> {
        let mut after = *self;
        let lead = self.lead.min(window);
        let rest = window - lead;

        if let Some(len) = self.known(window) {
            after.advance(len);
            return Ok((len, after));
        }
        after.lead -= lead;
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
