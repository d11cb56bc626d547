// SPDX-License-Identifier: GPL-2.0

//! The configuration of a network namespace, and changing it.

use super::{
    draft::Draft,
    Change,
    DataPath,
    Refusal,
    Service,
    Snapshot, //
};
use crate::linux::{
    errno,
    net::{
        ns::Pernet,
        Bind,
        Net, //
    },
    rcu::{
        self,
        RcuArc,
        Retired, //
    },
};
use core::net::SocketAddr;
use kernel::{
    new_mutex,
    prelude::*,
    sync::{
        lock::mutex::MutexGuard,
        Arc,
        Mutex, //
    },
};
use ktcpvs_core::order;

/// What one network namespace serves.
#[pin_data]
pub(crate) struct Namespace<D: DataPath> {
    net: Net,
    path: D,
    current: RcuArc<Snapshot<D>>,
    /// Also what keeps writers apart.
    #[pin]
    live: Mutex<Listeners<D>>,
}

/// The addresses being listened on, in order.
type Listeners<D> = KVVec<(SocketAddr, Arc<<D as DataPath>::Listener>)>;

impl<D: DataPath> Namespace<D> {
    /// What is in force now.
    pub(crate) fn snapshot(&self) -> Arc<Snapshot<D>> {
        self.current.get()
    }

    /// What its connections take, in bytes, with what is buffered for them.
    pub(crate) fn memory(&self) -> u64 {
        self.path.memory()
    }

    /// Begins a change. Fails with `EAGAIN` if `expected` is given and not the generation in
    /// force. Other writers wait until the transaction is dropped. Process context.
    #[inline(never)]
    pub(crate) fn begin(&self, expected: Option<u64>) -> Result<Transaction<'_, D>, Refusal> {
        let live = self.live.lock();
        let old = self.current.get();

        if expected.is_some_and(|expected| expected != old.generation) {
            return Err(Refusal::new(
                EAGAIN,
                format_args!("the configuration has changed since it was read"),
            ));
        }
        Ok(Transaction {
            draft: Draft::new(&self.net, &old)?,
            generation: old.generation,
            namespace: self,
            live,
        })
    }
}

impl<D: DataPath> Pernet for Namespace<D> {
    fn init(net: Net) -> Result<Arc<Self>> {
        let path = D::new(&net)?;
        let current = RcuArc::new(Snapshot::empty(0)?);

        Arc::pin_init(
            pin_init!(Self {
                net,
                path,
                current,
                live <- new_mutex!(KVVec::new(), "Namespace::live"),
            }),
            GFP_KERNEL_ACCOUNT,
        )
    }

    fn exit(&self) {
        let live = core::mem::take(&mut *self.live.lock());

        self.unlisten(live.iter().map(|(_, listener)| listener));
        for server in self.current.get().servers() {
            server.remove();
        }
        self.path.stop();
    }
}

impl<D: DataPath> Namespace<D> {
    /// Ends listeners, with one grace period for all.
    fn unlisten<'a>(&self, leaving: impl Iterator<Item = &'a Arc<D::Listener>> + Clone)
    where
        D: 'a,
    {
        let room = KVVec::with_capacity(leaving.clone().count(), GFP_KERNEL_ACCOUNT);
        let mut retired = room.unwrap_or_default();

        for listener in leaving.filter_map(|listener| D::unlisten(listener)) {
            // What finds no room is given up one by one, which is slower and as good.
            drop(retired.push_within_capacity(listener));
        }
        rcu::retire(retired);
        self.path.close_idle();
    }
}

/// A change in the making. Dropping it changes nothing.
pub(crate) struct Transaction<'a, D: DataPath> {
    namespace: &'a Namespace<D>,
    live: MutexGuard<'a, Listeners<D>>,
    draft: Draft<D>,
    generation: u64,
}

impl<D: DataPath> Transaction<'_, D> {
    /// Takes one step. If it is refused the transaction is to be dropped.
    pub(crate) fn apply(&mut self, change: Change<'_>) -> Result<(), Refusal> {
        self.draft.apply(change)
    }

    /// Checks the whole and puts it in force. Returns the new generation.
    #[inline(never)]
    pub(crate) fn commit(self) -> Result<u64, Refusal> {
        let Self {
            namespace,
            mut live,
            draft,
            generation,
        } = self;

        if draft.is_empty() {
            return Ok(generation);
        }
        let generation = generation + 1;
        let (snapshot, leaving) = draft.finish(generation)?;
        let snapshot = Arc::new(snapshot, GFP_KERNEL_ACCOUNT)?;
        let (next, published) = listen(namespace, &live, &snapshot)?;
        // Nothing can fail from here on.
        let old = core::mem::replace(&mut *live, next);
        let retired = namespace.current.replace(snapshot.clone());

        publish(&live, &snapshot, published);
        namespace.path.watch(&snapshot);
        only_in::<D>(&live, &old).for_each(D::open);
        namespace.unlisten(only_in::<D>(&old, &live));
        drop(retired);
        leaving.leave();
        Ok(generation)
    }
}

/// The listener on `addr`.
fn find<'a, D: DataPath>(
    live: &'a Listeners<D>,
    addr: &SocketAddr,
) -> Option<&'a Arc<D::Listener>> {
    let place = live.binary_search_by_key(addr, |(a, _)| *a).ok()?;

    live.get(place).map(|(_, listener)| listener)
}

/// The listeners of `these` that are not among `others`.
fn only_in<'a, D: DataPath>(
    these: &'a Listeners<D>,
    others: &'a Listeners<D>,
) -> impl Iterator<Item = &'a Arc<D::Listener>> + Clone {
    these
        .iter()
        .filter(|(addr, _)| find::<D>(others, addr).is_none())
        .map(|(_, listener)| listener)
}

/// Every address that `snapshot` wants to be listened on, and for which service.
fn wanted<D: DataPath>(
    snapshot: &Snapshot<D>,
) -> impl Iterator<Item = (&SocketAddr, &Arc<Service<D>>)> {
    snapshot
        .services
        .iter()
        .filter(|service| service.enabled())
        .flat_map(|service| service.listeners().iter().map(move |addr| (addr, service)))
}

/// The listeners of `snapshot`, in order: those there are, and new ones where there are none.
/// Also makes room for what publishing retires.
#[expect(clippy::type_complexity, reason = "two lists")]
fn listen<D: DataPath>(
    namespace: &Namespace<D>,
    live: &Listeners<D>,
    snapshot: &Snapshot<D>,
) -> Result<(Listeners<D>, KVVec<Retired<Service<D>>>), Refusal> {
    let count = wanted(snapshot).count();
    let retired = KVVec::with_capacity(count, GFP_KERNEL_ACCOUNT)?;
    let mut next = KVVec::with_capacity(count, GFP_KERNEL_ACCOUNT)?;

    for (addr, service) in wanted(snapshot) {
        let listener = match find::<D>(live, addr) {
            Some(listener) => Ok(listener.clone()),
            None => listen_on(namespace, live, snapshot, addr, service),
        };

        match listener {
            Ok(listener) => next.push((*addr, listener), GFP_KERNEL_ACCOUNT)?,
            Err(errno) => {
                order::sort_by_key(&mut next, |(addr, _)| *addr);
                namespace.unlisten(only_in::<D>(&next, live));
                return Err(cannot_listen(errno, addr));
            }
        }
    }
    order::sort_by_key(&mut next, |(addr, _)| *addr);
    Ok((next, retired))
}

/// A new listener on `addr`, for `service`. One of ours that leaves is not in its way, such as that
/// on all addresses where one of them is wanted now.
fn listen_on<D: DataPath>(
    namespace: &Namespace<D>,
    live: &Listeners<D>,
    snapshot: &Snapshot<D>,
    addr: &SocketAddr,
    service: &Arc<Service<D>>,
) -> Result<Arc<D::Listener>> {
    let listen = |bind| namespace.path.listen(&namespace.net, addr, bind, service);
    let result = listen(Bind::Alone);

    match &result {
        Err(errno) if *errno == errno::address_in_use() => (),
        _ => return result,
    }
    let overlaps = |other: &SocketAddr| {
        let any = other.ip().is_unspecified() || addr.ip().is_unspecified();

        any && other.port() == addr.port() && other.is_ipv4() == addr.is_ipv4()
    };
    let leaves = |other: &SocketAddr| wanted(snapshot).all(|(wanted, _)| wanted != other);

    if live.iter().any(|(a, _)| overlaps(a) && leaves(a)) {
        listen(Bind::Beside)
    } else {
        result
    }
}

fn cannot_listen(error: Error, addr: &SocketAddr) -> Refusal {
    let why = if error == errno::address_in_use() {
        "the address is in use"
    } else if error == errno::address_not_available() {
        "the address is not one of this host's"
    } else {
        "the kernel refuses"
    };

    Refusal::new(error, format_args!("cannot listen on {addr}: {why}"))
}

/// Tells the listeners of their services as they are in `snapshot`. `retired` has room for all.
fn publish<D: DataPath>(
    live: &Listeners<D>,
    snapshot: &Snapshot<D>,
    mut retired: KVVec<Retired<Service<D>>>,
) {
    for (addr, service) in wanted(snapshot) {
        if let Some(listener) = find::<D>(live, addr) {
            // What finds no room is given up one by one, which is slower and as good.
            drop(retired.push_within_capacity(D::publish(listener, service)));
        }
    }
    rcu::retire(retired);
}
