# SPDX-License-Identifier: GPL-2.0
"""TCP segments by hand, through a packet socket: a host that no kernel answers for.

director, 10.0.8.1, fd00:8::1 --- veth --- a device without addresses

Behind it there is all of 10.9.0.0/16 and fd00:9::/32.
"""

import contextlib
import ipaddress
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from support.netns import Netns
from support.rawtcp_ip import tcp_sum, unwrap, wrap
from support.topology import DIRECTOR, ip
from support.topology import address as give
from support.wire import ETH_P_ALL, PACKET_IGNORE_OUTGOING, ROOM, SO_RCVBUFFORCE, SOL_PACKET

FIN, SYN, RST, PSH, ACK, URG, ECE, CWR = (1 << bit for bit in range(8))

# The devices, the director's and ours, and where ours is.
NEAR, FAR = "strange", "far"
STRANGE = Netns("strange")
NEAR_MAC, FAR_MAC = bytes([2, 0, 0, 0, 0, 1]), bytes([2, 0, 0, 0, 0, 2])

Address = tuple[bytes, int]

TCP = struct.Struct("!HHIIBBHHH")


@dataclass
class Segment:
    """A segment, and what of its headers matters."""

    source: Address
    target: Address
    seq: int
    ack: int = 0
    flags: int = ACK
    window: int = 65535
    data: bytes = b""
    options: bytes = b""
    urgent: int = 0
    # Added to what is right: to the sum, and to the header's length in words.
    wrong_sum: int = 0
    wrong_length: int = 0

    def frame(self) -> bytes:
        """All of it, from the Ethernet header on."""
        options = self.options + bytes(-len(self.options) % 4)
        words = (5 + len(options) // 4 + self.wrong_length) % 16 << 4
        header = TCP.pack(
            self.source[1], self.target[1], self.seq % (1 << 32), self.ack % (1 << 32),
            words, self.flags, self.window, 0, self.urgent,
        )  # fmt: skip
        tcp = header + options + self.data
        source, target = self.source[0], self.target[0]
        right = (tcp_sum(source, target, tcp) + self.wrong_sum) & 0xFFFF
        return wrap(NEAR_MAC + FAR_MAC, source, target, tcp[:16] + right.to_bytes(2) + tcp[18:])


def address(text: str, port: int) -> Address:
    return ipaddress.ip_address(text).packed, port


def parse(frame: bytes) -> Segment | None:
    """The segment in a frame, if there is one."""
    found = unwrap(frame)
    if found is None or len(found[2]) < TCP.size:
        return None
    source, target, tcp = found
    source_port, target_port, seq, ack, words, flags, window, _, urgent = TCP.unpack_from(tcp)
    data = (words >> 4) * 4
    return Segment(
        (source, source_port), (target, target_port), seq, ack, flags, window,
        tcp[data:], tcp[TCP.size : data], urgent,
    )  # fmt: skip


def before(a: int, b: int) -> bool:
    """Whether sequence number `a` comes before `b`."""
    return (a - b) & 0x80000000 != 0


def packet_socket() -> socket.socket:
    """What our frames go and come through."""
    with STRANGE.entered():
        end = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        end.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        end.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, ROOM)
        end.bind((FAR, ETH_P_ALL))
    end.setblocking(False)
    return end


@contextlib.contextmanager
def strange_hosts() -> Iterator[None]:
    """The device and the routes, meanwhile."""
    ip("netns", "add", STRANGE.name)
    try:
        STRANGE.run("sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1", check=False)
        ip("link", "add", FAR, "netns", STRANGE.name, "type", "veth",
           "peer", "name", NEAR, "netns", DIRECTOR.name)  # fmt: skip
        ip("-n", STRANGE.name, "link", "set", FAR, "address", mac(FAR_MAC), "up")
        ip("-n", DIRECTOR.name, "link", "set", NEAR, "address", mac(NEAR_MAC), "up")
        give(DIRECTOR, NEAR, "10.0.8.1/24", "fd00:8::1/64")
        for via, behind in (("10.0.8.2", "10.9.0.0/16"), ("fd00:8::2", "fd00:9::/32")):
            ip("-n", DIRECTOR.name, "neigh", "add", via, "lladdr", mac(FAR_MAC), "dev", NEAR)
            ip("-n", DIRECTOR.name, "route", "add", behind, "via", via)
        yield
    finally:
        ip("netns", "del", STRANGE.name)


def mac(address: bytes) -> str:
    return address.hex(":")
