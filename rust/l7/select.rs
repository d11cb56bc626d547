// SPDX-License-Identifier: GPL-2.0

//! From a request to what is done with it: the rule, the pool, the real server.

use crate::{
    config::{
        self,
        Affinity,
        Stats, //
    },
    l7::{
        Pool,
        Server,
        Service, //
    },
};
use core::net::IpAddr;
use kernel::sync::Arc;
use ktcpvs_core::{
    hash,
    http::{
        Request,
        HOST_MAX, //
    },
    rule, //
};

/// The key of the source hash: the same everywhere, so that directors side by side agree.
const SOURCE_KEY: hash::Key = *b"ktcpvs source  h";

/// How many servers are tried for a request at most.
pub(super) const TRIES: usize = 3;

/// Where a request goes.
pub(super) struct Target {
    pub(super) server: Arc<Server>,
    /// The rule that said so, by its place in the service that the connection has meanwhile.
    rule: Option<u32>,
    /// The client is to be bound to the server with the pool's cookie.
    pub(super) bind: bool,
    /// Another server of the pool would do as well.
    free: bool,
    /// The hash of a part of the request that keeps it at its server, whatever the scheduler.
    captured: Option<u64>,
}

/// What is done with a request.
pub(super) enum Choice {
    /// A real server answers it.
    Server(Target),
    /// We answer it: a redirection by this rule.
    Redirect(usize),
    /// We answer it with this status, by this rule.
    Status(usize, u16),
    /// There is no server for it, where this rule says.
    Unavailable(Option<u32>),
}

/// Decides on `request` from `peer`.
pub(super) fn choose(
    service: &Service,
    request: &Request<'_>,
    peer: &IpAddr,
    scratch: &mut [u32],
    host: &mut [u8; HOST_MAX],
) -> Choice {
    if service.rules.is_empty() {
        return match &service.default_pool {
            Some(pool) => in_pool(pool, request, peer, None, None),
            None => Choice::Unavailable(None),
        };
    }
    let subjects = Subjects {
        request,
        host: request.host_lower(host),
    };
    let program = service.program();
    let found = program
        .as_ref()
        .and_then(|program| program.find(&subjects, scratch))
        .map(|index| index as usize);
    let Some((index, rule)) = found.and_then(|i| Some((i, service.rules.get(i)?))) else {
        return match &service.default_pool {
            Some(pool) => in_pool(pool, request, peer, None, None),
            None => Choice::Unavailable(None),
        };
    };

    match &rule.action {
        config::Action::Pool(pool) => {
            let captured = program
                .filter(|_| rule.capture.is_some())
                .and_then(|program| {
                    program.capture(index as u32, &subjects, scratch, |bytes| {
                        hash::siphash(&SOURCE_KEY, bytes)
                    })
                });

            in_pool(pool, request, peer, Some(index as u32), captured)
        }
        config::Action::Server(_, server) => Choice::Server(Target {
            server: server.clone(),
            rule: Some(index as u32),
            bind: false,
            free: false,
            captured: None,
        }),
        config::Action::Redirect => Choice::Redirect(index),
        config::Action::Status(status) => Choice::Status(index, *status),
    }
}

/// Chooses a server of `pool`: that which the client is bound to, or else by the scheduler.
fn in_pool(
    pool: &Arc<Pool>,
    request: &Request<'_>,
    peer: &IpAddr,
    rule: Option<u32>,
    captured: Option<u64>,
) -> Choice {
    let bound = pool.affinity.as_ref().and_then(|affinity| {
        request
            .cookies()
            .filter(|(name, _)| *name == affinity.name())
            .find_map(|(_, value)| pool.by_cookie(value))
    });
    let (server, bind) = match bound {
        Some(server) => (Some(server), false),
        None => (
            scheduled(pool, peer, captured, |_| false),
            pool.affinity.is_some(),
        ),
    };

    match server {
        Some(server) => Choice::Server(Target {
            server: server.clone(),
            rule,
            bind,
            free: true,
            captured,
        }),
        None => Choice::Unavailable(rule),
    }
}

/// The server of `pool` that the scheduler chooses among those not excluded.
fn scheduled<'a>(
    pool: &'a Pool,
    peer: &IpAddr,
    captured: Option<u64>,
    exclude: impl Fn(&Server) -> bool,
) -> Option<&'a Arc<Server>> {
    match captured {
        None => pool.pick(|| hash::source(&SOURCE_KEY, peer), exclude),
        Some(key) => pool.pick_hashed(key, exclude),
    }
}

/// The counters of the rule in this place, if there is one.
pub(super) fn rule_stats(service: &Service, rule: Option<u32>) -> Option<&Stats> {
    Some(&service.rules.get(rule? as usize)?.stats)
}

impl Target {
    /// The counters of the rule that said so. `service` made the choice.
    pub(super) fn rule_stats<'a>(&self, service: &'a Service) -> Option<&'a Stats> {
        rule_stats(service, self.rule)
    }

    /// Counts the request. `service` made the choice.
    pub(super) fn count_request(&self, service: &Service) {
        service.stats.request();
        if let Some(stats) = self.rule_stats(service) {
            stats.request();
        }
    }

    /// Counts that the request has failed. `service` made the choice.
    pub(super) fn count_error(&self, service: &Service) {
        service.stats.error();
        if let Some(stats) = self.rule_stats(service) {
            stats.error();
        }
    }

    /// Counts that the server has answered the request, and its bytes from and to the client.
    /// `service` made the choice.
    pub(super) fn count_answer(&self, service: &Service, bytes_in: usize, bytes_out: usize) {
        service.stats.answered(bytes_in, bytes_out);
        self.server.stats.answered(bytes_in, bytes_out);
        if let Some(stats) = self.rule_stats(service) {
            stats.answered(bytes_in, bytes_out);
        }
    }

    /// Counts bytes from and to the client. `service` made the choice.
    pub(super) fn count_bytes(&self, service: &Service, bytes_in: usize, bytes_out: usize) {
        service.stats.bytes(bytes_in, bytes_out);
        self.server.stats.bytes(bytes_in, bytes_out);
        if let Some(stats) = self.rule_stats(service) {
            stats.bytes(bytes_in, bytes_out);
        }
    }

    /// The affinity of the pool that the server is in. `service` made the choice.
    pub(super) fn affinity<'a>(&self, service: &'a Service) -> Option<&'a Affinity> {
        self.pool(service)?.affinity.as_ref()
    }

    /// The pool that the server is in. `service` made the choice.
    fn pool<'a>(&self, service: &'a Service) -> Option<&'a Arc<Pool>> {
        let Some(rule) = self.rule else {
            return service.default_pool.as_ref();
        };

        match &service.rules.get(rule as usize)?.action {
            config::Action::Pool(pool) | config::Action::Server(pool, _) => Some(pool),
            config::Action::Redirect | config::Action::Status(_) => None,
        }
    }

    /// Goes to another server for the client `peer`, none of `tried`. Whether there is one.
    /// `service` made the choice.
    pub(super) fn redirect(
        &mut self,
        service: &Service,
        peer: &IpAddr,
        tried: &[Option<Arc<Server>>],
    ) -> bool {
        if !self.free {
            return false;
        }
        let Some(pool) = self.pool(service) else {
            return false;
        };
        let tried = |server: &Server| {
            tried
                .iter()
                .flatten()
                .any(|t| core::ptr::eq::<Server>(&**t, server))
        };
        let Some(server) = scheduled(pool, peer, self.captured, tried).cloned() else {
            return false;
        };

        self.server = server;
        self.bind = pool.affinity.is_some();
        true
    }
}

/// What rules look at.
struct Subjects<'a> {
    request: &'a Request<'a>,
    /// In lower case.
    host: &'a [u8],
}

impl rule::Subjects for Subjects<'_> {
    fn path(&self) -> &[u8] {
        self.request.path()
    }

    fn url(&self) -> &[u8] {
        self.request.url()
    }

    fn host(&self) -> &[u8] {
        self.host
    }

    fn method(&self) -> &[u8] {
        self.request.method_name()
    }

    fn header(&self, name: &[u8], each: &mut dyn FnMut(&[u8])) {
        for (field, value) in self.request.headers() {
            if field.eq_ignore_ascii_case(name) {
                each(value);
            }
        }
    }

    fn cookie(&self, name: &[u8], each: &mut dyn FnMut(&[u8])) {
        for (cookie, value) in self.request.cookies() {
            if cookie == name {
                each(value);
            }
        }
    }
}
