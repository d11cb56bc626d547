// SPDX-License-Identifier: GPL-2.0

//! A virtual service's address, and accepting connections there.

use crate::{
    l7::{
        connection::Conn,
        shared::Shared,
        Service, //
    },
    linux::{
        net::{
            Acceptor,
            Bind,
            ListenSocket,
            Net, //
        },
        queues::{
            self,
            On, //
        },
        rcu::{
            RcuArc,
            Retired, //
        },
    },
};
use core::net::SocketAddr;
use kernel::{
    new_mutex,
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc,
        ArcBorrow,
        Mutex, //
    },
    workqueue::{
        impl_has_delayed_work,
        impl_has_work,
        new_delayed_work,
        new_work,
        DelayedWork,
        Work,
        WorkItem, //
    },
};

/// Connections that may wait to be accepted. The kernel caps it at `net.core.somaxconn`.
const BACKLOG: i32 = 4096;

/// How many connections one run accepts before it lets others run.
const BATCH: usize = 64;

/// When to try again to accept a connection that there was no memory for, in milliseconds: nobody
/// says that there is some.
const RETRY_MS: u32 = 100;

/// The works of a listener, by the number that tells them apart.
const ACCEPT: u64 = 0;
const RETRY: u64 = 1;

/// An address that a virtual service listens on.
#[pin_data]
pub(crate) struct Listener {
    pub(super) shared: Arc<Shared>,
    /// The service as it is now.
    service: RcuArc<Service>,
    #[pin]
    socket: Mutex<Option<ListenSocket<Listener>>>,
    /// Whether connections are accepted: not before the service is in force.
    opened: Atomic<bool>,
    closed: Atomic<bool>,
    #[pin]
    accept: Work<Listener, ACCEPT>,
    #[pin]
    retry: DelayedWork<Listener, RETRY>,
}

impl_has_work! {
    impl HasWork<Self, 0> for Listener { self.accept }
}

impl_has_delayed_work! {
    impl HasDelayedWork<Self, 1> for Listener { self.retry }
}

impl Listener {
    /// Listens on `addr` for `service`. Nothing is accepted yet.
    pub(super) fn new(
        shared: &Arc<Shared>,
        net: &Net,
        addr: &SocketAddr,
        bind: Bind,
        service: Arc<Service>,
    ) -> Result<Arc<Self>> {
        let this = Arc::pin_init(
            try_pin_init!(Self {
                shared: shared.clone(),
                service: RcuArc::new(service),
                socket <- new_mutex!(None, "Listener::socket"),
                opened: Atomic::new(false),
                closed: Atomic::new(false),
                accept <- new_work!("Listener::accept"),
                retry <- new_delayed_work!("Listener::retry"),
            }? Error),
            GFP_KERNEL_ACCOUNT,
        )?;
        let socket = ListenSocket::new(net, addr, BACKLOG, bind, this.clone())?;

        *this.socket.lock() = Some(socket);
        Ok(this)
    }

    /// Accepts from now on.
    pub(super) fn open(self: &Arc<Self>) {
        self.opened.store(true, Relaxed);
        // Those who came before are not announced again.
        queues::enqueue::<Self, ACCEPT>(On::Control, self.clone());
    }

    /// The service as it is now.
    pub(super) fn service(&self) -> Arc<Service> {
        self.service.get()
    }

    /// Brings `held`, the service that a connection counts for, up to date.
    pub(super) fn refresh(&self, held: &mut Arc<Service>) {
        if !self.service.is(held) {
            let next = self.service.get();

            // Another service may have the address meanwhile.
            if !Arc::ptr_eq(&next.stats, &held.stats) {
                held.stats.connection_closed();
                next.stats.connection_opened();
            }
            *held = next;
        }
    }

    /// Puts the next version of the service in force. Requests that run finish on theirs.
    pub(super) fn publish(&self, service: Arc<Service>) -> Retired<Service> {
        self.service.replace(service)
    }

    /// Whether the listener is gone, so that its connections end with their current request.
    pub(super) fn closed(&self) -> bool {
        self.closed.load(Relaxed)
    }

    /// Accepts the connections that wait. Process context.
    fn accept(self: &Arc<Self>) {
        let socket = self.socket.lock();
        let Some(listen) = socket.as_ref().filter(|_| self.opened.load(Relaxed)) else {
            return;
        };

        for _ in 0..BATCH {
            match listen.accept() {
                Ok(child) => {
                    if !self.shared.admit() {
                        child.reset_on_release();
                        self.service().stats.connection_refused();
                    } else if Conn::start(self, child).is_err() {
                        self.service().stats.connection_refused();
                    }
                }
                Err(e) if e == EAGAIN => return,
                // No memory: those that wait are not announced again.
                Err(_) => {
                    queues::enqueue_delayed::<Self, RETRY>(On::Control, self.clone(), RETRY_MS);
                    return;
                }
            }
        }
        queues::enqueue::<Self, ACCEPT>(On::Control, self.clone());
    }

    /// Accepts no more. Its connections end with the request that runs.
    pub(super) fn close(&self) -> Option<Retired<Self>> {
        let socket = self.socket.lock().take();
        let retired = socket.and_then(ListenSocket::close);

        self.closed.store(true, Relaxed);
        retired
    }
}

impl Acceptor for Listener {
    fn pending(this: ArcBorrow<'_, Self>) {
        queues::enqueue::<Self, ACCEPT>(On::Control, this.into());
    }
}

impl WorkItem<ACCEPT> for Listener {
    type Pointer = Arc<Self>;

    fn run(this: Arc<Self>) {
        this.accept();
    }
}

impl WorkItem<RETRY> for Listener {
    type Pointer = Arc<Self>;

    fn run(this: Arc<Self>) {
        this.accept();
    }
}
