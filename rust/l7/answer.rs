// SPDX-License-Identifier: GPL-2.0

//! What we answer ourselves: errors, and what rules say that no server is needed for.

use crate::{
    l7::{
        connection::{
            Conn,
            Mode,
            Phase,
            State,
            Step, //
        },
        ending,
        head,
        upstream::Upstream,
        Service, //
    },
    linux::net::{
        Locked,
        Wire, //
    },
};
use kernel::{
    prelude::*,
    sync::ArcBorrow, //
};
use ktcpvs_core::http::{
    write_response,
    Reply,
    Request, //
};

/// What a client may be told to wait before it tries again, in seconds.
const RETRY_AFTER: u32 = 1;

/// Answers with an error and ends the connection.
#[inline(never)]
pub(super) fn refuse(
    conn: ArcBorrow<'_, Conn>,
    client: &mut Locked<'_, State>,
    mode: Mode,
    status: u16,
) -> Step {
    let (mut wire, state) = client.parts();

    match &mut state.phase {
        Phase::Exchange(exchange) => {
            if matches!(status, 502 | 504) {
                exchange.blame_server();
            }
            exchange.abandon(&state.service);
        }
        Phase::Waiting(waiting) => waiting.abandon(&state.service),
        _ => state.service.stats.refused(),
    }

    ending::begin_to_linger(conn, state);
    if let Some(upstream) = state.upstream.take() {
        Upstream::abort(upstream);
    }
    let reply = Reply {
        close: true,
        head_only: state.is_head,
        retry_after: (status == 503).then_some(RETRY_AFTER),
        ..Reply::default()
    };
    let sent = conn.with_scratch(mode, |scratch| {
        respond(&mut wire, state, status, &reply, &mut scratch.out)
    });

    match sent {
        Some(Ok(())) => Step::Again,
        _ => Step::Close { reset: true },
    }
}

/// Composes a response of our own in `out` and sends it.
fn respond(
    wire: &mut Wire<'_>,
    state: &mut State,
    status: u16,
    reply: &Reply<'_>,
    out: &mut [u8],
) -> Result {
    let len = write_response(out, status, reply).map_err(|_| ENOSPC)?;

    wire.expect_reply();
    state
        .unsent
        .send(wire, out.get(..len).ok_or(ENOSPC)?, false)
}

/// Answers a request of `len` bytes that needs no server, as its `rule` says: with `status`, or
/// with the rule's redirection. Whether the connection is kept.
pub(super) fn by_rule(
    wire: &mut Wire<'_>,
    state: &mut State,
    rule: usize,
    status: Option<u16>,
    reply: Reply<'static>,
    len: usize,
    out: &mut [u8],
) -> Result<bool> {
    let service = state.service.clone();
    let redirect = service.rules.get(rule).and_then(|rule| rule.redirect());
    let (status, location) = match (status, redirect) {
        (Some(status), _) => (status, None),
        (None, Some((status, location))) => (status, Some(location)),
        (None, None) => return Err(ENOENT),
    };

    let sent = respond(wire, state, status, &Reply { location, ..reply }, out);

    count(&service, rule, len, sent.is_ok());
    sent.map(|()| !reply.close)
}

/// How `request` wants to be answered. Its body, if it has one, is not worth waiting for.
pub(super) fn reply_to(request: &Request<'_>) -> Reply<'static> {
    Reply {
        close: !request.persistent() || head::has_body(request),
        head_only: request.is_head(),
        version: request.version(),
        ..Reply::default()
    }
}

/// Counts a request of `len` bytes that we have answered ourselves by `rule`, or could not.
fn count(service: &Service, rule: usize, len: usize, answered: bool) {
    let rule = service.rules.get(rule).map(|rule| &*rule.stats);

    for stats in [Some(&*service.stats), rule].into_iter().flatten() {
        if answered {
            stats.request();
            stats.answered(len, 0);
        } else {
            stats.refused();
        }
    }
}
