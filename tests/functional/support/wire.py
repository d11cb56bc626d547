# SPDX-License-Identifier: GPL-2.0
"""A link whose packets arrive as a plain network card delivers them: payload and headers in one
linear buffer. veth passes on the sender's own buffers, whose payload is in page fragments.

    host A --- veth --- (copied frame by frame) --- veth --- host B

What sends a frame of less than a page through a packet socket makes it linear.
"""

import contextlib
import selectors
import socket
import threading
from collections.abc import Iterator

from support.netns import Netns
from support.topology import address, ip

# What packet sockets need to be told: every protocol, and nothing that they send themselves.
ETH_P_ALL = 3
SOL_PACKET = 263
PACKET_IGNORE_OUTGOING = 23
SO_RCVBUFFORCE = 33

# Room for the largest burst that two hosts have on the way, in bytes.
ROOM = 8 << 20


class Wire:
    """Copies frames between two devices of a namespace of its own."""

    def __init__(self, name: str) -> None:
        self.namespace = Netns(name)
        # How many frames went to each device of ours, and so to the host behind it.
        self.frames = {"end1": 0, "end2": 0}
        self.stop, self.stopped = socket.socketpair()
        with self.namespace.entered():
            self.ends = [self._end(device) for device in ("end1", "end2")]
        self.thread = threading.Thread(target=self._copy, daemon=True)
        self.thread.start()

    @staticmethod
    def _end(device: str) -> socket.socket:
        end = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        end.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        end.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, ROOM)
        end.bind((device, ETH_P_ALL))
        end.setblocking(False)
        return end

    def _copy(self) -> None:
        a, b = self.ends
        with selectors.DefaultSelector() as selector:
            selector.register(a, selectors.EVENT_READ, (b, "end2"))
            selector.register(b, selectors.EVENT_READ, (a, "end1"))
            selector.register(self.stopped, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    if key.fileobj is self.stopped:
                        return
                    to, name = key.data
                    with contextlib.suppress(BlockingIOError):
                        while True:
                            to.send(key.fileobj.recv(65536))
                            self.frames[name] += 1

    def close(self) -> None:
        self.stop.close()
        self.thread.join()
        for end in [*self.ends, self.stopped]:
            end.close()


@contextlib.contextmanager
def wire(
    name: str, a: tuple[Netns, str], b: tuple[Netns, str], merged: bool = False
) -> Iterator[Wire]:
    """A wire between new devices of two hosts, given with their addresses; both have its name.
    With `merged`, `b` merges the packets that it gets (GRO), which chains their linear buffers."""
    ip("netns", "add", name)
    try:
        with contextlib.ExitStack() as settings:
            for end, (host, its_address) in (("end1", a), ("end2", b)):
                ip("link", "add", end, "netns", name, "type", "veth",
                   "peer", "name", name, "netns", host.name)  # fmt: skip
                ip("-n", name, "link", "set", end, "up")
                address(host, name, its_address)
                settings.callback(ip, "-n", host.name, "link", "del", name)
                # What is copied must be whole: cut into packets, with sums.
                host.run("ethtool", "-K", name, "tx", "off")
            if merged:
                host, _ = b
                host.run("ethtool", "-K", name, "gro", "on")
                # What a device sends that cuts packets up for others is never merged.
                ip("netns", "exec", name, "ethtool", "-K", "end2", "tso", "off")
                # Frames come one by one: they can only be merged if they wait for each other.
                host.set_device(name, "gro_flush_timeout", "4000000")
            copier = Wire(name)
            settings.callback(copier.close)
            yield copier
    finally:
        ip("netns", "del", name)
