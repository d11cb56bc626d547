// SPDX-License-Identifier: GPL-2.0

//! The command line of KTCPVS.

use crate::failure::Failure;
use std::ffi::OsString;

/// Whether a command line is one of KTCPVS: it begins with an option.
pub(crate) fn speaks(arguments: &[OsString]) -> bool {
    let Some(first) = arguments.get(1) else {
        return false;
    };
    first.as_encoded_bytes().starts_with(b"-")
        && !["-h", "--help", "-V", "--version"]
            .iter()
            .any(|own| first == own)
}

pub(crate) fn run(_arguments: &[OsString]) -> Result<(), Failure> {
    crate::failure::usage("not yet")
}
