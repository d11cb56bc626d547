# SPDX-License-Identifier: GPL-2.0
"""What hostile clients do, as a process of its own.

    python3 -m support.attacks NAME

It says that it is under way, goes on until it is killed, and keeps every connection that it may.
"""

import contextlib
import itertools
import os
import random
import selectors
import socket
import struct
import sys
import time
from collections.abc import Callable, Iterator

from support.topology import CLIENT, VIP

# How many connections an attacker keeps.
MANY = 500

# How many bytes of a body are promised.
PROMISED = 1_000_000

HEAD = b"GET /who HTTP/1.1\r\nHost: test\r\n"


def sockets(count: int) -> list[socket.socket]:
    """So many connections to the director, which never block."""
    made = [CLIENT.connect(VIP) for _ in range(count)]
    for one in made:
        one.setblocking(False)
    return made


def again(index: int, made: list[socket.socket]) -> None:
    """Replaces one that was refused."""
    made[index].close()
    with contextlib.suppress(OSError):
        made[index] = CLIENT.connect(VIP)
        made[index].setblocking(False)


def drip(begin: bytes, drops: bytes) -> Iterator[None]:
    """A byte at a time over many connections, after a beginning."""
    made = sockets(MANY)
    begun = [False] * MANY
    for drop in itertools.cycle(drops):
        for index, one in enumerate(made):
            try:
                if not begun[index]:
                    one.send(begin)
                    begun[index] = True
                one.send(bytes([drop]))
            except BlockingIOError:
                pass
            except OSError:
                begun[index] = False
                again(index, made)
        yield


def slow_head() -> Iterator[None]:
    """Heads that never end."""
    return drip(HEAD, b"X-Fill: slow\r\n")


def slow_body() -> Iterator[None]:
    """Bodies that never end."""
    return drip(b"PUT /who HTTP/1.1\r\nHost: test\r\nContent-Length: %d\r\n\r\n" % PROMISED, b"y")


def slow_read() -> Iterator[None]:
    """Large responses that nobody reads."""
    made = sockets(MANY)
    while True:
        for index, one in enumerate(made):
            try:
                one.send(b"GET /1m HTTP/1.1\r\nHost: test\r\n\r\n")
            except BlockingIOError:
                pass
            except OSError:
                again(index, made)
            if index % 50 == 0:
                yield


def connections() -> Iterator[None]:
    """Connections that ask nothing, ever more, and some that end at once."""
    kept: list[socket.socket] = []
    while True:
        for _ in range(50):
            with contextlib.suppress(OSError):
                kept.append(CLIENT.connect(VIP))
                CLIENT.connect(VIP).close()
        if len(kept) > 20 * MANY:
            for one in kept[:MANY]:
                one.close()
            del kept[:MANY]
        yield


def bombs() -> Iterator[None]:
    """Heads of very many fields, and of very long ones."""
    heads = [
        HEAD + b"".join(b"X-%d: y\r\n" % n for n in range(3000)) + b"\r\n",
        HEAD + b"X-Fill: " + b"y" * 60_000 + b"\r\n\r\n",
        b"GET /" + b"y" * 60_000 + b" HTTP/1.1\r\nHost: test\r\n\r\n",
        HEAD + b"Cookie: " + b"a=b; " * 3000 + b"\r\n\r\n",
    ]
    for head in itertools.cycle(heads):
        with contextlib.suppress(OSError), CLIENT.connect(VIP) as one:
            one.sendall(head)
            one.recv(65536)
        yield


def segments() -> Iterator[None]:
    """Requests of which each byte is a packet."""
    made = sockets(20)
    selector = selectors.DefaultSelector()
    for one in made:
        selector.register(one, selectors.EVENT_READ)
    for byte in itertools.cycle(HEAD + b"\r\n"):
        for index, one in enumerate(made):
            try:
                one.send(bytes([byte]))
            except BlockingIOError:
                pass
            except OSError:
                selector.unregister(one)
                again(index, made)
                selector.register(made[index], selectors.EVENT_READ)
        for key, _ in selector.select(0):
            with contextlib.suppress(OSError):
                key.fileobj.recv(65536)
        yield


def checksum(data: bytes) -> int:
    """RFC 1071."""
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def syn(source: str, port: int) -> bytes:
    """A SYN to the director's port 80, with its IPv4 header."""
    addresses = socket.inet_aton(source) + socket.inet_aton(VIP)

    def tcp(check: int) -> bytes:
        return struct.pack(
            "!HHIIBBHHH", port, 80, random.getrandbits(32), 0, 5 << 4, 2, 65535, check, 0
        )

    check = checksum(addresses + struct.pack("!HH", socket.IPPROTO_TCP, 20) + tcp(0))
    head = struct.pack("!BBHHHBBH", 0x45, 0, 40, 0, 0, 64, socket.IPPROTO_TCP, 0)
    return head + addresses + tcp(check)


def syns() -> Iterator[None]:
    """SYNs of hosts that do not exist."""
    with CLIENT.entered():
        raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    while True:
        for _ in range(200):
            source = f"10.0.1.{random.randrange(100, 250)}"
            with contextlib.suppress(OSError):
                raw.sendto(syn(source, random.randrange(1024, 65536)), (VIP, 0))
        yield


ATTACKS: dict[str, Callable[[], Iterator[None]]] = {
    attack.__name__: attack
    for attack in (slow_head, slow_body, slow_read, connections, bombs, segments, syns)
}


def main() -> None:
    # The machine that all hosts share is not what is attacked.
    os.nice(19)
    for turn, _ in enumerate(ATTACKS[sys.argv[1]]()):
        if turn == 2:
            print("under way", flush=True)
        time.sleep(0.005)


if __name__ == "__main__":
    main()
