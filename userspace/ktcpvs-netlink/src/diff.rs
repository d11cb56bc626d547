// SPDX-License-Identifier: GPL-2.0

//! The steps from one configuration to another.
//!
//! What stays the same takes no step, so that its counters, its listening sockets and its
//! connections to servers go on. The order of pools, of services and of the servers in a pool
//! means nothing and takes no step either; the order of rules does.

use crate::error::Error;
use crate::model::{
    Config,
    Key,
    Pool,
    Problem,
    Server,
    Service, //
};
use crate::op::{
    Op,
    PoolChange,
    ServiceChange, //
};
use crate::uapi;
use std::collections::HashMap;
use std::io::Read;
use std::net::SocketAddr;

/// Makes a program of a service's rules.
pub type Compile<'a> = dyn Fn(&Service) -> Result<Vec<u32>, Problem> + 'a;

/// A new key of cookie affinity.
///
/// # Errors
///
/// When there are no random numbers to be had.
pub fn random_key() -> Result<Key, Error> {
    let mut key = [0; uapi::KEY_LEN];
    std::fs::File::open("/dev/urandom")
        .and_then(|mut file| file.read_exact(&mut key))
        .map_err(|error| Error::Socket {
            what: "/dev/urandom",
            error,
        })?;
    Ok(key)
}

/// The steps from `before` to `after`. Whatever is deleted goes first, to stay within limits.
///
/// # Errors
///
/// What `compile` says of rules that are new.
pub fn difference(
    before: &Config,
    after: &Config,
    compile: &Compile<'_>,
) -> Result<Vec<Op>, Problem> {
    let mut ops = Vec::new();
    if before.mem_limit != after.mem_limit {
        ops.push(Op::SettingsSet {
            mem_limit: after.mem_limit,
        });
    }
    let kept = by_name(&after.services, |s| &s.name);
    let gone = |s: &&Service| !kept.contains_key(&*s.name);
    let gone = before.services.iter().filter(gone);
    ops.extend(gone.map(|s| Op::ServiceDel(s.name.clone())));
    let kept = by_name(&after.pools, |p| &p.name);
    let gone = |p: &&Pool| !kept.contains_key(&*p.name);
    let gone = before.pools.iter().filter(gone);
    ops.extend(gone.map(|p| Op::PoolDel(p.name.clone())));
    let pools = by_name(&before.pools, |p| &p.name);
    let services = by_name(&before.services, |s| &s.name);
    for pool in &after.pools {
        match pools.get(&*pool.name) {
            Some(old) => pool_steps(&mut ops, old, pool),
            None => {
                ops.push(Op::PoolAdd(Pool {
                    servers: Vec::new(),
                    ..pool.clone()
                }));
                let add = |server: &Server| Op::ServerAdd(pool.name.clone(), *server);
                ops.extend(pool.servers.iter().map(add));
            }
        }
    }
    for service in &after.services {
        let old = services.get(&*service.name).copied();
        match old {
            Some(old) => service_steps(&mut ops, old, service),
            None => ops.push(Op::ServiceAdd(Service {
                rules: Vec::new(),
                ..service.clone()
            })),
        }
        if old.map_or(&[][..], |old| &old.rules) != service.rules {
            ops.push(Op::Rules {
                service: service.name.clone(),
                rules: service.rules.clone(),
                program: if service.rules.is_empty() {
                    Vec::new()
                } else {
                    compile(service)?
                },
            });
        }
    }
    Ok(ops)
}

fn by_name<T>(items: &[T], name: fn(&T) -> &str) -> HashMap<&str, &T> {
    items.iter().map(|item| (name(item), item)).collect()
}

fn pool_steps(ops: &mut Vec<Op>, old: &Pool, new: &Pool) {
    let change = PoolChange {
        scheduler: (old.scheduler != new.scheduler).then_some(new.scheduler),
        affinity: (old.affinity != new.affinity).then(|| new.affinity.clone()),
    };
    if change != PoolChange::default() {
        ops.push(Op::PoolSet(new.name.clone(), change));
    }
    let weights = |pool: &Pool| -> HashMap<SocketAddr, u32> {
        pool.servers.iter().map(|s| (s.address, s.weight)).collect()
    };
    let (had, has) = (weights(old), weights(new));
    for server in &old.servers {
        if !has.contains_key(&server.address) {
            ops.push(Op::ServerDel(new.name.clone(), server.address));
        }
    }
    for server in &new.servers {
        match had.get(&server.address) {
            None => ops.push(Op::ServerAdd(new.name.clone(), *server)),
            Some(weight) if *weight != server.weight => {
                ops.push(Op::ServerSet(new.name.clone(), *server));
            }
            Some(_) => {}
        }
    }
}

fn service_steps(ops: &mut Vec<Op>, old: &Service, new: &Service) {
    let change = ServiceChange {
        listeners: (old.listeners != new.listeners).then(|| new.listeners.clone()),
        pool: (old.pool != new.pool).then(|| new.pool.clone()),
        enabled: (old.enabled != new.enabled).then_some(new.enabled),
        settings: new.settings.differing(&old.settings).collect(),
    };
    if change != ServiceChange::default() {
        ops.push(Op::ServiceSet(new.name.clone(), change));
    }
}
