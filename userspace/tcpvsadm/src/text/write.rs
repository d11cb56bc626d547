// SPDX-License-Identifier: GPL-2.0

//! A configuration to text.

use super::rule;
use super::value::{
    show_key,
    show_setting,
    show_size,
    show_switch, //
};
use super::words::quote;
use ktcpvs_netlink::{
    Config,
    Pool,
    Service,
    Settings, //
};
use std::fmt::{
    self,
    Display, //
};

/// A configuration that is written as text.
pub(crate) struct Text<'a>(pub(crate) &'a Config);

/// The pools and services of a configuration that are written as text.
pub(crate) struct Blocks<'a>(pub(crate) &'a Config);

/// A pool that is written as text.
pub(crate) struct PoolText<'a>(pub(crate) &'a Pool);

/// A service that is written as text.
pub(crate) struct ServiceText<'a>(pub(crate) &'a Service);

impl Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Config {
            mem_limit,
            pools,
            services,
        } = self.0;
        if *mem_limit != 0 {
            writeln!(f, "mem-limit {}", show_size(*mem_limit))?;
            if !pools.is_empty() || !services.is_empty() {
                writeln!(f)?;
            }
        }
        Blocks(self.0).fmt(f)
    }
}

impl Display for Blocks<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut between = "";
        for pool in &self.0.pools {
            write!(f, "{between}{}", PoolText(pool))?;
            between = "\n";
        }
        for service in &self.0.services {
            write!(f, "{between}{}", ServiceText(service))?;
            between = "\n";
        }
        Ok(())
    }
}

impl Display for PoolText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Pool {
            name,
            scheduler,
            affinity,
            servers,
        } = self.0;
        writeln!(f, "pool {name} {{")?;
        writeln!(f, "    scheduler {}", scheduler.name())?;
        if let Some(affinity) = affinity {
            write!(f, "    cookie {}", quote(affinity.cookie.as_bytes()))?;
            if let Some(key) = &affinity.key {
                write!(f, " key {}", show_key(key))?;
            }
            writeln!(f)?;
        }
        for server in servers {
            writeln!(f, "    server {} weight {}", server.address, server.weight)?;
        }
        writeln!(f, "}}")
    }
}

impl Display for ServiceText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Service {
            name,
            listeners,
            pool,
            enabled,
            settings,
            rules,
        } = self.0;
        writeln!(f, "service {name} {{")?;
        for listener in listeners {
            writeln!(f, "    listen {listener}")?;
        }
        if !enabled {
            writeln!(f, "    enabled {}", show_switch(*enabled))?;
        }
        if let Some(pool) = pool {
            writeln!(f, "    pool {pool}")?;
        }
        for (setting, value) in settings.differing(&Settings::default()) {
            let value = show_setting(setting, value);
            writeln!(f, "    {} {value}", setting.word())?;
        }
        for rule in rules {
            write!(f, "    rule ")?;
            if rule.id != 0 {
                write!(f, "id {} ", rule.id)?;
            }
            writeln!(f, "{}", rule::show(rule))?;
        }
        writeln!(f, "}}")
    }
}
