// SPDX-License-Identifier: GPL-2.0

//! The netlink interface: what `Documentation/netlink/specs/ktcpvs.yaml` describes.
//!
//! Policies, the table of operations and the family are generated from it, as are the numbers in
//! [`crate::uapi`]. What policies cannot say is checked in [`decode`]; what only the
//! configuration knows is checked there.

mod decode;
mod dump;
mod syntax;

use crate::{
    config::{
        Change,
        Namespace,
        Refusal,
        Snapshot, //
    },
    l7::Layer7,
    linux::net::{
        genetlink::{
            genetlink_operations,
            Ack,
            Attr,
            Attrs,
            Cursor,
            Family,
            Message, //
        },
        NetRef,
    },
    uapi::{
        a_main,
        cmd, //
    },
};
use kernel::{
    prelude::*,
    sync::Arc, //
};

/// The family.
struct Control;

genetlink_operations!(Control, cmd::GET);

impl Family for Control {
    type Snapshot = Shown;

    fn change<'a>(net: NetRef<'_>, attrs: Attrs<'a>, ack: &mut Ack<'a>) -> Result {
        change(&*namespace(net)?, attrs).map_err(|fault| {
            ack.say(fault.refusal.message());
            if let Some(attr) = fault.attr {
                ack.blame(attr);
            }
            fault.refusal.errno
        })
    }

    fn snapshot(net: NetRef<'_>) -> Result<Arc<Self::Snapshot>> {
        let namespace = namespace(net)?;
        let shown = Shown {
            snapshot: namespace.snapshot(),
            memory: namespace.memory(),
        };

        Ok(Arc::new(shown, GFP_KERNEL_ACCOUNT)?)
    }

    fn dump(
        shown: &Self::Snapshot,
        cursor: &mut Cursor,
        message: &mut Message<'_>,
    ) -> Result<bool> {
        dump::object(shown, cursor, message)
    }
}

/// What a dump shows.
struct Shown {
    snapshot: Arc<Snapshot<Layer7>>,
    /// What connections take, in bytes.
    memory: u64,
}

fn namespace(net: NetRef<'_>) -> Result<Arc<Namespace<Layer7>>> {
    net.object().ok_or(ENODEV)
}

/// Why a transaction was refused, and because of which attribute.
struct Fault<'a> {
    refusal: Refusal,
    attr: Option<Attr<'a>>,
}

impl<'a> Fault<'a> {
    /// `attr` is wrong.
    fn at(attr: Attr<'a>, refusal: Refusal) -> Self {
        Self {
            refusal,
            attr: Some(attr),
        }
    }
}

impl<E: Into<Refusal>> From<E> for Fault<'_> {
    fn from(e: E) -> Self {
        Self {
            refusal: e.into(),
            attr: None,
        }
    }
}

/// Carries out the transaction that `attrs` describe.
fn change<'a>(namespace: &Namespace<Layer7>, attrs: Attrs<'a>) -> Result<(), Fault<'a>> {
    let expected = match attrs.get(a_main::GENERATION) {
        Some(generation) => Some(generation.uint()?),
        None => None,
    };
    let mut transaction = namespace.begin(expected)?;

    for op in attrs.filter(|attr| attr.kind() == a_main::OP) {
        let (change, subject): (Change<'a>, Attr<'a>) = decode::step(op)?;

        transaction
            .apply(change)
            .map_err(|refusal| Fault::at(subject, refusal))?;
    }
    transaction.commit()?;
    Ok(())
}
