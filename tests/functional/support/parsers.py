# SPDX-License-Identifier: GPL-2.0
"""What a stream of messages is taken for: by RFC 9112 in its strictest reading, and what may be
said of how others read it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import zip_longest


@dataclass(frozen=True)
class Message:
    """What a reader sees of a message. A target is empty where the reader does not keep it."""

    ident: str
    method: str
    target: bytes
    body: bytes

    def __repr__(self) -> str:
        body = f"{self.body[:60]!r}" + (f"+{len(self.body) - 60}" if len(self.body) > 60 else "")
        return f"<{self.method} {self.target[:80]!r} id={self.ident!r} body={body}>"


@dataclass(frozen=True)
class Refused:
    """A message that a reader does not want."""

    why: str


# What a reader sees in a stream, in its order. Nothing that is not whole.
Reading = list[Message | Refused]


@dataclass(frozen=True)
class Reader:
    """Someone who reads streams of messages."""

    name: str
    read: Callable[[bytes], Reading]
    # What it may refuse a message for.
    declines: frozenset[str] = frozenset()
    # What it is known to read wrongly, against the RFC.
    errs: frozenset[str] = frozenset()
    keeps_target: bool = True

    def sees(self, message: Message) -> Message:
        """The message as this reader would show it."""
        target = message.target if self.keeps_target else b""
        return Message(message.ident, message.method, target, message.body)


def named(*values: bytes) -> str:
    """The name that a message has in its X-Id, spelled one way."""
    text = b",".join(value.strip(b" \t") for value in values).decode("latin-1")
    return re.sub(r"[ \t]*,[ \t]*", ",", text)


class Malformed(Exception):
    """No strict reader lets this pass."""


TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
TEXT = rb"[\t\x20-\x7e\x80-\xff]*"
FIELD = re.compile(rb"(%s):(%s)\r\n" % (TOKEN, TEXT))
REQUEST_LINE = re.compile(rb"(%s) ([\x21-\x7e]+) HTTP/1\.([01])\r\n" % TOKEN)
STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-9]\d\d)(?: %s)?\r\n" % TEXT)
CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,16})((?:[ \t]*;[\t\x20-\x7e\x80-\xff]*)?)\r\n")


@dataclass(frozen=True)
class Head:
    """A strictly valid head."""

    first: tuple[bytes, ...]
    fields: list[tuple[bytes, bytes]]
    size: int

    def values(self, name: bytes) -> list[bytes]:
        return [value for other, value in self.fields if other == name]

    def framing(self) -> int | None:
        """The length of the body, None for chunks, -1 where nothing is said."""
        lengths, codings = self.values(b"content-length"), self.values(b"transfer-encoding")
        if len(lengths) + len(codings) > 1:
            raise Malformed(f"ambiguous framing: {lengths} {codings}")
        if codings:
            if codings[0].lower() != b"chunked" or self.first[-1] == b"0":
                raise Malformed(f"coding {codings}")
            return None
        if not lengths:
            return -1
        if not re.fullmatch(rb"\d+", lengths[0]):
            raise Malformed(f"length {lengths}")
        return int(lengths[0])


def read_head(data: bytes, first_line: re.Pattern[bytes]) -> Head | None:
    """The head that data begin with; None, if it is not whole."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = data[: end + 2]
    line = first_line.match(head)
    if not line:
        raise Malformed(f"first line of {head[:200]!r}")
    at, fields = line.end(), []
    while at < len(head):
        field = FIELD.match(head, at)
        if not field:
            raise Malformed(f"field line {head[at : at + 200]!r}")
        fields.append((field[1].lower(), field[2].strip(b" \t")))
        at = field.end()
    return Head(line.groups(), fields, end + 4)


def read_chunks(data: bytes, at: int) -> tuple[bytes, int] | None:
    """The body whose chunks begin there, and where it ends; None, if it is not whole."""
    body = b""
    while True:
        if b"\r\n" not in data[at:]:
            return None
        line = CHUNK_LINE.match(data, at)
        if not line:
            raise Malformed(f"chunk {data[at : at + 200]!r}")
        at, size = line.end(), int(line[1], 16)
        if size == 0:
            break
        if len(data) < at + size + 2:
            return None
        body += data[at : at + size]
        at += size + 2
        if data[at - 2 : at] != b"\r\n":
            raise Malformed(f"end of a chunk {data[at - 2 : at + 200]!r}")
    while not data.startswith(b"\r\n", at):
        field = FIELD.match(data, at)
        if not field:
            if b"\r\n" in data[at:]:
                raise Malformed(f"trailer {data[at : at + 200]!r}")
            return None
        at = field.end()
    return body, at + 2


def read_request(data: bytes) -> tuple[Message, int] | None:
    """The request that data begin with, and its length; None, if it is not whole."""
    head = read_head(data, REQUEST_LINE)
    if head is None:
        return None
    method, target, _ = head.first
    length = head.framing()
    if length is None:
        found = read_chunks(data, head.size)
        if found is None:
            return None
        body, end = found
    else:
        end = head.size + max(length, 0)
        if len(data) < end:
            return None
        body = data[head.size : end]
    ident = named(*head.values(b"x-id"))
    return Message(ident, method.decode(), target, body), end


def cut_requests(data: bytes) -> tuple[list[Message], list[bytes], bytes]:
    """The requests in data, the bytes of each, and what is left of one that is not whole."""
    messages, raw = [], []
    while data and (found := read_request(data)):
        message, size = found
        messages.append(message)
        raw.append(data[:size])
        data = data[size:]
    return messages, raw, data


def same(found: Reading, expected: list[Message], what: str) -> None:
    """The reading is exactly what was expected."""
    for n, (one, other) in enumerate(zip_longest(found, expected)):
        assert one == other, f"{what}, message {n}: saw {one!r} in place of {other!r}"


def same_or_refused(found: Reading, expected: list[Message], what: str) -> bool:
    """The reading is what was expected, or its first message is refused and what follows, if it is
    looked at at all, is what follows. Returns whether nothing was refused."""
    if found and isinstance(found[0], Refused):
        rest = found[1:]
        same(rest, expected[1 : len(rest) + 1], what)
        return False
    same(found, expected, what)
    return True


def read_response(data: bytes, method: str, ended: bool) -> tuple[Message, int] | None:
    """The response to a request with `method` that data begin with, and its length; None, if it is
    not whole. Its status is in the method's place. The data may be all before an end."""
    head = read_head(data, STATUS_LINE)
    if head is None:
        return None
    status = head.first[1].decode()
    ident = named(*head.values(b"x-id"))
    length = head.framing()
    if status.startswith("1") or status == "204":
        if head.values(b"content-length") or head.values(b"transfer-encoding"):
            raise Malformed(f"framing of a {status}")
        length = 0
    if method == "HEAD" or status == "304":
        length = 0
    if length is None:
        chunks = read_chunks(data, head.size)
        if chunks is None:
            return None
        return Message(ident, status, b"", chunks[0]), chunks[1]
    if length < 0 and not ended:
        return None
    end = head.size + length if length >= 0 else len(data)
    if len(data) < end:
        return None
    return Message(ident, status, b"", data[head.size : end]), end


def cut_responses(
    data: bytes, methods: list[str]
) -> tuple[list[list[Message]], list[bytes], bytes]:
    """The responses in data to requests with these methods, each with the interim ones before it,
    the bytes of each, and what is left."""
    messages, raw = [], []
    for method in methods:
        mine, size = [], 0
        while not mine or mine[-1].method.startswith("1"):
            found = read_response(data[size:], method, ended=True)
            if not found:
                return messages, raw, data
            mine.append(found[0])
            size += found[1]
        messages.append(mine)
        raw.append(data[:size])
        data = data[size:]
    return messages, raw, data
