// SPDX-License-Identifier: GPL-2.0

//! What is checked before anything is sent, so that a mistake is told in the administrator's
//! words. The module checks again.

use super::{
    Action,
    Condition,
    Config,
    Operator,
    Pool,
    Rule,
    Service,
    Setting,
    Subject, //
};
use crate::uapi;
use std::collections::{
    HashMap,
    HashSet, //
};
use std::fmt;
use std::net::SocketAddr;

/// The part of a configuration that a message is about.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Object {
    /// A pool.
    Pool(String),
    /// A real server of a pool.
    Server(String, SocketAddr),
    /// A service.
    Service(String),
    /// A listener of a service.
    Listener(String, SocketAddr),
    /// A rule of a service, by its position, from 1.
    Rule(String, usize),
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pool(name) => write!(f, "pool {name}"),
            Self::Server(pool, address) => write!(f, "pool {pool}, server {address}"),
            Self::Service(name) => write!(f, "service {name}"),
            Self::Listener(name, address) => write!(f, "service {name}, listen {address}"),
            Self::Rule(name, position) => write!(f, "service {name}, rule {position}"),
        }
    }
}

/// What is wrong with a configuration, and where.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Problem {
    /// What it is about.
    pub object: Object,
    /// The offending word, as it was written.
    pub word: Option<String>,
    /// What is wrong.
    pub message: String,
}

impl Problem {
    /// A problem with an object as a whole.
    pub fn new(object: Object, message: impl Into<String>) -> Self {
        Self {
            object,
            word: None,
            message: message.into(),
        }
    }

    /// Names the offending word.
    pub fn word(mut self, word: impl Into<String>) -> Self {
        self.word = Some(word.into());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.object)?;
        if let Some(word) = &self.word {
            write!(f, "'{word}': ")?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for Problem {}

/// What is wrong with the name of a pool or service.
pub fn name_fault(name: &str) -> Option<String> {
    let good = |b: u8| b.is_ascii_alphanumeric() || b"_.-".contains(&b);
    if name.is_empty() || name.len() > uapi::NAME_LEN {
        Some(format!("a name has 1 to {} characters", uapi::NAME_LEN))
    } else if !name.bytes().all(good) {
        Some("a name is of letters, digits, and _ . -".to_owned())
    } else {
        None
    }
}

/// What is wrong with the name of a header field or cookie, or a method (RFC 9110 §5.6.2).
pub fn token_fault(token: &str) -> Option<String> {
    let good = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    if token.is_empty() || token.len() > uapi::TOKEN_LEN {
        Some(format!("a token has 1 to {} characters", uapi::TOKEN_LEN))
    } else if !token.bytes().all(good) {
        Some("not a token as HTTP has them".to_owned())
    } else {
        None
    }
}

/// What is wrong with the value of a condition.
fn condition_fault(condition: &Condition) -> Option<String> {
    let value = &condition.value;
    if value.len() > uapi::VALUE_LEN {
        return Some(format!("longer than {} bytes", uapi::VALUE_LEN));
    }
    if condition.operator == Operator::Regex && std::str::from_utf8(value).is_err() {
        return Some("a regular expression is written in UTF-8; use \\xHH for a byte".to_owned());
    }
    if condition.operator == Operator::Wildcard {
        if condition.subject != Subject::Host {
            return Some("wildcard is for host only".to_owned());
        }
        let domain = value.strip_prefix(b"*.");
        if domain.is_none_or(|d| d.is_empty() || d.contains(&b'*')) {
            return Some("a wildcard is *. and a domain".to_owned());
        }
    }
    None
}

/// What is wrong with the location of a redirection.
fn location_fault(location: &str) -> Option<String> {
    if location.is_empty() || location.len() > uapi::LOCATION_LEN {
        Some(format!("a location has 1 to {} bytes", uapi::LOCATION_LEN))
    } else if !location.bytes().all(|b| b.is_ascii_graphic()) {
        Some("a location is of printable ASCII without spaces; encode others as %HH".to_owned())
    } else {
        None
    }
}

impl Config {
    /// Finds the first thing that the module would not take, but for compiling the rules.
    ///
    /// # Errors
    ///
    /// A [`Problem`] that names the object and the word.
    pub fn check(&self) -> Result<(), Problem> {
        let mut names = HashSet::new();
        for pool in &self.pools {
            check_pool(pool)?;
            if !names.insert(&pool.name) {
                let object = Object::Pool(pool.name.clone());
                return Err(Problem::new(object, "there are two pools of this name"));
            }
        }
        let mut names = HashSet::new();
        let mut listeners = HashMap::new();
        for service in &self.services {
            self.check_service(service)?;
            if !names.insert(&service.name) {
                let object = Object::Service(service.name.clone());
                return Err(Problem::new(object, "there are two services of this name"));
            }
            for address in &service.listeners {
                if let Some(other) = listeners.insert(address, &service.name) {
                    let object = Object::Listener(service.name.clone(), *address);
                    let message = format!("service {other} listens there already");
                    return Err(Problem::new(object, message).word(address.to_string()));
                }
            }
        }
        Ok(())
    }

    fn check_service(&self, service: &Service) -> Result<(), Problem> {
        let object = || Object::Service(service.name.clone());
        if let Some(fault) = name_fault(&service.name) {
            return Err(Problem::new(object(), fault).word(&service.name));
        }
        if service.listeners.is_empty() {
            return Err(Problem::new(object(), "it listens nowhere"));
        }
        if service.listeners.len() > uapi::LISTENERS_MAX {
            let message = format!("more than {} listeners", uapi::LISTENERS_MAX);
            return Err(Problem::new(object(), message));
        }
        if service.listeners.iter().any(|a| a.port() == 0) {
            return Err(Problem::new(object(), "port 0 cannot be listened at"));
        }
        for setting in Setting::ALL {
            let (least, greatest) = setting.range();
            let value = service.settings.get(setting);
            if !(least..=greatest).contains(&value) {
                let message = format!("{value} is not from {least} to {greatest}");
                return Err(Problem::new(object(), message).word(setting.word()));
            }
        }
        if let Some(pool) = &service.pool {
            if self.pool(pool).is_none() {
                return Err(Problem::new(object(), "there is no such pool").word(pool));
            }
        }
        if service.rules.len() > uapi::RULES_MAX {
            let message = format!("more than {} rules", uapi::RULES_MAX);
            return Err(Problem::new(object(), message));
        }
        // Looked up by hash: there may be thousands of rules, and pools.
        let pools: HashMap<&str, &Pool> = self.pools.iter().map(|p| (&*p.name, p)).collect();
        let mut ids = HashSet::new();
        for (index, rule) in service.rules.iter().enumerate() {
            let object = || Object::Rule(service.name.clone(), index + 1);
            if rule.id != 0 && !ids.insert(rule.id) {
                let problem = Problem::new(object(), "another rule has this id");
                return Err(problem.word(rule.id.to_string()));
            }
            check_conditions(rule, object)?;
            check_action(rule, &pools, object)?;
        }
        Ok(())
    }
}

fn check_pool(pool: &Pool) -> Result<(), Problem> {
    let object = || Object::Pool(pool.name.clone());
    if let Some(fault) = name_fault(&pool.name) {
        return Err(Problem::new(object(), fault).word(&pool.name));
    }
    if let Some(affinity) = &pool.affinity {
        if let Some(fault) = token_fault(&affinity.cookie) {
            return Err(Problem::new(object(), fault).word(&affinity.cookie));
        }
    }
    if pool.servers.len() > uapi::SERVERS_MAX {
        let message = format!("more than {} servers", uapi::SERVERS_MAX);
        return Err(Problem::new(object(), message));
    }
    let mut addresses = HashSet::new();
    for server in &pool.servers {
        let object = || Object::Server(pool.name.clone(), server.address);
        if server.address.port() == 0 {
            return Err(Problem::new(object(), "a server needs a port"));
        }
        if server.weight > uapi::WEIGHT_MAX {
            let message = format!("a weight is from 0 to {}", uapi::WEIGHT_MAX);
            return Err(Problem::new(object(), message).word(server.weight.to_string()));
        }
        if !addresses.insert(server.address) {
            let message = "the pool has this server already";
            return Err(Problem::new(object(), message).word(server.address.to_string()));
        }
    }
    Ok(())
}

fn check_conditions(rule: &Rule, object: impl Fn() -> Object) -> Result<(), Problem> {
    if rule.conditions.len() > uapi::CONDITIONS_MAX {
        let message = format!("more than {} conditions", uapi::CONDITIONS_MAX);
        return Err(Problem::new(object(), message));
    }
    for condition in &rule.conditions {
        if let Some(name) = condition.subject.name() {
            if let Some(fault) = token_fault(name) {
                return Err(Problem::new(object(), fault).word(name));
            }
        }
        if let Some(fault) = condition_fault(condition) {
            let word = String::from_utf8_lossy(&condition.value);
            return Err(Problem::new(object(), fault).word(word));
        }
    }
    // What the attributes around each value take at most.
    const ROOM: usize = 512;
    const ROOM_EACH: usize = uapi::TOKEN_LEN + 64;
    let values: usize = rule
        .conditions
        .iter()
        .map(|c| c.value.len() + ROOM_EACH)
        .sum();
    let location = match &rule.action {
        Action::Redirect { location, .. } => location.len(),
        _ => 0,
    };
    if values + location + ROOM > uapi::RULE_LEN_MAX {
        let message = format!("the rule is longer than {} bytes", uapi::RULE_LEN_MAX);
        return Err(Problem::new(object(), message));
    }
    Ok(())
}

fn check_action(
    rule: &Rule,
    pools: &HashMap<&str, &Pool>,
    object: impl Fn() -> Object,
) -> Result<(), Problem> {
    let problem = |word: String, message: &str| Err(Problem::new(object(), message).word(word));
    if let Some(name) = rule.action.pool() {
        let Some(pool) = pools.get(name) else {
            return problem(name.to_owned(), "there is no such pool");
        };
        if let Action::Server { address, .. } = &rule.action {
            if pool.server(address).is_none() {
                return problem(
                    address.to_string(),
                    &format!("pool {name} has no such server"),
                );
            }
        }
    }
    let regex = |c: &Condition| c.operator == Operator::Regex && !c.not;
    match &rule.action {
        Action::Pool {
            capture: Some(group),
            ..
        } => {
            if *group > uapi::CAPTURE_MAX {
                let message = format!("a group's number is at most {}", uapi::CAPTURE_MAX);
                return problem(group.to_string(), &message);
            }
            if !rule.conditions.iter().any(regex) {
                let message = "nothing captures: the rule has no regular expression that must hold";
                return problem(format!("capture {group}"), message);
            }
        }
        Action::Redirect { status, location } => {
            if ![301, 302, 303, 307, 308].contains(status) {
                let message = "a redirection is 301, 302, 303, 307 or 308";
                return problem(status.to_string(), message);
            }
            if let Some(fault) = location_fault(location) {
                return problem(location.clone(), &fault);
            }
        }
        Action::Status(status) if !(200..600).contains(status) => {
            return problem(status.to_string(), "a status is from 200 to 599");
        }
        _ => {}
    }
    Ok(())
}
