// SPDX-License-Identifier: GPL-2.0

//! Rules: what a request must be like, and what then becomes of it.

use crate::uapi;
use std::collections::{
    HashMap,
    HashSet,
    VecDeque, //
};
use std::net::SocketAddr;

/// What of a request a condition looks at.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Subject {
    /// The target's path, without the query.
    Path,
    /// The path and, if there is one, the question mark and the query.
    Url,
    /// The host without port, in lower case.
    Host,
    /// The method.
    Method,
    /// A header field by its name.
    Header(String),
    /// A cookie by its name.
    Cookie(String),
}

impl Subject {
    /// Its number in the interface.
    pub fn number(&self) -> u32 {
        match self {
            Self::Path => uapi::subject::PATH,
            Self::Url => uapi::subject::URL,
            Self::Host => uapi::subject::HOST,
            Self::Method => uapi::subject::METHOD,
            Self::Header(_) => uapi::subject::HEADER,
            Self::Cookie(_) => uapi::subject::COOKIE,
        }
    }

    /// Its word.
    pub fn word(&self) -> &'static str {
        crate::name_of(&uapi::subject::NAMES, self.number())
    }

    /// The name of the header field or cookie.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Header(name) | Self::Cookie(name) => Some(name),
            _ => None,
        }
    }

    /// The subject of that number, with the name if it takes one.
    pub fn from_number(number: u32, name: Option<String>) -> Option<Self> {
        Some(match (number, name) {
            (uapi::subject::PATH, None) => Self::Path,
            (uapi::subject::URL, None) => Self::Url,
            (uapi::subject::HOST, None) => Self::Host,
            (uapi::subject::METHOD, None) => Self::Method,
            (uapi::subject::HEADER, Some(name)) => Self::Header(name),
            (uapi::subject::COOKIE, Some(name)) => Self::Cookie(name),
            _ => return None,
        })
    }
}

/// How a condition compares.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Operator {
    /// Equal to the value.
    Exact,
    /// Begins with the value.
    Prefix,
    /// Ends with the value.
    Suffix,
    /// The regular expression matches somewhere.
    Regex,
    /// A host below a domain: `*.example.org`.
    Wildcard,
}

impl Operator {
    /// Every operator.
    pub const ALL: [Self; 5] = [
        Self::Exact,
        Self::Prefix,
        Self::Suffix,
        Self::Regex,
        Self::Wildcard,
    ];

    /// Its number in the interface.
    pub fn number(self) -> u32 {
        match self {
            Self::Exact => uapi::operator::EXACT,
            Self::Prefix => uapi::operator::PREFIX,
            Self::Suffix => uapi::operator::SUFFIX,
            Self::Regex => uapi::operator::REGEX,
            Self::Wildcard => uapi::operator::WILDCARD,
        }
    }

    /// Its word.
    pub fn word(self) -> &'static str {
        crate::name_of(&uapi::operator::NAMES, self.number())
    }

    /// The operator of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|o| o.word() == word)
    }

    /// The operator of that number.
    pub fn from_number(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|o| o.number() == number)
    }
}

/// A condition of a rule.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Condition {
    /// What of the request is compared.
    pub subject: Subject,
    /// How it is compared.
    pub operator: Operator,
    /// What it is compared with.
    pub value: Vec<u8>,
    /// The condition holds when the comparison does not.
    pub not: bool,
}

/// What becomes of a request.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Action {
    /// A server of the pool.
    Pool {
        /// The pool's name.
        pool: String,
        /// The server is chosen by what this group of the rule's first regular expression
        /// captured, not by the pool's scheduler.
        capture: Option<u32>,
    },
    /// One server of the pool.
    Server {
        /// The pool's name.
        pool: String,
        /// The server's address.
        address: SocketAddr,
    },
    /// A redirection.
    Redirect {
        /// 301, 302, 303, 307 or 308.
        status: u32,
        /// Where to.
        location: String,
    },
    /// An answer with nothing but the status.
    Status(u32),
}

impl Action {
    /// The name of the pool it uses.
    pub fn pool(&self) -> Option<&str> {
        match self {
            Self::Pool { pool, .. } | Self::Server { pool, .. } => Some(pool),
            _ => None,
        }
    }
}

/// A rule of a service.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Rule {
    /// Its identity, which its counters go by; 0 while it has none.
    pub id: u32,
    /// All must hold.
    pub conditions: Vec<Condition>,
    /// What becomes of the request.
    pub action: Action,
}

impl Rule {
    /// Whether it asks for the same as another, whatever their ids.
    pub fn same(&self, other: &Self) -> bool {
        self.conditions == other.conditions && self.action == other.action
    }
}

/// Gives an id to each rule that has none: that of the same rule before, or a new one.
///
/// The same rule may stand in a list twice: each is taken once, in order.
pub(super) fn adopt_ids(rules: &mut [Rule], before: &[Rule]) {
    let mut taken: HashSet<u32> = rules.iter().map(|r| r.id).collect();
    // By hash: there may be thousands.
    let mut same: HashMap<(&[Condition], &Action), VecDeque<u32>> = HashMap::new();
    for old in before.iter().filter(|b| !taken.contains(&b.id)) {
        let ids = same.entry((&old.conditions, &old.action)).or_default();
        ids.push_back(old.id);
    }
    for rule in rules.iter_mut().filter(|r| r.id == 0) {
        let ids = same.get_mut(&(&*rule.conditions, &rule.action));
        if let Some(id) = ids.and_then(VecDeque::pop_front) {
            rule.id = id;
            taken.insert(id);
        }
    }
    // A new id is none that was in use, or the rule would inherit the counters of another.
    taken.extend(before.iter().map(|b| b.id));
    let mut next = taken.iter().max().map_or(1, |id| id.wrapping_add(1));
    for rule in rules.iter_mut().filter(|r| r.id == 0) {
        while next == 0 || taken.contains(&next) {
            next = next.wrapping_add(1);
        }
        rule.id = next;
        taken.insert(next);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(id: u32, status: u32) -> Rule {
        Rule {
            id,
            conditions: Vec::new(),
            action: Action::Status(status),
        }
    }

    fn adopted(mut rules: Vec<Rule>, before: &[Rule]) -> Vec<u32> {
        adopt_ids(&mut rules, before);
        rules.iter().map(|r| r.id).collect()
    }

    #[test]
    fn the_same_rules_keep_their_ids() {
        let before = [rule(5, 200), rule(7, 404), rule(6, 200)];
        let new = vec![rule(0, 404), rule(0, 403), rule(0, 200), rule(0, 200)];
        assert_eq!(adopted(new, &before), [7, 8, 5, 6]);
        assert_eq!(adopted(vec![rule(0, 200), rule(7, 200)], &before), [5, 7]);
        assert_eq!(adopted(vec![rule(0, 200); 3], &before), [5, 6, 8]);
    }

    #[test]
    fn ids_wrap_around() {
        let before = [rule(u32::MAX, 200), rule(1, 201)];
        assert_eq!(adopted(vec![rule(0, 404)], &before), [2]);
    }
}
