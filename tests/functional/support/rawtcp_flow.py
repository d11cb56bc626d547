# SPDX-License-Identifier: GPL-2.0
"""One connection's end, of TCP by hand: it gets everything across, though in its own way."""

import random
import time
from collections import Counter
from collections.abc import Callable

from support.pace import PACE
from support.rawtcp import ACK, FIN, PSH, RST, SYN, Address, Segment, before
from support.rawtcp_ip import MOST

# How long until what is not acknowledged is sent again, in seconds, and for data at most: where the
# host is slow, what is repeated too early makes it slower.
AGAIN, AGAIN_MAX = 0.2 * PACE, 2.0 * PACE

# How long after the last segment that came the other end may wait for a window, in seconds.
AWAITED = 1.0 * PACE


class Flow:
    """The state of a connection. `send` takes segments."""

    def __init__(
        self, rng: random.Random, send: Callable[[Segment], None], ours: Address, theirs: Address
    ) -> None:
        self.rng = rng
        self.transmit = send
        self.ours, self.theirs = ours, theirs
        self.iss = rng.choice([rng.getrandbits(32), (1 << 32) - rng.randint(1, 3000)])
        # All that is to be sent; how much was acknowledged, and how much was sent once.
        self.out = bytearray()
        self.acked = self.sent = 0
        self.their_window = 0
        # All that came in order, what came early, and the number of the next byte.
        self.into = bytearray()
        self.early: dict[int, bytes] = {}
        self.expected = 0
        # The number of their first segment.
        self.irs: int | None = None
        self.end_at: int | None = None
        most = MOST[len(ours[0])]
        self.mss = rng.choice([most, most, most, 536, 64])
        self.windows = rng.choice(["wide", "wide", "wide", "narrow", "stop and go"])
        # Whether both ends of the connection cross on their way if the other one comes first.
        self.crossing = rng.random() < 0.5
        self.open = self.dead = self.their_end = False
        self.end_wanted = self.end_sent = self.end_acked = False
        self.acknowledge = False
        self.patience = AGAIN
        # How often it did what is odd.
        self.did: Counter[str] = Counter()
        self.started = self.progress = self.heard = time.monotonic()

    def window(self) -> int:
        """What we take now."""
        match self.windows:
            case "narrow":
                return self.rng.choice([64, 1460, 3000, 8000])
            case "stop and go":
                window = self.rng.choice([0, 4096, 65535])
                self.did["shut its window"] += window == 0
                return window
            case "shut":
                return 0
        return 65535

    def segment(self, flags: int = ACK, data: bytes = b"", at: int | None = None) -> Segment:
        """A segment of data that is at this place in `out`."""
        at = self.sent if at is None else at
        return Segment(self.ours, self.theirs, self.iss + 1 + at, self.expected, flags,
                       self.window(), data)  # fmt: skip

    def options(self) -> bytes:
        """What we say in the first segment."""
        return b"\2\4" + self.mss.to_bytes(2, "big")

    def begin(self) -> None:
        """Sends the first segment of a client's connection."""
        self.transmit(Segment(self.ours, self.theirs, self.iss, 0, SYN, 65535, b"", self.options()))

    def welcome(self) -> None:
        """Answers that of a server's."""
        self.transmit(Segment(self.ours, self.theirs, self.iss, self.expected, SYN | ACK, 65535,
                              b"", self.options()))  # fmt: skip

    def reset(self) -> None:
        self.transmit(self.segment(RST | ACK))
        self.dead = True

    def take(self, got: Segment) -> None:
        """A segment has come."""
        self.heard = time.monotonic()
        if got.flags & RST:
            self.dead = True
            return
        if got.flags & SYN:
            self.acknowledge = True
            # One that comes again does not turn back what has come meanwhile.
            if self.irs is None:
                self.irs, self.expected = got.seq, (got.seq + 1) & 0xFFFFFFFF
            if not got.flags & ACK:
                self.welcome()
                return
        if got.flags & ACK:
            self.take_ack(got)
        self.take_data(got)

    def take_ack(self, got: Segment) -> None:
        place = (got.ack - self.iss - 1) & 0xFFFFFFFF
        whole = len(self.out) + (1 if self.end_sent else 0)
        if place <= whole:
            self.open = True
            if place > self.acked:
                self.progress = time.monotonic()
                self.patience = AGAIN
            self.acked = max(self.acked, min(place, len(self.out)))
            self.sent = max(self.sent, self.acked)
            self.end_acked |= self.end_sent and place == whole
        self.their_window = got.window

    def take_data(self, got: Segment) -> None:
        length = len(got.data) + (1 if got.flags & FIN else 0)
        if not length:
            return
        self.acknowledge = True
        self.early[got.seq] = got.data + (b"\0" if got.flags & FIN else b"")
        if got.flags & FIN:
            self.end_at = (got.seq + length) & 0xFFFFFFFF
        while True:
            for seq, data in list(self.early.items()):
                skip = (self.expected - seq) & 0xFFFFFFFF
                if before(self.expected, seq):
                    continue
                del self.early[seq]
                if skip < len(data):
                    self.into += data[skip:]
                    self.expected = (seq + len(data)) & 0xFFFFFFFF
                    break
            else:
                break
        if self.end_at == self.expected and not self.their_end:
            # The end has a number too, and is no byte.
            self.into.pop()
            self.their_end = True
            self.cross()

    def cross(self) -> None:
        """Ends as well, as if the other end had not been heard of yet: both close at once."""
        if self.crossing and not self.end_sent and self.acked == len(self.out):
            self.end_wanted = self.end_sent = True
            self.progress = time.monotonic()
            end = self.segment(FIN | ACK, at=len(self.out))
            end.ack -= 1
            self.transmit(end)
            self.did["ended at once with the other"] += 1

    def tick(self, now: float) -> None:
        """Sends what is to be sent."""
        if self.dead:
            return
        if not self.open:
            if now - self.progress > AGAIN:
                self.progress = now
                self.begin() if self.irs is None else self.welcome()
            return
        room = min(len(self.out), self.acked + self.their_window)
        if self.acked < len(self.out) and now - self.progress > self.patience:
            self.again(now, room)
        elif self.sent < room:
            self.burst(room)
        elif self.end_wanted and self.acked == len(self.out) and not self.end_acked:
            self.end(now)
        if self.acknowledge or (self.windows != "wide" and now - self.heard < AWAITED):
            self.acknowledge = False
            self.transmit(self.segment(at=self.sent + self.end_sent))

    def end(self, now: float) -> None:
        """Says that there is nothing more to say, and again if that is not heard."""
        if not self.end_sent or now - self.progress > AGAIN:
            self.progress = now
            self.end_sent = True
            self.transmit(self.segment(FIN | ACK, at=len(self.out)))

    def again(self, now: float, room: int) -> None:
        """Begins again behind what was acknowledged; a shut window is asked with a byte."""
        self.progress = now
        self.patience = min(2 * self.patience, AGAIN_MAX)
        if room > self.acked:
            self.sent = self.acked
            self.burst(room)
        else:
            piece = bytes(self.out[self.acked : self.acked + 1])
            self.transmit(self.segment(ACK | PSH, piece, self.acked))

    def burst(self, room: int) -> None:
        """Some segments, in any order, some of which lie over each other."""
        pieces = []
        at = self.sent
        most = self.rng.choice(
            [1, 7, 100, self.mss] if room - at < 3000 else [100, self.mss, self.mss]
        )
        while at < room and len(pieces) < 32:
            size = min(self.rng.randint(1, min(most, self.mss)), room - at)
            start = max(self.acked, at - self.rng.choice([0, 0, 0, 1, 50]))
            pieces.append((start, bytes(self.out[start : at + size][: self.mss])))
            self.did["overlapped"] += start < at
            at = start + len(pieces[-1][1])
            if self.rng.random() < 0.1:
                pieces.append(pieces[-1])
        self.sent = max(self.sent, at)
        if self.rng.random() < 0.4:
            self.did["shuffled"] += len(pieces) > 1
            self.rng.shuffle(pieces)
        for start, data in pieces:
            self.transmit(self.segment(ACK | PSH, data, start))

    @property
    def over(self) -> bool:
        return self.dead or (self.end_acked and self.their_end)
