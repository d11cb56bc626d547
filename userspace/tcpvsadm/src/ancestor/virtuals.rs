// SPDX-License-Identifier: GPL-2.0

//! The virtual services of KTCPVS, as services and pools.

use super::address;
use crate::failure::{
    refused,
    Failure, //
};
use ktcpvs_netlink::{
    Action,
    Affinity,
    Condition,
    Config,
    Operator,
    Pool,
    Rule,
    Scheduler,
    Server,
    Service,
    Subject, //
};
use std::net::SocketAddr;

/// Where a service listens unless one says otherwise.
const PORT: u16 = 80;
/// The cookie of the scheduler chttp.
pub(super) const COOKIE: &str = "KTCPVS";

/// A rule.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Entry {
    /// One that KTCPVS has: a pattern for the URL, and servers.
    Pattern {
        /// Its id; 0 when it has none yet.
        id: u32,
        /// The regular expression.
        pattern: String,
        /// The group whose match chooses the server.
        group: Option<u32>,
        /// The servers.
        servers: Vec<SocketAddr>,
    },
    /// Any other, which stays as it is.
    Other(Rule),
}

/// A virtual service.
#[derive(Clone, Debug)]
pub(super) struct Virtual {
    /// The service, but for its rules.
    pub(super) service: Service,
    /// The pool of the same name.
    pub(super) pool: Pool,
    /// The rules.
    pub(super) rules: Vec<Entry>,
    /// The pools of its patterns as they were, which are made anew.
    groups: Vec<Pool>,
}

impl Virtual {
    /// One that has nothing but a name.
    pub(super) fn new(ident: &str) -> Self {
        let mut service = Service::new(ident);
        service.pool = Some(ident.to_owned());
        Self {
            service,
            pool: Pool::new(ident),
            rules: Vec::new(),
            groups: Vec::new(),
        }
    }

    /// Takes one out of a configuration.
    ///
    /// # Errors
    ///
    /// When there is none of that name.
    pub(super) fn load(config: &Config, ident: &str) -> Result<Self, Failure> {
        let Some(service) = config.service(ident) else {
            return refused(format!("there is no service '{ident}'"));
        };
        let mut this = Self::new(ident);
        this.service = Service {
            rules: Vec::new(),
            ..service.clone()
        };
        if let Some(pool) = config.pool(ident) {
            this.pool = pool.clone();
        }
        for rule in &service.rules {
            let entry = this.entry(config, rule);
            this.rules.push(entry);
        }
        Ok(this)
    }

    fn entry(&mut self, config: &Config, rule: &Rule) -> Entry {
        let pattern = self.pattern(config, rule);
        pattern.unwrap_or_else(|| Entry::Other(rule.clone()))
    }

    /// A rule that KTCPVS has, with its pool.
    fn pattern(&mut self, config: &Config, rule: &Rule) -> Option<Entry> {
        let [Condition {
            subject: Subject::Url,
            operator: Operator::Regex,
            value,
            not: false,
        }] = &rule.conditions[..]
        else {
            return None;
        };
        let pattern = std::str::from_utf8(value).ok()?.to_owned();
        let ident = &self.service.name;
        let (group, servers) = match &rule.action {
            Action::Server { pool, address } if pool == ident => (None, vec![*address]),
            Action::Pool { pool, capture } if *pool == group_name(ident, rule.id) => {
                let pool = config.pool(pool)?;
                self.groups.push(pool.clone());
                (*capture, pool.servers.iter().map(|s| s.address).collect())
            }
            _ => return None,
        };
        Some(Entry::Pattern {
            id: rule.id,
            pattern,
            group,
            servers,
        })
    }

    /// The pool of a rule, as it was.
    pub(super) fn group(&self, id: u32) -> Option<&Pool> {
        let name = group_name(&self.service.name, id);
        self.groups.iter().find(|p| p.name == name)
    }

    /// The pools of rules that the long forms have changed since. They go when those rules go,
    /// but are not touched as long as they stay.
    fn refined<'a>(&'a self, config: &'a Config) -> impl Iterator<Item = &'a Pool> + 'a {
        self.rules.iter().filter_map(|entry| match entry {
            Entry::Other(rule) => {
                let name = group_name(&self.service.name, rule.id);
                let used = rule.action.pool().filter(|used| *used == name);
                used.and_then(|name| config.pool(name))
            }
            Entry::Pattern { .. } => None,
        })
    }

    /// Puts it into a configuration, in the place of that of its name.
    ///
    /// # Errors
    ///
    /// When a pool of the name that one needs is somebody else's.
    pub(super) fn store(mut self, config: &mut Config) -> Result<(), Failure> {
        let before = config.service(&self.service.name);
        let before = before.map_or(&[][..], |s| &s.rules).iter().map(|r| r.id);
        let mut next = before.chain(self.ids()).max().unwrap_or(0).wrapping_add(1);
        let ident = self.service.name.clone();
        let old = |name: &str| self.groups.iter().any(|group| group.name == name);
        config.pools.retain(|p| !old(&p.name));
        // What is there keeps its place.
        match config.pool_mut(&ident) {
            Some(pool) => pool.clone_from(&self.pool),
            None if self.needs_pool() => config.pools.push(self.pool.clone()),
            // Made by the long forms, with a pool of another name.
            None => {}
        }
        for entry in std::mem::take(&mut self.rules) {
            let rule = match entry {
                Entry::Other(rule) => rule,
                Entry::Pattern {
                    id,
                    pattern,
                    group,
                    servers,
                } => {
                    let id = if id == 0 { next } else { id };
                    next = next.max(id.wrapping_add(1));
                    let action = self.action(config, id, group, &servers)?;
                    pattern_rule(id, &pattern, action)
                }
            };
            self.service.rules.push(rule);
        }
        match config.service_mut(&ident) {
            Some(service) => *service = self.service,
            None => config.services.push(self.service),
        }
        Ok(())
    }

    fn needs_pool(&self) -> bool {
        self.service.pool.as_ref() == Some(&self.service.name) || !self.pool.servers.is_empty()
    }

    /// Whether any request goes to the pool of its name, or to one that is made of it.
    pub(super) fn uses_pool(&self) -> bool {
        let ident = Some(&*self.service.name);
        let used = |entry: &Entry| match entry {
            Entry::Pattern { .. } => true,
            Entry::Other(rule) => rule.action.pool() == ident,
        };
        self.service.pool.as_deref() == ident || self.rules.iter().any(used)
    }

    /// Whether there is a point in changing the pool of its name.
    fn check_use(&self) -> Result<(), Failure> {
        let ident = &self.service.name;
        match &self.service.pool {
            _ if self.uses_pool() => Ok(()),
            // It may be others' as well: that is for the long forms to change.
            Some(pool) => refused(format!(
                "service '{ident}' uses pool '{pool}', and none of its own name: see \
                 'tcpvsadm pool' and 'tcpvsadm server'"
            )),
            None => refused(format!(
                "service '{ident}' uses no pool: see 'tcpvsadm service set' and 'tcpvsadm server'"
            )),
        }
    }

    fn ids(&self) -> impl Iterator<Item = u32> + '_ {
        self.rules.iter().map(|entry| match entry {
            Entry::Pattern { id, .. } => *id,
            Entry::Other(rule) => rule.id,
        })
    }

    /// What a rule does with a request, and the pool that it needs for it.
    fn action(
        &self,
        config: &mut Config,
        id: u32,
        group: Option<u32>,
        servers: &[SocketAddr],
    ) -> Result<Action, Failure> {
        let ident = &self.service.name;
        if let (None, [address]) = (group, servers) {
            return Ok(Action::Server {
                pool: ident.clone(),
                address: *address,
            });
        }
        let name = group_name(ident, id);
        if config.pool(&name).is_some() {
            return refused(format!("there is a pool '{name}' already"));
        }
        // Who is drained for this rule alone stays so.
        let old = self.group(id);
        let weight = |address| {
            let server = old.and_then(|group| group.server(address));
            let server = server.or_else(|| self.pool.server(address));
            server.map_or(1, |s| s.weight)
        };
        let servers = servers.iter().map(|address| Server {
            address: *address,
            weight: weight(address),
        });
        config.pools.push(Pool {
            name: name.clone(),
            servers: servers.collect(),
            ..self.pool.clone()
        });
        Ok(Action::Pool {
            pool: name,
            capture: group,
        })
    }

    /// Takes it out of a configuration for good.
    ///
    /// # Errors
    ///
    /// When another service uses its pools.
    pub(super) fn delete(self, config: &mut Config) -> Result<(), Failure> {
        let ident = &self.service.name;
        config.services.retain(|s| s.name != *ident);
        let refined = self.refined(config).map(|p| p.name.clone());
        let groups = self.groups.iter().map(|p| p.name.clone());
        let names: Vec<String> = groups.chain(refined).collect();
        let mine = |name: &String| name == ident || names.contains(name);
        for service in &config.services {
            let rules = service.rules.iter().filter_map(|r| r.action.pool());
            let mut pools = rules.map(str::to_owned).chain(service.pool.clone());
            if let Some(pool) = pools.find(mine) {
                return refused(format!("service '{}' uses pool '{pool}'", service.name));
            }
        }
        config.pools.retain(|p| !mine(&p.name));
        Ok(())
    }

    /// Puts one that was read from a file into a configuration. What a file cannot say stays as
    /// it is: whether the service is started, its limits, the ids of its rules, the cookie with
    /// its key and its scheduler, and weights in the pools of rules.
    ///
    /// # Errors
    ///
    /// See [`Self::store`].
    pub(super) fn replace(mut self, config: &mut Config) -> Result<(), Failure> {
        if let Ok(old) = Self::load(config, &self.service.name) {
            self.groups = old.groups.clone();
            self.groups.extend(old.refined(config).cloned());
            self.succeed(&old);
        }
        self.store(config)
    }

    /// Takes over from `old` what a file cannot say.
    fn succeed(&mut self, old: &Self) {
        self.service.enabled = old.service.enabled;
        self.service.settings = old.service.settings.clone();
        if self.pool.affinity.is_some() && old.pool.affinity.is_some() {
            self.pool.affinity.clone_from(&old.pool.affinity);
            self.pool.scheduler = old.pool.scheduler;
        }
        for entry in &mut self.rules {
            if let Entry::Pattern {
                id, pattern, group, ..
            } = entry
            {
                *id = old.find(pattern, *group).unwrap_or(0);
            }
        }
        for server in &self.pool.servers {
            if old.pool.server(&server.address) != Some(server) {
                set_weight(&mut self.groups, &server.address, server.weight);
            }
        }
        if !old.uses_pool() && self.pool.servers.is_empty() {
            // Such a pool is no more than a comment in a list.
            self.service.pool.clone_from(&old.service.pool);
            self.pool.clone_from(&old.pool);
        }
    }

    fn find(&self, wanted: &str, wanted_group: Option<u32>) -> Option<u32> {
        self.rules.iter().find_map(|entry| match entry {
            Entry::Pattern {
                id, pattern, group, ..
            } if pattern == wanted && *group == wanted_group => Some(*id),
            _ => None,
        })
    }

    /// Where to listen. The port alone changes the port alone.
    ///
    /// # Errors
    ///
    /// When there is no such host or port.
    pub(super) fn set_listen(
        &mut self,
        listen: Option<&str>,
        port: Option<&str>,
    ) -> Result<(), Failure> {
        let port = port.map(address::port).transpose()?;
        if let Some(listen) = listen {
            self.service.listeners = vec![address::resolve(listen, port.unwrap_or(PORT))?];
            return Ok(());
        }
        let listeners = &mut self.service.listeners;
        if listeners.is_empty() {
            listeners.push(SocketAddr::from(([0; 4], PORT)));
        }
        if let Some(port) = port {
            listeners.iter_mut().for_each(|a| a.set_port(port));
        }
        Ok(())
    }

    /// How servers are chosen.
    ///
    /// # Errors
    ///
    /// When there is no such scheduler, or the pool is another one.
    pub(super) fn set_scheduler(&mut self, name: &str) -> Result<(), Failure> {
        self.check_use()?;
        let scheduler = match name {
            "http" | "phttp" | "hhttp" | "chttp" => Scheduler::Wlc,
            _ => match Scheduler::from_name(name) {
                Some(scheduler) => scheduler,
                None => return refused(format!("'{name}' is not a scheduler")),
            },
        };
        self.pool.scheduler = scheduler;
        if name != "chttp" {
            self.pool.affinity = None;
        } else if self.pool.affinity.is_none() {
            // One key for the pool and those of its rules.
            self.pool.affinity = Some(Affinity {
                cookie: COOKIE.to_owned(),
                key: Some(ktcpvs_netlink::random_key()?),
            });
        }
        Ok(())
    }

    /// The name of the scheduler.
    pub(super) fn scheduler(&self) -> &'static str {
        let captures = |entry: &Entry| matches!(entry, Entry::Pattern { group: Some(_), .. });
        match self.pool.scheduler {
            _ if self.pool.affinity.is_some() => "chttp",
            Scheduler::Wlc if self.rules.iter().any(captures) => "hhttp",
            Scheduler::Wlc if !self.rules.is_empty() => "http",
            other => other.name(),
        }
    }

    /// The address of a server; its port is that of the service unless given.
    ///
    /// # Errors
    ///
    /// When there is no such host or port.
    pub(super) fn address(&self, text: &str) -> Result<SocketAddr, Failure> {
        let port = self.service.listeners.first().map_or(PORT, |a| a.port());
        address::resolve(text, port)
    }

    /// Adds a server.
    ///
    /// # Errors
    ///
    /// When it is there already, or the pool is another one.
    pub(super) fn add_server(&mut self, address: SocketAddr, weight: u32) -> Result<(), Failure> {
        self.check_use()?;
        if self.pool.server(&address).is_some() {
            return refused(format!(
                "service '{}' has a server '{address}' already",
                self.service.name
            ));
        }
        self.pool.servers.push(Server { address, weight });
        Ok(())
    }

    /// Changes a server's weight.
    ///
    /// # Errors
    ///
    /// When there is no such server, or the pool is another one.
    pub(super) fn set_server(
        &mut self,
        address: &SocketAddr,
        weight: Option<u32>,
    ) -> Result<(), Failure> {
        self.check_use()?;
        self.has(address)?;
        if let Some(weight) = weight {
            set_weight(std::slice::from_mut(&mut self.pool), address, weight);
            set_weight(&mut self.groups, address, weight);
        }
        Ok(())
    }

    /// Removes a server.
    ///
    /// # Errors
    ///
    /// When there is no such server, a rule leads to it, or the pool is another one.
    pub(super) fn delete_server(&mut self, address: &SocketAddr) -> Result<(), Failure> {
        self.check_use()?;
        self.has(address)?;
        for entry in &self.rules {
            if let Entry::Pattern {
                pattern, servers, ..
            } = entry
            {
                if servers.contains(address) {
                    return refused(format!(
                        "the rule with pattern '{pattern}' uses server '{address}'"
                    ));
                }
            }
        }
        self.pool.servers.retain(|s| s.address != *address);
        Ok(())
    }

    fn has(&self, address: &SocketAddr) -> Result<(), Failure> {
        if self.pool.server(address).is_some() {
            return Ok(());
        }
        // Else it may well have that server, in another pool.
        self.check_use()?;
        refused(format!(
            "service '{}' has no server '{address}'",
            self.service.name
        ))
    }

    /// Adds a rule after the others, or a server to that with the same pattern.
    ///
    /// # Errors
    ///
    /// When it is there already.
    pub(super) fn add_rule(
        &mut self,
        wanted: &str,
        wanted_group: Option<u32>,
        address: SocketAddr,
    ) -> Result<(), Failure> {
        self.has(&address)?;
        for entry in &mut self.rules {
            match entry {
                Entry::Pattern {
                    pattern,
                    group,
                    servers,
                    ..
                } if pattern == wanted && *group == wanted_group => {
                    if servers.contains(&address) {
                        return refused(format!(
                            "there is a rule with pattern '{wanted}' and server '{address}' already"
                        ));
                    }
                    servers.push(address);
                    return Ok(());
                }
                _ => {}
            }
        }
        self.rules.push(Entry::Pattern {
            id: 0,
            pattern: wanted.to_owned(),
            group: wanted_group,
            servers: vec![address],
        });
        Ok(())
    }

    /// Takes a server from the rule with a pattern, and the rule away with its last one.
    ///
    /// # Errors
    ///
    /// When there is no such rule.
    pub(super) fn delete_rule(
        &mut self,
        wanted: &str,
        wanted_group: Option<u32>,
        address: &SocketAddr,
    ) -> Result<(), Failure> {
        let place = self.rules.iter().position(|entry| match entry {
            Entry::Pattern {
                pattern,
                group,
                servers,
                ..
            } => {
                pattern == wanted
                    && (wanted_group.is_none() || *group == wanted_group)
                    && servers.contains(address)
            }
            Entry::Other(_) => false,
        });
        let Some(place) = place else {
            return refused(format!(
                "service '{}' has no rule with pattern '{wanted}' and server '{address}'",
                self.service.name
            ));
        };
        if let Entry::Pattern { servers, .. } = &mut self.rules[place] {
            servers.retain(|a| a != address);
            if servers.is_empty() {
                self.rules.remove(place);
            }
        }
        Ok(())
    }
}

fn set_weight(pools: &mut [Pool], address: &SocketAddr, weight: u32) {
    for server in pools.iter_mut().filter_map(|p| p.server_mut(address)) {
        server.weight = weight;
    }
}

fn group_name(ident: &str, id: u32) -> String {
    format!("{ident}.{id}")
}

fn pattern_rule(id: u32, pattern: &str, action: Action) -> Rule {
    Rule {
        id,
        conditions: vec![Condition {
            subject: Subject::Url,
            operator: Operator::Regex,
            value: pattern.as_bytes().to_vec(),
            not: false,
        }],
        action,
    }
}
