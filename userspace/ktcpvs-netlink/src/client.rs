// SPDX-License-Identifier: GPL-2.0

//! The generic netlink socket.
//!
//! C header: [`include/uapi/linux/genetlink.h`](srctree/include/uapi/linux/genetlink.h)

use crate::error::{
    Error,
    Malformed, //
};
use crate::extack;
use crate::model::{
    Config,
    Snapshot, //
};
use crate::op::Op;
use crate::uapi::{
    self,
    a_main,
    cmd, //
};
use crate::wire::{
    align,
    Attributes,
    Writer,
    NLMSG_HEADER, //
};
use crate::{
    decode,
    diff::{
        self,
        Compile, //
    }, //
};
use netlink_sys::{
    protocols::NETLINK_GENERIC,
    Socket,
    SocketAddr, //
};
use rustix::io::Errno;
use std::io;

/// Message types (`NLMSG_*`) and flags (`NLM_F_*`).
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const NLM_F_REQUEST: u16 = 1;
const NLM_F_ACK: u16 = 4;
const NLM_F_DUMP: u16 = 0x300;
const NLM_F_DUMP_INTR: u16 = 0x10;
const NLM_F_CAPPED: u16 = 0x100;
const NLM_F_ACK_TLVS: u16 = 0x200;

/// The controller, which knows the families' numbers.
const GENL_ID_CTRL: u16 = 16;
const CTRL_CMD_GETFAMILY: u8 = 3;
const CTRL_ATTR_FAMILY_ID: u16 = 1;
const CTRL_ATTR_FAMILY_NAME: u16 = 2;

/// How often a change is tried again because another one came between.
const TRIES: usize = 32;

/// What the send buffer has beside the message itself (`sk->sk_sndbuf - 32`, and more to spare).
const SEND_ROOM: usize = 4096;

/// A connection to the module in this network namespace.
pub struct Client {
    socket: Socket,
    family: u16,
    sequence: u32,
}

/// One message of an answer.
struct Message {
    kind: u16,
    flags: u16,
    payload: Vec<u8>,
}

fn tried(what: &'static str) -> impl Fn(io::Error) -> Error {
    move |error| Error::Socket { what, error }
}

impl Client {
    /// Opens a socket and looks the family up.
    ///
    /// # Errors
    ///
    /// [`Error::NotLoaded`] when there is no such family; otherwise what the socket says.
    pub fn open() -> Result<Self, Error> {
        let mut socket = Socket::new(NETLINK_GENERIC).map_err(tried("netlink socket"))?;
        socket
            .bind_auto()
            .map_err(tried("binding the netlink socket"))?;
        socket
            .connect(&SocketAddr::new(0, 0))
            .map_err(tried("connecting the netlink socket"))?;
        socket.set_ext_ack(true).map_err(tried("NETLINK_EXT_ACK"))?;
        // A refusal of a message of megabytes need not send it back.
        socket.set_cap_ack(true).map_err(tried("NETLINK_CAP_ACK"))?;
        let mut client = Self {
            socket,
            family: GENL_ID_CTRL,
            sequence: 0,
        };
        client.family = client.find_family()?;
        Ok(client)
    }

    fn find_family(&mut self) -> Result<u16, Error> {
        let mut writer = self.begin(CTRL_CMD_GETFAMILY, 2, NLM_F_ACK);
        writer.string(CTRL_ATTR_FAMILY_NAME, uapi::FAMILY_NAME);
        let answer = self.exchange(writer).map_err(|error| match error {
            Error::Refused(r) if r.errno.raw_os_error() == Some(Errno::NOENT.raw_os_error()) => {
                Error::NotLoaded
            }
            other => other,
        })?;
        for message in answer {
            for attribute in Attributes(message.payload.get(4..).unwrap_or(&[])) {
                let attribute = attribute?;
                if attribute.kind == CTRL_ATTR_FAMILY_ID {
                    let id = attribute.payload.try_into();
                    let id = id.map_err(|_| Malformed("a family's number of another width"))?;
                    return Ok(u16::from_ne_bytes(id));
                }
            }
        }
        Err(Malformed("the family has no number").into())
    }

    /// What the module runs with now, all from one moment.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] without the capability; otherwise what the socket says.
    pub fn get(&mut self) -> Result<Snapshot, Error> {
        let writer = self.begin(cmd::GET, uapi::FAMILY_VERSION, NLM_F_DUMP | NLM_F_ACK);
        let mut snapshot = Snapshot::default();
        for message in self.exchange(writer)? {
            decode::message(&mut snapshot, message.payload.get(4..).unwrap_or(&[]))?;
        }
        Ok(snapshot)
    }

    /// Applies all steps, or none of them.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] with what was wrong and where; its error number is `EAGAIN` when
    /// `expected` is given and is not the current generation.
    pub fn change(&mut self, ops: &[Op], expected: Option<u64>) -> Result<(), Error> {
        let mut writer = self.begin(cmd::CHANGE, uapi::FAMILY_VERSION, NLM_F_ACK);
        if let Some(generation) = expected {
            writer.uint(a_main::GENERATION, generation);
        }
        for op in ops {
            op.write(&mut writer);
        }
        self.exchange(writer).map(drop)
    }

    /// Changes the configuration: takes the present one, lets `edit` change it, and sends the
    /// difference; again from the start if somebody else was faster.
    ///
    /// Rules that stay the same keep their counters; `compile` is asked only for a service whose
    /// rules change. Returns what was there before.
    ///
    /// # Errors
    ///
    /// What `edit` says, what is wrong with its result, or what the kernel says.
    pub fn edit<E: From<Error>>(
        &mut self,
        compile: &Compile<'_>,
        mut edit: impl FnMut(&mut Config) -> Result<(), E>,
    ) -> Result<Snapshot, E> {
        for _ in 0..TRIES {
            let before = self.get()?;
            let mut config = before.config.clone();
            edit(&mut config)?;
            let ops = steps(&before.config, config, compile)?;
            if ops.is_empty() {
                return Ok(before);
            }
            match self.change(&ops, Some(before.generation)) {
                Err(Error::Refused(refusal)) if again(&refusal.errno) => {}
                Err(other) => return Err(other.into()),
                Ok(()) => return Ok(before),
            }
        }
        Err(Error::Busy.into())
    }

    /// The headers of a request, as long as they are known.
    fn begin(&mut self, command: u8, version: u8, flags: u16) -> Writer {
        self.sequence = self.sequence.wrapping_add(1);
        let mut bytes = Vec::with_capacity(4096);
        // The length follows at the end.
        bytes.extend_from_slice(&[0; 4]);
        bytes.extend_from_slice(&self.family.to_ne_bytes());
        bytes.extend_from_slice(&(NLM_F_REQUEST | flags).to_ne_bytes());
        bytes.extend_from_slice(&self.sequence.to_ne_bytes());
        bytes.extend_from_slice(&[0; 4]);
        bytes.extend_from_slice(&[command, version, 0, 0]);
        Writer::after(bytes)
    }

    /// Sends a request and collects its answer, up to the acknowledgement.
    fn exchange(&mut self, writer: Writer) -> Result<Vec<Message>, Error> {
        let mut request = writer.finish().ok_or(Error::TooLong)?;
        let len = u32::try_from(request.len()).map_err(|_| Error::TooLong)?;
        request[..4].copy_from_slice(&len.to_ne_bytes());
        self.send(&request)?;
        let mut answer = Vec::new();
        loop {
            let (bytes, _) = self
                .socket
                .recv_from_full()
                .map_err(tried("receiving from netlink"))?;
            if self.take(&bytes, &request, &mut answer)? {
                return Ok(answer);
            }
        }
    }

    fn send(&mut self, request: &[u8]) -> Result<(), Error> {
        // The largest message a socket takes follows from its send buffer. Forcing it needs
        // CAP_NET_ADMIN; without, the ordinary limit has to do.
        let room = request.len() + SEND_ROOM;
        let forced = rustix::net::sockopt::set_socket_send_buffer_size_force(&self.socket, room);
        if forced.is_err() {
            let _ = rustix::net::sockopt::set_socket_send_buffer_size(&self.socket, room);
        }
        let sent = self
            .socket
            .send(request, 0)
            .map_err(tried("sending to netlink"))?;
        if sent == request.len() {
            Ok(())
        } else {
            Err(Error::TooLong)
        }
    }

    /// Takes the messages of one datagram; true when the answer is complete.
    fn take(&self, bytes: &[u8], request: &[u8], answer: &mut Vec<Message>) -> Result<bool, Error> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let (message, sequence, after) =
                split_message(rest).ok_or(Malformed("a message is cut off"))?;
            rest = after;
            if sequence != self.sequence {
                continue;
            }
            if message.flags & NLM_F_DUMP_INTR != 0 {
                return Err(Malformed("the dump was torn by a change").into());
            }
            match message.kind {
                NLMSG_ERROR | NLMSG_DONE => return finish(&message, request).map(|()| true),
                _ => answer.push(message),
            }
        }
        Ok(false)
    }
}

/// Reads the last message of an answer: its error number, and what an extended ACK adds.
fn finish(message: &Message, request: &[u8]) -> Result<(), Error> {
    let Some((number, rest)) = message.payload.split_first_chunk::<4>() else {
        // A dump's end without a number.
        return Ok(());
    };
    let errno = i32::from_ne_bytes(*number);
    if errno == 0 {
        return Ok(());
    }
    let attributes = if message.flags & NLM_F_ACK_TLVS == 0 {
        &[]
    } else if message.kind == NLMSG_DONE {
        rest
    } else {
        // The header of the request comes back, and unless capped all of it.
        let echoed = if message.flags & NLM_F_CAPPED != 0 {
            NLMSG_HEADER
        } else {
            align(request.len())
        };
        rest.get(echoed..).unwrap_or(&[])
    };
    Err(Error::Refused(extack::refusal(
        errno.saturating_neg(),
        attributes,
        request,
    )))
}

fn split_message(bytes: &[u8]) -> Option<(Message, u32, &[u8])> {
    let (header, _) = bytes.split_first_chunk::<NLMSG_HEADER>()?;
    let [l0, l1, l2, l3, k0, k1, f0, f1, s0, s1, s2, s3, ..] = *header;
    let len = usize::try_from(u32::from_ne_bytes([l0, l1, l2, l3])).ok()?;
    let message = Message {
        kind: u16::from_ne_bytes([k0, k1]),
        flags: u16::from_ne_bytes([f0, f1]),
        payload: bytes.get(NLMSG_HEADER..len)?.to_vec(),
    };
    let sequence = u32::from_ne_bytes([s0, s1, s2, s3]);
    Some((message, sequence, bytes.get(align(len)..).unwrap_or(&[])))
}

/// The steps to what an edit asks for, with everything that it left open filled in.
pub(crate) fn steps(
    before: &Config,
    mut after: Config,
    compile: &Compile<'_>,
) -> Result<Vec<Op>, Error> {
    after.adopt(before);
    for affinity in after.pools.iter_mut().filter_map(|p| p.affinity.as_mut()) {
        if affinity.key.is_none() {
            affinity.key = Some(diff::random_key()?);
        }
    }
    after.check()?;
    Ok(diff::difference(before, &after, compile)?)
}

fn again(errno: &io::Error) -> bool {
    errno.raw_os_error() == Some(Errno::AGAIN.raw_os_error())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ack(errno: i32, flags: u16, tlvs: &[u8]) -> Message {
        let mut payload = (-errno).to_ne_bytes().to_vec();
        payload.extend_from_slice(&[0; NLMSG_HEADER]);
        payload.extend_from_slice(tlvs);
        Message {
            kind: NLMSG_ERROR,
            flags,
            payload,
        }
    }

    #[test]
    fn an_ack_is_success_and_an_error_is_not() {
        assert!(finish(&ack(0, NLM_F_CAPPED, &[]), &[]).is_ok());
        let mut tlvs = Writer::default();
        tlvs.string(1, "no such pool");
        let tlvs = tlvs.finish().unwrap();
        let message = ack(2, NLM_F_CAPPED | NLM_F_ACK_TLVS, &tlvs);
        let Err(Error::Refused(refusal)) = finish(&message, &[0; crate::wire::HEADERS]) else {
            panic!("not refused");
        };
        assert_eq!(refusal.errno.raw_os_error(), Some(2));
        assert_eq!(refusal.message.as_deref(), Some("no such pool"));
    }

    #[test]
    fn messages_are_split() {
        let mut bytes = 18u32.to_ne_bytes().to_vec();
        bytes.extend_from_slice(&7u16.to_ne_bytes());
        bytes.extend_from_slice(&[0; 2]);
        bytes.extend_from_slice(&3u32.to_ne_bytes());
        bytes.extend_from_slice(&[0; 4]);
        bytes.extend_from_slice(&[1, 2, 0, 0, 9]);
        let (message, sequence, rest) = split_message(&bytes).unwrap();
        assert_eq!(
            (message.kind, sequence, &*message.payload, rest),
            (7, 3, &[1, 2][..], &[9][..])
        );
        assert!(split_message(&bytes[..17]).is_none());
        assert!(split_message(&[]).is_none());
    }
}
