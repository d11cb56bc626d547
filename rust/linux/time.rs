// SPDX-License-Identifier: GPL-2.0

//! The coarse clock that time-outs are measured by.
//!
//! C header: [`include/linux/jiffies.h`](srctree/include/linux/jiffies.h)

use crate::linux::bindings;
pub(crate) use kernel::time::msecs_to_jiffies;

/// Now, in jiffies. Wraps around.
#[inline]
pub(crate) fn jiffies() -> usize {
    // SAFETY: The kernel's counter is always there; it changes under us, hence volatile.
    unsafe { (&raw const bindings::jiffies).read_volatile() }
}

/// The lower half of [`jiffies()`], for times that are less than 2³¹ apart.
#[inline]
pub(crate) fn jiffies_low() -> u32 {
    jiffies() as u32
}
