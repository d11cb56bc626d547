# SPDX-License-Identifier: GPL-2.0
"""A storm of netlink messages, from a process of its own.

    python3 -m support.netlink_storm KIND SEED SECONDS [PROTECTED...]

KIND says who sends: root who changes, or root who dumps; nobody, or a guest, who is nobody and root
of a user namespace, and to whom all must be denied; or "namespaces" or "guest-namespaces", who have
network namespaces of their own that come and go. What has one of the names PROTECTED is left alone,
and then nothing is flushed. The last line of output says how often what was answered, as JSON.
"""

import contextlib
import errno
import faulthandler
import fcntl
import json
import os
import random
import socket
import struct
import sys
import time
from collections import Counter
from dataclasses import dataclass, field

from support.netlink import (
    GENL,
    HEADER,
    NLM_F_ACK,
    NLM_F_DUMP,
    Answer,
    Attr,
    Message,
    Netlink,
    read,
    write,
)
from support.netlink_random import Maker, touches
from support.netlink_spec import spec
from support.pace import PACE

# A user who may nothing.
NOBODY = 65534

# To set a device's flags, and the one that says that it is up.
SIOCSIFFLAGS, IFF_UP = 0x8914, 1

# How much of what they do is dumps.
DUMPS = {"change": 0.1, "dump": 0.8, "nobody": 0.3, "guest": 0.3}

# Where a namespace of a storm's own listens.
PORT = 1000


@dataclass
class Shot:
    """What a dump showed."""

    generation: int = -1
    pools: dict[bytes, list[bytes]] = field(default_factory=dict)
    services: dict[bytes, list[int]] = field(default_factory=dict)


def number(path: str) -> int:
    return spec().number(path)


def snapshot(messages: list[Message]) -> Shot:
    """What a dump says, which must hold together: each part follows its whole."""
    shot = Shot()
    for message in messages:
        for kind, value in read(message.payload[GENL.size :]):
            attrs = dict(read(value))
            if kind == number("main/info"):
                assert shot.generation == -1
                (shot.generation,) = struct.unpack("=Q", attrs[number("info/generation")])
                continue
            assert shot.generation >= 0, "a dump without its begin"
            if kind == number("main/pool"):
                assert not shot.services
                shot.pools[attrs[number("pool/name")]] = []
            elif kind == number("main/server"):
                pool = attrs[number("server/pool")]
                assert pool == list(shot.pools)[-1]
                shot.pools[pool].append(attrs[number("server/address")])
            elif kind == number("main/service"):
                shot.services[attrs[number("service/name")]] = []
                if pool := attrs.get(number("service/pool")):
                    assert pool in shot.pools
            else:
                assert kind == number("main/rule")
                service = attrs[number("rule/service")]
                assert service == list(shot.services)[-1]
                shot.services[service].append(*struct.unpack("=I", attrs[number("rule/id")]))
                if pool := attrs.get(number("rule/pool")):
                    assert pool in shot.pools
    assert shot.generation >= 0
    return shot


class Storm:
    """Sends and checks what is answered."""

    def __init__(self, rng: random.Random, protected: set[bytes], denied: bool = False) -> None:
        self.rng = rng
        self.maker = Maker(rng)
        self.protected = protected
        self.denied = denied
        self.generation = 0
        self.counts: Counter[str] = Counter()
        self.last = b""
        self.netlink = Netlink()
        self.family = self.netlink.family
        self.change, self.get = (spec().commands[name] for name in ("change", "get"))

    def seen(self, answer: Answer, what: str) -> None:
        """Notes an answer, which must make sense."""
        error = errno.errorcode[answer.error] if answer.error else "done"
        self.counts[f"{what} {error}"] += 1
        assert answer.error or not self.denied, f"{what} is done for whom it is forbidden"
        assert answer.text.isprintable(), answer.text
        if answer.offset is not None:
            assert HEADER.size <= answer.offset < len(self.last), f"blames {answer.offset}"

    def send(self, data: bytes) -> bool:
        """Whether the kernel takes it: what is longer than the send buffer, it does not."""
        self.last = data
        try:
            self.netlink.socket.send(data)
        except OSError as refused:
            assert refused.errno in (errno.EMSGSIZE, errno.ENOBUFS), refused
            self.counts["send " + errno.errorcode[refused.errno]] += 1
            return False
        return True

    def attributes(self) -> tuple[bytes, bool]:
        """Of a transaction; and whether it must be refused."""
        data = self.maker.attributes()
        while self.protected and touches(data, self.protected):
            data = self.maker.attributes()
        if self.rng.random() > 0.1:
            return data, False
        # One that never comes, or one that was.
        stale = self.generation - 1 if self.generation else 1 << 63
        return write([Attr(number("main/generation"), struct.pack("=Q", stale))]) + data, True

    def one(self) -> None:
        """A transaction."""
        data, stale = self.attributes()
        if self.send(self.netlink.build(self.change, data)):
            answer = self.netlink.answer(self.netlink.seq)
            self.seen(answer, "change")
            assert answer.error or not stale, "a stale change is done"

    def several(self) -> None:
        """Some at once, of which each is answered."""
        before = self.netlink.seq
        requests = b""
        for _ in range(self.rng.randint(2, 6)):
            request = self.netlink.build(self.change, self.attributes()[0])
            # The next begins where it is aligned.
            requests += request + bytes(-len(request) % 4)
        if self.send(requests):
            wanted = set(range(before + 1, self.netlink.seq + 1))
            for answer in self.netlink.answers(wanted).values():
                self.seen(answer, "change")

    def strange(self) -> None:
        """No such command, version, flag or length. The next request must be answered."""
        data, _ = self.attributes()
        command = self.rng.choice([0, self.change, self.get, 3, 255])
        flags = self.rng.choice([NLM_F_ACK, 0, NLM_F_DUMP, NLM_F_DUMP | NLM_F_ACK, 0xFFFF])
        version = self.rng.choice([0, 1, 9])
        request = bytearray(self.netlink.build(command, data, flags, version=version))
        if self.rng.random() < 0.5:
            size = len(request) + self.rng.choice([-1, 1, -4, 4, 100])
            struct.pack_into("=I", request, 0, self.rng.choice([size, 0, 15, 16, 19, 1 << 31]))
        self.send(bytes(request))
        self.again()
        self.seen(self.netlink.ask(255, b""), "no command")

    def again(self) -> None:
        """Goes on with another socket: whatever is not read on the old is forgotten."""
        self.netlink.close()
        self.netlink = Netlink(self.family)

    def dump(self) -> None:
        """Reads all, which must hold together."""
        self.last = self.netlink.build(self.get, b"", NLM_F_DUMP)
        self.netlink.socket.send(self.last)
        answer = self.netlink.answer(self.netlink.seq)
        self.seen(answer, "dump")
        if answer.error == 0:
            generation = snapshot(answer.messages).generation
            assert generation >= self.generation, "an older configuration is back"
            self.generation = generation

    def broken_dump(self) -> None:
        """Reads as little as it likes of a dump, and does other things meanwhile."""
        for _ in range(self.rng.choice([1, 1, 20])):
            with Netlink(self.family) as other:
                other.socket.setblocking(False)
                for _ in range(self.rng.choice([1, 1, 2])):
                    junk = self.rng.choice([b"", b"\1", self.attributes()[0]])
                    with contextlib.suppress(OSError):
                        other.socket.send(other.build(self.get, junk, NLM_F_DUMP))
                for _ in range(self.rng.choice([0, 1, 1, 3])):
                    with contextlib.suppress(OSError):
                        other.socket.recv(self.rng.choice([1, 16, 100, 4096, 1 << 18]))
                if self.rng.random() < 0.3:
                    # A change while a dump of the same socket goes on.
                    with contextlib.suppress(OSError):
                        other.socket.send(other.build(self.change, self.attributes()[0]))
                if self.rng.random() < 0.3:
                    self.one()
                self.counts["broken dump"] += 1

    def run(self, end: float, dumps: float) -> None:
        """Goes on until `end`. So much of it is dumps."""
        try:
            while time.monotonic() < end:
                if self.rng.random() < dumps:
                    self.rng.choice([self.dump, self.broken_dump])()
                else:
                    self.rng.choices([self.one, self.several, self.strange], [12, 2, 1])[0]()
        except BaseException:
            print("the last request:", self.last[:4000].hex(), flush=True)
            raise


def become_nobody(root_of_own: bool) -> None:
    """Becomes a user who may nothing, or nothing but in a user namespace of its own."""
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    if root_of_own:
        os.unshare(os.CLONE_NEWUSER)


def loopback_up() -> None:
    """What `ip link set lo up` does; a program of its own would not have our capabilities."""
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", IFF_UP))


def open_things(storm: Storm) -> list[socket.socket]:
    """A service with clients in this namespace, which are still there when it ends."""
    loopback_up()
    listener = storm.maker.attr("service/listener", [
        storm.maker.attr("listener/address", bytes([127, 0, 0, 1])),
        storm.maker.attr("listener/port", struct.pack(">H", PORT)),
    ])  # fmt: skip
    name = storm.maker.attr("service/name", b"own\0")
    step = storm.maker.step("service-add", "service", [name, listener])
    assert storm.netlink.ask(storm.change, write([step])).error == 0
    clients = [socket.create_connection(("127.0.0.1", PORT), timeout=10) for _ in range(3)]
    clients[0].sendall(b"GET / HT")
    return clients


def namespaces(rng: random.Random, end: float) -> Counter[str]:
    """Storms in a namespace, leaves it with all that is open, and goes on in another."""
    counts: Counter[str] = Counter()
    while time.monotonic() < end:
        os.unshare(os.CLONE_NEWNET)
        storm = Storm(rng, set())
        left: list[socket.socket] = open_things(storm)
        storm.run(time.monotonic() + rng.uniform(0.1, 0.5), 0.2)
        for _ in range(rng.choice([0, 3])):
            other = Netlink(storm.family)
            other.socket.send(other.build(storm.get, b"", NLM_F_DUMP))
            left.append(other.socket)
        storm.netlink.close()
        counts += storm.counts
        counts["namespaces"] += 1
        rng.shuffle(left)
        # The namespace goes when the last of them does.
        if rng.random() < 0.5:
            os.unshare(os.CLONE_NEWNET)
        for one in left:
            one.close()
    return counts


def main() -> None:
    kind, seed, seconds, *protected = sys.argv[1:]
    if kind in ("nobody", "guest", "guest-namespaces"):
        # Before there is another thread: then there are no new user namespaces.
        become_nobody(root_of_own=kind != "nobody")
    # What hangs shall say where.
    faulthandler.dump_traceback_later(float(seconds) + 60 * PACE, exit=True)
    rng = random.Random(f"{kind} {seed}")
    end = time.monotonic() + float(seconds)
    names = {name.encode() for name in protected}
    if "namespaces" in kind:
        counts = namespaces(rng, end)
    else:
        storm = Storm(rng, names, denied=kind in ("nobody", "guest"))
        storm.run(end, DUMPS[kind])
        counts = storm.counts
    print(json.dumps(counts))


if __name__ == "__main__":
    main()
