// SPDX-License-Identifier: GPL-2.0

//! Rules of a service.

use super::{
    edit,
    find_service, //
};
use crate::cli::Rule as Command;
use crate::failure::{
    refused,
    usage,
    Failure, //
};
use crate::text::rule::{
    Builder,
    HELP, //
};
use crate::text::value;
use crate::text::words::shown;
use ktcpvs_netlink::{
    Rule,
    Service, //
};
use std::ffi::{
    OsStr,
    OsString, //
};
use std::os::unix::ffi::OsStrExt;

/// Adds, changes, deletes or moves a rule.
///
/// # Errors
///
/// Why it was not done.
pub(crate) fn run(command: &Command) -> Result<(), Failure> {
    match command {
        Command::Add { service, words } => {
            let Some(words) = read(words)? else {
                return help("add SERVICE [--id N] [--before N]");
            };
            edit(|config| {
                let service = find_service(config, service)?;
                let rule = words.rule.clone();
                if rule.id != 0 && service.rules.iter().any(|r| r.id == rule.id) {
                    return refused(format!(
                        "service '{}' has a rule '{}' already",
                        service.name, rule.id
                    ));
                }
                let place = before(service, words.before)?;
                service.rules.insert(place, rule);
                Ok(())
            })
        }
        Command::Set { service, words } => {
            let Some(words) = read(words)? else {
                return help("set SERVICE --id N");
            };
            if words.rule.id == 0 || words.before.is_some() {
                return usage("'rule set' needs '--id', and takes no '--before'");
            }
            edit(|config| {
                let service = find_service(config, service)?;
                let place = position(service, words.rule.id)?;
                service.rules[place] = words.rule.clone();
                Ok(())
            })
        }
        Command::Del { service, id } => edit(|config| {
            let service = find_service(config, service)?;
            let place = position(service, *id)?;
            service.rules.remove(place);
            Ok(())
        }),
        Command::Move {
            service,
            id,
            before: other,
        } => edit(|config| {
            let service = find_service(config, service)?;
            if Some(*id) == *other {
                position(service, *id)?;
                return Ok(());
            }
            let place = position(service, *id)?;
            let rule = service.rules.remove(place);
            let place = before(service, *other)?;
            service.rules.insert(place, rule);
            Ok(())
        }),
    }
}

fn position(service: &Service, id: u32) -> Result<usize, Failure> {
    let place = service.rules.iter().position(|r| r.id == id);
    place.ok_or_else(|| Failure::Refused(format!("service '{}' has no rule '{id}'", service.name)))
}

/// The place before a rule, or the end.
fn before(service: &Service, id: Option<u32>) -> Result<usize, Failure> {
    id.map_or(Ok(service.rules.len()), |id| position(service, id))
}

fn help(usage: &str) -> Result<(), Failure> {
    crate::output::print(&format_args!(
        "Usage: tcpvsadm rule {usage} CONDITIONS ACTION\n\n{HELP}\n"
    ))
}

/// The words of a rule on the command line.
struct Words {
    rule: Rule,
    before: Option<u32>,
}

/// Reads the words: as in a file, but each keyword begins with `--`. `None` asks for help.
fn read(arguments: &[OsString]) -> Result<Option<Words>, Failure> {
    let mut builder = Builder::default();
    let mut before = None;
    let mut arguments = arguments.iter().map(|a| a.as_bytes());
    while let Some(argument) = arguments.next() {
        if [&b"--help"[..], b"-h"].contains(&argument) {
            return Ok(None);
        }
        let option = argument
            .strip_prefix(b"--")
            .ok_or_else(|| Failure::Usage(format!("unexpected word {}", shown(argument))))?;
        let end = option.iter().position(|b| *b == b'=');
        let (keyword, value) = match end {
            Some(end) => (&option[..end], Some(&option[end + 1..])),
            None => (option, None),
        };
        let keyword = OsStr::from_bytes(keyword).to_string_lossy();
        let value = value.or_else(|| arguments.next());
        let value = value.ok_or_else(|| Failure::Usage(format!("'--{keyword}' needs a value")))?;
        if keyword == "before" {
            let id = String::from_utf8_lossy(value);
            let id = value::number(&id)
                .map_err(|fault| Failure::Usage(format!("--before {} {fault}", shown(value))))?;
            before = Some(id);
        } else {
            let taken = builder.take(&keyword, value);
            taken.map_err(|fault| Failure::Usage(format!("rule: {fault}")))?;
        }
    }
    match builder.finish() {
        Ok(rule) => Ok(Some(Words { rule, before })),
        Err(fault) => usage(format!("rule: {fault}")),
    }
}
