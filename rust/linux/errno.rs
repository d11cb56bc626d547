// SPDX-License-Identifier: GPL-2.0

//! Error codes that `kernel::error::code` lacks.
//!
//! C header: [`include/uapi/asm-generic/errno.h`](srctree/include/uapi/asm-generic/errno.h)

use crate::linux::bindings;
use kernel::error::Error;

/// `EADDRINUSE`: the address is already in use.
pub(crate) fn address_in_use() -> Error {
    Error::from_errno(-(bindings::EADDRINUSE as i32))
}

/// `EADDRNOTAVAIL`: the address is none of this host's.
pub(crate) fn address_not_available() -> Error {
    Error::from_errno(-(bindings::EADDRNOTAVAIL as i32))
}
