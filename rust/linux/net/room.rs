// SPDX-License-Identifier: GPL-2.0

//! Memory that the CPUs keep for what is copied into send queues; see `rust/helpers/room.c`.

use crate::linux::bindings;

/// Frees it in the end. There is one, in the module, and it is dropped after all that sends.
pub(crate) struct Room(());

impl Room {
    /// Room is made when somebody needs it.
    pub(crate) fn new() -> Self {
        Self(())
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        // SAFETY: The module's last queue is gone, and with it all that could send.
        unsafe { bindings::ktcpvs_room_free() };
    }
}
