// SPDX-License-Identifier: GPL-2.0

//! The beginning of a request: collecting its head, deciding where it goes, and getting a
//! connection to the server.

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
        exchange::Exchange,
        head,
        select::{
            self,
            Choice,
            Target,
            TRIES, //
        },
        shared::Scratch,
        upstream::Upstream,
        Server,
        Service, //
    },
    linux::net::{
        Locked,
        Wire, //
    },
};
use core::mem;
use kernel::{
    prelude::*,
    sync::{
        Arc,
        ArcBorrow, //
    },
};
use ktcpvs_core::http::{
    Framing,
    Request, //
};

/// A request whose server has been chosen, but whose head is still in the client's queue. It
/// counts among those that the server has in hand.
pub(super) struct Attempt {
    pub(super) target: Target,
    /// The length of the head in bytes.
    pub(super) head: usize,
    /// The connection has served before, so that the server may be about to close it.
    pub(super) reused: bool,
}

/// A request that waits for a connection to its server.
pub(super) struct Waiting {
    attempt: Attempt,
    /// Servers that could not be reached.
    tried: [Option<Arc<Server>>; TRIES],
    asked: Asked,
}

/// What is known of the connection that was asked for.
enum Asked {
    /// Nothing yet, or that it is being made.
    Pending,
    /// It could not even be started.
    Failed,
    /// There was no memory to start it, which is no fault of its server's. It is asked for again.
    Starved,
}

impl Waiting {
    /// Waits for a connection.
    pub(super) fn new(attempt: Attempt) -> Self {
        Self {
            attempt,
            tried: [const { None }; TRIES],
            asked: Asked::Pending,
        }
    }

    /// Gives up, and accounts for that.
    pub(super) fn abandon(&self, service: &Service) {
        self.attempt.target.count_error(service);
        self.attempt.target.server.end();
    }
}

/// Collects a request's head, and begins with it once it is whole.
#[inline(never)]
pub(super) fn head<'a>(
    conn: ArcBorrow<'_, Conn>,
    client: &mut Locked<'_, State>,
    mode: Mode,
    given: &mut Option<Locked<'a, ()>>,
) -> Step {
    let (mut wire, state) = client.parts();

    match state.unsent.flush(&mut wire) {
        Ok(true) => (),
        Ok(false) => {
            conn.blocked(&wire);
            return Step::Wait;
        }
        Err(_) => return Step::Close { reset: false },
    }
    // Nearly every head comes whole and in one piece. What does not is scanned as it comes.
    if state.scanner.is_empty() && wire.unread() > 0 {
        if let Some(step) = begin(conn, client, mode, given, None) {
            return step;
        }
    }
    let (mut wire, state) = client.parts();
    let was_idle = state.scanner.is_idle();

    match head::scan(&mut state.scanner, &wire, &state.service.options.limits) {
        Ok(Some(len)) => {
            begin(conn, client, mode, given, Some(len)).unwrap_or(Step::Close { reset: true })
        }
        Ok(None) if wire.ended() => {
            if state.scanner.is_idle() || wire.closed() {
                let unread = wire.unread();

                // Line ends, which would make a reset of it, and that might overtake an answer.
                wire.consume(unread);
                Step::Close { reset: false }
            } else {
                answer::refuse(conn, client, mode, 400)
            }
        }
        Ok(None) => {
            if state.scanner.is_idle() {
                if conn.listener.closed() {
                    return Step::Close { reset: false };
                }
            } else {
                let most = state.service.options.limits.head_max;

                // It is not consumed before it is whole.
                wire.make_room(most.saturating_sub(wire.unread()));
                if was_idle {
                    conn.deadline
                        .set_spare(state.service.options.timeout(Timeout::Head));
                }
            }
            Step::Wait
        }
        Err(e) => answer::refuse(conn, client, mode, e.status()),
    }
}

/// What became of a head.
enum Begun {
    /// It is not whole, or not in one piece, or wrong.
    Unread,
    Refused(u16),
    /// We have answered a head of this length.
    Answered {
        len: usize,
        keep: bool,
    },
    /// It has gone to a server.
    Forwarded,
    /// It waits for a connection to its server; `connect`: one that is to be made.
    Waiting {
        connect: bool,
    },
    Broken,
}

/// Decides on a head: a whole one of `len` bytes, or whatever has come. `None` if that is not a
/// whole and valid head.
fn begin<'a>(
    conn: ArcBorrow<'_, Conn>,
    client: &mut Locked<'_, State>,
    mode: Mode,
    given: &mut Option<Locked<'a, ()>>,
    len: Option<usize>,
) -> Option<Step> {
    conn.listener.refresh(&mut client.state().service);
    let begun = conn.with_scratch(mode, |scratch| {
        let (mut wire, state) = client.parts();

        decide(conn, &mut wire, state, mode, given, len, scratch)
    });
    let (mut wire, state) = client.parts();
    let step = match begun {
        None => Step::Defer,
        Some(Begun::Unread) => return None,
        Some(Begun::Refused(status)) => answer::refuse(conn, client, mode, status),
        Some(Begun::Broken) => Step::Close { reset: true },
        Some(Begun::Answered { len, keep }) => {
            wire.consume(len);
            state.next_request(conn, keep)
        }
        Some(Begun::Forwarded) => {
            conn.expect_within(state.service.options.timeout(Timeout::Response));
            if state.exchange().is_some_and(Exchange::awaits_answer) {
                Step::Wait
            } else {
                Step::Again
            }
        }
        Some(Begun::Waiting { connect }) => {
            conn.expect_within(state.service.options.timeout(Timeout::Connect));
            if connect {
                Step::Connect
            } else {
                Step::Defer
            }
        }
    };

    Some(step)
}

/// Parses a head, chooses, and forwards it at once where a connection is at hand.
#[inline(never)]
fn decide<'a>(
    conn: ArcBorrow<'_, Conn>,
    wire: &mut Wire<'_>,
    state: &mut State,
    mode: Mode,
    given: &mut Option<Locked<'a, ()>>,
    len: Option<usize>,
    scratch: &mut Scratch,
) -> Begun {
    let Scratch {
        head,
        out,
        rules,
        host,
        ..
    } = scratch;
    let limits = &state.service.options.limits;
    // Looked at where they are made: a copy is as dear as a decision.
    let (prefix, whole);
    let (request, len) = match len {
        None => {
            prefix = Request::parse_prefix(wire.first_piece(), limits);
            match &prefix {
                Some((request, len)) => (request, *len),
                None => return Begun::Unread,
            }
        }
        Some(len) => {
            let Ok(bytes) = head::linear(wire, len, head) else {
                state.service.stats.refused();
                return Begun::Broken;
            };

            whole = Request::parse(bytes, limits);
            match &whole {
                Ok(request) => (request, len),
                Err(e) => return Begun::Refused(e.status()),
            }
        }
    };

    state.is_head = request.is_head();
    let body_max = state.service.options.body_max;

    if matches!(request.framing(), Framing::Length(n) if body_max > 0 && n > body_max) {
        return Begun::Refused(413);
    }
    let (rule, status) = match select::choose(&state.service, request, &conn.peer, rules, host) {
        Choice::Unavailable(rule) => {
            if let Some(stats) = select::rule_stats(&state.service, rule) {
                stats.refused();
            }
            return Begun::Refused(503);
        }
        Choice::Server(target) => {
            let attempt = Attempt {
                target,
                head: len,
                reused: false,
            };

            conn.begin_work();
            attempt.target.count_request(&state.service);
            attempt.target.server.begin();
            return forward_at_once(conn, wire, state, mode, given, attempt, request, out);
        }
        Choice::Redirect(rule) => (rule, None),
        Choice::Status(rule, status) => (rule, Some(status)),
    };
    let reply = answer::reply_to(request);

    match answer::by_rule(wire, state, rule, status, reply, len, out) {
        Ok(keep) => Begun::Answered { len, keep },
        Err(_) => Begun::Broken,
    }
}

/// Forwards `request` on an idle connection, or has it wait for one.
#[expect(clippy::too_many_arguments, reason = "the state of one decision")]
fn forward_at_once(
    conn: ArcBorrow<'_, Conn>,
    wire: &Wire<'_>,
    state: &mut State,
    mode: Mode,
    given: &mut Option<Locked<'_, ()>>,
    mut attempt: Attempt,
    request: &Request<'_>,
    out: &mut [u8],
) -> Begun {
    while let Some(upstream) = attempt.target.server.data.take() {
        attempt.reused = true;
        upstream.lend(conn.into());
        let mut server = match upstream.lock(mode, given) {
            ServerLock::Held(server) => server,
            ServerLock::Busy => {
                state.phase = Phase::Waiting(Waiting::new(attempt));
                state.upstream = Some(upstream.clone());
                return Begun::Waiting { connect: false };
            }
            ServerLock::Gone => continue,
        };
        let (mut to, ()) = server.parts();

        if to.established() && to.unread() == 0 {
            let opened = Exchange::open(conn, state, request, attempt, wire, &mut to, out);

            drop(server);
            state.upstream = Some(upstream);
            return match opened {
                Ok(()) => Begun::Forwarded,
                Err(status) => Begun::Refused(status),
            };
        }
        drop(server);
        Upstream::close(upstream);
    }
    attempt.reused = false;
    state.phase = Phase::Waiting(Waiting::new(attempt));
    Begun::Waiting { connect: true }
}

/// Forwards the head that waits, if the connection to its server is up.
#[inline(never)]
pub(super) fn waiting(
    conn: ArcBorrow<'_, Conn>,
    client: &mut Locked<'_, State>,
    mode: Mode,
    given: &mut Option<Locked<'_, ()>>,
) -> Step {
    let (wire, state) = client.parts();

    if wire.closed() {
        return Step::Close { reset: false };
    }
    let Some(upstream) = state.upstream.clone() else {
        return match asked(state) {
            Some(Asked::Failed) => try_another(conn, client, mode, 503),
            Some(Asked::Starved) => Step::Connect,
            Some(Asked::Pending) | None => Step::Wait,
        };
    };
    let mut server = match upstream.lock(mode, given) {
        ServerLock::Held(server) => server,
        ServerLock::Busy => return Step::Defer,
        ServerLock::Gone => return try_another(conn, client, mode, 503),
    };
    let (mut to, ()) = server.parts();

    if to.connecting() {
        return Step::Wait;
    }
    if !to.established() || to.unread() > 0 {
        drop(server);
        return try_another(conn, client, mode, 503);
    }
    let opened = conn.with_scratch(mode, |scratch| reopen(conn, &wire, state, &mut to, scratch));

    drop(server);
    match opened {
        None => Step::Defer,
        Some(Ok(())) => {
            conn.expect_within(state.service.options.timeout(Timeout::Response));
            Step::Again
        }
        Some(Err(status)) => answer::refuse(conn, client, mode, status),
    }
}

/// Parses the head that waits once more, and forwards it. Fails as [`Exchange::open`].
#[inline(never)]
fn reopen(
    conn: ArcBorrow<'_, Conn>,
    wire: &Wire<'_>,
    state: &mut State,
    to: &mut Wire<'_>,
    scratch: &mut Scratch,
) -> Result<(), u16> {
    let Scratch { head, out, .. } = scratch;
    let Phase::Waiting(waiting) = &state.phase else {
        return Err(503);
    };
    // It was read before.
    let bytes = head::linear(wire, waiting.attempt.head, head).map_err(|_| 503_u16)?;
    let limits = &state.service.options.limits;
    let request = Request::parse(bytes, limits).map_err(|e| e.status())?;
    let Phase::Waiting(waiting) = mem::replace(&mut state.phase, Phase::Head) else {
        return Err(503);
    };

    Exchange::open(conn, state, &request, waiting.attempt, wire, to, out)
}

/// Gives the chosen server up, and goes to another one of its pool, or tells the client `status`.
fn try_another(
    conn: ArcBorrow<'_, Conn>,
    client: &mut Locked<'_, State>,
    mode: Mode,
    status: u16,
) -> Step {
    let state = client.state();

    if let Some(upstream) = state.upstream.take() {
        Upstream::close(upstream);
    }
    let Phase::Waiting(waiting) = &mut state.phase else {
        return Step::Close { reset: true };
    };
    // An idle connection may die at any time; that says nothing about the server.
    let again = mem::replace(&mut waiting.attempt.reused, false) || {
        let failed = waiting.attempt.target.server.clone();

        failed.stats.error();
        match waiting.tried.iter_mut().find(|tried| tried.is_none()) {
            Some(place) => {
                *place = Some(failed.clone());
                let found =
                    waiting
                        .attempt
                        .target
                        .redirect(&state.service, &conn.peer, &waiting.tried);

                if found {
                    failed.end();
                    waiting.attempt.target.server.begin();
                }
                found
            }
            None => false,
        }
    };

    if again {
        waiting.asked = Asked::Pending;
        conn.expect_within(state.service.options.timeout(Timeout::Connect));
        Step::Connect
    } else {
        answer::refuse(conn, client, mode, status)
    }
}

/// The server that a connection is wanted to.
pub(super) fn wanted(state: &State) -> Option<Arc<Server>> {
    match &state.phase {
        Phase::Waiting(waiting)
            if state.upstream.is_none() && !matches!(waiting.asked, Asked::Failed) =>
        {
            Some(waiting.attempt.target.server.clone())
        }
        _ => None,
    }
}

/// What is known of the connection that the request waits for.
fn asked(state: &State) -> Option<&Asked> {
    match &state.phase {
        Phase::Waiting(waiting) => Some(&waiting.asked),
        _ => None,
    }
}

/// Takes a connection to `server` that is being made, or notes that it could not be started. Fails
/// with `ENOMEM` if that is to be tried again when there is memory.
pub(super) fn connected(
    state: &mut State,
    server: &Arc<Server>,
    upstream: Result<Arc<Upstream>>,
) -> Result {
    let wanted = wanted(state).is_some_and(|wanted| Arc::ptr_eq(&wanted, server));

    match (&mut state.phase, upstream) {
        (Phase::Waiting(waiting), Ok(upstream)) if wanted => {
            waiting.asked = Asked::Pending;
            state.upstream = Some(upstream);
        }
        (_, Ok(upstream)) => Upstream::close(upstream),
        (Phase::Waiting(waiting), Err(e)) if wanted && e == ENOMEM => {
            waiting.asked = Asked::Starved;
            return Err(e);
        }
        (Phase::Waiting(waiting), Err(_)) if wanted => waiting.asked = Asked::Failed,
        (_, Err(_)) => (),
    }
    Ok(())
}

/// The client has not sent a head, or not the whole of one, in time.
pub(super) fn head_timed_out(conn: ArcBorrow<'_, Conn>, client: &mut Locked<'_, State>) -> Step {
    if client.state().scanner.is_idle() {
        Step::Close { reset: false }
    } else {
        answer::refuse(conn, client, Mode::Process, 408)
    }
}

/// The server has not accepted a connection in time, or could not be asked for want of memory; then no
/// other one could be either.
pub(super) fn connect_timed_out(conn: ArcBorrow<'_, Conn>, client: &mut Locked<'_, State>) -> Step {
    if matches!(asked(client.state()), Some(Asked::Starved)) {
        return answer::refuse(conn, client, Mode::Process, 503);
    }
    try_another(conn, client, Mode::Process, 504)
}
