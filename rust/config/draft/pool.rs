// SPDX-License-Identifier: GPL-2.0

//! Changing pools and their real servers.

use super::{
    exists,
    missing,
    too_many,
    Draft,
    Entry,
    OBJECTS_MAX, //
};
use crate::{
    config::{
        self,
        name,
        pool::Affinity,
        Action,
        DataPath,
        Member,
        Name,
        Pool,
        PoolSpec,
        Refusal,
        Server,
        ServerSpec,
        Service,
        Word, //
    },
    linux::net::Net,
    uapi, //
};
use core::{
    cmp::Ordering,
    net::SocketAddr, //
};
use kernel::{
    prelude::*,
    sync::Arc, //
};
use ktcpvs_core::{
    hash, order,
    sched::{
        Kind,
        Scheduler, //
    },
};

/// A pool being changed.
pub(super) struct PoolEdit<D: DataPath> {
    name: Name,
    scheduler: Scheduler,
    affinity: Option<Affinity>,
    /// The key is kept while there is no cookie, so that both can be given in either order.
    key: Option<hash::Key>,
    members: KVVec<Member<D>>,
}

impl<D: DataPath> Entry<Pool<D>, PoolEdit<D>> {
    /// The name.
    pub(super) fn name(&self) -> &[u8] {
        match self {
            Self::Same(pool) => pool.name(),
            Self::New(edit) => edit.name.as_slice(),
        }
    }

    /// The servers.
    pub(super) fn members(&self) -> &[Member<D>] {
        match self {
            Self::Same(pool) => pool.members(),
            Self::New(edit) => &edit.members,
        }
    }
}

impl<D: DataPath> Draft<D> {
    /// The pool of that name, to be changed.
    pub(super) fn pool(&mut self, name: &[u8]) -> Result<&mut PoolEdit<D>, Refusal> {
        let entry = self.pools.iter_mut().find(|pool| pool.name() == name);
        let entry = entry.ok_or_else(|| missing("pool", name))?;

        if let Entry::Same(pool) = entry {
            *entry = Entry::New(PoolEdit::of(pool)?);
        }
        match entry {
            Entry::New(edit) => Ok(edit),
            Entry::Same(_) => Err(missing("pool", name)),
        }
    }

    /// Adds a pool.
    #[inline(never)]
    pub(super) fn add_pool(&mut self, spec: &PoolSpec<'_>) -> Result<(), Refusal> {
        if self.pools.iter().any(|pool| pool.name() == spec.name) {
            return Err(exists("pool", spec.name));
        }
        if self.pools.len() >= OBJECTS_MAX {
            return Err(too_many("pools", OBJECTS_MAX));
        }
        let mut edit = KBox::init(
            init!(PoolEdit {
                name: name(spec.name),
                scheduler: Scheduler::new(Kind::WeightedLeastConnection),
                affinity: None,
                key: None,
                members: KVVec::new(),
            }),
            GFP_KERNEL_ACCOUNT,
        )?;

        edit.set(spec)?;
        Ok(self.pools.push(Entry::New(edit), GFP_KERNEL_ACCOUNT)?)
    }

    /// Deletes a pool and its servers. Whether it is in use shows at the end.
    pub(super) fn delete_pool(&mut self, name: &[u8]) -> Result<(), Refusal> {
        let place = self.pools.iter().position(|pool| pool.name() == name);
        let place = place.ok_or_else(|| missing("pool", name))?;

        self.deleted.push(config::name(name), GFP_KERNEL_ACCOUNT)?;
        if let Ok(pool) = self.pools.remove(place) {
            for member in pool.members() {
                self.leaving
                    .removed
                    .push(member.server.clone(), GFP_KERNEL_ACCOUNT)?;
            }
        }
        Ok(())
    }
}

impl<D: DataPath> PoolEdit<D> {
    /// A copy of `pool`.
    fn of(pool: &Pool<D>) -> Result<KBox<Self>> {
        let mut members = KVVec::with_capacity(pool.members().len(), GFP_KERNEL_ACCOUNT)?;

        for member in pool.members() {
            members.push(member.clone(), GFP_KERNEL_ACCOUNT)?;
        }
        KBox::init(
            init!(Self {
                name: name(pool.name()),
                scheduler: pool.scheduler().successor(),
                affinity: pool.affinity,
                key: pool.affinity.as_ref().map(|affinity| *affinity.key()),
                members,
            }),
            GFP_KERNEL_ACCOUNT,
        )
    }

    /// Changes what `spec` gives.
    pub(super) fn set(&mut self, spec: &PoolSpec<'_>) -> Result<(), Refusal> {
        if let Some(kind) = spec.scheduler {
            if kind != self.scheduler.kind() {
                self.scheduler = Scheduler::new(kind);
            }
        }
        self.key = spec.key.or(self.key);
        let cookie = match (spec.cookie, &self.affinity) {
            (Some(b""), _) | (None, None) => {
                self.affinity = None;
                return Ok(());
            }
            (Some(cookie), _) => cookie,
            (None, Some(affinity)) => affinity.name(),
        };
        let key = self.key.ok_or_else(|| {
            Refusal::new(
                EINVAL,
                format_args!("pool {}: a cookie needs a key", Word(spec.name)),
            )
        })?;

        self.affinity = Some(Affinity::new(cookie, key));
        Ok(())
    }

    fn find(&self, addr: &SocketAddr) -> Option<usize> {
        self.members.iter().position(|m| m.server.addr == *addr)
    }

    /// Adds a real server.
    #[inline(never)]
    pub(super) fn add_server(&mut self, net: &Net, spec: &ServerSpec<'_>) -> Result<(), Refusal> {
        if self.find(&spec.addr).is_some() {
            return Err(Refusal::new(
                EEXIST,
                format_args!("pool {}: {} exists already", Word(spec.pool), spec.addr),
            ));
        }
        if self.members.len() >= uapi::SERVERS_MAX {
            return Err(too_many("servers in a pool", uapi::SERVERS_MAX));
        }
        let member = Member {
            server: Server::new(net, spec.addr)?,
            weight: spec.weight.unwrap_or(1),
        };

        Ok(self.members.push(member, GFP_KERNEL_ACCOUNT)?)
    }

    /// Changes what `spec` gives.
    pub(super) fn set_server(&mut self, spec: &ServerSpec<'_>) -> Result<(), Refusal> {
        let member = self
            .find(&spec.addr)
            .and_then(|place| self.members.get_mut(place))
            .ok_or_else(|| no_server(spec))?;

        member.weight = spec.weight.unwrap_or(member.weight);
        Ok(())
    }

    /// Removes a real server.
    pub(super) fn delete_server(
        &mut self,
        spec: &ServerSpec<'_>,
    ) -> Result<Arc<Server<D>>, Refusal> {
        let removed = self
            .find(&spec.addr)
            .and_then(|place| self.members.remove(place).ok());

        removed
            .map(|member| member.server)
            .ok_or_else(|| no_server(spec))
    }

    /// The pool as it is now.
    #[inline(never)]
    pub(super) fn finish(edit: KBox<Self>) -> Result<Arc<Pool<D>>> {
        let edit = KBox::into_inner(edit);

        Pool::new(edit.name, edit.scheduler, edit.affinity, edit.members)
    }
}

fn no_server(spec: &ServerSpec<'_>) -> Refusal {
    Refusal::new(
        ENOENT,
        format_args!("pool {}: no server {}", Word(spec.pool), spec.addr),
    )
}

/// Bytes in their usual order. The library's own comparison of slices subtracts their lengths, which
/// may overflow for all that the compiler knows.
struct ByBytes<'a>(&'a [u8]);

impl Ord for ByBytes<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.iter().cmp(other.0)
    }
}

impl PartialOrd for ByBytes<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for ByBytes<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl Eq for ByBytes<'_> {}

/// The pools of a draft by name.
pub(super) struct Names<'a, D: DataPath> {
    pools: &'a [Arc<Pool<D>>],
    /// Places in `pools`, in the order of the names.
    order: KVVec<u32>,
    deleted: &'a [Name],
}

impl<'a, D: DataPath> Names<'a, D> {
    /// Puts the names of `pools` in order. `deleted` are those of pools that were there before.
    pub(super) fn new(pools: &'a [Arc<Pool<D>>], deleted: &'a [Name]) -> Result<Self> {
        let mut order = KVVec::with_capacity(pools.len(), GFP_KERNEL_ACCOUNT)?;

        for index in 0..pools.len() {
            order.push(index as u32, GFP_KERNEL_ACCOUNT)?;
        }
        order::sort_by_key(&mut order, |&index| {
            pools.get(index as usize).map(|pool| ByBytes(pool.name()))
        });
        Ok(Self {
            pools,
            order,
            deleted,
        })
    }

    /// The pool of that name.
    pub(super) fn get(&self, name: &[u8]) -> Option<&'a Arc<Pool<D>>> {
        let at = |&index: &u32| self.pools.get(index as usize);
        let place = self
            .order
            .binary_search_by_key(&Some(ByBytes(name)), |index| {
                at(index).map(|pool| ByBytes(pool.name()))
            })
            .ok()?;

        at(self.order.get(place)?)
    }

    /// Whether a pool of that name has just been deleted.
    pub(super) fn deleted(&self, name: &[u8]) -> bool {
        self.deleted
            .iter()
            .any(|deleted| deleted.as_slice() == name)
    }

    /// Whether every pool that `service` uses is still the same.
    pub(super) fn hold_for(&self, service: &Service<D>) -> bool {
        let same = |pool: &Arc<Pool<D>>| {
            self.get(pool.name())
                .is_some_and(|found| Arc::ptr_eq(found, pool))
        };

        service.default_pool.iter().all(same)
            && service.rules.iter().all(|rule| match &rule.action {
                Action::Pool(pool) | Action::Server(pool, _) => same(pool),
                Action::Redirect | Action::Status(_) => true,
            })
    }
}
