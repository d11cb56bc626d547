// SPDX-License-Identifier: GPL-2.0

//! Networking.

mod listener;
mod socket;
mod stream;
mod wire;

pub(crate) use self::{
    listener::{
        Acceptor,
        ListenSocket, //
    },
    socket::Socket,
    stream::{
        Endpoint,
        Locked,
        Order,
        Stream, //
    },
    wire::Wire, //
};
