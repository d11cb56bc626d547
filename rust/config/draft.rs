// SPDX-License-Identifier: GPL-2.0

//! A configuration being changed.
//!
//! A draft begins as a copy of pointers to what is in force. What a step touches is replaced by
//! an editable copy; the rest stays shared.

mod pool;
mod service;

use self::{
    pool::PoolEdit,
    service::ServiceEdit, //
};
use super::{
    Change,
    DataPath,
    Name,
    Pool,
    Refusal,
    Server,
    Service,
    Settings,
    Snapshot,
    Stats,
    Word, //
};
use crate::linux::net::Net;
use kernel::{
    prelude::*,
    sync::Arc, //
};

/// How many services, and how many pools, a namespace may have.
const OBJECTS_MAX: usize = 4096;

/// An object that is still as it was, or that is being changed.
enum Entry<T, E> {
    Same(Arc<T>),
    New(KBox<E>),
}

/// A configuration being changed.
pub(super) struct Draft<D: DataPath> {
    net: Net,
    settings: Settings,
    pools: KVVec<Entry<Pool<D>, PoolEdit<D>>>,
    services: KVVec<Entry<Service<D>, ServiceEdit>>,
    /// The names of pools that were deleted.
    deleted: KVVec<Name>,
    leaving: Leaving<D>,
    steps: usize,
}

/// What is to be done once a draft is in force.
pub(super) struct Leaving<D: DataPath> {
    removed: KVVec<Arc<Server<D>>>,
    zeroed: KVVec<Arc<Stats>>,
}

impl<D: DataPath> Leaving<D> {
    /// Takes leave of the servers removed, and sets the counters to zero that shall be.
    pub(super) fn leave(self) {
        for server in &self.removed {
            server.remove();
        }
        for stats in &self.zeroed {
            stats.zero();
        }
    }

    fn zero(&mut self, stats: &Arc<Stats>) -> Result {
        Ok(self.zeroed.push(stats.clone(), GFP_KERNEL_ACCOUNT)?)
    }
}

impl<D: DataPath> Draft<D> {
    /// A draft of what is in force, nothing changed.
    pub(super) fn new(net: &Net, old: &Snapshot<D>) -> Result<Self> {
        let mut pools = KVVec::with_capacity(old.pools.len(), GFP_KERNEL_ACCOUNT)?;
        let mut services = KVVec::with_capacity(old.services.len(), GFP_KERNEL_ACCOUNT)?;

        for pool in &old.pools {
            pools.push(Entry::Same(pool.clone()), GFP_KERNEL_ACCOUNT)?;
        }
        for service in &old.services {
            services.push(Entry::Same(service.clone()), GFP_KERNEL_ACCOUNT)?;
        }
        Ok(Self {
            net: net.clone(),
            settings: old.settings,
            pools,
            services,
            deleted: KVVec::new(),
            leaving: Leaving {
                removed: KVVec::new(),
                zeroed: KVVec::new(),
            },
            steps: 0,
        })
    }

    /// Whether no step was taken.
    pub(super) fn is_empty(&self) -> bool {
        self.steps == 0
    }

    /// Takes one step.
    #[inline(never)]
    pub(super) fn apply(&mut self, change: Change<'_>) -> Result<(), Refusal> {
        self.steps += 1;
        match change {
            Change::ServiceAdd(spec) => self.add_service(spec),
            Change::ServiceSet(spec) => self.service(spec.name)?.set(spec),
            Change::ServiceDel(name) => self.delete_service(name),
            Change::PoolAdd(spec) => self.add_pool(&spec),
            Change::PoolSet(spec) => self.pool(spec.name)?.set(&spec),
            Change::PoolDel(name) => self.delete_pool(name),
            Change::ServerAdd(spec) => {
                let net = self.net.clone();

                self.pool(spec.pool)?.add_server(&net, &spec)
            }
            Change::ServerSet(spec) => self.pool(spec.pool)?.set_server(&spec),
            Change::ServerDel(spec) => {
                let server = self.pool(spec.pool)?.delete_server(&spec)?;

                Ok(self.leaving.removed.push(server, GFP_KERNEL_ACCOUNT)?)
            }
            Change::RulesSet(service) => self.service(service)?.begin_rules(),
            Change::RuleAdd(spec) => self.service(spec.service)?.add_rule(&spec),
            Change::ProgramAdd { service, piece } => self.service(service)?.add_program(piece),
            Change::Flush => self.flush(),
            Change::SettingsSet(spec) => {
                self.settings.mem_limit = spec.mem_limit.unwrap_or(self.settings.mem_limit);
                Ok(())
            }
            Change::ZeroAll => self.zero_all(),
            Change::ZeroService(name) => self.zero_service(name),
            Change::ZeroPool(name) => self.zero_pool(name),
        }
    }

    fn flush(&mut self) -> Result<(), Refusal> {
        self.settings = Settings::default();
        self.services.clear();
        for pool in &self.pools {
            for member in pool.members() {
                self.leaving
                    .removed
                    .push(member.server.clone(), GFP_KERNEL_ACCOUNT)?;
            }
        }
        self.pools.clear();
        Ok(())
    }

    fn zero_all(&mut self) -> Result<(), Refusal> {
        for pool in &self.pools {
            zero_members(&mut self.leaving, pool)?;
        }
        for service in &self.services {
            service::zero(&mut self.leaving, service)?;
        }
        Ok(())
    }

    fn zero_service(&mut self, name: &[u8]) -> Result<(), Refusal> {
        let service = self.services.iter().find(|s| s.name() == name);

        Ok(service::zero(
            &mut self.leaving,
            service.ok_or_else(|| missing("service", name))?,
        )?)
    }

    fn zero_pool(&mut self, name: &[u8]) -> Result<(), Refusal> {
        let pool = self.pools.iter().find(|p| p.name() == name);

        Ok(zero_members(
            &mut self.leaving,
            pool.ok_or_else(|| missing("pool", name))?,
        )?)
    }

    /// Checks the whole and makes a snapshot of it.
    #[inline(never)]
    pub(super) fn finish(self, generation: u64) -> Result<(Snapshot<D>, Leaving<D>), Refusal> {
        let mut pools = KVVec::with_capacity(self.pools.len(), GFP_KERNEL_ACCOUNT)?;
        let mut services = KVVec::with_capacity(self.services.len(), GFP_KERNEL_ACCOUNT)?;

        for pool in self.pools {
            let pool = match pool {
                Entry::Same(pool) => pool,
                Entry::New(edit) => PoolEdit::finish(edit)?,
            };

            pools.push(pool, GFP_KERNEL_ACCOUNT)?;
        }
        let names = pool::Names::new(&pools, &self.deleted)?;
        for service in self.services {
            let service = match service {
                Entry::Same(service) if names.hold_for(&service) => service,
                Entry::Same(service) => ServiceEdit::of(&service)?.finish(&names)?,
                Entry::New(mut edit) => edit.finish(&names)?,
            };

            services.push(service, GFP_KERNEL_ACCOUNT)?;
        }
        service::check_listeners(&services)?;
        let snapshot = Snapshot {
            generation,
            settings: self.settings,
            pools,
            services,
        };

        Ok((snapshot, self.leaving))
    }
}

fn zero_members<D: DataPath>(
    leaving: &mut Leaving<D>,
    pool: &Entry<Pool<D>, PoolEdit<D>>,
) -> Result {
    for member in pool.members() {
        leaving.zero(&member.server.stats)?;
    }
    Ok(())
}

fn missing(kind: &str, name: &[u8]) -> Refusal {
    Refusal::new(ENOENT, format_args!("no {kind} {}", Word(name)))
}

fn exists(kind: &str, name: &[u8]) -> Refusal {
    Refusal::new(EEXIST, format_args!("{kind} {} exists already", Word(name)))
}

fn too_many(what: &str, limit: usize) -> Refusal {
    Refusal::new(E2BIG, format_args!("more than {limit} {what}"))
}
