// SPDX-License-Identifier: GPL-2.0

//! Changing virtual services and their rules.

use super::{
    exists,
    missing,
    pool::Names,
    too_many,
    Draft,
    Entry,
    Leaving,
    OBJECTS_MAX, //
};
use crate::{
    config::{
        name,
        rule::Text,
        service::Compiled,
        Action,
        ActionSpec,
        DataPath,
        Name,
        Options,
        Pool,
        Refusal,
        Rule,
        RuleSpec,
        Service,
        ServiceSpec,
        Stats,
        Word, //
    },
    linux::errno,
    uapi, //
};
use core::{
    mem,
    net::SocketAddr, //
};
use kernel::{
    prelude::*,
    sync::Arc, //
};
use ktcpvs_core::order;

/// A virtual service being changed.
pub(super) struct ServiceEdit {
    name: Name,
    listeners: KVec<SocketAddr>,
    pool: Option<Name>,
    enabled: bool,
    options: Options,
    rules: KVVec<Arc<Text>>,
    compiled: Option<Arc<Compiled>>,
    stats: Arc<Stats>,
    /// Set when a new list of rules was begun.
    begun: Option<Begun>,
}

/// What there is to a new list of rules beside the rules.
struct Begun {
    words: KVVec<u32>,
    /// The counters of the old rules, in the order of their ids.
    counters: KVVec<(u32, Arc<Stats>)>,
}

impl<D: DataPath> Entry<Service<D>, ServiceEdit> {
    /// The name.
    pub(super) fn name(&self) -> &[u8] {
        match self {
            Self::Same(service) => service.name(),
            Self::New(edit) => edit.name.as_slice(),
        }
    }
}

impl<D: DataPath> Draft<D> {
    /// The service of that name, to be changed.
    pub(super) fn service(&mut self, name: &[u8]) -> Result<&mut ServiceEdit, Refusal> {
        let entry = self.services.iter_mut().find(|s| s.name() == name);
        let entry = entry.ok_or_else(|| missing("service", name))?;

        if let Entry::Same(service) = entry {
            *entry = Entry::New(ServiceEdit::of(service)?);
        }
        match entry {
            Entry::New(edit) => Ok(edit),
            Entry::Same(_) => Err(missing("service", name)),
        }
    }

    /// Adds a service.
    #[inline(never)]
    pub(super) fn add_service(&mut self, spec: ServiceSpec<'_>) -> Result<(), Refusal> {
        if self.services.iter().any(|s| s.name() == spec.name) {
            return Err(exists("service", spec.name));
        }
        if self.services.len() >= OBJECTS_MAX {
            return Err(too_many("services", OBJECTS_MAX));
        }
        let mut edit = KBox::init(
            try_init!(ServiceEdit {
                name: name(spec.name),
                listeners: KVec::new(),
                pool: None,
                enabled: true,
                options: Options::default(),
                rules: KVVec::new(),
                compiled: None,
                stats: Stats::new()?,
                begun: None,
            }? Error),
            GFP_KERNEL_ACCOUNT,
        )?;

        edit.set(spec)?;
        Ok(self.services.push(Entry::New(edit), GFP_KERNEL_ACCOUNT)?)
    }

    /// Deletes a service.
    pub(super) fn delete_service(&mut self, name: &[u8]) -> Result<(), Refusal> {
        let place = self.services.iter().position(|s| s.name() == name);
        let place = place.ok_or_else(|| missing("service", name))?;

        drop(self.services.remove(place));
        Ok(())
    }
}

impl ServiceEdit {
    /// A copy of `service`.
    pub(super) fn of<D: DataPath>(service: &Service<D>) -> Result<KBox<Self>> {
        let mut rules = KVVec::with_capacity(service.rules.len(), GFP_KERNEL_ACCOUNT)?;
        let mut listeners = KVec::new();

        for rule in &service.rules {
            rules.push(rule.text().clone(), GFP_KERNEL_ACCOUNT)?;
        }
        listeners.extend_from_slice(service.listeners(), GFP_KERNEL_ACCOUNT)?;
        let pool = service.default_pool.as_ref();

        KBox::init(
            init!(Self {
                // A field hides a function of its name from those behind it.
                pool: pool.map(|pool| name(pool.name())),
                name: name(service.name()),
                listeners,
                enabled: service.enabled(),
                options: service.options,
                rules,
                compiled: service.compiled.clone(),
                stats: service.stats.clone(),
                begun: None,
            }),
            GFP_KERNEL_ACCOUNT,
        )
    }

    /// Changes what `spec` gives.
    pub(super) fn set(&mut self, spec: ServiceSpec<'_>) -> Result<(), Refusal> {
        self.options.set(&spec)?;
        if let Some(pool) = spec.pool {
            self.pool = (!pool.is_empty()).then(|| name(pool));
        }
        if let Some(listeners) = spec.listeners {
            self.listeners = listeners;
        }
        if self.listeners.len() > uapi::LISTENERS_MAX {
            return Err(too_many("listeners of a service", uapi::LISTENERS_MAX));
        }
        if self.listeners.is_empty() {
            return Err(self.refuse(EINVAL, "no listener"));
        }
        self.enabled = spec.enabled.unwrap_or(self.enabled);
        Ok(())
    }

    /// Begins a new list of rules.
    pub(super) fn begin_rules(&mut self) -> Result<(), Refusal> {
        let mut counters = match self.begun.take() {
            Some(begun) => begun.counters,
            None => KVVec::new(),
        };

        for rule in &self.rules {
            counters.push((rule.id, rule.stats.clone()), GFP_KERNEL_ACCOUNT)?;
        }
        order::sort_by_key(&mut counters, |(id, _)| *id);
        self.rules.clear();
        self.compiled = None;
        self.begun = Some(Begun {
            words: KVVec::new(),
            counters,
        });
        Ok(())
    }

    /// Appends a rule to the list begun.
    #[inline(never)]
    pub(super) fn add_rule(&mut self, spec: &RuleSpec<'_>) -> Result<(), Refusal> {
        let Some(begun) = &self.begun else {
            return Err(self.refuse(EINVAL, "rule-add without rules-set"));
        };
        let old = begun
            .counters
            .binary_search_by_key(&spec.id, |(id, _)| *id)
            .ok()
            .and_then(|place| begun.counters.get(place))
            .map(|(_, stats)| stats.clone());

        if self.rules.len() >= uapi::RULES_MAX {
            return Err(too_many("rules of a service", uapi::RULES_MAX));
        }
        Ok(self.rules.push(Text::new(spec, old)?, GFP_KERNEL_ACCOUNT)?)
    }

    /// Appends words to the program of the list begun.
    pub(super) fn add_program(&mut self, piece: &[u8]) -> Result<(), Refusal> {
        let Some(begun) = &mut self.begun else {
            return Err(self.refuse(EINVAL, "program-add without rules-set"));
        };
        let words = piece.chunks_exact(4);

        if !words.remainder().is_empty() {
            return Err(self.refuse(EINVAL, "a piece of a program is no multiple of 4 bytes"));
        }
        if (begun.words.len() + words.len()) * 4 > uapi::PROGRAM_LEN_MAX {
            return Err(too_many("bytes of a program", uapi::PROGRAM_LEN_MAX));
        }
        begun.words.reserve(words.len(), GFP_KERNEL_ACCOUNT)?;
        for word in words {
            let word = word.try_into().map_or(0, u32::from_ne_bytes);

            begun.words.push(word, GFP_KERNEL_ACCOUNT)?;
        }
        Ok(())
    }

    fn refuse(&self, errno: Error, why: &str) -> Refusal {
        Refusal::new(
            errno,
            format_args!("service {}: {why}", Word(self.name.as_slice())),
        )
    }

    /// Checks and verifies the list of rules, if a new one was begun.
    fn compile(&mut self) -> Result<(), Refusal> {
        let Some(Begun { words, .. }) = self.begun.take() else {
            return Ok(());
        };
        let mut ids = KVVec::with_capacity(self.rules.len(), GFP_KERNEL_ACCOUNT)?;

        for rule in &self.rules {
            ids.push(rule.id, GFP_KERNEL_ACCOUNT)?;
        }
        order::sort(&mut ids);
        let twice = ids.iter().zip(ids.iter().skip(1)).find(|(a, b)| a == b);

        if let Some((id, _)) = twice {
            return Err(Refusal::new(
                EEXIST,
                format_args!("service {}: two rules {id}", Word(self.name.as_slice())),
            ));
        }
        if self.rules.is_empty() != words.is_empty() {
            return Err(self.refuse(EINVAL, "rules and their program must come together"));
        }
        if !words.is_empty() {
            self.compiled = Compiled::new(words, self.rules.len())?;
            if self.compiled.is_none() {
                return Err(self.refuse(EINVAL, "the program of the rules is not valid"));
            }
        }
        Ok(())
    }

    /// The service as it is now, with the pools that its names mean.
    #[inline(never)]
    pub(super) fn finish<D: DataPath>(
        &mut self,
        names: &Names<'_, D>,
    ) -> Result<Arc<Service<D>>, Refusal> {
        self.compile()?;
        let default_pool = match &self.pool {
            Some(pool) => Some(self.pool(names, pool.as_slice())?),
            None => None,
        };
        let mut rules = KVVec::with_capacity(self.rules.len(), GFP_KERNEL_ACCOUNT)?;

        for text in &self.rules {
            let action = self.action(names, text)?;

            rules.push(Rule::new(text.clone(), action), GFP_KERNEL_ACCOUNT)?;
        }
        Ok(Arc::init(
            init!(Service {
                name: self.name,
                listeners: mem::take(&mut self.listeners),
                enabled: self.enabled,
                options: self.options,
                rules,
                compiled: self.compiled.take(),
                default_pool,
                stats: self.stats.clone(),
            }),
            GFP_KERNEL_ACCOUNT,
        )?)
    }

    fn pool<D: DataPath>(
        &self,
        names: &Names<'_, D>,
        pool: &[u8],
    ) -> Result<Arc<Pool<D>>, Refusal> {
        let service = Word(self.name.as_slice());

        names.get(pool).cloned().ok_or_else(|| {
            if names.deleted(pool) {
                return Refusal::new(
                    EBUSY,
                    format_args!("pool {} is in use by service {service}", Word(pool)),
                );
            }
            Refusal::new(
                ENOENT,
                format_args!(
                    "service {service} uses pool {}, which is not there",
                    Word(pool)
                ),
            )
        })
    }

    /// What the action of `text` means.
    fn action<D: DataPath>(&self, names: &Names<'_, D>, text: &Text) -> Result<Action<D>, Refusal> {
        Ok(match text.action_spec() {
            ActionSpec::Pool(pool) => Action::Pool(self.pool(names, pool)?),
            ActionSpec::Server(pool, addr) => {
                let pool = self.pool(names, pool)?;
                let Some(member) = pool.find(&addr) else {
                    return Err(Refusal::new(
                        ENOENT,
                        format_args!(
                            "service {}, rule {}: no server {addr} in pool {}",
                            Word(self.name.as_slice()),
                            text.id,
                            Word(pool.name())
                        ),
                    ));
                };
                let server = member.server.clone();

                Action::Server(pool, server)
            }
            ActionSpec::Redirect { .. } => Action::Redirect,
            ActionSpec::Status(status) => Action::Status(status),
        })
    }
}

/// Notes that the counters of a service and of its rules are to be set to zero.
pub(super) fn zero<D: DataPath>(
    leaving: &mut Leaving<D>,
    service: &Entry<Service<D>, ServiceEdit>,
) -> Result {
    match service {
        Entry::Same(service) => {
            leaving.zero(&service.stats)?;
            for rule in &service.rules {
                leaving.zero(&rule.stats)?;
            }
        }
        Entry::New(edit) => {
            leaving.zero(&edit.stats)?;
            for rule in &edit.rules {
                leaving.zero(&rule.stats)?;
            }
        }
    }
    Ok(())
}

/// Checks that no two listeners share an address.
pub(super) fn check_listeners<D: DataPath>(services: &[Arc<Service<D>>]) -> Result<(), Refusal> {
    let mut all = KVVec::new();

    for service in services {
        for addr in service.listeners() {
            all.push((*addr, service.name()), GFP_KERNEL_ACCOUNT)?;
        }
    }
    order::sort_by_key(&mut all, |(addr, _)| *addr);
    let mut last: Option<&(SocketAddr, &[u8])> = None;

    for this in &all {
        match last {
            Some(last) if last.0 == this.0 => {
                return Err(Refusal::new(
                    errno::address_in_use(),
                    format_args!(
                        "{} is a listener of both {} and {}",
                        this.0,
                        Word(last.1),
                        Word(this.1)
                    ),
                ));
            }
            _ => last = Some(this),
        }
    }
    Ok(())
}
