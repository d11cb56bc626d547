# SPDX-License-Identifier: GPL-2.0
"""What the kernel itself says of a host's TCP sockets, over IPv4.

One message and its answers take some thousandths of a second where ss(8) takes a tenth.
"""

import struct
from dataclasses import dataclass

from support.netlink import HEADER, NLM_F_REQUEST, parse
from support.netns import Netns
from support.storm_hosts import (
    NETLINK_SOCK_DIAG,
    NLM_F_DUMP,
    NLMSG_DONE,
    SOCK_DIAG_BY_FAMILY,
    kernel,
)

AF_INET, IPPROTO_TCP = 2, 6
SKMEMINFO = 7
RMEM_ALLOC, WMEM_QUEUED, BACKLOG = 0, 5, 7

# All states but TIME-WAIT, CLOSE, LISTEN and those of no socket yet (include/net/tcp_states.h).
STATES = 1 << 1 | 1 << 2 | 1 << 4 | 1 << 5 | 1 << 8 | 1 << 9 | 1 << 11

# struct inet_diag_msg: family and state, ports, then after the addresses and so on both queues.
MESSAGE = struct.Struct("=BB2xHH44x4xII8x")
ATTRIBUTE = struct.Struct("=HH")


@dataclass
class Socket:
    """A socket."""

    state: int
    port: int
    # What has not been acknowledged, in bytes.
    unsent: int
    # What its queues take with all that belongs to it, in bytes.
    queued: int


def decode(payload: bytes) -> Socket | None:
    """A socket, where it is not one in TIME-WAIT, which TCP keeps in other states too."""
    _, state, port, _, _, unsent = MESSAGE.unpack_from(payload)
    at = MESSAGE.size
    while at + ATTRIBUTE.size <= len(payload):
        length, kind = ATTRIBUTE.unpack_from(payload, at)
        if kind == SKMEMINFO:
            numbers = struct.unpack_from("=9I", payload, at + ATTRIBUTE.size)
            queued = numbers[RMEM_ALLOC] + numbers[WMEM_QUEUED] + numbers[BACKLOG]
            return Socket(state, (port & 255) << 8 | port >> 8, unsent, queued)
        at += (length + 3) & ~3
    return None


def sockets(namespace: Netns) -> list[Socket]:
    """All of them."""
    asked = struct.pack("=BBBxI48x", AF_INET, IPPROTO_TCP, 1 << SKMEMINFO - 1, STATES)
    found: list[Socket] = []
    with kernel(namespace, NETLINK_SOCK_DIAG) as diag:
        size = HEADER.size + len(asked)
        flags = NLM_F_REQUEST | NLM_F_DUMP
        diag.send(HEADER.pack(size, SOCK_DIAG_BY_FAMILY, flags, 1, 0) + asked)
        while True:
            for message in parse(diag.recv(1 << 18)):
                if message.kind == NLMSG_DONE:
                    return found
                if one := decode(message.payload):
                    found.append(one)
