// SPDX-License-Identifier: GPL-2.0

//! Pools and their real servers.

use super::edit;
use crate::cli::{
    Pool as Command,
    PoolOptions,
    Server as ServerCommand, //
};
use crate::failure::{
    refused,
    Failure, //
};
use ktcpvs_netlink::{
    Affinity,
    Config,
    Pool,
    Server, //
};

/// Adds, changes or deletes a pool.
///
/// # Errors
///
/// Why it was not done.
pub(crate) fn run(command: &Command) -> Result<(), Failure> {
    edit(|config| match command {
        Command::Add { name, options } => {
            if config.pool(name).is_some() {
                return refused(format!("there is a pool '{name}' already"));
            }
            let mut pool = Pool::new(name);
            set(&mut pool, options)?;
            config.pools.push(pool);
            Ok(())
        }
        Command::Set { name, options } => set(find(config, name)?, options),
        Command::Del { name } => {
            find(config, name)?;
            config.pools.retain(|p| p.name != *name);
            unused(config, name)
        }
    })
}

/// Adds, changes or removes a real server.
///
/// # Errors
///
/// Why it was not done.
pub(crate) fn run_server(command: &ServerCommand) -> Result<(), Failure> {
    let missing =
        |pool: &str, address| Failure::Refused(format!("pool '{pool}' has no server '{address}'"));
    edit(|config| match command {
        ServerCommand::Add {
            pool,
            address,
            weight,
        } => {
            let pool = find(config, pool)?;
            if pool.server(address).is_some() {
                return refused(format!(
                    "pool '{}' has a server '{address}' already",
                    pool.name
                ));
            }
            pool.servers.push(Server {
                address: *address,
                weight: *weight,
            });
            Ok(())
        }
        ServerCommand::Set {
            pool,
            address,
            weight,
        } => {
            let server = find(config, pool)?.server_mut(address);
            server.ok_or_else(|| missing(pool, address))?.weight = *weight;
            Ok(())
        }
        ServerCommand::Del { pool, address } => {
            let found = find(config, pool)?;
            found
                .server(address)
                .ok_or_else(|| missing(pool, address))?;
            found.servers.retain(|s| s.address != *address);
            Ok(())
        }
    })
}

/// The pool of that name.
///
/// # Errors
///
/// When there is none.
fn find<'a>(config: &'a mut Config, name: &str) -> Result<&'a mut Pool, Failure> {
    config
        .pool_mut(name)
        .ok_or_else(|| Failure::Refused(format!("there is no pool '{name}'")))
}

/// Checks that nothing uses a pool that is deleted.
fn unused(config: &Config, name: &str) -> Result<(), Failure> {
    for service in &config.services {
        if service.pool.as_deref() == Some(name) {
            return refused(format!("service '{}' uses pool '{name}'", service.name));
        }
        let user = service.rules.iter().find(|r| r.action.pool() == Some(name));
        if let Some(rule) = user {
            return refused(format!(
                "rule {} of service '{}' uses pool '{name}'",
                rule.id, service.name
            ));
        }
    }
    Ok(())
}

fn set(pool: &mut Pool, options: &PoolOptions) -> Result<(), Failure> {
    pool.scheduler = options.scheduler.unwrap_or(pool.scheduler);
    if options.no_cookie {
        pool.affinity = None;
    }
    match (&options.cookie, options.key, &mut pool.affinity) {
        (Some(cookie), key, _) => {
            pool.affinity = Some(Affinity {
                cookie: cookie.clone(),
                key,
            });
        }
        (None, Some(key), Some(affinity)) => affinity.key = Some(key),
        (None, Some(_), None) => return refused("'--key' needs a '--cookie'"),
        (None, None, _) => {}
    }
    Ok(())
}
