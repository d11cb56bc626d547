// SPDX-License-Identifier: GPL-2.0

//! One request and its response on their way between a client and a real server.
//!
//! The request's head stays in the client's queue until the server begins to answer, unless a
//! body follows it: so a request that a server dropped unanswered can be sent once more.

use crate::{
    config::Timeout,
    l7::{
        answer,
        begin::{
            Attempt,
            Waiting, //
        },
        connection::{
            Conn,
            Mode,
            Phase,
            ServerLock,
            State,
            Step, //
        },
        ending::{
            self,
            Taken, //
        },
        head,
        relay::{
            Fault,
            Flow,
            Pumped, //
        },
        select::Target,
        tunnel::Tunnel,
        unsent::Unsent,
        upstream::Upstream,
        Service, //
    },
    linux::net::{
        Locked,
        Wire, //
    },
};
use core::mem;
use kernel::sync::{
    Arc,
    ArcBorrow, //
};
use ktcpvs_core::http::{
    HeadScanner,
    Kind,
    Version, //
};

mod open;
mod request;
mod response;
mod stall;

/// How far the request has gone to the server.
enum Sending {
    /// The head goes from the client's queue as it is, from this byte on.
    InPlace(usize),
    /// The head was rewritten, and what is left of it is in `to_server`.
    Rewritten,
    /// The body goes.
    Body,
    /// All has gone.
    Done,
    /// The server takes no more, though there is more. It may still answer.
    Broken,
}

/// How far the response has come.
enum Receiving {
    /// Its head is being collected.
    Head(HeadScanner),
    /// An interim response goes to the client as it is, then the next head comes.
    Interim(Flow),
    /// The final response goes to the client.
    Body(Flow),
}

/// Why [`Exchange::run`] stopped.
enum End {
    /// Something must come.
    Wait,
    /// Something could not be done here.
    Defer,
    /// The response is complete.
    Finished,
    /// Nothing has gone to the client yet, and this status can.
    Refuse(u16),
    /// The server closed a used connection without an answer: the request can go once more.
    Retry,
    /// The message was cut short, and the client must see that.
    Cut,
    /// The same, and it is the server's fault: it ended too early, or said what makes no sense.
    Failed,
    /// The server has agreed to another protocol.
    Upgrade,
    /// What has come is not a whole and valid head in one piece. Within [`Exchange::receive`] only.
    Unread,
}

/// What an exchange moves between, and by what rules.
struct Sides<'a> {
    client: Wire<'a>,
    server: Wire<'a>,
    /// Of our own for the client.
    unsent: &'a mut Unsent,
    /// What is left of a rewritten head.
    to_server: &'a mut Unsent,
    service: &'a Service,
}

/// One request and its response.
pub(super) struct Exchange {
    target: Target,
    /// The length of the request's head while it is in the client's queue, else 0.
    held: usize,
    request: Flow,
    sending: Sending,
    receiving: Receiving,
    version: Version,
    is_head: bool,
    upgrade: bool,
    /// The request may be sent once more if the server drops it.
    repeatable: bool,
    /// Something of the final response has gone to the client.
    started: bool,
    interim: u8,
    /// The client may wait for a 100 before it sends the body, of which nothing has come.
    expects: bool,
    /// The server takes no more of the body now.
    server_full: bool,
    /// The client takes no more of the response now.
    client_full: bool,
    /// The client's connection outlives this exchange.
    keep_client: bool,
    /// The server's connection outlives this exchange.
    keep_server: bool,
    /// The server's connection was lent again as soon as it was given back, and so probably will
    /// be: its next request carries the acknowledgement of this response.
    busy: bool,
    /// The end of the server's connection is the end of the response.
    until_close: bool,
    /// The response agrees to another protocol.
    upgraded: bool,
    /// The response's head goes on as it came, but the client's cookie is to be put into it.
    put_cookie: bool,
    /// The head of the response is held back until its body comes.
    hold: bool,
    /// How far both sides had come when the exchange had stood still last.
    taken: Taken,
    bytes_in: usize,
    bytes_out: usize,
}

impl State {
    /// The exchange in progress.
    pub(super) fn exchange(&self) -> Option<&Exchange> {
        match &self.phase {
            Phase::Exchange(exchange) => Some(exchange),
            _ => None,
        }
    }
}

impl Exchange {
    /// Whether there is nothing to do until the server answers.
    pub(super) fn awaits_answer(&self) -> bool {
        matches!(self.sending, Sending::Done)
    }

    /// Whether the client may wait for the server to ask for the body.
    fn awaits_invitation(&self) -> bool {
        self.expects && self.interim == 0
    }

    /// Counts a failure of the server's.
    pub(super) fn blame_server(&self) {
        self.target.server.stats.error();
    }

    /// Accounts for a request that was answered.
    fn count_answer(&self, service: &Service) {
        self.target
            .count_answer(service, self.bytes_in, self.bytes_out);
    }

    /// Gives up, and accounts for what was done.
    pub(super) fn abandon(&self, service: &Service) {
        self.target.count_error(service);
        self.target
            .count_bytes(service, self.bytes_in, self.bytes_out);
        self.target.server.end();
    }

    /// Moves what can be moved.
    #[inline(never)]
    pub(super) fn step(
        conn: ArcBorrow<'_, Conn>,
        client: &mut Locked<'_, State>,
        mode: Mode,
        given: &mut Option<Locked<'_, ()>>,
    ) -> Step {
        let (c, state) = client.parts();
        let Some(upstream) = state.upstream.take() else {
            return Step::Close { reset: true };
        };
        let before = state.exchange().map(Self::progress);
        let (end, reusable) = match upstream.lock(mode, given) {
            ServerLock::Busy => (End::Defer, false),
            ServerLock::Gone => (End::Cut, false),
            ServerLock::Held(mut server) => {
                let (s, ()) = server.parts();

                Self::run_with(conn, mode, state, &upstream, c, s)
            }
        };

        match end {
            End::Wait | End::Defer | End::Upgrade => state.upstream = Some(upstream),
            End::Finished if reusable => (),
            End::Finished | End::Retry => Upstream::close(upstream),
            End::Refuse(_) | End::Cut | End::Failed | End::Unread => Upstream::abort(upstream),
        }
        if matches!(end, End::Wait) {
            if let (Some(before), Some(exchange)) = (before, state.exchange()) {
                let moved = exchange.progress().wrapping_sub(before);

                // Being looked at is no progress.
                if moved > 0 {
                    conn.expect_within(exchange.patience(&state.service, &state.unsent));
                }
                conn.shared.moved(moved);
            }
            return Step::Wait;
        }
        Self::ended(conn, client, mode, end)
    }

    /// Moves what can be moved between the locked sockets `client` and `server`. Whether the
    /// server's connection was put back, too.
    #[inline(always)]
    fn run_with(
        conn: ArcBorrow<'_, Conn>,
        mode: Mode,
        state: &mut State,
        upstream: &Arc<Upstream>,
        client: Wire<'_>,
        server: Wire<'_>,
    ) -> (End, bool) {
        let Phase::Exchange(exchange) = &mut state.phase else {
            return (End::Cut, false);
        };
        let mut sides = Sides {
            client,
            server,
            unsent: &mut state.unsent,
            to_server: &mut state.to_server,
            service: &state.service,
        };
        let end = exchange.run(conn, mode, &mut sides);
        let reusable = matches!(end, End::Finished) && exchange.server_reusable(&sides);

        if reusable {
            // While its lock is held: who takes it next must find it at rest.
            Upstream::put_back(upstream);
        }
        (end, reusable)
    }

    /// Grows whenever something moves.
    fn progress(&self) -> usize {
        let sent = usize::from(matches!(self.sending, Sending::Done));
        let answered = usize::from(matches!(self.receiving, Receiving::Body(_)));

        self.bytes_in
            .wrapping_add(self.bytes_out)
            .wrapping_add(usize::from(self.interim) + sent + answered)
    }

    /// Goes on after `end`.
    fn ended(
        conn: ArcBorrow<'_, Conn>,
        client: &mut Locked<'_, State>,
        mode: Mode,
        end: End,
    ) -> Step {
        let state = client.state();

        match end {
            End::Wait => return Step::Wait,
            End::Defer => return Step::Defer,
            End::Refuse(status) => return answer::refuse(conn, client, mode, status),
            End::Cut | End::Unread => return ending::begin_to_cut(conn, state),
            End::Failed => {
                if let Some(exchange) = state.exchange() {
                    exchange.blame_server();
                }
                return ending::begin_to_cut(conn, state);
            }
            End::Finished => return Self::finished(conn, client),
            End::Retry | End::Upgrade => (),
        }
        let Phase::Exchange(exchange) = mem::replace(&mut state.phase, Phase::Head) else {
            return Step::Close { reset: true };
        };

        match end {
            End::Retry => {
                state.phase = Phase::Waiting(Waiting::new(Attempt {
                    target: exchange.target,
                    head: exchange.held,
                    reused: false,
                }));
                conn.expect_within(state.service.options.timeout(Timeout::Connect));
                Step::Connect
            }
            End::Upgrade => {
                exchange.count_answer(&state.service);
                // The server has it in hand until the tunnel ends.
                state.phase = Phase::Tunnel(Tunnel::new(exchange.target));
                conn.expect_within(state.service.options.timeout(Timeout::Idle));
                Step::Again
            }
            _ => Step::Close { reset: true },
        }
    }

    /// Goes on after a complete response.
    fn finished(conn: ArcBorrow<'_, Conn>, client: &mut Locked<'_, State>) -> Step {
        let (wire, state) = client.parts();
        let Phase::Exchange(exchange) = &mut state.phase else {
            return Step::Close { reset: true };
        };

        // What a client that reads nothing asks for may be buffered without a wait.
        conn.shared.moved(exchange.bytes_out);
        exchange.count_answer(&state.service);
        exchange.target.server.end();
        let keep = exchange.keep_client && exchange.request_gone() && !conn.listener.closed();

        match state.next_request(conn, keep) {
            // Nearly always the client waits for this answer before it asks again.
            Step::Again if keep && wire.unread() == 0 && !wire.ended() => Step::Wait,
            step => step,
        }
    }

    /// Whether all of the request has gone to the server, and nothing of it is in the client's
    /// queue any more.
    fn request_gone(&self) -> bool {
        matches!(self.sending, Sending::Done) && self.held == 0
    }

    /// Whether the server's connection has no room for what is there of the request.
    fn request_blocked(&self) -> bool {
        match self.sending {
            Sending::InPlace(_) | Sending::Rewritten => true,
            Sending::Body => self.server_full,
            Sending::Done | Sending::Broken => false,
        }
    }

    /// Whether the server's connection can be used again, now that this is finished.
    fn server_reusable(&self, sides: &Sides<'_>) -> bool {
        self.keep_server
            && matches!(self.sending, Sending::Done)
            && sides.to_server.is_empty()
            && sides.server.established()
            && sides.server.unread() == 0
            && !self.target.server.removed()
    }

    /// Moves what can be moved between the sides.
    fn run(&mut self, conn: ArcBorrow<'_, Conn>, mode: Mode, sides: &mut Sides<'_>) -> End {
        if sides.client.closed() {
            return End::Cut;
        }
        let held = self.hold && self.goes_on_holding(conn, &sides.server);

        if !held && !sides.unsent.is_empty() {
            let more = self.body_waits(&sides.server);

            match sides.unsent.flush_before(&mut sides.client, more) {
                Ok(true) => (),
                Ok(false) => {
                    conn.blocked(&sides.client);
                    return End::Wait;
                }
                Err(_) => return End::Cut,
            }
        }
        if !matches!(self.sending, Sending::Done) {
            if let Some(end) = self.send_request(sides) {
                return end;
            }
            if self.request_blocked() {
                conn.blocked(&sides.server);
            }
        }
        if held {
            return End::Wait;
        }
        loop {
            if let Some(end) = self.receive(conn, mode, sides) {
                return end;
            }
        }
    }

    /// Whether the response's head, which is held back, still is.
    fn goes_on_holding(&mut self, conn: ArcBorrow<'_, Conn>, server: &Wire<'_>) -> bool {
        let whole = match &self.receiving {
            Receiving::Body(flow) => flow.is_whole(server.unread()),
            _ => true,
        };

        if whole || server.ended() || conn.hold.is_over() {
            self.end_hold(conn);
        }
        self.hold
    }

    /// Holds the response's head back no longer.
    fn end_hold(&mut self, conn: ArcBorrow<'_, Conn>) {
        self.hold = false;
        conn.hold.end();
    }

    /// Whether bytes of the response's body have come and not been sent.
    fn body_waits(&self, server: &Wire<'_>) -> bool {
        matches!(
            &self.receiving,
            Receiving::Body(flow) if !flow.done() && server.unread() > flow.lead()
        )
    }

    /// Ends the exchange with `status`, if the client can still be told.
    fn refuse(&self, status: u16) -> End {
        if self.started {
            End::Cut
        } else {
            End::Refuse(status)
        }
    }

    /// Moves the response on. An end, if it can go no further now.
    fn receive(
        &mut self,
        conn: ArcBorrow<'_, Conn>,
        mode: Mode,
        sides: &mut Sides<'_>,
    ) -> Option<End> {
        if self.hold {
            return Some(End::Wait);
        }
        if !sides.unsent.is_empty() {
            conn.blocked(&sides.client);
            return Some(End::Wait);
        }
        if self.put_cookie {
            return self.send_with_cookie(conn, mode, sides);
        }
        let pumped = match &mut self.receiving {
            Receiving::Head(_) => return self.receive_head(conn, mode, sides),
            Receiving::Interim(flow) | Receiving::Body(flow) => flow.pump(
                &mut sides.server,
                &mut sides.client,
                &mut self.bytes_out,
                self.busy,
            ),
        };

        self.client_full = matches!(pumped, Ok(Pumped::Full));
        match pumped {
            Ok(Pumped::Done) => {
                if matches!(self.receiving, Receiving::Body(_)) {
                    return Some(match (self.upgraded, self.request_gone()) {
                        (false, _) => End::Finished,
                        (true, true) => End::Upgrade,
                        (true, false) => End::Failed,
                    });
                }
                self.receiving = Receiving::Head(HeadScanner::new(Kind::Response));
                None
            }
            Ok(Pumped::Starved) if sides.server.ended() => {
                if self.until_close && !sides.server.failed() {
                    Some(End::Finished)
                } else {
                    Some(End::Failed)
                }
            }
            Ok(Pumped::Starved) => Some(End::Wait),
            Ok(Pumped::Full) => {
                conn.blocked(&sides.client);
                Some(End::Wait)
            }
            Err(Fault::Malformed) => Some(End::Failed),
            Err(Fault::Gone) => Some(End::Cut),
        }
    }

    /// Collects the response's head, and takes it once it is whole.
    fn receive_head(
        &mut self,
        conn: ArcBorrow<'_, Conn>,
        mode: Mode,
        sides: &mut Sides<'_>,
    ) -> Option<End> {
        let Receiving::Head(scanner) = &mut self.receiving else {
            return None;
        };

        // Nearly every head comes whole and in one piece. What does not is scanned as it comes.
        if scanner.is_empty() && sides.server.unread() > 0 {
            let taken = self.take_head(conn, mode, sides, None);

            if !matches!(taken, Some(End::Unread)) {
                return taken;
            }
        }
        let Receiving::Head(scanner) = &mut self.receiving else {
            return None;
        };
        let server = &sides.server;

        match head::scan(scanner, server, &sides.service.options.limits) {
            Err(_) => Some(End::Refuse(502)),
            Ok(None) if server.ended() => Some(self.unanswered(server.unread() > 0)),
            Ok(None) => {
                let most = sides.service.options.limits.head_max;

                // It is not consumed before it is whole.
                sides
                    .server
                    .make_room(most.saturating_sub(sides.server.unread()));
                Some(End::Wait)
            }
            Ok(Some(len)) => self.take_head(conn, mode, sides, Some(len)),
        }
    }

    /// The server has closed without a final answer; of one it may have `begun`.
    fn unanswered(&self, begun: bool) -> End {
        if self.repeatable && self.held > 0 && self.interim == 0 && !begun {
            End::Retry
        } else {
            End::Refuse(502)
        }
    }
}
