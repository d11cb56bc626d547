// SPDX-License-Identifier: GPL-2.0

//! Both directions of a connection whose protocol is not ours any more (RFC 9110 §7.8).

use crate::{
    config::Timeout,
    l7::{
        connection::{
            Conn,
            Mode,
            Phase,
            ServerLock,
            State,
            Step, //
        },
        ending,
        relay::{
            Fault,
            Flow,
            Pumped, //
        },
        select::Target,
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
    Body,
    Framing, //
};

/// A connection that moves bytes both ways, each until its sender says that it is done. Its request
/// counts among those that the server has in hand.
pub(super) struct Tunnel {
    target: Target,
    upward: Direction,
    downward: Direction,
}

struct Direction {
    flow: Flow,
    /// The receiver has been told that no more comes.
    shut: bool,
}

impl Tunnel {
    /// Both directions open, between a client and the server of `target`.
    pub(super) fn new(target: Target) -> Self {
        let direction = || Direction {
            flow: Flow::new(0, Body::new(Framing::Close)),
            shut: false,
        };

        Self {
            target,
            upward: direction(),
            downward: direction(),
        }
    }

    /// The server has it in hand no longer.
    pub(super) fn end(&self) {
        self.target.server.end();
    }
}

impl Direction {
    /// Moves what has come, and the end of it. Returns how many bytes.
    fn pump(
        &mut self,
        conn: ArcBorrow<'_, Conn>,
        from: &mut Wire<'_>,
        to: &mut Wire<'_>,
    ) -> Result<usize, Fault> {
        let mut moved = 0;

        if self.shut {
            return Ok(0);
        }
        let pumped = self.flow.pump(from, to, &mut moved, false)?;

        if pumped == Pumped::Full {
            conn.blocked(to);
        }
        if pumped == Pumped::Starved && from.ended() {
            if from.failed() {
                return Err(Fault::Gone);
            }
            self.shut = to.shutdown_send();
            if !self.shut {
                conn.starve();
            }
        }
        Ok(moved)
    }
}

/// Moves what can be moved.
#[inline(never)]
pub(super) fn step(
    conn: ArcBorrow<'_, Conn>,
    client: &mut Locked<'_, State>,
    mode: Mode,
    given: &mut Option<Locked<'_, ()>>,
) -> Step {
    let (mut c, state) = client.parts();
    let Some(upstream) = state.upstream.clone() else {
        return Step::Close { reset: true };
    };
    let mut server = match upstream.lock(mode, given) {
        ServerLock::Held(server) => server,
        ServerLock::Busy => return Step::Defer,
        ServerLock::Gone => return ending::begin_to_cut(conn, state),
    };
    let (mut s, ()) = server.parts();
    let Phase::Tunnel(tunnel) = &mut state.phase else {
        return Step::Close { reset: true };
    };

    match state.unsent.flush(&mut c) {
        Ok(true) => (),
        Ok(false) => {
            conn.blocked(&c);
            return Step::Wait;
        }
        Err(_) => return Step::Close { reset: true },
    }
    let up = tunnel.upward.pump(conn, &mut c, &mut s);
    let down = tunnel.downward.pump(conn, &mut s, &mut c);

    match (up, down) {
        (Ok(up), Ok(down)) => {
            tunnel.target.count_bytes(&state.service, up, down);
            conn.shared.moved(up + down);
            if up + down > 0 {
                conn.begin_work();
                conn.expect_within(state.service.options.timeout(Timeout::Idle));
            }
            if tunnel.upward.shut && tunnel.downward.shut {
                Step::Close { reset: false }
            } else {
                Step::Wait
            }
        }
        _ => ending::begin_to_cut(conn, state),
    }
}
