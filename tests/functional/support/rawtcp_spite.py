# SPDX-License-Identifier: GPL-2.0
"""What a hostile end of a connection does to TCP."""

import random
from collections.abc import Callable

from support.rawtcp import ACK, CWR, ECE, FIN, PSH, RST, SYN, URG, Address, Segment
from support.rawtcp_flow import Flow

# Options that are right, in a way, and options that are not.
OPTIONS = [
    b"\2\4\0\1",
    b"\2\4\0\0",
    b"\2\4\xff\xff",
    b"\3\3\x0e\0",
    b"\3\3\xff\0",
    b"\4\2\0\0",
    b"\x08\x0a" + b"\xff" * 8 + b"\0\0",
    b"\x08\x0a" + b"\0" * 8 + b"\1\1",
    b"\5\x0a" + b"\0\0\0\1\xff\xff\xff\xff\0\0",
    b"\5\xff\0\0",
    b"\2\0\0\0",
    b"\2\1\0\0",
    b"\xfe\4\1\2",
    b"\x22\2\0\0",
    b"\x22\x0a" + b"cookie!!" + b"\0\0",
    b"\1" * 40,
]


class Deck:
    """Things in random order, of which none comes again before all have come."""

    def __init__(self, *cards: str) -> None:
        self.cards = cards
        self.left: list[str] = []

    def deal(self, rng: random.Random) -> str:
        if not self.left:
            self.left = rng.sample(self.cards, len(self.cards))
        return self.left.pop()


# What hostile ends do, how quitters end, and how hostile servers answer the first segment.
ACTS = Deck(
    "other_data", "other_data", "outside", "cut", "urge", "flag", "lie", "options_anywhere",
    "wrong_sum", "leave", "end_early", "end_with_data", "begin_again", "shut_window",
    "strange_ack",
)  # fmt: skip
ENDS = Deck("reset", "leave", "finish", "stop")
WELCOMES = Deck(
    "refuses", "is silent", "begins too", "confirms what was not said", "talks at once",
    "is polite", "is polite", "is polite",
)  # fmt: skip


class Spiteful(Flow):
    """Does wrong now and then, each time it may do anything."""

    spite = 0.15

    def segment_at(self, offset: int, flags: int, data: bytes = b"") -> Segment:
        """A segment this far from where the next one belongs."""
        got = self.segment(flags, data)
        got.seq += offset
        return got

    def tick(self, now: float) -> None:
        super().tick(now)
        if not self.dead and self.rng.random() < self.spite:
            self.wrong()

    def wrong(self) -> None:
        """Any of it."""
        act = ACTS.deal(self.rng)
        self.did[act] += 1
        getattr(self, act)()

    def noise(self, most: int = 1400) -> bytes:
        """Bytes, some of which mean something to HTTP."""
        words = [b"GET / HTTP/1.1\r\n", b"\r\n\r\n", b"Content-Length: 5\r\n", b"0\r\n\r\n", b"\0"]
        if self.rng.random() < 0.5:
            return b"".join(self.rng.choices(words, k=self.rng.randint(1, 5)))
        return self.rng.randbytes(self.rng.randint(1, most))

    def other_data(self) -> None:
        """Says again what it said before, or says what is to come, but otherwise."""
        offset = self.rng.choice([-1, -10, -100, 0, 1, 10, 1000, -self.rng.randint(1, 5000)])
        self.transmit(self.segment_at(offset, ACK | PSH, self.noise()))

    def outside(self) -> None:
        """Is far outside of every window."""
        offset = self.rng.choice([1 << 31, (1 << 31) - 1, 1 << 20, -(1 << 20), 70_000])
        self.transmit(self.segment_at(offset, self.rng.choice([ACK, ACK | FIN, RST, SYN]),
                                      self.rng.choice([b"", self.noise()])))  # fmt: skip

    def cut(self) -> None:
        """Resets: exactly, nearly, or with data."""
        offset = self.rng.choice([0, 0, 0, 1, -1, 1000, 65535])
        self.transmit(self.segment_at(offset, self.rng.choice([RST, RST | ACK]),
                                      self.rng.choice([b"", self.noise()])))  # fmt: skip

    def urge(self) -> None:
        """Urgent data, in the segment or far from it."""
        got = self.segment(ACK | URG | PSH, self.noise(100))
        got.urgent = self.rng.choice([0, 1, 5, len(got.data), 1000, 65535])
        self.transmit(got)

    def flag(self) -> None:
        """Any flags at all."""
        flags = self.rng.choice([0, 0xFF, FIN | URG | PSH, SYN | FIN, SYN | RST, ECE | CWR | ACK,
                                 self.rng.randrange(256)])  # fmt: skip
        self.transmit(self.segment(flags, self.rng.choice([b"", self.noise()])))

    def lie(self) -> None:
        """A header that is longer or shorter than it says, or noise where options are."""
        got = self.segment(ACK, self.noise(50))
        got.options = self.rng.randbytes(self.rng.choice([0, 4, 20, 40]))
        got.wrong_length = self.rng.choice([0, 0, -1, 1, 5, -6])
        self.transmit(got)

    def options_anywhere(self) -> None:
        got = self.segment(self.rng.choice([ACK, SYN, SYN | ACK]), self.rng.choice([b"", b"x"]))
        got.options = self.rng.choice(OPTIONS)
        self.transmit(got)

    def wrong_sum(self) -> None:
        got = self.segment(self.rng.choice([ACK, RST, FIN | ACK]), self.noise())
        got.wrong_sum = self.rng.choice([1, 0x8000, self.rng.randint(1, 0xFFFE)])
        self.transmit(got)

    def leave(self) -> None:
        """Is not heard of any more."""
        self.dead = True

    def end_early(self) -> None:
        """Says that it has nothing more to say, wherever it is, and says more."""
        self.transmit(self.segment(FIN | ACK))
        if self.rng.random() < 0.5:
            self.transmit(self.segment_at(1, ACK, self.noise()))

    def end_with_data(self) -> None:
        self.transmit(self.segment(FIN | ACK | PSH, self.noise()))

    def begin_again(self) -> None:
        """Begins a connection that there is."""
        offset = self.rng.choice([0, 1, -1000, 100_000])
        self.transmit(self.segment_at(offset, SYN, self.rng.choice([b"", self.noise()])))

    def shut_window(self) -> None:
        got = self.segment()
        got.window = self.rng.choice([0, 0, 1])
        self.transmit(got)
        self.windows = "stop and go"

    def strange_ack(self) -> None:
        """Acknowledges what was not sent, or what was acknowledged long ago, or again and again."""
        got = self.segment()
        got.ack += self.rng.choice([1, 1000, 1 << 31, -1, -1000, -(1 << 30)])
        for _ in range(self.rng.choice([1, 1, 5])):
            self.transmit(got)


class Quitter(Flow):
    """Says nothing wrong, but not all that it might have said: it ends, resets or stops there."""

    def __init__(
        self, rng: random.Random, send: Callable[[Segment], None], ours: Address, theirs: Address
    ) -> None:
        super().__init__(rng, send, ours, theirs)
        self.impatience = rng.choice([0.0, 0.02, 0.2])
        self.last = ENDS.deal(rng)
        self.left = False

    def tick(self, now: float) -> None:
        super().tick(now)
        said_all = self.open and self.acked == len(self.out)
        if not self.left and (said_all or self.rng.random() < self.impatience):
            self.left = True
            self.did[f"quit: {self.last}"] += 1
            getattr(self, self.last)()

    def leave(self) -> None:
        """Is not heard of any more."""
        self.dead = True

    def finish(self) -> None:
        """Ends behind what was sent, in the middle of something or not."""
        del self.out[self.sent :]
        self.end_wanted = True

    def stop(self) -> None:
        """Takes nothing any more, and says nothing, but is there."""
        self.windows = "shut"


class Unwelcoming(Spiteful):
    """A server that answers the first segment as it likes."""

    def welcome(self) -> None:
        way = WELCOMES.deal(self.rng)
        self.did[way] += 1
        match way:
            case "refuses":
                self.transmit(Segment(self.ours, self.theirs, 0, self.expected, RST | ACK))
                self.dead = True
            case "is silent":
                self.dead = True
            case "begins too":
                # Both begin at once.
                self.begin()
            case "confirms what was not said":
                wrong = self.rng.choice([-1, 1, 1 << 31])
                self.transmit(Segment(self.ours, self.theirs, self.iss, self.expected + wrong,
                                      SYN | ACK))  # fmt: skip
            case "talks at once":
                self.transmit(Segment(self.ours, self.theirs, self.iss, self.expected, SYN | ACK,
                                      65535, self.noise(), self.rng.choice(OPTIONS)))  # fmt: skip
            case _:
                super().welcome()


def first_segment(flow: Flow, rng: random.Random, data: bytes) -> None:
    """A client's first segment, with data, strange options, or both."""
    flow.transmit(Segment(flow.ours, flow.theirs, flow.iss, 0, SYN, rng.choice([0, 1, 65535]),
                          rng.choice([b"", data[:500]]), rng.choice(OPTIONS)))  # fmt: skip
