# SPDX-License-Identifier: GPL-2.0
"""The hosts of a storm besides the usual ones, and quick ways to harm their links and connections.

A program that is started takes a tenth of a second here; a message to the kernel takes a
thousandth.
"""

import contextlib
import errno
import fcntl
import itertools
import json
import os
import socket
import struct
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field

from support.netlink import HEADER, NLM_F_ACK, NLM_F_REQUEST, NLMSG_ERROR, Attr, parse, write
from support.netns import Netns
from support.pace import PACE
from support.topology import DIRECTOR, ip

# How many hosts have servers that something happens to, and how many clients whose links do.
HOSTS = 6
FAR = 2

NETLINK_SOCK_DIAG = 4
NLM_F_DUMP = 0x300
NLM_F_CREATE = 0x400
NLMSG_DONE = 3

RTM_NEWQDISC = 36
TC_ROOT = 0xFFFFFFFF
TCA_KIND, TCA_OPTIONS = 1, 2
HANDLE = 1 << 16
ALL = 0xFFFFFFFF

SOCK_DIAG_BY_FAMILY, SOCK_DESTROY = 20, 21
ESTABLISHED, CLOSE_WAIT = 1, 8
# Of the answers: family, state, timer and retransmissions, then what names the socket.
ID = struct.Struct("=4x48s")

SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1


def kernel(namespace: Netns, protocol: int) -> socket.socket:
    """A netlink socket in a namespace."""
    with namespace.entered():
        made = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol)
    made.settimeout(20 * PACE)
    made.bind((0, 0))
    return made


def acknowledged(asked: socket.socket, kind: int, flags: int, payload: bytes) -> int:
    """Sends a message and waits for its acknowledgement, which is an error or 0."""
    flags |= NLM_F_REQUEST | NLM_F_ACK
    asked.send(HEADER.pack(HEADER.size + len(payload), kind, flags, 1, 0) + payload)
    (message,) = parse(asked.recv(65536))
    assert message.kind == NLMSG_ERROR
    (error,) = struct.unpack_from("=i", message.payload)
    return -error


@dataclass
class Device:
    """An end of a link."""

    namespace: Netns
    name: str
    index: int = 0
    route: socket.socket = field(init=False)

    def open(self) -> None:
        """Lets it lose packets by and by: as yet none."""
        with self.namespace.entered():
            self.index = socket.if_nametoindex(self.name)
        self.route = kernel(self.namespace, socket.NETLINK_ROUTE)
        self.lose(0, NLM_F_CREATE)

    def lose(self, share: float, flags: int = 0) -> None:
        """Of what it sends so much is lost."""
        # The order: latency, limit, loss, gap, duplicate, jitter.
        options = struct.pack("=6I", 0, 1000, int(share * ALL), 0, 0, 0)
        attrs = write([Attr(TCA_KIND, b"netem\0"), Attr(TCA_OPTIONS, options)])
        head = struct.pack("=BxxxiIII", 0, self.index, HANDLE, TC_ROOT, 0)
        error = acknowledged(self.route, RTM_NEWQDISC, flags, head + attrs)
        assert error == 0, f"{self}: {os.strerror(error)}"

    def up(self, yes: bool) -> None:
        """Makes it go up or down."""
        with self.namespace.entered(), socket.socket() as any_socket:
            name = self.name.encode()
            have = fcntl.ioctl(any_socket, SIOCGIFFLAGS, struct.pack("16sH14x", name, 0))
            (flags,) = struct.unpack_from("16xH", have)
            flags = flags | IFF_UP if yes else flags & ~IFF_UP
            fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sH14x", name, flags))


class Host:
    """A host at the end of a link of its own."""

    def __init__(self, namespace: Netns, address: str, port: str) -> None:
        self.namespace = namespace
        self.address = address
        self.near = Device(DIRECTOR, port)
        self.far = Device(namespace, "eth0")

    @property
    def scope(self) -> str:
        return f"link of {self.namespace.name}"

    def open(self) -> None:
        for device in (self.near, self.far):
            device.open()
        self.diag = kernel(self.namespace, NETLINK_SOCK_DIAG)

    def close(self) -> None:
        for one in (self.near.route, self.far.route, self.diag):
            one.close()

    def _request(self, name: bytes, states: int = 0) -> bytes:
        return struct.pack("=BBBxI", socket.AF_INET, socket.IPPROTO_TCP, 0, states) + name

    def accepted(self, port: int) -> list[bytes]:
        """The names of the connections to a port here."""
        states = 1 << ESTABLISHED | 1 << CLOSE_WAIT
        payload = self._request(struct.pack(">H46x", port), states)
        flags = NLM_F_REQUEST | NLM_F_DUMP
        size = HEADER.size + len(payload)
        self.diag.send(HEADER.pack(size, SOCK_DIAG_BY_FAMILY, flags, 1, 0) + payload)
        found: list[bytes] = []
        while True:
            for message in parse(self.diag.recv(1 << 18)):
                if message.kind == NLMSG_DONE:
                    return found
                assert message.kind != NLMSG_ERROR, message
                (name,) = ID.unpack_from(message.payload)
                if struct.unpack_from(">H", name) == (port,):
                    found.append(name)

    def reset(self, name: bytes) -> bool:
        """Ends a connection with a reset. Whether it was still there."""
        error = acknowledged(self.diag, SOCK_DESTROY, 0, self._request(name))
        assert error in (0, errno.ENOENT), os.strerror(error)
        return error == 0


def batch(namespace: str, *lines: str) -> None:
    """Runs several commands of ip(8) as one."""
    words = ["ip", "-n", namespace, "-batch", "-"]
    subprocess.run(words, input="\n".join(lines), text=True, check=True, timeout=60 * PACE)


def make_servers(hosts: list[Host]) -> None:
    """Hosts on the bridge of the usual servers."""
    made, director = [], []
    for n in range(1, HOSTS + 1):
        name, near, far = f"storm{n}", f"fe:ff:ff:ff:02:{n:02}", f"02:00:00:00:02:{n:02}"
        host = Host(Netns(name), f"10.0.2.{20 + n}", f"storm{n}")
        ip("netns", "add", name)
        made.append(host)
        director += [
            f"link add {name} address {near} type veth peer name eth0 address {far} netns {name}",
            f"link set {name} master back up",
            # Else whoever asks for an address while the link is cut is told that there is none.
            f"neigh replace {host.address} lladdr {far} dev back nud permanent",
        ]
    batch("director", *director)
    (back,) = json.loads(DIRECTOR.run("ip", "-j", "link", "show", "dev", "back").stdout)
    for host in made:
        batch(
            host.namespace.name,
            "link set lo up",
            f"addr add {host.address}/24 dev eth0",
            "link set eth0 up",
            f"neigh replace 10.0.2.1 lladdr {back['address']} dev eth0 nud permanent",
        )
        host.open()
        hosts.append(host)


def make_clients(hosts: list[Host]) -> None:
    """Clients that are further away than the usual one."""
    for n in range(1, FAR + 1):
        name, near, far = f"far{n}", f"fe:ff:ff:ff:03:{n:02}", f"02:00:00:00:03:{n:02}"
        network = f"10.0.{2 + n}"
        host = Host(Netns(name), f"{network}.2", name)
        ip("netns", "add", name)
        batch(
            "director",
            f"link add {name} address {near} type veth peer name eth0 address {far} netns {name}",
            f"addr add {network}.1/24 dev {name}",
            f"link set {name} up",
            f"neigh replace {host.address} lladdr {far} dev {name} nud permanent",
        )
        batch(
            name,
            "link set lo up",
            f"addr add {host.address}/24 dev eth0",
            "link set eth0 up",
            f"neigh replace {network}.1 lladdr {near} dev eth0 nud permanent",
            f"route add default via {network}.1",
        )
        host.open()
        hosts.append(host)


@contextlib.contextmanager
def hosts() -> Iterator[tuple[list[Host], list[Host]]]:
    """Servers' and clients' hosts."""
    made: tuple[list[Host], list[Host]] = [], []
    try:
        make_servers(made[0])
        make_clients(made[1])
        yield made
    finally:
        # A namespace that somebody has a socket in stays, with its links.
        for host in itertools.chain(*made):
            host.close()
        for n in range(1, HOSTS + 1):
            subprocess.run(["ip", "netns", "del", f"storm{n}"], check=False)
        for n in range(1, FAR + 1):
            subprocess.run(["ip", "netns", "del", f"far{n}"], check=False)
