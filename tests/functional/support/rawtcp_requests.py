# SPDX-License-Identifier: GPL-2.0
"""Requests that say by their names how much of them will be sent, and servers that look.

/SIZE/quit-N-WHAT is a request of which all is sent, where WHAT is `w`; of which only the head is
whole, where it is `b`; or not even that, where it is `h`.
"""

import re
from collections.abc import Callable

from support.raw_server import Peer
from support.transfer import content, digest

NAME = re.compile(rb"^[A-Z]+ (/\d+/quit-\d+-([whb])) ")


def get(target: str) -> bytes:
    return f"GET {target} HTTP/1.1\r\nHost: strange\r\n\r\n".encode()


def put_chunked(target: str, step: int) -> bytes:
    """The request that puts there what belongs there, in chunks of so many bytes."""
    data = content(target)
    head = f"PUT {target} HTTP/1.1\r\nHost: strange\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    pieces = [data[at : at + step] for at in range(0, len(data), step)]
    return head + b"".join(b"%x\r\n%s\r\n" % (len(one), one) for one in pieces) + b"0\r\n\r\n"


def cut_short(makers: list[Callable[[str], bytes]], cut: float) -> bytes:
    """Requests for the targets `makers` are called with, up to this part of all. Their names have
    the length that they have where all is sent."""
    whole = [make("w") for make in makers]
    most = int(cut * sum(map(len, whole)))
    sent = b""
    for make, request in zip(makers, whole, strict=True):
        left = most - len(sent)
        head = request.index(b"\r\n\r\n") + 4
        what = "w" if left >= len(request) else "b" if left >= head else "h"
        sent += make(what)[:left]
    return sent


def wrong_head(head: bytes) -> str | None:
    """What is wrong with a server's seeing this head."""
    found = NAME.match(head)
    return f"a head that was not wholly sent: {head!r}" if found and found[2] == b"h" else None


def wrong_request(head: bytes, body: bytes) -> str | None:
    """What is wrong with a server's having this request for a whole one."""
    found = NAME.match(head)
    if not found:
        return None
    if found[2] != b"w":
        return f"a request that was not wholly sent: {head!r}"
    put = head.startswith(b"PUT ")
    if body != (content(found[1].decode()) if put else b""):
        return f"a body that nobody sent: {head!r} {body[:50]!r}"
    return None


def unchunked(data: bytes) -> tuple[bytes, int] | None:
    """The contents of chunks, and how long all of them are, if they are whole. They have no
    trailers."""
    body, at = b"", 0
    while (end := data.find(b"\r\n", at)) >= 0:
        size = int(data[at:end].split(b";")[0], 16)
        at = end + 2 + size + 2
        if len(data) < at:
            return None
        body += data[end + 2 : end + 2 + size]
        if not size:
            return body, at
    return None


def message(into: bytearray) -> tuple[bytes, bytes] | None:
    """Takes a whole message, head and body, off what has come, if there is one."""
    head, mark, rest = bytes(into).partition(b"\r\n\r\n")
    if not mark:
        return None
    found: tuple[bytes, int] | None
    if re.search(rb"\r\ntransfer-encoding:[ \t]*chunked", head.lower()):
        found = unchunked(rest)
    else:
        length = re.search(rb"\r\ncontent-length:[ \t]*(\d+)", head.lower())
        size = int(length[1]) if length else 0
        found = (rest[:size], size) if size <= len(rest) else None
    if found:
        del into[: len(head) + 4 + found[1]]
        return head, found[0]
    return None


def answer(head: bytes, body: bytes) -> bytes:
    """The body of what `store` answers. Hostile clients may ask for what there is not."""
    target = re.match(rb"GET (/\d{1,6}/[ -~]*) ", head)
    if target:
        return content(target[1].decode())
    return b"" if head.startswith(b"GET ") else digest(body).encode()


def watchful(wrong: list[str]) -> Callable[[Peer], None]:
    """A server as `store` is, that says what it sees and should not."""

    def script(peer: Peer) -> None:
        while head := peer.head():
            if why := wrong_head(head):
                wrong.append(why)
            found = message(bytearray(head + peer.body(head)))
            if not found:
                return
            if why := wrong_request(*found):
                wrong.append(why)
            peer.answer(answer(*found))

    return script
