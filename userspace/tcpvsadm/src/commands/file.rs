// SPDX-License-Identifier: GPL-2.0

//! Configuration files.

use super::edit;
use crate::compile;
use crate::failure::{
    refused,
    Failure, //
};
use crate::output;
use crate::text::read::Source;
use crate::text::write::Text;
use ktcpvs_netlink::{
    Client,
    Error,
    Problem, //
};
use std::path::Path;

/// Writes the configuration to a file or to standard output.
///
/// # Errors
///
/// Why it was not done.
pub(crate) fn save(file: Option<&Path>) -> Result<(), Failure> {
    let snapshot = Client::open()?.get()?;
    let text = Text(&snapshot.config);
    match file {
        Some(file) if file != Path::new("-") => output::save(file, &text),
        _ => output::print(&text),
    }
}

/// Replaces the configuration by a file's.
///
/// # Errors
///
/// Why it was not done.
pub(crate) fn apply(file: &Path) -> Result<(), Failure> {
    let source = read(file)?;
    let applied = edit(|config| {
        config.clone_from(&source.config);
        Ok(())
    });
    applied.map_err(|failure| match failure {
        Failure::Netlink(Error::Config(problem)) => at(file, &source, &problem),
        other => other,
    })
}

/// Checks a file as far as that is possible without the kernel.
///
/// # Errors
///
/// What is wrong with it.
pub(crate) fn check(file: &Path) -> Result<(), Failure> {
    let source = read(file)?;
    let config = &source.config;
    let checked = config.check().and_then(|()| {
        let mut services = config.services.iter().filter(|s| !s.rules.is_empty());
        services.try_for_each(|service| compile::program(service).map(drop))
    });
    checked.map_err(|problem| at(file, &source, &problem))
}

fn read(file: &Path) -> Result<Source, Failure> {
    let text = output::read(file)?;
    Source::read(&text).or_else(|fault| {
        let name = output::shown(file);
        refused(format!("{name}:{}: {}", fault.line, fault.message))
    })
}

/// A problem, at the line that it comes from.
fn at(file: &Path, source: &Source, problem: &Problem) -> Failure {
    let name = output::shown(file);
    Failure::Refused(match source.line(&problem.object) {
        Some(line) => format!("{name}:{line}: {problem}"),
        None => format!("{name}: {problem}"),
    })
}
