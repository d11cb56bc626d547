// SPDX-License-Identifier: GPL-2.0

//! Memory as a whole.
//!
//! C header: [`include/linux/mm.h`](srctree/include/linux/mm.h)

use crate::linux::bindings;

/// The machine's memory in bytes.
pub(crate) fn ram() -> u64 {
    // SAFETY: No requirements.
    unsafe { bindings::ktcpvs_ram() }
}
