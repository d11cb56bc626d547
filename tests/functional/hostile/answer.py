# SPDX-License-Identifier: GPL-2.0
"""What a case of a hostile server is, and the words to write one with."""

from dataclasses import dataclass, replace
from typing import Any

from hostile.case import request

# A response that nobody asked for, and that nobody may get.
POISON = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nX-Poison: y\r\n\r\npoison"


# What is asked where nothing else is.
PLAIN = request()


@dataclass(frozen=True)
class Answer:
    """Bytes from a server, and what must come of them."""

    id: str
    # What the server says to the request, segment by segment.
    says: tuple[bytes, ...]
    # What the client gets, byte by byte, before what the director says.
    gets: bytes
    # The status of what the director says instead, or behind interim responses; or 0.
    status: int = 0
    # The server's connection serves another request.
    reused: bool = True
    # The client's connection serves another request; otherwise it ends, orderly.
    keeps: bool = True
    # It ends with a reset, and what the client got of `gets` does not look whole.
    cut: bool = False
    # The server closes its connection behind what it says, or resets it.
    ends: bool = False
    resets: bool = False
    # What it says once the client has its answer. Then its connection must end.
    late: bytes = b""
    # What is asked.
    asks: bytes = PLAIN
    # What the server sees of it, where that is something else, and never anything behind it.
    sees: bytes | None = None
    # It is asked once more where the server's connection had been used before.
    repeated: bool = False
    # The server answers when it has the head.
    early: bool = False
    # What the client says once it has its answer.
    more: bytes = b""


def good(id: str, *says: bytes, **more: Any) -> Answer:
    """It is passed on as it is, or as `more` says, and both connections go on."""
    return replace(Answer(id, says, b"".join(says)), **more)


def until_end(id: str, *says: bytes, **more: Any) -> Answer:
    """It ends with its connection, and the client must be told so: what it `gets`."""
    return good(id, *says, ends=True, reused=False, keeps=False, **more)


def early(id: str, *says: bytes, **more: Any) -> Answer:
    """It comes before the request is whole, and ends both connections: what the client still says
    must not become another request."""
    return good(id, *says, early=True, reused=False, keeps=False, **more)


def bad(id: str, *says: bytes, **more: Any) -> Answer:
    """It is no answer."""
    return replace(Answer(id, says, b"", status=502, reused=False, keeps=False), **more)


def broken(id: str, *says: bytes, **more: Any) -> Answer:
    """It goes wrong when the client has the beginning already, or could have it."""
    answer = Answer(id, says, b"".join(says), reused=False, keeps=False, cut=True)
    return replace(answer, **more)


def extra(id: str, says: bytes, behind: bytes, **more: Any) -> Answer:
    """It is passed on, but for what stands `behind` it: that must not reach anybody."""
    return replace(Answer(id, (says + behind,), says, reused=False), **more)


def response(
    *fields: bytes, body: bytes = b"", status: bytes = b"200 OK", version: bytes = b"HTTP/1.1"
) -> bytes:
    """A response of field lines without their ends."""
    return b"\r\n".join([version + b" " + status, *fields]) + b"\r\n\r\n" + body


def sized(body: bytes, *fields: bytes, **more: Any) -> bytes:
    """One whose body has a length."""
    return response(b"Content-Length: %d" % len(body), *fields, body=body, **more)


def chunked(body: bytes, *fields: bytes, **more: Any) -> bytes:
    """One whose body is in chunks."""
    return response(b"Transfer-Encoding: chunked", *fields, body=body, **more)
