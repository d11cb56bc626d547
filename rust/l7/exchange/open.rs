// SPDX-License-Identifier: GPL-2.0

//! The beginning of an exchange: its request's head goes to the server.

use super::{
    request,
    Exchange,
    Receiving,
    Sending, //
};
use crate::{
    l7::{
        begin::{
            Attempt,
            Waiting, //
        },
        connection::{
            Conn,
            Phase,
            State, //
        },
        ending::Taken,
        head,
        relay::Flow,
        unsent::Unsent, //
    },
    linux::net::Wire,
};
use kernel::{
    prelude::*,
    sync::ArcBorrow, //
};
use ktcpvs_core::{
    http::{
        forward_request,
        Body,
        Forward,
        HeadScanner,
        Kind,
        Request,
        RequestEdits,
        Version, //
    },
    inline::Inline,
    seq::Serial, //
};

/// How long a server waits at least for the acknowledgement of what it sent before it sends it again,
/// in microseconds: two ticks of the fastest clock, for a tail loss probe (RFC 8985 §7.2).
const PROBE_US: u64 = 2_000;

/// Whether a request from `from` comes so soon after what the server `to` sent last that its
/// acknowledgement could have waited for it.
fn follows_at_once(from: &Wire<'_>, to: &Wire<'_>) -> bool {
    from.last_packet()
        .before(to.last_packet().wrapping_add(PROBE_US))
}

impl Exchange {
    /// Sends the head of `request`, which is in the queue of `from`, to the server `to`, and makes
    /// this the phase of `state`. If that fails, with a status to refuse the request with, the phase
    /// has it in hand all the same, and the server may have seen a part of its head.
    pub(in crate::l7) fn open(
        conn: ArcBorrow<'_, Conn>,
        state: &mut State,
        request: &Request<'_>,
        attempt: Attempt,
        from: &Wire<'_>,
        to: &mut Wire<'_>,
        out: &mut [u8],
    ) -> Result<(), u16> {
        let options = &state.service.options;
        let strip_cookie = attempt
            .target
            .affinity(&state.service)
            .map(|affinity| affinity.name());
        let client = options.forwarded_for.then(|| conn.peer_text());
        let edits = RequestEdits {
            forwarded_for: client.as_ref().map(Inline::as_slice),
            strip_cookie,
        };
        let has_body = head::has_body(request);
        let added =
            !has_body && request::send_with_address(request, attempt.head, &edits, from, to, out);
        let (sending, forward) = if added {
            (Sending::InPlace(attempt.head), Forward::AsIs)
        } else {
            match forward_request(request, &edits, out) {
                Ok(forward) => (Sending::InPlace(request.leading()), forward),
                Err(_) => {
                    // By what must be added.
                    state.phase = Phase::Waiting(Waiting::new(attempt));
                    return Err(431);
                }
            }
        };
        let busy = attempt.reused && follows_at_once(from, to);

        if !state.to_server.is_empty() {
            // Of an attempt at another connection.
            state.to_server = Unsent::new();
        }
        attempt.target.server.stats.request();
        // The old phase ends first, so that the new one is made in its place.
        state.phase = Phase::Head;
        state.phase = Phase::Exchange(Self::new(request, attempt, has_body, sending, busy));
        // Else TCP acknowledges each packet of an answer that comes after a rest.
        to.expect_reply();
        Self::send_head(state, forward, has_body, from, to, out).map_err(|_| 503)
    }

    /// An exchange of which `sending` says how much was sent.
    #[inline(always)]
    fn new(
        request: &Request<'_>,
        attempt: Attempt,
        has_body: bool,
        sending: Sending,
        busy: bool,
    ) -> Self {
        Self {
            target: attempt.target,
            held: attempt.head,
            request: Flow::new(0, Body::new(request.framing())),
            sending,
            receiving: Receiving::Head(HeadScanner::new(Kind::Response)),
            version: request.version(),
            is_head: request.is_head(),
            upgrade: request.upgrade(),
            repeatable: attempt.reused && !has_body && request.is_idempotent(),
            started: false,
            interim: 0,
            expects: has_body && request.expect_continue(),
            server_full: false,
            client_full: false,
            keep_client: request.persistent(),
            // It goes on in its version, but without a `close` of its client's.
            keep_server: request.version() == Version::Http11 || request.persistent(),
            busy,
            until_close: false,
            upgraded: false,
            put_cookie: false,
            hold: false,
            taken: Taken::new(),
            bytes_in: attempt.head,
            bytes_out: 0,
        }
    }

    /// Sends what is left of the head of the exchange in `state`: that in the queue of `from`, or
    /// the one that was rewritten to `out`. Fails if there is no memory to keep what finds no room.
    #[inline(always)]
    fn send_head(
        state: &mut State,
        forward: Forward,
        has_body: bool,
        from: &Wire<'_>,
        to: &mut Wire<'_>,
        out: &mut [u8],
    ) -> Result {
        let Phase::Exchange(this) = &mut state.phase else {
            return Ok(());
        };
        let more = has_body && this.body_came(from);
        let gone = match forward {
            Forward::AsIs => this.send_in_place(from, to, more),
            Forward::Rewritten(len) => {
                let head = out.get(..len).unwrap_or(&[]);

                this.sending = match state.to_server.send(to, head, more) {
                    Ok(()) => Sending::Rewritten,
                    Err(e) if e == ENOMEM => return Err(e),
                    Err(_) => Sending::Broken,
                };
                state.to_server.is_empty()
            }
        };

        if gone && !has_body && !matches!(this.sending, Sending::Broken) {
            this.sending = Sending::Done;
        }
        Ok(())
    }
}
