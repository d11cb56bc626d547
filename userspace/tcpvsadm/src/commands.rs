// SPDX-License-Identifier: GPL-2.0

//! What the long forms do.

mod file;
mod pool;
mod rule;
mod service;

pub(crate) use service::find as find_service;

use crate::cli::{
    Command,
    Zeroed, //
};
use crate::compile;
use crate::failure::Failure;
use crate::show;
use ktcpvs_netlink::{
    Client,
    Config,
    Op,
    Scope, //
};

/// Runs a command.
///
/// # Errors
///
/// Why it was not done.
pub(crate) fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Service(command) => service::run(&command),
        Command::Pool(command) => pool::run(&command),
        Command::Server(command) => pool::run_server(&command),
        Command::Rule(command) => rule::run(&command),
        Command::Set { mem_limit } => edit(|config| {
            config.mem_limit = mem_limit;
            Ok(())
        }),
        Command::Show { what, name, json } => show::run(what, name.as_deref(), json),
        Command::Save { file } => file::save(file.as_deref()),
        Command::Apply { file } => file::apply(&file),
        Command::Check { file } => file::check(&file),
        Command::Zero { what, name } => {
            let name = name.unwrap_or_default();
            change(&Op::Zero(match what {
                None => Scope::All,
                Some(Zeroed::Service) => Scope::Service(name),
                Some(Zeroed::Pool) => Scope::Pool(name),
            }))
        }
        Command::Flush => change(&Op::Flush),
    }
}

/// Takes one step, whatever the configuration is.
pub(crate) fn change(op: &Op) -> Result<(), Failure> {
    Ok(Client::open()?.change(std::slice::from_ref(op), None)?)
}

/// Changes the present configuration.
pub(crate) fn edit(change: impl FnMut(&mut Config) -> Result<(), Failure>) -> Result<(), Failure> {
    Client::open()?.edit(&compile::program, change).map(drop)
}
