// SPDX-License-Identifier: GPL-2.0

//! Pools of real servers.

use super::{
    DataPath,
    Name,
    Server, //
};
use crate::uapi;
use core::net::SocketAddr;
use kernel::{
    prelude::*,
    sync::Arc, //
};
use ktcpvs_core::{
    affinity, hash,
    inline::Inline,
    order,
    sched::{
        Candidate,
        Kind,
        Scheduler,
        Table, //
    },
};

/// The longest name of a cookie, in bytes.
const COOKIE_MAX: usize = uapi::TOKEN_LEN;

/// A real server as a pool has it.
pub(crate) struct Member<D: DataPath> {
    /// The server.
    pub(crate) server: Arc<Server<D>>,
    /// Its share of new work; 0 drains it.
    pub(crate) weight: u32,
}

impl<D: DataPath> Clone for Member<D> {
    fn clone(&self) -> Self {
        Self {
            server: self.server.clone(),
            weight: self.weight,
        }
    }
}

impl<D: DataPath> Candidate for Member<D> {
    fn weight(&self) -> u32 {
        self.weight
    }

    fn load(&self) -> u32 {
        self.server.load()
    }

    fn available(&self) -> bool {
        !self.server.removed()
    }
}

/// The cookie that keeps a client at its server.
#[derive(Clone, Copy)]
pub(crate) struct Affinity {
    cookie: Inline<COOKIE_MAX>,
    key: hash::Key,
}

impl Affinity {
    /// With this cookie and this key.
    pub(super) fn new(name: &[u8], key: hash::Key) -> Self {
        let mut cookie = Inline::new();

        cookie.push(name);
        Self { cookie, key }
    }

    /// The cookie's name.
    pub(crate) fn name(&self) -> &[u8] {
        self.cookie.as_slice()
    }

    /// The key of its values.
    pub(crate) fn key(&self) -> &hash::Key {
        &self.key
    }

    /// The value that stands for `server`.
    pub(crate) fn value<D: DataPath>(&self, server: &Server<D>) -> [u8; affinity::VALUE_LEN] {
        affinity::format(affinity::token(&self.key, &server.addr))
    }
}

/// A pool as it is in one snapshot.
pub(crate) struct Pool<D: DataPath> {
    name: Name,
    scheduler: Scheduler,
    /// The cookie, if clients are kept at their servers.
    pub(crate) affinity: Option<Affinity>,
    /// In the order of their addresses, so that a hash means the same server wherever the same
    /// servers are, whoever was added first.
    members: KVVec<Member<D>>,
    /// The scheduler's table of weights.
    table: KVVec<u64>,
    /// Tokens of the affinity cookie, in order, and whose they are.
    tokens: KVVec<(u64, u32)>,
}

impl<D: DataPath> Pool<D> {
    /// Makes the tables for `members`.
    pub(super) fn new(
        name: Name,
        scheduler: Scheduler,
        affinity: Option<Affinity>,
        mut members: KVVec<Member<D>>,
    ) -> Result<Arc<Self>> {
        order::sort_by_key(&mut members, |member| member.server.addr);
        let words = Table::words(members.len());
        let mut table = KVVec::from_elem(0, words, GFP_KERNEL_ACCOUNT)?;
        let mut tokens = KVVec::new();

        Table::fill(members.iter().map(|m| m.weight), &mut table);
        if let Some(affinity) = &affinity {
            tokens.reserve(members.len(), GFP_KERNEL_ACCOUNT)?;
            for (index, member) in members.iter().enumerate() {
                let token = affinity::token(&affinity.key, &member.server.addr);

                tokens.push((token, index as u32), GFP_KERNEL_ACCOUNT)?;
            }
            order::sort(&mut tokens);
        }
        Arc::init(
            init!(Self {
                name,
                scheduler,
                affinity,
                members,
                table,
                tokens,
            }),
            GFP_KERNEL_ACCOUNT,
        )
    }

    /// The name.
    pub(crate) fn name(&self) -> &[u8] {
        self.name.as_slice()
    }

    /// How the pool chooses.
    pub(crate) fn kind(&self) -> Kind {
        self.scheduler.kind()
    }

    /// A scheduler for the next version of the pool.
    pub(super) fn scheduler(&self) -> &Scheduler {
        &self.scheduler
    }

    /// The servers, in the order of their addresses.
    pub(crate) fn members(&self) -> &[Member<D>] {
        &self.members
    }

    /// The member at `addr`.
    pub(super) fn find(&self, addr: &SocketAddr) -> Option<&Member<D>> {
        let place = self
            .members
            .binary_search_by_key(addr, |member| member.server.addr)
            .ok()?;

        self.members.get(place)
    }

    /// The server for a request from a source whose hash `key` computes, if it is asked for.
    pub(crate) fn pick(
        &self,
        key: impl FnOnce() -> u64,
        exclude: impl Fn(&Server<D>) -> bool,
    ) -> Option<&Arc<Server<D>>> {
        let key = if self.scheduler.kind() == Kind::SourceHash {
            key()
        } else {
            0
        };
        let index = self.scheduler.pick(
            &self.members,
            &Table::new(&self.table),
            key,
            self.excluding(exclude),
        )?;

        Some(&self.members.get(index)?.server)
    }

    /// The server for a request that is kept together by `key`, whatever the scheduler.
    pub(crate) fn pick_hashed(
        &self,
        key: u64,
        exclude: impl Fn(&Server<D>) -> bool,
    ) -> Option<&Arc<Server<D>>> {
        let index = self.scheduler.pick_hashed(
            &self.members,
            &Table::new(&self.table),
            key,
            self.excluding(exclude),
        )?;

        Some(&self.members.get(index)?.server)
    }

    fn excluding<'a>(
        &'a self,
        exclude: impl Fn(&Server<D>) -> bool + 'a,
    ) -> impl Fn(usize) -> bool + 'a {
        move |index| self.members.get(index).is_none_or(|m| exclude(&m.server))
    }

    /// The server that the affinity cookie's `value` stands for, draining or not.
    pub(crate) fn by_cookie(&self, value: &[u8]) -> Option<&Arc<Server<D>>> {
        let token = affinity::parse(value)?;
        let place = self.tokens.partition_point(|&(t, _)| t < token);
        let &(found, index) = self.tokens.get(place)?;

        if found != token {
            return None;
        }
        Some(&self.members.get(index as usize)?.server)
    }
}
