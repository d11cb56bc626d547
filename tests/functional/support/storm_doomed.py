# SPDX-License-Identifier: GPL-2.0
"""Namespaces that serve and then end, with requests on their way."""

import os
import random
import socket
import struct
import threading
import time

from support.netlink import Netlink, write
from support.netlink_random import Maker
from support.netlink_spec import spec
from support.netlink_storm import loopback_up
from support.pace import PACE

# Where the service listens, and its server.
SERVICE, SERVER = 80, 9999

ADDRESSES = ["127.0.0.1", "::1"]
V4, V6 = bytes([127, 0, 0, 1]), bytes(15) + b"\1"


def configure(maker: Maker) -> None:
    """A service with a pool of one server."""

    def place(path: str, address: bytes, port: int) -> list:
        return [
            maker.attr(f"{path}/address", address),
            maker.attr(f"{path}/port", struct.pack(">H", port)),
        ]

    pool = [maker.attr("pool/name", b"dead\0")]
    server = [maker.attr("server/pool", b"dead\0"), *place("server", V4, SERVER)]
    service = [maker.attr("service/name", b"web\0"), maker.attr("service/pool", b"dead\0")]
    for address in (V4, V6):
        service.append(maker.attr("service/listener", place("listener", address, SERVICE)))
    steps = [
        maker.step("pool-add", "pool", pool),
        maker.step("server-add", "server", server),
        maker.step("service-add", "service", service),
    ]
    with Netlink() as netlink:
        answer = netlink.ask(spec().commands["change"], write(steps))
    assert answer.error == 0, answer


def live_and_die(choices: random.Random, loaded: threading.Lock) -> None:
    """This thread goes into a namespace of its own, uses it and leaves it. While `loaded` is
    held, the module is there and stays."""
    with open("/proc/thread-self/ns/net") as old:
        os.unshare(os.CLONE_NEWNET)
        try:
            loopback_up()
            with loaded:
                configure(Maker(choices))
            # Nobody accepts: the requests wait for their answers for ever.
            sockets = [socket.create_server(("127.0.0.1", SERVER))]
            for n in range(6):
                try:
                    one = socket.create_connection((ADDRESSES[n % 2], SERVICE), 10 * PACE)
                    sockets.append(one)
                    if n:
                        one.sendall((b"GET /%d HTTP/1.1\r\nHost: doomed\r\n\r\n" % n)[: 29 + n])
                except OSError:
                    # The module may be unloaded at any time.
                    pass
            time.sleep(choices.random() * 0.05)
            # A socket keeps its namespace.
            choices.shuffle(sockets)
            for one in sockets:
                one.close()
        finally:
            os.setns(old.fileno(), os.CLONE_NEWNET)
