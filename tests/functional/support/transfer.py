# SPDX-License-Identifier: GPL-2.0
"""Bodies that are made from their name, so that both ends can check them."""

import hashlib
import random
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from support.client import Connection
from support.raw_server import Peer

MIB = 1 << 20


def content(target: str) -> bytes:
    """What is at /SIZE/NAME: different for each name."""
    return random.Random(target).randbytes(int(target.split("/")[1]))


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def read_digest(
    sock: socket.socket, have: bytes, size: int, piece: int = 65536, pause: float = 0
) -> str:
    """The digest of the next `size` bytes, of which `have` was read already. Reads a piece at a
    time, and pauses in between."""
    found = hashlib.sha256(have)
    left = size - len(have)
    while left > 0:
        data = sock.recv(min(piece, left))
        assert data, f"{left} bytes are missing"
        found.update(data)
        left -= len(data)
        if pause:
            time.sleep(pause)
    return found.hexdigest()


def store(piece: int = 65536, pause: float = 0) -> Callable[[Peer], None]:
    """A server that has everything, and answers what is put there with its digest. It reads
    bodies in pieces, with pauses."""

    def script(peer: Peer) -> None:
        while head := peer.head():
            method, target = head.decode().split(" ")[:2]
            if method == "GET":
                peer.answer(content(target))
                continue
            size = int(target.split("/")[1])
            have, peer.buffer = peer.buffer[:size], peer.buffer[size:]
            peer.answer(read_digest(peer.connection, have, size, piece, pause).encode())

    return script


def download(connection: Connection, target: str, piece: int = 65536, pause: float = 0) -> None:
    """Gets what is there, and checks it. Reads in pieces, with pauses."""
    response = connection.get(target).response(head_only=True)
    size = int(target.split("/")[1])
    assert response.status == 200
    assert response.fields["content-length"] == str(size)
    have, connection.buffer = connection.buffer[:size], connection.buffer[size:]
    assert read_digest(connection.socket, have, size, piece, pause) == digest(content(target))


def put(target: str, fields: str = "") -> bytes:
    """The request that puts there what belongs there."""
    size = target.split("/")[1]
    head = f"PUT {target} HTTP/1.1\r\nHost: test\r\n{fields}Content-Length: {size}\r\n\r\n"
    return head.encode() + content(target)


def check_put(connection: Connection, target: str) -> None:
    """Reads what the server says of it."""
    response = connection.response()
    assert response.status == 200
    assert response.body.decode() == digest(content(target))


def upload(connection: Connection, target: str, fields: str = "") -> None:
    """Puts there what belongs there, and checks what has come."""
    connection.send(put(target, fields))
    check_put(connection, target)


def at_once(count: int, work: Callable[[int], None]) -> None:
    """Does work(0), work(1) and so on, all at the same time, and raises what any of them raises."""
    with ThreadPoolExecutor(count) as pool:
        list(pool.map(work, range(count)))
