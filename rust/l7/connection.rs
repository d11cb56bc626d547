// SPDX-License-Identifier: GPL-2.0

//! A client's connection, and the one who runs it.
//!
//! Everything that a connection is and does is protected by the lock of the client's socket, so
//! that there is one runner at a time. It runs where its packets arrive: directly in the socket's
//! callback if the other socket's lock can be had at once, else a moment later in softirq, else,
//! where a process owns a socket or there is much to move, in a work queue. [`runner`] says which,
//! and `tests/model` shows that nothing gets lost on the way: it takes the same steps, by the same
//! names, as what is here and in [`Upstream`].

use crate::{
    config::Timeout,
    l7::{
        begin::{
            self,
            Waiting, //
        },
        deadline::Deadline,
        ending::{
            self,
            Farewell,
            Taken, //
        },
        exchange::Exchange,
        hold::Hold,
        shared::{
            Scratch,
            Shared, //
        },
        tunnel::{
            self,
            Tunnel, //
        },
        unsent::Unsent,
        upstream::Upstream,
        Listener,
        Server,
        Service, //
    },
    linux::{
        net::{
            Endpoint,
            Locked,
            Order,
            Socket,
            Stream,
            Wire, //
        },
        queues::{
            self,
            On, //
        },
        time, //
    },
};
use core::{
    fmt::Write as _,
    mem,
    net::IpAddr, //
};
use kernel::{
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc,
        ArcBorrow, //
    },
    workqueue::{
        impl_has_work,
        new_work,
        Work,
        WorkItem, //
    },
};
use ktcpvs_core::{
    http::{
        HeadScanner,
        Kind, //
    },
    inline::Inline,
    runner::{
        self,
        Next, //
    },
    seq::Serial, //
};

pub(super) use ktcpvs_core::runner::{
    Mode,
    Step, //
};

/// The longest text of an IP address, in bytes.
pub(super) const ADDRESS_MAX: usize = 46;

/// The works of a connection, by the number that tells them apart.
const SOFTIRQ: u64 = 0;
const PROCESS: u64 = 1;
const CONTROL: u64 = 2;

/// What a connection is doing. It has a tag of its own: one within a variant's fields takes more
/// steps to read.
#[repr(u8)]
pub(super) enum Phase {
    /// Collecting a request's head, or idle.
    Head,
    /// Waiting for a connection to the server that was chosen.
    Waiting(Waiting),
    /// Moving a request and its response.
    Exchange(Exchange),
    /// Moving bytes both ways, whatever they are.
    Tunnel(Tunnel),
    /// All is said; discarding what the client still sends, lest a reset destroys our words.
    Lingering(Farewell),
    /// A response was cut short: to end with a reset, once what was sent has arrived.
    Cutting(Taken),
    /// Over.
    Closed,
}

/// What the client socket's lock protects.
pub(super) struct State {
    pub(super) phase: Phase,
    pub(super) scanner: HeadScanner,
    pub(super) service: Arc<Service>,
    pub(super) upstream: Option<Arc<Upstream>>,
    /// The request in hand is a HEAD request.
    pub(super) is_head: bool,
    /// Of our own for the client.
    pub(super) unsent: Unsent,
    /// What is left of a rewritten head for the server.
    pub(super) to_server: Unsent,
}

/// A client's connection. With the count of an `Arc` it fits into one of the allocator's blocks of
/// 512 bytes, and must go on doing so. It may be dropped in any context, long after its end: nothing
/// that it has may sleep in its own drop.
#[pin_data]
pub(super) struct Conn {
    stream: Stream<State>,
    pub(super) shared: Arc<Shared>,
    pub(super) listener: Arc<Listener>,
    pub(super) peer: IpAddr,
    pub(super) hold: Hold,
    /// When to look whether the connection has waited for too long.
    pub(super) deadline: Deadline,
    /// The place in the list of all connections.
    pub(super) place: Atomic<u32>,
    /// The connection is to be cut.
    pub(super) doomed: Atomic<bool>,
    /// Memory was missing, and nobody says when there is some: the next sweep looks.
    starving: Atomic<bool>,
    /// When the last request began, or something moved in a tunnel, in jiffies.
    working_since: Atomic<u32>,
    #[pin]
    softirq: Work<Conn, SOFTIRQ>,
    #[pin]
    process: Work<Conn, PROCESS>,
    /// Connects and closes.
    #[pin]
    control: Work<Conn, CONTROL>,
}

// With the count of an `Arc` before it. Locks that are watched are larger.
#[cfg(not(CONFIG_DEBUG_SPINLOCK))]
const _: () = assert!(core::mem::size_of::<Conn>() <= 504);

impl_has_work! {
    impl HasWork<Self, 0> for Conn { self.softirq }
    impl HasWork<Self, 1> for Conn { self.process }
    impl HasWork<Self, 2> for Conn { self.control }
}

impl Conn {
    /// Takes over an accepted socket. Process context.
    pub(super) fn start(listener: &Arc<Listener>, socket: Socket) -> Result {
        let service = listener.service();
        let peer = socket.peer().ip();
        let deadline = Deadline::for_first_request(service.options.timeout(Timeout::Head));
        let stats = service.stats.clone();
        let state = State {
            phase: Phase::Head,
            scanner: HeadScanner::new(Kind::Request),
            service,
            upstream: None,
            is_head: false,
            unsent: Unsent::new(),
            to_server: Unsent::new(),
        };
        let this = Arc::pin_init(
            pin_init!(Self {
                // Only here, where there is memory: a stream cannot simply be dropped.
                stream: Stream::new(socket, state),
                shared: listener.shared.clone(),
                listener: listener.clone(),
                peer,
                hold: Hold::new(),
                deadline,
                place: Atomic::new(0),
                doomed: Atomic::new(false),
                starving: Atomic::new(false),
                working_since: Atomic::new(time::jiffies_low()),
                softirq <- new_work!("Conn::softirq"),
                process <- new_work!("Conn::process"),
                control <- new_work!("Conn::control"),
            }),
            GFP_KERNEL,
        )?;

        if let Err(e) = this.shared.conns.insert(&this) {
            this.stream.release(true);
            return Err(e);
        }
        stats.connection_opened();
        if let Err(e) = Stream::attach(&this) {
            this.as_arc_borrow().kill();
            return Err(e);
        }
        // What came before the callbacks were in place was not announced.
        this.as_arc_borrow().defer();
        Ok(())
    }

    /// The client's address as text.
    pub(super) fn peer_text(&self) -> Inline<ADDRESS_MAX> {
        let mut text = Inline::new();

        match self.peer {
            // With `core::fmt` it takes ten times as long.
            IpAddr::V4(peer) => text.push_dotted(peer.octets()),
            // An address is never longer than that.
            IpAddr::V6(peer) => drop(write!(text, "{peer}")),
        }
        text
    }

    /// Runs the connection later, where it can have its locks.
    pub(super) fn defer(self: ArcBorrow<'_, Self>) {
        self.go_on(runner::without_lock(self.stream.owned()));
    }

    /// Does what is to be done next without the connection's state.
    #[inline(always)]
    fn go_on(self: ArcBorrow<'_, Self>, next: Next) {
        match next {
            Next::Softirq => queues::enqueue::<Self, SOFTIRQ>(On::Softirq, self.into()),
            Next::Process => queues::enqueue::<Self, PROCESS>(On::Process, self.into()),
            Next::Connect => queues::enqueue::<Self, CONTROL>(On::Control, self.into()),
            Next::Starve => self.starve(),
            Next::Rest | Next::Finish { .. } => (),
        }
    }

    /// Runs the connection later in process context.
    fn defer_to_process(self: ArcBorrow<'_, Self>) {
        self.go_on(Next::Process);
    }

    /// Cuts the connection off.
    pub(super) fn kill(self: ArcBorrow<'_, Self>) {
        self.doomed.store(true, Relaxed);
        self.defer_to_process();
    }

    /// Looks at the connection again, because its listener is gone.
    pub(super) fn look(self: ArcBorrow<'_, Self>) {
        self.defer_to_process();
    }

    /// A send on `to` has found no room. Sees to it that it is tried again.
    pub(super) fn blocked(&self, to: &Wire<'_>) {
        if to.starved() {
            self.starve();
        }
    }

    /// A request begins, or something moves in a tunnel.
    pub(super) fn begin_work(&self) {
        self.working_since.store(time::jiffies_low(), Relaxed);
    }

    /// For how long the last request had been under way, or nothing had moved in a tunnel, at the
    /// time `now`: in jiffies.
    pub(super) fn working_for(&self, now: u64) -> u64 {
        let (now, since) = (now as u32, self.working_since.load(Relaxed));

        // It may have begun since.
        if now.before(since) {
            0
        } else {
            now.since(since).into()
        }
    }

    /// There is no memory for what is to be done next. Sees to it that it is tried again.
    pub(super) fn starve(&self) {
        self.starving.store(true, Relaxed);
    }

    /// Whether the connection waits for memory; it is to be looked at then.
    pub(super) fn take_starving(&self) -> bool {
        self.starving.load(Relaxed) && self.starving.xchg(false, Relaxed)
    }

    /// Whether the deadline has passed.
    pub(super) fn expired(&self, now: usize) -> bool {
        self.deadline.passed(now)
    }

    /// Something is to happen within `after` jiffies from now.
    pub(super) fn expect_within(&self, after: usize) {
        self.deadline.set(after);
    }

    /// Runs on what happened at the client's socket.
    fn client_event(this: ArcBorrow<'_, Self>, locked: Option<Locked<'_, State>>) {
        let Some(mut client) = locked else {
            return this.defer();
        };

        if let Some(next) = runner::instead_of_direct(client.parts().0.unread()) {
            return this.go_on(next);
        }
        Self::run(this, &mut client, Mode::Direct, None);
    }

    /// Runs on what happened at the server's socket.
    pub(super) fn server_event(this: &Arc<Self>, locked: Option<Locked<'_, ()>>) {
        let conn = this.as_arc_borrow();
        let Some(mut server) = locked else {
            return conn.defer();
        };

        if let Some(next) = runner::instead_of_direct(server.parts().0.unread()) {
            return conn.go_on(next);
        }
        match this.stream.try_lock_softirq() {
            Some(mut client) => Self::run(conn, &mut client, Mode::Direct, Some(server)),
            None => conn.defer(),
        }
    }

    /// Runs the state machine until it waits. `given` is the lock of the server's socket where
    /// the stack has taken it.
    fn run(
        this: ArcBorrow<'_, Self>,
        client: &mut Locked<'_, State>,
        mode: Mode,
        mut given: Option<Locked<'_, ()>>,
    ) {
        match mode.run(|| Self::step(this, client, mode, &mut given)) {
            Next::Finish { reset } => Self::finish(this, client.state(), reset),
            next => this.go_on(next),
        }
    }

    /// One step of the state machine.
    fn step(
        this: ArcBorrow<'_, Self>,
        client: &mut Locked<'_, State>,
        mode: Mode,
        given: &mut Option<Locked<'_, ()>>,
    ) -> Step {
        if this.doomed.load(Relaxed) && !matches!(client.state().phase, Phase::Closed) {
            return Step::Close { reset: true };
        }
        match &client.state().phase {
            Phase::Head => begin::head(this, client, mode, given),
            Phase::Waiting(_) => begin::waiting(this, client, mode, given),
            Phase::Exchange(_) => Exchange::step(this, client, mode, given),
            Phase::Tunnel(_) => tunnel::step(this, client, mode, given),
            Phase::Lingering(_) => ending::linger(this, client),
            Phase::Cutting(_) => ending::cut(this, client),
            Phase::Closed => Step::Wait,
        }
    }

    /// Ends the connection, and that to the server.
    fn finish(this: ArcBorrow<'_, Self>, state: &mut State, reset: bool) {
        Self::leave(this, state, Phase::Closed, reset);
        if reset {
            this.doomed.store(true, Relaxed);
        }
        queues::enqueue::<Self, CONTROL>(On::Control, this.into());
    }

    /// Gives up what is in hand, and the connection to the server, for a last `phase`.
    pub(super) fn leave(this: ArcBorrow<'_, Self>, state: &mut State, phase: Phase, reset: bool) {
        match mem::replace(&mut state.phase, phase) {
            Phase::Exchange(exchange) => exchange.abandon(&state.service),
            Phase::Waiting(waiting) => waiting.abandon(&state.service),
            Phase::Tunnel(tunnel) => tunnel.end(),
            Phase::Head | Phase::Lingering(_) | Phase::Cutting(_) | Phase::Closed => (),
        }
        this.hold.end();
        match state.upstream.take() {
            Some(upstream) if reset => Upstream::abort(upstream),
            Some(upstream) => Upstream::close(upstream),
            None => (),
        }
    }

    /// Ends what a time-out has ended.
    fn time_out(this: ArcBorrow<'_, Self>, client: &mut Locked<'_, State>) {
        let step = match &client.state().phase {
            Phase::Head => begin::head_timed_out(this, client),
            Phase::Waiting(_) => begin::connect_timed_out(this, client),
            Phase::Exchange(_) => Exchange::timed_out(this, client),
            Phase::Tunnel(_) | Phase::Lingering(_) => Step::Close { reset: false },
            Phase::Cutting(_) => Step::Close { reset: true },
            Phase::Closed => Step::Wait,
        };

        match step {
            Step::Close { reset } => Self::finish(this, client.state(), reset),
            Step::Connect => queues::enqueue::<Self, CONTROL>(On::Control, this.into()),
            Step::Again | Step::Defer => this.defer_to_process(),
            Step::Wait => (),
        }
    }

    /// Connects to the server that a request waits for. Process context.
    fn connect(this: &Arc<Self>, server: Arc<Server>) {
        let upstream = Upstream::connect(server.clone(), this.clone());
        let Some(mut client) = this.stream.lock(Order::First) else {
            if let Ok(upstream) = upstream {
                Upstream::close(upstream);
            }
            return;
        };

        if begin::connected(client.state(), &server, upstream).is_err() {
            return this.starve();
        }
        Self::run(this.as_arc_borrow(), &mut client, Mode::Process, None);
    }

    /// Releases the socket of a connection that is over, and that counts for `service`. Process
    /// context.
    fn close(this: &Arc<Self>, service: &Service) {
        this.stream.release(this.doomed.load(Relaxed));
        service.stats.connection_closed();
        this.shared.conns.remove(this);
    }

    /// Lets `f` use the scratch memory that goes with `mode`. `None`: not here, not now.
    pub(super) fn with_scratch<R>(
        &self,
        mode: Mode,
        f: impl FnOnce(&mut Scratch) -> R,
    ) -> Option<R> {
        self.shared.with_scratch(mode == Mode::Process, f)
    }
}

impl State {
    /// Goes on to the next request, or ends the connection if it is not to be kept.
    pub(super) fn next_request(&mut self, conn: ArcBorrow<'_, Conn>, keep: bool) -> Step {
        self.scanner = HeadScanner::new(Kind::Request);
        self.is_head = false;
        if keep {
            self.phase = Phase::Head;
            conn.deadline
                .set_for_request(self.service.options.timeout(Timeout::Idle));
        } else {
            ending::begin_to_linger(conn, self);
        }
        Step::Again
    }
}

/// The server's socket, locked, or why not.
pub(super) enum ServerLock<'a> {
    /// Locked.
    Held(Locked<'a, ()>),
    /// Not to be had here: run the connection elsewhere.
    Busy,
    /// The socket is no more.
    Gone,
}

impl Upstream {
    /// Locks the server's socket in the way that `mode` allows, or takes over the lock `given`.
    pub(super) fn lock<'a, 'b: 'a>(
        &'a self,
        mode: Mode,
        given: &mut Option<Locked<'b, ()>>,
    ) -> ServerLock<'a> {
        if given.as_ref().is_some_and(|l| l.is_of(self.stream())) {
            return match given.take() {
                Some(locked) => ServerLock::Held(locked),
                None => ServerLock::Busy,
            };
        }
        let locked = match mode {
            Mode::Direct => self.stream().try_lock_softirq(),
            Mode::Softirq => self.stream().lock_softirq(Order::Second),
            Mode::Process => self.stream().lock(Order::Second),
        };

        match (locked, mode) {
            (Some(locked), _) => ServerLock::Held(locked),
            (None, Mode::Process) => ServerLock::Gone,
            (None, _) => ServerLock::Busy,
        }
    }
}

impl Endpoint for Conn {
    type State = State;

    fn stream(&self) -> &Stream<State> {
        &self.stream
    }

    fn readable(this: ArcBorrow<'_, Self>, locked: Option<Locked<'_, State>>) {
        Self::client_event(this, locked);
    }

    fn writable(this: ArcBorrow<'_, Self>) {
        this.defer_to_process();
    }

    fn state_changed(this: ArcBorrow<'_, Self>, locked: Option<Locked<'_, State>>) {
        Self::client_event(this, locked);
    }
}

impl WorkItem<SOFTIRQ> for Conn {
    type Pointer = Arc<Self>;

    fn run(this: Arc<Self>) {
        match this.stream.lock_softirq(Order::First) {
            Some(mut client) => {
                Self::run(this.as_arc_borrow(), &mut client, Mode::Softirq, None);
            }
            // A process owns the socket, or it was released, which the process will see.
            None => this.as_arc_borrow().defer_to_process(),
        }
    }
}

impl WorkItem<PROCESS> for Conn {
    type Pointer = Arc<Self>;

    fn run(this: Arc<Self>) {
        let Some(mut client) = this.stream.lock(Order::First) else {
            return;
        };
        let conn = this.as_arc_borrow();

        Self::run(conn, &mut client, Mode::Process, None);
        if this.expired(time::jiffies()) {
            Self::time_out(conn, &mut client);
        }
    }
}

impl WorkItem<CONTROL> for Conn {
    type Pointer = Arc<Self>;

    fn run(this: Arc<Self>) {
        let Some(mut client) = this.stream.lock(Order::First) else {
            return;
        };
        let closed = matches!(client.state().phase, Phase::Closed);
        let wanted = begin::wanted(client.state());
        let service = client.state().service.clone();

        drop(client);
        if closed {
            Self::close(&this, &service);
        } else if let Some(server) = wanted {
            Self::connect(&this, server);
        }
    }
}
