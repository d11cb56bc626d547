// SPDX-License-Identifier: GPL-2.0

//! The command line and the configuration file of KTCPVS, which came before.
//!
//! A `virtual` of its world is a service and a pool of the same name. A rule leads to one server
//! of the pool; when several servers are added with one pattern, or a server is chosen by what
//! the pattern matched, they are a pool of their own, named after the service and the rule's id.

mod address;
mod file;
mod options;
mod virtuals;

#[cfg(test)]
mod tests;

use crate::commands::{
    change,
    edit,
    find_service, //
};
use crate::failure::{
    refused,
    Failure, //
};
use crate::output;
use ktcpvs_netlink::{
    Client,
    Config,
    Op, //
};
use options::{
    Command,
    Options, //
};
use std::ffi::OsString;
use std::path::Path;
use virtuals::Virtual;

/// Whether a command line is one of KTCPVS: it begins with an option.
pub(crate) fn speaks(arguments: &[OsString]) -> bool {
    let Some(first) = arguments.get(1) else {
        return false;
    };
    let own = ["-h", "--help", "-V", "--version"];
    first.as_encoded_bytes().starts_with(b"-") && !own.iter().any(|own| first == own)
}

/// Runs a command line of KTCPVS.
///
/// # Errors
///
/// Why it was not done.
pub(crate) fn run(arguments: &[OsString]) -> Result<(), Failure> {
    let options = Options::read(arguments.get(1..).unwrap_or(&[]))?;
    match options.command {
        Command::Flush => change(&Op::Flush),
        Command::List => list(options.ident.as_deref()),
        Command::Load => load(Path::new(options.file())),
        _ => edit(|config| perform(config, &options)),
    }
}

/// Does to a configuration what a command asks for.
fn perform(config: &mut Config, options: &Options) -> Result<(), Failure> {
    match options.command {
        Command::AddService => {
            let ident = options.ident();
            if config.service(ident).is_some() || config.pool(ident).is_some() {
                return refused(format!("there is a service or pool '{ident}' already"));
            }
            let mut new = Virtual::new(ident);
            new.set_listen(options.listen.as_deref(), options.port.as_deref())?;
            new.set_scheduler(options.scheduler.as_deref().unwrap_or("wlc"))?;
            new.store(config)
        }
        Command::EditService => with(config, options, |edited| {
            if options.listen.is_some() || options.port.is_some() {
                edited.set_listen(options.listen.as_deref(), options.port.as_deref())?;
            }
            match &options.scheduler {
                Some(scheduler) => edited.set_scheduler(scheduler),
                None => Ok(()),
            }
        }),
        Command::DeleteService => Virtual::load(config, options.ident())?.delete(config),
        Command::AddServer => with(config, options, |edited| {
            let address = edited.address(options.server())?;
            edited.add_server(address, options.weight.unwrap_or(1))
        }),
        Command::EditServer => with(config, options, |edited| {
            let address = edited.address(options.server())?;
            edited.set_server(&address, options.weight)
        }),
        Command::DeleteServer => with(config, options, |edited| {
            let address = edited.address(options.server())?;
            edited.delete_server(&address)
        }),
        Command::AddRule => with(config, options, |edited| {
            let address = edited.address(options.server())?;
            edited.add_rule(options.pattern(), options.group, address)
        }),
        Command::DeleteRule => with(config, options, |edited| {
            let address = edited.address(options.server())?;
            edited.delete_rule(options.pattern(), options.group, &address)
        }),
        Command::Start => enable(config, options, true),
        Command::Stop => enable(config, options, false),
        // Need no present configuration to change.
        Command::Flush | Command::List | Command::Load => Ok(()),
    }
}

fn with(
    config: &mut Config,
    options: &Options,
    change: impl FnOnce(&mut Virtual) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut edited = Virtual::load(config, options.ident())?;
    change(&mut edited)?;
    edited.store(config)
}

fn enable(config: &mut Config, options: &Options, enabled: bool) -> Result<(), Failure> {
    match &options.ident {
        Some(ident) => find_service(config, ident)?.enabled = enabled,
        None => config.services.iter_mut().for_each(|s| s.enabled = enabled),
    }
    Ok(())
}

fn list(ident: Option<&str>) -> Result<(), Failure> {
    let mut config = Client::open()?.get()?.config;
    if let Some(ident) = ident {
        find_service(&mut config, ident)?;
    }
    let wanted = |name: &str| ident.is_none_or(|ident| ident == name);
    let services = config.services.iter().filter(|s| wanted(&s.name));
    let virtuals: Result<Vec<_>, _> = services.map(|s| Virtual::load(&config, &s.name)).collect();
    output::print(&file::Text(&virtuals?))
}

/// Takes over a file: each service in it replaces that of the same name.
fn load(path: &Path) -> Result<(), Failure> {
    let name = output::shown(path);
    let text = output::read(path)?;
    let read = file::read(&text, &name)?;
    let loaded = edit(|config| {
        read.iter()
            .try_for_each(|read| read.clone().replace(config))
    });
    loaded.map_err(|failure| match failure {
        Failure::Netlink(ktcpvs_netlink::Error::Config(problem)) => {
            Failure::Refused(format!("{name}: {problem}"))
        }
        other => other,
    })
}
