// SPDX-License-Identifier: GPL-2.0

//! What can go wrong between here and the module.

use crate::model::Problem;
use std::fmt;
use std::io;

/// A message from the kernel that is not as the specification says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Malformed(pub &'static str);

/// The kernel's refusal of a request.
#[derive(Debug)]
pub struct Refusal {
    /// The error number.
    pub errno: io::Error,
    /// What the extended ACK says.
    pub message: Option<String>,
    /// Where in the request, as words: `step 3 (server-add), server, weight`.
    pub place: Option<String>,
}

/// What can go wrong.
#[derive(Debug)]
pub enum Error {
    /// The module is not loaded.
    NotLoaded,
    /// A socket operation failed.
    Socket {
        /// What was tried.
        what: &'static str,
        /// How it failed.
        error: io::Error,
    },
    /// The kernel refused.
    Refused(Refusal),
    /// The kernel's answer makes no sense.
    Malformed(Malformed),
    /// The configuration has a mistake.
    Config(Problem),
    /// Others keep changing the configuration.
    Busy,
    /// A rule, or another part of the message, is longer than netlink can carry.
    TooLong,
}

/// An error number's text without the number.
pub struct Plain<'a>(pub &'a io::Error);

impl fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.to_string();
        let end = text.rfind(" (os error ").unwrap_or(text.len());
        f.write_str(&text[..end])
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        match &self.message {
            Some(message) => write!(f, "{message} ({})", Plain(&self.errno)),
            None => write!(f, "{}", Plain(&self.errno)),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotLoaded => {
                f.write_str("ktcpvs: the kernel module is not loaded (modprobe ktcpvs)")
            }
            Self::Socket { what, error } => write!(f, "{what}: {}", Plain(error)),
            Self::Refused(refusal) if refusal.errno.raw_os_error() == Some(EPERM) => {
                write!(f, "{}: CAP_NET_ADMIN is needed, try as root", refusal.errno)
            }
            Self::Refused(refusal) => write!(f, "the kernel refused: {refusal}"),
            Self::Malformed(Malformed(what)) => {
                write!(f, "the kernel's answer makes no sense: {what}")
            }
            Self::Config(problem) => write!(f, "{problem}"),
            Self::Busy => f.write_str("others keep changing the configuration, try again"),
            Self::TooLong => f.write_str("a part of the configuration is too long for a message"),
        }
    }
}

impl std::error::Error for Error {}

impl From<Malformed> for Error {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self::Config(problem)
    }
}

/// `EPERM`: the capability is missing.
const EPERM: i32 = rustix::io::Errno::PERM.raw_os_error();
