# SPDX-License-Identifier: GPL-2.0
"""TCP segments by hand, through a packet socket: a host that no kernel answers for.

director, 10.0.8.1 --- veth --- a device without addresses, and behind it all of 10.9.0.0/16
"""

import contextlib
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from support.netns import Netns
from support.topology import DIRECTOR, ip
from support.wire import ETH_P_ALL, PACKET_IGNORE_OUTGOING, ROOM, SO_RCVBUFFORCE, SOL_PACKET

FIN, SYN, RST, PSH, ACK, URG, ECE, CWR = (1 << bit for bit in range(8))

# The devices, the director's and ours, and where ours is.
NEAR, FAR = "strange", "far"
STRANGE = Netns("strange")
NEAR_MAC, FAR_MAC = bytes([2, 0, 0, 0, 0, 1]), bytes([2, 0, 0, 0, 0, 2])

Address = tuple[bytes, int]

IP = struct.Struct("!BBHHHBBH4s4s")
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
        pseudo = struct.pack("!4s4sHH", self.source[0], self.target[0], 6, len(tcp))
        right = (checksum(pseudo + tcp) + self.wrong_sum) & 0xFFFF
        tcp = tcp[:16] + struct.pack("!H", right) + tcp[18:]
        head = IP.pack(0x45, 0, 20 + len(tcp), 0, 0x4000, 64, 6, 0, self.source[0], self.target[0])
        head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
        return NEAR_MAC + FAR_MAC + b"\x08\0" + head + tcp


def checksum(data: bytes) -> int:
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def parse(frame: bytes) -> Segment | None:
    """The segment in a frame, if there is one."""
    if frame[12:14] != b"\x08\0" or len(frame) < 54 or frame[23] != 6:
        return None
    at = 14 + (frame[14] & 15) * 4
    end = 14 + struct.unpack_from("!H", frame, 16)[0]
    source_port, target_port, seq, ack, words, flags, window, _, urgent = TCP.unpack_from(frame, at)
    data = at + (words >> 4) * 4
    return Segment(
        (frame[26:30], source_port), (frame[30:34], target_port), seq, ack, flags, window,
        frame[data:end], frame[at + 20 : data], urgent,
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
        ip("-n", DIRECTOR.name, "addr", "add", "10.0.8.1/24", "dev", NEAR)
        ip("-n", DIRECTOR.name, "neigh", "add", "10.0.8.2", "lladdr", mac(FAR_MAC), "dev", NEAR)
        ip("-n", DIRECTOR.name, "route", "add", "10.9.0.0/16", "via", "10.0.8.2")
        yield
    finally:
        ip("netns", "del", STRANGE.name)


def mac(address: bytes) -> str:
    return address.hex(":")
