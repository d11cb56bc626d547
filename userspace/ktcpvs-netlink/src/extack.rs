// SPDX-License-Identifier: GPL-2.0

//! The kernel's refusal made readable.
//!
//! C header: [`include/uapi/linux/netlink.h`](srctree/include/uapi/linux/netlink.h)

use crate::error::Refusal;
use crate::uapi::{
    a_main,
    a_op,
    a_pool,
    a_program,
    a_rule,
    a_server,
    a_service,
    op_type,
    AttributeSet, //
};
use crate::wire::{
    align,
    Attributes,
    HEADER, //
};
use std::io;
use std::net::SocketAddr;

/// Attributes of an extended ACK (`enum nlmsgerr_attrs`).
const MESSAGE: u16 = 1;
const OFFSET: u16 = 2;
const MISSING_TYPE: u16 = 5;
const MISSING_NEST: u16 = 6;

/// Reads an extended ACK's attributes. `request` is the whole message that was refused.
pub(crate) fn refusal(errno: i32, attributes: &[u8], request: &[u8]) -> Refusal {
    let mut message = None;
    let mut offset = None;
    let mut missing = None;
    for attribute in Attributes(attributes).map_while(Result::ok) {
        match attribute.kind {
            MESSAGE => message = attribute.string().ok(),
            // The nest is told when the missing attribute is not at the top.
            OFFSET | MISSING_NEST => offset = attribute.u32().ok().or(offset),
            MISSING_TYPE => missing = attribute.u32().ok(),
            _ => {}
        }
    }
    let offset = offset.and_then(|o| usize::try_from(o).ok());
    let mut place = offset.and_then(|offset| place(request, offset));
    if let Some(kind) = missing {
        let set = offset.map_or(Some(&a_main::SET), |offset| set_at(request, offset));
        let name = set.and_then(|set| name(set, u16::try_from(kind).ok()?));
        let text = format!("missing {}", name.unwrap_or("attribute"));
        place = Some(match place {
            Some(place) => format!("{place}, {text}"),
            None => text,
        });
    }
    Refusal {
        errno: io::Error::from_raw_os_error(errno),
        message,
        place,
    }
}

fn name(set: &AttributeSet, kind: u16) -> Option<&'static str> {
    set.names.get(usize::from(kind).checked_sub(1)?).copied()
}

fn nested(set: &AttributeSet, kind: u16) -> Option<&'static AttributeSet> {
    let found = set.nested.iter().find(|(k, _)| *k == kind);
    found.map(|(_, set)| *set)
}

/// An attribute on the way to an offset of a message.
struct Step<'a> {
    set: &'static AttributeSet,
    kind: u16,
    /// How many of its type stand before it.
    before: usize,
    payload: &'a [u8],
}

/// The attributes that an offset lies in, from the outermost in.
fn path(request: &[u8], offset: usize) -> Vec<Step<'_>> {
    let mut steps = Vec::new();
    let mut set = &a_main::SET;
    let mut start = crate::wire::HEADERS;
    let mut bytes = request.get(start..).unwrap_or(&[]);
    'inside: loop {
        let mut at = start;
        let mut seen = Vec::new();
        for attribute in Attributes(bytes).map_while(Result::ok) {
            let len = HEADER + attribute.payload.len();
            if (at..at + len).contains(&offset) {
                steps.push(Step {
                    set,
                    kind: attribute.kind,
                    before: seen.iter().filter(|k| **k == attribute.kind).count(),
                    payload: attribute.payload,
                });
                match nested(set, attribute.kind) {
                    Some(inner) if offset >= at + HEADER => {
                        set = inner;
                        start = at + HEADER;
                        bytes = attribute.payload;
                        continue 'inside;
                    }
                    _ => return steps,
                }
            }
            seen.push(attribute.kind);
            at += align(len);
        }
        return steps;
    }
}

/// The attribute at an offset, in words.
fn place(request: &[u8], offset: usize) -> Option<String> {
    let mut words = Vec::new();
    for step in path(request, offset) {
        let name = name(step.set, step.kind)?;
        if std::ptr::eq(step.set, &a_main::SET) && step.kind == a_main::OP {
            let number = step.before + 1;
            words.push(match op_name(step.payload) {
                Some(op) => format!("step {number} ({op}{})", object(step.payload)),
                None => format!("step {number}"),
            });
        } else if step.before > 0 {
            words.push(format!("{name} {}", step.before + 1));
        } else {
            words.push(name.to_owned());
        }
    }
    (!words.is_empty()).then(|| words.join(", "))
}

/// The set that the nest at an offset holds.
fn set_at(request: &[u8], offset: usize) -> Option<&'static AttributeSet> {
    let path = path(request, offset);
    let last = path.last()?;
    nested(last.set, last.kind)
}

fn op_name(payload: &[u8]) -> Option<&'static str> {
    let mut attributes = Attributes(payload).map_while(Result::ok);
    let kind = attributes.find(|a| a.kind == a_op::TYPE)?.u32().ok()?;
    let found = op_type::NAMES.iter().find(|(number, _)| *number == kind);
    found.map(|(_, name)| *name)
}

/// The names of the object that a step is about, each after a space.
fn object(payload: &[u8]) -> String {
    let mut names = String::new();
    let mut attributes = Attributes(payload).map_while(Result::ok);
    let Some(nest) = attributes.find(|a| a.kind != a_op::TYPE) else {
        return names;
    };
    let inside = || nest.nest().map_while(Result::ok);
    let find = |kind| inside().find(|a| a.kind == kind);
    let text = |kind| find(kind).and_then(|a| a.string().ok());
    let owner = match nest.kind {
        a_op::SERVICE => text(a_service::NAME),
        a_op::POOL => text(a_pool::NAME),
        a_op::SERVER => text(a_server::POOL),
        a_op::RULE => text(a_rule::SERVICE),
        a_op::PROGRAM => text(a_program::SERVICE),
        _ => None,
    };
    names.extend(owner.map(|owner| format!(" {owner}")));
    if nest.kind == a_op::SERVER {
        let ip = find(a_server::ADDRESS).and_then(|a| a.ip().ok());
        let port = find(a_server::PORT).and_then(|a| a.port().ok());
        let address = ip.zip(port).map(SocketAddr::from);
        names.extend(address.map(|address| format!(" {address}")));
    }
    if nest.kind == a_op::RULE {
        let id = find(a_rule::ID).and_then(|a| a.u32().ok());
        names.extend(id.map(|id| format!(" {id}")));
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        Server,
        Service, //
    };
    use crate::op::Op;
    use crate::wire::Writer;

    fn request() -> Vec<u8> {
        let mut service = Service::new("web");
        service.listeners = vec![
            "192.0.2.1:80".parse().unwrap(),
            "192.0.2.2:81".parse().unwrap(),
        ];
        let server = Server {
            address: "192.0.2.9:80".parse().unwrap(),
            weight: 7,
        };
        let mut writer = Writer::after(vec![0; crate::wire::HEADERS]);
        writer.uint(a_main::GENERATION, 5);
        Op::ServiceAdd(service).write(&mut writer);
        Op::ServerAdd("pool".to_owned(), server).write(&mut writer);
        Op::SettingsSet { mem_limit: 77 }.write(&mut writer);
        writer.finish().unwrap()
    }

    fn find(bytes: &[u8]) -> usize {
        let request = request();
        let mut windows = request.windows(bytes.len());
        windows.position(|w| w == bytes).unwrap()
    }

    #[test]
    fn offsets_become_words() {
        let request = request();
        let weight = find(&[8, 0, a_server::WEIGHT as u8, 0, 7]);
        assert_eq!(
            place(&request, weight).unwrap(),
            "step 2 (server-add pool 192.0.2.9:80), server, weight"
        );
        let second = find(&[192, 0, 2, 2]) - HEADER;
        assert_eq!(
            place(&request, second).unwrap(),
            "step 1 (service-add web), service, listener 2, address"
        );
        let limit = find(&[8, 0, 1, 0, 77]);
        assert_eq!(
            place(&request, limit).unwrap(),
            "step 3 (settings-set), settings, mem-limit"
        );
        let first_step = crate::wire::HEADERS + 8;
        assert_eq!(
            place(&request, first_step).unwrap(),
            "step 1 (service-add web)"
        );
        assert_eq!(place(&request, crate::wire::HEADERS).unwrap(), "generation");
        assert_eq!(place(&request, 100_000), None);
        assert_eq!(place(&request, 0), None);
    }

    #[test]
    fn an_extended_ack_is_read() {
        let request = request();
        let weight = find(&[8, 0, a_server::WEIGHT as u8, 0, 7]);
        let mut ack = Writer::default();
        ack.string(MESSAGE, "integer out of range");
        ack.u32(OFFSET, weight as u32);
        let refusal = refusal(34, &ack.finish().unwrap(), &request);
        assert_eq!(refusal.message.as_deref(), Some("integer out of range"));
        assert!(refusal
            .to_string()
            .starts_with("step 2 (server-add pool 192.0.2.9:80), server, weight: integer"));
    }

    #[test]
    fn a_missing_attribute_is_named() {
        let request = request();
        let name = find(b"web\0") - HEADER;
        let mut ack = Writer::default();
        ack.u32(MISSING_TYPE, u32::from(a_service::NAME));
        ack.u32(MISSING_NEST, (name - HEADER) as u32);
        let told = refusal(22, &ack.finish().unwrap(), &request);
        assert_eq!(
            told.place.as_deref(),
            Some("step 1 (service-add web), service, missing name")
        );
        let mut ack = Writer::default();
        ack.u32(MISSING_TYPE, u32::from(a_main::OP));
        let told = refusal(22, &ack.finish().unwrap(), &request);
        assert_eq!(told.place.as_deref(), Some("missing op"));
        assert!(a_rule::SET.names.len() > 5);
    }
}
