// SPDX-License-Identifier: GPL-2.0

//! Virtual services.

use super::edit;
use crate::cli::{
    Service as Command,
    ServiceOptions, //
};
use crate::failure::{
    refused,
    Failure, //
};
use ktcpvs_netlink::{
    Config,
    Service, //
};

/// Adds, changes or deletes a service.
///
/// # Errors
///
/// Why it was not done.
pub(crate) fn run(command: &Command) -> Result<(), Failure> {
    edit(|config| match command {
        Command::Add { name, options } => {
            if config.service(name).is_some() {
                return refused(format!("there is a service '{name}' already"));
            }
            let mut service = Service::new(name);
            set(&mut service, options);
            config.services.push(service);
            Ok(())
        }
        Command::Set { name, options } => {
            set(find(config, name)?, options);
            Ok(())
        }
        Command::Del { name } => {
            find(config, name)?;
            config.services.retain(|s| s.name != *name);
            Ok(())
        }
    })
}

/// The service of that name.
///
/// # Errors
///
/// When there is none.
pub(crate) fn find<'a>(config: &'a mut Config, name: &str) -> Result<&'a mut Service, Failure> {
    config
        .service_mut(name)
        .ok_or_else(|| Failure::Refused(format!("there is no service '{name}'")))
}

fn set(service: &mut Service, options: &ServiceOptions) {
    if !options.listen.is_empty() {
        service.listeners.clone_from(&options.listen);
    }
    if let Some(pool) = &options.pool {
        service.pool = Some(pool.clone());
    }
    if options.no_pool {
        service.pool = None;
    }
    service.enabled = options.enabled.unwrap_or(service.enabled);
    for (setting, value) in options.settings() {
        service.settings.set(setting, value);
    }
}
