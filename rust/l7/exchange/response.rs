// SPDX-License-Identifier: GPL-2.0

//! The head of a response: what it means for both connections, and how it goes on to the client.

use super::{
    End,
    Exchange,
    Receiving,
    Sending,
    Sides, //
};
use crate::{
    config::Affinity,
    l7::{
        connection::{
            Conn,
            Mode, //
        },
        head,
        hold,
        relay::Flow,
        shared::Scratch,
        Service, //
    },
    linux::net::Wire,
    uapi, //
};
use core::mem;
use kernel::{
    prelude::*,
    sync::ArcBorrow, //
};
use ktcpvs_core::http::{
    forward_response,
    set_cookie_line,
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

/// The longest body, in bytes, that a head is held back for. Longer ones fill packets anyway.
const HOLD_MAX: u64 = 16 * 1024;

/// How many bytes at most are sent together with a head that something is put into. More are moved
/// behind it.
const SHORT: usize = 4096;

/// How many bytes of a body at most go together with a head that was rewritten.
const TOGETHER_MAX: usize = 32 * 1024;

/// How much of a response is copied, in bytes, where its server may still write to it: a head seldom
/// is longer.
const VIEW_MAX: usize = 1024;

/// Room for a field line that sets a cookie.
const COOKIE_LINE: usize = uapi::TOKEN_LEN + 64;

/// What is done with a response's head.
enum Verdict {
    /// Nothing: an interim response that the client would not understand.
    Drop,
    /// It goes on in this form, and another head follows.
    Interim(Forward),
    /// It goes on in this form, and another protocol follows.
    Upgrade(Forward),
    /// It is the final one; it goes on in this form, and this body follows.
    Final(Forward, Body),
}

impl Verdict {
    /// Has a copy of the head, of `len` bytes, go on in place of the head itself. False if neither
    /// does.
    fn replace(&mut self, len: usize) -> bool {
        match self {
            Self::Interim(forward) | Self::Upgrade(forward) | Self::Final(forward, _)
                if *forward == Forward::AsIs =>
            {
                *forward = Forward::Rewritten(len);
                true
            }
            _ => false,
        }
    }
}

/// Whether `body` is so short that its head, of `len` bytes, had better wait for what of it has not
/// come.
fn waits_for_body(body: &Body, len: usize, s: &Wire<'_>) -> bool {
    let short = (1..=HOLD_MAX).contains(&body.opaque());

    short && !Flow::new(len, *body).is_whole(s.unread()) && !s.ended()
}

/// Copies the head of `len` bytes in the queue of `wire` to `out`, with `line` before the empty line
/// that ends it.
fn copy_with<'o>(wire: &Wire<'_>, len: usize, line: &[u8], out: &'o mut [u8]) -> Result<&'o [u8]> {
    let end = b"\r\n";
    let out = out.get_mut(..len + line.len()).ok_or(EMSGSIZE)?;
    let (head, rest) = out.split_at_mut(len.saturating_sub(end.len()));

    wire.copy(head)?;
    for (to, from) in rest.iter_mut().zip([line, end].into_iter().flatten()) {
        *to = *from;
    }
    Ok(out)
}

impl Exchange {
    /// Takes a response's head, one of `len` bytes or whatever has come, and sends it on. An end,
    /// if it goes no further; that is [`End::Unread`] if what has come is not a whole head.
    pub(super) fn take_head(
        &mut self,
        conn: ArcBorrow<'_, Conn>,
        mode: Mode,
        sides: &mut Sides<'_>,
        len: Option<usize>,
    ) -> Option<End> {
        match conn.with_scratch(mode, |scratch| self.pass_head(conn, sides, len, scratch)) {
            None => Some(End::Defer),
            Some(Err(end)) => Some(end),
            Some(Ok(())) => None,
        }
    }

    /// [`Self::take_head`] with memory to work in.
    fn pass_head(
        &mut self,
        conn: ArcBorrow<'_, Conn>,
        sides: &mut Sides<'_>,
        len: Option<usize>,
        scratch: &mut Scratch,
    ) -> Result<(), End> {
        let Scratch {
            head, out, recall, ..
        } = scratch;
        let (service, s) = (sides.service, &sides.server);
        let limits = &service.options.limits;
        // Looked at where they are made: a copy is as dear as a decision.
        let (prefix, whole);
        // It must not be taken from the queue again, where it may change.
        let mut copied = false;
        let (response, len) = match len {
            None => {
                let room = head.get_mut(..VIEW_MAX).unwrap_or_default();
                let bytes = s.view(room, &mut copied);
                let known = recall.known(bytes, limits);

                if let (Some(known), Some(body), false) = (known, recall.plain(), copied) {
                    if self.changes_nothing(service) {
                        self.pass_plain(conn, sides, known.len(), *body);
                        return Ok(());
                    }
                }
                prefix = match known {
                    Some(known) => Some((recall.response(known), known.len())),
                    None => recall.read(bytes, limits),
                };
                match &prefix {
                    Some((response, len)) => (response, *len),
                    None => return Err(End::Unread),
                }
            }
            Some(len) => {
                let bytes = head::linear(s, len, head).map_err(|_| End::Cut)?;

                whole = Response::parse(bytes, limits);
                match &whole {
                    Ok(response) => (response, len),
                    Err(_) => return Err(End::Refuse(502)),
                }
            }
        };
        let Some(mut verdict) = self.decide(response, service, copied, out) else {
            return Err(End::Refuse(502));
        };
        let rewritten = if copied && verdict.replace(len) {
            head
        } else {
            out
        };

        if matches!(verdict, Verdict::Upgrade(_) | Verdict::Final(..)) {
            self.release_request(&mut sides.client);
        }
        let mut more = false;
        let forward = match &verdict {
            Verdict::Drop => Forward::AsIs,
            Verdict::Interim(forward) => *forward,
            Verdict::Upgrade(forward) => {
                self.started = true;
                *forward
            }
            Verdict::Final(forward, body) => {
                more = !body.done() && s.unread() > len;
                self.begin_answer(conn, s, len, body);
                *forward
            }
        };

        self.go_on(&mut sides.server, verdict, len);
        if let Forward::Rewritten(size) = forward {
            self.send_rewritten(conn, sides, rewritten.get(..size).unwrap_or(&[]), more)?;
        }
        Ok(())
    }

    /// Sends a head that was rewritten, with what of a short body has come, or keeps it while it is
    /// held back. It is consumed already.
    fn send_rewritten(
        &mut self,
        conn: ArcBorrow<'_, Conn>,
        sides: &mut Sides<'_>,
        head: &[u8],
        more: bool,
    ) -> Result<(), End> {
        if self.hold && sides.unsent.keep(head).is_err() {
            self.end_hold(conn);
        }
        if self.hold {
            self.bytes_out += head.len();
            return Ok(());
        }
        let (server, client) = (&mut sides.server, &mut sides.client);
        let unread = server.unread();

        if let (Receiving::Body(flow), true) = (&mut self.receiving, sides.unsent.is_empty()) {
            let moved = &mut self.bytes_out;

            if unread <= TOGETHER_MAX
                && flow.pump_with(server, client, unread, (0, head), moved, self.busy)
            {
                return Ok(());
            }
        }
        self.bytes_out += head.len();
        sides
            .unsent
            .send(&mut sides.client, head, more)
            .map_err(|_| End::Cut)
    }

    /// What `response`, a copy of what is in the queue or that itself, means. `None` if it makes no
    /// sense as an answer to the request.
    fn decide(
        &mut self,
        response: &Response<'_>,
        service: &Service,
        copied: bool,
        out: &mut [u8],
    ) -> Option<Verdict> {
        if response.is_interim() {
            return self.decide_interim(response, out);
        }
        let framing = response.framing(self.is_head);

        // No server may send chunks to a client that cannot read them (RFC 9112 §6.1).
        if framing == Framing::Chunked && self.version == Version::Http10 {
            return None;
        }
        self.until_close = matches!(framing, Framing::Close);
        self.keep_server &= response.persistent() && !self.until_close;
        self.keep_client &= !self.until_close;
        let mut edits = ResponseEdits {
            client_close: !self.keep_client,
            client_version: self.version,
            set_cookie: None,
        };
        let value;
        let forward = match self.cookie(service) {
            None => forward_response(response, &edits, out).ok()?,
            Some(_)
                if !copied && forward_response(response, &edits, &mut []) == Ok(Forward::AsIs) =>
            {
                self.put_cookie = true;
                Forward::AsIs
            }
            Some(affinity) => {
                value = affinity.value(&self.target.server);
                edits.set_cookie = Some((affinity.name(), &value));
                forward_response(response, &edits, out).ok()?
            }
        };

        Some(Verdict::Final(forward, Body::new(framing)))
    }

    /// What `response`, an interim one, means. `None` if it makes no sense.
    fn decide_interim(&mut self, response: &Response<'_>, out: &mut [u8]) -> Option<Verdict> {
        let edits = ResponseEdits {
            client_version: self.version,
            ..ResponseEdits::default()
        };

        if response.status() == 101 {
            if !self.upgrade || !response.upgrade() {
                return None;
            }
            return Some(Verdict::Upgrade(
                forward_response(response, &edits, out).ok()?,
            ));
        }
        self.interim += 1;
        if self.interim > INTERIM_MAX {
            return None;
        }
        Some(if self.version == Version::Http10 {
            Verdict::Drop
        } else {
            Verdict::Interim(forward_response(response, &edits, out).ok()?)
        })
    }

    /// The cookie that the client is to be given.
    fn cookie<'a>(&self, service: &'a Service) -> Option<&'a Affinity> {
        self.target.affinity(service).filter(|_| self.target.bind)
    }

    /// Sends a head that goes on as it came but for the client's cookie, which is put into it. An
    /// end, if it does not go.
    pub(super) fn send_with_cookie(
        &mut self,
        conn: ArcBorrow<'_, Conn>,
        mode: Mode,
        sides: &mut Sides<'_>,
    ) -> Option<End> {
        let mut room = [0; COOKIE_LINE];

        self.put_cookie = false;
        let affinity = self.cookie(sides.service)?;
        let value = affinity.value(&self.target.server);
        let Ok(len) = set_cookie_line(affinity.name(), &value, &mut room) else {
            return Some(End::Cut);
        };
        let line = room.get(..len).unwrap_or_default();
        let Receiving::Body(flow) = &mut self.receiving else {
            return Some(End::Cut);
        };
        let (server, client) = (&mut sides.server, &mut sides.client);

        let lead = flow.lead();
        let extra = (lead.saturating_sub(b"\r\n".len()), line);
        let unread = server.unread();
        let window = if unread <= SHORT { unread } else { lead };

        if flow.pump_with(
            server,
            client,
            window,
            extra,
            &mut self.bytes_out,
            self.busy,
        ) {
            return None;
        }
        let more = server.unread() > lead;
        let sent = conn.with_scratch(mode, |scratch| {
            let head = copy_with(server, lead, line, &mut scratch.out)?;

            self.bytes_out += head.len();
            flow.skip_lead(server);
            sides.unsent.send(client, head, more)
        });

        match sent {
            Some(Ok(())) => None,
            Some(Err(_)) => Some(End::Cut),
            None => {
                self.put_cookie = true;
                Some(End::Defer)
            }
        }
    }

    /// Whether a plain head (see [`Recall::plain`](ktcpvs_core::http::Recall::plain)) goes on to this
    /// client as it came.
    fn changes_nothing(&self, service: &Service) -> bool {
        self.version == Version::Http11
            && self.keep_client
            && !self.is_head
            && self.cookie(service).is_none()
    }

    /// Sends a plain head of `len` bytes on, behind which is `body`: what [`Self::pass_head`] comes
    /// to, without a look at what it says.
    fn pass_plain(
        &mut self,
        conn: ArcBorrow<'_, Conn>,
        sides: &mut Sides<'_>,
        len: usize,
        body: Body,
    ) {
        self.release_request(&mut sides.client);
        self.begin_answer(conn, &sides.server, len, &body);
        self.receiving = Receiving::Body(Flow::new(len, body));
    }

    /// A final head of `len` bytes goes on, with `body` behind it, unless it had better wait for that.
    fn begin_answer(
        &mut self,
        conn: ArcBorrow<'_, Conn>,
        server: &Wire<'_>,
        len: usize,
        body: &Body,
    ) {
        self.started = true;
        self.hold = waits_for_body(body, len, server) && hold::begin(conn);
    }

    /// Consumes the request's head, now that the server has answered it; the answer carries the
    /// acknowledgement.
    fn release_request(&mut self, client: &mut Wire<'_>) {
        if matches!(self.sending, Sending::InPlace(_) | Sending::Rewritten) {
            return;
        }
        if self.held > 0 {
            client.expect_reply();
            client.consume(mem::take(&mut self.held));
        }
    }

    /// Goes on behind a head of `len` bytes in the queue of `s`.
    fn go_on(&mut self, s: &mut Wire<'_>, verdict: Verdict, len: usize) {
        let no_body = Body::new(Framing::None);

        self.upgraded = matches!(verdict, Verdict::Upgrade(_));
        self.receiving = match verdict {
            Verdict::Drop | Verdict::Interim(Forward::Rewritten(_)) => {
                s.consume(len);
                Receiving::Head(HeadScanner::new(Kind::Response))
            }
            Verdict::Interim(Forward::AsIs) => Receiving::Interim(Flow::new(len, no_body)),
            Verdict::Upgrade(Forward::AsIs) => Receiving::Body(Flow::new(len, no_body)),
            Verdict::Upgrade(Forward::Rewritten(_)) => {
                s.consume(len);
                Receiving::Body(Flow::new(0, no_body))
            }
            Verdict::Final(Forward::AsIs, body) => Receiving::Body(Flow::new(len, body)),
            Verdict::Final(Forward::Rewritten(_), body) => {
                s.consume(len);
                Receiving::Body(Flow::new(0, body))
            }
        };
    }
}
