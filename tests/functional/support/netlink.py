# SPDX-License-Identifier: GPL-2.0
"""Generic netlink by hand: messages that need not be right, and what is answered."""

import contextlib
import os
import socket
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from support.pace import PACE

NETLINK_GENERIC = 16
SOL_NETLINK = 270
NETLINK_CAP_ACK = 10
NETLINK_EXT_ACK = 11
SO_SNDBUFFORCE = 32

NLM_F_REQUEST = 0x1
NLM_F_ACK = 0x4
NLM_F_DUMP = 0x300
NLMSG_ERROR = 2
NLMSG_DONE = 3
NLM_F_CAPPED = 0x100
NLM_F_ACK_TLVS = 0x200

GENL_ID_CTRL = 16
CTRL_CMD_GETFAMILY = 3
CTRL_ATTR_FAMILY_ID = 1
CTRL_ATTR_FAMILY_NAME = 2

NLMSGERR_ATTR_MSG = 1
NLMSGERR_ATTR_OFFS = 2

NLA_F_NESTED = 0x8000
TYPE_MASK = 0x3FFF

# Headers of a message, and of what generic netlink puts behind them.
HEADER = struct.Struct("=IHHII")
GENL = struct.Struct("=BBH")

# Longest that an answer may take, in seconds.
ANSWER_MAX = 20.0 * PACE


@dataclass
class Attr:
    """An attribute to be written. It may lie about its length."""

    kind: int
    value: "bytes | list[Attr]"
    length: int | None = None

    def write(self) -> bytes:
        nested = isinstance(self.value, list)
        value = b"".join(a.write() for a in self.value) if nested else bytes(self.value)
        length = len(value) + 4 if self.length is None else self.length
        kind = self.kind | (NLA_F_NESTED if nested else 0)
        pad = b"\0" * (-len(value) % 4)
        return struct.pack("=HH", length & 0xFFFF, kind & 0xFFFF) + value + pad


def write(attrs: list[Attr]) -> bytes:
    return b"".join(attr.write() for attr in attrs)


def read(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Types and values of the attributes in `data`, as the kernel reads them."""
    while len(data) >= 4:
        length, kind = struct.unpack_from("=HH", data)
        if not 4 <= length <= len(data):
            return
        yield kind & TYPE_MASK, data[4:length]
        data = data[length + -length % 4 :]


@dataclass
class Message:
    """A message as it came."""

    kind: int
    flags: int
    seq: int
    payload: bytes


@dataclass
class Answer:
    """What was answered to a request. The error is 0 if it was done."""

    error: int
    text: str = ""
    offset: int | None = None
    messages: list[Message] = field(default_factory=list)


def parse(data: bytes) -> Iterator[Message]:
    while len(data) >= HEADER.size:
        length, kind, flags, seq, _ = HEADER.unpack_from(data)
        assert HEADER.size <= length <= len(data), "the kernel's message is damaged"
        yield Message(kind, flags, seq, data[HEADER.size : length])
        data = data[length + -length % 4 :]


def acknowledgement(message: Message) -> Answer:
    """What a message of type error or done says."""
    (error,) = struct.unpack_from("=i", message.payload)
    answer = Answer(-error)
    if message.flags & NLM_F_ACK_TLVS:
        at = 4
        if message.kind == NLMSG_ERROR:
            (length,) = struct.unpack_from("=I", message.payload, 4)
            capped = message.flags & NLM_F_CAPPED
            at += HEADER.size if capped else length + -length % 4
        for kind, value in read(message.payload[at:]):
            if kind == NLMSGERR_ATTR_MSG:
                answer.text = value.rstrip(b"\0").decode()
            elif kind == NLMSGERR_ATTR_OFFS:
                (answer.offset,) = struct.unpack("=I", value)
    return answer


class Netlink:
    """A generic netlink socket in the namespace of the thread that makes it."""

    def __init__(self, family: int | None = None) -> None:
        self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_GENERIC)
        self.socket.bind((0, 0))
        self.socket.settimeout(ANSWER_MAX)
        self.socket.setsockopt(SOL_NETLINK, NETLINK_EXT_ACK, 1)
        self.socket.setsockopt(SOL_NETLINK, NETLINK_CAP_ACK, 1)
        # Only root of the machine may have room for long messages.
        with contextlib.suppress(PermissionError):
            self.socket.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, 4 << 20)
        self.seq = int.from_bytes(os.urandom(2), "little") << 8
        self._family = family

    @property
    def family(self) -> int:
        """The number of our family."""
        if self._family is None:
            name = Attr(CTRL_ATTR_FAMILY_NAME, b"ktcpvs\0")
            answer = self.ask(CTRL_CMD_GETFAMILY, write([name]), kind=GENL_ID_CTRL)
            assert answer.error == 0, os.strerror(answer.error)
            attrs = dict(read(answer.messages[0].payload[GENL.size :]))
            (self._family,) = struct.unpack("=H", attrs[CTRL_ATTR_FAMILY_ID])
        return self._family

    def build(
        self,
        command: int,
        attrs: bytes,
        flags: int = NLM_F_ACK,
        kind: int | None = None,
        version: int = 1,
    ) -> bytes:
        """A request. Its number is `seq`, until the next."""
        self.seq += 1
        kind = self.family if kind is None else kind
        payload = GENL.pack(command, version, 0) + attrs
        size = HEADER.size + len(payload)
        return HEADER.pack(size, kind, flags | NLM_F_REQUEST, self.seq, 0) + payload

    def ask(
        self, command: int, attrs: bytes, flags: int = NLM_F_ACK, kind: int | None = None
    ) -> Answer:
        """Sends a request and waits for its answer."""
        kind = self.family if kind is None else kind
        self.socket.send(self.build(command, attrs, flags, kind))
        return self.answer(self.seq)

    def answer(self, seq: int) -> Answer:
        """The answer to the request of this number; those to others are thrown away."""
        return self.answers({seq})[seq]

    def answers(self, wanted: set[int]) -> dict[int, Answer]:
        """The answers to all these requests."""
        messages: dict[int, list[Message]] = {seq: [] for seq in wanted}
        found: dict[int, Answer] = {}
        deadline = time.monotonic() + ANSWER_MAX
        while len(found) < len(wanted):
            assert time.monotonic() < deadline, f"not answered: {wanted - set(found)}"
            for message in parse(self.socket.recv(1 << 18)):
                if message.seq not in wanted:
                    continue
                if message.kind in (NLMSG_ERROR, NLMSG_DONE):
                    assert message.seq not in found, "answered twice"
                    found[message.seq] = acknowledgement(message)
                    found[message.seq].messages = messages[message.seq]
                else:
                    messages[message.seq].append(message)
        return found

    def close(self) -> None:
        self.socket.close()

    def __enter__(self) -> "Netlink":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
