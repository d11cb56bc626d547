// SPDX-License-Identifier: GPL-2.0

//! The head of a response: what it means for both connections, and how it goes on to the client.

use super::{
    End,
    Exchange,
    Receiving,
    Sending, //
};
use crate::{
    l7::{
        connection::{
            Conn,
            Mode, //
        },
        head,
        relay::Flow,
        shared::Scratch,
        unsent::Unsent, //
    },
    linux::net::Wire,
};
use core::mem;
use kernel::sync::ArcBorrow;
use ktcpvs_core::http::{
    forward_response,
    Body,
    Forward,
    Framing,
    HeadScanner,
    Kind,
    Response,
    ResponseEdits,
    Version, //
};

/// How many interim (1xx) responses a server may send to one request.
const INTERIM_MAX: u8 = 32;

/// What is done with a response's head.
enum Verdict {
    /// Nothing: an interim response that the client would not understand.
    Drop,
    /// It goes on as it is, and another head follows.
    Interim,
    /// It goes on as it is, and another protocol follows.
    Upgrade,
    /// It is the final one; it goes on in this form, and this body follows.
    Final(Forward, Body),
}

impl Exchange {
    /// Takes a response's head of `len` bytes and sends it on. An end, if it goes no further.
    pub(super) fn take_head(
        &mut self,
        conn: ArcBorrow<'_, Conn>,
        mode: Mode,
        c: &mut Wire<'_>,
        s: &mut Wire<'_>,
        unsent: &mut Unsent,
        len: usize,
    ) -> Option<End> {
        let decided = conn.with_scratch(mode, |scratch| {
            let Scratch { head, out, .. } = scratch;
            let verdict = {
                let bytes = head::linear(s, len, head).map_err(|_| End::Cut)?;
                let response =
                    Response::parse(bytes, &self.limits).map_err(|_| End::Refuse(502))?;

                self.decide(&response, out).ok_or(End::Refuse(502))?
            };

            self.release_request(c, &verdict);
            if let Verdict::Final(Forward::Rewritten(size), body) = &verdict {
                let more = !body.done() && s.unread() > len;
                let bytes = out.get(..*size).unwrap_or(&[]);

                self.started = true;
                self.bytes_out += bytes.len();
                unsent.send(c, bytes, more).map_err(|_| End::Cut)?;
            }
            Ok(verdict)
        });

        match decided {
            None => return Some(End::Defer),
            Some(Err(end)) => return Some(end),
            Some(Ok(verdict)) => self.go_on(s, verdict, len),
        }
        None
    }

    /// What `response` means. `None` if it makes no sense as an answer to the request.
    fn decide(&mut self, response: &Response<'_>, out: &mut [u8]) -> Option<Verdict> {
        match response.status() {
            101 if self.upgrade => return Some(Verdict::Upgrade),
            101 => return None,
            100..=199 => {
                self.interim += 1;
                if self.interim > INTERIM_MAX {
                    return None;
                }
                return Some(if self.version == Version::Http10 {
                    Verdict::Drop
                } else {
                    Verdict::Interim
                });
            }
            _ => (),
        }
        let framing = response.framing(self.is_head);

        // No server may send chunks to a client that cannot read them (RFC 9112 §6.1).
        if framing == Framing::Chunked && self.version == Version::Http10 {
            return None;
        }
        self.until_close = matches!(framing, Framing::Close);
        self.keep_server = response.persistent() && !self.until_close;
        self.keep_client &= !self.until_close;
        let value;
        let set_cookie = match (self.target.bind, &self.target.pool.affinity) {
            (true, Some(affinity)) => {
                value = affinity.value(&self.target.server);
                Some((affinity.name(), &value[..]))
            }
            _ => None,
        };
        let edits = ResponseEdits {
            client_close: !self.keep_client,
            client_version: self.version,
            set_cookie,
        };
        let forward = forward_response(response, &edits, out).ok()?;

        Some(Verdict::Final(forward, Body::new(framing)))
    }

    /// Consumes the request's head, now that the server has answered it; the answer carries the
    /// acknowledgement.
    fn release_request(&mut self, c: &mut Wire<'_>, verdict: &Verdict) {
        if matches!(verdict, Verdict::Drop | Verdict::Interim)
            || matches!(self.sending, Sending::InPlace(_) | Sending::Rewritten)
        {
            return;
        }
        if self.held > 0 {
            c.expect_reply();
            c.consume(mem::take(&mut self.held));
        }
    }

    /// Goes on behind a head of `len` bytes in the queue of `s`.
    fn go_on(&mut self, s: &mut Wire<'_>, verdict: Verdict, len: usize) {
        let no_body = Body::new(Framing::None);

        self.receiving = match verdict {
            Verdict::Drop => {
                s.consume(len);
                Receiving::Head(HeadScanner::new(Kind::Response))
            }
            Verdict::Interim => Receiving::Interim(Flow::new(len, no_body)),
            Verdict::Upgrade => {
                self.upgraded = true;
                self.started = true;
                Receiving::Body(Flow::new(len, no_body))
            }
            Verdict::Final(Forward::AsIs, body) => {
                self.started = true;
                Receiving::Body(Flow::new(len, body))
            }
            Verdict::Final(Forward::Rewritten(_), body) => {
                s.consume(len);
                Receiving::Body(Flow::new(0, body))
            }
        };
    }
}
