# SPDX-License-Identifier: GPL-2.0
"""Strange hosts, as a process of their own, until they are told to stop.

    python3 -m support.rawtcp_storm SEED SECONDS

Clients of the director's services, and servers at ODD and BAD, over IPv4 and IPv6. Those that keep
to TCP, though in odd ways, must get what they asked for, or give it; the others do wrong, or leave
before they have said all.

They say "ready" in a line of output. After so many seconds, and when enough has happened, no
client comes any more; when those that do nothing wrong are through, they say "calm", and the
servers go on serving. At a line of input they reset all that there is, say "over", and from then on
answer whatever still comes with a reset. When their input ends they end, and the last line says
what there was.
"""

import json
import os
import random
import select
import selectors
import sys
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from support import rawtcp_spite
from support.pace import PACE
from support.rawtcp import ACK, RST, SYN, Address, Segment, address, packet_socket, parse
from support.rawtcp_flow import Flow
from support.rawtcp_requests import (
    answer,
    cut_short,
    get,
    message,
    put_chunked,
    wrong_request,
)
from support.rawtcp_spite import Quitter, Spiteful, Unwelcoming, first_segment
from support.topology import VIP, VIP6
from support.transfer import content, digest, put

# Servers that keep to TCP, and those that do not.
ODD = [address("10.9.1.1", 80), address("fd00:9:1::1", 80)]
BAD = [address("10.9.1.2", 80), address("fd00:9:1::2", 80)]

# How many connections clients have at once.
CLIENTS = 20

# Longest that a client who does nothing wrong has to wait, in seconds.
PATIENCE = 30.0 * PACE

# How often each connection may send something, in seconds.
TICK = 0.01

# Longest that a hostile connection goes on, in seconds: less than a storm, so that others follow.
LIFE = 3.0

# What must have happened how often for a storm to mean anything, and how many seconds longer than
# it should clients come until it has.
ENOUGH = {
    "polite responses": 5,
    "polite responses over IPv6": 2,
    "polite servers": 2,
    "polite servers over IPv6": 1,
    "hostile clients": 5,
    "hostile servers": 2,
    "quitters": 3,
    "shuffled": 1,
    "shut its window": 1,
    "ended at once with the other": 1,
    "urge": 1,
    "cut": 1,
}
OVERTIME = 20.0 * PACE

# All ways to be odd or hostile that are counted, and how many of them there must have been.
ODD_WAYS = ["shut its window", "ended at once with the other", "overlapped", "shuffled"]
ENDS = [f"quit: {end}" for end in rawtcp_spite.ENDS.cards]
WAYS = {*ODD_WAYS, *ENDS, *rawtcp_spite.ACTS.cards, *rawtcp_spite.WELCOMES.cards} - {"is polite"}
WAYS_ENOUGH = 20


def ways(counts: dict[str, int]) -> int:
    """How many of the ways to be odd or hostile there were."""
    return sum(counts.get(way, 0) > 0 for way in WAYS)


class Host:
    """All of them."""

    def __init__(self, seed: str, seconds: float) -> None:
        self.rng = random.Random(f"wire {seed}")
        self.end = time.monotonic() + seconds
        self.socket = packet_socket()
        self.selector = selectors.DefaultSelector()
        self.flows: dict[tuple[Address, Address], Flow] = {}
        # What clients who do nothing wrong wait for.
        self.waiting: dict[Flow, deque[bytes]] = {}
        self.counts: Counter[str] = Counter()
        self.failures: list[str] = []
        # Whether clients come, and whether anybody is served.
        self.stormy = self.serving = True
        # What resets the last connections that there were.
        self.old: deque[Segment] = deque(maxlen=20000)
        self.port = 1024

    def transmit(self, segment: Segment) -> None:
        self.counts["segments sent"] += 1
        try:
            self.socket.send(segment.frame())
        except BlockingIOError:
            # Lost, then.
            self.counts["segments lost"] += 1

    def someone(self) -> Address:
        """An address and a port that none of us had lately."""
        self.port = self.port + 1 if self.port < 65000 else 1024
        network = self.rng.choice(["10.9.2.", "fd00:9:2::"])
        return address(f"{network}{self.rng.randint(1, 99)}", self.port)

    def begin(self) -> None:
        """A client comes."""
        kind = self.rng.choices([Flow, Quitter, Spiteful], [4, 2, 4])[0]
        # Nobody can be sure to be answered by a hostile server.
        port = self.rng.choice([80, 81] if kind is Flow else [80, 81, 82])
        ours = self.someone()
        flow = kind(self.rng, self.transmit, ours, address(VIP6 if v6(ours) else VIP, port))
        self.add(flow)
        if kind is Flow:
            self.ask(flow)
        elif kind is Quitter:
            self.counts["quitters"] += 1
            flow.out += self.cut_request()
        else:
            self.counts["hostile clients"] += 1
            flow.out += self.hostile_request()
            if self.rng.random() < 0.3:
                first_segment(flow, self.rng, bytes(flow.out))
                return
        flow.begin()

    def add(self, flow: Flow) -> None:
        flow.did = self.counts
        self.flows[flow.ours, flow.theirs] = flow

    def count(self, what: str, ours: Address) -> None:
        """One more of these."""
        self.counts[what] += 1
        self.counts[f"{what} over IPv6"] += v6(ours)

    def ask(self, flow: Flow) -> None:
        """Some requests, to be answered in their order."""
        self.counts["polite clients"] += 1
        self.waiting[flow] = deque()
        for _ in range(self.rng.choice([1, 1, 2, 5])):
            # Small windows take long.
            size = self.rng.choice([0, 1, 11, 1000, 3000] + [20000] * (flow.windows == "wide"))
            target = f"/{size}/{self.rng.getrandbits(32)}"
            if self.rng.random() < 0.3:
                flow.out += put(target)
                self.waiting[flow].append(digest(content(target)).encode())
            else:
                flow.out += get(target)
                self.waiting[flow].append(content(target))
        # That no more will come makes no difference to what has come.
        flow.end_wanted = self.rng.random() < 0.15

    def cut_request(self) -> bytes:
        """Some requests, of which the end may be missing."""
        makers: list[Callable[[str], bytes]] = []
        for _ in range(self.rng.choice([1, 1, 2, 4])):
            self.counts["cut requests"] += 1
            size = self.rng.choice([0, 1, 100, 5000, 40000])
            name = f"/{size}/quit-{self.counts['cut requests']}-"
            chunked = partial(put_chunked, step=self.rng.choice([7, 500, 4000]))
            kind = self.rng.choice([get, put, chunked])
            makers.append(lambda what, kind=kind, name=name: kind(name + what))
        return cut_short(makers, self.rng.choice([1.0, self.rng.random(), self.rng.random()]))

    def hostile_request(self) -> bytes:
        requests = [get("/100/x"), get("/50000/x"), put("/100/x"), put("/5000/x")]
        data = b"".join(self.rng.choices(requests, k=self.rng.randint(1, 4)))
        if self.rng.random() < 0.5:
            data = data[: self.rng.randint(0, len(data))]
        return data

    def arrived(self, frame: bytes) -> None:
        got = parse(frame)
        if got is None:
            return
        self.counts["segments received"] += 1
        flow = self.flows.get((got.target, got.source))
        begins = got.target in ODD + BAD and got.flags & SYN and not got.flags & ACK
        # A port that is used again has another first number, and is another connection.
        if self.serving and begins and (flow is None or flow.irs not in (None, got.seq)):
            flow = self.welcome(got)
        if flow is not None:
            flow.take(got)
            self.serve(flow) if flow.ours in ODD + BAD else self.check(flow)
        elif not got.flags & RST and (not self.stormy or self.rng.random() < 0.5):
            # What is not known is reset, or not: hosts vanish.
            self.refuse(got)

    def welcome(self, got: Segment) -> Flow:
        """The server's end of a connection that begins."""
        kind = Flow if got.target in ODD else Unwelcoming
        self.count("polite servers" if kind is Flow else "hostile servers", got.target)
        flow = kind(self.rng, self.transmit, got.target, got.source)
        self.add(flow)
        return flow

    def refuse(self, got: Segment) -> None:
        seq = got.ack if got.flags & ACK else 0
        end = got.seq + len(got.data) + bool(got.flags & SYN) + (got.flags & 1)
        self.transmit(Segment(got.target, got.source, seq, end, RST | ACK))

    def serve(self, flow: Flow) -> None:
        """Answers whole requests, as `store` does."""
        while not flow.end_wanted and (found := message(flow.into)):
            if why := wrong_request(*found):
                self.failures.append(f"{flow.ours} from {flow.theirs}: {why}")
            body, last = answer(*found), b""
            if isinstance(flow, Spiteful) and self.rng.random() < 0.5:
                body = self.rng.randbytes(self.rng.choice([0, 10, 5000]))
            elif self.rng.random() < 0.05:
                flow.end_wanted, last = True, b"Connection: close\r\n"
            said = b"HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n" % (last, len(body)) + body
            if isinstance(flow, Spiteful) and self.rng.random() < 0.3:
                said = said[: self.rng.randint(0, len(said))]
            flow.out += said
            self.counts["requests served"] += 1
        flow.end_wanted |= flow.their_end

    def check(self, flow: Flow) -> None:
        """Compares what a polite client gets with what it asked for."""
        wanted = self.waiting.get(flow)
        if wanted is None:
            flow.into.clear()
            return
        while wanted and (found := message(flow.into)):
            head, body = found
            self.count("polite responses", flow.ours)
            if not head.startswith(b"HTTP/1.1 200 ") or body != wanted[0]:
                self.fail(flow, f"a wrong response: {head!r} {body[:50]!r}, not {wanted[0][:50]!r}")
            wanted.popleft()
        if not wanted and not flow.end_wanted:
            flow.end_wanted = True
            if self.rng.random() < 0.2:
                flow.reset()
        elif wanted and (flow.dead or flow.their_end):
            self.fail(flow, "an end before all responses")

    def fail(self, flow: Flow, why: str) -> None:
        self.failures.append(f"{flow.ours} to {flow.theirs}, windows {flow.windows}: {why}")
        self.waiting.pop(flow, None)
        flow.dead = True

    def tick(self) -> None:
        now = time.monotonic()
        for key, flow in list(self.flows.items()):
            flow.tick(now)
            wanted = self.waiting.get(flow)
            if wanted and now - flow.started > PATIENCE:
                self.fail(flow, f"no response; {flow.acked} of {len(flow.out)} sent")
            hostile = isinstance(flow, Spiteful | Quitter) and now - flow.started > LIFE
            if flow.over or hostile:
                del self.flows[key]
                self.waiting.pop(flow, None)
                self.old.append(flow.segment(RST | ACK))
        clients = sum(1 for flow in self.flows.values() if flow.ours not in ODD + BAD)
        if self.stormy and clients < CLIENTS:
            self.begin()

    def calm(self) -> None:
        """Lets no more clients come, and those that do nothing wrong get through."""
        self.stormy = False
        while any(self.waiting.values()):
            self.turn()
        say("calm")

    def forget(self) -> None:
        """Ends all that there is, and some of what there was."""
        self.serving = False
        self.old.extend(flow.segment(RST | ACK) for flow in self.flows.values())
        self.flows.clear()
        for segment in self.old:
            self.transmit(segment)
            # A reset that is not at the right place may be ignored. What comes for the second time
            # is answered, and the answer is reset at the right place.
            self.transmit(replace(segment, seq=segment.seq - (1 << 20), flags=ACK))
        say("over")

    def turn(self) -> None:
        """Whatever has come, and then whatever is to go, once."""
        deadline = time.monotonic() + TICK
        while (left := deadline - time.monotonic()) > 0:
            if not self.selector.select(left):
                break
            for _ in range(100):
                try:
                    self.arrived(self.socket.recv(1 << 17))
                except BlockingIOError:
                    break
        self.tick()

    def go_on(self) -> bool:
        """Whether more clients are to come."""
        late = time.monotonic() - self.end
        scarce = ways(self.counts) < WAYS_ENOUGH or any(
            self.counts[what] < least for what, least in ENOUGH.items()
        )
        return late < (OVERTIME if scarce else 0)

    def run(self) -> None:
        self.selector.register(self.socket, selectors.EVENT_READ)
        say("ready")
        while self.go_on():
            self.turn()
        self.calm()
        while not told():
            self.turn()
        self.forget()
        while not told():
            self.turn()


def v6(one: Address) -> bool:
    return len(one[0]) == 16


def say(word: str) -> None:
    print(word, flush=True)


def told() -> bool:
    """Whether there is another line of input, or the end of it; takes it."""
    return bool(select.select([sys.stdin], [], [], 0)[0]) and sys.stdin.readline() is not None


def main() -> None:
    seed, seconds = sys.argv[1:]
    # Clients that are served without a fault ask as fast as they are answered, and would leave no
    # CPU to us.
    os.nice(-10)
    host = Host(seed, float(seconds))
    host.run()
    print(json.dumps({"counts": host.counts, "failures": host.failures}))


if __name__ == "__main__":
    main()
