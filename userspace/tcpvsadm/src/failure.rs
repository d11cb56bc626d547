// SPDX-License-Identifier: GPL-2.0

//! Why a command did not do what it was asked.

use ktcpvs_netlink::{
    Error,
    Problem, //
};
use std::fmt;

/// Why, which decides the exit status.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command line makes no sense.
    Usage(String),
    /// What was asked for is not possible.
    Refused(String),
    /// The configuration has a mistake, the kernel refused, or could not be asked.
    Netlink(Error),
    /// Nobody reads the output any more.
    BrokenPipe,
}

impl Failure {
    /// The exit status.
    pub(crate) fn status(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            _ => 1,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(message) => {
                write!(f, "{message}\nTry 'tcpvsadm --help' or tcpvsadm(8).")
            }
            Self::Refused(message) => f.write_str(message),
            Self::Netlink(error) => error.fmt(f),
            Self::BrokenPipe => f.write_str("nobody reads the output"),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Netlink(error)
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Netlink(problem.into())
    }
}

/// What was asked for is not possible.
pub(crate) fn refused<T>(message: impl Into<String>) -> Result<T, Failure> {
    Err(Failure::Refused(message.into()))
}

/// The command line makes no sense.
pub(crate) fn usage<T>(message: impl Into<String>) -> Result<T, Failure> {
    Err(Failure::Usage(message.into()))
}
