// SPDX-License-Identifier: GPL-2.0

//! The last phases of a client's connection, in which what was said still arrives.

use crate::{
    config::Timeout,
    l7::connection::{
        Conn,
        Phase,
        State,
        Step, //
    },
    linux::{
        net::{
            Locked,
            Wire, //
        },
        time, //
    },
};
use core::mem;
use kernel::sync::ArcBorrow;
use ktcpvs_core::seq::Serial;

/// How long a client that has taken our last word has for its own, in milliseconds.
const LINGER_MS: u32 = 2_000;

/// How long it has for that at most, as long as it goes on sending: it may look for an answer only when
/// it has sent all of a request. In milliseconds.
const LINGER_MAX_MS: u32 = 30_000;

/// How far the other end had come in taking what was sent when it was looked at last.
///
/// Bytes that a send queue takes say little of that: a long queue has room for more only when a third
/// of it is free, and what is sent last waits for nobody's room.
pub(super) struct Taken(Option<u32>);

impl Taken {
    /// Nobody has looked yet.
    pub(super) const fn new() -> Self {
        Self(None)
    }

    /// Whether the other end, which has not taken everything yet, has taken something since the last
    /// look, by what [`Wire::outstanding`] says. The first look says so, too.
    pub(super) fn grows(&mut self, outstanding: Option<u32>) -> bool {
        outstanding.is_some() && mem::replace(&mut self.0, outstanding) != outstanding
    }
}

/// What is waited for when all is said.
pub(super) enum Farewell {
    /// That the client takes it.
    Said(Taken),
    /// That the client ends the connection, too: from this moment on, in jiffies.
    Heard(usize),
}

/// All is said, or about to be.
pub(super) fn begin_to_linger(conn: ArcBorrow<'_, Conn>, state: &mut State) {
    state.phase = Phase::Lingering(Farewell::Said(Taken::new()));
    conn.expect_within(state.service.options.timeout(Timeout::Stall));
}

/// Discards what a client sends after we said our last word.
pub(super) fn linger(conn: ArcBorrow<'_, Conn>, client: &mut Locked<'_, State>) -> Step {
    let (mut wire, state) = client.parts();
    let unread = wire.unread();

    // First of all: a connection that is released with something unread ends with a reset.
    if unread > 0 {
        wire.consume(unread);
    }
    match state.unsent.flush(&mut wire) {
        Ok(true) if wire.shutdown_send() => {
            if wire.ended() {
                return Step::Close { reset: false };
            }
        }
        // Who releases the connection can wait for memory for the FIN; but if more was received by
        // then, TCP sends a reset, which destroys what has not arrived yet.
        Ok(true) if wire.drained() => return Step::Close { reset: false },
        Ok(true) => (),
        Ok(false) => conn.blocked(&wire),
        Err(_) => return Step::Close { reset: false },
    }
    give_time(conn, &wire, state, unread > 0);
    Step::Wait
}

/// Gives a client to which all is said more time, if it has taken something, or `sent` something
/// when it had taken everything.
fn give_time(conn: ArcBorrow<'_, Conn>, wire: &Wire<'_>, state: &mut State, sent: bool) {
    let Phase::Lingering(farewell) = &mut state.phase else {
        return;
    };
    let linger = time::msecs_to_jiffies(LINGER_MS);
    let now = time::jiffies();

    match farewell {
        Farewell::Said(_) if state.unsent.is_empty() && wire.outstanding().is_none() => {
            *farewell = Farewell::Heard(now);
            conn.deadline.set_spare(linger);
        }
        Farewell::Said(taken) => {
            if taken.grows(wire.outstanding()) {
                conn.expect_within(state.service.options.timeout(Timeout::Stall));
            }
        }
        Farewell::Heard(since) if sent => {
            let left = time::msecs_to_jiffies(LINGER_MAX_MS).saturating_sub(now.since(*since));

            conn.deadline.set_spare(linger.min(left));
        }
        Farewell::Heard(_) => (),
    }
}

/// What is in hand cannot be completed, and the client is to see that. A reset tells it, but
/// destroys what has not arrived yet, and that may be the end of another response.
pub(super) fn begin_to_cut(conn: ArcBorrow<'_, Conn>, state: &mut State) -> Step {
    Conn::leave(conn, state, Phase::Cutting(Taken::new()), true);
    conn.expect_within(state.service.options.timeout(Timeout::Stall));
    Step::Again
}

/// Ends the connection with a reset, as soon as what was sent has arrived. As long as the client takes
/// something of that, it has time for the rest.
pub(super) fn cut(conn: ArcBorrow<'_, Conn>, client: &mut Locked<'_, State>) -> Step {
    let (mut wire, state) = client.parts();

    match state.unsent.flush(&mut wire) {
        Ok(true) if !wire.drained() => (),
        Ok(false) => conn.blocked(&wire),
        _ => return Step::Close { reset: true },
    }
    if let Phase::Cutting(taken) = &mut state.phase {
        if taken.grows(wire.outstanding()) {
            conn.expect_within(state.service.options.timeout(Timeout::Stall));
        }
    }
    Step::Wait
}
