// SPDX-License-Identifier: GPL-2.0

//! A configuration from text.

use super::rule::Builder;
use super::value;
use super::words::{
    self,
    shown,
    Word, //
};
use ktcpvs_netlink::{
    name_fault,
    Affinity,
    Config,
    Object,
    Pool,
    Scheduler,
    Server,
    Service,
    Setting, //
};
use std::collections::{
    HashMap,
    HashSet, //
};

/// The directives of which a block may have several.
const SEVERAL: [&str; 3] = ["listen", "server", "rule"];

/// What is wrong with a line.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Fault {
    /// The line's number, from 1.
    pub(crate) line: usize,
    /// What is wrong.
    pub(crate) message: String,
}

/// A configuration, and where each part of it was written.
#[derive(Debug, Default)]
pub(crate) struct Source {
    /// What is configured.
    pub(crate) config: Config,
    /// The lines.
    pub(crate) lines: HashMap<Object, usize>,
    /// Whether there was a limit: the default may be written as well.
    limited: bool,
}

/// The block that a line is in.
enum Block {
    Pool(Pool),
    Service(Service),
}

impl Source {
    /// Reads a whole file.
    ///
    /// # Errors
    ///
    /// The first line that makes no sense.
    pub(crate) fn read(text: &[u8]) -> Result<Self, Fault> {
        let mut source = Self::default();
        let mut block = None;
        let mut begun = 0;
        let mut seen: HashSet<Vec<u8>> = HashSet::new();
        for (index, line) in text.split(|b| *b == b'\n').enumerate() {
            let number = index + 1;
            let fault = |message| Fault {
                line: number,
                message,
            };
            let words = words::split(line).map_err(fault)?;
            let Some((first, rest)) = words.split_first() else {
                continue;
            };
            match block.as_mut() {
                None => {
                    begun = number;
                    seen.clear();
                    block = source.begin(first, rest, number).map_err(fault)?;
                }
                Some(_) if first.is("}") && rest.is_empty() => {
                    source.end(block.take());
                }
                Some(_)
                    if !SEVERAL.iter().any(|w| first.is(w))
                        && !seen.insert(first.bytes.clone()) =>
                {
                    return Err(fault(twice(first)));
                }
                Some(Block::Pool(pool)) => {
                    let object = pool_line(pool, first, rest).map_err(fault)?;
                    source.note(object, number);
                }
                Some(Block::Service(service)) => {
                    let objects = service_line(service, first, rest).map_err(fault)?;
                    for object in objects {
                        source.note(Some(object), number);
                    }
                }
            }
        }
        match block {
            None => Ok(source),
            Some(_) => Err(Fault {
                line: begun,
                message: "no line '}' ends what begins here".to_owned(),
            }),
        }
    }

    /// The line that an object was written in, or what it belongs to.
    pub(crate) fn line(&self, object: &Object) -> Option<usize> {
        let whole = match object {
            Object::Server(pool, _) => Object::Pool(pool.clone()),
            Object::Listener(service, _) | Object::Rule(service, _) => {
                Object::Service(service.clone())
            }
            other => other.clone(),
        };
        let line = self.lines.get(object).or_else(|| self.lines.get(&whole));
        line.copied()
    }

    fn note(&mut self, object: Option<Object>, line: usize) {
        if let Some(object) = object {
            self.lines.insert(object, line);
        }
    }

    fn begin(&mut self, first: &Word, rest: &[Word], line: usize) -> Result<Option<Block>, String> {
        let kind = text(first)?;
        match kind {
            "mem-limit" => {
                self.config.mem_limit = value(one(kind, rest)?, value::limit)?;
                return match std::mem::replace(&mut self.limited, true) {
                    true => Err(twice(first)),
                    false => Ok(None),
                };
            }
            "pool" | "service" => {}
            _ => {
                let word = shown(&first.bytes);
                return Err(format!(
                    "'mem-limit', 'pool' or 'service' expected, not {word}"
                ));
            }
        }
        let (name, rest) = rest
            .split_first()
            .ok_or_else(|| format!("'{kind}' needs a name"))?;
        let name = name_of(name)?;
        let closed = match rest {
            [open] if open.is("{") => false,
            [open, close] if open.is("{") && close.is("}") => true,
            [] => return Err(format!("'{{' expected after '{name}'")),
            [word, ..] if word.is("{") => return Err(stray(&rest[1])),
            [word, ..] => return Err(format!("'{{' expected, not {}", shown(&word.bytes))),
        };
        let taken = || Err(format!("there is a {kind} '{name}' already"));
        let block = if kind == "pool" {
            if self.config.pool(name).is_some() {
                return taken();
            }
            self.note(Some(Object::Pool(name.to_owned())), line);
            Block::Pool(Pool::new(name))
        } else {
            if self.config.service(name).is_some() {
                return taken();
            }
            self.note(Some(Object::Service(name.to_owned())), line);
            Block::Service(Service::new(name))
        };
        if closed {
            self.end(Some(block));
            return Ok(None);
        }
        Ok(Some(block))
    }

    fn end(&mut self, block: Option<Block>) {
        match block {
            Some(Block::Pool(pool)) => self.config.pools.push(pool),
            Some(Block::Service(service)) => self.config.services.push(service),
            None => {}
        }
    }
}

fn text(word: &Word) -> Result<&str, String> {
    std::str::from_utf8(&word.bytes).map_err(|_| format!("{} is not UTF-8", shown(&word.bytes)))
}

fn name_of(word: &Word) -> Result<&str, String> {
    let name = text(word)?;
    match name_fault(name) {
        None => Ok(name),
        Some(fault) => Err(format!("{}: {fault}", shown(&word.bytes))),
    }
}

fn twice(directive: &Word) -> String {
    format!("{} is given twice", shown(&directive.bytes))
}

fn stray(word: &Word) -> String {
    format!("unexpected {}", shown(&word.bytes))
}

/// Takes one word for a directive.
fn one<'a>(directive: &str, rest: &'a [Word]) -> Result<&'a Word, String> {
    match rest {
        [word] => Ok(word),
        [] => Err(format!("'{directive}' needs a value")),
        [_, word, ..] => Err(stray(word)),
    }
}

/// Reads a word's value; what is wrong with it follows the word.
fn value<T>(word: &Word, read: impl FnOnce(&str) -> Result<T, String>) -> Result<T, String> {
    read(text(word)?).map_err(|fault| format!("{} {fault}", shown(&word.bytes)))
}

/// Takes a line of a pool, and tells the server it is about.
fn pool_line(pool: &mut Pool, first: &Word, rest: &[Word]) -> Result<Option<Object>, String> {
    let directive = text(first)?;
    match directive {
        "scheduler" => {
            pool.scheduler = value(one(directive, rest)?, |name| {
                Scheduler::from_name(name).ok_or_else(|| "is not a scheduler".to_owned())
            })?;
            Ok(None)
        }
        "cookie" => {
            let (name, rest) = rest.split_first().ok_or("'cookie' needs a name")?;
            let key = match rest {
                [] => None,
                [word, rest @ ..] if word.is("key") => Some(value(one("key", rest)?, value::key)?),
                [word, ..] => return Err(stray(word)),
            };
            let cookie = value(name, |name| {
                ktcpvs_netlink::token_fault(name).map_or(Ok(name.to_owned()), Err)
            })?;
            pool.affinity = Some(Affinity { cookie, key });
            Ok(None)
        }
        "server" => {
            let (address, rest) = rest.split_first().ok_or("'server' needs an address")?;
            let weight = match rest {
                [] => 1,
                [word, rest @ ..] if word.is("weight") => {
                    value(one("weight", rest)?, value::number)?
                }
                [word, ..] => return Err(stray(word)),
            };
            let address = value(address, value::address)?;
            if pool.server(&address).is_some() {
                return Err(format!("the pool has a server '{address}' already"));
            }
            pool.servers.push(Server { address, weight });
            Ok(Some(Object::Server(pool.name.clone(), address)))
        }
        _ => Err(format!("unknown word {} in a pool", shown(&first.bytes))),
    }
}

/// Takes a line of a service, and tells the listeners or the rule that it is about.
fn service_line(service: &mut Service, first: &Word, rest: &[Word]) -> Result<Vec<Object>, String> {
    let directive = text(first)?;
    match directive {
        "listen" => {
            one(directive, &rest[..rest.len().min(1)])?;
            let mut objects = Vec::new();
            for word in rest {
                let address = value(word, value::address)?;
                if service.listeners.contains(&address) {
                    return Err(format!("the service listens at '{address}' already"));
                }
                service.listeners.push(address);
                objects.push(Object::Listener(service.name.clone(), address));
            }
            return Ok(objects);
        }
        "pool" => service.pool = Some(name_of(one(directive, rest)?)?.to_owned()),
        "enabled" => service.enabled = value(one(directive, rest)?, value::switch)?,
        "rule" => {
            let mut builder = Builder::default();
            for pair in rest.chunks(2) {
                let keyword = text(&pair[0])?;
                match pair.get(1) {
                    Some(word) => builder.take(keyword, &word.bytes)?,
                    None => return Err(format!("'{keyword}' needs a value")),
                }
            }
            service.rules.push(builder.finish()?);
            let position = service.rules.len();
            return Ok(vec![Object::Rule(service.name.clone(), position)]);
        }
        _ => {
            let setting = Setting::from_word(directive);
            let setting = setting
                .ok_or_else(|| format!("unknown word {} in a service", shown(&first.bytes)))?;
            let new = value(one(directive, rest)?, |text| value::setting(setting, text))?;
            service.settings.set(setting, new);
        }
    }
    Ok(Vec::new())
}
