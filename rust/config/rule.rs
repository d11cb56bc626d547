// SPDX-License-Identifier: GPL-2.0

//! Rules: what becomes of which requests.

use super::{
    name,
    ActionSpec,
    ConditionSpec,
    DataPath,
    Name,
    Pool,
    RuleSpec,
    Server,
    Stats, //
};
use core::{
    net::SocketAddr,
    ops::Deref, //
};
use kernel::{
    prelude::*,
    sync::Arc, //
};

/// A condition, kept to be shown.
pub(crate) struct Condition {
    subject: u32,
    operator: u32,
    not: bool,
    name: Option<KVec<u8>>,
    value: KVec<u8>,
}

impl Condition {
    fn new(spec: &ConditionSpec<'_>) -> Result<Self> {
        Ok(Self {
            subject: spec.subject,
            operator: spec.operator,
            not: spec.not,
            name: spec.name.map(copy).transpose()?,
            value: copy(spec.value)?,
        })
    }

    /// As it was given.
    pub(crate) fn spec(&self) -> ConditionSpec<'_> {
        ConditionSpec {
            subject: self.subject,
            operator: self.operator,
            name: self.name.as_deref(),
            value: &self.value,
            not: self.not,
        }
    }
}

fn copy(bytes: &[u8]) -> Result<KVec<u8>> {
    let mut copy = KVec::new();

    copy.extend_from_slice(bytes, GFP_KERNEL_ACCOUNT)?;
    Ok(copy)
}

/// An action by the names that it was given with.
enum Named {
    Pool(Name),
    Server(Name, SocketAddr),
    Redirect { status: u16, location: KVec<u8> },
    Status(u16),
}

impl Named {
    fn new(spec: &ActionSpec<'_>) -> Result<Self> {
        Ok(match *spec {
            ActionSpec::Pool(pool) => Self::Pool(name(pool)),
            ActionSpec::Server(pool, addr) => Self::Server(name(pool), addr),
            ActionSpec::Redirect { status, location } => Self::Redirect {
                status,
                location: copy(location)?,
            },
            ActionSpec::Status(status) => Self::Status(status),
        })
    }
}

/// What of a rule stays the same over snapshots.
pub(crate) struct Text {
    /// What its counters are kept by.
    pub(crate) id: u32,
    /// All must hold.
    pub(crate) conditions: KVec<Condition>,
    /// The group whose match the server is chosen by.
    pub(crate) capture: Option<u32>,
    /// Its counters.
    pub(crate) stats: Arc<Stats>,
    action: Named,
}

impl Text {
    /// The rule of `spec`, which goes on with `stats` or begins with new ones.
    pub(super) fn new(spec: &RuleSpec<'_>, stats: Option<Arc<Stats>>) -> Result<Arc<Self>> {
        let mut conditions = KVec::with_capacity(spec.conditions.len(), GFP_KERNEL_ACCOUNT)?;

        for condition in &spec.conditions {
            conditions.push(Condition::new(condition)?, GFP_KERNEL_ACCOUNT)?;
        }
        let text = Self {
            id: spec.id,
            conditions,
            capture: spec.capture,
            stats: match stats {
                Some(stats) => stats,
                None => Stats::new()?,
            },
            action: Named::new(&spec.action)?,
        };

        Ok(Arc::new(text, GFP_KERNEL_ACCOUNT)?)
    }

    /// The action as it was given.
    pub(crate) fn action_spec(&self) -> ActionSpec<'_> {
        match &self.action {
            Named::Pool(pool) => ActionSpec::Pool(pool.as_slice()),
            Named::Server(pool, addr) => ActionSpec::Server(pool.as_slice(), *addr),
            Named::Redirect { status, location } => ActionSpec::Redirect {
                status: *status,
                location,
            },
            Named::Status(status) => ActionSpec::Status(*status),
        }
    }
}

/// What becomes of a request.
pub(crate) enum Action<D: DataPath> {
    /// A server of the pool.
    Pool(Arc<Pool<D>>),
    /// One server of the pool.
    Server(Arc<Pool<D>>, Arc<Server<D>>),
    /// A redirection: [`Rule::redirect`] has the words.
    Redirect,
    /// An answer with this status.
    Status(u16),
}

/// A rule as it is in one snapshot.
pub(crate) struct Rule<D: DataPath> {
    text: Arc<Text>,
    /// What becomes of a request that it matches.
    pub(crate) action: Action<D>,
}

impl<D: DataPath> Rule<D> {
    /// The rule of `text`, whose names have been found to mean `action`.
    pub(super) fn new(text: Arc<Text>, action: Action<D>) -> Self {
        Self { text, action }
    }

    /// What it was made of.
    pub(super) fn text(&self) -> &Arc<Text> {
        &self.text
    }

    /// The status and the location of a redirection.
    pub(crate) fn redirect(&self) -> Option<(u16, &[u8])> {
        match self.text.action_spec() {
            ActionSpec::Redirect { status, location } => Some((status, location)),
            _ => None,
        }
    }
}

impl<D: DataPath> Deref for Rule<D> {
    type Target = Text;

    fn deref(&self) -> &Text {
        &self.text
    }
}
