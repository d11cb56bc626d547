# SPDX-License-Identifier: GPL-2.0
"""What the clients of a storm ask for, and how they read the answers.

The servers (`storm_store`) answer a target with a query of `chunks` in chunks.
"""

from dataclasses import dataclass

from support.client import Connection, Response
from support.transfer import content, digest

# How long all chunks but the last are, in bytes.
CHUNK = 1500

# What the director may say while something is wrong.
TROUBLED = {408, 502, 503, 504}


class Cut(Exception):
    """The connection ended, by a reset or where nothing of an answer had come."""


class Status(Exception):
    """An answer that is not the server's."""


class Wrong(Exception):
    """What no fault explains: other bytes than were asked for, or too few that look complete."""


@dataclass
class Request:
    """A request, and what the right answer to it is."""

    data: bytes
    # As it is between head and next head.
    body: bytes
    # The field that says how long it is.
    framing: tuple[str, str]


def chunked(body: bytes) -> bytes:
    """This body in chunks."""
    pieces = [body[at : at + CHUNK] for at in range(0, len(body), CHUNK)]
    return b"".join(b"%x\r\n%s\r\n" % (len(one), one) for one in pieces) + b"0\r\n\r\n"


def head(method: str, target: str, fields: str = "", version: str = "1.1") -> bytes:
    return f"{method} {target} HTTP/{version}\r\nHost: test\r\n{fields}\r\n".encode()


def length(body: bytes) -> tuple[str, str]:
    return "content-length", str(len(body))


def get(target: str, fields: str = "", version: str = "1.1") -> Request:
    body = content(target)
    return Request(head("GET", target, fields, version), body, length(body))


def get_head(target: str) -> Request:
    """Asks for the head alone."""
    return Request(head("HEAD", target), b"", length(content(target)))


def get_chunks(target: str) -> Request:
    data = head("GET", f"{target}?chunks")
    return Request(data, chunked(content(target)), ("transfer-encoding", "chunked"))


def put(target: str) -> Request:
    body, answer = content(target), digest(content(target)).encode()
    data = head("PUT", target, f"Content-Length: {len(body)}\r\n") + body
    return Request(data, answer, length(answer))


def put_chunks(target: str) -> Request:
    body, answer = content(target), digest(content(target)).encode()
    data = head("PUT", target, "Transfer-Encoding: chunked\r\n") + chunked(body)
    return Request(data, answer, length(answer))


def begin(connection: Connection, status: int) -> Response:
    """Reads the head of an answer, which must have this status."""
    try:
        response = connection.response(head_only=True)
    except TimeoutError as error:
        raise Cut("a hang before a response") from error
    except (OSError, AssertionError) as error:
        raise Cut(f"before a response: {error!r}") from error
    if response.status in TROUBLED:
        raise Status(str(response.status))
    if response.status != status:
        raise Wrong(f"status {response.status}")
    return response


def contents(connection: Connection, body: bytes, may_end: bool = False) -> None:
    """Reads what is behind it, which must be `body`. It may end anywhere, or be cut off."""
    try:
        found = connection.exactly(len(body))
    except TimeoutError as error:
        raise Cut("a hang in a response") from error
    except OSError as error:
        raise Cut(f"in a response: {error!r}") from error
    except AssertionError as error:
        if may_end:
            raise Cut("an end in a tunnel") from error
        raise Wrong("the connection ended in a response as if it were whole") from error
    if found != body:
        raise Wrong("another body")


def answer(connection: Connection, request: Request) -> int:
    """Reads the answer to a request, which must be the right one. Its length."""
    response = begin(connection, 200)
    name, value = request.framing
    if response.fields.get(name) != value:
        raise Wrong(f"another framing: {response.fields}")
    contents(connection, request.body)
    return len(response.raw_head) + len(request.body)
