// SPDX-License-Identifier: GPL-2.0

//! The request on its way to the server: its head as it came, or what is left of one that was
//! rewritten, then its body.

use super::{
    End,
    Exchange,
    Receiving,
    Sending,
    Sides, //
};
use crate::{
    l7::relay::{
        Fault,
        Pumped, //
    },
    linux::net::Wire,
};
use core::mem;
use kernel::prelude::*;
use ktcpvs_core::http::{
    forward_request,
    forwarded_for_line,
    Forward,
    Request,
    RequestEdits, //
};

/// Sends the head of `request`, `len` bytes in the queue of `from`, with the client's address put
/// into it, if it can go on as it came otherwise. Whether that was done.
pub(super) fn send_with_address(
    request: &Request<'_>,
    len: usize,
    edits: &RequestEdits<'_>,
    from: &Wire<'_>,
    to: &mut Wire<'_>,
    out: &mut [u8],
) -> bool {
    let Some(address) = edits.forwarded_for else {
        return false;
    };
    let others = RequestEdits {
        forwarded_for: None,
        ..*edits
    };

    if request.has_forwarded_for()
        || request.leading() > 0
        || forward_request(request, &others, &mut []) != Ok(Forward::AsIs)
    {
        return false;
    }
    let line = match forwarded_for_line(address, out) {
        Ok(len) => out.get(..len).unwrap_or_default(),
        Err(_) => return false,
    };

    to.send_from_with(from, len.saturating_sub(b"\r\n".len()), len, line)
}

impl Exchange {
    /// Sends what is left of a head that goes as it is. Returns whether all of it has gone.
    pub(super) fn send_in_place(&mut self, from: &Wire<'_>, to: &mut Wire<'_>, more: bool) -> bool {
        let Sending::InPlace(at) = &mut self.sending else {
            return true;
        };

        while *at < self.held {
            match to.send_from(from, *at, self.held - *at, more) {
                Ok(sent) => *at += sent,
                Err(e) if e == EAGAIN || e == ENOMEM => return false,
                Err(_) => {
                    self.sending = Sending::Broken;
                    return true;
                }
            }
        }
        true
    }

    /// Whether something has come behind the request's head, which is in the queue of `from`: its
    /// body, if it has one. A head that waited for more than that would wait for a timer of TCP's.
    pub(super) fn body_came(&self, from: &Wire<'_>) -> bool {
        from.unread() > self.held
    }

    /// Moves the request on. An end, if it can go no further.
    pub(super) fn send_request(&mut self, sides: &mut Sides<'_>) -> Option<End> {
        let has_body = !self.request.done();

        match self.sending {
            Sending::InPlace(_) => {
                let more = has_body && self.body_came(&sides.client);

                if !self.send_in_place(&sides.client, &mut sides.server, more) {
                    return None;
                }
            }
            Sending::Rewritten => match sides.to_server.flush(&mut sides.server) {
                Ok(true) => (),
                Ok(false) => return None,
                Err(_) => self.sending = Sending::Broken,
            },
            Sending::Body | Sending::Done | Sending::Broken => (),
        }
        if matches!(self.sending, Sending::InPlace(_) | Sending::Rewritten) {
            // A head that a body follows cannot be kept for another attempt, nor need it be when
            // the answer has begun already.
            if has_body || matches!(self.receiving, Receiving::Body(_)) {
                sides.client.consume(mem::take(&mut self.held));
            }
            self.sending = if has_body {
                Sending::Body
            } else {
                Sending::Done
            };
        }
        if !matches!(self.sending, Sending::Body) {
            return None;
        }
        let mut moved = 0;
        let pumped = self
            .request
            .pump(&mut sides.client, &mut sides.server, &mut moved, true);

        self.bytes_in += moved;
        self.expects &= moved == 0;
        let body_max = sides.service.options.body_max;

        if body_max > 0 && self.request.content() > body_max {
            return Some(self.refuse(413));
        }
        self.server_full = matches!(pumped, Ok(Pumped::Full));
        match pumped {
            Ok(Pumped::Done) => self.sending = Sending::Done,
            Ok(Pumped::Starved) if sides.client.ended() => return Some(End::Cut),
            Ok(Pumped::Starved | Pumped::Full) => (),
            Err(Fault::Malformed) => return Some(self.refuse(400)),
            Err(Fault::Gone) => self.sending = Sending::Broken,
        }
        None
    }
}
