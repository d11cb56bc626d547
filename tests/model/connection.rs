// SPDX-License-Identifier: GPL-2.0

//! `rust/l7/connection.rs`: a client's connection, its runner and its work items. Of what a
//! connection does (`begin.rs`, `exchange.rs`) there is as much as takes locks or waits.

use crate::{
    deadline::Deadline,
    kernel::{
        Item,
        Tcp, //
    },
    mutant::{
        broken,
        Mutant, //
    },
    stream::{
        Locked,
        Owner,
        Stream, //
    },
    upstream::{
        ServerLock,
        Upstream, //
    },
    world::World,
};
use ktcpvs_core::runner::{
    self,
    Mode,
    Next,
    Step, //
};
use loom::sync::atomic::{
    AtomicBool,
    Ordering::Relaxed, //
};
use std::sync::Arc;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Work {
    Softirq,
    Process,
    Control,
}

#[derive(Clone)]
pub enum Task {
    Conn(Arc<Conn>, Work),
    Upstream(Arc<Upstream>),
}

impl Item for Task {
    fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Conn(a, m), Self::Conn(b, n)) => Arc::ptr_eq(a, b) && m == n,
            (Self::Upstream(a), Self::Upstream(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }

    fn run(self) {
        match self {
            Self::Conn(conn, Work::Softirq) => conn.softirq_work(),
            Self::Conn(conn, Work::Process) => conn.process_work(),
            Self::Conn(conn, Work::Control) => conn.control_work(),
            Self::Upstream(upstream) => upstream.run(),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    Head,
    Waiting,
    Exchange {
        /// How much of the response is still to come.
        left: usize,
    },
    Tunnel,
    Cutting,
    Closed,
}

pub struct State {
    pub phase: Phase,
    pub upstream: Option<Arc<Upstream>>,
    /// There was no memory for the connection to the server that is waited for.
    pub starved: bool,
}

pub struct Conn {
    pub stream: Stream<State>,
    pub world: Arc<World>,
    doomed: AtomicBool,
    deadline: Deadline,
}

/// How long the response to a request is.
pub const RESPONSE: usize = 2;

impl Conn {
    pub fn new(world: &Arc<World>, tcp: Tcp, phase: Phase) -> Arc<Self> {
        let state = State {
            phase,
            upstream: None,
            starved: false,
        };

        world.tally(|tally| tally.conns_opened += 1);
        Arc::new(Self {
            stream: Stream::new(tcp, state),
            world: world.clone(),
            doomed: AtomicBool::new(false),
            deadline: Deadline::new(phase == Phase::Head),
        })
    }

    pub fn start(self: &Arc<Self>) {
        self.stream.attach(Owner::Conn(self.clone()));
        if !broken(Mutant::NotLookedAtOnce) {
            self.defer();
        }
    }

    pub fn defer(self: &Arc<Self>) {
        self.go_on(runner::without_lock(self.stream.owned()));
    }

    pub fn go_on(self: &Arc<Self>, next: Next) {
        let work = match next {
            Next::Softirq => Work::Softirq,
            Next::Process => Work::Process,
            Next::Connect => Work::Control,
            // The sweep looks at it a moment later, for all that happens here.
            Next::Starve => Work::Process,
            Next::Rest | Next::Finish { .. } => return,
        };

        self.world.queues.enqueue(Task::Conn(self.clone(), work));
    }

    pub fn defer_to_process(self: &Arc<Self>) {
        self.go_on(Next::Process);
    }

    pub fn kill(self: &Arc<Self>) {
        self.doomed.store(true, Relaxed);
        self.defer_to_process();
    }

    /// `Conn::give_up()` of `rust/l7/memory.rs`, of a connection that was idle when it was chosen.
    pub fn give_up(self: &Arc<Self>) {
        if self.deadline.end_wait() {
            self.defer_to_process();
        }
    }

    pub fn client_event(self: &Arc<Self>, locked: Option<Locked<'_, State>>) {
        let Some(client) = locked else {
            if broken(Mutant::OwnedNotQueued) {
                return;
            }
            return self.defer();
        };

        if let Some(next) = runner::instead_of_direct(client.wire().unread) {
            return self.go_on(next);
        }
        self.run(&client, Mode::Direct, None);
    }

    pub fn server_event(self: &Arc<Self>, locked: Option<Locked<'_, ()>>) {
        let Some(server) = locked else {
            return self.defer();
        };

        if let Some(next) = runner::instead_of_direct(server.wire().unread) {
            return self.go_on(next);
        }
        let client = if broken(Mutant::WaitsAgainstOrder) {
            self.stream.lock_softirq()
        } else {
            self.stream.try_lock_softirq()
        };

        match client {
            Some(client) => self.run(&client, Mode::Direct, Some(server)),
            None if broken(Mutant::BusyNotQueued) => (),
            None => self.defer(),
        }
    }

    fn run(
        self: &Arc<Self>,
        client: &Locked<'_, State>,
        mode: Mode,
        mut given: Option<Locked<'_, ()>>,
    ) {
        let guard = client.state();
        // SAFETY: loom panics where there is another runner.
        let state = unsafe { guard.deref() };

        match mode.run(|| self.step(client, state, mode, &mut given)) {
            Next::Finish { reset } => self.finish(state, reset),
            next => self.go_on(next),
        }
    }

    fn step(
        self: &Arc<Self>,
        client: &Locked<'_, State>,
        state: &mut State,
        mode: Mode,
        given: &mut Option<Locked<'_, ()>>,
    ) -> Step {
        if self.doomed.load(Relaxed) && state.phase != Phase::Closed {
            return Step::Close { reset: true };
        }
        match state.phase {
            Phase::Head => self.head(client, state, mode, given),
            Phase::Waiting => self.waiting(client, state, mode, given),
            Phase::Exchange { left } => self.exchange(client, state, mode, given, left),
            Phase::Tunnel => self.tunnel(client, state, mode, given),
            Phase::Cutting => Self::cut(client),
            Phase::Closed => Step::Wait,
        }
    }

    /// `ending::cut()`.
    fn cut(client: &Locked<'_, State>) -> Step {
        let mut wire = client.wire();

        if wire.closed || wire.unacked == 0 {
            return Step::Close { reset: true };
        }
        wire.nospace = !broken(Mutant::DrainedNotAsked);
        Step::Wait
    }

    /// `begin::head()` and `begin::forward_at_once()`.
    fn head(
        self: &Arc<Self>,
        client: &Locked<'_, State>,
        state: &mut State,
        mode: Mode,
        given: &mut Option<Locked<'_, ()>>,
    ) -> Step {
        if client.wire().unread == 0 {
            return if client.wire().closed {
                Step::Close { reset: false }
            } else {
                Step::Wait
            };
        }
        while let Some(upstream) = self.world.idle.take() {
            if !broken(Mutant::LentAfterLook) {
                upstream.lend(self.clone());
            }
            let server = match upstream.lock(mode, given) {
                ServerLock::Held(server) => server,
                ServerLock::Busy => {
                    if broken(Mutant::LentAfterLook) {
                        upstream.lend(self.clone());
                    }
                    state.phase = Phase::Waiting;
                    state.upstream = Some(upstream.clone());
                    self.deadline.set();
                    return Step::Defer;
                }
                ServerLock::Gone => continue,
            };
            let at_rest = !server.wire().closed && server.wire().unread == 0;

            if at_rest {
                if !broken(Mutant::LentAfterLook) {
                    upstream.assert_lent_to(self);
                    self.open(client, state);
                    drop(server);
                } else {
                    self.open(client, state);
                    drop(server);
                    upstream.lend(self.clone());
                }
                state.upstream = Some(upstream);
                return Step::Wait;
            }
            drop(server);
            Upstream::close(upstream);
        }
        state.phase = Phase::Waiting;
        self.deadline.set();
        Step::Connect
    }

    /// `Exchange::open()`: the request goes to the server.
    fn open(&self, client: &Locked<'_, State>, state: &mut State) {
        client.wire().unread -= 1;
        self.world.tally(|tally| tally.up += 1);
        state.phase = Phase::Exchange { left: RESPONSE };
        self.deadline.set();
    }

    /// `begin::waiting()`.
    fn waiting(
        self: &Arc<Self>,
        client: &Locked<'_, State>,
        state: &mut State,
        mode: Mode,
        given: &mut Option<Locked<'_, ()>>,
    ) -> Step {
        if client.wire().closed {
            return Step::Close { reset: false };
        }
        let Some(upstream) = state.upstream.clone() else {
            return if state.starved {
                Step::Connect
            } else {
                Step::Wait
            };
        };
        let server = match upstream.lock(mode, given) {
            ServerLock::Held(server) => server,
            ServerLock::Busy => return Step::Defer,
            ServerLock::Gone => return Self::try_another(state),
        };

        upstream.assert_lent_to(self);
        if server.wire().connecting {
            return Step::Wait;
        }
        if server.wire().closed || server.wire().unread > 0 {
            drop(server);
            return Self::try_another(state);
        }
        self.open(client, state);
        Step::Again
    }

    fn try_another(state: &mut State) -> Step {
        if let Some(upstream) = state.upstream.take() {
            Upstream::close(upstream);
        }
        Step::Connect
    }

    /// `Exchange::step()`, `Exchange::run()` and `Exchange::finished()`.
    fn exchange(
        self: &Arc<Self>,
        client: &Locked<'_, State>,
        state: &mut State,
        mode: Mode,
        given: &mut Option<Locked<'_, ()>>,
        mut left: usize,
    ) -> Step {
        let Some(upstream) = state.upstream.take() else {
            return Step::Close { reset: true };
        };
        let mut finished = false;
        let mut cut = client.wire().closed;
        let server = match upstream.lock(mode, given) {
            ServerLock::Busy => {
                state.upstream = Some(upstream.clone());
                return Step::Defer;
            }
            ServerLock::Gone => return Step::Close { reset: true },
            ServerLock::Held(server) => server,
        };

        upstream.assert_lent_to(self);
        if !cut {
            let taken = Self::pump(&server, client, mode, left);

            self.world.tally(|tally| tally.down += taken);
            left -= taken;
            finished = left == 0;
            cut = !finished && server.wire().unread == 0 && server.wire().closed;
        }
        let reusable = finished && server.wire().unread == 0 && !server.wire().closed;

        if reusable && !broken(Mutant::PutBackUnlocked) {
            Upstream::put_back(&upstream);
        }
        drop(server);
        if reusable && broken(Mutant::PutBackUnlocked) {
            Upstream::put_back(&upstream);
        }
        state.phase = Phase::Exchange { left };
        if cut || (finished && !reusable) {
            Upstream::close(upstream);
        } else if !finished {
            state.upstream = Some(upstream);
        }
        if cut {
            return Self::begin_to_cut(state);
        }
        if !finished {
            return Step::Wait;
        }
        state.phase = Phase::Head;
        self.deadline.set_for_request();
        if client.wire().unread == 0 && !client.wire().closed {
            Step::Wait
        } else {
            Step::Again
        }
    }

    /// `ending::begin_to_cut()`.
    fn begin_to_cut(state: &mut State) -> Step {
        if let Some(upstream) = state.upstream.take() {
            Upstream::close(upstream);
        }
        state.phase = Phase::Cutting;
        Step::Again
    }

    /// `tunnel::step()`.
    fn tunnel(
        self: &Arc<Self>,
        client: &Locked<'_, State>,
        state: &mut State,
        mode: Mode,
        given: &mut Option<Locked<'_, ()>>,
    ) -> Step {
        let Some(upstream) = state.upstream.clone() else {
            return Step::Close { reset: true };
        };
        let server = match upstream.lock(mode, given) {
            ServerLock::Held(server) => server,
            ServerLock::Busy => return Step::Defer,
            ServerLock::Gone => return Self::begin_to_cut(state),
        };

        upstream.assert_lent_to(self);
        if client.wire().closed || server.wire().closed {
            drop(server);
            return Self::begin_to_cut(state);
        }
        let up = Self::pump(client, &server, mode, usize::MAX);
        let down = Self::pump(&server, client, mode, usize::MAX);

        self.world.tally(|tally| {
            tally.up += up;
            tally.down += down;
        });
        Step::Wait
    }

    /// `Flow::pump()`: as much of what has come as finds room, of `most`.
    fn pump<A, B>(from: &Locked<'_, A>, into: &Locked<'_, B>, mode: Mode, most: usize) -> usize {
        let (mut from, mut to) = (from.wire(), into.wire());
        let want = from.unread.min(most);
        let taken = want.min(to.room);

        from.unread -= taken;
        to.room -= taken;
        to.unacked += taken;
        if taken < want && !broken(Mutant::NoSpaceNotAsked) {
            to.nospace = true;
        }
        drop((from, to));
        if taken > 0 && mode == Mode::Process {
            into.push();
        }
        taken
    }

    fn finish(self: &Arc<Self>, state: &mut State, reset: bool) {
        state.phase = Phase::Closed;
        if let Some(upstream) = state.upstream.take() {
            Upstream::close(upstream);
        }
        if reset {
            self.doomed.store(true, Relaxed);
        }
        self.go_on(Next::Connect);
    }

    fn connect(self: &Arc<Self>) {
        let upstream = Upstream::connect(&self.world, self.clone());
        let Some(client) = self.stream.lock() else {
            if let Some(upstream) = upstream {
                Upstream::close(upstream);
            }
            return;
        };

        if !Self::connected(&client, upstream) {
            return self.go_on(Next::Starve);
        }
        if !broken(Mutant::ConnectedNotLookedAt) {
            self.run(&client, Mode::Process, None);
        }
    }

    /// `begin::connected()`. False if it is to be tried again.
    fn connected(client: &Locked<'_, State>, upstream: Option<Arc<Upstream>>) -> bool {
        let guard = client.state();
        // SAFETY: As in `run()`.
        let state = unsafe { guard.deref() };

        let waits = state.phase == Phase::Waiting && state.upstream.is_none();
        let Some(upstream) = upstream else {
            state.starved = waits && !broken(Mutant::StarvedForgotten);
            return !waits;
        };

        if waits {
            state.starved = false;
            state.upstream = Some(upstream);
        } else if !broken(Mutant::ConnectedForgotten) {
            Upstream::close(upstream);
        }
        true
    }

    fn close(&self) {
        self.stream.release();
        self.world.tally(|tally| tally.conns_closed += 1);
    }

    fn softirq_work(self: Arc<Self>) {
        match self.stream.lock_softirq() {
            Some(client) => self.run(&client, Mode::Softirq, None),
            None if broken(Mutant::SoftirqNotHandedOver) => (),
            None => self.defer_to_process(),
        }
    }

    fn process_work(self: Arc<Self>) {
        let Some(client) = self.stream.lock() else {
            return;
        };

        self.run(&client, Mode::Process, None);
        if self.deadline.passed() {
            self.time_out(&client);
        }
    }

    /// Only the wait for a request is ended here.
    fn time_out(self: &Arc<Self>, client: &Locked<'_, State>) {
        let guard = client.state();
        // SAFETY: As in `run()`.
        let state = unsafe { guard.deref() };

        match state.phase {
            Phase::Closed => (),
            Phase::Head => self.finish(state, false),
            phase => panic!("{phase:?} was timed out as if it waited for a request"),
        }
    }

    fn control_work(self: Arc<Self>) {
        let Some(client) = self.stream.lock() else {
            return;
        };
        let (closed, wanted) = {
            let guard = client.state();
            // SAFETY: As in `run()`.
            let state = unsafe { guard.deref() };
            let wanted = state.phase == Phase::Waiting && state.upstream.is_none();

            (state.phase == Phase::Closed, wanted)
        };

        drop(client);
        if closed {
            self.close();
        } else if wanted {
            self.connect();
        }
    }
}
