// SPDX-License-Identifier: GPL-2.0

//! `tcpvsadm`: administers the virtual services of ktcpvs.

mod ancestor;
mod cli;
mod commands;
mod compile;
mod failure;
mod output;
mod show;
mod text;

use clap::Parser;
use failure::Failure;
use std::ffi::OsString;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let result = if ancestor::speaks(&arguments) {
        ancestor::run(&arguments)
    } else {
        // Ends the program by itself when there is nothing to be run.
        commands::run(cli::Cli::parse_from(arguments).command)
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::BrokenPipe) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("tcpvsadm: {failure}");
            failure.status().into()
        }
    }
}
