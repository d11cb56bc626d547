// SPDX-License-Identifier: GPL-2.0

//! Networking.

mod fields;
pub(crate) mod genetlink;
mod listener;
pub(crate) mod ns;
mod room;
mod socket;
mod stream;
mod wire;

pub(crate) use self::{
    listener::{
        Acceptor,
        ListenSocket, //
    },
    ns::{
        Net,
        NetRef, //
    },
    room::Room,
    socket::{
        Bind,
        Socket, //
    },
    stream::{
        Endpoint,
        Locked,
        Order,
        Stream, //
    },
    wire::Wire, //
};
