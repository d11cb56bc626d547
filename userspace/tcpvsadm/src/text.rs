// SPDX-License-Identifier: GPL-2.0

//! The configuration as text: one directive a line, with the words of the command line.
//!
//! ```text
//! mem-limit 256m
//!
//! # Real servers.
//! pool web {
//!     scheduler wlc
//!     cookie SRV key 000102030405060708090a0b0c0d0e0f
//!     server 192.0.2.11:80 weight 1
//! }
//!
//! service www {
//!     listen 0.0.0.0:80 [::]:80
//!     pool web
//!     timeout-head 5s
//!     rule id 1 host *.example.org path-prefix /img/ use-pool web
//! }
//! ```

pub(crate) mod read;
pub(crate) mod rule;
pub(crate) mod value;
pub(crate) mod words;
pub(crate) mod write;

#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod tests;
