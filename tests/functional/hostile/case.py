# SPDX-License-Identifier: GPL-2.0
"""What a case of a hostile client is, and the words to write one with."""

from dataclasses import dataclass, replace
from typing import Any

# What must never reach a server when it stands behind something that is refused.
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"

# What must reach it, as a request of its own, when it stands behind something that passes.
NEXT = b"GET /next HTTP/1.1\r\nHost: a\r\n\r\n"

# Ports of the services: one that passes on what comes, one that adds the client's address, and one
# that answers itself.
PLAIN, FORWARDED_FOR, RULES = 80, 81, 82

# The client's address, as servers are told it.
CLIENT_ADDRESS = b"10.0.1.2"

# Where one of the rules leads.
ELSEWHERE = "https://www.example.org/new?a=b"


@dataclass(frozen=True)
class Case:
    """Bytes from a client, and what must come of them."""

    id: str
    # What is sent, segment by segment.
    sends: tuple[bytes, ...]
    # The statuses of the answers, in their order. Those to requests that the server sees are its
    # own, with the bodies that `witness.told` makes.
    answers: tuple[int, ...]
    # The requests that the server sees, byte by byte.
    sees: tuple[bytes, ...] = ()
    # What it may see the beginning of, but never the whole. Its connection ends then.
    partly: bytes = b""
    # The client's connection ends behind the answers; otherwise it serves another request.
    closes: bool = True
    # It may end with a reset.
    cut: bool = False
    # The client has said all that it says: it closes its side.
    ends: bool = False
    # To HEAD: no content follows.
    head_only: bool = False
    # The service's port.
    port: int = PLAIN
    # Where redirections among the answers lead.
    location: str = ""


def request(
    *fields: bytes,
    body: bytes = b"",
    method: bytes = b"GET",
    target: bytes = b"/case",
    version: bytes = b"HTTP/1.1",
    host: bytes | None = b"Host: a",
) -> bytes:
    """A request of field lines without their ends."""
    lines = [b"%s %s %s" % (method, target, version), *([] if host is None else [host]), *fields]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def post(*fields: bytes, body: bytes = b"", version: bytes = b"HTTP/1.1") -> bytes:
    """One that may have a body."""
    return request(*fields, body=body, method=b"POST", version=version)


def chunked(body: bytes) -> bytes:
    """One whose body is in chunks."""
    return post(b"Transfer-Encoding: chunked", body=body)


def sized(body: bytes) -> bytes:
    """One whose body has a length."""
    return post(b"Content-Length: %d" % len(body), body=body)


def refused(id: str, data: bytes, status: int = 400) -> Case:
    """What the director answers itself. Nothing of it and nothing behind it reaches a server."""
    return Case(id, (data + SMUGGLED,), (status,))


def broken(id: str, data: bytes, status: int = 400) -> Case:
    """What is found to be wrong when its server has its head already."""
    return Case(id, (data + SMUGGLED,), (status,), partly=data)


def passed(id: str, data: bytes, sees: bytes | None = None, **more: Any) -> Case:
    """What is right. It reaches the server as it is, or as it `sees` it, and what stands behind it
    is another request."""
    case = Case(
        id, (data + NEXT,), (200, 200), (data if sees is None else sees, NEXT), closes=False
    )
    return replace(case, **more)


def last(id: str, data: bytes, sees: bytes | None = None, **more: Any) -> Case:
    """What is right, but ends its connection: what stands behind it is not read."""
    case = Case(id, (data + SMUGGLED,), (200,), (data if sees is None else sees,))
    return replace(case, **more)


def escaped(data: bytes) -> str:
    """Bytes as they can be part of an id."""
    text = data.decode("latin-1").encode("unicode_escape").decode() or "nothing"
    return text if len(text) <= 60 else f"{text[:40]}... of {len(data)}"
