// SPDX-License-Identifier: GPL-2.0

//! An exchange in which nothing moves: for how long it may be so, whose fault it is, and what becomes
//! of it then.

use super::{
    Exchange,
    Sending, //
};
use crate::{
    config::Timeout,
    l7::{
        answer,
        connection::{
            Conn,
            Mode,
            Phase,
            ServerLock,
            State,
            Step, //
        },
        unsent::Unsent,
        upstream::Upstream,
        Service, //
    },
    linux::net::{
        Locked,
        Wire, //
    },
};
use kernel::sync::ArcBorrow;

impl Exchange {
    /// The exchange has stood still for too long.
    pub(in crate::l7) fn timed_out(
        conn: ArcBorrow<'_, Conn>,
        client: &mut Locked<'_, State>,
    ) -> Step {
        let (wire, state) = client.parts();
        let Phase::Exchange(exchange) = &mut state.phase else {
            return Step::Wait;
        };
        // There may be no room for more until much of what was sent is taken; and if no more comes,
        // that is not to be lost.
        let owing = exchange.owing(&wire, state.upstream.as_deref());

        if exchange.taken.grows(owing) {
            conn.expect_within(exchange.patience(&state.service, &state.unsent));
            return Step::Wait;
        }
        if exchange.started {
            if exchange.server_stalls(&state.unsent) {
                exchange.blame_server();
            }
            return Step::Close { reset: true };
        }
        let status = match exchange.sending {
            Sending::Body if !exchange.server_full && !exchange.awaits_invitation() => 408,
            _ => 504,
        };

        answer::refuse(conn, client, Mode::Process, status)
    }

    /// How far the client has come in taking the response, and the server the request's body: a
    /// number that changes with each step. `None`: they have taken all that was sent. Process
    /// context.
    fn owing(&self, client: &Wire<'_>, upstream: Option<&Upstream>) -> Option<u32> {
        let of_client = client.outstanding().filter(|_| self.started);
        // A head without a body is held, and is taken at once or not at all.
        let upstream = upstream.filter(|_| self.held == 0);
        let of_server = match upstream.map(|upstream| upstream.lock(Mode::Process, &mut None)) {
            Some(ServerLock::Held(mut server)) => server.parts().0.outstanding(),
            _ => None,
        };

        match (of_client, of_server) {
            (None, None) => None,
            (client, server) => Some(client.unwrap_or(0).wrapping_add(server.unwrap_or(0))),
        }
    }

    /// Whether it is the server from which nothing comes, or that takes nothing, and not the client.
    fn server_stalls(&self, unsent: &Unsent) -> bool {
        let takes = !self.client_full && unsent.is_empty();
        let owes = matches!(self.sending, Sending::Body) && !self.server_full;

        takes && !owes
    }

    /// For how long nothing may happen, in jiffies.
    pub(super) fn patience(&self, service: &Service, unsent: &Unsent) -> usize {
        let sends = matches!(self.sending, Sending::Body) && !self.awaits_invitation();

        if sends || self.started || !unsent.is_empty() {
            service.options.timeout(Timeout::Stall)
        } else {
            service.options.timeout(Timeout::Response)
        }
    }
}
